use crate::finding::{Draft, Finding, SubjectKind};
use crate::rule::context::{Context, DocumentView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::text::Span;

pub(in crate::rules) const CHECK: Check = Check { estate: Some(outside), ..Check::documents(inside) };

/// Keys of policy documents.
fn inside(_: &Context<'_>, view: &DocumentView<'_>) -> Outcome {
    let findings = view.policy.duplicates.iter().map(|duplicate| {
        let statement = view.policy.statements.iter().find(|statement| statement.span.contains(duplicate.again));
        let place = match statement {
            Some(statement) => format!("statement {} of the {}", statement.index + 1, view.policy.kind.title()),
            None => format!("the {}", view.policy.kind.title()),
        };
        let draft =
            finding(&duplicate.key, duplicate.first, duplicate.again, &format!("{place} of `{}`", view.subject.name));
        match statement {
            Some(statement) => draft.statement(statement),
            None => draft,
        }
    });
    Ok(Verdict::of(findings.collect()))
}

/// Keys of the files around them.
fn outside(context: &Context<'_>) -> Outcome {
    let findings = context.estate.duplicates.iter().map(|duplicate| {
        let file = context.file(duplicate.again);
        let subject = context.subject_of_file(SubjectKind::Document, duplicate.again, None);
        finding(&duplicate.key, duplicate.first, duplicate.again, &format!("one object of `{file}`")).subject(subject)
    });
    let findings: Vec<_> = findings.collect();
    Ok(if findings.is_empty() { Verdict::NotApplicable } else { Verdict::of(findings) })
}

fn finding(key: &str, first: Span, again: Span, place: &str) -> Draft {
    Finding::at(again, "here again")
        .message(format!("key `{key}` stands twice in {place}"))
        .related(first, format!("`{key}` stands here first"))
        .about(key)
        .help("keep one of the two: AWS refuses a policy with both, and other readers silently drop one")
}
