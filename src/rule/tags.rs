//! Which principal tags decide something in an estate.

use std::collections::BTreeMap;

use compact_str::CompactString;

use crate::aws::ConditionKey;
use crate::estate::Estate;
use crate::policy::Policy;
use crate::text::Span;

/// A principal tag by which some policy decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalTag {
    /// Its key as a policy writes it: `aws:TagKeys` compares it with regard to case, other keys do not.
    pub written: CompactString,
    /// One place where it stands.
    pub span: Span,
    /// One more in another document, where there is one.
    pub elsewhere: Option<Span>,
}

impl PrincipalTag {
    /// A place where it stands that is not in this document.
    pub fn outside(&self, document: Span) -> Option<Span> {
        if document.contains(self.span) { self.elsewhere } else { Some(self.span) }
    }
}

/// The tags of `aws:PrincipalTag/…` in conditions and variables of all policies, by key in lower case.
pub(super) fn principal_tags(estate: &Estate) -> BTreeMap<CompactString, PrincipalTag> {
    let mut tags = BTreeMap::new();
    // Most estates use none: looking for the bytes first saves reading every policy.
    let finder = memchr::memmem::Finder::new(b"tag");
    let mentions = |text: &str| {
        let bytes = text.as_bytes();
        let mut from = 0;
        while let Some(at) = bytes.get(from..).and_then(|rest| find_ignoring_case(&finder, rest)) {
            let start = (from + at).saturating_sub("principal".len());
            if bytes.get(start..from + at).is_some_and(|before| before.eq_ignore_ascii_case(b"principal")) {
                return true;
            }
            from += at + 3;
        }
        false
    };
    let sources: Vec<bool> = estate.sources.iter().map(|(_, source)| mentions(source.text())).collect();
    if sources.contains(&true) {
        estate.each_document(&mut |document| {
            if sources.get(document.span.source.index()) == Some(&true) {
                collect(&document.policy(&estate.sources), document.span, &mut tags);
            }
        });
    }
    tags
}

fn find_ignoring_case(finder: &memchr::memmem::Finder<'_>, bytes: &[u8]) -> Option<usize> {
    let lower = finder.find(bytes);
    let upper = memchr::memmem::find(bytes, b"Tag");
    lower.into_iter().chain(upper).min()
}

fn collect(policy: &Policy, document: Span, tags: &mut BTreeMap<CompactString, PrincipalTag>) {
    let mut add = |key: &ConditionKey, written: &str, span: Span| {
        if let Some((_, tag)) = key.as_str().split_once('/').filter(|_| key.is_tag_of("aws:PrincipalTag")) {
            let name = written.split(',').next().unwrap_or(written).trim();
            let written = name.split_once('/').map_or(tag, |(_, tag)| tag).into();
            let tag = tags.entry(tag.into()).or_insert(PrincipalTag { written, span, elsewhere: None });
            if tag.elsewhere.is_none() && !document.contains(tag.span) {
                tag.elsewhere = Some(span);
            }
        }
    };
    for statement in policy.effective() {
        for clause in &statement.conditions {
            add(&clause.key, &clause.written_key, clause.span);
            for value in &clause.values {
                value.template.variables().for_each(|v| add(&v.key, &v.written, value.span));
            }
        }
        for item in statement.resources.iter().flat_map(|r| &r.items) {
            item.variables().for_each(|v| add(&v.key, &v.written, item.span));
        }
    }
}
