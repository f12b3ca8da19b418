//! What checks read: the estate through views made once per subject, the model, and facts about the whole estate that
//! are found out when first asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use compact_str::CompactString;
use rayon::prelude::*;

use crate::access::bucket::arn_by_policy;
use crate::access::organization::Organization;
use crate::access::reach::{LogReach, log_reaches};
use crate::access::sts::Membership;
use crate::aws::{AccountId, Arn};
use crate::config::Config;
use crate::estate::{Bucket, Document, Estate, Gap, Key, Known, Permissions, Role, Trail};
use crate::finding::{Subject, SubjectKind};
use crate::model::Model;
use crate::policy::Policy;
use crate::rule::role::RoleView;
pub use crate::rule::tags::PrincipalTag;
use crate::text::Span;

/// All that a check may read.
#[derive(Debug)]
pub struct Context<'a> {
    /// The inventory.
    pub estate: &'a Estate,
    /// Who owns, who belongs, who may read.
    pub model: &'a Model,
    /// The declared config, where there is one.
    pub config: Option<&'a Config>,
    /// The share of a quota at which a finding starts.
    pub warn_at: f64,
    organization: Organization<'a>,
    principal_tags: OnceLock<BTreeMap<CompactString, PrincipalTag>>,
    sharing_roles: OnceLock<Vec<RoleView<'a>>>,
    log_bucket_arns: OnceLock<Vec<String>>,
    named_roles: OnceLock<BTreeSet<(AccountId, CompactString)>>,
    log_reaches: OnceLock<Vec<LogReach>>,
}

impl<'a> Context<'a> {
    /// A context over these facts.
    pub fn new(estate: &'a Estate, model: &'a Model, config: Option<&'a Config>) -> Self {
        let warn_at = config.map_or(0.8, |config| config.limits.warn_at);
        Context {
            estate,
            model,
            config,
            warn_at,
            organization: Organization::new(estate, model),
            principal_tags: OnceLock::new(),
            sharing_roles: OnceLock::new(),
            log_bucket_arns: OnceLock::new(),
            named_roles: OnceLock::new(),
            log_reaches: OnceLock::new(),
        }
    }

    /// The organization, and the policies it puts around requests.
    pub fn organization(&self) -> &Organization<'a> {
        &self.organization
    }

    /// What is known of the organization of an account, as a caller would carry it.
    pub fn membership(&self, account: AccountId) -> Membership {
        self.organization.membership(account)
    }

    /// The ARNs of the log buckets that are known by name, of any partition where no input tells which.
    pub fn log_bucket_arns(&self) -> &[String] {
        self.log_bucket_arns.get_or_init(|| {
            let named =
                |name: &str| self.estate.buckets.iter().find(|bucket| bucket.name == name && bucket.arn().is_some());
            let arn = |name: &str| named(name).and_then(Bucket::arn).unwrap_or_else(|| format!("arn:*:s3:::{name}"));
            self.model.log_buckets().iter().filter(|bucket| bucket.is_named).map(|bucket| arn(&bucket.name)).collect()
        })
    }

    /// What readers can do with whose logs in each log bucket, in the order of the model.
    ///
    /// A rule that asks in a check of one subject asks in a check of the whole estate first: that is run before all others,
    /// and by itself, so that nobody waits for what it is working on.
    pub fn log_reaches(&self) -> &[LogReach] {
        self.log_reaches.get_or_init(|| log_reaches(self.estate, self.model, &self.organization))
    }

    /// An account that is none of those named anywhere in the model.
    pub fn stranger(&self) -> AccountId {
        AccountId::other_than(self.model.known_accounts())
    }

    /// The tags by which some policy of the estate decides through `aws:PrincipalTag`, by key in lower case.
    pub fn principal_tags(&self) -> &BTreeMap<CompactString, PrincipalTag> {
        self.principal_tags.get_or_init(|| super::tags::principal_tags(self.estate))
    }

    /// The roles that other accounts can assume and that can read logs, or may.
    pub fn sharing_roles(&self) -> &[RoleView<'a>] {
        self.sharing_roles.get_or_init(|| {
            let view = |role| RoleView::shared(self.estate, role).filter(|view| view.is_sharing(self));
            self.estate.roles.par_iter().filter_map(view).collect()
        })
    }

    /// The view of a sharing role, where [`Context::sharing_roles`] has made it.
    pub fn sharing_role(&self, role: &Role) -> Option<&RoleView<'a>> {
        // The views stand in the order of the estate, so also in the order of their roles' addresses.
        let views = self.sharing_roles.get()?;
        let at = views.binary_search_by_key(&std::ptr::from_ref(role), |view| std::ptr::from_ref(view.role));
        views.get(at.ok()?)
    }

    /// Whether an Allow statement in the policy of a log bucket or log key names a role, among its principals or by a full
    /// ARN in `aws:PrincipalArn`.
    pub fn log_policies_name(&self, role: &Role) -> bool {
        let named = self.named_roles.get_or_init(|| {
            let buckets = self.estate.buckets.iter().filter(|bucket| self.model.is_log_bucket(bucket).is_log_bucket());
            let keys = self.estate.keys.iter().filter(|key| self.model.is_log_key(key).is_log_key());
            let policies = buckets.map(|bucket| &bucket.policy).chain(keys.map(|key| &key.policy));
            let policies = policies.filter_map(Known::present).map(|document| self.policy(document));
            policies.flat_map(|policy| policy.allows().flat_map(super::role::named_roles).collect::<Vec<_>>()).collect()
        });
        role.account.is_some_and(|account| named.contains(&(account, role.name.clone())))
    }

    /// The RCPs known to bind the resources of an account; one level with all of them, as only their denials count.
    pub fn rcp(&self, account: Option<AccountId>) -> Vec<Arc<Policy>> {
        self.organization.rcp(account)
    }

    /// RCPs in words, where no policy of the organization was collected and some may bind the resources of an account: they
    /// could only deny. The management account has none.
    pub fn uncollected_rcp(&self, account: Option<AccountId>) -> Option<String> {
        let is_management = account.is_some() && self.model.management() == account;
        let is_open = self.estate.organization.policies.is_empty() && !is_management;
        let of = account.map_or_else(String::new, |account| format!(" of {account}"));
        is_open.then(|| format!("resource control policies{of}"))
    }

    /// The SCPs known to bind the principals of an account, level by level from the root down.
    pub fn scp(&self, account: AccountId) -> Vec<Vec<Arc<Policy>>> {
        self.organization.scp(account)
    }

    /// The policy of a document.
    pub fn policy(&self, document: &Document) -> Arc<Policy> {
        document.policy(&self.estate.sources)
    }

    /// The name of the file a place is in.
    pub fn file(&self, span: Span) -> &'a str {
        self.estate.sources.name(span.source)
    }

    /// A subject that is called after its file.
    pub fn subject_of_file(&self, kind: SubjectKind, span: Span, account: Option<AccountId>) -> Subject {
        let file = self.file(span).to_owned();
        Subject { kind, arn: None, account, name: file.clone(), file: Some(file) }
    }
}

/// A bucket under audit.
#[derive(Debug)]
pub struct BucketView<'a> {
    /// The bucket.
    pub bucket: &'a Bucket,
    /// What findings call it.
    pub subject: Subject,
    /// Its policy, absent where it has none.
    pub policy: Result<Option<Arc<Policy>>, Gap>,
}

impl<'a> BucketView<'a> {
    /// Reads the bucket's policy.
    pub fn new(estate: &'a Estate, bucket: &'a Bucket) -> Self {
        let policy = bucket.policy.get().map(|document| document.map(|d| d.policy(&estate.sources)));
        BucketView { bucket, subject: bucket_subject(estate, bucket), policy }
    }

    /// The policy, absent where the bucket has none.
    ///
    /// # Errors
    /// The gap, where it is not known.
    pub fn policy(&self) -> Result<Option<&Policy>, Gap> {
        self.policy.as_ref().map(|policy| policy.as_deref()).map_err(Clone::clone)
    }

    /// The ARN of the bucket, or of a bucket that stands for it where its name is not known: the one its policy names.
    pub fn arn(&self) -> String {
        let policy = || self.policy.as_ref().ok().and_then(|policy| policy.as_deref());
        self.bucket.arn().unwrap_or_else(|| arn_by_policy(policy()))
    }
}

/// What findings call a bucket.
pub fn bucket_subject(estate: &Estate, bucket: &Bucket) -> Subject {
    let arn = bucket.arn();
    let file = arn.is_none().then(|| estate.sources.name(bucket.span.source).to_owned());
    let account = bucket.account.present().copied();
    Subject { kind: SubjectKind::Bucket, arn, account, name: bucket.name.to_string(), file }
}

/// A key under audit.
#[derive(Debug)]
pub struct KeyView<'a> {
    /// The key.
    pub key: &'a Key,
    /// What findings call it.
    pub subject: Subject,
    /// Its policy.
    pub policy: Result<Option<Arc<Policy>>, Gap>,
}

impl<'a> KeyView<'a> {
    /// Reads the key's policy.
    pub fn new(estate: &'a Estate, key: &'a Key) -> Self {
        let policy = key.policy.get().map(|document| document.map(|d| d.policy(&estate.sources)));
        KeyView { key, subject: key_subject(estate, key), policy }
    }

    /// The policy, absent where the answer says so.
    ///
    /// # Errors
    /// The gap, where it is not known.
    pub fn policy(&self) -> Result<Option<&Policy>, Gap> {
        self.policy.as_ref().map(|policy| policy.as_deref()).map_err(Clone::clone)
    }

    /// The ARN of the key, or one that stands for it where it is not known: the one its policy names.
    pub fn arn(&self) -> String {
        if let Some(arn) = self.key.arn.as_deref().or(self.named_by_policy()) {
            return arn.to_owned();
        }
        let id = self.key.id.as_deref().unwrap_or("00000000-0000-0000-0000-000000000000");
        let account = self.key.account.map_or_else(String::new, |account| account.to_string());
        format!("arn:aws:kms:us-east-1:{account}:key/{id}")
    }
}

impl KeyView<'_> {
    /// The first key ARN in its policy.
    fn named_by_policy(&self) -> Option<&str> {
        let policy = self.policy.as_ref().ok()?.as_deref()?;
        let resources = policy.effective().filter_map(|statement| statement.resources.as_ref()).flat_map(|r| &r.items);
        let is_key = |text: &&str| {
            let key = Arn::parse(text).filter(|arn| arn.service == "kms").and_then(|arn| arn.resource_of("key"));
            key.is_some() && !text.contains(['*', '?', '$'])
        };
        resources.map(|item| item.raw()).find(is_key)
    }
}

/// What findings call a key.
pub fn key_subject(estate: &Estate, key: &Key) -> Subject {
    let arn = key.arn.as_ref().map(|arn| arn.to_string());
    let file = arn.is_none().then(|| estate.sources.name(key.span.source).to_owned());
    let name = key.id.as_ref().unwrap_or(&key.name).to_string();
    Subject { kind: SubjectKind::Key, arn, account: key.account, name, file }
}

/// What findings call a trail.
pub fn trail_subject(estate: &Estate, trail: &Trail) -> Subject {
    let arn = trail.arn.as_ref().map(|arn| arn.to_string());
    let file = arn.is_none().then(|| estate.sources.name(trail.span.source).to_owned());
    Subject { kind: SubjectKind::Trail, arn, account: trail.account, name: trail.name.to_string(), file }
}

/// The inline policies of a role, user or group, taken together.
#[derive(Debug)]
pub struct IdentityView<'a> {
    /// Whose they are.
    pub subject: &'a Subject,
    /// Those whose text is known; loose policy files count.
    pub inline: Vec<InlineView<'a>>,
    /// Those whose text is not, and the list of them where it was refused.
    pub missing: Vec<Gap>,
}

/// One inline policy.
#[derive(Debug)]
pub struct InlineView<'a> {
    /// Its name, where it has one.
    pub name: Option<&'a str>,
    /// Its document.
    pub document: &'a Document,
    /// Its policy.
    pub policy: Arc<Policy>,
}

impl<'a> IdentityView<'a> {
    /// Reads the inline policies with `read`.
    pub fn new(subject: &'a Subject, permissions: &'a Permissions, read: impl Fn(&Document) -> Arc<Policy>) -> Self {
        let mut view = IdentityView { subject, inline: Vec::new(), missing: Vec::new() };
        // What no input speaks of is not among the documents under audit; a refusal or a contradiction is.
        view.missing.extend(permissions.inline.gap().filter(|gap| !gap.places.is_empty()).cloned());
        for one in permissions.inline.present().into_iter().flatten() {
            match &one.document {
                Known::Present(document, _) => {
                    view.inline.push(InlineView { name: one.name.as_deref(), document, policy: read(document) });
                }
                Known::Absent(_) => {}
                Known::Unknown(gap) => view.missing.push(gap.clone()),
            }
        }
        view
    }
}

/// A policy document under audit, whatever it is attached to.
#[derive(Debug)]
pub struct DocumentView<'a> {
    /// The document.
    pub document: &'a Document,
    /// What it is attached to.
    pub subject: &'a Subject,
    /// Its policy.
    pub policy: &'a Policy,
    /// The name of an inline policy.
    pub name: Option<&'a str>,
}
