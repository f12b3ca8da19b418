//! How a policy grows with each account that it names.
//!
//! Statements that are alike but for an account, and entries of one list that are, belong to that account. What they take
//! together, divided by the number of accounts, is what one more will take.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::AccountId;
use crate::policy::{Policy, Size, Statement};
use crate::text::Span;

/// What each account takes in a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) struct Growth {
    /// How many accounts have a part of their own.
    pub(in crate::rules) accounts: u32,
    /// What one of them takes, rounded up, in characters without white space.
    pub(in crate::rules) each: u32,
    /// The first such part.
    pub(in crate::rules) first: Span,
}

/// One part of a policy: the accounts it names, its length with the comma that parts it from the next, its place.
type Part = (BTreeSet<AccountId>, u32, Span);

/// The growth of a policy; `None` where no two parts are alike but for their account. `sizes` are those of its statements.
pub(in crate::rules) fn growth(policy: &Policy, sizes: &[Size]) -> Option<Growth> {
    let mut statements: BTreeMap<String, Vec<(Part, &Statement)>> = BTreeMap::new();
    for (statement, size) in policy.statements.iter().zip(sizes) {
        let (shape, accounts) = shape(&statement.normal_form());
        let part = (accounts, size.minified_characters + 1, statement.span);
        statements.entry(shape).or_default().push((part, statement));
    }
    let mut groups: Vec<Vec<Part>> = Vec::new();
    for alike in statements.into_values() {
        match own_accounts(alike.iter().map(|(part, _)| part)) {
            Some(_) => groups.push(alike.into_iter().map(|(part, _)| part).collect()),
            None => groups.extend(alike.iter().flat_map(|(_, statement)| lists(statement))),
        }
    }
    let mut accounts: BTreeSet<AccountId> = BTreeSet::new();
    let mut total = 0;
    let mut first: Option<Span> = None;
    for group in &groups {
        let Some(own) = own_accounts(group.iter()) else { continue };
        accounts.extend(own);
        total += group.iter().map(|(_, length, _)| length).sum::<u32>();
        let place = group.iter().map(|(_, _, span)| *span).min()?;
        first = Some(first.map_or(place, |known| known.min(place)));
    }
    let count = u32::try_from(accounts.len()).ok().filter(|count| *count > 0)?;
    Some(Growth { accounts: count, each: total.div_ceil(count), first: first? })
}

/// The lists of a statement whose entries may be alike but for an account, each shape by itself.
fn lists(statement: &Statement) -> Vec<Vec<Part>> {
    let principals = statement.principals.iter().flat_map(|p| &p.entries).map(|e| (e.text.as_str(), e.span));
    let resources = statement.resources.iter().flat_map(|r| &r.items).map(|item| (item.raw(), item.span));
    let mut found = by_shape(principals);
    found.extend(by_shape(resources));
    for clause in &statement.conditions {
        found.extend(by_shape(clause.values.iter().map(|value| (value.template.raw(), value.span))));
    }
    found
}

fn by_shape<'t>(entries: impl Iterator<Item = (&'t str, Span)>) -> Vec<Vec<Part>> {
    let mut groups: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for (text, span) in entries {
        let (shape, accounts) = shape(text);
        let escaped = text.chars().filter(|c| matches!(c, '"' | '\\')).count();
        // Two quotes and a comma.
        let length = u32::try_from(text.chars().count() + escaped + 3).unwrap_or(u32::MAX);
        groups.entry(shape).or_default().push((accounts, length, span));
    }
    groups.into_values().collect()
}

/// The account that each part has for itself; `None` unless every part has one and there are two at least.
fn own_accounts<'p>(parts: impl Iterator<Item = &'p Part> + Clone) -> Option<BTreeSet<AccountId>> {
    let mut sets = parts.clone().map(|(accounts, ..)| accounts);
    let first = sets.next()?.clone();
    let shared = sets.fold(first, |so_far, accounts| so_far.intersection(accounts).copied().collect());
    let mut own = BTreeSet::new();
    for (accounts, ..) in parts {
        let mut rest = accounts.difference(&shared);
        own.insert(*rest.next()?);
        if rest.next().is_some() {
            return None;
        }
    }
    (own.len() > 1).then_some(own)
}

/// A text with `#` for each account ID, and the accounts.
fn shape(text: &str) -> (String, BTreeSet<AccountId>) {
    let mut shape = String::with_capacity(text.len());
    let mut accounts = BTreeSet::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, digits) = rest.split_at(start);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let (run, behind) = digits.split_at(end);
        shape.push_str(before);
        match AccountId::parse(run) {
            Some(account) => {
                accounts.insert(account);
                shape.push('#');
            }
            None => shape.push_str(run),
        }
        rest = behind;
    }
    shape.push_str(rest);
    (shape, accounts)
}
