//! The texts of the AWS managed policies that a role which reads logs tends to carry.
//!
//! AWS changes them; each text is the default version at a date. In partitions other than the commercial one AWS may be some
//! versions behind or leave services out.

use std::sync::OnceLock;

use super::Arn;

const INDEX: &str = include_str!("tables/managed/index.txt");

/// The document of each policy in the index, by name.
const DOCUMENTS: [(&str, &str); 7] = [
    ("AdministratorAccess", include_str!("tables/managed/AdministratorAccess.json")),
    ("AmazonS3FullAccess", include_str!("tables/managed/AmazonS3FullAccess.json")),
    ("AmazonS3ReadOnlyAccess", include_str!("tables/managed/AmazonS3ReadOnlyAccess.json")),
    ("PowerUserAccess", include_str!("tables/managed/PowerUserAccess.json")),
    ("ReadOnlyAccess", include_str!("tables/managed/ReadOnlyAccess.json")),
    ("SecurityAudit", include_str!("tables/managed/SecurityAudit.json")),
    ("ViewOnlyAccess", include_str!("tables/managed/ViewOnlyAccess.json")),
];

/// An AWS managed policy whose text is embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// The ARN in the commercial partition, as `arn:aws:iam::aws:policy/job-function/ViewOnlyAccess`.
    pub arn: &'static str,
    /// The name without the path.
    pub name: &'static str,
    /// The default version that the text is of, as `v190`.
    pub version_id: &'static str,
    /// The day that AWS made this the default version, as `2026-09-24`.
    pub updated: &'static str,
    /// The policy document, as JSON on one line.
    pub document: &'static str,
}

/// Whether AWS wrote the policy of that ARN, so that nobody else can change it.
#[must_use]
pub fn is_of_aws(arn: &str) -> bool {
    Arn::parse(arn).is_some_and(|arn| arn.account == "aws")
}

/// The embedded policy with that ARN, of whatever partition; `None` for the AWS managed policies that are not embedded and
/// for the customer's own.
#[must_use]
pub fn managed_policy(arn: &str) -> Option<ManagedPolicy> {
    let (partition, rest) = arn.strip_prefix("arn:")?.split_once(':')?;
    if partition != "aws" && !partition.starts_with("aws-") {
        return None;
    }
    all().iter().find(|policy| policy.arn.strip_prefix("arn:aws:") == Some(rest)).copied()
}

/// All embedded policies, by name.
#[must_use]
pub fn all() -> &'static [ManagedPolicy] {
    static TABLE: OnceLock<Vec<ManagedPolicy>> = OnceLock::new();
    TABLE.get_or_init(|| INDEX.lines().filter_map(policy).collect())
}

/// Reads a line `NAME VERSION DATE ARN` of the index.
fn policy(line: &'static str) -> Option<ManagedPolicy> {
    let mut words = line.split(' ');
    let (name, version_id, updated, arn) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let (_, document) = DOCUMENTS.iter().find(|(known, _)| *known == name)?;
    Some(ManagedPolicy { arn, name, version_id, updated, document: document.trim_ascii_end() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_and_the_documents_agree() {
        let lines = INDEX.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(lines, DOCUMENTS.len());
        assert_eq!(all().len(), DOCUMENTS.len());
    }

    #[test]
    fn documents_are_policies_on_one_line() {
        for policy in all() {
            let document: serde_json::Value = serde_json::from_str(policy.document).unwrap();
            assert_eq!(document["Version"], "2012-10-17", "{}", policy.name);
            assert!(document["Statement"].is_array(), "{}", policy.name);
            assert_eq!(document.to_string(), policy.document, "{}", policy.name);
            assert!(policy.version_id.starts_with('v') && policy.updated.len() == 10, "{policy:?}");
            assert!(policy.arn.ends_with(&format!("/{}", policy.name)), "{policy:?}");
        }
    }

    #[test]
    fn a_policy_is_found_by_its_arn_in_every_partition() {
        let name = |arn: &str| managed_policy(arn).map(|policy| policy.name);
        assert_eq!(name("arn:aws:iam::aws:policy/ReadOnlyAccess"), Some("ReadOnlyAccess"));
        assert_eq!(name("arn:aws-cn:iam::aws:policy/SecurityAudit"), Some("SecurityAudit"));
        assert_eq!(name("arn:aws-us-gov:iam::aws:policy/job-function/ViewOnlyAccess"), Some("ViewOnlyAccess"));
    }

    #[test]
    fn another_path_account_or_name_is_another_policy() {
        for arn in [
            "arn:aws:iam::aws:policy/ViewOnlyAccess",
            "arn:aws:iam::111111111111:policy/ReadOnlyAccess",
            "arn:aws:iam::aws:policy/readonlyaccess",
            "arn:other:iam::aws:policy/ReadOnlyAccess",
            "arn:aws:iam::aws:policy/AmazonEC2FullAccess",
            "ReadOnlyAccess",
            "",
        ] {
            assert_eq!(managed_policy(arn), None, "{arn}");
        }
    }

    #[test]
    fn the_s3_read_only_policy_reads_objects() {
        let policy = managed_policy("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess").unwrap();
        assert!(policy.document.contains(r#""s3:Get*""#));
    }
}
