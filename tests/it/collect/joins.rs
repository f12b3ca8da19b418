//! What a document is about, and what joins what.

use trailproof::aws::AccountId;
use trailproof::estate::{Identity, Known, NamedBy};

use super::*;

fn named(estate: &Estate) -> Vec<&str> {
    estate.named.iter().map(|sentence| sentence.value.as_str()).collect()
}

/// Each role as `name: trust, inline policies`.
fn roles(estate: &Estate) -> Vec<String> {
    let show = |role: &Role| {
        let inline: Option<Vec<&str>> = role
            .permissions
            .inline
            .present()
            .map(|all| all.iter().map(|policy| policy.name.as_deref().unwrap_or("-")).collect());
        format!("{}: {}, {}", role.name, state(&role.trust), inline.map_or("?".into(), |names| names.join(" ")))
    };
    estate.roles.iter().map(show).collect()
}

#[test]
fn trust_and_access_of_one_name_in_one_folder_are_one_role() {
    let folder = Folder::new([
        ("x/a-trust.json", TRUST),
        ("x/a-access.json", ACCESS),
        ("x/b.trust.json", TRUST),
        ("x/b_permissions_policy.json", ACCESS),
        ("x/c-d-trust-policy.json", TRUST),
        ("x/c-d-policy.json", ACCESS),
        ("x/c-access.json", ACCESS),
    ]);
    let estate = folder.estate();
    assert_eq!(roles(&estate), ["a: present, -", "b: present, -", "c-d: present, -"]);
    assert_eq!(alone(&estate), [(PolicyKind::Identity, "x/c-access.json")]);
    assert!(estate.roles.iter().all(|role| role.named_by == NamedBy::File && role.account.is_none()));
    assert_eq!(named(&estate)[0], "`x/a-access.json` and 1 more file are taken to be about role `a` by their name");
}

#[test]
fn equal_names_in_two_folders_are_two_roles_until_the_account_is_known() {
    let folder = Folder::new([
        ("x/a-trust.json", TRUST),
        ("y/a-trust.json", OTHER_TRUST),
        ("y/a-access.json", ACCESS),
        ("z/a-access.json", ACCESS),
    ]);
    let mut estate = folder.estate();
    assert_eq!(roles(&estate), ["a: present, ?", "a: present, -"]);
    assert_eq!(alone(&estate), [(PolicyKind::Identity, "z/a-access.json")]);
    assert_eq!(estate.gaps, []);
    estate.settle(AccountId::parse("111111111111").unwrap());
    assert_eq!(roles(&estate), ["a: the inputs contradict each other, -"]);
    let documents: Vec<&str> = alone(&estate).into_iter().map(|(_, file)| file).collect();
    assert_eq!(documents, ["x/a-trust.json", "y/a-trust.json", "z/a-access.json"]);
    let [gap] = &estate.gaps[..] else { panic!("{:?}", estate.gaps) };
    let places: Vec<&str> = gap.places.iter().map(|place| estate.sources.name(place.source)).collect();
    assert_eq!((gap.fact.as_ref(), &places[..]), ("role.trust-policy", &["x/a-trust.json", "y/a-trust.json"][..]));
    assert!(gap.is_contradiction());
}

#[test]
fn the_account_comes_from_a_folder_or_from_the_caller_beside_it() {
    let caller = r#"{"UserId":"AIDAEXAMPLE","Account":"222222222222","Arn":"arn:aws:iam::222222222222:user/u"}"#;
    let folder = Folder::new([
        ("111111111111/roles/a-trust.json", TRUST),
        ("export/get-caller-identity.json", caller),
        ("export/b-trust.json", TRUST),
        ("export/bucket-policy.json", BUCKET),
        ("roles/333333333333/trust-policy.json", TRUST),
    ]);
    let mut estate = folder.estate();
    let account = |estate: &Estate, name: &str| role(estate, name).account.map(|account| account.to_string());
    assert_eq!(account(&estate, "a").as_deref(), Some("111111111111"));
    assert_eq!(account(&estate, "b").as_deref(), Some("222222222222"));
    assert_eq!(account(&estate, "333333333333"), None, "a role that is called like an account");
    assert_eq!(bucket(&estate, "logs").account.present().unwrap().as_str(), "222222222222");
    estate.settle(AccountId::parse("444444444444").unwrap());
    assert_eq!(account(&estate, "333333333333").as_deref(), Some("444444444444"));
    assert_eq!(account(&estate, "a").as_deref(), Some("111111111111"));
}

#[test]
fn a_folder_of_one_role_names_it() {
    let folder = Folder::new([
        ("reader/trust-policy.json", TRUST),
        ("reader/permissions.json", ACCESS),
        ("roles/writer/trust.json", TRUST),
        ("roles/writer/s3.json", ACCESS),
        ("roles/flat.json", TRUST),
        ("policies/trust.json", TRUST),
        ("policies/access.json", ACCESS),
        ("policies/other.json", ACCESS),
        ("mixed/trust.json", TRUST),
        ("mixed/access.json", ACCESS),
        ("mixed/bucket-policy.json", BUCKET),
        ("two/trust.json", TRUST),
        ("two/trust-policy.json", OTHER_TRUST),
        ("two/access.json", ACCESS),
    ]);
    let estate = folder.estate();
    assert_eq!(
        roles(&estate),
        [
            "flat: present, ?",
            "mixed/trust.json: present, -",
            "policies/trust.json: present, -",
            "reader: present, -",
            "two/trust-policy.json: present, ?",
            "two/trust.json: present, ?",
            "writer: present, s3",
        ]
    );
    assert_eq!(
        alone(&estate),
        [(PolicyKind::Identity, "policies/other.json"), (PolicyKind::Identity, "two/access.json")]
    );
    assert_eq!(role(&estate, "mixed/trust.json").named_by, NamedBy::Nothing);
}

#[test]
fn trust_policies_that_nothing_names_are_roles_by_themselves() {
    let folder = Folder::new([("one.json", TRUST), ("two.json", TRUST), ("three.json", ACCESS)]);
    let mut estate = folder.estate();
    estate.settle(AccountId::parse("111111111111").unwrap());
    assert_eq!(roles(&estate), ["one.json: present, ?", "two.json: present, ?"]);
    assert!(estate.roles.iter().all(|role| role.arn().is_none()));
    assert_eq!((alone(&estate), named(&estate)), (vec![(PolicyKind::Identity, "three.json")], vec![]));
}

#[test]
fn answers_without_a_name_are_about_the_one_thing_their_folder_names() {
    let folder = Folder::new([
        ("a/policy.json", BUCKET),
        ("a/get-bucket-acl.json", ACL),
        ("b/policy.json", BUCKET),
        ("b/policy-of-another.json", &BUCKET.replace(":::logs", ":::other")),
        ("b/get-bucket-acl.json", ACL),
    ]);
    let estate = folder.estate();
    assert_eq!(names(&estate), ["b/get-bucket-acl.json", "logs", "other"]);
    assert_eq!(state(&bucket(&estate, "logs").acl), "present");
    assert_eq!(state(&bucket(&estate, "other").acl), "not in the inputs");
    assert_eq!(
        named(&estate),
        ["`a/get-bucket-acl.json` is taken to be about bucket `logs`, which other documents in its folder name"]
    );
}

#[test]
fn a_file_name_names_a_bucket_where_there_is_one_reading() {
    let folder = Folder::new([
        ("x/archive-acl.json", ACL),
        ("x/get-bucket-acl-other.json", ACL),
        ("x/trail-logs-bucket-acl.json", ACL),
        ("y/trail-logs-bucket-acl.json", &ACL.replace("READ", "WRITE")),
        ("z/policy.json", &BUCKET.replace(":::logs", ":::trail-logs")),
        ("w/big-logs-bucket-acl.json", ACL),
    ]);
    let estate = folder.estate();
    assert_eq!(names(&estate), ["archive", "other", "trail-logs", "w/big-logs-bucket-acl.json"]);
    assert_eq!(state(&bucket(&estate, "trail-logs").acl), "the inputs contradict each other");
    assert_eq!(bucket(&estate, "archive").named_by, NamedBy::File);
    assert_eq!(bucket(&estate, "trail-logs").named_by, NamedBy::Input);
}

#[test]
fn a_policy_of_two_buckets_is_about_the_one_that_a_name_says() {
    let two = BUCKET.replace("\"arn:aws:s3:::logs/*\"", r#"["arn:aws:s3:::logs/*","arn:aws:s3:::archive"]"#);
    let folder = Folder::new([
        ("archive/policy.json", two.as_str()),
        ("archive/get-bucket-acl.json", ACL),
        ("x/logs-bucket-policy.json", two.as_str()),
        ("y/policy.json", two.as_str()),
    ]);
    let estate = folder.estate();
    assert_eq!(names(&estate), ["archive", "logs", "y/policy.json"]);
    assert_eq!(state(&bucket(&estate, "archive").acl), "present");
    assert_eq!(bucket(&estate, "y/policy.json").arn(), None);
}

#[test]
fn a_snapshots_folder_goes_before_the_document_in_it() {
    let folder = Folder::new([
        ("111111111111/s3/archive/policy.json", format!("{{\"Policy\":{}}}", string(BUCKET)).as_str()),
        ("111111111111/s3/archive/acl.json", ACL),
        ("111111111111/s3/archive/public-access-block.json", r#"{"$absent":"NoSuchPublicAccessBlockConfiguration"}"#),
        ("111111111111/s3/archive/encryption.json", r#"{"$unknown":"AccessDenied: not allowed"}"#),
        (
            "111111111111/s3control/public-access-block.json",
            r#"{"PublicAccessBlockConfiguration":{"BlockPublicAcls":true}}"#,
        ),
    ]);
    let estate = folder.estate();
    assert_eq!(names(&estate), ["archive"]);
    let archive = bucket(&estate, "archive");
    assert_eq!((archive.named_by, archive.account.present().unwrap().as_str()), (NamedBy::Input, "111111111111"));
    assert_eq!(
        [state(&archive.policy), state(&archive.acl), state(&archive.block_public_access), state(&archive.encryption)],
        ["present", "present", "absent", "AccessDenied: not allowed"]
    );
    let account = &estate.accounts[&AccountId::parse("111111111111").unwrap()];
    let settings = account.block_public_access.present().unwrap();
    assert!(settings.block_public_acls && !settings.restrict_public_buckets);
    assert_eq!(named(&estate), [""; 0]);
}

#[test]
fn the_same_fact_twice_is_one_fact_in_whatever_encoding() {
    let answer = format!("{{\"Policy\":{}}}", string(&BUCKET.replace(',', ", ")));
    let folder =
        Folder::new([("a/policy.json", BUCKET), ("b/get-bucket-policy.json", &answer), ("b/get-bucket-acl.json", ACL)]);
    let estate = folder.estate();
    let logs = bucket(&estate, "logs");
    assert_eq!((state(&logs.policy), state(&logs.acl)), ("present", "present"));
    assert_eq!(estate.sources.name(logs.policy.span().unwrap().source), "a/policy.json");
    assert!(estate.gaps.is_empty() && estate.documents.is_empty());
}

#[test]
fn an_answer_goes_before_a_refusal_and_contradicts_an_absence() {
    let refused = "An error occurred (AccessDenied) when calling the GetBucketPolicy operation: Access Denied";
    let absent = "\nAn error occurred (NoSuchBucketPolicy) when calling the GetBucketPolicy operation: none\n";
    let folder = Folder::new([
        ("a/policy.json", BUCKET),
        ("s3/logs/policy.json", refused),
        ("s3/empty/policy.json", absent),
        ("s3/closed/policy.json", refused),
        ("c/policy.json", &BUCKET.replace(":::logs", ":::torn")),
        ("s3/torn/policy.json", absent),
    ]);
    let estate = folder.estate();
    let policy = |name: &str| state(&bucket(&estate, name).policy).to_owned();
    assert_eq!(policy("logs"), "present");
    assert_eq!(policy("empty"), "absent");
    assert_eq!(policy("closed"), "AccessDenied: Access Denied");
    assert_eq!(policy("torn"), "the inputs contradict each other");
    let Known::Unknown(gap) = &bucket(&estate, "closed").policy else { panic!() };
    assert_eq!(estate.sources.slice(gap.places[0]), refused);
    assert_eq!(alone(&estate), [(PolicyKind::Bucket, "c/policy.json")]);
}

#[test]
fn key_answers_join_by_id_by_folder_and_never_across_accounts() {
    let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    let arn = format!("arn:aws:kms:eu-west-1:111111111111:key/{id}");
    let describe =
        format!(r#"{{"KeyMetadata":{{"KeyId":"{id}","Arn":"{arn}","KeyManager":"CUSTOMER","KeyState":"Enabled"}}}}"#);
    let rotation = format!(r#"{{"KeyRotationEnabled":true,"KeyId":"{id}"}}"#);
    let aliases = format!(
        r#"{{"Aliases":[{{"AliasName":"alias/a","AliasArn":"arn:aws:kms:eu-west-1:111111111111:alias/a","TargetKeyId":"{id}"}},
            {{"AliasName":"alias/aws/s3","AliasArn":"arn:aws:kms:eu-west-1:111111111111:alias/aws/s3","TargetKeyId":"99999999-12ab-34cd-56ef-1234567890ab"}}]}}"#
    );
    let other = KEY.replace("111111111111", "222222222222");
    let folder = Folder::new([
        ("k/describe-key.json", describe.as_str()),
        ("k/key-policy.json", KEY),
        ("k/list-grants.json", r#"{"Grants":[]}"#),
        ("elsewhere/rotation.json", &rotation),
        ("elsewhere/list-aliases.json", &aliases),
        ("k/vendor-key-policy.json", &other),
        (&format!("flat/{id}-policy.json"), KEY),
    ]);
    let estate = folder.estate();
    let keys: Vec<_> = estate.keys.iter().map(|k| (k.name.as_str(), k.account.map(|a| a.to_string()))).collect();
    let second = "arn:aws:kms:eu-west-1:111111111111:key/99999999-12ab-34cd-56ef-1234567890ab";
    let own = Some("111111111111".to_owned());
    assert_eq!(
        keys,
        [("k/vendor-key-policy.json", Some("222222222222".to_owned())), (arn.as_str(), own.clone()), (second, own)]
    );
    let key = &estate.keys[1];
    let facts =
        [state(&key.policy), state(&key.metadata), state(&key.rotation), state(&key.grants), state(&key.aliases)];
    assert_eq!(facts, ["present"; 5]);
    assert_eq!(key.aliases.present().unwrap()[0].value, "alias/a");
}

#[test]
fn trails_are_listed_once_and_their_status_finds_them() {
    let trail = |name: &str, account: &str| {
        format!(
            r#"{{"Name":"{name}","S3BucketName":"logs","TrailARN":"arn:aws:cloudtrail:us-east-1:{account}:trail/{name}","HomeRegion":"us-east-1","IsOrganizationTrail":true}}"#
        )
    };
    let (org, own) = (trail("org", "111111111111"), trail("own", "222222222222"));
    let status = |logging: bool| format!("{{\"IsLogging\":{logging}}}");
    let folder = Folder::new([
        ("111111111111/cloudtrail/us-east-1/trails.json", format!("{{\"trailList\":[{org}]}}").as_str()),
        ("222222222222/cloudtrail/us-east-1/trails.json", &format!("{{\"trailList\":[{org},{own}]}}")),
        ("222222222222/cloudtrail/eu-west-1/trails.json", &format!("{{\"trailList\":[{own},{org}]}}")),
        ("222222222222/cloudtrail/us-east-1/own/status.json", &status(false)),
        ("222222222222/cloudtrail/eu-west-1/org/status.json", &status(true)),
        ("flat/describe-trails.json", &format!("{{\"trailList\":[{org},{own}]}}")),
        ("flat/org-get-trail-status.json", &status(true)),
        ("flat/get-trail-status.json", &status(true)),
    ]);
    let estate = folder.estate();
    let trails: Vec<(&str, bool)> = estate
        .trails
        .iter()
        .map(|t| (t.name.as_str(), t.status.present().unwrap().is_logging.unwrap().value))
        .collect();
    assert_eq!(trails, [("org", true), ("own", false)]);
    let [gap] = &estate.gaps[..] else { panic!("{:?}", estate.gaps) };
    assert_eq!(estate.sources.name(gap.places[0].source), "flat/get-trail-status.json");
}

#[test]
fn answers_about_one_role_come_together() {
    let role_answer = r#"{"Role":{"RoleName":"r","Path":"/a/","Arn":"arn:aws:iam::111111111111:role/a/r","RoleId":"AROA","AssumeRolePolicyDocument":{"Statement":[]}}}"#;
    let policy = |name: &str| format!(r#"{{"RoleName":"r","PolicyName":"{name}","PolicyDocument":{ACCESS}}}"#);
    let attached =
        r#"{"AttachedPolicies":[{"PolicyName":"Extra","PolicyArn":"arn:aws:iam::111111111111:policy/Extra"}]}"#;
    let version = format!(r#"{{"PolicyVersion":{{"Document":{ACCESS},"VersionId":"v2","IsDefaultVersion":true}}}}"#);
    let old = format!(r#"{{"PolicyVersion":{{"Document":{ACCESS},"VersionId":"v1","IsDefaultVersion":false}}}}"#);
    let folder = Folder::new([
        ("x/get-role.json", role_answer),
        ("x/list-role-policies.json", r#"{"PolicyNames":["p","q","s"]}"#),
        ("x/get-role-policy-p.json", policy("p").as_str()),
        ("x/q.json", ACCESS),
        ("x/list-attached-role-policies.json", attached),
        ("x/Extra-v2.json", &version),
        ("x/Extra-v1.json", &old),
    ]);
    let estate = folder.estate();
    let r = role(&estate, "r");
    assert_eq!(r.arn().as_deref(), Some("arn:aws:iam::111111111111:role/a/r"));
    let inline: Vec<(Option<&str>, &str)> = r
        .permissions
        .inline
        .present()
        .unwrap()
        .iter()
        .map(|policy| (policy.name.as_deref(), state(&policy.document)))
        .collect();
    let unread = "its name is listed and its text is not in the inputs";
    assert_eq!(inline, [(Some("p"), "present"), (Some("q"), "present"), (Some("s"), unread)]);
    assert_eq!((state(&r.permissions.attached), state(&r.permissions.boundary)), ("present", "absent"));
    let [extra] = &estate.managed_policies[..] else { panic!("{:?}", estate.managed_policies) };
    assert_eq!(
        (extra.arn.as_deref(), state(&extra.document)),
        (Some("arn:aws:iam::111111111111:policy/Extra"), "present")
    );
    assert_eq!(estate.gaps, []);
}

#[test]
fn a_boundary_is_never_taken_for_permissions() {
    let folder = Folder::new([
        ("r-trust.json", TRUST),
        ("r-permissions-boundary.json", ACCESS),
        ("boundaries/b.json", ACCESS),
        ("scps/s.json", ACCESS),
        ("root-rcp.json", BUCKET),
    ]);
    let estate = folder.estate();
    let r = role(&estate, "r");
    assert!(r.permissions.boundary_document.is_some() && r.permissions.inline.is_unknown());
    assert_eq!(alone(&estate), [(PolicyKind::Boundary, "boundaries/b.json")]);
    let policies: Vec<_> = estate.organization.policies.iter().map(|p| (p.name.as_str(), p.kind)).collect();
    use trailproof::estate::OrganizationPolicyKind::{Rcp, Scp};
    assert_eq!(policies, [("root-rcp.json", Rcp), ("scps/s.json", Scp)]);
}

#[test]
fn inline_policies_that_do_not_fit_a_whole_list_are_a_contradiction() {
    let details = format!(
        r#"{{"RoleDetailList":[{{"RoleName":"r","Arn":"arn:aws:iam::111111111111:role/r","AssumeRolePolicyDocument":{TRUST},
            "RolePolicyList":[{{"PolicyName":"p","PolicyDocument":{ACCESS}}}],"AttachedManagedPolicies":[]}}]}}"#
    );
    let same = Folder::new([("details.json", details.as_str()), ("r-trust.json", TRUST), ("r-access.json", ACCESS)]);
    let estate = same.estate();
    assert_eq!((roles(&estate), estate.documents.len()), (vec!["r: present, p".to_owned()], 0));
    let other = ACCESS.replace("GetObject", "PutObject");
    let torn = Folder::new([("details.json", details.as_str()), ("r-access.json", &other)]);
    let estate = torn.estate();
    assert_eq!(state(&role(&estate, "r").permissions.inline), "the inputs contradict each other");
    assert_eq!(estate.documents.len(), 2);
    let draft = Folder::new([("details.json", details.as_str()), ("draft.json", &other), ("new.json", OTHER_TRUST)]);
    let estate = draft.estate();
    assert_eq!(roles(&estate), ["new.json: present, ?", "r: present, p"], "a list of one is still a list");
    assert_eq!(alone(&estate), [(PolicyKind::Identity, "draft.json")]);
}

#[test]
fn a_command_is_no_name_of_a_role() {
    let role = format!(
        r#"{{"Role":{{"RoleName":"r","Arn":"arn:aws:iam::111111111111:role/r","AssumeRolePolicyDocument":{TRUST}}}}}"#
    );
    let estate = Folder::new([
        ("roles/get-role.json", role.as_str()),
        ("roles/get-role-policy.json", ACCESS),
        ("roles/list-role-policies.json", r#"["p"]"#),
        ("roles/list-attached-role-policies.json", r#"{"AttachedPolicies":[]}"#),
    ])
    .estate();
    assert_eq!(roles(&estate), ["r: present, p"]);
    assert_eq!(state(&estate.roles[0].permissions.attached), "present");
    let estate = Folder::new([("roles/get-role.json", TRUST)]).estate();
    assert_eq!(roles(&estate), ["roles/get-role.json: present, ?"], "nothing names it");
}

#[test]
fn a_list_of_names_fits_the_texts_of_those_names() {
    let details = |role: &str, list: &str| {
        format!(
            r#"{{"RoleDetailList":[{{"RoleName":"{role}","Arn":"arn:aws:iam::111111111111:role/{role}","AssumeRolePolicyDocument":{TRUST},
            "RolePolicyList":[{list}],"AttachedManagedPolicies":[]}}]}}"#
        )
    };
    let with = details("r", &format!(r#"{{"PolicyName":"p","PolicyDocument":{ACCESS}}}"#));
    for names in [r#"{"PolicyNames":["p"]}"#, r#"["p"]"#] {
        let files = [("details.json", with.as_str()), ("list-role-policies-r.json", names)];
        let estate = Folder::new(files).estate();
        assert_eq!(roles(&estate), ["r: present, p"], "{names}");
        assert!(role(&estate, "r").permissions.inline.present().unwrap()[0].document.present().is_some());
    }
    // Whichever is read first.
    let later = Folder::new([
        ("a/list-role-policies-r.json", r#"{"PolicyNames":["p"]}"#),
        ("b.json", with.as_str()),
        (
            "a/get-caller-identity.json",
            r#"{"UserId":"x","Account":"111111111111","Arn":"arn:aws:iam::111111111111:user/x"}"#,
        ),
    ]);
    let estate = later.estate();
    assert!(role(&estate, "r").permissions.inline.present().unwrap()[0].document.present().is_some());
    for names in [r#"{"PolicyNames":["p","q"]}"#, r#"{"PolicyNames":["q"]}"#, r#"{"PolicyNames":[]}"#] {
        let estate = Folder::new([("details.json", with.as_str()), ("list-role-policies-r.json", names)]).estate();
        assert_eq!(state(&role(&estate, "r").permissions.inline), "the inputs contradict each other", "{names}");
    }
}

#[test]
fn an_identity_is_told_by_account_folder_or_file() {
    let account = AccountId::parse("111111111111").unwrap();
    assert_ne!(Identity::Account(account, "r".into()), Identity::Folder(0, "r".into()));
    assert_ne!(Identity::Folder(0, "r".into()), Identity::Folder(1, "r".into()));
}

#[test]
fn answers_about_one_user_or_group_come_together() {
    let described = |key: &str, kind: &str| {
        let name = format!(r#""{key}Name":"x","{key}Id":"A","Arn":"arn:aws:iam::111111111111:{kind}/p/x""#);
        let members = r#""Users":[{"UserName":"ann","UserId":"AIDA","Arn":"arn:aws:iam::111111111111:user/ann"}]"#;
        format!(r#"{{"{key}":{{{name}}},{members}}}"#)
    };
    let policy = |key: &str| format!(r#"{{"{key}Name":"x","PolicyName":"s3","PolicyDocument":{ACCESS}}}"#);
    let (user, group) =
        (described("User", "user").replace(r#","Users":["#, r#","Other":["#), described("Group", "group"));
    let estate = Folder::new([
        ("get-user.json", user.as_str()),
        ("get-user-policy.json", &policy("User")),
        ("get-group.json", &group),
        ("get-group-policy.json", &policy("Group")),
    ])
    .estate();
    let [ann, x] = &estate.users[..] else { panic!("{:?}", estate.users) };
    assert_eq!(ann.name, "ann", "a member of the group");
    assert_eq!(
        (x.arn.as_deref(), state(&x.permissions.inline)),
        (Some("arn:aws:iam::111111111111:user/p/x"), "present")
    );
    let [group] = &estate.groups[..] else { panic!("{:?}", estate.groups) };
    assert_eq!(group.arn.as_deref(), Some("arn:aws:iam::111111111111:group/p/x"));
    assert_eq!((state(&group.permissions.inline), state(&group.permissions.boundary)), ("present", "absent"));
}
