//! The last steps: inline policies that came one by one, doubles, order, and the account of loose roles.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use compact_str::CompactString;

use super::merge::{self, CONTRADICTION, Merge, Told, is_contradiction};
use super::resources::{merge_role, merge_user};
use super::{Bits, Builder, IdentityKind, facts};
use crate::aws::AccountId;
use crate::estate::{Document, Estate, Gap, InlinePolicy, Known, NamedBy, Permissions, Role, User};
use crate::text::{Span, Spanned};

impl Builder {
    /// The estate, sorted.
    pub fn finish(mut self) -> Estate {
        let mut parts: Vec<_> = std::mem::take(&mut self.bits).into_iter().collect();
        parts.sort_unstable_by_key(|(key, _)| *key);
        for ((kind, at), parts) in parts {
            self.fold(kind, at, parts);
        }
        let mut estate = self.estate;
        estate.without_doubles();
        estate.sort();
        let contradictions = estate.contradictions();
        estate.gaps.extend(contradictions);
        estate.gaps.sort_unstable();
        estate.gaps.dedup();
        estate
    }

    /// Joins the inline policies told one by one with the list of their names and with a whole list, and the pages of
    /// attached policies with the last one.
    fn fold(&mut self, kind: IdentityKind, at: usize, parts: Bits) {
        let Estate { sources, documents, roles, users, groups, .. } = &mut self.estate;
        let permissions = match kind {
            IdentityKind::Role => roles.get_mut(at).map(|role| &mut role.permissions),
            IdentityKind::User => users.get_mut(at).map(|user| &mut user.permissions),
            IdentityKind::Group => groups.get_mut(at).map(|group| &mut group.permissions),
        };
        let Some(permissions) = permissions else { return };
        for (arns, gap) in parts.attached {
            match &mut permissions.attached {
                Known::Present(all, _) => {
                    let is_new = |arn: &Spanned<CompactString>| all.iter().all(|known| known.value != arn.value);
                    let new: Vec<_> = arns.into_iter().filter(is_new).collect();
                    all.extend(new);
                }
                Known::Unknown(known) if !is_contradiction(known) => {
                    permissions.attached = Known::Unknown(Gap { fact: facts(kind).attached.into(), ..gap });
                }
                _ => {}
            }
        }
        let fact = facts(kind).inline;
        let merge = &mut Merge { sources, documents };
        let policies = one_each(parts.policies, fact, merge);
        let names = parts.names.filter(|_| parts.goes_on.is_none());
        let refused = parts.goes_on.or(parts.refused.filter(|_| names.is_none()));
        let refused = refused.map(|gap| Gap { fact: fact.into(), ..gap });
        let first = policies.first().map(|(_, span)| *span);
        let (told, whole) = match (names, first, refused) {
            (Some((names, span)), ..) => (listed(names, span, policies, fact, merge.documents), true),
            (None, Some(span), refused) => {
                // Where an export tells them all, none is left that could be refused.
                let refused = refused.filter(|_| permissions.inline.present().is_none());
                let unread = refused.map(|gap| InlinePolicy { name: None, document: Known::Unknown(gap) });
                (Known::Present(policies.into_iter().map(|(policy, _)| policy).chain(unread).collect(), span), false)
            }
            (None, None, Some(gap)) => (Known::Unknown(gap), false),
            (None, None, None) => return,
        };
        merge.inline(fact, &mut permissions.inline, true, told, whole);
    }
}

/// Takes policies that are there twice together; two texts under one name are a contradiction.
fn one_each(
    policies: Vec<(InlinePolicy, Span)>,
    fact: &'static str,
    merge: &mut Merge<'_>,
) -> Vec<(InlinePolicy, Span)> {
    let mut kept: Vec<(InlinePolicy, Span)> = Vec::with_capacity(policies.len());
    let mut by_name: HashMap<CompactString, usize> = HashMap::new();
    for (policy, span) in policies {
        let Some(name) = policy.name.clone() else {
            kept.push((policy, span));
            continue;
        };
        match by_name.get(&name).and_then(|&at| kept.get_mut(at)) {
            Some((known, _)) => merge.known(fact, &mut known.document, policy.document),
            None => {
                by_name.insert(name, kept.len());
                kept.push((policy, span));
            }
        }
    }
    if kept.len() < 2 {
        return kept;
    }
    let mut seen: HashSet<String> = HashSet::new();
    let texts = |policy: &InlinePolicy| policy.document.present().map(|d| merge::meaning(d, merge.sources));
    // Named ones first: a file without a name is the copy.
    seen.extend(kept.iter().filter(|(policy, _)| policy.name.is_some()).filter_map(|(policy, _)| texts(policy)));
    kept.retain(|(policy, _)| policy.name.is_some() || texts(policy).is_none_or(|text| seen.insert(text)));
    kept
}

/// The inline policies of a known list of names.
fn listed(
    names: Vec<Spanned<CompactString>>,
    span: Span,
    policies: Vec<(InlinePolicy, Span)>,
    fact: &'static str,
    documents: &mut Vec<Document>,
) -> Known<Vec<InlinePolicy>> {
    let known: HashSet<&CompactString> = policies.iter().filter_map(|(policy, _)| policy.name.as_ref()).collect();
    let missing: Vec<Spanned<CompactString>> =
        names.iter().filter(|name| !known.contains(&name.value)).cloned().collect();
    let listed: HashSet<&CompactString> = names.iter().map(|name| &name.value).collect();
    let unlisted = known.iter().any(|name| !listed.contains(*name));
    let nameless = policies.iter().filter(|(policy, _)| policy.name.is_none()).count();
    if unlisted || nameless > missing.len() {
        let places: Vec<Span> = std::iter::once(span).chain(policies.iter().map(|(_, span)| *span)).collect();
        policies.into_iter().map(|(policy, _)| policy).collect::<Vec<_>>().release(documents);
        return merge::contradiction(fact, places);
    }
    let mut all: Vec<InlinePolicy> = policies.into_iter().map(|(policy, _)| policy).collect();
    match (missing.as_slice(), nameless) {
        ([only], 1) => {
            if let Some(policy) = all.iter_mut().find(|policy| policy.name.is_none()) {
                policy.name = Some(only.value.clone());
            }
        }
        _ => {
            let unread = |name: Option<CompactString>, place: Span| {
                let gap =
                    Gap::new("policy.document", "its name is listed and its text is not in the inputs").at([place]);
                InlinePolicy { name, document: Known::Unknown(gap) }
            };
            // Which of the names the nameless texts belong to can not be told.
            let rest = missing.iter().skip(nameless);
            all.extend(rest.map(|name| unread((nameless == 0).then(|| name.value.clone()), name.span)));
        }
    }
    Known::Present(all, span)
}

impl Estate {
    /// Gives the owner's account to every role and user whose account no input tells, and joins those that are then
    /// the same.
    pub fn settle(&mut self, owner: AccountId) {
        let before: BTreeSet<Gap> = self.contradictions().into_iter().collect();
        let Estate { sources, documents, roles, users, .. } = &mut *self;
        let merge = &mut Merge { sources, documents };
        let loose: Vec<Role> = roles.extract_if(.., |role| role.account.is_none()).collect();
        let mut known: BTreeMap<CompactString, usize> = BTreeMap::new();
        for (at, role) in roles.iter().enumerate() {
            if role.account == Some(owner) && role.named_by != NamedBy::Nothing {
                known.insert(role.name.clone(), at);
            }
        }
        for mut role in loose {
            role.account = Some(owner);
            let same = known.get(&role.name).filter(|_| role.named_by != NamedBy::Nothing);
            match same.and_then(|&at| roles.get_mut(at)) {
                Some(known) => merge_role(known, role, false, merge),
                None => {
                    if role.named_by != NamedBy::Nothing {
                        known.insert(role.name.clone(), roles.len());
                    }
                    roles.push(role);
                }
            }
        }
        let loose: Vec<User> = users.extract_if(.., |user| user.account.is_none()).collect();
        let mut known: BTreeMap<CompactString, usize> = BTreeMap::new();
        for (at, user) in users.iter().enumerate() {
            if user.account == Some(owner) {
                known.insert(user.name.clone(), at);
            }
        }
        for mut user in loose {
            user.account = Some(owner);
            match known.get(&user.name).and_then(|&at| users.get_mut(at)) {
                Some(known) => merge_user(known, user, false, merge),
                None => {
                    user.arn.get_or_insert_with(|| format!("arn:aws:iam::{owner}:user/{}", user.name).into());
                    known.insert(user.name.clone(), users.len());
                    users.push(user);
                }
            }
        }
        self.gaps.retain(|gap| !before.contains(gap));
        let contradictions = self.contradictions();
        self.gaps.extend(contradictions);
        self.sort();
        self.gaps.dedup();
    }

    fn sort(&mut self) {
        let place = |span: Span| (span.source, span.start, span.end);
        self.roles.sort_by(|a, b| (a.account, &a.name, place(a.span)).cmp(&(b.account, &b.name, place(b.span))));
        self.users.sort_by(|a, b| (a.account, &a.name, place(a.span)).cmp(&(b.account, &b.name, place(b.span))));
        self.groups.sort_by(|a, b| (a.account, &a.name, place(a.span)).cmp(&(b.account, &b.name, place(b.span))));
        self.managed_policies.sort_by(|a, b| (&a.arn, &a.name, place(a.span)).cmp(&(&b.arn, &b.name, place(b.span))));
        self.buckets.sort_by(|a, b| (&a.name, place(a.span)).cmp(&(&b.name, place(b.span))));
        self.keys.sort_by(|a, b| (&a.arn, &a.id, &a.name, place(a.span)).cmp(&(&b.arn, &b.id, &b.name, place(b.span))));
        self.trails.sort_by(|a, b| (&a.arn, &a.name, place(a.span)).cmp(&(&b.arn, &b.name, place(b.span))));
        let policies = &mut self.organization.policies;
        policies.sort_by(|a, b| (&a.id, &a.name, place(a.span)).cmp(&(&b.id, &b.name, place(b.span))));
        self.documents.sort_by_key(|document| place(document.span));
        self.broken.sort_by(|a, b| (place(a.span), &a.message).cmp(&(place(b.span), &b.message)));
        self.duplicates.sort_by_key(|duplicate| (place(duplicate.again), place(duplicate.first)));
        self.named.sort_by(|a, b| (place(a.span), &a.value).cmp(&(place(b.span), &b.value)));
        self.gaps.sort_unstable();
    }

    /// Takes out what pages of one list say twice.
    fn without_doubles(&mut self) {
        fn unique<T, K: std::hash::Hash + Eq>(list: &mut Known<Vec<T>>, key: impl Fn(&T) -> K) {
            if let Known::Present(items, _) = list {
                let mut seen = HashSet::new();
                items.retain(|item| seen.insert(key(item)));
            }
        }
        unique(&mut self.organization.accounts, |member| member.id);
        for policy in &mut self.organization.policies {
            unique(&mut policy.targets, |target| target.id.clone());
        }
        for key in &mut self.keys {
            unique(&mut key.aliases, |alias| alias.value.clone());
            unique(&mut key.grants, |grant| (grant.id.clone(), grant.grantee.as_ref().map(|g| g.value.clone())));
        }
    }

    /// The gaps of all facts that places contradict each other about.
    fn contradictions(&self) -> Vec<Gap> {
        let mut found = Vec::new();
        fn look<T>(found: &mut Vec<Gap>, fact: &Known<T>) {
            if let Known::Unknown(gap) = fact
                && is_contradiction(gap)
            {
                found.push(gap.clone());
            }
        }
        let permissions = |found: &mut Vec<Gap>, permissions: &Permissions| {
            look(found, &permissions.inline);
            look(found, &permissions.attached);
            look(found, &permissions.boundary);
            for policy in permissions.inline.present().into_iter().flatten() {
                look(found, &policy.document);
            }
        };
        for role in &self.roles {
            look(&mut found, &role.trust);
            permissions(&mut found, &role.permissions);
        }
        for user in &self.users {
            look(&mut found, &user.groups);
            permissions(&mut found, &user.permissions);
        }
        for group in &self.groups {
            permissions(&mut found, &group.permissions);
        }
        for policy in &self.managed_policies {
            look(&mut found, &policy.document);
        }
        for bucket in &self.buckets {
            look(&mut found, &bucket.account);
            look(&mut found, &bucket.region);
            look(&mut found, &bucket.policy);
            look(&mut found, &bucket.ownership);
            look(&mut found, &bucket.acl);
            look(&mut found, &bucket.encryption);
            look(&mut found, &bucket.block_public_access);
            look(&mut found, &bucket.policy_is_public);
        }
        for key in &self.keys {
            look(&mut found, &key.policy);
            look(&mut found, &key.metadata);
            look(&mut found, &key.rotation);
        }
        for trail in &self.trails {
            look(&mut found, &trail.bucket);
            look(&mut found, &trail.prefix);
            look(&mut found, &trail.key);
            look(&mut found, &trail.is_multi_region);
            look(&mut found, &trail.is_organization);
            look(&mut found, &trail.validates_log_files);
            look(&mut found, &trail.status);
            look(&mut found, &trail.selectors);
        }
        for account in self.accounts.values() {
            look(&mut found, &account.block_public_access);
        }
        for policy in &self.organization.policies {
            look(&mut found, &policy.document);
        }
        look(&mut found, &self.organization.id);
        look(&mut found, &self.organization.management);
        found
    }
}

impl Gap {
    /// Whether inputs contradict each other about the fact; its places show where.
    pub fn is_contradiction(&self) -> bool {
        self.reason == CONTRADICTION
    }
}
