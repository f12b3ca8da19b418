//! What cells say, in the words that all formats share.

use crate::finding::Dependency;
use crate::finding::matrix::{Ability, Access, Cell, Certainty, Fit, Matrix, Party, ReaderKind, Refusal};

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
            Word::Read => "can fetch log files; sees their contents where they are under no key",
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

/// Whether what is fetched may be unreadable: a key stands between, or nobody knows whether one does.
pub(super) fn is_fetch(cell: &Cell) -> bool {
    let Some(get) = cell.access(Ability::Get) else { return false };
    match cell.access(Ability::Decrypt) {
        Some(decrypt) => decrypt.certainty > get.certainty,
        None => lacks_decrypt(cell) || cell.is_encrypted.is_none(),
    }
}

/// Whether objects can be fetched and it is not known whether they are under a key.
pub(super) fn may_be_encrypted(cell: &Cell) -> bool {
    let is_silent = cell.access(Ability::Decrypt).is_none() && refusal(cell, Ability::Decrypt).is_none();
    cell.is_encrypted.is_none() && cell.access(Ability::Get).is_some() && is_silent
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

/// The roles on the way.
pub(super) fn roles(access: &Access) -> Vec<&str> {
    access.path.iter().filter_map(|hop| hop.role.as_deref()).collect()
}

/// What the abilities of a certainty hang on, each once.
pub(super) fn depends_on(cell: &Cell, certainty: Certainty) -> Vec<&Dependency> {
    let mut found: Vec<&Dependency> = Vec::new();
    for access in cell.can.iter().filter(|access| access.certainty == certainty) {
        for fact in &access.depends_on {
            if !found.contains(&fact) {
                found.push(fact);
            }
        }
    }
    found
}

/// Whether what an answer depends on was not collected and could only deny, and is no condition.
pub(super) fn could_deny(certainty: Certainty, on: &Dependency) -> bool {
    certainty != Certainty::Unknown && on.is_fact()
}

pub(super) fn verb(ability: Ability) -> &'static str {
    match ability {
        Ability::List => "list",
        Ability::Get => "read",
        Ability::Decrypt => "decrypt",
        Ability::Write => "write",
    }
}

/// What an answer hangs on, in a row; what holds a comma itself is parted more clearly.
pub(super) fn in_a_row(facts: &[&str]) -> String {
    facts.join(if facts.iter().any(|fact| fact.contains(',')) { "; " } else { ", " })
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
pub(super) mod tests {
    use super::*;
    use crate::finding::matrix::Scope;

    pub(in crate::report::access) fn cell(
        can: &[(Ability, Certainty)],
        can_not: &[Ability],
        is_encrypted: Option<bool>,
    ) -> Cell {
        let access = |&(ability, certainty): &(Ability, Certainty)| Access {
            ability,
            certainty,
            depends_on: if certainty == Conditional {
                vec![Dependency::of_request("aws:SourceIp")]
            } else {
                Vec::new()
            },
            path: Vec::new(),
            witness: None,
        };
        let refusal = |&ability: &Ability| Refusal {
            ability,
            cause: "nothing allows it".into(),
            steps: Vec::new(),
            would_take: Vec::new(),
        };
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
}
