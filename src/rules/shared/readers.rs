//! Who in other accounts can read log objects because the bucket policy lets them.
//!
//! This looks at the policy alone: neither object ownership nor encryption nor block public access is asked.

use std::sync::Arc;

use compact_str::CompactString;

use crate::access::allowance::Allowance;
use crate::access::delivery::log_object;
use crate::access::evaluate::{Policies, Side};
use crate::access::pattern_set::overlap;
use crate::access::request::Given;
use crate::access::search::{Answer, Question, STRANGER, principals_of};
use crate::access::sts::{Membership, better, named_accounts, names_everyone};
use crate::aws::{AccountId, Arn, is_organization_id};
use crate::estate::Gap;
use crate::finding::Draft;
use crate::model::Class;
use crate::policy::template::{Piece, Template};
use crate::policy::{Policy, Principal, PrincipalEntry, Statement};
use crate::rule::context::{BucketView, Context};
use crate::rules::shared::acl::short_canonical_id;
use crate::rules::shared::delivery::{owner, owner_or_other};
use crate::text::Span;

/// Someone in another account whom the bucket policy lets read.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Reader {
    /// Who.
    pub(in crate::rules) who: Who,
    /// How.
    pub(in crate::rules) answer: Answer,
    /// Where the statement that lets them in names them.
    pub(in crate::rules) span: Span,
}

/// Whom a reader stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules) enum Who {
    /// Principals of this account.
    Account(AccountId),
    /// Principals of the account of this canonical ID, which nothing tells.
    CanonicalUser(CompactString),
    /// Principals of every account of this organization.
    Organization(CompactString),
    /// Principals of any account.
    Anyone,
}

/// The readers of a bucket in other accounts than its owner's, each once, certain ones before conditional ones.
///
/// # Errors
/// The gap of the bucket policy, where it is not known.
pub(in crate::rules) fn cross_account_readers(
    context: &Context<'_>,
    view: &BucketView<'_>,
) -> Result<Vec<Reader>, Gap> {
    let Some(policy) = view.policy()? else { return Ok(Vec::new()) };
    let asked = Asked::new(context, view, policy);
    let mut readers: Vec<Reader> = Vec::new();
    for statement in policy.allows() {
        for who in asked.candidates(statement) {
            let answer = asked.answer(statement, &who);
            if answer == Answer::No {
                continue;
            }
            match readers.iter_mut().find(|reader| reader.who == who) {
                Some(reader) => reader.answer = better(reader.answer.clone(), answer),
                None => readers.push(Reader { span: named_at(statement, &who), who, answer }),
            }
        }
    }
    readers.sort_by_key(|reader| (!reader.answer.is_yes(), reader.who.clone()));
    Ok(readers)
}

/// Those of them that the statement which lets them in means, and not just anyone.
///
/// # Errors
/// The gap of the bucket policy, where it is not known.
pub(in crate::rules) fn meant_readers(context: &Context<'_>, view: &BucketView<'_>) -> Result<Vec<Reader>, Gap> {
    let is_meant = |reader: &Reader| match &reader.who {
        Who::Account(account) => !context.model.logs_of(*account, &view.bucket.name).is_nothing(),
        Who::Organization(id) => {
            let known = context.model.organization_ids();
            known.is_empty() || known.iter().any(|organization| organization.id == *id)
        }
        Who::CanonicalUser(_) => true,
        Who::Anyone => false,
    };
    Ok(cross_account_readers(context, view)?.into_iter().filter(is_meant).collect())
}

/// Readers in words: the first three, and how many more there are.
pub(in crate::rules) fn list(context: &Context<'_>, readers: &[Reader]) -> String {
    const SHOWN: usize = 3;
    let name = |reader: &Reader| match &reader.who {
        Who::Account(account) => context.model.label(*account),
        Who::CanonicalUser(id) => format!("the account of canonical ID `{}`", short_canonical_id(id)),
        Who::Organization(id) => format!("every account of organization `{id}`"),
        Who::Anyone => "any AWS account".to_owned(),
    };
    let mut names: Vec<String> = readers.iter().take(SHOWN).map(name).collect();
    match readers.len().saturating_sub(SHOWN) {
        0 => {}
        more => names.push(format!("{more} more")),
    }
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

struct Asked<'c, 'a> {
    context: &'c Context<'a>,
    policy: &'c Policy,
    bucket: String,
    owner: Option<AccountId>,
    /// The S3 key prefixes of the bucket's trails.
    prefixes: Vec<String>,
    rcp: Vec<Arc<Policy>>,
    allowance: Allowance,
}

impl<'c, 'a> Asked<'c, 'a> {
    fn new(context: &'c Context<'a>, view: &BucketView<'_>, policy: &'c Policy) -> Self {
        let owner = owner(context, view);
        let known = context.model.log_bucket(&view.bucket.name);
        let prefixes = known.map(|bucket| bucket.prefixes().map(str::to_owned).collect()).unwrap_or_default();
        let (rcp, allowance) = (context.rcp(owner), Allowance::of_rule());
        Asked { context, policy, bucket: view.arn(), owner, prefixes, rcp, allowance }
    }

    /// Whom a statement may let in: the accounts it names; where it names everyone, the organizations in its conditions
    /// and an account that nobody knows.
    fn candidates(&self, statement: &Statement) -> Vec<Who> {
        let is_other = |account: &AccountId| match self.owner {
            Some(owner) => *account != owner,
            None => self.context.model.class(*account) != Class::Owner,
        };
        let is_reader = |account: &AccountId| self.context.model.class(*account) != Class::CloudTrail;
        let named = named_accounts(statement).into_iter().map(Who::Account);
        let canonical = canonical_ids(statement).map(|id| match self.context.model.account_of_canonical_id(id) {
            Some(account) => Who::Account(account),
            None => Who::CanonicalUser(id.into()),
        });
        let is_meant = |who: &Who| !matches!(who, Who::Account(account) if !is_other(account) || !is_reader(account));
        let mut candidates: Vec<Who> = named.chain(canonical).filter(is_meant).collect();
        if names_everyone(statement) {
            candidates.extend(organizations(statement).into_iter().map(Who::Organization));
            candidates.push(Who::Anyone);
        }
        candidates
    }

    fn answer(&self, statement: &Statement, who: &Who) -> Answer {
        let account = match who {
            Who::Account(account) => *account,
            Who::CanonicalUser(_) | Who::Organization(_) | Who::Anyone => self.context.stranger(),
        };
        let is_of = |id: &&str| match who {
            Who::Account(account) => self.context.model.account_of_canonical_id(id) == Some(*account),
            Who::CanonicalUser(own) => own == id,
            Who::Organization(_) | Who::Anyone => false,
        };
        let canonical = canonical_ids(statement).find(is_of);
        let mut best = Answer::No;
        for keys in self.memberships(statement, who, account) {
            for object in self.objects(statement, account) {
                for action in ["s3:GetObject", "s3:GetObjectVersion"] {
                    best = better(best, self.ask(action, &object, account, canonical, keys.clone()));
                    if best.is_yes() {
                        return best;
                    }
                }
            }
        }
        best
    }

    fn ask(
        &self,
        action: &str,
        object: &str,
        account: AccountId,
        canonical: Option<&str>,
        fixed: Vec<(CompactString, Given)>,
    ) -> Answer {
        let policies = [self.policy];
        let rcp = [self.rcp.iter().map(Arc::as_ref).collect::<Vec<_>>()];
        let granted = format!("administrators of {account} decide which of their users and roles may `{action}`");
        let question = Question {
            callers: principals_of(account, rcp.iter().flatten().copied().chain(policies)),
            action,
            resource: object.into(),
            resource_account: Some(owner_or_other(self.context, self.owner)),
            policies: Policies {
                identity: Side::Granted(&granted),
                resource: Side::Policies(&policies),
                rcp: &rcp,
                canonical,
                management: self.context.model.management(),
                ..Policies::default()
            },
            fixed,
        };
        question.ask(&self.allowance)
    }

    /// The organization keys of a request, one list for each way to try.
    fn memberships(&self, statement: &Statement, who: &Who, account: AccountId) -> Vec<Vec<(CompactString, Given)>> {
        let own = match who {
            Who::Account(_) => self.context.membership(account),
            Who::Organization(id) => Membership::In(id.clone()),
            Who::CanonicalUser(_) | Who::Anyone => Membership::Outside,
        };
        let Membership::In(id) = &own else { return own.keys() };
        // The place in the organization is one that the statement asks for, where there is one.
        let paths = statement.conditions.iter().filter(|clause| clause.key.is("aws:PrincipalOrgPaths"));
        let paths = paths.flat_map(|clause| &clause.values).map(|value| value.template.raw());
        let paths: Vec<CompactString> = paths
            .filter(|path| path.split('/').next() == Some(id.as_str()))
            .map(|path| path.replace('*', "").replace('?', "x").into())
            .collect();
        let keys = own.keys().into_iter().map(|keys| {
            let replaced = |(key, given): (CompactString, Given)| match key.as_str() {
                "aws:PrincipalOrgPaths" if !paths.is_empty() => (key, Given::Values(paths.clone())),
                _ => (key, given),
            };
            keys.into_iter().map(replaced).collect()
        });
        keys.collect()
    }

    /// Log objects that a statement may speak of, for a caller of this account.
    fn objects(&self, statement: &Statement, account: AccountId) -> Vec<String> {
        let Some(resources) = &statement.resources else { return Vec::new() };
        if resources.negated {
            return vec![log_object(&self.bucket, "*", account)];
        }
        let patterns = resources.items.iter().map(|item| substituted(item, account));
        let logs = patterns.filter(|pattern| self.is_of_logs(pattern));
        logs.map(|pattern| log_object(&self.bucket, &pattern, account)).collect()
    }

    /// Whether a `Resource` pattern can match a log object.
    fn is_of_logs(&self, pattern: &str) -> bool {
        let key = Arn::parse(pattern).and_then(|arn| arn.resource.split_once('/')).map_or("*", |(_, key)| key);
        let prefixes = self.prefixes.iter().map(|prefix| match prefix.as_str() {
            "" => "AWSLogs/*".to_owned(),
            prefix => format!("{prefix}/AWSLogs/*"),
        });
        let mut logs: Vec<String> = prefixes.collect();
        if logs.is_empty() {
            logs.push("AWSLogs/*".to_owned());
        }
        key.contains("AWSLogs/") || logs.iter().any(|logs| overlap(key, logs))
    }
}

/// Adds the places that let the first few of these in.
pub(in crate::rules) fn shown(draft: Draft, readers: &[Reader], label: &str) -> Draft {
    let mut spans: Vec<Span> = readers.iter().take(3).map(|reader| reader.span).collect();
    spans.sort_unstable();
    spans.dedup();
    spans.into_iter().fold(draft, |draft, span| draft.related(span, label))
}

/// Where a statement names someone.
fn named_at(statement: &Statement, who: &Who) -> Span {
    let Some(principals) = &statement.principals else { return statement.span };
    let is_it = |entry: &&PrincipalEntry| match who {
        Who::Account(id) => entry.principal.account() == Some(*id),
        Who::CanonicalUser(id) => matches!(&entry.principal, Principal::CanonicalUser(own) if own == id),
        Who::Organization(_) | Who::Anyone => false,
    };
    principals.entries.iter().find(is_it).map_or(principals.span, |entry| entry.span)
}

/// The canonical IDs that a statement names.
fn canonical_ids(statement: &Statement) -> impl Iterator<Item = &str> {
    let principals = statement.principals.iter().filter(|principals| !principals.negated);
    principals.flat_map(|p| &p.entries).filter_map(|entry| match &entry.principal {
        Principal::CanonicalUser(id) => Some(id.as_str()),
        _ => None,
    })
}

/// The organizations that a statement's conditions on the caller name.
fn organizations(statement: &Statement) -> Vec<CompactString> {
    const KEYS: [&str; 2] = ["aws:PrincipalOrgID", "aws:PrincipalOrgPaths"];
    let clauses = statement.conditions.iter().filter(|clause| KEYS.iter().any(|key| clause.key.is(key)));
    let values = clauses.flat_map(|clause| &clause.values).map(|value| value.template.raw());
    let mut found: Vec<CompactString> = values
        .filter_map(|text| text.split('/').next())
        .filter(|id| is_organization_id(id))
        .map(CompactString::from)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A pattern with its variables replaced as for a caller of this account.
fn substituted(template: &Template, account: AccountId) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.to_string(),
        Piece::Literal(c) => c.to_string(),
        Piece::Variable(variable) if variable.key.is("aws:PrincipalAccount") => account.to_string(),
        Piece::Variable(variable) => variable.default.as_ref().map_or_else(|| STRANGER.to_owned(), |d| d.to_string()),
    };
    template.pieces().map_or_else(|| template.raw().to_owned(), |pieces| pieces.iter().map(piece).collect())
}
