//! Each shape in which items come, and what is made of what they hold and leave out.

use trailproof::aws::AccountId;
use trailproof::estate::{AclPermission, Document, Encryption, Grantee, KeyManager};

use super::*;

const SILENT: &str = "its configuration item in AWS Config does not hold it";

fn owner() -> AccountId {
    AccountId::parse(ACCOUNT).unwrap()
}

/// A document that reads, is measured, and whose places lie in the text they are said to be in.
fn holds(document: &Document, estate: &Estate) {
    let policy = document.policy(&estate.sources);
    assert_eq!(policy.statements.len(), 1);
    let effect = policy.statements[0].effect_span;
    assert!(document.span.contains(effect));
    assert!(estate.sources.slice(effect).contains("Allow"), "{}", estate.sources.slice(effect));
    assert!(document.size(&estate.sources).minified_bytes > 100);
    assert_eq!(document.statement_sizes(&estate.sources).len(), 1);
}

/// All that [`all_items`] tell.
fn has_all(estate: &Estate) {
    let role = role(estate, "log-reader");
    assert_eq!((role.arn().as_deref(), role.account), (Some(ROLE_ARN), Some(owner())));
    holds(role.trust.present().unwrap(), estate);
    let [inline] = &role.permissions.inline.present().unwrap()[..] else { panic!() };
    assert_eq!(inline.name.as_deref(), Some("read"));
    holds(inline.document.present().unwrap(), estate);
    assert_eq!(role.permissions.attached.present().unwrap().len(), 1);
    assert_eq!(state(&role.permissions.boundary), "absent");
    assert!(!estate.lists_roles_of(owner()), "AWS Config need not record all roles");

    let [managed] = &estate.managed_policies[..] else { panic!() };
    let text = managed.document.present().unwrap().policy(&estate.sources);
    assert!(text.statements[0].normal_form().contains("s3:getobject"), "the default version");

    let logs = bucket(estate, "logs");
    assert_eq!((logs.account.present(), logs.region.present().unwrap().as_str()), (Some(&owner()), "eu-west-1"));
    holds(logs.policy.present().unwrap(), estate);
    let acl = logs.acl.present().unwrap();
    let grants: Vec<_> = acl.grants.iter().map(|grant| (grant.grantee.clone(), grant.permission.clone())).collect();
    let expected = [
        (Grantee::CanonicalUser("8f2b6c".into()), AclPermission::FullControl),
        (Grantee::AllUsers, AclPermission::Read),
        (Grantee::AuthenticatedUsers, AclPermission::ReadAcp),
        (Grantee::CanonicalUser("77aa".into()), AclPermission::WriteAcp),
    ];
    assert_eq!(grants, expected);
    assert!(estate.sources.slice(acl.grants[1].span).contains("AllUsers"));
    assert_eq!(acl.owner.as_ref().unwrap().as_str(), "8f2b6c");
    assert_eq!(state(&logs.ownership), SILENT);
    let encryption = logs.encryption.present().unwrap();
    assert_eq!((&encryption.algorithm, encryption.key.as_ref().unwrap().as_str()), (&Encryption::Kms, KEY_ARN));
    let block = logs.block_public_access.present().unwrap();
    assert_eq!((block.block_public_acls, block.ignore_public_acls, block.block_public_policy), (true, false, true));

    let [key] = &estate.keys[..] else { panic!() };
    assert_eq!((key.arn.as_deref(), key.account), (Some(KEY_ARN), Some(owner())));
    holds(key.policy.present().unwrap(), estate);
    let metadata = key.metadata.present().unwrap();
    assert_eq!((metadata.manager, metadata.state.as_ref().unwrap().as_str()), (Some(KeyManager::Customer), "Enabled"));
    assert_eq!((key.rotation.present(), state(&key.grants)), (Some(&true), "AWS Config does not record it"));

    let [trail] = &estate.trails[..] else { panic!() };
    assert_eq!((trail.arn.as_deref(), trail.bucket.present().unwrap().as_str()), (Some(TRAIL_ARN), "logs"));
    assert_eq!((state(&trail.prefix), trail.key.present().unwrap().as_str()), ("absent", KEY_ARN));
    assert_eq!((trail.is_organization.present(), state(&trail.status)), (Some(&true), "AWS Config does not record it"));

    let account = &estate.accounts[&owner()];
    assert_eq!(account.canonical_id.as_ref().unwrap().as_str(), "8f2b6c");
    let block = account.block_public_access.present().unwrap();
    assert_eq!((block.ignore_public_acls, block.block_public_policy), (true, false));
    assert!(estate.documents.is_empty() && estate.broken.is_empty() && estate.duplicates.is_empty());
    assert!(estate.named.is_empty(), "items name what they are about");
    assert_eq!(gaps(estate), [""; 0]);
}

#[test]
fn items_tell_the_same_in_every_shape() {
    has_all(&estate(&snapshot(all_items())));
    let strings: Vec<Value> = all_items().into_iter().map(in_strings).collect();
    has_all(&estate(&snapshot(strings.clone())));
    has_all(&estate(&json!({"baseConfigurationItems": strings, "unprocessedResourceKeys": []}).to_string()));
    let batch = json!({"BaseConfigurationItems": strings, "UnprocessedResourceIdentifiers": []}).to_string();
    has_all(&estate(&batch));
    has_all(&estate(&json!(strings).to_string()));
    let bare: String = strings.iter().map(|item| item.to_string() + "\n").collect();
    has_all(&estate(&bare));

    let folder = Folder::new([]);
    for (number, item) in strings.into_iter().enumerate() {
        let answer = json!({"ConfigurationItem": item}).to_string();
        folder.write(&format!("get-aggregate-resource-config-{number}.json"), answer.as_bytes());
    }
    has_all(&folder.estate());

    let folder = Folder::new([]);
    for (number, item) in all_items().into_iter().enumerate() {
        let event = json!({"configurationItem": item, "messageType": "ConfigurationItemChangeNotification"});
        let event = match number % 2 {
            0 => json!({"invokingEvent": event.to_string(), "ruleParameters": "{}", "accountId": ACCOUNT}),
            _ => json!({"source": "aws.config", "detail": event}),
        };
        folder.write(&format!("{number}.json"), event.to_string().as_bytes());
    }
    has_all(&folder.estate());
}

#[test]
fn a_compressed_snapshot_and_an_answer_of_the_cli_are_one_estate() {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(snapshot(all_items()).as_bytes()).unwrap();
    let folder = Folder::new([(
        "111111111111/s3/logs/ownership-controls.json",
        r#"{"Rules":[{"ObjectOwnership":"ObjectWriter"}]}"#,
    )]);
    folder.write(
        "AWSLogs/111111111111/Config/eu-west-1/2026/8/1/ConfigSnapshot/x_a7e0.json.gz",
        &packed.finish().unwrap(),
    );
    folder.write("111111111111/s3/logs/policy.json", json!({"Policy": BUCKET}).to_string().as_bytes());
    let estate = folder.estate();
    assert_eq!(
        (state(&bucket(&estate, "logs").ownership), state(&bucket(&estate, "logs").policy)),
        ("present", "present")
    );
    folder.write("111111111111/s3/logs/policy.json", json!({"Policy": KEY}).to_string().as_bytes());
    let estate = folder.estate();
    let gap = bucket(&estate, "logs").policy.gap().unwrap();
    assert!(gap.is_contradiction() && gap.places.len() == 2);
}

#[test]
fn what_an_item_holds_as_null_is_absent_and_what_it_leaves_out_is_not_known() {
    let without = |mut item: Value, keys: &[&str]| {
        for key in keys {
            item["configuration"].as_object_mut().unwrap().shift_remove(*key);
            item["supplementaryConfiguration"].as_object_mut().unwrap().shift_remove(*key);
        }
        item
    };
    let role_of =
        |item: Value| state(&role(&estate(&snapshot(vec![item])), "log-reader").permissions.boundary).to_owned();
    assert_eq!(role_of(role_item()), "absent");
    assert_eq!(role_of(without(role_item(), &["permissionsBoundary"])), SILENT);
    let mut bounded = role_item();
    bounded["configuration"]["permissionsBoundary"] =
        json!({"permissionsBoundaryType": "Policy", "permissionsBoundaryArn": "arn:aws:iam::111111111111:policy/b"});
    assert_eq!(role_of(bounded), "present");

    let policy_of = |policy: Value| {
        let mut item = bucket_item();
        item["supplementaryConfiguration"]["BucketPolicy"] = policy;
        ["objects", "strings"].map(|form| {
            let item = if form == "strings" { in_strings(item.clone()) } else { item.clone() };
            state(&bucket(&estate(&snapshot(vec![item])), "logs").policy).to_owned()
        })
    };
    assert_eq!(policy_of(json!({"policyText": null})), ["absent", "absent"]);
    assert_eq!(policy_of(Value::Null), [SILENT, SILENT], "nobody says that there is no policy");
    assert_eq!(policy_of(json!({"text": "x"})), ["the value is none that is known"; 2]);
    let keys =
        ["BucketPolicy", "AccessControlList", "PublicAccessBlockConfiguration", "ServerSideEncryptionConfiguration"];
    let estate_of = estate(&snapshot(vec![without(bucket_item(), &keys)]));
    let logs = bucket(&estate_of, "logs");
    let states = [state(&logs.policy), state(&logs.acl), state(&logs.block_public_access), state(&logs.encryption)];
    assert_eq!(states, [SILENT; 4]);

    let trail = |item: Value| {
        let estate = estate(&snapshot(vec![item]));
        (state(&estate.trails[0].prefix).to_owned(), state(&estate.trails[0].key).to_owned())
    };
    assert_eq!(trail(trail_item()), ("absent".into(), "present".into()));
    assert_eq!(trail(without(trail_item(), &["s3KeyPrefix", "kmsKeyId"])), (SILENT.into(), SILENT.into()));
}

#[test]
fn ownership_controls_are_read_where_they_are_recorded() {
    for (value, expected) in [
        (json!({"rules": [{"objectOwnership": "BucketOwnerEnforced"}]}), "present"),
        (json!({"ownershipControls": {"rules": [{"objectOwnership": "ObjectWriter"}]}}), "present"),
        (json!({"rules": [{"objectOwnership": "Nobody"}]}), "the value is none that is known"),
        (json!({"rules": []}), "the value is none that is known"),
    ] {
        let mut item = bucket_item();
        item["supplementaryConfiguration"]["OwnershipControls"] = value;
        for item in [in_strings(item.clone()), item] {
            assert_eq!(state(&bucket(&estate(&snapshot(vec![item])), "logs").ownership), expected);
        }
    }
}

#[test]
fn the_status_decides_whether_an_item_describes_its_resource() {
    let with = |status: &str| {
        let items = all_items().into_iter().map(|mut item| {
            item["configurationItemStatus"] = json!(status);
            item
        });
        estate(&snapshot(items.collect()))
    };
    for status in ["OK", "ResourceDiscovered", "Ok"] {
        has_all(&with(status));
    }
    for status in ["ResourceDeleted", "ResourceDeletedNotRecorded"] {
        let estate = with(status);
        let count = estate.roles.len() + estate.buckets.len() + estate.keys.len() + estate.trails.len();
        assert_eq!((count, estate.managed_policies.len(), gaps(&estate).len()), (0, 0, 0), "{status}");
    }
    for (status, why) in [
        ("ResourceNotRecorded", "AWS Config does not record this resource"),
        ("Half", "`Half`, the status of its configuration item, is none that is known"),
    ] {
        let estate = with(status);
        let (role, logs) = (role(&estate, "log-reader"), bucket(&estate, "logs"));
        let p = &role.permissions;
        let states =
            [state(&role.trust), state(&p.inline), state(&p.attached), state(&p.boundary), state(&logs.policy)];
        assert_eq!(states, [why; 5]);
        assert_eq!((state(&estate.keys[0].policy), state(&estate.trails[0].key)), (why, why));
    }
}

#[test]
fn rows_of_a_query_make_resources_known_and_their_policies_a_gap() {
    let rows = [
        json!({"resourceType": "AWS::IAM::Role", "accountId": ACCOUNT, "arn": ROLE_ARN, "resourceName": "log-reader"}),
        json!({"resourceType": "AWS::S3::Bucket", "accountId": ACCOUNT, "awsRegion": "eu-west-1", "resourceName": "logs"}),
        json!({"accountId": ACCOUNT, "arn": KEY_ARN, "configuration": {"keyState": "Disabled", "keyManager": "CUSTOMER"}}),
        json!({"COUNT(*)": 3}),
        json!({"arn": "arn:aws:iam::111111111111:role/named", "configuration": {
            "attachedManagedPolicies": [{"policyName": "AdministratorAccess"}], "rolePolicyList": [{"policyName": "p"}]}}),
        json!({"resourceType": "AWS::EC2::Instance"}),
    ];
    let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    let answer = |more: Value| {
        let mut answer = json!({"Results": rows, "QueryInfo": {"SelectFields": [{"Name": "arn"}]}});
        answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        answer.to_string()
    };
    let all = estate(&answer(json!({})));
    let (role, logs) = (role(&all, "log-reader"), bucket(&all, "logs"));
    assert_eq!(role.arn().as_deref(), Some(ROLE_ARN));
    let p = &role.permissions;
    for state in [state(&role.trust), state(&p.inline), state(&p.boundary), state(&logs.policy), state(&logs.acl)] {
        assert!(state.contains("rows of an AWS Config query") && state.contains("no policies"), "{state}");
    }
    assert_eq!((logs.account.present(), state(&logs.region)), (Some(&owner()), "present"));
    let metadata = all.keys[0].metadata.present().unwrap();
    assert_eq!(metadata.state.as_ref().unwrap().as_str(), "Disabled");
    let named = &super::role(&all, "named").permissions;
    assert_eq!(state(&named.attached), "one of them is listed without its ARN");
    assert_eq!(state(&named.inline.present().unwrap()[0].document), "not in the inputs");
    assert!(state(&all.keys[0].policy).contains("no policies"));
    assert!(!all.lists_roles_of(owner()) && gaps(&all).is_empty());

    let first = answer(json!({"NextToken": "abc"}));
    assert_eq!(gaps(&estate(&first)), ["input.configuration-items: the list goes on"]);
    let pages = Folder::new([("1.json", first.as_str()), ("2.json", &answer(json!({})))]);
    assert_eq!(gaps(&pages.estate()), [""; 0], "the last page is there");
    assert_eq!(Folder::new([("x.json", r#"{"Results":[],"QueryInfo":{}}"#)]).collect().files, 1);
    assert_eq!(Folder::new([("x.json", r#"{"Results":[{"a":1}]}"#)]).collect().files, 0);
}

#[test]
fn what_a_batch_left_out_is_a_gap() {
    let text = json!({"BaseConfigurationItems": [], "UnprocessedResourceIdentifiers": [
        {"SourceAccountId": ACCOUNT, "SourceRegion": "eu-west-1", "ResourceId": "AROA", "ResourceType": "AWS::IAM::Role", "ResourceName": "r"},
        {"SourceAccountId": ACCOUNT, "SourceRegion": "eu-west-1", "ResourceId": "i-1", "ResourceType": "AWS::EC2::Instance"}]});
    let keys = json!({"baseConfigurationItems": [], "unprocessedResourceKeys": [{"resourceType": "AWS::S3::Bucket", "resourceId": "logs"}]});
    let folder = Folder::new([("a.json", text.to_string().as_str()), ("b.json", &keys.to_string())]);
    let expected = [
        "bucket.configuration-item: AWS Config did not hand over the item of `logs`",
        "role.configuration-item: AWS Config did not hand over the item of `r`",
    ];
    assert_eq!(gaps(&folder.estate()), expected);
}

#[test]
fn an_export_of_iam_beside_it_lists_the_roles() {
    let details = json!({"RoleDetailList": [{
        "Path": "/teams/", "RoleName": "log-reader", "RoleId": "AROA", "Arn": ROLE_ARN,
        "AssumeRolePolicyDocument": serde_json::from_str::<Value>(TRUST).unwrap(),
        "RolePolicyList": [{"PolicyName": "read", "PolicyDocument": serde_json::from_str::<Value>(ACCESS).unwrap()}],
        "AttachedManagedPolicies": [{"PolicyName": "ViewOnlyAccess", "PolicyArn": "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"}],
        "Tags": []
    }]});
    for names in [["a.json", "b.json"], ["b.json", "a.json"]] {
        let folder = Folder::new([(names[0], snapshot(vec![role_item()]).as_str()), (names[1], &details.to_string())]);
        let estate = folder.estate();
        assert!(estate.lists_roles_of(owner()) && gaps(&estate).is_empty());
        assert_eq!(state(&role(&estate, "log-reader").permissions.inline), "present");
    }
}

#[test]
fn what_can_not_be_read_is_a_gap_or_an_error_with_its_place() {
    let broken_in = |item: Value| {
        let estate = Folder::new([("f.json", snapshot(vec![item]).as_str())]).collect().estate;
        broken(&estate).len()
    };
    let mut item = role_item();
    item["configuration"] = json!("{\"roleName\":");
    let text = snapshot(vec![item]);
    let estate_of = Folder::new([("f.json", text.as_str())]).collect().estate;
    assert_eq!(state(&role(&estate_of, "log-reader").trust), "its text is not JSON");
    assert_eq!(estate_of.broken.len(), 1);
    assert_eq!(
        estate_of.broken[0].span.start as usize,
        text.find("\\\"roleName\\\":").unwrap() + "\\\"roleName\\\":".len()
    );

    for configuration in [json!(7), json!([1]), json!("7"), json!(true)] {
        let mut item = role_item();
        item["configuration"] = configuration;
        let estate = estate(&snapshot(vec![item]));
        assert_eq!(state(&role(&estate, "log-reader").trust), "this is no configuration of a resource");
    }
    let mut item = bucket_item();
    item["supplementaryConfiguration"]["AccessControlList"] = json!("{\"grantList\":");
    item["supplementaryConfiguration"]["BucketPolicy"] = json!({"policyText": "{\"Statement\":"});
    assert_eq!(broken_in(item.clone()), 2);
    assert_eq!(broken_in(in_strings(item)), 2);
    let mut item = bucket_item();
    item["supplementaryConfiguration"]["AccessControlList"] = json!({"grantList": [{"grantee": "AllUsers"}]});
    assert_eq!(state(&bucket(&estate(&snapshot(vec![item])), "logs").acl), "the value is none that is known");

    let no_items = "this is no list of configuration items";
    assert_eq!(gaps(&estate(r#"{"configurationItems":{"a":1}}"#)), [format!("input.configuration-items: {no_items}")]);
    let nothing = "this is no configuration item: it has neither resource type nor ARN";
    for wrong in ["{}", "7", "null", "[]", "\"x\""] {
        let estate = estate(&format!(r#"{{"configurationItems":[{wrong}]}}"#));
        assert_eq!(gaps(&estate), [format!("input.configuration-items: {nothing}")], "{wrong}");
    }
    for kind in
        ["IAM::Role", "S3::Bucket", "KMS::Key", "CloudTrail::Trail", "IAM::Policy", "S3::AccountPublicAccessBlock"]
    {
        let estate =
            estate(&format!(r#"{{"configurationItems":[{{"resourceType":"AWS::{kind}","configuration":{{}}}}]}}"#));
        let [gap] = &estate.gaps[..] else { panic!("{kind}") };
        assert_eq!((gap.reason.as_ref(), gap.places.len()), ("which resource this item is about can not be told", 1));
    }
    let cut = &text[..text.len() / 2];
    let collected = Folder::new([("f.json", cut)]).collect();
    assert_eq!((collected.files, broken(&collected.estate).len()), (1, 1), "half a snapshot is no other file");
}

#[test]
fn keys_that_stand_twice_are_told_wherever_they_stand() {
    let object = r#"{"path":"/","path":"/x/"}"#;
    for configuration in [object.to_owned(), string(object)] {
        let text = format!(
            r#"{{"configurationItems":[{{"resourceType":"AWS::IAM::Role","arn":"{ROLE_ARN}","configuration":{configuration}}}]}}"#
        );
        let estate = estate(&text);
        let [duplicate] = &estate.duplicates[..] else { panic!() };
        assert_eq!(duplicate.key, "path");
        assert!(
            estate.sources.slice(duplicate.again).contains("path") && duplicate.first.start < duplicate.again.start
        );
    }
}

#[test]
fn every_cut_and_every_strange_value_is_survived() {
    let text = snapshot(all_items().into_iter().map(in_strings).collect());
    for end in (0..text.len()).step_by(211) {
        let _ = Folder::new([("f.json", &text[..end])]).collect();
    }
    let strange = [json!(null), json!(1e300), json!("\u{0}\u{202e}%zz"), json!([[]]), json!({"Statement": {}})];
    for value in &strange {
        for key in [
            "ARN",
            "resourceType",
            "resourceName",
            "configuration",
            "supplementaryConfiguration",
            "awsAccountId",
            "awsRegion",
            "configurationItemStatus",
            "configurationItemCaptureTime",
        ] {
            let items = all_items().into_iter().map(|mut item| {
                item[key] = value.clone();
                item
            });
            let _ = Folder::new([("f.json", snapshot(items.collect()).as_str())]).collect();
        }
    }
}
