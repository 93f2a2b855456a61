//! The OpenFeature Remote Evaluation Protocol: what is sent to be evaluated.

mod context;
mod context_read;

pub use context::{InvalidContext, SentEvaluation};
