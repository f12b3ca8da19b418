//! Statements of buckets and keys that name everyone: whether an outsider gets through, and the condition that should
//! have kept it out.
//!
//! A statement belongs to the *missing* rule where nothing speaks of the caller's organization or account, to the
//! *bypassable* one where something does and does not bind. `aws:PrincipalArn` counts where it fixes an account.

use std::sync::Arc;

use crate::access::allowance::{Allowance, GIVEN_UP};
use crate::access::evaluate::{Policies, statement_may_meet};
use crate::access::outsiders::{Guarded, Outsider, Passage, is_for_everyone};
use crate::access::request::{Caller, Request};
use crate::access::search::Found;
use crate::aws::{AccountId, Arn};
use crate::estate::{BlockPublicAccess, Gap, Known};
use crate::finding::{Dependency, Draft, Finding, Level};
use crate::policy::operator::{Family, SetOperator};
use crate::policy::{Clause, Policy, Statement};
use crate::rule::context::{BucketView, Context, KeyView};
use crate::rule::{Outcome, Verdict};
use crate::rules::shared::{trust, words};
use crate::text::Span;

/// The policy of a log bucket or log key, and what is known around it.
pub(in crate::rules) struct Door<'v> {
    /// `log bucket` or `log key`.
    noun: &'static str,
    name: &'v str,
    fact: &'static str,
    policy: &'v Policy,
    arn: String,
    account: Option<AccountId>,
    /// What was not collected and could only take access away.
    unless: Vec<String>,
    /// Where `RestrictPublicBuckets` is known to be on.
    restricted: Option<Span>,
    /// What the rule that stands before it may look at.
    allowance: Allowance,
}

impl<'v> Door<'v> {
    /// The door of a log bucket; `None` where it has no policy.
    ///
    /// # Errors
    /// The gap, where the policy is not known.
    pub(in crate::rules) fn of_bucket(context: &Context<'_>, view: &'v BucketView<'_>) -> Result<Option<Self>, Gap> {
        let Some(policy) = view.policy()? else { return Ok(None) };
        let declared = context.model.log_bucket(&view.subject.name).and_then(|bucket| bucket.owner);
        let account = view.subject.account.or(declared);
        let mut unless: Vec<String> = context.uncollected_rcp(account).into_iter().collect();
        let restricted = restricts_public_buckets(context, view);
        let name = &view.subject.name;
        match restricted {
            Some(Some(_)) => {
                unless.push("whether S3 takes the policy for public, which RestrictPublicBuckets acts on".to_owned())
            }
            Some(None) => {}
            None => unless.push(format!("block public access of `{name}` (RestrictPublicBuckets)")),
        }
        let (noun, fact) = ("log bucket", "bucket.policy");
        let (arn, restricted, allowance) = (view.arn(), restricted.flatten(), Allowance::of_rule());
        Ok(Some(Door { noun, name, fact, policy, arn, account, unless, restricted, allowance }))
    }

    /// The door of a log key; `None` where it has no policy.
    ///
    /// # Errors
    /// The gap, where the policy is not known.
    pub(in crate::rules) fn of_key(context: &Context<'_>, view: &'v KeyView<'_>) -> Result<Option<Self>, Gap> {
        let Some(policy) = view.policy()? else { return Ok(None) };
        let account = view.subject.account;
        let unless = context.uncollected_rcp(account).into_iter().collect();
        let (noun, fact) = ("log key", "key.policy");
        Ok(Some(Door {
            noun,
            name: &view.subject.name,
            fact,
            policy,
            arn: view.arn(),
            account,
            unless,
            restricted: None,
            allowance: Allowance::of_rule(),
        }))
    }

    /// Its policy.
    pub(in crate::rules) fn policy(&self) -> &'v Policy {
        self.policy
    }

    /// What messages call it: ``log bucket `name` ``.
    pub(in crate::rules) fn title(&self) -> String {
        format!("{} `{}`", self.noun, self.name)
    }

    /// What was not collected and could only take access away.
    pub(in crate::rules) fn unless(&self) -> &[String] {
        &self.unless
    }

    /// The gap of a search that gave up.
    pub(in crate::rules) fn undecided(&self, statement: &Statement) -> Gap {
        Gap::new(self.fact, GIVEN_UP).at([statement.span])
    }

    /// Puts a question about outsiders.
    pub(in crate::rules) fn guarded<T>(&self, context: &Context<'_>, ask: impl FnOnce(Guarded<'_>) -> T) -> T {
        let rcp = context.rcp(self.account);
        let rcp = [rcp.iter().map(Arc::as_ref).collect::<Vec<_>>()];
        let known: Vec<AccountId> = context.model.known_accounts().into_iter().collect();
        ask(Guarded {
            policy: self.policy,
            arn: &self.arn,
            account: self.account,
            organization: own_organization(context),
            stranger: context.stranger(),
            known: &known,
            management: context.model.management(),
            rcp: &rcp,
            allowance: &self.allowance,
        })
    }

    /// The Deny statement about the same request that mentions the caller's organization or account and spares it.
    fn sparing(&self, found: &Found) -> Option<(&'v Statement, &'v Clause)> {
        let caller = Caller::parse(&found.witness.principal)?;
        let request = Request::new(caller, &found.witness.action, &found.witness.resource, self.account);
        let about_it = |statement: &&Statement| statement_may_meet(statement, &request, &Policies::default());
        let mut denies = self.policy.denies().filter(|s| mention(s).is_some()).filter(about_it);
        denies.find_map(|statement| Some((statement, mention(statement)?)))
    }
}

/// The findings of a *missing* rule.
pub(in crate::rules) fn missing(context: &Context<'_>, door: &Door<'_>) -> Outcome {
    let (mut findings, mut gaps) = (Vec::new(), Vec::new());
    for statement in door.policy.allows().filter(|s| is_for_everyone(s) && mention(s).is_none()) {
        let (outsider, found, certain) = match door.guarded(context, |guarded| guarded.passage(statement)) {
            Passage::Closed => continue,
            Passage::Undecided => {
                gaps.push(door.undecided(statement));
                continue;
            }
            Passage::Open(outsider, found) => (outsider, found, true),
            Passage::OpenIf(outsider, found) => (outsider, found, false),
        };
        if door.sparing(&found).is_some() {
            continue;
        }
        let message =
            format!("{} allowed `{}` on {}{}", who(outsider), found.witness.action, door.title(), only_if(&found));
        let draft =
            Finding::at(trust::everyone_span(statement), "nothing binds the caller to an organization or an account");
        findings.push(told(door, draft.message(message), statement, &found, certain).help(bind(context)));
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// The findings of a *bypassable* rule.
pub(in crate::rules) fn bypassable(context: &Context<'_>, door: &Door<'_>) -> Outcome {
    let (mut findings, mut gaps) = (Vec::new(), Vec::new());
    let denies_mention = door.policy.denies().any(|statement| mention(statement).is_some());
    let everyone = door.policy.allows().filter(|statement| is_for_everyone(statement));
    for statement in everyone.filter(|s| denies_mention || mention(s).is_some()) {
        let own = mention(statement);
        let (outsider, found, certain) = match door.guarded(context, |guarded| guarded.passage(statement)) {
            Passage::Closed => continue,
            Passage::Undecided => {
                gaps.extend(own.map(|_| door.undecided(statement)));
                continue;
            }
            Passage::Open(outsider, found) => (outsider, found, true),
            Passage::OpenIf(outsider, found) => (outsider, found, false),
        };
        let sparing = door.sparing(&found);
        let Some(clause) = own.or(sparing.map(|(_, clause)| clause)) else { continue };
        let message = format!(
            "`{}` on `{}` does not keep outsiders out of {}: {} allowed `{}`{}",
            clause.operator,
            clause.written_key,
            door.title(),
            who(outsider),
            found.witness.action,
            only_if(&found),
        );
        let draft = match own {
            Some(clause) => Finding::at(clause.span, why(clause)).message(message),
            None => Finding::at(trust::everyone_span(statement), "this names everyone").message(message),
        };
        let draft = match (own, sparing) {
            (Some(_), _) => draft.related(trust::everyone_span(statement), "this names everyone"),
            (None, Some((_, clause))) => draft.related(clause.span, why(clause)),
            (None, None) => draft,
        };
        findings.push(told(door, draft, statement, &found, certain).help(bind(context)));
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// A finding with its proof.
fn told(door: &Door<'_>, draft: Draft, statement: &Statement, found: &Found, certain: bool) -> Draft {
    let draft = if certain { draft } else { draft.level(Level::Error.lower()) };
    let draft = match door.restricted {
        Some(span) => {
            draft.related(span, "where the policy is public, this stops outsiders, and every reader in another account")
        }
        None => draft,
    };
    draft
        .statement(statement)
        .path(found.explanation.steps.iter().cloned())
        .witness(found.witness.clone())
        .depends_on(found.explanation.depends_on.iter().cloned())
        .depends_on(door.unless.iter().cloned())
}

/// The comparison of a statement that speaks of the caller's organization or account, or of what is taken for them.
fn mention(statement: &Statement) -> Option<&Clause> {
    const KEYS: [&str; 10] = [
        "aws:PrincipalOrgID",
        "aws:PrincipalOrgPaths",
        "aws:PrincipalAccount",
        "kms:CallerAccount",
        "aws:ResourceOrgID",
        "aws:ResourceOrgPaths",
        "aws:ResourceAccount",
        "aws:SourceOrgID",
        "aws:SourceOrgPaths",
        "aws:SourceAccount",
    ];
    let fixes_account = |clause: &Clause| {
        clause.values.iter().any(|v| Arn::parse(v.template.raw()).is_some_and(|arn| arn.account_id().is_some()))
    };
    statement.conditions.iter().find(|clause| {
        KEYS.iter().any(|key| clause.key.is(key)) || (clause.key.is("aws:PrincipalArn") && fixes_account(clause))
    })
}

/// Why a comparison binds nobody.
fn why(clause: &Clause) -> &'static str {
    let key = clause.key.as_str();
    let operator = clause.operator;
    if key.starts_with("aws:resource") {
        return "it speaks of the owner of the resource, not of the caller";
    }
    if operator.if_exists || operator.set == Some(SetOperator::ForAllValues) {
        return "a caller without the key passes";
    }
    if operator.negated {
        return "everyone but the ones named here passes";
    }
    match operator.family {
        Family::Null => "any value passes",
        Family::StringLike | Family::Arn => "others match the wildcard too",
        _ => "this does not bind the caller",
    }
}

fn who(outsider: Outsider) -> &'static str {
    match outsider {
        Outsider::Anonymous => "anyone, even unsigned, is",
        Outsider::NoOrganization => "any AWS account is",
        Outsider::OtherOrganization => "accounts of other organizations are",
        Outsider::OfPattern => "accounts that a wildcard takes in are",
    }
}

/// What the answer hangs on, for the end of a message.
fn only_if(found: &Found) -> String {
    let facts: Vec<&str> = found.explanation.depends_on.iter().map(Dependency::text).collect();
    let fit = if facts.len() == 1 { "fits" } else { "fit" };
    if facts.is_empty() { String::new() } else { format!(" if {} {fit}", words::quoted(&facts, facts.len())) }
}

fn bind(context: &Context<'_>) -> String {
    let id = own_organization(context).unwrap_or("the ID of your organization");
    format!(
        "bind the caller with \"StringEquals\": {{\"aws:PrincipalOrgID\": \"{id}\"}} (neither IfExists nor \
         ForAllValues), or name the accounts you mean in `Principal`"
    )
}

/// The ID of the organization, where one is known.
pub(in crate::rules) fn own_organization<'c>(context: &'c Context<'_>) -> Option<&'c str> {
    context.model.organization_id().map(|organization| organization.id.as_str())
}

/// Where RestrictPublicBuckets is on for the bucket or its account; `Some(None)` where it is off in both, `None` where that
/// is not known.
fn restricts_public_buckets(context: &Context<'_>, view: &BucketView<'_>) -> Option<Option<Span>> {
    let account = view.subject.account.and_then(|id| context.estate.accounts.get(&id));
    let own = &view.bucket.block_public_access;
    let of_account = account.map(|account| &account.block_public_access);
    let on = |known: &Known<BlockPublicAccess>| match known {
        Known::Present(settings, span) => settings.restrict_public_buckets.then_some(*span),
        _ => None,
    };
    match on(own).or_else(|| of_account.and_then(on)) {
        Some(span) => Some(Some(span)),
        None if own.is_unknown() || of_account.is_none_or(Known::is_unknown) => None,
        None => Some(None),
    }
}
