//! Who the organization is, where its logs lie, and who may read them.

use super::error::{ConfigError, quoted};
use super::fields::{Fields, Value};
use super::values::{account_id, bucket_name, canonical_id, choice, key_prefix, organization_id, trail_arn, words};
use crate::aws::AccountId;
use crate::text::{Span, Spanned};

/// `[organization]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Organization {
    /// The table: its header and all that stands under it.
    pub span: Span,
    /// `id`: `o-…`.
    pub id: Option<Spanned<String>>,
    /// `management-account`.
    pub management_account: Option<Spanned<AccountId>>,
    /// `accounts`: the members. `None` where the file does not list them; never beside [`Organization::accounts_file`].
    pub accounts: Option<Spanned<Vec<Spanned<AccountId>>>>,
    /// `accounts-file`: the path of a stored answer of `aws organizations list-accounts`.
    pub accounts_file: Option<Spanned<String>>,
    /// `canonical-ids`: canonical user IDs, as ACLs name them, and the accounts they stand for.
    pub canonical_ids: Vec<(Spanned<String>, Spanned<AccountId>)>,
}

impl Organization {
    pub(super) fn read(fields: &Fields<'_>) -> Self {
        let accounts = fields.texts("accounts", account_id);
        let accounts_file = fields.text("accounts-file", words);
        if let (Some(accounts), Some(file)) = (&accounts, &accounts_file) {
            let (first, second) = if accounts.span.start < file.span.start {
                (accounts.span, file.span)
            } else {
                (file.span, accounts.span)
            };
            let error = ConfigError::at(second, "both `accounts` and `accounts-file` are given");
            fields.add(error.with_help("keep the one that is right").with_related(first, "first given here"));
        }
        let canonical_ids = fields.entries("canonical-ids").into_iter().filter_map(|(id, account)| {
            let (value, account) = (fields.note(canonical_id(id)), account.text(account_id));
            Some((Spanned::new(value?, id.span), account?))
        });
        Organization {
            span: fields.span,
            id: fields.text("id", organization_id),
            management_account: fields.text("management-account", account_id),
            canonical_ids: canonical_ids.collect(),
            accounts,
            accounts_file,
        }
    }

    /// The accounts of the organization that the file names: the listed members, and the management account.
    pub fn known_accounts(&self) -> impl Iterator<Item = Spanned<AccountId>> {
        let listed = self.accounts.as_ref().map(|a| a.value.as_slice()).unwrap_or_default();
        listed.iter().copied().chain(self.management_account)
    }
}

/// `[[log-bucket]]`: a bucket that CloudTrail delivers to.
#[derive(Debug, Clone, PartialEq)]
pub struct LogBucket {
    /// The table: its header and all that stands under it.
    pub span: Span,
    /// `name`.
    pub name: Spanned<String>,
    /// `account`: the owner.
    pub account: Option<Spanned<AccountId>>,
    /// `prefix`: what stands before `/AWSLogs/` in the keys; empty where nothing does, `None` where it is left out.
    pub prefix: Option<Spanned<String>>,
    /// `organization-trail`: whether the keys hold the organization ID before the account.
    pub organization_trail: Option<Spanned<bool>>,
    /// `trails`: the ARNs of the trails that deliver here.
    pub trails: Vec<Spanned<String>>,
    /// `readers`: what members may and should read; `None`: each may read its own logs and need not.
    pub readers: Option<Spanned<MemberReaders>>,
}

/// `readers` of a log bucket.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberReaders {
    /// `"own-logs"`: every member may and should read its own logs.
    OwnLogs,
    /// `"none"`: no member reads anything.
    None,
    /// The members that may and should read their own logs; the others may not.
    Accounts(Vec<Spanned<AccountId>>),
}

impl LogBucket {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let name = fields.needed("name", bucket_name);
        let account = fields.text("account", account_id);
        let prefix = fields.text("prefix", key_prefix);
        let organization_trail = fields.boolean("organization-trail");
        let trails = fields.texts("trails", trail_arn).map(|t| t.value).unwrap_or_default();
        let choices = [("own-logs", MemberReaders::OwnLogs), ("none", MemberReaders::None)];
        let readers = fields.value("readers").and_then(|v| word_or_accounts(&v, &choices, MemberReaders::Accounts));
        Some(LogBucket { span: fields.span, name: name?, account, prefix, organization_trail, trails, readers })
    }
}

/// `[[reader]]`: an account that may and should read more than its own logs.
#[derive(Debug, Clone, PartialEq)]
pub struct Reader {
    /// The table: its header and all that stands under it.
    pub span: Span,
    /// `account`.
    pub account: Spanned<AccountId>,
    /// `logs`; `None` where the file gives it none: the account is declared and nothing more.
    pub logs: Option<Spanned<Logs>>,
    /// `bucket`: the one log bucket this is about; `None`: every one.
    pub bucket: Option<Spanned<String>>,
    /// `reason`.
    pub reason: Option<Spanned<String>>,
}

impl Reader {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let account = fields.needed("account", account_id);
        let logs = logs(fields);
        let bucket = fields.text("bucket", bucket_name);
        let reason = fields.text("reason", words);
        Some(Reader { span: fields.span, account: account?, logs, bucket, reason })
    }
}

/// `[[third-party]]`: an account outside the organization that may and should read logs.
#[derive(Debug, Clone, PartialEq)]
pub struct ThirdParty {
    /// The table: its header and all that stands under it.
    pub span: Span,
    /// `name`: how reports call it.
    pub name: Option<Spanned<String>>,
    /// `account`.
    pub account: Spanned<AccountId>,
    /// `logs`; `None` where the file gives it none: the account is declared and nothing more.
    pub logs: Option<Spanned<Logs>>,
    /// `bucket`: the one log bucket this is about; `None`: every one.
    pub bucket: Option<Spanned<String>>,
    /// `external-id-required`, where the file says so: see [`ThirdParty::needs_external_id`].
    pub external_id_required: Option<Spanned<bool>>,
    /// `reason`.
    pub reason: Option<Spanned<String>>,
}

impl ThirdParty {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let name = fields.text("name", words);
        let account = fields.needed("account", account_id);
        let logs = logs(fields);
        let bucket = fields.text("bucket", bucket_name);
        let external_id_required = fields.boolean("external-id-required");
        let reason = fields.text("reason", words);
        Some(ThirdParty { span: fields.span, name, account: account?, logs, bucket, external_id_required, reason })
    }

    /// Whether its roles must ask for an external ID: so, unless the file says otherwise.
    pub fn needs_external_id(&self) -> bool {
        self.external_id_required.is_none_or(|required| required.value)
    }
}

/// `logs` of a reader or third party: whose logs it may and should read.
#[derive(Debug, Clone, PartialEq)]
pub enum Logs {
    /// `"own"`: those of the account itself.
    Own,
    /// `"all"`: those of every account.
    All,
    /// Those of these accounts.
    Accounts(Vec<Spanned<AccountId>>),
}

fn logs(fields: &Fields<'_>) -> Option<Spanned<Logs>> {
    word_or_accounts(&fields.value("logs")?, &[("own", Logs::Own), ("all", Logs::All)], Logs::Accounts)
}

/// One of two words, or an array of account IDs.
fn word_or_accounts<T: Clone>(
    value: &Value<'_>,
    words: &[(&str, T); 2],
    accounts: impl Fn(Vec<Spanned<AccountId>>) -> T,
) -> Option<Spanned<T>> {
    if let Some(array) = value.array() {
        return Some(Spanned::new(accounts(value.elements(array, account_id)), value.span));
    }
    let [(one, _), (other, _)] = words;
    if value.value.as_str().is_none() {
        return value.is_no(&format!("the string `{one}` or `{other}`, or an array of account IDs"));
    }
    value.text(|text| match AccountId::parse(text.value) {
        Some(account) => {
            let error = ConfigError::at(text.span, format!("{} stands outside an array", quoted(account.as_str())));
            Err(error.with_help(format!("write `[\"{account}\"]`")))
        }
        None => choice(text, words),
    })
}
