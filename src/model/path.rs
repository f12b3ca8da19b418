//! Where CloudTrail puts the logs of an account: `[prefix/]AWSLogs/[organization/]account/…`.
//!
//! Source: CloudTrail User Guide, "Finding your CloudTrail log files". The account is the component that the grammar says,
//! never the first twelve digits: a prefix may hold digits too.

use crate::aws::{AccountId, Arn, is_organization_id};
use crate::policy::template::Template;

const FOLDER: &str = "AWSLogs";

/// A pattern of keys that lies in an `AWSLogs` folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogPath<'t> {
    /// What stands before the folder, without the slash; empty where nothing does.
    pub(super) prefix: &'t str,
    /// The organization's component, where the pattern fixes one.
    pub(super) organization: Option<&'t str>,
    /// Whether the pattern leaves open if there is an organization's component.
    pub(super) any_layout: bool,
    /// Whose logs they are.
    pub(super) account: Generator,
}

/// The account that generated the events under a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generator {
    /// This one.
    One(AccountId),
    /// The caller's: `${aws:PrincipalAccount}`.
    Caller,
    /// More than one, or none.
    Open,
}

impl<'t> LogPath<'t> {
    /// Reads the objects of a `Resource`; `None` where it names no `AWSLogs` folder.
    pub(super) fn of_resource(resource: &'t Template) -> Option<Self> {
        let arn = Arn::parse(resource.raw()).filter(|arn| arn.service == "s3")?;
        let (_, key) = arn.resource.split_once('/')?;
        LogPath::of_key(key, !resource.is_plain())
    }

    /// Reads a key, or a pattern of keys; `variables` says whether `${…}` stands for a value.
    pub(super) fn of_key(key: &'t str, variables: bool) -> Option<Self> {
        let components = Components::new(key, variables);
        let mut after = components.clone().skip_while(|(_, component)| *component != FOLDER);
        let (start, _) = after.next()?;
        let before = key.get(..start)?;
        let prefix = before.strip_suffix('/').unwrap_or(before);
        let inside: Vec<&str> = after.map(|(_, component)| component).collect();
        let (organization, any_layout, rest) = match inside.split_first() {
            None => return None,
            Some((first, rest)) if is_organization_id(first) => (Some(*first), false, rest),
            Some((&"*", [account, ..])) if *account != "*" => (None, true, inside.get(1..).unwrap_or_default()),
            Some((&"*", _)) => (None, true, inside.as_slice()),
            Some(_) => (None, false, inside.as_slice()),
        };
        // Without a closing slash the pattern is not the folder of one account.
        let account = match rest {
            [account, _, ..] => match AccountId::parse(account) {
                Some(id) => Generator::One(id),
                None if variables && is_caller(account) => Generator::Caller,
                None => Generator::Open,
            },
            _ => Generator::Open,
        };
        Some(LogPath { prefix, organization, any_layout, account })
    }

    /// Whether the prefix is one text, not a pattern.
    pub(super) fn has_fixed_prefix(&self) -> bool {
        !self.prefix.contains(['*', '?', '$'])
    }
}

fn is_caller(component: &str) -> bool {
    let name = component.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| name.trim().eq_ignore_ascii_case("aws:PrincipalAccount"))
}

/// The parts between slashes, each with its first byte; a slash inside of a variable parts nothing.
#[derive(Debug, Clone)]
struct Components<'t> {
    text: &'t str,
    variables: bool,
    at: Option<usize>,
}

impl<'t> Components<'t> {
    fn new(text: &'t str, variables: bool) -> Self {
        Components { text, variables, at: Some(0) }
    }
}

impl<'t> Iterator for Components<'t> {
    type Item = (usize, &'t str);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at?;
        let rest = self.text.get(start..)?;
        let mut inside = false;
        let mut before = ' ';
        for (offset, c) in rest.char_indices() {
            match c {
                '{' if self.variables && before == '$' => inside = true,
                '}' => inside = false,
                '/' if !inside => {
                    self.at = Some(start + offset + 1);
                    return Some((start, rest.get(..offset)?));
                }
                _ => {}
            }
            before = c;
        }
        self.at = None;
        Some((start, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(resource: &str) -> Option<(String, Option<String>, Generator)> {
        let template = Template::new(resource, true);
        LogPath::of_resource(&template).map(|p| (p.prefix.to_owned(), p.organization.map(str::to_owned), p.account))
    }

    fn one(id: &str) -> Generator {
        Generator::One(AccountId::parse(id).unwrap())
    }

    #[test]
    fn the_account_is_the_component_that_the_grammar_says() {
        let b = one("222222222222");
        let cases = [
            ("arn:aws:s3:::b/AWSLogs/222222222222/*", "", None, b),
            ("arn:aws:s3:::b/AWSLogs/o-exampleorgid/222222222222/CloudTrail/*", "", Some("o-exampleorgid"), b),
            ("arn:aws:s3:::b/111111111111/x/AWSLogs/222222222222/*", "111111111111/x", None, b),
            ("arn:aws:s3:::b/AWSLogs/*/222222222222/*", "", None, b),
            ("arn:aws:s3:::b/AWSLogs/o-exampleorgid/*", "", Some("o-exampleorgid"), Generator::Open),
            ("arn:aws:s3:::b/AWSLogs/222222222222*", "", None, Generator::Open),
            ("arn:aws:s3:::b/AWSLogs/22222222222?/*", "", None, Generator::Open),
            ("arn:aws:s3:::b/AWSLogs/*", "", None, Generator::Open),
            ("arn:aws:s3:::b/AWSLogs/*/*", "", None, Generator::Open),
            ("arn:aws:s3:::b/AWSLogs/${AWS:principalaccount}/*", "", None, Generator::Caller),
            ("arn:aws:s3:::b/AWSLogs/${aws:PrincipalTag/a}/*", "", None, Generator::Open),
            (
                "arn:aws:s3:::b/${aws:PrincipalTag/AWSLogs/x}/AWSLogs/222222222222/*",
                "${aws:PrincipalTag/AWSLogs/x}",
                None,
                b,
            ),
        ];
        for (resource, prefix, organization, account) in cases {
            let expected = (prefix.to_owned(), organization.map(str::to_owned), account);
            assert_eq!(read(resource), Some(expected), "{resource}");
        }
    }

    #[test]
    fn what_lies_in_no_such_folder_is_no_log_path() {
        for resource in [
            "arn:aws:s3:::b",
            "arn:aws:s3:::b/*",
            "arn:aws:s3:::b/AWSLogs",
            "arn:aws:s3:::b/AWSLogs*",
            "arn:aws:s3:::b/awslogs/222222222222/*",
            "arn:aws:s3:::AWSLogs/222222222222/*",
            "arn:aws:s3:::b/xAWSLogs/222222222222/*",
            "arn:aws:kms:us-east-1:222222222222:key/AWSLogs/x",
            "*",
        ] {
            assert_eq!(read(resource), None, "{resource}");
        }
    }

    #[test]
    fn a_variable_is_plain_text_where_nothing_is_substituted() {
        let template = Template::new("arn:aws:s3:::b/AWSLogs/${aws:PrincipalAccount}/*", false);
        assert_eq!(LogPath::of_resource(&template).unwrap().account, Generator::Open);
    }
}
