use crate::estate::{Gap, KeyManager, Known};
use crate::finding::Finding;
use crate::rule::context::{Context, KeyView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;

pub(in crate::rules) const CHECK: Check = Check::keys(check);

fn check(_: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    let span = match &view.key.rotation {
        Known::Present(false, span) => *span,
        Known::Present(true, _) => return Ok(Verdict::Pass),
        // KMS says so of keys that can not rotate by themselves.
        Known::Absent(_) => return Ok(Verdict::NotApplicable),
        Known::Unknown(gap) => return Err(gap.clone()),
    };
    let Some(metadata) = view.key.metadata.get()? else { return Ok(Verdict::NotApplicable) };
    let not_told = |what: &'static str| Gap::new("key.metadata", format!("it does not say {what}"));
    let is = |text: &Option<crate::text::Spanned<compact_str::CompactString>>, wanted: &str| {
        text.as_ref().map(|text| text.value == wanted)
    };
    let manager = metadata.manager.ok_or_else(|| not_told("who manages the key"))?;
    let symmetric = is(&metadata.spec, "SYMMETRIC_DEFAULT").ok_or_else(|| not_told("of what kind the key is"))?;
    // Imported material and that of custom key stores does not rotate by itself.
    let own_material = is(&metadata.origin, "AWS_KMS").unwrap_or(true);
    let is_going = metadata.state.as_ref().is_some_and(|state| state.value.starts_with("Pending"));
    if manager != KeyManager::Customer || !symmetric || !own_material || is_going {
        return Ok(Verdict::NotApplicable);
    }
    let finding = Finding::at(span, "the same key material for good")
        .message(format!("log key `{}` does not rotate by itself", view.subject.name))
        .help("turn on automatic rotation: logs under old key material stay readable, and no policy has to change");
    Ok(Verdict::of(vec![finding]))
}
