//! What the guide says is true: its commands run, its outputs are real, and all of its pages can be
//! reached.

#[path = "support/documents.rs"]
mod documents;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn guide() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/src")
}

/// Every page, as the summary names it.
fn pages() -> BTreeSet<String> {
    fn collect(root: &Path, folder: &Path, pages: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("it can be read") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                collect(root, &path, pages);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let page = path.strip_prefix(root).expect("below it");
                pages.insert(page.display().to_string());
            }
        }
    }
    let mut pages = BTreeSet::new();
    collect(&guide(), &guide(), &mut pages);
    pages.remove("SUMMARY.md");
    pages
}

/// The targets of the links and images of a page that are no addresses.
fn targets(text: &str) -> Vec<String> {
    let ends = text.split("](").skip(1);
    let targets = ends.filter_map(|rest| rest.split_once(')'));
    targets
        .map(|(target, _)| target.split('#').next().unwrap_or_default().to_string())
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .collect()
}

fn read(page: &str) -> String {
    std::fs::read_to_string(guide().join(page)).expect("it can be read")
}

#[test]
fn every_command_of_the_guide_runs_and_prints_what_is_shown() {
    let pages = pages();
    let commands =
        |page: &String| documents::is_true(&guide().join(page), &guide().join("images"), "guide");
    let all: usize = pages.iter().map(commands).sum();
    assert!(all >= 30, "the guide has its commands: {all}");
}

#[test]
fn the_summary_names_every_page_once() {
    let named = targets(&read("SUMMARY.md"));
    let once: BTreeSet<String> = named.iter().cloned().collect();
    assert_eq!(once.len(), named.len());
    assert_eq!(once, pages());
}

#[test]
fn every_link_leads_somewhere() {
    for page in pages() {
        let folder = guide()
            .join(&page)
            .parent()
            .expect("a folder")
            .to_path_buf();
        for target in targets(&read(&page)) {
            let path = folder.join(&target);
            assert!(path.exists(), "{page}: {target} is not there");
        }
    }
}
