//! `*` and `?` in the subject of a waiver and in the path of a document.

/// A text in which `*` stands for any characters, none included, and `?` for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wildcard(String);

impl Wildcard {
    /// Takes a pattern as it is written.
    pub fn new(pattern: impl Into<String>) -> Self {
        Wildcard(pattern.into())
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole text fits; case counts.
    pub fn matches(&self, text: &str) -> bool {
        fits(&self.0, text)
    }
}

/// The path of a document, or a glob: `*` and `?` stay within one folder, `**` as a whole component is any folders.
///
/// Compared with `.` and `folder/..` taken out of both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(String);

impl PathPattern {
    /// Takes a path or glob as it is written, with `/`.
    pub fn new(path: impl Into<String>) -> Self {
        PathPattern(path.into())
    }

    /// The path as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it may stand for several paths.
    pub fn is_glob(&self) -> bool {
        self.0.contains(['*', '?'])
    }

    /// Whether this path fits.
    pub fn matches(&self, path: &str) -> bool {
        let (pattern, path) = (self.components(), components(path));
        if self.is_glob() { wildcards(&pattern, &path, |p| *p == "**", |p, c| fits(p, c)) } else { pattern == path }
    }

    /// Its folders and file: its normal form.
    pub(super) fn components(&self) -> Vec<&str> {
        components(&self.0)
    }
}

/// The components of a path, without `.` and without a folder that is left again.
fn components(path: &str) -> Vec<&str> {
    let mut components: Vec<&str> = Vec::new();
    for (index, component) in path.split('/').enumerate() {
        match component {
            "." => {}
            // An absolute path begins with an empty component.
            "" if index > 0 => {}
            ".." if components.last().is_some_and(|&last| !matches!(last, ".." | "" | "**")) => {
                components.pop();
            }
            component => components.push(component),
        }
    }
    components
}

fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    wildcards(&pattern, &text, |&p| p == '*', |&p, &t| p == '?' || p == t)
}

/// Matches a sequence in which a star stands for any run, in time proportional to the product of the lengths.
fn wildcards<P, T>(pattern: &[P], text: &[T], star: impl Fn(&P) -> bool, one: impl Fn(&P, &T) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    // The last star and the first item that it does not swallow: giving it one more is the only retreat needed.
    let mut retreat: Option<(usize, usize)> = None;
    while let Some(item) = text.get(t) {
        match pattern.get(p) {
            Some(wanted) if star(wanted) => {
                retreat = Some((p, t));
                p += 1;
            }
            Some(wanted) if one(wanted, item) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, swallowed)) = retreat else { return false };
                retreat = Some((at, swallowed + 1));
                p = at + 1;
                t = swallowed + 1;
            }
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(star))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_a_question_mark_for_one() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("arn:aws:s3:::*", "arn:aws:s3:::logs/a", true),
            ("arn:aws:s3:::*", "arn:aws:iam::1:role/a", false),
            ("a*b*c", "axbxbc", true),
            ("a*b*c", "axcxb", false),
            ("r?le", "rôle", true),
            ("r?le", "rle", false),
            ("[ab]", "a", false),
            ("[ab]", "[ab]", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Wildcard::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_glob_stays_within_a_folder_unless_it_has_two_stars() {
        let cases = [
            ("policies/*.json", "policies/a.json", true),
            ("policies/*.json", "policies/x/a.json", false),
            ("policies/**", "policies/x/a.json", true),
            ("policies/**/*.json", "policies/a.json", true),
            ("policies/**/*.json", "policies/x/y/a.json", true),
            ("policies/**/*.json", "other/a.json", false),
            ("**/trust.json", "trust.json", true),
            ("a/**/b/**/c", "a/b/x/b/c", true),
            ("role-?.json", "role-1.json", true),
            ("/srv/*.json", "/srv/a.json", true),
            ("/srv/*.json", "srv/a.json", false),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(PathPattern::new(pattern).matches(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_path_is_compared_without_dots() {
        assert!(PathPattern::new("./a/../b//c.json").matches("b/./c.json"));
        assert!(PathPattern::new("../shared/c.json").matches("../shared/c.json"));
        assert!(!PathPattern::new("../c.json").matches("c.json"));
        assert!(!PathPattern::new("/c.json").matches("c.json"));
        assert!(PathPattern::new("[a].json").matches("[a].json"), "brackets are no wildcards");
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        assert!(!Wildcard::new("*a".repeat(200) + "b").matches(&"a".repeat(2000)));
        assert!(!PathPattern::new("**/a/".repeat(200) + "b").matches(&"a/".repeat(2000)));
    }
}
