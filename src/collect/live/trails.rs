//! Trails, whether they deliver, and what they select.

use std::collections::BTreeMap;

use aws_sdk_cloudtrail::operation::get_trail_status::GetTrailStatusOutput;
use aws_sdk_cloudtrail::primitives::{DateTime, DateTimeFormat};
use aws_sdk_cloudtrail::types::{AdvancedEventSelector, AdvancedFieldSelector, EventSelector, Trail};

use super::node::{Node, object};
use super::session::Session;
use super::shared::Question;
use super::store::component;
use super::{LiveError, Shared, call};

/// A trail as far as other parts of a collection follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The bucket it delivers to.
    pub(super) bucket: Option<String>,
    /// The key its files are encrypted under.
    pub(super) key: Option<String>,
}

/// The trails that show in the Regions, with the status and selectors of those that are the account's own, asked for where
/// they are at home.
pub(super) async fn collect(shared: &Shared, session: &Session, regions: &[String]) -> Result<Vec<Found>, LiveError> {
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    let mut own: BTreeMap<String, (String, String)> = BTreeMap::new();
    for region in regions {
        let question = Question {
            account: session.account,
            call: &call::DESCRIBE_TRAILS,
            about: region,
            place: format!("{}/cloudtrail/{region}/trails.json", session.account),
        };
        let client = session.cloudtrail(region);
        let answer = shared
            .answer_of(
                question,
                || client.describe_trails().include_shadow_trails(true).send(),
                |answer| object().with("trailList", answer.trail_list().iter().map(trail).collect::<Node>()),
            )
            .await?;
        let trails = answer.given().and_then(|value| value.get("trailList")?.as_array().cloned()).unwrap_or_default();
        for trail in trails {
            let text = |name: &str| trail.get(name).and_then(|value| value.as_str()).map(str::to_owned);
            let Some(arn) = text("TrailARN") else { continue };
            let home = text("HomeRegion").unwrap_or_else(|| region.clone());
            found.insert(arn.clone(), Found { bucket: text("S3BucketName"), key: text("KmsKeyId") });
            if arn.split(':').nth(4) == Some(session.account.as_str()) {
                let name = text("Name").unwrap_or_default();
                own.insert(arn, (home, name));
            }
        }
    }
    for (arn, (home, name)) in own {
        details(shared, session, &arn, &home, &name).await?;
    }
    Ok(found.into_values().collect())
}

async fn details(shared: &Shared, session: &Session, arn: &str, home: &str, name: &str) -> Result<(), LiveError> {
    let client = session.cloudtrail(home);
    let question = |call, file: &str| Question {
        account: session.account,
        call,
        about: name,
        place: format!("{}/cloudtrail/{}/{}/{file}.json", session.account, component(home), component(name)),
    };
    let status_of = shared.answer_of(
        question(&call::GET_TRAIL_STATUS, "status"),
        || client.get_trail_status().name(arn).send(),
        status,
    );
    let request = client.get_event_selectors().trail_name(arn);
    let selectors = shared.answer_of(
        question(&call::GET_EVENT_SELECTORS, "event-selectors"),
        || request.send(),
        |answer| {
            let basic = answer.event_selectors().iter().map(selector);
            let advanced = answer.advanced_event_selectors();
            let all = object().maybe("TrailARN", answer.trail_arn());
            match advanced.is_empty() {
                true => all.with("EventSelectors", basic.collect::<Node>()),
                false => all.with("AdvancedEventSelectors", advanced.iter().map(advanced_selector).collect::<Node>()),
            }
        },
    );
    tokio::try_join!(status_of, selectors).map(drop)
}

fn date(date: &DateTime) -> String {
    date.fmt(DateTimeFormat::DateTime).unwrap_or_default()
}

fn trail(trail: &Trail) -> Node {
    object()
        .maybe("Name", trail.name())
        .maybe("S3BucketName", trail.s3_bucket_name())
        .maybe("S3KeyPrefix", trail.s3_key_prefix())
        .maybe("SnsTopicARN", trail.sns_topic_arn())
        .maybe("IncludeGlobalServiceEvents", trail.include_global_service_events())
        .maybe("IsMultiRegionTrail", trail.is_multi_region_trail())
        .maybe("HomeRegion", trail.home_region())
        .maybe("TrailARN", trail.trail_arn())
        .maybe("LogFileValidationEnabled", trail.log_file_validation_enabled())
        .maybe("CloudWatchLogsLogGroupArn", trail.cloud_watch_logs_log_group_arn())
        .maybe("CloudWatchLogsRoleArn", trail.cloud_watch_logs_role_arn())
        .maybe("KmsKeyId", trail.kms_key_id())
        .maybe("HasCustomEventSelectors", trail.has_custom_event_selectors())
        .maybe("HasInsightSelectors", trail.has_insight_selectors())
        .maybe("IsOrganizationTrail", trail.is_organization_trail())
}

fn status(status: &GetTrailStatusOutput) -> Node {
    object()
        .maybe("IsLogging", status.is_logging())
        .maybe("LatestDeliveryError", status.latest_delivery_error())
        .maybe("LatestNotificationError", status.latest_notification_error())
        .maybe("LatestDeliveryTime", status.latest_delivery_time().map(date))
        .maybe("LatestNotificationTime", status.latest_notification_time().map(date))
        .maybe("StartLoggingTime", status.start_logging_time().map(date))
        .maybe("StopLoggingTime", status.stop_logging_time().map(date))
        .maybe("LatestCloudWatchLogsDeliveryError", status.latest_cloud_watch_logs_delivery_error())
        .maybe("LatestCloudWatchLogsDeliveryTime", status.latest_cloud_watch_logs_delivery_time().map(date))
        .maybe("LatestDigestDeliveryTime", status.latest_digest_delivery_time().map(date))
        .maybe("LatestDigestDeliveryError", status.latest_digest_delivery_error())
}

fn selector(selector: &EventSelector) -> Node {
    let resource = |resource: &aws_sdk_cloudtrail::types::DataResource| {
        object().maybe("Type", resource.r#type()).with("Values", resource.values().to_vec())
    };
    object()
        .maybe("ReadWriteType", selector.read_write_type().map(|kind| kind.as_str()))
        .maybe("IncludeManagementEvents", selector.include_management_events())
        .with("DataResources", selector.data_resources().iter().map(resource).collect::<Node>())
        .with("ExcludeManagementEventSources", selector.exclude_management_event_sources().to_vec())
}

fn advanced_selector(selector: &AdvancedEventSelector) -> Node {
    object()
        .maybe("Name", selector.name())
        .with("FieldSelectors", selector.field_selectors().iter().map(field_selector).collect::<Node>())
}

fn field_selector(selector: &AdvancedFieldSelector) -> Node {
    let list = |items: &[String]| (!items.is_empty()).then(|| items.to_vec());
    object()
        .with("Field", selector.field())
        .maybe("Equals", list(selector.equals()))
        .maybe("StartsWith", list(selector.starts_with()))
        .maybe("EndsWith", list(selector.ends_with()))
        .maybe("NotEquals", list(selector.not_equals()))
        .maybe("NotStartsWith", list(selector.not_starts_with()))
        .maybe("NotEndsWith", list(selector.not_ends_with()))
}
