//! Several items of one resource: the latest counts, wherever it stands.

use super::*;

/// The role as it was at a time.
fn role_at(time: Value, trust: &str) -> Value {
    let mut item = role_item();
    item["configurationItemCaptureTime"] = time;
    item["configuration"]["assumeRolePolicyDocument"] = json!(percent(trust));
    item
}

/// Whom the role trusts.
fn trusted(estate: &Estate) -> String {
    match role(estate, "log-reader").trust.present() {
        Some(document) => document.policy(&estate.sources).statements[0].normal_form().to_string(),
        None => "?".to_owned(),
    }
}

#[test]
fn the_latest_item_counts_in_a_history_and_across_files() {
    let old = role_at(json!("2026-08-01T11:00:00Z"), OTHER_TRUST);
    let new = role_at(json!("2026-08-01T13:30:00+02:00"), TRUST);
    let (old_text, new_text) = (snapshot(vec![old.clone()]), snapshot(vec![in_strings(new.clone())]));
    let estates = [
        estate(
            &json!({"configurationItems": [in_strings(new.clone()), in_strings(old.clone())], "nextToken": "x"})
                .to_string(),
        ),
        estate(&snapshot(vec![old, new])),
        Folder::new([("a.json", old_text.as_str()), ("b.json", &new_text)]).estate(),
        Folder::new([("b.json", old_text.as_str()), ("a.json", &new_text)]).estate(),
    ];
    for estate in estates {
        assert!(trusted(&estate).contains("999999999999"), "{}", trusted(&estate));
        assert_eq!(gaps(&estate), [""; 0]);
        assert!(estate.documents.is_empty());
    }
}

#[test]
fn a_history_that_goes_on_to_later_items_is_a_gap() {
    let old = in_strings(role_at(json!(1785585600.25), OTHER_TRUST));
    let new = in_strings(role_at(json!(1785585700), TRUST));
    let answer = json!({"configurationItems": [old, new], "nextToken": "x"}).to_string();
    assert_eq!(gaps(&estate(&answer)), ["input.configuration-items: the list goes on"]);
}

#[test]
fn a_tie_that_differs_and_items_without_a_time_contradict() {
    let tie = json!("2026-08-01T12:00:00Z");
    for time in [tie.clone(), json!("2026-08-01T14:00:00.000+02:00"), Value::Null] {
        let estate = estate(&snapshot(vec![role_at(tie.clone(), TRUST), role_at(time, OTHER_TRUST)]));
        let gap = role(&estate, "log-reader").trust.gap().unwrap();
        assert!(gap.is_contradiction() && gap.places.len() == 2);
        assert_eq!(estate.documents.len(), 2, "both are audited");
    }
    let same = estate(&snapshot(vec![role_at(tie.clone(), TRUST), in_strings(role_at(tie, TRUST))]));
    assert!(trusted(&same).contains("999999999999") && gaps(&same).is_empty());
}

#[test]
fn what_was_deleted_later_is_not_there_and_what_was_made_again_is() {
    let mut gone = in_strings(role_at(json!("2026-08-02T00:00:00Z"), TRUST));
    gone["configurationItemStatus"] = json!("ResourceDeleted");
    gone["configuration"] = Value::Null;
    let before = role_at(json!("2026-08-01T00:00:00Z"), TRUST);
    let after = role_at(json!("2026-08-03T00:00:00Z"), OTHER_TRUST);
    assert!(estate(&snapshot(vec![gone.clone(), before.clone()])).roles.is_empty());
    let again = estate(&snapshot(vec![after, gone, before]));
    assert!(trusted(&again).contains("888888888888"));
}

#[test]
fn a_trail_stays_where_one_region_or_account_loses_sight_of_it() {
    for (key, value) in [("awsRegion", "us-east-1"), ("awsAccountId", "222222222222")] {
        let mut shadow = trail_item();
        shadow[key] = json!(value);
        let both = estate(&snapshot(vec![trail_item(), shadow.clone()]));
        assert_eq!((both.trails.len(), gaps(&both).len()), (1, 0));
        shadow["configurationItemStatus"] = json!("ResourceDeleted");
        shadow["configurationItemCaptureTime"] = json!("2026-08-09T00:00:00Z");
        let one = estate(&snapshot(vec![trail_item(), shadow]));
        assert_eq!(state(&one.trails[0].bucket), "present", "{key}");
    }
}

#[test]
fn an_older_item_that_is_broken_is_passed_over_like_any_other() {
    let mut old = in_strings(role_at(json!("2026-08-01T00:00:00Z"), TRUST));
    old["configuration"] = json!("{");
    let new = role_at(json!("2026-08-02T00:00:00Z"), TRUST);
    let estate = estate(&snapshot(vec![old, bucket_item(), new]));
    assert!(estate.broken.is_empty() && trusted(&estate).contains("999999999999"));
    assert_eq!(state(&bucket(&estate, "logs").policy), "present");
}
