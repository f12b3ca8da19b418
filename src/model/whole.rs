//! Which policies were given loose: as a file of their own, outside of a snapshot directory.

use crate::aws::AccountId;
use crate::text::{SourceMap, Span};

/// Whether a policy is the whole of its file, or the `Policy` of a stored answer that lies in no snapshot directory.
pub(super) fn is_loose(sources: &SourceMap, policy: Span) -> bool {
    let Some(source) = sources.source(policy.source) else { return false };
    let before = source.text().get(..policy.start as usize).unwrap_or_default();
    let mut before = before.chars().filter(|c| !c.is_whitespace());
    match before.next() {
        None => true,
        Some('{') => before.eq("\"Policy\":".chars()) && !is_in_snapshot(source.name()),
        Some(_) => false,
    }
}

/// Whether a path goes on from an account's folder as the files of a snapshot do.
fn is_in_snapshot(path: &str) -> bool {
    let mut folders = path.split('/');
    while let Some(folder) = folders.next() {
        if AccountId::parse(folder).is_some() && matches!(folders.clone().next(), Some("s3" | "kms")) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Source;

    #[test]
    fn a_policy_is_loose_where_nothing_but_its_answer_stands_around_it() {
        let cases = [
            ("policy.json", " {\"Statement\":[]}\n", true),
            ("get-bucket-policy.json", "{\n  \"Policy\": {\"Statement\":[]}}", true),
            ("x/111111111111/s3/logs/policy.json", "{\"Policy\": {\"Statement\":[]}}", false),
            ("export.json", "{\"RoleDetailList\":[{\"Policy\": {\"Statement\":[]}}]}", false),
            ("buckets.json", "[{\"Statement\":[]}]", false),
        ];
        for (name, text, expected) in cases {
            let mut sources = SourceMap::new();
            let source = sources.add(Source::new(name, text));
            let start = text.find("{\"Statement").unwrap() as u32;
            assert_eq!(is_loose(&sources, Span::new(source, start, start + 16)), expected, "{name}");
        }
    }
}
