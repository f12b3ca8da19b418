//! Answers of CloudTrail.
//!
//! Source: AWS CloudTrail API Reference.

use compact_str::CompactString;

use super::operation::Operation;
use super::piece::Piece;
use super::reader::{Reader, array, begins_with, flag, goes_on, known_flag, object, spanned, text};
use crate::aws::Arn;
use crate::estate::{EventSelectors, Known, Trail, TrailStatus};
use crate::syntax::json::Json;
use crate::text::{Span, Spanned};

/// A trail that the file does not name.
pub(super) fn nameless(span: Span) -> Box<Trail> {
    Box::new(Trail::new(CompactString::default(), span))
}

impl Reader<'_> {
    /// Reads an answer of CloudTrail; whether it is one.
    pub(super) fn cloudtrail(&mut self, json: Json<'_>) -> bool {
        if let Some(list) = array(json, "trailList").or_else(|| array(json, "Trails")) {
            let mut found = json.member("trailList").is_some() || list.elements().next().is_none();
            for trail in list.elements() {
                found |= self.trail(trail);
            }
            self.told.recognised |= found;
            if found {
                self.page("account.trails", None, goes_on(json), list.span());
            }
            return found;
        }
        object(json, "Trail").is_some_and(|trail| self.trail(trail))
            || self.trail(json)
            || self.trail_status(json)
            || self.selectors(json)
    }

    /// Reads a trail's object; whether it is one.
    pub(super) fn trail(&mut self, json: Json<'_>) -> bool {
        let arn = text(json, "TrailARN").filter(|arn| Arn::parse(arn).is_some_and(|arn| arn.service == "cloudtrail"));
        let bucket = spanned(json, "S3BucketName");
        let is_trail = ["HomeRegion", "IsMultiRegionTrail"].iter().any(|key| json.member(key).is_some());
        if !is_trail || (arn.is_none() && (bucket.is_none() || json.member("Name").is_none())) {
            return false;
        }
        let parsed = arn.as_deref().and_then(Arn::parse);
        let name = text(json, "Name").or_else(|| parsed?.resource_of("trail").map(CompactString::from));
        let mut trail = Trail::new(name.unwrap_or_default(), json.span());
        trail.account = parsed.and_then(|arn| arn.account_id());
        trail.home_region = text(json, "HomeRegion").or_else(|| parsed.map(|arn| arn.region.into()));
        trail.arn = arn;
        // What describes a trail leaves out what the trail does not have; a list of trails describes none.
        trail_settings(&mut trail, json, bucket.is_some());
        self.push(Piece::Trail(Box::new(trail)));
        true
    }

    fn trail_status(&mut self, json: Json<'_>) -> bool {
        let Some(is_logging) = json.member("IsLogging").filter(|value| value.as_bool().is_some()) else {
            return false;
        };
        let status = TrailStatus {
            is_logging: is_logging.as_bool().map(|value| Spanned::new(value, is_logging.span())),
            delivery_error: spanned(json, "LatestDeliveryError").filter(|error| !error.value.is_empty()),
        };
        let mut trail = nameless(json.span());
        trail.status = Known::Present(status, json.span());
        self.push(Piece::Trail(trail));
        true
    }

    fn selectors(&mut self, json: Json<'_>) -> bool {
        let basic = array(json, "EventSelectors");
        let advanced = array(json, "AdvancedEventSelectors");
        if basic.is_none() && advanced.is_none() {
            return false;
        }
        self.selector_lists(json, basic, advanced);
        true
    }

    /// Event selectors, with or without the answer around a list of them.
    pub(super) fn selector_lists(&mut self, json: Json<'_>, basic: Option<Json<'_>>, advanced: Option<Json<'_>>) {
        let basic = basic.map(|list| list.elements().any(|s| flag(s, "IncludeManagementEvents") == Some(true)));
        let advanced = advanced.map(|list| list.elements().any(selects_management_events));
        let mut trail = nameless(json.span());
        if let Some(arn) = text(json, "TrailARN") {
            let parsed = Arn::parse(&arn);
            trail.name = parsed.and_then(|arn| arn.resource_of("trail")).unwrap_or_default().into();
            trail.account = parsed.and_then(|arn| arn.account_id());
            trail.arn = Some(arn);
        }
        let found = EventSelectors { management_events: basic.or(advanced) };
        trail.selectors = Known::Present(found, json.span());
        self.push(Piece::Trail(trail));
    }

    /// Whether a list without the answer around it is one of trails.
    pub(super) fn is_trail_list(&self, list: Json<'_>) -> bool {
        begins_with(list, &["TrailARN"]) || (self.is_of(Operation::DescribeTrails) && begins_with(list, &["Name"]))
    }
}

/// Reads the settings of a trail's object, which `leaves_out` what the trail does not have, or says it is `null`.
pub(super) fn trail_settings(trail: &mut Trail, json: Json<'_>, leaves_out: bool) {
    if let Some(bucket) = spanned(json, "S3BucketName").filter(|bucket| !bucket.value.is_empty()) {
        trail.bucket = Known::Present(bucket.value, bucket.span);
    }
    trail.prefix = or_absent(json, "S3KeyPrefix", leaves_out, "trail.prefix");
    trail.key = or_absent(json, "KmsKeyId", leaves_out, "trail.key");
    trail.is_multi_region = known_flag(json, "IsMultiRegionTrail", "trail.is-multi-region");
    trail.is_organization = known_flag(json, "IsOrganizationTrail", "trail.is-organization");
    trail.validates_log_files = known_flag(json, "LogFileValidationEnabled", "trail.log-file-validation");
}

fn or_absent(json: Json<'_>, key: &str, leaves_out: bool, fact: &'static str) -> Known<CompactString> {
    let value = json.member(key);
    let is_empty = |value: Json<'_>| value.is_null() || value.as_str().is_some_and(|text| text.is_empty());
    match spanned(json, key).filter(|text| !text.value.is_empty()) {
        Some(text) => Known::Present(text.value, text.span),
        None if leaves_out || value.is_some_and(is_empty) => Known::Absent(json.span()),
        None => Known::not_collected(fact),
    }
}

fn selects_management_events(selector: Json<'_>) -> bool {
    let fields = array(selector, "FieldSelectors");
    fields.into_iter().flat_map(Json::elements).any(|field| {
        text(field, "Field").as_deref() == Some("eventCategory")
            && array(field, "Equals").into_iter().flat_map(Json::elements).any(|v| v.is_key("Management"))
    })
}
