//! Mail by SMTP: plain, short texts to one person each.

use super::tls;
use crate::config::{MailConfig, MailSecurity, OutboundConfig};
use crate::error::BoxError;
use lettre::address::Address;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use std::time::Duration;

/// How long each step of a conversation with the SMTP server may take.
const STEP: Duration = Duration::from_secs(20);
/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(60);

/// Who mail is from: an address, with or without a name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct MailSender(Mailbox);

impl TryFrom<String> for MailSender {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mailbox = text.trim().parse();
        mailbox
            .map(Self)
            .map_err(|_| "is no e-mail address, nor `Name <address>`")
    }
}

/// What is written to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// One line.
    pub(crate) subject: String,
    /// Plain text.
    pub(crate) text: String,
}

/// Why a letter was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailError {
    /// It never will be.
    #[error("the mail server refuses it for good")]
    Refused(#[source] BoxError),
    /// The server shows a certificate that is not trusted, so nothing was said to it; somebody may put that right.
    #[error("the certificate of the mail server is not trusted")]
    Untrusted(#[source] rustls::Error),
    /// It may be, later.
    #[error("the mail server does not take it now")]
    Later(#[source] BoxError),
}

/// Hands letters to the SMTP server.
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// A mailer by the settings; `None` where they name no server.
    ///
    /// # Errors
    /// Settings that contradict each other, and a file of certificates that cannot be used.
    pub(crate) fn new(
        config: &MailConfig,
        outbound: &OutboundConfig,
    ) -> Result<Option<Self>, BoxError> {
        let Some(host) = config.host.as_deref() else {
            return Ok(None);
        };
        let from = config.from.clone().ok_or("`mail.from` is missing")?;
        let encryption = |host: &str| -> Result<TlsParameters, BoxError> {
            let mut parameters = TlsParameters::builder(host.to_owned());
            if let Some(path) = &outbound.ca_file {
                let pem = std::fs::read(path)?;
                parameters = parameters.add_root_certificate(Certificate::from_pem(&pem)?);
            }
            Ok(parameters.build_rustls()?)
        };
        let (usual, encryption) = match config.security {
            MailSecurity::StartTls => (587, Tls::Required(encryption(host)?)),
            MailSecurity::Tls => (465, Tls::Wrapper(encryption(host)?)),
            MailSecurity::None => (25, Tls::None),
        };
        let port = if config.port == 0 { usual } else { config.port };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .tls(encryption)
            .timeout(Some(STEP));
        if let (Some(user), Some(password)) = (&config.user, &config.password) {
            let password = password.expose_secret().to_owned();
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Some(Self {
            transport: builder.build(),
            from: from.0,
        }))
    }

    /// Hands a letter over.
    ///
    /// # Errors
    /// [`MailError`]; what the server said is behind it.
    pub(crate) async fn send(&self, to: &str, letter: &Letter) -> Result<(), MailError> {
        let refused = |error: BoxError| MailError::Refused(error);
        let to: Address = to.parse().map_err(|error| refused(Box::new(error)))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&letter.subject))
            // So that no absence note answers.
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .map_err(|error| refused(error.into()))?;
        match tokio::time::timeout(WHOLE, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(refused(error.into())),
            Ok(Err(error)) => Err(match tls::distrust(&error) {
                Some(reason) => MailError::Untrusted(reason.clone()),
                None => MailError::Later(error.into()),
            }),
            Err(elapsed) => Err(MailError::Later(elapsed.into())),
        }
    }
}

/// The text without anything that could begin another line, or look like one.
fn one_line(text: &str) -> String {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let text: String = text
        .chars()
        .map(|c| if is_break(c) { ' ' } else { c })
        .take(200)
        .collect();
    text.trim().to_owned()
}

#[derive(Clone)]
struct AutoSubmitted;

impl lettre::message::header::Header for AutoSubmitted {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_line() {
        assert_eq!(
            one_line("Join A\r\nBcc: eve@example.com"),
            "Join A  Bcc: eve@example.com"
        );
        assert_eq!(one_line("a\u{2028}b\0c "), "a b c");
        assert_eq!(one_line(&"x".repeat(1000)).len(), 200);
    }

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        let sender = |text: &str| MailSender::try_from(text.to_owned());

        assert!(sender("flags@example.com").is_ok());
        assert!(sender("Flagstaff <flags@example.com>").is_ok());
        for wrong in ["", "flags", "a@example.com\r\nBcc: x@y.z", "a@b.c, d@e.f"] {
            assert!(sender(wrong).is_err(), "{wrong}");
        }
    }
}
