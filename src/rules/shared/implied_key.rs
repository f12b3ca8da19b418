//! The trails that a key policy is written for, where no input describes them.

use crate::access::delivery::Delivery;
use crate::access::request::Given;
use crate::aws::{AccountId, Arn, partition_of};
use crate::policy::Statement;
use crate::rule::context::{Context, KeyView};
use crate::rules::shared::delivery::Destination;
use crate::rules::shared::implied::who;
use crate::rules::shared::refusal::{Call, Refusals};
use crate::rules::shared::trail_calls::{Called, Calls, Source, allowed_for};

/// The keys that hold the ARN of a trail or the account that owns it.
const TRAIL_KEYS: [&str; 3] = ["kms:EncryptionContext:aws:cloudtrail:arn", "aws:SourceArn", "aws:SourceAccount"];

/// Asks for each statement that lets CloudTrail encrypt whether it does so for some trail, other than those of the accounts
/// of `known`, which are asked about by themselves; whether the policy is written for CloudTrail at all.
pub(in crate::rules) fn look<'p>(
    context: &Context<'_>,
    view: &KeyView<'_>,
    calls: &Calls<'p, '_>,
    known: &[AccountId],
    found: &mut Refusals<'p>,
) -> bool {
    let policy = calls.policy();
    let key = Destination::key(context, view);
    let through = |statement| Some((statement, Delivery::through(policy, statement, partition_of(&key.arn))?));
    let statements: Vec<(&Statement, Delivery<'_>)> =
        policy.allows().filter_map(through).filter(|(_, delivery)| delivery.is_of_service()).collect();
    let mut all: Vec<Source> = Vec::new();
    for source in statements.iter().flat_map(|(statement, delivery)| sources(delivery, statement, key.own_account())) {
        if !all.iter().any(|other| other.arn == source.arn && other.organization == source.organization) {
            all.push(source);
        }
    }
    let mut encrypts = false;
    let mut others: Option<Vec<Source>> = None;
    for (statement, delivery) in &statements {
        let own = sources(delivery, statement, key.own_account());
        if !statement.covers_action("kms:GenerateDataKey") {
            others.get_or_insert(own);
            continue;
        }
        // A trail that another statement names is meant by one that names none.
        let is_of_own = |source: &&Source| own.iter().any(|known| known.account == source.account);
        let sources: Vec<Source> = all.iter().filter(is_of_own).cloned().collect();
        encrypts = true;
        let encrypt = |source: &Source| calls.data_key(&key.arn, source, &[Given::Present]);
        let users = any(context, calls, Call::Encrypt, &sources, &encrypt, known, found);
        if !users.is_empty() && known.is_empty() {
            any(context, calls, Call::Describe, &users, &|s| calls.describe_key(&key.arn, s), known, found);
        }
    }
    if let Some(sources) = others.filter(|_| !encrypts) {
        let encrypt = |source: &Source| calls.data_key(&key.arn, source, &[Given::Present]);
        any(context, calls, Call::Encrypt, &sources, &encrypt, known, found);
        encrypts = true;
    }
    encrypts
}

/// The trails that a call is allowed for; where there is none, what is said of the first is taken in.
fn any<'p>(
    context: &Context<'_>,
    calls: &Calls<'p, '_>,
    call: Call,
    sources: &[Source],
    ask: &dyn Fn(&Source) -> Called,
    known: &[AccountId],
    found: &mut Refusals<'p>,
) -> Vec<Source> {
    allowed_for(sources, ask).unwrap_or_else(|best| {
        if let Some((called, source)) = best.filter(|_| !sources.iter().any(|source| known.contains(&source.account))) {
            found.add(calls, call, called, &who(context, source), source, None);
        }
        Vec::new()
    })
}

/// The trails that a statement speaks of: by their source and by the encryption context.
fn sources(delivery: &Delivery<'_>, statement: &Statement, own: AccountId) -> Vec<Source> {
    let clauses = statement.conditions.iter().filter(|clause| TRAIL_KEYS.iter().any(|key| clause.key.is(key)));
    let texts = clauses.flat_map(|clause| &clause.values).map(|value| value.template.raw());
    let accounts = texts.filter_map(|text| match Arn::parse(text) {
        Some(arn) => arn.account_id(),
        None => AccountId::parse(text),
    });
    let mut accounts: Vec<AccountId> = accounts.collect();
    if accounts.is_empty() {
        accounts.push(own);
    }
    let mut all: Vec<Source> = Vec::new();
    for named in accounts.into_iter().flat_map(|account| delivery.named_sources(account)) {
        let by_context = delivery.contexts(&named).into_iter().filter_map(|trail| {
            let account = Arn::parse(&trail)?.account_id()?;
            Some(Source { arn: trail.clone(), account, organization: named.organization.clone() })
        });
        let itself =
            Source { arn: named.trail.clone(), account: named.account, organization: named.organization.clone() };
        for source in [itself].into_iter().chain(by_context) {
            let is_same = |other: &Source| other.arn == source.arn && other.organization == source.organization;
            if !all.iter().any(is_same) && all.len() < 500 {
                all.push(source);
            }
        }
    }
    all
}
