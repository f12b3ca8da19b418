//! What every call passes: how many run at once, until when, and what became of them.

use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::sync::Mutex;
use std::time::Instant;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use tokio::sync::Semaphore;

use super::call::Call;
use super::refusal::Refusal;

/// The one way out to AWS.
#[derive(Debug)]
pub(super) struct Gate {
    places: Semaphore,
    until: Option<Instant>,
    asked: Mutex<BTreeMap<Call, u64>>,
}

impl Gate {
    /// Lets so many calls run at once, and none after a time.
    pub(super) fn new(places: usize, until: Option<Instant>) -> Self {
        Gate { places: Semaphore::new(places.max(1)), until, asked: Mutex::default() }
    }

    /// Makes a call, retried as its client is told to.
    pub(super) async fn ask<T, E, F>(&self, call: &Call, send: impl FnOnce() -> F) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        self.ask_with(call, || async { send().await.map_err(|error| Refusal::of(&error)) }).await
    }

    /// The same for what tells its refusals itself.
    pub(super) async fn ask_with<T, F>(&self, call: &Call, send: impl FnOnce() -> F) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let answer = async {
            let _place = self.places.acquire().await;
            if let Ok(mut asked) = self.asked.lock() {
                *asked.entry(*call).or_default() += 1;
            }
            send().await
        };
        match self.until {
            None => answer.await,
            Some(until) => match tokio::time::timeout_at(until.into(), answer).await {
                Ok(answer) => answer,
                Err(_) => Err(Refusal::new("TimeLimit", "the time for the collection was over")),
            },
        }
    }

    /// How often each call was made.
    pub(super) fn asked(&self) -> BTreeMap<Call, u64> {
        self.asked.lock().map(|asked| asked.clone()).unwrap_or_default()
    }
}
