//! Which objects under a prefix are worth asking about.
//!
//! Whether someone can read an object under a prefix hangs on the object where policies name keys. Of all keys under the
//! prefix those are tried that some Allow covers and that stay out of as many Deny statements as can be; the patterns
//! themselves tell keys apart, so that where none of these is let through none is.

use compact_str::CompactString;

use crate::access::pattern_set::{MAX_WORK, Text, arns_overlap, difference};
use crate::access::request::Request;
use crate::aws::ConditionKey;
use crate::policy::condition::{Context, KeyValue};
use crate::policy::template::{Piece, Template};
use crate::policy::{Effect, Entries, Statement};

/// How many Deny statements may be tried in every combination.
const MOST_DENIED: usize = 4;

/// How many ways to combine Allow patterns are tried.
const MOST_WAYS: usize = 256;

/// Objects to ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objects {
    /// Their ARNs, the most telling first, each once.
    pub arns: Vec<CompactString>,
    /// Whether no other object under the prefix can be let through where none of these is.
    pub is_complete: bool,
    /// How much may still be looked at.
    work: usize,
}

/// The statements of the policies that decide a request, as far as its principal and action go.
#[derive(Debug, Clone, Copy)]
pub struct Statements<'s, 'p> {
    /// Of the resource's own policy.
    pub resource: &'s [&'p Statement],
    /// Of the caller's policies; `None` where whoever writes them is taken to be willing.
    pub identity: Option<&'s [&'p Statement]>,
    /// Whether one of the two sides is enough: caller and resource are of one account.
    pub either: bool,
    /// Of all that only limits: boundary, session policy, SCPs, RCPs.
    pub limits: &'s [&'p Statement],
}

/// The objects under `prefix` (the ARN of a bucket, a slash, and how keys begin) that these statements tell apart;
/// `examples` are keys as they really are, tried first. `work` is how many tokens of patterns may be looked at, and is used
/// up.
pub fn under(
    prefix: &str,
    examples: &[String],
    statements: &Statements<'_, '_>,
    base: &Request,
    work: &mut usize,
) -> Objects {
    let all = format!("{prefix}*");
    let given = MAX_WORK.min(*work);
    let mut found = Objects { arns: Vec::new(), is_complete: true, work: given };
    let (own, limits) = (statements.identity.unwrap_or_default(), statements.limits);
    let denied: Vec<Area> = statements
        .resource
        .iter()
        .chain(own)
        .chain(limits)
        .filter(|statement| statement.effect == Effect::Deny)
        .filter_map(|statement| Area::of(statement, base))
        .filter(|area| area.may_meet(&all))
        .collect();
    let allowed = |side: &[&Statement]| -> Vec<Area> {
        let allows = side.iter().filter(|statement| statement.effect == Effect::Allow);
        allows.filter_map(|statement| Area::of(statement, base)).filter(|area| area.may_meet(&all)).collect()
    };
    let by_resource = allowed(statements.resource);
    let by_identity = statements.identity.map(allowed);
    let mut ways: Vec<Vec<&Area>> = Vec::new();
    match &by_identity {
        None => ways.extend(by_resource.iter().map(|area| vec![area])),
        Some(own) if statements.either => ways.extend(own.iter().chain(&by_resource).map(|area| vec![area])),
        Some(own) => ways.extend(own.iter().flat_map(|one| by_resource.iter().map(move |other| vec![one, other]))),
    }
    // What may let the whole prefix through without a statement of one side: an ACL, or the account's own administrators.
    ways.extend(by_identity.iter().flatten().chain(&by_resource).map(|area| vec![area]));
    ways.push(Vec::new());
    // A boundary or SCP may let a part of it through only.
    let mut within = allowed(limits);
    within.retain(|area| !matches!(area, Area::In(patterns) if patterns.iter().any(|pattern| pattern == "*")));
    let limited: Vec<Vec<&Area>> = within
        .iter()
        .flat_map(|limit| ways.iter().map(move |way| way.iter().copied().chain([limit]).collect()))
        .collect();
    ways.extend(limited);
    if ways.len() > MOST_WAYS {
        ways.truncate(MOST_WAYS);
        found.is_complete = false;
    }
    for example in examples {
        found.add(format!("{prefix}{example}").into());
    }
    for way in &ways {
        found.along(&all, way, &denied);
    }
    *work -= given - found.work;
    found
}

impl Objects {
    fn add(&mut self, arn: CompactString) {
        if !self.arns.contains(&arn) {
            self.arns.push(arn);
        }
    }

    /// The objects of one way: one for each choice of its patterns and of the Deny patterns that cover it.
    fn along(&mut self, all: &str, way: &[&Area], denied: &[Area]) {
        let mut wanted: Vec<Vec<&str>> = vec![vec![all]];
        let mut unwanted: Vec<&str> = Vec::new();
        for area in way {
            match area {
                Area::In(patterns) => wanted = self.crossed(wanted, patterns),
                Area::NotIn(patterns) => unwanted.extend(patterns.iter().map(String::as_str)),
            }
        }
        for chosen in &wanted {
            self.apart(chosen, &unwanted, denied);
        }
    }

    /// One object that stays out of all Deny statements, else one for each largest set that it can stay out of.
    fn apart(&mut self, wanted: &[&str], unwanted: &[&str], denied: &[Area]) {
        let parted = denied.len().min(MOST_DENIED);
        let mut found: Vec<usize> = Vec::new();
        for choice in (0..1usize << parted).rev() {
            // A Deny never helps: who can stay out of more need not be asked about with less.
            if found.iter().any(|larger| choice & larger == choice) {
                continue;
            }
            if self.work == 0 {
                self.is_complete = false;
                break;
            }
            // Those beyond the first few are stayed out of all together, or not at all.
            let stays_out = |number: usize| match number < parted {
                true => choice >> number & 1 == 1,
                false => choice + 1 == 1 << parted,
            };
            let mut unwanted = unwanted.to_vec();
            let mut ways = vec![wanted.to_vec()];
            let chosen = denied.iter().enumerate().filter(|(number, _)| stays_out(*number));
            for (_, area) in chosen {
                match area {
                    Area::In(patterns) => unwanted.extend(patterns.iter().map(String::as_str)),
                    Area::NotIn(patterns) => ways = self.crossed(ways, patterns),
                }
            }
            for way in ways {
                match difference(&way, &unwanted, &mut self.work) {
                    Text::Found(arn) => {
                        self.add(arn.into());
                        found.push(choice);
                    }
                    Text::None => {}
                    Text::Undecided => self.is_complete = false,
                }
            }
        }
        let stays_out_of_all = found.iter().any(|choice| choice + 1 == 1 << parted);
        self.is_complete &= stays_out_of_all || denied.len() == parted;
    }

    /// Each of these choices with each of the patterns.
    fn crossed<'t>(&mut self, choices: Vec<Vec<&'t str>>, patterns: &'t [String]) -> Vec<Vec<&'t str>> {
        self.is_complete &= choices.len() * patterns.len() <= MOST_WAYS;
        let with = |choice: &Vec<&'t str>, pattern: &'t str| choice.iter().copied().chain([pattern]).collect();
        let all = choices.iter().flat_map(|choice| patterns.iter().map(move |pattern| with(choice, pattern)));
        all.take(MOST_WAYS).collect()
    }
}

/// The resources of a statement as patterns, what is known of the caller put in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Area {
    /// Those that one of these matches.
    In(Vec<String>),
    /// Those that none of these matches.
    NotIn(Vec<String>),
}

impl Area {
    /// `None` where the statement has no resource.
    fn of(statement: &Statement, base: &Request) -> Option<Self> {
        let Entries { negated, items, .. } = statement.resources.as_ref()?;
        let patterns = items.iter().map(|item| bound(item, base)).collect();
        Some(if *negated { Area::NotIn(patterns) } else { Area::In(patterns) })
    }

    /// A quick look: whether some object under the prefix may be in it.
    fn may_meet(&self, all: &str) -> bool {
        match self {
            Area::In(patterns) => patterns.iter().any(|pattern| arns_overlap(pattern, all)),
            Area::NotIn(_) => true,
        }
    }
}

/// A value that a condition compares with as a pattern: what is known of the caller put in, and its wildcards plain
/// characters where the operator takes none.
pub fn bound_value(template: &Template, takes_wildcards: bool, base: &Request) -> String {
    let text = bound(template, base);
    if takes_wildcards { text } else { text.replace('*', "?") }
}

/// A resource pattern with the values of its variables put in; those that are not known stand for anything.
fn bound(template: &Template, base: &Request) -> String {
    let Some(pieces) = template.pieces() else { return template.raw().to_owned() };
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            // A star that stands for itself can not be told from a wildcard in a pattern; the evaluator tells.
            Piece::Literal('*' | '?') => text.push('?'),
            Piece::Literal(other) => text.push(*other),
            Piece::Variable(variable) => match base.value(&ConditionKey::new(variable.key.as_str())) {
                KeyValue::One(value) => text.extend(value.chars().map(|c| if matches!(c, '*') { '?' } else { c })),
                KeyValue::Absent => text.push_str(variable.default.as_deref().unwrap_or("*")),
                _ => text.push('*'),
            },
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::request::Caller;
    use crate::policy::{Policy, PolicyKind, parse};
    use crate::syntax::json::Tape;
    use crate::text::SourceId;
    use crate::text::embedded::Place;

    const PREFIX: &str = "arn:aws:s3:::logs/AWSLogs/222222222222/";

    fn policy(statements: &str) -> Policy {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        parse(Tape::new().read(&text, &Place::direct(SourceId::new(0), 0)).unwrap(), PolicyKind::Identity)
    }

    fn objects(statements: &str) -> Objects {
        let policy = policy(statements);
        let own: Vec<&Statement> = policy.effective().collect();
        let caller = Caller::parse("arn:aws:iam::222222222222:role/r").unwrap();
        let base = Request::new(caller, "s3:GetObject", "*", None);
        let statements = Statements { resource: &[], identity: Some(&own), either: true, limits: &[] };
        under(PREFIX, &["x.gz".to_owned()], &statements, &base, &mut MAX_WORK.clone())
    }

    fn allow(resource: &str) -> String {
        format!(r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/{resource}"}}"#)
    }

    fn deny(element: &str, resource: &str) -> String {
        format!(r#"{{"Effect":"Deny","Action":"s3:GetObject","{element}":"arn:aws:s3:::logs/{resource}"}}"#)
    }

    fn some(objects: &Objects, meets: impl Fn(&str) -> bool) -> bool {
        assert!(objects.arns.iter().all(|arn| arn.starts_with(PREFIX)), "{objects:?}");
        objects.arns.iter().filter_map(|arn| arn.strip_prefix(PREFIX)).any(meets)
    }

    #[test]
    fn an_object_of_each_allow_is_among_them() {
        let found = objects(&[allow("AWSLogs/222222222222/CloudTrail-Digest/*"), allow("*/333333333333/*")].join(","));
        assert!(found.is_complete && found.arns.first().is_some_and(|arn| arn.ends_with("x.gz")));
        assert!(some(&found, |key| key.starts_with("CloudTrail-Digest/")));
        assert!(some(&found, |key| key.contains("333333333333/")));
        let elsewhere = objects(&allow("AWSLogs/333333333333/*"));
        assert!(elsewhere.is_complete && elsewhere.arns.len() <= 2, "{elsewhere:?}");
    }

    #[test]
    fn objects_stay_out_of_each_deny_where_they_can() {
        let found = objects(&[allow("*"), deny("Resource", "AWSLogs/222222222222/C*")].join(","));
        assert!(found.is_complete && some(&found, |key| !key.starts_with('C')));
        let found = objects(&[allow("*"), deny("NotResource", "AWSLogs/*/public/*")].join(","));
        assert!(found.is_complete && some(&found, |key| key.starts_with("public/")));
        // Out of the one or out of the other, and never out of both.
        let denies = [deny("Resource", "AWSLogs/222222222222/C*"), deny("NotResource", "AWSLogs/222222222222/C*")];
        let found = objects(&[allow("AWSLogs/222222222222/??*"), denies.join(",")].join(","));
        assert!(some(&found, |key| key.starts_with('C')) && some(&found, |key| !key.starts_with('C')), "{found:?}");
        let whole = objects(&[allow("*"), deny("Resource", "AWSLogs/*")].join(","));
        assert!(whole.is_complete && some(&whole, |key| key != "x.gz"));
    }

    #[test]
    fn variables_of_the_caller_have_their_values() {
        let found = objects(&allow("AWSLogs/${aws:PrincipalAccount}/own-${aws:PrincipalTag/team, 'ops'}/*"));
        assert!(some(&found, |key| key.starts_with("own-ops/")), "{found:?}");
    }

    #[test]
    fn many_denies_leave_the_answer_open_where_no_object_stays_out_of_all() {
        let denies = |names: [&str; 6]| names.map(|name| deny("Resource", &format!("*{name}*"))).join(",");
        let found = objects(&[allow("*"), denies(["3", "4", "5", "6", "7", "8"])].join(","));
        assert!(found.is_complete && some(&found, |key| !key.contains(['3', '8'])));
        let found = objects(&[allow("*"), denies(["3", "4", "5", "6", "7", ""])].join(","));
        assert!(!found.is_complete);
    }
}
