//! Whatever the input: no panic, a place, and the other inputs are read.

use proptest::prelude::*;
use trailproof::collect::Options;

use super::*;

/// The texts of the bundled estates.
fn texts() -> Vec<String> {
    let mut left = vec![fixture("estates/seed-flawed")];
    let mut texts = Vec::new();
    while let Some(at) = left.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => left.push(path),
                false => texts.push(fs::read_to_string(&path).unwrap()),
            }
        }
    }
    texts.sort();
    texts
}

proptest! {
    #[test]
    fn damaged_texts_are_read_without_a_panic_and_every_place_lies_in_its_text(
        which in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[\\PC\\n]{0,4}"), 0..4),
        kind in prop::sample::select(vec![None, Some(PolicyKind::Bucket), Some(PolicyKind::Trust), Some(PolicyKind::Scp)]),
    ) {
        let texts = texts();
        let mut text: Vec<char> = which.get(&texts).chars().collect();
        for (at, length, put) in cuts {
            let at = at.index(text.len() + 1);
            let end = (at + length.index(20)).min(text.len());
            text.splice(at..end, put.chars());
        }
        let text: String = text.into_iter().collect();
        let options = Options { kind, cwd: "/".into(), ..Options::default() };
        let collected = collect(&["-".into()], &mut text.as_bytes(), &options).unwrap();
        let estate = &collected.estate;
        let length = estate.sources.iter().next().map_or(0, |(_, source)| source.text().len());
        let broken = estate.broken.iter().map(|broken| broken.span);
        let gaps = estate.gaps.iter().flat_map(|gap| gap.places.iter().copied());
        for span in broken.chain(gaps).chain(estate.documents.iter().map(|document| document.span)) {
            prop_assert!(span.end as usize <= length, "{span:?} in {length} bytes");
        }
        prop_assert!(collected.files + collected.skipped.len() + collected.templates.len() == 1);
    }
}

#[test]
fn a_truncated_export_is_broken_where_it_ends_and_tells_nothing() {
    let export =
        fs::read_to_string(fixture("estates/seed-flawed/export/111111111111/iam/account-authorization-details.json"))
            .unwrap();
    let cut = &export[..export.len() / 2];
    let folder = Folder::new([("details.json", cut), ("a-trust.json", TRUST)]);
    let estate = folder.estate();
    assert_eq!(names(&estate), ["a"]);
    let [found] = &broken(&estate)[..] else { panic!("{:?}", estate.broken) };
    let lines = cut.lines().count();
    assert!(found.starts_with(&format!("details.json:{lines}:")) && found.ends_with("the text ends inside a value"));
}

#[test]
fn text_that_is_not_json_counts_where_it_is_named_or_holds_a_key_of_ours() {
    let folder = Folder::new([
        ("a-trust.json", TRUST),
        ("jsonc.json", "{ /* settings */ }"),
        ("policy.json", "{\"Statement\": [{]}"),
        ("answer.json", "{\"Policy\": \"{\\\"Statement\\\":"),
        ("encoded.json", "%7B%22Statement%22"),
        ("prose.json", "a Statement without quotes"),
    ]);
    let collected = folder.collect();
    assert_eq!(
        broken(&collected.estate),
        [
            "answer.json:1:28 the text ends inside a value",
            "encoded.json:1:1 expected a JSON value",
            "policy.json:1:17 expected a key in double quotes",
        ]
    );
    assert_eq!(
        skipped(&collected),
        ["jsonc.json: not JSON: expected a key in double quotes", "prose.json: not JSON: expected a JSON value"]
    );
    let named = folder.named(&["jsonc.json", "prose.json"]);
    assert_eq!(named.estate.broken.len(), 2);
    assert_eq!((named.files, messages(&named)), (2, vec![]));
}

#[test]
fn other_encodings_are_named_with_their_place() {
    let folder = Folder::new([("a-trust.json", TRUST)]);
    let half = TRUST.len() / 2;
    let mut invalid = TRUST.as_bytes()[..half].to_vec();
    invalid.extend([0xC3, 0x28]);
    folder.write("invalid.json", &invalid);
    let utf16: Vec<u8> = [0xFEFF_u16].into_iter().chain(TRUST.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    folder.write("utf16.json", &utf16);
    folder.write("picture.json", b"\x89PNG\r\n\xFF\xD8");
    folder.write("bom-trust.json", format!("\u{FEFF}{TRUST}").as_bytes());
    let collected = folder.collect();
    assert_eq!(names(&collected.estate), ["a", "bom"]);
    let found = broken(&collected.estate);
    assert_eq!(found[0], format!("invalid.json:1:{} the byte 0xC3 here is not UTF-8", half + 1));
    assert!(found[1].starts_with("utf16.json:1:1 this is UTF-16 text") && found.len() == 2, "{found:?}");
    assert_eq!(skipped(&collected), ["picture.json: the byte 0x89 here is not UTF-8"]);
}

#[test]
fn depth_is_limited_everywhere() {
    let deep = "[".repeat(1_000_000);
    let inner = string(&format!("{{\"Statement\":{}", "[".repeat(1_000)));
    let answer = format!("{{\"Policy\": {inner}}}");
    let layers = (0..6).fold(ACCESS.to_owned(), |text, _| string(&text));
    let folder = Folder::new([
        ("a-trust.json", TRUST),
        ("deep.json", deep.as_str()),
        ("answer.json", answer.as_str()),
        ("layers.json", layers.as_str()),
    ]);
    let collected = folder.named(&[".", "deep.json", "layers.json"]);
    assert_eq!(
        broken(&collected.estate)[..2],
        [
            "answer.json:1:155 nested deeper than 128 levels".to_owned(),
            "deep.json:1:129 nested deeper than 128 levels".to_owned(),
        ]
    );
    assert_eq!(skipped(&collected).len(), 1, "six layers of strings are no policy");
    assert_eq!(collected.estate.gaps.len(), 1);
}

#[test]
fn odd_policies_are_policies_with_problems() {
    let folder = Folder::new([
        ("sid-trust.json", TRUST.replace("\"Effect\"", "\"Sid\": \"a\\u0000\\u001b[31m\", \"Effect\"").as_str()),
        ("word-trust.json", r#"{"Version":"2012-10-17","Statement":"all"}"#),
    ]);
    let estate = folder.estate();
    let policy = role(&estate, "sid").trust.present().unwrap().policy(&estate.sources);
    assert_eq!(policy.statements[0].sid_text(), Some("a\0\u{1b}[31m"));
    assert_eq!(alone(&estate), [(PolicyKind::Resource, "word-trust.json")]);
    let answers = Folder::new([
        ("number/get-role-policy.json", r#"{"RoleName":"r","PolicyName":"p","PolicyDocument":7}"#),
        ("null/get-role.json", r#"{"Role":{"RoleName":"s","RoleId":"AROA","AssumeRolePolicyDocument":null}}"#),
        ("text/get-bucket-policy.json", r#"{"Policy":"see the wiki"}"#),
    ]);
    let estate = answers.estate();
    let inline = &role(&estate, "r").permissions.inline.present().unwrap()[0];
    let policy = inline.document.present().unwrap().policy(&estate.sources);
    assert_eq!(policy.problems[0].kind.to_string(), "`policy` is a number, not an object");
    assert_eq!(state(&role(&estate, "s").trust), "not in the inputs");
    assert_eq!(state(&estate.buckets[0].policy), "its text is not JSON");
    assert_eq!(broken(&estate), ["text/get-bucket-policy.json:1:12 expected a JSON value"]);
}

#[test]
fn keys_that_stand_twice_are_kept_once_for_each_place() {
    let role = r#"{"Role":{"RoleName":"r","RoleId":"AROA","RoleId":"AROB","AssumeRolePolicyDocument":
        {"Statement":[{"Effect":"Allow","Sid":"a","Sid":"a","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}}}"#;
    let folder = Folder::new([
        ("get-role.json", role),
        ("t-trust.json", &TRUST.replace("\"Action\"", "\"Action\":\"a:b\",\"Action\"")),
    ]);
    let estate = folder.estate();
    let keys: Vec<&str> = estate.duplicates.iter().map(|duplicate| duplicate.key.as_str()).collect();
    assert_eq!(keys, ["RoleId"], "those in policies are the policies' own");
    for role in &estate.roles {
        assert_eq!(role.trust.present().unwrap().policy(&estate.sources).duplicates.len(), 1, "{}", role.name);
    }
}

#[test]
fn ten_thousand_files_in_one_folder_take_no_quadratic_time() {
    let folder = Folder::new([]);
    for number in 0..5_000 {
        folder.write(&format!("r{number}-trust.json"), TRUST.as_bytes());
        folder.write(&format!("r{number}-access.json"), ACCESS.as_bytes());
    }
    let started = std::time::Instant::now();
    let collected = folder.collect();
    assert_eq!((collected.estate.roles.len(), collected.estate.documents.len()), (5_000, 0));
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn a_thousand_policies_of_one_bucket_are_one_contradiction() {
    let folder = Folder::new([]);
    for number in 0..1_000 {
        folder.write(&format!("{number}.json"), BUCKET.replace("s3:GetObject", &format!("s3:Get{number}")).as_bytes());
    }
    let estate = folder.estate();
    assert_eq!(state(&bucket(&estate, "logs").policy), "the inputs contradict each other");
    assert_eq!(estate.documents.len(), 1_000);
    assert_eq!((estate.gaps.len(), estate.gaps[0].places.len()), (1, 1_000));
}
