//! Accounts that a bucket policy goes through one by one.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::sts;
use crate::aws::{AccountId, Arn};
use crate::model::Class;
use crate::policy::{Policy, Statement};
use crate::rule::context::Context;
use crate::text::Span;

/// Accounts that a policy goes through one by one: as entries of one list, or in statements that differ in nothing else.
pub(in crate::rules) struct Series<'p> {
    /// The accounts.
    pub(in crate::rules) accounts: BTreeSet<AccountId>,
    /// A statement as it is written for one of them.
    pub(in crate::rules) sample: &'p Statement,
    /// The account it is written for.
    pub(in crate::rules) account: AccountId,
    /// Where each account stands; the first is the place of the finding.
    pub(in crate::rules) spans: Vec<Span>,
    /// What one more account takes, in bytes without white space.
    pub(in crate::rules) bytes: usize,
}

/// Every series of a policy, long or short.
pub(in crate::rules) fn all<'p>(context: &Context<'_>, policy: &'p Policy) -> Vec<Series<'p>> {
    let mut series = lists(context, policy);
    series.extend(statements(context, policy));
    series
}

/// Whether an account may be one of the organization: one that is known not to be can not be meant by its ID.
fn may_be_member(context: &Context<'_>, account: AccountId) -> bool {
    match context.model.class(account) {
        Class::Owner | Class::Management | Class::Member => true,
        Class::Undeclared => !context.model.members_are_complete(),
        Class::Reader | Class::ThirdParty { .. } | Class::CloudTrail => false,
    }
}

/// Lists of accounts: a `Principal`, or the values of a condition on the caller's account.
fn lists<'p>(context: &Context<'_>, policy: &'p Policy) -> Vec<Series<'p>> {
    let mut all = Vec::new();
    for statement in readers(policy) {
        let principals = statement.principals.iter().flat_map(|p| &p.entries);
        let named = principals.filter_map(|entry| Some((entry.principal.account()?, entry.span, entry.text.len())));
        let clauses = sts::caller_conditions(statement).filter(|clause| !clause.operator.negated);
        let fixed = clauses.flat_map(|clause| &clause.values).filter_map(|value| {
            let text = value.template.raw();
            let account = AccountId::parse(text).or_else(|| Arn::parse(text)?.account_id());
            Some((account?, value.span, text.len()))
        });
        let entries: Vec<_> = named.chain(fixed).filter(|(account, ..)| may_be_member(context, *account)).collect();
        let Some((account, ..)) = entries.first() else { continue };
        // Quotation marks and a comma go with each entry, and with what else names the account.
        let own = mentions(statement, *account).map(|text| text.len() + 3).sum::<usize>();
        let bytes = entries.iter().map(|(.., length)| length + 3).sum::<usize>() / entries.len() + own;
        all.push(Series {
            accounts: entries.iter().map(|(account, ..)| *account).collect(),
            sample: statement,
            account: *account,
            spans: entries.iter().map(|(_, span, _)| *span).collect(),
            bytes,
        });
    }
    all
}

/// Statements that are the same but for their account.
fn statements<'p>(context: &Context<'_>, policy: &'p Policy) -> Vec<Series<'p>> {
    let mut families: BTreeMap<String, Series<'p>> = BTreeMap::new();
    for statement in readers(policy) {
        let Some(principals) = &statement.principals else { continue };
        let accounts: BTreeSet<Option<AccountId>> = principals.entries.iter().map(|e| e.principal.account()).collect();
        let [Some(account)] = accounts.into_iter().collect::<Vec<_>>()[..] else { continue };
        if !may_be_member(context, account) {
            continue;
        }
        let shape = statement.normal_form().replace(account.as_str(), "${account}");
        let family = families.entry(shape).or_insert_with(|| Series {
            accounts: BTreeSet::new(),
            sample: statement,
            account,
            spans: Vec::new(),
            bytes: length(statement),
        });
        if family.accounts.insert(account) {
            family.spans.push(principals.entries.first().map_or(principals.span, |entry| entry.span));
        }
    }
    families.into_values().collect()
}

/// The Allow statements that are not there for CloudTrail to deliver.
fn readers(policy: &Policy) -> impl Iterator<Item = &Statement> {
    policy.allows().filter(|statement| {
        let only_writes = statement.actions.as_ref().is_some_and(|actions| {
            let writes = |name: &str| ["s3:PutObject", "s3:GetBucketAcl"].iter().any(|w| w.eq_ignore_ascii_case(name));
            !actions.negated && actions.items.iter().all(|action| writes(action.value.raw()))
        });
        !only_writes && statement.principals.as_ref().is_some_and(|principals| !principals.negated)
    })
}

/// The resources and condition values that name an account.
fn mentions(statement: &Statement, account: AccountId) -> impl Iterator<Item = &str> {
    let resources = statement.resources.iter().flat_map(|r| &r.items).map(|item| item.value.raw());
    let prefixes = statement.conditions.iter().filter(|c| c.key.is("s3:prefix")).flat_map(|c| &c.values);
    resources.chain(prefixes.map(|v| v.template.raw())).filter(move |text| text.contains(account.as_str()))
}

/// About how many bytes a statement takes without white space.
fn length(statement: &Statement) -> usize {
    let list = |key: &str, texts: &mut dyn Iterator<Item = usize>| {
        let (count, bytes) = texts.fold((0, 0), |(count, bytes), text| (count + 1, bytes + text + 3));
        if count == 0 { 0 } else { key.len() + 3 + bytes + if count > 1 { 2 } else { 0 } }
    };
    let principals = statement.principals.iter().flat_map(|p| &p.entries).map(|entry| entry.text.len());
    let actions = statement.actions.iter().flat_map(|a| &a.items).map(|item| item.value.raw().len());
    let resources = statement.resources.iter().flat_map(|r| &r.items).map(|item| item.value.raw().len());
    let clauses = statement.conditions.iter().map(|clause| {
        let values = clause.values.iter().map(|value| value.template.raw().len());
        clause.operator.to_string().len() + 5 + list(&clause.written_key, &mut values.into_iter())
    });
    let condition: usize = clauses.sum();
    let sid = statement.sid.as_ref().map_or(0, |sid| r#""Sid":"","#.len() + sid.value.len());
    sid + r#"{"Effect":"Allow","Principal":{"AWS":}},"#.len()
        + list("", &mut principals.into_iter())
        + list("Action", &mut actions.into_iter())
        + list("Resource", &mut resources.into_iter())
        + if condition == 0 { 0 } else { r#""Condition":{},"#.len() + condition }
}
