//! The size quotas of policies, and how AWS counts.
//!
//! Sources: IAM User Guide, "IAM and AWS STS quotas"; S3 User Guide, "Bucket policies for Amazon S3"; KMS Developer Guide,
//! "Quotas"; Organizations User Guide, "Quotas and service limits".

use std::borrow::Cow;

use crate::estate::Document;
use crate::finding::{Draft, Finding, Level};
use crate::policy::{Policy, Size};
use crate::rule::context::Context;
use crate::rules::shared::growth::{Growth, growth};
use crate::text::Span;

/// A quota on the length of a policy, or of several together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) struct Quota {
    /// What it is a quota of, as a message names it.
    pub(in crate::rules) what: &'static str,
    /// The most that AWS takes.
    pub(in crate::rules) limit: u32,
    /// What counts.
    pub(in crate::rules) counts: Counts,
}

impl Quota {
    /// A quick look: whether policies are short enough for nothing to be said of them, however it is counted.
    pub(in crate::rules) fn is_far<'p>(
        self,
        context: &Context<'_>,
        policies: impl IntoIterator<Item = &'p Policy>,
    ) -> bool {
        !self.warns(context, policies.into_iter().map(|policy| policy.bytes).sum())
    }

    fn warns(self, context: &Context<'_>, length: u32) -> bool {
        f64::from(length) >= context.warn_at * f64::from(self.limit) || length > self.limit
    }
}

/// What AWS counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum Counts {
    /// Characters, without white space between JSON tokens.
    Characters,
    /// Bytes, without white space between JSON tokens: AWS says bytes and is silent about white space.
    Bytes,
    /// Bytes as they stand.
    BytesAsWritten,
    /// Characters as they stand; the console takes the white space out when it saves.
    CharactersAsWritten,
}

impl Counts {
    pub(in crate::rules) fn of(self, size: Size) -> u32 {
        match self {
            Counts::Characters => size.minified_characters,
            Counts::Bytes => size.minified_bytes,
            Counts::BytesAsWritten => size.bytes,
            Counts::CharactersAsWritten => size.characters,
        }
    }

    /// As it stands, whatever counts.
    fn as_written(self, size: Size) -> u32 {
        match self {
            Counts::Characters | Counts::CharactersAsWritten => size.characters,
            Counts::Bytes | Counts::BytesAsWritten => size.bytes,
        }
    }

    /// Without white space, whatever counts.
    fn without_space(self, size: Size) -> u32 {
        match self {
            Counts::Characters | Counts::CharactersAsWritten => size.minified_characters,
            Counts::Bytes | Counts::BytesAsWritten => size.minified_bytes,
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Counts::Characters | Counts::CharactersAsWritten => "characters",
            Counts::Bytes | Counts::BytesAsWritten => "bytes",
        }
    }
}

/// Policies that share one quota.
#[derive(Debug)]
pub(in crate::rules) struct Measured<'m> {
    /// The quota.
    pub(in crate::rules) quota: Quota,
    /// How a message begins: `the trust policy of role `x``.
    pub(in crate::rules) title: String,
    /// The policies, each with its document.
    pub(in crate::rules) policies: Vec<(&'m Document, &'m Policy)>,
    /// How to make it shorter.
    pub(in crate::rules) rewrite: Cow<'static, str>,
    /// What to write in place of a part for each account, where something does not grow with them.
    pub(in crate::rules) for_accounts: Option<&'static str>,
}

impl Measured<'_> {
    /// What there is to say of their length.
    pub(in crate::rules) fn finding(&self, context: &Context<'_>) -> Option<Draft> {
        let Quota { what, limit, counts } = self.quota;
        if self.quota.is_far(context, self.policies.iter().map(|(_, policy)| *policy)) {
            return None;
        }
        let sizes: Vec<Size> =
            self.policies.iter().map(|(document, _)| document.size(&context.estate.sources)).collect();
        let sum = |of: &dyn Fn(Size) -> u32| sizes.iter().map(|size| of(*size)).sum::<u32>();
        let used = sum(&|size| counts.of(size));
        let (written, stripped) = (sum(&|size| counts.as_written(size)), sum(&|size| counts.without_space(size)));
        let unit = counts.unit();
        let strips = counts == Counts::CharactersAsWritten && used > limit && stripped <= limit;
        let level = if used > limit {
            if strips { Level::Warning } else { Level::Error }
        } else if self.quota.warns(context, used) {
            Level::Warning
        } else if counts == Counts::Bytes && written > limit {
            Level::Note
        } else {
            return None;
        };
        let growth = self.growth(context);
        let title = &self.title;
        let message = match (level, &growth) {
            (Level::Note, _) => format!(
                "{title} has {} {unit} as it stands, more than the {} that count without white space",
                grouped(written),
                grouped(limit)
            ),
            _ => {
                // Neither `100 %` of less nor of more than the quota.
                let (part, whole) = (u64::from(used) * 100, u64::from(limit));
                let percent = if used > limit { part.div_ceil(whole) } else { part / whole };
                let more = growth.filter(|_| used <= limit).map(|growth| fits(growth, used, stripped, limit));
                let verb = if self.policies.len() > 1 { "take" } else { "takes" };
                format!(
                    "{title} {verb} {} of {} {unit} ({percent} %){}",
                    grouped(used),
                    grouped(limit),
                    more.unwrap_or_default()
                )
            }
        };
        let (_, first) = self.policies.first()?;
        let start = Span { end: first.span.start + 1, ..first.span };
        let label = format!("{} {unit} as it stands, {} without white space", grouped(written), grouped(stripped));
        let help = match level {
            Level::Note => "take out the white space when you save it: AWS does not say that it takes it out itself",
            _ if strips => "save it without white space, as the console does",
            _ => self.for_accounts.filter(|_| growth.is_some()).unwrap_or(&self.rewrite),
        };
        let draft = Finding::at(start, label).message(message).level(level).about(what).help(help);
        let draft = match growth {
            Some(growth) => draft.related(growth.first, format!("the first of {} accounts alike", growth.accounts)),
            None => draft,
        };
        let others = self.policies.iter().zip(&sizes).skip(1);
        Some(others.fold(draft, |draft, ((_, policy), size)| {
            let size = format!("{} {unit} more", grouped(counts.of(*size)));
            draft.related(Span { end: policy.span.start + 1, ..policy.span }, size)
        }))
    }

    /// How the policy that names most accounts grows with each.
    fn growth(&self, context: &Context<'_>) -> Option<Growth> {
        let sources = &context.estate.sources;
        let all =
            self.policies.iter().filter_map(|(document, policy)| growth(policy, &document.statement_sizes(sources)));
        all.max_by_key(|growth| growth.accounts)
    }
}

/// How many accounts more there is room for.
fn fits(growth: Growth, used: u32, stripped: u32, limit: u32) -> String {
    // What is written with white space grows with white space.
    let each = (u64::from(growth.each) * u64::from(used)).div_ceil(u64::from(stripped.max(1))).max(1);
    match u64::from(limit.saturating_sub(used)) / each {
        0 => "; not one more account of the same shape fits".to_owned(),
        1 => "; 1 more account of the same shape fits".to_owned(),
        more => format!("; {} more accounts of the same shape fit", grouped(more)),
    }
}

/// `20,480`.
fn grouped(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whether a policy is the whole of its file.
pub(in crate::rules) fn is_loose(context: &Context<'_>, document: &Document) -> bool {
    let source = context.estate.sources.source(document.span.source);
    let before = source.and_then(|source| source.text().get(..document.span.start as usize));
    before.is_some_and(|before| before.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!([0, 999, 1_000, 20_480, 1_234_567].map(grouped), ["0", "999", "1,000", "20,480", "1,234,567"]);
    }
}
