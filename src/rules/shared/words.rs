//! How messages put lists into words.

/// `a`, `a and b`, `a, b and c`; what goes beyond `most` is counted.
pub(in crate::rules) fn list<T: AsRef<str>>(items: &[T], most: usize) -> String {
    let shown: Vec<&str> = items.iter().take(most).map(AsRef::as_ref).collect();
    let more = items.len().saturating_sub(shown.len());
    let tail = (more > 0).then(|| format!("{more} more"));
    let mut words: Vec<&str> = shown;
    words.extend(tail.as_deref());
    match words.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

/// The same in backticks.
pub(in crate::rules) fn quoted<T: AsRef<str>>(items: &[T], most: usize) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("`{}`", item.as_ref())).collect();
    list(&items, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_well_at_every_length() {
        let of = |items: &[&str]| list(items, 3);
        assert_eq!(of(&[]), "");
        assert_eq!(of(&["a"]), "a");
        assert_eq!(of(&["a", "b"]), "a and b");
        assert_eq!(of(&["a", "b", "c"]), "a, b and c");
        assert_eq!(of(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
        assert_eq!(quoted(&["a", "b"], 1), "`a` and 1 more");
    }
}
