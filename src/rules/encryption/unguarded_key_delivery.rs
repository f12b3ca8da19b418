use crate::access::search::Answer;
use crate::finding::{Draft, Finding, Level};
use crate::policy::Statement;
use crate::rule::context::{Context, KeyView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::delivery::{Destination, at_level, best, service_span};

pub(in crate::rules) const CHECK: Check = Check::keys(check);

const CONTEXT: &str = "kms:EncryptionContext:aws:cloudtrail:arn";

fn check(context: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    let Some(policy) = view.policy()? else { return Ok(Verdict::NotApplicable) };
    let key = Destination::key(context, view);
    let mut encrypts = false;
    let mut findings = Vec::new();
    for statement in policy.allows() {
        let asked = key.through(policy, statement, |delivery| {
            let foreign = delivery.foreign_sources(key.stranger, &|account| key.is_ours(account));
            let named = delivery.named_sources(key.own_account());
            // For a foreign trail, in whatever context: is the source looked at?
            let by_source = foreign.iter().flat_map(|source| {
                delivery.contexts(source).into_iter().map(|context| delivery.encrypt(&key.arn, source, &context))
            });
            // For a trail that may use the key, in the context of a foreign one: is the context looked at?
            let by_context = named
                .iter()
                .chain(&foreign)
                .flat_map(|source| foreign.iter().map(|other| delivery.encrypt(&key.arn, source, &other.trail)));
            let own = named.iter().flat_map(|source| {
                delivery.contexts(source).into_iter().map(|context| delivery.encrypt(&key.arn, source, &context))
            });
            encrypts |= best(own) != Answer::No;
            (best(by_source), best(by_context))
        });
        let Some((by_source, by_context)) = asked else { continue };
        findings.extend(finding(view, &key, statement, &by_source, &by_context));
    }
    Ok(if encrypts || !findings.is_empty() { Verdict::of(findings) } else { Verdict::NotApplicable })
}

fn finding(
    view: &KeyView<'_>,
    key: &Destination<'_, '_>,
    statement: &Statement,
    by_source: &Answer,
    by_context: &Answer,
) -> Option<Draft> {
    let (missing, answer) = match (by_source.found(), by_context.found()) {
        (None, None) => return None,
        (Some(_), Some(_)) => ("neither `aws:SourceArn` nor the encryption context binds it to your trails", by_source),
        (Some(_), None) => ("`aws:SourceArn` does not bind it to your trails", by_source),
        (None, Some(_)) => ("the encryption context does not bind it to your trails", by_context),
    };
    let found = answer.found()?;
    let loose = |clause: &&crate::policy::Clause| match (by_source.found(), by_context.found()) {
        (Some(_), _) if clause.key.starts_with("aws:source") => true,
        (_, Some(_)) => clause.key.is(CONTEXT),
        _ => false,
    };
    let clause = statement.conditions.iter().find(loose);
    let span = clause.map(|clause| clause.span).or(statement.condition_span).unwrap_or_else(|| service_span(statement));
    let draft = Finding::at(span, "CloudTrail calls for every AWS customer")
        .message(format!("CloudTrail can encrypt under log key `{}` for other trails: {missing}", view.subject.name))
        .statement(statement)
        .path(found.explanation.steps.iter().cloned())
        .witness(found.witness.clone())
        .depends_on(key.unless(found))
        .help(format!(
            "require both: StringEquals `aws:SourceArn` with the ARN of the trail, and StringLike `{CONTEXT}` with \
             `arn:aws:cloudtrail:*:ACCOUNT:trail/*`"
        ));
    Some(at_level(draft, Level::Warning, answer))
}
