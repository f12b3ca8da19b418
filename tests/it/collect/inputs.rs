//! Which files are read, and how they are called.

use std::io::Write;

use trailproof::estate::NamedBy;
use trailproof::policy::PolicyKind;

use super::*;

#[test]
fn directories_are_walked_for_json_in_any_case_and_named_files_are_read_whatever_they_are_called() {
    let folder = Folder::new([
        ("a-trust.json", TRUST),
        ("deep/er/b-trust.JSON", TRUST),
        ("c-trust.txt", TRUST),
        (".hidden/d-trust.json", TRUST),
        (".e-trust.json", TRUST),
    ]);
    let estate = folder.estate();
    assert_eq!(names(&estate), ["a", "b"]);
    let collected = folder.named(&["c-trust.txt", ".hidden", ".e-trust.json"]);
    assert_eq!(names(&collected.estate), [".e", "c", "d"]);
    assert_eq!((collected.files, messages(&collected)), (3, vec![]));
}

#[test]
fn only_ignore_files_below_the_given_path_count() {
    let folder = Folder::new([
        (".gitignore", "/in\n"),
        ("in/.gitignore", "a-trust.json\n"),
        ("in/.ignore", "sub/\n"),
        ("in/a-trust.json", TRUST),
        ("in/b-trust.json", TRUST),
        ("in/sub/c-trust.json", TRUST),
        ("d-trust.json", TRUST),
    ]);
    assert_eq!(names(&folder.estate()), ["d"]);
    assert_eq!(names(&folder.named(&["in"]).estate), ["b"]);
    assert_eq!(names(&folder.named(&["in", "in/a-trust.json"]).estate), ["a", "b"]);
    assert_eq!(names(&folder.named(&["in/sub"]).estate), ["c"]);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_unless_they_are_named() {
    let folder = Folder::new([("real/a-trust.json", TRUST), ("walked/b-trust.json", TRUST)]);
    let link = |from: &str, to: &str| {
        std::os::unix::fs::symlink(folder.path().join(from), folder.path().join(to)).unwrap();
    };
    link("real", "walked/folder");
    link("real/a-trust.json", "walked/link-trust.json");
    let collected = folder.named(&["walked"]);
    assert_eq!(names(&collected.estate), ["b"]);
    assert_eq!(skipped(&collected), ["walked/link-trust.json: a link, which is not followed"]);
    assert_eq!(names(&folder.named(&["walked/link-trust.json", "walked/folder"]).estate), ["a", "link"]);
}

#[test]
fn a_file_that_is_named_twice_is_read_once() {
    let folder = Folder::new([("x/a-trust.json", TRUST)]);
    let collected = folder.named(&["x/a-trust.json", "./x//a-trust.json", "x/../x/a-trust.json", "x", "."]);
    assert_eq!((collected.files, collected.estate.sources.len()), (1, 1));
    assert_eq!(collected.estate.sources.name(collected.estate.roles[0].span.source), "x/a-trust.json");
}

#[test]
fn names_are_relative_to_the_working_directory_and_absolute_outside_of_it() {
    let folder = Folder::new([("in/a-trust.json", TRUST), ("out/b-trust.json", TRUST)]);
    let options = Options { cwd: folder.path().join("in"), ..Options::default() };
    let collected = collect(&[".".into(), "../out".into()], &mut &b""[..], &options).unwrap();
    let mut names: Vec<&str> = collected.estate.sources.iter().map(|(_, source)| source.name()).collect();
    names.sort_unstable();
    let outside = folder.path().join("out/b-trust.json");
    assert_eq!(names, [outside.to_str().unwrap(), "a-trust.json"]);
}

#[test]
fn compressed_files_are_read_as_the_text_inside() {
    let folder = Folder::new([]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(format!("\u{FEFF}\n{TRUST}").as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    folder.write("a-trust.json.gz", &packed);
    folder.write("b-trust.JSON.GZ", &packed);
    let estate = folder.estate();
    assert_eq!(names(&estate), ["a", "b"]);
    let span = estate.roles[0].span;
    assert_eq!(estate.sources.source(span.source).unwrap().position(span.start).to_string(), "2:1");
}

#[test]
fn a_damaged_compressed_file_is_an_error_and_the_rest_is_read() {
    let folder = Folder::new([("b-trust.json", TRUST)]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(TRUST.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    folder.write("a-trust.json.gz", &packed[..packed.len() / 2]);
    let collected = folder.collect();
    assert_eq!(names(&collected.estate), ["b"]);
    assert!(matches!(&collected.errors[..], [CollectError::Gzip { path, .. }] if path == "a-trust.json.gz"));
}

#[test]
fn standard_input_is_a_dash() {
    let folder = Folder::new([("access.json", ACCESS)]);
    let run = |options: &Options<'_>| collect(&["-".into(), "-".into()], &mut TRUST.as_bytes(), options).unwrap();
    let collected = run(&folder.options());
    let role = &collected.estate.roles[0];
    assert_eq!((collected.files, role.name.as_str(), role.named_by), (1, "-", NamedBy::Nothing));
    let subject = Some("arn:aws:iam::111111111111:role/team/reader");
    let collected = run(&Options { subject, ..folder.options() });
    assert_eq!(collected.estate.roles[0].arn().as_deref(), subject);
}

#[test]
fn the_kind_and_the_subject_of_a_named_file_are_taken_from_the_user() {
    let folder = Folder::new([("p.json", ACCESS), ("q.json", "7"), ("walked/r.json", ACCESS)]);
    let kind = Some(PolicyKind::Boundary);
    let run = |paths: &[&str], options: Options<'_>| {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        collect(&paths, &mut &b""[..], &options)
    };
    let collected = run(&["p.json", "q.json", "walked"], Options { kind, ..folder.options() }).unwrap();
    assert_eq!(
        alone(&collected.estate),
        [(PolicyKind::Boundary, "p.json"), (PolicyKind::Boundary, "q.json"), (PolicyKind::Identity, "walked/r.json")]
    );
    let number = collected.estate.documents[1].policy(&collected.estate.sources);
    assert_eq!(number.problems[0].kind.to_string(), "`policy` is a number, not an object");

    let subject = Some("arn:aws:iam::111111111111:user/u");
    let collected = run(&["p.json"], Options { kind, subject, ..folder.options() }).unwrap();
    assert!(collected.estate.users[0].permissions.boundary_document.is_some());
    let refused = |paths: &[&str], subject: &str| {
        run(paths, Options { subject: Some(subject), ..folder.options() }).unwrap_err().to_string()
    };
    let arn = "arn:aws:iam::111111111111:user/u";
    assert_eq!(
        refused(&["p.json", "walked/r.json"], arn),
        "`--subject` is for one document given by name or on standard input, and 2 are given"
    );
    assert_eq!(
        refused(&["walked"], arn),
        "`--subject` is for one document given by name or on standard input, and none is given"
    );
    assert_eq!(refused(&["p.json"], "reader"), "`reader` is nothing that a policy document can be attached to");
    let subject = Some("arn:aws:s3:::logs");
    let collected = run(&["p.json"], Options { subject, ..folder.options() }).unwrap();
    assert_eq!(state(&bucket(&collected.estate, "logs").policy), "present", "what is on a bucket is a bucket policy");
    let kind = Some(PolicyKind::Identity);
    let collected = run(&["p.json"], Options { kind, subject, ..folder.options() }).unwrap();
    assert_eq!(messages(&collected), ["`arn:aws:s3:::logs` is nothing that an identity policy can be attached to"]);
    assert_eq!(alone(&collected.estate), [(PolicyKind::Identity, "p.json")]);
}

#[test]
fn a_declared_file_is_what_the_config_says() {
    let folder = Folder::new([("p/one.json", BUCKET), ("p/two.json", ACCESS), ("p/get-bucket-acl.json", ACL)]);
    let declared = |path: &Path| {
        let (kind, subject) = match path.file_name().unwrap().to_str().unwrap() {
            "one.json" => (PolicyKind::Bucket, Some("arn:aws-cn:s3:::archive")),
            "two.json" => (PolicyKind::Scp, Some("ou-ab12-cdef")),
            _ => return None,
        };
        Some(Declared { kind, subject: subject.map(str::to_owned) })
    };
    let options = Options { declared: Some(&declared), ..folder.options() };
    let collected = collect(&[".".into()], &mut &b""[..], &options).unwrap();
    let estate = &collected.estate;
    let archive = bucket(estate, "archive");
    assert_eq!(archive.arn().as_deref(), Some("arn:aws-cn:s3:::archive"));
    assert_eq!((state(&archive.policy), state(&archive.acl)), ("present", "present"));
    let scp = &estate.organization.policies[0];
    assert_eq!((scp.name.as_str(), scp.targets.present().unwrap()[0].id.as_str()), ("p/two.json", "ou-ab12-cdef"));
}

#[test]
fn a_directory_without_anything_of_ours_is_an_error_of_its_own() {
    let folder = Folder::new([
        ("ours/a-trust.json", TRUST),
        ("other/package.json", "{\"name\": 1}"),
        ("other/broken.json", "{"),
        ("other/empty.json", " \n"),
        ("other/template.json", "{\"AWSTemplateFormatVersion\": \"2010-09-09\", \"Resources\": {}}"),
    ]);
    fs::create_dir(folder.path().join("nothing")).unwrap();
    let collected = folder.named(&["ours", "other", "nothing", "missing"]);
    assert_eq!(
        messages(&collected),
        [
            "can not read `missing`: no such file or directory",
            "nothing to audit in `other`: 3 JSON files that are not what is looked for, 1 template, which is not \
             read yet",
            "nothing to audit in `nothing`: no *.json or *.json.gz",
        ]
    );
    assert_eq!(
        skipped(&collected),
        [
            "other/broken.json: not JSON: the text ends inside a value",
            "other/empty.json: empty",
            "other/package.json: JSON, but neither a policy document nor an answer of the AWS CLI",
        ]
    );
    assert_eq!(collected.templates[0].why, "CloudFormation template");
    assert_eq!(collected.files, 1);
}

#[test]
fn a_named_file_that_is_none_of_ours_is_an_error_only_where_nothing_else_is_read() {
    let folder = Folder::new([("a-trust.json", TRUST), ("package.json", "{\"name\": 1}")]);
    let both = folder.named(&["a-trust.json", "package.json"]);
    assert_eq!((messages(&both), both.skipped.len(), both.skipped[0].named), (vec![], 1, true));
    let one = folder.named(&["package.json"]);
    assert!(matches!(one.errors[..], [CollectError::NothingRead]));
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_an_error_and_the_rest_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new([("a-trust.json", TRUST), ("closed/b-trust.json", TRUST), ("c-trust.json", TRUST)]);
    let close = |name: &str, mode: u32| {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    close("closed", 0o000);
    close("c-trust.json", 0o000);
    if fs::read_dir(folder.path().join("closed")).is_ok() {
        println!("not run: this user may read everything");
        close("closed", 0o755);
        return;
    }
    let collected = folder.collect();
    close("closed", 0o755);
    assert_eq!(names(&collected.estate), ["a"]);
    assert_eq!(
        messages(&collected),
        ["can not read `closed`: permission denied", "can not read `c-trust.json`: permission denied"]
    );
}
