//! Access matrices made by hand.

use std::collections::BTreeMap;

use trailproof::finding::matrix::{
    Ability, Access, Cell, Certainty, Column, Fit, Hop, Matrix, MatrixGap, Party, ReaderKind, Refusal, Row, Scope,
};
use trailproof::finding::{Decision, Dependency, Step, StepEffect, Witness};
use trailproof::report::access::{AccessFormat, AccessOptions, write};
use trailproof::text::{Source, SourceId, SourceMap, Span};

pub(crate) use trailproof::finding::matrix::Ability::{Decrypt, Get, List, Write};
pub(crate) use trailproof::finding::matrix::Certainty::{Certain, Conditional, Unknown};

const BUCKET_POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "OwnLogs",
      "Effect": "Allow",
      "Principal": "*",
      "Action": ["s3:GetObject", "s3:ListBucket"],
      "Resource": "arn:aws:s3:::my-organization-bucket/AWSLogs/o-exampleorgid/${aws:PrincipalAccount}/*",
      "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}
    },
    {
      "Sid": "Office",
      "Effect": "Allow",
      "Principal": {"AWS": "333333333333"},
      "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::my-organization-bucket/*",
      "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    }
  ]
}
"#;

const TRUST_POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "sts:AssumeRole"}
  ]
}
"#;

/// The role by which the third party reads.
pub(crate) const ANALYZER: &str = "arn:aws:iam::111111111111:role/log-analyzer";

/// The files that [`small`] points into.
pub(crate) fn sources() -> SourceMap {
    let mut sources = SourceMap::new();
    sources.add(Source::new("org/bucket-policy.json", BUCKET_POLICY));
    sources.add(Source::new("org/log-analyzer-trust.json", TRUST_POLICY));
    sources
}

/// The statement from where `needle` stands to the end of its line.
pub(crate) fn span(sources: &SourceMap, source: u32, needle: &str) -> Span {
    let text = sources.source(SourceId::new(source)).unwrap().text();
    let start = text.find(needle).unwrap_or_else(|| panic!("no {needle}"));
    Span::new(SourceId::new(source), start as u32, (start + needle.len()) as u32)
}

pub(crate) fn party(id: &str, label: &str) -> Party {
    Party { id: id.to_owned(), label: label.to_owned(), own: None }
}

/// An account that is called by its name too.
pub(crate) fn account(id: &str, name: &str) -> Party {
    party(id, &format!("{id} ({name})"))
}

pub(crate) fn step(effect: StepEffect, message: &str, span: Option<Span>) -> Step {
    Step { effect, message: message.to_owned(), span }
}

pub(crate) fn access(ability: Ability, certainty: Certainty, path: Vec<Hop>) -> Access {
    let depends_on = match certainty {
        Certain => Vec::new(),
        Conditional => vec![Dependency::of_request("aws:SourceIp")],
        Unknown => vec![Dependency::fact("key.policy")],
    };
    let action = match ability {
        List => "s3:ListBucket",
        Get => "s3:GetObject",
        Decrypt => "kms:Decrypt",
        Write => "s3:PutObject",
    };
    let witness = Witness {
        principal: "arn:aws:iam::222222222222:role/AuditReader".to_owned(),
        action: action.to_owned(),
        resource: "arn:aws:s3:::my-organization-bucket/AWSLogs/o-exampleorgid/222222222222/x".to_owned(),
        context: BTreeMap::from([("aws:PrincipalOrgID".to_owned(), vec!["o-exampleorgid".to_owned()])]),
        decision: if certainty == Certain { Decision::Allowed } else { Decision::Conditional },
        depends_on: depends_on.iter().map(Dependency::to_string).collect(),
    };
    let witness = (certainty != Unknown).then_some(witness);
    Access { ability, certainty, depends_on, path, witness }
}

pub(crate) fn refusal(ability: Ability, cause: &str, steps: Vec<Step>) -> Refusal {
    let needs =
        |step: &Step| Some(format!("a {}", step.message.strip_prefix("no ")?.replace(" allows ", " that allows ")));
    let would_take = steps.iter().filter_map(needs).collect();
    Refusal { ability, cause: cause.to_owned(), steps, would_take }
}

/// A cell whose abilities all come about by the same path.
pub(crate) fn cell(scope: Scope, can: &[(Ability, Certainty)], path: &[Hop], fit: Option<Fit>) -> Cell {
    let missing = |ability: &Ability| !can.iter().any(|(known, _)| known == ability);
    let refused = Ability::ALL.into_iter().filter(missing).map(|ability| {
        let action = if ability == List { "s3:ListBucket" } else { "s3:GetObject" };
        let missing = format!("no statement of the bucket policy allows `{action}` on it to this caller");
        let cause = "no statement of the bucket policy allows it";
        refusal(ability, cause, vec![step(StepEffect::Missing, &missing, None)])
    });
    Cell {
        scope,
        can: can.iter().map(|(ability, certainty)| access(*ability, *certainty, path.to_vec())).collect(),
        can_not: refused.collect(),
        is_encrypted: Some(true),
        fit,
    }
}

pub(crate) fn row(kind: ReaderKind, readers: Vec<Party>, cells: Vec<Vec<Cell>>) -> Row {
    Row { kind, readers, note: None, cells }
}

/// One bucket of an organization of three, held against a model: each kind of reader and of cell once.
pub(crate) fn small(sources: &SourceMap) -> Matrix {
    let own = Hop {
        title: "222222222222 fetches its own logs".to_owned(),
        resource: None,
        role: None,
        steps: vec![step(
            StepEffect::Allows,
            "statement 1 (`OwnLogs`) of the bucket policy allows it",
            Some(span(
                sources,
                0,
                r#""Resource": "arn:aws:s3:::my-organization-bucket/AWSLogs/o-exampleorgid/${aws:PrincipalAccount}/*""#,
            )),
        )],
    };
    let office = Hop {
        title: "333333333333 fetches the logs of 222222222222".to_owned(),
        resource: None,
        role: None,
        steps: vec![
            step(
                StepEffect::Allows,
                "statement 2 (`Office`) of the bucket policy allows it",
                Some(span(sources, 0, r#""Sid": "Office""#)),
            ),
            step(
                StepEffect::If,
                "the request comes from 192.0.2.0/24",
                Some(span(sources, 0, r#""IpAddress": {"aws:SourceIp": "192.0.2.0/24"}"#)),
            ),
        ],
    };
    let assume = Hop {
        title: format!("999999999999 assumes {ANALYZER}"),
        resource: None,
        role: Some(ANALYZER.to_owned()),
        steps: vec![
            step(
                StepEffect::Allows,
                "statement 1 of the trust policy allows it",
                Some(span(sources, 1, r#""Principal": {"AWS": "arn:aws:iam::999999999999:root"}"#)),
            ),
            step(StepEffect::Unless, "an SCP or RCP, which are not among the inputs, denies it", None),
        ],
    };
    let fetch = Hop {
        title: "that session fetches a log file of 222222222222".to_owned(),
        resource: None,
        role: None,
        steps: vec![step(StepEffect::Allows, "the managed policy `AmazonS3ReadOnlyAccess` allows it", None)],
    };
    let analyzer = [assume, fetch.clone()];
    let (expected, more, less) = (Some(Fit::Expected), Some(Fit::TooMuch), Some(Fit::TooLittle));
    let none = |fit| vec![cell(Scope::All, &[], &[], fit)];
    let owners = [account("222222222222", "payments"), account("333333333333", "security")];
    let columns = owners.iter().map(|owner| Column {
        owners: vec![owner.clone()],
        prefixes: vec!["AWSLogs/o-exampleorgid/<account>/".to_owned()],
    });
    let all = [(List, Certain), (Get, Certain), (Decrypt, Certain)];
    let mut partner = row(
        ReaderKind::ThirdParty,
        vec![account("999999999999", "log analyzer")],
        vec![
            vec![cell(Scope::All, &all, &analyzer, expected)],
            vec![cell(Scope::All, &[(Get, Certain)], &analyzer, less)],
        ],
    );
    partner.note = Some("declared in trailproof.toml".to_owned());
    let role = row(
        ReaderKind::Role,
        vec![party(ANALYZER, ANALYZER)],
        vec![
            vec![cell(Scope::All, &all, std::slice::from_ref(&fetch), expected)],
            vec![cell(Scope::All, &[(Get, Certain), (Decrypt, Unknown)], std::slice::from_ref(&fetch), None)],
        ],
    );
    Matrix {
        bucket: "my-organization-bucket".to_owned(),
        owner: Some(account("111111111111", "management")),
        is_declared: true,
        columns: columns.collect(),
        rows: vec![
            row(ReaderKind::Anyone, vec![party("anyone", "anyone")], vec![none(expected), none(expected)]),
            row(
                ReaderKind::Account,
                vec![owners[0].clone()],
                vec![vec![cell(Scope::All, &all, std::slice::from_ref(&own), expected)], none(expected)],
            ),
            row(
                ReaderKind::Account,
                vec![owners[1].clone()],
                vec![
                    vec![cell(
                        Scope::All,
                        &[(Get, Conditional), (Decrypt, Conditional)],
                        std::slice::from_ref(&office),
                        more,
                    )],
                    vec![cell(Scope::All, &[], &[], less)],
                ],
            ),
            partner,
            role,
            row(
                ReaderKind::Service,
                vec![party("cloudtrail.amazonaws.com", "cloudtrail.amazonaws.com")],
                vec![
                    vec![cell(Scope::All, &[(Write, Certain)], &[], expected)],
                    vec![cell(Scope::All, &[(Write, Certain)], &[], expected)],
                ],
            ),
        ],
        gaps: vec![MatrixGap {
            fact: "key.policy".to_owned(),
            reason: "the policy of key 1234abcd is not among the inputs".to_owned(),
            places: vec![span(sources, 1, r#""Version": "2012-10-17""#)],
        }],
        notes: vec!["the log bucket was taken from trailproof.toml".to_owned()],
    }
}

/// Three readers, no model.
pub(crate) fn undeclared(sources: &SourceMap) -> Matrix {
    let mut matrix = small(sources);
    matrix.rows.retain(|row| matches!(row.kind, ReaderKind::Anyone | ReaderKind::Account));
    matrix.is_declared = false;
    matrix.gaps.clear();
    matrix.notes.clear();
    matrix.rows.iter_mut().flat_map(|row| &mut row.cells).flatten().for_each(|cell| cell.fit = None);
    matrix
}

/// `count` members.
pub(crate) fn members(count: usize) -> Vec<Party> {
    (0..count)
        .map(|number| account(&format!("{:012}", 200_000_000_000_u64 + number as u64), &format!("team {number}")))
        .collect()
}

/// An organization of `count` equal members, each with a role of its own in the owner's account, and the owner.
pub(crate) fn organization(count: usize) -> Matrix {
    let members = members(count);
    let owner = account("111111111111", "management");
    let all = [(List, Certain), (Get, Certain), (Decrypt, Certain)];
    let (expected, more) = (Some(Fit::Expected), Some(Fit::TooMuch));
    let hop = Hop {
        title: "a session of the role fetches the logs".to_owned(),
        resource: None,
        role: None,
        steps: vec![step(StepEffect::Allows, "statement 1 of the role's policy `logs` allows it", None)],
    };
    let path = std::slice::from_ref(&hop);
    let parted = |others: &[(Ability, Certainty)], fit| {
        vec![
            vec![cell(Scope::All, &[], &[], expected)],
            vec![cell(Scope::Own, &all, path, expected), cell(Scope::Others, others, path, fit)],
        ]
    };
    let roles = members.iter().map(|member| {
        let id = format!("arn:aws:iam::111111111111:role/logs-{}", member.id);
        Party { own: Some(member.id.clone()), ..party(&id, &id) }
    });
    let anyone = party("anyone", "anyone");
    Matrix {
        bucket: "central-logs".to_owned(),
        owner: Some(owner.clone()),
        is_declared: true,
        columns: vec![
            Column { owners: vec![owner.clone()], prefixes: vec!["AWSLogs/111111111111/".to_owned()] },
            Column { owners: members.clone(), prefixes: vec!["AWSLogs/o-exampleorgid/<account>/".to_owned()] },
        ],
        rows: vec![
            row(
                ReaderKind::Anyone,
                vec![anyone],
                vec![vec![cell(Scope::All, &[], &[], expected)], vec![cell(Scope::All, &[], &[], expected)]],
            ),
            row(
                ReaderKind::Account,
                vec![owner],
                vec![vec![cell(Scope::All, &all, path, expected)], vec![cell(Scope::All, &all, path, expected)]],
            ),
            row(ReaderKind::Account, members.clone(), parted(&[(List, Certain)], more)),
            row(ReaderKind::Role, roles.collect(), parted(&[], expected)),
        ],
        gaps: Vec::new(),
        notes: Vec::new(),
    }
}

/// An organization in which no two accounts are alike: member `n` can read the logs of itself and of member `n + 1`.
pub(crate) fn unlike(count: usize) -> Matrix {
    let members = members(count);
    let path: [Hop; 0] = [];
    let can = [(Get, Certain), (Decrypt, Certain)];
    let cells = |reader: usize| {
        let cell = |owner: usize| match owner {
            owner if owner == reader => cell(Scope::All, &can, &path, Some(Fit::Expected)),
            owner if owner == (reader + 1) % count => cell(Scope::All, &can, &path, Some(Fit::TooMuch)),
            _ => cell(Scope::All, &[], &path, Some(Fit::Expected)),
        };
        (0..count).map(|owner| vec![cell(owner)]).collect()
    };
    Matrix {
        bucket: "central-logs".to_owned(),
        owner: None,
        is_declared: true,
        columns: members.iter().map(|m| Column { owners: vec![m.clone()], prefixes: Vec::new() }).collect(),
        rows: (0..count).map(|n| row(ReaderKind::Account, vec![members[n].clone()], cells(n))).collect(),
        gaps: Vec::new(),
        notes: Vec::new(),
    }
}

/// What names could hold to do harm somewhere.
pub(crate) const HOSTILE: [&str; 12] = [
    "</script><script>window.harmed = 1</script>",
    "\"><img src=x onerror=\"window.harmed = 1\">",
    "'; window.harmed = 1; //",
    "=HYPERLINK(\"https://evil.example\",\"x\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-1+1\t\r\nx",
    "a | b || `c` \\| \\` ``d``",
    "*bold* _it_ [link](https://evil.example) ![i](x) @octocat #1 ~~x~~",
    "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{0}",
    "\u{202e}drawkcab\u{2066}\u{200f}\u{feff}\u{e0041}",
    "</style></title></textarea>--><!--<![CDATA[ &lt;b&gt; ]]>",
    "javascript:window.harmed=1",
];

/// A matrix in which every text that comes from the input is hostile.
pub(crate) fn hostile() -> (Matrix, SourceMap) {
    let mut sources = SourceMap::new();
    let text = HOSTILE.join("\n");
    let name = format!("dir/{}", HOSTILE[0]);
    let file = sources.add(Source::new(name, text.as_str()));
    let place = Some(Span::new(file, 3, text.len() as u32 - 3));
    let steps = |harm: &str| vec![step(StepEffect::Allows, harm, place), step(StepEffect::Denies, harm, place)];
    let mut matrix = Matrix {
        bucket: HOSTILE[0].to_owned(),
        owner: Some(party(HOSTILE[1], HOSTILE[1])),
        is_declared: true,
        columns: Vec::new(),
        rows: Vec::new(),
        gaps: HOSTILE
            .iter()
            .map(|harm| MatrixGap {
                fact: (*harm).to_owned(),
                reason: (*harm).to_owned(),
                places: place.into_iter().collect(),
            })
            .collect(),
        notes: HOSTILE.iter().map(|harm| (*harm).to_owned()).collect(),
    };
    for harm in HOSTILE {
        let owners = vec![party(harm, harm), account("222222222222", harm)];
        matrix.columns.push(Column { owners, prefixes: vec![harm.to_owned()] });
    }
    for (number, harm) in HOSTILE.iter().enumerate() {
        let hop = Hop {
            title: (*harm).to_owned(),
            resource: Some((*harm).to_owned()),
            role: Some((*harm).to_owned()),
            steps: steps(harm),
        };
        let cells = matrix.columns.iter().enumerate().map(|(column, _)| {
            let fit = [Fit::Expected, Fit::TooMuch, Fit::TooLittle][(number + column) % 3];
            let can = if column % 2 == 0 { vec![(Get, Conditional), (Write, Certain)] } else { Vec::new() };
            let mut cell = cell(Scope::All, &can, std::slice::from_ref(&hop), Some(fit));
            for access in &mut cell.can {
                access.depends_on = vec![Dependency::of_request(*harm)];
                let witness = access.witness.as_mut().unwrap();
                witness.principal = (*harm).to_owned();
                witness.context = BTreeMap::from([((*harm).to_owned(), vec![(*harm).to_owned()])]);
            }
            for refusal in &mut cell.can_not {
                refusal.cause = (*harm).to_owned();
                refusal.steps = steps(harm);
                refusal.would_take = vec![(*harm).to_owned()];
            }
            vec![cell]
        });
        let readers = if number % 2 == 0 { vec![party(harm, harm)] } else { vec![party(harm, harm), party("x", harm)] };
        let note = Some((*harm).to_owned());
        let row = Row { kind: ReaderKind::Role, readers, note, cells: cells.collect() };
        matrix.rows.push(row);
    }
    (matrix, sources)
}

/// What a format makes of matrices.
pub(crate) fn rendered(
    format: AccessFormat,
    matrices: &[Matrix],
    sources: &SourceMap,
    options: AccessOptions,
) -> String {
    let mut out = Vec::new();
    write(&mut out, format, matrices, sources, &options).unwrap();
    String::from_utf8(out).unwrap()
}
