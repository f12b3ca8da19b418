//! Configuration items of AWS Config: every shape, and the bundled estates told by them.

mod estates;
mod history;
mod items;

use serde_json::{Value, json};

use super::*;

const ACCOUNT: &str = "111111111111";
const ROLE_ARN: &str = "arn:aws:iam::111111111111:role/teams/log-reader";
const KEY_ARN: &str = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const TRAIL_ARN: &str = "arn:aws:cloudtrail:eu-west-1:111111111111:trail/org";

/// A text percent-encoded as IAM does it.
fn percent(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().map(|b| if plain(b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The envelope of an item around its configuration.
fn item(kind: &str, arn: Value, name: &str, region: &str, configuration: Value, supplementary: Value) -> Value {
    json!({
        "relatedEvents": [], "relationships": [{"resourceId": "x", "resourceType": "AWS::IAM::Policy", "name": "Is attached to"}],
        "configuration": configuration, "supplementaryConfiguration": supplementary, "tags": {},
        "configurationItemVersion": "1.3", "configurationItemCaptureTime": "2026-08-01T12:00:00.250Z",
        "configurationStateId": 1785585600250_u64, "awsAccountId": ACCOUNT,
        "configurationItemStatus": "OK", "resourceType": kind, "resourceId": name, "resourceName": name, "ARN": arn,
        "awsRegion": region, "availabilityZone": "Not Applicable", "configurationStateMd5Hash": "",
    })
}

fn role_item() -> Value {
    let configuration = json!({
        "path": "/teams/", "roleName": "log-reader", "roleId": "AROA7CG4GUJ5VPVEHGIVR", "arn": ROLE_ARN,
        "createDate": "2025-03-04T09:12:33.000Z", "assumeRolePolicyDocument": percent(TRUST), "instanceProfileList": [],
        "rolePolicyList": [{"policyName": "read", "policyDocument": percent(ACCESS)}],
        "attachedManagedPolicies": [{"policyName": "ViewOnlyAccess", "policyArn": "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"}],
        "permissionsBoundary": null, "tags": [], "roleLastUsed": null
    });
    item("AWS::IAM::Role", json!(ROLE_ARN), "log-reader", "global", configuration, json!({}))
}

fn policy_item() -> Value {
    let arn = "arn:aws:iam::111111111111:policy/decrypt";
    let configuration = json!({
        "policyName": "decrypt", "policyId": "ANPA", "arn": arn, "path": "/", "defaultVersionId": "v2",
        "attachmentCount": 1, "isAttachable": true,
        "policyVersionList": [
            {"document": percent(OTHER_TRUST), "versionId": "v1", "isDefaultVersion": false},
            {"document": percent(ACCESS), "versionId": "v2", "isDefaultVersion": true},
        ]
    });
    item("AWS::IAM::Policy", json!(arn), "decrypt", "global", configuration, json!({}))
}

fn bucket_item() -> Value {
    let acl = json!({
        "grantSet": null,
        "grantList": [
            {"grantee": {"id": "8f2b6c", "displayName": null}, "permission": "FullControl"},
            {"grantee": "AllUsers", "permission": "Read"},
            {"grantee": {"identifier": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}, "permission": "ReadAcp"},
            {"grantee": {"identifier": "77aa"}, "permission": "WriteAcp"},
        ],
        "owner": {"displayName": null, "id": "8f2b6c"}, "isRequesterCharged": false
    });
    let supplementary = json!({
        // As a JSON string inside a JSON string.
        "AccessControlList": string(&acl.to_string()),
        "BucketPolicy": {"policyText": BUCKET},
        "BucketLoggingConfiguration": {"destinationBucketName": null, "logFilePrefix": null},
        "BucketVersioningConfiguration": {"status": "Enabled", "isMfaDeleteEnabled": null},
        "PublicAccessBlockConfiguration": {"blockPublicAcls": true, "ignorePublicAcls": false, "blockPublicPolicy": true, "restrictPublicBuckets": false},
        "ServerSideEncryptionConfiguration": {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyID": KEY_ARN}, "bucketKeyEnabled": true}]},
        "IsRequesterPaysEnabled": "false",
    });
    let configuration = json!({"name": "logs", "owner": {"displayName": null, "id": "8f2b6c"}, "creationDate": "2025-01-01T00:00:00.000Z"});
    item("AWS::S3::Bucket", json!("arn:aws:s3:::logs"), "logs", "eu-west-1", configuration, supplementary)
}

fn key_item() -> Value {
    let configuration = json!({
        "awsaccountId": ACCOUNT, "keyId": "1234abcd-12ab-34cd-56ef-1234567890ab", "arn": KEY_ARN, "enabled": true,
        "description": "", "keyUsage": "ENCRYPT_DECRYPT", "keyState": "Enabled", "origin": "AWS_KMS",
        "keyManager": "CUSTOMER", "keySpec": "SYMMETRIC_DEFAULT", "multiRegion": false
    });
    let supplementary = json!({"KeyRotationStatus": true, "Policy": string(KEY)});
    item(
        "AWS::KMS::Key",
        json!(KEY_ARN),
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "eu-west-1",
        configuration,
        supplementary,
    )
}

fn trail_item() -> Value {
    let configuration = json!({
        "name": "org", "s3BucketName": "logs", "s3KeyPrefix": null, "includeGlobalServiceEvents": true,
        "isMultiRegionTrail": true, "homeRegion": "eu-west-1", "trailARN": TRAIL_ARN, "logFileValidationEnabled": true,
        "kmsKeyId": KEY_ARN, "isOrganizationTrail": true, "hasCustomEventSelectors": false
    });
    item("AWS::CloudTrail::Trail", json!(TRAIL_ARN), "org", "eu-west-1", configuration, json!({}))
}

fn account_item() -> Value {
    let configuration = json!({"blockPublicAcls": true, "ignorePublicAcls": true, "blockPublicPolicy": false, "restrictPublicBuckets": true});
    item("AWS::S3::AccountPublicAccessBlock", Value::Null, ACCOUNT, "eu-west-1", configuration, json!({}))
}

fn all_items() -> Vec<Value> {
    let other =
        item("AWS::EC2::Instance", json!(null), "i-1", "eu-west-1", json!({"policy": "{", "Statement": 1}), json!({}));
    vec![role_item(), policy_item(), other, bucket_item(), key_item(), trail_item(), account_item()]
}

/// The item as the API gives it: with the configurations as JSON strings.
fn in_strings(mut item: Value) -> Value {
    item["configuration"] = json!(item["configuration"].to_string());
    for value in item["supplementaryConfiguration"].as_object_mut().unwrap().values_mut() {
        if !value.is_string() {
            *value = json!(value.to_string());
        }
    }
    let item = item.as_object_mut().unwrap();
    for (in_files, in_answers) in [("ARN", "arn"), ("awsAccountId", "accountId")] {
        let value = item.remove(in_files).unwrap();
        item.insert(in_answers.to_owned(), value);
    }
    Value::Object(item.clone())
}

fn snapshot(items: Vec<Value>) -> String {
    json!({"fileVersion": "1.0", "configSnapshotId": "a7e0", "configurationItems": items}).to_string()
}

/// The estate of one file in which nothing is wrong.
fn estate(text: &str) -> Estate {
    Folder::new([("f.json", text)]).estate()
}

/// The gaps of an estate that belong to no resource.
fn gaps(estate: &Estate) -> Vec<String> {
    estate.gaps.iter().map(ToString::to_string).collect()
}
