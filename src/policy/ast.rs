//! A policy document as a tree with places.

use compact_str::CompactString;

use super::operator::Operator;
use super::pattern::{Case, matches};
use super::principal::Principal;
use super::problem::{Problem, ProblemKind};
use super::template::Template;
use crate::aws::ConditionKey;
use crate::syntax::json::Duplicate;
use crate::text::{Span, Spanned};

/// What a policy document is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// A role's trust policy.
    Trust,
    /// A permissions policy of a role, user or group, inline or managed.
    Identity,
    /// An S3 bucket policy.
    Bucket,
    /// A KMS key policy.
    Key,
    /// A permissions boundary.
    Boundary,
    /// A service control policy.
    Scp,
    /// A resource control policy.
    Rcp,
    /// A session policy.
    Session,
    /// A VPC endpoint policy.
    VpcEndpoint,
    /// A resource-based policy of a service that can not be told from its text.
    Resource,
}

impl PolicyKind {
    /// The name on the command line and in the config.
    pub fn name(self) -> &'static str {
        match self {
            PolicyKind::Trust => "trust-policy",
            PolicyKind::Identity => "identity-policy",
            PolicyKind::Bucket => "bucket-policy",
            PolicyKind::Key => "key-policy",
            PolicyKind::Boundary => "permissions-boundary",
            PolicyKind::Scp => "scp",
            PolicyKind::Rcp => "rcp",
            PolicyKind::Session => "session-policy",
            PolicyKind::VpcEndpoint => "vpc-endpoint-policy",
            PolicyKind::Resource => "resource-policy",
        }
    }

    /// Reads [`PolicyKind::name`], of the kinds that a user may name.
    pub fn from_name(name: &str) -> Option<Self> {
        PolicyKind::NAMED.into_iter().find(|kind| kind.name() == name)
    }

    /// The kinds that a user may name.
    pub const NAMED: [PolicyKind; 7] = [
        PolicyKind::Bucket,
        PolicyKind::Trust,
        PolicyKind::Identity,
        PolicyKind::Key,
        PolicyKind::Boundary,
        PolicyKind::Scp,
        PolicyKind::Rcp,
    ];

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            PolicyKind::Trust => "trust policy",
            PolicyKind::Identity => "identity policy",
            PolicyKind::Bucket => "bucket policy",
            PolicyKind::Key => "key policy",
            PolicyKind::Boundary => "permissions boundary",
            PolicyKind::Scp => "service control policy",
            PolicyKind::Rcp => "resource control policy",
            PolicyKind::Session => "session policy",
            PolicyKind::VpcEndpoint => "VPC endpoint policy",
            PolicyKind::Resource => "resource-based policy",
        }
    }

    /// Whether statements name principals.
    pub fn has_principals(self) -> bool {
        matches!(
            self,
            PolicyKind::Trust
                | PolicyKind::Bucket
                | PolicyKind::Key
                | PolicyKind::Rcp
                | PolicyKind::VpcEndpoint
                | PolicyKind::Resource
        )
    }
}

/// The version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// `2008-10-17`, also where none is given: `${…}` is plain text.
    V2008,
    /// `2012-10-17`: policy variables are substituted.
    V2012,
}

/// A policy document.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What it was read as.
    pub kind: PolicyKind,
    /// The document.
    pub span: Span,
    /// The version that applies.
    pub version: Version,
    /// The `Version` element as written.
    pub written_version: Option<Spanned<CompactString>>,
    /// Its statements, the invalid ones included, in order.
    pub statements: Vec<Statement>,
    /// Every mistake in it.
    pub problems: Vec<Problem>,
    /// Keys that stand twice in one object of it.
    pub duplicates: Vec<Duplicate>,
    /// Whether a `$` or an escape stands in its text: without one it holds no variable.
    pub may_hold_variables: bool,
    /// How many bytes it has as it stands (decoded, where it stands inside other text): no other count is more.
    pub bytes: u32,
}

impl Policy {
    /// A policy without statements: stands in where a document can not be read.
    pub fn empty(kind: PolicyKind, span: Span) -> Self {
        Policy {
            kind,
            span,
            version: Version::V2008,
            written_version: None,
            statements: Vec::new(),
            problems: Vec::new(),
            duplicates: Vec::new(),
            may_hold_variables: false,
            bytes: 0,
        }
    }

    /// The statements that AWS would evaluate.
    pub fn effective(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter().filter(|s| s.standing == Standing::Effective)
    }

    /// What keeps the whole document from being read: it is no object, or has no statements.
    pub fn unreadable(&self) -> Option<&Problem> {
        let has_nothing = |problem: &&Problem| match problem.kind {
            ProblemKind::Missing("Statement") => problem.span == self.span,
            ProblemKind::WrongType("policy" | "Statement", ..) => true,
            _ => false,
        };
        self.problems.iter().filter(|problem| problem.statement.is_none()).find(has_nothing)
    }

    /// Whether AWS would refuse one of its statements, so that nobody knows what it is to do.
    pub fn has_invalid_statement(&self) -> bool {
        self.statements.iter().any(|statement| statement.standing == Standing::Invalid)
    }

    /// The effective Allow statements.
    pub fn allows(&self) -> impl Iterator<Item = &Statement> {
        self.effective().filter(|s| s.effect == Effect::Allow)
    }

    /// The effective Deny statements.
    pub fn denies(&self) -> impl Iterator<Item = &Statement> {
        self.effective().filter(|s| s.effect == Effect::Deny)
    }
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// `Allow`
    Allow,
    /// `Deny`
    Deny,
}

/// Whether AWS would evaluate a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Yes.
    Effective,
    /// AWS keeps it but it does nothing: a key policy statement without `Action` or `Resource`, an empty list.
    Inert,
    /// AWS would refuse the document because of it: it grants and denies nothing.
    Invalid,
}

/// One statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its number, from 0; 0 also for a statement that stands without an array.
    pub index: u32,
    /// The object.
    pub span: Span,
    /// The `Sid`.
    pub sid: Option<Spanned<CompactString>>,
    /// What it does; [`Effect::Deny`] where the element is invalid (see [`Statement::standing`]).
    pub effect: Effect,
    /// The value of `Effect`, or the statement where there is none.
    pub effect_span: Span,
    /// `Principal` or `NotPrincipal`.
    pub principals: Option<Box<Principals>>,
    /// `Action` or `NotAction`.
    pub actions: Option<Entries>,
    /// `Resource` or `NotResource`.
    pub resources: Option<Entries>,
    /// Every comparison of the `Condition`; all must hold.
    pub conditions: Vec<Clause>,
    /// The value of `Condition`.
    pub condition_span: Option<Span>,
    /// Whether AWS would evaluate it.
    pub standing: Standing,
    /// Whether a key stands twice in it: which of the two counts is not known, so it decides nothing for certain.
    pub ambiguous: bool,
}

/// A list of patterns: `Action`, `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone)]
pub struct Entries {
    /// Whether it is the `Not…` form.
    pub negated: bool,
    /// The element's key.
    pub key_span: Span,
    /// The element's value.
    pub span: Span,
    /// The patterns.
    pub items: Box<[Spanned<Template>]>,
}

/// `Principal` or `NotPrincipal`.
#[derive(Debug, Clone)]
pub struct Principals {
    /// Whether it is `NotPrincipal`.
    pub negated: bool,
    /// The element's key.
    pub key_span: Span,
    /// The element's value.
    pub span: Span,
    /// Everyone it names.
    pub entries: Vec<PrincipalEntry>,
}

/// One name in a `Principal`.
#[derive(Debug, Clone)]
pub struct PrincipalEntry {
    /// Whom it names.
    pub principal: Principal,
    /// The text as written.
    pub text: CompactString,
    /// Where it stands.
    pub span: Span,
}

/// One comparison of a `Condition`: operator, key, values.
#[derive(Debug, Clone)]
pub struct Clause {
    /// The operator.
    pub operator: Operator,
    /// Where the operator's name stands.
    pub operator_span: Span,
    /// The key.
    pub key: ConditionKey,
    /// The key as written.
    pub written_key: CompactString,
    /// Where the key's name stands.
    pub key_span: Span,
    /// From the key's name to the end of its values.
    pub span: Span,
    /// The values; a single value is a list of one.
    pub values: Box<[ConditionValue]>,
}

/// One value of a comparison.
#[derive(Debug, Clone)]
pub struct ConditionValue {
    /// Its text; a number or boolean as JSON writes it.
    pub template: Template,
    /// Where it stands.
    pub span: Span,
    /// Whether it is a string in the document.
    pub quoted: bool,
}

impl Entries {
    /// Whether an `Action` or `NotAction` covers an action; case does not count, and variables stand for nothing there.
    pub fn covers_action(&self, action: &str) -> bool {
        self.items.iter().any(|item| matches(item.raw(), action, Case::Insensitive)) != self.negated
    }
}

impl Statement {
    /// Whether its `Action` or `NotAction` covers an action; one that has neither covers nothing.
    pub fn covers_action(&self, action: &str) -> bool {
        self.actions.as_ref().is_some_and(|actions| actions.covers_action(action))
    }

    /// The place of its Sid, or of the whole statement: what a message about the statement points at.
    pub fn sid_text(&self) -> Option<&str> {
        self.sid.as_ref().map(|sid| sid.value.as_str()).filter(|sid| !sid.is_empty())
    }

    /// The statement's meaning in a fixed order: no Sid, no order of keys or lists, names without case where AWS has none.
    pub fn normal_form(&self) -> String {
        let mut out = String::from(match self.effect {
            Effect::Allow => "allow",
            Effect::Deny => "deny",
        });
        let mut part = |name: &str, mut items: Vec<String>| {
            items.sort_unstable();
            items.dedup();
            out.push('|');
            out.push_str(name);
            out.push('=');
            out.push_str(&items.join("\u{1f}"));
        };
        if let Some(principals) = &self.principals {
            let name = if principals.negated { "not-principal" } else { "principal" };
            part(name, principals.entries.iter().map(|e| e.principal.normal_form()).collect());
        }
        if let Some(actions) = &self.actions {
            let name = if actions.negated { "not-action" } else { "action" };
            part(name, actions.items.iter().map(|a| a.raw().to_ascii_lowercase()).collect());
        }
        if let Some(resources) = &self.resources {
            let name = if resources.negated { "not-resource" } else { "resource" };
            part(name, resources.items.iter().map(|r| r.raw().to_owned()).collect());
        }
        let clauses = self.conditions.iter().map(|clause| {
            let mut values: Vec<&str> = clause.values.iter().map(|v| v.template.raw()).collect();
            values.sort_unstable();
            values.dedup();
            format!("{}\u{1e}{}\u{1e}{}", clause.operator, clause.key, values.join("\u{1d}"))
        });
        part("condition", clauses.collect());
        out
    }
}
