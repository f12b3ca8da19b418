//! The policy that a sharing role needs, and no more.

use std::collections::BTreeSet;

use crate::aws::AccountId;
use crate::model::{Given, LogBucket};
use crate::rule::context::Context;
use crate::rule::role::RoleView;

/// A policy document on one line: reads, lists and decrypts the logs that the model gives to those who can assume the role.
pub(in crate::rules) fn policy_for(context: &Context<'_>, role: &RoleView<'_>) -> String {
    let readers: Vec<AccountId> = role.admitted(context).iter().filter_map(|one| one.account).collect();
    let partition = &role.role.partition;
    let mut statements = Vec::new();
    let buckets = context.model.log_buckets().iter().filter(|bucket| bucket.is_named);
    for bucket in buckets {
        let prefixes = prefixes(context, bucket, &readers);
        if !prefixes.is_empty() {
            statements.extend(reads(&format!("arn:{partition}:s3:::{}", bucket.name), &prefixes));
        }
    }
    if statements.is_empty() {
        // An account that the model gives nothing has its own logs at most.
        let own = |reader: &AccountId| Given::Of(BTreeSet::from([*reader]));
        let given = readers.iter().fold(given(context, "", &readers), |given, reader| given.and(own(reader)));
        let own: Vec<String> = match given {
            Given::Of(accounts) if !accounts.is_empty() => {
                accounts.iter().map(|account| format!("AWSLogs/{account}/")).collect()
            }
            _ => vec!["AWSLogs/".to_owned()],
        };
        statements.extend(reads(&format!("arn:{partition}:s3:::your-log-bucket"), &own));
    }
    let keys: BTreeSet<&str> = context
        .estate
        .keys
        .iter()
        .filter(|key| context.model.is_log_key(key).is_log_key())
        .filter_map(|key| key.arn.as_deref())
        .collect();
    if !keys.is_empty() {
        statements.push(format!(r#"{{"Effect":"Allow","Action":"kms:Decrypt","Resource":{}}}"#, strings(keys)));
    }
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

/// The logs in a bucket that any of these accounts may read.
fn given(context: &Context<'_>, bucket: &str, readers: &[AccountId]) -> Given {
    let each = readers.iter().map(|reader| context.model.logs_of(*reader, bucket));
    each.fold(Given::nothing(), Given::and)
}

/// How the keys begin that these accounts may read in a bucket.
fn prefixes(context: &Context<'_>, bucket: &LogBucket, readers: &[AccountId]) -> Vec<String> {
    match given(context, &bucket.name, readers) {
        Given::All => bucket
            .prefixes()
            .map(|prefix| if prefix.is_empty() { "AWSLogs/".to_owned() } else { format!("{prefix}/AWSLogs/") })
            .collect(),
        Given::Of(accounts) => {
            accounts.into_iter().flat_map(|account| context.model.own_prefixes(account, &bucket.name)).collect()
        }
    }
}

fn reads(bucket: &str, prefixes: &[String]) -> [String; 2] {
    let objects = strings(prefixes.iter().map(|prefix| format!("{bucket}/{prefix}*")));
    let listed = strings(prefixes.iter().map(|prefix| format!("{prefix}*")));
    [
        format!(r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":{objects}}}"#),
        format!(
            r#"{{"Effect":"Allow","Action":"s3:ListBucket","Resource":"{bucket}","Condition":{{"StringLike":{{"s3:prefix":{listed}}}}}}}"#
        ),
    ]
}

/// One string, or a list of them.
fn strings<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = items.into_iter().map(|item| format!("\"{}\"", item.as_ref())).collect();
    match quoted.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(",")),
    }
}
