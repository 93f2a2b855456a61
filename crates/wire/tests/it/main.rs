//! Tests of `flagstaff-wire`.
