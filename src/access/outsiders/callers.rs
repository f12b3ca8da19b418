//! Who is asked about, and what its situation says.

use compact_str::CompactString;

use super::{Outsider, Scene};
use crate::access::request::{Caller, Given};
use crate::access::search::{ANY_ROLE, ANY_SESSION, STRANGER, principals_of};
use crate::policy::Policy;
use crate::policy::pattern::{self, Case};

/// Keys of a request that its situation fixes.
pub(super) type Keys = Vec<(CompactString, Given)>;

/// The ID of an organization that is nobody's here.
const OTHER_ORGANIZATION: &str = "o-stranger00";

/// The ID of the owner's organization, where it is not known.
const OWN_ORGANIZATION: &str = "o-unknownown";

/// Addresses of nobody's network, from blocks that are set aside for tests and segment routing.
const ADDRESSES: [&str; 2] = ["198.18.7.7", "5f00:7::7"];

impl Scene<'_> {
    /// Everyone worth asking about, the most public first.
    pub(super) fn outsiders(&self) -> Vec<(Outsider, Caller, Keys)> {
        let mut ways: Vec<(Outsider, Keys)> = vec![(
            Outsider::NoOrganization,
            vec![("aws:PrincipalOrgID".into(), Given::Absent), ("aws:PrincipalOrgPaths".into(), Given::Absent)],
        )];
        for id in self.other_organizations() {
            ways.extend(self.places_in(&id).into_iter().map(|keys| (Outsider::OtherOrganization, keys)));
        }
        let mut callers = Vec::new();
        // AWS KMS takes signed requests only.
        if !self.is_key() {
            let anonymous = self.situations(&Caller::Anonymous, &[]);
            callers.extend(anonymous.into_iter().map(|keys| (Outsider::Anonymous, Caller::Anonymous, keys)));
        }
        let principals = self.principals();
        for (outsider, keys) in &ways {
            for caller in &principals {
                let situations = self.situations(caller, keys);
                let of_pattern = caller.account().is_some_and(|account| self.of_patterns.contains(&account));
                let outsider = if of_pattern { Outsider::OfPattern } else { *outsider };
                callers.extend(situations.into_iter().map(|keys| (outsider, caller.clone(), keys)));
            }
        }
        callers
    }

    /// Principals of an account in one organization.
    pub(super) fn members_of(&self, id: &str) -> Vec<(Outsider, Caller, Keys)> {
        let mut callers = Vec::new();
        for caller in self.principals() {
            for keys in self.places_in(id) {
                let situations = self.situations(&caller, &keys);
                callers.extend(situations.into_iter().map(|keys| (Outsider::OtherOrganization, caller.clone(), keys)));
            }
        }
        callers
    }

    /// Principals of accounts that nobody names, with the names and sessions that the policies make worth having.
    fn principals(&self) -> Vec<Caller> {
        let stranger = self.stranger;
        let policies: Vec<&Policy> = self.policies().collect();
        let accounts = [stranger].into_iter().chain(self.of_patterns.iter().copied());
        let mut callers: Vec<Caller> =
            accounts.flat_map(|account| principals_of(account, policies.iter().copied())).collect();
        if self.mentions("aws:PrincipalType") {
            callers.push(Caller::Root(stranger));
        }
        for clause in self.clauses() {
            for value in &clause.values {
                let text = value.template.raw();
                let caller = if clause.key.is("aws:PrincipalArn") && !text.contains(':') {
                    // A pattern such as `*222222222222*`: the name of a role may hold anything.
                    let name = text.trim_matches('*').replace('*', STRANGER).replace('?', "x");
                    let is_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
                    (!name.is_empty() && name.chars().all(is_name))
                        .then(|| Caller::Session(stranger, name.into(), Some(ANY_SESSION.into())))
                } else if clause.key.is("aws:userid") {
                    let session = text.split_once(':').map_or("", |(_, session)| session).replace('*', STRANGER);
                    (!session.is_empty())
                        .then(|| Caller::Session(stranger, ANY_ROLE.into(), Some(session.replace('?', "x").into())))
                } else {
                    None
                };
                callers.extend(caller.filter(|caller| !callers.contains(caller)));
            }
        }
        callers
    }

    /// Organizations other than the owner's: one that nobody names, and those that a wildcard of a policy takes in.
    fn other_organizations(&self) -> Vec<CompactString> {
        let mut ids: Vec<CompactString> = vec![OTHER_ORGANIZATION.into()];
        let keys = ["aws:PrincipalOrgID", "aws:PrincipalOrgPaths"];
        for clause in self.clauses().filter(|c| keys.iter().any(|key| c.key.is(key))) {
            for value in &clause.values {
                let id = value.template.raw().split('/').next().unwrap_or_default();
                if clause.operator.takes_wildcards() && pattern::has_wildcard(id) && !id.contains("${") {
                    let id = CompactString::from(id.replace('*', "stranger00").replace('?', "x"));
                    if id.starts_with("o-") && Some(id.as_str()) != self.guarded.organization && !ids.contains(&id) {
                        ids.push(id);
                    }
                }
            }
        }
        ids
    }

    /// The organization keys of an account, for each place in the organization that a policy tells apart.
    fn places_in(&self, id: &str) -> Vec<Keys> {
        let one = |text: CompactString| Given::Values(vec![text]);
        let keys = |path| {
            let mut keys = vec![("aws:PrincipalOrgID".into(), one(id.into()))];
            if self.mentions("aws:PrincipalOrgPaths") {
                keys.push(("aws:PrincipalOrgPaths".into(), one(path)));
            }
            keys
        };
        self.paths_in(id).into_iter().map(keys).collect()
    }

    /// The places in an organization that comparisons name, and one that none does.
    fn paths_in(&self, id: &str) -> Vec<CompactString> {
        let keys = ["aws:PrincipalOrgPaths", "aws:ResourceOrgPaths"];
        let mut paths: Vec<CompactString> = Vec::new();
        for value in self.clauses().filter(|c| keys.iter().any(|key| c.key.is(key))).flat_map(|c| &c.values) {
            let (of, rest) = value.template.raw().split_once('/').unwrap_or((value.template.raw(), ""));
            if pattern::matches(of, id, Case::Sensitive) && !rest.contains("${") {
                let path = format!("{id}/{}", rest.replace('*', "stranger/").replace('?', "x").replace("//", "/"));
                paths.extend(Some(CompactString::from(path)).filter(|path| !paths.contains(path)));
            }
        }
        paths.push(format!("{id}/r-strg/ou-strg-stranger/").into());
        paths
    }

    /// The keys of a caller's request beside its organization, once for each network worth asking about.
    ///
    /// Where an address counts, one that no policy means comes first: who gets in with that does for certain.
    fn situations(&self, caller: &Caller, keys: &[(CompactString, Given)]) -> Vec<Keys> {
        let mut all: Keys = self.of_the_resource();
        all.extend_from_slice(keys);
        all.extend(user_id(caller).filter(|_| self.mentions("aws:userid")));
        let at = |address: &str| {
            let mut keys = all.clone();
            keys.push(("aws:SourceIp".into(), Given::Values(vec![address.into()])));
            keys
        };
        let mut situations: Vec<Keys> = match self.mentions("aws:SourceIp") {
            true => ADDRESSES.into_iter().map(at).collect(),
            false => Vec::new(),
        };
        situations.push(all);
        situations
    }

    /// The keys that say where the resource is.
    fn of_the_resource(&self) -> Keys {
        let literal = |key: &str| {
            let values = self.clauses().filter(|clause| clause.key.is(key)).flat_map(|clause| &clause.values);
            values.map(|value| value.template.raw()).find(|text| !text.contains(['*', '?', '$'])).map(str::to_owned)
        };
        // Where the owner's organization is not known, the policy's own word for it is taken.
        let written = self.guarded.organization.map(str::to_owned).or_else(|| literal("aws:ResourceOrgID"));
        let id = written.unwrap_or_else(|| OWN_ORGANIZATION.to_owned());
        let mut keys: Keys = Vec::new();
        if self.mentions("aws:ResourceOrgID") {
            keys.push(("aws:ResourceOrgID".into(), Given::Values(vec![id.as_str().into()])));
        }
        if self.mentions("aws:ResourceOrgPaths") {
            keys.push(("aws:ResourceOrgPaths".into(), Given::Values(self.paths_in(&id))));
        }
        if self.guarded.account.is_none() {
            for key in ["aws:ResourceAccount", "s3:ResourceAccount"] {
                let account = literal(key).map(|account| Given::Values(vec![account.into()]));
                keys.extend(account.map(|account| (CompactString::new(key), account)));
            }
        }
        keys
    }

    /// Whether a policy compares a key or substitutes it.
    fn mentions(&self, key: &str) -> bool {
        let in_values = self.clauses().flat_map(|c| &c.values).flat_map(|value| value.template.variables());
        let resources = self.statements().filter_map(|s| s.resources.as_ref()).flat_map(|r| &r.items);
        let mut variables = in_values.chain(resources.flat_map(|item| item.value.variables()));
        self.clauses().any(|clause| clause.key.is(key)) || variables.any(|variable| variable.key.is(key))
    }
}

/// The value of `aws:userid`: IDs are given out by AWS, so that no policy can mean an outsider's; the name of a session
/// is the caller's to choose.
fn user_id(caller: &Caller) -> Option<(CompactString, Given)> {
    let id = match caller {
        Caller::Session(_, _, session) => {
            format!("AROATRAILPROOFSTRNGR:{}", session.as_deref().unwrap_or(ANY_SESSION)).into()
        }
        Caller::User(..) => "AIDATRAILPROOFSTRNGR".into(),
        _ => return None,
    };
    Some(("aws:userid".into(), Given::Values(vec![id])))
}
