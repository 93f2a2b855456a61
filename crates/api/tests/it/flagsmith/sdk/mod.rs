mod analytics;
mod environment_document;
mod flags;
mod identities;
mod traits;
