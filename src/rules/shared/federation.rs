//! Identity providers in trust policies: what a token of somebody unknown looks like.
//!
//! Source: IAM User Guide, "IAM and AWS STS condition context keys" (the claims of web identities and of SAML) and
//! "Identity-provider controls for shared OIDC providers".

use compact_str::CompactString;

use crate::access::request::{Caller, Given, Request};
use crate::access::search::{STRANGER, fill};
use crate::aws::{Arn, ConditionKey, SharedIssuer, shared_issuer};
use crate::policy::{Policy, Statement};

/// A claim of a token, and what it says.
pub(in crate::rules) type Claims = Vec<(CompactString, Given)>;

/// A SAML or OpenID Connect provider that a statement names.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Provider {
    /// The name as the principal gives it: the provider's ARN, or the host of one that AWS knows.
    pub(in crate::rules) name: String,
    /// What stands before the colon of its condition keys: `saml`, or the issuer's address.
    prefix: String,
    /// What is known of an issuer that serves many organizations.
    pub(in crate::rules) shared: Option<SharedIssuer>,
}

impl Provider {
    /// Reads the text of a `Federated` principal.
    pub(in crate::rules) fn new(text: &str) -> Self {
        let arn = Arn::parse(text);
        let address = arn.and_then(|arn| arn.resource_of("oidc-provider")).unwrap_or(text);
        let is_saml = arn.is_some_and(|arn| arn.resource_of("saml-provider").is_some());
        let prefix = if is_saml { "saml" } else { address }.to_owned();
        Provider { name: text.to_owned(), shared: shared_issuer(&prefix), prefix }
    }

    fn is_saml(&self) -> bool {
        self.prefix == "saml"
    }

    /// The call by which its users assume a role.
    pub(in crate::rules) fn action(&self) -> &'static str {
        if self.is_saml() { "sts:AssumeRoleWithSAML" } else { "sts:AssumeRoleWithWebIdentity" }
    }

    /// The claim of a condition key, where it is one of this provider.
    pub(in crate::rules) fn claim<'k>(&self, key: &'k ConditionKey) -> Option<&'k str> {
        let (before, rest) = key.as_str().split_at_checked(self.prefix.len())?;
        rest.strip_prefix(':').filter(|_| before.eq_ignore_ascii_case(&self.prefix))
    }

    /// Whether a claim tells one user, application or organization from another, so that a condition on it binds.
    ///
    /// How a user signed in (`amr`), the provider's own name and the kind of a SAML subject are the same for all.
    pub(in crate::rules) fn binds_by(&self, claim: &str) -> bool {
        match &self.shared {
            Some(issuer) => !issuer.is_open(claim),
            None if self.is_saml() => !["iss", "sub_type", "doc"].contains(&claim),
            None => claim != "amr",
        }
    }

    /// Whether a value of a claim leaves open whom it means: it is nothing but wildcards or, of a shared issuer, a pattern
    /// of subjects that does not write the organization out.
    pub(in crate::rules) fn is_open(&self, claim: &str, value: &str) -> bool {
        value.bytes().all(|b| matches!(b, b'*' | b'?'))
            || (claim == "sub" && self.shared.as_ref().is_some_and(|issuer| !issuer.binds(value)))
    }

    /// The tokens of people whom a statement can not have meant, each as its claims. Claims that bind are somebody
    /// else's, all others are as the statement asks.
    ///
    /// A shared issuer has one more such token for each pattern of subjects that leaves the organization open.
    pub(in crate::rules) fn strangers(&self, policy: &Policy, statement: &Statement) -> Vec<Claims> {
        let base = Request::new(Caller::Anonymous, self.action(), "*", None);
        let mut keys: Vec<ConditionKey> = Vec::new();
        let mentioned = policy.effective().flat_map(|s| &s.conditions).map(|clause| clause.key.clone());
        // Every web identity has a subject.
        let subject = (!self.is_saml()).then(|| ConditionKey::new(&format!("{}:sub", self.prefix)));
        for key in mentioned.filter(|key| self.claim(key).is_some()).chain(subject) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        // A token has no claims of another provider.
        let foreign = policy.effective().flat_map(|s| &s.conditions).map(|clause| clause.key.as_str());
        let foreign = foreign.filter(|key| is_claim(key) && self.claim(&ConditionKey::new(key)).is_none());
        let foreign: Claims = foreign.map(|key| (CompactString::new(key), Given::Absent)).collect();
        let given = |text: CompactString| Given::Values(vec![text]);
        let claims = |subject: Option<&CompactString>| -> Claims {
            let each = keys.iter().map(|key| {
                let claim = self.claim(key).unwrap_or_default();
                let asked = statement.conditions.iter().find(|clause| clause.key == *key);
                let wanted = asked.and_then(|clause| clause.values.first());
                let value = match (subject, wanted) {
                    (Some(subject), _) if claim == "sub" => subject.clone(),
                    (_, Some(value)) if !self.binds_by(claim) => fill(&value.template, STRANGER, "x", &base),
                    _ if claim == "sub" => self.foreign_subject(),
                    _ => STRANGER.into(),
                };
                (CompactString::new(key.as_str()), given(value))
            });
            each.chain(foreign.iter().cloned()).collect()
        };
        let subjects = policy.allows().flat_map(|s| &s.conditions).filter(|c| self.claim(&c.key) == Some("sub"));
        let open = subjects.flat_map(|clause| &clause.values).filter(|value| {
            let raw = value.template.raw();
            self.shared.as_ref().is_some_and(|issuer| !issuer.binds(raw))
        });
        let filled: Vec<CompactString> = open.map(|value| fill(&value.template, STRANGER, "x", &base)).collect();
        let mut strangers = vec![claims(None)];
        strangers.extend(filled.iter().map(|subject| claims(Some(subject))));
        strangers
    }

    /// A subject of an organization that no policy names.
    fn foreign_subject(&self) -> CompactString {
        let lead = self.shared.as_ref().map_or("", |issuer| issuer.lead);
        format!("{lead}{STRANGER}{}", if lead == "repo:" { "/trailproof:ref:refs/heads/main" } else { "" }).into()
    }

    /// Who the stranger is, as the beginning of a message.
    pub(in crate::rules) fn anyone(&self) -> String {
        let arn = Arn::parse(&self.name);
        match (&self.shared, arn.and_then(|arn| arn.resource_of("saml-provider"))) {
            (Some(issuer), _) => format!("any organization that uses `{}`", issuer.address),
            (None, Some(name)) => format!("everyone who signs in through SAML provider `{name}`"),
            (None, None) => format!("everyone whom `{}` gives a token", self.prefix),
        }
    }

    /// What to ask for.
    pub(in crate::rules) fn advice(&self) -> String {
        let prefix = &self.prefix;
        match &self.shared {
            Some(issuer) => format!(
                "name your organization in the subject: \"StringLike\": {{\"{prefix}:sub\": \"{}your-organization{}*\"}}",
                issuer.lead,
                if issuer.lead == "repo:" || issuer.lead == "project_path:" { "/" } else { ":" }
            ),
            None if self.is_saml() => {
                "ask for the audience: \"StringEquals\": {\"SAML:aud\": \"https://signin.aws.amazon.com/saml\"}"
                    .to_owned()
            }
            None => format!("ask for your application's audience and subject, \"{prefix}:aud\" and \"{prefix}:sub\""),
        }
    }
}

/// Whether a condition key has the form of a provider's claim: `saml:aud`, or the issuer's address before the colon.
fn is_claim(key: &str) -> bool {
    let issuer = key.rsplit_once(':').map_or("", |(issuer, _)| issuer);
    (issuer.contains('.') && !key.starts_with("aws:")) || issuer.eq_ignore_ascii_case("saml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_told_by_their_issuer() {
        let github = Provider::new("arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com");
        let claim = |provider: &Provider, key: &str| provider.claim(&ConditionKey::new(key)).map(str::to_owned);
        assert_eq!(claim(&github, "token.actions.githubusercontent.com:SUB").as_deref(), Some("sub"));
        assert_eq!(claim(&github, "gitlab.com:sub"), None);
        assert!(!github.binds_by("aud") && github.binds_by("sub") && github.binds_by("repository_owner_id"));
        let saml = Provider::new("arn:aws:iam::111111111111:saml-provider/corporate");
        assert_eq!(claim(&saml, "SAML:aud").as_deref(), Some("aud"));
        assert!(saml.binds_by("aud") && !saml.binds_by("iss"));
        assert_eq!(saml.action(), "sts:AssumeRoleWithSAML");
        let cognito = Provider::new("cognito-identity.amazonaws.com");
        assert!(cognito.binds_by("aud") && !cognito.binds_by("amr"));
    }
}
