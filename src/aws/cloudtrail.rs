//! CloudTrail's own accounts.

use super::AccountId;

/// The service principal of CloudTrail, the same in every Region and partition.
pub const CLOUDTRAIL: &str = "cloudtrail.amazonaws.com";

/// The accounts from which CloudTrail delivered before it had a service principal, with their Regions.
///
/// Source: the `aws_cloudtrail_service_account` data source of the Terraform AWS provider; Regions that opened later never
/// had one.
const LEGACY_ACCOUNTS: [(&str, &str); 22] = [
    ("034638983726", "me-south-1"),
    ("035351147821", "eu-central-1"),
    ("086441151436", "us-east-1"),
    ("113285607260", "us-west-2"),
    ("193415116832", "cn-north-1"),
    ("216624486486", "ap-northeast-1"),
    ("262312530599", "eu-west-3"),
    ("282025262664", "eu-west-2"),
    ("284668455005", "ap-southeast-2"),
    ("388731089494", "us-west-1"),
    ("475085895292", "us-east-2"),
    ("492519147666", "ap-northeast-2"),
    ("608710470296", "us-gov-*"),
    ("669305197877", "eu-south-1"),
    ("681348832753", "cn-northwest-1"),
    ("765225791966", "ap-northeast-3"),
    ("814480443879", "sa-east-1"),
    ("819402241893", "ca-central-1"),
    ("829690693026", "eu-north-1"),
    ("859597730677", "eu-west-1"),
    ("903692715234", "ap-southeast-1"),
    ("977081816279", "ap-south-1"),
];

/// The Region of a legacy delivery account of CloudTrail, `us-gov-*` for the one of both GovCloud Regions; `None` for
/// every other account.
pub fn legacy_cloudtrail_account(account: AccountId) -> Option<&'static str> {
    let at = LEGACY_ACCOUNTS.binary_search_by_key(&account.as_str(), |(id, _)| id).ok()?;
    LEGACY_ACCOUNTS.get(at).map(|(_, region)| *region)
}

/// Whether a service principal is CloudTrail's, also one of a Region.
pub fn is_cloudtrail(service: &str) -> bool {
    let host = service.strip_suffix(".cn").unwrap_or(service);
    let Some(name) = host.strip_suffix(".amazonaws.com") else { return false };
    name == "cloudtrail" || name.strip_prefix("cloudtrail.").is_some_and(|region| !region.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_legacy_account_is_an_account_of_one_region() {
        for (id, region) in LEGACY_ACCOUNTS {
            assert_eq!(legacy_cloudtrail_account(AccountId::parse(id).unwrap()), Some(region));
        }
        let mut ids: Vec<&str> = LEGACY_ACCOUNTS.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), LEGACY_ACCOUNTS.len());
        assert_eq!(legacy_cloudtrail_account(AccountId::parse("111111111111").unwrap()), None);
    }

    #[test]
    fn the_service_is_known_by_its_global_and_regional_names() {
        for name in [CLOUDTRAIL, "cloudtrail.ap-east-1.amazonaws.com", "cloudtrail.cn-north-1.amazonaws.com.cn"] {
            assert!(is_cloudtrail(name), "{name}");
        }
        for name in
            ["config.amazonaws.com", "notcloudtrail.amazonaws.com", "cloudtrail.a.b.amazonaws.com", "cloudtrail"]
        {
            assert!(!is_cloudtrail(name), "{name}");
        }
    }
}
