//! Small estates, made by hand from policy texts.

use super::*;
use crate::aws::Arn;
use crate::estate::{Document, IdentityKind, InlinePolicy, Known, NamedBy, Permissions, Role, Trail, read_policy};
use crate::policy::Policy;
use crate::syntax::json::Tape;
use crate::text::embedded::Place;
use crate::text::{Source, SourceId};

/// The inputs of one run.
#[derive(Default)]
pub(super) struct Input {
    pub(super) estate: Estate,
    config: Option<Config>,
}

impl Input {
    pub(super) fn new() -> Self {
        Input::default()
    }

    pub(super) fn model(&self) -> Model {
        Model::new(&self.estate, self.config.as_ref(), None)
    }

    /// Adds a file and gives the place of all of it.
    pub(super) fn file(&mut self, name: &str, text: &str) -> Span {
        let source = self.estate.sources.add(Source::new(name, text));
        Span::new(source, 0, text.len() as u32)
    }

    pub(super) fn document(&mut self, name: &str, text: &str, kind: PolicyKind) -> Known<Document> {
        let span = self.file(name, text);
        Known::Present(Document::new(policy(text, kind, span.source), span), span)
    }

    pub(super) fn config(mut self, text: &str) -> Self {
        let source = self.file("trailproof.toml", text).source;
        self.config = Some(Config::parse(text, source).unwrap());
        self
    }

    /// A bucket given as the file of its policy.
    pub(super) fn bucket(mut self, name: &str, policy: &str) -> Self {
        let policy = self.document(&format!("{name}.json"), policy, PolicyKind::Bucket);
        let mut bucket = Bucket::new(name.into(), NamedBy::Input, policy.span().unwrap());
        bucket.policy = policy;
        self.estate.buckets.push(bucket);
        self
    }

    /// Says who owns the last bucket.
    pub(super) fn owned_by(mut self, owner: &str) -> Self {
        let span = self.file("owner.json", owner);
        self.estate.buckets.last_mut().unwrap().account = Known::Present(account(owner), span);
        self
    }

    /// A role without an account, of which only the trust policy is known.
    pub(super) fn role(mut self, name: &str, trust: &str) -> Self {
        let trust = self.document(&format!("{name}-trust.json"), trust, PolicyKind::Trust);
        self.estate.roles.push(Role {
            name: name.into(),
            path: None,
            account: None,
            partition: "aws".into(),
            named_by: NamedBy::Input,
            span: trust.span().unwrap(),
            is_listed: false,
            trust,
            permissions: Permissions::unknown(IdentityKind::Role),
        });
        self
    }

    /// Gives the last role an inline policy.
    pub(super) fn inline(mut self, access: &str) -> Self {
        let document = self.document("access.json", access, PolicyKind::Identity);
        let span = document.span().unwrap();
        let role = self.estate.roles.last_mut().unwrap();
        let mut policies = role.permissions.inline.present().cloned().unwrap_or_default();
        policies.push(InlinePolicy { name: None, document });
        role.permissions.inline = Known::Present(policies, span);
        self
    }

    /// Attaches a managed policy to the last role.
    pub(super) fn attached(mut self, arn: &str) -> Self {
        let span = self.file("attached.json", arn);
        let role = self.estate.roles.last_mut().unwrap();
        role.permissions.attached = Known::Present(vec![Spanned::new(arn.into(), span)], span);
        self
    }

    /// Says which account the last role is in.
    pub(super) fn in_account(mut self, id: &str) -> Self {
        self.estate.roles.last_mut().unwrap().account = Some(account(id));
        self
    }

    /// A key given as the file of its policy.
    pub(super) fn key(mut self, id: &str, owner: Option<&str>, policy: &str) -> Self {
        let policy = self.document(&format!("{id}.json"), policy, PolicyKind::Key);
        let mut key = Key::new(id.into(), policy.span().unwrap());
        key.id = Some(id.into());
        key.account = owner.map(account);
        key.arn = owner.map(|owner| format!("arn:aws:kms:us-east-1:{owner}:key/{id}").into());
        key.policy = policy;
        self.estate.keys.push(key);
        self
    }

    /// A trail that delivers to a bucket under a prefix.
    pub(super) fn trail(mut self, arn: &str, bucket: &str, prefix: &str, is_organization: bool) -> Self {
        let span = self.file("describe-trails.json", arn);
        let parsed = Arn::parse(arn).unwrap();
        self.estate.trails.push(Trail {
            name: parsed.resource_of("trail").unwrap().into(),
            arn: Some(arn.into()),
            account: parsed.account_id(),
            home_region: Some(parsed.region.into()),
            span,
            bucket: Known::Present(bucket.into(), span),
            prefix: if prefix.is_empty() { Known::Absent(span) } else { Known::Present(prefix.into(), span) },
            key: Known::not_collected("trail.key"),
            is_multi_region: Known::not_collected("trail.is-multi-region"),
            is_organization: Known::Present(is_organization, span),
            validates_log_files: Known::not_collected("trail.log-file-validation"),
            status: Known::not_collected("trail.status"),
            selectors: Known::not_collected("trail.event-selectors"),
        });
        self
    }

    /// An Organizations export of these accounts, with names.
    pub(super) fn export(mut self, id: &str, management: &str, accounts: &[(&str, &str)]) -> Self {
        let span = self.file("accounts.json", "export");
        let member = |(id, name): &(&str, &str)| Member { id: account(id), name: Some((*name).into()), span };
        self.estate.organization.id = Known::Present(id.into(), span);
        self.estate.organization.management = Known::Present(account(management), span);
        self.estate.organization.accounts = Known::Present(accounts.iter().map(member).collect(), span);
        self
    }
}

pub(super) fn policy(text: &str, kind: PolicyKind, source: SourceId) -> Policy {
    let place = Place::direct(source, 0);
    let mut tape = Tape::new();
    read_policy(tape.read(text, &place).unwrap(), kind).unwrap()
}

/// A policy of these statements.
pub(super) fn statements(statements: &[String]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

fn under(condition: &str) -> String {
    if condition.is_empty() { String::new() } else { format!(",\"Condition\":{condition}") }
}

/// A trust policy that lets accounts assume a role, under a condition.
pub(super) fn trust(accounts: &[&str], condition: &str) -> String {
    let roots: Vec<String> = accounts.iter().map(|id| format!("\"arn:aws:iam::{id}:root\"")).collect();
    statements(&[format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":[{}]}},"Action":"sts:AssumeRole"{}}}"#,
        roots.join(","),
        under(condition)
    )])
}

/// An identity policy that gives objects to read.
pub(super) fn reads(resource: &str) -> String {
    statements(&[format!(r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":"{resource}"}}"#)])
}

/// A bucket policy that lets CloudTrail write under these paths of a bucket, for a trail, and more statements.
pub(super) fn delivery(bucket: &str, paths: &[&str], trail: Option<&str>, more: &[String]) -> String {
    let resources: Vec<String> = paths.iter().map(|path| format!("\"arn:aws:s3:::{bucket}/{path}\"")).collect();
    let condition = trail.map(|arn| format!(r#"{{"StringEquals":{{"aws:SourceArn":"{arn}"}}}}"#)).unwrap_or_default();
    let write = format!(
        r#"{{"Effect":"Allow","Principal":{{"Service":"cloudtrail.amazonaws.com"}},"Action":"s3:PutObject","Resource":[{}]{}}}"#,
        resources.join(","),
        under(&condition)
    );
    statements(&[&[write], more].concat())
}

/// A statement of a bucket policy that lets principals read objects, under a condition.
pub(super) fn read_statement(principal: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":{principal}}},"Action":"s3:GetObject","Resource":"{resource}"{}}}"#,
        under(condition)
    )
}

/// A key policy for the trail of an account.
pub(super) fn trail_key(owner: &str, trail: &str) -> String {
    statements(&[
        format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{owner}:root"}},"Action":"kms:*","Resource":"*"}}"#
        ),
        format!(
            r#"{{"Effect":"Allow","Principal":{{"Service":"cloudtrail.amazonaws.com"}},"Action":"kms:GenerateDataKey*","Resource":"*","Condition":{{"StringEquals":{{"aws:SourceArn":"arn:aws:cloudtrail:us-east-1:{trail}:trail/t"}}}}}}"#
        ),
    ])
}

/// What each account that the model knows is.
pub(super) fn classes(model: &Model) -> BTreeMap<AccountId, Class> {
    model.known_accounts().into_iter().map(|account| (account, model.class(account))).collect()
}
