use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::access::evaluate::{Policies, Side, decide, explain};
use crate::access::request::Request;
use crate::estate::read_policy;
use crate::finding::Decision;
use crate::policy::{Policy, PolicyKind};
use crate::syntax::json::Tape;
use crate::text::embedded::Place;
use crate::text::{SourceId, Span};

const CALLERS: [&str; 8] = [
    "arn:aws:sts::111111111111:assumed-role/RB/s1",
    "111111111111",
    "arn:aws:iam::222222222222:role/Reader",
    "222222222222",
    "arn:aws:iam::333333333333:user/u",
    "cloudtrail.amazonaws.com",
    "logging.s3.amazonaws.com",
    "anonymous",
];

const REQUESTS: [(&str, &str); 6] = [
    ("s3:GetObject", "arn:aws:s3:::b/k"),
    ("s3:GetObjectAcl", "arn:aws:s3:::b/k"),
    ("s3:GetObjectTagging", "arn:aws:s3:::b/k"),
    ("s3:PutObject", "arn:aws:s3:::b/k"),
    ("s3:ListBucket", "arn:aws:s3:::b"),
    ("s3:GetBucketPolicy", "arn:aws:s3:::b"),
];

const ALLOWS: [&str; 6] = [
    r#"{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:*","Resource":"*"}"#,
    r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}"#,
    r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"333333333333"}}}"#,
    r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/RB"},"Action":"s3:List*","Resource":"*"}"#,
    r#"{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"*"}"#,
    r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceOrgID":"o-exampleorgid"}}}"#,
];

const DENIES: [&str; 4] = [
    r#"{"Effect":"Deny","Principal":"*","Action":"s3:Get*","Resource":"*"}"#,
    r#"{"Effect":"Deny","Principal":{"AWS":"222222222222"},"Action":"s3:*","Resource":"*"}"#,
    r#"{"Effect":"Deny","NotPrincipal":{"AWS":"111111111111"},"Action":"s3:*","Resource":"*"}"#,
    r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#,
];

fn policy(statements: &[&str], kind: PolicyKind) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    let mut tape = Tape::new();
    read_policy(tape.read(&text, &Place::direct(SourceId::new(0), 0)).unwrap(), kind).unwrap()
}

/// Everything about a request but the policy of the bucket.
#[derive(Debug, Clone)]
struct Scene {
    caller: &'static str,
    request: (&'static str, &'static str),
    identity: bool,
    storage: Facts,
}

#[derive(Debug, Clone)]
struct Facts {
    ownership: Ownership,
    owner: ObjectOwner,
    bucket_acl: Option<Vec<AclGrant>>,
    object_acl: Option<Vec<AclGrant>>,
    ids: Vec<(CompactString, AccountId)>,
    restrict: Tri,
    ignore: Tri,
    public: Option<Tri>,
}

impl Scene {
    fn with<T>(&self, statements: &[&str], ask: impl FnOnce(&Request, &Policies<'_>) -> T) -> T {
        let bucket = policy(statements, PolicyKind::Bucket);
        let identity =
            policy(&[r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b*"}"#], PolicyKind::Identity);
        let (bucket, identity) = ([&bucket], [&identity]);
        let facts = &self.storage;
        let storage = Storage {
            ownership: facts.ownership,
            object_owner: facts.owner,
            bucket_acl: facts.bucket_acl.as_deref(),
            object_acl: facts.object_acl.as_deref(),
            canonical_ids: &facts.ids,
            restrict_public_buckets: facts.restrict,
            ignore_public_acls: facts.ignore,
            policy_is_public: facts.public.unwrap_or(is_public(bucket[0])),
        };
        let policies = Policies {
            identity: if self.identity { Side::Policies(&identity) } else { Side::None },
            resource: Side::Policies(&bucket),
            storage: Some(&storage),
            ..Policies::default()
        };
        let (action, resource) = self.request;
        let request =
            Request::new(Caller::parse(self.caller).unwrap(), action, resource, AccountId::parse("111111111111"));
        ask(&request, &policies)
    }

    fn decide(&self, statements: &[&str]) -> Decision {
        self.with(statements, decide)
    }

    fn rank(&self, statements: &[&str]) -> u8 {
        match self.decide(statements) {
            Decision::Allowed => 2,
            Decision::Conditional => 1,
            Decision::ImplicitDeny | Decision::ExplicitDeny => 0,
        }
    }
}

fn id(account: &str) -> CompactString {
    account.chars().next().unwrap().to_string().repeat(64).into()
}

fn grants() -> impl Strategy<Value = Vec<AclGrant>> {
    let grantees = vec![
        Grantee::AllUsers,
        Grantee::AuthenticatedUsers,
        Grantee::LogDelivery,
        Grantee::CanonicalUser(id("111111111111")),
        Grantee::CanonicalUser(id("222222222222")),
        Grantee::CanonicalUser(id("333333333333")),
        Grantee::Other("someone@example.com".into()),
    ];
    let permissions =
        vec![AclPermission::Read, AclPermission::Write, AclPermission::ReadAcp, AclPermission::FullControl];
    let span = Span::new(SourceId::new(0), 0, 0);
    let grant = (select(grantees), select(permissions)).prop_map(move |(grantee, permission)| AclGrant {
        grantee,
        permission,
        span,
        grantee_span: span,
    });
    prop::collection::vec(grant, 0..3)
}

fn tri() -> impl Strategy<Value = Tri> {
    select(vec![Tri::False, Tri::Unknown, Tri::True])
}

fn owners() -> Vec<ObjectOwner> {
    let of = |account| ObjectOwner::Account(AccountId::parse(account).unwrap());
    vec![
        ObjectOwner::Bucket,
        of("111111111111"),
        of("222222222222"),
        of("333333333333"),
        ObjectOwner::CloudTrail,
        ObjectOwner::Delivered,
        ObjectOwner::Unknown,
    ]
}

fn scene() -> impl Strategy<Value = Scene> {
    let ids: Vec<(CompactString, AccountId)> = ["111111111111", "222222222222", "333333333333"]
        .into_iter()
        .map(|account| (id(account), AccountId::parse(account).unwrap()))
        .collect();
    let facts = (
        select(vec![Ownership::Enforced, Ownership::AclsCount, Ownership::Unknown]),
        select(owners()),
        prop::option::weighted(0.8, grants()),
        prop::option::weighted(0.8, grants()),
        subsequence(ids, 0..=3),
        tri(),
        tri(),
        prop::option::weighted(0.2, tri()),
    );
    (select(&CALLERS[..]), select(&REQUESTS[..]), any::<bool>(), facts).prop_map(
        |(caller, request, identity, facts)| {
            let (ownership, owner, bucket_acl, object_acl, ids, restrict, ignore, public) = facts;
            let storage = Facts { ownership, owner, bucket_acl, object_acl, ids, restrict, ignore, public };
            Scene { caller, request, identity, storage }
        },
    )
}

fn statements() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence([&ALLOWS[..], &DENIES[..]].concat(), 1..=3)
}

/// The same, with one fact that was not known made known.
fn narrowed(scene: &Scene) -> Vec<Scene> {
    let mut all = Vec::new();
    let mut put = |change: &dyn Fn(&mut Facts)| {
        let mut one = scene.clone();
        change(&mut one.storage);
        all.push(one);
    };
    let facts = &scene.storage;
    if facts.ownership == Ownership::Unknown {
        put(&|facts| facts.ownership = Ownership::Enforced);
        put(&|facts| facts.ownership = Ownership::AclsCount);
    }
    let candidates = match facts.owner {
        ObjectOwner::Unknown => owners(),
        ObjectOwner::Delivered => vec![ObjectOwner::Bucket, ObjectOwner::CloudTrail],
        _ => Vec::new(),
    };
    for owner in
        candidates.into_iter().filter(|owner| facts.owner != ObjectOwner::Unknown || *owner != ObjectOwner::Delivered)
    {
        put(&|known| {
            // The ACL of what CloudTrail delivered is known without reading it.
            if facts.owner == ObjectOwner::Delivered && owner == ObjectOwner::Bucket {
                known.object_acl.get_or_insert_default();
            }
            known.owner = owner;
        });
    }
    for known in [Tri::False, Tri::True] {
        if facts.restrict == Tri::Unknown {
            put(&|facts| facts.restrict = known);
        }
        if facts.ignore == Tri::Unknown {
            put(&|facts| facts.ignore = known);
        }
        if facts.public == Some(Tri::Unknown) {
            put(&|facts| facts.public = Some(known));
        }
    }
    let everyone = AclGrant {
        grantee: Grantee::AllUsers,
        permission: AclPermission::FullControl,
        span: Span::new(SourceId::new(0), 0, 0),
        grantee_span: Span::new(SourceId::new(0), 0, 0),
    };
    for grants in [vec![], vec![everyone]] {
        if facts.bucket_acl.is_none() {
            put(&|facts| facts.bucket_acl = Some(grants.clone()));
        }
        if facts.object_acl.is_none() && !matches!(facts.owner, ObjectOwner::CloudTrail | ObjectOwner::Delivered) {
            put(&|facts| facts.object_acl = Some(grants.clone()));
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn a_deny_never_allows_more(scene in scene(), statements in statements(), deny in select(&DENIES[..])) {
        let before = scene.rank(&statements);
        let more: Vec<&str> = statements.iter().copied().chain([deny]).collect();
        prop_assert!(scene.rank(&more) <= before);
    }

    #[test]
    fn block_public_access_never_allows_more(scene in scene(), statements in statements(), ignore in any::<bool>()) {
        let mut on = scene.clone();
        let mut off = scene;
        match ignore {
            true => (on.storage.ignore, off.storage.ignore) = (Tri::True, Tri::False),
            false => (on.storage.restrict, off.storage.restrict) = (Tri::True, Tri::False),
        }
        prop_assert!(on.rank(&statements) <= off.rank(&statements));
    }

    #[test]
    fn where_ownership_is_enforced_acls_and_owners_do_not_matter(
        scene in scene(), statements in statements(), acl in grants(), owner in select(owners()),
    ) {
        let mut one = scene.clone();
        one.storage.ownership = Ownership::Enforced;
        let mut other = one.clone();
        (other.storage.bucket_acl, other.storage.object_acl) = (Some(acl), None);
        other.storage.owner = owner;
        prop_assert_eq!(one.decide(&statements), other.decide(&statements));
    }

    #[test]
    fn one_more_grant_never_takes_access_away(scene in scene(), statements in statements(), more in grants()) {
        let before = scene.rank(&statements);
        let mut after = scene;
        for acl in [&mut after.storage.bucket_acl, &mut after.storage.object_acl].into_iter().flatten() {
            acl.extend(more.clone());
        }
        prop_assert!(after.rank(&statements) >= before);
    }

    #[test]
    fn an_answer_that_is_certain_stays_when_more_becomes_known(scene in scene(), statements in statements()) {
        let decision = scene.decide(&statements);
        if decision != Decision::Conditional {
            for known in narrowed(&scene) {
                prop_assert_eq!(known.decide(&statements), decision, "{:?}", known);
            }
        }
    }

    #[test]
    fn a_request_that_asks_nothing_of_s3_is_decided_as_without_it(scene in scene(), statements in statements()) {
        let mut plain = scene;
        plain.storage.ownership = Ownership::Enforced;
        plain.storage.restrict = Tri::False;
        let without = plain.with(&statements, |request, policies| decide(request, &Policies { storage: None, ..*policies }));
        prop_assert_eq!(plain.decide(&statements), without);
    }

    #[test]
    fn an_explanation_gives_the_same_decision_and_reasons(scene in scene(), statements in statements()) {
        let explanation = scene.with(&statements, explain);
        prop_assert_eq!(explanation.decision, scene.decide(&statements));
        let conditional = explanation.decision == Decision::Conditional;
        prop_assert_eq!(conditional, !explanation.depends_on.is_empty(), "{:?}", explanation);
        let silent = explanation.steps.is_empty() && !conditional;
        prop_assert!(!silent || scene.caller.len() == 12, "{:?} {:?}", scene, explanation);
    }
}
