//! Guards of rollouts: what they watch, and what becomes of what they see.

mod answer;
mod hooks;
mod looking;
mod making;
mod prometheus;
mod signals;

pub use hooks::{HookCall, HookReply, NewHook};
pub use making::{GUARD_LIMIT, GuardRequest};
pub use signals::{
    COUNT_LIMIT, HEALTH_SOURCE_LIMIT, HealthRequest, Reporter, SignalCounts, SignalOutcome,
    SignalRequest,
};

pub(crate) use prometheus::MetricSources;
