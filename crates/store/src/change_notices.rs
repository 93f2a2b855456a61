//! What nodes on one Postgres tell each other with every change: which environments are newer now.
//!
//! A notice leaves with the commit and is a hint, not a promise: connections break, and Postgres queues nothing for
//! those who do not listen. Whoever follows also compares revisions from time to time.

use crate::backend::{Backend, Transaction};
use crate::environments::Revision;
use crate::{Store, StoreResult};
use flagstaff_core::EnvironmentId;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{Connection as _, PgConnection};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a notice; Postgres refuses a payload of 8,000.
const PAYLOAD_LIMIT: usize = 7_900;
/// Begins every notice of this form. Another form says to a reader only that something changed.
const FORM: &str = "1";
/// The name of an installation's channel: two in one database do not hear each other.
macro_rules! channel {
    () => {
        "'flagstaff_' || md5(current_schema())"
    };
}
/// How the listening connection is called in `pg_stat_activity`.
const APPLICATION: &str = "flagstaff listener";
/// How long the database may take to answer on such a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which identity overrides a change may have touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TouchedIdentities {
    /// None: the previous ones are shared.
    None,
    /// Those of these identifiers.
    These(Vec<Arc<str>>),
    /// Any of them.
    #[default]
    All,
}

/// What a node tells the others of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeNotice {
    /// The environments that show the change; `None` when there are too many to name, or some are gone: everything
    /// that is held has to be compared.
    pub environments: Option<Vec<Revision>>,
    /// Whose overrides may be others now.
    pub identities: TouchedIdentities,
    /// Whether keys of these environments were made, changed or withdrawn.
    pub keys_changed: bool,
}

impl ChangeNotice {
    /// Says only that something changed.
    const UNKNOWN: Self = Self {
        environments: None,
        identities: TouchedIdentities::All,
        keys_changed: true,
    };

    /// The form in which it is sent: a line of marks, a line of environments, a line for each identifier. What does
    /// not fit is left out, so that readers look themselves.
    fn to_payload(&self) -> String {
        let mut environments = String::new();
        for each in self.environments.iter().flatten() {
            // Writing to a string cannot fail.
            let _ = write!(environments, "{}:{} ", each.id.get(), each.revision);
        }
        let mut identifiers = String::new();
        if let TouchedIdentities::These(these) = &self.identities {
            for identifier in these {
                identifiers.push('\n');
                identifiers.push_str(&identifier.replace('\\', "\\\\").replace('\n', "\\n"));
            }
        }
        let fits = |more: &str| environments.len() + more.len() + 64 <= PAYLOAD_LIMIT;
        let is_named = self.environments.is_some() && fits("");
        let mut marks = FORM.to_owned();
        if self.keys_changed {
            marks.push_str(" keys");
        }
        if !is_named {
            marks.push_str(" look");
            return marks;
        }
        match &self.identities {
            TouchedIdentities::None => marks.push_str(" none"),
            TouchedIdentities::These(_) if fits(&identifiers) => marks.push_str(" these"),
            TouchedIdentities::These(_) | TouchedIdentities::All => identifiers.clear(),
        }
        format!("{marks}\n{}{identifiers}", environments.trim_end())
    }

    /// Reads what another node sent. What cannot be read was sent by another version: something changed.
    fn from_payload(payload: &str) -> Self {
        Self::read(payload).unwrap_or(Self::UNKNOWN)
    }

    fn read(payload: &str) -> Option<Self> {
        let mut lines = payload.split('\n');
        let mut marks = lines.next()?.split(' ');
        if marks.next() != Some(FORM) {
            return None;
        }
        let marks: Vec<&str> = marks.collect();
        let has = |mark: &str| marks.contains(&mark);
        let environments = match lines.next() {
            Some(line) if !has("look") => Some(revisions(line)?),
            Some(_) | None => None,
        };
        let identities = if has("none") {
            TouchedIdentities::None
        } else if has("these") {
            TouchedIdentities::These(lines.map(unescaped).collect::<Option<_>>()?)
        } else {
            TouchedIdentities::All
        };
        Some(Self {
            environments,
            identities,
            keys_changed: has("keys"),
        })
    }
}

fn revisions(line: &str) -> Option<Vec<Revision>> {
    let each = |pair: &str| {
        let (id, revision) = pair.split_once(':')?;
        Some(Revision {
            id: EnvironmentId::new(id.parse().ok()?),
            revision: revision.parse().ok()?,
        })
    };
    line.split_whitespace().map(each).collect()
}

fn unescaped(text: &str) -> Option<Arc<str>> {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next()? {
                'n' => '\n',
                '\\' => '\\',
                _ => return None,
            },
            character => character,
        });
    }
    Some(plain.into())
}

impl Transaction {
    /// Tells other nodes of a change, as soon as it is committed and only then.
    pub(crate) async fn send_notice(&mut self, notice: &ChangeNotice) -> StoreResult<()> {
        const SQL: &str = concat!("SELECT CAST(pg_notify(", channel!(), ", $1) AS TEXT)");
        if let Self::Postgres(transaction) = self {
            sqlx::query(SQL)
                .bind(notice.to_payload())
                .execute(&mut **transaction)
                .await?;
        }
        Ok(())
    }
}

/// A connection on which other nodes are heard. It has to be opened again after an error: what was said in between is
/// lost.
#[derive(Debug)]
pub struct ChangeListener(PgListener);

impl Store {
    /// Begins to listen to other nodes; `None` where there are none. What they committed before is not heard.
    ///
    /// # Errors
    /// When the database does not answer within two seconds.
    pub async fn listen(&self) -> StoreResult<Option<ChangeListener>> {
        const CHANNEL: &str = concat!("SELECT ", channel!());
        let Backend::Postgres(pool) = self.backend() else {
            return Ok(None);
        };
        // A connection of its own: it is held for as long as the node lives, and must not wait for one of the others.
        let own = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(listening_options(pool));
        let listener = in_time(async {
            let mut listener = PgListener::connect_with(&own).await?;
            // Whoever follows has to know of a break, to look for what was missed.
            listener.eager_reconnect(false);
            listener.ignore_pool_close_event(true);
            let channel: String = sqlx::query_scalar(CHANNEL).fetch_one(&mut listener).await?;
            listener.listen(&channel).await?;
            Ok(listener)
        });
        Ok(Some(ChangeListener(listener.await?)))
    }

    /// Tries whether the database can be reached at all, by a connection of its own: those in use may all be at work.
    ///
    /// # Errors
    /// When it does not answer within two seconds.
    pub async fn reach(&self) -> StoreResult<()> {
        let Backend::Postgres(pool) = self.backend() else {
            return self.ping().await;
        };
        let options = pool.connect_options();
        let attempt = async || {
            let mut connection = PgConnection::connect_with(&options).await?;
            connection.ping().await?;
            connection.close().await
        };
        in_time(async {
            match attempt().await {
                Ok(()) => Ok(()),
                // One connection may be ended by somebody's hand.
                Err(_) => attempt().await,
            }
        })
        .await
    }
}

impl ChangeListener {
    /// Waits for the next notice. May be given up and asked again: nothing is lost by that.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn next(&mut self) -> StoreResult<ChangeNotice> {
        match self.0.try_recv().await? {
            Some(notification) => Ok(ChangeNotice::from_payload(notification.payload())),
            None => Err(sqlx::Error::Io(std::io::ErrorKind::ConnectionAborted.into()).into()),
        }
    }

    /// Asks the database for something trivial on this connection: one that broke silently shows it only so.
    ///
    /// # Errors
    /// When it does not answer within two seconds.
    pub async fn ping(&mut self) -> StoreResult<()> {
        const SQL: &str = "SELECT CAST(1 AS BIGINT)";
        let _one: i64 = in_time(sqlx::query_scalar(SQL).fetch_one(&mut self.0)).await?;
        Ok(())
    }
}

fn listening_options(pool: &PgPool) -> PgConnectOptions {
    (*pool.connect_options())
        .clone()
        .application_name(APPLICATION)
}

async fn in_time<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> StoreResult<T> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(id: i64, revision: i64) -> Revision {
        let id = EnvironmentId::new(id);
        Revision { id, revision }
    }

    fn notice(environments: Vec<Revision>, identities: TouchedIdentities) -> ChangeNotice {
        ChangeNotice {
            environments: Some(environments),
            identities,
            keys_changed: false,
        }
    }

    #[test]
    fn what_is_sent_is_what_is_read() {
        let two = vec![revision(7, 12), revision(2_147_483_647, i64::MAX)];
        let odd = vec!["a b".into(), "line\nbreak".into(), "\\n \\".into()];
        for identities in [
            TouchedIdentities::None,
            TouchedIdentities::All,
            TouchedIdentities::These(odd),
        ] {
            for environments in [two.clone(), Vec::new()] {
                for keys_changed in [true, false] {
                    let sent = ChangeNotice {
                        keys_changed,
                        ..notice(environments.clone(), identities.clone())
                    };
                    assert_eq!(ChangeNotice::from_payload(&sent.to_payload()), sent);
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_looked_up_by_the_reader() {
        let long = vec!["x".repeat(2000).into(); 4];
        let identities = notice(vec![revision(1, 2)], TouchedIdentities::These(long));
        let many = (0..2000).map(|id| revision(id, 1)).collect();
        let environments = notice(many, TouchedIdentities::None);

        let identities = identities.to_payload();
        let environments = environments.to_payload();

        assert!(identities.len() < PAYLOAD_LIMIT && environments.len() < PAYLOAD_LIMIT);
        let read = ChangeNotice::from_payload(&identities);
        assert_eq!(read, notice(vec![revision(1, 2)], TouchedIdentities::All));
        assert_eq!(ChangeNotice::from_payload(&environments).environments, None);
    }

    #[test]
    fn what_another_version_sent_means_that_something_changed() {
        for payload in ["", "2 keys\n1:2", "1\nnonsense", "1 these\n1:2\n\\x"] {
            assert_eq!(ChangeNotice::from_payload(payload), ChangeNotice::UNKNOWN);
        }
    }
}
