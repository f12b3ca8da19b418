//! `--link`: the files of a repository that define what a live audit finds.

use std::path::{Path, PathBuf};

use crate::audit::Report;
use crate::audit::link::Definitions;
use crate::cli::estate::{Loaded, declared, shown, with_help};
use crate::cli::{Failure, terminal};
use crate::collect::{self, Collected, Declared, Options};
use crate::config::Config;

/// What `--link` names, read.
pub(super) struct Linked {
    paths: Vec<String>,
    collected: Collected,
}

impl Linked {
    /// Reads the files; `None` where none are named.
    ///
    /// # Errors
    /// Where one of the paths is not there or nothing can be read below it.
    pub(super) fn read(
        paths: &[PathBuf],
        config: Option<(&Path, &Config)>,
        cwd: &Path,
    ) -> Result<Option<Self>, Failure> {
        if paths.is_empty() {
            return Ok(None);
        }
        let said = |path: &Path| {
            let (file, config) = config?;
            declared(config, file.parent().unwrap_or(cwd), path)
        };
        let options = Options {
            jobs: 0,
            kind: None,
            subject: None,
            declared: config.is_some().then_some(&said as &(dyn Fn(&Path) -> Option<Declared> + Sync)),
            accounts_file: None,
            cwd: cwd.to_owned(),
        };
        let collected = collect::collect(paths, &mut std::io::empty(), &options);
        let collected = collected.map_err(|error| Failure::new(format!("--link: {}", with_help(&error))))?;
        collected.errors.iter().for_each(|error| terminal::complain(&with_help(error)));
        let paths = paths.iter().map(|path| format!("`{}`", shown(&cwd.join(path), cwd))).collect();
        Ok(Some(Linked { paths, collected }))
    }

    /// The definitions, their texts added to those of what was loaded.
    pub(super) fn join(self, loaded: &mut Loaded, snapshot: Option<&str>) -> Joined {
        let Linked { paths, collected } = self;
        let unread = collected.errors.iter().map(|error| format!("--link: {error}"));
        loaded.remarks.extend(unread);
        let templates = collected.templates.iter();
        loaded.remarks.extend(templates.map(|template| {
            format!("--link: `{}` is a template ({}); templates are not read yet", template.name, template.why)
        }));
        Joined { paths, definitions: Definitions::of(collected.estate, &mut loaded.estate.sources, snapshot) }
    }
}

/// The definitions among the texts of an audit.
pub(super) struct Joined {
    paths: Vec<String>,
    definitions: Definitions,
}

impl Joined {
    /// Points the findings of a report at them.
    pub(super) fn link(&self, loaded: &Loaded, report: &mut Report<'_>) {
        let all = report.findings.len();
        let linked = self.definitions.link(&loaded.estate, report);
        let paths = self.paths.join(" and ");
        let places = if linked == 1 { "1 finding points".to_owned() } else { format!("{linked} findings point") };
        report.notes.push(match (all, linked) {
            (0, _) => return,
            (_, 0) => format!("--link: no file below {paths} defines what the findings are about"),
            _ => format!("--link: {places} at files below {paths} that define the same, of {all}"),
        });
    }
}
