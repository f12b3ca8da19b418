use crate::access::s3::statement_is_public;
use crate::estate::{BlockPublicAccess, Gap, Known};
use crate::finding::Finding;
use crate::policy::condition::Tri;
use crate::policy::{Policy, Statement};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::readers::{list, meant_readers, shown};
use crate::text::Span;

pub(in crate::rules) const CHECK: Check = Check { takes_a_denial: true, ..Check::buckets(check) };

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(policy) = view.policy()? else { return Ok(Verdict::NotApplicable) };
    let readers = meant_readers(context, view)?;
    if readers.is_empty() {
        return Ok(Verdict::NotApplicable);
    }
    let is_public = |wanted: Tri| move |statement: &&Statement| statement_is_public(statement) == wanted;
    let public: Vec<&Statement> = policy.allows().filter(is_public(Tri::True)).collect();
    let open: Vec<&Statement> = policy.allows().filter(is_public(Tri::Unknown)).collect();
    // What S3 itself says of the policy goes before what its documentation says of statements.
    let told = view.bucket.policy_is_public.present().copied();
    let suspects = match (told, public.is_empty()) {
        (Some(false), _) => return Ok(Verdict::Pass),
        (_, false) => public,
        (Some(true), true) => open,
        (None, true) if open.is_empty() => return Ok(Verdict::Pass),
        (None, true) => Vec::new(),
    };
    let Some(restricted) = restricts(context, view)? else { return Ok(Verdict::Pass) };
    let Some((first, others)) = suspects.split_first() else {
        let reason = "AWS does not document whether S3 takes one of its statements for public";
        return Err(Gap::new("bucket.policy-status", reason).at(open_spans(policy)));
    };
    let name = &view.subject.name;
    let who = list(context, &readers);
    let what = match others.len() {
        0 => "one statement makes".to_owned(),
        more => format!("{} statements make", more + 1),
    };
    let message = format!("block public access stops {who} from reading `{name}`: {what} its policy public");
    let draft = Finding::at(place(first), "S3 takes this for public").message(message).statement(*first).related(
        restricted,
        "`RestrictPublicBuckets` is on: of a public policy only the owner's account and AWS services are left",
    );
    let draft = others.iter().fold(draft, |draft, other| draft.related(place(other), "this is public too"));
    let draft = shown(draft, &readers, "is stopped too");
    Ok(Verdict::of(vec![draft.help(
        "bind each statement for everyone to fixed values, such as \"StringEquals\": {\"aws:PrincipalOrgID\": \"o-…\"}, or \
         name the accounts; leave `RestrictPublicBuckets` on",
    )]))
}

/// Where `RestrictPublicBuckets` is on, for the bucket or for its account; `None` where it is off for both.
fn restricts(context: &Context<'_>, view: &BucketView<'_>) -> Result<Option<Span>, Gap> {
    let account = view.bucket.account.present().copied().or_else(|| context.model.owner());
    let account = account.and_then(|id| context.estate.accounts.get(&id)).map(|facts| &facts.block_public_access);
    let own = &view.bucket.block_public_access;
    let on = |known: &Known<BlockPublicAccess>| match known {
        Known::Present(settings, span) if settings.restrict_public_buckets => Some(*span),
        _ => None,
    };
    if let Some(span) = on(own).or_else(|| account.and_then(on)) {
        return Ok(Some(span));
    }
    own.get()?;
    match account {
        Some(known) => known.get().map(|_| None),
        None => Err(Gap::not_collected("account.public-access-block")),
    }
}

/// Where one would mend a public statement: its conditions, else whom it names.
fn place(statement: &Statement) -> Span {
    let principals = statement.principals.as_ref().map(|principals| principals.span);
    statement.condition_span.or(principals).unwrap_or(statement.span)
}

fn open_spans(policy: &Policy) -> Vec<Span> {
    policy.allows().filter(|statement| statement_is_public(statement) == Tri::Unknown).map(place).collect()
}
