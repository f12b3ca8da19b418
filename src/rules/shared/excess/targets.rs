//! The resources that a statement is tried on.

use std::cell::OnceCell;

use compact_str::CompactString;

use crate::access::request::{Caller, Request};
use crate::access::search::{ANY_SESSION, STRANGER, fill};
use crate::aws::{AccountId, Arn};
use crate::estate::Gap;
use crate::model::LogBucketStatus;
use crate::policy::Statement;
use crate::policy::pattern::{Case, has_wildcard, matches};
use crate::policy::template::Template;
use crate::rule::context::Context;
use crate::rule::role::RoleView;
use crate::text::{Span, Spanned};

/// A resource to try.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Its ARN, or `*` for actions without a resource.
    pub(super) arn: String,
    /// What it is.
    pub(super) place: Place,
    /// The value of the statement that it was made from.
    pub(super) span: Option<Span>,
}

/// What a target is to the logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A log bucket of this name.
    Log(String),
    /// A bucket that holds no logs, as far as is known: its name or pattern, `None` for any bucket.
    Other(Option<String>),
    /// A key that is named.
    Key,
    /// A key that nobody names.
    AnyKey,
    /// Anything else.
    Else,
}

impl Place {
    /// The bucket, where it has a name.
    pub(super) fn bucket(&self) -> Option<String> {
        match self {
            Place::Log(name) => Some(name.clone()),
            Place::Other(name) => name.clone(),
            _ => None,
        }
    }
}

impl Target {
    /// What actions without a resource are tried on.
    fn none(span: Span) -> Self {
        Target { arn: "*".to_owned(), place: Place::Else, span: Some(span) }
    }

    /// A quick look at whether the statement's resources may cover it; the evaluator decides.
    pub(super) fn may_be_covered(&self, statement: &Statement) -> bool {
        let Some(resources) = &statement.resources else { return false };
        resources.negated
            || resources
                .items
                .iter()
                .any(|item| item.raw() == "*" || !item.is_plain() || matches(item.raw(), &self.arn, Case::Sensitive))
    }
}

/// The account of a role, or a stand-in for it.
pub(super) fn account_of(role: &RoleView<'_>) -> AccountId {
    role.role.account.unwrap_or_else(|| AccountId::other_than([]))
}

/// What all statements of one role have in common.
pub(in crate::rules) struct Ground<'v, 'a> {
    pub(super) role: &'v RoleView<'a>,
    /// The names of the log buckets.
    logs: Vec<String>,
    /// What variables stand for; found out for the first template that is not plain.
    base: OnceCell<Request>,
}

impl<'v, 'a> Ground<'v, 'a> {
    pub(in crate::rules) fn new(context: &Context<'_>, role: &'v RoleView<'a>) -> Self {
        Ground { role, logs: log_buckets(context, role), base: OnceCell::new() }
    }

    /// Whether all that a statement names are log buckets and what is in them.
    pub(super) fn speaks_of_logs_alone(&self, statement: &Statement) -> bool {
        let is_log = |item: &Spanned<Template>| {
            let bucket = Arn::parse(item.raw()).and_then(|arn| arn.bucket());
            bucket.is_some_and(|bucket| self.logs.iter().any(|log| log == bucket))
        };
        statement.resources.as_ref().is_some_and(|resources| !resources.negated && resources.items.iter().all(is_log))
    }

    fn fill(&self, item: &Template) -> CompactString {
        let base = self.base.get_or_init(|| {
            let caller = Caller::Session(account_of(self.role), self.role.role.name.clone(), Some(ANY_SESSION.into()));
            Request::new(caller, "s3:GetObject", "*", None)
        });
        fill(item, STRANGER, "x", base)
    }
}

/// The buckets and objects that a statement is tried on: one for each of its resources, a bucket that nobody names, and
/// the log buckets.
pub(super) fn places(ground: &Ground<'_, '_>, statement: &Statement) -> Vec<Target> {
    let Some(resources) = &statement.resources else { return Vec::new() };
    let (logs, partition) = (&ground.logs, ground.role.partition());
    let mut targets = Vec::new();
    let any = |span| {
        let bucket = format!("arn:{partition}:s3:::{STRANGER}");
        let both = [format!("{bucket}/{STRANGER}"), bucket];
        let both = both.map(|arn| Target { arn, place: Place::Other(None), span: Some(span) });
        both.into_iter().chain([Target::none(span)])
    };
    let of_logs = || {
        let both = logs.iter().flat_map(|name| {
            let bucket = format!("arn:{partition}:s3:::{name}");
            [format!("{bucket}/AWSLogs/{STRANGER}"), bucket].map(|arn| (arn, name.clone()))
        });
        both.map(|(arn, name)| Target { arn, place: Place::Log(name), span: None })
    };
    if resources.negated {
        targets.extend(any(resources.span));
        targets.extend(of_logs());
    }
    for item in resources.items.iter().filter(|_| !resources.negated) {
        let filled = ground.fill(item);
        let Some((arn, pattern)) = Arn::parse(&filled).zip(Arn::parse(item.raw())) else {
            if item.raw().ends_with('*') {
                targets.extend(any(item.span));
                targets.extend(of_logs());
            }
            continue;
        };
        // An open field before the bucket: `arn:aws:*:::b/*`.
        if arn.service != "s3" && !matches(pattern.service, "s3", Case::Sensitive) {
            continue;
        }
        let name = bucket_of(pattern.resource);
        if name == "*" {
            targets.extend(any(item.span));
            targets.extend(of_logs());
            let object = arn.resource.split_once('/').map(|(_, key)| format!("arn:{partition}:s3:::{STRANGER}/{key}"));
            targets.extend(object.map(|arn| Target { arn, place: Place::Other(None), span: Some(item.span) }));
            continue;
        }
        let Some(bucket) = arn.bucket() else {
            targets.push(Target { arn: filled.to_string(), place: Place::Else, span: Some(item.span) });
            continue;
        };
        let place = match logs.iter().find(|log| *log == bucket) {
            Some(log) => Place::Log(log.clone()),
            None => Place::Other(Some(name.to_owned())),
        };
        if has_wildcard(name) {
            // The star runs on over the slash, and over the name of a log bucket.
            let object = format!("{filled}/{STRANGER}");
            targets.push(Target { arn: object, place: place.clone(), span: Some(item.span) });
            targets.extend(of_logs());
        }
        targets.push(Target { arn: filled.to_string(), place, span: Some(item.span) });
    }
    targets
}

/// A resource up to the slash behind the bucket; the slash of a variable's key is none.
fn bucket_of(resource: &str) -> &str {
    let mut inside = false;
    let end = resource.find(|c| {
        inside = (inside || c == '{') && c != '}';
        c == '/' && !inside
    });
    end.and_then(|end| resource.get(..end)).unwrap_or(resource)
}

/// The names of the log buckets: those that the model knows, those of which the role's policies name a path in an
/// `AWSLogs` folder and nothing else is known, or else the only bucket that these policies name.
fn log_buckets(context: &Context<'_>, role: &RoleView<'_>) -> Vec<String> {
    let known = context.model.log_buckets().iter().filter(|bucket| bucket.is_named);
    let mut names: Vec<String> = known.map(|bucket| bucket.name.to_string()).collect();
    let is_known = !names.is_empty();
    let holds_none = |name: &str| {
        let bucket = context.estate.buckets.iter().find(|bucket| bucket.name == name);
        bucket.is_some_and(|bucket| context.model.is_log_bucket(bucket) == LogBucketStatus::No)
    };
    for (name, path) in buckets_in(role) {
        if !names.iter().any(|known| known == name) && path.contains("/AWSLogs/") && is_name(name) && !holds_none(name)
        {
            names.push(name.to_owned());
        }
    }
    if names.is_empty() && !is_known {
        let mut named = buckets_in(role).map(|(name, _)| name).filter(|name| is_name(name));
        if let Some(only) = named.next().filter(|only| named.all(|name| name == *only)) {
            names.push(only.to_owned());
        }
    }
    names
}

/// The buckets of a role's policies, by names and patterns, each with the resource.
fn buckets_in<'v>(role: &'v RoleView<'_>) -> impl Iterator<Item = (&'v str, &'v str)> {
    let statements = role.policies.iter().flat_map(|policy| policy.policy.allows());
    let resources = statements.filter_map(|s| s.resources.as_ref()).filter(|r| !r.negated).flat_map(|r| &r.items);
    resources.filter_map(|item| Some((Arn::parse(item.raw())?.bucket()?, item.raw())))
}

/// Whether a bucket is named in full.
fn is_name(bucket: &str) -> bool {
    !has_wildcard(bucket) && !bucket.contains('$')
}

/// Where nothing tells which bucket holds logs, a bucket by name may be the one.
pub(super) fn not_known_to_be_other(ground: &Ground<'_, '_>, target: &Target) -> Option<Gap> {
    let Place::Other(Some(name)) = &target.place else { return None };
    if has_wildcard(name) || !ground.logs.is_empty() {
        return None;
    }
    let reason = format!("no log bucket is known, and so not whether `{name}` is one");
    Some(Gap::new("model.log-buckets", reason))
}

/// The keys that a statement is tried on: one for each of its resources, and one that nobody names.
pub(super) fn keys(ground: &Ground<'_, '_>, statement: &Statement) -> Vec<Target> {
    let Some(resources) = &statement.resources else { return Vec::new() };
    let (partition, account) = (ground.role.partition(), account_of(ground.role));
    let any = |span| Target {
        arn: format!("arn:{partition}:kms:us-east-1:{account}:key/{STRANGER}"),
        place: Place::AnyKey,
        span: Some(span),
    };
    if resources.negated {
        return vec![any(resources.span), Target::none(resources.span)];
    }
    let mut targets = Vec::new();
    for item in &resources.items {
        let filled = ground.fill(item);
        match Arn::parse(&filled).zip(Arn::parse(item.raw())) {
            None if item.raw().ends_with('*') => targets.extend([any(item.span), Target::none(item.span)]),
            Some((_, pattern)) if matches(pattern.service, "kms", Case::Sensitive) => {
                targets.push(any(item.span));
                let place = if has_wildcard(pattern.resource) { Place::AnyKey } else { Place::Key };
                let arn = filled.replacen(&format!(":kms:{STRANGER}:"), ":kms:us-east-1:", 1);
                targets.push(Target { arn, place, span: Some(item.span) });
            }
            _ => {}
        }
    }
    targets
}

/// The resources on which an action of another service is tried: none in particular, and those of its own that the
/// statement names.
pub(super) fn elsewhere(ground: &Ground<'_, '_>, statement: &Statement, service: &str) -> Vec<Target> {
    let Some(resources) = &statement.resources else { return Vec::new() };
    if resources.negated {
        return vec![Target::none(resources.span)];
    }
    let mut targets = Vec::new();
    for item in &resources.items {
        if item.raw() == "*" {
            targets.push(Target::none(item.span));
            continue;
        }
        let filled = ground.fill(item);
        let named = Arn::parse(item.raw()).is_some_and(|arn| matches(arn.service, service, Case::Sensitive));
        if named {
            targets.push(Target { arn: filled.to_string(), place: Place::Else, span: Some(item.span) });
        }
    }
    targets
}
