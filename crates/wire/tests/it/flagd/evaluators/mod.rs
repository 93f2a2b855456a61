//! Our documents in flagd's own evaluators and against flagd's own schema: `cargo xtask test --lane evaluators`.

mod conditions;
mod generate;
mod hashes;
mod schema;
mod traps;
mod trees;
