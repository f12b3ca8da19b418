//! What a reader can do with logs, account by account.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::hit::Hit;
use crate::aws::AccountId;
use crate::finding::Dependency;
use crate::finding::matrix::{Ability, Access, Certainty, Hop};

/// What can be done with the logs of one account.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    can: [Option<Access>; 4],
}

impl Seen {
    /// What is known of an ability that is there, or may be.
    pub(super) fn access(&self, ability: Ability) -> Option<&Access> {
        self.can.get(ability as usize).and_then(Option::as_ref)
    }

    /// All that is there, or may be.
    pub(super) fn all(&self) -> impl Iterator<Item = &Access> {
        self.can.iter().flatten()
    }

    /// Whether nothing is.
    pub(super) fn is_empty(&self) -> bool {
        self.can.iter().all(Option::is_none)
    }

    /// How certain each ability is, which tells two apart.
    pub(super) fn levels(&self) -> [Option<Certainty>; 4] {
        Ability::ALL.map(|ability| self.access(ability).map(|access| access.certainty))
    }

    /// Adds an ability where it is more certain than what was there.
    pub(super) fn add(&mut self, access: Access) {
        if let Some(slot) = self.can.get_mut(access.ability as usize)
            && slot.as_ref().is_none_or(|known| access.certainty < known.certainty)
        {
            *slot = Some(access);
        }
    }

    /// Adds what a search found.
    pub(super) fn add_hit(&mut self, ability: Ability, hit: Option<Hit>, title: &str, resource: Option<&str>) {
        let Some(Hit { certainty, depends_on, found }) = hit else { return };
        let path = found.as_ref().map(|found| Hop {
            title: title.to_owned(),
            resource: Some(resource.unwrap_or(&found.witness.resource).to_owned()),
            role: None,
            steps: found.explanation.steps.clone(),
        });
        let path = path.into_iter().collect();
        let witness = found.map(|found| found.witness);
        self.add(Access { ability, certainty, depends_on, path, witness });
    }

    /// Makes every ability that is not there one that nobody knows of, because of this.
    fn leave_open(&mut self, because: &str) {
        for ability in Ability::ALL.into_iter().filter(|ability| self.access(*ability).is_none()).collect::<Vec<_>>() {
            let depends_on = vec![Dependency::bound(because)];
            self.add(Access { ability, certainty: Certainty::Unknown, depends_on, path: Vec::new(), witness: None });
        }
    }

    /// Whether it lets through, as certainly, all that the other does.
    pub(super) fn covers(&self, other: &Seen) -> bool {
        other.all().all(|access| self.access(access.ability).is_some_and(|known| known.certainty <= access.certainty))
    }

    /// The same, had by way of another hop.
    fn after(&self, step: &Onward) -> impl Iterator<Item = Access> + '_ {
        let step = step.clone();
        // What the role does is then done by the session that was begun before.
        let by_session = move |hop: &Hop, role: &str| {
            let done = hop.title.strip_prefix(role).filter(|rest| rest.starts_with(' '));
            Hop { title: done.map_or_else(|| hop.title.clone(), |done| format!("that session{done}")), ..hop.clone() }
        };
        self.all().map(move |access| {
            let mut depends_on = step.depends_on.clone();
            depends_on.extend(access.depends_on.iter().cloned());
            Dependency::settle(&mut depends_on);
            Access {
                ability: access.ability,
                certainty: access.certainty.max(step.certainty),
                depends_on,
                path: std::iter::once(step.hop.clone())
                    .chain(access.path.iter().map(|hop| by_session(hop, step.hop.role.as_deref().unwrap_or_default())))
                    .collect(),
                witness: access.witness.clone(),
            }
        })
    }
}

/// A hop to a role: who assumes it, how certainly, and what that hangs on.
#[derive(Debug, Clone)]
pub(super) struct Onward {
    pub(super) hop: Hop,
    pub(super) certainty: Certainty,
    pub(super) depends_on: Vec<Dependency>,
}

impl Onward {
    /// The same hop, said of another account that is let through like the first.
    pub(super) fn said_of(&self, (label, like): (&str, AccountId), (new, account): (&str, AccountId)) -> Self {
        let said = |text: &str| text.replace(label, new).replace(like.as_str(), account.as_str());
        let mut step = self.clone();
        step.hop.title = said(&step.hop.title);
        step.hop.steps.iter_mut().for_each(|one| one.message = said(&one.message));
        step
    }
}

/// What a reader can do with the logs of each account.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    /// With the logs that are its own, where the bucket has such.
    pub(super) own: Option<(AccountId, Arc<Seen>)>,
    /// With those of accounts that policies tell apart.
    pub(super) named: Arc<BTreeMap<AccountId, Arc<Seen>>>,
    /// With those of all others.
    pub(super) default: Arc<Seen>,
}

impl Reach {
    /// All that is there, or may be, whosever logs it is.
    pub(super) fn all(&self) -> impl Iterator<Item = &Access> {
        let own = self.own.iter().map(|(_, seen)| seen);
        own.chain(self.named.values()).chain([&self.default]).flat_map(|seen| seen.all())
    }

    /// Nothing; `own` is the account of the reader, where the bucket has its logs.
    pub(super) fn nothing(own: Option<AccountId>) -> Self {
        Reach { own: own.map(|account| (account, Arc::default())), ..Reach::default() }
    }

    /// What it can do with the logs of an account.
    pub(super) fn of(&self, account: AccountId) -> &Arc<Seen> {
        match &self.own {
            Some((own, seen)) if *own == account => seen,
            _ => self.named.get(&account).unwrap_or(&self.default),
        }
    }

    /// Whether it is nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.default.is_empty()
            && self.own.as_ref().is_none_or(|(_, seen)| seen.is_empty())
            && self.named.values().all(|seen| seen.is_empty())
    }

    /// Whether it has an ability, or may have it, with the logs of anybody.
    pub(super) fn has(&self, ability: Ability) -> bool {
        let own = self.own.iter().map(|(_, seen)| seen);
        own.chain(self.named.values()).chain([&self.default]).any(|seen| seen.access(ability).is_some())
    }

    /// Makes whatever it does not reach something that nobody knows of, because of this.
    pub(super) fn leave_open(&mut self, because: &str) {
        self.each_seen().for_each(|seen| seen.leave_open(because));
    }

    fn each_seen(&mut self) -> impl Iterator<Item = &mut Seen> {
        let own = self.own.iter_mut().map(|(_, seen)| seen);
        own.chain(Arc::make_mut(&mut self.named).values_mut()).chain([&mut self.default]).map(Arc::make_mut)
    }

    /// Lets an ability hang on more.
    pub(super) fn hang(&mut self, ability: Ability, depends_on: &[Dependency]) {
        let is_request = depends_on.iter().all(|one| !one.is_fact() && !one.is_bound());
        let certainty = if is_request { Certainty::Conditional } else { Certainty::Unknown };
        for seen in self.each_seen() {
            if let Some(access) = seen.can.get_mut(ability as usize).and_then(Option::as_mut) {
                access.certainty = access.certainty.max(certainty);
                access.depends_on.extend_from_slice(depends_on);
                Dependency::settle(&mut access.depends_on);
            }
        }
    }

    /// Leaves out all but some abilities.
    pub(super) fn retain(&mut self, keep: impl Fn(Ability) -> bool) {
        self.each_seen().flat_map(|seen| &mut seen.can).for_each(|slot| {
            slot.take_if(|access| !keep(access.ability));
        });
    }

    /// The accounts that it holds something of their own for.
    fn accounts(&self) -> impl Iterator<Item = AccountId> + '_ {
        self.own.iter().map(|(own, _)| *own).chain(self.named.keys().copied())
    }

    /// Whether nothing would be won by having the other too.
    pub(super) fn covers(&self, other: &Reach) -> bool {
        self.default.covers(&other.default)
            && self.accounts().chain(other.accounts()).all(|account| self.of(account).covers(other.of(account)))
    }

    /// Adds all that another reader has, by way of `step`; whether anything was won.
    pub(super) fn add(&mut self, step: &Onward, other: &Reach) -> bool {
        let mut won = false;
        let mut join = |mine: &Arc<Seen>, theirs: &Seen| -> Arc<Seen> {
            let before = mine.levels();
            let mut joined = Seen::clone(mine);
            theirs.after(step).for_each(|access| joined.add(access));
            if joined.levels() == before {
                return Arc::clone(mine);
            }
            won = true;
            Arc::new(joined)
        };
        let named: BTreeMap<AccountId, Arc<Seen>> = self
            .accounts()
            .chain(other.accounts())
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .map(|account| (account, join(self.of(account), other.of(account))))
            .collect();
        let default = join(&self.default, &other.default);
        if !won {
            return false;
        }
        let mut named = named;
        if let Some((own, seen)) = &mut self.own
            && let Some(joined) = named.remove(own)
        {
            *seen = joined;
        }
        self.default = default;
        self.named = Arc::new(named);
        true
    }

    /// The same with the logs of another account as its own.
    pub(super) fn owned_by(mut self, account: AccountId) -> Self {
        let seen = Arc::clone(self.of(account));
        let mut named = BTreeMap::clone(&self.named);
        if let Some((own, seen)) = self.own.take() {
            named.insert(own, seen);
        }
        named.remove(&account);
        Reach { own: Some((account, seen)), named: Arc::new(named), default: self.default }
    }
}
