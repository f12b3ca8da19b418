//! Condition keys: their types, and which name a key in a policy stands for.

use super::{order_ignoring_case, service, services};
use std::sync::OnceLock;

const GLOBAL_KEYS: &str = include_str!("../tables/global_keys.txt");

/// The claims that every OpenID Connect provider can pass to `sts:AssumeRoleWithWebIdentity`, under the provider's host name.
/// `amr` holds a list (IAM and STS condition context keys, IAM User Guide).
const OIDC_CLAIMS: [KeyInfo; 3] = [
    KeyInfo { name: "${OidcProvider}:amr", kind: KeyType::String, multivalued: true },
    KeyInfo { name: "${OidcProvider}:aud", kind: KeyType::String, multivalued: false },
    KeyInfo { name: "${OidcProvider}:sub", kind: KeyType::String, multivalued: false },
];

/// What AWS documents of a condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInfo {
    /// The name in the case that AWS writes; `${TagKey}` or `<key>` stand for a part that the policy's author chooses.
    pub name: &'static str,
    /// The type, which decides the operators that fit.
    pub kind: KeyType,
    /// Whether a request may hold several values, so that a condition needs `ForAllValues` or `ForAnyValue`.
    pub multivalued: bool,
}

impl KeyInfo {
    /// Reads a line `NAME TYPE`.
    pub(super) fn read(line: &'static str) -> Option<KeyInfo> {
        let (name, kind) = line.split_once(' ')?;
        let (kind, multivalued) = kind.strip_prefix("ArrayOf").map_or((kind, false), |kind| (kind, true));
        let kind = match kind {
            "String" => KeyType::String,
            "ARN" => KeyType::Arn,
            "Bool" => KeyType::Bool,
            "Numeric" => KeyType::Numeric,
            "Date" => KeyType::Date,
            "IPAddress" => KeyType::IpAddress,
            "Binary" => KeyType::Binary,
            _ => return None,
        };
        Some(KeyInfo { name, kind, multivalued })
    }

    /// Whether a part of the name is for the policy's author to choose, as the tag key of `aws:PrincipalTag/${TagKey}`.
    #[must_use]
    pub fn is_template(&self) -> bool {
        placeholder(self.name).is_some()
    }
}

/// The type of a condition key's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// Text.
    String,
    /// An Amazon Resource Name.
    Arn,
    /// `true` or `false`.
    Bool,
    /// A whole or decimal number.
    Numeric,
    /// A date and time; `aws:EpochTime`, in seconds, takes numeric operators too.
    Date,
    /// An IPv4 or IPv6 address.
    IpAddress,
    /// Bytes, in base64.
    Binary,
}

/// What is known of a condition key as a policy writes it, in any case.
///
/// A key of a template is found under it: `s3:ExistingObjectTag/team` gives `s3:ExistingObjectTag/<key>`. `None` for keys of
/// services that are not loaded and for keys that AWS does not have.
#[must_use]
pub fn condition_key(key: &str) -> Option<&'static KeyInfo> {
    let table = Table::embedded();
    let exact = table.exact.binary_search_by(|known| order_ignoring_case(known.name, key));
    match exact {
        Ok(place) => table.exact.get(place).copied(),
        Err(_) => table.templates.iter().find(|known| fits(known.name, key)).copied().or_else(|| oidc_claim(key)),
    }
}

/// Whether the key, in any case, may be in a request whatever the action: the `aws:` keys, and those of other services that
/// stay with a role session, as `lambda:SourceFunctionArn`.
#[must_use]
pub fn is_global_key(key: &str) -> bool {
    Table::embedded().global.iter().any(|known| fits(known.name, key))
}

struct Table {
    global: Vec<KeyInfo>,
    /// Ordered by name without regard to case.
    exact: Vec<&'static KeyInfo>,
    templates: Vec<&'static KeyInfo>,
}

impl Table {
    fn embedded() -> &'static Table {
        static GLOBAL: OnceLock<Vec<KeyInfo>> = OnceLock::new();
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| {
            let global = GLOBAL.get_or_init(|| global_lines().filter_map(KeyInfo::read).collect());
            let of_services = services().iter().flat_map(|s| s.keys);
            let all = global.iter().chain(of_services);
            let (templates, mut exact): (Vec<&KeyInfo>, Vec<&KeyInfo>) = all.partition(|known| known.is_template());
            // Stable: of two entries for one key the global one, corrected by hand, comes first and stays.
            exact.sort_by(|a, b| order_ignoring_case(a.name, b.name));
            exact.dedup_by(|b, a| a.name.eq_ignore_ascii_case(b.name));
            Table { global: global.clone(), exact, templates }
        })
    }
}

fn global_lines() -> impl Iterator<Item = &'static str> {
    GLOBAL_KEYS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The key that a word of the table names in the lines of a service.
pub(super) fn of_word(prefix: &str, word: &str) -> Option<&'static KeyInfo> {
    let named = |known: &KeyInfo| match word.strip_prefix(':') {
        Some(rest) => known.name.strip_prefix(prefix).and_then(|n| n.strip_prefix(':')) == Some(rest),
        None => known.name == word,
    };
    let own = service(prefix).and_then(|s| s.keys.iter().find(|known| named(known)));
    own.or_else(|| Table::embedded().templates.iter().find(|known| named(known)).copied())
        .or_else(|| Table::embedded().exact.iter().find(|known| named(known)).copied())
}

/// Whether a word of the table, in the lines of a service, names the key of a policy.
pub(super) fn word_fits(prefix: &str, word: &str, key: &str) -> bool {
    if !word.starts_with(':') {
        return fits(word, key);
    }
    key.split_at_checked(prefix.len()).is_some_and(|(p, rest)| p.eq_ignore_ascii_case(prefix) && fits(word, rest))
}

/// Whether the key is a claim that every OpenID Connect provider can pass.
pub(super) fn is_oidc_claim(key: &str) -> bool {
    oidc_claim(key).is_some()
}

fn oidc_claim(key: &str) -> Option<&'static KeyInfo> {
    static CLAIMS: [KeyInfo; 3] = OIDC_CLAIMS;
    let (provider, _) = key.rsplit_once(':')?;
    // Only host names have a dot: no prefix of a service has one.
    provider.contains('.').then(|| CLAIMS.iter().find(|claim| fits(claim.name, key)))?
}

/// Whether `key` is `template` with something in each placeholder, without regard to case.
fn fits(template: &str, key: &str) -> bool {
    let Some((before, after)) = placeholder(template) else { return template.eq_ignore_ascii_case(key) };
    let Some((beginning, rest)) = key.split_at_checked(before.len()) else { return false };
    if !beginning.eq_ignore_ascii_case(before) || rest.is_empty() {
        return false;
    }
    after.is_empty() || rest.char_indices().skip(1).any(|(at, _)| rest.get(at..).is_some_and(|rest| fits(after, rest)))
}

/// What stands before and after the first placeholder.
fn placeholder(template: &str) -> Option<(&str, &str)> {
    let (before, rest) = template.split_once("${").or_else(|| template.split_once('<'))?;
    let (_, after) = rest.split_once(['}', '>'])?;
    Some((before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(key: &str) -> Option<&'static str> {
        condition_key(key).map(|known| known.name)
    }

    #[test]
    fn every_line_of_the_global_table_is_read() {
        assert_eq!(Table::embedded().global.len(), global_lines().count());
    }

    #[test]
    fn keys_are_found_in_any_case() {
        assert_eq!(name_of("AWS:principalorgid"), Some("aws:PrincipalOrgID"));
        assert_eq!(name_of("S3:PREFIX"), Some("s3:prefix"));
        assert_eq!(name_of("s3:VersionId"), Some("s3:versionid"));
        assert_eq!(name_of("aws:PrincipalOrgIDs"), None);
        assert_eq!(name_of("prefix"), None);
        assert_eq!(name_of(""), None);
    }

    #[test]
    fn a_key_of_a_template_is_found_under_it_when_the_chosen_part_is_there() {
        assert_eq!(name_of("aws:principaltag/Cost Center"), Some("aws:PrincipalTag/${TagKey}"));
        assert_eq!(name_of("s3:ExistingObjectTag/team/a"), Some("s3:ExistingObjectTag/<key>"));
        assert_eq!(
            name_of("kms:EncryptionContext:aws:cloudtrail:arn"),
            Some("kms:EncryptionContext:${EncryptionContextKey}")
        );
        assert_eq!(name_of("kms:EncryptionContextKeys"), Some("kms:EncryptionContextKeys"));
        assert_eq!(name_of("kms:RecipientAttestation:PCR3"), Some("kms:RecipientAttestation:PCR${Number}"));
        assert_eq!(name_of("aws:PrincipalTag/"), None);
        assert_eq!(name_of("aws:PrincipalTag"), None);
        assert!(condition_key("aws:RequestTag/a").is_some_and(KeyInfo::is_template));
    }

    #[test]
    fn types_and_number_of_values_are_those_of_the_reference() {
        let of = |key: &str| condition_key(key).map(|known| (known.kind, known.multivalued));
        assert_eq!(of("aws:PrincipalOrgPaths"), Some((KeyType::String, true)));
        assert_eq!(of("aws:PrincipalOrgID"), Some((KeyType::String, false)));
        assert_eq!(of("aws:SourceArn"), Some((KeyType::Arn, false)));
        assert_eq!(of("aws:SourceIp"), Some((KeyType::IpAddress, false)));
        assert_eq!(of("aws:SecureTransport"), Some((KeyType::Bool, false)));
        assert_eq!(of("aws:MultiFactorAuthAge"), Some((KeyType::Numeric, false)));
        assert_eq!(of("aws:TokenIssueTime"), Some((KeyType::Date, false)));
        assert_eq!(of("kms:GrantOperations"), Some((KeyType::String, true)));
        assert_eq!(of("kms:GrantIsForAWSResource"), Some((KeyType::Bool, false)));
        assert_eq!(of("sts:TransitiveTagKeys"), Some((KeyType::String, true)));
        assert_eq!(of("sts:RequestContextProviders"), Some((KeyType::Arn, true)));
        assert_eq!(of("s3:max-keys"), Some((KeyType::Numeric, false)));
        assert_eq!(of("s3:x-amz-server-side-encryption-aws-kms-key-id"), Some((KeyType::Arn, false)));
    }

    #[test]
    fn claims_of_any_oidc_provider_are_known() {
        assert_eq!(name_of("oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub"), Some("${OidcProvider}:sub"));
        assert_eq!(name_of("token.actions.githubusercontent.com:aud"), Some("${OidcProvider}:aud"));
        assert_eq!(name_of("s3:sub"), None);
        assert!(condition_key("cognito-identity.amazonaws.com:amr").is_some_and(|known| known.multivalued));
    }

    #[test]
    fn global_keys_are_told_from_those_of_a_service() {
        for key in ["aws:PrincipalTag/a", "AWS:SOURCEIP", "ec2:SourceInstanceARN", "saml:sub", "aws:VpceOrgPaths"] {
            assert!(is_global_key(key), "{key}");
        }
        for key in ["s3:prefix", "aws:NoSuchKey", "kms:ViaService", "sts:ExternalId", "ec2:Region"] {
            assert!(!is_global_key(key), "{key}");
        }
    }

    #[test]
    fn placeholders_take_at_least_one_character_wherever_they_stand() {
        assert!(fits("agent.${Domain}.dev:ref", "agent.a.b.dev:ref"));
        assert!(!fits("agent.${Domain}.dev:ref", "agent..dev:ref"));
        assert!(!fits("agent.${Domain}.dev:ref", "agent.a.dev:re"));
        assert!(fits("a<x>b<y>", "aabbb"));
        assert!(!fits("a<x>b<y>", "aab"));
        assert!(fits("t/${k}", "T/é"));
    }
}
