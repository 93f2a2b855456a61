//! The dashboard: server-rendered pages for people.
//!
//! **Invariants.** Every form works without script. Pages reach the product through `service` alone. The session
//! cookie counts on these paths and nowhere else; no form is obeyed that did not come from one of these pages.
//!
//! **Addresses.** What belongs to an environment is under `/environments/{client_key}/…` (`features`,
//! `features/{feature_id}`, `segments`, `identities`, `scheduled`, `usage`, `lifecycle`, `settings`), so that switching the
//! environment keeps the page; what belongs to a project under `/projects/{project_id}/…` (`settings`, `audit`, `flagd`); what
//! belongs to an organisation under `/organisations/{organisation_id}/…`; `/about` and `/account` belong to none. A GET
//! shows, a POST to the same address changes and sends the browser on by 303.
//!
//! **A page** is one file under `pages`: a struct with its template and the functions that answer. It is registered
//! in `pages::routes` with who may ask for it; it makes a [`shell::Shell`] by one call, which says where it is and
//! refuses who may not be there; forms are read by [`fields::Fields`] and answered by [`notices::Notice`].

mod answer;
pub mod assets;
mod context_text;
mod cookies;
mod fields;
mod forms;
mod fragments;
mod live;
mod navigation;
mod notices;
mod pages;
mod routes;
mod rules;
mod shell;
mod texts;
mod values;
mod visitor;

pub use routes::Pages;

use flagstaff_service::Service;
use std::sync::{Arc, OnceLock};
use tokio::sync::{Semaphore, watch};

/// What the pages have to know about the server they are on.
#[derive(Debug, Clone)]
pub struct DashboardConfig {
    /// Address under which people reach the server, without a slash at its end.
    pub public_url: Arc<str>,
    /// How long a browser stays signed in, in hours.
    pub session_hours: u32,
    /// The most identities that a flag names in flagd's documents.
    pub flagd_identity_limit: usize,
    /// Becomes true when streams have to end: the server stops.
    pub closing: watch::Receiver<bool>,
}

/// What every page is made with.
#[derive(Clone)]
pub(crate) struct Dashboard {
    pub(crate) service: Service,
    pub(crate) config: DashboardConfig,
    followers: Arc<Semaphore>,
    paths: Arc<OnceLock<Vec<&'static str>>>,
}

impl Dashboard {
    /// True where browsers come by https: cookies must then never travel without.
    pub(crate) fn is_secure(&self) -> bool {
        self.config.public_url.starts_with("https://")
    }

    /// True where there is a page with this path, as it was registered.
    pub(crate) fn has_page(&self, path: &str) -> bool {
        let paths = self.paths.get();
        paths.is_some_and(|paths| paths.contains(&path))
    }

    fn remember_paths(&self, paths: Vec<&'static str>) {
        // Set once: the pages of a dashboard are registered together.
        let _ = self.paths.set(paths);
    }
}

/// All pages and what they load.
pub fn pages(service: Service, config: DashboardConfig) -> Pages {
    let dashboard = Dashboard {
        service,
        config,
        followers: live::room(),
        paths: Arc::default(),
    };
    pages::routes(routes::Routes::new(dashboard)).finish()
}
