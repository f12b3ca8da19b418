//! The policies that a role or user of the estate carries, as far as they are known.

use std::sync::{Arc, OnceLock};

use compact_str::CompactString;

use crate::access::evaluate::{Carried, Side, Title, Titles};
use crate::access::request::Caller;
use crate::estate::{Estate, Gap, Known, Permissions, Role, User};
use crate::policy::{Policy, PolicyKind, parse};
use crate::syntax::json::Tape;
use crate::text::SourceId;
use crate::text::embedded::Place;

/// What decides on the caller's side.
#[derive(Debug, Clone, Default)]
pub struct Actor {
    /// Its identity policies whose text is known, those of a user's groups included.
    pub identity: Vec<Arc<Policy>>,
    /// What messages call each of them.
    titles: Vec<Title>,
    /// Identity policies that are not known: they may allow, and may deny.
    pub missing: Vec<Gap>,
    /// Its permissions boundary.
    pub boundary: Boundary,
    /// What messages call it: ``role `log-reader` ``.
    pub who: CompactString,
    boundary_title: Option<Title>,
}

/// A permissions boundary.
#[derive(Debug, Clone, Default)]
pub enum Boundary {
    /// There is none.
    #[default]
    None,
    /// This one.
    Is(Arc<Policy>),
    /// There is one, and what it says is not known; in words.
    Unread(String),
    /// Whether there is one is not known; in words.
    Unknown(String),
}

impl Actor {
    /// What a role carries.
    pub fn role(estate: &Estate, role: &Role) -> Self {
        let mut actor = Actor::default();
        actor.add("role", &role.name, estate, &role.permissions);
        actor.bind("role", &role.name, estate, &role.permissions);
        actor
    }

    /// What a user carries by itself and by its groups.
    pub fn user(estate: &Estate, user: &User) -> Self {
        let mut actor = Actor::default();
        actor.add("user", &user.name, estate, &user.permissions);
        match user.groups.get() {
            Ok(names) => {
                for name in names.into_iter().flatten() {
                    match estate.groups.iter().find(|group| group.name == *name && group.account == user.account) {
                        Some(group) => actor.add("group", &group.name, estate, &group.permissions),
                        None => {
                            let reason = format!("the policies of group `{name}` are not in the inputs");
                            actor.missing.push(Gap::new("user.groups", reason).at(user.groups.span()));
                        }
                    }
                }
            }
            Err(gap) => actor.missing.push(gap),
        }
        actor.bind("user", &user.name, estate, &user.permissions);
        actor
    }

    /// What a caller carries, by the role or user of the estate that it is; `None` where the estate holds no such one.
    /// Root users, services and unsigned callers carry nothing.
    pub fn of(estate: &Estate, caller: &Caller) -> Option<Self> {
        let last = |name: &'_ str| name.rsplit('/').next().unwrap_or(name).to_owned();
        match caller {
            Caller::Session(account, role, _) => {
                let name = last(role);
                let role = estate.roles.iter().find(|r| r.account == Some(*account) && r.name == name);
                role.map(|role| Actor::role(estate, role))
            }
            Caller::User(account, user) => {
                let name = last(user);
                let user = estate.users.iter().find(|u| u.account == Some(*account) && u.name == name);
                user.map(|user| Actor::user(estate, user))
            }
            Caller::FederatedUser(..) => None,
            Caller::Root(_) | Caller::Service(_) | Caller::Provider(_) | Caller::Anonymous => Some(Actor::default()),
        }
    }

    fn bind(&mut self, kind: &str, name: &str, estate: &Estate, permissions: &Permissions) {
        self.who = format!("{kind} `{name}`").into();
        self.boundary = boundary(estate, permissions, name);
        let title = || Title { of: self.who.clone(), kind: Carried::Boundary(permissions.boundary.present().cloned()) };
        self.boundary_title = matches!(self.boundary, Boundary::Is(_)).then(title);
    }

    /// What messages call its policies; `identity` are those of its own, in their order.
    pub fn titles(&self, identity: &[Arc<Policy>]) -> Titles {
        Titles::new(&self.who, identity, self.titles.clone(), self.boundary_title.clone())
    }

    fn add(&mut self, kind: &str, name: &str, estate: &Estate, permissions: &Permissions) {
        let of: CompactString = format!("{kind} `{name}`").into();
        match permissions.inline.get() {
            Ok(inline) => {
                for one in inline.into_iter().flatten() {
                    match &one.document {
                        Known::Present(document, _) => {
                            let title = Title { of: of.clone(), kind: Carried::Inline(one.name.clone()) };
                            self.take(&format!("{kind}.inline-policies"), document.policy(&estate.sources), title);
                        }
                        Known::Absent(_) => {}
                        Known::Unknown(gap) => self.missing.push(gap.clone()),
                    }
                }
            }
            Err(gap) => self.missing.push(gap),
        }
        match permissions.attached.get() {
            Ok(attached) => {
                for arn in attached.into_iter().flatten() {
                    let fact = format!("{kind}.attached-policies");
                    match estate.managed_text(&arn.value) {
                        Some(text) => {
                            let title = Title { of: of.clone(), kind: Carried::Managed(arn.value.clone()) };
                            self.take(&fact, text.policy(), title);
                        }
                        None => {
                            let reason = format!("the text of `{}` is not in the inputs", arn.value);
                            self.missing.push(Gap::new(fact, reason).at([arn.span]));
                        }
                    }
                }
            }
            Err(gap) => self.missing.push(gap),
        }
    }

    /// A policy, unless nothing of it can be read.
    fn take(&mut self, fact: &str, policy: Arc<Policy>, title: Title) {
        match policy.unreadable() {
            Some(problem) => {
                let reason = format!("it can not be evaluated: {}", problem.kind);
                self.missing.push(Gap::new(fact.to_owned(), reason).at([problem.span]));
            }
            None => {
                self.identity.push(policy);
                self.titles.push(title);
            }
        }
    }
}

impl Boundary {
    /// The boundary as the evaluator takes it, to `ask`; one that is not known is left out, as it can only take away.
    pub fn side<T>(&self, ask: impl FnOnce(Side<'_>) -> T) -> T {
        match self {
            Boundary::Is(policy) => ask(Side::Policies(&[policy])),
            Boundary::None | Boundary::Unread(_) | Boundary::Unknown(_) => ask(Side::None),
        }
    }

    /// What is not known of it, in words.
    pub fn unknown(&self) -> Option<&str> {
        match self {
            Boundary::Unread(what) | Boundary::Unknown(what) => Some(what),
            Boundary::None | Boundary::Is(_) => None,
        }
    }
}

/// The permissions boundary of a role or user called `name`.
pub fn boundary(estate: &Estate, permissions: &Permissions, name: &str) -> Boundary {
    let document = permissions.boundary_document.as_ref().map(|document| document.policy(&estate.sources));
    match (&permissions.boundary, document) {
        (_, Some(policy)) => Boundary::Is(policy),
        (Known::Present(arn, _), None) => match estate.managed_text(arn) {
            Some(text) => Boundary::Is(text.policy()),
            None => Boundary::Unread(format!("the text of permissions boundary `{arn}`")),
        },
        (Known::Absent(_), None) => Boundary::None,
        (Known::Unknown(_), None) => Boundary::Unknown(format!("permissions boundary of `{name}`")),
    }
}

/// A policy that allows all: the most that one can say which is not known. Its places mean nothing.
pub fn allowing_all() -> &'static Arc<Policy> {
    static ALL: OnceLock<Arc<Policy>> = OnceLock::new();
    ALL.get_or_init(|| {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let place = Place::direct(SourceId::new(u32::MAX), 0);
        let mut tape = Tape::new();
        Arc::new(match tape.read(text, &place) {
            Ok(json) => parse(json, PolicyKind::Identity),
            Err(_) => Policy::empty(PolicyKind::Identity, place.span(0, 0)),
        })
    })
}
