//! The calls by which CloudTrail delivers log files, and the trails for which a statement lets them through.
//!
//! Sources: CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail", "Configure AWS KMS key policies for
//! CloudTrail" and "Cross-service confused deputy prevention".

mod paths;

pub use paths::{ForeignObject, Ours, foreign_objects, log_object};

use std::collections::BTreeSet;

use compact_str::CompactString;

use crate::access::evaluate::{Policies, Side, explain};
use crate::access::request::{Caller, Given, Otherwise, Request};
use crate::access::search::{Answer, Found, STRANGER, fill, witness};
use crate::access::sts::better;
use crate::aws::{AccountId, Arn, CLOUDTRAIL, is_cloudtrail, legacy_cloudtrail_account};
use crate::finding::Decision;
use crate::policy::pattern::has_wildcard;
use crate::policy::template::Template;
use crate::policy::{Clause, Effect, Policy, Principal, Statement};

/// How many calls one question may try.
const MAX_TRIES: usize = 2_000;

/// An organization that is nobody's.
const OTHER_ORGANIZATION: &str = "o-stranger00";

/// The encryption context that names the trail.
const TRAIL_CONTEXT: &str = "kms:EncryptionContext:aws:cloudtrail:arn";

/// For whom CloudTrail makes a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The ARN of the trail.
    pub trail: CompactString,
    /// The account that owns it.
    pub account: AccountId,
    /// The organization of that account; `None` where it is in none.
    pub organization: Option<CompactString>,
}

/// The canned ACL that a delivered object carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CannedAcl {
    /// `bucket-owner-full-control`, as CloudTrail sends it.
    BucketOwnerFullControl,
    /// None, or another one.
    Other,
}

/// One Allow statement of a bucket or key policy, alone with every Deny, as CloudTrail's calls meet it.
#[derive(Debug)]
pub struct Delivery<'p> {
    /// The account that owns the bucket or key, where known.
    pub owner: Option<AccountId>,
    /// The partition of the bucket or key.
    pub partition: &'p str,
    /// The RCPs that bind the resource, level by level.
    pub rcp: &'p [Vec<&'p Policy>],
    caller: Caller,
    policy: Policy,
}

impl<'p> Delivery<'p> {
    /// The statement as CloudTrail meets it; `None` unless it is an effective Allow that names CloudTrail.
    ///
    /// An old account of CloudTrail counts where the service itself is not named.
    pub fn through(policy: &Policy, statement: &Statement, partition: &'p str) -> Option<Self> {
        let effective = policy.effective().any(|one| one.span == statement.span);
        if statement.effect != Effect::Allow || !effective {
            return None;
        }
        let caller = caller(statement)?;
        let statements = policy.denies().chain([statement]).cloned().collect();
        let policy = Policy { statements, ..Policy::empty(policy.kind, policy.span) };
        Some(Delivery { owner: None, partition, rcp: &[], caller, policy })
    }

    /// Whether the statement names the service, not one of its old accounts.
    pub fn is_of_service(&self) -> bool {
        matches!(self.caller, Caller::Service(_))
    }

    /// Trails of accounts that are not ours, in each form that a condition could take for ours.
    pub fn foreign_sources(&self, stranger: AccountId, is_ours: &dyn Fn(AccountId) -> bool) -> Vec<Source> {
        let mut accounts = vec![stranger];
        accounts.extend(self.account_patterns().iter().filter_map(|pattern| account_like(pattern, is_ours)));
        let organizations = self.organizations(true);
        self.trails(&accounts).flat_map(|trail| in_each(&organizations, trail)).take(MAX_TRIES).collect()
    }

    /// Trails that the conditions speak of, and one of `otherwise`, which counts where they name no account.
    pub fn named_sources(&self, otherwise: AccountId) -> Vec<Source> {
        let base = Request::new(self.caller.clone(), "s3:PutObject", "*", self.owner);
        let whole = self.values(|key| key == "aws:sourcearn").filter_map(|value| {
            let trail = fill(value, "", "x", &base);
            Arn::parse(&trail)?.account_id().map(|account| (trail.clone(), account))
        });
        let accounts = self.values(|key| key == "aws:sourceaccount");
        let accounts: Vec<AccountId> =
            accounts.filter_map(|value| AccountId::parse(value.raw())).chain([otherwise]).collect();
        let organizations = self.organizations(false);
        let trails = whole.chain(self.trails(&accounts));
        trails.flat_map(|trail| in_each(&organizations, trail)).take(MAX_TRIES).collect()
    }

    /// Whether CloudTrail can write an object of this ARN for a trail; `${aws:SourceAccount}` and `${aws:SourceOrgID}` in
    /// it are those of the trail.
    pub fn put(&self, object: &str, source: &Source, acl: CannedAcl) -> Answer {
        let acls = match acl {
            CannedAcl::BucketOwnerFullControl => vec![Given::Values(vec!["bucket-owner-full-control".into()])],
            CannedAcl::Other => vec![Given::Absent, Given::Values(vec!["private".into()])],
        };
        let object = of_source(object, source);
        let mut best = Answer::No;
        for headers in self.headers() {
            for acl in &acls {
                let mut request = self.request("s3:PutObject", &object, source);
                request.set("s3:x-amz-acl", acl.clone());
                for (key, given) in &headers {
                    request.set(key, given.clone());
                }
                best = better(best, self.answer(&request));
            }
        }
        best
    }

    /// Whether CloudTrail can get a data key of the key of this ARN for a trail, when the encryption context names
    /// `context` as the trail.
    pub fn encrypt(&self, key: &str, source: &Source, context: &str) -> Answer {
        let mut request = self.request("kms:GenerateDataKey", key, source);
        request.set(TRAIL_CONTEXT, Given::Values(vec![context.into()]));
        request.set("kms:EncryptionContextKeys", Given::Values(vec!["aws:cloudtrail:arn".into(), "aws:s3:arn".into()]));
        // Which object it is, and through which service the call comes, can be so for any trail.
        for clause in self.clauses().filter(|clause| !clause.key.is(TRAIL_CONTEXT)) {
            if (clause.key.starts_with("kms:encryptioncontext:") || clause.key.is("kms:ViaService"))
                && let Some(value) = clause.values.first()
            {
                let value = fill(&value.template, "", "x", &request);
                request.set(&clause.written_key, Given::Values(vec![value]));
            }
        }
        self.answer(&request)
    }

    /// The trails that the conditions want in the encryption context, or the one the call is made for.
    pub fn contexts(&self, source: &Source) -> Vec<CompactString> {
        let base = self.request("kms:GenerateDataKey", "*", source);
        let values = self.values(|key| key.eq_ignore_ascii_case(TRAIL_CONTEXT));
        let mut contexts: Vec<CompactString> = values.map(|value| fill(value, "", "x", &base)).collect();
        contexts.push(source.trail.clone());
        contexts.dedup();
        contexts
    }

    fn clauses(&self) -> impl Iterator<Item = &Clause> {
        self.policy.statements.iter().flat_map(|statement| &statement.conditions)
    }

    /// The values compared with keys that pass a test on their lower-case names.
    fn values<'s>(&'s self, wanted: impl Fn(&str) -> bool + 's) -> impl Iterator<Item = &'s Template> + 's {
        let clauses = self.clauses().filter(move |clause| wanted(clause.key.as_str()));
        clauses.flat_map(|clause| clause.values.iter().map(|value| &value.template))
    }

    /// Texts with wildcards that stand where a condition compares an account.
    fn account_patterns(&self) -> BTreeSet<&str> {
        let arns = self.values(|key| key == "aws:sourcearn" || key.eq_ignore_ascii_case(TRAIL_CONTEXT));
        let arns = arns.filter_map(|value| Arn::parse(value.raw()).map(|arn| arn.account));
        let accounts = self.values(|key| key == "aws:sourceaccount").map(Template::raw);
        arns.chain(accounts).filter(|text| has_wildcard(text)).collect()
    }

    /// Trails of these accounts: one of no name that anybody knows, and those that patterns of any account ask for.
    fn trails<'s>(&'s self, accounts: &'s [AccountId]) -> impl Iterator<Item = (CompactString, AccountId)> + 's {
        let mut forms: BTreeSet<(CompactString, CompactString, CompactString)> = BTreeSet::new();
        forms.insert((self.partition.into(), "us-east-1".into(), STRANGER.into()));
        for value in self.values(|key| key == "aws:sourcearn") {
            let raw = value.raw();
            let arn = Arn::parse(raw);
            if arn.is_some_and(|arn| arn.account_id().is_some()) {
                continue;
            }
            let plain = |text: &str, any: &str| CompactString::from(text.replace('*', any).replace('?', "x"));
            let name = raw.rsplit_once("trail/").map_or(STRANGER, |(_, name)| name);
            forms.insert((
                arn.map_or_else(|| self.partition.into(), |arn| plain(arn.partition, "aws")),
                arn.map_or_else(|| "us-east-1".into(), |arn| plain(arn.region, "us-east-1")),
                plain(name, STRANGER),
            ));
        }
        forms.into_iter().flat_map(move |(partition, region, name)| {
            let of = move |account: &AccountId| {
                (format!("arn:{partition}:cloudtrail:{region}:{account}:trail/{name}").into(), *account)
            };
            accounts.iter().map(of)
        })
    }

    /// The organizations worth trying: none, another, and those of the conditions; of a foreign account not the ones
    /// that a condition writes out.
    fn organizations(&self, foreign: bool) -> Vec<Option<CompactString>> {
        let mut organizations: Vec<Option<CompactString>> = vec![None, Some(OTHER_ORGANIZATION.into())];
        for value in self.values(|key| key == "aws:sourceorgid" || key == "aws:sourceorgpaths") {
            let organization = value.raw().split('/').next().unwrap_or_default();
            if !foreign || has_wildcard(organization) {
                organizations.push(Some(without_wildcards(organization)));
            }
        }
        organizations.dedup();
        organizations
    }

    /// The places in an organization worth trying.
    fn organization_paths(&self, organization: &str) -> Vec<CompactString> {
        let values = self.values(|key| key == "aws:sourceorgpaths").map(|value| without_wildcards(value.raw()));
        let own = values.filter(|path| path.split('/').next() == Some(organization));
        own.chain([format!("{organization}/r-strg/ou-strg-stranger/").into()]).collect()
    }

    /// The further headers of a write that conditions ask for, in each combination: CloudTrail sends what the owner of
    /// the trail has configured.
    fn headers(&self) -> Vec<Vec<(CompactString, Given)>> {
        let mut all: Vec<Vec<(CompactString, Given)>> = vec![Vec::new()];
        let mut seen: Vec<&str> = vec!["s3:x-amz-acl"];
        for clause in self.clauses().filter(|clause| clause.key.starts_with("s3:x-amz-")) {
            if seen.contains(&clause.key.as_str()) || all.len() > 64 {
                continue;
            }
            seen.push(clause.key.as_str());
            let key = clause.key.as_str();
            let values = self.values(move |one| one == key).map(|value| Given::Values(vec![value.raw().into()]));
            let values: Vec<Given> = [Given::Absent].into_iter().chain(values).collect();
            let with = |so_far: &Vec<(CompactString, Given)>, given: &Given| {
                let mut next = so_far.clone();
                next.push((clause.written_key.clone(), given.clone()));
                next
            };
            all = all.iter().flat_map(|so_far| values.iter().map(move |given| with(so_far, given))).collect();
        }
        all
    }

    fn request(&self, action: &str, resource: &str, source: &Source) -> Request {
        let mut request = Request::new(self.caller.clone(), action, resource, self.owner);
        request.otherwise = Otherwise::Situation;
        let one = |text: &str| Given::Values(vec![text.into()]);
        if self.is_of_service() {
            let organization = source.organization.as_deref();
            request.set("aws:SourceArn", one(&source.trail));
            request.set("aws:SourceAccount", one(source.account.as_str()));
            request.set("aws:SourceOrgID", organization.map_or(Given::Absent, one));
            let paths = organization.map(|id| Given::Values(self.organization_paths(id)));
            request.set("aws:SourceOrgPaths", paths.unwrap_or(Given::Absent));
        }
        request.set("aws:SecureTransport", one("true"));
        request.set("aws:ViaAWSService", one("false"));
        for network in ["aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp"] {
            request.set(network, Given::Absent);
        }
        request
    }

    fn answer(&self, request: &Request) -> Answer {
        let resource = [&self.policy];
        let policies = Policies { resource: Side::Policies(&resource), rcp: self.rcp, ..Policies::default() };
        let explanation = explain(request, &policies);
        let found = || Found {
            witness: witness(request, &explanation),
            explanation: explanation.clone(),
            request: Box::new(request.clone()),
        };
        match explanation.decision {
            Decision::Allowed => Answer::Yes(found()),
            Decision::Conditional => Answer::If(found()),
            Decision::ExplicitDeny | Decision::ImplicitDeny => Answer::No,
        }
    }
}

fn in_each(organizations: &[Option<CompactString>], trail: (CompactString, AccountId)) -> Vec<Source> {
    let (trail, account) = trail;
    let of = |organization: &Option<CompactString>| Source {
        trail: trail.clone(),
        account,
        organization: organization.clone(),
    };
    organizations.iter().map(of).collect()
}

/// A text that a pattern matches.
fn without_wildcards(pattern: &str) -> CompactString {
    pattern.replace('*', "stranger").replace('?', "x").into()
}

/// A text with the variables that tell for whom CloudTrail calls filled in.
pub fn of_source(text: &str, source: &Source) -> String {
    let organization = source.organization.as_deref();
    let values = [("${aws:sourceaccount}", Some(source.account.as_str())), ("${aws:sourceorgid}", organization)];
    let mut filled = text.to_owned();
    for (variable, value) in values {
        let Some(value) = value else { continue };
        let mut rest = std::mem::take(&mut filled);
        while let Some(at) = rest.to_ascii_lowercase().find(variable) {
            let behind = rest.split_off(at + variable.len());
            rest.truncate(at);
            filled.push_str(&rest);
            filled.push_str(value);
            rest = behind;
        }
        filled.push_str(&rest);
    }
    filled
}

/// CloudTrail under the name by which a statement calls it: its own, that of an old account, or as one of all services.
fn caller(statement: &Statement) -> Option<Caller> {
    let principals = statement.principals.as_ref().filter(|principals| !principals.negated)?;
    let service = principals.entries.iter().find_map(|entry| match &entry.principal {
        Principal::Service(name) if is_cloudtrail(name) => Some(Caller::Service(name.clone())),
        _ => None,
    });
    let legacy = || {
        principals.entries.iter().find_map(|entry| match entry.principal {
            Principal::Account(account) if legacy_cloudtrail_account(account).is_some() => Some(Caller::Root(account)),
            _ => None,
        })
    };
    // An Allow to everyone is for services where it asks for one.
    let asks_for_service = || {
        let keys = ["aws:PrincipalIsAWSService", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList"];
        principals.entries.iter().any(|entry| entry.principal == Principal::Everyone)
            && statement.conditions.iter().any(|clause| keys.iter().any(|key| clause.key.is(key)))
    };
    service.or_else(legacy).or_else(|| asks_for_service().then(|| Caller::Service(CLOUDTRAIL.into())))
}

/// An account that a pattern matches and that is not ours; `None` where a hundred tries find none.
pub fn account_like(pattern: &str, is_ours: &dyn Fn(AccountId) -> bool) -> Option<AccountId> {
    let fixed = pattern.chars().filter(|c| *c != '*').count();
    let free = 12usize.checked_sub(fixed)?;
    (0..100u64).find_map(|turn| {
        let digits = format!("{:024}", 987_654_321_098 + turn * 1_111_111_111);
        let mut digits = digits.chars().rev();
        let mut text = String::new();
        let mut stars = 0;
        for c in pattern.chars() {
            match c {
                '*' => {
                    stars += 1;
                    text.extend(digits.by_ref().take(if stars == 1 { free } else { 0 }));
                }
                '?' => text.extend(digits.next()),
                other => text.push(other),
            }
        }
        AccountId::parse(&text).filter(|account| !is_ours(*account))
    })
}

#[cfg(test)]
mod tests;
