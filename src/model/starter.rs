//! The `trailproof.toml` that `trailproof init` writes.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::given::{Exception, Given};
use super::role::shared_roles;
use super::{Class, LogBucket, LogBucketStatus, Model};
use crate::aws::{AccountId, Arn};
use crate::config::MemberReaders;
use crate::estate::Estate;

const HEAD: &str = "\
# The sharing model: who owns the CloudTrail logs, who is a member, who may read whose logs.
# Written from what the inputs show. Compare it with what you mean: from here on this file counts.
";

const TAIL: &str = "
# [limits]
# warn-at = 0.8                    # share of a size quota at which a finding starts

# [rules]
# select = [\"default\"]             # rule ids, groups, `default` or `all`; the command line replaces them
# ignore = []
# level = { \"missing-secure-transport\" = \"note\" }

# A finding that you accept; the reason is needed, the last day is not.
# [[allow]]
# rule = \"undeclared-account\"
# subject = \"arn:aws:s3:::my-organization-bucket\"
# statement = \"SecurityTooling\"
# reason = \"why this is meant\"
# until = 2027-12-31

# What a document is attached to, when it does not say so itself. Paths are relative to this file.
# [[file]]
# path = \"policies/analyzer-trust.json\"
# kind = \"trust-policy\"
# subject = \"arn:aws:iam::111111111111:role/log-analyzer\"
";

/// The text of a commented `trailproof.toml` that declares what the model holds.
///
/// The config reader takes it as it is and gives every account the class it has now. What the inputs do not tell stands in
/// comments that say what is missing; so do accounts that policies let in and nobody declared.
pub fn starter(estate: &Estate, model: &Model) -> String {
    let mut text = String::from(HEAD);
    organization(&mut text, model);
    log_buckets(&mut text, estate, model);
    readers(&mut text, model);
    third_parties(&mut text, estate, model);
    text.push_str(TAIL);
    text
}

fn organization(text: &mut String, model: &Model) {
    text.push_str("\n[organization]\n");
    match model.organization_ids() {
        [one] => line(text, "id", &quoted(&one.id), ""),
        [] => missing(text, "id", "\"o-…\"", "no input names an organization"),
        several => {
            for id in several {
                missing(
                    text,
                    "id",
                    &quoted(&id.id),
                    "policies name more than one organization; keep the one that is yours",
                );
            }
        }
    }
    match model.management() {
        Some(account) => line(text, "management-account", &quoted(account.as_str()), name(model, account)),
        None => missing(text, "management-account", "\"…\"", "no input names it"),
    }
    let members: Vec<AccountId> = model.members().collect();
    if members.is_empty() {
        missing(text, "accounts", "[\"…\"]", "the members; no input names any. Or accounts-file = \"accounts.json\"");
    } else {
        if !model.members_are_complete() {
            text.push_str("# Inferred from policies and trails: add the members that are missing here.\n");
            text.push_str("# Or in its place: accounts-file = \"accounts.json\"   # aws organizations list-accounts\n");
        }
        text.push_str("accounts = [\n");
        for member in members {
            let _ = writeln!(text, "    {},{}", quoted(member.as_str()), comment(name(model, member)));
        }
        text.push_str("]\n");
    }
    text.push_str("# canonical-ids = { \"79a59d…\" = \"222222222222\" }   # the accounts behind the IDs in ACLs\n");
}

fn log_buckets(text: &mut String, estate: &Estate, model: &Model) {
    let mut names = BTreeSet::new();
    let mut any = false;
    for bucket in model.log_buckets() {
        if is_bucket_name(&bucket.name) && bucket.is_named && names.insert(&bucket.name) {
            log_bucket(text, estate, bucket);
            any = true;
        }
    }
    if !any {
        text.push_str("\n# No input names a bucket that CloudTrail delivers to.\n# [[log-bucket]]\n");
        text.push_str("# name = \"my-organization-bucket\"\n# account = \"111111111111\"\n# prefix = \"\"\n");
        text.push_str("# organization-trail = true\n");
        text.push_str(
            "# trails = [\"arn:aws:cloudtrail:us-east-1:111111111111:trail/org\"]\n# readers = \"own-logs\"\n",
        );
    }
}

fn log_bucket(text: &mut String, estate: &Estate, bucket: &LogBucket) {
    text.push_str("\n[[log-bucket]]\n");
    line(
        text,
        "name",
        &quoted(&bucket.name),
        if bucket.status == LogBucketStatus::Assumed { "is it one?" } else { "" },
    );
    match bucket.owner {
        Some(owner) => line(text, "account", &quoted(owner.as_str()), ""),
        None => missing(text, "account", "\"…\"", "no input tells who owns the bucket"),
    }
    let prefixes: Vec<&str> = bucket.prefixes().collect();
    match prefixes.as_slice() {
        [one] if is_key_prefix(one) => line(text, "prefix", &quoted(one), ""),
        _ => {
            for prefix in prefixes {
                missing(text, "prefix", &quoted(prefix), "trails differ, or this is none that CloudTrail takes");
            }
        }
    }
    match bucket.is_organization() {
        Some(is_organization) => line(text, "organization-trail", if is_organization { "true" } else { "false" }, ""),
        None => missing(text, "organization-trail", "true", "trails differ, or no input tells"),
    }
    let trails: Vec<&str> =
        bucket.trails.iter().map(|trail| trail.value.as_str()).filter(|t| is_trail_arn(t)).collect();
    if trails.is_empty() {
        missing(text, "trails", "[\"arn:aws:cloudtrail:…\"]", "no input names a trail that delivers here");
    } else {
        text.push_str("trails = [\n");
        for trail in trails {
            let was_read = estate.trails.iter().any(|t| t.arn.as_deref() == Some(trail));
            let _ =
                writeln!(text, "    {},{}", quoted(trail), comment(if was_read { "" } else { "not among the inputs" }));
        }
        text.push_str("]\n");
    }
    match &bucket.readers {
        Some(MemberReaders::OwnLogs) => line(text, "readers", "\"own-logs\"", ""),
        Some(MemberReaders::None) => line(text, "readers", "\"none\"", ""),
        Some(MemberReaders::Accounts(accounts)) => {
            line(text, "readers", &accounts_text(accounts.iter().map(|account| account.value)), "");
        }
        None => {
            text.push_str("# Without this line a member may read its own logs and need not; \"own-logs\": it should be able to;\n");
            text.push_str("# \"none\": no member reads; or the accounts that do.\n# readers = \"own-logs\"\n");
        }
    }
}

fn readers(text: &mut String, model: &Model) {
    for reader in model.exceptions().iter().filter(|exception| !exception.is_third_party) {
        text.push_str("\n[[reader]]\n");
        exception(text, model, reader);
    }
    text.push_str("\n# A member that may read more than its own logs.\n# [[reader]]\n# account = \"333333333333\"\n");
    text.push_str("# logs = \"all\"                     # \"own\", \"all\" or accounts; of every log bucket, or of bucket = \"name\"\n");
    text.push_str("# reason = \"security tooling account\"\n");
}

fn exception(text: &mut String, model: &Model, exception: &Exception) {
    if let Some(name) = &exception.name {
        line(text, "name", &quoted(name), "");
    }
    let called = if exception.name.is_some() { "" } else { name(model, exception.account) };
    line(text, "account", &quoted(exception.account.as_str()), called);
    match &exception.logs {
        Given::All => line(text, "logs", "\"all\"", ""),
        Given::Of(accounts) if accounts.is_empty() => {}
        Given::Of(accounts) => line(text, "logs", &accounts_text(accounts.iter().copied()), ""),
    }
    if let Some(bucket) = &exception.bucket {
        line(text, "bucket", &quoted(bucket), "");
    }
    if let Some(reason) = &exception.reason {
        line(text, "reason", &quoted(reason), "");
    }
}

fn third_parties(text: &mut String, estate: &Estate, model: &Model) {
    let required = |account| match model.class(account) {
        Class::ThirdParty { external_id_required, .. } => Some(external_id_required),
        _ => None,
    };
    for party in model.exceptions().iter().filter(|exception| exception.is_third_party) {
        let Some(required) = required(party.account) else { continue };
        text.push_str("\n[[third-party]]\n");
        exception(text, model, party);
        line(text, "external-id-required", if required { "true" } else { "false" }, "");
    }
    let inferred = model
        .known_accounts()
        .into_iter()
        .filter(|account| matches!(model.class(*account), Class::ThirdParty { declared: false, .. }));
    for account in inferred {
        text.push_str("\n# A trust policy lets this account in only with an external ID.\n[[third-party]]\n");
        match model.name(account) {
            Some(name) => line(text, "name", &quoted(name), ""),
            None => missing(text, "name", "\"…\"", "how reports call it"),
        }
        line(text, "account", &quoted(account.as_str()), "");
        line(text, "logs", "\"all\"", "");
        line(text, "external-id-required", "true", "");
    }
    let mut seen = BTreeSet::new();
    for role in shared_roles(estate, &BTreeSet::new(), model.owner()) {
        for trusted in &role.trusted {
            if model.class(trusted.account) == Class::Undeclared && seen.insert(trusted.account) {
                let role = plain(&role.role.name);
                let _ = write!(text, "\n# The role {role} lets this account in, and no list of members names it.\n");
                text.push_str("# [[third-party]]\n# name = \"…\"\n");
                missing(text, "account", &quoted(trusted.account.as_str()), name(model, trusted.account));
                text.push_str("# logs = \"all\"\n# external-id-required = true\n");
            }
        }
    }
    text.push_str("\n# An account outside the organization that may read logs.\n# [[third-party]]\n");
    text.push_str(
        "# name = \"log analyzer\"\n# account = \"999999999999\"\n# logs = \"all\"\n# external-id-required = true\n",
    );
}

fn line(text: &mut String, key: &str, value: &str, remark: &str) {
    let _ = writeln!(text, "{key} = {value}{}", comment(remark));
}

fn missing(text: &mut String, key: &str, value: &str, remark: &str) {
    text.push_str("# ");
    line(text, key, value, remark);
}

fn comment(remark: &str) -> String {
    if remark.is_empty() { String::new() } else { format!("   # {}", plain(remark)) }
}

/// A text for a comment: what would end the line, or move a terminal's cursor, is a space.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn accounts_text(accounts: impl Iterator<Item = AccountId>) -> String {
    let accounts: Vec<String> = accounts.map(|account| quoted(account.as_str())).collect();
    format!("[{}]", accounts.join(", "))
}

fn name(model: &Model, account: AccountId) -> &str {
    model.name(account).unwrap_or_default()
}

/// Whether the config takes it for a bucket's name.
fn is_bucket_name(name: &str) -> bool {
    (3..=255).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// Whether the config takes it for the prefix of a trail.
fn is_key_prefix(prefix: &str) -> bool {
    !prefix.ends_with('/') && prefix.chars().count() <= 200 && prefix.split('/').all(|part| part != "AWSLogs")
}

/// Whether the config takes it for the ARN of a trail.
fn is_trail_arn(text: &str) -> bool {
    Arn::parse(text).is_some_and(|arn| {
        let name = arn.resource_of("trail").unwrap_or_default();
        let is_whole = !arn.region.is_empty() && arn.account_id().is_some();
        arn.service == "cloudtrail" && is_whole && !name.is_empty() && !name.contains(['*', '?'])
    })
}
