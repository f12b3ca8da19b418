//! "Did you mean": the name that was probably meant.

/// The candidate nearest to a word that is none of them: a few letters off, or one that continues it.
///
/// Case counts for nothing, and `_` is taken as `-`. `None` where nothing is near.
pub fn closest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    // No name is this long, and comparing takes time proportional to the length.
    if word.len() > 100 {
        return None;
    }
    let word = word.to_ascii_lowercase().replace('_', "-");
    let most = (word.chars().count() / 3).clamp(1, 3);
    let near =
        candidates.iter().map(|&c| (strsim::damerau_levenshtein(&word, c), c)).min_by_key(|&(distance, _)| distance);
    if let Some((distance, candidate)) = near
        && distance <= most
    {
        return Some(candidate);
    }
    let mut longer = candidates.iter().copied().filter(|c| word.len() > 2 && c.starts_with(&word));
    longer.next().filter(|_| longer.next().is_none())
}
