//! Parts of a matrix: some readers, some owners, or each pair of them by itself.

use super::{Cell, Column, Matrix, Party, Row, Scope};

/// A name that stands in none of the matrices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInMatrix {
    /// Nobody of this name reads.
    #[error("no reader is called `{0}`")]
    Reader(String),
    /// Nobody of this name owns logs.
    #[error("no account whose logs are kept here is called `{0}`")]
    Logs(String),
}

/// The matrices with some readers and the logs of some owners; no name stands for all.
///
/// # Errors
/// The first name that stands in none of the matrices.
pub fn narrowed(matrices: &[Matrix], readers: &[String], logs: &[String]) -> Result<Vec<Matrix>, NotInMatrix> {
    let rows = matrices.iter().flat_map(|matrix| &matrix.rows).flat_map(|row| &row.readers);
    let columns = matrices.iter().flat_map(|matrix| &matrix.columns).flat_map(|column| &column.owners);
    if let Some(name) = readers.iter().find(|name| !rows.clone().any(|party| party.is_called(name))) {
        return Err(NotInMatrix::Reader(name.clone()));
    }
    if let Some(name) = logs.iter().find(|name| !columns.clone().any(|party| party.is_called(name))) {
        return Err(NotInMatrix::Logs(name.clone()));
    }
    // A bucket in which none of them reads, or has logs, has nothing to show.
    let shown = matrices.iter().filter(|matrix| {
        is_named(matrix.rows.iter().flat_map(|row| &row.readers), readers)
            && is_named(matrix.columns.iter().flat_map(|column| &column.owners), logs)
    });
    Ok(shown.map(|matrix| matrix.narrowed(readers, logs)).collect())
}

/// Whether one of the parties has one of the names; no name stands for all.
fn is_named<'p>(mut parties: impl Iterator<Item = &'p Party>, names: &[String]) -> bool {
    names.is_empty() || parties.any(|party| names.iter().any(|name| party.is_called(name)))
}

impl Party {
    /// Whether people call it so: by its ID, its label, the name in the label's brackets, or the end of its ARN
    /// (`role/NAME`, `NAME`).
    pub fn is_called(&self, name: &str) -> bool {
        let ends = |separator: char| self.id.rsplit(separator).next() == Some(name);
        self.id == name
            || self.label == name
            || self.name() == Some(name)
            || (self.id.starts_with("arn:") && (ends(':') || ends('/')))
    }

    /// What stands in brackets behind the ID in the label.
    pub fn name(&self) -> Option<&str> {
        self.label.strip_prefix(&*self.id)?.strip_prefix(" (")?.strip_suffix(')')
    }

    /// The ID of the account whose logs are its own.
    pub fn own_account(&self) -> &str {
        let account = || self.id.starts_with("arn:").then(|| self.id.split(':').nth(4)).flatten();
        self.own.as_deref().or_else(account).unwrap_or(&self.id)
    }

    /// Whether the logs of `owner` are its own.
    pub fn owns(&self, owner: &Party) -> bool {
        self.own_account() == owner.id
    }
}

impl Scope {
    /// Whether any of the readers has any of the owners in it.
    pub fn holds(self, readers: &[Party], owners: &[Party]) -> bool {
        let any = |own: bool| readers.iter().any(|reader| owners.iter().any(|owner| reader.owns(owner) == own));
        match self {
            Scope::All => true,
            Scope::Own => any(true),
            Scope::Others => any(false),
        }
    }
}

impl Row {
    /// What one of its readers can do with the logs of one owner of the column at `index`.
    pub fn cell(&self, reader: &Party, index: usize, owner: &Party) -> Option<&Cell> {
        let parts = self.cells.get(index)?;
        let scope = if reader.owns(owner) { Scope::Own } else { Scope::Others };
        let part = |scope| parts.iter().find(|cell| cell.scope == scope);
        part(scope).or_else(|| part(Scope::All)).or_else(|| parts.first())
    }
}

impl Matrix {
    /// The rows of some readers and the columns of some owners; no name stands for all.
    ///
    /// A cell that is parted stays so only where both parts still have logs to speak of.
    pub fn narrowed(&self, readers: &[String], logs: &[String]) -> Matrix {
        let keep = |parties: &[Party], names: &[String]| -> Vec<Party> {
            let wanted = |party: &&Party| is_named(std::iter::once(*party), names);
            parties.iter().filter(wanted).cloned().collect()
        };
        let columns: Vec<Column> = self
            .columns
            .iter()
            .map(|column| Column { owners: keep(&column.owners, logs), prefixes: column.prefixes.clone() })
            .collect();
        let row = |row: &Row| {
            let kept = keep(&row.readers, readers);
            let cells = columns.iter().zip(&row.cells).filter(|(column, _)| !column.owners.is_empty());
            let cells = cells.map(|(column, parts)| narrowed_parts(parts, &kept, &column.owners)).collect();
            Row { kind: row.kind, readers: kept, note: row.note.clone(), cells }
        };
        let rows = self.rows.iter().map(row).filter(|row| !row.readers.is_empty()).collect();
        let columns = columns.into_iter().filter(|column| !column.owners.is_empty()).collect();
        Matrix {
            bucket: self.bucket.clone(),
            owner: self.owner.clone(),
            is_declared: self.is_declared,
            columns,
            rows,
            gaps: self.gaps.clone(),
            notes: self.notes.clone(),
        }
    }

    /// Each reader and each owner by itself, in order of kind and ID.
    pub fn wide(&self) -> Wide<'_> {
        let mut readers: Vec<_> =
            self.rows.iter().flat_map(|row| row.readers.iter().map(move |reader| (row, reader))).collect();
        readers.sort_by(|(a, one), (b, other)| (a.kind, &one.id).cmp(&(b.kind, &other.id)));
        let columns = self.columns.iter().enumerate();
        let mut owners: Vec<_> =
            columns.flat_map(|(index, column)| column.owners.iter().map(move |owner| (index, owner))).collect();
        owners.sort_by(|(_, one), (_, other)| one.id.cmp(&other.id));
        Wide { readers, owners }
    }
}

/// A matrix without classes: one row for each reader and one column for each owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wide<'m> {
    /// Each reader with its row.
    pub readers: Vec<(&'m Row, &'m Party)>,
    /// Each owner with the index of its column.
    pub owners: Vec<(usize, &'m Party)>,
}

impl<'m> Wide<'m> {
    /// All pairs with their cells, row by row.
    pub fn cells(&self) -> impl Iterator<Item = (&'m Row, &'m Party, usize, &'m Party, &'m Cell)> + '_ {
        self.readers.iter().flat_map(move |&(row, reader)| {
            self.owners.iter().filter_map(move |&(index, owner)| {
                row.cell(reader, index, owner).map(|cell| (row, reader, index, owner, cell))
            })
        })
    }
}

/// The parts of a cell that still speak of some logs.
fn narrowed_parts(parts: &[Cell], readers: &[Party], owners: &[Party]) -> Vec<Cell> {
    let mut kept: Vec<Cell> = parts.iter().filter(|cell| cell.scope.holds(readers, owners)).cloned().collect();
    if let [Cell { scope: scope @ Scope::Others, .. }] = kept.as_mut_slice() {
        *scope = Scope::All;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::matrix::ReaderKind;

    fn party(id: &str, label: &str) -> Party {
        Party { id: id.into(), label: label.into(), own: None }
    }

    fn cell(scope: Scope) -> Cell {
        Cell { scope, can: Vec::new(), can_not: Vec::new(), is_encrypted: None, fit: None }
    }

    fn members() -> Vec<Party> {
        (1..=3).map(|n| party(&n.to_string().repeat(12), &format!("{} (team {n})", n.to_string().repeat(12)))).collect()
    }

    fn matrix() -> Matrix {
        Matrix {
            bucket: "b".into(),
            owner: None,
            is_declared: false,
            columns: vec![Column { owners: members(), prefixes: Vec::new() }],
            rows: vec![Row {
                kind: ReaderKind::Account,
                readers: members(),
                note: None,
                cells: vec![vec![cell(Scope::Own), cell(Scope::Others)]],
            }],
            gaps: Vec::new(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn parties_are_known_by_id_label_name_and_end_of_arn() {
        let account = party("222222222222", "222222222222 (payments)");
        assert!(["222222222222", "222222222222 (payments)", "payments"].iter().all(|name| account.is_called(name)));
        assert!(["2222", "", "(payments)"].iter().all(|name| !account.is_called(name)));
        let role = party("arn:aws:iam::111111111111:role/logs/reader", "reader of 111111111111");
        assert!(["reader", "role/logs/reader", "reader of 111111111111"].iter().all(|name| role.is_called(name)));
        assert!(!role.is_called("111111111111"));
        assert_eq!((role.own_account(), account.own_account()), ("111111111111", "222222222222"));
        let shared = Party { own: Some("222222222222".into()), ..role };
        assert!(shared.owns(&account));
    }

    #[test]
    fn a_narrowed_cell_keeps_the_parts_that_have_logs() {
        let scopes = |readers: &[&str], logs: &[&str]| -> Vec<Scope> {
            let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            let narrow = matrix().narrowed(&names(readers), &names(logs));
            narrow.rows[0].cells[0].iter().map(|cell| cell.scope).collect()
        };
        assert_eq!(scopes(&["team 1"], &[]), [Scope::Own, Scope::Others]);
        assert_eq!(scopes(&["team 1"], &["team 1"]), [Scope::Own]);
        assert_eq!(scopes(&["team 1"], &["team 2", "team 3"]), [Scope::All]);
        assert_eq!(scopes(&[], &["team 2"]), [Scope::Own, Scope::Others]);
    }

    #[test]
    fn a_name_that_stands_nowhere_is_an_error_and_a_bucket_without_it_is_left_out() {
        let mut other = matrix();
        other.bucket = "c".into();
        other.rows[0].readers.truncate(1);
        let both = [matrix(), other];
        let names = |name: &str| vec![name.to_owned()];
        let found = narrowed(&both, &names("team 2"), &[]).unwrap();
        assert_eq!(found.iter().map(|matrix| matrix.bucket.as_str()).collect::<Vec<_>>(), ["b"]);
        assert_eq!(narrowed(&both, &[], &[]).unwrap(), both);
        assert_eq!(narrowed(&both, &names("x"), &[]), Err(NotInMatrix::Reader("x".into())));
        assert_eq!(narrowed(&both, &[], &names("x")), Err(NotInMatrix::Logs("x".into())));
    }

    #[test]
    fn the_wide_view_has_each_pair_once_with_its_part() {
        let matrix = matrix();
        let wide = matrix.wide();
        let pairs: Vec<(&str, &str, Scope)> =
            wide.cells().map(|(_, reader, _, owner, cell)| (&reader.id[..1], &owner.id[..1], cell.scope)).collect();
        assert_eq!(pairs.len(), 9);
        assert!(pairs.iter().all(|(reader, owner, scope)| (reader == owner) == (*scope == Scope::Own)));
    }
}
