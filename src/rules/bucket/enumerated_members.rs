use std::collections::{BTreeMap, BTreeSet};

use crate::aws::AccountId;
use crate::finding::Finding;
use crate::model::Class;
use crate::policy::{Policy, Statement};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::outsiders::own_organization;
use crate::text::Span;

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

/// The most bytes a bucket policy may have (S3 User Guide, "Access management": 20 KB).
const LIMIT: usize = 20_480;

/// From how many accounts on a list is worth replacing.
const MANY: usize = 3;

/// Accounts that a policy goes through one by one: as entries of one list, or in statements that differ in nothing else.
struct Series<'p> {
    accounts: BTreeSet<AccountId>,
    /// A statement as it is written for one of them.
    sample: &'p Statement,
    /// The account it is written for.
    account: AccountId,
    /// Where each account stands; the first is the place of the finding.
    spans: Vec<Span>,
    /// What one more account takes, in bytes without white space.
    bytes: usize,
}

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(policy) = view.policy()? else { return Ok(Verdict::NotApplicable) };
    let mut series = lists(context, policy);
    series.extend(statements(context, policy));
    series.retain(|one| one.accounts.len() >= MANY);
    let accounts: BTreeSet<AccountId> = series.iter().flat_map(|one| one.accounts.iter().copied()).collect();
    let Some(longest) = series.iter().max_by_key(|one| one.accounts.len()) else { return Ok(Verdict::Pass) };
    let Some((first, others)) = longest.spans.split_first() else { return Ok(Verdict::Pass) };
    let each: usize = series.iter().map(|one| one.bytes).sum();
    let used = policy.size.minified_bytes as usize;
    let room = match LIMIT.checked_sub(used).map(|left| left / each.max(1)) {
        Some(0) | None => "no room for another".to_owned(),
        Some(more) => format!("room for about {more} more"),
    };
    let message = format!(
        "the policy of log bucket `{}` names {} accounts one by one, and has {room}",
        view.subject.name,
        accounts.len(),
    );
    let label = format!("each account takes about {each} of {LIMIT} bytes; {used} are used, white space left out");
    let draft = Finding::at(*first, label).message(message).help(rewrite(context, view, longest));
    let draft = others.iter().take(4).fold(draft, |draft, span| draft.related(*span, "another account"));
    Ok(Verdict::of(vec![draft]))
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
        let clauses = statement.conditions.iter().filter(|c| c.key.is("aws:PrincipalAccount") && !c.operator.negated);
        let fixed = clauses.flat_map(|clause| &clause.values).filter_map(|value| {
            let text = value.template.raw();
            Some((AccountId::parse(text)?, value.span, text.len()))
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

/// The statement that serves every member, whatever their number.
fn rewrite(context: &Context<'_>, view: &BucketView<'_>, series: &Series<'_>) -> String {
    let statement = series.sample;
    let id = own_organization(context).unwrap_or("o-your-organization");
    let caller = "${aws:PrincipalAccount}";
    let quoted = |texts: Vec<String>| match texts.as_slice() {
        [one] => format!("\"{one}\""),
        many => format!("[{}]", many.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(", ")),
    };
    let actions = statement.actions.iter().flat_map(|a| &a.items).map(|item| item.value.raw().to_owned()).collect();
    let with_caller = |text: &str| text.replace(series.account.as_str(), caller);
    let mut resources: Vec<String> = mentions_in_resources(statement, series.account).map(with_caller).collect();
    let mut prefixes: Vec<String> = statement
        .conditions
        .iter()
        .filter(|clause| clause.key.is("s3:prefix"))
        .flat_map(|clause| &clause.values)
        .map(|value| with_caller(value.template.raw()))
        .collect();
    let own_path = |path: &str| {
        let path = path.trim_end_matches(['*', '/']);
        if path.contains(caller) { format!("{path}/*") } else { format!("{path}/{caller}/*") }
    };
    let listed = statement.resources.iter().flat_map(|r| &r.items).map(|item| item.value.raw());
    if resources.is_empty() {
        resources = listed.map(|text| if text.contains('/') { own_path(text) } else { text.to_owned() }).collect();
    }
    if !prefixes.is_empty() || resources.iter().all(|resource| !resource.contains('/')) {
        let default = || vec![format!("AWSLogs/{caller}/*")];
        prefixes = if prefixes.is_empty() { default() } else { prefixes.iter().map(|p| own_path(p)).collect() };
    }
    let limit = match prefixes.is_empty() {
        true => String::new(),
        false => format!(", \"StringLike\": {{\"s3:prefix\": {}}}", quoted(prefixes)),
    };
    format!(
        "one statement of constant size serves all members of the organization, each with its own path (it needs \
         \"Version\": \"2012-10-17\"): {{\"Effect\": \"Allow\", \"Principal\": {{\"AWS\": \"*\"}}, \"Action\": {}, \
         \"Resource\": {}, \"Condition\": {{\"StringEquals\": {{\"aws:PrincipalOrgID\": \"{id}\"}}{limit}}}}}",
        quoted(actions),
        quoted(if resources.is_empty() { vec![view.arn()] } else { resources }),
    )
}

fn mentions_in_resources(statement: &Statement, account: AccountId) -> impl Iterator<Item = &str> {
    let resources = statement.resources.iter().flat_map(|r| &r.items).map(|item| item.value.raw());
    resources.filter(move |text| text.contains(account.as_str()))
}
