//! How far a collection is, on standard error: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::terminal;
use crate::collect::live::{Event, Unread, Watch};

/// Answers that could not be had that are told of one by one unless all are asked for.
const SHOWN: usize = 10;

/// Tells of a collection as it goes on.
pub(super) struct Progress {
    quiet: bool,
    verbose: bool,
    state: Mutex<State>,
}

struct State {
    bar: Option<ProgressBar>,
    accounts: usize,
    done: usize,
    unread: usize,
}

impl Progress {
    pub(super) fn new(quiet: bool, verbose: bool) -> Self {
        let is_shown = !quiet && std::io::stderr().is_terminal();
        let bar = is_shown.then(|| {
            let bar = ProgressBar::new_spinner().with_message("asking AWS who this is");
            bar.enable_steady_tick(std::time::Duration::from_millis(120));
            bar
        });
        Progress { quiet, verbose, state: Mutex::new(State { bar, accounts: 0, done: 0, unread: 0 }) }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Ok(mut state) = self.state.lock()
            && let Some(bar) = state.bar.take()
        {
            bar.finish_and_clear();
        }
    }

    fn say(&self, state: &State, line: &str) {
        match &state.bar {
            _ if self.quiet => {}
            Some(bar) => bar.suspend(|| terminal::say(line)),
            None => terminal::say(line),
        }
    }
}

impl Watch for Progress {
    fn event(&self, event: Event) {
        let Ok(mut state) = self.state.lock() else { return };
        match event {
            Event::Accounts(count) => {
                state.accounts = count;
                match &state.bar {
                    Some(bar) => {
                        bar.set_length(count as u64);
                        if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:30} {pos}/{len} accounts {msg}")
                        {
                            bar.set_style(style);
                        }
                        bar.set_message("");
                    }
                    None => self.say(&state, &format!("reading {}", in_words(count, "account"))),
                }
            }
            Event::Done(account) => {
                state.done += 1;
                match &state.bar {
                    Some(bar) => {
                        bar.inc(1);
                        bar.set_message(format!("(last {account})"));
                    }
                    None => self.say(&state, &format!("read {account} ({} of {})", state.done, state.accounts)),
                }
            }
            Event::Unread(unread) => {
                state.unread += 1;
                if self.verbose || state.unread <= SHOWN {
                    self.say(&state, &told(&unread));
                } else if state.unread == SHOWN + 1 {
                    self.say(&state, "more could not be read: manifest.json of the snapshot lists it, -v prints it");
                }
            }
        }
    }
}

/// An answer that could not be had, as one line.
fn told(unread: &Unread) -> String {
    let about = match unread.about.is_empty() {
        true => String::new(),
        false => format!(" of `{}`", unread.about),
    };
    let Unread { account, operation, error, .. } = unread;
    let mend = unread.permission.map(|permission| format!(" (allow {permission})")).unwrap_or_default();
    format!("not read: {operation}{about} in {account}: {error}{mend}")
}

/// A number with its noun.
pub(super) fn in_words(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
