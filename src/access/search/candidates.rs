//! The values of condition keys that are worth trying, as far as policies can tell them apart.

use compact_str::CompactString;

use super::cost::{Meter, WORK, comparisons};
use super::{STRANGER, variables};
use crate::access::request::{Caller, Given, Request};
use crate::aws::{AccountId, Arn, ConditionKey};
use crate::policy::condition::{self, Context, KeyValue, Tri, is_multivalued};
use crate::policy::operator::Family;
use crate::policy::pattern;
use crate::policy::template::Template;
use crate::policy::{Clause, Statement};

/// How many values are not worth telling apart.
const FEW: usize = 2;

/// The values of keys worth trying for one caller, each key's found once.
pub(super) struct Candidates<'c> {
    /// The statements that may fit some caller.
    pub(super) statements: &'c [&'c Statement],
    /// The caller's request without them.
    pub(super) base: &'c Request,
    known: Vec<(ConditionKey, Vec<Given>)>,
}

impl<'c> Candidates<'c> {
    pub(super) fn new(statements: &'c [&'c Statement], base: &'c Request) -> Self {
        Candidates { statements, base, known: Vec::new() }
    }

    /// Those of a key, of those that nothing tells apart the first.
    pub(super) fn of(&mut self, key: &ConditionKey, meter: &mut Meter) -> &[Given] {
        let at = self.known.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
            meter.charge(self.statements.iter().map(|statement| comparisons(statement)).sum());
            let mut values = candidates(key, self.statements, self.base);
            if values.len() > FEW {
                self.tell_apart(key, &mut values, meter);
            }
            self.known.push((key.clone(), values));
            self.known.len() - 1
        });
        self.known.get(at).map(|(_, values)| values.as_slice()).unwrap_or_default()
    }

    /// Leaves of the values that meet the same comparisons the first: for keys that policies alone look at, and that stand in
    /// no text.
    fn tell_apart(&self, key: &ConditionKey, values: &mut Vec<Given>, meter: &mut Meter) {
        if !key.starts_with("aws:") || stands_in_text(key, self.statements) {
            return;
        }
        let compared = || {
            let statements = self.statements.iter();
            statements.flat_map(|s| s.conditions.iter().map(|clause| (s.effect, clause))).filter(|(_, c)| c.key == *key)
        };
        if compared().any(|(_, clause)| clause.values.iter().any(|value| value.template.variables().next().is_some())) {
            return;
        }
        meter.charge(values.len() * compared().map(|(_, clause)| WORK * clause.values.len()).sum::<usize>());
        let mut request = self.base.clone();
        let mut seen: Vec<Vec<Tri>> = Vec::new();
        values.retain(|given| {
            request.context.insert(key.clone(), given.clone());
            let met: Vec<Tri> = compared().map(|(effect, clause)| condition::holds(clause, effect, &request)).collect();
            let is_new = !seen.contains(&met);
            if is_new {
                seen.push(met);
            }
            is_new
        });
    }
}

/// The values of a key worth trying: none, something nobody names, and what the policies compare it with.
fn candidates(key: &ConditionKey, statements: &[&Statement], base: &Request) -> Vec<Given> {
    let mut values: Vec<CompactString> = Vec::new();
    let mut add = |value: CompactString| {
        if !values.contains(&value) {
            values.push(value);
        }
    };
    let is_source_of_service = matches!(base.caller, Caller::Service(_)) && key.is("aws:SourceArn");
    let clauses = statements.iter().flat_map(|s| &s.conditions).filter(|clause| clause.key == *key);
    for clause in clauses {
        for value in &clause.values {
            compared_with(clause, &value.template, base, &mut add);
            if is_source_of_service && let Some(whole) = completed(value.template.raw(), base) {
                add(whole);
            }
        }
    }
    if stands_in_text(key, statements) {
        // What the variable may stand for: a part of what is asked for.
        let prefix = match base.value(&ConditionKey::new("s3:prefix")) {
            KeyValue::One(prefix) => prefix,
            _ => "",
        };
        let parts = base.resource.split(['/', ':']).chain(prefix.split('/'));
        parts.filter(|part| !part.is_empty()).for_each(|part| add(part.into()));
        // Or what the request has for a key that is compared with it.
        for clause in statements.iter().flat_map(|s| &s.conditions) {
            let mut variables = clause.values.iter().flat_map(|value| value.template.variables());
            if variables.any(|variable| variable.key == *key)
                && let KeyValue::One(value) = base.value(&clause.key)
            {
                add(value.into());
            }
        }
    }
    if is_source_of_service {
        values.retain(|arn| Some(arn.as_str()).and_then(Arn::parse).is_some_and(|arn| is_foreign(arn, base)));
        let foreign = foreign_account(base).map_or_else(CompactString::default, |a| a.as_str().into());
        values.push(format!("arn:aws:{STRANGER}:us-east-1:{foreign}:{STRANGER}").into());
        return values.into_iter().map(|value| Given::Values(vec![value])).collect();
    }
    let mut out = vec![Given::Absent];
    if matches!(key.as_str(), "aws:securetransport" | "aws:multifactorauthpresent" | "aws:viaawsservice") {
        out.extend(["true", "false"].map(|value| Given::Values(vec![value.into()])));
        if key.is("aws:SecureTransport") {
            // Every request says whether it came over TLS.
            out.remove(0);
        }
        return out;
    }
    if key.starts_with("aws:principaltag/") {
        values.retain(|value| may_be_tag(value));
    }
    if !values.iter().any(|value| value == STRANGER) {
        values.push(STRANGER.into());
    }
    if is_multivalued(key) && values.len() > 1 {
        out.push(Given::Values(values.clone()));
    }
    out.extend(values.into_iter().map(|value| Given::Values(vec![value])));
    out
}

/// Whether a principal can have a tag of this value.
///
/// Source: IAM User Guide, "Tags for AWS Identity and Access Management resources": naming conventions.
fn may_be_tag(value: &str) -> bool {
    value.chars().count() <= 256 && value.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c))
}

/// Whether a statement puts the value of the key into the texts that it compares with.
fn stands_in_text(key: &ConditionKey, statements: &[&Statement]) -> bool {
    statements.iter().flat_map(|statement| variables(statement)).any(|variable| variable.key == *key)
}

/// Values that meet, or just miss, one comparison.
fn compared_with(clause: &Clause, wanted: &Template, base: &Request, add: &mut dyn FnMut(CompactString)) {
    match clause.operator.family {
        Family::Null => {}
        Family::Numeric => {
            if let Ok(number) = wanted.raw().trim().parse::<f64>() {
                for near in [number, number - 1.0, number + 1.0] {
                    add(format!("{near}").into());
                }
            }
        }
        Family::Bool => ["true", "false"].into_iter().for_each(|value| add(value.into())),
        Family::String | Family::StringIgnoreCase => add(fill(wanted, "*", "?", base)),
        Family::StringLike | Family::Arn => {
            add(fill(wanted, "", "x", base));
            add(fill(wanted, STRANGER, "x", base));
        }
        Family::Date | Family::Binary | Family::Ip => add(wanted.raw().into()),
    }
}

/// A text that a template matches: wildcards and variables replaced; the account field of an ARN becomes the caller's
/// or, for a service, the foreign account.
pub fn fill(template: &Template, any: &str, one: &str, base: &Request) -> CompactString {
    let raw = template.raw();
    if template.is_plain() && !pattern::has_wildcard(raw) {
        return raw.into();
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        if !template.is_plain()
            && let Some((inside, behind)) = rest.strip_prefix("${").and_then(|r| r.split_once('}'))
        {
            let name = inside.split(',').next().unwrap_or(inside).trim();
            match (inside, base.value(&ConditionKey::new(name))) {
                ("*" | "?" | "$", _) => text.push_str(inside),
                (_, KeyValue::One(value)) => text.push_str(value),
                _ => text.push_str(STRANGER),
            }
            rest = behind;
            continue;
        }
        let account_begins = matches!(c, '*' | '?' | '0'..='9')
            && text.starts_with("arn:")
            && text.ends_with(':')
            && text.matches(':').count() == 4;
        if account_begins && let Some((account, behind)) = own_account(rest, base) {
            text.push_str(account.as_str());
            rest = behind;
            continue;
        }
        match c {
            '*' if text.starts_with("arn:") && text.matches(':').count() < 4 && any.is_empty() => text.push('x'),
            '*' => text.push_str(any),
            '?' => text.push_str(one),
            other => text.push(other),
        }
        rest = rest.get(c.len_utf8()..).unwrap_or("");
    }
    text.into()
}

/// The account of the scenario, where the account field with which `rest` begins is a pattern of it, and what follows.
fn own_account<'t>(rest: &'t str, base: &Request) -> Option<(AccountId, &'t str)> {
    let end = rest.find(':').unwrap_or(rest.len());
    let (field, behind) = rest.split_at_checked(end)?;
    let account = foreign_account(base)?;
    let fits = pattern::matches(field, account.as_str(), pattern::Case::Sensitive);
    (fits && field.contains(['*', '?'])).then_some((account, behind))
}

/// The account a service call is made for in this scenario, or the caller's own.
fn foreign_account(base: &Request) -> Option<AccountId> {
    match base.context.get(&ConditionKey::new("aws:SourceAccount")) {
        Some(Given::Values(values)) => values.first().and_then(|value| AccountId::parse(value)),
        _ => base.caller.account(),
    }
}

/// A whole ARN of the foreign account that a pattern matches as text although it stops before the last field:
/// `arn:aws:states:*` leaves Region, account and resource open.
fn completed(pattern: &str, base: &Request) -> Option<CompactString> {
    let start = pattern.strip_suffix('*')?;
    let foreign = foreign_account(base)?;
    let rest = ["arn", "aws", STRANGER, "us-east-1", foreign.as_str(), STRANGER];
    let mut fields: Vec<CompactString> = start.split(':').map(CompactString::new).collect();
    if fields.len() >= rest.len() {
        return None;
    }
    let last = fields.pop()?;
    let open = rest.get(fields.len())?;
    fields.push(if last.is_empty() { CompactString::new(open) } else { last });
    fields.extend(rest.into_iter().skip(fields.len()).map(CompactString::new));
    Some(fields.join(":").into())
}

fn is_foreign(arn: Arn<'_>, base: &Request) -> bool {
    foreign_account(base).is_some_and(|account| arn.account == account.as_str())
}
