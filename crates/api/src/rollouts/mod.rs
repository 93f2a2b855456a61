//! `rollouts/`: one option of a feature, or the feature itself, given to more and more people.

mod body;
mod shape;
mod views;

pub(crate) use views::routes;
