//! Which rules run, at which level, and what is let pass.

use time::{Date, Month};
use toml::de::DeValue;

use super::Config;
use super::error::{ConfigError, quoted};
use super::fields::{Checked, Fields, Value};
use super::pattern::Wildcard;
use super::suggestion::closest;
use super::values::{choice, words};
use crate::text::{Span, Spanned};

/// `[rules]`: the selection, and levels of the user's own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleSelection {
    /// `select`: rule ids, group names, `default`, `all`. `None` where the file does not say: the default set.
    pub select: Option<Spanned<Vec<Spanned<String>>>>,
    /// `ignore`: what is taken away from it.
    pub ignore: Vec<Spanned<String>>,
    /// `level`: rule ids and their levels, in the order of the file.
    pub levels: Vec<(Spanned<String>, Spanned<Level>)>,
}

/// A level as the file writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// `note`.
    Note,
    /// `warning`.
    Warning,
    /// `error`.
    Error,
}

impl Level {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

impl RuleSelection {
    pub(super) fn read(fields: &Fields<'_>) -> Self {
        let levels = fields.entries("level").into_iter().filter_map(|(rule, value)| {
            let level = value.text(level)?;
            Some((Spanned::new(rule.value.to_owned(), rule.span), level))
        });
        RuleSelection {
            select: fields.texts("select", words),
            ignore: fields.texts("ignore", words).map(|i| i.value).unwrap_or_default(),
            levels: levels.collect(),
        }
    }
}

fn level(text: Spanned<&str>) -> Checked<Level> {
    let levels = [Level::Error, Level::Warning, Level::Note].map(|level| (level.as_str(), level));
    choice(text, &levels).map_err(|error| match text.value {
        "off" | "none" | "ignore" | "allow" => error.with_help("to switch a rule off, name it in `ignore`"),
        _ => error,
    })
}

/// `[limits]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// `warn-at`: the share of a size quota at which a finding starts, above 0 and at most 1.
    pub warn_at: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { warn_at: 0.8 }
    }
}

impl Limits {
    pub(super) fn read(fields: &Fields<'_>) -> Self {
        let warn_at = fields.value("warn-at").and_then(|value| share(fields, &value));
        warn_at.map_or_else(Limits::default, |warn_at| Limits { warn_at })
    }
}

/// A number above 0 and at most 1.
fn share(fields: &Fields<'_>, value: &Value<'_>) -> Option<f64> {
    let number: Option<f64> = match value.value {
        DeValue::Float(float) => float.as_str().parse().ok(),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|i| i as f64),
        _ => return value.is_no("a number"),
    };
    let number = number.unwrap_or(f64::NAN);
    if number > 0.0 && number <= 1.0 {
        return Some(number);
    }
    let error = ConfigError::at(value.span, "`warn-at` must be above 0 and at most 1");
    let percent = if number > 1.0 && number <= 100.0 { number } else { 80.0 };
    // Without the digits that binary fractions add.
    let share = (percent * 1e6).round() / 1e8;
    fields.add(error.with_help(format!("write {percent} % as {share}")));
    None
}

/// `[[allow]]`: a waiver.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiver {
    /// The table: its header and all that stands under it.
    pub span: Span,
    /// `rule`: the id of the one rule it is about.
    pub rule: Spanned<String>,
    /// `subject`: an ARN, or the file of a document whose subject is not known, with `*` and `?`.
    pub subject: Spanned<Wildcard>,
    /// `statement`: a Sid; `None`: whatever the statement.
    pub statement: Option<Spanned<String>>,
    /// `reason`.
    pub reason: Spanned<String>,
    /// `until`: the last day on which it holds, in UTC; `None`: for ever.
    pub until: Option<Spanned<Date>>,
}

impl Waiver {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let rule = fields.needed("rule", words);
        let subject = fields.needed("subject", |text| words(text).map(Wildcard::new));
        let statement = fields.text("statement", words);
        let reason = fields.needed("reason", words);
        let until = fields.value("until").and_then(|value| {
            let date = fields.note(match value.value {
                DeValue::Datetime(moment) => last_day(moment, value.span),
                DeValue::String(text) => Err(match text.parse().map(|moment| last_day(&moment, value.span)) {
                    Ok(Ok(day)) => {
                        no_date(value.span, "a string").with_help(format!("write it without quotes: `{day}`"))
                    }
                    _ => no_date(value.span, "a string").with_help("a date is written as `2026-12-31`, without quotes"),
                }),
                _ => return value.is_no("a date"),
            });
            Some(Spanned::new(date?, value.span))
        });
        Some(Waiver { span: fields.span, rule: rule?, subject: subject?, statement, reason: reason?, until })
    }

    /// Whether it no longer holds on that day, in UTC.
    pub fn is_expired_on(&self, day: Date) -> bool {
        self.until.is_some_and(|last| last.value < day)
    }
}

fn no_date(span: Span, found: &str) -> ConfigError {
    ConfigError::at(span, format!("`until` must be a date, not {found}"))
}

/// The date that a TOML value is, unless it is a time too.
fn last_day(moment: &toml::value::Datetime, span: Span) -> Checked<Date> {
    let day = moment.date.and_then(|date| {
        let month = Month::try_from(date.month).ok()?;
        Date::from_calendar_date(i32::from(date.year), month, date.day).ok()
    });
    match (day, moment.time) {
        (Some(day), None) => Ok(day),
        (Some(day), Some(_)) => {
            Err(no_date(span, "a date with a time").with_help(format!("write the last day: `{day}`")))
        }
        (None, _) => Err(no_date(span, "a time").with_help("a date is written as `2026-12-31`")),
    }
}

pub(super) fn check_names(config: &Config, rules: &[&str], reserved: &[&str], groups: &[&str]) -> Vec<ConfigError> {
    let all: Vec<&str> = rules.iter().chain(groups).copied().collect();
    let selection = &config.rules;
    let selected = selection.select.iter().flat_map(|s| &s.value).chain(&selection.ignore);
    let unknown_selected = selected.filter(|name| !all.contains(&name.as_str())).map(|name| {
        with_nearest(ConfigError::at(name.span, format!("there is no rule or group {}", quoted(name))), name, &all)
    });
    let single = selection.levels.iter().map(|(rule, _)| rule).chain(config.waivers.iter().map(|w| &w.rule));
    let is_known = |name: &str| rules.contains(&name) || reserved.contains(&name);
    let unknown_single = single.filter(|name| !is_known(name)).map(|name| {
        if groups.contains(&name.as_str()) {
            let error = ConfigError::at(name.span, format!("{} is not one rule", quoted(name)));
            return error.with_help("name each rule by its id");
        }
        with_nearest(ConfigError::at(name.span, format!("there is no rule {}", quoted(name))), name, rules)
    });
    let mut errors: Vec<ConfigError> = unknown_selected.chain(unknown_single).collect();
    errors.sort_by_key(|e| e.span.start);
    errors
}

fn with_nearest(error: ConfigError, name: &str, known: &[&str]) -> ConfigError {
    match closest(name, known) {
        Some(near) => error.with_help(format!("did you mean {}?", quoted(near))),
        None => error.with_help("`trailproof rules` lists them"),
    }
}
