//! Tests of `flagstaff-service`.
