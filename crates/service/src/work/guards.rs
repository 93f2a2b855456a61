//! Guards of rollouts look, each at its own beat.

use super::Stop;
use crate::Service;
use std::time::Duration;
use tracing::warn;

/// How often is looked for guards whose time has come.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(super) async fn run(service: Service, mut stop: Stop) {
    loop {
        let looked = service.look_after_rollouts();
        match stop.unless_stopped(looked).await {
            None => return,
            Some(Ok(0)) => {}
            Some(Ok(_)) => continue,
            // Said once for all when the database went away.
            Some(Err(_)) if service.availability().is_away() => {}
            Some(Err(problem)) => {
                let causes = problem.causes();
                warn!(%problem, causes, "cannot look after rollouts");
            }
        }
        tokio::select! {
            goes_on = stop.sleep(LOOK_EVERY) => if !goes_on { return },
            () = service.guards_changed().notified() => {}
        }
    }
}
