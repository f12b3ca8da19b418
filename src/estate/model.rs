//! The estate, its organization and its identities, each with its facts.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::builder::IdentityKind;
use super::document::{Broken, Document};
use super::known::Known;
use super::resources::{BlockPublicAccess, Bucket, Key, Trail};
use crate::aws::AccountId;
use crate::policy::PolicyKind;
use crate::syntax::json::Duplicate;
use crate::text::{SourceMap, Span, Spanned};

/// All that was read in one run.
#[derive(Debug, Default)]
pub struct Estate {
    /// The texts.
    pub sources: SourceMap,
    /// The organization.
    pub organization: Organization,
    /// Facts about accounts, by ID.
    pub accounts: BTreeMap<AccountId, Account>,
    /// IAM roles, in order of account, name, place.
    pub roles: Vec<Role>,
    /// IAM users.
    pub users: Vec<User>,
    /// IAM groups.
    pub groups: Vec<Group>,
    /// Managed policies whose text or description was read.
    pub managed_policies: Vec<ManagedPolicy>,
    /// S3 buckets.
    pub buckets: Vec<Bucket>,
    /// KMS keys.
    pub keys: Vec<Key>,
    /// CloudTrail trails, each once.
    pub trails: Vec<Trail>,
    /// Policy documents that join nothing else: of a kind that can not be told, or attached to what is not known.
    pub documents: Vec<Document>,
    /// Texts that are not JSON though they should be.
    pub broken: Vec<Broken>,
    /// Keys that stand twice outside of policy documents.
    pub duplicates: Vec<Duplicate>,
    /// What was concluded from names of files and folders, one sentence each.
    pub named: Vec<Spanned<String>>,
    /// Facts that were told twice in two ways, and answers that no subject could be found for.
    pub gaps: Vec<super::known::Gap>,
    pub(super) managed_by_arn: std::sync::OnceLock<std::collections::HashMap<CompactString, usize>>,
}

impl Estate {
    /// The managed policy with this ARN, where one was read; the policies must not change afterwards.
    pub fn managed_policy(&self, arn: &str) -> Option<&ManagedPolicy> {
        let index = self.managed_by_arn.get_or_init(|| {
            let arns = self.managed_policies.iter().enumerate();
            arns.filter_map(|(index, policy)| Some((policy.arn.clone()?, index))).collect()
        });
        index.get(arn).and_then(|index| self.managed_policies.get(*index))
    }

    /// Whether the roles of an account were listed, as an export lists them; single policies tell of single roles, and
    /// AWS Config of those it records.
    pub fn lists_roles_of(&self, account: AccountId) -> bool {
        let is_listed = |role: &&Role| role.is_listed && role.path.is_some() && !role.permissions.attached.is_unknown();
        self.roles.iter().filter(is_listed).any(|role| role.account == Some(account))
    }

    /// The documents that were given for one policy: it, or all those that contradict each other.
    pub fn given<'e>(&'e self, policy: &'e Known<Document>, kind: PolicyKind) -> Vec<&'e Document> {
        match policy {
            Known::Present(document, _) => vec![document],
            Known::Absent(_) => Vec::new(),
            Known::Unknown(gap) => {
                let is_given = |document: &&Document| {
                    document.kind == kind && gap.places.iter().any(|place| place.contains(document.span))
                };
                self.documents.iter().filter(is_given).collect()
            }
        }
    }

    /// Gives every policy document to `each`.
    pub fn each_document(&self, each: &mut dyn FnMut(&Document)) {
        let of = |permissions: &Permissions, each: &mut dyn FnMut(&Document)| {
            let inline = permissions.inline.present().into_iter().flatten();
            inline.filter_map(|policy| policy.document.present()).for_each(&mut *each);
            permissions.boundary_document.iter().for_each(each);
        };
        for role in &self.roles {
            role.trust.present().into_iter().for_each(&mut *each);
            of(&role.permissions, each);
        }
        self.users.iter().for_each(|user| of(&user.permissions, each));
        self.groups.iter().for_each(|group| of(&group.permissions, each));
        let managed = self.managed_policies.iter().map(|policy| &policy.document);
        let buckets = self.buckets.iter().map(|bucket| &bucket.policy);
        let keys = self.keys.iter().map(|key| &key.policy);
        let organization = self.organization.policies.iter().map(|policy| &policy.document);
        let known = managed.chain(buckets).chain(keys).chain(organization);
        known.filter_map(Known::present).chain(&self.documents).for_each(each);
    }
}

/// How the name of a resource became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// An input, the config or the command line says it.
    Input,
    /// The name of its file or folder.
    File,
    /// Nothing: the resource is called after its file.
    Nothing,
}

/// Facts about the organization.
#[derive(Debug)]
pub struct Organization {
    /// Its ID, `o-…`.
    pub id: Known<CompactString>,
    /// Its management account.
    pub management: Known<AccountId>,
    /// Its accounts.
    pub accounts: Known<Vec<Member>>,
    /// Its SCPs and RCPs.
    pub policies: Vec<OrganizationPolicy>,
    /// The parent (root or OU ID) of an account or OU.
    pub parents: BTreeMap<CompactString, Spanned<CompactString>>,
}

impl Default for Organization {
    fn default() -> Self {
        Organization {
            id: Known::not_collected("organization.id"),
            management: Known::not_collected("organization.management-account"),
            accounts: Known::not_collected("organization.accounts"),
            policies: Vec::new(),
            parents: BTreeMap::new(),
        }
    }
}

/// An account of the organization.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its ID.
    pub id: AccountId,
    /// Its name.
    pub name: Option<CompactString>,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of organization policies that decide access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrganizationPolicyKind {
    /// Service control policy.
    Scp,
    /// Resource control policy.
    Rcp,
}

/// A service or resource control policy.
#[derive(Debug, Clone)]
pub struct OrganizationPolicy {
    /// Its ID, `p-…`; empty where not known.
    pub id: CompactString,
    /// Its name, or its file's.
    pub name: CompactString,
    /// SCP or RCP.
    pub kind: OrganizationPolicyKind,
    /// Its text.
    pub document: Known<Document>,
    /// What it is attached to.
    pub targets: Known<Vec<Target>>,
    /// Where it is described.
    pub span: Span,
}

/// The root, OU or account a policy is attached to.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its ID.
    pub id: CompactString,
    /// Where this stands.
    pub span: Span,
}

/// Facts about one account.
#[derive(Debug)]
pub struct Account {
    /// Its name.
    pub name: Option<CompactString>,
    /// Block public access for all its buckets.
    pub block_public_access: Known<BlockPublicAccess>,
    /// Its S3 canonical ID.
    pub canonical_id: Option<Spanned<CompactString>>,
}

impl Default for Account {
    fn default() -> Self {
        Account {
            name: None,
            block_public_access: Known::not_collected("account.public-access-block"),
            canonical_id: None,
        }
    }
}

/// What an IAM identity may do by its own policies.
#[derive(Debug, Clone)]
pub struct Permissions {
    /// Its inline policies; loose policy files count as such.
    pub inline: Known<Vec<InlinePolicy>>,
    /// The ARNs of its managed policies.
    pub attached: Known<Vec<Spanned<CompactString>>>,
    /// The ARN of its permissions boundary.
    pub boundary: Known<CompactString>,
    /// The boundary's text, where it was given as a loose file.
    pub boundary_document: Option<Document>,
}

impl Permissions {
    /// Permissions of which nothing is known.
    pub fn unknown(kind: IdentityKind) -> Self {
        let facts = super::builder::facts(kind);
        Permissions {
            inline: Known::not_collected(facts.inline),
            attached: Known::not_collected(facts.attached),
            boundary: Known::not_collected(facts.boundary),
            boundary_document: None,
        }
    }
}

/// An inline policy.
#[derive(Debug, Clone)]
pub struct InlinePolicy {
    /// Its name, where it has one.
    pub name: Option<CompactString>,
    /// Its text.
    pub document: Known<Document>,
}

/// An IAM role.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its name without path; the file's name where [`Role::named_by`] is [`NamedBy::Nothing`].
    pub name: CompactString,
    /// Its path, `/` or `/a/b/`; `None` where not known, which is taken for `/`.
    pub path: Option<CompactString>,
    /// Its account.
    pub account: Option<AccountId>,
    /// The partition of its ARN, `aws` where not known.
    pub partition: CompactString,
    /// How its name became known.
    pub named_by: NamedBy,
    /// Where it is described: its object in an export, or its first document.
    pub span: Span,
    /// Whether IAM itself told the managed policies it has, which an export tells of all roles of an account at once.
    pub is_listed: bool,
    /// Who may assume it.
    pub trust: Known<Document>,
    /// What it may do.
    pub permissions: Permissions,
}

impl Role {
    /// Its ARN, where name and account are known.
    pub fn arn(&self) -> Option<String> {
        if self.named_by == NamedBy::Nothing {
            return None;
        }
        let path = self.path.as_deref().unwrap_or("/");
        Some(format!("arn:{}:iam::{}:role{path}{}", self.partition, self.account?, self.name))
    }

    /// The role as one document describes it that was given for its trust policy.
    pub fn with_trust(&self, document: &Document) -> Role {
        let span = document.span;
        Role { span, trust: Known::Present(document.clone(), span), ..self.clone() }
    }
}

/// An IAM user.
#[derive(Debug)]
pub struct User {
    /// Its name without path.
    pub name: CompactString,
    /// Its ARN.
    pub arn: Option<CompactString>,
    /// Its account.
    pub account: Option<AccountId>,
    /// Where it is described.
    pub span: Span,
    /// The names of its groups.
    pub groups: Known<Vec<CompactString>>,
    /// What it may do by policies of its own.
    pub permissions: Permissions,
}

/// An IAM group.
#[derive(Debug)]
pub struct Group {
    /// Its name.
    pub name: CompactString,
    /// Its ARN.
    pub arn: Option<CompactString>,
    /// Its account.
    pub account: Option<AccountId>,
    /// Where it is described.
    pub span: Span,
    /// What its members may do by it.
    pub permissions: Permissions,
}

/// A managed policy.
#[derive(Debug)]
pub struct ManagedPolicy {
    /// Its name, or its file's.
    pub name: CompactString,
    /// Its ARN.
    pub arn: Option<CompactString>,
    /// Where it is described.
    pub span: Span,
    /// The text of its default version.
    pub document: Known<Document>,
}
