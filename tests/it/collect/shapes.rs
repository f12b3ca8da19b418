//! Every shape of answer, whole and stripped.

use trailproof::aws::AccountId;
use trailproof::estate::{AclPermission, Encryption, Grantee, KeyManager, ObjectOwnership, OrganizationPolicyKind};

use super::*;

/// The estate of one file in the folder of a bucket.
fn of_bucket(name: &str, text: &str) -> Estate {
    Folder::new([(format!("s3/logs/{name}.json").as_str(), text)]).estate()
}

#[test]
fn every_answer_about_a_bucket_is_read_with_and_without_its_wrapper() {
    for text in [
        r#"{"OwnershipControls":{"Rules":[{"ObjectOwnership":"ObjectWriter"}]}}"#,
        r#"{"Rules":[{"ObjectOwnership":"ObjectWriter"}]}"#,
    ] {
        let estate = of_bucket("x", text);
        assert_eq!(bucket(&estate, "logs").ownership.present(), Some(&ObjectOwnership::ObjectWriter));
    }
    for text in [ACL, r#"[{"Grantee":{"Type":"Group","URI":"x/AllUsers"},"Permission":"READ"}]"#] {
        let estate = of_bucket("x", text);
        let acl = bucket(&estate, "logs").acl.present().unwrap();
        assert_eq!((&acl.grants[0].grantee, &acl.grants[0].permission), (&Grantee::AllUsers, &AclPermission::Read));
    }
    let rules = r#"{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"alias/k"},"BucketKeyEnabled":true}]}"#;
    for text in [rules.to_owned(), format!(r#"{{"ServerSideEncryptionConfiguration":{rules}}}"#)] {
        let estate = of_bucket("x", &text);
        let encryption = bucket(&estate, "logs").encryption.present().unwrap();
        assert_eq!(encryption.algorithm, Encryption::Kms);
        assert_eq!((encryption.key.as_ref().unwrap().as_str(), encryption.bucket_key), ("alias/k", true));
    }
    let four =
        r#"{"BlockPublicAcls":true,"IgnorePublicAcls":false,"BlockPublicPolicy":true,"RestrictPublicBuckets":false}"#;
    for text in [four.to_owned(), format!(r#"{{"PublicAccessBlockConfiguration":{four}}}"#)] {
        let estate = of_bucket("x", &text);
        let settings = bucket(&estate, "logs").block_public_access.present().unwrap();
        assert!(settings.block_public_acls && !settings.ignore_public_acls && !settings.restrict_public_buckets);
    }
    for (text, region) in
        [("null", "us-east-1"), ("\"\"", "us-east-1"), ("\"EU\"", "eu-west-1"), ("\"af-south-1\"", "af-south-1")]
    {
        let estate = of_bucket("x", &format!(r#"{{"LocationConstraint":{text}}}"#));
        assert_eq!(bucket(&estate, "logs").region.present().unwrap(), region);
    }
    for text in [r#"{"PolicyStatus":{"IsPublic":true}}"#, r#"{"IsPublic":true}"#] {
        assert_eq!(bucket(&of_bucket("x", text), "logs").policy_is_public.present(), Some(&true));
    }
    let percent: String = BUCKET
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") })
        .collect();
    for text in [
        BUCKET.to_owned(),
        string(BUCKET),
        string(&string(BUCKET)),
        string(&percent),
        format!(r#"{{"Policy":{}}}"#, string(BUCKET)),
        format!(r#"{{"Policy":{BUCKET}}}"#),
        format!(r#"{{"Policy":{}}}"#, string(&string(&percent))),
    ] {
        let estate = of_bucket("policy", &text);
        let document = bucket(&estate, "logs").policy.present().unwrap();
        assert_eq!(document.policy(&estate.sources).statements.len(), 1, "{text}");
    }
}

#[test]
fn error_lines_say_what_is_not_configured_and_what_is_not_known() {
    let line = |code: &str, operation: &str| {
        format!("\nAn error occurred ({code}) when calling the {operation} operation: because\n")
    };
    let absences = [
        ("NoSuchBucketPolicy", "GetBucketPolicy"),
        ("OwnershipControlsNotFoundError", "GetBucketOwnershipControls"),
        ("ServerSideEncryptionConfigurationNotFoundError", "GetBucketEncryption"),
        ("NoSuchPublicAccessBlockConfiguration", "GetPublicAccessBlock"),
    ];
    for (code, operation) in absences {
        for (code, expected) in [(code, "absent"), ("AccessDenied", "AccessDenied: because")] {
            let estate = of_bucket("answer", &line(code, operation));
            let logs = bucket(&estate, "logs");
            let state = match operation {
                "GetBucketPolicy" => state(&logs.policy),
                "GetBucketOwnershipControls" => state(&logs.ownership),
                "GetBucketEncryption" => state(&logs.encryption),
                _ => state(&logs.block_public_access),
            };
            assert_eq!(state, expected, "{code} {operation}");
        }
    }
    let estate = of_bucket("acl", &line("NoSuchBucketPolicy", "GetBucketAcl"));
    assert_eq!(state(&bucket(&estate, "logs").acl), "NoSuchBucketPolicy: because", "a code of another call");

    let standalone =
        Folder::new([("o.json", line("AWSOrganizationsNotInUseException", "DescribeOrganization").as_str())]);
    assert_eq!(state(&standalone.estate().organization.id), "absent");
    let denied = Folder::new([("x.json", line("AccessDenied", "GetAccountAuthorizationDetails").as_str())]);
    let [gap] = &denied.estate().gaps[..] else { panic!() };
    assert_eq!((gap.fact.as_ref(), gap.reason.as_ref()), ("account.authorization-details", "AccessDenied: because"));
    for of_no_use in [line("Denied", "ListThings"), line("NoSuchTagSet", "GetBucketTagging")] {
        assert_eq!(Folder::new([("x.json", of_no_use.as_str())]).estate().gaps, [], "{of_no_use}");
    }
}

#[test]
fn roles_are_read_from_every_answer_with_what_it_tells() {
    let core = format!(
        r#""RoleName":"r","Path":"/p/","RoleId":"AROA","Arn":"arn:aws:iam::111111111111:role/p/r","AssumeRolePolicyDocument":{TRUST}"#
    );
    let boundary = r#""PermissionsBoundary":{"PermissionsBoundaryType":"Policy","PermissionsBoundaryArn":"arn:aws:iam::1:policy/b"}"#;
    let unknown = "not in the inputs";
    let cases = [
        (format!(r#"{{"Role":{{{core}}}}}"#), unknown, unknown, "absent"),
        (format!(r#"{{"Role":{{{core},{boundary}}}}}"#), unknown, unknown, "present"),
        (format!(r#"{{"Roles":[{{{core}}}],"IsTruncated":false}}"#), unknown, unknown, unknown),
        (format!(r#"[{{{core}}}]"#), unknown, unknown, unknown),
        (format!(r#"{{{core},"RoleLastUsed":{{}}}}"#), unknown, unknown, "absent"),
        (format!(r#"{{{core}}}"#), unknown, unknown, unknown),
        (
            format!(r#"{{"RoleDetailList":[{{{core},"RolePolicyList":[],"AttachedManagedPolicies":[]}}]}}"#),
            "present",
            "present",
            "absent",
        ),
        (format!(r#"{{"RoleDetailList":[{{{core}}}]}}"#), unknown, unknown, unknown),
        (
            format!(r#"[{{"RoleDetailList":[{{{core},"RolePolicyList":[],"AttachedManagedPolicies":[]}}]}}]"#),
            "present",
            "present",
            "absent",
        ),
    ];
    for (text, inline, attached, boundary) in cases {
        let estate = Folder::new([("x.json", text.as_str())]).estate();
        let r = role(&estate, "r");
        let p = &r.permissions;
        let found = [state(&r.trust), state(&p.inline), state(&p.attached), state(&p.boundary)];
        assert_eq!(found, ["present", inline, attached, boundary], "{text}");
        assert_eq!(r.arn().as_deref(), Some("arn:aws:iam::111111111111:role/p/r"), "{text}");
    }
}

#[test]
fn pages_may_stand_one_behind_the_other() {
    let page = |name: &str| {
        format!(
            r#"{{"RoleDetailList":[{{"RoleName":"{name}","Arn":"arn:aws:iam::111111111111:role/{name}","AssumeRolePolicyDocument":{TRUST}}}],"IsTruncated":true,"Marker":"x"}}"#
        )
    };
    let two = format!("{}\n{}\n", page("a"), page("b"));
    assert_eq!(names(&Folder::new([("x.json", two.as_str())]).estate()), ["a", "b"]);
    let policies = format!("{TRUST}\n{TRUST}");
    let estate = Folder::new([("x-trust.json", policies.as_str())]).estate();
    assert_eq!(
        (names(&estate), broken(&estate)),
        (vec![], vec!["x-trust.json:2:1 text after the end of the JSON value".to_owned()])
    );
}

#[test]
fn users_groups_and_managed_policies_are_read() {
    let details = format!(
        r#"{{"UserDetailList":[{{"UserName":"u","UserId":"AIDA","Arn":"arn:aws:iam::111111111111:user/u","GroupList":["g"],"AttachedManagedPolicies":[]}}],
            "GroupDetailList":[{{"GroupName":"g","GroupId":"AGPA","Arn":"arn:aws:iam::111111111111:group/g","GroupPolicyList":[{{"PolicyName":"p","PolicyDocument":{ACCESS}}}],"AttachedManagedPolicies":[]}}],
            "Policies":[{{"PolicyName":"m","Arn":"arn:aws:iam::111111111111:policy/m","DefaultVersionId":"v2","PolicyVersionList":[
                {{"Document":{TRUST},"VersionId":"v1","IsDefaultVersion":false}},{{"Document":{ACCESS},"VersionId":"v2","IsDefaultVersion":true}}]}}]}}"#
    );
    let estate = Folder::new([("details.json", details.as_str())]).estate();
    let user = &estate.users[0];
    assert_eq!((state(&user.groups), state(&user.permissions.inline)), ("present", "present"));
    assert_eq!(user.permissions.inline.present().unwrap().len(), 0, "no list means no inline policies");
    assert_eq!(estate.groups[0].permissions.inline.present().unwrap()[0].name.as_deref(), Some("p"));
    let text = estate.managed_policies[0].document.present().unwrap().policy(&estate.sources);
    assert!(text.problems.is_empty(), "the default version is the one that counts");

    let loose = Folder::new([
        (
            "users/ann/get-user.json",
            r#"{"User":{"UserName":"ann","UserId":"AIDA","Arn":"arn:aws:iam::111111111111:user/x/ann"}}"#,
        ),
        (
            "users/ann/list-groups-for-user.json",
            r#"{"Groups":[{"GroupName":"g","GroupId":"AGPA","Arn":"arn:aws:iam::111111111111:group/g"}]}"#,
        ),
        ("users/ann/list-attached-user-policies.json", r#"{"AttachedPolicies":[]}"#),
        ("users/bob/s3.json", ACCESS),
        (
            "list-attached-user-policies-ann.json",
            "An error occurred (AccessDenied) when calling the ListAttachedUserPolicies operation: no",
        ),
    ]);
    let mut estate = loose.estate();
    let (ann, bob) = (
        estate.users.iter().find(|u| u.arn.is_some()).unwrap(),
        estate.users.iter().find(|u| u.name == "bob").unwrap(),
    );
    assert_eq!((ann.groups.present().unwrap().len(), state(&ann.permissions.attached)), (1, "present"));
    assert_eq!((bob.arn.as_deref(), state(&bob.permissions.inline)), (None, "present"));
    assert!(estate.groups.is_empty(), "a user's groups are no description of groups");
    estate.settle(AccountId::parse("111111111111").unwrap());
    let arns: Vec<_> = estate.users.iter().filter_map(|u| u.arn.as_deref()).collect();
    assert_eq!(arns, ["arn:aws:iam::111111111111:user/x/ann", "arn:aws:iam::111111111111:user/bob"]);
}

#[test]
fn organizations_answers_are_read() {
    let folder = Folder::new([
        (
            "organization/organization.json",
            r#"{"Organization":{"Id":"o-exampleorgid","MasterAccountId":"111111111111","FeatureSet":"ALL"}}"#,
        ),
        (
            "organization/accounts.json",
            r#"{"Accounts":[{"Id":"222222222222","Arn":"arn:aws:organizations::111111111111:account/o-exampleorgid/222222222222","Name":"b","JoinedMethod":"CREATED"}],"NextToken":"t"}"#,
        ),
        (
            "organization/accounts-2.json",
            r#"{"Accounts":[{"Id":"333333333333","Arn":"x","Name":"c"},{"Id":"222222222222","Arn":"x","Name":"b"}]}"#,
        ),
        ("organization/parents/222222222222.json", r#"{"Parents":[{"Id":"ou-ab12-x","Type":"ORGANIZATIONAL_UNIT"}]}"#),
        (
            "organization/policies/p-1/policy.json",
            &format!(
                r#"{{"Policy":{{"PolicySummary":{{"Id":"p-1","Name":"deny","Type":"SERVICE_CONTROL_POLICY"}},"Content":{}}}}}"#,
                string(ACCESS)
            ),
        ),
        (
            "organization/policies/p-1/targets.json",
            r#"{"Targets":[{"TargetId":"ou-ab12-x","Type":"ORGANIZATIONAL_UNIT"}]}"#,
        ),
        ("organization/policies/p-2/targets.json", r#"{"Targets":[]}"#),
        ("organization/roots.json", r#"{"Roots":[{"Id":"r-ab12","Arn":"x","PolicyTypes":[]}]}"#),
    ]);
    let estate = folder.estate();
    let organization = &estate.organization;
    let members: Vec<&str> = organization.accounts.present().unwrap().iter().map(|m| m.id.as_str()).collect();
    assert_eq!(members, ["333333333333", "222222222222"]);
    assert_eq!(estate.accounts[&AccountId::parse("333333333333").unwrap()].name.as_deref(), Some("c"));
    assert_eq!(organization.management.present().unwrap().as_str(), "111111111111");
    assert_eq!(organization.parents["222222222222"].value, "ou-ab12-x");
    let [policy] = &organization.policies[..] else { panic!("{:?}", organization.policies) };
    assert_eq!((policy.kind, policy.name.as_str()), (OrganizationPolicyKind::Scp, "deny"));
    assert_eq!(policy.targets.present().unwrap()[0].id, "ou-ab12-x");
    assert_eq!(policy.document.present().unwrap().kind, PolicyKind::Scp);
    let gaps: Vec<&str> = estate.gaps.iter().map(|gap| gap.fact.as_ref()).collect();
    assert_eq!(gaps, ["organization-policy.document"]);
}

#[test]
fn a_list_of_which_the_last_page_is_missing_is_a_gap() {
    let role = r#"{"RoleName":"r","RoleId":"A","Arn":"arn:aws:iam::111111111111:role/r"}"#;
    let account =
        r#"{"Id":"222222222222","Arn":"arn:aws:organizations::111111111111:account/o-exampleorgid/222222222222"}"#;
    let trail =
        r#"{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/t","Name":"t","HomeRegion":"us-east-1"}"#;
    let lists = [
        ("RoleDetailList", role, "account.authorization-details"),
        ("Roles", role, "account.roles"),
        ("Accounts", account, "organization.accounts"),
        ("Grants", r#"{"GrantId":"g","KeyId":"k"}"#, "key.grants"),
        ("Aliases", r#"{"AliasName":"alias/a","TargetKeyId":"k"}"#, "key.aliases"),
        ("Buckets", r#"{"Name":"logs"}"#, "account.buckets"),
        ("Trails", trail, "account.trails"),
    ];
    let facts = |files: &[(&str, &str)]| -> Vec<String> {
        Folder::new(files.iter().copied()).estate().gaps.iter().map(|gap| gap.to_string()).collect()
    };
    for (key, item, fact) in lists {
        let last = format!(r#"{{"{key}":[{item}]}}"#);
        for more in [r#""IsTruncated":true,"Marker":"x""#, r#""NextToken":"x""#] {
            let first = format!(r#"{{{more},"{key}":[{item}]}}"#);
            assert_eq!(facts(&[("1.json", &first)]), [format!("{fact}: the list goes on")], "{key}");
            assert_eq!(facts(&[("1.json", &first), ("2.json", &last)]), [""; 0], "{key}");
            assert_eq!(facts(&[("x.json", &format!("{first}\n{last}"))]), [""; 0], "{key}");
        }
        let whole = format!(r#"{{"IsTruncated":false,"NextToken":null,"{key}":[{item}]}}"#);
        assert_eq!(facts(&[("1.json", &whole)]), [""; 0], "{key}");
    }
    let other = role.replace("111111111111", "222222222222");
    let two = [
        ("1.json", &format!(r#"{{"Roles":[{role}],"IsTruncated":true}}"#)),
        ("2.json", &format!(r#"{{"Roles":[{other}],"IsTruncated":false}}"#)),
    ];
    assert_eq!(facts(&two.map(|(name, text)| (name, text.as_str()))).len(), 1, "the list of another account");
}

#[test]
fn the_policies_that_a_list_does_not_name_yet_are_not_known() {
    let get = |name: &str| format!(r#"{{"RoleName":"r","PolicyName":"{name}","PolicyDocument":{ACCESS}}}"#);
    let role = r#"{"Role":{"RoleName":"r","Path":"/","Arn":"arn:aws:iam::111111111111:role/r","RoleId":"AROA"}}"#;
    let refused = "An error occurred (AccessDenied) when calling the GetRolePolicy operation: no";
    for (name, text, expected) in [
        ("list-role-policies.json", r#"{"PolicyNames":["p"],"IsTruncated":true}"#, &["", "the list goes on"][..]),
        ("get-role-policy-r.json", refused, &["", "AccessDenied: no"]),
        ("list-role-policies.json", r#"{"PolicyNames":["p"],"IsTruncated":false}"#, &[""]),
    ] {
        let estate = Folder::new([("get-role.json", role), ("p.json", &get("p")), (name, text)]).estate();
        let r = super::role(&estate, "r");
        let inline = r.permissions.inline.present().unwrap();
        let reasons: Vec<&str> = inline.iter().map(|one| one.document.gap().map_or("", |gap| &gap.reason)).collect();
        assert_eq!(reasons, expected, "{text}");
    }
}

#[test]
fn a_list_of_buckets_adds_to_buckets_that_something_else_tells_of() {
    let list = r#"{"Buckets":[{"Name":"logs","BucketRegion":"eu-west-1"},{"Name":"other"}],"Owner":{"ID":"c0ffee"}}"#;
    let estate = Folder::new([("111111111111/list-buckets.json", list), ("policy.json", BUCKET)]).estate();
    assert_eq!(names(&estate), ["logs"]);
    let logs = bucket(&estate, "logs");
    assert_eq!(
        (logs.account.present().unwrap().as_str(), logs.region.present().unwrap().as_str()),
        ("111111111111", "eu-west-1")
    );
    let account = &estate.accounts[&AccountId::parse("111111111111").unwrap()];
    assert_eq!(account.canonical_id.as_ref().unwrap().value, "c0ffee");
}

#[test]
fn keys_and_grants_are_read_with_and_without_their_wrappers() {
    let key = r#"{"AWSAccountId":"111111111111","KeyId":"k","Arn":"arn:aws:kms:us-east-1:111111111111:key/k","KeyManager":"AWS","KeyState":"Enabled","KeySpec":"SYMMETRIC_DEFAULT"}"#;
    for text in [key.to_owned(), format!(r#"{{"KeyMetadata":{key}}}"#), format!("[{key}]")] {
        let estate = Folder::new([("x.json", text.as_str())]).estate();
        assert_eq!(estate.keys[0].metadata.present().unwrap().manager, Some(KeyManager::Aws), "{text}");
    }
    let grants = r#"[{"KeyId":"arn:aws:kms:us-east-1:111111111111:key/k","GrantId":"g","GranteePrincipal":"arn:aws:iam::222222222222:root","Operations":["Decrypt"]},
        {"KeyId":"arn:aws:kms:us-east-1:111111111111:key/l","GrantId":"h","Operations":[]}]"#;
    for text in [grants.to_owned(), format!(r#"{{"Grants":{grants},"Truncated":false}}"#)] {
        let estate = Folder::new([("x.json", text.as_str()), ("y.json", text.as_str())]).estate();
        let counts: Vec<usize> = estate.keys.iter().map(|key| key.grants.present().unwrap().len()).collect();
        assert_eq!(counts, [1, 1], "pages that say the same grant say it once");
    }
    let unsupported =
        "An error occurred (UnsupportedOperationException) when calling the GetKeyRotationStatus operation: no";
    let estate = Folder::new([
        ("k/describe-key.json", format!(r#"{{"KeyMetadata":{key}}}"#).as_str()),
        ("k/rotation.json", unsupported),
    ])
    .estate();
    assert_eq!(state(&estate.keys[0].rotation), "absent");
}

#[test]
fn trails_tell_what_they_leave_out() {
    let trail = r#"{"Name":"t","S3BucketName":"logs","TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/t","HomeRegion":"us-east-1","IsMultiRegionTrail":true}"#;
    for text in [
        trail.to_owned(),
        format!(r#"{{"Trail":{trail}}}"#),
        format!(r#"{{"trailList":[{trail}]}}"#),
        format!("[{trail}]"),
    ] {
        let estate = Folder::new([("x.json", text.as_str())]).estate();
        let t = &estate.trails[0];
        let facts = [state(&t.bucket), state(&t.prefix), state(&t.key), state(&t.is_organization)];
        assert_eq!(facts, ["present", "absent", "absent", "not in the inputs"], "{text}");
    }
    let listed = r#"{"Trails":[{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/t","Name":"t","HomeRegion":"us-east-1"}]}"#;
    let selectors = r#"{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/t","AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}]}"#;
    let estate = Folder::new([("x.json", listed), ("y.json", selectors)]).estate();
    let t = &estate.trails[0];
    assert_eq!([state(&t.bucket), state(&t.key)], ["not in the inputs"; 2]);
    assert_eq!(t.selectors.present().unwrap().management_events, Some(true));
}

#[test]
fn lists_and_values_without_their_answer_are_told_by_their_items_or_their_file() {
    for (text, region) in [("null", "us-east-1"), ("\"eu-west-1\"", "eu-west-1")] {
        let estate = Folder::new([("policy.json", BUCKET), ("get-bucket-location.json", text)]).estate();
        assert_eq!(bucket(&estate, "logs").region.present().unwrap(), region);
    }
    let folder = Folder::new([
        (
            "111111111111/list-buckets.json",
            r#"[{"Name":"logs","CreationDate":"2024-01-01","BucketRegion":"eu-west-1"}]"#,
        ),
        ("policy.json", BUCKET),
        (
            "organization/policies/p-1/policy.json",
            r#"{"PolicySummary":{"Id":"p-1","Name":"d","Type":"SERVICE_CONTROL_POLICY"},"Content":"{}"}"#,
        ),
        ("organization/policies/p-1/targets.json", r#"[{"TargetId":"r-ab12","Type":"ROOT"}]"#),
        ("organization/parents/222222222222.json", r#"[{"Id":"r-ab12","Type":"ROOT"}]"#),
        (
            "t/get-trail.json",
            r#"{"Name":"t","S3BucketName":"logs","TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/t","HomeRegion":"us-east-1","IsMultiRegionTrail":true}"#,
        ),
        (
            "t/get-event-selectors.json",
            r#"[{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[]}]"#,
        ),
    ]);
    let collected = folder.collect();
    assert_eq!(skipped(&collected), Vec::<String>::new());
    let estate = collected.estate;
    assert_eq!(bucket(&estate, "logs").account.present().unwrap().as_str(), "111111111111");
    assert_eq!(estate.organization.policies[0].targets.present().unwrap()[0].id, "r-ab12");
    assert_eq!(estate.organization.parents["222222222222"].value, "r-ab12");
    assert_eq!(estate.trails[0].selectors.present().unwrap().management_events, Some(true));
}

#[test]
fn a_number_where_a_policy_should_be_is_a_policy_with_a_mistake() {
    for (name, text) in [
        ("b/get-bucket-policy.json", r#"{"Policy": 7}"#),
        ("b/get-bucket-policy.json", "7"),
        ("s3/logs/policy.json", "true"),
        ("reader-trust.json", "7"),
        ("scps/deny-scp.json", "7"),
    ] {
        let estate = Folder::new([(name, text)]).estate();
        let documents = estate.documents.iter().chain(estate.buckets.iter().filter_map(|b| b.policy.present()));
        let documents = documents.chain(estate.roles.iter().filter_map(|role| role.trust.present()));
        let policies = estate.organization.policies.iter().filter_map(|policy| policy.document.present());
        let problems: Vec<String> = documents
            .chain(policies)
            .flat_map(|d| d.policy(&estate.sources).problems.iter().map(|p| p.kind.to_string()).collect::<Vec<_>>())
            .collect();
        assert!(problems.len() == 1 && problems[0].starts_with("`policy` is a"), "{name}: {problems:?}");
    }
    let broken_text = Folder::new([("logs-bucket-policy.json", "\"NoSuchBucketPolicy\"")]).estate();
    assert_eq!(broken_text.broken.len(), 1);
    let skipped_ones = Folder::new([
        ("b/get-bucket-policy.json", r#"{"Policy": null}"#),
        ("number.json", "7"),
        ("trust.json", "null"),
    ]);
    assert_eq!(skipped_ones.collect().skipped.len(), 3);
}

#[test]
fn what_only_looks_like_ours_is_left_alone() {
    let folder = Folder::new([
        ("a.json", r#"{"RoleName":"deploy","Region":"x"}"#),
        ("b.json", r#"{"S3BucketName":"assets","Name":"site"}"#),
        ("c.json", r#"{"IsPublic":true,"name":"page"}"#),
        ("d.json", r#"{"Id":"o-abcdef","total":3}"#),
        ("e.json", r#"{"Statement":[{"date":"2026-01-01","amount":3}]}"#),
        ("f.json", r#"{"Account":"111111111111","UserId":"u","Arn":"none"}"#),
        ("g.json", "[]"),
        ("h.json", "\"text\""),
        ("i.json", r#"{"Policy":{"maxAge":3}}"#),
        ("j.json", r#"{"Users":[{"name":"x"}],"Groups":[]}"#),
        ("terraform.json", r#"{"format_version":"1.2","terraform_version":"1.9","planned_values":{}}"#),
    ]);
    let collected = folder.collect();
    assert_eq!((collected.files, collected.skipped.len()), (0, 10), "{:?}", collected.estate);
    let templates: Vec<&str> = collected.templates.iter().map(|t| t.why.as_str()).collect();
    assert_eq!(templates, ["Terraform plan or state"]);
}

#[test]
fn answers_of_no_use_are_ours_all_the_same() {
    let folder = Folder::new([
        ("get-bucket-versioning.json", ""),
        ("v/get-bucket-versioning.json", r#"{"Status":"Enabled"}"#),
        ("get-bucket-logging.json", r#"{"LoggingEnabled":{"TargetBucket":"b"}}"#),
        ("get-bucket-tagging.json", r#"{"TagSet":[]}"#),
        ("list-keys.json", r#"{"Keys":[{"KeyId":"k","KeyArn":"a"}]}"#),
        (
            "get-object-lock-configuration.json",
            "An error occurred (ObjectLockConfigurationNotFoundError) when calling the GetObjectLockConfiguration operation: no",
        ),
    ]);
    let collected = folder.collect();
    assert_eq!((collected.files, skipped(&collected), messages(&collected)), (6, vec![], vec![]));
}

#[test]
fn a_policy_of_an_access_point_is_no_bucket_policy() {
    let policy = BUCKET.replace("arn:aws:s3:::logs/*", "arn:aws:s3:us-east-1:111111111111:accesspoint/p/object/*");
    let text = format!(r#"{{"Policy":{}}}"#, string(&policy));
    let estate = Folder::new([("a/policy.json", BUCKET), ("a/get-access-point-policy.json", text.as_str())]).estate();
    assert_eq!(alone(&estate), [(PolicyKind::Resource, "a/get-access-point-policy.json")]);
    assert_eq!(state(&bucket(&estate, "logs").policy), "present");
}

#[test]
fn pages_of_attached_policies_are_one_list() {
    let role = r#"{"Role":{"RoleName":"r","Path":"/","Arn":"arn:aws:iam::111111111111:role/r","RoleId":"AROA"}}"#;
    let page = |name: &str, more: &str| {
        let arn = format!("arn:aws:iam::111111111111:policy/{name}");
        format!(r#"{{"AttachedPolicies":[{{"PolicyName":"{name}","PolicyArn":"{arn}"}}]{more}}}"#)
    };
    let (first, last) = (page("a", r#","IsTruncated":true,"Marker":"x""#), page("b", r#","IsTruncated":false"#));
    let attached = |files: &[(&str, &str)]| {
        let files = [&[("get-role.json", role)], files].concat();
        let estate = Folder::new(files).estate();
        let attached = &super::role(&estate, "r").permissions.attached;
        (state(attached).to_owned(), attached.present().map_or(0, Vec::len))
    };
    let name = "list-attached-role-policies";
    let (one, two) = (format!("{name}-r.json"), format!("{name}.json"));
    assert_eq!(attached(&[(&two, &first)]), ("the list goes on".to_owned(), 0));
    assert_eq!(attached(&[(&one, &first), (&two, &last)]), ("present".to_owned(), 2));
    assert_eq!(attached(&[(&two, &format!("{first}\n{last}"))]), ("present".to_owned(), 2));
}
