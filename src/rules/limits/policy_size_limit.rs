use std::borrow::Cow;

use crate::finding::SubjectKind;
use crate::policy::PolicyKind;
use crate::rule::context::{BucketView, Context, DocumentView, IdentityView, KeyView};
use crate::rule::role::RoleView;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::quota::{Counts, Measured, Quota, is_loose};

pub(in crate::rules) const CHECK: Check = Check {
    role: Some(trust_to_measure),
    bucket: Some(bucket_policy_to_measure),
    key: Some(key_policy_to_measure),
    identity: Some(inline),
    ..Check::documents(document)
};

const MANAGED: u32 = 6_144;

const JOIN: &str = "join statements that differ in one element only, and shorten what stands in many";

const SPLIT: &str = "join statements that differ in one element only, or split it: a role takes 10 managed policies, and \
    more on request";

/// A document that has a quota of its own.
fn document(context: &Context<'_>, view: &DocumentView<'_>) -> Outcome {
    let name = &view.subject.name;
    let of = |what, limit, counts| Quota { what, limit, counts };
    let characters = |what, limit| of(what, limit, Counts::Characters);
    let written = |what, limit| of(what, limit, Counts::CharactersAsWritten);
    let organization = |many: &str| -> Cow<'static, str> {
        format!("join statements that share effect and condition, or split it: {many} fit on each root, OU and account")
            .into()
    };
    let (quota, rewrite): (_, Cow<'static, str>) = match view.policy.kind {
        PolicyKind::Bucket => (of("bucket policy", 20_480, Counts::Bytes), JOIN.into()),
        PolicyKind::Key => (of("key policy", 32_768, Counts::BytesAsWritten), JOIN.into()),
        PolicyKind::Trust => (characters("trust policy", 2_048), JOIN.into()),
        PolicyKind::Scp => (written("service control policy", 10_240), organization("10")),
        PolicyKind::Rcp => (written("resource control policy", 5_120), organization("5")),
        PolicyKind::Session => (written("session policy", 2_048), SPLIT.into()),
        PolicyKind::Boundary => (characters("permissions boundary", MANAGED), SPLIT.into()),
        PolicyKind::Identity => match view.subject.kind {
            SubjectKind::ManagedPolicy => (characters("managed policy", MANAGED), SPLIT.into()),
            SubjectKind::Role | SubjectKind::User | SubjectKind::Group if !is_loose(context, view.document) => {
                return Ok(Verdict::NotApplicable);
            }
            _ => (characters("policy", MANAGED), SPLIT.into()),
        },
        PolicyKind::VpcEndpoint | PolicyKind::Resource => return Ok(Verdict::NotApplicable),
    };
    if quota.is_far(context, [view.policy]) {
        return Ok(Verdict::Pass);
    }
    let for_accounts = for_accounts(view.policy.kind);
    let title = match (quota.what, view.subject.kind) {
        ("policy", SubjectKind::Document) => format!("measured as a managed policy, `{name}`"),
        ("policy", _) => format!("measured as a managed policy, the permissions policy of `{name}`"),
        ("managed policy" | "service control policy" | "resource control policy", _) => {
            format!("{} `{name}`", quota.what)
        }
        (what, _) => format!("the {what} of `{name}`"),
    };
    let measured = Measured { quota, title, policies: vec![(view.document, view.policy)], rewrite, for_accounts };
    let draft = measured.finding(context);
    let draft = match (draft, view.name) {
        (Some(draft), Some(name)) => Some(draft.about(name)),
        (draft, _) => draft,
    };
    let raised =
        (view.policy.kind == PolicyKind::Trust).then(|| "the quota of the account, which can be raised".to_owned());
    Ok(Verdict::of(draft.map(|draft| draft.depends_on(raised)).into_iter().collect()))
}

/// What to write in place of a part for each account.
fn for_accounts(kind: PolicyKind) -> Option<&'static str> {
    Some(match kind {
        PolicyKind::Bucket => {
            "one pair of statements for the whole organization does not grow: `\"Principal\": \"*\"`, \
             `${aws:PrincipalAccount}` in the resource, and StringEquals on `aws:PrincipalOrgID`"
        }
        PolicyKind::Key => {
            "one statement for the whole organization does not grow: `{\"AWS\": \"*\"}` with StringEquals on \
             `aws:PrincipalOrgID` and ArnLike on `aws:PrincipalArn`"
        }
        PolicyKind::Trust => {
            "give each reader a role of its own, or trust its account once and choose its roles by ArnLike on \
             `aws:PrincipalArn`; the quota can be raised to 4,096 characters and more"
        }
        _ => return None,
    })
}

/// A trust policy that is not known has no size; one that is known is a document.
fn trust_to_measure(_: &Context<'_>, view: &RoleView<'_>) -> Outcome {
    view.trust().map(|_| Verdict::NotApplicable)
}

/// As a trust policy.
fn bucket_policy_to_measure(_: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    view.policy().map(|_| Verdict::NotApplicable)
}

/// As a trust policy.
fn key_policy_to_measure(_: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    view.policy().map(|_| Verdict::NotApplicable)
}

/// The inline policies of a role, user or group, which share one quota.
fn inline(context: &Context<'_>, view: &IdentityView<'_>) -> Outcome {
    let limit = match view.subject.kind {
        SubjectKind::Role => 10_240,
        SubjectKind::Group => 5_120,
        _ => 2_048,
    };
    let own = view.inline.iter().filter(|one| !is_loose(context, one.document));
    let policies: Vec<_> = own.map(|one| (one.document, &*one.policy)).collect();
    if policies.is_empty() && view.missing.is_empty() {
        return Ok(Verdict::NotApplicable);
    }
    let quota = Quota { what: "inline policies", limit, counts: Counts::Characters };
    let these = if policies.len() == 1 { "the inline policy of" } else { "the inline policies of" };
    let title = format!("{these} {} `{}`", view.subject.kind.name(), view.subject.name);
    let rewrite = "move them to managed policies, which have 6,144 characters each and do not count here".into();
    let draft = Measured { quota, title, policies, rewrite, for_accounts: None }.finding(context);
    Ok(Verdict::with_gaps(draft.into_iter().collect(), view.missing.clone()))
}
