//! The calls that CloudTrail makes to deliver for one trail, decided by the whole of what is known.
//!
//! Sources: CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail", "Configure AWS KMS key policies for CloudTrail"
//! and "Finding your CloudTrail log files".

use std::sync::Arc;

use compact_str::CompactString;

use crate::access::evaluate::{Explanation, Policies, Side, decide, explain};
use crate::access::kms::KeyFacts;
use crate::access::request::{Caller, Given, Otherwise, Request};
use crate::access::sts::Membership;
use crate::aws::{AccountId, CLOUDTRAIL, is_cloudtrail, legacy_cloudtrail_account};
use crate::finding::{Decision, Dependency};
use crate::policy::{Policy, Principal};
use crate::rule::context::{BucketView, Context};
use crate::rules::shared::delivery::{owner, owner_or_other};

/// The encryption context that names the trail.
const TRAIL_CONTEXT: &str = "kms:EncryptionContext:aws:cloudtrail:arn";

/// For which trail CloudTrail calls.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Source {
    /// Its ARN.
    pub(in crate::rules) arn: CompactString,
    /// The account that owns it.
    pub(in crate::rules) account: AccountId,
    /// Its organization, where the trail itself tells it; else what is known of its account counts.
    pub(in crate::rules) organization: Option<CompactString>,
}

/// How the files of a trail are encrypted, as its headers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) enum Headers {
    /// Under this KMS key.
    Key(CompactString),
    /// Without a key of its own.
    None,
    /// Not known.
    Unknown,
}

/// How CloudTrail's call ends.
#[derive(Debug)]
pub(in crate::rules) enum Called {
    /// It is allowed.
    Allowed,
    /// It is certainly not.
    Denied(Box<Denied>),
    /// It hangs on what is not known; what that is.
    Open(Vec<Dependency>),
}

/// A call that is refused.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Denied {
    /// The call.
    pub(in crate::rules) request: Request,
    /// Why.
    pub(in crate::rules) explanation: Explanation,
}

/// The trails that a call is allowed for, or, where there is none, how it ends for the first that leaves the most open.
///
/// # Errors
/// That end and the trail; nothing, where there is no trail.
pub(in crate::rules) fn allowed_for<'s>(
    sources: &'s [Source],
    ask: &dyn Fn(&Source) -> Called,
) -> Result<Vec<Source>, Option<(Called, &'s Source)>> {
    let mut allowed = Vec::new();
    let mut best: Option<(Called, &Source)> = None;
    for source in sources {
        let called = ask(source);
        match (&called, &best) {
            (Called::Allowed, _) => allowed.push(source.clone()),
            (Called::Open(_), None | Some((Called::Denied(_), _))) | (Called::Denied(_), None) => {
                best = Some((called, source));
            }
            _ => {}
        }
    }
    if allowed.is_empty() { Err(best) } else { Ok(allowed) }
}

/// A value that more than one thing may be, of which it is not known which.
type Open<'o> = (&'o str, Vec<Given>);

/// What decides CloudTrail's calls to one bucket or key.
pub(in crate::rules) struct Calls<'c, 'a> {
    context: &'c Context<'a>,
    policy: &'c Policy,
    owner: Option<AccountId>,
    region: Option<CompactString>,
    rcp: Vec<Arc<Policy>>,
    key: Option<KeyFacts<'c>>,
    /// CloudTrail under the other names by which the policy calls it.
    others: Vec<Caller>,
}

impl<'c, 'a> Calls<'c, 'a> {
    /// The calls to a resource with this policy, of this account and in this Region, where they are known.
    pub(in crate::rules) fn new(
        context: &'c Context<'a>,
        policy: &'c Policy,
        owner: Option<AccountId>,
        region: Option<CompactString>,
    ) -> Self {
        let is_management = owner.is_some() && owner == context.model.management();
        let rcp = if is_management { Vec::new() } else { context.rcp(owner) };
        let mut others: Vec<Caller> = Vec::new();
        let principals = policy.allows().filter_map(|statement| statement.principals.as_ref()).filter(|p| !p.negated);
        for entry in principals.flat_map(|principals| &principals.entries) {
            let other = match &entry.principal {
                Principal::Account(account) if legacy_cloudtrail_account(*account).is_some() => Caller::Root(*account),
                Principal::Service(name) if is_cloudtrail(name) && name != CLOUDTRAIL => Caller::Service(name.clone()),
                _ => continue,
            };
            if !others.contains(&other) {
                others.push(other);
            }
        }
        Calls { context, policy, owner, region, rcp, key: None, others }
    }

    /// The calls to a bucket with this policy.
    pub(in crate::rules) fn of_bucket(context: &'c Context<'a>, view: &BucketView<'_>, policy: &'c Policy) -> Self {
        Calls::new(context, policy, owner(context, view), view.bucket.region.present().cloned())
    }

    /// The same, where the resource is a key of which this is known too.
    pub(in crate::rules) fn with_key(mut self, key: KeyFacts<'c>) -> Self {
        self.key = Some(key);
        self
    }

    /// The policy that decides them.
    pub(in crate::rules) fn policy(&self) -> &'c Policy {
        self.policy
    }

    /// Reads the ACL of the bucket with this ARN.
    pub(in crate::rules) fn read_acl(&self, bucket: &str, source: &Source) -> Called {
        self.ask(&|caller| self.request(caller, "s3:GetBucketAcl", bucket, source), &[])
    }

    /// Writes an object with this ARN; digest files are under the trail's key too, since May 2025.
    pub(in crate::rules) fn write(&self, object: &str, source: &Source, headers: &Headers) -> Called {
        let one = |text: &str| Given::Values(vec![text.into()]);
        let (encryption, key) = match headers {
            Headers::Key(key) => {
                let named = if key.starts_with("arn:") { one(key) } else { Given::Present };
                (vec![one("aws:kms")], vec![named])
            }
            Headers::None => (vec![one("AES256"), Given::Absent], vec![Given::Absent]),
            Headers::Unknown => (vec![one("aws:kms"), one("AES256"), Given::Absent], vec![Given::Unknown]),
        };
        let open =
            [("s3:x-amz-server-side-encryption", encryption), ("s3:x-amz-server-side-encryption-aws-kms-key-id", key)];
        let request = |caller: &Caller| {
            let mut request = self.request(caller, "s3:PutObject", object, source);
            request.set("s3:x-amz-acl", one("bucket-owner-full-control"));
            for key in ["s3:x-amz-storage-class", "s3:if-none-match", "s3:x-amz-content-sha256"] {
                request.set(key, Given::Unknown);
            }
            request
        };
        self.ask(&request, &open)
    }

    /// Gets a data key of the key with this ARN, for a file that the encryption context may name in these ways.
    pub(in crate::rules) fn data_key(&self, key: &str, source: &Source, files: &[Given]) -> Called {
        let request = |caller: &Caller| {
            let mut request = self.key_request(caller, "kms:GenerateDataKey", key, source);
            request.set(TRAIL_CONTEXT, Given::Values(vec![source.arn.clone()]));
            let names = vec!["aws:cloudtrail:arn".into(), "aws:s3:arn".into()];
            request.set("kms:EncryptionContextKeys", Given::Values(names));
            request.set("kms:EncryptionAlgorithm", Given::Values(vec!["SYMMETRIC_DEFAULT".into()]));
            request
        };
        self.ask(&request, &[("kms:EncryptionContext:aws:s3:arn", files.to_vec())])
    }

    /// Looks at the key with this ARN.
    pub(in crate::rules) fn describe_key(&self, key: &str, source: &Source) -> Called {
        self.ask(&|caller| self.key_request(caller, "kms:DescribeKey", key, source), &[])
    }

    fn key_request(&self, caller: &Caller, action: &str, key: &str, source: &Source) -> Request {
        let mut request = self.request(caller, action, key, source);
        for key in ["kms:ViaService", "kms:CallerAccount", "kms:RequestAlias"] {
            request.set(key, Given::Unknown);
        }
        request
    }

    fn request(&self, caller: &Caller, action: &str, resource: &str, source: &Source) -> Request {
        let owner = owner_or_other(self.context, self.owner);
        let mut request = Request::new(caller.clone(), action, resource, Some(owner));
        request.otherwise = Otherwise::Situation;
        let one = |text: &str| Given::Values(vec![text.into()]);
        if self.owner.is_none() {
            request.set("aws:ResourceAccount", Given::Present);
        } else if let Some(Membership::In(organization)) = self.owner.map(|owner| self.context.membership(owner)) {
            request.set("aws:ResourceOrgID", one(&organization));
        }
        if matches!(caller, Caller::Service(_)) {
            request.set("aws:SourceArn", one(&source.arn));
            request.set("aws:SourceAccount", one(source.account.as_str()));
            let membership = self.context.membership(source.account);
            let organization = match (&source.organization, membership) {
                (Some(organization), _) => one(organization),
                (None, Membership::In(organization)) => one(&organization),
                (None, _) => Given::Unknown,
            };
            let paths = match &organization {
                Given::Values(_) => Given::Present,
                _ => Given::Unknown,
            };
            request.set("aws:SourceOrgID", organization);
            request.set("aws:SourceOrgPaths", paths);
            // A service comes through no network of a customer.
            for key in ["aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp", "aws:CalledVia"] {
                request.set(key, Given::Absent);
            }
        }
        request.set("aws:SecureTransport", one("true"));
        request.set("aws:ViaAWSService", one("false"));
        if action.starts_with("s3:") {
            request.set("s3:signatureversion", one("AWS4-HMAC-SHA256"));
            request.set("s3:authType", one("REST-HEADER"));
            request.set("s3:signatureAge", Given::Unknown);
            request.set("s3:TlsVersion", one("1.2"));
        }
        let region = self.region.as_deref().map_or(Given::Present, one);
        request.set("aws:RequestedRegion", region);
        request
    }

    /// Decides a call in each way that it may be made.
    fn ask(&self, request: &dyn Fn(&Caller) -> Request, open: &[Open<'_>]) -> Called {
        let service = Caller::Service(CLOUDTRAIL.into());
        let answer = self.ask_as(&request(&service), open);
        if !matches!(answer, Called::Denied(_)) {
            return answer;
        }
        for other in &self.others {
            match (self.ask_as(&request(other), open), other) {
                (Called::Denied(_), _) => {}
                (Called::Allowed, Caller::Service(name)) => {
                    return Called::Open(vec![Dependency::fact(format!("whether CloudTrail calls as `{name}`"))]);
                }
                (answer, _) => return answer,
            }
        }
        answer
    }

    fn ask_as(&self, base: &Request, open: &[Open<'_>]) -> Called {
        let tls = ("s3:TlsVersion", ["1.2", "1.3"].map(|version| Given::Values(vec![version.into()])).to_vec());
        let mut requests = vec![base.clone()];
        for (key, values) in open.iter().chain(Some(&tls).filter(|(key, _)| self.looks_at(key))) {
            // What no condition looks at needs no trying.
            let values = if self.looks_at(key) { values.as_slice() } else { values.get(..1).unwrap_or_default() };
            let with = |value: &Given, request: &Request| {
                let mut request = request.clone();
                request.set(key, value.clone());
                request
            };
            requests =
                requests.iter().flat_map(|request| values.iter().map(move |value| with(value, request))).collect();
        }
        let mut denied: Option<Denied> = None;
        let mut allowed = false;
        let mut depends_on: Vec<Dependency> = Vec::new();
        for request in requests {
            match self.decide(&request) {
                Decision::Allowed => allowed = true,
                Decision::Conditional => depends_on.extend(self.explain(&request).depends_on),
                Decision::ExplicitDeny | Decision::ImplicitDeny if denied.is_none() => {
                    denied = Some(Denied { explanation: self.explain(&request), request });
                }
                Decision::ExplicitDeny | Decision::ImplicitDeny => {}
            }
        }
        match denied {
            None if depends_on.is_empty() => Called::Allowed,
            Some(denied) if !allowed && depends_on.is_empty() => {
                // What can not be read may be the grant that is missing.
                match self.policy.has_invalid_statement() && denied.explanation.decision == Decision::ImplicitDeny {
                    true => Called::Open(vec![Dependency::fact("a statement that can not be evaluated")]),
                    false => Called::Denied(Box::new(denied)),
                }
            }
            _ => {
                if depends_on.is_empty() {
                    depends_on.extend(
                        open.iter().filter(|(key, _)| self.looks_at(key)).map(|(key, _)| Dependency::of_request(*key)),
                    );
                }
                Dependency::settle(&mut depends_on);
                Called::Open(depends_on)
            }
        }
    }

    fn decide(&self, request: &Request) -> Decision {
        let decision = self.with_policies(|policies| decide(request, policies));
        let paths = "aws:SourceOrgPaths";
        let organization = request.context.get(&crate::aws::ConditionKey::new("aws:SourceOrgID"));
        let Some(Given::Values(organization)) = organization.filter(|_| decision == Decision::Conditional) else {
            return decision;
        };
        // A place that nobody names: what it meets, every place in the organization meets.
        let anywhere = organization.iter().map(|id| format!("{id}/r-strg/ou-strg-stranger/").into()).collect();
        let mut request = request.clone();
        request.set(paths, Given::Values(anywhere));
        match self.with_policies(|policies| decide(&request, policies)) {
            Decision::Allowed if self.looks_at(paths) => Decision::Allowed,
            _ => decision,
        }
    }

    fn explain(&self, request: &Request) -> Explanation {
        self.with_policies(|policies| explain(request, policies))
    }

    /// Gives `ask` all that decides.
    pub(in crate::rules) fn with_policies<T>(&self, ask: impl FnOnce(&Policies<'_>) -> T) -> T {
        let resource = [self.policy];
        let rcp = [self.rcp.iter().map(Arc::as_ref).collect::<Vec<_>>()];
        let policies =
            Policies { resource: Side::Policies(&resource), rcp: &rcp, key: self.key.as_ref(), ..Policies::default() };
        ask(&policies)
    }

    fn looks_at(&self, key: &str) -> bool {
        let rcp = self.rcp.iter().flat_map(|policy| policy.effective());
        let mut clauses = self.policy.effective().chain(rcp).flat_map(|statement| &statement.conditions);
        clauses.any(|clause| clause.key.is(key))
    }
}
