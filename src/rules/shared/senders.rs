//! The trails that deliver to a bucket, and the paths they write to.

use crate::aws::{AccountId, Arn, is_organization_id};
use crate::estate::{Gap, Known, Trail};
use crate::policy::Policy;
use crate::rule::context::{BucketView, Context};
use crate::rules::shared::encryption::trails;
use crate::rules::shared::trail_calls::{Headers, Source};
use crate::text::Span;

/// A folder that stands for that of an organization whose ID is not known.
const ANY_ORGANIZATION: &str = "o-trailproof0";

/// A trail that delivers to a bucket.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Sender {
    /// What messages call it.
    pub(in crate::rules) name: String,
    /// For which it calls.
    pub(in crate::rules) source: Source,
    /// Where it is described.
    pub(in crate::rules) span: Span,
    /// How its files are encrypted.
    pub(in crate::rules) headers: Headers,
    /// Whether it writes digest files.
    pub(in crate::rules) digests: Option<bool>,
    /// How the keys of its files may begin: one layout, where prefix and kind of trail are known.
    pub(in crate::rules) layouts: Vec<Layout>,
    /// Whether it logs all Regions.
    all_regions: bool,
}

/// How the keys of a trail's files begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) struct Layout {
    /// What stands before `AWSLogs/`, with its slash.
    prefix: String,
    /// Whether it is a trail of the organization.
    is_organization: bool,
}

/// A folder that a trail writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) struct Folder {
    /// Its path, `AWSLogs/222222222222/`.
    pub(in crate::rules) path: String,
    /// The account whose logs lie there.
    pub(in crate::rules) account: AccountId,
    /// Whether its path is known: that of an organization may not be.
    pub(in crate::rules) is_known: bool,
}

/// The trails that deliver to a bucket: those of the inputs, and those that the config declares and no input describes;
/// with what is not known of them.
pub(in crate::rules) fn senders(context: &Context<'_>, view: &BucketView<'_>) -> (Vec<Sender>, Vec<Gap>) {
    let mut found = Vec::new();
    let mut gaps = Vec::new();
    if view.bucket.arn().is_none() {
        return (found, gaps);
    }
    for trail in trails(context, view) {
        match collected(context, trail) {
            Ok(sender) => found.push(sender),
            Err(gap) => gaps.push(gap),
        }
    }
    let declared = context.config.into_iter().flat_map(|config| &config.log_buckets);
    for bucket in declared.filter(|bucket| bucket.name.value == view.bucket.name.as_str()) {
        let is_new = |arn: &str| !context.estate.trails.iter().any(|trail| trail.arn.as_deref() == Some(arn));
        for arn in bucket.trails.iter().filter(|arn| is_new(&arn.value)) {
            let Some(parsed) = Arn::parse(&arn.value) else { continue };
            let Some(account) = parsed.account_id() else { continue };
            let known = context.model.log_bucket(&view.bucket.name);
            let prefixes: Vec<String> = match &bucket.prefix {
                Some(prefix) => vec![prefix.value.clone()],
                None => known.into_iter().flat_map(|bucket| bucket.prefixes()).map(str::to_owned).collect(),
            };
            let kinds = bucket.organization_trail.as_ref().map_or(vec![false, true], |kind| vec![kind.value]);
            found.push(Sender {
                name: parsed.resource_of("trail").unwrap_or(&arn.value).to_owned(),
                source: Source { arn: arn.value.as_str().into(), account, organization: None },
                span: arn.span,
                headers: Headers::Unknown,
                digests: None,
                layouts: layouts(&prefixes, &kinds),
                all_regions: false,
            });
        }
    }
    (found, gaps)
}

fn collected(context: &Context<'_>, trail: &Trail) -> Result<Sender, Gap> {
    let not_told = || Gap::new("trail.arn", "not in the inputs").at([trail.span]);
    let (arn, account) = trail.arn.clone().zip(trail.account).ok_or_else(not_told)?;
    let prefix = trail.prefix.get()?.map_or("", |prefix| prefix);
    let kinds = trail.is_organization.present().map_or(vec![false, true], |kind| vec![*kind]);
    let is_organization = trail.is_organization.present() == Some(&true);
    let organization = context.model.organization_id().filter(|_| is_organization).map(|known| known.id.clone());
    Ok(Sender {
        name: trail.name.to_string(),
        source: Source { arn, account, organization },
        span: trail.span,
        headers: match &trail.key {
            Known::Present(key, _) => Headers::Key(key.clone()),
            Known::Absent(_) => Headers::None,
            Known::Unknown(_) => Headers::Unknown,
        },
        digests: trail.validates_log_files.present().copied(),
        layouts: layouts(&[prefix.to_owned()], &kinds),
        all_regions: trail.is_multi_region.present() == Some(&true),
    })
}

fn layouts(prefixes: &[String], kinds: &[bool]) -> Vec<Layout> {
    let with_slash = |prefix: &String| match prefix.trim_end_matches('/') {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    };
    let of = |prefix: &String| {
        let prefix = with_slash(prefix);
        kinds.iter().map(move |kind| Layout { prefix: prefix.clone(), is_organization: *kind }).collect::<Vec<_>>()
    };
    prefixes.iter().flat_map(of).collect()
}

impl Sender {
    /// Whether it is certainly a trail of the organization.
    pub(in crate::rules) fn is_of_organization(&self) -> bool {
        self.layouts.iter().all(|layout| layout.is_organization)
    }

    /// The folders it writes to in a layout.
    ///
    /// An organization trail writes below the ID of the organization for every account, and to the folder that its owner has
    /// without an organization as soon as it is made a trail of that account alone: the guide asks for both. Where the policy
    /// does not tell members apart, one of them stands for all.
    pub(in crate::rules) fn folders(&self, context: &Context<'_>, layout: &Layout, policy: &Policy) -> Vec<Folder> {
        let own = self.source.account;
        let prefix = &layout.prefix;
        let alone = Folder { path: format!("{prefix}AWSLogs/{own}/"), account: own, is_known: true };
        if !layout.is_organization {
            return vec![alone];
        }
        let known = context.model.organization_id().map(|known| known.id.as_str());
        let organization = known.unwrap_or(ANY_ORGANIZATION);
        let members = context.model.members().filter(|account| context.model.members_are_complete() && *account != own);
        let most = if tells_members_apart(policy) { usize::MAX } else { 1 };
        let below = [own].into_iter().chain(members.take(most)).map(|account| Folder {
            path: format!("{prefix}AWSLogs/{organization}/{account}/"),
            account,
            is_known: known.is_some(),
        });
        below.chain([alone]).collect()
    }

    /// The Regions whose files it writes: all that it logs, or two that stand for them.
    pub(in crate::rules) fn regions(&self) -> Vec<&str> {
        let home = Arn::parse(&self.source.arn).map_or("us-east-1", |arn| arn.region);
        let other = match home {
            "cn-north-1" => "cn-northwest-1",
            _ if home.starts_with("cn-") => "cn-north-1",
            "us-gov-west-1" => "us-gov-east-1",
            _ if home.starts_with("us-gov-") => "us-gov-west-1",
            "us-east-1" => "eu-west-1",
            _ => "us-east-1",
        };
        if self.all_regions { vec![home, other] } else { vec![home] }
    }
}

impl Folder {
    /// Its path as messages show it.
    pub(in crate::rules) fn shown(self) -> String {
        if self.is_known { self.path } else { self.path.replace(ANY_ORGANIZATION, "ORGANIZATION-ID") }
    }
}

/// Whether a policy may treat the folders of an organization's accounts differently: whether a resource has digits where an
/// account, or a part of one, can stand below an organization.
fn tells_members_apart(policy: &Policy) -> bool {
    let resources = policy.effective().filter_map(|statement| statement.resources.as_ref());
    resources.flat_map(|resources| &resources.items).any(|item| {
        let key = Arn::parse(item.raw()).and_then(|arn| arn.resource.split_once('/')).map_or("", |(_, key)| key);
        let inside = key.rsplit_once("AWSLogs/").map_or(key, |(_, inside)| inside);
        let (first, rest) = inside.split_once('/').unwrap_or((inside, ""));
        let is_one = AccountId::parse(first).is_some() || is_organization_id(first);
        let open = if is_one { rest } else { inside };
        open.contains(|c: char| c.is_ascii_digit() || c == '?')
    })
}

/// The key of a file of this kind, `CloudTrail` or `CloudTrail-Digest`, in a folder.
pub(in crate::rules) fn file(folder: &Folder, kind: &str, region: &str) -> String {
    let (path, account) = (&folder.path, folder.account);
    format!("{path}{kind}/{region}/2026/11/20/{account}_{kind}_{region}_20261120T1015Z_x7Kq2mPz9LwT4bVs.json.gz")
}

/// Whose folder a `Resource` of a bucket policy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) enum Meant {
    /// That of this account alone.
    Account(AccountId),
    /// One below an organization; up to `AWSLogs/` it is this.
    Organization(String),
    /// Any, or none that is known.
    Any,
}

/// Reads whose folder the text of a `Resource` is; `None` where it speaks of no objects.
pub(in crate::rules) fn meant(resource: &str) -> Option<Meant> {
    let (_, key) = Arn::parse(resource).map_or(Some(("", resource)), |arn| arn.resource.split_once('/'))?;
    let Some((prefix, inside)) = key.split_once("AWSLogs/") else { return Some(Meant::Any) };
    let (first, _) = inside.split_once('/').unwrap_or((inside, ""));
    Some(match AccountId::parse(first) {
        Some(account) => Meant::Account(account),
        None if is_organization_id(first) => Meant::Organization(prefix.to_owned()),
        None => Meant::Any,
    })
}
