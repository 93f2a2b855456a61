//! Tests of `flagstaff-store`.
