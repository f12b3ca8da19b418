use super::super::{action, services};
use super::*;
use proptest::prelude::*;

fn applies(name: &str, pattern: &str) -> Applies {
    action(name).unwrap().applies_to(pattern)
}

fn check(rows: &[(&str, &str, Applies)]) {
    for (name, pattern, expected) in rows {
        assert_eq!(applies(name, pattern), *expected, "{name} on {pattern}");
    }
}

#[test]
fn buckets_and_their_objects_are_told_apart() {
    check(&[
        ("s3:GetObject", "arn:aws:s3:::b", Applies::No),
        ("s3:GetObject", "arn:aws:s3:::b/", Applies::No),
        ("s3:GetObject", "arn:aws:s3:::b/*", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3:::b*", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3:::b/AWSLogs/111111111111/*", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3:::*", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3:::b?", Applies::No),
        ("s3:GetObject", "arn:aws:s3:::b??", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3:::?????", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3:::??", Applies::No),
        ("s3:GetObject", "arn:aws:s3:::b/a:b", Applies::Yes),
        ("s3:ListBucket", "arn:aws:s3:::b", Applies::Yes),
        ("s3:ListBucket", "arn:aws:s3:::b*", Applies::Yes),
        ("s3:ListBucket", "arn:aws:s3:::b/*", Applies::No),
        ("s3:ListBucket", "arn:aws:s3:::*/*", Applies::No),
        ("s3:ListBucket", "arn:aws:s3:::b:c", Applies::No),
        ("s3:ListBucket", "arn:aws:s3:::", Applies::No),
        ("s3:PutBucketPolicy", "arn:aws:s3:::b/policy", Applies::No),
    ]);
}

#[test]
fn only_the_star_covers_an_action_without_resources() {
    check(&[
        ("s3:ListAllMyBuckets", "*", Applies::Yes),
        ("s3:ListAllMyBuckets", "**", Applies::Yes),
        ("s3:ListAllMyBuckets", "arn:aws:s3:::b", Applies::No),
        ("s3:ListAllMyBuckets", "arn:aws:s3:::b*", Applies::No),
        ("s3:ListAllMyBuckets", "arn:aws:kms:::*", Applies::No),
        ("s3:ListAllMyBuckets", "", Applies::No),
        ("kms:ListKeys", "arn:aws:kms:*:*:*", Applies::No),
        ("kms:ListKeys", "*", Applies::Yes),
    ]);
}

#[test]
fn listing_all_buckets_on_every_s3_resource_is_undecided_as_aws_documents_both() {
    check(&[
        ("s3:ListAllMyBuckets", "arn:aws:s3:::*", Applies::Unknown),
        ("s3:ListAllMyBuckets", "arn:*:s3:::*", Applies::Unknown),
        ("s3:ListAllMyBuckets", "arn:aws:s3*", Applies::Unknown),
    ]);
}

#[test]
fn access_points_are_resources_of_bucket_and_object_actions() {
    let point = "arn:aws:s3:eu-west-1:111111111111:accesspoint/logs";
    check(&[
        ("s3:ListBucket", point, Applies::Yes),
        ("s3:GetObject", point, Applies::No),
        ("s3:GetObject", &format!("{point}/object/*"), Applies::Yes),
        ("s3:ListBucket", &format!("{point}/object/*"), Applies::No),
        ("s3:GetObject", &format!("{point}/*"), Applies::Yes),
        ("s3:GetObject", &format!("{point}/prefix/*"), Applies::No),
        ("s3:GetObject", "arn:aws:s3::111111111111:accesspoint/alias.mrap/object/*", Applies::Yes),
        ("s3:ListBucket", "arn:aws:s3::111111111111:accesspoint/alias.mrap", Applies::Yes),
        ("s3:GetBucketVersioning", point, Applies::No),
        ("s3:GetAccessPointPolicy", point, Applies::Yes),
        ("s3-object-lambda:GetObject", "arn:aws:s3-object-lambda:eu-west-1:111111111111:accesspoint/a", Applies::Yes),
        ("s3-object-lambda:GetObject", point, Applies::No),
    ]);
}

#[test]
fn the_first_five_fields_match_one_by_one() {
    check(&[
        ("s3:GetObject", "arn:aws-cn:s3:::b/*", Applies::Yes),
        ("s3:GetObject", "arn:aws-us-gov:s3:::b/*", Applies::Yes),
        ("s3:GetObject", "arn:*:s3:::b/*", Applies::Yes),
        ("s3:GetObject", "arn:aws*:s3:::b/*", Applies::Yes),
        ("s3:GetObject", "arn:aws?cn:s3:::b/*", Applies::Yes),
        ("s3:GetObject", "arn:awscn:s3:::b/*", Applies::No),
        ("s3:GetObject", "arn:aws-:s3:::b/*", Applies::No),
        ("s3:GetObject", "arn::s3:::b/*", Applies::No),
        ("s3:GetObject", "arn:aws:s3:::b/*", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3:eu-west-1::b/*", Applies::No),
        ("s3:GetObject", "arn:aws:s3::111111111111:b/*", Applies::No),
        ("s3:GetObject", "arn:aws:s3:*:*:b/*", Applies::Yes),
        ("s3:GetObject", "arn:aws:kms:::b/*", Applies::No),
        ("s3:GetObject", "arn:aws:s?:::b/*", Applies::Yes),
        ("s3:GetObject", "Arn:aws:s3:::b/*", Applies::No),
        ("s3:GetObject", "arn:aws:s3::b/*", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3::b/k", Applies::No),
        ("kms:Decrypt", "arn:aws:kms:eu-west-1:111111111111:key/1234abcd", Applies::Yes),
        ("kms:Decrypt", "arn:aws:kms:*:111111111111:key/*", Applies::Yes),
        ("kms:Decrypt", "arn:aws:kms::111111111111:key/1234abcd", Applies::No),
        ("kms:Decrypt", "arn:aws:kms:eu-west-1:111111111111:alias/logs", Applies::No),
        ("kms:CreateAlias", "arn:aws:kms:eu-west-1:111111111111:alias/aws/s3", Applies::Yes),
        ("kms:CreateAlias", "arn:aws:kms:eu-west-1:111111111111:key/1234abcd", Applies::Yes),
        ("sts:AssumeRole", "arn:aws:iam::111111111111:role/path/reader", Applies::Yes),
        ("sts:AssumeRole", "arn:aws:iam::*:role/*", Applies::Yes),
        ("sts:AssumeRole", "arn:aws:iam::111111111111:user/reader", Applies::No),
        ("sts:AssumeRole", "arn:aws:sts::111111111111:assumed-role/reader/session", Applies::No),
        ("iam:GetPolicy", "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", Applies::Yes),
        ("iam:GetOpenIDConnectProvider", "arn:aws:iam::111111111111:oidc-provider/host/id/A", Applies::Yes),
    ]);
}

#[test]
fn a_pattern_with_too_few_fields_needs_a_star_at_its_end() {
    check(&[
        ("s3:GetObject", "arn:aws:s3*", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3:*", Applies::Yes),
        ("s3:GetObject", "arn:*", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3", Applies::No),
        ("s3:GetObject", "arn:aws:kms*", Applies::No),
        ("s3:GetObject", "b/*", Applies::No),
        ("s3:GetObject", "", Applies::No),
        ("s3:GetObject", "*", Applies::Yes),
    ]);
}

#[test]
fn variables_can_be_any_text_and_escapes_are_the_character() {
    check(&[
        ("s3:GetObject", "arn:aws:s3:::b/${aws:username}/*", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3:::b/AWSLogs/${aws:PrincipalAccount, 'none'}/*", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3:::${aws:PrincipalTag/bucket}", Applies::Yes),
        ("s3:ListBucket", "arn:aws:s3:::${aws:PrincipalTag/bucket}", Applies::Yes),
        ("s3:ListBucket", "arn:aws:s3:::${aws:username}/*", Applies::No),
        ("s3:GetObject", "arn:aws:s3:::b${*}", Applies::No),
        ("s3:GetObject", "arn:aws:s3:::b/${*}", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3:::b${?}${$}", Applies::No),
        ("s3:ListBucket", "arn:aws:s3:::b${unclosed", Applies::Yes),
        ("s3:GetObject", "arn:aws:s3:::b${unclosed", Applies::No),
    ]);
}

#[test]
fn variables_before_the_fifth_colon_leave_the_answer_open_unless_it_is_no() {
    check(&[
        ("sts:AssumeRole", "arn:aws:iam::${aws:PrincipalAccount}:role/reader", Applies::Unknown),
        ("sts:AssumeRole", "arn:aws:iam::${aws:PrincipalAccount}:user/reader", Applies::No),
        ("sts:AssumeRole", "arn:aws:iam:${aws:RequestedRegion}:111111111111:role/reader", Applies::Unknown),
    ]);
}

#[test]
fn one_type_answers_for_itself() {
    let s3 = super::super::service("s3").unwrap();
    let of = |name: &str| s3.resource_types().iter().find(|t| t.name == name).unwrap();
    assert_eq!(of("bucket").can_match("arn:aws:s3:::b*"), Applies::Yes);
    assert_eq!(of("object").can_match("arn:aws:s3:::b"), Applies::No);
    assert_eq!(of("job").can_match("*"), Applies::Yes);
}

#[test]
fn every_embedded_type_has_a_form_and_every_named_part_was_considered() {
    let mut names: Vec<&str> = services()
        .iter()
        .flat_map(|s| s.resource_types())
        .inspect(|t| assert!(t.form.is_some(), "{}", t.arn_pattern))
        .flat_map(|t| t.arn_pattern.split("${").skip(1).map(|rest| rest.split_once('}').unwrap().0))
        .collect();
    names.sort_unstable();
    names.dedup();
    let with_slash: Vec<_> = names.iter().copied().filter(|name| may_hold_slash(name)).collect();
    let rest: Vec<_> = names.iter().copied().filter(|name| !may_hold_slash(name)).collect();
    assert_eq!(
        with_slash,
        [
            "Alias",
            "CertificateNameWithPath",
            "EntityPath",
            "GroupNameWithPath",
            "InstanceProfileNameWithPath",
            "MfaTokenIdWithPath",
            "ObjectName",
            "OidcProviderName",
            "PolicyNameWithPath",
            "RoleNameWithPath",
            "UserNameWithPath",
        ]
    );
    // A name that is new here must be looked at: may it hold a slash?
    assert_eq!(
        rest,
        [
            "AWSServicePrincipal",
            "AccessPointAlias",
            "AccessPointName",
            "Account",
            "AccountId",
            "BucketName",
            "ChannelId",
            "ConfigId",
            "ContextProviderName",
            "DashboardName",
            "DelegationRequestId",
            "EventDataStoreId",
            "FederatedUserName",
            "HandshakeId",
            "HandshakeType",
            "JobId",
            "KeyId",
            "Name",
            "Operation",
            "OrganizationId",
            "OrganizationalUnitId",
            "Partition",
            "PolicyId",
            "PolicyType",
            "Region",
            "ResourcePolicyId",
            "ResponsibilityTransferId",
            "RoleName",
            "RoleSessionName",
            "RoleTemplateMajorVersion",
            "RoleTemplateName",
            "RootId",
            "SamlProviderName",
            "Token",
            "TrailName",
            "TransferDirection",
            "TransferType",
            "UserName",
        ]
    );
}

/// All texts of at most `length` characters of the alphabet.
fn texts(alphabet: &str, length: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut from = 0;
    for _ in 0..length {
        let longer: Vec<_> =
            all[from..].iter().flat_map(|t| alphabet.chars().map(move |c| format!("{t}{c}"))).collect();
        from = all.len();
        all.extend(longer);
    }
    all
}

/// The meaning of a policy's pattern, by its definition.
fn covers(pattern: &[char], text: &[char]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some('*'), None) => covers(&pattern[1..], text),
        (Some('*'), Some(_)) => covers(&pattern[1..], text) || covers(pattern, &text[1..]),
        (Some('?'), Some(_)) => covers(&pattern[1..], &text[1..]),
        (Some(p), Some(t)) if p == t => covers(&pattern[1..], &text[1..]),
        _ => false,
    }
}

/// The meaning of a type's resource part, by its definition: `S` a name without slash, `A` any text, neither empty.
fn is_of(form: &[char], text: &[char]) -> bool {
    match form.first() {
        None => text.is_empty(),
        Some(c @ ('S' | 'A')) => (1..=text.len()).any(|n| {
            let (part, rest) = text.split_at(n);
            (*c == 'A' || !part.contains(&'/')) && is_of(&form[1..], rest)
        }),
        Some(c) => text.first() == Some(c) && is_of(&form[1..], &text[1..]),
    }
}

fn steps_of(form: &str) -> Vec<Step> {
    form.chars()
        .map(|c| match c {
            'S' => vec![Step::ONCE, Step::MORE],
            'A' => vec![Step { set: Set::Any, repeats: false }, Step { set: Set::Any, repeats: true }],
            c => vec![Step { set: Set::Exactly(c), repeats: false }],
        })
        .collect::<Vec<_>>()
        .concat()
}

#[test]
fn the_walk_agrees_with_trying_all_short_texts() {
    let patterns = texts("a/*?", 4);
    // Long enough to hold a witness for every pair that has one.
    let texts: Vec<Vec<char>> = texts("ab/", 7).iter().map(|t| t.chars().collect()).collect();
    for form in ["", "a", "S", "A", "S/A", "a/S", "aS", "SaA", "S/b/A", "SS"] {
        let steps = steps_of(form);
        let chars: Vec<char> = form.chars().collect();
        let members: Vec<_> = texts.iter().filter(|text| is_of(&chars, text)).collect();
        for pattern in &patterns {
            let glob: Vec<char> = pattern.chars().collect();
            let expected = members.iter().any(|text| covers(&glob, text));
            assert_eq!(meets(&steps, pattern), expected, "{pattern} and {form}");
        }
    }
}

proptest! {
    /// A text that is of the form, with some characters hidden behind wildcards, is always found again.
    #[test]
    fn a_pattern_made_from_a_resource_meets_its_type(
        bucket in "[ab.]{1,8}", key in "[ab/:é]{1,12}", hide in proptest::collection::vec(0..4u8, 24),
    ) {
        let mut pattern = String::new();
        for (c, how) in format!("{bucket}/{key}").chars().zip(hide.iter().chain(std::iter::repeat(&0))) {
            match how {
                1 => pattern.push('?'),
                2 => pattern.push('*'),
                3 => pattern.push_str("*${aws:username}"),
                _ => pattern.push(c),
            }
        }
        prop_assert_eq!(applies("s3:GetObject", &format!("arn:aws:s3:::{pattern}")), Applies::Yes);
    }

    /// No pattern takes long or fails, and case or shape of junk does not matter.
    #[test]
    fn any_text_gets_an_answer(pattern in "(arn|\\*|:|/|\\?|\\$\\{|\\}|aws|s3|é|[a-c]){0,24}") {
        for name in ["s3:GetObject", "s3:ListAllMyBuckets", "kms:CreateAlias"] {
            let answer = applies(name, &pattern);
            // What covers everything covers each type.
            prop_assert!(answer == Applies::Yes || !is_everything(&pattern));
        }
    }
}

#[test]
fn a_long_pattern_of_stars_is_answered_at_once() {
    let pattern = format!("arn:aws:s3:::{}b", "a*".repeat(10_000));
    let start = std::time::Instant::now();
    assert_eq!(applies("s3:GetObject", &pattern), Applies::Yes);
    assert_eq!(applies("s3:ListBucket", &format!("{pattern}/*")), Applies::No);
    assert!(start.elapsed().as_secs() < 2);
}
