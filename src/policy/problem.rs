//! Mistakes in a policy document.

use std::fmt;

use compact_str::CompactString;

use crate::text::Span;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Where.
    pub span: Span,
    /// The statement it is in, by its number from 0.
    pub statement: Option<u32>,
}

impl Problem {
    /// Whether AWS would refuse the document, so that what it says is not in force.
    pub fn is_refused(&self) -> bool {
        !matches!(self.kind, ProblemKind::Empty(_) | ProblemKind::MissingInKeyPolicy(_))
    }
}

/// What can be wrong in a policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// An element has the wrong JSON type: element, what it is, what it should be.
    WrongType(&'static str, &'static str, &'static str),
    /// An element that the language does not have.
    UnknownElement(CompactString),
    /// An element this kind of document may not have.
    Unsupported(&'static str, &'static str),
    /// An element that is missing.
    Missing(&'static str),
    /// `Action` or `Resource` is missing in a key policy, which KMS takes but ignores the statement.
    MissingInKeyPolicy(&'static str),
    /// An element and its `Not…` form together.
    Both(&'static str, &'static str),
    /// `Version` is neither of the two.
    InvalidVersion(CompactString),
    /// `Effect` is neither `Allow` nor `Deny`.
    InvalidEffect(CompactString),
    /// A condition operator that does not exist.
    UnknownOperator(CompactString),
    /// A key of `Principal` other than AWS, Service, Federated, CanonicalUser.
    UnknownPrincipalKey(CompactString),
    /// `Principal` is a text other than `*`.
    InvalidPrincipal(CompactString),
    /// A text of none of the forms that a principal under this key of `Principal` has.
    NoPrincipal(&'static str, CompactString),
    /// A list without entries: the statement does nothing.
    Empty(&'static str),
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProblemKind::WrongType(element, is, wanted) => write!(f, "`{element}` is {is}, not {wanted}"),
            ProblemKind::UnknownElement(name) => write!(f, "`{name}` is no element of the policy language"),
            ProblemKind::Unsupported(element, kind) => write!(f, "`{element}` has no place in this {kind}"),
            ProblemKind::Missing(element) => write!(f, "`{element}` is missing"),
            ProblemKind::MissingInKeyPolicy(element) => {
                write!(f, "`{element}` is missing, so KMS ignores the statement")
            }
            ProblemKind::Both(one, other) => write!(f, "`{one}` and `{other}` stand together"),
            ProblemKind::InvalidVersion(text) => {
                write!(f, "`Version` is `{text}`, not `2012-10-17` or `2008-10-17`")
            }
            ProblemKind::InvalidEffect(text) => write!(f, "`Effect` is `{text}`, not `Allow` or `Deny`"),
            ProblemKind::UnknownOperator(text) => write!(f, "`{text}` is no condition operator"),
            ProblemKind::UnknownPrincipalKey(text) => {
                write!(f, "`{text}` is no kind of principal; AWS, Service, Federated and CanonicalUser are")
            }
            ProblemKind::InvalidPrincipal(text) => write!(f, "`Principal` is the text `{text}`; only `*` stands alone"),
            ProblemKind::NoPrincipal(key, text) => {
                write!(f, "`{text}` has none of the forms of a principal under `{key}`")
            }
            ProblemKind::Empty(element) => write!(f, "`{element}` is empty, so the statement does nothing"),
        }
    }
}
