//! Answers of IAM and STS.
//!
//! Source: IAM API Reference, `GetAccountAuthorizationDetails` and the calls for one role, user, group or policy.

use compact_str::CompactString;

use super::operation::Operation;
use super::piece::Piece;
use super::reader::{GOES_ON, Reader, array, flag, goes_on, object, spanned, text};
use crate::aws::{AccountId, Arn};
use crate::estate::{
    Document, Gap, Group, IdentityKind, InlinePolicy, Known, ManagedPolicy, NamedBy, Part, Role, User,
};
use crate::policy::PolicyKind;
use crate::syntax::json::{Json, Kind};
use crate::text::{Span, Spanned};

/// Which call tells of a role, user or group: not all tell everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// `get-account-authorization-details`: all policies and the boundary.
    Details,
    /// `get-role`, `get-user`: the boundary, no policies.
    Get,
    /// `list-roles`, `list-users`, `list-groups`: neither.
    List,
    /// An object without the answer around it: what it tells, its keys tell.
    Bare,
    /// A configuration item of AWS Config, which holds `null` for what is not there and leaves out what it does not
    /// record.
    Item,
}

impl By {
    fn is_list(self) -> bool {
        matches!(self, By::Details | By::List)
    }
}

/// The lists of IAM whose items are read one at a time, by their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    RoleDetails,
    UserDetails,
    GroupDetails,
    Roles,
    Users,
    Groups,
    Policies,
}

impl List {
    /// The list of that key.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        Some(match key {
            "RoleDetailList" => List::RoleDetails,
            "UserDetailList" => List::UserDetails,
            "GroupDetailList" => List::GroupDetails,
            "Roles" => List::Roles,
            "Users" => List::Users,
            "Groups" => List::Groups,
            "Policies" => List::Policies,
            _ => return None,
        })
    }

    /// The fact that a list is, as far as one answer can be told from another by it.
    pub(super) fn fact(self) -> &'static str {
        match self {
            List::RoleDetails | List::UserDetails | List::GroupDetails => "account.authorization-details",
            List::Roles => "account.roles",
            List::Users => "account.users",
            List::Groups => "account.groups",
            List::Policies => "account.managed-policies",
        }
    }
}

impl Reader<'_> {
    /// Reads an item of a list; whether it is one.
    pub(super) fn iam_item(&mut self, list: List, json: Json<'_>) -> bool {
        match list {
            List::RoleDetails => self.role(json, By::Details),
            List::UserDetails => self.user(json, By::Details),
            List::GroupDetails => self.group(json, By::Details),
            List::Roles => self.role(json, By::List),
            List::Users => self.user(json, By::List),
            List::Groups => self.group(json, By::List),
            List::Policies => self.managed_policy(json) || self.organization_policy(json, None),
        }
    }

    /// Reads a role's object; whether it is one.
    pub(super) fn role(&mut self, json: Json<'_>, by: By) -> bool {
        let Some((name, arn)) = named(json, "RoleName", "role") else { return false };
        if !is_described(json, arn.is_some(), by, &["AssumeRolePolicyDocument", "RoleId", "RolePolicyList"]) {
            return false;
        }
        let account = arn.as_deref().and_then(account_of);
        let mut role = Role::new(name, account, NamedBy::Input, json.span());
        if let Some(arn) = arn.as_deref().and_then(Arn::parse) {
            role.partition = arn.partition.into();
            role.path = path_of(arn, "role");
        }
        self.role_facts(&mut role, json, by);
        self.push(Piece::Role(Box::new(role), by.is_list()));
        true
    }

    /// Reads what a role's object tells of it but for its name.
    pub(super) fn role_facts(&mut self, role: &mut Role, json: Json<'_>, by: By) {
        role.path = text(json, "Path").or(role.path.take());
        let trust = json.member("AssumeRolePolicyDocument");
        role.trust = self.document(trust, PolicyKind::Trust, "role.trust-policy");
        let permissions = &mut role.permissions;
        permissions.inline = self.inline(json, "RolePolicyList", "role.inline-policies");
        permissions.attached = attached(json, "AttachedManagedPolicies", "role.attached-policies");
        role.is_listed = by != By::Item && !permissions.attached.is_unknown();
        let told = ["AttachedManagedPolicies", "RoleLastUsed", "Tags"].iter().any(|key| json.member(key).is_some());
        permissions.boundary = boundary(json, by, told, "role.permissions-boundary");
    }

    /// Reads a user's object; whether it is one.
    pub(super) fn user(&mut self, json: Json<'_>, by: By) -> bool {
        let Some((name, arn)) = named(json, "UserName", "user") else { return false };
        if !is_described(json, arn.is_some(), by, &["UserId", "GroupList"]) {
            return false;
        }
        let account = arn.as_deref().and_then(account_of);
        let mut user = User::new(name, account, json.span());
        user.arn = arn;
        self.user_facts(&mut user, json, by);
        self.push(Piece::User(Box::new(user), by.is_list()));
        true
    }

    /// Reads what a user's object tells of it but for its name.
    pub(super) fn user_facts(&mut self, user: &mut User, json: Json<'_>, by: By) {
        let details = json.member("AttachedManagedPolicies").is_some();
        let has_none = if by == By::Item { json.member("UserPolicyList").is_some_and(Json::is_null) } else { details };
        // A user without inline policies has no list of them, not an empty one.
        user.permissions.inline = match array(json, "UserPolicyList") {
            None if has_none => Known::Present(Vec::new(), json.span()),
            _ => self.inline(json, "UserPolicyList", "user.inline-policies"),
        };
        user.permissions.attached = attached(json, "AttachedManagedPolicies", "user.attached-policies");
        let told = details || json.member("Tags").is_some();
        user.permissions.boundary = boundary(json, by, told, "user.permissions-boundary");
        if let Some(groups) = array(json, "GroupList")
            && let Some(names) = groups.elements().map(|name| Some(name.as_str()?.into())).collect()
        {
            user.groups = Known::Present(names, groups.span());
        }
    }

    /// Reads a group's object; whether it is one.
    pub(super) fn group(&mut self, json: Json<'_>, by: By) -> bool {
        let Some((name, arn)) = named(json, "GroupName", "group") else { return false };
        if !is_described(json, arn.is_some(), by, &["GroupId", "GroupPolicyList"]) {
            return false;
        }
        let account = arn.as_deref().and_then(account_of);
        let mut group = Group::new(name, account, json.span());
        group.arn = arn;
        self.group_facts(&mut group, json);
        self.push(Piece::Group(Box::new(group), by.is_list()));
        true
    }

    /// Reads what a group's object tells of it but for its name.
    pub(super) fn group_facts(&mut self, group: &mut Group, json: Json<'_>) {
        group.permissions.inline = self.inline(json, "GroupPolicyList", "group.inline-policies");
        group.permissions.attached = attached(json, "AttachedManagedPolicies", "group.attached-policies");
    }

    fn inline(&mut self, json: Json<'_>, key: &str, fact: &'static str) -> Known<Vec<InlinePolicy>> {
        let Some(list) = array(json, key) else { return Known::not_collected(fact) };
        let policies = list.elements().map(|item| InlinePolicy {
            name: text(item, "PolicyName"),
            document: self.document(item.member("PolicyDocument"), PolicyKind::Identity, "policy.document"),
        });
        Known::Present(policies.collect(), list.span())
    }

    /// Reads a managed policy with its versions; whether it is one.
    pub(super) fn managed_policy(&mut self, json: Json<'_>) -> bool {
        let Some(arn) = text(json, "Arn").filter(|arn| policy_name(arn).is_some()) else { return false };
        let name = text(json, "PolicyName").or_else(|| policy_name(&arn).map(CompactString::from)).unwrap_or_default();
        let document = self.default_version(json);
        let policy = ManagedPolicy { name, arn: Some(arn), span: json.span(), document };
        self.push(Piece::ManagedPolicy(Box::new(policy)));
        true
    }

    /// The text of the default version of a managed policy's object.
    pub(super) fn default_version(&mut self, json: Json<'_>) -> Known<Document> {
        let fact = "managed-policy.document";
        let mut document = Known::not_collected(fact);
        let default = text(json, "DefaultVersionId");
        for version in array(json, "PolicyVersionList").into_iter().flat_map(Json::elements) {
            let is_default = flag(version, "IsDefaultVersion")
                .unwrap_or_else(|| default.is_some() && text(version, "VersionId") == default);
            if is_default {
                document = self.document(version.member("Document"), PolicyKind::Identity, fact);
            }
        }
        document.map(Document::kept_once_read)
    }

    /// Reads the other answers of IAM and STS; whether it is one.
    pub(super) fn iam(&mut self, json: Json<'_>) -> bool {
        let mut found = false;
        let first = self.told.pieces.len();
        let mut page: Option<(List, Span)> = None;
        for (key, list) in json.members().filter(|(_, value)| value.kind() == Kind::Array) {
            let key = key.as_str().unwrap_or_default();
            let Some(kind) = List::of_key(&key) else { continue };
            if list.elements().next().is_none() {
                let is_ours = key.ends_with("DetailList") || self.names.operation.is_some();
                self.told.recognised |= is_ours;
                found |= is_ours;
            }
            if kind == List::Groups && self.is_of(Operation::ListGroupsForUser) {
                found |= self.groups_of_user(list, goes_on(json));
                continue;
            }
            for item in list.elements() {
                found |= self.iam_item(kind, item);
            }
            if page.is_none_or(|(known, _)| known == List::Policies) {
                page = Some((kind, list.span()));
            }
        }
        if let Some((list, span)) = page.filter(|_| found && object(json, "Group").is_none()) {
            self.page(list.fact(), self.account_since(first), goes_on(json), span);
        }
        // `get-group` lists the members beside the group.
        if let Some(group) = object(json, "Group") {
            found |= self.group(group, By::Get);
        }
        found
            || object(json, "Role").is_some_and(|role| self.role(role, By::Get))
            || object(json, "User").is_some_and(|user| self.user(user, By::Get))
            || object(json, "Policy").is_some_and(|policy| self.managed_policy(policy))
            || self.inline_policy(json)
            || self.policy_version(json)
            || self.names_of_policies(json)
            || self.attached_policies(json)
            || self.caller(json)
    }

    fn groups_of_user(&mut self, list: Json<'_>, goes_on: bool) -> bool {
        let names = list.elements().filter_map(|group| text(group, "GroupName")).collect();
        let names = match goes_on {
            true => Known::Unknown(Gap::new("user.groups", GOES_ON).at([list.span()])),
            false => Known::Present(names, list.span()),
        };
        self.part(Some(IdentityKind::User), None, Part::Groups(names), list.span());
        true
    }

    /// `get-role-policy` and its like, also an item of a list of inline policies.
    fn inline_policy(&mut self, json: Json<'_>) -> bool {
        let (Some(name), Some(document)) = (text(json, "PolicyName"), json.member("PolicyDocument")) else {
            return false;
        };
        let kinds =
            [("RoleName", IdentityKind::Role), ("UserName", IdentityKind::User), ("GroupName", IdentityKind::Group)];
        let of = kinds.iter().find_map(|(key, kind)| Some((*kind, text(json, key)?)));
        let document = self.document(Some(document), PolicyKind::Identity, "policy.document");
        let policy = InlinePolicy { name: Some(name), document };
        let (kind, subject) = of.map_or((self.kind_of_command(), None), |(kind, name)| (Some(kind), Some(name)));
        self.part(kind, subject, Part::Inline(policy, json.span()), json.span());
        true
    }

    fn policy_version(&mut self, json: Json<'_>) -> bool {
        let version = object(json, "PolicyVersion").unwrap_or(json);
        let (Some(document), Some(_)) = (version.member("Document"), version.member("VersionId")) else {
            return false;
        };
        self.told.recognised = true;
        if flag(version, "IsDefaultVersion") != Some(false) {
            let document = self.document(Some(document), PolicyKind::Identity, "managed-policy.document");
            self.push(Piece::PolicyText(document, version.span()));
        }
        true
    }

    fn names_of_policies(&mut self, json: Json<'_>) -> bool {
        let Some(list) = array(json, "PolicyNames") else { return false };
        let names: Vec<Spanned<CompactString>> =
            list.elements().filter_map(|name| Some(Spanned::new(name.as_str()?.into(), name.span()))).collect();
        let part = if goes_on(json) {
            Part::InlineGoesOn(Gap::new("role.inline-policies", GOES_ON).at([list.span()]))
        } else {
            Part::InlineNames(names, list.span())
        };
        self.part(self.kind_of_command(), None, part, list.span());
        true
    }

    /// `list-attached-role-policies` and its like, with or without the answer around the list.
    fn attached_policies(&mut self, json: Json<'_>) -> bool {
        let Some(list) = array(json, "AttachedPolicies") else { return false };
        let (arns, span) = (arns(list), list.span());
        let part = match goes_on(json) {
            true => Part::AttachedPage(arns, Gap::new("role.attached-policies", GOES_ON).at([span])),
            false => Part::Attached(Known::Present(arns, span)),
        };
        self.part(self.kind_of_command(), None, part, span);
        true
    }

    /// A list of attached policies without the answer around it.
    pub(super) fn attached_list(&mut self, list: Json<'_>) {
        let part = Part::Attached(Known::Present(arns(list), list.span()));
        self.part(self.kind_of_command(), None, part, list.span());
    }

    fn caller(&mut self, json: Json<'_>) -> bool {
        let account = text(json, "Account").and_then(|account| AccountId::parse(&account));
        let arn = text(json, "Arn").filter(|arn| account_of(arn) == account);
        match (account, json.member("UserId"), arn) {
            (Some(account), Some(_), Some(_)) => {
                self.push(Piece::Caller(account));
                true
            }
            _ => false,
        }
    }

    pub(super) fn part(&mut self, kind: Option<IdentityKind>, name: Option<CompactString>, part: Part, span: Span) {
        self.push(Piece::Part { kind, name, part, span });
    }

    /// The kind of principal that the command is about, of which the file is the answer.
    pub(super) fn kind_of_command(&self) -> Option<IdentityKind> {
        self.names.operation?.identity_kind()
    }

    pub(super) fn is_of(&self, operation: Operation) -> bool {
        self.names.operation == Some(operation)
    }
}

/// Whether an object says more than a name: an ARN will do, but without the answer around it, it needs a key of its own.
fn is_described(json: Json<'_>, has_arn: bool, by: By, keys: &[&str]) -> bool {
    (has_arn && by != By::Bare) || keys.iter().any(|key| json.member(key).is_some())
}

/// Name and ARN of a role, user or group: one of the two is there.
fn named(json: Json<'_>, key: &str, kind: &str) -> Option<(CompactString, Option<CompactString>)> {
    if json.kind() != Kind::Object {
        return None;
    }
    let arn = text(json, "Arn")
        .filter(|arn| Arn::parse(arn).is_some_and(|arn| arn.service == "iam" && arn.resource_of(kind).is_some()));
    let last = || Some(arn.as_deref()?.rsplit('/').next()?.into());
    let name = text(json, key).or_else(last).filter(|name: &CompactString| !name.is_empty())?;
    Some((name, arn))
}

fn account_of(arn: &str) -> Option<AccountId> {
    Arn::parse(arn)?.account_id()
}

/// `/` or `/a/b/` of `role/a/b/name`.
pub(super) fn path_of(arn: Arn<'_>, kind: &str) -> Option<CompactString> {
    let named = arn.resource.strip_prefix(kind)?;
    named.rfind('/').and_then(|end| named.get(..=end)).map(CompactString::from)
}

/// The name of a managed policy's ARN.
pub(super) fn policy_name(arn: &str) -> Option<&str> {
    let arn = Arn::parse(arn).filter(|arn| arn.service == "iam")?;
    arn.resource_of("policy")?.rsplit('/').next().filter(|name| !name.is_empty())
}

fn attached(json: Json<'_>, key: &str, fact: &'static str) -> Known<Vec<Spanned<CompactString>>> {
    let Some(list) = array(json, key) else { return Known::not_collected(fact) };
    let arns = arns(list);
    match arns.len() == list.elements().count() {
        true => Known::Present(arns, list.span()),
        false => Known::Unknown(Gap::new(fact, "one of them is listed without its ARN").at([list.span()])),
    }
}

fn arns(list: Json<'_>) -> Vec<Spanned<CompactString>> {
    list.elements().filter_map(|policy| spanned(policy, "PolicyArn")).collect()
}

/// The boundary, where there is one; `told` is whether an object by itself is one that would hold it.
fn boundary(json: Json<'_>, by: By, told: bool, fact: &'static str) -> Known<CompactString> {
    let is_told = match by {
        By::Get => true,
        By::List => false,
        By::Details | By::Bare => told,
        By::Item => json.member("PermissionsBoundary").is_some(),
    };
    match json.member("PermissionsBoundary").filter(|boundary| !boundary.is_null()) {
        Some(boundary) => {
            let arn = spanned(boundary, "PermissionsBoundaryArn")
                .or_else(|| Some(Spanned::new(boundary.as_str()?.into(), boundary.span())));
            arn.map_or(Known::not_collected(fact), |arn| Known::Present(arn.value, arn.span))
        }
        None if is_told => Known::Absent(json.span()),
        None => Known::not_collected(fact),
    }
}
