//! Guards of rollouts: what they watch, and what becomes of what they see.

mod answer;
mod prometheus;
