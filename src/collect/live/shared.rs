//! How every answer finds its place: asked for once, stored as it is, and remembered where it could not be had.

use std::error::Error;
use std::future::Future;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use serde_json::Value;

use super::call::Call;
use super::manifest::Unread;
use super::node::{Node, object};
use super::refusal::Refusal;
use super::{Event, LiveError, Shared};
use crate::aws::AccountId;
use crate::collect::operation::Operation;

/// What is asked: a call about something, whose answer has a place.
#[derive(Debug, Clone)]
pub(super) struct Question<'q> {
    pub(super) account: AccountId,
    pub(super) call: &'q Call,
    /// What it is about; empty for the account itself.
    pub(super) about: &'q str,
    /// The file of its answer.
    pub(super) place: String,
}

/// An answer that was had.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// What AWS said.
    Given(Value),
    /// It is not configured.
    Absent,
    /// It could not be had.
    Unknown(Refusal),
}

impl Answer {
    /// What AWS said, if it said something.
    pub(super) fn given(&self) -> Option<&Value> {
        match self {
            Answer::Given(value) => Some(value),
            _ => None,
        }
    }
}

impl Shared {
    /// The answer to a question: the one an earlier run stored, else that of `ask`, which is stored.
    ///
    /// # Errors
    /// Where the snapshot can not be written.
    pub(super) async fn answer<F>(&self, question: Question<'_>, ask: impl FnOnce() -> F) -> Result<Answer, LiveError>
    where
        F: Future<Output = Result<Node, Refusal>>,
    {
        if let Some(stored) = self.stored(&question.place) {
            return Ok(stored);
        }
        let given = ask().await;
        self.keep(question, given)
    }

    /// The same for a call that answers at once.
    pub(super) async fn answer_of<T, E, F>(
        &self,
        question: Question<'_>,
        send: impl FnOnce() -> F,
        told: impl FnOnce(&T) -> Node,
    ) -> Result<Answer, LiveError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        let call = question.call;
        self.answer(question, || async { self.gate.ask(call, send).await.map(|answer| told(&answer)) }).await
    }

    /// What an earlier run stored.
    pub(super) fn stored(&self, place: &str) -> Option<Answer> {
        let value = self.store.read(place)?;
        Some(if value.get("$absent").is_some() { Answer::Absent } else { Answer::Given(value) })
    }

    /// Stores what came of a question.
    pub(super) fn keep(&self, question: Question<'_>, given: Result<Node, Refusal>) -> Result<Answer, LiveError> {
        let (text, answer) = match given {
            Ok(node) => (node.to_text(), Answer::Given(node.to_value())),
            Err(refusal) if is_absence(question.call, &refusal) => {
                (object().with("$absent", refusal.code.as_str()).to_text(), Answer::Absent)
            }
            Err(refusal) => {
                let unread = self.unread(&question, &refusal, true);
                let mut reason = unread.error.clone();
                if let Some(permission) = unread.permission {
                    reason.push_str(&format!(" ({permission} has to be allowed)"));
                }
                (object().with("$unknown", reason).to_text(), Answer::Unknown(refusal))
            }
        };
        self.write(&question.place, &text)?;
        Ok(answer)
    }

    /// Notes that something could not be had.
    pub(super) fn unread(&self, question: &Question<'_>, refusal: &Refusal, has_file: bool) -> Unread {
        let permission = question.call.permission;
        let unread = Unread {
            account: question.account,
            operation: question.call.operation,
            about: question.about.to_owned(),
            error: refusal.to_string(),
            permission: (refusal.is_denied() && !permission.is_empty()).then_some(permission),
            file: has_file.then(|| question.place.clone()),
        };
        if let Ok(mut all) = self.unread.lock() {
            all.push(unread.clone());
        }
        self.watch.event(Event::Unread(unread.clone()));
        unread
    }

    /// Stores a text.
    pub(super) fn write(&self, place: &str, text: &str) -> Result<(), LiveError> {
        self.store.write(place, text).map_err(|error| LiveError::Unwritable {
            path: self.options.directory.join(place).display().to_string(),
            reason: crate::collect::reason(&error),
        })
    }
}

fn is_absence(call: &Call, refusal: &Refusal) -> bool {
    Operation::from_api(call.operation).is_some_and(|operation| operation.is_absence(&refusal.code))
}

/// The pages of an answer, until there is no next; `page` takes the marker of the page to ask for and gives its items with
/// the marker of the next.
///
/// # Errors
/// What kept any page away; a page that names itself as the next.
pub(super) async fn pages<T, F>(mut page: impl FnMut(Option<String>) -> F) -> Result<Vec<T>, Refusal>
where
    F: Future<Output = Result<(T, Option<String>), Refusal>>,
{
    let mut all = Vec::new();
    let mut marker: Option<String> = None;
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let (items, next) = page(marker.clone()).await?;
        all.push(items);
        match next.filter(|next| !next.is_empty()) {
            None => return Ok(all),
            Some(next) if !seen.insert(next.clone()) => {
                return Err(Refusal::new("RepeatedMarker", "a page named one before it as the next"));
            }
            next => marker = next,
        }
    }
}
