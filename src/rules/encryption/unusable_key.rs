use compact_str::CompactString;

use crate::access::bucket::key_facts;
use crate::aws::Arn;
use crate::estate::{Gap, KeyManager, Known, Trail};
use crate::finding::{Draft, Finding};
use crate::rule::context::{BucketView, Context, KeyView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::encryption::{LogKey, default_key, has_unseen_trail, trails};
use crate::text::Spanned;

pub(in crate::rules) const CHECK: Check = Check { key: Some(key), bucket: Some(bucket), ..Check::NOTHING };

const OWN_KEY: &str = "make a symmetric key with the usage `ENCRYPT_DECRYPT` for the logs, and name it on the trail; what \
    was written before stays under the old one";

/// What the key itself tells.
fn key(_: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    let facts = key_facts(view.key);
    if facts.manager == Some(KeyManager::Aws) {
        return Ok(Verdict::NotApplicable);
    }
    let not_told = |what: &str| Gap::new("key.metadata", format!("it does not say {what}"));
    let Some(metadata) = view.key.metadata.get()? else { return Err(not_told("anything of the key")) };
    let name = &view.subject.name;
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    match &metadata.state {
        Some(state) => findings.extend(by_state(name, state)),
        None => gaps.push(not_told("in which state the key is")),
    }
    let is = |text: &Option<Spanned<CompactString>>, wanted: &str| text.as_ref().map(|text| text.value == wanted);
    let kind = [(&metadata.spec, "SYMMETRIC_DEFAULT"), (&metadata.usage, "ENCRYPT_DECRYPT")];
    // An asymmetric key has another usage too, which is the same deviation.
    let other = kind.into_iter().find_map(|(text, wanted)| text.as_ref().filter(|text| text.value != wanted));
    if let Some(other) = other {
        let message = format!("log key `{name}` is no symmetric key for encryption, but of the kind `{}`", other.value);
        let finding = Finding::at(other.span, "S3 encrypts under no other keys");
        findings.push(finding.message(message).about("kind").help(OWN_KEY));
    } else if is(&metadata.spec, "SYMMETRIC_DEFAULT").is_none() {
        gaps.push(not_told("of what kind the key is"));
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

fn by_state(name: &str, state: &Spanned<CompactString>) -> Option<Draft> {
    let (why, help) = match state.value.as_str() {
        "Disabled" => ("is disabled", "enable it: logs under it can not be read, and new ones are not delivered"),
        "PendingDeletion" | "PendingReplicaDeletion" => (
            "is about to be deleted",
            "cancel the deletion, with `aws kms cancel-key-deletion`, and enable it: every log under it is lost with it",
        ),
        "PendingImport" => ("has no key material", "import its key material again"),
        "Unavailable" => ("can not be reached in its key store", "connect the key store again"),
        _ => return None,
    };
    let message = format!("log key `{name}` {why}: nobody can read the logs under it, and CloudTrail can not write");
    let finding = Finding::at(state.span, "KMS refuses every call that encrypts or decrypts");
    Some(finding.message(message).about(state.value.as_str()).help(help))
}

/// What the places that name a key tell: the Region it lies in, and who has to resolve its name.
fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    let mut named: Vec<(LogKey, String, Vec<String>)> = Vec::new();
    let delivering = trails(context, view);
    for trail in &delivering {
        if let Known::Present(key, span) = &trail.key {
            let key = LogKey { reference: Some(key.to_string()), span: *span };
            named.push((key, format!("trail `{}`", trail.name), Vec::new()));
        }
    }
    // A trail's own key goes before the default of the bucket.
    let unless = uncertain(context, view, &delivering);
    if !unless.is_empty() {
        match default_key(view) {
            Ok(Some(key)) => {
                findings.extend(by_name(context, view, &key, &unless));
                named.push((key, "the bucket's default".to_owned(), unless));
            }
            Ok(None) => {}
            Err(gap) => gaps.push(gap),
        }
    }
    for (key, whose, unless) in named {
        let Some(region) = key.reference.as_deref().and_then(Arn::parse).map(|arn| arn.region.to_owned()) else {
            continue;
        };
        match view.bucket.region.get() {
            Ok(Some(own)) if *own != region.as_str() => {
                let name = &view.subject.name;
                let but = unless_named(&unless);
                let message = format!("the key of {whose} lies in `{region}`, and bucket `{name}` in `{own}`{but}");
                let finding = Finding::at(key.span, "S3 uses keys of the bucket's own Region only").message(message);
                let finding = match view.bucket.region.span() {
                    Some(span) => finding.related(span, "the Region of the bucket"),
                    None => finding,
                };
                let help =
                    format!("name a key that lies in `{own}`, or a replica there if the key is a multi-Region key");
                findings.push(finding.depends_on(unless).about("region").about(region).help(help));
            }
            Ok(_) => {}
            Err(gap) if gaps.contains(&gap) => {}
            Err(gap) => gaps.push(gap),
        }
    }
    match findings.is_empty() && gaps.is_empty() && delivering.is_empty() {
        true => Ok(Verdict::NotApplicable),
        false => Ok(Verdict::with_gaps(findings, gaps)),
    }
}

/// What would have to be so for the default of the bucket not to count; nothing where each trail names its key, so that it
/// does not count.
fn uncertain(context: &Context<'_>, view: &BucketView<'_>, delivering: &[&Trail]) -> Vec<String> {
    let name = &view.subject.name;
    let keyless = delivering.iter().filter(|trail| trail.key.present().is_none());
    let keyless = keyless.map(|trail| match trail.key {
        Known::Absent(_) => format!("whether trail `{}` writes under the default of `{name}`", trail.name),
        _ => format!("the key of trail `{}`", trail.name),
    });
    let unseen = has_unseen_trail(context, view).then(|| format!("the key of a trail that delivers to `{name}`"));
    keyless.chain(unseen).collect()
}

/// What is to be said of the default of a bucket where it does not count for certain.
fn unless_named(unless: &[String]) -> &'static str {
    if unless.is_empty() { "" } else { ", unless the trail names a key" }
}

/// The default key by a name that another account resolves in its own keys.
fn by_name(context: &Context<'_>, view: &BucketView<'_>, key: &LogKey, unless: &[String]) -> Option<Draft> {
    let reference = key.reference.as_deref().filter(|reference| Arn::parse(reference).is_none())?;
    if reference.starts_with("alias/aws/") {
        // An AWS managed key is `aws-managed-key`.
        return None;
    }
    let log_bucket = context.model.log_bucket(&view.bucket.name)?;
    let owner = log_bucket.owner.or_else(|| context.model.owner());
    let other = log_bucket.delivering.keys().find(|account| owner.is_some_and(|owner| owner != **account))?;
    let what = if reference.starts_with("alias/") { "an alias" } else { "a bare key ID" };
    let message = format!(
        "the default key of `{}` is {what}, `{reference}`, which account {} resolves to a key of its own{}",
        view.subject.name,
        context.model.label(*other),
        unless_named(unless),
    );
    let finding = Finding::at(key.span, "S3 looks the name up in the account that writes").message(message);
    let help = "name the key by its whole ARN, `arn:aws:kms:REGION:ACCOUNT:key/…`";
    Some(finding.depends_on(unless.iter().cloned()).about("name").help(help))
}
