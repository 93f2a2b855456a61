pub mod admin;
mod golden;
mod sdk;
