//! What a README under `fixtures/access` says.

use super::Cells;

/// A README: its estate, its matrix, what is not known and why.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The estate that a variant changes; none for an estate itself.
    pub(super) estate: Option<String>,
    /// What is left out of it.
    pub(super) without: Vec<String>,
    /// The matrix.
    pub(super) cells: Cells,
    /// The facts that are gaps, sorted.
    pub(super) unknown: Vec<String>,
    /// Words that the explanation of a cell has to hold: who reads, whose logs, the words.
    pub(super) why: Vec<(String, String, String)>,
}

impl Table {
    pub(super) fn read(text: &str) -> Self {
        let mut table = Table::default();
        let mut heading = "";
        let mut columns: Vec<&str> = Vec::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("Estate: ") {
                let mut names = rest.split('`').skip(1).step_by(2).map(str::to_owned);
                table.estate = names.next();
                table.without = names.collect();
            } else if let Some(rest) = line.strip_prefix("## ") {
                heading = rest;
            } else if let Some(fact) = line.strip_prefix("- `").filter(|_| heading == "Not known") {
                table.unknown.push(fact.split('`').next().unwrap().to_owned());
            } else if line.starts_with('|') && !line.starts_with("|-") {
                let row: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
                match (heading, row.first()) {
                    (_, Some(&"reader")) => columns = row,
                    (_, Some(&"who")) => {}
                    ("Why", _) => {
                        let [reader, logs, words] = row[..] else { panic!("{line}") };
                        table.why.push((reader.into(), logs.into(), words.into()));
                    }
                    _ => {
                        assert_eq!(row.len(), columns.len(), "{line}");
                        for (owner, cell) in columns.iter().zip(&row).skip(1) {
                            table.cells.insert((row[0].into(), (*owner).into()), (*cell).into());
                        }
                    }
                }
            }
        }
        table.unknown.sort();
        table
    }
}
