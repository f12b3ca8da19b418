//! Whether a resource pattern of a policy can meet resources of a type.
//!
//! Both are patterns: the policy's with `*` and `?`, the type's with named parts that have an alphabet of their own (a bucket
//! name holds no slash, an object key may). The answer is whether some ARN fits both, found by walking the policy's pattern
//! over the set of places in the type's that are still possible; time is the product of the two lengths at worst.

/// Whether something applies: an answer that can be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Applies {
    /// It does: there is a resource that fits.
    Yes,
    /// It does not, whatever the resources.
    No,
    /// AWS does not say, or says two things.
    Unknown,
}

/// A type of resource, as the Service Authorization Reference names it for one service.
#[derive(Debug)]
pub struct ResourceType {
    /// The name, as `bucket`.
    pub name: &'static str,
    /// The form of its ARNs, as `arn:${Partition}:s3:::${BucketName}`.
    pub arn_pattern: &'static str,
    /// The words of the keys that come with the resource.
    keys: &'static str,
    form: Option<Form>,
}

impl ResourceType {
    pub(super) fn new(name: &'static str, arn_pattern: &'static str, keys: &'static str) -> ResourceType {
        ResourceType { name, arn_pattern, keys, form: Form::new(arn_pattern) }
    }

    /// Whether a resource of the type can fit `pattern`, an entry of a policy's `Resource`; see [`super::Action::applies_to`].
    #[must_use]
    pub fn can_match(&self, pattern: &str) -> Applies {
        any_matches(std::iter::once(self), pattern)
    }

    pub(super) fn key_words(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.keys.split(' ').filter(|word| !word.is_empty())
    }
}

/// The best answer that one of the types gives.
pub(super) fn any_matches<'t>(types: impl Iterator<Item = &'t ResourceType>, pattern: &str) -> Applies {
    if is_everything(pattern) {
        return Applies::Yes;
    }
    let Some(pattern) = ArnPattern::new(pattern) else { return Applies::No };
    let mut best = Applies::No;
    for kind in types {
        match kind.form.as_ref().map_or(Applies::Unknown, |form| form.meets(&pattern)) {
            Applies::Yes => return Applies::Yes,
            Applies::Unknown => best = Applies::Unknown,
            Applies::No => {}
        }
    }
    best
}

/// The answer for an action that takes no resource: only `*` covers it.
///
/// The reference says so of `s3:ListAllMyBuckets` too, while a walkthrough of the S3 User Guide grants it on
/// `arn:aws:s3:::*`: that form stays undecided.
pub(super) fn none_matches(service: &str, pattern: &str) -> Applies {
    if is_everything(pattern) {
        return Applies::Yes;
    }
    match ArnPattern::new(pattern) {
        Some(ArnPattern { fields: [arn, partition, named, ..], resource })
            if service == "s3"
                && is_everything(resource)
                && Field::Is("arn").allows(arn)
                && Field::Partition.allows(partition)
                && Field::Is("s3").allows(named) =>
        {
            Applies::Unknown
        }
        _ => Applies::No,
    }
}

fn is_everything(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.bytes().all(|byte| byte == b'*')
}

/// A policy's pattern, cut at the first five colons.
struct ArnPattern<'p> {
    fields: [&'p str; 5],
    resource: &'p str,
}

impl<'p> ArnPattern<'p> {
    /// `None` if it has too few fields to match an ARN. As in the IAM policy simulator, a last field that ends with `*` also
    /// stands for the missing ones.
    fn new(pattern: &'p str) -> Option<ArnPattern<'p>> {
        let missing = if pattern.ends_with('*') { Some("*") } else { None };
        let mut rest = Some(pattern);
        let mut next = || {
            let text = rest.take().or(missing)?;
            let (field, after) = split_at_colon(text).map_or((text, None), |(field, after)| (field, Some(after)));
            rest = after;
            Some(field)
        };
        let fields = [next()?, next()?, next()?, next()?, next()?];
        Some(ArnPattern { fields, resource: rest.or(missing)? })
    }
}

/// Cuts at the first colon that is not inside a policy variable.
fn split_at_colon(text: &str) -> Option<(&str, &str)> {
    let cut = text.split_once(':')?;
    if !cut.0.contains("${") {
        return Some(cut);
    }
    let mut place = 0;
    for piece in Pieces(text) {
        if piece.token == Token::One(':') {
            let (field, rest) = text.split_at_checked(place)?;
            return Some((field, rest.strip_prefix(':')?));
        }
        place += piece.length;
    }
    None
}

/// The form of a type's ARNs.
#[derive(Debug)]
struct Form {
    fields: [Field; 5],
    /// Shorter than [`Places::LIMIT`].
    resource: Vec<Step>,
}

impl Form {
    fn new(arn: &'static str) -> Option<Form> {
        let mut parts = arn.splitn(6, ':');
        let mut fields = [Field::Any; 5];
        for field in &mut fields {
            *field = Field::new(parts.next()?);
        }
        let resource = parts.next()?;
        // Access point is the one type whose multi-Region form, without a Region, is not listed beside the other
        // (S3 User Guide, permissions of Multi-Region Access Points).
        if let [_, _, Field::Is("s3"), region @ Field::NonEmpty, _] = &mut fields
            && resource.starts_with("accesspoint/")
        {
            *region = Field::Any;
        }
        let resource = steps(resource);
        (resource.len() < Places::LIMIT).then_some(Form { fields, resource })
    }

    fn meets(&self, pattern: &ArnPattern<'_>) -> Applies {
        let fits = self.fields.iter().zip(pattern.fields).all(|(field, text)| field.allows(text));
        if !fits || !meets(&self.resource, pattern.resource) {
            return Applies::No;
        }
        // AWS substitutes variables after the fifth colon only; whether it takes them for literal text before it is not said.
        let variable = |text: &&str| text.contains("${") && Pieces(text).any(|piece| piece.token == Token::Variable);
        let undecided = pattern.fields.iter().any(variable);
        if undecided { Applies::Unknown } else { Applies::Yes }
    }
}

/// What one of the first five fields of an ARN may hold.
#[derive(Debug, Clone, Copy)]
enum Field {
    Is(&'static str),
    Partition,
    NonEmpty,
    Any,
}

impl Field {
    fn new(field: &'static str) -> Field {
        match field {
            "${Partition}" => Field::Partition,
            _ if field.starts_with("${") => Field::NonEmpty,
            _ => Field::Is(field),
        }
    }

    fn allows(self, text: &str) -> bool {
        const fn one(c: char) -> Step {
            Step { set: Set::Exactly(c), repeats: false }
        }
        const AWS: [Step; 3] = [one('a'), one('w'), one('s')];
        const OTHER: [Step; 6] = [one('a'), one('w'), one('s'), one('-'), Step::ONCE, Step::MORE];
        match self {
            Field::Is(literal) if text.contains(['*', '?', '$']) => {
                meets(&literal.chars().map(one).collect::<Vec<_>>(), text)
            }
            Field::Is(literal) => text == literal,
            Field::Partition => text == "aws" || meets(&AWS, text) || meets(&OTHER, text),
            Field::NonEmpty => !text.is_empty(),
            Field::Any => true,
        }
    }
}

/// A character of a type's ARN, or any number of characters.
#[derive(Debug, Clone, Copy)]
struct Step {
    set: Set,
    repeats: bool,
}

impl Step {
    const ONCE: Step = Step { set: Set::Segment, repeats: false };
    const MORE: Step = Step { set: Set::Segment, repeats: true };
}

#[derive(Debug, Clone, Copy)]
enum Set {
    Any,
    /// All but `/` and `:`.
    Segment,
    Exactly(char),
}

impl Set {
    fn contains(self, c: char) -> bool {
        match self {
            Set::Any => true,
            Set::Segment => c != '/' && c != ':',
            Set::Exactly(own) => own == c,
        }
    }
}

/// The steps of a type's resource part, as `accesspoint/${AccessPointName}/object/${ObjectName}`.
fn steps(resource: &'static str) -> Vec<Step> {
    let mut steps = Vec::with_capacity(resource.len());
    let mut rest = resource;
    loop {
        let (literal, placeholder) =
            rest.split_once("${").map_or((rest, None), |(literal, after)| (literal, Some(after)));
        steps.extend(literal.chars().map(|c| Step { set: Set::Exactly(c), repeats: false }));
        let Some((name, after)) = placeholder.and_then(|p| p.split_once('}')) else { return steps };
        let set = if may_hold_slash(name) { Set::Any } else { Set::Segment };
        steps.extend([Step { set, repeats: false }, Step { set, repeats: true }]);
        rest = after;
    }
}

/// Whether a named part of an ARN can hold slashes: object keys, IAM paths, aliases (`alias/aws/s3`), issuer addresses.
fn may_hold_slash(name: &str) -> bool {
    matches!(name, "ObjectName" | "Alias" | "OidcProviderName") || name.ends_with("Path")
}

/// A set of places before, between and after at most 127 steps, as bits.
#[derive(Clone, Copy)]
struct Places(u128);

impl Places {
    const LIMIT: usize = 128;

    fn holds(self, place: usize) -> bool {
        self.0 & (1 << place) != 0
    }

    /// Adds a place and those that are reached from it without a character.
    fn add(&mut self, steps: &[Step], mut place: usize) {
        self.0 |= 1 << place;
        while steps.get(place).is_some_and(|step| step.repeats) {
            place += 1;
            self.0 |= 1 << place;
        }
    }

    /// The places after one more character that `accepts` lets pass.
    fn advance(self, steps: &[Step], accepts: impl Fn(Set) -> bool) -> Places {
        let mut next = Places(0);
        let mut rest = self.0;
        while rest != 0 {
            let place = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            if let Some(step) = steps.get(place).filter(|step| accepts(step.set)) {
                next.add(steps, if step.repeats { place } else { place + 1 });
            }
        }
        next
    }

    /// The places after any number of characters: all from the first on, because no step is impossible.
    fn run(self, steps: &[Step]) -> Places {
        let all = u128::MAX >> (Self::LIMIT - 1 - steps.len());
        Places(all & u128::MAX.checked_shl(self.0.trailing_zeros()).unwrap_or(0))
    }
}

/// Whether some text fits both the steps and the policy's pattern. The steps are fewer than [`Places::LIMIT`].
fn meets(steps: &[Step], pattern: &str) -> bool {
    let mut places = Places(0);
    places.add(steps, 0);
    for piece in Pieces(pattern) {
        places = match piece.token {
            Token::One(c) => places.advance(steps, |set| set.contains(c)),
            Token::AnyOne => places.advance(steps, |_| true),
            Token::AnyRun | Token::Variable => places.run(steps),
        };
        if places.0 == 0 {
            return false;
        }
    }
    places.holds(steps.len())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    One(char),
    AnyOne,
    AnyRun,
    Variable,
}

struct Piece {
    token: Token,
    /// How many bytes of the pattern it takes.
    length: usize,
}

/// Reads a policy's pattern from the left. `${*}`, `${?}` and `${$}` are the characters themselves, an unclosed `${` is text.
struct Pieces<'p>(&'p str);

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let first = self.0.chars().next()?;
        let variable = self.0.strip_prefix("${").and_then(|rest| rest.split_once('}')).map(|(name, _)| name);
        let (token, length) = match (first, variable) {
            (_, Some("*")) => (Token::One('*'), 4),
            (_, Some("?")) => (Token::One('?'), 4),
            (_, Some("$")) => (Token::One('$'), 4),
            (_, Some(name)) => (Token::Variable, name.len() + 3),
            ('*', None) => (Token::AnyRun, 1),
            ('?', None) => (Token::AnyOne, 1),
            (c, None) => (Token::One(c), c.len_utf8()),
        };
        self.0 = self.0.get(length..)?;
        Some(Piece { token, length })
    }
}

#[cfg(test)]
mod tests;
