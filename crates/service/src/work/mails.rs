//! Letters are written and handed to the mail server, one after another: nobody who asked waits for it.

use super::Stop;
use crate::error::{Noun, ServiceError, ServiceResult};
use crate::letters::{self, KIND, Wish};
use crate::outbound::{Letter, MailError, Mailer};
use crate::{Service, secrets};
use flagstaff_core::{InviteId, Member, OrganisationId};
use flagstaff_store::{ClaimedEvent, LinkPurpose};
use secrecy::ExposeSecret as _;
use std::time::Duration;
use tracing::{debug, info, warn};

/// How often is looked for letters that another node put into the queue, or that are to be tried again.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a letter is this node's.
const LEASE: i64 = 180_000_000;
/// Letters taken at once.
const BATCH: u32 = 5;
/// The first pause before a letter is tried again; each further one is twice as long.
const FIRST_PAUSE: i64 = 15_000_000;
const LONGEST_PAUSE: i64 = 1_800_000_000;
/// A letter that nobody took for so long is given up.
const GIVEN_UP_AFTER: i64 = 24 * 3_600_000_000;

/// What became of a letter.
enum Outcome {
    /// Sent, shown elsewhere, or nobody's.
    Done,
    /// To be tried again.
    Later(String),
}

pub(super) async fn run(service: Service, mut stop: Stop) {
    loop {
        match service.send_waiting_mail().await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(_) if service.availability().is_away() => {}
            Err(problem) => warn!(%problem, causes = problem.causes(), "mail waits"),
        }
        tokio::select! {
            goes_on = stop.sleep(LOOK_EVERY) => if !goes_on { return },
            () = service.mail_waiting().notified() => {}
        }
    }
}

impl Service {
    /// Sends the letters that are due; answers how many were looked at.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn send_waiting_mail(&self) -> ServiceResult<usize> {
        let now = self.clock().now();
        let claimed =
            self.store()
                .claim_outbox(KIND, self.node(), now, now.plus_micros(LEASE), BATCH);
        let claimed = self.ask(claimed).await?;
        let count = claimed.len();
        for event in claimed {
            match self.deliver(&event).await {
                Ok(Outcome::Done) => {
                    self.store().finish_outbox(event.id, self.node()).await?;
                }
                Ok(Outcome::Later(problem)) => self.put_off(&event, &problem).await?,
                Err(problem) => self.put_off(&event, &problem.causes()).await?,
            }
        }
        Ok(count)
    }

    async fn put_off(&self, event: &ClaimedEvent, problem: &str) -> ServiceResult<()> {
        let now = self.clock().now();
        metrics::counter!("flagstaff_mails_total", "outcome" => "put_off").increment(1);
        if now.micros() - event.created_at.micros() >= GIVEN_UP_AFTER {
            warn!(problem, "a letter is given up: nobody took it for a day");
            self.store().finish_outbox(event.id, self.node()).await?;
            return Ok(());
        }
        warn!(
            problem,
            attempts = event.attempts,
            "a letter waits for the next attempt"
        );
        let due = now.plus_micros(pause(event.attempts));
        self.store()
            .retry_outbox(event.id, self.node(), due, problem)
            .await?;
        Ok(())
    }

    async fn deliver(&self, event: &ClaimedEvent) -> ServiceResult<Outcome> {
        let Ok(wish) = serde_json::from_str::<Wish>(&event.event.payload) else {
            warn!("a letter of an unknown kind is dropped");
            return Ok(Outcome::Done);
        };
        match wish {
            Wish::AccountLink { purpose, email } => self.deliver_link(&purpose, &email).await,
            Wish::Invite {
                organisation,
                invite,
            } => {
                let organisation = OrganisationId::new(organisation);
                self.deliver_invite(organisation, InviteId::new(invite))
                    .await
            }
            Wish::EmailChanged { email } => self.tell(&email, &letters::email_changed()).await,
            Wish::PasswordChanged { email } => {
                self.tell(&email, &letters::password_changed()).await
            }
        }
    }

    async fn tell(&self, email: &str, letter: &Letter) -> ServiceResult<Outcome> {
        match self.mailer() {
            Some(mailer) => Ok(send(mailer, email, letter).await),
            None => Ok(Outcome::Done),
        }
    }

    async fn deliver_link(&self, purpose: &str, email: &str) -> ServiceResult<Outcome> {
        let purpose = match purpose {
            "password" => LinkPurpose::Password,
            "activation" => LinkPurpose::Activation,
            "email" => LinkPurpose::Email,
            _ => return Ok(Outcome::Done),
        };
        let found = self.store().member_for_sign_in(email).await?;
        let is_for = |member: &Member| member.is_active != (purpose == LinkPurpose::Activation);
        let Some(member) = found.map(|(member, _)| member).filter(is_for) else {
            // Nobody's address, or nothing to be done with it. Whoever asked is not told.
            debug!("nobody is written to");
            return Ok(Outcome::Done);
        };
        let (Some(mailer), Some(public_url)) = (self.mailer(), &self.config().public_url) else {
            self.let_link_wait(purpose, &member).await?;
            info!(
                member.id = member.id.get(),
                "a member asked for a link, and no mail can be sent: a superuser is shown it on the page of waiting links"
            );
            return Ok(Outcome::Done);
        };
        let (id, path) = self.new_account_link(purpose, &member).await?;
        let minutes = self.config().sign_in.account_link_minutes;
        let letter = letters::account_link(purpose, &format!("{public_url}{path}"), minutes);
        // To the address the member has, however it was written by whoever asked.
        let outcome = send(mailer, &member.email, &letter).await;
        if matches!(outcome, Outcome::Later(_)) {
            self.store().delete_account_link(id).await?;
        }
        Ok(outcome)
    }

    async fn deliver_invite(
        &self,
        organisation: OrganisationId,
        id: InviteId,
    ) -> ServiceResult<Outcome> {
        let (Some(mailer), Some(public_url)) = (self.mailer(), &self.config().public_url) else {
            return Ok(Outcome::Done);
        };
        let waiting = self.store().invites(organisation).await?;
        let invite = waiting.into_iter().find(|invite| invite.id == id);
        let organisation = match self.organisation_row(organisation).await {
            Ok(organisation) => organisation,
            Err(ServiceError::NotFound {
                noun: Noun::Organisation,
            }) => return Ok(Outcome::Done),
            Err(problem) => return Err(problem),
        };
        // Used or withdrawn meanwhile.
        let Some(invite) = invite else {
            return Ok(Outcome::Done);
        };
        let token = secrets::random_token()?;
        let digest = secrets::digest(token.expose_secret());
        self.store().keep_mailed_invite(invite.id, &digest).await?;
        let url = format!("{public_url}/invite/{}", token.expose_secret());
        let days = self.config().sign_in.invite_days;
        let letter = letters::invitation(&organisation.name, &url, days);
        Ok(send(mailer, &invite.email, &letter).await)
    }
}

async fn send(mailer: &Mailer, to: &str, letter: &Letter) -> Outcome {
    match mailer.send(to, letter).await {
        Ok(()) => {
            metrics::counter!("flagstaff_mails_total", "outcome" => "sent").increment(1);
            Outcome::Done
        }
        Err(problem @ MailError::Refused(_)) => {
            metrics::counter!("flagstaff_mails_total", "outcome" => "refused").increment(1);
            warn!(problem = causes(&problem), "a letter is dropped");
            Outcome::Done
        }
        Err(problem @ (MailError::Untrusted(_) | MailError::Later(_))) => {
            Outcome::Later(causes(&problem))
        }
    }
}

/// The error with what is behind it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let told = cause.to_string();
        // The library repeats in its own text what is behind it.
        if !text.ends_with(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        next = cause.source();
    }
    text
}

/// How long a letter waits that was tried so often: twice as long each time.
fn pause(attempts: i64) -> i64 {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or(0);
    (FIRST_PAUSE << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_half_an_hour() {
        let seconds = |attempts| pause(attempts) / 1_000_000;

        assert_eq!([1, 2, 3, 4].map(seconds), [15, 30, 60, 120]);
        assert_eq!(seconds(100), 1800);
        assert_eq!(seconds(i64::MAX), 1800);
    }
}
