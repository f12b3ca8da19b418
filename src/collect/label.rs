//! What stands at the end of a file's name and says what the file is: `reader-trust`.

use super::operation::{before, is};

/// What a stem says when it is made of a name and what is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label<'s> {
    /// It is the label alone.
    Alone,
    /// A name stands in front of the label.
    Of(&'s str),
    /// The label is not there.
    None,
}

/// Labels of a trust policy, longest first.
pub(super) const TRUST: [&str; 7] = [
    "assume-role-policy-document",
    "trust-relationship",
    "assume-role-policy",
    "trust-policy",
    "assume-role",
    "trustpolicy",
    "trust",
];

/// Labels of a permissions policy, longest first.
pub(super) const ACCESS: [&str; 12] = [
    "permissions-policy",
    "permission-policy",
    "identity-policy",
    "inline-policy",
    "access-policy",
    "role-policy",
    "permissions",
    "iam-policy",
    "accesspolicy",
    "inline",
    "access",
    "policy",
];

/// Labels of a permissions boundary, longest first.
pub(super) const BOUNDARY: [&str; 5] =
    ["permissions-boundary-policy", "permissions-boundary", "permission-boundary", "boundary-policy", "boundary"];

/// Labels of a service control policy, longest first.
pub(super) const SCP: [&str; 3] = ["service-control-policy", "scp-policy", "scp"];

/// Labels of a resource control policy, longest first.
pub(super) const RCP: [&str; 3] = ["resource-control-policy", "rcp-policy", "rcp"];

/// Labels of a bucket policy that no other document has, longest first.
pub(super) const BUCKET_POLICY: [&str; 3] = ["get-bucket-policy", "s3-bucket-policy", "bucket-policy"];

/// Labels of a key policy that no other document has, longest first.
pub(super) const KEY_POLICY: [&str; 4] = ["get-key-policy", "kms-key-policy", "kms-policy", "key-policy"];

/// Looks for the first of `labels` at the end of a stem.
pub(super) fn label<'s>(stem: &'s str, labels: &[&str]) -> Label<'s> {
    if labels.iter().any(|label| is(stem, label)) {
        return Label::Alone;
    }
    labels.iter().find_map(|label| before(stem, label)).map_or(Label::None, Label::Of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_at_the_end_whatever_joins_them() {
        let cases = [
            ("reader-trust", Label::Of("reader")),
            ("Reader.trust", Label::Of("Reader")),
            ("reader_Trust_Policy", Label::Of("reader")),
            ("x-trust-trust", Label::Of("x-trust")),
            ("TRUST-POLICY", Label::Alone),
            ("trust-reader", Label::None),
            ("distrust", Label::None),
            ("-trust", Label::None),
        ];
        for (stem, expected) in cases {
            assert_eq!(label(stem, &TRUST), expected, "{stem}");
        }
        assert_eq!(label("a-access-policy", &ACCESS), Label::Of("a"));
    }
}
