//! Runs the checks, subject by subject, and puts what they say in order.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::hearing::{Blocking, Hearing, Part, is_told};
use super::report::{Report, ReportedGap, RuleFacts, Summary};
use super::waivers::{self, Ran};
use crate::aws::managed::is_of_aws;
use crate::aws::services::DATA_VERSION;
use crate::config::Config;
use crate::estate::{Bucket, Document, Estate, Gap, Known, Permissions};
use crate::finding::{Finding, Fingerprint, Level, Subject, SubjectKind};
use crate::model::{LogBucketStatus, LogKeyStatus, Model};
use crate::rule::context::{self, BucketView, Context, IdentityView, KeyView};
use crate::rule::role::RoleView;
use crate::rule::{Rule, Selection};
use crate::rules::{Check, RULES};
use crate::text::Span;

/// From how many subjects on the work is shared among threads.
const PARALLEL: usize = 32;

/// Everything an audit reads.
#[derive(Debug, Clone, Copy)]
pub struct Audit<'a> {
    /// The inventory.
    pub estate: &'a Estate,
    /// The sharing model.
    pub model: &'a Model,
    /// The config, where there is one.
    pub config: Option<&'a Config>,
    /// The rules to run.
    pub selection: &'a Selection,
    /// The day of the run in UTC, for waivers that end.
    pub today: time::Date,
    /// How many files held something to audit.
    pub files: usize,
}

pub(super) struct Runner<'a> {
    pub(super) context: Context<'a>,
    pub(super) rules: Vec<&'static Rule<Check>>,
    pub(super) levels: BTreeMap<&'static str, Level>,
}

impl<'a> Audit<'a> {
    /// Runs the selected rules.
    pub fn run(&self) -> Report<'a> {
        let mut rules: Vec<&'static Rule<Check>> = RULES.iter().filter(|r| self.selection.contains(r.id)).collect();
        rules.sort_unstable_by_key(|rule| rule.id);
        let levels = self.levels(&rules);
        let runner = Runner { context: Context::new(self.estate, self.model, self.config), rules, levels };
        let mut parts = runner.parts();
        let mut all = Part::default();
        all.findings.reserve_exact(parts.iter().map(|part| part.findings.len()).sum());
        all.gaps.reserve_exact(parts.iter().map(|part| part.gaps.len()).sum());
        for part in &mut parts {
            all.findings.append(&mut part.findings);
            all.gaps.append(&mut part.gaps);
            all.subjects.append(&mut part.subjects);
            all.set_aside.append(&mut part.set_aside);
        }
        // What a subject's own rules already say is said once.
        let is_said = |gap: &Gap| all.gaps.iter().any(|said| said.gap == *gap);
        let unsaid: Vec<_> = runner.estate_gaps().into_iter().filter(|own| !is_said(&own.gap)).collect();
        all.gaps.extend(unsaid);
        self.report(runner, all)
    }

    fn levels(&self, rules: &[&'static Rule<Check>]) -> BTreeMap<&'static str, Level> {
        let declared = self.config.into_iter().flat_map(|config| &config.rules.levels);
        let mut levels = BTreeMap::new();
        for (name, level) in declared {
            if let Some(rule) = rules.iter().find(|rule| rule.id == name.value)
                && let Some(level) = Level::from_name(level.value.as_str())
            {
                levels.insert(rule.id, level);
            }
        }
        levels
    }

    fn report(&self, runner: Runner<'a>, mut all: Part) -> Report<'a> {
        number_doubles(&mut all.findings);
        let own = |id: &str| runner.rules.iter().find(|rule| rule.id == id).copied();
        let ran = Ran { rule: &own, subjects: &all.subjects, gaps: &all.gaps };
        let waived = waivers::apply(self, all.findings, &ran);
        let findings = waived.findings;
        let gaps = gather(all.gaps);
        let count = |level| findings.iter().filter(|finding| finding.level == level).count();
        let summary = Summary {
            files: self.files,
            subjects: all.subjects.len(),
            set_aside: all.set_aside.len(),
            errors: count(Level::Error),
            warnings: count(Level::Warning),
            notes: count(Level::Note),
            gaps: gaps.len(),
            suppressed: waived.suppressed.len(),
        };
        let rules = runner.rules.iter().map(|rule| RuleFacts {
            id: rule.id,
            group: rule.group,
            explained: *rule,
            declared: runner.levels.get(rule.id).copied(),
        });
        let rules = rules.collect();
        let mut report = Report {
            sources: &self.estate.sources,
            data_version: DATA_VERSION,
            rules,
            findings,
            gaps,
            suppressed: waived.suppressed,
            summary,
            set_aside: all.set_aside,
            notes: Vec::new(),
            failures: Vec::new(),
        };
        report.sort();
        report
    }
}

impl<'a> Runner<'a> {
    /// What every subject gives, in a fixed order.
    fn parts(&self) -> Vec<Part> {
        let estate = self.context.estate;
        // First, for the views of roles that it makes.
        let whole = self.whole_estate();
        let mut parts = each(&estate.roles, |role| match self.context.sharing_role(role) {
            Some(view) => self.role(view),
            None => self.role(&RoleView::new(estate, role)),
        });
        parts.extend(estate.users.iter().map(|user| {
            let subject = Subject {
                kind: SubjectKind::User,
                arn: user.arn.as_ref().map(|arn| arn.to_string()),
                file: user.arn.is_none().then(|| self.context.file(user.span).to_owned()),
                account: user.account,
                name: user.name.to_string(),
            };
            self.permissions(subject, &user.permissions)
        }));
        parts.extend(estate.groups.iter().map(|group| {
            let subject = Subject {
                kind: SubjectKind::Group,
                arn: group.arn.as_ref().map(|arn| arn.to_string()),
                file: group.arn.is_none().then(|| self.context.file(group.span).to_owned()),
                account: group.account,
                name: group.name.to_string(),
            };
            self.permissions(subject, &group.permissions)
        }));
        parts.extend(each(&estate.managed_policies, |policy| {
            let arn = policy.arn.as_ref().map(|arn| arn.to_string());
            let file = arn.is_none().then(|| self.context.file(policy.span).to_owned());
            let account = arn.as_deref().and_then(crate::aws::Arn::parse).and_then(|arn| arn.account_id());
            let name = policy.name.to_string();
            // Of a policy that AWS manages nobody but AWS can mend the text: what it grants is told where it is attached.
            let is_of_aws = arn.as_deref().is_some_and(is_of_aws);
            let own = policy.document.present().filter(|_| !is_of_aws);
            let subject = Subject { kind: SubjectKind::ManagedPolicy, arn, file, account, name };
            self.documents(subject, own.map(|document| (document, None)))
        }));
        parts.extend(each(&estate.buckets, |bucket| self.bucket(&BucketView::new(estate, bucket))));
        parts.extend(each(&estate.keys, |key| self.key(&KeyView::new(estate, key))));
        parts.extend(estate.trails.iter().map(|trail| {
            let mut hearing = self.hear(context::trail_subject(estate, trail));
            for rule in &self.rules {
                if let Some(check) = rule.check.trail {
                    hearing.record(rule, check(&self.context, trail));
                }
            }
            hearing.close()
        }));
        parts.extend(estate.organization.policies.iter().map(|policy| {
            let name = policy.name.to_string();
            let file = Some(self.context.file(policy.span).to_owned());
            let subject = Subject { kind: SubjectKind::OrganizationPolicy, arn: None, file, account: None, name };
            self.documents(subject, policy.document.present().map(|document| (document, None)))
        }));
        let disputed = self.disputed();
        parts.extend(disputed.parts);
        let rest = estate.documents.iter().filter(|document| !disputed.documents.contains(&document.span));
        parts.extend(each(&rest.collect::<Vec<_>>(), |document| {
            let subject = self.context.subject_of_file(SubjectKind::Document, document.span, None);
            self.documents(subject, [(*document, None)])
        }));
        parts.push(whole);
        parts
    }

    fn hear(&self, subject: impl Into<Arc<Subject>>) -> Hearing<'_, 'a> {
        Hearing::new(self, subject.into())
    }

    pub(super) fn role(&self, view: &RoleView<'_>) -> Part {
        let mut hearing = self.hear(view.subject.clone());
        for rule in &self.rules {
            if let Some(check) = rule.check.role {
                hearing.record(rule, check(&self.context, view));
            }
        }
        if let Some(document) = view.role.trust.present() {
            let policy = view.trust.as_ref().map_or_else(|_| self.context.policy(document), Arc::clone);
            hearing.document(document, &policy, None);
        }
        let identity = IdentityView::new(&view.subject, &view.role.permissions, |document| {
            let read = view.policies.iter().find(|policy| policy.span == document.span);
            read.map_or_else(|| self.context.policy(document), |read| Arc::clone(&read.policy))
        });
        hearing.identity(&identity);
        if let Some(document) = &view.role.permissions.boundary_document {
            hearing.document(document, &self.context.policy(document), None);
        }
        hearing.close()
    }

    pub(super) fn bucket(&self, view: &BucketView<'_>) -> Part {
        let mut hearing = self.hear(view.subject.clone());
        let status = self.context.model.is_log_bucket(view.bucket);
        for rule in &self.rules {
            match (rule.check.bucket, &view.policy) {
                (Some(check), _) if status.is_log_bucket() => hearing.record(rule, check(&self.context, view)),
                (Some(_), Err(gap)) if status == LogBucketStatus::NotKnown && is_described(view.bucket) => {
                    hearing.record(rule, Err(gap.clone()));
                }
                _ => {}
            }
        }
        hearing.attached(view.bucket.policy.present(), &view.policy);
        hearing.close()
    }

    pub(super) fn key(&self, view: &KeyView<'_>) -> Part {
        let mut hearing = self.hear(view.subject.clone());
        let status = self.context.model.is_log_key(view.key);
        for rule in &self.rules {
            match (rule.check.key, &view.policy) {
                (Some(check), _) if status.is_log_key() => hearing.record(rule, check(&self.context, view)),
                (Some(_), Err(gap)) if status == LogKeyStatus::NotKnown && is_told(gap) => {
                    hearing.record(rule, Err(gap.clone()));
                }
                _ => {}
            }
        }
        hearing.attached(view.key.policy.present(), &view.policy);
        hearing.close()
    }

    fn permissions(&self, subject: Subject, permissions: &Permissions) -> Part {
        let identity = IdentityView::new(&subject, permissions, |document| self.context.policy(document));
        let mut hearing = self.hear(subject.clone());
        hearing.identity(&identity);
        if let Some(document) = &permissions.boundary_document {
            hearing.document(document, &self.context.policy(document), None);
        }
        hearing.close()
    }

    fn documents<'d>(
        &self,
        subject: Subject,
        documents: impl IntoIterator<Item = (&'d Document, Option<&'d str>)>,
    ) -> Part {
        let mut hearing = self.hear(subject);
        for (document, name) in documents {
            hearing.document(document, &self.context.policy(document), name);
        }
        hearing.close()
    }

    fn whole_estate(&self) -> Part {
        let organization = &self.context.estate.organization;
        let name = organization.id.present().map_or_else(|| "this estate".to_owned(), |id| id.to_string());
        let subject = Subject { kind: SubjectKind::Organization, arn: None, file: None, account: None, name };
        let mut hearing = self.hear(subject);
        for rule in &self.rules {
            if let Some(check) = rule.check.estate {
                hearing.record(rule, check(&self.context));
            }
        }
        hearing.part
    }

    /// Facts that nobody could be told to need: contradictions, answers without a subject, model and config at odds.
    fn estate_gaps(&self) -> Vec<Blocking> {
        let contradictions = self.context.model.contradictions().iter().map(|contradiction| &contradiction.gap);
        let gaps = self.context.estate.gaps.iter().chain(contradictions);
        gaps.map(|gap| {
            let place = gap.places.first().copied();
            let name = place.map_or("this estate", |span| self.context.file(span)).to_owned();
            let file = place.is_some().then(|| name.clone());
            let subject = Subject { kind: SubjectKind::Document, arn: None, file, account: None, name };
            Blocking { subject: Arc::new(subject), gap: gap.clone(), rules: self.rules_about(&gap.fact) }
        })
        .collect()
    }

    /// The rules that look at what the rest of a list would have told of, or at a policy that is of some kind; none for other facts.
    fn rules_about(&self, fact: &str) -> Vec<&'static str> {
        let told: &[&str] = match fact {
            "policy.kind" => &["bucket.policy", "key.policy", "role.trust-policy"],
            "account.authorization-details" => &["role", "identity-policy"],
            "account.roles" => &["role"],
            "account.users" | "account.groups" => &["identity-policy"],
            "account.trails" => &["trail"],
            "input.configuration-items" => &["role", "identity-policy", "bucket", "key", "trail", "account"],
            "role.configuration-item" => &["role", "identity-policy"],
            "user.configuration-item" | "group.configuration-item" | "managed-policy.configuration-item" => {
                &["identity-policy"]
            }
            "bucket.configuration-item" => &["bucket"],
            "account.configuration-item" => &["account"],
            "key.configuration-item" => &["key"],
            "trail.configuration-item" => &["trail"],
            "key.grants" => &["key.grants"],
            "organization.accounts" => &["organization.accounts"],
            _ => return Vec::new(),
        };
        let is_told = |need: &String| {
            told.iter().any(|told| need.strip_prefix(told).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
        };
        self.rules.iter().filter(|rule| rule.card().needs.iter().any(is_told)).map(|rule| rule.id).collect()
    }
}

/// Whether the inputs tell more of a bucket than its name, or that more could not be had.
fn is_described(bucket: &Bucket) -> bool {
    fn told<T>(fact: &Known<T>) -> bool {
        fact.gap().is_none_or(is_told)
    }
    told(&bucket.policy)
        || told(&bucket.ownership)
        || told(&bucket.acl)
        || told(&bucket.encryption)
        || told(&bucket.block_public_access)
}

/// Maps a list, on all threads where it is long.
pub(super) fn each<T: Sync, U: Send>(items: &[T], map: impl Fn(&T) -> U + Sync + Send) -> Vec<U> {
    if items.len() < PARALLEL { items.iter().map(map).collect() } else { items.par_iter().map(map).collect() }
}

/// Sets each finding's fingerprint; findings that are alike in all that it rests on are numbered in order of place.
pub(super) fn number_doubles(findings: &mut [Finding]) {
    let mut seen: std::collections::HashMap<Fingerprint, usize> = std::collections::HashMap::new();
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by_key(|&i| findings.get(i).map(|f| (f.primary.span, f.rule)));
    for index in order {
        let Some(finding) = findings.get_mut(index) else { continue };
        let parts = |number: &str| {
            let about = finding.about.iter().map(String::as_str);
            let fixed = [finding.rule, finding.subject.id(), finding.statement.as_deref().unwrap_or("")];
            Fingerprint::of(fixed.into_iter().chain(about).chain([number]))
        };
        let plain = parts("");
        let count = seen.entry(plain).or_insert(0);
        finding.fingerprint = if *count == 0 { plain } else { parts(&count.to_string()) };
        *count += 1;
    }
}

fn order_of_gaps(one: &Blocking) -> impl Ord + '_ {
    (&one.subject, &one.gap.fact, !one.gap.is_contradiction(), one.key())
}

/// Joins the gaps of all rules: one for each subject and fact.
fn gather(mut gaps: Vec<Blocking>) -> Vec<ReportedGap> {
    // Of gaps that are the same the first one's places are shown: the order of equal ones stays. That the inputs
    // contradict each other comes before what rules make of it.
    gaps.sort_by(|a, b| order_of_gaps(a).cmp(&order_of_gaps(b)));
    let mut joined: Vec<ReportedGap> = Vec::with_capacity(gaps.len());
    let mut gaps = gaps.into_iter().peekable();
    while let Some(first) = gaps.next() {
        let same = |next: &Blocking| {
            first.gap.fact == next.gap.fact
                && (Arc::ptr_eq(&first.subject, &next.subject) || first.subject == next.subject)
        };
        let mut more = Vec::new();
        while let Some(next) = gaps.next_if(same) {
            more.push(next);
        }
        joined.push(together(first, more));
    }
    // What keeps rules from a verdict is told of their subject, not once more of the file.
    if joined.iter().any(|gap| gap.blocks.is_empty()) {
        let blocking: HashSet<(Cow<'static, str>, Vec<Span>)> = joined
            .iter()
            .filter(|gap| !gap.blocks.is_empty())
            .map(|gap| (gap.fact.clone(), gap.places.clone()))
            .collect();
        joined.retain(|gap| !gap.blocks.is_empty() || !blocking.contains(&(gap.fact.clone(), gap.places.clone())));
    }
    joined
}

/// The gaps of one subject and fact, in order of their reasons, as one; the first few reasons in words.
fn together(first: Blocking, mut more: Vec<Blocking>) -> ReportedGap {
    const SHOWN: usize = 3;
    let Blocking { subject, gap: Gap { fact, reason, places }, rules } = first;
    let mut all = ReportedGap { subject, fact, reason, blocks: rules, places };
    all.blocks.extend(more.iter().flat_map(|one| one.rules.iter().copied()));
    all.blocks.sort_unstable();
    all.blocks.dedup();
    more.dedup_by(|again, known| again.gap.reason == known.gap.reason);
    more.retain(|one| one.gap.reason != all.reason);
    if !more.is_empty() {
        let shown = more.iter().take(SHOWN - 1).map(|one| one.gap.reason.as_ref());
        let mut words = std::iter::once(all.reason.as_ref()).chain(shown).collect::<Vec<_>>().join("; ");
        match (more.len() + 1).saturating_sub(SHOWN) {
            0 => {}
            1 => words.push_str("; and for 1 more reason"),
            count => words.push_str(&format!("; and for {count} more reasons")),
        }
        all.reason = words.into();
        all.places.extend(more.into_iter().flat_map(|one| one.gap.places));
    }
    all.places.sort_unstable();
    all.places.dedup();
    all
}
