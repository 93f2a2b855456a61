//! Rollouts: who has what at each step, how they end, and what is refused.

mod crowd;
mod driving;
mod ending;
mod inside;
mod life;
mod places;
mod refusals;
