//! The pages that `semel report` writes, in a real Chromium. Where there is none, nothing is tested, and
//! the tests say so; `.ci/with-browser` installs one.

#[path = "browser/driver.rs"]
mod driver;
#[path = "support/shell.rs"]
mod shell;

use driver::{Browser, END, HOME, LEFT, RIGHT};
use semel::catalogue::ENTRIES;
use shell::{Bench, code, design, err, semel};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// No page may be larger.
const MAX_BYTES: u64 = 1_000_000;

/// The page of an entry, in `folder`.
fn page(folder: &TempDir, id: &str) -> PathBuf {
    let name = format!("{id}.html");
    let output = semel(folder.path(), &["report", "--entry", id, "-o", &name]);
    assert_eq!(code(&output), 0, "{id}: {}", err(&output));
    folder.path().join(name)
}

/// The number of the step that a run shows.
fn shown(browser: &Browser) -> u64 {
    let id = browser.eval("document.querySelector('.run .step.now').id");
    let id = id.as_str().expect("an id");
    let (_, number) = id.rsplit_once('-').expect("a number");
    number.parse().expect("a number")
}

/// What the first run shows of its state.
fn state(browser: &Browser) -> String {
    let text = browser.eval("document.querySelector('.run .step.now .cards').innerText");
    text.as_str().expect("text").to_string()
}

/// Whether something goes beyond the window's right edge.
fn scrolls_sideways(browser: &Browser) -> bool {
    browser.eval("document.documentElement.scrollWidth > innerWidth") == true
}

#[test]
fn keys_clicks_and_the_slider_step_through_a_run_and_its_states() {
    let Some(browser) = Browser::start(1400, 900) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    browser.open(&page(&folder, "C06"), "");
    assert_eq!(shown(&browser), 0);
    assert!(state(&browser).contains("not sent"));
    browser.press(RIGHT);
    assert_eq!(shown(&browser), 1);
    assert!(state(&browser).contains("r0 (sent)"), "{}", state(&browser));
    browser.press('j');
    browser.press('j');
    browser.press(LEFT);
    browser.press('k');
    assert_eq!(shown(&browser), 1);
    browser.press(END);
    let steps =
        browser.eval("document.querySelectorAll('.run')[0].querySelectorAll('.row').length");
    assert_eq!(Some(shown(&browser)), steps.as_u64());
    browser.press(RIGHT);
    assert_eq!(
        Some(shown(&browser)),
        steps.as_u64(),
        "there is nothing beyond"
    );
    browser.press(HOME);
    assert_eq!(shown(&browser), 0);
    browser.click(".run .row:nth-of-type(4) .said");
    assert_eq!(shown(&browser), 4);
    browser.click(".run button:last-of-type");
    assert_eq!(shown(&browser), 5);
    browser.eval("document.querySelector('.run input').focus()");
    browser.press(RIGHT);
    assert_eq!(shown(&browser), 6, "the slider's own key");
    let told = browser.eval("document.querySelector('.run .live').textContent");
    let told = told.as_str().expect("text");
    assert!(told.starts_with("Step 6 of"), "{told}");
    let hash = browser.eval("location.hash");
    assert_eq!(hash, "#no-loss-6", "a link to the step");
}

#[test]
fn a_link_shows_its_step_and_what_it_changed() {
    let Some(browser) = Browser::start(1400, 900) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    browser.open(&page(&folder, "C01"), "#no-loss-3");
    assert_eq!(shown(&browser), 3);
    let changed = "[...document.querySelectorAll('.step.now .changed dt')].map(e => e.textContent)";
    let changed = browser.eval(changed);
    let changed = changed.as_array().expect("names");
    assert!(changed.iter().any(|name| name == "log"), "{changed:?}");
    assert!(!changed.iter().any(|name| name == "effects"), "{changed:?}");
}

#[test]
fn every_entry_has_a_page_that_opens_without_network_complaint_or_sideways_scroll() {
    let Some(browser) = Browser::start(360, 740) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    for entry in ENTRIES {
        let file = page(&folder, entry.id);
        let size = std::fs::metadata(&file).expect("a file").len();
        assert!(size < MAX_BYTES, "{}: {size} bytes", entry.id);
        browser.open(&file, "");
        browser.press(RIGHT);
        assert_eq!(shown(&browser), 1, "{}", entry.id);
        assert!(!scrolls_sideways(&browser), "{}", entry.id);
        assert_eq!(browser.console(), [""; 0], "{}", entry.id);
        let asked = browser.requests();
        let own = |url: &String| url.starts_with("file://") || url.starts_with("data:");
        assert!(asked.iter().all(own), "{}: {asked:?}", entry.id);
    }
}

#[test]
fn a_name_that_is_markup_stays_text() {
    let Some(browser) = Browser::start(360, 740) else {
        return;
    };
    let text = format!(
        "name = '</title><script>document.title = 1</script><b id=\"evil\">&{{{{body}}}}'\n{}",
        design("", "commit -> process")
    );
    let bench = Bench::with(text.as_bytes());
    let output = semel(bench.folder.path(), &["report"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let file: &Path = &bench.file("report.html");
    browser.open(file, "");
    assert_eq!(browser.eval("document.querySelectorAll('#evil').length"), 0);
    let heading = browser.eval("document.querySelector('h1').textContent");
    assert!(
        heading
            .as_str()
            .expect("text")
            .contains("<b id=\"evil\">&{{body}}")
    );
    assert!(!scrolls_sideways(&browser));
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn paper_has_every_step_and_the_dark_page_is_dark() {
    let Some(browser) = Browser::start(1000, 800) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    browser.open(&page(&folder, "C01"), "");
    let visible = "[...document.querySelectorAll('.run')[0].querySelectorAll('.step')].filter(e => e.offsetHeight > 0).length";
    assert_eq!(browser.eval(visible), 1);
    let ground = "getComputedStyle(document.body).backgroundColor";
    browser.emulate("", "light");
    let light = browser.eval(ground);
    browser.emulate("", "dark");
    assert_ne!(browser.eval(ground), light);
    browser.emulate("print", "dark");
    assert_eq!(browser.eval(ground), "rgb(255, 255, 255)");
    let rows = browser.eval("document.querySelectorAll('.run')[0].querySelectorAll('.row').length");
    assert_eq!(browser.eval(visible), rows);
}
