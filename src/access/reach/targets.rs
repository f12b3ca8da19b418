//! What to ask about: the objects of an account, and the prefixes of a listing that leads to them.

use compact_str::CompactString;

use super::ask::Case;
use super::ground::{DELIVERED, LogOwner, examples};
use super::hit::{Hit, better};
use super::reader::Identity;
use crate::access::objects::{self, Statements};
use crate::access::pattern_set::{MAX_WORK, Text, arns_overlap, difference, overlap};
use crate::access::request::Request;
use crate::aws::AccountId;
use crate::policy::pattern::{Case as Letters, matches};
use crate::policy::template::{Piece, Template};
use crate::policy::{Effect, Statement};

/// How many prefixes of a listing are told apart.
const MOST_PREFIXES: usize = 64;

/// Whether a `Resource` may have something in common with a bucket or its objects.
pub(super) fn may_overlap(item: &Template, bucket: &str) -> bool {
    let raw = item.raw();
    // A plain pattern that names the bucket, as nearly all do.
    if raw.strip_prefix(bucket).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*'])) {
        return true;
    }
    let pattern = opened(item, None);
    arns_overlap(&pattern, bucket) || arns_overlap(&pattern, &format!("{bucket}/*"))
}

/// A pattern whose variables stand for anything, that of the caller's account for this one where it is given.
pub(super) fn opened(item: &Template, account: Option<AccountId>) -> CompactString {
    let Some(pieces) = item.pieces() else { return item.raw().into() };
    let mut text = CompactString::default();
    for piece in pieces {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Literal('*' | '?') => text.push('?'),
            Piece::Literal(other) => text.push(*other),
            Piece::Variable(variable) => match account {
                Some(account) if variable.key.is("aws:PrincipalAccount") => text.push_str(account.as_str()),
                _ => text.push('*'),
            },
        }
    }
    text
}

impl<'c> Case<'c> {
    /// The prefixes to ask a listing for, none too: those that lead to keys under `prefix` and that conditions tell apart.
    pub(super) fn listings(&self, prefix: &str, action: &str) -> Vec<Option<CompactString>> {
        let Some(base) = self.face.callers.first() else { return Vec::new() };
        let base = Request::new(base.clone(), action, &self.ground.arn, self.ground.owner);
        let about = self.statements().filter(|statement| statement.covers_action(action));
        let clauses = about.flat_map(|s| &s.conditions).filter(|clause| clause.key.is("s3:prefix"));
        let patterns: Vec<String> = clauses
            .flat_map(|clause| clause.values.iter().map(|value| (clause.operator.takes_wildcards(), &value.template)))
            .map(|(wild, template)| objects::bound_value(template, wild, &base))
            .collect();
        let mut found: Vec<Option<CompactString>> = vec![Some(prefix.into())];
        if patterns.is_empty() {
            return found;
        }
        found.push(None);
        let met = |text: &str| -> Vec<bool> {
            patterns.iter().map(|pattern| matches(pattern, text, Letters::Sensitive)).collect()
        };
        let mut seen: Vec<Vec<bool>> = vec![met(prefix)];
        let mut add = |text: &str| {
            let met = met(text);
            if found.len() < MOST_PREFIXES && !seen.contains(&met) {
                seen.push(met);
                found.push(Some(text.into()));
            }
        };
        // What leads to it: its folders first, then any part of it.
        let folders = prefix.match_indices('/').map(|(at, _)| at + 1).rev();
        let parts = prefix.char_indices().map(|(at, _)| at).rev();
        folders.chain(parts).filter_map(|end| prefix.get(..end)).for_each(&mut add);
        // What lies in it, where patterns tell such prefixes apart.
        let inside = format!("{prefix}*");
        let near: Vec<&str> = patterns.iter().map(String::as_str).filter(|pattern| overlap(pattern, &inside)).collect();
        let mut work = MAX_WORK / 10;
        let mut within = |wanted: &[&str], unwanted: &[&str]| {
            if let Text::Found(text) = difference(wanted, unwanted, &mut work) {
                add(&text);
            }
        };
        if !near.is_empty() {
            within(&[&inside], &near);
        }
        for pattern in &near {
            let others: Vec<&str> = near.iter().copied().filter(|other| other != pattern).collect();
            within(&[&inside, pattern], &[]);
            within(&[&inside, pattern], &others);
            within(&[&inside], &[pattern]);
        }
        found
    }

    /// Whether any Allow may let the action through on objects of a column: a quick look at the patterns of resources.
    pub(super) fn may_touch(&self, action: &str, column: &LogOwner) -> bool {
        let Some(caller) = self.face.callers.first() else { return false };
        let account = caller.account();
        let near = |statement: &&&Statement| {
            statement.effect == Effect::Allow
                && statement.covers_action(action)
                && statement.resources.as_ref().is_some_and(|resources| {
                    resources.negated
                        || resources.items.iter().any(|item| {
                            let pattern = opened(item, account);
                            column.prefixes.iter().any(|prefix| {
                                arns_overlap(&pattern, &format!("{}/{prefix}{DELIVERED}*", self.ground.arn))
                            })
                        })
                })
        };
        self.allowed_by(&|| self.by_identity.iter().any(|statement| near(&statement)), &|| {
            self.by_resource.iter().any(|statement| near(&statement))
        })
    }

    /// Objects of a column to ask about: first such as there really are, then such as patterns tell apart.
    ///
    /// Where these can not stand for all, `best` is left with a hit that nobody can tell of.
    pub(super) fn objects(&self, column: &LogOwner, action: &str, best: &mut Option<Hit>) -> Vec<CompactString> {
        let Some(caller) = self.face.callers.first() else { return Vec::new() };
        let base = Request::new(caller.clone(), action, &self.ground.arn, self.ground.owner);
        let about = |side: &[&'c Statement]| -> Vec<&'c Statement> {
            side.iter().copied().filter(|statement| statement.covers_action(action)).collect()
        };
        let identity = match self.face.identity {
            Identity::Policies(..) if self.missing.is_none() => Some(about(&self.by_identity)),
            Identity::None => Some(Vec::new()),
            _ => None,
        };
        let (resource, limits) = (about(&self.by_resource), about(&self.by_limits));
        let either = self.face.account().is_none_or(|account| Some(account) == self.ground.owner);
        let statements = Statements { resource: &resource, identity: identity.as_deref(), either, limits: &limits };
        let mut arns: Vec<CompactString> = Vec::new();
        for prefix in &column.prefixes {
            let start = format!("{}/{prefix}{DELIVERED}", self.ground.arn);
            let found = objects::under(&start, &examples(column.account), &statements, &base);
            if !found.is_complete {
                better(best, Some(Hit::unknown("which objects the patterns of the policies leave open")));
            }
            arns.extend(found.arns);
        }
        arns
    }
}
