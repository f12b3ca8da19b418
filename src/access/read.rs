//! A whole read: what S3 says and, where the object is under a KMS key, what KMS says of the Decrypt call behind it.

use crate::access::evaluate::{Explanation, Policies, combine, decide, explain};
use crate::access::request::Request;
use crate::aws::ActionName;
use crate::finding::{Decision, Dependency};

/// What an object is encrypted with, as far as it matters to who can read it.
#[derive(Debug, Clone, Copy)]
pub enum Encryption<'p> {
    /// No KMS key: S3 decrypts for whoever may read.
    S3,
    /// A KMS key: its Decrypt request, as [`crate::access::kms::ObjectKey::decrypt`] makes it, and what decides it.
    Kms {
        /// The request.
        request: &'p Request,
        /// What decides it.
        policies: &'p Policies<'p>,
    },
    /// Not known; what it is that is not known.
    Unknown(&'p str),
}

/// A read and all that decides it.
#[derive(Debug, Clone, Copy)]
pub struct Read<'p> {
    /// The request to S3.
    pub request: &'p Request,
    /// What decides it.
    pub policies: &'p Policies<'p>,
    /// What the object is encrypted with.
    pub encryption: Encryption<'p>,
}

/// The answers of a read, each with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// What S3 says.
    pub s3: Explanation,
    /// What KMS says, where it is asked.
    pub kms: Option<Explanation>,
}

impl<'p> Read<'p> {
    /// Decides the whole of it.
    pub fn decide(&self) -> Decision {
        let s3 = decide(self.request, self.policies);
        if matches!(s3, Decision::ExplicitDeny | Decision::ImplicitDeny) {
            return s3;
        }
        match self.key() {
            Encryption::S3 => s3,
            Encryption::Kms { request, policies } => both(s3, decide(request, policies)),
            Encryption::Unknown(_) => Decision::Conditional,
        }
    }

    /// Decides the whole of it and says why; what it depends on is that of both parts.
    pub fn explain(&self) -> Explanation {
        let Parts { s3, kms } = self.parts();
        let Some(kms) = kms else { return s3 };
        let decision = both(s3.decision, kms.decision);
        combine(decision, s3, kms)
    }

    /// What S3 and what KMS say, apart.
    pub fn parts(&self) -> Parts {
        let s3 = explain(self.request, self.policies);
        let kms = match self.key() {
            Encryption::S3 => None,
            Encryption::Kms { request, policies } => Some(explain(request, policies)),
            Encryption::Unknown(what) => Some(Explanation {
                decision: Decision::Conditional,
                depends_on: vec![Dependency::fact(what)],
                ..Explanation::nothing()
            }),
        };
        Parts { s3, kms }
    }

    /// Whether an action has S3 decrypt what it is for.
    pub fn decrypts(action: &ActionName) -> bool {
        ["s3:GetObject", "s3:GetObjectVersion"].into_iter().any(|decrypted| action.is(decrypted))
    }

    fn key(&self) -> Encryption<'p> {
        if Read::decrypts(&self.request.action) { self.encryption } else { Encryption::S3 }
    }
}

/// Two calls that must both be allowed: S3 asks KMS when it has decided for itself.
fn both(s3: Decision, kms: Decision) -> Decision {
    match (s3, kms) {
        (Decision::ExplicitDeny | Decision::ImplicitDeny, _) => s3,
        (_, Decision::ExplicitDeny | Decision::ImplicitDeny) => kms,
        (Decision::Conditional, _) | (_, Decision::Conditional) => Decision::Conditional,
        (Decision::Allowed, Decision::Allowed) => Decision::Allowed,
    }
}
