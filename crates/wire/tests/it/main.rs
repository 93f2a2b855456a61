//! Tests of `flagstaff-wire`.

mod flagsmith;
