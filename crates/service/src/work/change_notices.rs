//! What other nodes say they changed; and whether the database can be reached.
//!
//! The connection on which nodes listen to each other is the one that tells first that the database is gone. It is
//! opened again whenever it breaks, and then everything that is held is compared: what was said meanwhile is lost.

use super::Stop;
use crate::Service;
use flagstaff_store::{ChangeListener, StoreError};
use std::time::Duration;
use tokio::time::Instant;
use tracing::debug;

/// How often the connection is tried out, at least.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The first pause before another connection is tried; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause, also while the database is away: recovery takes no longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A connection that held that long was a good one.
const GOOD: Duration = Duration::from_secs(5);

pub(super) async fn run(service: Service, mut stop: Stop) {
    let mut pause = FIRST_PAUSE;
    loop {
        let begun = Instant::now();
        let Some(problem) = stop.unless_stopped(service.listen()).await else {
            return;
        };
        metrics::gauge!("flagstaff_notices_heard").set(0.0);
        debug!(%problem, "does not hear other nodes");
        if begun.elapsed() > GOOD {
            pause = FIRST_PAUSE;
        }
        let Some(answer) = stop.unless_stopped(service.store().reach()).await else {
            return;
        };
        // A connection that is refused for another reason says that somebody is there to refuse it.
        let is_away = answer.is_err_and(|error| error.is_lost_connection());
        service.availability().found(is_away);
        if !stop.sleep(pause).await {
            return;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Service {
    /// Listens until the connection breaks, and answers why it did.
    async fn listen(&self) -> StoreError {
        match self.store().listen().await {
            Ok(Some(mut listener)) => {
                self.availability().found(false);
                metrics::gauge!("flagstaff_notices_heard").set(1.0);
                self.news().compare_everything();
                loop {
                    if let Err(problem) = self.hear(&mut listener).await {
                        return problem;
                    }
                }
            }
            // Nobody to hear; not asked for then.
            Ok(None) => std::future::pending().await,
            Err(problem) => problem,
        }
    }

    async fn hear(&self, listener: &mut ChangeListener) -> Result<(), StoreError> {
        tokio::select! {
            notice = listener.next() => {
                self.news().add(notice?);
                self.schedule_changed().notify_one();
                Ok(())
            }
            () = self.availability().doubted(LOOK_EVERY) => listener.ping().await,
        }
    }
}
