use crate::finding::{Finding, SubjectKind};
use crate::policy::ProblemKind;
use crate::rule::context::{Context, DocumentView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;

pub(in crate::rules) const CHECK: Check = Check { document: Some(no_object), ..Check::estate(broken) };

/// Texts that do not parse.
fn broken(context: &Context<'_>) -> Outcome {
    let findings = context.estate.broken.iter().map(|broken| {
        let file = context.file(broken.span);
        let what = match broken.policy {
            Some(kind) => format!("the {} in `{file}`", kind.title()),
            None => format!("`{file}`"),
        };
        Finding::at(broken.span, "here it stops being JSON")
            .message(format!("{what} is not JSON: {}", broken.message))
            .about(broken.message.as_str())
            .subject(context.subject_of_file(SubjectKind::Document, broken.span, None))
            .help("mend the syntax; until then nothing that stands in this text is known")
    });
    let findings: Vec<_> = findings.collect();
    Ok(if findings.is_empty() { Verdict::NotApplicable } else { Verdict::of(findings) })
}

/// Documents that are JSON and no object.
fn no_object(_: &Context<'_>, view: &DocumentView<'_>) -> Outcome {
    let problem = view.policy.problems.iter().find_map(|problem| match problem.kind {
        ProblemKind::WrongType("policy", is, _) => Some((problem.span, is)),
        _ => None,
    });
    let Some((span, is)) = problem else { return Ok(Verdict::Pass) };
    let finding = Finding::at(span, "a policy is an object: `{\"Version\": …, \"Statement\": …}`")
        .message(format!("the {} of `{}` is {is}, not an object", view.policy.kind.title(), view.subject.name))
        .about(is)
        .help("put the policy document here; AWS takes nothing else");
    Ok(Verdict::of(vec![finding]))
}
