//! What a request can carry, as far as its kind of principal and its action tell: for questions about conditions that
//! can never hold.
//!
//! Sources: IAM User Guide, "AWS global condition context keys"; the Service Authorization Reference.

use compact_str::CompactString;

use crate::aws::services::{self, Action};
use crate::aws::{AccountId, Arn, ConditionKey};
use crate::policy::condition::{Context, KeyValue};
use crate::policy::operator::Family;
use crate::policy::pattern::{Case, matches};
use crate::policy::{Clause, Principal, Statement};

/// A kind of principal, as the keys of its requests tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules) enum Kind {
    /// The root user of an account.
    Root,
    /// An IAM user.
    User,
    /// A session of a role.
    Session,
    /// A session made with GetFederationToken.
    FederatedUser,
    /// An AWS service for itself.
    Service,
    /// An unsigned request.
    Anonymous,
}

const OF_ACCOUNTS: [Kind; 4] = [Kind::Root, Kind::User, Kind::Session, Kind::FederatedUser];

/// A kind of request: who makes it, from which account where the statement fixes it, and which action.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Carried<'s> {
    kind: Kind,
    account: Option<CompactString>,
    service: Option<&'s str>,
    /// The action, where it is in the service data.
    action: Option<&'static Action>,
}

impl Context for Carried<'_> {
    fn value(&self, key: &ConditionKey) -> KeyValue<'_> {
        let name = key.as_str();
        if !services::is_global_key(name) {
            // Of keys that are in no table nothing is known.
            let lacks = self.action.is_some_and(|action| !action.supports_key(name));
            return match name {
                _ if lacks && services::condition_key(name).is_some() => KeyValue::Absent,
                "kms:calleraccount" => self.account.as_deref().map_or(KeyValue::Unknown, KeyValue::One),
                _ => KeyValue::Unknown,
            };
        }
        self.global(name)
    }
}

impl Carried<'_> {
    fn global(&self, name: &str) -> KeyValue<'_> {
        use Kind::{Anonymous, FederatedUser, Root, Service, Session, User};
        let of_account = OF_ACCOUNTS.contains(&self.kind);
        let yes_or_absent = |yes: bool, value| if yes { value } else { KeyValue::Absent };
        match (name, self.kind) {
            ("aws:principalaccount" | "aws:userid", Anonymous) => KeyValue::One("anonymous"),
            ("aws:principalaccount", _) if of_account => {
                self.account.as_deref().map_or(KeyValue::Present, KeyValue::One)
            }
            ("aws:principalarn", _) if of_account => KeyValue::Present,
            ("aws:principalaccount" | "aws:principalarn" | "aws:principaltype", Service) => KeyValue::Unknown,
            ("aws:principaltype", _) => KeyValue::One(match self.kind {
                Root => "Account",
                User => "User",
                Session => "AssumedRole",
                FederatedUser => "FederatedUser",
                Service => "AWSService",
                Anonymous => "Anonymous",
            }),
            ("aws:principalisawsservice", Anonymous) => KeyValue::Absent,
            ("aws:principalisawsservice", _) => KeyValue::One(if self.kind == Service { "true" } else { "false" }),
            ("aws:principalservicename", Service) => self.service.map_or(KeyValue::Present, KeyValue::One),
            ("aws:principalservicenameslist", Service) => KeyValue::Present,
            ("aws:principalservicename" | "aws:principalservicenameslist", _) => KeyValue::Absent,
            ("aws:userid", _) => yes_or_absent(of_account, KeyValue::Present),
            ("aws:username", _) => yes_or_absent(self.kind == User, KeyValue::Present),
            ("aws:sourcearn" | "aws:sourceaccount" | "aws:sourceorgid" | "aws:sourceorgpaths", _) => {
                yes_or_absent(self.kind == Service, KeyValue::Unknown)
            }
            ("aws:sourceidentity" | "aws:federatedprovider", _) => {
                yes_or_absent(self.kind == Session, KeyValue::Unknown)
            }
            ("aws:sourcevpc" | "aws:sourcevpce" | "aws:vpcsourceip", Service) => KeyValue::Absent,
            ("aws:calledvia" | "aws:calledviafirst" | "aws:calledvialast" | "aws:tokenissuetime", _)
            | ("aws:multifactorauthpresent" | "aws:multifactorauthage", _) => {
                yes_or_absent(of_account, KeyValue::Unknown)
            }
            // Organization, tags: nothing that a service or an unsigned request has.
            _ if name.starts_with("aws:principal") => yes_or_absent(of_account, KeyValue::Unknown),
            _ => KeyValue::Unknown,
        }
    }
}

/// Every kind of request that a statement of a resource's policy can mean; `None` where that can not be told.
pub(in crate::rules) fn requests(statement: &Statement) -> Option<Vec<Carried<'_>>> {
    let actions = actions(statement)?;
    let mut requests = Vec::new();
    let mut callers = callers(statement)?;
    callers.dedup();
    for (kind, account, service) in callers {
        for action in &actions {
            let account = account.map(|account| CompactString::new(account.as_str()));
            requests.push(Carried { kind, account, service, action: *action });
        }
    }
    Some(requests)
}

type CallerKind<'s> = (Kind, Option<AccountId>, Option<&'s str>);

fn callers(statement: &Statement) -> Option<Vec<CallerKind<'_>>> {
    let principals = statement.principals.as_ref()?;
    let everyone = || OF_ACCOUNTS.into_iter().chain([Kind::Service, Kind::Anonymous]).map(|kind| (kind, None, None));
    if principals.negated {
        return Some(everyone().collect());
    }
    let mut callers: Vec<CallerKind<'_>> = Vec::new();
    for entry in &principals.entries {
        match &entry.principal {
            Principal::Everyone => callers.extend(everyone()),
            Principal::Account(id) => callers.extend(OF_ACCOUNTS.map(|kind| (kind, Some(*id), None))),
            Principal::Role(id, _) | Principal::Session(id, ..) => callers.push((Kind::Session, Some(*id), None)),
            Principal::User(id, _) => {
                callers.extend([Kind::User, Kind::FederatedUser].map(|kind| (kind, Some(*id), None)));
            }
            Principal::FederatedUser(id, _) => callers.push((Kind::FederatedUser, Some(*id), None)),
            Principal::CanonicalUser(_) => callers.extend(OF_ACCOUNTS.map(|kind| (kind, None, None))),
            Principal::Service(name) => callers.push((Kind::Service, None, Some(name.as_str()))),
            // Nobody that lives.
            Principal::UniqueId(_) | Principal::Wildcard(_) | Principal::Unrecognised(_) => {}
            Principal::OriginAccessIdentity(_) | Principal::Federated(_) => return None,
        }
    }
    (!callers.is_empty()).then_some(callers)
}

/// The actions of a statement that work on its resources; `None` among them for those that are in no table.
///
/// There is no list where none of them works on any: nothing is to be said about conditions then.
fn actions(statement: &Statement) -> Option<Vec<Option<&'static Action>>> {
    let (entries, resources) = (statement.actions.as_ref()?, statement.resources.as_ref()?);
    let mut actions: Vec<Option<&'static Action>> = Vec::new();
    if entries.negated {
        return Some(vec![None]);
    }
    for item in &entries.items {
        let pattern = item.value.raw();
        let covered: Vec<&'static Action> = services::expand(pattern).collect();
        if covered.is_empty() || services::coverage(pattern) != services::Coverage::Full {
            actions.push(None);
        }
        actions.extend(covered.into_iter().map(Some));
    }
    let works = |action: &Option<&'static Action>| {
        action.is_none_or(|action| {
            let on = |pattern: &str| action.applies_to(pattern) != services::Applies::No;
            resources.negated || resources.items.iter().any(|resource| on(resource.value.raw()))
        })
    };
    actions.retain(works);
    (!actions.is_empty()).then_some(actions)
}

/// Whether every value is the ARN of a session, where `aws:PrincipalArn` holds the ARN of its role, or belongs to another
/// account than every caller.
pub(in crate::rules) fn is_of_no_caller(clause: &Clause, requests: &[Carried<'_>]) -> bool {
    if !clause.key.is("aws:PrincipalArn") || clause.operator.negated || clause.values.is_empty() {
        return false;
    }
    let is_elsewhere = |account: &str| {
        !account.contains("${")
            && requests.iter().all(|request| {
                let own = request.account.as_deref();
                own.is_some_and(|own| !matches(account, own, Case::Sensitive))
            })
    };
    clause.values.iter().all(|value| {
        let arn = Arn::parse(value.template.raw());
        arn.is_some_and(|arn| arn.resource.starts_with("assumed-role/") || is_elsewhere(arn.account))
    })
}

/// Whether every value holds a wildcard where the operator takes none and the key's values never hold one.
pub(in crate::rules) fn is_literal_wildcard(clause: &Clause) -> bool {
    let exact = matches!(clause.operator.family, Family::String | Family::StringIgnoreCase);
    exact
        && !clause.operator.negated
        && !clause.values.is_empty()
        && clause.values.iter().all(|value| value.template.has_wildcard())
        && holds_no_wildcard(clause.key.as_str())
}

/// Keys whose values AWS makes or limits, so that they hold neither `*` nor `?`; a log's key holds none either.
fn holds_no_wildcard(key: &str) -> bool {
    const KEYS: [&str; 26] = [
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalservicename",
        "aws:principalservicenameslist",
        "aws:principaltype",
        "aws:resourceaccount",
        "aws:resourceorgid",
        "aws:resourceorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourcevpc",
        "aws:sourcevpcarn",
        "aws:sourcevpce",
        "aws:userid",
        "aws:username",
        "aws:requestedregion",
        "kms:calleraccount",
        "kms:encryptioncontext:aws:cloudtrail:arn",
        "kms:viaservice",
        "s3:prefix",
        "s3:resourceaccount",
        "s3:x-amz-acl",
    ];
    KEYS.contains(&key) || key.starts_with("aws:principaltag/")
}
