//! What keeps a reader from logs: where it would be mended, in words, and whether another rule tells of it.
//!
//! A cause is told of once. Where a rule has it for its subject, whoever reads and whatever is selected, that rule names it
//! at level error and what follows from it is not told again: `foreign-organization`, `literal-policy-variable`,
//! `action-resource-mismatch`, `public-policy-cuts-readers`, `writer-owned-objects`, and for keys `unusable-key` and
//! `aws-managed-key`.

use std::sync::Arc;

use crate::access::evaluate::{Stop, StopKind};
use crate::access::s3::statement_is_public;
use crate::estate::{Known, ObjectOwnership, Role};
use crate::finding::{Draft, StatementId};
use crate::policy::condition::Tri;
use crate::policy::{Policy, PolicyKind, Statement};
use crate::rule::context::{BucketView, Context};
use crate::rules::shared::{idle, organizations, readers, variables};
use crate::text::Span;

/// What stops a request, among the documents it may stand in.
pub(in crate::rules) struct Hindrance<'c, 'a> {
    pub(in crate::rules) context: &'c Context<'a>,
    /// The policy of the bucket or key.
    pub(in crate::rules) policy: Option<&'c Policy>,
    pub(in crate::rules) stop: &'c Stop,
    /// The role on the way.
    pub(in crate::rules) role: Option<&'c Role>,
}

impl<'c, 'a> Hindrance<'c, 'a> {
    /// The role of an ARN.
    pub(in crate::rules) fn role_of(context: &'c Context<'a>, arn: Option<&str>) -> Option<&'c Role> {
        let arn = arn?;
        context.estate.roles.iter().find(|role| role.arn().as_deref() == Some(arn))
    }

    /// The place that the engine names, where it is one of the inputs.
    pub(in crate::rules) fn span(&self) -> Option<Span> {
        self.stop.span.filter(|span| self.context.estate.sources.source(span.source).is_some())
    }

    /// Where one would mend it; `None` where nothing stands there yet.
    pub(in crate::rules) fn place(&self) -> Option<Span> {
        match self.stop.kind {
            StopKind::Missing(PolicyKind::Identity) => self.role.map(|role| role.span),
            // An Allow for others is no mistake.
            StopKind::Missing(PolicyKind::Bucket | PolicyKind::Key | PolicyKind::Trust | PolicyKind::Resource) => None,
            _ => self.span().or_else(|| self.role.map(|role| role.span)),
        }
    }

    /// What the statement at fault says, to `ask`.
    pub(in crate::rules) fn statement<T>(&self, ask: impl FnOnce(&Statement) -> T) -> Option<T> {
        let span = self.span()?;
        let within = |policy: &Policy| policy.statements.iter().position(|one| one.span.contains(span));
        if let Some((policy, at)) = self.policy.and_then(|policy| Some((policy, within(policy)?))) {
            return policy.statements.get(at).map(ask);
        }
        let (policy, at) = self.others().find_map(|policy| within(&policy).map(|at| (policy, at)))?;
        policy.statements.get(at).map(ask)
    }

    /// The policies of the role and of the organization.
    fn others(&self) -> impl Iterator<Item = Arc<Policy>> + '_ {
        let estate = self.context.estate;
        let permissions = self.role.map(|role| &role.permissions);
        let inline = permissions.and_then(|all| all.inline.present()).into_iter().flatten();
        let inline = inline.filter_map(|one| one.document.present());
        let attached = permissions.and_then(|all| all.attached.present()).into_iter().flatten();
        let bounds = permissions.and_then(|all| all.boundary.present()).into_iter();
        let managed = attached.map(|arn| arn.value.as_str()).chain(bounds.map(|arn| arn.as_str()));
        let managed = managed.filter_map(|arn| estate.managed_text(arn)).map(|text| text.policy());
        let trust = self.role.and_then(|role| role.trust.present());
        let of_organization = estate.organization.policies.iter().filter_map(|policy| policy.document.present());
        let documents = inline.chain(trust).chain(of_organization);
        documents.map(|document| document.policy(&estate.sources)).chain(managed)
    }

    /// The resource at fault, where one does not fit.
    pub(in crate::rules) fn resource(&self) -> Option<String> {
        let StopKind::Resource(_) = self.stop.kind else { return None };
        let at_fault = |statement: &Statement| {
            let mut items = statement.resources.iter().flat_map(|resources| &resources.items);
            items.find(|item| Some(item.span) == self.stop.span).map(|item| item.raw().to_owned())
        };
        self.statement(at_fault).flatten()
    }

    /// Whether another rule tells of it, and of all that follows from it.
    pub(in crate::rules) fn is_told_elsewhere(&self, bucket: Option<&BucketView<'_>>) -> bool {
        let context = self.context;
        let is_foreign = |statement: &Statement, place: Option<Span>| {
            let mut clauses = statement.conditions.iter().filter(|clause| place.is_none_or(|span| clause.span == span));
            clauses.any(|clause| organizations::is_foreign(context, statement, clause))
        };
        match self.stop.kind {
            StopKind::Version(_) | StopKind::Key => true,
            StopKind::Deny(PolicyKind::Bucket | PolicyKind::Key) => {
                self.statement(|statement| is_foreign(statement, None)).unwrap_or(false)
            }
            StopKind::Condition(PolicyKind::Bucket | PolicyKind::Key) => {
                self.statement(|statement| is_foreign(statement, self.stop.span)).unwrap_or(false)
            }
            StopKind::Resource(kind) => {
                let is_unset = |raw: String| !variables::unset(variables::arn_head(&raw).1).is_empty();
                let is_idle = kind == PolicyKind::Bucket && self.statement(idle::does_nothing).unwrap_or(false);
                is_idle || self.resource().is_some_and(is_unset)
            }
            StopKind::PublicPolicy => {
                let mut allows = self.policy.into_iter().flat_map(Policy::allows);
                let is_named = allows.any(|statement| statement_is_public(statement) != Tri::False);
                let readers = bucket.and_then(|bucket| readers::meant_readers(context, bucket).ok());
                is_named && readers.is_some_and(|readers| !readers.is_empty())
            }
            StopKind::ObjectOwner => {
                let ownership = bucket.map(|bucket| &bucket.bucket.ownership);
                matches!(ownership, Some(Known::Present(ObjectOwnership::ObjectWriter, _) | Known::Absent(_)))
            }
            StopKind::Deny(_) | StopKind::Condition(_) | StopKind::Missing(_) | StopKind::Protocol => false,
        }
    }

    /// Why, behind a colon; `they` says that it stops several.
    pub(in crate::rules) fn why(&self, they: bool) -> String {
        let it = if they { "them" } else { "it" };
        let role = self.role.map_or_else(|| "a role".to_owned(), |role| format!("role `{}`", role.name));
        match self.stop.kind {
            StopKind::Deny(PolicyKind::Scp) => "a service control policy denies it".to_owned(),
            StopKind::Deny(PolicyKind::Rcp) => "a resource control policy denies it".to_owned(),
            StopKind::Deny(PolicyKind::Identity) => format!("a policy of {role} denies it"),
            StopKind::Deny(PolicyKind::Trust) => format!("the trust policy of {role} denies it"),
            StopKind::Deny(kind) => format!("a Deny of the {} meets {it}", kind.title()),
            StopKind::Resource(kind) => {
                let named = match self.resource() {
                    Some(raw) if raw.contains(":kms:") => "another key",
                    Some(raw) if raw.contains('/') => "another path",
                    _ => "something else than log files",
                };
                match kind {
                    PolicyKind::Identity => format!("the policy of {role} names {named}"),
                    _ => format!("the {} names {named}", kind.title()),
                }
            }
            StopKind::Condition(kind) => {
                let key = self.statement(|statement| {
                    let found = statement.conditions.iter().find(|clause| Some(clause.span) == self.stop.span);
                    found.map(|clause| format!(" on `{}`", clause.written_key))
                });
                let whose = match kind {
                    PolicyKind::Identity => format!("a policy of {role}"),
                    PolicyKind::Trust => format!("the trust policy of {role}"),
                    _ => format!("the {}", kind.title()),
                };
                format!("a condition{} in {whose} does not hold", key.flatten().unwrap_or_default())
            }
            StopKind::Missing(PolicyKind::Scp) => format!("the service control policies do not let {it}"),
            StopKind::Missing(PolicyKind::Boundary) => format!("the permissions boundary of {role} does not allow it"),
            StopKind::Missing(PolicyKind::Identity) => format!("no policy of {role} allows it"),
            StopKind::Missing(_) => format!("nothing lets {it}"),
            StopKind::PublicPolicy => "block public access stops other accounts, as the policy is public".to_owned(),
            StopKind::ObjectOwner => "the objects belong to another account than the bucket".to_owned(),
            StopKind::Version(_) | StopKind::Key | StopKind::Protocol => self.stop.message.clone(),
        }
    }

    /// What to say of its place; `they` says that it stops several.
    pub(in crate::rules) fn label(&self, they: bool) -> String {
        match self.stop.kind {
            StopKind::Deny(_) => "this denies it".to_owned(),
            StopKind::Condition(_) if they => "this does not hold for them".to_owned(),
            StopKind::Condition(_) => "this does not hold for it".to_owned(),
            StopKind::Resource(_) => "this takes in something else".to_owned(),
            StopKind::Missing(PolicyKind::Identity) => "nothing that this role carries allows it".to_owned(),
            StopKind::Missing(kind) => format!("this {} does not allow it", kind.title()),
            _ => self.stop.message.clone(),
        }
    }

    /// What to do about it; `action` is what is to be let through, and `takes` what that would take for one of `they`.
    pub(in crate::rules) fn help(&self, action: &str, they: bool, takes: &[String]) -> String {
        let it = if they { "them" } else { "it" };
        match self.stop.kind {
            StopKind::Deny(PolicyKind::Rcp) => format!(
                "leave {it} out of this Deny: one that keeps outsiders away has \"StringNotEqualsIfExists\": \
                 {{\"aws:PrincipalOrgID\": \"o-…\"}}, and spares the third parties and AWS services"
            ),
            StopKind::Deny(_) => format!("leave {it} out of this Deny"),
            StopKind::Condition(_) => match takes {
                // What a request of the call has is the same for all; what callers have is each one's own.
                [need] if !they || !need.contains("`aws:") => format!("it takes {need}"),
                _ => format!("write a condition that holds for {it}"),
            },
            StopKind::Missing(PolicyKind::Scp) => {
                format!("allow `{action}` in it: an account may do what the policies of each level above it allow")
            }
            StopKind::Missing(PolicyKind::Boundary) => format!("allow `{action}` in the boundary"),
            StopKind::PublicPolicy => "bind each statement for everyone to fixed values".to_owned(),
            StopKind::ObjectOwner => "set object ownership to `BucketOwnerEnforced`".to_owned(),
            _ => format!("allow `{action}`"),
        }
    }

    /// Ties a finding to the statement at fault, and to the kind of fault.
    pub(in crate::rules) fn tie(&self, draft: Draft) -> Draft {
        let id = self.statement(|statement| StatementId::from(statement));
        let draft = match id {
            Some(id) => draft.statement(id),
            None => draft.about("no statement"),
        };
        let (kind, of) = match self.stop.kind {
            StopKind::Deny(of) => ("deny", of.name()),
            StopKind::Resource(of) => ("resource", of.name()),
            StopKind::Condition(of) => ("condition", of.name()),
            StopKind::Version(of) => ("version", of.name()),
            StopKind::Missing(of) => ("missing", of.name()),
            StopKind::PublicPolicy => ("public-policy", ""),
            StopKind::ObjectOwner => ("object-owner", ""),
            StopKind::Key => ("key", ""),
            StopKind::Protocol => ("protocol", ""),
        };
        let draft = draft.about(kind).about(of);
        // A policy that several roles carry is one deviation.
        match (self.stop.kind, self.role) {
            (StopKind::Missing(PolicyKind::Identity), Some(role)) => draft.about(role.name.as_str()),
            _ => draft,
        }
    }
}
