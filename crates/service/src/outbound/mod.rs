//! What goes out of this process: requests to other servers, and mail.
//!
//! An address that comes from stored data is a stranger's word: whoever may set it must not be able to reach what
//! stands beside this server. Such requests go through [`OutboundClient::guarded`]. Addresses from the
//! configuration are the operator's own; for them there is [`OutboundClient::trusted`].

mod address;
mod client;
mod mail;
mod tls;

pub use address::{AllowedPlace, Refusal};
pub use client::{OutboundClient, OutboundError};
pub use mail::MailSender;
pub(crate) use mail::{Letter, MailError, Mailer};
