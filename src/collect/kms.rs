//! Answers of KMS.
//!
//! Source: AWS KMS API Reference.

use compact_str::CompactString;

use super::piece::Piece;
use super::reader::{Reader, array, begins_with, goes_on, known_flag, object, spanned, text};
use crate::aws::{AccountId, Arn};
use crate::estate::{Grant, GrantConstraints, Key, KeyManager, KeyMetadata, Known};
use crate::syntax::json::{Json, Kind};
use crate::text::Span;

/// A key that the file does not name.
pub(super) fn nameless(span: Span) -> Box<Key> {
    Box::new(Key::new(CompactString::default(), span))
}

/// A key by its ID or ARN.
pub(super) fn named(id_or_arn: &str, span: Span) -> Box<Key> {
    let mut key = nameless(span);
    match Arn::parse(id_or_arn).filter(|arn| arn.service == "kms") {
        Some(arn) => {
            key.id = arn.resource_of("key").map(CompactString::from);
            key.account = arn.account_id();
            key.arn = key.id.is_some().then(|| id_or_arn.into());
        }
        None if !id_or_arn.is_empty() && !id_or_arn.starts_with("alias/") => key.id = Some(id_or_arn.into()),
        None => {}
    }
    key.name = key.id.clone().unwrap_or_default();
    key
}

/// What describes a key.
pub(super) fn read_metadata(metadata: Json<'_>) -> KeyMetadata {
    KeyMetadata {
        manager: text(metadata, "KeyManager").and_then(|manager| match manager.as_str() {
            "AWS" => Some(KeyManager::Aws),
            "CUSTOMER" => Some(KeyManager::Customer),
            _ => None,
        }),
        state: spanned(metadata, "KeyState"),
        usage: spanned(metadata, "KeyUsage"),
        spec: spanned(metadata, "KeySpec").or_else(|| spanned(metadata, "CustomerMasterKeySpec")),
        origin: spanned(metadata, "Origin"),
    }
}

/// One grant, as `kms list-grants` shows it.
pub(crate) fn read_grant(json: Json<'_>) -> Grant {
    let operations = array(json, "Operations").into_iter().flat_map(Json::elements);
    Grant {
        id: text(json, "GrantId").unwrap_or_default(),
        grantee: spanned(json, "GranteePrincipal").or_else(|| spanned(json, "GranteeServicePrincipal")),
        operations: operations.filter_map(Json::as_str).map(CompactString::from).collect(),
        constraints: object(json, "Constraints").map(read_constraints).unwrap_or_default(),
        span: json.span(),
    }
}

fn read_constraints(json: Json<'_>) -> GrantConstraints {
    let mut constraints = GrantConstraints::default();
    for (name, value) in json.members() {
        let pairs = || {
            let pair = |(key, value): (Json<'_>, Json<'_>)| Some((key.as_str()?.into(), value.as_str()?.into()));
            Some(value.members().filter_map(pair).collect())
        };
        match name.as_str().unwrap_or_default().as_ref() {
            _ if value.is_null() => {}
            "EncryptionContextEquals" if value.kind() == Kind::Object => {
                constraints.encryption_context_equals = pairs()
            }
            "EncryptionContextSubset" if value.kind() == Kind::Object => {
                constraints.encryption_context_subset = pairs()
            }
            "SourceArn" if value.kind() == Kind::String => constraints.source_arn = value.as_str().map(Into::into),
            other => constraints.other = Some(other.into()),
        }
    }
    constraints
}

impl Reader<'_> {
    /// Reads an answer of KMS; whether it is one.
    pub(super) fn kms(&mut self, json: Json<'_>) -> bool {
        self.key_metadata(json) || self.rotation(json) || self.grants(json) || self.aliases(json) || self.keys(json)
    }

    fn key_metadata(&mut self, json: Json<'_>) -> bool {
        let metadata = object(json, "KeyMetadata").unwrap_or(json);
        let is_key = metadata.member("KeyId").is_some()
            && ["KeyManager", "KeyState"].iter().any(|key| metadata.member(key).is_some());
        if !is_key {
            return false;
        }
        let arn = text(metadata, "Arn").or_else(|| text(metadata, "KeyArn")).or_else(|| text(metadata, "KeyId"));
        let mut key = named(&arn.unwrap_or_default(), json.span());
        key.account = key.account.or_else(|| AccountId::parse(&text(metadata, "AWSAccountId").unwrap_or_default()));
        key.metadata = Known::Present(read_metadata(metadata), metadata.span());
        self.push(Piece::Key(key));
        true
    }

    fn rotation(&mut self, json: Json<'_>) -> bool {
        if json.member("KeyRotationEnabled").is_none() {
            return false;
        }
        let mut key = named(&text(json, "KeyId").unwrap_or_default(), json.span());
        key.rotation = known_flag(json, "KeyRotationEnabled", "key.rotation");
        self.push(Piece::Key(key));
        true
    }

    fn grants(&mut self, json: Json<'_>) -> bool {
        let Some(list) = array(json, "Grants").filter(|_| json.member("Owner").is_none()) else { return false };
        if list.elements().next().is_some() && !begins_with(list, &["GrantId"]) {
            return false;
        }
        self.grant_list(list);
        let of = list.elements().next().and_then(|grant| text(grant, "KeyId"));
        self.page("key.grants", of, goes_on(json), list.span());
        true
    }

    /// KMS grants, with or without the answer around them.
    pub(super) fn grant_list(&mut self, list: Json<'_>) {
        let mut keys: Vec<(CompactString, Vec<Grant>)> = Vec::new();
        for grant in list.elements() {
            let read = read_grant(grant);
            let key = text(grant, "KeyId").unwrap_or_default();
            match keys.last_mut().filter(|(last, _)| *last == key) {
                Some((_, grants)) => grants.push(read),
                None => keys.push((key, vec![read])),
            }
        }
        if keys.is_empty() {
            keys.push((CompactString::default(), Vec::new()));
        }
        for (key, grants) in keys {
            let mut key = named(&key, list.span());
            key.grants = Known::Present(grants, list.span());
            self.push(Piece::Key(key));
        }
    }

    fn aliases(&mut self, json: Json<'_>) -> bool {
        let Some(list) = array(json, "Aliases") else { return false };
        if list.elements().next().is_some() && !begins_with(list, &["AliasName"]) {
            return false;
        }
        self.alias_list(list);
        self.page("key.aliases", None, goes_on(json), list.span());
        true
    }

    /// Aliases, with or without the answer around them; each lies in the account and Region of its key.
    pub(super) fn alias_list(&mut self, list: Json<'_>) {
        if list.elements().next().is_none() {
            let mut key = nameless(list.span());
            key.aliases = Known::Present(Vec::new(), list.span());
            self.push(Piece::Key(key));
        }
        for alias in list.elements() {
            let (Some(name), Some(target)) = (spanned(alias, "AliasName"), text(alias, "TargetKeyId")) else {
                continue;
            };
            let arn = text(alias, "AliasArn");
            let arn = arn
                .as_deref()
                .and_then(Arn::parse)
                .map(|arn| format!("arn:{}:kms:{}:{}:key/{target}", arn.partition, arn.region, arn.account));
            let mut key = named(&arn.unwrap_or_else(|| target.to_string()), alias.span());
            key.aliases = Known::Present(vec![name], list.span());
            self.push(Piece::Key(key));
        }
        self.told.recognised = true;
    }

    fn keys(&mut self, json: Json<'_>) -> bool {
        // A key of which only the ID is known tells nothing.
        let found = array(json, "Keys").is_some_and(|list| begins_with(list, &["KeyId", "KeyArn"]));
        self.told.recognised |= found;
        found
    }
}
