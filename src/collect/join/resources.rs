//! Which bucket, key, trail or account an answer is about.

use compact_str::CompactString;

use super::folder::KeyName;
use super::{By, FileTold, Join, One};
use crate::aws::{AccountId, Arn};
use crate::collect::kms;
use crate::collect::label::{BUCKET_POLICY, KEY_POLICY, Label, label};
use crate::collect::names::{Layout, is_bucket_name, is_key_id, partition_of_region};
use crate::collect::operation::{Operation, before, behind};
use crate::collect::piece::Loose;
use crate::collect::subject::Subject;
use crate::estate::{Account, BlockPublicAccess, Bucket, Gap, Key, Known, NamedBy, Trail};
use crate::text::Span;

/// A bucket's name and how it became known.
struct Named {
    name: CompactString,
    partition: CompactString,
    by: NamedBy,
}

impl Join<'_> {
    pub(super) fn bucket_policy(&mut self, file: &FileTold, policy: Loose) {
        let span = policy.document.span;
        let mut bucket = Bucket::new(CompactString::default(), NamedBy::Nothing, span);
        bucket.policy = Known::Present(policy.document, span);
        let own = policy.buckets.as_slice();
        let named = self.bucket_name(file, own, &policy.partition, &[&BUCKET_POLICY[..], &["policy"]].concat());
        self.bucket(file, bucket, named);
    }

    pub(super) fn bucket_facts(&mut self, file: &FileTold, bucket: Bucket) {
        let labels = labels(operation_of(&bucket));
        let named = self.bucket_name(file, &[], "aws", &labels);
        self.bucket(file, bucket, named);
    }

    fn bucket(&mut self, file: &FileTold, mut bucket: Bucket, named: Option<Named>) {
        match named {
            Some(named) => {
                bucket.name = named.name;
                bucket.partition = named.partition;
                bucket.named_by = named.by;
                if let Some(account) = self.account(file) {
                    bucket.account = Known::Present(account, file.span());
                }
            }
            None => bucket.name = self.builder.sources().name(file.source).into(),
        }
        self.builder.bucket(bucket);
    }

    /// The bucket a document is about, which itself names `own` buckets.
    fn bucket_name(
        &mut self,
        file: &FileTold,
        own: &[CompactString],
        partition: &str,
        labels: &[&str],
    ) -> Option<Named> {
        let input = |name: &CompactString, partition: &str| {
            Some(Named { name: name.clone(), partition: partition.into(), by: NamedBy::Input })
        };
        if let Some(Subject::Bucket { name, partition }) = file.subject() {
            return input(name, partition);
        }
        let layout = match &file.names.folder.layout {
            Layout::Bucket(name, in_account) => Some((name, *in_account)),
            _ => None,
        };
        match (layout, own) {
            // A snapshot's folder is the argument of the call that the file answers.
            (Some((name, true)), _) | (None | Some((_, false)), [name]) => return input(name, partition),
            _ => {}
        }
        // Several buckets in a policy: it is about the one that a name or the rest of the folder says.
        let fits = |name: &CompactString| own.is_empty() || own.contains(name);
        let written: Vec<CompactString> = names_in(&file.names.stem, labels)
            .into_iter()
            .map(CompactString::from)
            .filter(|name| is_bucket_name(name) && !SERVICES.contains(&name.as_str()))
            .collect();
        let known = written.iter().find(|name| self.folders.buckets.contains(*name));
        let of_file = known.or(match written.as_slice() {
            [only] => Some(only),
            _ => None,
        });
        let found = match (layout, of_file) {
            (Some((name, _)), _) if fits(name) => Some((name.clone(), By::Folder)),
            (_, Some(name)) if fits(name) => Some((name.clone(), By::File)),
            // A name is there, and nothing tells whose it is.
            (_, None) if !written.is_empty() && own.is_empty() => None,
            _ => {
                let folder = self.folder(file);
                let of_folder = file.names.folder.name.as_ref().filter(|name| own.contains(name));
                of_folder
                    .map(|name| (name.clone(), By::Folder))
                    .or_else(|| folder.bucket().filter(|name| fits(name)).map(|name| (name.clone(), By::Neighbours)))
            }
        };
        let (name, by) = found?;
        self.concluded(file, format!("bucket `{name}`"), by);
        Some(Named { name, partition: partition.into(), by: NamedBy::File })
    }

    pub(super) fn block_public_access(&mut self, file: &FileTold, settings: Known<BlockPublicAccess>, span: Span) {
        let of_account = match (file.subject(), &file.names.folder.layout) {
            (Some(Subject::Target(id)), _) => Some(AccountId::parse(id)),
            (_, Layout::S3Control) => Some(self.account(file)),
            _ if is_of_account(&file.names.stem) => Some(self.account(file)),
            _ => None,
        };
        match of_account {
            Some(Some(account)) => {
                let block_public_access = match settings {
                    Known::Unknown(gap) => Known::Unknown(Gap { fact: "account.public-access-block".into(), ..gap }),
                    told => told,
                };
                self.builder.account(account, Account { block_public_access, ..Account::default() });
            }
            Some(None) => self.nowhere("account.public-access-block", span),
            None => {
                let labels = labels(Some(Operation::GetPublicAccessBlock));
                let mut bucket = Bucket::new(CompactString::default(), NamedBy::Nothing, span);
                bucket.block_public_access = settings;
                match self.bucket_name(file, &[], "aws", &labels) {
                    Some(named) => self.bucket(file, bucket, Some(named)),
                    // A bucket's answer and an account's look the same.
                    None => self.nowhere("bucket.public-access-block", span),
                }
            }
        }
    }

    pub(super) fn key_policy(&mut self, file: &FileTold, policy: Loose) {
        let span = policy.document.span;
        let mut key = Key::new(CompactString::default(), span);
        key.policy = Known::Present(policy.document, span);
        if let [account] = policy.administrators.as_slice() {
            key.account = Some(*account);
        }
        self.key(file, key);
    }

    pub(super) fn key(&mut self, file: &FileTold, mut key: Key) {
        match self.key_name(file, &key) {
            Some(name) => {
                key.name = name.arn.clone().or_else(|| name.id.clone()).unwrap_or_default();
                key.account = name.account.or(key.account);
                key.id = name.id;
                key.arn = name.arn;
            }
            None => key.name = self.builder.sources().name(file.source).into(),
        }
        self.builder.key(key);
    }

    fn key_name(&mut self, file: &FileTold, key: &Key) -> Option<KeyName> {
        if let Some(Subject::Key(arn)) = file.subject() {
            let named = kms::named(arn, file.span());
            return Some(KeyName { id: named.id, arn: named.arn, account: named.account });
        }
        if key.arn.is_some() {
            return Some(KeyName { id: key.id.clone(), arn: key.arn.clone(), account: key.account });
        }
        if let Layout::Key { region, id } = &file.names.folder.layout
            && key.id.as_ref().is_none_or(|own| own == id)
        {
            let account = self.account(file).or(key.account);
            let arn = account
                .map(|account| format!("arn:{}:kms:{region}:{account}:key/{id}", partition_of_region(region)).into());
            return Some(KeyName { id: Some(id.clone()), arn, account });
        }
        if key.id.is_some() {
            return Some(KeyName { id: key.id.clone(), arn: None, account: key.account });
        }
        let labels: Vec<&str> =
            [&KEY_POLICY[..], &["policy", "grants", "aliases", "list-grants", "list-aliases"]].concat();
        let written = names_in(&file.names.stem, &labels).into_iter().find(|name| is_key_id(name));
        if let Some(id) = written {
            self.concluded(file, format!("key `{id}`"), By::File);
            return Some(KeyName { id: Some(id.into()), arn: None, account: None });
        }
        let known = self.folder(file).key()?.clone();
        // The account that administers a key is the account of the key.
        if key.account.is_some() && known.account.is_some() && key.account != known.account {
            return None;
        }
        let name = known.arn.clone().or_else(|| known.id.clone()).unwrap_or_default();
        self.concluded(file, format!("key `{name}`"), By::Neighbours);
        Some(known)
    }

    pub(super) fn trail_facts(&mut self, file: &FileTold, mut trail: Trail) {
        let span = trail.span;
        let Some(arn) = self.trail_arn(file) else { return self.nowhere("trail.status", span) };
        let parsed = Arn::parse(&arn);
        trail.name = parsed.and_then(|arn| arn.resource_of("trail")).unwrap_or_default().into();
        trail.account = parsed.and_then(|arn| arn.account_id());
        trail.home_region = parsed.map(|arn| arn.region.into());
        trail.arn = Some(arn);
        self.builder.trail(trail);
    }

    fn trail_arn(&mut self, file: &FileTold) -> Option<CompactString> {
        if let Some(Subject::Trail(arn)) = file.subject() {
            return Some(arn.clone());
        }
        if let Layout::Trail { region, name } = &file.names.folder.layout {
            let partition = partition_of_region(region);
            let account = self.account(file);
            let own = account.map(|account| {
                CompactString::from(format!("arn:{partition}:cloudtrail:{region}:{account}:trail/{name}"))
            });
            // In another account or Region than its own a trail is listed by the ARN it has at home.
            let above = file.names.folder.path.rsplit_once('/').map_or("", |(above, _)| above);
            let listed = self.folders.at(above).trails_by_name.get(name).and_then(One::one);
            let described = own.as_ref().filter(|arn| self.folders.trail_arns.contains(*arn)).or(listed);
            let anywhere = || self.folders.trails.get(name).and_then(One::one);
            return described.or_else(anywhere).cloned().or(own);
        }
        let labels =
            ["get-trail-status", "trail-status", "status", "get-event-selectors", "event-selectors", "selectors"];
        for name in names_in(&file.names.stem, &labels) {
            let here = self.folder(file).trails_by_name.get(name);
            if let Some(arn) = here.or_else(|| self.folders.trails.get(name)).and_then(One::one).cloned() {
                self.concluded(file, format!("trail `{name}`"), By::File);
                return Some(arn);
            }
        }
        let arn = self.folder(file).trails.one()?.clone();
        self.concluded(file, format!("trail `{arn}`"), By::Neighbours);
        Some(arn)
    }
}

/// Words for services in names of files, which are never names of buckets.
const SERVICES: [&str; 7] = ["s3", "s3api", "s3control", "aws", "awscli", "bucket", "get-bucket"];

/// Every name that a stem may hold beside one of `labels`; empty where the stem is a label. Beside a whole command there
/// is only one.
fn names_in<'s>(stem: &'s str, labels: &[&str]) -> Vec<&'s str> {
    if label(stem, labels) == Label::Alone {
        return Vec::new();
    }
    let mut names: Vec<&str> = Vec::new();
    for label in labels {
        // One word in front of a name could be a part of it.
        let found = before(stem, label).or_else(|| behind(stem, label).filter(|_| label.contains('-')));
        let Some(name) = found else { continue };
        if ["get-", "list-", "describe-"].iter().any(|verb| label.starts_with(verb)) {
            return vec![name];
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The labels of the answer to a call about a bucket.
fn labels(operation: Option<Operation>) -> Vec<&'static str> {
    let Some(operation) = operation else { return Vec::new() };
    let command = operation.command();
    let short = command.strip_prefix("get-").unwrap_or(command);
    let mut labels = vec![command, short, operation.snapshot()];
    labels.dedup();
    labels
}

/// The call that a bucket's one known fact answers.
fn operation_of(bucket: &Bucket) -> Option<Operation> {
    fn told<T>(fact: &Known<T>) -> bool {
        !matches!(fact, Known::Unknown(gap) if gap.places.is_empty())
    }
    [
        (told(&bucket.policy), Operation::GetBucketPolicy),
        (told(&bucket.ownership), Operation::GetBucketOwnershipControls),
        (told(&bucket.acl), Operation::GetBucketAcl),
        (told(&bucket.encryption), Operation::GetBucketEncryption),
        (told(&bucket.region), Operation::GetBucketLocation),
        (told(&bucket.policy_is_public), Operation::GetBucketPolicyStatus),
    ]
    .into_iter()
    .find_map(|(told, operation)| told.then_some(operation))
}

/// Whether a stem says that settings are an account's.
fn is_of_account(stem: &str) -> bool {
    let stem = stem.to_ascii_lowercase();
    stem.contains("s3control") || stem.starts_with("account-") || stem.contains("account-public-access-block")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_stand_before_or_behind_a_command_and_before_a_fact() {
        let labels = labels(Some(Operation::GetBucketAcl));
        let cases: [(&str, &[&str]); 7] = [
            ("get-bucket-acl", &[]),
            ("acl", &[]),
            ("logs-get-bucket-acl", &["logs"]),
            ("trail-logs-bucket-acl", &["trail-logs", "trail-logs-bucket"]),
            ("get-bucket-acl-logs", &["logs"]),
            ("logs.acl", &["logs"]),
            ("logs", &[]),
        ];
        for (stem, names) in cases {
            assert_eq!(names_in(stem, &labels), names, "{stem}");
        }
    }
}
