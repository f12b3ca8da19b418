use crate::aws::services;
use crate::finding::{Draft, Finding};
use crate::policy::operator::Family;
use crate::policy::template::{Template, VariableMistake, mistakes};
use crate::policy::{Statement, Version};
use crate::rule::context::{Context, DocumentView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::text::Span;

pub(in crate::rules) const CHECK: Check = Check::documents(check);

/// What is most often meant.
const LIKELY: [&str; 8] = [
    "aws:PrincipalAccount",
    "aws:PrincipalOrgID",
    "aws:PrincipalArn",
    "aws:PrincipalTag/",
    "aws:ResourceAccount",
    "aws:SourceAccount",
    "aws:userid",
    "aws:username",
];

fn check(_: &Context<'_>, view: &DocumentView<'_>) -> Outcome {
    let mut text = Text { findings: Vec::new(), untouched: Vec::new() };
    for statement in &view.policy.statements {
        text.read(statement);
    }
    if view.policy.version == Version::V2008 {
        let version = view.policy.written_version.as_ref().map(|version| (version.span, version.value.as_str()));
        text.findings.extend(old_version(version, &text.untouched));
    }
    Ok(Verdict::of(text.findings))
}

/// One finding for all that stays as it is written because of the version.
fn old_version(version: Option<(Span, &str)>, untouched: &[(Span, String)]) -> Option<Draft> {
    let ((first, variable), others) = untouched.split_first()?;
    let placed = match version {
        Some((span, _)) => Finding::at(span, "policy variables came with `2012-10-17`"),
        None => Finding::at(*first, "policy variables came with `2012-10-17`"),
    };
    let draft = match version {
        Some((_, version)) => placed
            .message(format!("AWS takes `{variable}` for plain text: `Version` is `{version}`"))
            .related(*first, "this stays as it is written"),
        None => placed.message(format!("AWS takes `{variable}` for plain text: there is no `Version`")),
    };
    let draft = others.iter().fold(draft, |draft, (span, _)| draft.related(*span, "this stays as it is written"));
    Some(draft.about("version").help("set \"Version\": \"2012-10-17\""))
}

/// What was found in the texts of a policy.
struct Text {
    findings: Vec<Draft>,
    /// Values whose variables only the version keeps from being substituted, each with its first variable.
    untouched: Vec<(Span, String)>,
}

impl Text {
    fn read(&mut self, statement: &Statement) {
        for entry in statement.principals.iter().flat_map(|principals| &principals.entries) {
            self.element(statement, "Principal", &entry.text, entry.span);
        }
        for action in statement.actions.iter().flat_map(|actions| &actions.items) {
            self.element(statement, "Action", action.value.raw(), action.span);
        }
        for resource in statement.resources.iter().flat_map(|resources| &resources.items) {
            let (head, tail) = arn_head(resource.value.raw());
            self.element(statement, "an ARN before its fifth colon", head, resource.span);
            self.value(statement, tail, resource.span);
        }
        for clause in &statement.conditions {
            self.element(statement, "the name of a condition key", &clause.written_key, clause.key_span);
            for value in &clause.values {
                match clause.operator.family {
                    // AWS's documents contradict each other about variables under `Bool`.
                    Family::Bool => {}
                    _ if clause.operator.takes_variables() => {
                        self.value(statement, value.template.raw(), value.span);
                    }
                    _ => self.element(statement, clause.operator.base(), value.template.raw(), value.span),
                }
            }
        }
    }

    /// A place that takes no variables.
    fn element(&mut self, statement: &Statement, place: &str, text: &str, span: Span) {
        let Some(variable) = first_variable(text) else { return };
        let place = if place.contains(' ') { place.to_owned() } else { format!("`{place}`") };
        let message = format!("AWS takes `{variable}` for plain text: {place} takes no policy variables");
        let help = "variables work in `Resource` after the fifth colon, and in the values of string and ARN conditions";
        let draft = Finding::at(span, "this stays as it is written").message(message).statement(statement);
        self.findings.push(draft.about(text).help(help));
    }

    /// A place that takes variables.
    fn value(&mut self, statement: &Statement, text: &str, span: Span) {
        if !text.contains("${") {
            return;
        }
        let template = Template::new(text, true);
        let wrong: Vec<(String, String, Option<String>)> = mistakes(text)
            .into_iter()
            .filter(|(at, mistake)| *mistake != VariableMistake::Space || has_space_in_name(text, *at))
            .map(|(at, mistake)| {
                let variable = text.get(at..).and_then(first_variable).unwrap_or_default();
                (variable, in_words(mistake).to_owned(), None)
            })
            .chain(template.variables().filter_map(|variable| unknown(&variable.written)))
            .collect();
        if wrong.is_empty()
            && let Some(variable) = first_variable(text)
        {
            self.untouched.push((span, variable));
        }
        for (variable, reason, likely) in wrong {
            let message = format!("AWS does not substitute `{variable}`: {reason}");
            let help = match likely {
                Some(likely) => format!("write `${{{likely}}}`, if that is meant"),
                None => "write `${key}` with a condition key that holds one value; the account of the caller is \
                         `${aws:PrincipalAccount}`"
                    .to_owned(),
            };
            let draft = Finding::at(span, "no request gives this a value").message(message).statement(statement);
            self.findings.push(draft.about(variable).help(help));
        }
    }
}

/// The first `${…}` of a text; to its end where nothing closes it.
fn first_variable(text: &str) -> Option<String> {
    let rest = text.get(text.find("${")?..)?;
    let end = rest.find('}').map_or(rest.len(), |at| at + 1);
    rest.get(..end).map(str::to_owned)
}

/// An ARN before its fifth colon, and what follows; a colon inside of a variable parts nothing.
fn arn_head(text: &str) -> (&str, &str) {
    let (mut colons, mut inside, mut before) = (0, false, ' ');
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => inside = true,
            '}' => inside = false,
            ':' if !inside => colons += 1,
            _ => {}
        }
        if colons == 5 {
            return text.split_at_checked(at).unwrap_or((text, ""));
        }
        before = c;
    }
    (text, "")
}

/// Whether white space stands in a key's name; a tag may hold it.
fn has_space_in_name(text: &str, at: usize) -> bool {
    let name = text.get(at..).unwrap_or_default().split(['/', ',', '}']).next().unwrap_or_default();
    name.contains(char::is_whitespace)
}

fn in_words(mistake: VariableMistake) -> &'static str {
    match mistake {
        VariableMistake::MissingBrace => "nothing closes the brace",
        VariableMistake::Empty => "it names no key",
        VariableMistake::Space => "white space stands in the name",
        VariableMistake::MissingQuote => "a default stands in single quotes",
    }
}

/// Why a well-formed variable has no value, and the key that may be meant; `None` where it may have one.
///
/// Of services whose data is not embedded nothing is known.
fn unknown(written: &str) -> Option<(String, String, Option<String>)> {
    let variable = format!("${{{written}}}");
    let key = written.split(',').next().unwrap_or(written).trim();
    if key.is_empty() || key.contains(char::is_whitespace) && !key.contains('/') {
        return None;
    }
    if let Some(known) = services::condition_key(key) {
        let several = || "the key holds several values, and a variable takes one".to_owned();
        return known.multivalued.then(|| (variable, several(), None));
    }
    let is_open = key.split_once(':').is_some_and(|(prefix, _)| {
        let is_aws = prefix.eq_ignore_ascii_case("aws");
        let is_listed = services::service(prefix).is_some();
        let is_elsewhere = prefix.contains('.') || services::is_known_prefix(prefix);
        !is_aws && !is_listed && is_elsewhere
    });
    let distance = |likely: &&str| strsim::damerau_levenshtein(&key.to_ascii_lowercase(), &likely.to_ascii_lowercase());
    let nearest = LIKELY.iter().copied().filter(|likely| distance(likely) <= 3).min_by_key(distance);
    (!is_open).then(|| (variable, "AWS has no such condition key".to_owned(), nearest.map(str::to_owned)))
}
