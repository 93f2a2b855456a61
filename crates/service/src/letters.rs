//! What is mailed, and the queue it waits in.
//!
//! The queue holds what is to be written to whom, never what stands in a link: that is made when the letter is sent, and
//! kept as a digest. A letter that is tried again carries another link.

use crate::Service;
use crate::error::{ServiceError, ServiceResult};
use crate::outbound::{Letter, Mailer};
use flagstaff_core::{InviteId, OrganisationId};
use flagstaff_store::{LinkPurpose, OutboxEvent};
use serde::{Deserialize, Serialize};

/// The kind of events that are letters.
pub(crate) const KIND: &str = "mail";

/// Characters of a name of somebody's choosing that stand in a letter.
const NAME_LIMIT: usize = 80;

/// A letter to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub(crate) enum Wish {
    /// Somebody asked for a link to the account with this address. Whether there is one is looked up when the letter
    /// is written: asking is the same work for every address.
    AccountLink { purpose: String, email: String },
    /// Somebody was invited.
    Invite { organisation: i64, invite: i64 },
    /// The address of an account was changed; this was the one before.
    EmailChanged { email: String },
    /// The password of an account was changed.
    PasswordChanged { email: String },
}

impl Wish {
    pub(crate) fn account_link(purpose: LinkPurpose, email: &str) -> Self {
        Self::AccountLink {
            purpose: purpose.as_str().to_owned(),
            email: email.to_owned(),
        }
    }

    pub(crate) fn invite(organisation: OrganisationId, invite: InviteId) -> Self {
        Self::Invite {
            organisation: organisation.get(),
            invite: invite.get(),
        }
    }

    /// As the queue keeps it.
    pub(crate) fn event(&self) -> OutboxEvent {
        OutboxEvent {
            kind: KIND.to_owned(),
            organisation_id: None,
            environment_id: None,
            // Texts and numbers always are JSON.
            payload: serde_json::to_string(self).unwrap_or_default(),
        }
    }
}

impl Service {
    /// True where mail can be sent.
    #[must_use]
    pub fn sends_mail(&self) -> bool {
        self.config().mail.host.is_some()
    }

    /// Makes who sends mail.
    ///
    /// # Errors
    /// Settings that nobody can be made of.
    pub(crate) fn prepare_mail(&self) -> ServiceResult<()> {
        let config = self.config();
        let mailer = Mailer::new(&config.mail, &config.outbound);
        if let Some(mailer) = mailer.map_err(ServiceError::Internal)? {
            // Only the first start of a service prepares.
            let _ = self.0.mailer.set(mailer);
        }
        Ok(())
    }

    /// What is to be mailed together with a change, where mail can be sent.
    pub(crate) fn letters(&self, wishes: Vec<Wish>) -> Vec<OutboxEvent> {
        if !self.sends_mail() {
            return Vec::new();
        }
        wishes.iter().map(Wish::event).collect()
    }

    /// Puts a wish into the queue, on its own.
    pub(crate) async fn wish(&self, wish: &Wish) -> ServiceResult<()> {
        let now = self.clock().now();
        self.store().insert_event(&wish.event(), now).await?;
        self.mail_waiting().notify_one();
        Ok(())
    }
}

/// The letter with a link to an account.
pub(crate) fn account_link(purpose: LinkPurpose, url: &str, minutes: u32) -> Letter {
    let (subject, lead) = match purpose {
        LinkPurpose::Password => (
            "Choose a new password for Flagstaff",
            "somebody, probably you, asked to choose a new password for your account on Flagstaff. Do it here:",
        ),
        LinkPurpose::Activation => (
            "Confirm your e-mail address for Flagstaff",
            "somebody, probably you, signed up on Flagstaff with this address. Confirm it here:",
        ),
        LinkPurpose::Email => (
            "Choose another e-mail address for Flagstaff",
            "somebody, probably you, asked to sign in to Flagstaff with another e-mail address. Choose it here:",
        ),
    };
    let text = format!(
        "Hello,\n\n{lead}\n\n{url}\n\nThe link works once, for {}. If it was not you, nothing has to be done: \
         without the link nothing changes.\n",
        minutes_text(minutes)
    );
    Letter {
        subject: subject.to_owned(),
        text,
    }
}

/// The letter that invites somebody.
pub(crate) fn invitation(organisation: &str, url: &str, days: u32) -> Letter {
    let organisation = quoted(organisation);
    Letter {
        subject: format!("You are invited to {organisation} on Flagstaff"),
        text: format!(
            "Hello,\n\nyou are invited to manage feature flags in the organisation {organisation} on Flagstaff. \
             Accept here:\n\n{url}\n\nThe link works once, for {days} days. If you expected no invitation, nothing \
             has to be done.\n"
        ),
    }
}

/// The letter to the address that an account had before.
pub(crate) fn email_changed() -> Letter {
    Letter {
        subject: "Your e-mail address for Flagstaff was changed".to_owned(),
        text: "Hello,\n\nyour account on Flagstaff has another e-mail address from now on. If it was not you, tell \
               an administrator of your Flagstaff at once.\n"
            .to_owned(),
    }
}

/// The letter that tells of a new password.
pub(crate) fn password_changed() -> Letter {
    Letter {
        subject: "Your password for Flagstaff was changed".to_owned(),
        text: "Hello,\n\nyour account on Flagstaff has a new password from now on. If it was not you, choose another \
               one by \"Forgot your password?\" on the sign-in page, and tell an administrator.\n"
            .to_owned(),
    }
}

fn minutes_text(minutes: u32) -> String {
    match minutes {
        60 => "an hour".to_owned(),
        minutes if minutes % 60 == 0 => format!("{} hours", minutes / 60),
        minutes => format!("{minutes} minutes"),
    }
}

/// A name that somebody has chosen, so that it cannot pass for the text around it: one line, short, and nothing that a
/// mail reader would make a link of.
fn quoted(name: &str) -> String {
    let plain = |c: char| match c {
        '/' | '.' | ':' | '@' | '"' => ' ',
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => ' ',
        c => c,
    };
    let name: String = name.chars().take(NAME_LIMIT).map(plain).collect();
    format!("\"{}\"", name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_bring_a_link_or_a_line_of_its_own() {
        let letter = invitation(
            "Win\r\n\r\nhttps://evil.example/x",
            "https://flags.example.com/invite/t",
            14,
        );

        let names: Vec<&str> = letter
            .text
            .lines()
            .filter(|line| line.contains("evil"))
            .collect();
        assert_eq!(names.len(), 1, "{}", letter.text);
        assert!(!letter.text.contains("evil.example") && !letter.subject.contains('\n'));
    }

    #[test]
    fn a_wish_comes_back_from_the_queue_as_it_went_in() {
        let wish = Wish::account_link(LinkPurpose::Password, "ada@example.com");

        let payload = wish.event().payload;

        assert_eq!(serde_json::from_str::<Wish>(&payload).unwrap(), wish);
    }
}
