use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::access::evaluate::{decide, explain};
use crate::access::read::{Encryption, Read};
use crate::access::request::{Caller, Otherwise};
use crate::estate::read_policy;
use crate::finding::Decision;
use crate::policy::PolicyKind;
use crate::syntax::json::Tape;
use crate::text::embedded::Place;
use crate::text::{SourceId, Span, Spanned};

const KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";

const CALLERS: [&str; 6] = [
    "arn:aws:sts::111111111111:assumed-role/RB/s1",
    "111111111111",
    "arn:aws:iam::222222222222:role/Reader",
    "arn:aws:iam::222222222222:user/u",
    "cloudtrail.amazonaws.com",
    "anonymous",
];

const STATEMENTS: [&str; 8] = [
    r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}"#,
    r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/RB"},"Action":"kms:Decrypt","Resource":"*"}"#,
    r#"{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"kms:Decrypt","Resource":"*"}"#,
    r#"{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"222222222222"}}}"#,
    r#"{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"kms:*","Resource":"*"}"#,
    r#"{"Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}"#,
    r#"{"Effect":"Deny","Principal":{"AWS":"222222222222"},"Action":"kms:Decrypt","Resource":"*"}"#,
    r#"{"Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{"Null":{"kms:EncryptionContext:aws:cloudtrail:arn":"true"}}}"#,
];

fn policy(statements: &[&str], kind: PolicyKind) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    let mut tape = Tape::new();
    read_policy(tape.read(&text, &Place::direct(SourceId::new(0), 0)).unwrap(), kind).unwrap()
}

#[derive(Debug, Clone)]
struct Scene {
    caller: &'static str,
    identity: bool,
    bounded: bool,
    manager: Option<KeyManager>,
    state: Option<&'static str>,
    grants: Option<Vec<Grant>>,
    trail: bool,
}

impl Scene {
    fn with<T>(&self, statements: &[&str], ask: impl FnOnce(&Read<'_>) -> T) -> T {
        let key = policy(statements, PolicyKind::Key);
        let identity = r#"{"Effect":"Allow","Action":["s3:GetObject","kms:Decrypt"],"Resource":"*"}"#;
        let identity = policy(&[identity], PolicyKind::Identity);
        let boundary = policy(&[r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#], PolicyKind::Boundary);
        let bucket = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}"#;
        let bucket = policy(&[bucket], PolicyKind::Bucket);
        let (key, identity, boundary, bucket) = ([&key], [&identity], [&boundary], [&bucket]);
        let facts = KeyFacts { manager: self.manager, state: self.state, grants: self.grants.as_deref() };
        let policies = Policies {
            identity: if self.identity { Side::Policies(&identity) } else { Side::None },
            boundary: if self.bounded { Side::Policies(&boundary) } else { Side::None },
            resource: Side::Policies(&bucket),
            ..Policies::default()
        };
        let caller = Caller::parse(self.caller).unwrap();
        let request = Request::new(caller, "s3:GetObject", "arn:aws:s3:::b/k", AccountId::parse("111111111111"));
        let mut under = ObjectKey::new(KEY);
        if self.trail {
            under.trail = Given::Values(vec!["arn:aws:cloudtrail:us-east-1:111111111111:trail/t".into()]);
        }
        let decrypt = under.decrypt(&request);
        let side = if statements.is_empty() { Side::None } else { Side::Policies(&key) };
        let of_key = decrypt_policies(&policies, side, &[], &facts);
        let encryption = Encryption::Kms { request: &decrypt, policies: &of_key };
        ask(&Read { request: &request, policies: &policies, encryption })
    }

    fn decide(&self, statements: &[&str]) -> Decision {
        self.with(statements, |read| read.decide())
    }

    fn rank(&self, statements: &[&str]) -> u8 {
        match self.decide(statements) {
            Decision::Allowed => 2,
            Decision::Conditional => 1,
            Decision::ImplicitDeny | Decision::ExplicitDeny => 0,
        }
    }
}

fn grant() -> impl Strategy<Value = Grant> {
    let grantees = [
        "arn:aws:iam::111111111111:role/RB",
        "arn:aws:iam::222222222222:root",
        "arn:aws:iam::222222222222:user/u",
        "cloudtrail.amazonaws.com",
        "AROAEXAMPLEID123456789",
    ];
    let constraints = [
        GrantConstraints::default(),
        GrantConstraints { other: Some("SourceWeather".into()), ..GrantConstraints::default() },
        GrantConstraints {
            encryption_context_subset: Some(vec![("aws:s3:arn".into(), "arn:aws:s3:::b/k".into())]),
            ..GrantConstraints::default()
        },
    ];
    let span = Span::new(SourceId::new(0), 0, 0);
    let grantee = prop::option::weighted(0.9, select(grantees.to_vec()));
    (grantee, select(vec!["Decrypt", "Encrypt"]), select(constraints.to_vec())).prop_map(
        move |(grantee, operation, constraints)| Grant {
            id: "g".into(),
            grantee: grantee.map(|name| Spanned { value: name.into(), span }),
            operations: vec![operation.into()],
            constraints,
            span,
        },
    )
}

fn scene() -> impl Strategy<Value = Scene> {
    (
        select(&CALLERS[..]),
        any::<bool>(),
        any::<bool>(),
        prop::option::of(select(vec![KeyManager::Aws, KeyManager::Customer])),
        prop::option::of(select(vec!["Enabled", "Disabled"])),
        prop::option::weighted(0.8, prop::collection::vec(grant(), 0..2)),
        any::<bool>(),
    )
        .prop_map(|(caller, identity, bounded, manager, state, grants, trail)| Scene {
            caller,
            identity,
            bounded,
            manager,
            state,
            grants,
            trail,
        })
}

fn statements() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(STATEMENTS.to_vec(), 0..=4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn a_deny_of_the_key_policy_never_allows_more(
        scene in scene(), statements in statements(), deny in select(&STATEMENTS[5..]),
    ) {
        // A policy that was not there and now only denies is another policy, not one more statement.
        if statements.is_empty() {
            return Ok(());
        }
        let more: Vec<&str> = statements.iter().copied().chain([deny]).collect();
        prop_assert!(scene.rank(&more) <= scene.rank(&statements));
    }

    #[test]
    fn a_grant_never_denies(scene in scene(), statements in statements(), more in grant()) {
        let before = scene.rank(&statements);
        let mut after = scene;
        if let Some(grants) = &mut after.grants {
            grants.push(more);
        }
        prop_assert!(after.rank(&statements) >= before);
    }

    #[test]
    fn a_key_in_another_state_than_enabled_never_allows_more(scene in scene(), statements in statements()) {
        let ranks = [Some("Disabled"), None, Some("Enabled")].map(|state| {
            Scene { state, ..scene.clone() }.rank(&statements)
        });
        prop_assert!(ranks.is_sorted());
        prop_assert_eq!(ranks[0], 0);
    }

    #[test]
    fn an_answer_that_is_certain_stays_when_grants_and_state_become_known(
        scene in scene(), statements in statements(), grants in prop::collection::vec(grant(), 0..3),
    ) {
        let decision = scene.decide(&statements);
        if decision == Decision::Conditional {
            return Ok(());
        }
        let mut known = scene.clone();
        known.grants = known.grants.or(Some(grants));
        prop_assert_eq!(known.decide(&statements), decision);
        known.state = known.state.or(Some("Disabled"));
        prop_assert_eq!(known.decide(&statements), decision);
    }

    #[test]
    fn the_read_is_allowed_exactly_where_both_parts_are(scene in scene(), statements in statements()) {
        let (whole, parts, told) = scene.with(&statements, |read| (read.decide(), read.parts(), read.explain()));
        let kms = parts.kms.unwrap();
        let both = parts.s3.decision == Decision::Allowed && kms.decision == Decision::Allowed;
        prop_assert_eq!(whole == Decision::Allowed, both);
        prop_assert_eq!(told.decision, whole);
        prop_assert_eq!(whole == Decision::Conditional, !told.depends_on.is_empty());
    }
}

#[test]
fn the_decrypt_call_carries_who_reads_and_what_but_not_from_where() {
    let caller = Caller::parse("arn:aws:iam::222222222222:role/Reader").unwrap();
    let mut read = Request::new(caller, "s3:GetObject", "arn:aws:s3:::b/k/l", AccountId::parse("111111111111"))
        .with("aws:PrincipalOrgID", "o-exampleorgid")
        .with("aws:SourceIp", "203.0.113.9")
        .with("aws:ResourceOrgID", "o-exampleorgid")
        .with("s3:ExistingObjectTag/x", "y");
    read.otherwise = Otherwise::Situation;
    let mut under = ObjectKey::new(KEY);
    let value = |request: &Request, key: &str| format!("{:?}", request.value(&ConditionKey::new(key)));
    let call = under.decrypt(&read);
    assert_eq!((call.action.as_str(), call.resource.as_str()), ("kms:Decrypt", KEY));
    for (key, expected) in [
        ("aws:PrincipalOrgID", r#"One("o-exampleorgid")"#),
        ("aws:PrincipalAccount", r#"One("222222222222")"#),
        ("kms:CallerAccount", r#"One("222222222222")"#),
        ("aws:ResourceAccount", r#"One("111111111111")"#),
        ("aws:ResourceOrgID", r#"One("o-exampleorgid")"#),
        ("aws:SourceIp", "Unknown"),
        ("aws:SourceVpce", "Unknown"),
        ("aws:ViaAWSService", r#"One("true")"#),
        ("kms:ViaService", r#"One("s3.us-east-1.amazonaws.com")"#),
        ("kms:EncryptionContext:aws:s3:arn", r#"One("arn:aws:s3:::b/k/l")"#),
        ("kms:EncryptionContext:aws:cloudtrail:arn", "Absent"),
        ("kms:EncryptionContextKeys", r#"One("aws:s3:arn")"#),
    ] {
        assert_eq!(value(&call, key), expected, "{key}");
    }
    assert!(call.context.get(&ConditionKey::new("s3:ExistingObjectTag/x")).is_none());

    under.bucket_key = Tri::True;
    under.trail = Given::Unknown;
    under.arn = "arn:aws-cn:kms:cn-north-1:333333333333:key/k";
    under.account = AccountId::parse("333333333333");
    let call = under.decrypt(&read);
    for (key, expected) in [
        ("aws:ResourceOrgID", "Unknown"),
        ("kms:ViaService", r#"One("s3.cn-north-1.amazonaws.com.cn")"#),
        ("kms:EncryptionContext:aws:s3:arn", r#"One("arn:aws:s3:::b")"#),
        ("kms:EncryptionContext:aws:cloudtrail:arn", "Unknown"),
        ("kms:EncryptionContextKeys", "Present"),
    ] {
        assert_eq!(value(&call, key), expected, "{key}");
    }
}

#[test]
fn a_read_under_a_key_that_is_not_known_is_conditional_and_a_denied_one_is_denied() {
    let identity =
        policy(&[r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}"#], PolicyKind::Identity);
    let identity = [&identity];
    let policies = Policies { identity: Side::Policies(&identity), ..Policies::default() };
    for (resource, expected) in
        [("arn:aws:s3:::b/k", Decision::Conditional), ("arn:aws:s3:::c/k", Decision::ImplicitDeny)]
    {
        let caller = Caller::parse("arn:aws:iam::111111111111:role/RB").unwrap();
        let request = Request::new(caller, "s3:GetObject", resource, AccountId::parse("111111111111"));
        let read =
            Read { request: &request, policies: &policies, encryption: Encryption::Unknown("the key of the logs") };
        let told = read.explain();
        assert_eq!((read.decide(), told.decision), (expected, expected));
        let depends_on: &[&str] = if expected == Decision::Conditional { &["the key of the logs"] } else { &[] };
        assert_eq!(told.depends_on, depends_on);
        assert_eq!(decide(&request, &policies), explain(&request, &policies).decision);
    }
}
