//! The built binary, used as people, scripts and SDKs use it.

mod clients;
mod dashboard;
mod database;
mod evaluate;
mod http;
mod import;
mod server;
mod skipped;
mod start_and_stop;
