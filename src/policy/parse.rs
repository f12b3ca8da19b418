//! From JSON to a policy, reporting every mistake and going on behind it.
//!
//! Source: IAM User Guide, "Grammar of the IAM JSON policy language" and the element pages.

use compact_str::CompactString;

use super::ast::{
    Clause, ConditionValue, Effect, Entries, Policy, PolicyKind, PrincipalEntry, Principals, Standing, Statement,
    Version,
};
use super::operator::Operator;
use super::principal::{Principal, PrincipalKind};
use super::problem::{Problem, ProblemKind};
use super::template::Template;
use crate::aws::ConditionKey;
use crate::syntax::json::{Json, Kind};
use crate::text::{Span, Spanned};

/// Reads a policy document that is attached to what `kind` says.
pub fn parse(json: Json<'_>, kind: PolicyKind) -> Policy {
    let may_hold_variables = memchr::memchr2(b'$', b'\\', json.raw().as_bytes()).is_some();
    let version = Version::V2008;
    let mut parser = Parser { kind, version, may_hold_variables, problems: Vec::new(), statement: None };
    let mut statements = Vec::new();
    let mut written_version = None;
    let duplicates = json.duplicate_keys();
    if json.kind() == Kind::Object {
        // The version decides how every other element is read.
        written_version = parser.version(json);
        parser.unknown_elements(json, &["Version", "Id", "Statement"]);
        let mut found = false;
        // Of two `Statement` elements either may count: both are read, and what they say is not certain.
        for (_, value) in json.members().filter(|(key, _)| key.is_key("Statement")) {
            parser.statements(value, &mut statements);
            found = true;
        }
        if !found {
            parser.report(ProblemKind::Missing("Statement"), json.span());
        }
    } else {
        parser.report(ProblemKind::WrongType("policy", json.kind().name(), "an object"), json.span());
    }
    mark_ambiguous(&mut statements, json.span(), &duplicates);
    Policy {
        kind,
        span: json.span(),
        version: parser.version,
        written_version,
        statements,
        problems: parser.problems,
        duplicates,
        may_hold_variables,
        bytes: json.raw().len() as u32,
    }
}

/// A statement in which a key stands twice, and every one where `Statement` does, decides nothing for certain; `Id` and
/// `Sid` mean nothing, whichever of them counts.
fn mark_ambiguous(statements: &mut [Statement], policy: Span, duplicates: &[crate::syntax::json::Duplicate]) {
    for duplicate in duplicates {
        let mut inside = false;
        for statement in statements.iter_mut().filter(|s| s.span.contains(duplicate.again)) {
            if duplicate.key != "Sid" {
                statement.ambiguous = true;
            }
            inside = true;
        }
        if !inside && policy.contains(duplicate.again) && duplicate.key != "Id" {
            for statement in statements.iter_mut() {
                statement.ambiguous = true;
            }
        }
    }
}

struct Parser {
    kind: PolicyKind,
    problems: Vec<Problem>,
    /// The statement being read.
    statement: Option<u32>,
    version: Version,
    may_hold_variables: bool,
}

impl Parser {
    fn report(&mut self, kind: ProblemKind, span: Span) {
        self.problems.push(Problem { kind, span, statement: self.statement });
    }

    fn wrong_type(&mut self, element: &'static str, value: Json<'_>, wanted: &'static str) {
        self.report(ProblemKind::WrongType(element, value.kind().name(), wanted), value.span());
    }

    fn substitutes(&self) -> bool {
        self.version == Version::V2012 && self.may_hold_variables
    }

    fn unknown_elements(&mut self, json: Json<'_>, known: &[&str]) {
        for (key, _) in json.members() {
            let name = key.as_str().unwrap_or_default();
            if !known.contains(&name.as_ref()) {
                self.report(ProblemKind::UnknownElement(name.as_ref().into()), key.span());
            }
        }
    }

    fn version(&mut self, json: Json<'_>) -> Option<Spanned<CompactString>> {
        let value = json.member("Version")?;
        let Some(text) = value.as_str() else {
            self.wrong_type("Version", value, "a string");
            return None;
        };
        match text.as_ref() {
            "2012-10-17" => self.version = Version::V2012,
            "2008-10-17" => {}
            other => self.report(ProblemKind::InvalidVersion(other.into()), value.span()),
        }
        Some(Spanned::new(text.as_ref().into(), value.span()))
    }

    fn statements(&mut self, value: Json<'_>, out: &mut Vec<Statement>) {
        let first = out.len() as u32;
        match value.kind() {
            Kind::Object => self.one_statement(value, first, out),
            Kind::Array => {
                out.reserve_exact(value.elements().count());
                for (element, number) in value.elements().zip(first..) {
                    self.one_statement(element, number, out);
                }
                if out.len() as u32 == first && value.elements().next().is_none() {
                    self.report(ProblemKind::Missing("Statement"), value.span());
                }
            }
            _ => self.wrong_type("Statement", value, "an object or a list of objects"),
        }
    }

    fn one_statement(&mut self, json: Json<'_>, index: u32, out: &mut Vec<Statement>) {
        self.statement = Some(index);
        let before = self.problems.len();
        if json.kind() != Kind::Object {
            self.wrong_type("Statement", json, "an object");
        }
        let mut statement = self.elements(json, index);
        self.check_elements(&statement, json.span());
        let found = self.problems.get(before..).unwrap_or_default();
        statement.standing = if found.iter().any(Problem::is_refused) {
            Standing::Invalid
        } else if found.is_empty() {
            Standing::Effective
        } else {
            Standing::Inert
        };
        self.statement = None;
        out.push(statement);
    }

    fn elements(&mut self, json: Json<'_>, index: u32) -> Statement {
        let mut statement = Statement {
            index,
            span: json.span(),
            sid: None,
            effect: Effect::Deny,
            effect_span: json.span(),
            principals: None,
            actions: None,
            resources: None,
            conditions: Vec::new(),
            condition_span: None,
            standing: Standing::Effective,
            ambiguous: false,
        };
        let mut has_effect = false;
        for (key, value) in json.members() {
            let name = key.as_str().unwrap_or_default();
            match name.as_ref() {
                "Sid" => match value.as_str() {
                    Some(text) => statement.sid = Some(Spanned::new(text.as_ref().into(), value.span())),
                    None => self.wrong_type("Sid", value, "a string"),
                },
                "Effect" => {
                    has_effect = true;
                    statement.effect_span = value.span();
                    match value.as_str().as_deref() {
                        Some("Allow") => statement.effect = Effect::Allow,
                        Some("Deny") => statement.effect = Effect::Deny,
                        Some(other) => self.report(ProblemKind::InvalidEffect(other.into()), value.span()),
                        None => self.wrong_type("Effect", value, "a string"),
                    }
                }
                "Principal" | "NotPrincipal" => {
                    let negated = name == "NotPrincipal";
                    if statement.principals.as_ref().is_some_and(|p| p.negated != negated) {
                        self.report(ProblemKind::Both("Principal", "NotPrincipal"), key.span());
                    }
                    let principals = self.principals(key, value, negated);
                    match &mut statement.principals {
                        Some(first) => first.entries.extend(principals.entries),
                        first => *first = Some(Box::new(principals)),
                    }
                }
                "Action" | "NotAction" | "Resource" | "NotResource" => {
                    let negated = name.starts_with("Not");
                    let (element, not, slot, substitutes) = match name.ends_with("Action") {
                        true => ("Action", "NotAction", &mut statement.actions, false),
                        false => ("Resource", "NotResource", &mut statement.resources, self.substitutes()),
                    };
                    if slot.as_ref().is_some_and(|e| e.negated != negated) {
                        self.report(ProblemKind::Both(element, not), key.span());
                    }
                    let element = if negated { not } else { element };
                    let entries = self.entries(element, key, value, negated, substitutes);
                    match slot {
                        Some(first) => first.items = [&*first.items, &*entries.items].concat().into(),
                        first => *first = Some(entries),
                    }
                }
                "Condition" => {
                    statement.condition_span = Some(value.span());
                    self.conditions(value, &mut statement.conditions);
                }
                other => self.report(ProblemKind::UnknownElement(other.into()), key.span()),
            }
        }
        if !has_effect && json.kind() == Kind::Object {
            self.report(ProblemKind::Missing("Effect"), json.span());
        }
        statement
    }

    /// Holds the elements that are there against the kind of document (IAM and KMS differ in what they refuse).
    fn check_elements(&mut self, statement: &Statement, span: Span) {
        let kind = self.kind;
        let missing = |element| match kind {
            PolicyKind::Key if element != "Principal" => ProblemKind::MissingInKeyPolicy(element),
            _ => ProblemKind::Missing(element),
        };
        if statement.actions.is_none() {
            self.report(missing("Action"), span);
        }
        match &statement.resources {
            None if kind != PolicyKind::Trust => self.report(missing("Resource"), span),
            Some(entries) if kind == PolicyKind::Trust => {
                let element = if entries.negated { "NotResource" } else { "Resource" };
                self.report(ProblemKind::Unsupported(element, kind.title()), entries.key_span);
            }
            _ => {}
        }
        match &statement.principals {
            None if kind.has_principals() && kind != PolicyKind::VpcEndpoint => self.report(missing("Principal"), span),
            Some(principals) if !kind.has_principals() => {
                let element = if principals.negated { "NotPrincipal" } else { "Principal" };
                self.report(ProblemKind::Unsupported(element, kind.title()), principals.key_span);
            }
            Some(principals) if principals.negated && matches!(kind, PolicyKind::Trust | PolicyKind::Rcp) => {
                self.report(ProblemKind::Unsupported("NotPrincipal", kind.title()), principals.key_span);
            }
            _ => {}
        }
    }

    fn principals(&mut self, key: Json<'_>, value: Json<'_>, negated: bool) -> Principals {
        let element = if negated { "NotPrincipal" } else { "Principal" };
        let mut entries = Vec::new();
        match value.kind() {
            Kind::String => match value.as_str().as_deref() {
                Some("*") => entries.push(entry(PrincipalKind::Aws, "*", value.span())),
                text => {
                    let text = text.unwrap_or_default().into();
                    self.report(ProblemKind::InvalidPrincipal(text), value.span());
                }
            },
            Kind::Object => {
                for (key, value) in value.members() {
                    let name = key.as_str().unwrap_or_default();
                    let Some(kind) = PrincipalKind::parse(&name) else {
                        self.report(ProblemKind::UnknownPrincipalKey(name.as_ref().into()), key.span());
                        continue;
                    };
                    entries.reserve_exact(strings_in(value));
                    let before = entries.len();
                    self.strings(element, value, |text, span| entries.push(entry(kind, text, span)));
                    for entry in entries.iter().skip(before) {
                        if let Principal::Unrecognised(text) = &entry.principal {
                            self.report(ProblemKind::NoPrincipal(kind.name(), text.clone()), entry.span);
                        }
                    }
                }
                if entries.is_empty() && value.members().next().is_none() {
                    self.report(ProblemKind::Empty(element), value.span());
                }
            }
            _ => self.wrong_type(element, value, "`*` or an object"),
        }
        Principals { negated, key_span: key.span(), span: value.span(), entries }
    }

    fn entries(
        &mut self,
        element: &'static str,
        key: Json<'_>,
        value: Json<'_>,
        negated: bool,
        substitutes: bool,
    ) -> Entries {
        let mut items = Vec::with_capacity(strings_in(value));
        self.strings(element, value, |text, span| items.push(Spanned::new(Template::new(text, substitutes), span)));
        Entries { negated, key_span: key.span(), span: value.span(), items: items.into() }
    }

    /// A string, or a list of strings.
    fn strings(&mut self, element: &'static str, value: Json<'_>, mut each: impl FnMut(&str, Span)) {
        match value.kind() {
            Kind::String => each(&value.as_str().unwrap_or_default(), value.span()),
            Kind::Array => {
                let mut empty = true;
                for item in value.elements() {
                    empty = false;
                    match item.as_str() {
                        Some(text) => each(&text, item.span()),
                        None => self.wrong_type(element, item, "a string"),
                    }
                }
                if empty {
                    self.report(ProblemKind::Empty(element), value.span());
                }
            }
            _ => self.wrong_type(element, value, "a string or a list of strings"),
        }
    }

    fn conditions(&mut self, value: Json<'_>, out: &mut Vec<Clause>) {
        if value.kind() != Kind::Object {
            return self.wrong_type("Condition", value, "an object");
        }
        for (name, block) in value.members() {
            let text = name.as_str().unwrap_or_default();
            let Some(operator) = Operator::parse(&text) else {
                self.report(ProblemKind::UnknownOperator(text.as_ref().into()), name.span());
                continue;
            };
            if block.kind() != Kind::Object {
                self.wrong_type("Condition", block, "an object of keys and values");
                continue;
            }
            out.reserve_exact(block.members().count());
            for (key, values) in block.members() {
                let written = key.as_str().unwrap_or_default();
                out.push(Clause {
                    operator,
                    operator_span: name.span(),
                    key: ConditionKey::new(&written),
                    written_key: written.as_ref().into(),
                    key_span: key.span(),
                    span: key.span().to(values.span()),
                    values: self.condition_values(operator, values),
                });
            }
        }
    }

    fn condition_values(&mut self, operator: Operator, values: Json<'_>) -> Box<[ConditionValue]> {
        let substitutes = self.substitutes() && operator.takes_variables();
        let mut out = Vec::with_capacity(strings_in(values));
        let mut one = |parser: &mut Parser, value: Json<'_>| match value.scalar_text() {
            Some(text) if !value.is_null() => out.push(ConditionValue {
                template: Template::new(&text, substitutes),
                span: value.span(),
                quoted: value.kind() == Kind::String,
            }),
            _ => parser.wrong_type("Condition", value, "a string, number or boolean"),
        };
        match values.kind() {
            Kind::Array => values.elements().for_each(|value| one(self, value)),
            _ => one(self, values),
        }
        out.into()
    }
}

/// How many strings an element has at most: lists are most of what policies are, and are kept without room to grow.
fn strings_in(value: Json<'_>) -> usize {
    if value.kind() == Kind::Array { value.elements().count() } else { 1 }
}

fn entry(kind: PrincipalKind, text: &str, span: Span) -> PrincipalEntry {
    PrincipalEntry { principal: Principal::parse(kind, text), text: text.into(), span }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::json::Tape;
    use crate::text::SourceId;
    use crate::text::embedded::Place;

    fn read(text: &str, kind: PolicyKind) -> Policy {
        let place = Place::direct(SourceId::new(0), 0);
        parse(Tape::new().read(text, &place).unwrap(), kind)
    }

    fn problems(text: &str, kind: PolicyKind) -> Vec<String> {
        read(text, kind).problems.iter().map(|p| p.kind.to_string()).collect()
    }

    #[test]
    fn one_bad_statement_does_not_hide_the_others() {
        let policy = read(
            r#"{"Version":"2012-10-17","Statement":[
                {"Effect":"allow","Action":"s3:*","Resource":"*"},
                {"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::b/*"}, 7]}"#,
            PolicyKind::Identity,
        );
        let standings: Vec<Standing> = policy.statements.iter().map(|s| s.standing).collect();
        assert_eq!(standings, [Standing::Invalid, Standing::Effective, Standing::Invalid]);
        assert_eq!(policy.allows().count(), 1);
        assert_eq!(policy.problems[0].kind.to_string(), "`Effect` is `allow`, not `Allow` or `Deny`");
    }

    #[test]
    fn a_policy_that_is_a_number_is_one_problem() {
        assert_eq!(problems("7", PolicyKind::Trust), ["`policy` is a number, not an object"]);
        assert_eq!(problems("{}", PolicyKind::Trust), ["`Statement` is missing"]);
        assert_eq!(problems(r#"{"Statement":[]}"#, PolicyKind::Trust), ["`Statement` is missing"]);
    }

    #[test]
    fn elements_are_held_against_the_kind_of_document() {
        let trust = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}}"#;
        assert!(problems(trust, PolicyKind::Trust).is_empty());
        assert_eq!(problems(trust, PolicyKind::Bucket), ["`Resource` is missing"]);
        let key = read(trust, PolicyKind::Key);
        assert_eq!(key.statements[0].standing, Standing::Inert);
        assert_eq!(
            problems(trust, PolicyKind::Identity),
            ["`Resource` is missing", "`Principal` has no place in this identity policy"]
        );
    }

    #[test]
    fn a_principal_of_no_form_makes_its_statement_invalid() {
        let with = |principal: &str| {
            let text =
                format!(r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}}}"#);
            let policy = read(&text, PolicyKind::Trust);
            (policy.statements[0].standing, policy.problems.iter().map(|p| p.kind.to_string()).collect::<Vec<_>>())
        };
        let refused =
            |principal: &str, problem: &str| assert_eq!(with(principal), (Standing::Invalid, vec![problem.to_owned()]));
        refused(r#"{"AWS":"bob"}"#, "`bob` has none of the forms of a principal under `AWS`");
        refused(r#"{"AWS":["111111111111","1"]}"#, "`1` has none of the forms of a principal under `AWS`");
        refused(r#"{"CanonicalUser":"79a5"}"#, "`79a5` has none of the forms of a principal under `CanonicalUser`");
        refused(r#"{"Service":""}"#, "`` has none of the forms of a principal under `Service`");
        let canonical = format!(r#"{{"CanonicalUser":"{}"}}"#, "79a5".repeat(16));
        let taken = [
            r#"{"AWS":"AROAEXAMPLEID"}"#,
            r#"{"AWS":"AIDAEXAMPLEID"}"#,
            r#"{"Federated":"www.amazon.com"}"#,
            &canonical,
        ];
        for principal in taken {
            assert_eq!(with(principal), (Standing::Effective, Vec::new()), "{principal}");
        }
    }

    #[test]
    fn one_value_reads_as_a_list_of_one() {
        let one = r#"{"Statement":{"Effect":"Deny","Action":"a:b","Resource":"*","Condition":{"Bool":{"K":true}}}}"#;
        let list = r#"{"Statement":[{"Effect":"Deny","Resource":["*"],"Action":["A:B"],"Sid":"s","Condition":{"Bool":{"k":["true"]}}}]}"#;
        let (one, list) = (read(one, PolicyKind::Identity), read(list, PolicyKind::Identity));
        assert_eq!(one.statements[0].normal_form(), list.statements[0].normal_form());
    }

    #[test]
    fn a_duplicate_key_makes_its_statement_uncertain() {
        let text = r#"{"Statement":[{"Effect":"Allow","Action":"a:b","Action":"a:c","Resource":"*"},{"Effect":"Allow","Action":"a:b","Resource":"*"}]}"#;
        let policy = read(text, PolicyKind::Identity);
        assert_eq!(policy.statements[0].actions.as_ref().unwrap().items.len(), 2);
        assert!(policy.statements[0].ambiguous && !policy.statements[1].ambiguous);
        let sid = text.replace(r#""Action":"a:b","Action":"a:c""#, r#""Sid":"x","Sid":"y","Action":"a:b""#);
        let policy = read(&sid, PolicyKind::Identity);
        assert!(policy.duplicates.len() == 1 && !policy.statements[0].ambiguous);
    }
}
