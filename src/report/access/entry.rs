//! What cells say as sentences, which all formats share.

use super::why::Verdict;
use super::words::{
    could_deny, depends_on, is_fetch, joined, lacks_decrypt, main_access, main_refusal, may_be_encrypted, names,
    plural, refusal, roles, verb,
};
use crate::finding::matrix::{Ability, Access, Cell, Certainty, Fit, Matrix, Party, ReaderKind, Row, Scope};
use crate::finding::{Dependency, Step, StepEffect};

const NOT_READ: &str = ", but not read them";
const NOT_DECRYPT: &str = ", but not decrypt them";

/// A cell with those it is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'m> {
    pub(super) matrix: &'m Matrix,
    pub(super) row: &'m Row,
    pub(super) readers: &'m [Party],
    pub(super) owners: &'m [Party],
    pub(super) cell: &'m Cell,
}

impl<'m> Entry<'m> {
    /// All cells of a matrix, row by row.
    pub(super) fn all(matrix: &'m Matrix) -> impl Iterator<Item = Entry<'m>> {
        matrix.rows.iter().flat_map(move |row| {
            matrix.columns.iter().zip(&row.cells).flat_map(move |(column, parts)| {
                let (readers, owners) = (row.readers.as_slice(), column.owners.as_slice());
                parts.iter().map(move |cell| Entry { matrix, row, readers, owners, cell })
            })
        })
    }

    /// The cells that are too much, then those that are too little.
    pub(super) fn deviations(matrix: &'m Matrix, fit: Fit) -> Vec<Entry<'m>> {
        Entry::all(matrix).filter(|entry| entry.cell.fit == Some(fit)).collect()
    }

    fn is_own(&self) -> bool {
        let same = || matches!((self.readers, self.owners), ([reader], [owner]) if reader.owns(owner));
        self.cell.scope == Scope::Own || same()
    }

    /// Who reads.
    pub(super) fn subject(&self) -> String {
        match self.readers {
            [one] => one.label.clone(),
            many => format!("{} {} ({})", many.len(), plural(self.row.kind), names(many, 2)),
        }
    }

    /// Whose logs.
    pub(super) fn object(&self) -> String {
        let several = self.readers.len() > 1 || self.row.kind == ReaderKind::Anyone;
        if self.is_own() {
            return match self.readers.iter().find_map(|reader| reader.own.as_deref()) {
                Some(_) if several => "the logs of the account that each is for".to_owned(),
                Some(own) => {
                    let label = self.owners.iter().find(|owner| owner.id == own).map_or(own, |owner| &owner.label);
                    format!("the logs of {label}, which it is for")
                }
                None if several => "their own logs".to_owned(),
                None => "its own logs".to_owned(),
            };
        }
        let others: Vec<&Party> = match (self.cell.scope, self.readers) {
            (Scope::Others, [reader]) => self.owners.iter().filter(|owner| !reader.owns(owner)).collect(),
            (Scope::Others, _) if self.row.kind == ReaderKind::Account => return "each other's logs".to_owned(),
            (Scope::Others, _) => return "the logs of the others".to_owned(),
            _ => self.owners.iter().collect(),
        };
        match (others.as_slice(), self.cell.scope) {
            ([one], _) => format!("the logs of {}", one.label),
            (many, Scope::Others) => format!("the logs of the {} others", many.len()),
            (many, _) => format!("the logs of {} accounts ({})", many.len(), names(self.owners, 2)),
        }
    }

    /// What the readers can do, or that they can not, as a sentence without its period.
    pub(super) fn sentence(&self) -> String {
        self.sentence_of(&self.object())
    }

    /// The sentence with the bucket in it.
    pub(super) fn sentence_in_bucket(&self) -> String {
        self.sentence_of(&format!("{} in {}", self.object(), self.matrix.bucket))
    }

    fn sentence_of(&self, object: &str) -> String {
        let (subject, cell) = (self.subject(), self.cell);
        let pronoun = self.pronoun();
        if cell.can.is_empty() {
            let refused: Vec<&str> = refused(cell).into_iter().map(verb).collect();
            let verbs = if refused.is_empty() { "do anything with".to_owned() } else { joined(&refused, "or") };
            return match self.row.kind {
                ReaderKind::Anyone if subject == "anyone" => format!("the public can not {verbs} {object}"),
                ReaderKind::Anyone => format!("not just {subject} can {verbs} {object}"),
                _ => format!("{subject} can not {verbs} {object}"),
            };
        }
        let verbs = |certainty: Certainty| -> Vec<&'static str> {
            let those = cell.can.iter().filter(|access| access.certainty == certainty);
            let fetches = |access: &Access| access.ability == Ability::Get && is_fetch(cell);
            those.map(|access| if fetches(access) { "fetch" } else { verb(access.ability) }).collect()
        };
        let mut text = String::new();
        let certain = verbs(Certainty::Certain);
        if !certain.is_empty() {
            text = format!("{subject} can {} {object}", joined(&certain, "and"));
        }
        let conditional = verbs(Certainty::Conditional);
        if !conditional.is_empty() {
            let verbs = joined(&conditional, "and");
            // What was not collected and could deny hangs over certain answers too.
            let on = depends_on(cell, Certainty::Conditional).into_iter();
            let on = on.filter(|on| !could_deny(Certainty::Conditional, on)).map(Dependency::text).collect::<Vec<_>>();
            let on = if on.is_empty() { String::new() } else { format!(", depending on {}", joined(&on, "and")) };
            text = match text.is_empty() {
                true => format!("{subject} may be able to {verbs} {object}{on}"),
                false => format!("{text}; {pronoun} may be able to {verbs} them{on}"),
            };
        }
        let unknown = verbs(Certainty::Unknown);
        if !unknown.is_empty() {
            let verbs = joined(&unknown, "or");
            text = match text.is_empty() {
                true => format!("whether {subject} can {verbs} {object} is not known"),
                false => format!("{text}; whether {pronoun} can {verbs} them is not known"),
            };
        }
        if lacks_decrypt(cell) {
            text.push_str(NOT_DECRYPT);
        }
        if cell.fit == Some(Fit::TooLittle) && refusal(cell, Ability::Get).is_some() {
            text.push_str(NOT_READ);
        }
        if may_be_encrypted(cell) {
            text.push_str("; whether they are under a key is not known");
        }
        text
    }

    /// Whether the matter is what the readers can not do: some of it, or all, and what they should.
    pub(super) fn is_lacking(&self) -> bool {
        self.cell.fit == Some(Fit::TooLittle) || matches!(self.verdict(), Verdict::No | Verdict::Partly)
    }

    /// Whether the contents can be read.
    pub(super) fn verdict(&self) -> Verdict {
        let cell = self.cell;
        let readable = match cell.is_encrypted {
            Some(false) => cell.access(Ability::Get),
            _ => cell.access(Ability::Decrypt),
        };
        match readable.map(|access| access.certainty) {
            Some(Certainty::Certain) => Verdict::Yes,
            Some(Certainty::Conditional) => Verdict::Conditional,
            Some(Certainty::Unknown) => Verdict::Unknown,
            None if cell.can.is_empty() => Verdict::No,
            None if may_be_encrypted(cell) => Verdict::Unknown,
            None if cell.can.iter().all(|access| access.certainty == Certainty::Unknown) => Verdict::Unknown,
            None => Verdict::Partly,
        }
    }

    /// What the readers can not do and why, then what they can, without the period.
    pub(super) fn lack_in_bucket(&self) -> String {
        let object = format!("{} in {}", self.object(), self.matrix.bucket);
        let mut refused = refused(self.cell);
        refused.retain(|ability| *ability != Ability::Write);
        let verbs: Vec<&str> = refused.into_iter().map(verb).collect();
        let (subject, verbs) = (self.subject(), joined(&verbs, "or"));
        let mut text = match self.row.kind {
            ReaderKind::Anyone if subject == "anyone" => format!("the public can not {verbs} {object}"),
            _ => format!("{subject} can not {verbs} {object}"),
        };
        if let Some(refusal) = main_refusal(self.cell) {
            text.push_str(&format!(": {}", refusal.cause));
        }
        let can = self.sentence_of("them");
        let can = can.strip_prefix(&subject).map_or_else(|| can.clone(), |rest| format!("{}{rest}", self.pronoun()));
        let can = [NOT_READ, NOT_DECRYPT].iter().find_map(|not| can.strip_suffix(not)).unwrap_or(&can);
        format!("{text}. {}", capital(can))
    }

    fn pronoun(&self) -> &'static str {
        if self.readers.len() > 1 || self.row.kind == ReaderKind::Anyone { "they" } else { "it" }
    }

    /// Whether something about it is not known.
    fn is_open(&self) -> bool {
        self.cell.can.iter().any(|access| access.certainty == Certainty::Unknown)
    }

    /// How the cell stands to the model, as a sentence without its period.
    pub(super) fn judgement(&self) -> &'static str {
        match self.cell.fit {
            Some(Fit::Expected) => "this is what the sharing model says",
            Some(Fit::TooMuch) => "this is more than the sharing model gives",
            Some(Fit::TooLittle) => "this is less than the sharing model gives",
            None if self.matrix.is_declared && self.is_open() => {
                "whether this fits the sharing model is not known either"
            }
            None if self.matrix.is_declared => "the sharing model says nothing about it",
            None => "no sharing model is declared, so nothing says whether it should be so",
        }
    }

    /// Why it is as it is, in few words, and the step that shows it.
    pub(super) fn reason(&self) -> Option<(String, Option<&'m Step>)> {
        let shows = |steps: &'m [Step], effects: &[StepEffect]| {
            steps.iter().find(|step| effects.contains(&step.effect) && step.span.is_some())
        };
        if self.cell.fit != Some(Fit::TooLittle)
            && let Some(access) = main_access(self.cell)
        {
            let step =
                access.path.iter().rev().find_map(|hop| shows(&hop.steps, &[StepEffect::Allows, StepEffect::If]));
            let words = match (roles(access).as_slice(), step) {
                ([], Some(step)) => step.message.clone(),
                ([], None) => access.path.last()?.title.clone(),
                (roles, _) => format!("through {}", joined(roles, "and then")),
            };
            return Some((words, step));
        }
        let refusal = main_refusal(self.cell)?;
        // What lets the request through elsewhere is not the place to look at.
        let step = shows(&refusal.steps, &[StepEffect::Denies, StepEffect::Missing]);
        Some((refusal.cause.clone(), step))
    }
}

/// What can not be done; what can not be fetched need not be decrypted.
fn refused(cell: &Cell) -> Vec<Ability> {
    let is_refused = |ability: &Ability| refusal(cell, *ability).is_some();
    let refused = Ability::ALL.into_iter().filter(is_refused);
    refused.filter(|ability| *ability != Ability::Decrypt || refusal(cell, Ability::Get).is_none()).collect()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::access::words::tests::cell;

    use Ability::{Decrypt, Get, List, Write};
    use Certainty::{Certain, Conditional, Unknown};

    #[test]
    fn sentences_name_what_is_certain_then_what_is_not() {
        let reader = [Party { id: "222222222222".into(), label: "222222222222 (payments)".into(), own: None }];
        let other = [Party { id: "333333333333".into(), label: "333333333333".into(), own: None }];
        let row = Row { kind: ReaderKind::Account, readers: reader.to_vec(), note: None, cells: Vec::new() };
        let matrix = Matrix {
            bucket: "b".into(),
            owner: None,
            is_declared: false,
            columns: Vec::new(),
            rows: Vec::new(),
            gaps: Vec::new(),
            notes: Vec::new(),
        };
        let sentence = |cell: Cell, owners: &[Party]| {
            Entry { matrix: &matrix, row: &row, readers: &reader, owners, cell: &cell }.sentence()
        };
        assert_eq!(
            sentence(cell(&[(List, Certain), (Get, Certain), (Decrypt, Conditional)], &[Write], None), &reader),
            "222222222222 (payments) can list and fetch its own logs; it may be able to decrypt them, depending on \
             aws:SourceIp"
        );
        assert_eq!(
            sentence(cell(&[(Get, Certain)], &[List, Decrypt], Some(true)), &other),
            "222222222222 (payments) can fetch the logs of 333333333333, but not decrypt them"
        );
        let listed = Cell { fit: Some(Fit::TooLittle), ..cell(&[(List, Certain)], &[Get, Decrypt], Some(true)) };
        assert_eq!(sentence(listed, &reader), "222222222222 (payments) can list its own logs, but not read them");
        assert_eq!(
            sentence(cell(&[], &[List, Get, Decrypt], Some(true)), &other),
            "222222222222 (payments) can not list or read the logs of 333333333333"
        );
        assert_eq!(
            sentence(cell(&[(Get, Unknown)], &[List], Some(false)), &other),
            "whether 222222222222 (payments) can read the logs of 333333333333 is not known"
        );
    }
}
