//! What stops a request, by its kind: to judge by, where the steps are to show.

use super::{Authority, Explanation};
use crate::aws::ActionName;
use crate::policy::PolicyKind;
use crate::text::Span;

/// One thing that stops a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// What it is.
    pub kind: StopKind,
    /// In words, as its step says it.
    pub message: String,
    /// The statement or the element of one that is at fault, else the policy, where one is.
    pub span: Option<Span>,
}

/// The kinds of what stops a request; each names the kind of the policy that is at fault, where one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopKind {
    /// A statement denies it.
    Deny(PolicyKind),
    /// An Allow would let it through but for its resources.
    Resource(PolicyKind),
    /// An Allow would let it through but for its conditions.
    Condition(PolicyKind),
    /// An Allow would let it through if the version let its variables be variables.
    Version(PolicyKind),
    /// No Allow is there, or only for others.
    Missing(PolicyKind),
    /// `RestrictPublicBuckets`, as the bucket policy is public.
    PublicPolicy,
    /// The object belongs to another account than the bucket.
    ObjectOwner,
    /// The key itself: its state, or that AWS manages it.
    Key,
    /// Something that no policy and no setting changes.
    Protocol,
}

impl StopKind {
    /// That no Allow is there on a side.
    pub(super) fn missing(authority: Authority, action: &ActionName) -> Self {
        StopKind::Missing(match authority {
            Authority::Identity => PolicyKind::Identity,
            Authority::Resource if action.is_of("s3") => PolicyKind::Bucket,
            Authority::Resource if action.is_of("kms") => PolicyKind::Key,
            Authority::Resource if action.is_of("sts") => PolicyKind::Trust,
            Authority::Resource => PolicyKind::Resource,
            Authority::Boundary => PolicyKind::Boundary,
            Authority::Session => PolicyKind::Session,
            Authority::Scp => PolicyKind::Scp,
            Authority::Endpoint => PolicyKind::VpcEndpoint,
        })
    }
}

impl Explanation {
    /// The first thing that stops the request, which is the cause; `None` where it is not denied.
    pub fn stop(&self) -> Option<&Stop> {
        self.stops.first()
    }
}
