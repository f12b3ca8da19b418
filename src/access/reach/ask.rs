//! One reader's callers, put to the policies of one log bucket: which requests get through.

use std::sync::Arc;

use compact_str::CompactString;

use super::columns::{DELIVERED, LogOwner, examples};
use super::ground::Ground;
use super::hit::{Hit, best_on, better};
use super::reader::{Face, Identity};
use crate::access::actor::{Boundary, allowing_all};
use crate::access::evaluate::{Explanation, Policies, Side, explain, statement_may_meet};
use crate::access::lock::{KeyLock, Lock};
use crate::access::principals;
use crate::access::request::{Caller, Given, Otherwise, Request};
use crate::access::s3::Storage;
use crate::access::search::Question;
use crate::access::sts::Way;
use crate::estate::Gap;
use crate::finding::matrix::Certainty;
use crate::finding::{Decision, Dependency};
use crate::policy::condition::Tri;
use crate::policy::{Effect, Policy, Statement};

/// The calls that fetch an object.
pub(super) const FETCHES: [&str; 2] = ["s3:GetObject", "s3:GetObjectVersion"];

/// The calls that list keys.
pub(super) const LISTS: [&str; 2] = ["s3:ListBucket", "s3:ListBucketVersions"];

/// The calls that write, overwrite or delete objects, or hand them over; S3 makes the last two for whoever replicates a bucket of
/// its own into this one (S3 User Guide, "Configuring permissions for live replication").
pub(super) const WRITES: [&str; 7] = [
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutObjectAcl",
    "s3:PutObjectVersionAcl",
    "s3:ReplicateObject",
    "s3:ReplicateDelete",
];

/// How many callers are looked at where a request is refused.
const MOST_CALLERS: usize = 8;

/// What a read comes to.
#[derive(Debug, Clone, Default)]
pub(super) struct Read {
    /// Fetching an object.
    pub(super) get: Option<Hit>,
    /// Decrypting what was fetched.
    pub(super) decrypt: Option<Hit>,
}

/// A face of a reader before a bucket: the policies of both sides, those that can matter sorted out.
pub(super) struct Case<'c> {
    pub(super) ground: &'c Ground<'c>,
    pub(super) face: &'c Face,
    identity: Vec<&'c Policy>,
    /// The identity policies and one that allows all, where some are not known: the most that they may say.
    at_most: Vec<&'c Policy>,
    pub(super) missing: Option<String>,
    boundary: Vec<&'c Policy>,
    scp: Vec<Vec<&'c Policy>>,
    rcp: [Vec<&'c Policy>; 1],
    resource: Vec<&'c Policy>,
    pub(super) by_identity: Vec<&'c Statement>,
    pub(super) by_resource: Vec<&'c Statement>,
    pub(super) by_limits: Vec<&'c Statement>,
    /// The canonical ID of the callers' account, as far as the bucket policy asks for one.
    canonical: Option<CompactString>,
    /// How certain a Decrypt call of theirs can be at the best; `None` where all are refused.
    pub(super) best_decrypt: Option<Certainty>,
    /// How much may still be looked at, in tokens of patterns.
    pub(super) work: usize,
}

impl<'c> Case<'c> {
    pub(super) fn new(ground: &'c Ground<'c>, face: &'c Face) -> Self {
        let (identity, missing): (Vec<&Policy>, Option<String>) = match &face.identity {
            Identity::Policies(known, missing) => {
                (known.iter().map(Arc::as_ref).collect(), missing.first().map(Gap::to_string))
            }
            Identity::None | Identity::Granted(_) => (Vec::new(), None),
        };
        let mut at_most = Vec::new();
        if missing.is_some() {
            at_most.clone_from(&identity);
            at_most.push(allowing_all());
        }
        let boundary: Vec<&Policy> = match &face.boundary {
            Boundary::Is(policy) => vec![policy],
            Boundary::None | Boundary::Unread(_) | Boundary::Unknown(_) => Vec::new(),
        };
        let scp: Vec<Vec<&Policy>> = face.scp.iter().map(|level| level.iter().map(Arc::as_ref).collect()).collect();
        let rcp: Vec<&Policy> = ground.rcp().collect();
        let resource: Vec<&Policy> = ground.policy().into_iter().collect();
        let concerning = |policies: &[&'c Policy]| -> Vec<&'c Statement> {
            policies.iter().flat_map(|policy| policy.effective()).filter(|s| ground.may_concern(s)).collect()
        };
        let by_identity = concerning(&identity);
        let mut by_resource = concerning(&resource);
        by_resource.retain(|statement| names_one_of(statement, &face.callers));
        let mut by_limits = concerning(&boundary);
        by_limits.extend(scp.iter().flat_map(|level| concerning(level)));
        by_limits.extend(concerning(&rcp));
        let mut case = Case {
            ground,
            face,
            identity,
            at_most,
            missing,
            boundary,
            scp,
            rcp: [rcp],
            resource,
            by_identity,
            by_resource,
            by_limits,
            canonical: ground.canonical_id_of(face.account()),
            best_decrypt: None,
            work: 0,
        };
        case.best_decrypt = case.decrypt_at_best();
        case
    }

    /// The statements that may be about the bucket and these callers.
    pub(super) fn statements(&self) -> impl Iterator<Item = &'c Statement> + '_ {
        self.by_identity.iter().chain(&self.by_resource).chain(&self.by_limits).copied()
    }

    /// A quick look: whether any of the calls can be allowed.
    pub(super) fn may_do_anything(&self) -> bool {
        FETCHES.iter().chain(&LISTS).chain(&WRITES).any(|action| self.may(action))
    }

    /// A quick look: whether the action can be allowed on anything in the bucket at all.
    fn may(&self, action: &str) -> bool {
        let allows = |side: &[&Statement]| side.iter().any(|s| s.effect == Effect::Allow && s.covers_action(action));
        self.allowed_by(&|| allows(&self.by_identity), &|| allows(&self.by_resource))
    }

    /// Whether what one side and the other say is enough, each taken for willing where it is not known.
    pub(super) fn allowed_by(&self, by_identity: &dyn Fn() -> bool, by_resource: &dyn Fn() -> bool) -> bool {
        let by_resource = || self.ground.is_policy_unknown() || self.ground.has_acls() || by_resource();
        let by_identity = || match self.face.identity {
            Identity::None => false,
            Identity::Granted(_) => true,
            Identity::Policies(..) => self.missing.is_some() || by_identity(),
        };
        match (self.face.account(), self.ground.owner) {
            (None, _) => by_resource(),
            (Some(caller), Some(owner)) if caller != owner => by_resource() && by_identity(),
            _ => by_identity() || by_resource(),
        }
    }

    pub(super) fn policies<'s>(
        &'s self,
        identity: Side<'s>,
        resource: Side<'s>,
        storage: Option<&'s Storage<'s>>,
    ) -> Policies<'s> {
        Policies {
            identity,
            resource,
            boundary: if self.boundary.is_empty() { Side::None } else { Side::Policies(&self.boundary) },
            scp: &self.scp,
            rcp: &self.rcp,
            management: self.ground.model.management(),
            canonical: self.canonical.as_deref(),
            storage,
            titles: self.face.titles.as_ref(),
            ..Policies::default()
        }
    }

    /// The policies of the callers with one that allows all, for those that are not known.
    pub(super) fn most_side(&self) -> Side<'_> {
        Side::Policies(&self.at_most)
    }

    /// The policies of the callers.
    pub(super) fn own_side(&self) -> Side<'_> {
        match &self.face.identity {
            Identity::None => Side::None,
            Identity::Granted(words) => Side::Granted(words),
            Identity::Policies(..) if self.identity.is_empty() => Side::None,
            Identity::Policies(..) => Side::Policies(&self.identity),
        }
    }

    /// Whether one of `callers` gets `action` on `resource` through.
    pub(super) fn ask(
        &mut self,
        callers: &[Caller],
        action: &str,
        resource: &str,
        fixed: &[(CompactString, Given)],
    ) -> Option<Hit> {
        self.ask_on(&self.face.ways, callers, action, resource, fixed)
    }

    /// The same on some of the ways of the callers.
    fn ask_on(
        &mut self,
        ways: &[Way],
        callers: &[Caller],
        action: &str,
        resource: &str,
        fixed: &[(CompactString, Given)],
    ) -> Option<Hit> {
        let mut work = self.work;
        let key = resource.split_once('/').map(|(_, key)| key);
        let storage = self.ground.storage(key);
        let with_acls = self.ground.storage_with_acls(key);
        let put_with = |identity: Side<'_>, storage: Option<&Storage<'_>>, work: &mut usize| {
            let policies = self.policies(identity, self.ground.side(&self.resource), storage);
            let question = |way: &Way| {
                let mut keys = way.keys.clone();
                keys.extend(self.ground.whereabouts());
                keys.extend(fixed.iter().cloned());
                Question {
                    callers: callers.to_vec(),
                    action,
                    resource: resource.into(),
                    resource_account: self.ground.owner,
                    policies,
                    fixed: keys,
                }
            };
            best_on(ways, |way| question(way).ask_within(work))
        };
        let put = |identity: Side<'_>, work: &mut usize| {
            let mut best = put_with(identity, storage.as_ref(), work);
            if with_acls.is_some() && !best.as_ref().is_some_and(Hit::is_certain) {
                better(&mut best, put_with(identity, with_acls.as_ref(), work));
            }
            best
        };
        let mut hit = put(self.own_side(), &mut work);
        let is_certain = hit.as_ref().is_some_and(|hit| hit.certainty == Certainty::Certain);
        if let Some(missing) = self.missing.as_ref().filter(|_| !is_certain)
            && let Some(mut most) = put(self.most_side(), &mut work)
        {
            most.certainty = Certainty::Unknown;
            most.depends_on.push(Dependency::fact(missing));
            hit = hit.or(Some(most));
        }
        self.work = work;
        let mut hit = hit?;
        if let Some(found) = &hit.found {
            hit.depends_on.extend(self.face.unless.iter().map(Dependency::fact));
            hit.depends_on.extend(self.ground.unless(&found.request).into_iter().map(Dependency::fact));
            hit.depends_on.extend(self.ground.missing().map(Dependency::fact));
        }
        Dependency::settle(&mut hit.depends_on);
        Some(hit)
    }

    /// Whether the logs of a column can be listed: keys at least that tell that there are some.
    pub(super) fn list(&mut self, column: &LogOwner) -> Option<Hit> {
        let mut best = None;
        for action in LISTS {
            if !self.may(action) {
                continue;
            }
            for prefix in &column.prefixes {
                let arn = self.ground.arn.clone();
                let given = Given::Values(vec![prefix.as_str().into()]);
                let hit = self.ask(&self.face.callers, action, &arn, &[("s3:prefix".into(), given)]);
                if better(&mut best, hit) {
                    return best;
                }
                for asked in self.listings(prefix, action).into_iter().skip(1) {
                    let given = asked.map_or(Given::Absent, |text| Given::Values(vec![text]));
                    let hit = self.ask(&self.face.callers, action, &arn, &[("s3:prefix".into(), given)]);
                    if better(&mut best, hit) {
                        return best;
                    }
                }
            }
        }
        best
    }

    /// Whether the logs of a column can be written, overwritten or deleted.
    pub(super) fn write(&mut self, column: &LogOwner) -> Option<Hit> {
        let mut best = None;
        for action in WRITES {
            if !self.may(action) || !self.may_touch(action, column) {
                continue;
            }
            let face = self.face;
            self.each_object(column, action, &mut best, |case, best, object| {
                let hit = case.ask(&face.callers, action, object, &[]);
                better(best, hit)
            });
            if best.as_ref().is_some_and(Hit::is_certain) {
                break;
            }
        }
        best
    }

    /// Whether the logs of a column can be fetched, and read.
    pub(super) fn read(&mut self, column: &LogOwner) -> Read {
        let mut best = Read::default();
        for action in FETCHES {
            if !self.may(action) || !self.may_touch(action, column) {
                continue;
            }
            let face = self.face;
            let Read { mut get, mut decrypt } = best;
            self.each_object(column, action, &mut get, |case, get, object| {
                for caller in face.callers.iter().chain(&face.grantees) {
                    let Some(hit) = case.ask(std::slice::from_ref(caller), action, object, &[]) else { continue };
                    let opened = case.decrypt(&hit, action, object);
                    better(get, Some(hit));
                    if !better(&mut decrypt, opened) && face.ways.len() > 1 && case.wants_decrypt(decrypt.as_ref()) {
                        // The key may ask for another organization than the bucket needs.
                        for way in &face.ways {
                            let ways = std::slice::from_ref(way);
                            let hit = case.ask_on(ways, std::slice::from_ref(caller), action, object, &[]);
                            let opened = hit.and_then(|hit| case.decrypt(&hit, action, object));
                            better(&mut decrypt, opened);
                        }
                    }
                    // Who gets in but can not decrypt may be helped by another principal.
                    if case.is_enough(get.as_ref(), decrypt.as_ref()) {
                        return true;
                    }
                }
                false
            });
            let is_enough = self.is_enough(get.as_ref(), decrypt.as_ref());
            best = Read { get, decrypt };
            if is_enough {
                break;
            }
        }
        best
    }

    /// Whether nothing more certain can be found.
    fn is_enough(&self, get: Option<&Hit>, decrypt: Option<&Hit>) -> bool {
        get.is_some_and(Hit::is_certain) && !self.wants_decrypt(decrypt)
    }

    /// Whether another request may be more certain to be decrypted.
    fn wants_decrypt(&self, decrypt: Option<&Hit>) -> bool {
        let is_better = |best| decrypt.is_none_or(|known| best < known.certainty);
        matches!(self.ground.lock, Lock::Key(_)) && self.best_decrypt.is_some_and(is_better)
    }

    /// Gives objects of a column to `ask`, until it has enough: those that are likely first.
    fn each_object(
        &mut self,
        column: &LogOwner,
        action: &str,
        best: &mut Option<Hit>,
        mut ask: impl FnMut(&mut Self, &mut Option<Hit>, &str) -> bool,
    ) {
        let [file, _] = examples(column.account);
        for prefix in &column.prefixes {
            if ask(self, best, &format!("{}/{prefix}{DELIVERED}{file}", self.ground.arn)) {
                return;
            }
        }
        let mut open = None;
        for object in self.objects(column, action, &mut open) {
            if !object.ends_with(&file) && ask(self, best, &object) {
                return;
            }
        }
        better(best, open);
    }

    /// Why a request that is like all others is refused: that of the caller who comes nearest to being let through.
    pub(super) fn refusal(&self, action: &str, resource: &str, fixed: &[(CompactString, Given)]) -> Explanation {
        let storage = self.ground.storage(resource.split_once('/').map(|(_, key)| key));
        let policies = self.policies(self.own_side(), self.ground.side(&self.resource), storage.as_ref());
        self.nearest(|caller| {
            let request = self.plain(caller, action, resource, fixed);
            let s3 = explain(&request, &policies);
            match (&self.ground.lock, s3.decision) {
                (Lock::Key(key), Decision::Allowed | Decision::Conditional) if FETCHES.contains(&action) => {
                    self.behind(key, &request)
                }
                _ => s3,
            }
        })
    }

    /// Why the Decrypt call behind a fetch is refused.
    pub(super) fn refusal_of_key(&self, action: &str, resource: &str) -> Explanation {
        let Lock::Key(key) = &self.ground.lock else { return Explanation::nothing() };
        self.nearest(|caller| self.behind(key, &self.plain(caller, action, resource, &[])))
    }

    fn behind(&self, key: &KeyLock<'_>, request: &Request) -> Explanation {
        key.behind(request, &self.policies(self.own_side(), Side::None, None), explain)
    }

    /// The first explanation, or that of the first caller who lacks one element of a statement only.
    fn nearest(&self, explained: impl Fn(&Caller) -> Explanation) -> Explanation {
        let mut first = None;
        for caller in self.face.callers.iter().take(MOST_CALLERS) {
            let explanation = explained(caller);
            if explanation.is_near {
                return explanation;
            }
            first = first.or(Some(explanation));
        }
        first.unwrap_or_else(Explanation::nothing)
    }

    /// A request for which nothing is arranged.
    fn plain(&self, caller: &Caller, action: &str, resource: &str, fixed: &[(CompactString, Given)]) -> Request {
        let mut request = Request::new(caller.clone(), action, resource, self.ground.owner);
        request.otherwise = Otherwise::Situation;
        let keys = self.face.ways.first().map(|way| way.keys.clone()).unwrap_or_default();
        for (key, given) in keys.into_iter().chain(self.ground.whereabouts()).chain(fixed.iter().cloned()) {
            request.set(&key, given);
        }
        request
    }

    /// Whether some Allow of the bucket policy, or of the callers' own policies, means such a request, whatever its
    /// conditions.
    pub(super) fn may_be_allowed(&self, action: &str, resource: &str) -> bool {
        let policies = self.policies(self.own_side(), self.ground.side(&self.resource), None);
        let mut allows = self.by_resource.iter().chain(&self.by_identity).filter(|s| s.effect == Effect::Allow);
        allows.any(|statement| {
            self.face
                .callers
                .iter()
                .take(MOST_CALLERS)
                .any(|caller| statement_may_meet(statement, &self.plain(caller, action, resource, &[]), &policies))
        })
    }
}

/// Whether the principals of a statement may take in one of these callers.
fn names_one_of(statement: &Statement, callers: &[Caller]) -> bool {
    let Some(principals) = &statement.principals else { return true };
    callers.iter().any(|caller| match statement.effect {
        Effect::Allow => principals::allowed_by(principals, caller, None).any() != Tri::False,
        Effect::Deny => principals::denied_by(principals, caller, None, Tri::Unknown) != Tri::False,
    })
}
