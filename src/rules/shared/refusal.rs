//! Why CloudTrail's call is refused: the one place where it would be mended.

use crate::access::delivery::log_object;
use crate::access::evaluate::statement_may_meet;
use crate::access::request::Request;
use crate::access::search::{STRANGER, witness};
use crate::estate::Gap;
use crate::finding::{Decision, Dependency, Draft, StepEffect};
use crate::policy::condition::{self, Tri};
use crate::policy::{Clause, Statement};
use crate::rules::shared::trail_calls::{Called, Calls, Denied, Source};
use crate::rules::shared::words::list;
use crate::text::Span;

/// What refuses a call.
#[derive(Debug, Clone)]
pub(in crate::rules) enum Cause<'p> {
    /// A Deny: its statement, where it is one of the policy itself.
    Deny(Span, Option<&'p Statement>),
    /// The condition of the statement that was meant for it.
    Condition(&'p Statement, &'p Clause),
    /// The statement that was meant for it speaks of other resources.
    Resource(&'p Statement, Span),
    /// No statement speaks of it.
    Missing,
}

impl Cause<'_> {
    /// Where one would mend it; `None` where nothing stands there yet.
    pub(in crate::rules) fn span(&self) -> Option<Span> {
        match self {
            Cause::Deny(span, _) | Cause::Resource(_, span) => Some(*span),
            Cause::Condition(_, clause) => Some(match clause.values.as_ref() {
                [only] => only.span,
                _ => clause.span,
            }),
            Cause::Missing => None,
        }
    }

    /// The statement it stands in.
    pub(in crate::rules) fn statement(&self) -> Option<&Statement> {
        match self {
            Cause::Deny(_, statement) => *statement,
            Cause::Condition(statement, _) | Cause::Resource(statement, _) => Some(statement),
            Cause::Missing => None,
        }
    }

    /// Why the call is refused, in words; `noun` is `bucket policy` or `key policy`.
    pub(in crate::rules) fn why(&self, noun: &str) -> String {
        match self {
            Cause::Deny(_, Some(_)) => format!("a Deny of the {noun} meets its calls"),
            Cause::Deny(_, None) => "a resource control policy denies its calls".to_owned(),
            Cause::Condition(_, clause) => format!("the condition on `{}` does not hold", clause.written_key),
            Cause::Resource(..) => "no statement for CloudTrail covers that".to_owned(),
            Cause::Missing => "no statement lets it".to_owned(),
        }
    }

    /// What is to be said of its place; of a cause without one it is that nothing there lets CloudTrail in.
    pub(in crate::rules) fn label(&self) -> &'static str {
        match self {
            Cause::Deny(..) => "CloudTrail's calls meet this",
            Cause::Condition(..) => "CloudTrail's calls do not meet this",
            Cause::Resource(..) => "this does not cover it",
            Cause::Missing => "nothing here lets CloudTrail do that",
        }
    }

    /// Its kind, in one word.
    pub(in crate::rules) fn kind(&self) -> &'static str {
        match self {
            Cause::Deny(..) => "deny",
            Cause::Condition(..) => "condition",
            Cause::Resource(..) => "resource",
            Cause::Missing => "missing",
        }
    }
}

/// What to do about a Deny that meets CloudTrail's calls.
pub(in crate::rules) const SPARE_SERVICES: &str =
    "leave AWS services out of the Deny: add \"Bool\": {\"aws:PrincipalIsAWSService\": \"false\"} to its condition";

/// Adds to a finding about calls that one place refuses what all such have: the proof for the first of them, the kind of its
/// cause, where the trails are described, and the statement.
pub(in crate::rules) fn proved(draft: Draft, group: &[&Refusal<'_>]) -> Draft {
    let Some(first) = group.first() else { return draft };
    let mut draft = draft
        .path(first.denied.explanation.steps.iter().cloned())
        .witness(witness(&first.denied.request, &first.denied.explanation))
        .about(first.cause.kind());
    let mut places: Vec<Span> = Vec::new();
    for (span, label) in group.iter().filter_map(|refusal| refusal.trail.clone()) {
        if !places.contains(&span) {
            places.push(span);
            draft = draft.related(span, label);
        }
    }
    match first.cause.statement() {
        Some(statement) => draft.statement(statement),
        None => draft,
    }
}

/// Finds what refuses a call; `like` gives, for the text of a `Resource`, what the call would be for if it were meant.
pub(in crate::rules) fn cause<'p>(calls: &Calls<'p, '_>, denied: &Denied, like: &dyn Fn(&str) -> String) -> Cause<'p> {
    let policy = calls.policy();
    let request = &denied.request;
    if denied.explanation.decision == Decision::ExplicitDeny {
        let step = denied.explanation.steps.iter().find(|step| step.effect == StepEffect::Denies);
        let place = step.and_then(|step| step.span);
        let own = policy.denies().find(|statement| place.is_some_and(|place| statement.span.contains(place)));
        let span = own.map(deny_span).or(place).unwrap_or(policy.span);
        return Cause::Deny(span, own);
    }
    let meets = |statement: &Statement, request: &Request| {
        calls.with_policies(|policies| statement_may_meet(statement, request, policies))
    };
    let fails = |statement: &'p Statement| -> Vec<&'p Clause> {
        let holds = |clause: &&Clause| condition::holds(clause, statement.effect, request) == Tri::False;
        statement.conditions.iter().filter(holds).collect()
    };
    // The statement that speaks of this very resource, and fails by the fewest conditions.
    let by_condition = policy.allows().filter(|statement| meets(statement, request)).map(|s| (s, fails(s)));
    if let Some((statement, clauses)) = by_condition.min_by_key(|(_, clauses)| clauses.len())
        && let Some(clause) = clauses.first()
    {
        return Cause::Condition(statement, clause);
    }
    let elsewhere = |statement: &'p Statement| {
        let resources = statement.resources.as_ref()?;
        let is_meant = |raw: &str| {
            [like(raw), raw.to_owned()].into_iter().any(|resource| {
                let mut other = request.clone();
                other.resource = resource.into();
                meets(statement, &other)
            })
        };
        let meant: Vec<Span> = match resources.negated {
            true => vec![resources.span],
            false => resources.items.iter().filter(|item| is_meant(item.raw())).map(|item| item.span).collect(),
        };
        match meant.as_slice() {
            [] => None,
            [only] => Some((statement, *only)),
            _ => Some((statement, resources.span)),
        }
    };
    let by_resource = policy.allows().filter_map(elsewhere);
    match by_resource.min_by_key(|(statement, _)| fails(statement).len()) {
        Some((statement, span)) => Cause::Resource(statement, span),
        None => Cause::Missing,
    }
}

/// The place in a Deny that makes it meet the call: its only condition, else all of them, else whom it names.
fn deny_span(statement: &Statement) -> Span {
    match statement.conditions.as_slice() {
        [only] => only.span,
        [] => statement.principals.as_ref().map_or(statement.span, |principals| principals.span),
        _ => statement.condition_span.unwrap_or(statement.span),
    }
}

/// A call to a bucket or key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) enum Call {
    /// Reading the ACL of the bucket.
    ReadAcl,
    /// Writing to this folder.
    Write(String),
    /// Getting a data key.
    Encrypt,
    /// Looking at the key.
    Describe,
}

impl Call {
    /// What CloudTrail does by it, in words.
    fn words(&self) -> String {
        match self {
            Call::ReadAcl => "read the ACL".to_owned(),
            Call::Write(folder) => format!("write under `{folder}`"),
            Call::Encrypt => "encrypt under the key".to_owned(),
            Call::Describe => "describe the key".to_owned(),
        }
    }

    /// The fact that decides it.
    fn fact(&self) -> &'static str {
        match self {
            Call::ReadAcl | Call::Write(_) => "bucket.policy",
            Call::Encrypt | Call::Describe => "key.policy",
        }
    }
}

/// A call that is refused, and why.
#[derive(Debug)]
pub(in crate::rules) struct Refusal<'p> {
    /// Why.
    pub(in crate::rules) cause: Cause<'p>,
    /// The call as it was decided.
    pub(in crate::rules) denied: Denied,
    /// The call.
    pub(in crate::rules) call: Call,
    /// For whom CloudTrail makes it, in words.
    pub(in crate::rules) who: String,
    /// For which trail.
    pub(in crate::rules) source: Source,
    /// Whether the ARN of the trail is known.
    pub(in crate::rules) is_named: bool,
    /// Where the trail is described.
    pub(in crate::rules) trail: Option<(Span, String)>,
}

impl Refusal<'_> {
    /// What to do about a condition that does not hold for the call, whatever the policy is of.
    pub(in crate::rules) fn help_on(&self, clause: &Clause) -> String {
        let source = &self.source;
        match clause.key.as_str() {
            "aws:sourcearn" if self.is_named => format!("name the trail: \"aws:SourceArn\": \"{}\"", source.arn),
            "aws:sourcearn" => format!("name the trail of account {} by its whole ARN", source.account),
            "aws:sourceaccount" => format!("name the account that owns the trail, {}", source.account),
            key if key.starts_with("aws:principal") => {
                "take the condition out: an AWS service does not carry this key; guard the statement with `aws:SourceArn`"
                    .to_owned()
            }
            _ => "take the condition out, or let it hold for CloudTrail's calls".to_owned(),
        }
    }
}

/// What was found of a bucket.
#[derive(Debug, Default)]
pub(in crate::rules) struct Refusals<'p> {
    /// The calls that are refused.
    pub(in crate::rules) all: Vec<Refusal<'p>>,
    /// What could not be decided.
    pub(in crate::rules) gaps: Vec<Gap>,
}

impl<'p> Refusals<'p> {
    /// Takes in how a call ended.
    pub(in crate::rules) fn add(
        &mut self,
        calls: &Calls<'p, '_>,
        call: Call,
        called: Called,
        who: &str,
        source: &Source,
        trail: Option<(Span, String)>,
    ) {
        match called {
            Called::Allowed => {}
            Called::Denied(denied) => {
                let bucket = denied.request.resource.split('/').next().unwrap_or_default().to_owned();
                let like = |raw: &str| match call {
                    Call::ReadAcl => bucket.clone(),
                    Call::Write(_) => log_object(&bucket, raw, source.account),
                    Call::Encrypt | Call::Describe => raw.to_owned(),
                };
                let cause = cause(calls, &denied, &like);
                let is_named = !source.arn.contains(STRANGER);
                let (denied, who, source) = (*denied, who.to_owned(), source.clone());
                self.all.push(Refusal { cause, denied, call, who, source, is_named, trail });
            }
            Called::Open(on) => {
                let what = call.words();
                let quoted = |on: &Dependency| match on.is_fact() {
                    true => on.to_string(),
                    false => format!("`{on}`"),
                };
                let on = list(&on.iter().map(quoted).collect::<Vec<_>>(), 3);
                let gap = Gap::new(call.fact(), format!("whether CloudTrail can {what} for {who} hangs on {on}"));
                // One for each trail is enough.
                if !self.gaps.iter().any(|known| known.reason.ends_with(&format!(" for {who} hangs on {on}"))) {
                    self.gaps.push(gap.at([calls.policy().span]));
                }
            }
        }
    }

    /// The refused calls, those together that are mended in one place.
    pub(in crate::rules) fn by_cause(&self) -> Vec<Vec<&Refusal<'p>>> {
        let mut groups: Vec<Vec<&Refusal<'p>>> = Vec::new();
        for refusal in &self.all {
            let is_same = |group: &&mut Vec<&Refusal<'p>>| {
                let other = group.first().map(|other| (other.cause.span(), other.cause.kind()));
                other == Some((refusal.cause.span(), refusal.cause.kind()))
            };
            match groups.iter_mut().find(is_same) {
                Some(group) => group.push(refusal),
                None => groups.push(vec![refusal]),
            }
        }
        groups
    }
}
