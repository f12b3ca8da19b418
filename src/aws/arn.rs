//! Amazon Resource Names.

use super::AccountId;

/// An ARN split into its six fields, borrowed: `arn:partition:service:region:account:resource`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: &'a str,
    /// `s3`, `iam`, …
    pub service: &'a str,
    /// Empty for S3 and IAM.
    pub region: &'a str,
    /// Empty for S3.
    pub account: &'a str,
    /// All that follows the fifth colon, further colons included.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits an ARN; `None` unless it begins with `arn:` and has six fields.
    pub fn parse(text: &'a str) -> Option<Self> {
        // What policies name most.
        if let Some(resource) = text.strip_prefix("arn:aws:s3:::") {
            return Some(Arn { partition: "aws", service: "s3", region: "", account: "", resource });
        }
        let rest = text.strip_prefix("arn:")?;
        let (partition, rest) = field(rest)?;
        let (service, rest) = field(rest)?;
        let (region, rest) = field(rest)?;
        let (account, resource) = field(rest)?;
        Some(Arn { partition, service, region, account, resource })
    }

    /// The account field, where it is one.
    pub fn account_id(&self) -> Option<AccountId> {
        AccountId::parse(self.account)
    }

    /// What follows `kind/` in the resource: `role/path/name` gives `path/name` for `role`.
    pub fn resource_of(&self, kind: &str) -> Option<&'a str> {
        self.resource.strip_prefix(kind)?.strip_prefix('/')
    }

    /// The bucket of an S3 bucket or object ARN.
    pub fn bucket(&self) -> Option<&'a str> {
        if self.service != "s3" || !self.region.is_empty() || !self.account.is_empty() {
            return None;
        }
        let name = match self.resource.bytes().position(|byte| byte == b'/') {
            Some(slash) => self.resource.get(..slash)?,
            None => self.resource,
        };
        Some(name).filter(|name| !name.is_empty())
    }
}

/// Splits behind the first colon; fields are short, so it is looked for byte by byte.
fn field(text: &str) -> Option<(&str, &str)> {
    let colon = text.bytes().position(|byte| byte == b':')?;
    Some((text.get(..colon)?, text.get(colon + 1..)?))
}

/// The partition of an ARN, `aws` where the text is none.
pub fn partition_of(arn: &str) -> &str {
    Arn::parse(arn).map_or("aws", |arn| arn.partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_six_fields_and_keeps_further_colons() {
        let arn = Arn::parse("arn:aws:sts::111111111111:assumed-role/r/a:b").unwrap();
        assert_eq!((arn.service, arn.resource), ("sts", "assumed-role/r/a:b"));
        assert_eq!(arn.resource_of("assumed-role"), Some("r/a:b"));
        assert_eq!(Arn::parse("arn:aws:s3:::b/k").unwrap().bucket(), Some("b"));
        assert_eq!(Arn::parse("arn:aws:s3"), None);
        assert_eq!(Arn::parse("urn:aws:s3:::b"), None);
    }
}
