//! The keys of the file: one list from which unknown keys are told and against which the JSON Schema is tested.

/// A table of the file and the keys it may hold.
#[derive(Debug)]
pub(super) struct Table {
    /// How it is opened; empty for the file itself.
    pub(super) header: &'static str,
    /// Its keys, in the order in which they are documented.
    pub(super) keys: &'static [&'static str],
}

pub(super) static FILE: Table = Table {
    header: "",
    keys: &["organization", "log-bucket", "reader", "third-party", "limits", "rules", "allow", "file"],
};

pub(super) static ORGANIZATION: Table = Table {
    header: "[organization]",
    keys: &["id", "management-account", "accounts", "accounts-file", "canonical-ids"],
};

pub(super) static LOG_BUCKET: Table =
    Table { header: "[[log-bucket]]", keys: &["name", "account", "prefix", "organization-trail", "trails", "readers"] };

pub(super) static READER: Table = Table { header: "[[reader]]", keys: &["account", "logs", "bucket", "reason"] };

pub(super) static THIRD_PARTY: Table =
    Table { header: "[[third-party]]", keys: &["name", "account", "logs", "bucket", "external-id-required", "reason"] };

pub(super) static LIMITS: Table = Table { header: "[limits]", keys: &["warn-at"] };

pub(super) static RULES: Table = Table { header: "[rules]", keys: &["select", "ignore", "level"] };

pub(super) static ALLOW: Table =
    Table { header: "[[allow]]", keys: &["rule", "subject", "statement", "reason", "until"] };

pub(super) static FILE_ENTRY: Table = Table { header: "[[file]]", keys: &["path", "kind", "subject"] };

/// Every table that the file may hold.
pub(super) static TABLES: [&Table; 8] =
    [&ORGANIZATION, &LOG_BUCKET, &READER, &THIRD_PARTY, &LIMITS, &RULES, &ALLOW, &FILE_ENTRY];
