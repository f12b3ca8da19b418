//! KMS grants that let an account decrypt logs which the model does not give it.

use crate::access::evaluate::{Policies, Side};
use crate::access::kms::{KeyFacts, ObjectKey};
use crate::access::request::{Caller, Given, Otherwise, Request};
use crate::access::search::{Answer, Found, witness};
use crate::aws::AccountId;
use crate::estate::Grant;
use crate::finding::Decision;
use crate::model::{Class, LogBucket, is_key};
use crate::policy::condition::Tri;
use crate::policy::{Principal, PrincipalKind};
use crate::rule::context::{Context, KeyView};

/// The account that a grant is made to; `None` where it is made to a service, or to who is deleted.
pub(in crate::rules) fn grantee(grant: &Grant) -> Option<AccountId> {
    Principal::parse(PrincipalKind::Aws, &grant.grantee.as_ref()?.value).account()
}

/// How a grant lets an account decrypt logs though the model does not give it any that are under the key; `None` where it
/// does not.
pub(in crate::rules) fn to_foreign(
    context: &Context<'_>,
    view: &KeyView<'_>,
    grant: &Grant,
) -> Option<(AccountId, Answer)> {
    let account = grantee(grant)?;
    if Some(account) == view.key.account || may_decrypt(context, view, account) {
        return None;
    }
    let answer = decrypts(context, view, grant)?;
    (answer != Answer::No).then_some((account, answer))
}

/// Whether the model gives an account some of the logs under the key: those of the buckets whose trails or default name
/// it, else those of any log bucket.
fn may_decrypt(context: &Context<'_>, view: &KeyView<'_>, account: AccountId) -> bool {
    let model = context.model;
    if matches!(model.class(account), Class::Owner | Class::Management | Class::CloudTrail) {
        return true;
    }
    let buckets = model.log_buckets();
    let under = |bucket: &&LogBucket| is_under(context, view, bucket);
    let mut own = buckets.iter().filter(under).peekable();
    let gives = |bucket: &LogBucket| !model.logs_of(account, &bucket.name).is_nothing();
    match (own.peek().is_some(), buckets.is_empty()) {
        (true, _) => own.any(gives),
        (false, false) => buckets.iter().any(gives),
        (false, true) => model.class(account) != Class::Undeclared,
    }
}

fn is_under(context: &Context<'_>, view: &KeyView<'_>, bucket: &LogBucket) -> bool {
    let of_trail = context.estate.trails.iter().filter(|trail| trail.bucket.present() == Some(&bucket.name));
    let of_trail = of_trail.filter_map(|trail| trail.key.present());
    let facts = context.estate.buckets.iter().filter(|facts| facts.name == bucket.name && facts.arn().is_some());
    let default = facts.filter_map(|facts| facts.encryption.present()?.key.as_ref().map(|key| &key.value));
    of_trail.chain(default).any(|reference| is_key(reference, view.key))
}

/// Whether the grant alone lets its grantee decrypt what CloudTrail writes.
fn decrypts(context: &Context<'_>, view: &KeyView<'_>, grant: &Grant) -> Option<Answer> {
    let caller = Caller::parse(&grant.grantee.as_ref()?.value)?;
    let trail = context.estate.trails.iter().find(|t| t.key.present().is_some_and(|key| is_key(key, view.key)));
    let arn = view.arn();
    let bucket = trail.and_then(|trail| trail.bucket.present()).map_or("trailproof-unnamed-bucket", |name| name);
    let owner = view.key.account.or_else(|| context.model.owner());
    let mut read = Request::new(caller, "s3:GetObject", &format!("arn:aws:s3:::{bucket}/AWSLogs/file"), owner);
    read.otherwise = Otherwise::Situation;
    let mut key = ObjectKey::new(&arn);
    key.account = owner;
    key.trail = trail.and_then(|trail| trail.arn.clone()).map_or(Given::Present, |arn| Given::Values(vec![arn]));
    key.bucket_key = Tri::Unknown;
    let request = key.decrypt(&read);
    let grants = [grant.clone()];
    let facts = KeyFacts { grants: Some(&grants), ..KeyFacts::default() };
    let policies = Policies {
        identity: Side::Granted("identity policies of its account allow it"),
        key: Some(&facts),
        ..Policies::default()
    };
    let explanation = crate::access::evaluate::explain(&request, &policies);
    let found = Found {
        witness: witness(&request, &explanation),
        explanation: explanation.clone(),
        request: Box::new(request.clone()),
    };
    Some(match explanation.decision {
        Decision::Allowed => Answer::Yes(found),
        Decision::Conditional => Answer::If(found),
        Decision::ExplicitDeny | Decision::ImplicitDeny => Answer::No,
    })
}
