//! Services that say for whom they act when they assume a role.

const TABLE: &str = include_str!("tables/deputies.txt");

/// The AWS page that documents `aws:SourceArn` or `aws:SourceAccount` in the trust policy of roles that a service assumes;
/// `None` where nothing says that it sends them.
///
/// `states.amazonaws.com`, its Regional form `states.us-east-1.amazonaws.com` and other partitions' names are one service.
#[must_use]
pub fn documented_source(service_principal: &str) -> Option<&'static str> {
    let (name, _) = service_principal.split_once(".amazonaws.")?;
    let mut lines = TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
    lines.find_map(|(service, page)| {
        let rest = name.strip_prefix(service)?;
        (rest.is_empty() || rest.strip_prefix('.').is_some_and(is_region)).then_some(page)
    })
}

/// Whether a text has the form of a Region, such as `us-east-1` or `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let mut parts = text.rsplit('-');
    let number = parts.next().is_some_and(|last| !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()));
    let mut words = 0;
    let letters = parts.all(|part| {
        words += 1;
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase())
    });
    number && letters && words >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_found_under_each_of_its_names() {
        for name in [
            "states.amazonaws.com",
            "states.us-east-1.amazonaws.com",
            "states.cn-north-1.amazonaws.com.cn",
            "access-grants.s3.amazonaws.com",
            "monitoring.rds.amazonaws.com",
        ] {
            assert!(documented_source(name).is_some(), "{name}");
        }
    }

    #[test]
    fn services_that_may_not_send_a_source_are_not_there() {
        for name in [
            "lambda.amazonaws.com",
            "ec2.amazonaws.com",
            "glue.amazonaws.com",
            "cloudtrail.amazonaws.com",
            "s3.amazonaws.com",
            "states.example.com",
            "states.other.amazonaws.com",
            "states",
            "",
        ] {
            assert_eq!(documented_source(name), None, "{name}");
        }
    }

    #[test]
    fn every_line_names_a_service_and_a_page_in_order() {
        let lines: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.is_sorted());
        for line in lines {
            let (service, page) = line.split_once(' ').unwrap();
            assert!(page.starts_with("https://docs.aws.amazon.com/"), "{line}");
            assert_eq!(documented_source(&format!("{service}.amazonaws.com")), Some(page));
        }
    }
}
