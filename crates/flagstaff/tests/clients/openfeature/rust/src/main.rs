//! What OpenFeature's Rust providers do, one list for each name on the command line.

mod answers;
mod conversation;
mod flagd;
mod ofrep;

#[tokio::main]
async fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    match name.as_str() {
        "rpc" => flagd::rpc().await,
        "in_process" => flagd::in_process().await,
        "ofrep" => ofrep::ofrep().await,
        _ => panic!("no such list: {name}"),
    }
}

/// The value of a variable that the test which runs this has set.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}
