//! `EventStream`: that the server is there, which flags changed, and that it goes.

use super::event::{self, Event};
use crate::auth::KeyedEnvironment;
use crate::flagd::grpc::{is_served, status_of_end};
use crate::follower::{End, Follower, News};
use crate::grpc::too_many_streams;
use crate::listener::Connection;
use crate::state::ApiState;
use crate::streams::Protocol;
use flagstaff_service::Published;
use futures::{Stream, stream};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tonic::Status;

/// What a stream says next.
pub(super) enum Said {
    Event(Event),
    /// The end. Nothing follows it.
    End(Status),
}

/// Follows the environment for at most `limit`, where one is set.
///
/// # Errors
/// `RESOURCE_EXHAUSTED` when as many streams are open as may be.
pub(super) fn events(
    state: &ApiState,
    keyed: KeyedEnvironment,
    connection: Option<Connection>,
    limit: Option<Duration>,
) -> Result<impl Stream<Item = Said> + Send + use<>, Status> {
    let config = &state.config().flagd;
    let set = config.stream_deadline_seconds;
    let set = (set > 0).then(|| Duration::from_secs(set));
    let limit = match (limit, set) {
        (Some(limit), Some(set)) => Some(limit.min(set)),
        (limit, set) => limit.or(set),
    };
    let keep_alive = Duration::from_secs(config.keep_alive_seconds.max(1));
    let follower = Follower::open(state.clone(), keyed, Protocol::FlagdEvents, connection);
    let begun = Instant::now();
    let speaker = Speaker {
        follower: follower.ok_or_else(too_many_streams)?,
        told: None,
        keep_alive,
        spoke: begun,
        deadline: limit.map(|limit| begun + limit),
        stage: Stage::Following,
    };
    Ok(stream::unfold(speaker, |mut speaker| async move {
        let said = speaker.next().await?;
        Some((said, speaker))
    }))
}

struct Speaker {
    follower: Follower,
    /// What the reader has heard of.
    told: Option<Arc<Published>>,
    keep_alive: Duration,
    spoke: Instant,
    deadline: Option<Instant>,
    stage: Stage,
}

enum Stage {
    Following,
    /// The reader was told that the server goes.
    Leaving,
    Ended,
}

impl Speaker {
    async fn next(&mut self) -> Option<Said> {
        if self.follower.was_too_slow() {
            self.stage = match self.stage {
                Stage::Following => return Some(self.end(End::TooSlow)),
                Stage::Leaving | Stage::Ended => Stage::Ended,
            };
        }
        match self.stage {
            Stage::Following => {}
            Stage::Leaving => return Some(self.end(End::Stopping)),
            Stage::Ended => return None,
        }
        loop {
            match self.follower.next(Some(self.patience())).await {
                // Boxed, so that a stream that waits holds no room for it.
                News::Changed(_) => match Box::pin(self.follower.published(is_served)).await {
                    Ok(published) => {
                        if let Some(event) = self.event(published).await {
                            return Some(self.say(event));
                        }
                    }
                    Err(end) => return Some(self.end(end)),
                },
                News::Silence if self.deadline.is_some_and(|end| Instant::now() >= end) => {
                    self.stage = Stage::Ended;
                    let status =
                        Status::deadline_exceeded("the stream has lasted as long as it may");
                    return Some(Said::End(status));
                }
                News::Silence if self.spoke.elapsed() >= self.keep_alive => {
                    return Some(self.say(Event::keep_alive()));
                }
                News::Silence => {}
                News::Ended(End::Stopping) => {
                    self.stage = Stage::Leaving;
                    return Some(self.say(Event::provider_shutdown()));
                }
                News::Ended(end) => return Some(self.end(end)),
            }
        }
    }

    /// What is to be told of what is published now.
    async fn event(&mut self, published: Arc<Published>) -> Option<Event> {
        match self.told.replace(Arc::clone(&published)) {
            None => Some(Event::provider_ready()),
            Some(before) => event::change(&before, &published).await,
        }
    }

    /// How long there may be silence.
    fn patience(&self) -> Duration {
        let silence = self.keep_alive.saturating_sub(self.spoke.elapsed());
        match self.deadline {
            Some(deadline) => silence.min(deadline.saturating_duration_since(Instant::now())),
            None => silence,
        }
    }

    fn say(&mut self, event: Event) -> Said {
        self.spoke = Instant::now();
        self.follower.sent();
        Said::Event(event)
    }

    fn end(&mut self, end: End) -> Said {
        self.stage = Stage::Ended;
        Said::End(status_of_end(end))
    }
}
