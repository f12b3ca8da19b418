//! Looks for a request that policies let through, among all that a caller could arrange.
//!
//! A caller chooses what its request carries (prefix asked for, tags, session name, MFA, TLS) and which principal of its
//! account asks; it does not choose network, time or organization. For each Allow statement the values worth trying are
//! read off the policies themselves, tried together, and each combination is put to the evaluator, which has the last
//! word. The number of tries is bounded; when the bound is met the answer is [`Answer::Undecided`].

mod candidates;
mod combinations;
mod cost;

use std::cell::LazyCell;

use compact_str::CompactString;

use self::candidates::Candidates;
pub use self::candidates::fill;
use self::combinations::{Choice, Combinations};
use self::cost::{Meter, WORK};
use crate::access::allowance::Allowance;

use crate::access::evaluate::{Explanation, Policies, Side, explain, statement_may_meet};
use crate::access::request::{Caller, Given, Otherwise, Request};
use crate::aws::{AccountId, ConditionKey, services};
use crate::finding::{Dependency, Witness};
use crate::policy::condition::{self, Tri};
use crate::policy::pattern;
use crate::policy::template::{Template, Variable};
use crate::policy::{Effect, Policy, Statement};

/// A value that no policy names.
pub const STRANGER: &str = "any-other-value";

/// A role that no policy names.
pub const ANY_ROLE: &str = "any-other-role";

/// A user that no policy names.
pub const ANY_USER: &str = "any-other-user";

/// A name for a session that no policy names.
pub const ANY_SESSION: &str = "any-session";

/// A question: can one of these callers do this?
#[derive(Debug, Clone)]
pub struct Question<'p> {
    /// Who may ask, in order of preference.
    pub callers: Vec<Caller>,
    /// The action.
    pub action: &'p str,
    /// The resource's ARN.
    pub resource: CompactString,
    /// The account that owns the resource.
    pub resource_account: Option<AccountId>,
    /// The policies that decide.
    pub policies: Policies<'p>,
    /// Keys that the scenario fixes.
    pub fixed: Vec<(CompactString, Given)>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// This request is allowed.
    Yes(Found),
    /// This request is allowed if what the caller can not arrange is so.
    If(Found),
    /// No request is allowed.
    No,
    /// The search gave up.
    Undecided,
}

/// A request and its decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The request, as proof.
    pub witness: Witness,
    /// Why it is decided so.
    pub explanation: Explanation,
    /// The request itself.
    pub request: Box<Request>,
}

impl Answer {
    /// The request that gets through, certainly or conditionally.
    pub fn found(&self) -> Option<&Found> {
        match self {
            Answer::Yes(found) | Answer::If(found) => Some(found),
            Answer::No | Answer::Undecided => None,
        }
    }

    /// How much it lets through; an answer that was not found beats none.
    pub fn rank(&self) -> u8 {
        match self {
            Answer::Yes(_) => 3,
            Answer::If(_) => 2,
            Answer::Undecided => 1,
            Answer::No => 0,
        }
    }

    /// Whether some request gets through for certain.
    pub fn is_yes(&self) -> bool {
        matches!(self, Answer::Yes(_))
    }
}

/// Whether a caller can choose what its request carries under this key.
///
/// Source: `aws:PrincipalTag` counts because every account sets the tags of its own principals.
pub fn can_arrange(key: &ConditionKey) -> bool {
    const PREFIXES: [&str; 22] = [
        "sts:",
        "kms:encryptioncontext",
        "kms:viaservice",
        "kms:requestalias",
        "kms:encryptionalgorithm",
        "kms:grant",
        "s3:prefix",
        "s3:delimiter",
        "s3:max-keys",
        "s3:x-amz-",
        "s3:versionid",
        "s3:requestobjecttag",
        "s3:signature",
        "s3:authtype",
        "s3:tlsversion",
        "s3:if-",
        "s3:object-lock-",
        "aws:requesttag/",
        "aws:principaltag/",
        "aws:multifactorauth",
        "aws:calledvia",
        "aws:sourceidentity",
    ];
    const KEYS: [&str; 7] = [
        "aws:tagkeys",
        "aws:securetransport",
        "aws:useragent",
        "aws:referer",
        "aws:requestedregion",
        "aws:tokenissuetime",
        "aws:viaawsservice",
    ];
    PREFIXES.iter().any(|prefix| key.starts_with(prefix)) || KEYS.contains(&key.as_str())
}

impl Question<'_> {
    /// Looks for a request that is allowed, and gives up when it has taken its share of the allowance.
    pub fn ask(&self, allowance: &Allowance) -> Answer {
        let given = allowance.share();
        let mut work = given;
        let answer = self.ask_within(&mut work);
        allowance.spend(given - work);
        answer
    }

    /// Looks for a request that is allowed, and gives up when `work` is spent: each try takes as much of it as there is to
    /// compare.
    pub fn ask_within(&self, work: &mut usize) -> Answer {
        let mut meter = Meter::new(*work);
        let answer = self.within(&mut meter);
        *work = meter.left();
        answer
    }

    fn within(&self, meter: &mut Meter) -> Answer {
        if !meter.take(WORK) {
            return Answer::Undecided;
        }
        // Most often the first caller gets through and the others are never looked at.
        let requests: Vec<LazyCell<Request, _>> =
            self.callers.iter().map(|caller| LazyCell::new(|| self.request(caller))).collect();
        let statements = self.statements(meter, || requests.iter().map(|request| &**request));
        self.try_each(requests.iter().map(|request| &**request), &statements, meter)
    }

    fn try_each<'r>(
        &self,
        requests: impl Iterator<Item = &'r Request>,
        statements: &[&Statement],
        meter: &mut Meter,
    ) -> Answer {
        let mut conditional = None;
        for base in requests {
            if meter.is_spent() {
                break;
            }
            let mut candidates = Candidates::new(statements, base);
            let mut combinations = Combinations::new(&self.policies, base);
            // Each statement that may allow, and once none: what an account, an ACL or a policy that is not known grants.
            let can_be_granted = base.caller.account().is_some()
                || base.caller == Caller::Anonymous
                || matches!(self.policies.resource, Side::Unknown(_));
            let granted = can_be_granted.then_some(None);
            let allows = statements.iter().filter(|s| s.effect == Effect::Allow).map(|s| Some(*s));
            for target in allows.chain(granted) {
                let few = self.choices(&mut candidates, target, false, meter);
                let Some(few) = few else { continue };
                let more = self.choices(&mut candidates, target, true, meter).filter(|more| more.len() > few.len());
                // What hangs on a key that the caller chooses is tried with all its values before it counts.
                let mut ignored = None;
                let open = if more.is_some() { &mut ignored } else { &mut conditional };
                let mut allowed = combinations.first_allowed(&few, meter, open);
                if let (None, Some(more)) = (&allowed, more) {
                    allowed = combinations.first_allowed(&more, meter, &mut conditional);
                }
                if let Some(request) = allowed {
                    return Answer::Yes(self.found(&request));
                }
            }
        }
        match conditional {
            Some(request) => Answer::If(self.found(&request)),
            None if meter.is_spent() => Answer::Undecided,
            None => Answer::No,
        }
    }

    fn request(&self, caller: &Caller) -> Request {
        let mut request = Request::new(caller.clone(), self.action, &self.resource, self.resource_account);
        request.otherwise = Otherwise::Situation;
        for (key, given) in &self.fixed {
            request.set(key, given.clone());
        }
        request
    }

    /// The keys that the caller chooses, with the values worth trying: those that `target` and every Deny look at and, where
    /// `all` are wanted, those of the other Allow statements too, as two sides may each have to allow. `None` where none of
    /// the values of a key can satisfy `target`.
    fn choices(
        &self,
        candidates: &mut Candidates<'_>,
        target: Option<&Statement>,
        all: bool,
        meter: &mut Meter,
    ) -> Option<Vec<Choice>> {
        let base = candidates.base;
        let mut choices: Vec<Choice> = Vec::new();
        let others = candidates.statements.iter().copied().filter(|s| all || s.effect == Effect::Deny);
        for statement in target.into_iter().chain(others) {
            for key in looked_at(statement) {
                if choices.iter().any(|choice| choice.key == *key) || !self.is_free(key, base) {
                    continue;
                }
                let mut values = candidates.of(key, meter).to_vec();
                if let Some(target) = target.filter(|target| target.conditions.iter().any(|clause| clause.key == *key))
                {
                    meter.charge(WORK * values.len());
                    let mut request = base.clone();
                    values.retain(|given| may_hold(target, key, given, &mut request));
                }
                if values.is_empty() {
                    return None;
                }
                choices.push(Choice { key: key.clone(), values });
            }
        }
        Some(choices)
    }

    fn is_free(&self, key: &ConditionKey, base: &Request) -> bool {
        if base.context.get(key).is_some() {
            return false;
        }
        match &base.caller {
            // What a service says it acts for is up to whoever asked it.
            Caller::Service(_) => key.is("aws:SourceArn"),
            Caller::Anonymous if key.starts_with("aws:principal") || key.starts_with("aws:multifactor") => false,
            _ => can_arrange(key) && carries(self.action, key),
        }
    }

    /// The statements whose action, resource and principal may fit some caller.
    fn statements<'r, R: Iterator<Item = &'r Request>>(
        &self,
        meter: &mut Meter,
        requests: impl Fn() -> R,
    ) -> Vec<&Statement> {
        let all = self.policies.all().flat_map(Policy::effective);
        all.filter(|statement| {
            requests().any(|request| {
                meter.charge(cost::naming(statement));
                statement_may_meet(statement, request, &self.policies)
            })
        })
        .collect()
    }

    fn found(&self, request: &Request) -> Found {
        let explanation = explain(request, &self.policies);
        Found { witness: witness(request, &explanation), explanation, request: Box::new(request.clone()) }
    }
}

/// Whether a request for the action carries the key at all: S3 knows of no `s3:prefix` where an object is fetched.
pub(in crate::access) fn carries(action: &str, key: &ConditionKey) -> bool {
    let is_of_service = ["s3:", "kms:", "sts:"].into_iter().any(|prefix| key.starts_with(prefix));
    let is_documented = || services::condition_key(key.as_str()).is_some();
    !is_of_service
        || services::action(action).is_none_or(|action| !is_documented() || action.supports_key(key.as_str()))
}

/// The keys that a statement looks at: in its comparisons, and in the variables of its values and resources.
fn looked_at(statement: &Statement) -> impl Iterator<Item = &ConditionKey> {
    let compared = statement.conditions.iter().map(|clause| &clause.key);
    compared.chain(variables(statement).map(|variable| &variable.key))
}

/// The variables in the values and resources of a statement.
fn variables(statement: &Statement) -> impl Iterator<Item = &Variable> {
    let values = statement.conditions.iter().flat_map(|clause| &clause.values).map(|value| &value.template);
    let resources = statement.resources.iter().flat_map(|resources| &resources.items).map(|item| &item.value);
    values.chain(resources).flat_map(Template::variables)
}

/// A request and its decision as a report shows it.
pub fn witness(request: &Request, explanation: &Explanation) -> Witness {
    let context = request.context.iter().filter_map(|(key, given)| match given {
        Given::Values(values) => Some((spelled(key), values.iter().map(|v| v.to_string()).collect())),
        _ => None,
    });
    Witness {
        principal: request.caller_arn(),
        action: request.action.to_string(),
        resource: request.resource.to_string(),
        context: context.collect(),
        decision: explanation.decision,
        depends_on: explanation.depends_on.iter().map(Dependency::to_string).collect(),
    }
}

/// A key as AWS spells it, where the service data knows it; what follows a tag key's slash stays as it is.
fn spelled(key: &ConditionKey) -> String {
    match services::condition_key(key.as_str()) {
        Some(info) if info.is_template() => {
            let fixed = info.name.find(['$', '<']).unwrap_or(info.name.len());
            let (known, own) = (info.name.get(..fixed), key.as_str().get(fixed..));
            known.zip(own).map_or_else(|| key.to_string(), |(known, own)| format!("{known}{own}"))
        }
        Some(info) => info.name.to_string(),
        None => key.to_string(),
    }
}

/// Whether the clauses of a statement on one key may hold with this value, which `request` then has.
fn may_hold(statement: &Statement, key: &ConditionKey, given: &Given, request: &mut Request) -> bool {
    request.context.insert(key.clone(), given.clone());
    let mut clauses = statement.conditions.iter().filter(|clause| clause.key == *key);
    clauses.all(|clause| condition::holds(clause, statement.effect, request) != Tri::False)
}

/// Callers that stand for all principals of an account, as far as these policies, those of organizations among them, can
/// tell them apart: one unnamed role, one unnamed user, and each role or user that a policy names, directly or by a
/// pattern of `aws:PrincipalArn`.
pub fn principals_of<'p>(account: AccountId, policies: impl IntoIterator<Item = &'p Policy>) -> Vec<Caller> {
    let mut callers = vec![
        Caller::Session(account, ANY_ROLE.into(), Some(ANY_SESSION.into())),
        Caller::User(account, ANY_USER.into()),
    ];
    let mut add = |caller: Caller| {
        if !callers.contains(&caller) {
            callers.push(caller);
        }
    };
    for statement in policies.into_iter().flat_map(|policy| policy.effective()) {
        for entry in statement.principals.iter().flat_map(|p| &p.entries) {
            use crate::policy::Principal;
            match &entry.principal {
                Principal::Role(a, name) if *a == account => {
                    add(Caller::Session(account, name.clone(), Some(ANY_SESSION.into())));
                }
                Principal::User(a, name) if *a == account => add(Caller::User(account, name.clone())),
                Principal::Session(a, role, session) if *a == account => {
                    add(Caller::Session(account, role.clone(), Some(session.clone())));
                }
                Principal::FederatedUser(a, name) if *a == account => add(Caller::FederatedUser(account, name.clone())),
                _ => {}
            }
        }
        let values = |key: &'static str| {
            let clauses = statement.conditions.iter().filter(move |clause| clause.key.is(key));
            clauses.flat_map(|clause| &clause.values).map(|value| &value.template)
        };
        values("aws:PrincipalArn").filter_map(|template| named_by_pattern(template, account)).for_each(&mut add);
        // Any account may give a user that name.
        let names = values("aws:username").filter(|template| template.variables().next().is_none());
        names
            .map(|template| Caller::User(account, template.raw().replace('*', ANY_USER).replace('?', "x").into()))
            .for_each(&mut add);
    }
    callers
}

/// A principal of `account` that a pattern of `aws:PrincipalArn` matches.
fn named_by_pattern(template: &Template, account: AccountId) -> Option<Caller> {
    let raw = template.raw();
    let (head, tail) = match raw.match_indices(':').nth(4) {
        Some((at, _)) => (raw.get(..at)?, raw.get(at + 1..)?),
        // A pattern such as `*` or `*:role/x` under StringLike: any head will do.
        None => ("arn:aws:iam::*", raw.rsplit(':').next()?.trim_start_matches('*')),
    };
    let wanted = head.rsplit(':').next()?;
    if !pattern::matches(wanted, account.as_str(), pattern::Case::Sensitive) {
        return None;
    }
    let any = match tail.split_once('/') {
        Some(("role", _)) => ANY_ROLE,
        Some(("user", _)) => ANY_USER,
        _ => STRANGER,
    };
    let name = tail.replace('*', any).replace('?', "x");
    Caller::parse(&format!("arn:aws:iam::{account}:{name}"))
}

#[cfg(test)]
mod tests;
