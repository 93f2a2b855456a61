//! Every environment key, in memory.
//!
//! A key that is not here may have been made on another node a moment ago, so a miss asks the database for
//! keys newer than the newest known; misses of the same second share one question. On SQLite this process is
//! the only writer, and a miss is an answer.

use crate::Service;
use crate::error::{ServiceError, ServiceResult};
use flagstaff_core::{EnvironmentId, EnvironmentKey, Timestamp};
use flagstaff_store::{KeyCursor, KeyRow};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// At most one question to the database in this time.
const QUESTION_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq, Eq)]
struct KeyEntry {
    environment: EnvironmentId,
    active: bool,
    expires_at: Option<Timestamp>,
}

impl KeyEntry {
    fn is_usable(&self, now: Timestamp) -> bool {
        self.active && self.expires_at.is_none_or(|expiry| expiry > now)
    }
}

impl From<&KeyRow> for KeyEntry {
    fn from(row: &KeyRow) -> Self {
        Self {
            environment: row.environment_id,
            active: row.active,
            expires_at: row.expires_at,
        }
    }
}

/// For how long a key goes on to open an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyValidity {
    /// It opens it no more.
    Over,
    /// Until some time that is set: nobody is told when that has come.
    Passing,
    /// Until it is changed or withdrawn, of which whoever follows the environment hears.
    UntilChanged,
}

#[derive(Debug, Default)]
struct Questions {
    cursor: KeyCursor,
    /// When the last one was asked, whether or not whoever asked it is still there.
    begun: Option<Instant>,
    /// When the last one that came to an end was asked, and how it ended.
    last: Option<(Instant, Outcome)>,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Answered,
    Failed,
}

/// The registry.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    entries: RwLock<HashMap<EnvironmentKey, KeyEntry>>,
    questions: Mutex<Questions>,
}

impl Keys {
    fn entry(&self, key: &str) -> Option<KeyEntry> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).cloned()
    }

    /// The environment that a known key opens now.
    pub(crate) fn usable(&self, key: &str, now: Timestamp) -> Option<EnvironmentId> {
        let entry = self.entry(key).filter(|entry| entry.is_usable(now));
        entry.map(|entry| entry.environment)
    }

    /// For how long a key goes on to open an environment, as far as is known now.
    pub(crate) fn validity(
        &self,
        key: &str,
        environment: EnvironmentId,
        now: Timestamp,
    ) -> KeyValidity {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        match entries.get(key) {
            Some(entry) if entry.environment == environment && entry.is_usable(now) => {
                match entry.expires_at {
                    Some(_) => KeyValidity::Passing,
                    None => KeyValidity::UntilChanged,
                }
            }
            Some(_) | None => KeyValidity::Over,
        }
    }

    /// Every key that opens an environment now.
    pub(crate) fn usable_of(
        &self,
        environment: EnvironmentId,
        now: Timestamp,
    ) -> Vec<EnvironmentKey> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let of_environment = entries
            .iter()
            .filter(|(_, entry)| entry.environment == environment && entry.is_usable(now));
        of_environment.map(|(key, _)| key.clone()).collect()
    }

    fn with_entries<T>(&self, act: impl FnOnce(&mut HashMap<EnvironmentKey, KeyEntry>) -> T) -> T {
        act(&mut self.entries.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn learn(&self, rows: &[KeyRow]) {
        self.with_entries(|entries| insert(entries, rows));
    }

    /// Reads every key there is.
    pub(crate) async fn load(&self, service: &Service) -> ServiceResult<()> {
        let mut questions = self.questions.lock().await;
        let (rows, cursor) = service.store().keys_after(KeyCursor::default()).await?;
        self.with_entries(HashMap::clear);
        self.learn(&rows);
        questions.cursor = cursor;
        Ok(())
    }

    /// Reads the keys of one environment again: some were made, changed or deleted. Whoever follows it by one of them
    /// looks again where any is not what it was.
    pub(crate) async fn reload(
        &self,
        service: &Service,
        environment: EnvironmentId,
    ) -> ServiceResult<()> {
        let rows = service.ask(service.store().keys_of(environment)).await?;
        // In one step: nobody finds a key missing that stays.
        let is_changed = self.with_entries(|entries| {
            let is_here =
                |_: &EnvironmentKey, entry: &mut KeyEntry| entry.environment == environment;
            let before: HashMap<_, _> = entries.extract_if(is_here).collect();
            insert(entries, &rows);
            before
                .iter()
                .any(|(key, entry)| entries.get(key) != Some(entry))
        });
        if is_changed {
            service.environments().wake_followers(environment);
        }
        Ok(())
    }

    /// The environment a key opens now.
    pub(crate) async fn resolve(
        &self,
        service: &Service,
        key: &EnvironmentKey,
    ) -> ServiceResult<EnvironmentId> {
        let entry = match self.entry(key.expose()) {
            Some(entry) => Some(entry),
            None => self.ask(service, key).await?,
        };
        let entry = entry.ok_or(ServiceError::KeyUnknown)?;
        if entry.is_usable(service.clock().now()) {
            Ok(entry.environment)
        } else {
            Err(ServiceError::KeyUnknown)
        }
    }

    async fn ask(
        &self,
        service: &Service,
        key: &EnvironmentKey,
    ) -> ServiceResult<Option<KeyEntry>> {
        if !service.store().is_shared() {
            return Ok(None);
        }
        service.require_database()?;
        let asked_at = Instant::now();
        let mut questions = self.questions.lock().await;
        // While this miss waited for its turn, somebody else may have asked on behalf of all.
        if let Some((begun, outcome)) = questions.last
            && begun >= asked_at
        {
            return match outcome {
                Outcome::Answered => Ok(self.entry(key.expose())),
                Outcome::Failed => Err(ServiceError::Unavailable("keys cannot be checked".into())),
            };
        }
        if let Some(begun) = questions.begun {
            tokio::time::sleep_until(begun + QUESTION_INTERVAL).await;
        }
        let begun = Instant::now();
        questions.begun = Some(begun);
        let cursor = questions.cursor;
        let answer = service.ask(service.store().keys_after(cursor)).await;
        questions.last = Some((begun, Outcome::Failed));
        let (rows, cursor) = answer?;
        self.learn(&rows);
        questions.cursor = cursor;
        questions.last = Some((begun, Outcome::Answered));
        Ok(self.entry(key.expose()))
    }
}

fn insert(entries: &mut HashMap<EnvironmentKey, KeyEntry>, rows: &[KeyRow]) {
    for row in rows {
        if let Some(key) = EnvironmentKey::parse(&row.key) {
            entries.insert(key, KeyEntry::from(row));
        }
    }
}
