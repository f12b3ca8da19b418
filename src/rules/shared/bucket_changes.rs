//! Who can change a log bucket itself: its policy, ACL, ownership, encryption, lifecycle, versioning, locks, replication.

use std::cell::RefCell;

use crate::access::actor::Actor;
use crate::access::allowance::{Allowance, GIVEN_UP};
use crate::access::evaluate::{Policies, Side};
use crate::access::request::Caller;
use crate::access::search::{ANY_SESSION, Answer, Found, Question, principals_of};
use crate::access::sts::{Membership, better, meant_accounts, names_everyone, ways};
use crate::aws::AccountId;
use crate::estate::Gap;
use crate::model::Class;
use crate::policy::{Entries, Policy, Statement};
use crate::rule::context::{BucketView, Context};
use crate::rule::role::RoleView;
use crate::rules::shared::leaks::Who;
use crate::text::Span;

/// The actions, the most telling first.
const CHANGES: [&str; 11] = [
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketOwnershipControls",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutBucketVersioning",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutReplicationConfiguration",
    "s3:DeleteBucket",
];

/// A change that somebody is allowed.
#[derive(Debug)]
pub(in crate::rules) struct Change<'s> {
    /// The statement that allows it.
    pub(in crate::rules) statement: &'s Statement,
    /// Who.
    pub(in crate::rules) who: Who,
    /// The action.
    pub(in crate::rules) action: &'static str,
    /// The answer.
    pub(in crate::rules) answer: Answer,
    /// The request that proves it.
    pub(in crate::rules) found: Found,
}

/// What the statements of a bucket policy let other accounts change; the first for each statement.
///
/// # Errors
/// The gap, where the policy is not known.
pub(in crate::rules) fn by_statement<'v>(
    context: &Context<'_>,
    view: &'v BucketView<'_>,
) -> Result<(Vec<Change<'v>>, Vec<Gap>), Gap> {
    let Some(policy) = view.policy()? else { return Ok((Vec::new(), Vec::new())) };
    let arn = view.arn();
    let declared = context.model.log_bucket(&view.bucket.name).and_then(|bucket| bucket.owner);
    let owner = view.subject.account.or(declared).or(context.model.owner());
    let own = context.model.organization_id().map(|organization| organization.id.clone());
    let allowance = Allowance::of_rule();
    let (mut found, mut gaps) = (Vec::new(), Vec::new());
    for statement in policy.allows().filter(|statement| CHANGES.iter().any(|action| statement.covers_action(action))) {
        let mut candidates: Vec<(Who, AccountId, Membership)> = Vec::new();
        if names_everyone(statement) {
            let stranger = context.stranger();
            let member = own.clone().map_or(Membership::InUnknown, Membership::In);
            candidates.push((Who::Anyone, stranger, Membership::Outside));
            candidates.push((Who::AnyMember, stranger, member));
        }
        let named = meant_accounts(policy, statement).into_iter().filter(|account| {
            Some(*account) != owner && !matches!(context.model.class(*account), Class::Owner | Class::CloudTrail)
        });
        candidates.extend(named.map(|account| (Who::Account(account), account, context.membership(account))));
        let mut alone = policy.clone();
        alone.statements.retain(|one| one.effect == crate::policy::Effect::Deny || one.span == statement.span);
        let asked = candidates.into_iter().find_map(|(who, account, membership)| {
            let actions = CHANGES.into_iter().filter(|action| statement.covers_action(action));
            actions.into_iter().find_map(|action| {
                let answer = foreign(context, &allowance, &alone, (&arn, owner), action, account, &membership);
                (answer != Answer::No).then_some((who, action, answer))
            })
        });
        let Some((who, action, answer)) = asked else { continue };
        match answer.found().cloned() {
            Some(proof) => found.push(Change { statement, who, action, answer, found: proof }),
            None => gaps.push(Gap::new("bucket.policy", GIVEN_UP).at([statement.span])),
        }
    }
    Ok((found, gaps))
}

fn foreign(
    context: &Context<'_>,
    allowance: &Allowance,
    policy: &Policy,
    (arn, owner): (&str, Option<AccountId>),
    action: &str,
    account: AccountId,
    membership: &Membership,
) -> Answer {
    let rcp = context.rcp(owner);
    let rcp = [rcp.iter().map(AsRef::as_ref).collect::<Vec<&Policy>>()];
    let own = context.model.organization_id().map(|organization| organization.id.as_str());
    let identity = format!("administrators of {account} decide which of their users and roles may `{action}`");
    let policies = [policy];
    let bounds = || rcp.iter().flatten().copied().chain(policies);
    ways(account, membership, bounds(), own).iter().fold(Answer::No, |best, way| {
        let question = Question {
            callers: principals_of(account, bounds()),
            action,
            resource: arn.into(),
            resource_account: owner.or(Some(AccountId::other_than([account]))),
            policies: Policies {
                identity: Side::Granted(&identity),
                resource: Side::Policies(&policies),
                rcp: &rcp,
                ..Policies::default()
            },
            fixed: way.keys.clone(),
        };
        better(best, way.weigh(question.ask(allowance)))
    })
}

/// What a role that other accounts can assume may change of the log buckets of its own account, beside those `told`
/// already; the first for each bucket. Changing the bucket policy is `self-escalation`.
pub(in crate::rules) fn by_role<'v, 'c>(
    context: &'c Context<'_>,
    role: &'v RoleView<'_>,
    told: &[&str],
) -> (Vec<(&'c str, Change<'v>)>, Vec<Gap>) {
    let Some(account) = role.role.account else { return (Vec::new(), Vec::new()) };
    let own = context.log_reaches().iter().filter(|reach| reach.owner == Some(account));
    let mut untold = own.filter(|reach| !told.contains(&&*reach.bucket)).peekable();
    // Most roles are in accounts without a log bucket, and have policies that name a thousand actions.
    if untold.peek().is_none() {
        return (Vec::new(), Vec::new());
    }
    let covering = || role.policies.iter().flat_map(|policy| policy.policy.allows());
    let covers = |action: &&str| covering().any(|statement| statement.covers_action(action));
    if !CHANGES.iter().any(covers) || role.admissions(context).is_empty() {
        return (Vec::new(), Vec::new());
    }
    let (allowance, gaps) = (Allowance::of_rule(), RefCell::new(Vec::new()));
    let of_bucket = |bucket: &'c str, arn: &str| {
        CHANGES.into_iter().skip(1).filter(covers).find_map(|action| {
            let answer = by_own_policies(context, &allowance, role, account, action, arn);
            if answer == Answer::Undecided {
                gaps.borrow_mut().push(Gap::new("role.permissions", GIVEN_UP).at([role.role.span]));
            }
            let found = answer.found()?.clone();
            let spans: Vec<Span> = found.explanation.steps.iter().filter_map(|step| step.span).collect();
            let statement = covering().find(|statement| spans.contains(&statement.span))?;
            Some((bucket, Change { statement, who: Who::Anyone, action, answer, found }))
        })
    };
    let found = untold.filter_map(|reach| of_bucket(&reach.bucket, &reach.arn)).collect();
    let mut gaps = gaps.into_inner();
    gaps.dedup();
    (found, gaps)
}

/// Whether a session of a role can do something in its own account: by its policies, within boundary and SCPs, and as the
/// policy of the bucket does not deny it.
pub(in crate::rules) fn by_own_policies(
    context: &Context<'_>,
    allowance: &Allowance,
    role: &RoleView<'_>,
    account: AccountId,
    action: &str,
    arn: &str,
) -> Answer {
    let estate = context.estate;
    let actor = Actor::role(estate, role.role);
    let identity: Vec<&Policy> = actor.identity.iter().map(AsRef::as_ref).collect();
    let bucket = estate.buckets.iter().find(|bucket| bucket.arn().as_deref() == Some(arn));
    let key = estate.keys.iter().find(|key| key.arn.as_deref() == Some(arn));
    let document =
        bucket.map(|bucket| &bucket.policy).or(key.map(|key| &key.policy)).and_then(|policy| policy.present());
    let attached = document.map(|document| context.policy(document));
    let attached: Vec<&Policy> = attached.iter().map(AsRef::as_ref).collect();
    let scp = context.scp(account);
    let scp: Vec<Vec<&Policy>> = scp.iter().map(|level| level.iter().map(AsRef::as_ref).collect()).collect();
    let name = role.role.path.as_deref().unwrap_or("/").trim_start_matches('/');
    let keys = context.membership(account).keys().into_iter().next().unwrap_or_default();
    actor.boundary.side(|boundary| {
        let resource = match (attached.is_empty(), action.starts_with("kms:")) {
            (false, _) => Side::Policies(&attached),
            (true, true) => Side::Granted("the key policy lets the account's own policies decide"),
            (true, false) => Side::None,
        };
        let question = Question {
            callers: vec![Caller::Session(
                account,
                format!("{name}{}", role.role.name).into(),
                Some(ANY_SESSION.into()),
            )],
            action,
            resource: arn.into(),
            resource_account: Some(account),
            policies: Policies {
                identity: Side::Policies(&identity),
                resource,
                boundary,
                scp: &scp,
                management: context.model.management(),
                ..Policies::default()
            },
            fixed: keys.clone(),
        };
        better(Answer::No, question.ask(allowance))
    })
}

/// The action of a statement that covers one.
pub(in crate::rules) fn action_span(statement: &Statement, action: &str) -> Span {
    use crate::policy::pattern::{Case, matches};
    let Some(actions) = &statement.actions else { return statement.span };
    let covering = actions.items.iter().find(|item| !actions.negated && matches(item.raw(), action, Case::Insensitive));
    covering.map_or(actions.span, |item| item.span)
}

/// Whether a role or user is a full administrator: an Allow of everything on everything, no condition.
pub(in crate::rules) fn is_administrator(actor: &Actor) -> bool {
    let everything = |entries: Option<&Entries>| {
        entries.is_some_and(|entries| !entries.negated && entries.items.iter().any(|item| item.raw() == "*"))
    };
    actor.identity.iter().flat_map(|policy| policy.allows()).any(|statement| {
        everything(statement.actions.as_ref())
            && everything(statement.resources.as_ref())
            && statement.conditions.is_empty()
    })
}
