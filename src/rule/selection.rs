//! Which rules run: `--select` and `--ignore`, by rule ID, group, `default` or `all`.

use std::collections::BTreeSet;

use super::Rule;

/// The IDs of the rules that run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    ids: BTreeSet<&'static str>,
}

/// A name that is no rule and no group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no rule and no group of rules")]
pub struct UnknownName {
    /// The name.
    pub name: String,
    /// The rule or group that may be meant.
    pub suggestion: Option<&'static str>,
}

impl Selection {
    /// The rules of `select` (of `default` where it is empty) without those of `ignore`.
    ///
    /// # Errors
    /// The first name that is unknown.
    pub fn new<C>(rules: &'static [Rule<C>], select: &[String], ignore: &[String]) -> Result<Self, UnknownName> {
        let mut ids = BTreeSet::new();
        let default = ["default".to_owned()];
        for name in if select.is_empty() { &default } else { select } {
            ids.extend(named(rules, name)?);
        }
        for name in ignore {
            for id in named(rules, name)? {
                ids.remove(id);
            }
        }
        Ok(Selection { ids })
    }

    /// Whether a rule runs.
    pub fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
}

fn named<C>(rules: &'static [Rule<C>], name: &str) -> Result<Vec<&'static str>, UnknownName> {
    let ids = |keep: &dyn Fn(&Rule<C>) -> bool| rules.iter().filter(|r| keep(r)).map(|r| r.id).collect::<Vec<_>>();
    let found = match name {
        "all" => ids(&|_| true),
        "default" => ids(&Rule::is_default),
        _ => ids(&|rule| rule.id == name || rule.group == name),
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let names = rules.iter().flat_map(|rule| [rule.id, rule.group]).chain(["default", "all"]);
    let suggestion = names
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .filter(|(distance, known)| *distance <= 2.max(known.len() / 4))
        .min()
        .map(|(_, known)| known);
    Err(UnknownName { name: name.to_owned(), suggestion })
}

#[cfg(test)]
mod tests {
    use super::*;

    static RULES: [Rule<()>; 3] = [
        Rule::new("missing-lock", "doors", "+++\n+++\n", ()),
        Rule::new("missing-key", "doors", "+++\ndefault = false\n+++\n", ()),
        Rule::new("open-window", "windows", "+++\n+++\n", ()),
    ];

    fn select(select: &[&str], ignore: &[&str]) -> Result<Vec<&'static str>, UnknownName> {
        let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        Selection::new(&RULES, &own(select), &own(ignore)).map(|s| s.ids.into_iter().collect())
    }

    #[test]
    fn rules_groups_and_sets_can_be_named() {
        assert_eq!(select(&[], &[]).unwrap(), ["missing-lock", "open-window"]);
        assert_eq!(select(&["default", "missing-key"], &["windows"]).unwrap(), ["missing-key", "missing-lock"]);
        assert_eq!(select(&["doors"], &[]).unwrap(), ["missing-key", "missing-lock"]);
        assert_eq!(select(&["all"], &["default"]).unwrap(), ["missing-key"]);
    }

    #[test]
    fn an_unknown_name_gets_a_suggestion_where_one_is_near() {
        let error = select(&["mising-key"], &[]).unwrap_err();
        assert_eq!(error.suggestion, Some("missing-key"));
        assert_eq!(select(&[], &["chimney"]).unwrap_err().suggestion, None);
    }
}
