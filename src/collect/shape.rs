//! Which of the shapes that are read a JSON value is.

use super::answer;
use super::iam::By;
use super::label::{BOUNDARY, BUCKET_POLICY, KEY_POLICY, Label, RCP, SCP, TRUST, label};
use super::names::{self, Layout};
use super::operation::Operation;
use super::piece::Piece;
use super::reader::{Reader, begins_with, is_policy, object};
use crate::estate::{Part, unwrap};
use crate::policy::{PolicyKind, kind_of};
use crate::syntax::json::{Json, Kind};
use crate::text::Spanned;

impl Reader<'_> {
    /// Reads a whole JSON value; whether it is anything of ours. A template is noted, not read.
    pub(super) fn value(&mut self, json: Json<'_>) -> bool {
        let found = match json.kind() {
            Kind::Object => self.object(json),
            Kind::Array => self.array(json),
            Kind::String => self.string(json),
            _ => false,
        };
        let found = found || (self.is_of(Operation::GetBucketLocation) && self.region_of_bucket(json, json));
        if !found && json.kind() == Kind::Object {
            self.told.template = template(json);
        }
        found
    }

    fn object(&mut self, json: Json<'_>) -> bool {
        if answer::marker(self, json) {
            return true;
        }
        if is_policy(json) {
            let kind = self.kind_of_policy(json);
            // An object is read without fail: its mistakes are the policy's.
            let _ = self.policy(json, kind, true);
            return true;
        }
        self.configuration_items(json)
            || self.iam(json)
            || self.s3(json)
            || self.kms(json)
            || self.cloudtrail(json)
            || self.organizations(json)
            || self.policy_of_resource(json)
            || self.role(json, By::Bare)
            || self.user(json, By::Bare)
            || self.group(json, By::Bare)
            || self.managed_policy_item(json)
    }

    fn managed_policy_item(&mut self, json: Json<'_>) -> bool {
        json.member("DefaultVersionId").is_some() && self.managed_policy(json)
    }

    fn array(&mut self, list: Json<'_>) -> bool {
        if list.elements().next().is_none() {
            return self.empty_list(list);
        }
        if begins_with(list, &["PolicyName", "PolicyArn"]) {
            self.attached_list(list);
        } else if begins_with(list, &["GrantId"]) {
            self.grant_list(list);
        } else if begins_with(list, &["Grantee", "Permission"]) {
            self.grants_of_acl(list.span(), None, list);
        } else if begins_with(list, &["AliasName"]) {
            self.alias_list(list);
        } else if begins_with(list, &["Id", "Arn", "JoinedMethod"]) {
            self.account_list(list);
        } else if begins_with(list, &["TargetId"]) {
            self.target_list(list);
        } else if begins_with(list, &["ReadWriteType"]) {
            self.selector_lists(list, Some(list), None);
        } else if begins_with(list, &["FieldSelectors"]) {
            self.selector_lists(list, None, Some(list));
        } else if self.is_of(Operation::ListBuckets) && begins_with(list, &["Name"]) {
            self.bucket_list(list, None);
        } else if self.is_of(Operation::ListParents) && begins_with(list, &["Id", "Type"]) {
            self.parent_list(list);
        } else if self.is_trail_list(list) {
            return self.each(list, |reader, trail| reader.trail(trail));
        } else if self.is_list_of_names() && list.elements().all(|name| name.kind() == Kind::String) {
            let names = list.elements().filter_map(|name| Some(Spanned::new(name.as_str()?.into(), name.span())));
            let part = Part::InlineNames(names.collect(), list.span());
            self.part(self.kind_of_command(), None, part, list.span());
        } else {
            // Pages, or items of a list of several kinds.
            return self.each(list, Reader::element);
        }
        true
    }

    /// Reads every element; whether any is of ours.
    fn each(&mut self, list: Json<'_>, read: impl Fn(&mut Self, Json<'_>) -> bool) -> bool {
        let mut found = false;
        for item in list.elements() {
            found |= read(self, item);
        }
        found
    }

    fn element(&mut self, json: Json<'_>) -> bool {
        match json.kind() {
            Kind::Object => self.object(json),
            Kind::Array => self.each(json, |reader, item| item.kind() == Kind::Object && reader.object(item)),
            _ => false,
        }
    }

    fn empty_list(&mut self, list: Json<'_>) -> bool {
        match self.names.operation {
            Some(Operation::ListGrants) => self.grant_list(list),
            Some(Operation::ListAliases) => self.alias_list(list),
            _ if self.is_list_of_names() => {
                let part = Part::InlineNames(Vec::new(), list.span());
                self.part(self.kind_of_command(), None, part, list.span());
            }
            Some(
                Operation::ListAttachedRolePolicies
                | Operation::ListAttachedUserPolicies
                | Operation::ListAttachedGroupPolicies,
            ) => self.attached_list(list),
            Some(_) => self.told.recognised = true,
            None => return false,
        }
        true
    }

    fn is_list_of_names(&self) -> bool {
        matches!(
            self.names.operation,
            Some(Operation::ListRolePolicies | Operation::ListUserPolicies | Operation::ListGroupPolicies)
        )
    }

    /// A policy as a JSON string: what `--query Policy` prints.
    fn string(&mut self, json: Json<'_>) -> bool {
        let is_ours = unwrap(json, 0, &mut |inner| (inner.kind() == Kind::Object && is_policy(inner)).then_some(()));
        if !matches!(is_ours, Ok(Some(()))) {
            return false;
        }
        let kind = unwrap(json, 0, &mut |inner| self.kind_of_policy(inner)).unwrap_or(PolicyKind::Resource);
        self.policy(json, kind, true).is_ok()
    }

    /// The kind of policy that a name promises of a JSON value that is no more than a number, a boolean or a text.
    pub(super) fn promised_kind(&self, json: Json<'_>) -> Option<PolicyKind> {
        let is_scalar = !matches!(json.kind(), Kind::Object | Kind::Array | Kind::Null);
        let stem = self.names.stem.as_str();
        let labels: [(&[&str], PolicyKind); 6] = [
            (&TRUST, PolicyKind::Trust),
            (&BOUNDARY, PolicyKind::Boundary),
            (&SCP, PolicyKind::Scp),
            (&RCP, PolicyKind::Rcp),
            (&BUCKET_POLICY, PolicyKind::Bucket),
            (&KEY_POLICY, PolicyKind::Key),
        ];
        let by_label = || labels.iter().find(|(labels, _)| label(stem, labels) != Label::None).map(|(_, kind)| *kind);
        let by_command = match self.names.operation {
            Some(Operation::GetBucketPolicy) => Some(PolicyKind::Bucket),
            Some(Operation::GetKeyPolicy) => Some(PolicyKind::Key),
            _ => None,
        };
        by_command.or_else(by_label).filter(|_| is_scalar)
    }

    /// Reads any JSON as the policy that the user says it is.
    pub(super) fn as_said(&mut self, json: Json<'_>, kind: PolicyKind) {
        if let Err(gap) = self.policy(json, kind, true) {
            self.push(Piece::Gap(gap));
        }
    }

    /// The kind of a policy: as the user says, else by its content, with a name to tell apart what looks alike.
    fn kind_of_policy(&self, json: Json<'_>) -> PolicyKind {
        if let Some(kind) = self.kind {
            return kind;
        }
        let content = kind_of(json).unwrap_or(PolicyKind::Resource);
        let stem = self.names.stem.as_str();
        let layout = &self.names.folder.layout;
        let has = |labels: &[&str]| label(stem, labels) != Label::None;
        let is = |labels: &[&str]| label(stem, labels) == Label::Alone;
        let operation = self.names.operation;
        match content {
            PolicyKind::Identity if *layout == Layout::Scps || has(&SCP) => PolicyKind::Scp,
            PolicyKind::Identity if *layout == Layout::Boundaries || has(&BOUNDARY) => PolicyKind::Boundary,
            PolicyKind::Identity if has(&TRUST) => PolicyKind::Trust,
            PolicyKind::Trust | PolicyKind::Bucket | PolicyKind::Key | PolicyKind::Resource
                if *layout == Layout::Rcps || has(&RCP) =>
            {
                PolicyKind::Rcp
            }
            PolicyKind::Identity | PolicyKind::Resource
                if is(&BUCKET_POLICY) || operation == Some(Operation::GetBucketPolicy) =>
            {
                PolicyKind::Bucket
            }
            PolicyKind::Identity | PolicyKind::Resource
                if is(&KEY_POLICY) || operation == Some(Operation::GetKeyPolicy) =>
            {
                PolicyKind::Key
            }
            content => content,
        }
    }
}

/// The kind of template a JSON object is; templates are not read yet.
fn template(json: Json<'_>) -> Option<&'static str> {
    let has = |key| json.member(key).is_some();
    let is_resource = |resource: Json<'_>| {
        resource
            .member("Type")
            .and_then(Json::as_str)
            .is_some_and(|kind| ["AWS::", "Custom::", "Alexa::"].iter().any(|prefix| kind.starts_with(prefix)))
    };
    if has("AWSTemplateFormatVersion")
        || object(json, "Resources").is_some_and(|all| all.members().any(|(_, resource)| is_resource(resource)))
    {
        return Some("CloudFormation template");
    }
    if has("terraform_version") && ["planned_values", "values", "resource_changes"].iter().any(|key| has(key)) {
        return Some("Terraform plan or state");
    }
    if has("terraform_version") && has("lineage") {
        return Some("Terraform state file");
    }
    None
}

/// Whether a text that is not JSON holds a key by which a document of ours is known, also inside a string.
pub(super) fn holds_known_key(text: &str) -> bool {
    const KEYS: [&str; 24] = [
        "Statement",
        "RoleDetailList",
        "UserDetailList",
        "GroupDetailList",
        "PolicyVersionList",
        "AssumeRolePolicyDocument",
        "PolicyDocument",
        "PolicyVersion",
        "AttachedPolicies",
        "PolicyNames",
        "PublicAccessBlockConfiguration",
        "OwnershipControls",
        "ServerSideEncryptionConfiguration",
        "LocationConstraint",
        "PolicyStatus",
        "KeyMetadata",
        "KeyRotationEnabled",
        "trailList",
        "S3BucketName",
        "PolicySummary",
        "configurationItems",
        "baseConfigurationItems",
        "BaseConfigurationItems",
        "configurationItemStatus",
    ];
    let bytes = text.as_bytes();
    KEYS.iter().any(|key| {
        memchr::memmem::find_iter(bytes, key.as_bytes()).any(|at| {
            let before = bytes.get(..at).unwrap_or_default();
            let after = bytes.get(at + key.len()..).unwrap_or_default();
            (before.ends_with(b"\"") && (after.starts_with(b"\"") || after.starts_with(b"\\\"")))
                || (before.ends_with(b"%22") && after.starts_with(b"%22"))
        })
    })
}

/// Whether a name says that the file is the answer of a command that prints nothing where nothing is configured.
pub(super) fn answers_nothing(names: &names::Names) -> bool {
    matches!(names.operation, Some(Operation::GetBucketVersioning | Operation::GetBucketLogging))
}
