//! The forms of a principal.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal".

use compact_str::CompactString;

use crate::aws::{AccountId, Arn};

/// The key under which a principal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// `AWS`
    Aws,
    /// `Service`
    Service,
    /// `Federated`
    Federated,
    /// `CanonicalUser`
    CanonicalUser,
}

impl PrincipalKind {
    /// The key.
    pub fn name(self) -> &'static str {
        match self {
            PrincipalKind::Aws => "AWS",
            PrincipalKind::Service => "Service",
            PrincipalKind::Federated => "Federated",
            PrincipalKind::CanonicalUser => "CanonicalUser",
        }
    }

    /// Reads the key; AWS compares it as it is.
    pub fn parse(key: &str) -> Option<Self> {
        Some(match key {
            "AWS" => PrincipalKind::Aws,
            "Service" => PrincipalKind::Service,
            "Federated" => PrincipalKind::Federated,
            "CanonicalUser" => PrincipalKind::CanonicalUser,
            _ => return None,
        })
    }
}

/// Whom an entry of a `Principal` names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// `"*"` or `{"AWS": "*"}`: everyone.
    Everyone,
    /// An account, by ID or by its root ARN: all its principals, where its own policies allow them.
    Account(AccountId),
    /// A role; the name with its path.
    Role(AccountId, CompactString),
    /// A user; the name with its path.
    User(AccountId, CompactString),
    /// One session of a role: role name without path, session name.
    Session(AccountId, CompactString, CompactString),
    /// A session made with GetFederationToken.
    FederatedUser(AccountId, CompactString),
    /// A CloudFront origin access identity (S3 only).
    OriginAccessIdentity(CompactString),
    /// An account by its S3 canonical ID.
    CanonicalUser(CompactString),
    /// A SAML or OIDC provider.
    Federated(CompactString),
    /// An AWS service.
    Service(CompactString),
    /// The unique ID of a deleted user or role: nobody that lives.
    UniqueId(CompactString),
    /// A name with `*` or `?` inside, which AWS refuses.
    Wildcard(CompactString),
    /// None of AWS's forms, which AWS refuses.
    Unrecognised(CompactString),
}

impl Principal {
    /// Reads the text that stands under a key of a `Principal`.
    pub fn parse(kind: PrincipalKind, text: &str) -> Self {
        let own = || CompactString::new(text);
        match kind {
            PrincipalKind::Aws => parse_aws(text),
            PrincipalKind::Federated if text.is_empty() => Principal::Unrecognised(own()),
            PrincipalKind::Service | PrincipalKind::Federated if text.contains(['*', '?']) => {
                Principal::Wildcard(own())
            }
            PrincipalKind::Service if text.is_empty() => Principal::Unrecognised(own()),
            PrincipalKind::Service => Principal::Service(own()),
            PrincipalKind::Federated => Principal::Federated(own()),
            PrincipalKind::CanonicalUser if is_canonical_id(text) => Principal::CanonicalUser(own()),
            PrincipalKind::CanonicalUser => Principal::Unrecognised(own()),
        }
    }

    /// The account it belongs to, where its form tells.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Principal::Account(account)
            | Principal::Role(account, _)
            | Principal::User(account, _)
            | Principal::Session(account, _, _)
            | Principal::FederatedUser(account, _) => Some(*account),
            _ => None,
        }
    }

    /// One text for all ways to write the same principal.
    pub fn normal_form(&self) -> String {
        match self {
            Principal::Everyone => "*".to_owned(),
            Principal::Account(account) => account.to_string(),
            Principal::Role(account, name) => format!("{account}:role/{name}"),
            Principal::User(account, name) => format!("{account}:user/{name}"),
            Principal::Session(account, role, session) => format!("{account}:assumed-role/{role}/{session}"),
            Principal::FederatedUser(account, name) => format!("{account}:federated-user/{name}"),
            Principal::OriginAccessIdentity(name) => format!("cloudfront:{name}"),
            Principal::CanonicalUser(id) => format!("canonical:{}", id.to_ascii_lowercase()),
            Principal::Federated(text) => format!("federated:{text}"),
            Principal::Service(text) => format!("service:{text}"),
            Principal::UniqueId(text) => format!("id:{text}"),
            Principal::Wildcard(text) | Principal::Unrecognised(text) => format!("text:{text}"),
        }
    }
}

fn parse_aws(text: &str) -> Principal {
    if text == "*" {
        return Principal::Everyone;
    }
    if let Some(account) = AccountId::parse(text) {
        return Principal::Account(account);
    }
    if is_unique_id(text) {
        return Principal::UniqueId(text.into());
    }
    if text.contains(['*', '?']) {
        return Principal::Wildcard(text.into());
    }
    parse_arn(text).unwrap_or_else(|| Principal::Unrecognised(text.into()))
}

fn parse_arn(text: &str) -> Option<Principal> {
    let arn = Arn::parse(text)?;
    if arn.service == "iam" && arn.account == "cloudfront" {
        return arn.resource_of("user").map(|name| Principal::OriginAccessIdentity(name.into()));
    }
    let account = arn.account_id()?;
    match arn.service {
        "iam" if arn.resource == "root" => Some(Principal::Account(account)),
        "iam" => {
            let role = arn.resource_of("role").filter(|name| !name.is_empty());
            let user = arn.resource_of("user").filter(|name| !name.is_empty());
            role.map(|name| Principal::Role(account, name.into()))
                .or_else(|| user.map(|name| Principal::User(account, name.into())))
        }
        "sts" => {
            let session = arn.resource_of("assumed-role").and_then(|rest| rest.split_once('/'));
            let session = session.filter(|(role, session)| !role.is_empty() && !session.is_empty());
            let user = arn.resource_of("federated-user").filter(|name| !name.is_empty());
            session
                .map(|(role, session)| Principal::Session(account, role.into(), session.into()))
                .or_else(|| user.map(|name| Principal::FederatedUser(account, name.into())))
        }
        _ => None,
    }
}

/// Whether a text is a unique ID of a user or role (IAM User Guide, "IAM identifiers").
fn is_unique_id(text: &str) -> bool {
    (text.starts_with("AIDA") || text.starts_with("AROA"))
        && text.len() > 8
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn is_canonical_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aws(text: &str) -> Principal {
        Principal::parse(PrincipalKind::Aws, text)
    }

    #[test]
    fn each_form_is_told_apart() {
        let b = AccountId::parse("222222222222").unwrap();
        assert_eq!(aws("*"), Principal::Everyone);
        assert_eq!(aws("222222222222"), Principal::Account(b));
        assert_eq!(aws("arn:aws:iam::222222222222:root"), Principal::Account(b));
        assert_eq!(aws("arn:aws:iam::222222222222:role/p/r"), Principal::Role(b, "p/r".into()));
        assert_eq!(aws("arn:aws:iam::222222222222:user/u"), Principal::User(b, "u".into()));
        assert_eq!(aws("arn:aws:sts::222222222222:assumed-role/r/s"), Principal::Session(b, "r".into(), "s".into()));
        assert_eq!(aws("arn:aws:sts::222222222222:federated-user/n"), Principal::FederatedUser(b, "n".into()));
        assert_eq!(aws("AROAEXAMPLE"), Principal::UniqueId("AROAEXAMPLE".into()));
        assert_eq!(aws("arn:aws:iam::*:role/r"), Principal::Wildcard("arn:aws:iam::*:role/r".into()));
        for text in [
            "",
            "root",
            "22222222222",
            " 222222222222",
            "arn:aws:s3:::b",
            "arn:aws:iam::22222222222:root",
            "arn:aws:iam::222222222222:group/g",
            "arn:aws:iam::222222222222:role/",
            "arn:aws:sts::222222222222:assumed-role/r",
            "arn:aws:sts::222222222222:assumed-role/r/",
            "arn:aws:sts::222222222222:federated-user/",
        ] {
            assert!(matches!(aws(text), Principal::Unrecognised(_)), "{text}");
        }
    }
}
