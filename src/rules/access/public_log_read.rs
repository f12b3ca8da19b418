use crate::finding::{Draft, Finding};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::leaks::{self, Deed, Leak, Who};
use crate::rules::shared::trust::everyone_span;

pub(in crate::rules) const CHECK: Check =
    Check { bucket: Some(bucket), estate: Some(leaks::prepare), ..Check::NOTHING };

fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let (all, gaps) = leaks::by_statement(context, view, Deed::Read)?;
    let mut findings: Vec<Draft> = Vec::new();
    for of in all.iter().filter(|of| of.is_public()) {
        let anyone: Vec<&Leak<'_>> = of.leaks.iter().filter(|leak| leak.who == Who::Anyone).collect();
        let Some(leak) = leaks::shown(&anyone) else { continue };
        let logs = leaks::logs_of(&anyone);
        let message = format!(
            "{} can read {} in log bucket `{}`{}",
            leaks::whom(context, &[leak]),
            leaks::logs_in_words(context, of.reach, &anyone, &logs),
            view.subject.name,
            leak.through.condition(),
        );
        let draft = Finding::at(everyone_span(of.statement), "this takes in everyone")
            .message(message)
            .statement(of.statement)
            .help(
                "name the accounts that read in `Principal`, or require \"StringEquals\": {\"aws:PrincipalOrgID\": \"o-…\"}, \
                 and turn block public access on",
            );
        findings.push(leaks::complete(draft, leak, None));
    }
    Ok(Verdict::with_gaps(findings, gaps))
}
