//! The management routes, one module per noun, and the recordings of them.

mod golden;
