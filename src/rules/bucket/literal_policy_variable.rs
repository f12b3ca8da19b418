use crate::finding::{Draft, Finding};
use crate::policy::operator::Family;
use crate::policy::{Statement, Version};
use crate::rule::context::{Context, DocumentView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::variables::{self, Unset};
use crate::text::Span;

pub(in crate::rules) const CHECK: Check = Check::documents(check);

fn check(_: &Context<'_>, view: &DocumentView<'_>) -> Outcome {
    if !view.policy.may_hold_variables {
        return Ok(Verdict::Pass);
    }
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
            let (head, tail) = variables::arn_head(resource.value.raw());
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
        let Some(variable) = variables::first_variable(text) else { return };
        let place = if place.contains(' ') { place.to_owned() } else { format!("`{place}`") };
        let message = format!("AWS takes `{variable}` for plain text: {place} takes no policy variables");
        let help = "variables work in `Resource` after the fifth colon, and in the values of string and ARN conditions";
        let draft = Finding::at(span, "this stays as it is written").message(message).statement(statement);
        self.findings.push(draft.about(text).help(help));
    }

    /// A place that takes variables.
    fn value(&mut self, statement: &Statement, text: &str, span: Span) {
        let unset = variables::unset(text);
        if unset.is_empty()
            && let Some(variable) = variables::first_variable(text)
        {
            self.untouched.push((span, variable));
        }
        for Unset { variable, reason, likely } in unset {
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
