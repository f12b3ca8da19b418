//! The matrix as JSON: one object, its keys in a fixed order, written as it is made.
//!
//! Where there is an entry for each reader and owner, each is a line: half a million of them are found by line tools.
//!
//! Its shape is [`SCHEMA`]. Within `schema_version` keys are only added.

use std::io::{self, Write};

use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::value::to_raw_value;

use super::entry::Entry;
use super::why::Answer;
use super::words::{self, refusal};
use crate::aws::services::DATA_VERSION;
use crate::finding::Dependency;
use crate::finding::matrix::{Ability, Access, Cell, Certainty, Hop, Matrix, MatrixGap, Party, Row, Scope};
use crate::report::json::{LocationJson, StepJson, Tool, WitnessJson};
use crate::report::places::Places;
use crate::text::{SourceMap, Span};

/// The JSON Schema (draft 2020-12) of the access matrix.
pub const SCHEMA: &str = include_str!("../../../docs/access.schema.json");

/// The version of the shape.
pub const SCHEMA_VERSION: &str = "1";

/// Writes matrices as JSON, indented: an entry for each class of equal cells, or for each cell where `is_wide`.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut dyn Write, matrices: &[Matrix], sources: &SourceMap, is_wide: bool) -> io::Result<()> {
    let all: Vec<&Matrix> = matrices.iter().collect();
    let places = Places::of_spans(sources, spans(&all));
    if is_wide {
        let cells = Each(|| matrices.iter().flat_map(pairs).map(|class| InLine(class.json(&places))));
        return write_document(out, &all, &places, is_wide, cells);
    }
    let cells = Each(|| matrices.iter().flat_map(classes).map(|class| class.json(&places)));
    write_document(out, &all, &places, is_wide, cells)
}

/// Writes answers as a matrix of their cells, each with `answer` and `summary`.
pub(super) fn write_answers(out: &mut dyn Write, answers: &[Answer<'_>], sources: &SourceMap) -> io::Result<()> {
    let mut matrices: Vec<&Matrix> = answers.iter().map(|answer| answer.matrix()).collect();
    matrices.dedup_by(|a, b| std::ptr::eq(*a, *b));
    let places = Places::of_spans(sources, spans(&matrices));
    let is_pair = |entry: Entry<'_>| entry.readers.len() == 1 && entry.owners.len() == 1;
    let cells = Each(|| {
        answers.iter().map(|answer| AnsweredJson {
            answer: answer.verdict().name(),
            summary: answer.sentence(),
            cell: match is_pair(answer.entry()) {
                true => Class::of_pair(answer.entry()),
                false => Class::of(answer.entry()),
            }
            .json(&places),
        })
    });
    let is_wide = answers.iter().all(|answer| is_pair(answer.entry()));
    write_document(out, &matrices, &places, is_wide, cells)
}

fn write_document(
    mut out: &mut dyn Write,
    matrices: &[&Matrix],
    places: &Places<'_>,
    wide: bool,
    cells: impl Serialize,
) -> io::Result<()> {
    let gaps = matrices.iter().flat_map(|matrix| matrix.gaps.iter().map(move |gap| gap_json(matrix, gap, places)));
    let document = Document {
        schema_version: SCHEMA_VERSION,
        tool: Tool::new(DATA_VERSION),
        bucket: if let [one] = matrices { Some(&one.bucket) } else { None },
        wide,
        buckets: matrices.iter().map(|matrix| BucketJson::of(matrix)).collect(),
        cells,
        gaps: gaps.collect(),
    };
    serde_json::to_writer_pretty(&mut out, &document)?;
    writeln!(out)
}

/// All places that the matrices name.
fn spans(matrices: &[&Matrix]) -> Vec<Span> {
    let mut spans = Vec::new();
    for matrix in matrices {
        for cell in matrix.rows.iter().flat_map(|row| &row.cells).flatten() {
            let hops = cell.can.iter().flat_map(|access| &access.path).flat_map(|hop| &hop.steps);
            spans.extend(hops.filter_map(|step| step.span));
            spans.extend(cell.can_not.iter().flat_map(|refusal| &refusal.steps).filter_map(|step| step.span));
        }
        spans.extend(matrix.gaps.iter().flat_map(|gap| &gap.places));
    }
    spans
}

/// A list whose items are made one at a time while they are written.
struct Each<F>(F);

impl<I: Iterator<Item: Serialize>, F: Fn() -> I> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// A value that is written without breaking the line, in a document that is indented.
struct InLine<T>(T);

impl<T: Serialize> Serialize for InLine<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_raw_value(&self.0).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// Cells that are equal.
struct Class<'m> {
    bucket: &'m str,
    row: &'m Row,
    readers: Vec<&'m str>,
    owners: Vec<&'m str>,
    scope: Scope,
    cell: &'m Cell,
}

impl<'m> Class<'m> {
    fn of(entry: Entry<'m>) -> Self {
        let ids = |parties: &'m [Party]| parties.iter().map(|party| party.id.as_str()).collect();
        Class {
            bucket: &entry.matrix.bucket,
            row: entry.row,
            readers: ids(entry.readers),
            owners: ids(entry.owners),
            scope: entry.cell.scope,
            cell: entry.cell,
        }
    }

    /// One reader and one owner: whose logs they are needs no word.
    fn of_pair(entry: Entry<'m>) -> Self {
        Class { scope: Scope::All, ..Class::of(entry) }
    }

    fn json<'j>(&self, places: &'j Places<'_>) -> CellJson<'j>
    where
        'm: 'j,
    {
        let cell = self.cell;
        let main = words::main_access(cell);
        let logs = match self.scope {
            Scope::All => self.owners.clone(),
            Scope::Own => vec!["own"],
            Scope::Others => vec!["others"],
        };
        let mut depends_on: Vec<&str> =
            cell.can.iter().flat_map(|access| &access.depends_on).map(Dependency::text).collect();
        depends_on.sort_unstable();
        depends_on.dedup();
        let refusals = Ability::ALL.into_iter().filter_map(|ability| refusal(cell, ability));
        CellJson {
            bucket: self.bucket,
            kind: self.row.kind.name(),
            readers: self.readers.clone(),
            logs,
            scope: match self.scope {
                Scope::All => "all",
                Scope::Own => "own",
                Scope::Others => "others",
            },
            of: if self.scope == Scope::All { Vec::new() } else { self.owners.clone() },
            can: cell.can.iter().map(|access| access.ability.name()).collect(),
            certainty: cell.certainty().name(),
            model: cell.fit.map(|fit| fit.name()),
            encrypted: cell.is_encrypted,
            depends_on,
            path: main.map(|access| hops(&access.path, places)).unwrap_or_default(),
            witness: main.and_then(|access| access.witness.as_ref()).map(WitnessJson::from),
            can_not: refusals
                .map(|refusal| RefusalJson {
                    ability: refusal.ability.name(),
                    cause: &refusal.cause,
                    steps: refusal.steps.iter().map(|step| places.step(step)).collect(),
                    would_take: &refusal.would_take,
                })
                .collect(),
            abilities: cell.can.iter().map(|access| AbilityJson::of(access, places)).collect(),
        }
    }
}

/// The cells of a matrix; those of a row that are equal are one, with the owners of all.
fn classes(matrix: &Matrix) -> Vec<Class<'_>> {
    /// How many classes of a row are compared with a cell: enough for all where there is something to join.
    const LOOK_BACK: usize = 16;
    let mut classes: Vec<Class<'_>> = Vec::new();
    for row in &matrix.rows {
        let start = classes.len();
        for (column, parts) in matrix.columns.iter().zip(&row.cells) {
            for cell in parts {
                let entry = Entry { matrix, row, readers: &row.readers, owners: &column.owners, cell };
                let known = classes.iter_mut().skip(start).rev().take(LOOK_BACK);
                match known.into_iter().find(|class| cell.scope == Scope::All && class.cell == cell) {
                    Some(class) => class.owners.extend(column.owners.iter().map(|owner| owner.id.as_str())),
                    None => classes.push(Class::of(entry)),
                }
            }
        }
    }
    classes
}

/// Each reader with each owner.
fn pairs(matrix: &Matrix) -> impl Iterator<Item = Class<'_>> {
    let wide = matrix.wide();
    wide.readers.into_iter().flat_map(move |(row, reader)| {
        let owners = wide.owners.clone();
        owners.into_iter().filter_map(move |(index, owner)| {
            Some(Class {
                bucket: &matrix.bucket,
                row,
                readers: vec![&reader.id],
                owners: vec![&owner.id],
                scope: Scope::All,
                cell: row.cell(reader, index, owner)?,
            })
        })
    })
}

fn hops<'j>(path: &'j [Hop], places: &'j Places<'_>) -> Vec<HopJson<'j>> {
    path.iter()
        .map(|hop| HopJson {
            title: &hop.title,
            role: hop.role.as_deref(),
            steps: hop.steps.iter().map(|step| places.step(step)).collect(),
        })
        .collect()
}

fn gap_json<'j>(matrix: &'j Matrix, gap: &'j MatrixGap, places: &'j Places<'_>) -> GapJson<'j> {
    GapJson {
        bucket: &matrix.bucket,
        fact: &gap.fact,
        reason: &gap.reason,
        locations: gap.places.iter().filter_map(|span| places.location(*span)).collect(),
    }
}

#[derive(Serialize)]
struct Document<'j, C> {
    schema_version: &'static str,
    tool: Tool,
    bucket: Option<&'j str>,
    wide: bool,
    buckets: Vec<BucketJson<'j>>,
    cells: C,
    gaps: Vec<GapJson<'j>>,
}

#[derive(Serialize)]
struct BucketJson<'j> {
    name: &'j str,
    owner: Option<PartyJson<'j>>,
    declared: bool,
    readers: Vec<ReaderJson<'j>>,
    logs: Vec<LogsJson<'j>>,
    notes: &'j [String],
}

impl<'j> BucketJson<'j> {
    fn of(matrix: &'j Matrix) -> Self {
        let readers = matrix.rows.iter().flat_map(|row| row.readers.iter().map(move |reader| (row, reader)));
        let owners = matrix.columns.iter().flat_map(|column| column.owners.iter().map(move |owner| (column, owner)));
        BucketJson {
            name: &matrix.bucket,
            owner: matrix.owner.as_ref().map(PartyJson::from),
            declared: matrix.is_declared,
            readers: readers
                .map(|(row, reader)| ReaderJson {
                    kind: row.kind.name(),
                    party: PartyJson::from(reader),
                    own: reader.own_account(),
                    note: row.note.as_deref(),
                })
                .collect(),
            logs: owners
                .map(|(column, owner)| LogsJson { party: PartyJson::from(owner), prefixes: &column.prefixes })
                .collect(),
            notes: &matrix.notes,
        }
    }
}

#[derive(Serialize)]
struct PartyJson<'j> {
    id: &'j str,
    label: &'j str,
}

impl<'j> From<&'j Party> for PartyJson<'j> {
    fn from(party: &'j Party) -> Self {
        PartyJson { id: &party.id, label: &party.label }
    }
}

#[derive(Serialize)]
struct ReaderJson<'j> {
    kind: &'static str,
    #[serde(flatten)]
    party: PartyJson<'j>,
    own: &'j str,
    note: Option<&'j str>,
}

#[derive(Serialize)]
struct LogsJson<'j> {
    #[serde(flatten)]
    party: PartyJson<'j>,
    prefixes: &'j [String],
}

#[derive(Serialize)]
struct CellJson<'j> {
    bucket: &'j str,
    kind: &'static str,
    readers: Vec<&'j str>,
    logs: Vec<&'j str>,
    scope: &'static str,
    of: Vec<&'j str>,
    can: Vec<&'static str>,
    certainty: &'static str,
    model: Option<&'static str>,
    encrypted: Option<bool>,
    depends_on: Vec<&'j str>,
    path: Vec<HopJson<'j>>,
    witness: Option<WitnessJson<'j>>,
    can_not: Vec<RefusalJson<'j>>,
    abilities: Vec<AbilityJson<'j>>,
}

#[derive(Serialize)]
struct AnsweredJson<'j> {
    answer: &'static str,
    summary: String,
    #[serde(flatten)]
    cell: CellJson<'j>,
}

#[derive(Serialize)]
struct HopJson<'j> {
    title: &'j str,
    role: Option<&'j str>,
    steps: Vec<StepJson<'j>>,
}

#[derive(Serialize)]
struct RefusalJson<'j> {
    ability: &'static str,
    cause: &'j str,
    steps: Vec<StepJson<'j>>,
    would_take: &'j [String],
}

#[derive(Serialize)]
struct AbilityJson<'j> {
    ability: &'static str,
    certainty: &'static str,
    depends_on: Vec<&'j str>,
    path: Vec<HopJson<'j>>,
    witness: Option<WitnessJson<'j>>,
}

impl<'j> AbilityJson<'j> {
    fn of(access: &'j Access, places: &'j Places<'_>) -> Self {
        let Access { ability, certainty, depends_on, path, witness } = access;
        AbilityJson {
            ability: ability.name(),
            certainty: Certainty::name(*certainty),
            depends_on: depends_on.iter().map(Dependency::text).collect(),
            path: hops(path, places),
            witness: witness.as_ref().map(WitnessJson::from),
        }
    }
}

#[derive(Serialize)]
struct GapJson<'j> {
    bucket: &'j str,
    fact: &'j str,
    reason: &'j str,
    locations: Vec<LocationJson<'j>>,
}
