//! Flagsmith's API, as far as a rollout needs it. Flagstaff serves the same.

mod http;
mod rows;
mod segments;
mod states;

pub(crate) use http::{Api, WriteTrouble};
pub(crate) use rows::{Environment, Feature, Place, State, Weight};
pub(crate) use segments::{Override, Split, Wanted};
