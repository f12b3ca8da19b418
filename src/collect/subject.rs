//! What a document is attached to, as a user says it.

use compact_str::CompactString;

use crate::aws::{AccountId, Arn};
use crate::estate::IdentityKind;
use crate::policy::PolicyKind;

/// A subject given on the command line or in the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// A role, user or group.
    Identity {
        kind: IdentityKind,
        account: AccountId,
        partition: CompactString,
        path: CompactString,
        name: CompactString,
    },
    /// A managed policy, by its ARN.
    ManagedPolicy(CompactString),
    /// A bucket.
    Bucket { name: CompactString, partition: CompactString },
    /// A key, by its ARN.
    Key(CompactString),
    /// A trail, by its ARN.
    Trail(CompactString),
    /// An account, OU or root, by its ID.
    Target(CompactString),
}

impl Subject {
    /// Reads an ARN, or the ID of an account, OU or root.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if AccountId::parse(text).is_some() || is_unit(text) {
            return Some(Subject::Target(text.into()));
        }
        let arn = Arn::parse(text)?;
        match arn.service {
            "iam" => {
                let kinds =
                    [("role", IdentityKind::Role), ("user", IdentityKind::User), ("group", IdentityKind::Group)];
                if let Some((kind, named)) = kinds.iter().find_map(|(word, kind)| Some((*kind, arn.resource_of(word)?)))
                {
                    let at = named.rfind('/').map_or(0, |at| at + 1);
                    let (path, name) = named.split_at_checked(at)?;
                    let (account, partition) = (arn.account_id()?, arn.partition.into());
                    let path = format!("/{path}").into();
                    return (!name.is_empty()).then(|| Subject::Identity {
                        kind,
                        account,
                        partition,
                        path,
                        name: name.into(),
                    });
                }
                if arn.resource == "root" {
                    return arn.account_id().map(|account| Subject::Target(account.as_str().into()));
                }
                super::iam::policy_name(text).map(|_| Subject::ManagedPolicy(text.into()))
            }
            "s3" => {
                let name = arn.bucket().filter(|name| name.len() == arn.resource.len())?;
                Some(Subject::Bucket { name: name.into(), partition: arn.partition.into() })
            }
            "kms" => {
                arn.account_id()?;
                arn.resource_of("key").filter(|id| !id.is_empty()).map(|_| Subject::Key(text.into()))
            }
            "cloudtrail" => arn.resource_of("trail").map(|_| Subject::Trail(text.into())),
            "organizations" => {
                let id = arn.resource.rsplit('/').next()?;
                (AccountId::parse(id).is_some() || is_unit(id)).then(|| Subject::Target(id.into()))
            }
            _ => None,
        }
    }

    /// The kind of a policy that is attached to it, where there is only one.
    pub(super) fn kind(&self) -> Option<PolicyKind> {
        match self {
            Subject::Bucket { .. } => Some(PolicyKind::Bucket),
            Subject::Key(_) => Some(PolicyKind::Key),
            _ => None,
        }
    }

    /// Whether a policy of that kind can be attached to it.
    pub(super) fn takes(&self, kind: PolicyKind) -> bool {
        match (kind, self) {
            (PolicyKind::Trust, Subject::Identity { kind, .. }) => *kind == IdentityKind::Role,
            (PolicyKind::Identity, Subject::Identity { .. } | Subject::ManagedPolicy(_)) => true,
            (PolicyKind::Boundary, Subject::Identity { kind, .. }) => *kind != IdentityKind::Group,
            (PolicyKind::Boundary, Subject::ManagedPolicy(_)) => true,
            (PolicyKind::Bucket, Subject::Bucket { .. }) => true,
            (PolicyKind::Key, Subject::Key(_)) => true,
            (PolicyKind::Scp | PolicyKind::Rcp, Subject::Target(_)) => true,
            // Of a kind that can not be told from the text, the subject tells it.
            (PolicyKind::Resource, _) => true,
            _ => false,
        }
    }
}

fn is_unit(text: &str) -> bool {
    let id = text.strip_prefix("ou-").or_else(|| text.strip_prefix("r-"));
    id.is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_subject_is_read() {
        let role = Subject::parse("arn:aws-cn:iam::111111111111:role/a/b/reader").unwrap();
        let Subject::Identity { kind: IdentityKind::Role, path, name, partition, .. } = &role else { panic!() };
        assert_eq!((path.as_str(), name.as_str(), partition.as_str()), ("/a/b/", "reader", "aws-cn"));
        assert!(role.takes(PolicyKind::Trust) && role.takes(PolicyKind::Boundary) && !role.takes(PolicyKind::Bucket));
        let bucket = Subject::parse("arn:aws:s3:::logs").unwrap();
        assert!(bucket.takes(PolicyKind::Bucket) && !bucket.takes(PolicyKind::Trust));
        assert!(Subject::parse("arn:aws:kms:eu-west-1:111111111111:key/k").unwrap().takes(PolicyKind::Key));
        assert!(
            Subject::parse("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess").unwrap().takes(PolicyKind::Identity)
        );
        for target in ["111111111111", "ou-ab12-cdef", "r-ab12", "arn:aws:iam::111111111111:root"] {
            assert!(Subject::parse(target).unwrap().takes(PolicyKind::Scp), "{target}");
        }
        for text in
            ["", "reader", "arn:aws:s3:::logs/key", "arn:aws:kms:eu-west-1::key/k", "arn:aws:iam::1:role/r", "ou-"]
        {
            assert_eq!(Subject::parse(text), None, "{text}");
        }
    }
}
