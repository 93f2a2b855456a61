//! Tests of `flagstaff-api`.
