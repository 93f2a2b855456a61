//! One file for each page.

pub(crate) mod first_member;
pub(crate) mod overview;
pub(crate) mod server_keys;
pub(crate) mod sign_in;
