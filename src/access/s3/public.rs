//! Whether S3 takes a bucket policy for public.
//!
//! Source: S3 User Guide, "Blocking public access to your Amazon S3 storage", the meaning of "public": S3 supposes that a
//! policy is public, and looks for statements that give access to fixed values only. Its list is prose; what it leaves
//! open is not known here.

use std::net::IpAddr;

use crate::aws::Arn;
use crate::policy::condition::Tri;
use crate::policy::operator::{Family, SetOperator};
use crate::policy::pattern::has_wildcard;
use crate::policy::template::Template;
use crate::policy::{Clause, Effect, Policy, Principal, Standing, Statement, network};

/// Whether a bucket policy is public: one public statement makes it so, whatever its Deny statements say.
pub fn is_public(policy: &Policy) -> Tri {
    policy.allows().fold(Tri::False, |so_far, statement| so_far.or(statement_is_public(statement)))
}

/// Whether one statement makes a bucket policy public: an Allow for everyone that no condition holds to fixed values.
///
/// An Allow with `NotPrincipal` always does.
pub fn statement_is_public(statement: &Statement) -> Tri {
    if statement.effect != Effect::Allow || statement.standing != Standing::Effective {
        return Tri::False;
    }
    let Some(principals) = &statement.principals else { return Tri::False };
    let certain = if statement.ambiguous { Tri::Unknown } else { Tri::True };
    if principals.negated {
        return certain;
    }
    let open = principals.entries.iter().any(|e| matches!(e.principal, Principal::Everyone | Principal::Wildcard(_)));
    if !open {
        return Tri::False;
    }
    let fixed = statement.conditions.iter().fold(Tri::False, |so_far, clause| so_far.or(fixes(clause)));
    (!fixed).and(certain)
}

/// Whether a comparison holds a statement to fixed values: all of its values are fixed.
fn fixes(clause: &Clause) -> Tri {
    let operator = clause.operator;
    if operator.negated || operator.if_exists || operator.set == Some(SetOperator::ForAllValues) {
        return Tri::False;
    }
    // An Allow with an empty list of values never holds; whether S3 sees that is not documented.
    if clause.values.is_empty() {
        return Tri::Unknown;
    }
    let key = clause.key.as_str();
    clause.values.iter().fold(Tri::True, |so_far, value| so_far.and(is_fixed(key, operator.family, &value.template)))
}

fn is_fixed(key: &str, family: Family, value: &Template) -> Tri {
    match (family, key) {
        (Family::Ip, "aws:sourceip") => narrow_network(value.raw()),
        // S3's list has no such key; it speaks of service principals all the same.
        (Family::Bool, "aws:principalisawsservice") if value.raw().eq_ignore_ascii_case("true") => Tri::Unknown,
        (Family::String | Family::StringIgnoreCase | Family::StringLike | Family::Arn, _) => match key {
            _ if value.variables().next().is_some() => Tri::False,
            "aws:principalorgid"
            | "aws:principalaccount"
            | "aws:principalservicename"
            | "aws:principalservicenameslist"
            | "aws:sourceaccount"
            | "aws:sourceowner"
            | "aws:sourcevpc"
            | "aws:sourcevpce"
            | "aws:userid"
            | "s3:dataaccesspointaccount" => without_wildcard(family, value),
            "aws:principalarn" | "aws:sourcearn" => fixed_arn(family, value),
            "aws:principalorgpaths" => match value.raw().split_once('/') {
                Some((organization, _)) if has_wildcard(organization) => Tri::False,
                None if value.has_wildcard() => Tri::False,
                Some(_) | None if value.has_wildcard() => Tri::Unknown,
                Some(_) | None => Tri::True,
            },
            "s3:dataaccesspointarn" => access_point(family, value),
            // Not on S3's list, though each names one thing.
            "aws:sourcevpcarn" | "aws:sourceorgid" | "aws:sourceorgpaths" if !value.has_wildcard() => Tri::Unknown,
            "aws:sourceip" if !value.has_wildcard() => Tri::Unknown,
            _ => Tri::False,
        },
        _ => Tri::False,
    }
}

/// A value with a star is not fixed; under an operator to which the star is a letter, S3's reading is not documented.
fn without_wildcard(family: Family, value: &Template) -> Tri {
    match value.has_wildcard() {
        false if value.is_plain() => Tri::True,
        false => Tri::Unknown,
        true if matches!(family, Family::StringLike | Family::Arn) => Tri::False,
        true => Tri::Unknown,
    }
}

/// An ARN; where its account is fixed and something else is not, S3's words and what it is known to do part.
fn fixed_arn(family: Family, value: &Template) -> Tri {
    match without_wildcard(family, value) {
        Tri::False if Arn::parse(value.raw()).is_some_and(|arn| arn.account_id().is_some()) => Tri::Unknown,
        met => met,
    }
}

/// The ARN of an access point; a wildcard for its name is allowed where its account is fixed.
fn access_point(family: Family, value: &Template) -> Tri {
    let met = without_wildcard(family, value);
    let Some(arn) = Arn::parse(value.raw()).filter(|arn| arn.account_id().is_some()) else { return met };
    let elsewhere = [arn.partition, arn.service, arn.region].into_iter().any(has_wildcard);
    match arn.resource_of("accesspoint") {
        Some(_) if met == Tri::False && !elsewhere => Tri::True,
        _ if met == Tri::False => Tri::Unknown,
        _ => met,
    }
}

/// Networks of at most /8 (IPv4) or /32 (IPv6) count as fixed.
fn narrow_network(text: &str) -> Tri {
    match network(text) {
        Some((IpAddr::V4(_), length)) => Tri::from(length >= 8),
        Some((IpAddr::V6(_), length)) => Tri::from(length >= 32),
        None => Tri::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::read_policy;
    use crate::policy::PolicyKind;
    use crate::syntax::json::Tape;
    use crate::text::SourceId;
    use crate::text::embedded::Place;

    fn public(statements: &str) -> Tri {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        let mut tape = Tape::new();
        let place = Place::direct(SourceId::new(0), 0);
        let json = tape.read(&text, &place).unwrap();
        is_public(&read_policy(json, PolicyKind::Bucket).unwrap())
    }

    fn allow(principal: &str, condition: &str) -> String {
        format!(
            r#"{{"Effect":"Allow",{principal},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{condition}}}"#
        )
    }

    const EVERYONE: &str = r#""Principal":"*""#;

    #[test]
    fn a_condition_on_fixed_values_keeps_a_statement_from_being_public() {
        use Tri::{False, True, Unknown};
        let table = [
            ("{}", True),
            (r#"{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#, False),
            (r#"{"StringEquals":{"aws:PrincipalOrgID":["o-exampleorgid","o-otherorg12"]}}"#, False),
            (r#"{"StringLike":{"aws:PrincipalOrgID":["o-exampleorgid","o-*"]}}"#, True),
            (r#"{"StringLike":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#, False),
            (r#"{"StringEquals":{"aws:PrincipalOrgID":"*"}}"#, Unknown),
            (r#"{"StringEquals":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}}"#, True),
            (r#"{"StringEquals":{"aws:PrincipalOrgID":[]}}"#, Unknown),
            (r#"{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#, True),
            (r#"{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#, True),
            (r#"{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#, True),
            (r#"{"Null":{"aws:PrincipalOrgID":"false"}}"#, True),
            (r#"{"StringEquals":{"aws:PrincipalAccount":"222222222222"}}"#, False),
            (r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/r"}}"#, False),
            (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/*"}}"#, Unknown),
            (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/r"}}"#, True),
            (r#"{"ForAnyValue:StringEquals":{"aws:PrincipalOrgPaths":"o-exampleorgid/r-1/ou-1/"}}"#, False),
            (r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-exampleorgid/r-1/*"}}"#, Unknown),
            (r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-*/r-1/"}}"#, True),
            (r#"{"StringEquals":{"aws:PrincipalTag/team":"audit"}}"#, True),
            (r#"{"StringEquals":{"aws:PrincipalType":"AssumedRole"}}"#, True),
            (r#"{"Bool":{"aws:PrincipalIsAWSService":"true"}}"#, Unknown),
            (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, True),
            (r#"{"StringEquals":{"aws:PrincipalServiceName":"logging.s3.amazonaws.com"}}"#, False),
            (r#"{"StringEquals":{"aws:SourceOrgID":"o-exampleorgid"}}"#, Unknown),
            (r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, False),
            (r#"{"IpAddress":{"aws:SourceIp":"203.0.0.0/8"}}"#, False),
            (r#"{"IpAddress":{"aws:SourceIp":"192.0.0.0/7"}}"#, True),
            (r#"{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","0.0.0.0/1"]}}"#, True),
            (r#"{"IpAddress":{"aws:SourceIp":"2001:db8::/32"}}"#, False),
            (r#"{"IpAddress":{"aws:SourceIp":"2001::/16"}}"#, True),
            (r#"{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, True),
            (r#"{"ArnEquals":{"aws:SourceArn":"arn:aws:cloudtrail:us-east-1:111111111111:trail/t"}}"#, False),
            (r#"{"ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:111111111111:trail/*"}}"#, Unknown),
            (r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"}}"#, True),
            (r#"{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}"#, False),
            (r#"{"StringLike":{"aws:SourceVpc":"vpc-*"}}"#, True),
            (r#"{"StringEquals":{"aws:SourceVpce":["vpce-1a2b3c4d","vpce-4d3c2b1a"]}}"#, False),
            (r#"{"StringEquals":{"aws:SourceAccount":"222222222222"}}"#, False),
            (r#"{"StringEquals":{"aws:userid":"AROAEXAMPLE:s"}}"#, False),
            (r#"{"StringLike":{"aws:userid":"AROAEXAMPLE:*"}}"#, True),
            (r#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-east-1:222222222222:accesspoint/*"}}"#, False),
            (r#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-east-1:*:accesspoint/a"}}"#, True),
            (r#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:*:222222222222:accesspoint/*"}}"#, Unknown),
            (r#"{"StringEquals":{"s3:DataAccessPointAccount":"222222222222"}}"#, False),
            (
                r#"{"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#,
                False,
            ),
        ];
        for (condition, expected) in table {
            assert_eq!(public(&allow(EVERYONE, condition)), expected, "{condition}");
        }
    }

    #[test]
    fn named_principals_are_fixed_and_all_but_some_are_not() {
        for principal in [
            r#""Principal":{"AWS":"222222222222"}"#,
            r#""Principal":{"AWS":"arn:aws:iam::222222222222:role/r"}"#,
            r#""Principal":{"Service":"cloudtrail.amazonaws.com"}"#,
        ] {
            assert_eq!(public(&allow(principal, "{}")), Tri::False, "{principal}");
        }
        for principal in [
            r#""Principal":{"AWS":"*"}"#,
            r#""Principal":{"AWS":["222222222222","*"]}"#,
            r#""NotPrincipal":{"AWS":"arn:aws:iam::222222222222:root"}"#,
        ] {
            assert_eq!(public(&allow(principal, "{}")), Tri::True, "{principal}");
        }
    }

    #[test]
    fn one_public_statement_is_enough_and_a_deny_does_not_mend_it() {
        let fixed = allow(EVERYONE, r#"{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#);
        let open = allow(EVERYONE, "{}");
        let deny = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}"#;
        assert_eq!(public(&fixed), Tri::False);
        assert_eq!(public(deny), Tri::False);
        assert_eq!(public(&format!("{fixed},{open}")), Tri::True);
        assert_eq!(public(&format!("{open},{deny}")), Tri::True);
        let uncertain = allow(EVERYONE, r#"{"StringEquals":{"aws:SourceOrgID":"o-exampleorgid"}}"#);
        assert_eq!(public(&format!("{fixed},{uncertain}")), Tri::Unknown);
    }
}
