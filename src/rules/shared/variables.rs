//! Policy variables as they are written: where they stand, and why AWS gives one no value.

use crate::aws::services;
use crate::policy::template::{Template, VariableMistake, mistakes};

/// What is most often meant.
const LIKELY: [&str; 8] = [
    "aws:PrincipalAccount",
    "aws:PrincipalOrgID",
    "aws:PrincipalArn",
    "aws:PrincipalTag/",
    "aws:ResourceAccount",
    "aws:SourceAccount",
    "aws:userid",
    "aws:username",
];

/// A variable that AWS does not substitute.
pub(in crate::rules) struct Unset {
    /// The variable, `${…}`; to the end of the text where nothing closes it.
    pub(in crate::rules) variable: String,
    /// Why.
    pub(in crate::rules) reason: &'static str,
    /// The key that may be meant.
    pub(in crate::rules) likely: Option<&'static str>,
}

/// The variables of a text, in a place that takes them, which have no value.
pub(in crate::rules) fn unset(text: &str) -> Vec<Unset> {
    if !text.contains("${") {
        return Vec::new();
    }
    let template = Template::new(text, true);
    let wrong = mistakes(text).into_iter();
    let wrong = wrong.filter(|(at, mistake)| *mistake != VariableMistake::Space || has_space_in_name(text, *at));
    let wrong = wrong.map(|(at, mistake)| Unset {
        variable: text.get(at..).and_then(first_variable).unwrap_or_default(),
        reason: in_words(mistake),
        likely: None,
    });
    wrong.chain(template.variables().filter_map(|variable| unknown(&variable.written))).collect()
}

/// The first `${…}` of a text; to its end where nothing closes it.
pub(in crate::rules) fn first_variable(text: &str) -> Option<String> {
    let rest = text.get(text.find("${")?..)?;
    let end = rest.find('}').map_or(rest.len(), |at| at + 1);
    rest.get(..end).map(str::to_owned)
}

/// An ARN before its fifth colon, and what follows; a colon inside of a variable parts nothing.
pub(in crate::rules) fn arn_head(text: &str) -> (&str, &str) {
    let (mut colons, mut inside, mut before) = (0, false, ' ');
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => inside = true,
            '}' => inside = false,
            ':' if !inside => colons += 1,
            _ => {}
        }
        if colons == 5 {
            return text.split_at_checked(at).unwrap_or((text, ""));
        }
        before = c;
    }
    (text, "")
}

/// Whether white space stands in a key's name; a tag may hold it.
fn has_space_in_name(text: &str, at: usize) -> bool {
    let name = text.get(at..).unwrap_or_default().split(['/', ',', '}']).next().unwrap_or_default();
    name.contains(char::is_whitespace)
}

fn in_words(mistake: VariableMistake) -> &'static str {
    match mistake {
        VariableMistake::MissingBrace => "nothing closes the brace",
        VariableMistake::Empty => "it names no key",
        VariableMistake::Space => "white space stands in the name",
        VariableMistake::MissingQuote => "a default stands in single quotes",
    }
}

/// Why a well-formed variable has no value, and the key that may be meant; `None` where it may have one.
///
/// Of services whose data is not embedded nothing is known.
fn unknown(written: &str) -> Option<Unset> {
    let variable = format!("${{{written}}}");
    let key = written.split(',').next().unwrap_or(written).trim();
    if key.is_empty() || key.contains(char::is_whitespace) && !key.contains('/') {
        return None;
    }
    if let Some(known) = services::condition_key(key) {
        let reason = "the key holds several values, and a variable takes one";
        return known.multivalued.then_some(Unset { variable, reason, likely: None });
    }
    let is_open = key.split_once(':').is_some_and(|(prefix, _)| {
        let is_aws = prefix.eq_ignore_ascii_case("aws");
        let is_listed = services::service(prefix).is_some();
        let is_elsewhere = prefix.contains('.') || services::is_known_prefix(prefix);
        !is_aws && !is_listed && is_elsewhere
    });
    let distance = |likely: &&str| strsim::damerau_levenshtein(&key.to_ascii_lowercase(), &likely.to_ascii_lowercase());
    let likely = LIKELY.iter().copied().filter(|likely| distance(likely) <= 3).min_by_key(distance);
    (!is_open).then_some(Unset { variable, reason: "AWS has no such condition key", likely })
}
