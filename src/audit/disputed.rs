//! Policies that contradict each other: each document is audited as if it were the one in force.
//!
//! What one of them shows hangs on which of them that is; what all of them show is one finding that hangs on nothing.

use std::collections::HashSet;

use super::hearing::Part;
use super::run::{Runner, each};
use crate::estate::{Document, Known};
use crate::finding::{Finding, Label};
use crate::policy::PolicyKind;
use crate::rule::context::{BucketView, KeyView};
use crate::rule::role::RoleView;
use crate::text::Span;

/// What the disputed policies of an estate give.
#[derive(Default)]
pub(super) struct Disputed {
    /// One part for each role, bucket and key with such a policy; these are subjects already, so none is counted here.
    pub(super) parts: Vec<Part>,
    /// The documents that were audited so.
    pub(super) documents: HashSet<Span>,
}

impl Runner<'_> {
    pub(super) fn disputed(&self) -> Disputed {
        let estate = self.context.estate;
        let mut all = Disputed::default();
        for role in &estate.roles {
            self.rivals(&mut all, &role.trust, PolicyKind::Trust, |document| {
                self.role(&RoleView::new(estate, &role.with_trust(document)))
            });
        }
        for bucket in &estate.buckets {
            self.rivals(&mut all, &bucket.policy, PolicyKind::Bucket, |document| {
                self.bucket(&BucketView::new(estate, &bucket.with_policy(document)))
            });
        }
        for key in &estate.keys {
            self.rivals(&mut all, &key.policy, PolicyKind::Key, |document| {
                self.key(&KeyView::new(estate, &key.with_policy(document)))
            });
        }
        all
    }

    fn rivals(
        &self,
        all: &mut Disputed,
        policy: &Known<Document>,
        kind: PolicyKind,
        audit: impl Fn(&Document) -> Part + Sync + Send,
    ) {
        let Some(gap) = policy.gap().filter(|gap| gap.is_contradiction()) else { return };
        let documents = self.context.estate.given(policy, kind);
        let mut parts = each(&documents, |document| {
            let mut part = audit(document);
            // What other documents show is said of the subject itself.
            part.findings.retain(|finding| document.span.contains(finding.primary.span));
            part.gaps.retain(|own| own.gap.places.iter().any(|place| document.span.contains(*place)));
            part
        });
        let mut whole = Part::default();
        parts.iter_mut().for_each(|part| whole.gaps.append(&mut part.gaps));
        let title = kind.title();
        let hangs = |name: &str| match documents.len() {
            1 => format!("whether this {title} of `{name}` is in force"),
            _ => format!("which of the {} of `{name}` is in force", title.replace("policy", "policies")),
        };
        for (mut finding, shown_by) in together(parts.into_iter().map(|part| part.findings)) {
            // A place that says there is no policy shows nothing.
            if shown_by < gap.places.len() {
                if self.takes_a_denial(finding.rule) {
                    continue;
                }
                finding.depends_on.push(hangs(&finding.subject.name));
            }
            whole.findings.push(finding);
        }
        all.documents.extend(documents.iter().map(|document| document.span));
        all.parts.push(whole);
    }

    /// Whether a rule finds that something is refused: the other policy may allow it.
    fn takes_a_denial(&self, id: &str) -> bool {
        self.rules.iter().any(|rule| rule.id == id && rule.check.takes_a_denial)
    }
}

/// The findings of several documents, each once, with how many of them show it.
fn together(documents: impl Iterator<Item = Vec<Finding>>) -> Vec<(Finding, usize)> {
    let mut all: Vec<(Finding, usize)> = Vec::new();
    for findings in documents {
        // The places in `all` of what this document shows; what it shows twice is there twice.
        let mut own: HashSet<usize> = HashSet::new();
        for finding in findings {
            let known =
                all.iter_mut().enumerate().find(|(at, (known, _))| !own.contains(at) && is_same(known, &finding));
            match known {
                Some((at, (known, shown_by))) => {
                    own.insert(at);
                    *shown_by += 1;
                    known.related.push(Label::new(finding.primary.span, "the other policy has it too"));
                }
                None => {
                    own.insert(all.len());
                    all.push((finding, 1));
                }
            }
        }
    }
    all
}

/// Whether two findings of one subject say the same, in whatever place.
fn is_same(one: &Finding, other: &Finding) -> bool {
    one.rule == other.rule
        && one.level == other.level
        && one.message == other.message
        && one.statement == other.statement
        && one.about == other.about
        && one.depends_on == other.depends_on
}
