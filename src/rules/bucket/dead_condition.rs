use crate::aws::services::{self, Access};
use crate::estate::Gap;
use crate::finding::Finding;
use crate::policy::condition::{self, Context as _, KeyValue, Tri};
use crate::policy::operator::Family;
use crate::policy::{Clause, Effect, Policy, Principal, Statement};
use crate::rule::context::{BucketView, Context, KeyView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::request_kinds::{self, Carried};

pub(in crate::rules) const CHECK: Check = Check { bucket: Some(bucket), key: Some(key), ..Check::NOTHING };

fn bucket(_: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    check(view.policy())
}

fn key(_: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    check(view.policy())
}

fn check(policy: Result<Option<&Policy>, Gap>) -> Outcome {
    let Some(policy) = policy? else { return Ok(Verdict::NotApplicable) };
    let mut findings = Vec::new();
    for statement in policy.effective() {
        let Some(requests) = request_kinds::requests(statement) else { continue };
        // What an empty list means AWS does not say in one voice.
        for clause in statement.conditions.iter().filter(|clause| !clause.values.is_empty()) {
            let never_carried = requests.iter().all(|request| request.value(&clause.key) == KeyValue::Absent);
            let literal = request_kinds::is_literal_wildcard(clause);
            let people = is_of_services(clause) && reads_for_everyone(statement);
            let fails = literal || request_kinds::is_of_no_caller(clause, &requests);
            if !people && !requests.iter().all(|request| never_holds(clause, statement, fails, request)) {
                continue;
            }
            let (span, why) = match (literal && !never_carried, never_carried || people) {
                (true, _) => {
                    (clause.values.first().map_or(clause.span, |v| v.span), "here a wildcard is a plain character")
                }
                (_, true) => (clause.key_span, "no such request carries this key"),
                _ => (clause.span, "no such request has this value"),
            };
            let so = match statement.effect {
                Effect::Allow => "allows nobody anything",
                Effect::Deny => "denies nothing",
            };
            let key = &clause.written_key;
            let message = match literal && !never_carried {
                true => format!("no request has `{key}` with a literal wildcard, so that the statement {so}"),
                false if people => {
                    format!("only AWS services carry `{key}`, so that the statement allows no reader anything")
                }
                false => format!("the condition on `{key}` can not hold here, so that the statement {so}"),
            };
            let draft = Finding::at(span, why).message(message).statement(statement);
            findings
                .push(draft.about(clause.operator.to_string()).about(clause.key.as_str()).help(help(clause, literal)));
        }
    }
    Ok(Verdict::of(findings))
}

/// Whether a clause certainly fails for one kind of request; `fails` says that no value of the key meets it.
fn never_holds(clause: &Clause, statement: &Statement, fails: bool, request: &Carried<'_>) -> bool {
    if !fails {
        return condition::holds(clause, statement.effect, request) == Tri::False;
    }
    // The comparison itself fails; what is left is a request without the key.
    match request.value(&clause.key) {
        KeyValue::Absent | KeyValue::Unknown => condition::absent(clause.operator) == Tri::False,
        _ => true,
    }
}

/// Whether a clause demands the organization of an AWS service's caller, which stands where that of a person is meant.
fn is_of_services(clause: &Clause) -> bool {
    let source = clause.key.is("aws:SourceOrgID") || clause.key.is("aws:SourceOrgPaths");
    source && condition::absent(clause.operator) == Tri::False && clause.operator.family != Family::Null
}

/// Whether a statement lets everyone read and do nothing else: no AWS service reads logs by itself.
fn reads_for_everyone(statement: &Statement) -> bool {
    let everyone = |p: &crate::policy::Principals| p.entries.iter().any(|e| e.principal == Principal::Everyone);
    let reads = |action: &services::Action| {
        matches!(action.access, Access::Read | Access::List) || matches!(action.name, "Decrypt" | "DescribeKey")
    };
    statement.effect == Effect::Allow
        && statement.principals.as_ref().is_some_and(|p| !p.negated && everyone(p))
        && statement.actions.as_ref().is_some_and(|actions| {
            let all =
                |pattern: &str| services::expand(pattern).all(reads) && services::expand(pattern).next().is_some();
            !actions.negated && actions.items.iter().all(|item| all(item.value.raw()))
        })
}

fn help(clause: &Clause, literal: bool) -> String {
    let key = clause.key.as_str();
    let like = clause.operator.to_string().replace("EqualsIgnoreCase", "Like").replace("Equals", "Like");
    const WHOLE: [&str; 5] = ["org", "account", "sourcevpc", "vpce", "userid"];
    match key {
        // A wildcard here takes in others than those that are meant.
        _ if literal && WHOLE.iter().any(|part| key.contains(part)) => "write the whole value".to_owned(),
        _ if literal => format!("use `{like}`, which takes wildcards (`ArnLike` for ARNs)"),
        "s3:prefix" | "s3:delimiter" | "s3:max-keys" => {
            "limit listing in a statement of its own, with `s3:ListBucket` on the bucket; what is read is limited by \
             `Resource`"
                .to_owned()
        }
        "aws:sourcearn" | "aws:sourceaccount" | "aws:sourceorgid" | "aws:sourceorgpaths" => {
            "AWS services alone carry this key; for accounts use `aws:PrincipalOrgID` or `aws:PrincipalArn`".to_owned()
        }
        "aws:principalarn" => {
            "the key holds the ARN of a user or role, `arn:aws:iam::…:role/…`, never that of a session: name one of the \
             statement's principals"
                .to_owned()
        }
        "aws:principalorgid" | "aws:principalorgpaths" | "aws:principalaccount" => {
            "AWS services do not carry this key; guard them with `aws:SourceArn` or `aws:SourceOrgID`".to_owned()
        }
        _ => "take the condition out, or move it to a statement with the actions and principals that carry the key"
            .to_owned(),
    }
}
