//! What cells say, in the words and sentences that all formats share.

use crate::finding::matrix::{Ability, Access, Cell, Certainty, Fit, Matrix, Party, ReaderKind, Refusal, Row, Scope};
use crate::finding::{Step, StepEffect};

/// One word of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Word {
    None,
    List,
    /// Fetching objects that are under no key.
    Read,
    /// Fetching objects under a key that the reader can not use.
    ReadNoDecrypt,
    ReadDecrypt,
    Write,
    /// Nothing is known.
    Unknown,
}

impl Word {
    pub(super) const ALL: [Word; 7] =
        [Word::None, Word::List, Word::Read, Word::ReadNoDecrypt, Word::ReadDecrypt, Word::Write, Word::Unknown];

    /// One letter for it, for tables of many columns.
    pub(super) fn letter(self) -> &'static str {
        match self {
            Word::None => "–",
            Word::List => "L",
            Word::Read => "R",
            Word::ReadNoDecrypt => "N",
            Word::ReadDecrypt => "D",
            Word::Write => "W",
            Word::Unknown => "?",
        }
    }

    /// The word without its certainty.
    pub(super) fn text(self) -> &'static str {
        match self {
            Word::None => "none",
            Word::List => "list",
            Word::Read => "read",
            Word::ReadNoDecrypt => "read (no decrypt)",
            Word::ReadDecrypt => "read+decrypt",
            Word::Write => "write",
            Word::Unknown => "unknown",
        }
    }

    pub(super) fn meaning(self) -> &'static str {
        match self {
            Word::None => "no access",
            Word::List => "can list the names of log files",
            Word::Read => "can fetch log files and see their contents",
            Word::ReadNoDecrypt => "can fetch log files, but not use the key that they are encrypted under",
            Word::ReadDecrypt => "can fetch and decrypt log files that are encrypted under a key",
            Word::Write => "can write, overwrite or delete log files",
            Word::Unknown => "what was read does not tell",
        }
    }
}

/// A word and how certain it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Said {
    pub(super) word: Word,
    pub(super) certainty: Certainty,
}

impl Said {
    /// `read`, `read if`, `read ?`.
    pub(super) fn text(self) -> String {
        let mark = mark(self.certainty);
        match self.word {
            Word::Unknown | Word::None => self.word.text().to_owned(),
            Word::ReadNoDecrypt if !mark.is_empty() => format!("read {mark} (no decrypt)"),
            word if mark.is_empty() => word.text().to_owned(),
            word => format!("{} {mark}", word.text()),
        }
    }

    /// `R`, `R if`, `R?`.
    pub(super) fn letter(self) -> String {
        match (self.word, self.certainty) {
            (Word::Unknown | Word::None, _) | (_, Certainty::Certain) => self.word.letter().to_owned(),
            (word, Certainty::Conditional) => format!("{} if", word.letter()),
            (word, Certainty::Unknown) => format!("{}?", word.letter()),
        }
    }
}

/// What stands behind a word that is not certain.
pub(super) fn mark(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Certain => "",
        Certainty::Conditional => "if",
        Certainty::Unknown => "?",
    }
}

/// The words of a cell, from the least to the most; never none.
pub(super) fn words(cell: &Cell) -> Vec<Said> {
    if cell.can.is_empty() {
        return vec![Said { word: Word::None, certainty: Certainty::Certain }];
    }
    let is_unknown = |access: &Access| access.certainty == Certainty::Unknown;
    if cell.can_not.is_empty() && cell.can.len() > 1 && cell.can.iter().all(is_unknown) {
        return vec![Said { word: Word::Unknown, certainty: Certainty::Unknown }];
    }
    let of = |ability| cell.access(ability).map(|access| access.certainty);
    let mut said: Vec<(Word, Option<Certainty>)> = vec![(Word::List, of(Ability::List))];
    match (of(Ability::Get), of(Ability::Decrypt)) {
        (Some(get), Some(decrypt)) if decrypt <= get => said.push((Word::ReadDecrypt, Some(get))),
        (Some(get), Some(decrypt)) => said.extend([(Word::Read, Some(get)), (Word::ReadDecrypt, Some(decrypt))]),
        (None, decrypt) => said.push((Word::ReadDecrypt, decrypt)),
        (get, None) if lacks_decrypt(cell) => said.push((Word::ReadNoDecrypt, get)),
        (get, None) if cell.is_encrypted.is_none() => {
            said.extend([(Word::Read, get), (Word::ReadDecrypt, Some(Certainty::Unknown))]);
        }
        (get, None) => said.push((Word::Read, get)),
    }
    said.push((Word::Write, of(Ability::Write)));
    said.into_iter().filter_map(|(word, certainty)| Some(Said { word, certainty: certainty? })).collect()
}

/// Whether objects can be fetched and not decrypted.
pub(super) fn lacks_decrypt(cell: &Cell) -> bool {
    cell.access(Ability::Get).is_some()
        && cell.access(Ability::Decrypt).is_none()
        && (cell.is_encrypted == Some(true) || refusal(cell, Ability::Decrypt).is_some())
}

/// What stops an ability.
pub(super) fn refusal(cell: &Cell, ability: Ability) -> Option<&Refusal> {
    cell.can_not.iter().find(|refusal| refusal.ability == ability)
}

/// The ability that matters most of those that are there.
pub(super) fn main_access(cell: &Cell) -> Option<&Access> {
    let order = [Ability::Decrypt, Ability::Get, Ability::Write, Ability::List];
    // A certain ability says more than a greater one that nobody knows of.
    let known = order.iter().find_map(|ability| cell.access(*ability).filter(|a| a.certainty != Certainty::Unknown));
    known.or_else(|| order.iter().find_map(|ability| cell.access(*ability)))
}

/// The refusal that matters most: that of fetching, for what can not be fetched need not be decrypted.
pub(super) fn main_refusal(cell: &Cell) -> Option<&Refusal> {
    let order = [Ability::Get, Ability::Decrypt, Ability::List, Ability::Write];
    order.iter().find_map(|ability| refusal(cell, *ability))
}

/// `✓`, `▲`, `▼`.
pub(super) fn fit_mark(fit: Fit) -> &'static str {
    match fit {
        Fit::Expected => "✓",
        Fit::TooMuch => "▲",
        Fit::TooLittle => "▼",
    }
}

/// The fit in words.
pub(super) fn fit_text(fit: Fit) -> &'static str {
    match fit {
        Fit::Expected => "expected",
        Fit::TooMuch => "too much",
        Fit::TooLittle => "too little",
    }
}

/// What several readers of a kind are called.
pub(super) fn plural(kind: ReaderKind) -> &'static str {
    match kind {
        ReaderKind::Anyone => "anyone",
        ReaderKind::Account => "accounts",
        ReaderKind::ThirdParty => "third parties",
        ReaderKind::Role => "roles",
        ReaderKind::User => "users",
        ReaderKind::Service => "services",
    }
}

/// The labels of the first `most`, and how many more there are.
pub(super) fn names(parties: &[Party], most: usize) -> String {
    // Saying "1 more" takes as much room as saying which.
    let most = if parties.len() == most + 1 { most + 1 } else { most };
    let mut list: Vec<&str> = parties.iter().take(most).map(short).collect();
    let more = format!("… and {} more", parties.len().saturating_sub(most));
    if parties.len() > most {
        list.push(&more);
    }
    list.join(", ")
}

/// What one of several is called: of an ARN what stands behind the account.
pub(super) fn short(party: &Party) -> &str {
    let resource = || party.id.splitn(6, ':').nth(5);
    let is_arn = party.label == party.id && party.id.starts_with("arn:");
    is_arn.then(resource).flatten().unwrap_or(&party.label)
}

/// What is under a key prefix, where all columns of a matrix have the same.
pub(super) fn common_prefixes(matrix: &Matrix) -> Option<&[String]> {
    let first = matrix.columns.first()?.prefixes.as_slice();
    let is_same = matrix.columns.iter().all(|column| column.prefixes == first);
    (is_same && !first.is_empty()).then_some(first)
}

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
        let pronoun = if self.readers.len() > 1 || self.row.kind == ReaderKind::Anyone { "they" } else { "it" };
        if cell.can.is_empty() {
            let refused: Vec<&str> = Ability::ALL
                .into_iter()
                .filter(|ability| refusal(cell, *ability).is_some())
                .filter(|ability| *ability != Ability::Decrypt || refusal(cell, Ability::Get).is_none())
                .map(verb)
                .collect();
            let verbs = if refused.is_empty() { "do anything with".to_owned() } else { joined(&refused, "or") };
            return match self.row.kind {
                ReaderKind::Anyone => format!("not just {subject} can {verbs} {object}"),
                _ => format!("{subject} can not {verbs} {object}"),
            };
        }
        let verbs =
            |certainty: Certainty| -> Vec<&'static str> {
                let those = cell.can.iter().filter(|access| access.certainty == certainty);
                those
                    .map(|access| {
                        if lacks_decrypt(cell) && access.ability == Ability::Get {
                            "fetch"
                        } else {
                            verb(access.ability)
                        }
                    })
                    .collect()
            };
        let mut text = String::new();
        let certain = verbs(Certainty::Certain);
        if !certain.is_empty() {
            text = format!("{subject} can {} {object}", joined(&certain, "and"));
        }
        let conditional = verbs(Certainty::Conditional);
        if !conditional.is_empty() {
            let verbs = joined(&conditional, "and");
            let on = depends_on(cell, Certainty::Conditional);
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
            text.push_str(", but not decrypt them");
        }
        text
    }

    /// How the cell stands to the model, as a sentence without its period.
    pub(super) fn judgement(&self) -> &'static str {
        match self.cell.fit {
            Some(Fit::Expected) => "this is what the sharing model says",
            Some(Fit::TooMuch) => "this is more than the sharing model gives",
            Some(Fit::TooLittle) => "this is less than the sharing model gives",
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
        let step =
            shows(&refusal.steps, &[StepEffect::Denies]).or_else(|| refusal.steps.iter().find(|s| s.span.is_some()));
        Some((refusal.cause.clone(), step))
    }
}

/// The roles on the way.
pub(super) fn roles(access: &Access) -> Vec<&str> {
    access.path.iter().filter_map(|hop| hop.role.as_deref()).collect()
}

/// What the abilities of a certainty hang on, each once.
pub(super) fn depends_on(cell: &Cell, certainty: Certainty) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for access in cell.can.iter().filter(|access| access.certainty == certainty) {
        for fact in &access.depends_on {
            if !found.contains(&fact.as_str()) {
                found.push(fact);
            }
        }
    }
    found
}

pub(super) fn verb(ability: Ability) -> &'static str {
    match ability {
        Ability::List => "list",
        Ability::Get => "read",
        Ability::Decrypt => "decrypt",
        Ability::Write => "write",
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn joined(items: &[&str], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(can: &[(Ability, Certainty)], can_not: &[Ability], is_encrypted: Option<bool>) -> Cell {
        let access = |&(ability, certainty): &(Ability, Certainty)| Access {
            ability,
            certainty,
            depends_on: if certainty == Conditional { vec!["aws:SourceIp".into()] } else { Vec::new() },
            path: Vec::new(),
            witness: None,
        };
        let refusal = |&ability: &Ability| Refusal { ability, cause: "nothing allows it".into(), steps: Vec::new() };
        Cell {
            scope: Scope::All,
            can: can.iter().map(access).collect(),
            can_not: can_not.iter().map(refusal).collect(),
            is_encrypted,
            fit: None,
        }
    }

    fn said(cell: &Cell) -> String {
        words(cell).into_iter().map(Said::text).collect::<Vec<_>>().join(" · ")
    }

    use Ability::{Decrypt, Get, List, Write};
    use Certainty::{Certain, Conditional, Unknown};

    #[test]
    fn a_cell_says_all_that_holds_and_how_certain_it_is() {
        let table = [
            (cell(&[], &[List, Get, Write], Some(true)), "none"),
            (cell(&[(List, Certain), (Get, Certain)], &[Write], Some(false)), "list · read"),
            (cell(&[(List, Certain), (Get, Certain)], &[Decrypt], Some(true)), "list · read (no decrypt)"),
            (cell(&[(Get, Conditional)], &[Decrypt], Some(true)), "read if (no decrypt)"),
            (cell(&[(Get, Certain), (Decrypt, Certain), (Write, Certain)], &[], Some(true)), "read+decrypt · write"),
            (cell(&[(Get, Certain), (Decrypt, Unknown)], &[], None), "read · read+decrypt ?"),
            (cell(&[(Get, Certain)], &[], None), "read · read+decrypt ?"),
            (cell(&[(Get, Conditional), (Decrypt, Certain)], &[], Some(true)), "read+decrypt if"),
            (cell(&[(List, Unknown), (Get, Unknown), (Write, Unknown)], &[], None), "unknown"),
            (cell(&[(List, Unknown), (Get, Unknown)], &[Write], Some(false)), "list ? · read ?"),
        ];
        for (cell, expected) in table {
            assert_eq!(said(&cell), expected);
        }
    }

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
            "222222222222 (payments) can list and read its own logs; it may be able to decrypt them, depending on \
             aws:SourceIp"
        );
        assert_eq!(
            sentence(cell(&[(Get, Certain)], &[List, Decrypt], Some(true)), &other),
            "222222222222 (payments) can fetch the logs of 333333333333, but not decrypt them"
        );
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
