//! Why a reader can not: by itself, or by a role that was made for it.
//!
//! Which road was meant for a reader is seen from how far it leads: a statement that fits but for one element, a Deny that
//! meets what is allowed elsewhere, a role that lets the reader in, or one that reads what is asked for and does not.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;

use super::ask::Case;
use super::chain::Entry;
use super::columns::{DELIVERED, LogOwner, examples};
use super::delivering;
use super::door::Door;
use super::ground::Ground;
use super::reader::Reader;
use crate::access::evaluate::Explanation;
use crate::access::request::Given;
use crate::access::sts::Trust;
use crate::aws::AccountId;
use crate::estate::Role;
use crate::finding::matrix::{Ability, Refusal};
use crate::finding::{Decision, Step, StepEffect};
use crate::policy::Policy;

/// How many roles that let a reader in are looked at.
const MOST_ROLES: usize = 12;

/// How many roles are looked at for all readers of a bucket that nobody asks about by themselves.
const ALL_ROLES: usize = 2_000;

/// How many of the callers that stand for a reader are looked at by themselves.
const MOST_FACES: usize = 4;

/// Why a reader can not.
pub(super) struct Why {
    /// In a sentence.
    pub(super) cause: String,
    /// The steps of the decision that came nearest.
    pub(super) explanation: Explanation,
    /// The role on the road that was meant for it.
    pub(super) role: Option<String>,
}

impl Why {
    fn of_direct(explanation: Explanation) -> Self {
        Why { cause: cause_of(&explanation), explanation, role: None }
    }
}

/// The roads to logs, and why they end.
pub(super) struct Roads<'r, 'e> {
    ground: &'r Ground<'e>,
    /// The roles that reach logs.
    readers: Vec<&'r Entry<'e>>,
    /// Roles by the accounts that their trust policies speak of, and those that speak of everyone.
    trusting: OnceCell<BTreeMap<Option<AccountId>, Vec<&'e Role>>>,
    /// How many roles may still be looked at.
    left: Cell<usize>,
}

/// What is asked for.
struct Asked<'a> {
    ability: Ability,
    action: &'static str,
    resource: &'a str,
    fixed: &'a [(CompactString, Given)],
    /// Whether the object can be fetched, so that it is the key that is in the way.
    is_fetched: bool,
}

impl Asked<'_> {
    fn of(&self, case: &Case<'_>) -> Explanation {
        match self.is_fetched {
            true => case.refusal_of_key(self.action, self.resource),
            false => case.refusal(self.action, self.resource, self.fixed),
        }
    }
}

impl<'r, 'e> Roads<'r, 'e> {
    pub(super) fn new(ground: &'r Ground<'e>, entries: &'r [Entry<'e>]) -> Self {
        let is_reading = |entry: &&Entry<'_>| entry.reader.role.is_some() && !entry.reach.is_empty();
        let readers = entries.iter().filter(is_reading).collect();
        Roads { ground, readers, trusting: OnceCell::new(), left: Cell::new(ALL_ROLES) }
    }

    /// What stops a reader from what it can not do with the logs of an account.
    pub(super) fn refusal(&self, entry: &Entry<'e>, column: &LogOwner, ability: Ability) -> Refusal {
        if ability == Ability::Write
            && entry.delivers(self.ground)
            && let Some(stop) = delivering::stop(self.ground)
        {
            let would_take = vec!["an enabled key whose policy allows `kms:GenerateDataKey*` to CloudTrail".to_owned()];
            return Refusal { ability, cause: stop.message.clone(), steps: vec![stop], would_take };
        }
        let Why { cause, explanation, .. } = self.explain(entry, column, ability);
        Refusal { ability, cause, steps: explanation.steps, would_take: explanation.would_take }
    }

    /// The same, with the road that was meant for it.
    pub(super) fn explain(&self, entry: &Entry<'e>, column: &LogOwner, ability: Ability) -> Why {
        let ground = self.ground;
        let prefix = column.prefixes.first().map_or("", String::as_str);
        let object = object_of(ground, column);
        let fixed = [("s3:prefix".into(), Given::Values(vec![prefix.into()]))];
        let asked = |action, resource, fixed, is_fetched| Asked { ability, action, resource, fixed, is_fetched };
        let fetched = entry.reach.of(column.account).access(Ability::Get).filter(|_| ability == Ability::Decrypt);
        let asked = match ability {
            Ability::List => asked("s3:ListBucket", ground.arn.as_str(), fixed.as_slice(), false),
            Ability::Get | Ability::Decrypt => asked("s3:GetObject", &object, &[], fetched.is_some()),
            Ability::Write => asked("s3:PutObject", &object, &[], false),
        };
        // Who fetches by a role decrypts by it too, or not at all.
        let role = fetched.and_then(|get| get.path.iter().rev().find_map(|hop| hop.role.as_deref()));
        if let Some(role) = role.and_then(|arn| self.readers.iter().find(|one| one.reader.party.id == arn))
            && let Some(face) = role.reader.faces.last()
        {
            let explanation = asked.of(&Case::new(ground, face));
            let arn = &role.reader.party.id;
            let cause = format!("{arn}: {}", cause_of(&explanation));
            return Why { cause, explanation, role: Some(arn.clone()) };
        }
        let direct = self.direct(entry, &asked);
        let is_account = entry.reader.is_account() && ability != Ability::Write && !asked.is_fetched;
        let Some(account) = entry.reader.account.filter(|_| is_account && !direct.is_meant) else {
            return Why::of_direct(direct.explanation);
        };
        if self.ground.is_apart(&entry.reader.party) {
            self.left.set(ALL_ROLES);
        }
        let who = &entry.reader.party.label;
        let by_role = self.by_role(account, who, column, &asked);
        let road = match by_role {
            Some(road) if road.is_near => Some(road),
            far => self.to_role(account, who, column, ability).or(far),
        };
        let Some(Road { cause, mut explanation, role, .. }) = road else {
            return Why::of_direct(direct.explanation);
        };
        // That there is no way without a role is a part of the answer, and no cause.
        let stop = direct.explanation.steps.into_iter().find(stops);
        explanation.steps.extend(stop.filter(|stop| !explanation.steps.contains(stop)));
        Why { cause, explanation, role: Some(role) }
    }

    /// Why a reader that fetches the logs of an account by itself does not decrypt them.
    pub(super) fn key_refusal(&self, entry: &Entry<'e>, column: &LogOwner) -> Explanation {
        let object = object_of(self.ground, column);
        let asked = Asked {
            ability: Ability::Decrypt,
            action: "s3:GetObject",
            resource: &object,
            fixed: &[],
            is_fetched: true,
        };
        self.direct(entry, &asked).explanation
    }

    /// Why it can not by itself.
    fn direct(&self, entry: &Entry<'e>, asked: &Asked<'_>) -> Direct {
        let faces = entry.reader.faces.iter().rev().take(MOST_FACES);
        let mut first = None;
        for face in faces {
            let case = Case::new(self.ground, face);
            let explanation = asked.of(&case);
            let is_meant = match explanation.decision {
                Decision::ExplicitDeny => case.may_be_allowed(asked.action, asked.resource),
                _ => is_near(&explanation),
            };
            if is_meant {
                return Direct { explanation, is_meant };
            }
            first = first.or(Some(explanation));
        }
        Direct { explanation: first.unwrap_or_else(Explanation::nothing), is_meant: false }
    }

    /// Why a role that lets the account in can not.
    fn by_role(&self, account: AccountId, who: &str, column: &LogOwner, asked: &Asked<'_>) -> Option<Road> {
        let membership = self.ground.organization.membership(account);
        let mut far = None;
        for role in self.trusting(account).take(MOST_ROLES) {
            let Some(reader) = Reader::role(self.ground, role) else { continue };
            let Some(case) = reader.faces.last().map(|face| Case::new(self.ground, face)) else { continue };
            if !case.may_do_anything() {
                continue;
            }
            if !self.may_look() {
                break;
            }
            let Some(door) = Door::of(self.ground, role, &mut Vec::new()) else { continue };
            let Some(onward) = door.admits(self.ground, account, &membership, who) else { continue };
            let mut explanation = asked.of(&case);
            let arn = &reader.party.id;
            if !explanation.steps.iter().any(stops) && self.reads(arn, column, asked.ability) {
                continue;
            }
            let cause = format!("{arn}, which {who} may assume, can not either: {}", cause_of(&explanation));
            let trust = onward.hop.steps.iter().find(|step| step.effect == StepEffect::Allows);
            let message = format!("{who} may assume {arn}");
            let step = Step { effect: StepEffect::Allows, message, span: trust.and_then(|step| step.span) };
            let is_near = is_near(&explanation) || explanation.decision == Decision::ExplicitDeny;
            explanation.steps.insert(0, step);
            let road = Road { cause, explanation, role: arn.clone(), is_near };
            if is_near {
                return Some(road);
            }
            far = far.or(Some(road));
        }
        far
    }

    /// Why the account can not assume a role that can.
    fn to_role(&self, account: AccountId, who: &str, column: &LogOwner, ability: Ability) -> Option<Road> {
        if !self.may_look() {
            return None;
        }
        let can = |entry: &&&Entry<'e>| {
            entry.reader.account != Some(account) && entry.reach.of(column.account).access(ability).is_some()
        };
        // One for these logs alone was made for somebody; one that reads all logs is somebody's who is let in from elsewhere.
        let is_for_these = |entry: &Entry<'_>| entry.reach.default.access(ability).is_none();
        let made = |entry: &&&Entry<'e>| is_for_these(entry) || !entry.admitted.is_empty();
        let nearest = self.readers.iter().filter(can).filter(made);
        let entry = nearest.min_by_key(|entry| (!is_for_these(entry), &entry.reader.party.id))?;
        let door = Door::of(self.ground, entry.reader.role?, &mut Vec::new())?;
        let mut explanation = door.refusal(self.ground, account);
        let arn = &entry.reader.party.id;
        let verb = if ability == Ability::List { "list" } else { "read" };
        let cause = format!("{arn} can {verb} them, and {who} can not assume it: {}", cause_of(&explanation));
        let message = format!("{arn} can {verb} them");
        explanation.steps.insert(0, Step { effect: StepEffect::Allows, message, span: None });
        Some(Road { cause, explanation, role: arn.clone(), is_near: false })
    }

    fn may_look(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }

    /// Whether a role can do it.
    fn reads(&self, arn: &str, column: &LogOwner, ability: Ability) -> bool {
        let of_role = self.readers.iter().find(|entry| entry.reader.party.id == arn);
        of_role.is_some_and(|entry| entry.reach.of(column.account).access(ability).is_some())
    }

    /// The roles of other accounts whose trust policies may let an account in: those that name it, then those that name
    /// everyone.
    fn trusting(&self, account: AccountId) -> impl Iterator<Item = &'e Role> + '_ {
        let by_account = self.trusting.get_or_init(|| {
            let mut by_account: BTreeMap<Option<AccountId>, Vec<&'e Role>> = BTreeMap::new();
            for role in &self.ground.estate.roles {
                let Some(door) = Door::of(self.ground, role, &mut Vec::new()) else { continue };
                match door.accounts() {
                    Some(accounts) => accounts
                        .into_iter()
                        .filter(|account| Some(*account) != role.account)
                        .for_each(|account| by_account.entry(Some(account)).or_default().push(role)),
                    None => by_account.entry(None).or_default().push(role),
                }
            }
            by_account
        });
        let of = |key: Option<AccountId>| by_account.get(&key).into_iter().flatten().copied();
        of(Some(account)).chain(of(None)).filter(move |role| role.account != Some(account))
    }
}

impl Door {
    /// Why no principal of an account can assume the role, its administrators willing: by whoever comes nearest.
    fn refusal(&self, ground: &Ground<'_>, account: AccountId) -> Explanation {
        let scp = ground.organization.scp(account);
        let scp: Vec<Vec<&Policy>> = scp.iter().map(|level| level.iter().map(Arc::as_ref).collect()).collect();
        let membership = ground.organization.membership(account);
        self.ask(ground, |trust| Trust { scp: &scp, ..trust }.refusal(account, &membership, "sts:AssumeRole"))
    }
}

/// Why a reader can not by itself.
struct Direct {
    explanation: Explanation,
    /// Whether a statement was meant to let it.
    is_meant: bool,
}

/// A road by a role, and why it ends.
struct Road {
    cause: String,
    explanation: Explanation,
    /// Its ARN.
    role: String,
    is_near: bool,
}

/// A log file of an account.
fn object_of(ground: &Ground<'_>, column: &LogOwner) -> String {
    let prefix = column.prefixes.first().map_or("", String::as_str);
    let [file, _] = examples(column.account);
    format!("{}/{prefix}{DELIVERED}{file}", ground.arn)
}

/// Whether little is missing: a statement that fits but for one element, or one side of two.
fn is_near(explanation: &Explanation) -> bool {
    explanation.is_near || explanation.steps.iter().any(|step| step.effect == StepEffect::Allows)
}

fn stops(step: &Step) -> bool {
    matches!(step.effect, StepEffect::Denies | StepEffect::Missing)
}

/// The first of what stops a request, in words.
fn cause_of(explanation: &Explanation) -> String {
    match explanation.steps.iter().find(|step| stops(step)) {
        Some(step) => step.message.clone(),
        None if explanation.decision == Decision::Conditional => {
            "what the conditions ask for can not all be had at once".to_owned()
        }
        None => "nothing allows it".to_owned(),
    }
}
