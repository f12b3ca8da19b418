//! Readers that fetch logs and do not decrypt them.

use crate::access::bucket::key_facts;
use crate::access::evaluate::StopKind;
use crate::access::reach::{LogReach, Reached};
use crate::aws::AccountId;
use crate::estate::{Gap, Key};
use crate::finding::matrix::{Ability, Certainty};
use crate::finding::{Step, StepEffect};
use crate::model::is_key;
use crate::policy::PolicyKind;
use crate::rule::context::Context;
use crate::rules::shared::log_keys;
use crate::rules::shared::reading::{Standing, has};
use crate::text::Span;

/// The key the logs of a bucket are under, where it is one that can be used.
///
/// # Errors
/// The gap, where the key or its policy is not known.
pub(in crate::rules) fn key_of<'c>(context: &'c Context<'_>, reach: &LogReach) -> Result<Option<&'c Key>, Gap> {
    let Some(arn) = reach.key.as_deref() else { return Ok(None) };
    let Some(key) = context.estate.keys.iter().find(|key| is_key(arn, key)) else {
        return log_keys::not_in_inputs(arn).map_or(Ok(None), |gap| Err(gap.at([reach.span])));
    };
    // One that AWS manages is `aws-managed-key`; what is disabled or to be deleted is `unusable-key`.
    let facts = key_facts(key);
    if facts.is_aws_managed() || facts.state != Some("Enabled") {
        return Ok(None);
    }
    Ok(key.policy.get()?.map(|_| key))
}

/// What keeps a reader from decrypting what it fetches by itself.
pub(in crate::rules) fn stop_of(reader: &Reached) -> Option<StopKind> {
    reader.undeciphered.as_ref()?.stop().map(|stop| stop.kind)
}

/// Whether that is something which its role carries or lacks, or that the key policy does not let its account decide.
pub(in crate::rules) fn is_of_role(kind: StopKind) -> bool {
    !matches!(
        kind,
        StopKind::Deny(PolicyKind::Key | PolicyKind::Rcp | PolicyKind::Scp)
            | StopKind::Missing(PolicyKind::Scp)
            | StopKind::Condition(PolicyKind::Key)
    )
}

/// The logs that the model gives an account: those told apart, and one of all others.
pub(in crate::rules) fn given_logs(
    context: &Context<'_>,
    reach: &LogReach,
    reader: &Reached,
    account: AccountId,
) -> Vec<AccountId> {
    let given = context.model.logs_of(account, &reach.bucket);
    let told_apart = reader.told_apart(false);
    let rest = reach.logs_of.iter().find(|logs_of| given.includes(**logs_of) && !told_apart.contains(logs_of)).copied();
    told_apart.iter().copied().filter(|logs_of| given.includes(*logs_of)).chain(rest).collect()
}

/// Whether an account other than the owner fetches logs that the model gives it.
pub(in crate::rules) fn is_given(context: &Context<'_>, reach: &LogReach, reader: &Reached) -> bool {
    let account = reader.account.filter(|account| Some(*account) != reach.owner);
    let logs = account.map(|account| given_logs(context, reach, reader, account)).unwrap_or_default();
    logs.into_iter().any(|logs_of| reader.access(Some(logs_of), Ability::Get, false).is_some())
}

/// How an account stands to decrypting what it certainly fetches by itself; `None` where it does not fetch.
pub(in crate::rules) fn stands<'c>(reach: &LogReach, reader: &'c Reached, logs_of: AccountId) -> Option<Standing<'c>> {
    let fetch = reader.access(Some(logs_of), Ability::Get, false)?;
    (fetch.certainty == Certainty::Certain).then(|| has(reach, reader, Some(logs_of), Ability::Decrypt, false))
}

/// The statement by which it fetches.
pub(in crate::rules) fn statement_of(reader: &Reached) -> Option<Span> {
    let mut any = reader.told_apart(false).into_iter().map(Some).chain([None]);
    let fetch = any.find_map(|logs_of| reader.access(logs_of, Ability::Get, false))?;
    let allows = |step: &&Step| step.effect == StepEffect::Allows;
    fetch.path.iter().flat_map(|hop| &hop.steps).filter(allows).find_map(|step| step.span)
}
