//! The Allow statement that comes nearest to a request which none lets through, and the one element that keeps it.

use compact_str::CompactString;

use super::notes::what;
use super::{Authority, Evaluation, StopKind};
use crate::access::principals;
use crate::access::request::{Caller, Otherwise};
use crate::access::search::{can_arrange, carries};
use crate::aws::AccountId;
use crate::finding::{Step, StepEffect};
use crate::policy::condition::{self, Context, KeyValue, Tri};
use crate::policy::template::{Lookup, Match, Template};
use crate::policy::{Clause, Effect, Entries, Policy, Principals, Statement, Version};
use crate::text::{Span, Spanned};

/// How many names or values a message lists.
const MOST: usize = 3;

/// A statement that nearly lets a request through.
#[derive(Debug)]
pub(super) struct Near {
    /// What keeps it from that.
    pub(super) step: Step,
    /// What would have to stand there.
    pub(super) need: String,
    /// Whether the statement is for others, so that there is no mistake in it.
    pub(super) is_for_others: bool,
    /// What that is.
    pub(super) kind: StopKind,
    rank: Rank,
}

/// How near: what was written for others is farther than what has a mistake in it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    is_for_others: bool,
    failing: usize,
    /// How much of the resource differs, in bytes.
    apart: usize,
}

/// The only element of a statement that does not fit.
enum Misfit<'p> {
    Principals(&'p Principals),
    Resources(&'p Entries),
    /// The first clause that fails, and the others.
    Conditions(&'p Clause, Vec<&'p Clause>),
}

impl Evaluation<'_> {
    /// The nearest Allow of a side or, where identity policies have none, of the resource's own policy.
    pub(super) fn nearest_of(&self, authority: Authority) -> Option<Near> {
        let by_resource = || self.nearest(Authority::Resource).filter(|near| !near.is_for_others);
        self.nearest(authority).or_else(|| by_resource().filter(|_| authority == Authority::Identity))
    }

    /// The Allow of a side that lets the request through but for one element; of several the nearest, and the first of
    /// those.
    fn nearest(&self, authority: Authority) -> Option<Near> {
        let policies = self.of_side(authority);
        let statements = policies.into_iter().flat_map(|policy| policy.allows().map(move |one| (policy, one)));
        let near = statements.filter_map(|(policy, statement)| {
            let misfit = self.misfit(statement, authority)?;
            Some(self.told_of(policy, statement, authority, &misfit))
        });
        near.min_by(|one, other| one.rank.cmp(&other.rank))
    }

    /// What keeps a statement from letting the request through; `None` where it is nothing, or more than one element.
    fn misfit<'p>(&self, statement: &'p Statement, authority: Authority) -> Option<Misfit<'p>> {
        if statement.ambiguous || !statement.covers_action(self.request.action.as_str()) {
            return None;
        }
        let principals = statement.principals.as_ref().filter(|principals| {
            matches!(authority, Authority::Resource | Authority::Endpoint)
                && principals::allowed_by(principals, &self.request.caller, self.policies.canonical).any() == Tri::False
        });
        let resources = statement.resources.as_ref().filter(|resources| self.resource(resources) == Tri::False);
        let fails = |clause: &&Clause| {
            condition::holds(clause, Effect::Allow, self.request) == Tri::False && !self.is_open(clause)
        };
        let mut failing = statement.conditions.iter().filter(fails);
        match (principals, resources, failing.next()) {
            (Some(principals), None, None) => Some(Misfit::Principals(principals)),
            (None, Some(resources), None) => Some(Misfit::Resources(resources)),
            (None, None, Some(first)) => Some(Misfit::Conditions(first, failing.collect())),
            _ => None,
        }
    }

    /// Whether a caller could still arrange what a clause asks for, so that it does not keep the statement from fitting.
    fn is_open(&self, clause: &Clause) -> bool {
        self.request.otherwise == Otherwise::Situation
            && can_arrange(&clause.key)
            && carries(self.request.action.as_str(), &clause.key)
            && self.request.context.get(&clause.key).is_none()
    }

    fn told_of(&self, policy: &Policy, statement: &Statement, authority: Authority, misfit: &Misfit<'_>) -> Near {
        let title = self.title(policy, statement, authority);
        let (reason, need, span, rank) = match misfit {
            Misfit::Principals(principals) => {
                let rank = Rank { is_for_others: true, failing: 1, apart: 0 };
                (whom(principals), format!("this caller among the principals of {title}"), principals.span, rank)
            }
            Misfit::Resources(resources) => {
                let (reason, need, span, apart) = self.of_resources(policy, resources, &title);
                (reason, need, span, Rank { is_for_others: false, failing: 1, apart })
            }
            Misfit::Conditions(first, others) => {
                let (reason, need, span) = self.of_conditions(policy, (first, others), &title);
                (reason, need, span, Rank { is_for_others: false, failing: 1 + others.len(), apart: 0 })
            }
        };
        let message = match misfit {
            Misfit::Principals(_) => format!("{}; {title} does, but {reason}", self.missing(authority)),
            Misfit::Resources(_) | Misfit::Conditions(..) => {
                let allowed = what(self.policies.key.is_some(), &self.request.action);
                format!("{title} would allow {allowed}, but {reason}")
            }
        };
        let kind = match misfit {
            Misfit::Principals(_) => StopKind::missing(authority, &self.request.action),
            _ if need == version(policy) => StopKind::Version(policy.kind),
            Misfit::Resources(_) => StopKind::Resource(policy.kind),
            Misfit::Conditions(..) => StopKind::Condition(policy.kind),
        };
        let step = Step { effect: StepEffect::Missing, message, span: Some(span) };
        Near { step, need, is_for_others: rank.is_for_others, kind, rank }
    }

    /// Why none of the resources is that of the request, what would be, where, and how far that is apart.
    fn of_resources(&self, policy: &Policy, resources: &Entries, title: &str) -> (String, String, Span, usize) {
        let wanted = self.request.resource.as_str();
        let under = |from: usize| match wanted.split_once('/') {
            Some((bucket, _)) if self.request.action.is_of("s3") => folder(wanted, bucket.len() + 1, from),
            _ => None,
        };
        let place = |from: usize| {
            under(from).map_or_else(|| format!("`{wanted}`"), |folder| format!("what lies under `{folder}`"))
        };
        if resources.negated {
            let need = format!("a `NotResource` in {title} that leaves {} in", place(0));
            return (format!("its `NotResource` leaves out {}", list(&resources.items)), need, resources.span, 0);
        }
        let filled = |item: &Spanned<Template>| self.filled(&item.value);
        let common = |item: &Spanned<Template>| same_start(&filled(item), wanted);
        let Some(nearest) = resources.items.iter().max_by_key(|item| (common(item), std::cmp::Reverse(item.span)))
        else {
            let need = format!("a `Resource` in {title}");
            return ("its `Resource` is empty".to_owned(), need, resources.span, wanted.len());
        };
        let apart = wanted.len() - common(nearest).min(wanted.len());
        let raw = nearest.raw();
        let mut reason = match resources.items.len() {
            1 => format!("its `Resource` is `{raw}`"),
            count => format!("none of its {count} resources takes this in; `{raw}` comes nearest"),
        };
        if policy.version == Version::V2008 && self.would_match(raw) {
            reason.push_str(&format!(" and {}", literal(policy)));
            return (reason, version(policy), nearest.span, apart);
        }
        reason.push_str(&self.variables_of(&nearest.value));
        let common = common(nearest);
        if common == filled(nearest).len() && !raw.contains(['*', '?']) && wanted.len() > common {
            reason.push_str(", which is that one name as no `*` ends it");
        } else if let Some(folder) = under(common) {
            reason.push_str(&format!(", and the object lies under `{folder}`"));
        } else {
            reason.push_str(&format!(", and the request is for `{wanted}`"));
        }
        (reason, format!("a `Resource` in {title} that takes in {}", place(common)), nearest.span, apart)
    }

    /// Why conditions do not hold, what would, and where.
    fn of_conditions(
        &self,
        policy: &Policy,
        (first, others): (&Clause, &[&Clause]),
        title: &str,
    ) -> (String, String, Span) {
        let values: Vec<&str> = first.values.iter().map(|value| value.template.raw()).collect();
        let mut reason =
            format!("its condition `{}` on `{}` asks for {}", first.operator, first.written_key, quoted(&values));
        if policy.version == Version::V2008 && self.would_hold(first) {
            reason.push_str(&format!(" and {}", literal(policy)));
            return (reason, version(policy), first.span);
        }
        if let Some(value) = first.values.first().filter(|_| first.values.len() == 1) {
            reason.push_str(&self.variables_of(&value.template));
        }
        let (had, need) = match self.request.value(&first.key) {
            KeyValue::One(value) => (format!("`{value}`"), format!("that `{value}` meets")),
            KeyValue::Many(values) => {
                let values: Vec<&str> = values.iter().map(CompactString::as_str).collect();
                (quoted(&values), "that this request meets".to_owned())
            }
            KeyValue::Absent => ("no such key".to_owned(), "that holds without it".to_owned()),
            KeyValue::Unknown | KeyValue::Present => {
                ("something else".to_owned(), "that this request meets".to_owned())
            }
        };
        reason.push_str(&format!(", and the request has {had}"));
        if !others.is_empty() {
            let others: Vec<&str> = others.iter().map(|clause| clause.written_key.as_str()).collect();
            reason.push_str(&format!("; nor does it meet that on {}", quoted(&others)));
        }
        (reason, format!("a condition on `{}` in {title} {need}", first.written_key), first.span)
    }

    /// Whether a resource would be that of the request if its `${…}` were variables.
    fn would_match(&self, raw: &str) -> bool {
        let template = Template::new(raw, true);
        let met = || template.matches_arn(&self.request.resource, &|variable| self.request.variable(variable));
        template.variables().next().is_some() && matches!(met(), Match::Yes | Match::Unknown)
    }

    /// Whether a comparison would hold if the `${…}` of its values were variables.
    fn would_hold(&self, clause: &Clause) -> bool {
        let mut clause = clause.clone();
        for value in &mut clause.values {
            value.template = Template::new(value.template.raw(), true);
        }
        let has_variable = clause.values.iter().any(|value| value.template.variables().next().is_some());
        has_variable && condition::holds(&clause, Effect::Allow, self.request) != Tri::False
    }

    /// `, where `${aws:PrincipalAccount}` is the caller's account`; nothing where no variable stands there.
    fn variables_of(&self, template: &Template) -> String {
        let said = template.variables().map(|variable| {
            let name = format!("`${{{}}}`", variable.written);
            match self.request.variable(variable) {
                _ if variable.key.is("aws:PrincipalAccount") && self.request.caller.account().is_some() => {
                    format!("{name} is the caller's account")
                }
                Lookup::Value(value) if self.request.caller != Caller::Anonymous => format!("{name} is `{value}`"),
                Lookup::Value(_) | Lookup::Absent => format!("{name} has no value for this caller"),
                Lookup::Unknown => format!("{name} has another value"),
            }
        });
        let said: Vec<String> = said.collect();
        if said.is_empty() { String::new() } else { format!(", where {}", said.join(" and ")) }
    }

    /// A pattern up to its first wildcard, with what its variables stand for.
    fn filled(&self, template: &Template) -> String {
        use crate::policy::template::Piece;
        let plain = |text: &str| text.split(['*', '?']).next().unwrap_or_default().to_owned();
        let Some(pieces) = template.pieces() else { return plain(template.raw()) };
        let mut filled = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    filled.push_str(&plain(text));
                    if text.contains(['*', '?']) {
                        return filled;
                    }
                }
                Piece::Literal(one) => filled.push(*one),
                Piece::Variable(variable) => match self.request.variable(variable) {
                    Lookup::Value(value) => filled.push_str(value),
                    Lookup::Absent | Lookup::Unknown => return filled,
                },
            }
        }
        filled
    }
}

/// What an Allow that names others says of them.
fn whom(principals: &Principals) -> String {
    let names: Vec<&str> = principals.entries.iter().map(|entry| entry.text.as_str()).collect();
    match principals.negated {
        true => format!("its `NotPrincipal` leaves this caller out: {}", quoted(&names)),
        false => format!("only to {}", quoted(&names)),
    }
}

/// That the version makes plain text of variables.
fn literal(policy: &Policy) -> &'static str {
    match policy.written_version {
        Some(_) => "its old `Version` takes variables as plain text",
        None => "no `Version` lets variables work",
    }
}

fn version(policy: &Policy) -> String {
    format!("`\"Version\": \"2012-10-17\"` in the {}", policy.kind.title())
}

/// The folder in which an object lies, down to where it first differs, and to an account where it is in the folder of one;
/// `from` is where it differs, and the key begins at `key`.
fn folder(resource: &str, key: usize, from: usize) -> Option<&str> {
    let mut at = key;
    for component in resource.get(key..)?.split('/') {
        if AccountId::parse(component).is_some() {
            break;
        }
        at += component.len() + 1;
    }
    let of_account = if at < resource.len() { at } else { key };
    let at = from.max(key).max(of_account);
    let end = resource.get(at..)?.find('/').map(|end| at + end + 1);
    let end = end.or_else(|| resource.rfind('/').map(|end| end + 1).filter(|end| *end > key))?;
    resource.get(key..end)
}

/// How many bytes two texts begin with alike.
fn same_start(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

fn list(items: &[Spanned<Template>]) -> String {
    let raw: Vec<&str> = items.iter().map(|item| item.raw()).collect();
    quoted(&raw)
}

/// `` `a` ``, `` `a` and `b` ``, `` `a`, `b`, `c` and 2 more ``.
fn quoted(items: &[&str]) -> String {
    let mut said: Vec<String> = items.iter().take(MOST).map(|item| format!("`{item}`")).collect();
    if items.len() > MOST {
        said.push(format!("{} more", items.len() - MOST));
    }
    match said.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, most)) => format!("{} and {last}", most.join(", ")),
    }
}
