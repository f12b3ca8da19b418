//! Statements that serve every member of an organization, whatever their number, in place of one for each.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::services::{self, Action};
use crate::aws::{AccountId, Arn};
use crate::policy::{Principal, Statement};
use crate::rule::context::{BucketView, Context};
use crate::rules::shared::outsiders::own_organization;
use crate::rules::shared::series::Series;

const CALLER: &str = "${aws:PrincipalAccount}";

/// What a condition compares: operator, then key, then values.
type Conditions = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// The statements that say the same as some series for any number of members, each with its own logs; as JSON.
pub(in crate::rules) fn statements(context: &Context<'_>, view: &BucketView<'_>, series: &[Series<'_>]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for one in series {
        let statements = Rewrite { context, view, statement: one.sample, account: one.account }.statements();
        for statement in statements {
            if !all.contains(&statement) {
                all.push(statement);
            }
        }
    }
    all
}

/// What actions work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Objects.
    Object,
    /// Buckets, whose keys they list.
    Lists,
    /// Buckets.
    Other,
}

impl Kind {
    fn of(action: &Action) -> Self {
        let is_of_objects = action.resource_types.iter().any(|used| used.resource_type.name == "object");
        match is_of_objects {
            true => Kind::Object,
            false if action.supports_key("s3:prefix") => Kind::Lists,
            false => Kind::Other,
        }
    }
}

/// One statement to rewrite, as it is for one account.
struct Rewrite<'r, 'a> {
    context: &'r Context<'a>,
    view: &'r BucketView<'r>,
    statement: &'r Statement,
    account: AccountId,
}

impl Rewrite<'_, '_> {
    /// One statement for objects, one for listing, one for the rest: only listing carries `s3:prefix`.
    fn statements(&self) -> Vec<String> {
        let resources = self.statement.resources.iter().flat_map(|r| &r.items).map(|item| item.value.raw());
        let (objects, buckets): (Vec<&str>, Vec<&str>) = resources.partition(|text| text.contains('/'));
        let objects: BTreeSet<String> = self.own(&objects, &format!("{}/", self.view.arn()));
        let buckets: BTreeSet<String> =
            buckets.into_iter().map(|text| if text == "*" { self.view.arn() } else { text.to_owned() }).collect();
        let of = |kind: Kind, resources: &BTreeSet<String>| {
            let fits = |action: &'static Action| Kind::of(action) == kind;
            let actions: Vec<String> = self.actions().filter(|name| services::expand(name).any(fits)).collect();
            let is_useful = !resources.is_empty() && !actions.is_empty();
            is_useful.then(|| self.render(&actions, resources.iter().cloned().collect(), kind == Kind::Lists))
        };
        [of(Kind::Object, &objects), of(Kind::Lists, &buckets), of(Kind::Other, &buckets)]
            .into_iter()
            .flatten()
            .collect()
    }

    fn actions(&self) -> impl Iterator<Item = String> {
        self.statement.actions.iter().flat_map(|a| &a.items).map(|item| item.value.raw().to_owned())
    }

    /// Paths of the caller's own logs, in place of some that are meant for one account or for all.
    fn own(&self, paths: &[&str], start: &str) -> BTreeSet<String> {
        let account = self.account.as_str();
        let own: BTreeSet<String> =
            paths.iter().filter(|path| path.contains(account)).map(|path| path.replace(account, CALLER)).collect();
        if !own.is_empty() {
            return own;
        }
        let logs = || {
            let prefixes = self.context.model.own_prefixes(self.account, &self.view.subject.name);
            let own = prefixes.into_iter().map(|prefix| format!("{start}{}*", prefix.replace(account, CALLER)));
            let own: Vec<String> = own.collect();
            if own.is_empty() { vec![format!("{start}AWSLogs/{CALLER}/*")] } else { own }
        };
        let whole = |path: &&str| path.strip_prefix(start).is_some_and(|key| matches!(key, "" | "*" | "AWSLogs/*"));
        let (whole, parts): (Vec<&str>, Vec<&str>) = paths.iter().copied().partition(whole);
        let mut own: BTreeSet<String> =
            parts.into_iter().map(|path| format!("{}/{CALLER}/*", path.trim_end_matches(['*', '/']))).collect();
        if !whole.is_empty() {
            own.extend(logs());
        }
        own
    }

    fn render(&self, actions: &[String], resources: Vec<String>, lists: bool) -> String {
        let mut conditions = self.conditions();
        if lists {
            let asked = self.statement.conditions.iter().filter(|clause| clause.key.is("s3:prefix"));
            let asked: Vec<&str> = asked.flat_map(|c| &c.values).map(|v| v.template.raw()).collect();
            let prefixes = self.own(if asked.is_empty() { &["*"] } else { &asked }, "");
            let like = conditions.entry("StringLike".to_owned()).or_default();
            like.insert("s3:prefix".to_owned(), prefixes.into_iter().collect());
        }
        let keys = |keys: &BTreeMap<String, Vec<String>>| {
            let keys = keys.iter().map(|(key, values)| format!("{}: {}", quoted(key), list(values)));
            keys.collect::<Vec<_>>().join(", ")
        };
        let conditions = conditions.iter().map(|(operator, all)| format!("{}: {{{}}}", quoted(operator), keys(all)));
        format!(
            "{{\"Effect\": \"Allow\", \"Principal\": {{\"AWS\": \"*\"}}, \"Action\": {}, \"Resource\": {}, \"Condition\": {{{}}}}}",
            list(actions),
            list(&resources),
            conditions.collect::<Vec<_>>().join(", "),
        )
    }

    /// The organization, the names of roles or users, and what the statement asks for beside them.
    fn conditions(&self) -> Conditions {
        let mut all = Conditions::new();
        let mut add = |operator: &str, key: &str, values: Vec<String>| {
            all.entry(operator.to_owned()).or_default().insert(key.to_owned(), values);
        };
        for clause in &self.statement.conditions {
            let is_replaced = ["aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID", "s3:prefix"];
            if !is_replaced.iter().any(|key| clause.key.is(key)) {
                let values = clause.values.iter().map(|v| v.template.raw().replace(self.account.as_str(), CALLER));
                add(&clause.operator.to_string(), &clause.written_key, values.collect());
            }
        }
        let id = own_organization(self.context).unwrap_or("the ID of your organization");
        add("StringEquals", "aws:PrincipalOrgID", vec![id.to_owned()]);
        let names = self.names();
        if !names.is_empty() {
            add("ArnLike", "aws:PrincipalArn", names.into_iter().collect());
        }
        all
    }

    /// Patterns of the roles and users that are meant in whatever account; none where whole accounts are.
    fn names(&self) -> BTreeSet<String> {
        let in_any = |text: &str| {
            let arn = Arn::parse(text).filter(|arn| arn.account_id().is_some() && arn.service == "iam")?;
            (arn.resource != "root").then(|| format!("arn:{}:iam::*:{}", arn.partition, arn.resource))
        };
        let entries = self.statement.principals.iter().flat_map(|p| &p.entries);
        let named = entries.filter(|entry| entry.principal != Principal::Everyone).map(|entry| entry.text.as_str());
        let clauses = self.statement.conditions.iter().filter(|clause| clause.key.is("aws:PrincipalArn"));
        let compared: Vec<&str> = clauses.flat_map(|c| &c.values).map(|v| v.template.raw()).collect();
        let texts: Vec<&str> = if compared.is_empty() { named.collect() } else { compared };
        texts.into_iter().map(in_any).collect::<Option<BTreeSet<String>>>().unwrap_or_default()
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn list(texts: &[String]) -> String {
    match texts {
        [one] => quoted(one),
        many => format!("[{}]", many.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")),
    }
}
