//! The journeys of the Rust SDK, one for each name on the command line.

mod comparing;
mod journeys;
mod server;

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    match name.as_str() {
        "alone" => comparing::alone(),
        "analytics" => journeys::analytics(),
        "environment_flags" => journeys::environment_flags(),
        "identity_flags" => journeys::identity_flags(),
        "local_equals_remote" => comparing::local_equals_remote(),
        "multivariate" => journeys::multivariate(),
        "offline" => journeys::offline(),
        "overrides" => journeys::overrides(),
        "refresh" => journeys::refresh(),
        "transient" => journeys::transient(),
        "wrong_key" => journeys::wrong_key(),
        _ => panic!("no journey {name}"),
    }
}
