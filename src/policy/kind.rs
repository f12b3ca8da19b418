//! What a policy is attached to, as far as its text tells.

use super::ast::PolicyKind;
use crate::aws::Arn;
use crate::syntax::json::{Json, Kind};

/// What kind of policy a document is, by its content; `None` where it is no policy at all.
///
/// SCPs, RCPs, boundaries, session and endpoint policies look like others and must be named by the user.
pub fn kind_of(json: Json<'_>) -> Option<PolicyKind> {
    let statement = json.member("Statement")?;
    let one = Some(statement).filter(|statement| statement.kind() == Kind::Object);
    if one.is_none() && statement.kind() != Kind::Array {
        return None;
    }
    let elements = || one.into_iter().chain(statement.elements()).flat_map(Json::members);
    let (mut principal, mut resource) = (false, false);
    for (key, _) in elements() {
        match key.as_str().as_deref() {
            Some("Principal" | "NotPrincipal") => principal = true,
            Some("Resource" | "NotResource") => resource = true,
            _ => {}
        }
    }
    if !principal && resource {
        return Some(PolicyKind::Identity);
    }
    let (mut action, mut sts, mut kms, mut s3, mut on_s3) = (false, false, false, false, false);
    for (key, value) in elements() {
        let each = |test: &mut dyn FnMut(&str)| {
            for text in value.as_str().into_iter().chain(value.elements().filter_map(Json::as_str)) {
                test(&text);
            }
        };
        match key.as_str().as_deref() {
            Some("Action" | "NotAction") => {
                action = true;
                each(&mut |name| {
                    sts |= is_of(name, "sts");
                    kms |= is_of(name, "kms");
                    s3 |= is_of(name, "s3");
                });
            }
            Some("Resource" | "NotResource") if !on_s3 => {
                each(&mut |arn| on_s3 |= Arn::parse(arn).is_some_and(|arn| arn.service == "s3"));
            }
            _ => {}
        }
    }
    // A key policy that names a bucket in its `Resource` is a key policy that does nothing.
    s3 |= on_s3 && !kms;
    Some(match (principal, resource) {
        _ if sts && !resource => PolicyKind::Trust,
        (false, _) => PolicyKind::Identity,
        (true, _) if sts && !s3 && !kms => PolicyKind::Trust,
        (true, _) if s3 => PolicyKind::Bucket,
        (true, _) if kms => PolicyKind::Key,
        // No other kind of policy goes without.
        (true, false) if action => PolicyKind::Trust,
        (true, _) => PolicyKind::Resource,
    })
}

/// Whether an action belongs to a service.
fn is_of(action: &str, service: &str) -> bool {
    let (prefix, rest) = (action.get(..service.len()), action.as_bytes().get(service.len()));
    matches!(rest, None | Some(b':')) && prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(service))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::json::Tape;
    use crate::text::SourceId;
    use crate::text::embedded::Place;

    #[test]
    fn the_kind_is_found_from_the_content() {
        let kind = |text: &str| {
            let place = Place::direct(SourceId::new(0), 0);
            kind_of(Tape::new().read(text, &place).unwrap())
        };
        let cases = [
            (r#"{"Statement":[{"Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#, Some(PolicyKind::Trust)),
            (r#"{"Statement":{"Action":"sts:AssumeRole","Resource":"*"}}"#, Some(PolicyKind::Identity)),
            (r#"{"Statement":[{"Principal":"*","Action":"s3:GetObject","Resource":"*"}]}"#, Some(PolicyKind::Bucket)),
            (
                r#"{"Statement":[{"Principal":"*","Action":"*","Resource":"arn:aws:s3:::b/*"}]}"#,
                Some(PolicyKind::Bucket),
            ),
            (r#"{"Statement":[{"Principal":"*","Action":["kms:*"],"Resource":"*"}]}"#, Some(PolicyKind::Key)),
            (
                r#"{"Statement":[{"Principal":"*","Action":"kms:*","Resource":"arn:aws:s3:::b/*"}]}"#,
                Some(PolicyKind::Key),
            ),
            (r#"{"Statement":[{"Principal":"*","Action":"sqs:*","Resource":"*"}]}"#, Some(PolicyKind::Resource)),
            (r#"{"Statement":7}"#, None),
            (r#"{"Action":"s3:*"}"#, None),
        ];
        for (text, expected) in cases {
            assert_eq!(kind(text), expected, "{text}");
        }
    }
}
