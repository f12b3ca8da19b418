//! The page: well-formed, closed to the world, and harmless whatever names say. `browser` opens it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use scraper::{Html, Selector};
use sha2::{Digest, Sha256};
use trailproof::finding::matrix::Matrix;
use trailproof::report::{AccessFormat, AccessOptions};
use trailproof::text::SourceMap;

use super::samples;

fn html(matrices: &[Matrix], sources: &SourceMap, wide: bool) -> String {
    let options = AccessOptions { wide, ..AccessOptions::default() };
    samples::rendered(AccessFormat::Html, matrices, sources, options)
}

fn all<'h>(page: &'h Html, selector: &str) -> Vec<scraper::ElementRef<'h>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn pages() -> Vec<String> {
    let sources = samples::sources();
    let (hostile, hostile_sources) = samples::hostile();
    vec![
        html(&[samples::small(&sources), samples::undeclared(&sources)], &sources, false),
        html(&[samples::organization(40)], &sources, true),
        html(&[samples::unlike(240)], &sources, false),
        html(std::slice::from_ref(&hostile), &hostile_sources, false),
        html(&[hostile], &hostile_sources, true),
        html(&[], &sources, false),
    ]
}

#[test]
fn pages_are_well_formed() {
    for page in pages() {
        let parsed = Html::parse_document(&page);
        assert_eq!(parsed.errors, [""; 0]);
        let mut ids: Vec<&str> = all(&parsed, "[id]").iter().map(|element| element.attr("id").unwrap()).collect();
        let number = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), number, "an id stands twice");
        for link in all(&parsed, "a") {
            let target = link.attr("href").unwrap().strip_prefix('#').unwrap();
            assert!(ids.binary_search(&target).is_ok(), "{target} is nowhere");
        }
    }
    let broken = Html::parse_document("<!DOCTYPE html><title>x</title><p><b></p>");
    assert!(!broken.errors.is_empty());
}

#[test]
fn nothing_runs_but_the_script_that_the_policy_names() {
    for page in pages() {
        let parsed = Html::parse_document(&page);
        let policies = all(&parsed, "meta[http-equiv=Content-Security-Policy]");
        let policy = policies[0].attr("content").unwrap();
        for name in ["style", "script"] {
            let elements = all(&parsed, name);
            assert_eq!(elements.len(), 1, "{name}");
            let text: String = elements[0].text().collect();
            let hash = BASE64_STANDARD.encode(Sha256::digest(&text));
            assert!(policy.contains(&format!("{name}-src 'sha256-{hash}'")), "{policy}");
        }
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
        for element in all(&parsed, "*") {
            for (name, value) in element.value().attrs() {
                assert!(!name.starts_with("on") && name != "style" && name != "src", "{name}={value}");
                assert!(name != "href" || value.starts_with('#') || value == "data:,", "{value}");
            }
        }
    }
}

#[test]
fn hostile_names_are_shown_as_they_are_and_nothing_else() {
    let (matrix, sources) = samples::hostile();
    let page = html(&[matrix], &sources, false);
    let parsed = Html::parse_document(&page);
    let shown: Vec<String> = all(&parsed, ".who").iter().map(|element| element.text().collect()).collect();
    for harm in samples::HOSTILE.iter().step_by(2) {
        let visible = trailproof::report::visible(harm).into_owned();
        assert!(shown.contains(&visible), "{visible} is not in {shown:?}");
    }
    let raw: Vec<char> = page.chars().filter(|c| c.is_control() && *c != '\n').collect();
    assert_eq!(raw, [' '; 0]);
    assert!(!page.contains(['\u{202e}', '\u{2066}', '\u{200f}', '\u{feff}']));
}

#[test]
fn what_does_not_hold_everything_says_so() {
    let sources = SourceMap::new();
    let page = html(&[samples::unlike(240)], &sources, false);
    let parsed = Html::parse_document(&page);
    // 57,600 cells are a list, with a path for each that can do something.
    assert!(page.contains("A table of 240 × 240 cells is more than a browser shows with ease"));
    assert_eq!(all(&parsed, ".matrix tbody tr").len(), 240);
    assert_eq!(all(&parsed, ".panel").len(), 3_000);
    assert!(page.contains("54600 more cells have no path on this page"));
    assert_eq!(all(&parsed, ".panel.more").len(), 240);
    assert!(page.len() < 12 << 20, "{}", page.len());
}

#[test]
fn every_cell_says_letters_or_words_besides_its_colour() {
    let sources = samples::sources();
    for page in [html(&[samples::small(&sources)], &sources, false), html(&[samples::organization(40)], &sources, true)]
    {
        let parsed = Html::parse_document(&page);
        for cell in all(&parsed, ".matrix td .p") {
            let text: String = cell.text().collect();
            assert!(!text.trim().is_empty());
            let class = cell.attr("class").unwrap();
            for (name, mark) in [("more", '▲'), ("less", '▼'), ("fits", '✓')] {
                assert_eq!(class.split(' ').any(|known| known == name), text.contains(mark), "{class}: {text}");
            }
        }
    }
}
