//! Policy documents: where they stand, and how they are read from each encoding AWS uses.
//!
//! Sources: IAM API Reference (documents are percent-encoded per RFC 3986; the AWS CLI decodes them), S3, KMS and
//! Organizations API references (documents are JSON strings).

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use memchr::memmem;

use crate::policy::{Policy, PolicyKind, Size, parse};
use crate::syntax::json::{Json, JsonError, Kind, Tape, unescape};
use crate::text::embedded::{Place, percent_decode};
use crate::text::{SourceMap, Span};

/// How many layers of text inside text a document may have.
const MAX_LAYERS: usize = 3;

/// A policy document and its place.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it is attached to.
    pub kind: PolicyKind,
    /// The value in the file: an object, or the string that holds the policy.
    pub span: Span,
    kept: Kept,
}

/// What is kept of a policy after it was read.
#[derive(Debug, Clone)]
enum Kept {
    Policy(Arc<Policy>),
    /// What was read last, once it was asked for.
    FromFirstUse(OnceLock<Arc<Policy>>),
    Nothing,
}

/// A text that should be a policy or an export and is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The offending place in the file.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// The policy that it is the text of; `None` for the text of the file itself.
    pub policy: Option<PolicyKind>,
}

impl Document {
    /// A document that was read; its policy is kept.
    pub fn new(policy: Policy, span: Span) -> Self {
        Document { kind: policy.kind, span, kept: Kept::Policy(Arc::new(policy)) }
    }

    /// A document that is read again each time it is asked for: for exports that are too large to keep parsed.
    ///
    /// The caller has seen that it reads without [`Broken`].
    pub fn deferred(kind: PolicyKind, span: Span) -> Self {
        Document { kind, span, kept: Kept::Nothing }
    }

    /// The same document, to be kept from its first use on: for one that many ask for.
    pub fn kept_once_read(self) -> Self {
        match self.kept {
            Kept::Nothing => Document { kept: Kept::FromFirstUse(OnceLock::new()), ..self },
            _ => self,
        }
    }

    /// The policy.
    pub fn policy(&self, sources: &SourceMap) -> Arc<Policy> {
        match &self.kept {
            Kept::Policy(policy) => Arc::clone(policy),
            Kept::FromFirstUse(policy) => Arc::clone(policy.get_or_init(|| Arc::new(self.read_again(sources)))),
            Kept::Nothing => Arc::new(self.read_again(sources)),
        }
    }

    /// Whether its principals may be accounts, or whoever is not named: a look at the text, in whatever encoding, that
    /// spares reading the trust policies of services. No is certain.
    pub fn may_let_accounts_in(&self, sources: &SourceMap) -> bool {
        const SIGNS: [&str; 4] = ["AWS", "*", "NotPrincipal", "\\u"];
        let text = sources.slice(self.span).as_bytes();
        matches!(self.kept, Kept::Policy(_))
            || SIGNS.iter().any(|sign| memmem::find(text, sign.as_bytes()).is_some())
            || memchr::memchr_iter(b'%', text).any(|at| encodes_more_than_punctuation(text.get(at + 1..at + 3)))
    }

    /// How long it is; nothing where it can not be read.
    pub fn size(&self, sources: &SourceMap) -> Size {
        self.measured(sources, &mut |json| Size::of(json.raw()))
    }

    /// How long each of its statements is, in order; nothing where it can not be read.
    pub fn statement_sizes(&self, sources: &SourceMap) -> Vec<Size> {
        self.measured(sources, &mut |json| match json.member("Statement") {
            Some(one) if one.kind() == Kind::Object => vec![Size::of(one.raw())],
            Some(list) => list.elements().map(|statement| Size::of(statement.raw())).collect(),
            None => Vec::new(),
        })
    }

    fn measured<T: Default>(&self, sources: &SourceMap, measure: &mut dyn FnMut(Json<'_>) -> T) -> T {
        self.value(sources, &mut |json| unwrap(json, 0, measure).ok()).flatten().unwrap_or_default()
    }

    fn read_again(&self, sources: &SourceMap) -> Policy {
        let read = self.value(sources, &mut |json| read_policy(json, self.kind).ok()).flatten();
        read.unwrap_or_else(|| Policy::empty(self.kind, self.span))
    }

    /// Gives the value in the file to `read`; where it stands inside a JSON string, each of its characters that need it
    /// is escaped once more.
    fn value<T>(&self, sources: &SourceMap, read: &mut dyn FnMut(Json<'_>) -> T) -> Option<T> {
        let mut text = Cow::Borrowed(sources.slice(self.span));
        let mut place = Place::direct(self.span.source, self.span.start);
        for _ in 0..=MAX_LAYERS {
            let mut tape = Tape::new();
            if let Ok(json) = tape.read(&text, &place) {
                return Some(read(json));
            }
            let inner = unescape(&text, 0);
            place = place.embedded(&inner.map);
            text = Cow::Owned(inner.text);
        }
        None
    }
}

/// Whether the two digits behind a `%` stand for a letter, `*` or `%`: AWS encodes no letters.
fn encodes_more_than_punctuation(digits: Option<&[u8]>) -> bool {
    let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
    let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    byte.is_none_or(|byte| byte.is_ascii_alphabetic() || byte == b'*' || byte == b'%')
}

/// Reads a policy that is a JSON object, a JSON string that holds one, or percent-encoded text, also in layers.
///
/// # Errors
/// A text that is not JSON, with its place in the file. Any JSON is a policy here: one that is no object is a policy
/// with a problem.
pub fn read_policy(json: Json<'_>, kind: PolicyKind) -> Result<Policy, Broken> {
    unwrap(json, 0, &mut |json| parse(json, kind)).map_err(|broken| broken.of(kind))
}

/// Gives the innermost JSON value to `read`.
pub(crate) fn unwrap<T>(json: Json<'_>, layer: usize, read: &mut dyn FnMut(Json<'_>) -> T) -> Result<T, Broken> {
    if json.kind() != Kind::String || layer == MAX_LAYERS {
        return Ok(read(json));
    }
    let Some((text, place)) = json.decoded() else { return Ok(read(json)) };
    let (text, place) = match text.trim_start().starts_with('%') {
        false => (text, place),
        true => match percent_decode(&text, 0) {
            Ok(decoded) => {
                let place = place.embedded(&decoded.map);
                (decoded.text, place)
            }
            Err(at) => {
                let message = "this is neither JSON nor percent-encoded text".to_owned();
                return Err(Broken { span: place.span(at, at + 1), message, policy: None });
            }
        },
    };
    let mut tape = Tape::new();
    match tape.read(&text, &place) {
        Ok(inner) => unwrap(inner, layer + 1, read),
        Err(error) => Err(Broken::at(&error, &text, &place)),
    }
}

impl Broken {
    /// A syntax error of a text that lies at `place`; the span covers the offending character.
    pub fn at(error: &JsonError, text: &str, place: &Place) -> Self {
        let at = (error.at as usize).min(text.len());
        let width = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        Broken { span: place.span(at as u32, (at + width) as u32), message: error.kind.to_string(), policy: None }
    }

    /// The same as the text of a policy.
    pub fn of(self, kind: PolicyKind) -> Self {
        Broken { policy: Some(kind), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Source, SourceId};

    const POLICY: &str = r#"{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"é*"}]}"#;

    fn encodings() -> Vec<String> {
        let string = |text: &str| serde_json::to_string(text).unwrap();
        let percent: String = POLICY
            .bytes()
            .map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") })
            .collect();
        vec![POLICY.to_owned(), string(POLICY), string(&string(POLICY)), string(&percent), string(&string(&percent))]
    }

    #[test]
    fn every_encoding_gives_the_same_policy_and_real_places() {
        for text in encodings() {
            let place = Place::direct(SourceId::new(0), 0);
            let mut tape = Tape::new();
            let json = tape.read(&text, &place).unwrap();
            let policy = read_policy(json, PolicyKind::Identity).unwrap();
            assert_eq!(
                policy.statements[0].normal_form(),
                "allow|action=s3:getobject|resource=é*|condition=",
                "{text}"
            );
            let span = policy.statements[0].effect_span;
            assert!(text[span.start as usize..span.end as usize].contains("Allow"), "{text}");
            assert_eq!(policy.bytes as usize, POLICY.len());
        }
    }

    #[test]
    fn a_look_at_the_text_spares_only_what_lets_no_account_in() {
        let service = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"a"},"Action":"sts:AssumeRole"}]}"#;
        let percent = |text: &str, all: bool| {
            let plain = |b: u8| b.is_ascii_alphanumeric() && !(all && b.is_ascii_alphabetic());
            let one = |b: u8| if plain(b) { (b as char).to_string() } else { format!("%{b:02x}") };
            serde_json::to_string(&text.bytes().map(one).collect::<String>()).unwrap()
        };
        let may = |text: &str| {
            let mut sources = SourceMap::new();
            let id = sources.add(Source::new("f.json", text.to_owned()));
            let document = Document::deferred(PolicyKind::Trust, Span::new(id, 0, text.len() as u32));
            document.may_let_accounts_in(&sources)
        };
        assert!(!may(service) && !may(&percent(service, false)));
        let open = [r#"Principal":{"AWS":"1"}"#, r#"Principal":"*""#, r#"NotPrincipal":{"Service":"a"}"#];
        for principal in open {
            let text = service.replace(r#"Principal":{"Service":"a"}"#, principal);
            assert!(may(&text) && may(&percent(&text, false)) && may(&percent(&text, true)), "{text}");
        }
    }

    #[test]
    fn a_deferred_document_reads_as_the_kept_one() {
        for text in encodings() {
            let mut sources = SourceMap::new();
            let file = format!("  {text}\n");
            let id = sources.add(Source::new("f.json", file.clone()));
            let place = Place::direct(id, 0);
            let mut tape = Tape::new();
            let json = tape.read(&file, &place).unwrap();
            let kept = read_policy(json, PolicyKind::Identity).unwrap();
            let again = Document::deferred(PolicyKind::Identity, json.span()).policy(&sources);
            assert_eq!(format!("{:?}", kept.statements), format!("{:?}", again.statements));
        }
    }

    #[test]
    fn a_document_inside_a_json_string_reads_again_and_is_measured() {
        for text in encodings() {
            for layers in 1..=MAX_LAYERS {
                let string = |text: &str| serde_json::to_string(text).unwrap();
                let file = (0..layers).fold(format!(r#"{{"é\n": [1, {text}]}}"#), |text, _| string(&text));
                let mut sources = SourceMap::new();
                let id = sources.add(Source::new("f.json", file.clone()));
                let (place, mut tape) = (Place::direct(id, 0), Tape::new());
                let json = tape.read(&file, &place).unwrap();
                let (kept, span) = unwrap(json, 0, &mut |inner| {
                    let (_, list) = inner.members().next().unwrap();
                    let policy = list.elements().nth(1).unwrap();
                    (read_policy(policy, PolicyKind::Identity).unwrap(), policy.span())
                })
                .unwrap();
                let document = Document::deferred(PolicyKind::Identity, span);
                let again = document.policy(&sources);
                assert_eq!(again.statements.len(), 1, "{file}");
                assert_eq!(format!("{:?}", kept.statements), format!("{:?}", again.statements), "{file}");
                assert_eq!(document.size(&sources).minified_bytes as usize, POLICY.len(), "{file}");
                let effect = again.statements[0].effect_span;
                assert!(file[effect.start as usize..effect.end as usize].contains("Allow"), "{file}");
            }
        }
    }

    #[test]
    fn statements_are_measured_in_every_encoding() {
        for text in encodings() {
            let mut sources = SourceMap::new();
            let id = sources.add(Source::new("f.json", text.clone()));
            let sizes = Document::deferred(PolicyKind::Identity, Span::new(id, 0, text.len() as u32));
            assert_eq!(sizes.size(&sources).minified_bytes as usize, POLICY.len(), "{text}");
            let sizes: Vec<u32> = sizes.statement_sizes(&sources).iter().map(|size| size.minified_bytes).collect();
            assert_eq!(sizes, [POLICY.len() as u32 - "{\"Statement\":[]}".len() as u32], "{text}");
        }
    }

    #[test]
    fn broken_text_inside_text_is_shown_where_it_stands_in_the_file() {
        let text = r#"{"Policy":"{\"Statement\":[}"}"#;
        let place = Place::direct(SourceId::new(0), 0);
        let mut tape = Tape::new();
        let policy = tape.read(text, &place).unwrap().member("Policy").unwrap();
        let broken = read_policy(policy, PolicyKind::Bucket).unwrap_err();
        assert_eq!(broken.message, "expected a JSON value");
        assert_eq!(broken.span.start as usize, text.find("}\"").unwrap());
    }
}
