//! Logs: structured lines on standard error.

mod span_fields;

use crate::config::{LogConfig, LogFormat};
use span_fields::JsonSpanFields;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging, once per process: text for a person at a terminal, JSON for a machine.
pub(crate) fn start(config: &LogConfig) {
    let is_terminal = std::io::stderr().is_terminal();
    let is_text = match config.format {
        LogFormat::Auto => is_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let filter =
        EnvFilter::try_new(config.level.as_str()).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Setting it twice fails, which leaves the first one: that is as good.
    let _ = if is_text {
        builder.with_ansi(is_terminal).try_init()
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .fmt_fields(JsonSpanFields)
            .try_init()
    };
    // By itself a panic writes lines of its own, which nobody who reads JSON can read.
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(location, panic = message, "panicked");
    }));
}
