//! Pieces of pages that are made in Rust; those that are only markup stand in `templates/parts.html`.

mod chart;
pub(crate) mod dates;
mod difference;
mod moment;
mod pages;
mod progress;
mod sparkline;

pub(crate) use chart::{Chart, Series, grouped};
pub(crate) use difference::{Line, difference};
pub(crate) use moment::Moment;
pub(crate) use pages::Pages;
pub(crate) use progress::Progress;
pub(crate) use sparkline::Sparkline;
