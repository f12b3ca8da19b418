use compact_str::CompactString;

use crate::estate::{Gap, KeyManager, KeyMetadata, Known};
use crate::finding::Finding;
use crate::rule::context::{Context, KeyView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::text::Spanned;

pub(in crate::rules) const CHECK: Check = Check::keys(check);

fn check(_: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    // What tells that the key does not rotate by itself goes before its rotation.
    if view.key.metadata.present().is_some_and(|metadata| rotates(metadata) == Ok(false)) {
        return Ok(Verdict::NotApplicable);
    }
    let span = match &view.key.rotation {
        Known::Present(false, span) => *span,
        Known::Present(true, _) => return Ok(Verdict::Pass),
        // KMS says so of keys that can not rotate by themselves.
        Known::Absent(_) => return Ok(Verdict::NotApplicable),
        Known::Unknown(gap) => return Err(gap.clone()),
    };
    let Some(metadata) = view.key.metadata.get()? else { return Ok(Verdict::NotApplicable) };
    if !rotates(metadata)? {
        return Ok(Verdict::NotApplicable);
    }
    let finding = Finding::at(span, "the same key material for good")
        .message(format!("log key `{}` does not rotate by itself", view.subject.name))
        .help("turn on automatic rotation: logs under old key material stay readable, and no policy has to change");
    Ok(Verdict::of(vec![finding]))
}

/// Whether somebody can turn on that the key rotates by itself: not of keys that AWS manages, nor of asymmetric ones, nor of
/// imported material and that of custom key stores, nor of a key that is going.
fn rotates(metadata: &KeyMetadata) -> Result<bool, Gap> {
    let is = |text: &Option<Spanned<CompactString>>, wanted: &str| text.as_ref().map(|text| text.value == wanted);
    let is_going = metadata.state.as_ref().is_some_and(|state| state.value.starts_with("Pending"));
    let is_symmetric = is(&metadata.spec, "SYMMETRIC_DEFAULT");
    let is_own = metadata.manager.map(|manager| manager == KeyManager::Customer);
    if is_going
        || is_symmetric == Some(false)
        || is_own == Some(false)
        || is(&metadata.origin, "AWS_KMS") == Some(false)
    {
        return Ok(false);
    }
    let not_told = |what: &'static str| Gap::new("key.metadata", format!("it does not say {what}"));
    is_own.ok_or_else(|| not_told("who manages the key"))?;
    is_symmetric.ok_or_else(|| not_told("of what kind the key is"))
}
