//! Whether CloudTrail can encrypt what it delivers: the other half of its writes to a bucket whose logs are under a key.
//!
//! Source: CloudTrail User Guide, "Configure AWS KMS key policies for CloudTrail": without `kms:GenerateDataKey*` no log file
//! is delivered.

use super::ground::Ground;
use crate::access::allowance::GIVEN_UP;
use crate::access::delivery::{Delivery, Source};
use crate::access::lock::{KeyLock, Lock};
use crate::access::search::Answer;
use crate::access::sts::{Membership, better};
use crate::aws::{AccountId, Arn, partition_of};
use crate::finding::{Dependency, Step, StepEffect};
use crate::policy::Policy;

/// Whether CloudTrail gets a data key of the key that logs are under, for some trail that delivers.
pub(super) enum DataKey {
    /// It does, or needs none.
    Given,
    /// Nobody can tell; what that hangs on.
    Open(Vec<Dependency>),
    /// It does not, and what stands against it.
    Refused(Step),
}

/// What stands against a data key for every trail; `None` where nothing does, or nobody knows.
pub(super) fn stop(ground: &Ground<'_>) -> Option<Step> {
    match data_key(ground) {
        DataKey::Refused(step) => Some(step),
        DataKey::Given | DataKey::Open(_) => None,
    }
}

pub(super) fn data_key(ground: &Ground<'_>) -> DataKey {
    let Lock::Key(key) = &ground.lock else { return DataKey::Given };
    let missing = |message: String, span| Step { effect: StepEffect::Missing, message, span };
    if let Some(state) = key.facts.state.filter(|state| !state.eq_ignore_ascii_case("Enabled")) {
        let span = key.key.map(|key| key.span);
        return DataKey::Refused(missing(format!("the state of the key is `{state}`: it encrypts nothing"), span));
    }
    if key.facts.is_aws_managed() {
        return DataKey::Given;
    }
    let Some(policy) = key.policy.as_ref().filter(|policy| policy.unreadable().is_none()) else {
        return DataKey::Open(vec![Dependency::fact(&key.missing)]);
    };
    let trails = trails(ground);
    let partition = partition_of(&key.arn);
    let rcp = [key.rcp.iter().map(AsRef::as_ref).collect::<Vec<&Policy>>()];
    let mut best = Answer::No;
    for statement in policy.allows() {
        let Some(mut delivery) = Delivery::through(policy, statement, partition) else { continue };
        delivery.owner = key.account;
        delivery.rcp = &rcp;
        let sources = match trails.is_empty() {
            true => delivery.named_sources(ground.owner.unwrap_or_else(|| AccountId::other_than([]))),
            false => trails.clone(),
        };
        for source in &sources {
            best = better(best, delivery.encrypt(&key.arn, source, &source.trail));
        }
    }
    let is_named = |key: &KeyLock<'_>| key.key.and_then(|key| key.arn.clone()).is_some();
    let name = if is_named(key) { format!("`{}`", key.arn) } else { "the key".to_owned() };
    let message = || format!("no statement of the key policy lets CloudTrail encrypt log files under {name}");
    match best {
        Answer::Yes(_) => DataKey::Given,
        Answer::If(found) => DataKey::Open(found.explanation.depends_on),
        Answer::Undecided => DataKey::Open(vec![Dependency::bound(GIVEN_UP)]),
        // A grant may give what no statement does.
        Answer::No if key.facts.grants.is_none_or(|grants| !grants.is_empty()) => {
            DataKey::Open(vec![Dependency::fact("the grants of the key")])
        }
        Answer::No => DataKey::Refused(missing(message(), Some(policy.span))),
    }
}

/// The trails that deliver to the bucket.
fn trails(ground: &Ground<'_>) -> Vec<Source> {
    let source = |trail: &str| {
        let account = Arn::parse(trail)?.account_id()?;
        let organization = match ground.organization.membership(account) {
            Membership::In(id) => Some(id),
            Membership::InUnknown | Membership::Outside => None,
        };
        Some(Source { trail: trail.into(), account, organization })
    };
    ground.log_bucket.trails.iter().filter_map(|trail| source(&trail.value)).collect()
}
