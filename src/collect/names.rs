//! What the names of a file and its folders tell.
//!
//! Nothing here is a guess about content: a name only says what it would be about. [`super::join`] decides, and trusts
//! a name least of all.

use std::collections::HashMap;
use std::path::{Component, Path};
use std::sync::Arc;

use compact_str::CompactString;

use super::files::STDIN;
use super::operation::{Folder, Operation, is};
use crate::aws::AccountId;

/// A file as its names describe it.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// Its folder.
    pub(super) folder: Arc<FolderNames>,
    /// Its name without `.json` and `.gz`.
    pub(super) stem: CompactString,
    /// The command it is the answer of.
    pub(super) operation: Option<Operation>,
}

/// A folder as its own name and those above it describe it.
#[derive(Debug)]
pub(super) struct FolderNames {
    /// Its number among the folders of all files.
    pub(super) number: u32,
    /// What reports would call it.
    pub(super) path: String,
    /// Its name, unless it is the working directory or its name says only what all its files are.
    pub(super) name: Option<CompactString>,
    /// The nearest folder that is called after an account.
    pub(super) account: Option<AccountId>,
    /// What it is, in a snapshot or a layout like it.
    pub(super) layout: Layout,
}

/// The folders of files, each looked at once.
#[derive(Debug, Default)]
pub(super) struct AllFolders {
    known: HashMap<String, Arc<FolderNames>>,
    last: Option<Arc<FolderNames>>,
}

impl AllFolders {
    /// The folder of the file at `path` (absolute), which reports call `name`.
    pub(super) fn of(&mut self, name: &str, path: &Path) -> Arc<FolderNames> {
        let folder = match name {
            STDIN => STDIN,
            _ => name.rsplit_once('/').map_or("", |(folder, _)| folder),
        };
        if let Some(last) = self.last.as_ref().filter(|last| last.path == folder) {
            return Arc::clone(last);
        }
        let number = self.known.len() as u32;
        let new = || Arc::new(FolderNames::new(number, folder, path));
        let names = self.known.entry(folder.to_owned()).or_insert_with(new);
        self.last = Some(Arc::clone(names));
        Arc::clone(names)
    }
}

/// What a folder is about, by its name and those above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout {
    /// Nothing known.
    Loose,
    /// `s3/<bucket>`; whether the account stands above it, as in a snapshot.
    Bucket(CompactString, bool),
    /// `kms/<region>/<key ID>`
    Key { region: CompactString, id: CompactString },
    /// `cloudtrail/<region>/<trail>`
    Trail { region: CompactString, name: CompactString },
    /// `cloudtrail/<region>`
    Trails,
    /// `s3control`
    S3Control,
    /// `organization`
    Organization,
    /// `organization/policies/<id>`
    OrganizationPolicy(CompactString),
    /// `organization/parents`; the account or OU is the file's stem.
    Parents,
    /// `iam`
    Iam,
    /// `roles/<name>`
    Role(CompactString),
    /// `roles`
    Roles,
    /// `users/<name>`
    User(CompactString),
    /// `users`
    Users,
    /// `groups/<name>`
    Group(CompactString),
    /// `groups`
    Groups,
    /// `iam/policies/<name>`
    ManagedPolicy(CompactString),
    /// A folder of permissions boundaries.
    Boundaries,
    /// A folder of service control policies.
    Scps,
    /// A folder of resource control policies.
    Rcps,
}

/// Names of folders that say what their files are, not what they are about.
const GENERIC: [&str; 34] = [
    "access",
    "answers",
    "attached",
    "aws",
    "bucket",
    "buckets",
    "cli",
    "cloudtrail",
    "data",
    "docs",
    "documents",
    "export",
    "exports",
    "files",
    "iam",
    "inline",
    "inline-policies",
    "json",
    "key",
    "keys",
    "kms",
    "org",
    "organization",
    "permissions",
    "policies",
    "policy",
    "raw",
    "role",
    "roles",
    "s3",
    "snapshot",
    "src",
    "trust",
    "trust-policies",
];

impl Names {
    /// The place of the file in that folder which reports call `name`; standard input has no name at all.
    pub(super) fn new(name: &str, folder: Arc<FolderNames>) -> Self {
        if name == STDIN {
            return Names { folder, stem: CompactString::default(), operation: None };
        }
        let stem = stem(name.rsplit('/').next().unwrap_or(name));
        let operation = operation(&folder.layout, stem);
        Names { folder, stem: stem.into(), operation }
    }

    /// The place of one file by itself.
    #[cfg(test)]
    pub(super) fn alone(name: &str, path: &Path) -> Self {
        Names::new(name, AllFolders::default().of(name, path))
    }
}

impl FolderNames {
    fn new(number: u32, folder: &str, path: &Path) -> Self {
        let folders: Vec<String> = path
            .parent()
            .into_iter()
            .flat_map(Path::components)
            .filter_map(|component| match component {
                Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
                _ => None,
            })
            .collect();
        // What stands above the working directory is trusted only where an account names the layout.
        let shown = folder.split('/').filter(|part| !part.is_empty()).count().min(folders.len());
        let layout = layout(&folders, shown);
        let name = folders
            .last()
            .filter(|_| shown > 0)
            .filter(|name| {
                let lower = name.to_ascii_lowercase();
                !GENERIC.contains(&lower.as_str()) && AccountId::parse(name).is_none() && !is_region(name)
            })
            .map(CompactString::from);
        FolderNames { number, path: folder.to_owned(), name, account: account(&folders), layout }
    }
}

/// A file's name without the endings that say how it is written.
fn stem(file: &str) -> &str {
    let lower = file.to_ascii_lowercase();
    let mut length = lower.strip_suffix(".gz").map_or(file.len(), str::len);
    for ending in [".json", ".txt", ".out", ".log"] {
        let rest = lower.get(..length).and_then(|name| name.strip_suffix(ending));
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            length = rest.len();
            break;
        }
    }
    file.get(..length).unwrap_or(file)
}

fn operation(layout: &Layout, stem: &str) -> Option<Operation> {
    let folder = match layout {
        Layout::Bucket(..) => Some(Folder::Bucket),
        Layout::Key { .. } => Some(Folder::Key),
        Layout::Trail { .. } => Some(Folder::Trail),
        Layout::Trails => Some(Folder::Trails),
        Layout::S3Control => Some(Folder::Account),
        Layout::Organization => Some(Folder::Organization),
        Layout::OrganizationPolicy(_) => Some(Folder::OrganizationPolicy),
        Layout::Parents => return Some(Operation::ListParents),
        Layout::Iam => Some(Folder::Iam),
        Layout::Role(_) => Some(Folder::Role),
        Layout::User(_) => Some(Folder::User),
        Layout::Group(_) => Some(Folder::Group),
        Layout::ManagedPolicy(_) => Some(Folder::ManagedPolicy),
        _ => None,
    };
    let known = folder.map(Operation::in_folder).unwrap_or_default();
    known.iter().find(|operation| is(stem, operation.snapshot())).copied().or_else(|| Operation::of_stem(stem))
}

/// The nearest folder called after an account, unless the folder above makes it the name of something else.
fn account(folders: &[String]) -> Option<AccountId> {
    const NAMED: [&str; 8] = ["roles", "role", "users", "groups", "s3", "buckets", "policies", "parents"];
    (0..folders.len()).rev().find_map(|at| {
        let above = at.checked_sub(1).and_then(|above| folders.get(above));
        let account = folders.get(at).and_then(|name| AccountId::parse(name))?;
        (!above.is_some_and(|above| NAMED.contains(&above.as_str()))).then_some(account)
    })
}

fn layout(folders: &[String], shown: usize) -> Layout {
    // From the folder of the file upwards; empty where there is none or where it is not to be trusted.
    let depth = folders.len();
    let any = |up: usize| depth.checked_sub(up + 1).and_then(|at| folders.get(at)).map_or("", String::as_str);
    let is_account = |up: usize| AccountId::parse(any(up)).is_some();
    if is_account(2) && any(1) == "s3" && is_bucket_name(any(0)) {
        return Layout::Bucket(any(0).into(), true);
    }
    let is_below_account = (1..=4).any(is_account) || is_account(0);
    let at = |up: usize| if up < shown || is_below_account { any(up) } else { "" };
    let own = || CompactString::from(any(0));
    match (at(0), at(1), at(2)) {
        (bucket, "s3" | "buckets", _) if is_bucket_name(bucket) => Layout::Bucket(own(), false),
        (id, region, "kms") if is_region(region) && is_key_id(id) => Layout::Key { region: region.into(), id: own() },
        (region, "cloudtrail", _) if is_region(region) => Layout::Trails,
        (name, region, "cloudtrail") if is_region(region) && !name.is_empty() => {
            Layout::Trail { region: region.into(), name: own() }
        }
        ("s3control", _, _) => Layout::S3Control,
        ("parents", "organization", _) => Layout::Parents,
        (id, "policies", "organization") if id.starts_with("p-") => Layout::OrganizationPolicy(own()),
        ("organization", _, _) => Layout::Organization,
        (_, "policies", "iam") => Layout::ManagedPolicy(own()),
        ("inline" | "inline-policies" | "policies", name, "roles") => Layout::Role(name.into()),
        ("inline" | "inline-policies" | "policies", name, "users") => Layout::User(name.into()),
        ("inline" | "inline-policies" | "policies", name, "groups") => Layout::Group(name.into()),
        ("roles" | "role", _, _) => Layout::Roles,
        ("users", _, _) => Layout::Users,
        ("groups", _, _) => Layout::Groups,
        ("iam", _, _) => Layout::Iam,
        ("boundaries" | "boundary" | "permissions-boundaries", _, _) => Layout::Boundaries,
        ("scp" | "scps" | "service-control-policies", _, _) => Layout::Scps,
        ("rcp" | "rcps" | "resource-control-policies", _, _) => Layout::Rcps,
        (name, "roles" | "role", _) if !name.is_empty() => Layout::Role(own()),
        (name, "users", _) if !name.is_empty() => Layout::User(own()),
        (name, "groups", _) if !name.is_empty() => Layout::Group(own()),
        _ => Layout::Loose,
    }
}

/// Whether a text can be the name of a bucket (S3 User Guide, "General purpose bucket naming rules").
pub(super) fn is_bucket_name(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let end = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = text.as_bytes();
    (3..=63).contains(&bytes.len()) && end(bytes.first()) && end(bytes.last()) && text.bytes().all(inside)
}

/// Whether a text is the ID of a KMS key: a UUID, or `mrk-` and 32 hexadecimal digits.
pub(super) fn is_key_id(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix("mrk-") {
        return digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    }
    let groups: Vec<usize> = text
        .split('-')
        .map(|group| if group.bytes().all(|b| b.is_ascii_hexdigit()) { group.len() } else { 0 })
        .collect();
    groups == [8, 4, 4, 4, 12]
}

/// Whether a text is the code of a Region, such as `us-gov-west-1`.
pub(super) fn is_region(text: &str) -> bool {
    let mut parts = text.split('-').rev();
    let number = parts.next().is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let words: Vec<&str> = parts.collect();
    number
        && (2..=3).contains(&words.len())
        && words.iter().all(|w| w.len() >= 2 && w.bytes().all(|b| b.is_ascii_lowercase()))
}

/// The partition of a Region.
pub(super) fn partition_of_region(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// Whether a text can be the name of a role, user or group (IAM User Guide, "IAM and AWS STS quotas").
pub(super) fn is_iam_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> Names {
        Names::alone(name, &Path::new("/home/u/w").join(name))
    }

    #[test]
    fn the_folders_of_a_snapshot_are_known() {
        let a = AccountId::parse("111111111111");
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        let cases = [
            (
                "s/111111111111/s3/logs/policy.json",
                a,
                Layout::Bucket("logs".into(), true),
                Some(Operation::GetBucketPolicy),
            ),
            ("s/s3/logs/acl.json", None, Layout::Bucket("logs".into(), false), Some(Operation::GetBucketAcl)),
            (
                "111111111111/kms/us-east-1/1234abcd-12ab-34cd-56ef-1234567890ab/policy.json",
                a,
                Layout::Key { region: "us-east-1".into(), id: id.into() },
                Some(Operation::GetKeyPolicy),
            ),
            ("111111111111/cloudtrail/us-east-1/trails.json", a, Layout::Trails, Some(Operation::DescribeTrails)),
            (
                "111111111111/cloudtrail/us-gov-west-1/org/status.json",
                a,
                Layout::Trail { region: "us-gov-west-1".into(), name: "org".into() },
                Some(Operation::GetTrailStatus),
            ),
            (
                "111111111111/s3control/public-access-block.json",
                a,
                Layout::S3Control,
                Some(Operation::GetPublicAccessBlock),
            ),
            ("x/organization/accounts.json", None, Layout::Organization, Some(Operation::ListAccounts)),
            ("organization/parents/222222222222.json", None, Layout::Parents, Some(Operation::ListParents)),
            (
                "organization/policies/p-1/targets.json",
                None,
                Layout::OrganizationPolicy("p-1".into()),
                Some(Operation::ListTargetsForPolicy),
            ),
            ("111111111111/iam/roles/r/role.json", a, Layout::Role("r".into()), Some(Operation::GetRole)),
            ("111111111111/iam/roles/r/policies/p.json", a, Layout::Role("r".into()), None),
            ("roles/222222222222/trust-policy.json", None, Layout::Role("222222222222".into()), None),
            ("a/b/c.json", None, Layout::Loose, None),
            ("c.json", None, Layout::Loose, None),
        ];
        for (name, account, layout, operation) in cases {
            let place = place(name);
            let found = (place.folder.account, &place.folder.layout, place.operation);
            assert_eq!(found, (account, &layout, operation), "{name}");
        }
    }

    #[test]
    fn folders_above_the_working_directory_count_only_below_an_account() {
        let at = |cwd: &str| Names::alone("acl.json", &Path::new(cwd).join("acl.json"));
        assert_eq!(at("/data/111111111111/s3/logs").folder.layout, Layout::Bucket("logs".into(), true));
        assert_eq!(at("/data/s3/logs").folder.layout, Layout::Loose);
        assert_eq!(at("/home/roles/u").folder.layout, Layout::Loose);
    }

    #[test]
    fn a_folder_that_says_only_what_its_files_are_gives_no_name() {
        assert_eq!(place("x/reader/trust.json").folder.name.as_deref(), Some("reader"));
        for name in ["policies/trust.json", "IAM/trust.json", "111111111111/trust.json", "trust.json"] {
            assert_eq!(place(name).folder.name, None, "{name}");
        }
    }

    #[test]
    fn the_stem_is_what_stands_before_the_endings() {
        for (file, expected) in [
            ("a.json", "a"),
            ("a.JSON.GZ", "a"),
            ("a.trust.json", "a.trust"),
            ("a.txt", "a"),
            ("a", "a"),
            (".json", ".json"),
            ("v1.2", "v1.2"),
        ] {
            assert_eq!(stem(file), expected, "{file}");
        }
    }

    #[test]
    fn ids_and_names_are_told_by_their_form() {
        assert!(is_key_id("1234abcd-12ab-34cd-56ef-1234567890ab") && !is_key_id("1234abcd-12ab-34cd-56ef"));
        assert!(is_key_id("mrk-1234abcd12ab34cd56ef1234567890ab") && !is_key_id("alias"));
        assert!(is_region("eu-west-1") && is_region("us-iso-east-1") && !is_region("org") && !is_region("a-b-1"));
        assert!(is_bucket_name("my.log-bucket") && !is_bucket_name("My") && !is_bucket_name("-ab"));
    }
}
