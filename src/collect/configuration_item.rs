//! Configuration items of AWS Config: snapshot and history files as it delivers them, and the answers of its calls.
//!
//! An item says which resource it is about, so nothing is taken from names of files. What an item holds as `null` is not
//! there; what it leaves out, and what AWS Config never records, is not known. A snapshot need not hold all roles of an
//! account: it is no list of them.
//!
//! Source: AWS Config API Reference, `ConfigurationItem` and `BaseConfigurationItem`; AWS Config Developer Guide,
//! "Components of a Configuration Item" and "Example Configuration Snapshot".

mod capture;
mod resource;

use std::borrow::Cow;

use compact_str::CompactString;

pub(super) use capture::{Capture, pass_over_outdated};

use super::piece::Piece;
use super::reader::{Reader, goes_on, object, text};
use crate::aws::{AccountId, Arn};
use crate::estate::{Gap, Known, unwrap};
use crate::syntax::json::{Json, Kind};
use crate::text::{Span, Spanned};

/// The fact that a list of items is.
pub(super) const ITEMS: &str = "input.configuration-items";

/// Why a fact is not known that AWS Config records of no resource.
const NEVER_RECORDED: &str = "AWS Config does not record it";

/// Where an item stands: not every place holds whole ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A configuration item.
    Item,
    /// A row of `select-resource-config` or `select-aggregate-resource-config`: what the query selects of an item.
    Row,
}

impl Form {
    /// Why a fact is not known that an item does not hold.
    fn silence(self) -> &'static str {
        match self {
            Form::Item => "its configuration item in AWS Config does not hold it",
            Form::Row => {
                "the rows of an AWS Config query do not hold it: they have no policies, ACLs and ownership controls"
            }
        }
    }
}

/// The members of the answers and files of AWS Config, by their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    /// A list of items.
    Items,
    /// One item.
    Item,
    /// What a batch call left out.
    Unprocessed,
    /// The rows of a query.
    Rows,
    /// The event that a rule is invoked with, as a JSON string.
    Event,
    /// An item that was too large for a notification.
    Summary,
}

impl Member {
    /// The member of that key.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        Some(match key {
            "configurationItems" | "baseConfigurationItems" | "BaseConfigurationItems" => Member::Items,
            "configurationItem" | "ConfigurationItem" => Member::Item,
            "unprocessedResourceKeys" | "UnprocessedResourceIdentifiers" => Member::Unprocessed,
            "Results" => Member::Rows,
            "invokingEvent" => Member::Event,
            "configurationItemSummary" => Member::Summary,
            _ => return None,
        })
    }

    /// Whether it is a list whose elements can be read one at a time.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Member::Items | Member::Unprocessed | Member::Rows)
    }
}

/// The types of resources of which items are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Role,
    User,
    Group,
    ManagedPolicy,
    Bucket,
    AccountPublicAccessBlock,
    Key,
    Trail,
}

impl Type {
    fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "AWS::IAM::Role" => Type::Role,
            "AWS::IAM::User" => Type::User,
            "AWS::IAM::Group" => Type::Group,
            "AWS::IAM::Policy" => Type::ManagedPolicy,
            "AWS::S3::Bucket" => Type::Bucket,
            "AWS::S3::AccountPublicAccessBlock" => Type::AccountPublicAccessBlock,
            "AWS::KMS::Key" => Type::Key,
            "AWS::CloudTrail::Trail" => Type::Trail,
            _ => return None,
        })
    }

    fn of_arn(arn: Arn<'_>) -> Option<Self> {
        let is = |kind| arn.resource_of(kind).is_some();
        match arn.service {
            "iam" if is("role") => Some(Type::Role),
            "iam" if is("user") => Some(Type::User),
            "iam" if is("group") => Some(Type::Group),
            "iam" if is("policy") => Some(Type::ManagedPolicy),
            "s3" if arn.bucket() == Some(arn.resource) => Some(Type::Bucket),
            "kms" if is("key") => Some(Type::Key),
            "cloudtrail" if is("trail") => Some(Type::Trail),
            _ => None,
        }
    }

    /// The fact that its item is.
    fn fact(self) -> &'static str {
        match self {
            Type::Role => "role.configuration-item",
            Type::User => "user.configuration-item",
            Type::Group => "group.configuration-item",
            Type::ManagedPolicy => "managed-policy.configuration-item",
            Type::Bucket => "bucket.configuration-item",
            Type::AccountPublicAccessBlock => "account.configuration-item",
            Type::Key => "key.configuration-item",
            Type::Trail => "trail.configuration-item",
        }
    }
}

/// An item of a type that is read; keys are found whatever their case, in it and below.
#[derive(Debug)]
struct Item<'t> {
    json: Json<'t>,
    kind: Type,
    arn: Option<CompactString>,
    account: Option<Spanned<AccountId>>,
    region: Option<Spanned<CompactString>>,
    /// The name or ID under which AWS Config has it.
    name: Option<CompactString>,
    id: Option<CompactString>,
    /// Why nothing that it holds counts.
    void: Option<Cow<'static, str>>,
    form: Form,
}

/// Why facts that an item does not tell are not known; its place is the item's.
struct Silence {
    reason: Cow<'static, str>,
    span: Span,
}

impl Silence {
    fn new(reason: impl Into<Cow<'static, str>>, span: Span) -> Self {
        Silence { reason: reason.into(), span }
    }

    /// Gives the reason to a fact that no input told.
    fn explains<T>(&self, fact: &mut Known<T>) {
        if let Known::Unknown(gap) = fact
            && gap.places.is_empty()
        {
            gap.reason.clone_from(&self.reason);
            gap.places.push(self.span);
        }
    }
}

impl Item<'_> {
    fn span(&self) -> Span {
        self.json.span()
    }
}

/// What the status of an item says of the resource.
enum Status {
    /// It is there, as the item describes it.
    Described,
    /// It is not there any more.
    Deleted,
    /// It is there, and what the item holds does not describe it; why.
    Void(Cow<'static, str>),
}

impl Reader<'_> {
    /// Reads a file or an answer of AWS Config; whether it is one.
    pub(super) fn configuration_items(&mut self, json: Json<'_>) -> bool {
        if is_item(json) {
            self.configuration_item(json, Form::Item);
            return true;
        }
        let mut found = false;
        for (key, value) in json.members() {
            let Some(member) = Member::of_key(&key.as_str().unwrap_or_default()) else { continue };
            found |= match member {
                Member::Rows => self.rows(json, value),
                Member::Items => self.items(json, value),
                Member::Unprocessed => self.each_of(value, Reader::unprocessed),
                Member::Event => self.event(value),
                Member::Item => {
                    self.configuration_item(value, Form::Item);
                    true
                }
                Member::Summary => {
                    let gap = Gap::new(ITEMS, "the item was too large for the notification, which only sums it up");
                    self.push(Piece::Gap(gap.at([value.span()])));
                    true
                }
            };
        }
        found
            || object(json, "detail").is_some_and(|detail| is_notification(detail) && self.configuration_items(detail))
    }

    /// Reads one element of a list of that kind.
    pub(super) fn configuration_element(&mut self, member: Member, json: Json<'_>) {
        match member {
            Member::Unprocessed => self.unprocessed(json),
            Member::Rows if !is_row(json) => {}
            Member::Rows => self.row(json),
            _ => self.configuration_item(json, Form::Item),
        }
    }

    fn each_of(&mut self, list: Json<'_>, read: fn(&mut Self, Json<'_>)) -> bool {
        if list.kind() == Kind::Array {
            self.told.recognised = true;
            list.elements().for_each(|element| read(self, element));
        } else if !list.is_null() {
            self.push(Piece::Gap(Gap::new(ITEMS, "this is no list of configuration items").at([list.span()])));
        }
        !list.is_null()
    }

    fn items(&mut self, json: Json<'_>, list: Json<'_>) -> bool {
        let first = self.told.captures.len();
        let found = self.each_of(list, |reader, item| reader.configuration_item(item, Form::Item));
        let captures = self.told.captures.get(first..).unwrap_or_default();
        // A history begins with its latest item unless it was asked for the other way round.
        let is_ascending = capture::are_ascending(captures);
        let token = text(json, "nextToken").or_else(|| text(json, "NextToken"));
        if is_ascending && token.is_some_and(|token| !token.is_empty()) {
            self.page(ITEMS, None, true, list.span());
        }
        found
    }

    fn rows(&mut self, json: Json<'_>, list: Json<'_>) -> bool {
        let is_query = object(json, "QueryInfo").is_some();
        if list.kind() != Kind::Array || !(is_query || list.elements().next().is_some_and(is_row)) {
            return false;
        }
        self.page(ITEMS, None, goes_on(json), list.span());
        self.each_of(list, Reader::row)
    }

    fn row(&mut self, row: Json<'_>) {
        self.inside(row, &mut |reader, inner| reader.configuration_item(inner, Form::Row));
    }

    fn event(&mut self, event: Json<'_>) -> bool {
        let mut found = false;
        self.inside(event, &mut |reader, inner| {
            found = is_notification(inner) && reader.configuration_items(inner);
        });
        found
    }

    fn unprocessed(&mut self, json: Json<'_>) {
        let json = json.ignoring_case();
        let kind = text(json, "resourceType");
        // Of other types nothing was asked.
        let Some(kind) = kind.as_deref().map_or(Some(None), |kind| Type::of_name(kind).map(Some)) else { return };
        let id = text(json, "resourceName").or_else(|| text(json, "resourceId")).unwrap_or_default();
        let reason = format!("AWS Config did not hand over the item of `{id}`");
        self.push(Piece::Gap(Gap::new(kind.map_or(ITEMS, Type::fact), reason).at([json.span()])));
    }

    /// Reads one item; of a type that is not read it tells nothing.
    pub(super) fn configuration_item(&mut self, json: Json<'_>, form: Form) {
        self.told.recognised = true;
        let json = json.ignoring_case();
        let arn = text(json, "arn").filter(|arn| Arn::parse(arn).is_some());
        let written = text(json, "resourceType");
        let kind = match &written {
            Some(written) => Type::of_name(written),
            None => arn.as_deref().and_then(Arn::parse).and_then(Type::of_arn),
        };
        let Some(kind) = kind else {
            // A query may select what is no resource, such as a count.
            if written.is_none() && arn.is_none() && form == Form::Item {
                let gap = Gap::new(ITEMS, "this is no configuration item: it has neither resource type nor ARN");
                self.push(Piece::Gap(gap.at([json.span()])));
            }
            return;
        };
        let status = status(json);
        let region = super::reader::spanned(json, "awsRegion");
        let mut item = Item {
            json,
            kind,
            arn: arn.or_else(|| configured_arn(json)),
            account: account(json),
            region: region.filter(|region| super::names::is_region(&region.value)),
            name: text(json, "resourceName").filter(|name| !name.is_empty()),
            id: text(json, "resourceId").filter(|id| !id.is_empty()),
            void: None,
            form,
        };
        let before = (self.told.pieces.len(), self.told.broken.len());
        match status {
            Status::Deleted => {}
            Status::Described => self.resource(&item),
            Status::Void(why) => {
                item.void = Some(why);
                self.resource(&item);
            }
        }
        let after = (self.told.pieces.len(), self.told.broken.len());
        self.told.captures.extend(Capture::new(&item, before, after));
    }

    /// Gives the innermost value to `read`; a text that is not JSON is noted.
    fn inside<T>(&mut self, json: Json<'_>, read: &mut dyn FnMut(&mut Self, Json<'_>) -> T) -> Option<T> {
        let found = unwrap(json, 0, &mut |inner| {
            let found = read(self, inner.ignoring_case());
            if json.kind() == Kind::String {
                self.duplicates_inside(inner);
            }
            found
        });
        found.map_err(|broken| self.told.broken.push(broken)).ok()
    }

    /// Reads the object under a key of an item; gives the reason why a fact that it does not hold is not known.
    fn within(&mut self, item: &Item<'_>, key: &str, read: &mut dyn FnMut(&mut Self, Json<'_>)) -> Silence {
        let silence = |reason: &'static str| Silence::new(reason, item.span());
        if let Some(why) = &item.void {
            return Silence::new(why.clone(), item.span());
        }
        let Some(value) = item.json.member(key).filter(|value| !is_nothing(*value)) else {
            return silence(item.form.silence());
        };
        let is_object = self.inside(value, &mut |reader, inner| {
            let is_object = inner.kind() == Kind::Object;
            if is_object {
                read(reader, inner);
            }
            is_object || inner.is_null()
        });
        silence(match is_object {
            Some(true) => item.form.silence(),
            Some(false) => "this is no configuration of a resource",
            None => "its text is not JSON",
        })
    }

    /// Reads one fact of a supplementary configuration; `read` gives nothing where the value is none that is known.
    fn supplement<T>(
        &mut self,
        configuration: Json<'_>,
        key: &str,
        fact: &'static str,
        read: &mut dyn FnMut(&mut Self, Json<'_>) -> Option<Known<T>>,
    ) -> Known<T> {
        let Some(value) = configuration.member(key).filter(|value| !is_nothing(*value)) else {
            return Known::not_collected(fact);
        };
        let read = self.inside(value, &mut |reader, inner| match inner.is_null() {
            true => Some(Known::not_collected(fact)),
            false => read(reader, inner),
        });
        let unknown = |why: &'static str| Known::Unknown(Gap::new(fact, why).at([value.span()]));
        match read {
            Some(Some(known)) => known,
            Some(None) => unknown("the value is none that is known"),
            None => unknown("its text is not JSON"),
        }
    }
}

/// Whether a value is a row of a query: an object as a JSON string.
fn is_row(json: Json<'_>) -> bool {
    json.as_str().is_some_and(|text| text.trim_start().starts_with('{'))
}

/// Whether an object is an item by itself.
fn is_item(json: Json<'_>) -> bool {
    const OWN: [&str; 4] = [
        "configurationItemStatus",
        "configurationItemCaptureTime",
        "configurationStateId",
        "supplementaryConfiguration",
    ];
    text(json, "resourceType").is_some_and(|kind| kind.contains("::"))
        && (OWN.iter().any(|key| json.member(key).is_some())
            || (json.member("configuration").is_some() && json.member("resourceId").is_some()))
}

/// Whether an object tells of a change of an item.
fn is_notification(json: Json<'_>) -> bool {
    ["configurationItem", "configurationItemSummary"].iter().any(|key| object(json, key).is_some())
}

/// Whether a value is there in form only.
fn is_nothing(json: Json<'_>) -> bool {
    json.is_null() || json.as_str().is_some_and(|text| text.is_empty())
}

fn status(json: Json<'_>) -> Status {
    let Some(value) = json.member("configurationItemStatus").filter(|value| !value.is_null()) else {
        return Status::Described;
    };
    let written = value.as_str().unwrap_or_default();
    match written.to_ascii_lowercase().as_str() {
        "ok" | "resourcediscovered" | "discovered" => Status::Described,
        "resourcedeleted" | "resourcedeletednotrecorded" | "deleted" => Status::Deleted,
        "resourcenotrecorded" => Status::Void("AWS Config does not record this resource".into()),
        _ => {
            let written = value.scalar_text().unwrap_or_default();
            Status::Void(format!("`{written}`, the status of its configuration item, is none that is known").into())
        }
    }
}

fn account(json: Json<'_>) -> Option<Spanned<AccountId>> {
    // In files the one, in answers the other.
    let value = json.member("awsAccountId").or_else(|| json.member("accountId"))?;
    Some(Spanned::new(AccountId::parse(&value.as_str()?)?, value.span()))
}

/// The ARN that the configuration of an item holds, where the item has none of its own.
fn configured_arn(json: Json<'_>) -> Option<CompactString> {
    let configuration = json.member("configuration")?;
    let arn = |inner: Json<'_>| {
        let inner = inner.ignoring_case();
        text(inner, "arn").or_else(|| text(inner, "trailARN")).filter(|arn| Arn::parse(arn).is_some())
    };
    unwrap(configuration, 0, &mut |inner| arn(inner)).ok().flatten()
}
