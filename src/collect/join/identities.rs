//! Which role, user, group or managed policy a document is about.

use compact_str::CompactString;

use super::folder::IdentityName;
use super::{By, FileTold, Join, One};
use crate::aws::{AccountId, Arn};
use crate::collect::iam::policy_name;
use crate::collect::label::{ACCESS, BOUNDARY, Label, TRUST, label};
use crate::collect::names::{Layout, is_iam_name};
use crate::collect::operation::{before, behind, is};
use crate::collect::subject::Subject;
use crate::estate::{
    Document, Group, Identity, IdentityKind, InlinePolicy, Known, ManagedPolicy, NamedBy, Part, Role, User,
};
use crate::text::{SourceId, Span};

/// A role, user or group that a document is about.
#[derive(Debug, Clone)]
struct Owner {
    kind: IdentityKind,
    id: Identity,
    name: CompactString,
    account: Option<AccountId>,
    partition: CompactString,
    path: Option<CompactString>,
    named_by: NamedBy,
}

impl Join<'_> {
    pub(super) fn role(&mut self, file: &FileTold, mut role: Role) {
        role.account = role.account.or_else(|| self.account_of(file, IdentityKind::Role, &role.name));
        let id = self.identity(file, role.account, &role.name);
        self.builder.role(id, role);
    }

    pub(super) fn user(&mut self, file: &FileTold, mut user: User) {
        user.account = user.account.or_else(|| self.account_of(file, IdentityKind::User, &user.name));
        let id = self.identity(file, user.account, &user.name);
        self.builder.user(id, user);
    }

    pub(super) fn group(&mut self, file: &FileTold, mut group: Group) {
        group.account = group.account.or_else(|| self.account_of(file, IdentityKind::Group, &group.name));
        let id = self.identity(file, group.account, &group.name);
        self.builder.group(id, group);
    }

    /// What tells a named role, user or group from others: without an account a name holds in its folder only.
    fn identity(&self, file: &FileTold, account: Option<AccountId>, name: &CompactString) -> Identity {
        match account {
            Some(account) => Identity::Account(account, name.clone()),
            None => Identity::Folder(file.names.folder.number, name.clone()),
        }
    }

    fn account_of(&self, file: &FileTold, kind: IdentityKind, name: &CompactString) -> Option<AccountId> {
        let beside = self.folder(file).accounts.get(&(kind, name.clone())).and_then(One::one).copied().flatten();
        beside.or_else(|| self.account(file))
    }

    /// The owner of a name that a file, folder or answer gives.
    fn owner(&self, file: &FileTold, kind: IdentityKind, name: &str, named_by: NamedBy) -> Owner {
        let name = CompactString::from(name);
        let account = self.account_of(file, kind, &name);
        let id = self.identity(file, account, &name);
        Owner { kind, id, name, account, partition: "aws".into(), path: None, named_by }
    }

    fn owner_of(&self, file: &FileTold, known: &IdentityName) -> Owner {
        let account = known.account.or_else(|| self.account(file));
        let id = self.identity(file, account, &known.name);
        let (name, partition) = (known.name.clone(), "aws".into());
        Owner { kind: known.kind, id, name, account, partition, path: None, named_by: NamedBy::Input }
    }

    /// The owner that the user gives.
    fn subject(file: &FileTold) -> Option<Owner> {
        let Some(Subject::Identity { kind, account, partition, path, name }) = file.subject() else { return None };
        Some(Owner {
            kind: *kind,
            id: Identity::Account(*account, name.clone()),
            name: name.clone(),
            account: Some(*account),
            partition: partition.clone(),
            path: Some(path.clone()),
            named_by: NamedBy::Input,
        })
    }

    /// The owner that the folder's name gives, unless the folder's documents name another.
    fn of_layout(&mut self, file: &FileTold) -> Option<Owner> {
        let (kind, name) = match &file.names.folder.layout {
            Layout::Role(name) => (IdentityKind::Role, name),
            Layout::User(name) => (IdentityKind::User, name),
            Layout::Group(name) => (IdentityKind::Group, name),
            _ => return None,
        };
        if let Some(known) = self.folder(file).one_identity(Some(kind)) {
            return Some(self.owner_of(file, known));
        }
        self.concluded(file, described(kind, name), By::Folder);
        Some(self.owner(file, kind, name, NamedBy::File))
    }

    /// The kind of what the files of a folder are called after.
    fn kind_of_folder(file: &FileTold) -> Option<IdentityKind> {
        match file.names.folder.layout {
            Layout::Roles => Some(IdentityKind::Role),
            Layout::Users => Some(IdentityKind::User),
            Layout::Groups => Some(IdentityKind::Group),
            _ => None,
        }
    }

    fn by_file_name(&mut self, file: &FileTold, kind: IdentityKind, name: &str) -> Owner {
        self.concluded(file, described(kind, name), By::File);
        self.owner(file, kind, name, NamedBy::File)
    }

    fn by_neighbours(&mut self, file: &FileTold, kind: Option<IdentityKind>) -> Option<Owner> {
        let known = self.folder(file).one_identity(kind)?.clone();
        self.concluded(file, described(known.kind, &known.name), By::Neighbours);
        Some(self.owner_of(file, &known))
    }

    /// The role of the one trust policy of the folder that has no name of its own.
    fn nameless_role(&mut self, file: &FileTold) -> Option<Owner> {
        let folder = self.folder(file);
        let trust = *folder.nameless_trust.one()?;
        if let Some(known) = folder.roles.one() {
            return Some(self.owner_of(file, known));
        }
        let name = file.names.folder.name.clone().filter(|name| !folder.is_mixed && is_iam_name(name));
        Some(match name {
            Some(name) => {
                self.concluded(file, described(IdentityKind::Role, &name), By::Folder);
                self.owner(file, IdentityKind::Role, &name, NamedBy::File)
            }
            None => self.unnamed(file, trust),
        })
    }

    /// The role of a trust policy that nothing names: it is called after the file of that policy.
    fn unnamed(&self, file: &FileTold, trust: SourceId) -> Owner {
        Owner {
            kind: IdentityKind::Role,
            id: Identity::File(trust),
            name: self.builder.sources().name(trust).into(),
            account: self.account(file),
            partition: "aws".into(),
            path: None,
            named_by: NamedBy::Nothing,
        }
    }

    pub(super) fn trust_policy(&mut self, file: &FileTold, document: Document) {
        let stem = file.names.stem.clone();
        let owner = Self::subject(file).or_else(|| self.of_layout(file)).or_else(|| match label(&stem, &TRUST) {
            Label::Of(name) if is_iam_name(name) => Some(self.by_file_name(file, IdentityKind::Role, name)),
            Label::Alone => self.nameless_role(file),
            _ if is_command(file) => self.by_neighbours(file, Some(IdentityKind::Role)),
            _ if file.names.folder.layout == Layout::Roles && is_iam_name(&stem) => {
                Some(self.by_file_name(file, IdentityKind::Role, &stem))
            }
            _ => self.by_neighbours(file, Some(IdentityKind::Role)),
        });
        let owner = owner.unwrap_or_else(|| self.unnamed(file, file.source));
        let span = document.span;
        self.tell(owner, Part::Trust(Known::Present(document, span)), span);
    }

    pub(super) fn access_policy(&mut self, file: &FileTold, document: Document) {
        let span = document.span;
        if let Some(arn) = self.managed_policy_of(file) {
            return self.managed(arn, Known::Present(document, span), span);
        }
        let Some(owner) = self.holder(file, &ACCESS) else { return self.builder.document(document) };
        let stem = &file.names.stem;
        let is_own_name = *stem != owner.name && label(stem, &ACCESS) == Label::None && !stem.is_empty();
        let policy = InlinePolicy { name: is_own_name.then(|| stem.clone()), document: Known::Present(document, span) };
        self.tell(owner, Part::Inline(policy, span), span);
    }

    pub(super) fn boundary(&mut self, file: &FileTold, document: Document) {
        let span = document.span;
        if let Some(arn) = self.managed_policy_of(file) {
            return self.managed(arn, Known::Present(document, span), span);
        }
        match self.holder(file, &BOUNDARY).filter(|owner| owner.kind != IdentityKind::Group) {
            Some(owner) => self.tell(owner, Part::Boundary(document), span),
            None => self.builder.document(document),
        }
    }

    /// The role, user or group that carries a loose permissions policy or boundary.
    fn holder(&mut self, file: &FileTold, labels: &[&str]) -> Option<Owner> {
        if let Some(owner) = Self::subject(file) {
            return Some(owner);
        }
        if let Some(owner) = self.of_layout(file) {
            return Some(owner);
        }
        if is_command(file) {
            return self.by_neighbours(file, None);
        }
        let stem = file.names.stem.clone();
        let of_folder = Self::kind_of_folder(file);
        let folder = self.folder(file);
        // A name is relied on where a trust policy or an answer beside it has the same.
        let names = labels.iter().filter_map(|label| before(&stem, label));
        let is_described = |name: &str| folder.accounts.contains_key(&(IdentityKind::Role, name.into()));
        let is_role = |name: &&str| folder.trust_names.contains(*name) || is_described(name);
        if let Some(name) = names.clone().find(is_role) {
            return Some(self.by_file_name(file, IdentityKind::Role, name));
        }
        if label(&stem, labels) == Label::Alone {
            return self.nameless_role(file).or_else(|| self.by_neighbours(file, None));
        }
        if let Some(kind) = of_folder {
            let name = match label(&stem, labels) {
                Label::Of(name) => name,
                _ => stem.as_str(),
            };
            return is_iam_name(name).then(|| self.by_file_name(file, kind, name));
        }
        self.by_neighbours(file, None)
    }

    /// The managed policy that a loose policy is the text of: as the user says, or by the name of a policy that another
    /// answer in the folder tells the ARN of.
    fn managed_policy_of(&mut self, file: &FileTold) -> Option<CompactString> {
        match file.subject() {
            Some(Subject::ManagedPolicy(arn)) => return Some(arn.clone()),
            Some(_) => return None,
            None => {}
        }
        let name = match &file.names.folder.layout {
            Layout::ManagedPolicy(name) => name,
            _ => &file.names.stem,
        };
        let arn = self.folder(file).policy_arns.get(name).and_then(One::one).cloned()?;
        self.concluded(file, format!("managed policy `{name}`"), By::File);
        Some(arn)
    }

    fn managed(&mut self, arn: CompactString, document: Known<Document>, span: Span) {
        let name = policy_name(&arn).unwrap_or(&arn).into();
        self.builder.managed_policy(ManagedPolicy { name, arn: Some(arn), span, document });
    }

    /// An answer that holds the text of a managed policy and not its ARN.
    pub(super) fn policy_text(&mut self, file: &FileTold, document: Known<Document>, span: Span) {
        if let Some(Subject::ManagedPolicy(arn)) = file.subject() {
            return self.managed(arn.clone(), document, span);
        }
        let stem = without_version(&file.names.stem);
        let labels = ["get-policy-version", "policy-version", "version", "policy"];
        let written = match (&file.names.folder.layout, label(stem, &labels)) {
            (Layout::ManagedPolicy(name), _) => Some(name.as_str()),
            (_, Label::Of(name)) => Some(name),
            (_, Label::Alone) => None,
            (_, Label::None) => Some(behind(stem, "get-policy-version").unwrap_or(stem)),
        };
        let folder = self.folder(file);
        let found = match written {
            Some(name) => {
                let here = folder.policy_arns.get(name).and_then(One::one);
                let anywhere = || {
                    let arn = self.folders.policy_arns.get(name).and_then(One::one)?;
                    let account = Arn::parse(arn)?.account_id();
                    // A name holds in its account.
                    let here = self.account(file);
                    (account.is_none() || here.is_none() || account == here).then_some(arn)
                };
                here.or_else(anywhere).map(|arn| (arn.clone(), By::File))
            }
            None => folder.policies.one().map(|arn| (arn.clone(), By::Neighbours)),
        };
        match found {
            Some((arn, by)) => {
                let name = policy_name(&arn).unwrap_or(&arn).to_owned();
                self.concluded(file, format!("managed policy `{name}`"), by);
                self.managed(arn, document, span);
            }
            None => {
                let name = written.map_or_else(|| self.builder.sources().name(file.source).into(), CompactString::from);
                self.builder.managed_policy(ManagedPolicy { name, arn: None, span, document });
            }
        }
    }

    /// Something about a role, user or group that the answer does not name, or names without its account.
    pub(super) fn part(
        &mut self,
        file: &FileTold,
        kind: Option<IdentityKind>,
        name: Option<CompactString>,
        part: Part,
        span: Span,
    ) {
        let owner = match (Self::subject(file), kind, name) {
            (Some(owner), _, _) => Some(owner),
            (None, Some(kind), Some(name)) => Some(self.owner(file, kind, &name, NamedBy::Input)),
            (None, kind, _) => self.of_layout(file).or_else(|| self.of_command(file, kind)),
        };
        match owner {
            Some(owner) => self.tell(owner, part, span),
            None => match part {
                Part::Inline(InlinePolicy { document: Known::Present(document, _), .. }, _) => {
                    self.builder.document(document);
                }
                _ => self.nowhere("role.policies", span),
            },
        }
    }

    /// The owner by the name beside a command, by the folder of its kind, or by the folder's other documents.
    fn of_command(&mut self, file: &FileTold, kind: Option<IdentityKind>) -> Option<Owner> {
        let stem = file.names.stem.clone();
        if let (Some(kind), Some(operation)) = (kind, file.names.operation) {
            let command = operation.command();
            let name = before(&stem, command).or_else(|| behind(&stem, command)).filter(|name| is_iam_name(name));
            if let Some(name) = name {
                return Some(self.by_file_name(file, kind, name));
            }
        }
        if let Some(kind) = Self::kind_of_folder(file).filter(|_| !is_command(file)) {
            let labels = ["attached-policies", "attached", "inline-policies", "policies", "groups"];
            if let Some(name) = labels.iter().find_map(|label| before(&stem, label)).filter(|name| is_iam_name(name)) {
                return Some(self.by_file_name(file, kind, name));
            }
        }
        self.by_neighbours(file, kind)
    }

    fn tell(&mut self, owner: Owner, part: Part, span: Span) {
        let Owner { kind, id, name, account, partition, path, named_by } = owner;
        match kind {
            IdentityKind::Role => {
                let mut role = Role::new(name, account, named_by, span);
                (role.partition, role.path) = (partition, path);
                self.builder.role(id.clone(), role);
            }
            IdentityKind::User => {
                let mut user = User::new(name, account, span);
                user.arn = arn("user", &partition, account, path.as_deref(), &user.name);
                self.builder.user(id.clone(), user);
            }
            IdentityKind::Group => {
                let mut group = Group::new(name, account, span);
                group.arn = arn("group", &partition, account, path.as_deref(), &group.name);
                self.builder.group(id.clone(), group);
            }
        }
        self.builder.part(kind, &id, part);
    }
}

fn arn(
    kind: &str,
    partition: &str,
    account: Option<AccountId>,
    path: Option<&str>,
    name: &str,
) -> Option<CompactString> {
    Some(format!("arn:{partition}:iam::{}:{kind}{}{name}", account?, path.unwrap_or("/")).into())
}

/// Whether a file is called after the command it is the answer of, and after nothing else.
fn is_command(file: &FileTold) -> bool {
    file.names.operation.is_some_and(|operation| is(&file.names.stem, operation.command()))
}

fn described(kind: IdentityKind, name: &str) -> String {
    let word = match kind {
        IdentityKind::Role => "role",
        IdentityKind::User => "user",
        IdentityKind::Group => "group",
    };
    [word, " `", name, "`"].concat()
}

/// A stem without the number of a version, `-v3`.
fn without_version(stem: &str) -> &str {
    let end = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let name = end.strip_suffix('v').and_then(|rest| rest.strip_suffix(['-', '_', '.']));
    name.filter(|_| end.len() < stem.len()).unwrap_or(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_version_is_taken_off() {
        for (stem, expected) in [
            ("reader-v3", "reader"),
            ("reader.v12", "reader"),
            ("reader-v", "reader-v"),
            ("v3", "v3"),
            ("rev3", "rev3"),
        ] {
            assert_eq!(without_version(stem), expected, "{stem}");
        }
    }
}
