//! Our documents in flagd's own evaluators and against flagd's own schema: `cargo xtask test --lane evaluators`.

mod agreement;
mod conditions;
mod generate;
mod hashes;
mod process;
mod schema;
mod traps;
mod trees;
