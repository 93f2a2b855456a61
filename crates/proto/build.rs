//! Makes Rust of the `.proto` files, without `protoc`.

use prost::Message;
use std::error::Error;
use std::path::PathBuf;

/// What the server serves, and describes to whoever asks by reflection.
const SERVED: [&str; 3] = [
    "flagd/evaluation/v1/evaluation.proto",
    "flagd/evaluation/v2/evaluation.proto",
    "flagd/sync/v1/sync.proto",
];

/// What the plugin for Rollops serves.
const OF_THE_PLUGIN: [&str; 1] = ["rollops/plugin/v1/plugin.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=protos");
    let descriptors = protox::compile(SERVED, ["protos"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    tonic_prost_build::configure().compile_fds(protox::compile(OF_THE_PLUGIN, ["protos"])?)?;
    Ok(())
}
