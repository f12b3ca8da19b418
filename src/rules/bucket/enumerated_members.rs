use std::collections::BTreeSet;

use crate::aws::AccountId;
use crate::finding::Finding;
use crate::policy::Statement;
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::outsiders::own_organization;
use crate::rules::shared::series::{self, Series};

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

/// The most bytes a bucket policy may have (S3 User Guide, "Access management": 20 KB).
const LIMIT: usize = 20_480;

/// From how many accounts on a list is worth replacing.
const MANY: usize = 3;

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(policy) = view.policy()? else { return Ok(Verdict::NotApplicable) };
    let mut series = series::all(context, policy);
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
