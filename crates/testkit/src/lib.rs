//! Builders and throw-away databases, for tests only.
//!
//! Everything here panics where a test could not go on anyway: the message is the test's failure.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "what fails here is a test, and a skipped test has to say so aloud"
)]

mod authority;
mod builders;
mod contents;
mod contract;
mod database;
pub mod evaluators;
mod random;
mod shop;
mod smtp;
pub mod sql;

pub use authority::Authority;
pub use builders::{
    NOW, all_of, audit_entry, change, condition, digest, later, name, new_environment, new_feature,
    new_identity, new_member, new_option, new_organisation, new_project, new_segment,
    new_server_key, new_state, rule,
};
pub use contents::OfTable;
pub use contract::{on_postgres, on_sqlite};
pub use database::{Database, POSTGRES_VARIABLE};
pub use random::Random;
pub use shop::Shop;
pub use smtp::{ReceivedMail, SmtpEncryption, SmtpSink};
pub use tokio_rustls::TlsAcceptor;
