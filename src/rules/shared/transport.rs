//! Requests without TLS: whether a bucket policy lets one through.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use compact_str::CompactString;

use crate::access::allowance::Allowance;
use crate::access::evaluate::{Policies, Side};
use crate::access::outsiders::{resources, told_apart};
use crate::access::request::{Caller, Given, Request};
use crate::access::search::{Answer, Question, principals_of};
use crate::access::sts::{better, named_accounts};
use crate::aws::AccountId;
use crate::aws::services::{self, Applies, Service};
use crate::policy::{Policy, Statement};
use crate::rule::context::{BucketView, Context};
use crate::rules::shared::trust::may_name;

/// Whether some request without TLS gets through the bucket policy and the RCPs above it: of the owner's own principals,
/// whom their own policies may let do anything, of an account that the policy lets in, or an unsigned one.
pub(in crate::rules) fn over_http(context: &Context<'_>, view: &BucketView<'_>, policy: &Policy) -> Answer {
    let by_denies: Vec<AccountId> = policy.denies().flat_map(named_accounts).collect();
    let by_allows: BTreeSet<AccountId> = policy.allows().flat_map(named_accounts).collect();
    let known = by_denies.iter().chain(&by_allows).copied().chain(context.model.known_accounts());
    let stranger = AccountId::other_than(known);
    let declared = context.model.log_bucket(&view.subject.name).and_then(|bucket| bucket.owner);
    let owner = view.subject.account.or(declared).or(context.model.owner()).unwrap_or(stranger);
    let bucket = view.arn();
    // RCPs do not bind the resources of the management account.
    let rcp = if context.model.management() == Some(owner) { Vec::new() } else { context.rcp(Some(owner)) };
    let rcp = [rcp.iter().map(Arc::as_ref).collect::<Vec<&Policy>>()];
    let allowance = Allowance::of_rule();
    let whole = Http { context, policy, rcp: &rcp, bucket: &bucket, owner, allowance: &allowance };
    let own = whole.answer_of(owner, &policy.denies().collect::<Vec<_>>());
    let best = if own.is_yes() { own } else { better(own, whole.unsigned()) };
    if best != Answer::No {
        return best;
    }
    // Where the Deny statements stop everyone, it does not matter whom the others let in.
    let mut denies = Policy::empty(policy.kind, policy.span);
    denies.statements.extend(policy.denies().cloned());
    let member = context.model.members().find(|member| !by_denies.contains(member) && *member != owner);
    let mut others = [stranger].into_iter().chain(member).chain(by_denies);
    let stopped = others.all(|account| {
        let alone = Http { policy: &denies, owner: account, ..whole };
        alone.answer_of(account, &denies.denies().collect::<Vec<_>>()) == Answer::No
    });
    let accounts = by_allows.into_iter().chain([stranger]).chain(member).filter(|_| !stopped);
    accounts.fold(Answer::No, |best, account| match best.is_yes() {
        true => best,
        false => {
            let about: Vec<&Statement> = policy.allows().filter(|statement| may_name(statement, account)).collect();
            better(best, whole.answer_of(account, &about))
        }
    })
}

/// The policies that decide requests without TLS.
#[derive(Clone, Copy)]
struct Http<'h, 'a> {
    context: &'h Context<'a>,
    policy: &'h Policy,
    /// The RCPs of the owner's account, one level.
    rcp: &'h [Vec<&'h Policy>],
    bucket: &'h str,
    owner: AccountId,
    allowance: &'h Allowance,
}

impl<'h> Http<'h, '_> {
    /// The bucket policy and the RCPs.
    fn statements(&self) -> impl Iterator<Item = &'h Statement> {
        let rcp = self.rcp.iter().flatten().copied();
        [self.policy].into_iter().chain(rcp).flat_map(Policy::effective)
    }

    fn unsigned(&self) -> Answer {
        self.answer(&[Caller::Anonymous], Side::None, &[], &self.policy.allows().collect::<Vec<_>>())
    }

    /// Whether some principal of an account gets through, on a resource that these statements are about or on another.
    fn answer_of(&self, account: AccountId, about: &[&Statement]) -> Answer {
        let granted = format!("policies of {account} can allow its principals to do that");
        let ways = self.context.membership(account).keys();
        let callers = principals_of(account, [self.policy]);
        ways.into_iter().fold(Answer::No, |best, keys| match best.is_yes() {
            true => best,
            false => better(best, self.answer(&callers, Side::Granted(&granted), &keys, about)),
        })
    }

    fn answer(
        &self,
        callers: &[Caller],
        identity: Side<'_>,
        keys: &[(CompactString, Given)],
        about: &[&Statement],
    ) -> Answer {
        let mut best = Answer::No;
        let Some(caller) = callers.first() else { return best };
        let base = Request::new(caller.clone(), "s3:GetObject", self.bucket, Some(self.owner));
        let above = self.rcp.iter().flatten().flat_map(|policy| policy.denies());
        let resources = resources(about.iter().copied().chain(above), self.bucket, &base);
        let (of_bucket, of_objects) = (OnceCell::new(), OnceCell::new());
        for resource in told_apart(resources, || self.statements(), &base) {
            // Which actions work on a resource hangs on its kind.
            let known = if resource.contains('/') { &of_objects } else { &of_bucket };
            let actions: &Vec<String> = known.get_or_init(|| self.actions(&resource));
            for action in actions {
                if self.allowance.is_spent() {
                    return better(best, Answer::Undecided);
                }
                let mut fixed = keys.to_vec();
                fixed.push(("aws:SecureTransport".into(), Given::Values(vec!["false".into()])));
                fixed.push(("s3:TlsVersion".into(), Given::Absent));
                let policies = [self.policy];
                let question = Question {
                    callers: callers.to_vec(),
                    action,
                    resource: resource.clone(),
                    resource_account: Some(self.owner),
                    policies: Policies {
                        identity,
                        resource: Side::Policies(&policies),
                        rcp: self.rcp,
                        ..Policies::default()
                    },
                    fixed,
                };
                best = better(best, question.ask(self.allowance));
                if best.is_yes() {
                    return best;
                }
            }
        }
        best
    }

    /// One action on the resource for each set of actions that the policies do not tell apart.
    fn actions(&self, resource: &str) -> Vec<String> {
        let mut seen: Vec<Vec<bool>> = Vec::new();
        let known = services::service("s3").into_iter().flat_map(Service::actions);
        let mut actions: Vec<String> =
            known.filter(|action| action.applies_to(resource) == Applies::Yes).map(ToString::to_string).collect();
        actions.sort_by_key(|action| !matches!(action.as_str(), "s3:GetObject" | "s3:ListBucket" | "s3:PutObject"));
        actions.retain(|action| {
            let told_apart: Vec<bool> = self.statements().map(|s| s.covers_action(action)).collect();
            let is_new = !seen.contains(&told_apart);
            if is_new {
                seen.push(told_apart);
            }
            is_new
        });
        actions
    }
}
