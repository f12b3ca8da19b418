//! One reader's callers, put to the policies of one log bucket: which requests get through.

use std::sync::{Arc, OnceLock};

use compact_str::CompactString;

use super::ground::{DELIVERED, Ground, LogOwner, examples};
use super::reader::{Face, Identity};
use crate::access::actor::Boundary;
use crate::access::evaluate::{Explanation, Policies, Side, explain};
use crate::access::lock::Lock;
use crate::access::objects::{self, Statements};
use crate::access::pattern_set::{MAX_WORK, Text, arns_overlap, difference};
use crate::access::principals;
use crate::access::request::{Caller, Given, Otherwise, Request};
use crate::access::search::{Answer, Found, Question};
use crate::access::sts::Way;
use crate::finding::matrix::Certainty;
use crate::finding::{Decision, Step};
use crate::policy::condition::Tri;
use crate::policy::pattern::{Case as Letters, matches};
use crate::policy::template::Template;
use crate::policy::{Effect, Policy, PolicyKind, Statement, parse};
use crate::syntax::json::Tape;
use crate::text::SourceId;
use crate::text::embedded::Place;

/// How many requests all questions about one reader and one column may try.
const MAX_TRIES: usize = 60_000;

/// How many prefixes of a listing are told apart.
const MOST_PREFIXES: usize = 64;

/// The calls that fetch an object.
pub(super) const FETCHES: [&str; 2] = ["s3:GetObject", "s3:GetObjectVersion"];

/// The calls that list keys.
pub(super) const LISTS: [&str; 2] = ["s3:ListBucket", "s3:ListBucketVersions"];

/// The calls that write, overwrite or delete objects, or hand them over.
pub(super) const WRITES: [&str; 5] =
    ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectAcl", "s3:PutObjectVersionAcl"];

/// A request that gets through, or may.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub(super) certainty: Certainty,
    /// What it hangs on, and what was not collected and could take it away.
    pub(super) depends_on: Vec<String>,
    pub(super) found: Option<Found>,
}

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
    ground: &'c Ground<'c>,
    face: &'c Face,
    identity: Vec<&'c Policy>,
    /// The identity policies and one that allows all, where some are not known: the most that they may say.
    at_most: Vec<&'c Policy>,
    missing: Option<String>,
    boundary: Vec<&'c Policy>,
    scp: Vec<Vec<&'c Policy>>,
    rcp: [Vec<&'c Policy>; 1],
    resource: Vec<&'c Policy>,
    by_identity: Vec<&'c Statement>,
    by_resource: Vec<&'c Statement>,
    by_limits: Vec<&'c Statement>,
    tries: usize,
}

/// Whether a `Resource` may have something in common with a bucket or its objects.
pub(super) fn may_overlap(item: &Template, bucket: &str) -> bool {
    let raw = item.raw();
    // A plain pattern that names the bucket, as nearly all do.
    if raw.strip_prefix(bucket).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*'])) {
        return true;
    }
    let pattern = opened(item);
    arns_overlap(&pattern, bucket) || arns_overlap(&pattern, &format!("{bucket}/*"))
}

/// A pattern whose variables stand for anything.
pub(super) fn opened(item: &Template) -> CompactString {
    use crate::policy::template::Piece;
    let Some(pieces) = item.pieces() else { return item.raw().into() };
    let mut text = CompactString::default();
    for piece in pieces {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Literal('*' | '?') => text.push('?'),
            Piece::Literal(other) => text.push(*other),
            Piece::Variable(_) => text.push('*'),
        }
    }
    text
}

/// A policy that allows all: the most that an unknown one can say.
pub(super) fn allow_all() -> &'static Policy {
    static ALL: OnceLock<Arc<Policy>> = OnceLock::new();
    ALL.get_or_init(|| {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let place = Place::direct(SourceId::new(0), 0);
        let mut tape = Tape::new();
        Arc::new(tape.read(text, &place).map_or_else(
            |_| Policy::empty(PolicyKind::Identity, crate::text::Span::new(SourceId::new(0), 0, 0)),
            |json| parse(json, PolicyKind::Identity),
        ))
    })
}

impl<'c> Case<'c> {
    pub(super) fn new(ground: &'c Ground<'c>, face: &'c Face) -> Self {
        let (identity, missing): (Vec<&Policy>, Option<String>) = match &face.identity {
            Identity::Policies(known, missing) => (
                known.iter().map(Arc::as_ref).collect(),
                missing.first().map(|gap| format!("{}: {}", gap.fact, gap.reason)),
            ),
            Identity::None | Identity::Granted(_) => (Vec::new(), None),
        };
        let mut at_most = Vec::new();
        if missing.is_some() {
            at_most.clone_from(&identity);
            at_most.push(allow_all());
        }
        let boundary: Vec<&Policy> = match &face.boundary {
            Boundary::Is(policy) => vec![policy],
            Boundary::None | Boundary::Unknown(_) => Vec::new(),
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
        Case {
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
            tries: MAX_TRIES,
        }
    }

    /// The statements that may be about the bucket and these callers.
    pub(super) fn statements(&self) -> impl Iterator<Item = &'c Statement> + '_ {
        self.by_identity.iter().chain(&self.by_resource).chain(&self.by_limits).copied()
    }

    /// Begins with another column: each has tries of its own.
    pub(super) fn begin(&mut self) {
        self.tries = MAX_TRIES;
    }

    /// A quick look: whether any of the calls can be allowed.
    pub(super) fn may_do_anything(&self) -> bool {
        FETCHES.iter().chain(&LISTS).chain(&WRITES).any(|action| self.may(action))
    }

    /// A quick look: whether the action can be allowed on anything in the bucket at all.
    fn may(&self, action: &str) -> bool {
        let allows = |side: &[&Statement]| side.iter().any(|s| s.effect == Effect::Allow && s.covers_action(action));
        let by_resource = || self.ground.is_policy_unknown() || self.ground.has_acls() || allows(&self.by_resource);
        let by_identity = || match self.face.identity {
            Identity::None => false,
            Identity::Granted(_) => true,
            Identity::Policies(..) => self.missing.is_some() || allows(&self.by_identity),
        };
        match (self.face.account(), self.ground.owner) {
            (None, _) => by_resource(),
            (Some(caller), Some(owner)) if caller != owner => by_resource() && by_identity(),
            _ => by_identity() || by_resource(),
        }
    }

    fn policies<'s>(
        &'s self,
        identity: Side<'s>,
        resource: Side<'s>,
        storage: Option<&'s crate::access::s3::Storage<'s>>,
    ) -> Policies<'s> {
        Policies {
            identity,
            resource,
            boundary: if self.boundary.is_empty() { Side::None } else { Side::Policies(&self.boundary) },
            scp: &self.scp,
            rcp: &self.rcp,
            management: self.ground.model.management(),
            storage,
            ..Policies::default()
        }
    }

    fn own_side(&self) -> Side<'_> {
        match &self.face.identity {
            Identity::None => Side::None,
            Identity::Granted(words) => Side::Granted(words),
            Identity::Policies(..) if self.identity.is_empty() => Side::None,
            Identity::Policies(..) => Side::Policies(&self.identity),
        }
    }

    /// Whether one of `callers` gets `action` on `resource` through.
    fn ask(
        &mut self,
        callers: &[Caller],
        action: &str,
        resource: &str,
        fixed: &[(CompactString, Given)],
    ) -> Option<Hit> {
        let mut tries = self.tries;
        let key = resource.split_once('/').map(|(_, key)| key);
        let storage = self.ground.storage(key);
        let put = |identity: Side<'_>, tries: &mut usize| {
            let policies = self.policies(identity, self.ground.side(&self.resource), storage.as_ref());
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
            best_on(&self.face.ways, |way| question(way).ask_within(tries))
        };
        let mut hit = put(self.own_side(), &mut tries);
        let is_certain = hit.as_ref().is_some_and(|hit| hit.certainty == Certainty::Certain);
        if let Some(missing) = self.missing.as_ref().filter(|_| !is_certain)
            && let Some(mut most) = put(Side::Policies(&self.at_most), &mut tries)
        {
            most.certainty = Certainty::Unknown;
            most.depends_on.push(missing.clone());
            hit = hit.or(Some(most));
        }
        self.tries = tries;
        let mut hit = hit?;
        if let Some(found) = &hit.found {
            hit.depends_on.extend(self.face.unless.iter().cloned());
            hit.depends_on.extend(self.ground.unless(&found.request));
        }
        hit.depends_on.sort_unstable();
        hit.depends_on.dedup();
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
                for asked in self.listings(prefix, action) {
                    let given = asked.map_or(Given::Absent, |text| Given::Values(vec![text]));
                    let arn = self.ground.arn.clone();
                    let hit = self.ask(&self.face.callers, action, &arn, &[("s3:prefix".into(), given)]);
                    if better(&mut best, hit) {
                        return best;
                    }
                }
            }
        }
        best
    }

    /// The prefixes to ask a listing for, none too: those that lead to keys under `prefix` and that conditions tell apart.
    fn listings(&self, prefix: &str, action: &str) -> Vec<Option<CompactString>> {
        let Some(base) = self.face.callers.first() else { return Vec::new() };
        let base = Request::new(base.clone(), action, &self.ground.arn, self.ground.owner);
        let about = self.statements().filter(|statement| statement.covers_action(action));
        let clauses = about.flat_map(|s| &s.conditions).filter(|clause| clause.key.is("s3:prefix"));
        let patterns: Vec<String> = clauses
            .flat_map(|clause| clause.values.iter().map(|value| (clause.operator.takes_wildcards(), &value.template)))
            .map(|(wild, template)| objects::bound_value(template, wild, &base))
            .collect();
        if patterns.is_empty() {
            return vec![Some(prefix.into())];
        }
        let mut seen: Vec<Vec<bool>> = Vec::new();
        let mut found: Vec<Option<CompactString>> = vec![Some(prefix.into()), None];
        let mut add = |text: &str, found: &mut Vec<Option<CompactString>>| {
            let met = patterns.iter().map(|pattern| matches(pattern, text, Letters::Sensitive)).collect();
            if found.len() < MOST_PREFIXES && !seen.contains(&met) {
                seen.push(met);
                if text != prefix {
                    found.push(Some(text.into()));
                }
            }
        };
        add(prefix, &mut found);
        // What leads to it: its folders first, then any part of it.
        let folders = prefix.match_indices('/').map(|(at, _)| at + 1).rev();
        let any = (0..prefix.len()).rev();
        for end in folders.chain(any) {
            add(prefix.get(..end).unwrap_or_default(), &mut found);
        }
        // What lies in it.
        let inside = format!("{prefix}*");
        let mut work = MAX_WORK / 10;
        let all: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let mut deeper = vec![(vec![inside.as_str()], all.clone())];
        for pattern in &all {
            deeper.push((vec![inside.as_str(), pattern], Vec::new()));
            deeper
                .push((vec![inside.as_str(), pattern], all.iter().copied().filter(|other| other != pattern).collect()));
            deeper.push((vec![inside.as_str()], vec![pattern]));
        }
        for (wanted, unwanted) in deeper {
            if let Text::Found(text) = difference(&wanted, &unwanted, &mut work) {
                add(&text, &mut found);
            }
        }
        found
    }

    /// Whether the logs of a column can be written, overwritten or deleted.
    pub(super) fn write(&mut self, column: &LogOwner) -> Option<Hit> {
        let mut best = None;
        for action in WRITES {
            if !self.may(action) {
                continue;
            }
            for object in self.objects(column, action, &mut best) {
                let hit = self.ask(&self.face.callers, action, &object, &[]);
                if better(&mut best, hit) {
                    return best;
                }
            }
        }
        best
    }

    /// Whether the logs of a column can be fetched, and read.
    pub(super) fn read(&mut self, column: &LogOwner) -> Read {
        let mut best = Read::default();
        for action in FETCHES {
            if !self.may(action) {
                continue;
            }
            for object in self.objects(column, action, &mut best.get) {
                for caller in &self.face.callers {
                    let Some(hit) = self.ask(std::slice::from_ref(caller), action, &object, &[]) else { continue };
                    let certainty = hit.certainty;
                    let decrypted = self.decrypt(&hit, action, &object);
                    better(&mut best.get, Some(hit));
                    better(&mut best.decrypt, decrypted);
                    let is_certain =
                        |hit: &Option<Hit>| hit.as_ref().is_some_and(|hit| hit.certainty == Certainty::Certain);
                    let no_key = matches!(self.ground.lock, Lock::None);
                    if certainty == Certainty::Certain && (no_key || is_certain(&best.decrypt)) {
                        return best;
                    }
                    // Who got in but can not decrypt may be helped by another principal.
                    if matches!(self.ground.lock, Lock::Unknown(_)) && is_certain(&best.get) {
                        return best;
                    }
                }
            }
        }
        best
    }

    /// The Decrypt call behind a fetch that gets through.
    fn decrypt(&mut self, fetched: &Hit, action: &str, object: &str) -> Option<Hit> {
        let key = match &self.ground.lock {
            Lock::None => return None,
            Lock::Unknown(what) => {
                let mut depends_on = fetched.depends_on.clone();
                depends_on.push((*what).to_owned());
                return Some(Hit { certainty: Certainty::Unknown, depends_on, found: fetched.found.clone() });
            }
            Lock::Key(key) => key,
        };
        let Some(found) = &fetched.found else {
            return Some(Hit { found: None, ..fetched.clone() });
        };
        let own = if self.missing.is_some() && fetched.certainty == Certainty::Unknown {
            Side::Policies(&self.at_most)
        } else {
            self.own_side()
        };
        let tries = &mut self.tries.clone();
        let read_policies = self.policies(own, Side::None, None);
        let put = |request: &Request, policies: &Policies<'_>, free: bool, tries: &mut usize| {
            let fixed = request.context.iter().filter(|(key, _)| !free || !is_arranged(key.as_str()));
            let question = Question {
                callers: vec![request.caller.clone()],
                action: "kms:Decrypt",
                resource: request.resource.clone(),
                resource_account: request.resource_account,
                policies: *policies,
                fixed: fixed.map(|(key, given)| (CompactString::new(key.as_str()), given.clone())).collect(),
            };
            judged(question.ask_within(tries))
        };
        let mut hit =
            key.behind(&found.request, &read_policies, |request, policies| put(request, policies, false, tries));
        let is_certain = |hit: &Option<Hit>| hit.as_ref().is_some_and(|hit| hit.certainty == Certainty::Certain);
        if !is_certain(&hit) {
            // With what the key asks of the caller, if S3 lets it through with that too.
            let other =
                key.behind(&found.request, &read_policies, |request, policies| put(request, policies, true, tries));
            if let Some(other) = other
                && let Some(with) = &other.found
            {
                let arranged = with.request.context.iter().filter(|(key, _)| is_arranged(key.as_str()));
                let arranged: Vec<(CompactString, Given)> =
                    arranged.map(|(key, given)| (CompactString::new(key.as_str()), given.clone())).collect();
                self.tries = *tries;
                match self.ask(std::slice::from_ref(&found.request.caller), action, object, &arranged) {
                    Some(fetched) if fetched.certainty <= other.certainty || hit.is_none() => {
                        let certainty = other.certainty.max(fetched.certainty);
                        hit = Some(Hit { certainty, ..other });
                    }
                    Some(_) => {}
                    // Each alone can be had, and whether both together was not found out.
                    None if hit.is_none() => {
                        hit = Some(Hit {
                            certainty: Certainty::Unknown,
                            depends_on: vec!["whether one request can meet both bucket and key policy".to_owned()],
                            found: None,
                        })
                    }
                    None => {}
                }
            }
        }
        if let Some(missing) = &self.missing
            && hit.is_none()
        {
            let most = self.policies(Side::Policies(&self.at_most), Side::None, None);
            let found = key.behind(&found.request, &most, |request, policies| put(request, policies, false, tries));
            hit = found.map(|mut hit| {
                hit.certainty = Certainty::Unknown;
                hit.depends_on.push(missing.clone());
                hit
            });
        }
        self.tries = self.tries.min(*tries);
        let mut hit = hit?;
        hit.certainty = hit.certainty.max(fetched.certainty);
        hit.depends_on.extend(fetched.depends_on.iter().cloned());
        hit.depends_on.sort_unstable();
        hit.depends_on.dedup();
        if let (Some(decrypted), Some(fetched)) = (&mut hit.found, &fetched.found) {
            let mut steps: Vec<Step> = fetched.explanation.steps.clone();
            steps.extend(
                decrypted.explanation.steps.iter().filter(|step| !fetched.explanation.steps.contains(step)).cloned(),
            );
            decrypted.explanation.steps = steps;
        }
        Some(hit)
    }

    /// Objects of a column to ask about, those likely to get through first; a search that can not be complete leaves a hit
    /// that nobody can tell of.
    fn objects(&self, column: &LogOwner, action: &str, best: &mut Option<Hit>) -> Vec<CompactString> {
        let Some(caller) = self.face.callers.first() else { return Vec::new() };
        let base = Request::new(caller.clone(), action, &self.ground.arn, self.ground.owner);
        let about = |side: &[&'c Statement]| -> Vec<&'c Statement> {
            side.iter().copied().filter(|statement| statement.covers_action(action)).collect()
        };
        let identity = match self.face.identity {
            Identity::Policies(..) if self.missing.is_none() => Some(about(&self.by_identity)),
            Identity::None => Some(Vec::new()),
            _ => None,
        };
        let (resource, limits) = (about(&self.by_resource), about(&self.by_limits));
        let either = self.face.account().is_none_or(|account| Some(account) == self.ground.owner);
        let statements = Statements { resource: &resource, identity: identity.as_deref(), either, limits: &limits };
        let mut arns: Vec<CompactString> = Vec::new();
        for prefix in &column.prefixes {
            let found = objects::under(
                &format!("{}/{prefix}{DELIVERED}", self.ground.arn),
                &examples(column.account),
                &statements,
                &base,
            );
            if !found.is_complete {
                let depends_on = vec!["which objects the patterns of the policies leave open".to_owned()];
                better(best, Some(Hit { certainty: Certainty::Unknown, depends_on, found: None }));
            }
            arns.extend(found.arns);
        }
        arns
    }

    /// Why a request that is like all others is refused.
    pub(super) fn refusal(&self, action: &str, resource: &str, fixed: &[(CompactString, Given)]) -> Explanation {
        let Some(caller) = self.face.callers.first() else {
            return Explanation { decision: Decision::ImplicitDeny, steps: Vec::new(), depends_on: Vec::new() };
        };
        let mut request = Request::new(caller.clone(), action, resource, self.ground.owner);
        request.otherwise = Otherwise::Situation;
        let keys = self.face.ways.first().map(|way| way.keys.clone()).unwrap_or_default();
        for (key, given) in keys.into_iter().chain(self.ground.whereabouts()).chain(fixed.iter().cloned()) {
            request.set(&key, given);
        }
        let storage = self.ground.storage(resource.split_once('/').map(|(_, key)| key));
        let policies = self.policies(self.own_side(), self.ground.side(&self.resource), storage.as_ref());
        let s3 = explain(&request, &policies);
        match (&self.ground.lock, s3.decision) {
            (Lock::Key(key), Decision::Allowed | Decision::Conditional) if FETCHES.contains(&action) => {
                let own = self.policies(self.own_side(), Side::None, None);
                key.behind(&request, &own, explain)
            }
            _ => s3,
        }
    }
}

/// Keys of a request that say of the caller what it arranges for all its calls.
fn is_arranged(key: &str) -> bool {
    ["aws:principaltag/", "aws:multifactorauth", "aws:sourceidentity", "aws:tokenissuetime"]
        .iter()
        .any(|start| key.starts_with(start))
}

/// Whether the principals of a statement may take in one of these callers.
fn names_one_of(statement: &Statement, callers: &[Caller]) -> bool {
    let Some(principals) = &statement.principals else { return true };
    callers.iter().any(|caller| match statement.effect {
        Effect::Allow => principals::allowed_by(principals, caller, None).any() != Tri::False,
        Effect::Deny => principals::denied_by(principals, caller, None, Tri::Unknown) != Tri::False,
    })
}

/// The best answer on several ways.
pub(super) fn best_on(ways: &[Way], mut ask: impl FnMut(&Way) -> Answer) -> Option<Hit> {
    let mut best = None;
    for way in ways {
        let answer = way.weigh(ask(way));
        if better(&mut best, judged(answer)) {
            break;
        }
    }
    best
}

/// What an answer of a search comes to.
pub(super) fn judged(answer: Answer) -> Option<Hit> {
    match answer {
        Answer::No => None,
        Answer::Undecided => Some(Hit {
            certainty: Certainty::Unknown,
            depends_on: vec!["a search that was given up because the policies leave too much open".to_owned()],
            found: None,
        }),
        Answer::Yes(found) => Some(Hit { certainty: Certainty::Certain, depends_on: Vec::new(), found: Some(found) }),
        Answer::If(found) => {
            let depends_on = found.explanation.depends_on.clone();
            let certainty =
                if depends_on.iter().any(|on| is_fact(on)) { Certainty::Unknown } else { Certainty::Conditional };
            Some(Hit { certainty, depends_on, found: Some(found) })
        }
    }
}

/// Whether a decision hangs on a fact that no input tells: those are told in words, condition keys by their names.
fn is_fact(on: &str) -> bool {
    on.contains(' ') && !on.contains(" being in organization ")
}

/// Keeps the better of two; whether it can not be bettered.
fn better(best: &mut Option<Hit>, hit: Option<Hit>) -> bool {
    if let Some(hit) = hit
        && best.as_ref().is_none_or(|known| hit.certainty < known.certainty)
    {
        *best = Some(hit);
    }
    best.as_ref().is_some_and(|best| best.certainty == Certainty::Certain)
}
