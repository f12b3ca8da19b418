use super::input::delivery;
use super::*;

fn reasons(model: &Model) -> Vec<String> {
    let shown = |c: &Contradiction| {
        assert_eq!(c.gap.places.len(), 2, "{c:?}");
        format!("{} {}: {}", c.bucket.as_deref().unwrap_or("-"), c.gap.fact, c.gap.reason)
    };
    model.contradictions().iter().map(shown).collect()
}

#[test]
fn the_collected_owner_counts_and_both_places_are_shown() {
    let config = format!("[[log-bucket]]\nname = \"logs\"\naccount = \"{A}\"\n");
    let input = Input::new().config(&config).bucket("logs", &delivery("logs", &["AWSLogs/*"], None, &[])).owned_by(C);
    let model = input.model();
    assert_eq!((model.owner(), model.class(account(A))), (Some(account(C)), Class::Undeclared));
    assert_eq!(reasons(&model), ["logs bucket.account: the config says `111111111111`, the inputs say `333333333333`"]);
    let places = model.contradictions()[0].gap.places.iter();
    let places: Vec<&str> = places.map(|place| input.estate.sources.slice(*place)).collect();
    assert_eq!(places, ["\"111111111111\"", C]);
}

#[test]
fn the_exported_organization_counts() {
    let config = format!(
        "[organization]\nid = \"o-aaaaaaaaaa\"\nmanagement-account = \"{A}\"\naccounts = [\"{A}\", \"{B}\"]\n\
         [[third-party]]\naccount = \"{Z}\"\n"
    );
    let model = Input::new().config(&config).export("o-bbbbbbbbbb", C, &[(A, "a"), (C, "c"), (Z, "z")]).model();
    assert_eq!(model.organization_id().unwrap().id, "o-bbbbbbbbbb");
    assert_eq!((model.management(), members(&model)), (Some(account(C)), vec![A.into(), C.into(), Z.into()]));
    assert_eq!((model.class(account(B)), model.class(account(Z))), (Class::Undeclared, Class::Member));
    assert_eq!(
        reasons(&model),
        [
            "- organization.id: the config says `o-aaaaaaaaaa`, the inputs say `o-bbbbbbbbbb`",
            "- organization.management-account: the config says `111111111111`, the inputs say `333333333333`",
            "- organization.accounts: only the config names 222222222222",
            "- organization.accounts: only the inputs name 333333333333, 999999999999",
            "- organization.accounts: the config calls 999999999999 a third party, the inputs a member",
        ]
    );
}

#[test]
fn a_collected_trail_counts_for_bucket_prefix_and_kind() {
    let arn = "arn:aws:cloudtrail:us-east-1:111111111111:trail/org";
    let config = |more: &str| format!("[[log-bucket]]\nname = \"logs\"\n{more}\n");
    let run =
        |more: &str, bucket: &str| reasons(&Input::new().config(&config(more)).trail(arn, bucket, "", true).model());
    let listed = format!("trails = [\"{arn}\"]");
    assert_eq!(run(&listed, "other"), ["logs trail.bucket: the config says `logs`, the inputs say `other`"]);
    assert_eq!(run("prefix = \"x\"", "logs"), ["logs trail.prefix: the config says `x`, the inputs say none"]);
    assert_eq!(
        run("organization-trail = false", "logs"),
        ["logs trail.is-organization: the config says `false`, the inputs say `true`"]
    );
    assert_eq!(run("prefix = \"\"\norganization-trail = true", "logs"), [""; 0]);
}

#[test]
fn what_agrees_is_no_contradiction() {
    let config = format!("[organization]\nid = \"o-aaaaaaaaaa\"\nmanagement-account = \"{A}\"\naccounts = [\"{A}\"]\n");
    let model = Input::new().config(&config).export("o-aaaaaaaaaa", A, &[(A, "a")]).model();
    assert_eq!(reasons(&model), [""; 0]);
}
