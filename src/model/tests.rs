use super::*;

mod bucket;
mod contradiction;
mod declared;
mod inferred;
mod input;
mod key;
mod starter;
mod third_party;

use input::Input;

/// The owner and management account, two members, a third party, and an account that nobody knows.
const A: &str = "111111111111";
const B: &str = "222222222222";
const C: &str = "333333333333";
const Z: &str = "999999999999";
const X: &str = "777777777777";

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

fn members(model: &Model) -> Vec<String> {
    model.members().map(|account| account.to_string()).collect()
}

fn sentences(model: &Model) -> Vec<&str> {
    model.inferences().iter().map(|inference| inference.value.as_str()).collect()
}

const INFERRED_PARTY: Class = Class::ThirdParty { declared: false, external_id_required: true };
