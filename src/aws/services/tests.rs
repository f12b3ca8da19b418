use super::*;

fn names<'a>(actions: impl Iterator<Item = &'a Action>) -> Vec<&'static str> {
    actions.map(|action| action.name).collect()
}

/// The actions of the pattern that apply to the resource.
fn expansion(pattern: &str, resource: &str) -> Vec<&'static str> {
    names(expand(pattern).filter(|action| action.applies_to(resource) == Applies::Yes))
}

#[test]
fn every_line_of_the_table_is_read() {
    let lines = |kind: &str| SERVICES.lines().filter(|line| line.starts_with(kind)).count();
    assert_eq!(services().len(), lines("service "));
    assert_eq!(services().iter().map(|s| s.actions.len()).sum::<usize>(), lines("action "));
    assert_eq!(services().iter().map(|s| s.resource_types.len()).sum::<usize>(), lines("type "));
    assert_eq!(services().iter().map(|s| s.keys.len()).sum::<usize>(), lines("key "));
}

#[test]
fn every_key_word_names_a_key() {
    for action in services().iter().flat_map(|s| &s.actions) {
        for word in action.key_words() {
            let known = key::of_word(action.service, word).unwrap_or_else(|| panic!("{action}: {word}"));
            assert!(condition_key(known.name).is_some(), "{action}: {word}");
        }
        for word in action.words.split(' ').filter_map(|word| word.strip_prefix('-')) {
            assert!(action.common.split(' ').any(|common| common == word), "{action}: {word}");
        }
    }
}

#[test]
fn tables_are_in_the_order_that_lookups_need() {
    let sorted = |names: &[&str]| names.windows(2).all(|pair| order_ignoring_case(pair[0], pair[1]).is_lt());
    assert!(sorted(prefixes()));
    for service in services() {
        assert!(sorted(&names(service.actions.iter())), "{}", service.prefix);
    }
}

#[test]
fn the_data_version_is_a_month() {
    let (year, month) = DATA_VERSION.split_once('-').unwrap();
    assert!((2026..2100).contains(&year.parse::<u16>().unwrap()), "{DATA_VERSION}");
    assert!((1..=12).contains(&month.parse::<u8>().unwrap()) && month.len() == 2, "{DATA_VERSION}");
}

#[test]
fn services_and_actions_are_found_in_any_case() {
    assert_eq!(service("S3").map(Service::prefix), Some("s3"));
    assert_eq!(
        service("s3").and_then(|s| s.action("GETobject")).map(ToString::to_string).as_deref(),
        Some("s3:GetObject")
    );
    assert_eq!(action("KMS:decrypt").map(ToString::to_string).as_deref(), Some("kms:Decrypt"));
    assert!(service("ec2").is_none());
    assert!(action("s3:GetObjects").is_none());
    assert!(action("GetObject").is_none());
    for service in services() {
        for action in service.actions() {
            assert_eq!(service.action(&action.name.to_uppercase()).map(|found| found.name), Some(action.name));
        }
    }
}

#[test]
fn prefixes_of_services_that_are_not_loaded_are_known() {
    assert!(is_known_prefix("ec2") && is_known_prefix("S3") && is_known_prefix("cloudtrail-data"));
    assert!(!is_known_prefix("s4") && !is_known_prefix("") && !is_known_prefix("# Source"));
    for service in services() {
        assert!(is_known_prefix(service.prefix), "{}", service.prefix);
    }
}

#[test]
fn access_levels_and_resource_types_are_those_of_the_reference() {
    let of = |name: &str| {
        let found = action(name).unwrap();
        let types: Vec<_> = found.resource_types.iter().map(|u| (u.resource_type.name, u.required)).collect();
        (found.access, types)
    };
    assert_eq!(of("s3:GetObject"), (Access::Read, vec![("accesspointobject", false), ("object", false)]));
    assert_eq!(of("s3:ListBucket"), (Access::List, vec![("accesspoint", false), ("bucket", false)]));
    assert_eq!(of("s3:PutBucketPolicy"), (Access::PermissionsManagement, vec![("bucket", true)]));
    assert_eq!(of("s3:PutObjectTagging").0, Access::Tagging);
    assert_eq!(of("s3:ListAllMyBuckets"), (Access::List, vec![]));
    assert_eq!(of("kms:Decrypt"), (Access::Write, vec![("key", true)]));
    assert_eq!(of("kms:CreateAlias"), (Access::Write, vec![("alias", true), ("key", true)]));
    assert_eq!(of("sts:AssumeRole"), (Access::Write, vec![("role", true)]));
    assert!(!action("s3:ListAllMyBuckets").unwrap().takes_resource());
    assert!(action("s3:GetObject").unwrap().takes_resource());
}

#[test]
fn what_the_sample_wildcards_of_the_cloudtrail_guide_give() {
    assert_eq!(
        expansion("s3:Get*", "arn:aws:s3:::b/*"),
        [
            "GetObject",
            "GetObjectAcl",
            "GetObjectAnnotation",
            "GetObjectAttributes",
            "GetObjectLegalHold",
            "GetObjectRetention",
            "GetObjectTagging",
            "GetObjectTorrent",
            "GetObjectVersion",
            "GetObjectVersionAcl",
            "GetObjectVersionAnnotation",
            "GetObjectVersionAnnotationForReplication",
            "GetObjectVersionAttributes",
            "GetObjectVersionForReplication",
            "GetObjectVersionTagging",
            "GetObjectVersionTorrent",
        ]
    );
    assert_eq!(
        expansion("s3:Get*", "arn:aws:s3:::b"),
        [
            "GetAccelerateConfiguration",
            "GetAnalyticsConfiguration",
            "GetBucketAbac",
            "GetBucketAcl",
            "GetBucketCORS",
            "GetBucketLocation",
            "GetBucketLogging",
            "GetBucketMetadataTableConfiguration",
            "GetBucketNotification",
            "GetBucketObjectLockConfiguration",
            "GetBucketOwnershipControls",
            "GetBucketPolicy",
            "GetBucketPolicyStatus",
            "GetBucketPublicAccessBlock",
            "GetBucketRequestPayment",
            "GetBucketTagging",
            "GetBucketVersioning",
            "GetBucketWebsite",
            "GetEncryptionConfiguration",
            "GetIntelligentTieringConfiguration",
            "GetInventoryConfiguration",
            "GetLifecycleConfiguration",
            "GetMetricsConfiguration",
            "GetReplicationConfiguration",
        ]
    );
    assert_eq!(
        expansion("s3:List*", "arn:aws:s3:::b/*"),
        ["ListMultipartUploadParts", "ListObjectAnnotations", "ListObjectVersionAnnotations"]
    );
    assert_eq!(
        expansion("s3:List*", "arn:aws:s3:::b"),
        ["ListBucket", "ListBucketMultipartUploads", "ListBucketVersions", "ListTagsForResource"]
    );
}

#[test]
fn patterns_cover_names_in_any_case_and_place() {
    assert_eq!(names(expand("S3:getobject")), ["GetObject"]);
    assert_eq!(names(expand("kms:GenerateDataKey*")).len(), 4);
    assert_eq!(names(expand("s3:*Buckets?")), Vec::<&str>::new());
    assert_eq!(names(expand("s3:?istBucket")), ["ListBucket"]);
    assert_eq!(names(expand("s3:Get*Acl")), ["GetBucketAcl", "GetObjectAcl", "GetObjectVersionAcl"]);
    assert_eq!(names(expand("sts:*")), names(service("sts").unwrap().actions().iter()));
    let all: usize = services().iter().map(|s| s.actions.len()).sum();
    for everything in ["*", "**", "*:*", "*:**"] {
        assert_eq!(expand(everything).count(), all, "{everything}");
    }
    let get_object: Vec<_> = expand("s3*:GetObject").map(ToString::to_string).collect();
    assert_eq!(get_object, ["s3:GetObject", "s3-object-lambda:GetObject"]);
    assert_eq!(expand("ec2:*").count() + expand("").count() + expand("s3").count() + expand("GetObject").count(), 0);
}

#[test]
fn coverage_tells_whether_an_expansion_is_complete() {
    for (pattern, expected) in [
        ("s3:Get*", Coverage::Full),
        ("S3:NoSuchAction", Coverage::Full),
        ("kms:*", Coverage::Full),
        ("s3-object-lambda*:*", Coverage::Full),
        ("*", Coverage::Partial),
        ("*:*", Coverage::Partial),
        ("s3*:Get*", Coverage::Partial),
        ("s3*", Coverage::Partial),
        ("ec2:Describe*", Coverage::NotLoaded),
        ("ec?:Describe*", Coverage::NotLoaded),
        ("s4:Get*", Coverage::UnknownService),
        ("s3", Coverage::UnknownService),
        ("", Coverage::UnknownService),
    ] {
        assert_eq!(coverage(pattern), expected, "{pattern}");
    }
}

#[test]
fn actions_support_their_own_keys_and_those_of_their_resource_types() {
    for (name, key, expected) in [
        ("s3:ListBucket", "s3:prefix", true),
        ("s3:ListBucket", "S3:Prefix", true),
        ("s3:GetObject", "s3:prefix", false),
        ("s3:GetObject", "s3:ExistingObjectTag/team", true),
        ("s3:GetObject", "s3:ExistingObjectTag/", false),
        ("s3:GetObject", "s3:DataAccessPointAccount", true),
        ("s3:GetObject", "s3:TlsVersion", true),
        ("s3:InitiateReplication", "s3:TlsVersion", false),
        ("s3:InitiateReplication", "s3:ResourceAccount", true),
        ("s3:GetObject", "s3:versionid", false),
        ("s3:GetObjectVersion", "s3:VersionId", true),
        ("s3:PutObject", "s3:x-amz-acl", true),
        ("kms:Decrypt", "kms:EncryptionContext:aws:cloudtrail:arn", true),
        ("kms:Decrypt", "kms:ViaService", true),
        ("kms:Decrypt", "kms:ResourceAliases", true),
        ("kms:DescribeKey", "kms:EncryptionContext:aws:cloudtrail:arn", false),
        ("kms:CreateGrant", "kms:GrantIsForAWSResource", true),
        ("sts:AssumeRole", "sts:ExternalId", true),
        ("sts:AssumeRole", "iam:ResourceTag/team", true),
        ("sts:AssumeRole", "aws:RequestTag/team", true),
        ("sts:AssumeRole", "aws:PrincipalOrgID", false),
        ("sts:AssumeRole", "kms:ViaService", false),
        ("sts:AssumeRoleWithWebIdentity", "oidc.example.com/id/A:sub", true),
        ("sts:AssumeRoleWithWebIdentity", "token.actions.githubusercontent.com:repository", true),
        ("sts:AssumeRole", "oidc.example.com/id/A:sub", false),
    ] {
        assert_eq!(action(name).unwrap().supports_key(key), expected, "{name}, {key}");
    }
}

#[test]
fn the_keys_of_an_action_are_listed_once_by_name() {
    let keys: Vec<_> = action("s3:GetObjectVersion").unwrap().condition_keys().iter().map(|known| known.name).collect();
    assert_eq!(
        keys,
        [
            "aws:ResourceTag/${TagKey}",
            "s3:AccessGrantsInstanceArn",
            "s3:AccessPointNetworkOrigin",
            "s3:AccessPointTag/${TagKey}",
            "s3:BucketTag/${TagKey}",
            "s3:DataAccessPointAccount",
            "s3:DataAccessPointArn",
            "s3:ExistingObjectTag/<key>",
            "s3:ResourceAccount",
            "s3:TlsVersion",
            "s3:authType",
            "s3:signatureAge",
            "s3:signatureversion",
            "s3:versionid",
            "s3:x-amz-content-sha256",
        ]
    );
}

#[test]
fn wildcards_match_as_their_definition_says() {
    fn by_definition(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', p @ ..], _) => {
                by_definition(p, text) || text.split_first().is_some_and(|(_, t)| by_definition(pattern, t))
            }
            ([b'?', p @ ..], [_, t @ ..]) => by_definition(p, t),
            ([a, p @ ..], [b, t @ ..]) => a.eq_ignore_ascii_case(b) && by_definition(p, t),
            _ => false,
        }
    }
    fn all(alphabet: &[u8], length: u32) -> Vec<Vec<u8>> {
        let base = alphabet.len();
        (0..=length)
            .flat_map(|n| (0..base.pow(n)).map(move |i| (i, n)))
            .map(|(i, n)| (0..n).map(|k| alphabet[i / base.pow(k) % base]).collect())
            .collect()
    }
    let texts = all(b"Ab:", 5);
    for pattern in all(b"aB*?", 5) {
        let written = std::str::from_utf8(&pattern).unwrap();
        for text in &texts {
            let expected = by_definition(&pattern, text);
            assert_eq!(wildcard_matches(written, text.iter().copied()), expected, "{written} on {text:?}");
        }
    }
}
