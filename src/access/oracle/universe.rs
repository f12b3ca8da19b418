//! The small universe that requests are made from: keys of objects, and values that callers can arrange.

use std::collections::BTreeSet;
use std::sync::Arc;

use compact_str::CompactString;

use super::Oracle;
use super::parties::Asker;
use crate::access::lock::Lock;
use crate::access::request::{Caller, Given, Request};
use crate::aws::{AccountId, ConditionKey, is_organization_id};
use crate::policy::condition::{Context, KeyValue};
use crate::policy::operator::Family;
use crate::policy::pattern::{Case, matches};
use crate::policy::{Clause, Policy, PolicyKind, Statement, parse};
use crate::syntax::json::Tape;
use crate::text::SourceId;
use crate::text::embedded::Place;

/// A name and value that no policy has.
pub(super) const STRANGER: &str = "oracle-stranger";

/// The key of what a listing asks for.
const PREFIX: &str = "s3:prefix";

/// How many texts one pattern is filled to.
const MOST_FILLINGS: usize = 400;

/// How many pieces of patterns are put together.
const MOST_PIECES: usize = 8;

/// A policy that allows everything.
pub(super) fn allow_all() -> Option<Arc<Policy>> {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let place = Place::direct(SourceId::new(0), 0);
    Some(Arc::new(parse(Tape::new().read(text, &place).ok()?, PolicyKind::Identity)))
}

/// A log file as CloudTrail names it.
pub(super) fn log_file(folder: &str, account: AccountId) -> String {
    format!(
        "{folder}CloudTrail/us-east-1/2026/01/31/{account}_CloudTrail_us-east-1_20260131T0000Z_oracle0000000001.json.gz"
    )
}

/// Every text that a pattern matches when its stars are one of `any`, up to a bound; `?` is `x` or a digit.
pub(super) fn fillings(pattern: &str, any: &[&str]) -> Vec<String> {
    let mut found = vec![String::new()];
    for c in pattern.chars() {
        let one = c.to_string();
        let choices: Vec<&str> = match c {
            '*' => any.to_vec(),
            '?' => vec!["x", "2"],
            _ => vec![&one],
        };
        let with = |text: &String| choices.iter().map(|choice| format!("{text}{choice}")).collect::<Vec<_>>();
        found = found.iter().flat_map(with).take(MOST_FILLINGS).collect();
    }
    found
}

/// The organizations that a statement asks its callers to be in, `own` left out.
pub(super) fn organization_ids(statement: &Statement, own: Option<&str>) -> Vec<CompactString> {
    let clauses = statement.conditions.iter().filter(|clause| clause.key.starts_with("aws:principalorg"));
    let values = clauses.flat_map(|clause| &clause.values).map(|value| value.template.raw());
    let ids = values.filter_map(|raw| raw.split('/').next());
    ids.filter(|id| is_organization_id(id) && Some(*id) != own).map(CompactString::new).collect()
}

impl Oracle<'_> {
    /// Keys of objects that CloudTrail may have delivered to a folder, as ARNs: real ones, and some for each pattern that a
    /// policy has.
    pub(super) fn objects(&self, asker: &Asker, folder: &str, account: AccountId) -> Vec<String> {
        let base = format!("{}/{folder}CloudTrail", self.arn);
        let digest = format!(
            "-Digest/us-east-1/2026/01/31/{account}_CloudTrail-Digest_us-east-1_x_us-east-1_20260131T000000Z.json.gz"
        );
        let mut found = vec![format!("{}/{}", self.arn, log_file(folder, account)), format!("{base}{digest}")];
        let insides = ["", "x", "/x", "/CloudTrail/x", "-Digest/x", "/us-east-1/x", "/x.json.gz"];
        found.extend(insides.map(|inside| format!("{base}{inside}")));
        let bucket = self.policy.iter().chain(&self.rcp).flat_map(|policy| policy.effective());
        let statements = asker.statements().chain(bucket);
        let mut patterns: Vec<&str> = Vec::new();
        for item in statements.filter_map(|statement| statement.resources.as_ref()).flat_map(|entries| &entries.items) {
            // The part of a variable is as open as a star.
            let raw = item.raw();
            if !patterns.contains(&raw) && raw.contains('/') {
                patterns.push(raw);
            }
        }
        for pattern in &patterns {
            found.extend(self.under(pattern, &base));
        }
        // What stands between the stars of several patterns, one behind the other.
        let mut pieces: Vec<String> = Vec::new();
        for pattern in patterns.iter().map(|pattern| with_variables(pattern, "*")) {
            // A literal beginning counts from where the folder's objects begin.
            let tail = pattern.strip_prefix(&base).unwrap_or(&pattern);
            let inner = tail.split('*').map(|piece| piece.trim_matches('/').replace('?', "2"));
            pieces.extend(inner.filter(|piece| !piece.is_empty() && !piece.starts_with("arn:")));
        }
        pieces.sort_unstable();
        pieces.dedup();
        pieces.truncate(MOST_PIECES);
        pieces.push(String::new());
        for (one, other) in pieces.iter().flat_map(|one| pieces.iter().map(move |other| (one, other))) {
            found.push(format!("{base}/{one}/{other}/x"));
            found.push(format!("{base}x/{one}/{other}/x"));
            found.push(format!("{base}-Digest/{one}/{other}/x"));
            found.push(format!("{base}/{one}/{other}/x.json.gz"));
            found.push(format!("{base}/{one}/x{other}"));
        }
        found.sort_unstable();
        found.dedup();
        // Keys that each pattern matches alike, whatever its variables stand for, get the same answers: one is enough.
        let tellers = self.tellers(asker, account);
        let mut seen: BTreeSet<Vec<bool>> = BTreeSet::new();
        found.retain(|arn| seen.insert(tellers.iter().map(|teller| matches(teller, arn, Case::Sensitive)).collect()));
        found
    }

    /// All patterns of policies that objects may be told apart by, the variables in them put in in every way.
    fn tellers(&self, asker: &Asker, owner: AccountId) -> Vec<String> {
        let key: &[Arc<Policy>] = match &self.lock {
            Lock::Key(key) => &[key.policy.as_slice(), &key.rcp].concat(),
            Lock::None | Lock::Unknown(_) => &[],
        };
        let policies = self.policy.iter().chain(&self.rcp).chain(key).flat_map(|policy| policy.effective());
        let mut raws: Vec<&str> = Vec::new();
        for statement in asker.statements().chain(policies) {
            let items = statement.resources.iter().flat_map(|entries| &entries.items).map(|item| item.raw());
            let clauses = statement.conditions.iter().filter(|clause| clause.key.starts_with("kms:encryptioncontext"));
            raws.extend(items.chain(clauses.flat_map(|clause| &clause.values).map(|value| value.template.raw())));
        }
        let mut values: Vec<String> = self.model.known_accounts().iter().map(AccountId::to_string).collect();
        values.extend(asker.callers.iter().filter_map(Caller::account).map(|account| account.to_string()));
        values.extend([owner.to_string(), STRANGER.to_owned(), "*".to_owned()]);
        let with = |raw: &str| -> Vec<String> {
            if !raw.contains("${") {
                return vec![raw.to_owned()];
            }
            values.iter().map(|value| with_variables(raw, value)).collect()
        };
        let mut tellers: Vec<String> = raws.into_iter().flat_map(with).collect();
        tellers.sort_unstable();
        tellers.dedup();
        tellers
    }

    /// Texts that begin with `base` and that a pattern matches, or nearly.
    fn under(&self, pattern: &str, base: &str) -> Vec<String> {
        let pattern = with_variables(pattern, "*");
        let mut found = Vec::new();
        // What a star swallows: the beginning of the key up to somewhere.
        for (at, _) in pattern.match_indices('*') {
            let Some(rest) = pattern.get(at + 1..) else { continue };
            for filled in fillings(rest, &["", "x"]) {
                found.push(format!("{base}{filled}"));
                found.push(format!("{base}/{filled}"));
            }
        }
        let swallowed = [base, "", "x", "/x", "/CloudTrail/"];
        found.extend(fillings(&pattern, &swallowed).into_iter().filter(|text| text.starts_with(base)));
        // The pattern as it stands, where the wildcards before cover what the key begins with.
        let folders = base.split('/').collect::<Vec<_>>();
        let parts = pattern.split('/').collect::<Vec<_>>();
        if parts.len() > folders.len() {
            let rest = parts.get(folders.len()..).unwrap_or_default().join("/");
            found.extend(fillings(&rest, &["", "x"]).into_iter().map(|rest| format!("{base}/{rest}")));
        }
        found
    }

    /// The keys that a caller can arrange and that these statements speak of, each with its values.
    pub(super) fn free_keys(
        &self,
        caller: &Caller,
        (action, resource, folder): (&str, &str, &str),
        statements: &[&Statement],
    ) -> Vec<(CompactString, Vec<Given>)> {
        let mut keys: Vec<CompactString> = Vec::new();
        let mut add = |key: &str| {
            if can_arrange(key, action, caller) && !keys.iter().any(|known| known == key) {
                keys.push(key.into());
            }
        };
        for statement in statements {
            let resources = statement.resources.iter().flat_map(|entries| &entries.items);
            let values = statement.conditions.iter().flat_map(|clause| &clause.values).map(|value| &value.template);
            let variables = resources.map(|item| &**item).chain(values).flat_map(|template| template.variables());
            variables.for_each(|variable| add(variable.key.as_str()));
            statement.conditions.iter().for_each(|clause| add(clause.key.as_str()));
        }
        let values = |key: &CompactString| {
            if key == PREFIX {
                return self.listings(caller, folder, statements);
            }
            let mut values = self.values(key, &format!("{resource}/{folder}"), caller, statements);
            values.sort_unstable_by(|one, other| format!("{one:?}").cmp(&format!("{other:?}")));
            values.dedup();
            values
        };
        keys.into_iter().map(|key| (key.clone(), values(&key))).collect()
    }

    /// What a listing that shows something of a folder may ask for: nothing, each beginning of the folder, what lies in it, and
    /// what these statements compare it with.
    fn listings(&self, caller: &Caller, folder: &str, statements: &[&Statement]) -> Vec<Given> {
        let clauses = || statements.iter().flat_map(|s| &s.conditions).filter(|clause| clause.key.as_str() == PREFIX);
        let mut texts: Vec<String> =
            (0..=folder.len()).filter_map(|end| folder.get(..end)).map(str::to_owned).collect();
        let deeper = ["C", "CloudTrail", "CloudTrail/", "CloudTrail/us-east-1/", "CloudTrail-Digest/", "x", "/"];
        texts.extend(deeper.map(|more| format!("{folder}{more}")));
        texts.extend(clauses().flat_map(|clause| self.compared(clause, caller)));
        texts.retain(|asked| folder.starts_with(asked) || asked.starts_with(folder));
        // Those that each comparison takes alike get the same answers: one is enough.
        let raws = || clauses().flat_map(|clause| &clause.values).map(|value| resolved(value.template.raw(), caller));
        let alike = |asked: &String| -> Vec<bool> {
            raws().flat_map(|raw| [matches(&raw, asked, Case::Sensitive), raw == *asked]).collect()
        };
        let mut seen: BTreeSet<Vec<bool>> = BTreeSet::new();
        texts.retain(|asked| seen.insert(alike(asked)));
        std::iter::once(Given::Absent).chain(texts.into_iter().map(|text| Given::Values(vec![text.into()]))).collect()
    }

    /// The values of a key: none, a stranger's, and all that the statements compare it with, wildcards filled.
    fn values(&self, key: &CompactString, place: &str, caller: &Caller, statements: &[&Statement]) -> Vec<Given> {
        let one = |text: &str| Given::Values(vec![text.into()]);
        match key.as_str() {
            "aws:securetransport" => return vec![one("true"), one("false")],
            "aws:multifactorauthpresent" | "aws:viaawsservice" => {
                return vec![Given::Absent, one("true"), one("false")];
            }
            _ => {}
        }
        let mut values = vec![Given::Absent, one(STRANGER)];
        let clauses = statements.iter().flat_map(|s| &s.conditions).filter(|clause| clause.key.as_str() == key);
        for clause in clauses {
            values.extend(self.compared(clause, caller).iter().map(|text| one(text)));
        }
        let is_variable = statements.iter().any(|statement| {
            let items = statement.resources.iter().flat_map(|entries| &entries.items).map(|item| &**item);
            let values = statement.conditions.iter().flat_map(|clause| &clause.values).map(|value| &value.template);
            items.chain(values).flat_map(|t| t.variables()).any(|variable| variable.key.as_str() == key)
        });
        if is_variable {
            // It may stand for an account, or for a folder of a path.
            values.extend(self.model.known_accounts().iter().map(|account| one(account.as_str())));
            values.extend(place.split(['/', ':']).filter(|part| !part.is_empty()).map(one));
        }
        values
    }

    /// Texts that meet a comparison, or just miss it.
    fn compared(&self, clause: &Clause, caller: &Caller) -> Vec<String> {
        let mut found = Vec::new();
        for raw in clause.values.iter().map(|value| value.template.raw()) {
            match clause.operator.family {
                Family::Numeric => {
                    let number: Option<f64> = raw.trim().parse().ok();
                    found.extend(number.into_iter().flat_map(|n| [n - 1.0, n, n + 1.0]).map(|n| n.to_string()));
                }
                Family::Bool | Family::Null => found.extend(["true", "false"].map(str::to_owned)),
                Family::StringLike | Family::Arn => found.extend(fillings(&resolved(raw, caller), &["", "x"])),
                _ => found.push(resolved(raw, caller)),
            }
        }
        found
    }
}

/// A text with the variables that follow from the caller put in.
fn resolved(raw: &str, caller: &Caller) -> String {
    let request = Request::new(caller.clone(), "s3:ListBucket", "*", None);
    let mut text = String::new();
    let mut rest = raw;
    while let Some((before, inside)) = rest.split_once("${") {
        text.push_str(before);
        let Some((name, behind)) = inside.split_once('}') else { break };
        match request.value(&ConditionKey::new(name)) {
            KeyValue::One(value) => text.push_str(value),
            _ => text.push_str(STRANGER),
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// A pattern with one value in place of its variables.
fn with_variables(raw: &str, value: &str) -> String {
    let mut text = String::new();
    let mut rest = raw;
    while let Some((before, inside)) = rest.split_once("${") {
        text.push_str(before);
        text.push_str(value);
        rest = inside.split_once('}').map_or("", |(_, behind)| behind);
    }
    text.push_str(rest);
    text
}

/// Whether a caller can choose what its request for an action carries under a key.
///
/// Source: Service Authorization Reference, the condition keys of each action of S3 and STS.
fn can_arrange(key: &str, action: &str, caller: &Caller) -> bool {
    let begins = |list: &[&str]| list.iter().any(|start| key.starts_with(start));
    if begins(&["s3:prefix", "s3:delimiter", "s3:max-keys"]) {
        return super::LISTS.contains(&action);
    }
    if begins(&["s3:x-amz-acl"]) {
        return action.starts_with("s3:PutObject");
    }
    if begins(&["sts:"]) {
        return action == super::ASSUME;
    }
    let of_caller = ["aws:principaltag/", "aws:multifactorauth", "aws:sourceidentity", "aws:tokenissuetime"];
    let of_client = ["aws:securetransport", "aws:useragent", "aws:referer"];
    begins(&of_client) || (*caller != Caller::Anonymous && begins(&of_caller))
}
