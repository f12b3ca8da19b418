//! Answers of Organizations.
//!
//! Source: AWS Organizations API Reference; its answers still say "master account" for the management account.

use compact_str::CompactString;

use super::piece::Piece;
use super::reader::{Reader, array, begins_with, goes_on, object, spanned, text};
use crate::aws::{AccountId, Arn, is_organization_id};
use crate::estate::{Known, Member, OrganizationPolicy, OrganizationPolicyKind, Target};
use crate::policy::PolicyKind;
use crate::syntax::json::Json;

impl Reader<'_> {
    /// Reads an answer of Organizations; whether it is one.
    pub(super) fn organizations(&mut self, json: Json<'_>) -> bool {
        self.organization(json)
            || self.accounts(json)
            || self.described_policy(json)
            || self.targets(json)
            || self.parents(json)
            || self.of_no_use_in_organizations(json)
    }

    fn organization(&mut self, json: Json<'_>) -> bool {
        let wrapped = object(json, "Organization");
        let organization = wrapped.unwrap_or(json);
        if wrapped.is_none() && json.member("FeatureSet").is_none() && json.member("MasterAccountId").is_none() {
            return false;
        }
        let Some(id) = spanned(organization, "Id").filter(|id| is_organization_id(&id.value)) else { return false };
        let account = ["MasterAccountId", "ManagementAccountId"].iter().find_map(|key| spanned(organization, key));
        let management = match account.and_then(|text| Some((AccountId::parse(&text.value)?, text.span))) {
            Some((account, span)) => Known::Present(account, span),
            None => Known::not_collected("organization.management-account"),
        };
        self.push(Piece::Organization(Known::Present(id.value, id.span), management));
        true
    }

    fn accounts(&mut self, json: Json<'_>) -> bool {
        let is_account = ["Id", "Arn"];
        if let Some(list) = array(json, "Accounts").filter(|list| begins_with(*list, &is_account)) {
            self.account_list(list);
            self.page("organization.accounts", None, goes_on(json), list.span());
            return true;
        }
        false
    }

    /// Accounts of an organization, with or without the answer around them.
    pub(super) fn account_list(&mut self, list: Json<'_>) {
        let mut members = Vec::new();
        for account in list.elements() {
            let id = text(account, "Id").and_then(|id| AccountId::parse(&id));
            members.extend(id.map(|id| Member { id, name: text(account, "Name"), span: account.span() }));
        }
        // The ARN of an account holds its organization and the management account.
        let told = list.elements().find_map(|account| {
            let arn = spanned(account, "Arn")?;
            let parsed = Arn::parse(&arn.value).filter(|arn| arn.service == "organizations")?;
            let (id, _) = parsed.resource_of("account")?.split_once('/')?;
            let id = is_organization_id(id).then(|| CompactString::from(id))?;
            Some((id, parsed.account_id()?, arn.span))
        });
        if let Some((id, management, span)) = told {
            self.push(Piece::Organization(Known::Present(id, span), Known::Present(management, span)));
        }
        self.push(Piece::Members(Known::Present(members, list.span())));
    }

    fn described_policy(&mut self, json: Json<'_>) -> bool {
        let policy = object(json, "Policy").unwrap_or(json);
        let (Some(summary), Some(content)) = (object(policy, "PolicySummary"), policy.member("Content")) else {
            return false;
        };
        if !self.organization_policy(summary, Some(content)) {
            // A tag, backup or AI policy decides no access.
            self.told.recognised = true;
        }
        true
    }

    /// Reads the summary of a service or resource control policy; whether it is one.
    pub(super) fn organization_policy(&mut self, summary: Json<'_>, content: Option<Json<'_>>) -> bool {
        let Some(id) = text(summary, "Id").filter(|id| id.starts_with("p-")) else { return false };
        let (kind, policy_kind) = match text(summary, "Type").as_deref() {
            Some("SERVICE_CONTROL_POLICY") => (OrganizationPolicyKind::Scp, PolicyKind::Scp),
            Some("RESOURCE_CONTROL_POLICY") => (OrganizationPolicyKind::Rcp, PolicyKind::Rcp),
            _ => return false,
        };
        let document = self.document(content, policy_kind, "organization-policy.document");
        self.push(Piece::OrganizationPolicy(Box::new(OrganizationPolicy {
            id,
            name: text(summary, "Name").unwrap_or_default(),
            kind,
            document,
            targets: Known::not_collected("organization-policy.targets"),
            span: summary.span(),
        })));
        true
    }

    fn targets(&mut self, json: Json<'_>) -> bool {
        let Some(list) = array(json, "Targets") else { return false };
        if list.elements().next().is_some() && !begins_with(list, &["TargetId"]) {
            return false;
        }
        self.target_list(list);
        self.page("organization-policy.targets", None, goes_on(json), list.span());
        true
    }

    /// What a policy is attached to, with or without the answer around the list.
    pub(super) fn target_list(&mut self, list: Json<'_>) {
        let targets = list.elements().filter_map(|target| {
            let id = spanned(target, "TargetId")?;
            Some(Target { id: id.value, span: id.span })
        });
        self.push(Piece::Targets(Known::Present(targets.collect(), list.span()), list.span()));
    }

    fn parents(&mut self, json: Json<'_>) -> bool {
        let Some(list) = array(json, "Parents").filter(|list| begins_with(*list, &["Id", "Type"])) else {
            return false;
        };
        self.parent_list(list);
        true
    }

    /// The root or OU above, with or without the answer around the list of one.
    pub(super) fn parent_list(&mut self, list: Json<'_>) {
        if let Some(parent) = list.elements().next().and_then(|parent| spanned(parent, "Id")) {
            self.push(Piece::Parent(parent));
        }
    }

    fn of_no_use_in_organizations(&mut self, json: Json<'_>) -> bool {
        let found = array(json, "Roots").is_some_and(|list| begins_with(list, &["Id", "PolicyTypes"]))
            || array(json, "OrganizationalUnits").is_some()
            || array(json, "Children").is_some_and(|list| begins_with(list, &["Id", "Type"]));
        self.told.recognised |= found;
        found
    }
}
