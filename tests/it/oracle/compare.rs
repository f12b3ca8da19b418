//! What the matrix says and what the oracle says, pair by pair.

use std::fmt;

use serde_json::Value;
use trailproof::access::oracle::{Can, Level, Oracle, Who, owner_for_all, user_arn};
use trailproof::access::organization::Organization;
use trailproof::access::reach;
use trailproof::aws::AccountId;
use trailproof::estate::Estate;
use trailproof::finding::Dependency;
use trailproof::finding::matrix::{Ability, Certainty, Matrix};
use trailproof::model::Model;

use super::estate;

/// One answer that the two differ on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Disagreement {
    pub(crate) reader: String,
    pub(crate) logs: String,
    pub(crate) ability: Ability,
    pub(crate) matrix: Level,
    pub(crate) oracle: Level,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Disagreement { reader, logs, ability, matrix, oracle } = self;
        write!(f, "{reader} / {logs} / {}: matrix {matrix:?}, oracle {oracle:?}", ability.name())
    }
}

impl Disagreement {
    /// What kind of disagreement it is, whoever reads.
    pub(crate) fn kind(&self) -> String {
        let reader = match self.reader.as_str() {
            arn if arn.contains(":role/") => "role",
            arn if arn.contains(":user/") => "user",
            id if AccountId::parse(id).is_some() => "account",
            "anyone" => "anyone",
            _ => "any of an organization",
        };
        format!("{reader} / {}: matrix {:?}, oracle {:?}", self.ability.name(), self.matrix, self.oracle)
    }
}

/// What was compared, and what differs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compared {
    pub(crate) disagreements: Vec<Disagreement>,
    /// How many answers of each level the oracle gave.
    pub(crate) levels: [usize; 3],
    /// How many the matrix says it has not found out.
    pub(crate) undecided: usize,
    /// All answers of the oracle: reader, logs, ability, level.
    pub(crate) answers: Vec<(String, String, Ability, Level)>,
}

/// Holds the two against each other on one estate; nothing where it is none.
pub(crate) fn compare(plan: &Value) -> Compared {
    hold_all(plan, false)
}

/// The same, with all answers of the oracle.
pub(crate) fn compare_and_tell(plan: &Value) -> Compared {
    hold_all(plan, true)
}

fn hold_all(plan: &Value, keeps_answers: bool) -> Compared {
    let mut compared = Compared::default();
    let Some((estate, model)) = estate::read(plan) else { return compared };
    let organization = Organization::new(&estate, &model);
    for log_bucket in model.log_buckets() {
        let Some(oracle) = Oracle::new(&estate, &model, &organization, log_bucket) else { continue };
        let matrix = reach::matrix(&estate, &model, &organization, log_bucket, &[]);
        hold((&estate, &model), &matrix, &oracle, keeps_answers, &mut compared);
    }
    compared.disagreements.sort();
    compared
}

fn hold<'e>(
    (estate, model): (&'e Estate, &Model),
    matrix: &Matrix,
    oracle: &Oracle<'e>,
    keeps_answers: bool,
    compared: &mut Compared,
) {
    let own = model.organization_id().map(|organization| organization.id.as_str());
    let columns = matrix.columns.iter().enumerate();
    let owners: Vec<_> = columns.flat_map(|(index, column)| column.owners.iter().map(move |o| (index, o))).collect();
    let account = |id: &str| AccountId::parse(id).unwrap_or_else(|| owner_for_all(model));
    let accounts: Vec<AccountId> = owners.iter().map(|(_, owner)| account(&owner.id)).collect();
    let roles = oracle.roles(&accounts);
    let mut ids: Vec<String> =
        matrix.rows.iter().flat_map(|row| &row.readers).map(|reader| reader.id.clone()).collect();
    ids.extend(estate.roles.iter().filter_map(|role| role.arn()));
    ids.extend(estate.users.iter().filter_map(user_arn));
    ids.extend(model.known_accounts().iter().map(AccountId::to_string));
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let Some(who) = Who::named(estate, &id, own) else { continue };
        let known = roles.of(&id);
        let answers: Vec<Can> = known.map_or_else(|| oracle.answer(&who, &accounts, &roles), <[Can]>::to_vec);
        let row = matrix.rows.iter().find_map(|row| Some((row, row.readers.iter().find(|reader| reader.id == id)?)));
        for ((index, owner), can) in owners.iter().zip(answers) {
            let cell = row.and_then(|(row, reader)| row.cell(reader, *index, owner));
            for (ability, oracle) in Ability::ALL.into_iter().zip(can.levels()) {
                let access = cell.and_then(|cell| cell.access(ability));
                let matrix = match access.map(|access| access.certainty) {
                    None => Level::No,
                    Some(Certainty::Certain) => Level::Yes,
                    Some(Certainty::Conditional | Certainty::Unknown) => Level::Maybe,
                };
                compared.levels[oracle as usize] += 1;
                if keeps_answers {
                    compared.answers.push((id.clone(), owner.id.clone(), ability, oracle));
                }
                let is_open = access.is_some_and(|access| access.depends_on.iter().any(Dependency::is_bound));
                compared.undecided += usize::from(is_open && matrix != oracle);
                if matrix != oracle && !is_open {
                    let (reader, logs) = (id.clone(), owner.id.clone());
                    compared.disagreements.push(Disagreement { reader, logs, ability, matrix, oracle });
                }
            }
        }
    }
}
