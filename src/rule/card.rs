//! Cards: one markdown file for each rule, with its facts in a TOML block, its prose, and examples that run as tests.

use std::fmt;

use crate::finding::Level;

/// How settled a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its meaning stays.
    Stable,
    /// Its meaning may change.
    Preview,
}

impl Status {
    /// `stable` or `preview`.
    pub fn name(self) -> &'static str {
        match self {
            Status::Stable => "stable",
            Status::Preview => "preview",
        }
    }
}

/// What a rule is, for people and reports.
#[derive(Debug, Clone)]
pub struct Card {
    /// One line: the bad state.
    pub summary: String,
    /// The level it starts at.
    pub level: Level,
    /// How severe it is, 0.0 to 10.0, as GitHub code scanning reads it.
    pub security_severity: f64,
    /// How settled it is.
    pub status: Status,
    /// The facts it needs, such as `role.trust-policy`.
    pub needs: Vec<String>,
    /// Controls it gives evidence for, `framework:id confidence`; A published by AWS or CIS, P by Prowler, J our own.
    pub controls: Vec<String>,
    /// Web addresses of the documents behind it.
    pub references: Vec<String>,
    /// The sections of its prose, heading and markdown, without the examples.
    pub sections: Vec<(String, String)>,
    /// Its examples.
    pub examples: Vec<Example>,
}

/// One example of a card: files, and what the rule says of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Its title.
    pub title: String,
    /// What is expected.
    pub expectation: Expectation,
    /// The files, name and text; `trailproof.toml` is the config.
    pub files: Vec<(String, String)>,
    /// The expected findings: `level file:line:column message`.
    pub findings: Vec<String>,
    /// The expected gaps of the rule: `fact: reason`.
    pub gaps: Vec<String>,
}

/// What an example shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// The rule finds something.
    Fails,
    /// The rule finds nothing and knows all it needs.
    Passes,
    /// The rule lacks a fact.
    Unknown,
}

impl Expectation {
    /// `fails`, `passes` or `unknown`.
    pub fn name(self) -> &'static str {
        match self {
            Expectation::Fails => "fails",
            Expectation::Passes => "passes",
            Expectation::Unknown => "unknown",
        }
    }
}

/// A card that can not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardError(String);

impl fmt::Display for CardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CardError {}

impl Card {
    /// Reads a card.
    ///
    /// # Errors
    /// What is missing or wrong in it, in words.
    pub fn parse(text: &str) -> Result<Self, CardError> {
        let error = |what: &str| CardError(what.to_owned());
        let rest = text.strip_prefix("+++\n").ok_or_else(|| error("a card begins with `+++`"))?;
        let (front, body) = rest.split_once("\n+++\n").ok_or_else(|| error("the TOML block has no end"))?;
        let front: toml::Table = front.parse().map_err(|e| CardError(format!("{e}")))?;
        const KEYS: [&str; 8] =
            ["summary", "level", "security-severity", "status", "default", "needs", "controls", "references"];
        if let Some(key) = front.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(CardError(format!("`{key}` is no key of a card")));
        }
        let string = |key: &str| {
            front.get(key).and_then(toml::Value::as_str).ok_or_else(|| CardError(format!("`{key}` is missing")))
        };
        let strings = |key: &str| -> Vec<String> {
            let list = front.get(key).and_then(toml::Value::as_array);
            list.into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
        };
        let mut card = Card {
            summary: string("summary")?.to_owned(),
            level: Level::from_name(string("level")?).ok_or_else(|| error("`level` is no level"))?,
            security_severity: front
                .get("security-severity")
                .and_then(toml::Value::as_float)
                .ok_or_else(|| error("`security-severity` is missing"))?,
            status: match string("status")? {
                "stable" => Status::Stable,
                "preview" => Status::Preview,
                _ => return Err(error("`status` is `stable` or `preview`")),
            },
            needs: strings("needs"),
            controls: strings("controls"),
            references: strings("references"),
            sections: Vec::new(),
            examples: Vec::new(),
        };
        card.read_body(body)?;
        Ok(card)
    }

    /// Stands in for a card that can not be read; a test makes sure that none is shipped.
    pub(super) fn unreadable(error: CardError) -> Self {
        Card {
            summary: error.0,
            level: Level::Error,
            security_severity: 0.0,
            status: Status::Preview,
            needs: Vec::new(),
            controls: Vec::new(),
            references: Vec::new(),
            sections: Vec::new(),
            examples: Vec::new(),
        }
    }

    fn read_body(&mut self, body: &str) -> Result<(), CardError> {
        let mut in_examples = false;
        let mut lines = body.lines();
        while let Some(line) = lines.next() {
            if let Some(heading) = line.strip_prefix("## ") {
                in_examples = heading == "Examples";
                if !in_examples {
                    self.sections.push((heading.to_owned(), String::new()));
                }
            } else if let Some(title) = line.strip_prefix("### ").filter(|_| in_examples) {
                self.examples.push(Example::titled(title)?);
            } else if let Some(info) = line.strip_prefix("```").filter(|_| in_examples) {
                let text: String =
                    lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
                let example = self.examples.last_mut().ok_or_else(|| CardError("text before an example".to_owned()))?;
                example.block(info, text)?;
            } else if let Some((_, section)) = self.sections.last_mut().filter(|_| !in_examples) {
                section.push_str(line);
                section.push('\n');
            }
        }
        for (_, section) in &mut self.sections {
            *section = section.trim().to_owned();
        }
        Ok(())
    }
}

impl Example {
    fn titled(title: &str) -> Result<Self, CardError> {
        let (word, title) = title.split_once(": ").unwrap_or((title, ""));
        let expectation = match word {
            "fails" => Expectation::Fails,
            "passes" => Expectation::Passes,
            "unknown" => Expectation::Unknown,
            _ => return Err(CardError(format!("an example begins with fails, passes or unknown, not `{word}`"))),
        };
        Ok(Example { title: title.to_owned(), expectation, files: Vec::new(), findings: Vec::new(), gaps: Vec::new() })
    }

    fn block(&mut self, info: &str, text: String) -> Result<(), CardError> {
        match info.split_once(' ') {
            Some((_, name)) => self.files.push((name.to_owned(), text)),
            None if info == "findings" => self.findings.extend(text.lines().map(str::to_owned)),
            None if info == "gaps" => self.gaps.extend(text.lines().map(str::to_owned)),
            None => return Err(CardError(format!("a block of an example names its file: `{info}` does not"))),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "+++\nsummary = \"s\"\nlevel = \"warning\"\nsecurity-severity = 5.0\nstatus = \"stable\"\n\
        controls = [\"NIST-800-53-r5:AC-3 J\"]\n+++\n\n## What it detects\n\nThis.\n\n## Examples\n\n### fails: bad\n\n\
        ```json a/b.json\n{}\n```\n\n```findings\nwarning a/b.json:1:1 message\n```\n";

    #[test]
    fn a_card_is_read_with_its_sections_and_examples() {
        let card = Card::parse(CARD).unwrap();
        assert_eq!((card.level, card.sections.len()), (Level::Warning, 1));
        assert_eq!(card.sections[0], ("What it detects".to_owned(), "This.".to_owned()));
        let example = &card.examples[0];
        assert_eq!(example.files, [("a/b.json".to_owned(), "{}\n".to_owned())]);
        assert_eq!(example.findings, ["warning a/b.json:1:1 message"]);
    }

    #[test]
    fn what_is_wrong_with_a_card_is_said() {
        let say = |text: &str| Card::parse(text).unwrap_err().to_string();
        assert_eq!(say("# x"), "a card begins with `+++`");
        assert_eq!(say(&CARD.replace("status", "statuss")), "`statuss` is no key of a card");
        assert_eq!(
            say(&CARD.replace("### fails", "### breaks")),
            "an example begins with fails, passes or unknown, not `breaks`"
        );
    }
}
