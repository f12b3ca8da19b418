//! OpenID Connect issuers that serve many organizations.

const TABLE: &str = include_str!("tables/issuers.txt");

/// An issuer whose tokens anyone can get, with an audience of their choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedIssuer {
    /// Its address without scheme, as in the ARN of its provider and before its claims.
    pub address: &'static str,
    /// The text with which every subject begins, before the name of the organization.
    pub lead: &'static str,
    claims: &'static str,
}

impl SharedIssuer {
    /// Whether any organization can give the claim any value; the part after the colon, in any case.
    #[must_use]
    pub fn is_open(&self, claim: &str) -> bool {
        claim.eq_ignore_ascii_case("aud") || self.claims.split(' ').any(|open| open.eq_ignore_ascii_case(claim))
    }

    /// Whether a pattern of subjects fixes the organization: its name is written out, up to what ends it.
    #[must_use]
    pub fn binds(&self, pattern: &str) -> bool {
        let Some(open) = pattern.find(['*', '?']) else { return true };
        let fixed = pattern.get(..open).and_then(|start| start.strip_prefix(self.lead));
        fixed.is_some_and(|name| name.find(['/', ':']).is_some_and(|end| end > 0))
    }
}

/// The shared issuer of that address.
#[must_use]
pub fn shared_issuer(address: &str) -> Option<SharedIssuer> {
    let mut lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.find_map(|line| {
        let (known, rest) = line.split_once(' ')?;
        let (lead, claims) = rest.split_once(' ').unwrap_or((rest, ""));
        known.eq_ignore_ascii_case(address).then_some(SharedIssuer { address: known, lead, claims })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_pattern_binds_where_it_writes_the_organization_out() {
        let github = shared_issuer("token.actions.githubusercontent.com").unwrap();
        for bound in ["repo:example/audit:ref:refs/heads/main", "repo:example/*", "repo:example/audit:*", "x"] {
            assert!(github.binds(bound), "{bound}");
        }
        for open in
            ["*", "repo:*", "repo:*/audit:*", "repo:exam*", "repo:example*/audit:*", "repo:exampl?/audit:*", "r*"]
        {
            assert!(!github.binds(open), "{open}");
        }
        let audit = shared_issuer("oidc-configuration.audit-log.githubusercontent.com").unwrap();
        assert!(!audit.binds("https://github.com/*"));
        assert!(audit.binds("https://github.com/example"));
    }

    #[test]
    fn audiences_and_branches_are_open_and_owners_are_not() {
        let github = shared_issuer("token.actions.githubusercontent.com").unwrap();
        assert!(github.is_open("aud") && github.is_open("Ref"));
        assert!(!github.is_open("sub") && !github.is_open("repository_owner_id"));
    }

    #[test]
    fn an_issuer_of_one_organization_is_not_shared() {
        for address in ["", "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF", "login.example.com"] {
            assert_eq!(shared_issuer(address), None, "{address}");
        }
    }

    #[test]
    fn the_table_is_in_order() {
        let lines: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.is_sorted());
        assert!(lines.iter().all(|line| shared_issuer(line.split(' ').next().unwrap()).is_some()));
    }
}
