//! The texts of managed policies: the inputs' own, else those that ship with the tool.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Estate;
use crate::aws::managed::{ManagedPolicy, managed_policy};
use crate::policy::{Policy, PolicyKind, parse};
use crate::syntax::json::Tape;
use crate::text::SourceId;
use crate::text::embedded::Place;

/// The text of a managed policy.
#[derive(Debug, Clone)]
pub enum ManagedText {
    /// From the inputs.
    Own(Arc<Policy>),
    /// A policy that AWS manages, as it ships with the tool; its places mean nothing.
    BuiltIn(Arc<Policy>, ManagedPolicy),
}

impl ManagedText {
    /// The policy, wherever it comes from.
    pub fn policy(self) -> Arc<Policy> {
        match self {
            ManagedText::Own(policy) | ManagedText::BuiltIn(policy, _) => policy,
        }
    }
}

impl Estate {
    /// The text of the managed policy with this ARN, where it is known.
    pub fn managed_text(&self, arn: &str) -> Option<ManagedText> {
        let own = self.managed_policy(arn);
        if let Some(document) = own.and_then(|policy| policy.document.present()) {
            return Some(ManagedText::Own(document.policy(&self.sources)));
        }
        let built_in = managed_policy(arn)?;
        Some(ManagedText::BuiltIn(built_in_policy(built_in), built_in))
    }
}

/// A policy that ships with the tool, read once; its places mean nothing.
pub fn built_in_policy(policy: ManagedPolicy) -> Arc<Policy> {
    static READ: OnceLock<Mutex<HashMap<&'static str, Arc<Policy>>>> = OnceLock::new();
    let read = READ.get_or_init(Default::default);
    let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
    let parsed = read.entry(policy.arn).or_insert_with(|| {
        let place = Place::direct(SourceId::new(u32::MAX), 0);
        let mut tape = Tape::new();
        match tape.read(policy.document, &place) {
            Ok(json) => Arc::new(parse(json, PolicyKind::Identity)),
            Err(_) => Arc::new(Policy::empty(PolicyKind::Identity, place.span(0, 0))),
        }
    });
    Arc::clone(parsed)
}
