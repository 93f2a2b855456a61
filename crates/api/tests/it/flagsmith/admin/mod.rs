//! The management routes, one module per noun, and the recordings of them.

mod accounts;
mod api_keys;
mod bad_input;
mod desk;
mod environments;
mod experiments;
mod feature_owners;
mod feature_segments;
mod feature_state_rows;
mod feature_states;
mod features;
mod future;
mod golden;
mod identities;
mod identity_overrides;
mod identity_traits;
mod invites;
mod multivariate_options;
mod organisation_members;
mod organisations;
mod projects;
mod segment_overrides;
mod segments;
mod server_keys;
mod sign_in;
mod tags;
