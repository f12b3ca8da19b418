//! The page in a real browser: what people see, the keyboard, and that no request leaves.
//!
//! The browser is spoken to over its debugging pipe: a JSON message each way, with a zero byte behind it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trailproof::finding::matrix::Matrix;
use trailproof::report::{AccessFormat, AccessOptions};
use trailproof::text::SourceMap;

use super::samples;

/// How long the browser may take for one answer.
const PATIENCE: Duration = Duration::from_secs(90);

/// The browser, if there is one on this machine; a test says so where it is not, or fails where tools are required.
fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("TRAILPROOF_CHROMIUM").map(PathBuf::from);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut installed = std::env::split_paths(&folders).flat_map(|folder| names.map(|name| folder.join(name)));
    let found = named.or_else(|| installed.find(|path| path.is_file()));
    if found.is_none() {
        assert_ne!(std::env::var("TRAILPROOF_REQUIRE_TOOLS").as_deref(), Ok("1"), "chromium is missing");
        println!("not run: chromium is missing (apt-get install chromium, or name it in TRAILPROOF_CHROMIUM)");
    }
    found
}

/// A browser with one page, and all it said.
struct Page {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    next: u64,
    session: String,
    /// What the page asked for or complained about.
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Page {
    /// Opens a page with nothing in it.
    fn open(browser: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The browser reads from descriptor 3 and writes to 4.
        let script = r#"exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null"#;
        let mut child = Command::new("sh")
            .args(["-c", script])
            .arg(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe"])
            .args(["--window-size=1280,900"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut page = Page {
            child,
            to,
            from: messages(out),
            next: 0,
            session: String::new(),
            events: Vec::new(),
            _profile: profile,
        };
        let target = page.call("Target.createTarget", json!({"url": "about:blank"}));
        let attached = page.call("Target.attachToTarget", json!({"targetId": target["targetId"], "flatten": true}));
        page.session = attached["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page
    }

    /// Does a thing and waits for its answer; what else is said meanwhile is kept.
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = self.session.as_str().into();
        }
        self.to.write_all(message.to_string().as_bytes()).unwrap();
        self.to.write_all(&[0]).unwrap();
        self.to.flush().unwrap();
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let mut answer = self.from.recv_timeout(left).unwrap_or_else(|e| panic!("no answer to {method}: {e}"));
            if answer["id"] == self.next {
                assert!(answer.get("error").is_none(), "{method}: {}", answer["error"]);
                return answer["result"].take();
            }
            self.events.push(answer);
        }
    }

    /// What an expression gives in the page.
    fn value(&mut self, expression: &str) -> Value {
        let mut found = self
            .call("Runtime.evaluate", json!({"expression": expression, "returnByValue": true, "awaitPromise": true}));
        assert!(found.get("exceptionDetails").is_none(), "{expression}: {found}");
        found["result"]["value"].take()
    }

    /// Waits until an expression is true in the page.
    fn until(&mut self, expression: &str) {
        let until = Instant::now() + PATIENCE;
        while self.value(expression) != true {
            assert!(Instant::now() < until, "never true: {expression}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Loads a file and waits until it is there.
    fn load(&mut self, file: &Path) {
        self.call("Page.navigate", json!({"url": format!("file://{}", file.display())}));
        self.until("location.protocol === 'file:' && document.readyState === 'complete'");
    }

    fn key(&mut self, key: &str, code: u32) {
        // Enter is a character too; without it a link is not followed.
        let text = if key == "Enter" { "\r" } else { "" };
        let event = |kind| json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
        self.call("Input.dispatchKeyEvent", event("keyDown"));
        self.call(
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code}),
        );
    }

    fn type_in(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// What went wrong, and what the page asked for besides itself.
    fn complaints(&self) -> Vec<String> {
        let said = self.events.iter().filter_map(|event| {
            let parameters = &event["params"];
            match event["method"].as_str()? {
                "Runtime.exceptionThrown" | "Log.entryAdded" => Some(parameters.to_string()),
                "Runtime.consoleAPICalled" => Some(parameters["args"].to_string()),
                "Network.requestWillBeSent" => {
                    let address = parameters["request"]["url"].as_str()?;
                    let is_page = parameters["type"] == "Document" && address.starts_with("file:");
                    (!is_page && !address.starts_with("data:")).then(|| format!("asks for {address}"))
                }
                _ => None,
            }
        });
        said.collect()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn messages(out: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for message in BufReader::new(out).split(0) {
            let Ok(message) = message else { return };
            let message = serde_json::from_slice(&message).unwrap_or(Value::Null);
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A page in a file of its own.
fn page_of(matrices: &[Matrix], sources: &SourceMap, wide: bool) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let options = AccessOptions { wide, ..AccessOptions::default() };
    let file = folder.path().join("access.html");
    std::fs::write(&file, samples::rendered(AccessFormat::Html, matrices, sources, options)).unwrap();
    (folder, file)
}

/// The rows that are shown.
const ROWS: &str =
    "Array.from(document.querySelectorAll('.matrix tbody tr')).filter(row => row.getClientRects().length > 0).length";

/// The text of the panel that is open, or nothing.
const PANEL: &str = "Array.from(document.querySelectorAll('.panel')).filter(p => p.getClientRects().length > 0)\
                     .map(p => p.innerText).join('\\n')";

#[test]
fn people_search_open_a_path_by_keyboard_and_close_it_again() {
    let Some(browser) = chromium() else { return };
    let sources = samples::sources();
    let (_folder, file) = page_of(&[samples::small(&sources)], &sources, false);
    let mut page = Page::open(&browser);
    page.load(&file);
    assert_eq!(page.value(ROWS), 6);
    assert_eq!(page.value(PANEL), "");
    // A slash goes to the search.
    page.key("/", 191);
    assert_eq!(page.value("document.activeElement.id"), "find-readers");
    page.type_in("Log Analyzer");
    page.until(&format!("{ROWS} === 1"));
    assert_eq!(page.value("document.getElementById('found').textContent"), "1 of 6 rows, 2 of 2 columns");
    // Reset, then only what is too much.
    page.value("document.querySelector('#tools button').click()");
    page.until(&format!("{ROWS} === 6"));
    page.value(
        "{ const s = document.getElementById('find-cells'); s.value = 'more'; s.dispatchEvent(new Event('change')); }",
    );
    page.until(&format!("{ROWS} === 1"));
    let columns =
        "Array.from(document.querySelectorAll('thead th[data-q]')).filter(h => h.getClientRects().length > 0).length";
    assert_eq!(page.value(columns), 1);
    // To the cell by arrow keys, and into it with Enter.
    page.value("document.querySelector('#tools button').click()");
    page.until(&format!("{ROWS} === 6"));
    page.value("document.querySelector('.matrix td a.p').focus()");
    page.key("ArrowDown", 40);
    page.key("ArrowDown", 40);
    assert_eq!(page.value("document.activeElement.innerText.replace(/\\s+/g, ' ')"), "read+decrypt if ▲ too much");
    page.key("Enter", 13);
    page.until("location.hash.startsWith('#c')");
    let shown = page.value(PANEL);
    let shown = shown.as_str().unwrap();
    for expected in [
        "333333333333 (security) may be able to read and decrypt the logs of 222222222222 (payments)",
        "333333333333 fetches the logs of 222222222222",
        "org/bucket-policy.json:13:7",
        "\"Sid\": \"Office\"",
        "aws:SourceIp",
        "kms:Decrypt",
        "can not list",
    ] {
        assert!(shown.contains(expected), "{expected} is not in {shown}");
    }
    page.until("document.activeElement.classList.contains('panel')");
    // Escape closes it and the cell has the focus again.
    page.key("Escape", 27);
    page.until(&format!("{PANEL} === ''"));
    assert_eq!(page.value("document.activeElement.innerText.replace(/\\s+/g, ' ')"), "read+decrypt if ▲ too much");
    assert_eq!(page.complaints(), [""; 0]);
}

#[test]
fn the_matrix_and_its_paths_work_without_scripts() {
    let Some(browser) = chromium() else { return };
    let sources = samples::sources();
    let (_folder, file) = page_of(&[samples::small(&sources)], &sources, false);
    let mut page = Page::open(&browser);
    page.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    page.load(&file);
    assert_eq!(page.value(ROWS), 6);
    assert_eq!(page.value("document.getElementById('tools').getClientRects().length"), 0);
    page.value("document.querySelector('.matrix td a.more').focus()");
    page.key("Enter", 13);
    page.until("location.hash.startsWith('#c')");
    assert!(page.value(PANEL).as_str().unwrap().contains("this is more than the sharing model gives"));
    page.value("document.querySelector('.panel:target .close').focus()");
    page.key("Enter", 13);
    page.until(&format!("{PANEL} === ''"));
    assert_eq!(page.complaints(), [""; 0]);
}

#[test]
fn hostile_names_do_no_harm() {
    let Some(browser) = chromium() else { return };
    let (matrix, sources) = samples::hostile();
    let (_folder, file) = page_of(&[matrix], &sources, false);
    let mut page = Page::open(&browser);
    page.load(&file);
    assert_eq!(page.value("window.harmed === undefined"), true);
    assert_eq!(page.value("document.querySelectorAll('script, style, img, iframe, object, base, form').length"), 3);
    let links = "Array.from(document.links).filter(a => !a.getAttribute('href').startsWith('#')).length";
    assert_eq!(page.value(links), 0);
    page.value("{ const s = document.getElementById('find-readers'); s.value = '</script>'; s.dispatchEvent(new Event('input')); }");
    page.until(&format!("{ROWS} === 1"));
    assert_eq!(page.complaints(), [""; 0]);
    // The policy holds where something slips through: what is added can neither run nor ask for anything.
    page.value(
        "{ const s = document.createElement('a'); document.body.append(s); \
         try { s.setAttribute('onclick', 'window.harmed = 1'); } catch {} s.click(); \
         try { s.innerHTML = '<b onmouseover=1>'; } catch {} \
         const i = document.createElement('img'); i.src = 'https://example.com/x.png'; document.body.append(i); }",
    );
    assert_eq!(page.value("window.harmed === undefined"), true);
    page.until("document.querySelector('img').complete");
    let said = page.complaints().join("\n");
    assert!(said.contains("Content Security Policy"), "{said}");
}

#[test]
fn hundreds_of_members_and_thousands_of_cells_are_shown() {
    let Some(browser) = chromium() else { return };
    let sources = SourceMap::new();
    let mut page = Page::open(&browser);
    let (_folder, file) = page_of(&[samples::organization(500)], &sources, false);
    page.load(&file);
    // A member is found in its class, and named.
    page.value("{ const s = document.getElementById('find-readers'); s.value = 'team 321'; s.dispatchEvent(new Event('input')); }");
    page.until(&format!("{ROWS} === 1"));
    assert_eq!(page.value("document.querySelector('.hit').textContent"), "200000000321 (team 321)");
    let (_folder, file) = page_of(&[samples::organization(60)], &sources, true);
    page.load(&file);
    assert_eq!(page.value("document.querySelectorAll('.matrix td').length"), 122 * 61);
    page.value(
        "{ const s = document.getElementById('find-logs'); s.value = 'team 7'; s.dispatchEvent(new Event('input')); }",
    );
    page.until("document.querySelectorAll('thead th[data-q]:not(.off)').length === 1");
    assert_eq!(page.value("document.querySelectorAll('.matrix td:not(.off)').length"), 122);
    // Where there are too many for a table, the search by owner hides nobody who has access.
    let mut matrix = samples::unlike(240);
    let open = matrix.rows[7].cells[7].clone();
    matrix.rows[7].cells.iter_mut().for_each(|cell| *cell = open.clone());
    let (_folder, file) = page_of(&[matrix], &sources, false);
    page.load(&file);
    page.value(
        "{ const s = document.getElementById('find-logs'); s.value = 'team 199'; s.dispatchEvent(new Event('input')); }",
    );
    page.until(&format!("{ROWS} === 3"));
    let rows = "Array.from(document.querySelectorAll('.matrix tbody tr:not(.off) th .who'), e => e.textContent).join()";
    assert_eq!(page.value(rows), "200000000007 (team 7),200000000198 (team 198),200000000199 (team 199)");
    assert_eq!(page.complaints(), [""; 0]);
}
