//! What a policy lets a role do beyond reading, listing and decrypting logs.
//!
//! Each answer is a request that the role's own policies allow: statements of the policy in question, less what Deny
//! statements, the boundary and the bucket's own Deny statements take away.

mod ask;
mod targets;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::access::allowance::{Allowance, GIVEN_UP};
use crate::access::search::Answer;
use crate::aws::services::{self, Access, Action, Applies};
use crate::estate::Gap;
use crate::policy::pattern::{Case, has_wildcard, matches};
use crate::policy::{Entries, Statement};
use crate::rule::context::Context;
use crate::rules::shared::assume_role::breadth;
use crate::rules::shared::permissions::Limits;
use crate::rules::shared::words::{list, quoted};
use crate::text::Span;
use ask::Asker;
pub(in crate::rules) use targets::Ground;
use targets::{Place, Target};

/// Something that a statement allows and that sharing logs does not need.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Excess {
    /// What it is.
    pub(in crate::rules) kind: Kind,
    /// The value that allows it.
    pub(in crate::rules) span: Span,
    /// The request that proves it.
    pub(in crate::rules) answer: Answer,
}

/// The kinds of excess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) enum Kind {
    /// Reads objects of this bucket, or of buckets that the pattern matches; `None` stands for every bucket.
    Read(Option<String>),
    /// Lists such buckets.
    List(Option<String>),
    /// Reads how such buckets are set up.
    Configuration(Option<String>),
    /// Another action, on this bucket or on whatever the statement names.
    Action(String, Option<String>),
    /// Decrypts under keys that nobody names.
    Decrypt,
}

/// Reads that a role needs, the most telling first.
const READS: [&str; 4] = ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions"];

/// Changes, the most telling first.
const CHANGES: [&str; 8] = [
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:PutBucketPolicy",
    "s3:PutObjectAcl",
    "kms:PutKeyPolicy",
    "kms:CreateGrant",
    "kms:ScheduleKeyDeletion",
    "kms:Encrypt",
];

/// How many other services are looked for.
pub(in crate::rules) const ENOUGH: usize = 3;

/// Actions that stand for all services that a pattern leaves open.
const ELSEWHERE: [&str; 4] = ["iam:CreateRole", "ec2:RunInstances", "secretsmanager:GetSecretValue", "iam:ListRoles"];

/// Everything that a statement of one of a role's policies allows beyond reading, listing and decrypting logs; at most
/// one thing of each kind and resource.
pub(in crate::rules) fn of_statement(
    context: &Context<'_>,
    allowance: &Allowance,
    ground: &Ground<'_, '_>,
    statement: &Statement,
    limits: &Limits,
) -> (Vec<Excess>, Vec<Gap>) {
    let asker = Asker::new(context, allowance, ground.role, statement, limits);
    let mut search = Search { asker, ground, statement, found: Vec::new(), gaps: Vec::new() };
    let Some(actions) = &statement.actions else { return (search.found, search.gaps) };
    let [reads, changes, of_keys] = covered(actions);
    let only_logs = || changes.is_empty() && ground.speaks_of_logs_alone(statement);
    if !(reads.is_empty() && changes.is_empty() || only_logs()) {
        let places = targets::places(ground, statement);
        search.other_buckets(&reads, actions, &places);
        search.changes(&changes, actions, &places);
    }
    if !of_keys.is_empty() || statement.covers_action(DECRYPT) {
        let keys = targets::keys(ground, statement);
        search.changes(&of_keys, actions, &keys);
        search.decrypts(actions, &keys);
    }
    search.elsewhere(actions, limits);
    (search.found, search.gaps)
}

/// A quick look at a statement: whether it lets nobody do more than read logs, as far as it can be told from its text.
pub(in crate::rules) fn is_nothing_more(ground: &Ground<'_, '_>, statement: &Statement) -> bool {
    statement.actions.as_ref().is_none_or(reads_at_most) && ground.speaks_of_logs_alone(statement)
}

/// Whether a statement's actions are such as readers of logs need, each named in full: what most statements of sharing
/// roles are.
fn reads_at_most(actions: &Entries) -> bool {
    let is_read = |raw: &str| {
        let mut reads = READS.iter().chain([&LOCATION]);
        READS.contains(&raw) || reads.any(|read| read.eq_ignore_ascii_case(raw))
    };
    !actions.negated && actions.items.iter().all(|item| is_read(item.raw()))
}

/// What a statement's actions cover: reads of S3, changes of S3, changes of KMS.
fn covered(actions: &Entries) -> [Vec<&'static Named>; 3] {
    let known = &*RANKED;
    if actions.negated || actions.items.iter().any(|item| has_wildcard(item.raw())) {
        return known
            .lists
            .each_ref()
            .map(|list| list.iter().filter(|(_, name)| actions.covers_action(name)).collect());
    }
    let found = actions.items.iter().filter_map(|item| known.ranks.get(&item.raw().to_ascii_lowercase()));
    let mut ranks: Vec<(usize, usize)> = found.copied().collect();
    ranks.sort_unstable();
    ranks.dedup();
    let of = |wanted| {
        let of_list = ranks.iter().filter(|(list, _)| *list == wanted);
        of_list.filter_map(|(list, rank)| known.lists.get(*list)?.get(*rank)).collect()
    };
    [of(0), of(1), of(2)]
}

struct Search<'s, 'c, 'r> {
    asker: Asker<'s, 'c, 'r>,
    ground: &'s Ground<'s, 'r>,
    statement: &'s Statement,
    found: Vec<Excess>,
    gaps: Vec<Gap>,
}

impl Search<'_, '_, '_> {
    /// Puts a request; whether it is allowed.
    fn put(&mut self, action: &str, target: &Target, kind: Kind, span: Span) -> bool {
        if !self.statement.covers_action(action) || !target.may_be_covered(self.statement) {
            return false;
        }
        let answer = self.asker.ask(action, target);
        match answer {
            Answer::No => false,
            Answer::Undecided => {
                let reason = GIVEN_UP;
                self.gaps.push(Gap::new("role.permissions", reason).at([self.statement.span]));
                true
            }
            answer => {
                self.found.push(Excess { kind, span, answer });
                true
            }
        }
    }

    fn other_buckets(&mut self, reads: &[&Named], actions: &Entries, places: &[Target]) {
        let others = places.iter().filter(|target| matches!(target.place, Place::Other(_)));
        let mut told: Vec<&Place> = Vec::new();
        for target in others {
            if told.contains(&&target.place) || !reads.iter().any(|(action, _)| applies(action, target)) {
                continue;
            }
            if let Some(gap) = targets::not_known_to_be_other(self.ground, target) {
                self.gaps.push(gap);
                told.push(&target.place);
                continue;
            }
            let Place::Other(name) = &target.place else { continue };
            for (action, full_name) in reads.iter().filter(|(action, _)| applies(action, target)) {
                let kind = match &action.name {
                    name if name.starts_with("GetObject") => Kind::Read,
                    name if name.starts_with("List") => Kind::List,
                    _ => Kind::Configuration,
                };
                let kind = kind(name.clone());
                if self.put(full_name, target, kind, target.span.unwrap_or(actions.span)) {
                    told.push(&target.place);
                    break;
                }
            }
        }
        // Who reads a bucket may as well list it: one of the two is enough to tell.
        let read: Vec<Option<String>> = self
            .found
            .iter()
            .filter_map(|e| if let Kind::Read(name) = &e.kind { Some(name.clone()) } else { None })
            .collect();
        self.found.retain(
            |excess| !matches!(&excess.kind, Kind::List(name) | Kind::Configuration(name) if read.contains(name)),
        );
    }

    /// The first action that changes something.
    fn changes(&mut self, changes: &[&Named], actions: &Entries, places: &[Target]) {
        for (action, name) in changes {
            // On the logs first: that is what the role is for.
            let logs = places.iter().filter(|target| !matches!(target.place, Place::Other(_)));
            let others = places.iter().filter(|target| matches!(target.place, Place::Other(_)));
            for target in logs.chain(others).filter(|target| applies(action, target)) {
                let kind = Kind::Action(name.clone(), target.place.bucket());
                if self.put(name, target, kind, action_span(actions, name)) {
                    return;
                }
            }
        }
    }

    fn decrypts(&mut self, actions: &Entries, keys: &[Target]) {
        let decrypt = services::action(DECRYPT);
        let fits = |key: &&Target| key.place == Place::AnyKey && decrypt.is_some_and(|action| applies(action, key));
        for key in keys.iter().filter(fits) {
            let span = key.span.unwrap_or(actions.span);
            if self.put(DECRYPT, key, Kind::Decrypt, span) {
                // A condition on the key is what may make it the right one.
                self.found.retain(|excess| excess.kind != Kind::Decrypt || excess.answer.is_yes());
                return;
            }
        }
    }

    /// One action of each other service that is named, and one for all that are left open.
    fn elsewhere(&mut self, actions: &Entries, limits: &Limits) {
        let named = actions.items.iter().filter(|_| !actions.negated).map(|item| (item.raw(), item.span));
        let mut told: Vec<String> = Vec::new();
        for (pattern, span) in named {
            // Enough to tell: a policy of AWS's own names hundreds.
            if told.len() == ENOUGH {
                return;
            }
            let prefix = pattern.split(':').next().unwrap_or(pattern);
            if prefix.eq_ignore_ascii_case("s3") || prefix.eq_ignore_ascii_case("kms") {
                continue;
            }
            let prefix = prefix.to_ascii_lowercase();
            if has_wildcard(&prefix) || told.contains(&prefix) {
                continue;
            }
            let roles_by_name =
                || breadth(self.asker.allowance, self.statement, limits, self.ground.role.role.account).is_none();
            let action = match prefix.as_str() {
                "cloudtrail" | "cloudtrail-data" => services::expand(pattern)
                    .find(|a| !matches!(a.access, Access::Read | Access::List))
                    .map(ToString::to_string),
                // What is no danger without the trust policy of another role, or tells only who one is.
                "sts" => ["sts:AssumeRole", "sts:AssumeRoot"]
                    .into_iter()
                    .find(|action| {
                        matches(pattern, action, Case::Insensitive) && (*action != "sts:AssumeRole" || roles_by_name())
                    })
                    .map(str::to_owned),
                _ if has_wildcard(pattern) && services::service(&prefix).is_some() => {
                    services::expand(pattern).next().map(ToString::to_string)
                }
                _ => Some(pattern.to_owned()),
            };
            let Some(action) = action else { continue };
            for target in targets::elsewhere(self.ground, self.statement, &prefix) {
                if self.put(&action, &target, Kind::Action(pattern.to_owned(), None), span) {
                    told.push(prefix.clone());
                    break;
                }
            }
        }
        let open = actions.negated
            || actions.items.iter().any(|item| has_wildcard(item.raw().split(':').next().unwrap_or("")));
        if !open {
            return;
        }
        for action in ELSEWHERE {
            let service = action.split(':').next().unwrap_or_default();
            for target in targets::elsewhere(self.ground, self.statement, service) {
                if self.put(action, &target, Kind::Action(action.to_owned(), None), action_span(actions, action)) {
                    return;
                }
            }
        }
    }
}

/// An action and its full name.
type Named = (&'static Action, String);

/// Reads of S3, changes of S3 and of KMS, the telling ones first, and the list and place of each by its name in lower
/// case. Where a bucket is finds everybody, and decrypting is what readers of logs do: neither is among them.
struct Ranked {
    lists: [Vec<Named>; 3],
    ranks: HashMap<String, (usize, usize)>,
}

static RANKED: LazyLock<Ranked> = LazyLock::new(|| {
    let reads = in_order("s3", &READS, &[Access::Read, Access::List]);
    let lists = [reads, in_order("s3", &CHANGES, &WRITING), in_order("kms", &CHANGES, &WRITING)];
    let named = lists.iter().enumerate().flat_map(|(list, actions)| {
        actions.iter().enumerate().map(move |(rank, (_, name))| (name.to_ascii_lowercase(), (list, rank)))
    });
    let ranks = named.collect();
    Ranked { lists, ranks }
});

const LOCATION: &str = "s3:GetBucketLocation";
const DECRYPT: &str = "kms:Decrypt";
const WRITING: [Access; 3] = [Access::Write, Access::PermissionsManagement, Access::Tagging];

fn in_order(service: &str, first: &[&str], levels: &[Access]) -> Vec<Named> {
    let all = services::service(service).map(|service| service.actions()).unwrap_or_default();
    let of_levels = all.iter().filter(|action| levels.contains(&action.access));
    let named = of_levels.map(|action| (action, action.to_string()));
    let mut actions: Vec<Named> = named.filter(|(_, name)| ![LOCATION, DECRYPT].contains(&name.as_str())).collect();
    actions.sort_by_key(|(_, own)| first.iter().position(|name| name == own).unwrap_or(first.len()));
    actions
}

fn applies(action: &Action, target: &Target) -> bool {
    match action.takes_resource() {
        true => target.arn != "*" && action.applies_to(&target.arn) == Applies::Yes,
        false => target.arn == "*",
    }
}

/// The value that covers an action.
fn action_span(actions: &Entries, action: &str) -> Span {
    let listed = actions.items.iter().find(|item| matches(item.raw(), action, Case::Insensitive));
    listed.filter(|_| !actions.negated).map_or(actions.span, |item| item.span)
}

/// What goes beyond, in words that follow `can`.
pub(in crate::rules) fn in_words<'e>(all: impl IntoIterator<Item = &'e Excess>) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut elsewhere: Vec<&str> = Vec::new();
    for excess in all {
        let bucket = |name: &Option<String>| match name {
            Some(name) if has_wildcard(name) => format!("buckets `{name}`"),
            Some(name) => format!("bucket `{name}`"),
            None => "any other bucket".to_owned(),
        };
        let part = match &excess.kind {
            Kind::Read(name) => format!("read {}", bucket(name)),
            Kind::List(name) => format!("list {}", bucket(name)),
            Kind::Configuration(name) => format!("read how {} is set up", bucket(name)),
            Kind::Action(action, Some(name)) => format!("use `{action}` on `{name}`"),
            Kind::Action(action, None) if elsewhere.len() < ENOUGH => {
                elsewhere.push(action);
                continue;
            }
            Kind::Action(..) => continue,
            Kind::Decrypt => "decrypt under any key".to_owned(),
        };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    if !elsewhere.is_empty() {
        parts.push(format!("use {}", quoted(&elsewhere, ENOUGH)));
    }
    list(&parts, 4)
}
