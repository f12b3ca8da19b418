//! What an organization puts around a request: whose member an account is, and the policies that bind it.
//!
//! Source: Organizations User Guide, "SCP evaluation" and "RCP evaluation": policies are inherited from the root over
//! every organizational unit down to the account.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use compact_str::CompactString;

use crate::access::actor::allowing_all;
use crate::access::sts::Membership;
use crate::aws::AccountId;
use crate::estate::{Estate, OrganizationPolicy, OrganizationPolicyKind};
use crate::model::{Class, Model};
use crate::policy::Policy;

/// The organization of an estate, as far as inputs and config tell it.
#[derive(Debug)]
pub struct Organization<'a> {
    estate: &'a Estate,
    model: &'a Model,
    scp: OnceLock<ByTarget>,
    rcp: OnceLock<ByTarget>,
}

/// Policies by the root, OU or account they are attached to.
type ByTarget = HashMap<CompactString, Vec<Arc<Policy>>>;

impl<'a> Organization<'a> {
    /// The organization of an estate.
    pub fn new(estate: &'a Estate, model: &'a Model) -> Self {
        Organization { estate, model, scp: OnceLock::new(), rcp: OnceLock::new() }
    }

    /// What is known of the organization of an account, as a caller would carry it.
    pub fn membership(&self, account: AccountId) -> Membership {
        match self.model.class(account) {
            Class::Owner | Class::Management | Class::Member => match self.model.organization_id() {
                Some(organization) => Membership::In(organization.id.clone()),
                None => Membership::InUnknown,
            },
            Class::Reader | Class::ThirdParty { .. } | Class::CloudTrail | Class::Undeclared => Membership::Outside,
        }
    }

    /// The SCPs known to bind the principals of an account, level by level from the root down; levels without any are left
    /// out, as they are not known.
    pub fn scp(&self, account: AccountId) -> Vec<Vec<Arc<Policy>>> {
        if self.is_exempt(account) {
            return Vec::new();
        }
        let attached = self.scp.get_or_init(|| self.by_target(OrganizationPolicyKind::Scp));
        if attached.is_empty() {
            return Vec::new();
        }
        let units = self.units(account);
        units.iter().rev().filter_map(|unit| attached.get(unit)).cloned().collect()
    }

    /// All SCPs that bind some account, each once.
    pub fn all_scp(&self) -> Vec<&Policy> {
        let attached = self.scp.get_or_init(|| self.by_target(OrganizationPolicyKind::Scp));
        let mut all: Vec<&Policy> = attached.values().flatten().map(Arc::as_ref).collect();
        all.sort_unstable_by_key(|policy| (policy.span, std::ptr::from_ref(*policy)));
        all.dedup_by_key(|policy| std::ptr::from_ref(*policy));
        all
    }

    /// The RCPs known to bind the resources of an account; one list with all of them, as only their denials count.
    pub fn rcp(&self, account: Option<AccountId>) -> Vec<Arc<Policy>> {
        let attached = self.rcp.get_or_init(|| self.by_target(OrganizationPolicyKind::Rcp));
        let Some(account) = account.filter(|account| !attached.is_empty() && !self.is_exempt(*account)) else {
            return Vec::new();
        };
        let mut bound: Vec<Arc<Policy>> = Vec::new();
        for policy in self.units(account).iter().filter_map(|unit| attached.get(unit)).flatten() {
            if !bound.iter().any(|known| Arc::ptr_eq(known, policy)) {
                bound.push(Arc::clone(policy));
            }
        }
        bound
    }

    /// Whether it is the management account, which neither SCPs nor RCPs bind.
    fn is_exempt(&self, account: AccountId) -> bool {
        self.model.management() == Some(account)
    }

    /// Whether all policies of that kind which bind an account are known: some were collected, each with its text and its
    /// targets, none was refused whose kind is not known, and the way from the account to the root was collected. Where not,
    /// those there are may deny.
    pub fn knows(&self, kind: OrganizationPolicyKind, account: AccountId) -> bool {
        if self.estate.gaps.iter().any(|gap| gap.fact.starts_with("organization-policy.")) {
            return false;
        }
        let mut of_kind = self.estate.organization.policies.iter().filter(|policy| policy.kind == kind).peekable();
        of_kind.peek().is_some()
            && of_kind.all(|policy| policy.targets.present().is_some() && self.text(policy).is_some())
            && self.way_up(account).last().is_some_and(|unit| is_root(unit))
    }

    /// The text of a policy, where it can be evaluated.
    fn text(&self, policy: &OrganizationPolicy) -> Option<Arc<Policy>> {
        let text = policy.document.present()?.policy(&self.estate.sources);
        text.unreadable().is_none().then_some(text)
    }

    fn by_target(&self, kind: OrganizationPolicyKind) -> ByTarget {
        let mut attached = ByTarget::new();
        for policy in self.estate.organization.policies.iter().filter(|policy| policy.kind == kind) {
            let Some(targets) = policy.targets.present() else { continue };
            let text = match self.text(policy) {
                Some(text) => text,
                // What can not be read may allow, and what it denies is left open as that of policies not collected.
                None if kind == OrganizationPolicyKind::Scp => Arc::clone(allowing_all()),
                None => continue,
            };
            for target in targets {
                attached.entry(target.id.clone()).or_default().push(Arc::clone(&text));
            }
        }
        attached
    }

    /// An account, its OUs and the root, from below; where the OUs are not known, the root still is, as there is only one.
    ///
    /// Source: Organizations User Guide, "Terminology and concepts": an organization has one root.
    fn units(&self, account: AccountId) -> Vec<CompactString> {
        let mut units = self.way_up(account);
        let reaches_root = units.last().is_some_and(|unit| is_root(unit));
        if !reaches_root && self.membership(account) != Membership::Outside {
            let targets = self.estate.organization.policies.iter().filter_map(|policy| policy.targets.present());
            let targets = targets.flatten().map(|target| &target.id);
            let parents = self.estate.organization.parents.values().map(|parent| &parent.value);
            units.extend(targets.chain(parents).find(|unit| is_root(unit)).cloned());
        }
        units
    }

    /// An account and what is known of its OUs and the root, from below.
    fn way_up(&self, account: AccountId) -> Vec<CompactString> {
        let mut units = vec![CompactString::new(account.as_str())];
        // Parents form a tree; the bound only guards against contradictory input.
        while let Some(parent) = units.last().and_then(|unit| self.estate.organization.parents.get(unit)) {
            if units.len() > 16 || units.contains(&parent.value) {
                break;
            }
            units.push(parent.value.clone());
        }
        units
    }
}

/// Whether this is the ID of a root: `r-…`.
fn is_root(unit: &str) -> bool {
    unit.starts_with("r-")
}
