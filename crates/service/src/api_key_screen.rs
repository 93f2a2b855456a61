//! Keeps wrong API keys away from the database.
//!
//! Digests of all keys are in memory. A presented key that is among them is looked up, so that a revoked one stops
//! everywhere at once; any other is wrong, unless it was made on another node a moment ago: then keys newer than
//! the newest known are read, at most once a second for all callers together.

use crate::caller::Caller;
use crate::error::{AuthenticationProblem, ServiceError, ServiceResult};
use crate::{Service, secrets};
use flagstaff_core::ApiKeyId;
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::{Mutex, RwLock};
use tokio::time::Instant;

/// At most one question to the database in this time.
const QUESTION_INTERVAL: Duration = Duration::from_secs(1);
/// Characters of the longest text that can be a key: more is not even hashed.
const LENGTH_LIMIT: usize = 100;

/// The digests of all keys.
#[derive(Debug, Default)]
pub(crate) struct ApiKeyScreen {
    known: RwLock<HashSet<String>>,
    questions: Mutex<Questions>,
}

#[derive(Debug, Default)]
struct Questions {
    newest: ApiKeyId,
    last: Option<Instant>,
}

impl ApiKeyScreen {
    /// Takes in a key that was just made on this node.
    pub(crate) async fn admit(&self, digest: String) {
        self.known.write().await.insert(digest);
    }

    async fn knows(&self, service: &Service, digest: &str) -> ServiceResult<bool> {
        if self.known.read().await.contains(digest) {
            return Ok(true);
        }
        let asked_at = Instant::now();
        let mut questions = self.questions.lock().await;
        // While this miss waited for its turn, somebody else may have asked on behalf of all. Where no other node
        // makes keys, the first question is the last.
        let was_answered = questions
            .last
            .is_some_and(|last| last >= asked_at || !service.store().is_shared());
        if !was_answered {
            if let Some(last) = questions.last {
                tokio::time::sleep_until(last + QUESTION_INTERVAL).await;
            }
            let started = Instant::now();
            let rows = service
                .store()
                .api_key_digests_after(questions.newest)
                .await?;
            if let Some((newest, _)) = rows.last() {
                questions.newest = *newest;
            }
            let digests = rows.into_iter().map(|(_, digest)| digest);
            self.known.write().await.extend(digests);
            questions.last = Some(started);
        }
        Ok(self.known.read().await.contains(digest))
    }
}

impl Service {
    /// Which program presents a key.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for a key that is not one of ours, revoked or over, and
    /// [`ServiceError::Unavailable`] while it cannot be checked.
    pub async fn caller_by_api_key(&self, key: &str) -> ServiceResult<Caller> {
        let wrong = ServiceError::Unauthenticated(AuthenticationProblem::InvalidApiKey);
        if key.len() > LENGTH_LIMIT {
            return Err(wrong);
        }
        let digest = secrets::digest(key);
        if !self.api_key_screen().knows(self, &digest).await? {
            return Err(wrong);
        }
        let found = self
            .store()
            .api_key_by_digest(&digest, self.clock().now())
            .await?;
        found.map(Caller::of_api_key).ok_or(wrong)
    }
}
