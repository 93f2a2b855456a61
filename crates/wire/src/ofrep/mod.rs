//! The OpenFeature Remote Evaluation Protocol: what is sent to be evaluated, and what is answered.

mod answer;
mod context;
mod context_read;

pub use answer::{
    ErrorCode, LIST_START, Reader, write_details, write_failure, write_list_end, write_resolution,
};
pub use context::{InvalidContext, SentEvaluation};
