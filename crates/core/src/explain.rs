//! Traces: how each flag came to its value.
