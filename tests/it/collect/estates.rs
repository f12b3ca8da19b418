//! The bundled estates are joined as they are meant.

use std::collections::BTreeSet;

use trailproof::aws::AccountId;
use trailproof::estate::{Document, Estate, Known, NamedBy};

use super::{Folder, bucket, fixture, read, role, state};

fn meaning(document: &Document, estate: &Estate) -> Vec<String> {
    let policy = document.policy(&estate.sources);
    let mut statements: Vec<String> = policy.statements.iter().map(|s| s.normal_form()).collect();
    statements.sort();
    statements
}

fn fact(known: &Known<Document>, estate: &Estate) -> String {
    match known {
        Known::Present(document, _) => format!("{:?}", meaning(document, estate)),
        other => state(other).to_owned(),
    }
}

/// Every role with what it is trusted and allowed, every bucket, key and trail with their facts.
fn facts(estate: &Estate) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for role in &estate.roles {
        let inline: Vec<String> = role
            .permissions
            .inline
            .present()
            .into_iter()
            .flatten()
            .map(|policy| fact(&policy.document, estate))
            .collect();
        facts.insert(format!("{:?} trusts {} may {inline:?}", role.arn(), fact(&role.trust, estate)));
    }
    for b in &estate.buckets {
        let settings = (b.ownership.present(), b.block_public_access.present(), b.policy_is_public.present());
        let algorithm = b.encryption.present().map(|e| (e.algorithm.clone(), e.key.clone().map(|k| k.value)));
        let grants: Option<Vec<_>> =
            b.acl.present().map(|acl| acl.grants.iter().map(|g| (g.grantee.clone(), g.permission.clone())).collect());
        let region = b.region.present();
        facts.insert(format!(
            "{:?} {region:?} {settings:?} {algorithm:?} {grants:?} {}",
            b.arn(),
            fact(&b.policy, estate)
        ));
    }
    for key in &estate.keys {
        let metadata = key.metadata.present().map(|m| (m.manager, m.state.clone().map(|s| s.value)));
        let aliases: Option<Vec<_>> = key.aliases.present().map(|all| all.iter().map(|a| a.value.clone()).collect());
        let rest = (key.rotation.present(), aliases, key.grants.present().map(Vec::len));
        facts.insert(format!("{:?} {metadata:?} {rest:?} {}", key.arn, fact(&key.policy, estate)));
    }
    for trail in &estate.trails {
        let status = trail.status.present().map(|s| (s.is_logging.map(|l| l.value), s.delivery_error.is_some()));
        let settings = (trail.is_organization.present(), trail.validates_log_files.present(), trail.key.present());
        facts.insert(format!("{:?} {:?} {settings:?} {status:?}", trail.arn, trail.bucket.present()));
    }
    let members: Vec<_> = estate.organization.accounts.present().into_iter().flatten().map(|m| m.id).collect();
    facts.insert(format!(
        "{:?} {:?} {members:?}",
        estate.organization.id.present(),
        estate.organization.management.present()
    ));
    facts
}

fn settled(name: &str) -> Estate {
    let collected = read(&fixture(name), 1);
    assert!(collected.errors.is_empty() && collected.skipped.is_empty(), "{name}: {:?}", collected.errors);
    let mut estate = collected.estate;
    assert!(estate.gaps.is_empty() && estate.broken.is_empty(), "{name}: {:?} {:?}", estate.gaps, estate.broken);
    estate.settle(AccountId::parse("111111111111").unwrap());
    estate
}

#[test]
fn loose_files_and_an_export_tell_the_same() {
    for name in ["seed-flawed", "two-accounts"] {
        let (raw, export) = (settled(&format!("estates/{name}/raw")), settled(&format!("estates/{name}/export")));
        assert_eq!(facts(&raw), facts(&export), "{name}");
        assert!(raw.documents.is_empty() && export.documents.is_empty(), "{name}");
        assert!(export.named.is_empty(), "a snapshot is no guess: {:?}", export.named);
    }
}

#[test]
fn both_forms_together_are_one_estate() {
    for name in ["seed-flawed", "seed-good", "two-accounts"] {
        let mut estate = read(&fixture(&format!("estates/{name}")), 2).estate;
        estate.settle(AccountId::parse("111111111111").unwrap());
        let export = settled(&format!("estates/{name}/export"));
        assert_eq!(estate.gaps, [], "{name}");
        assert_eq!(facts(&estate), facts(&export), "{name}");
    }
}

#[test]
fn a_member_that_only_has_a_permissions_file_joins_nothing() {
    let raw = settled("estates/seed-good/raw");
    assert_eq!(super::alone(&raw).len(), 1);
    assert_eq!(super::alone(&raw)[0].1, "members/222222222222/log-auditor-access.json");
    assert_eq!(role(&raw, "LogAccessRole").account, AccountId::parse("333333333333"));
}

#[test]
fn an_export_knows_everything_about_its_roles() {
    let export = settled("estates/seed-flawed/export");
    for role in &export.roles {
        let p = &role.permissions;
        let states = [state(&role.trust), state(&p.inline), state(&p.attached), state(&p.boundary)];
        assert_eq!(states, ["present", "present", "present", "absent"], "{}", role.name);
    }
    let raw = settled("estates/seed-flawed/raw");
    let loose = role(&raw, "log-analyzer");
    assert_eq!((loose.named_by, state(&loose.permissions.attached)), (NamedBy::File, "not in the inputs"));
    let described = role(&raw, "partner-feed");
    assert_eq!(described.permissions.inline.present().map(Vec::len), Some(0));
    let attached: Vec<&str> = described.permissions.attached.present().unwrap().iter().map(|a| a.as_str()).collect();
    assert_eq!(attached, ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]);
}

#[test]
fn the_policies_for_rules_are_each_read_as_the_kind_they_are() {
    for side in ["right", "wrong"] {
        let index = std::fs::read_to_string(fixture(&format!("policies/{side}/index.json"))).unwrap();
        let index: serde_json::Value = serde_json::from_str(&index).unwrap();
        for case in index.as_array().unwrap() {
            let file = case["file"].as_str().unwrap();
            let Some(kind) = case["kind"].as_str() else {
                let collected = read(&fixture(&format!("policies/{side}/{file}")), 1);
                assert!(collected.errors.is_empty() && collected.estate.gaps.is_empty(), "{file}");
                // Each folder is about one thing, and all its files are about that.
                let e = &collected.estate;
                let things = e.roles.len() + e.keys.len() + e.buckets.len();
                assert!(e.documents.is_empty() && (things == 1 || file == "role-session-tags"), "{file}");
                continue;
            };
            if file.contains("invalid-json") {
                continue;
            }
            let folder = fixture(&format!("policies/{side}"));
            let options = trailproof::collect::Options { cwd: folder, ..Default::default() };
            let collected = trailproof::collect::collect(&[file.into()], &mut &b""[..], &options).unwrap();
            let e = &collected.estate;
            let found = [
                e.roles.iter().filter_map(|r| r.trust.present()).next().map(|d| d.kind),
                e.buckets.iter().filter_map(|b| b.policy.present()).next().map(|d| d.kind),
                e.keys.iter().filter_map(|k| k.policy.present()).next().map(|d| d.kind),
                e.documents.first().map(|d| d.kind),
            ];
            let found: Vec<&str> = found.iter().flatten().map(|kind| kind.name()).collect();
            assert_eq!(found, [kind], "{side}/{file}");
        }
    }
}

#[test]
fn neither_threads_nor_the_order_of_paths_change_the_estate() {
    let folder = Folder::new([]);
    for (number, name) in ["seed-good/raw", "seed-flawed/raw", "seed-flawed/export"].iter().enumerate() {
        let from = fixture(&format!("estates/{name}"));
        let mut left = vec![from.clone()];
        while let Some(at) = left.pop() {
            for entry in std::fs::read_dir(at).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    left.push(path);
                } else {
                    let inside = path.strip_prefix(&from).unwrap().to_string_lossy().into_owned();
                    folder.write(&format!("{number}/{inside}"), &std::fs::read(&path).unwrap());
                }
            }
        }
    }
    let show = |paths: &[&str], jobs: usize| {
        let options = trailproof::collect::Options { jobs, ..folder.options() };
        let paths: Vec<std::path::PathBuf> = paths.iter().map(Into::into).collect();
        let mut collected = trailproof::collect::collect(&paths, &mut &b""[..], &options).unwrap();
        let before = format!("{:#?}", collected.estate);
        collected.estate.settle(AccountId::parse("111111111111").unwrap());
        format!("{before}\n{collected:#?}")
    };
    let expected = show(&["0", "1", "2"], 1);
    assert!(expected.contains("the inputs contradict each other"), "the two estates are not the same");
    assert_eq!(show(&["0", "1", "2"], 4), expected);
    assert_eq!(show(&["2", "1", "0", "1"], 3), expected);
    assert_eq!(show(&["2", "./0/", "1/roles", "1", "0/roles/../roles"], 1), expected);
    let good = bucket(&read(&fixture("estates/seed-good/raw"), 1).estate, "my-organization-bucket").name.clone();
    assert_eq!(good, "my-organization-bucket");
}
