//! What a start prints to standard output: how to get in and how to ask for flags, then the address.

use crate::failure::Failure;
use crate::settings::Settings;
use anyhow::Context as _;
use flagstaff_service::{Demo, Service};
use secrecy::{ExposeSecret, SecretString};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;

/// What there is to say.
pub(super) struct Greeting {
    public_url: String,
    demo: Option<Demo>,
    dev: Option<String>,
    link: Option<SecretString>,
}

impl Greeting {
    /// Makes the demo project where the database is empty, and a sign-in link where nobody can sign in.
    ///
    /// # Errors
    /// Failures of the database.
    pub(super) async fn prepare(
        service: &Service,
        settings: &Settings,
        public_url: &str,
        dev: Option<String>,
    ) -> Result<Self, Failure> {
        let demo = if settings.server.demo {
            let made = service.create_demo().await;
            made.context("cannot make the demo project")?
        } else {
            None
        };
        let link = service.waiting_sign_in_link().await;
        Ok(Self {
            public_url: public_url.to_owned(),
            demo,
            dev,
            link: link.context("cannot make a sign-in link")?,
        })
    }

    /// Prints it. The line with the address comes last: whoever waits for it may close the pipe then.
    pub(super) fn print(&self, listening: SocketAddr) {
        let mut text = self.text();
        let _ = writeln!(text, "listening on http://{listening}");
        let mut out = std::io::stdout().lock();
        // Nobody has to read it.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let url = &self.public_url;
        let _ = writeln!(text, "dashboard     {url}/");
        if let Some(link) = &self.link {
            let link = link.expose_secret();
            let _ = writeln!(text, "sign in once  {url}/welcome/{link}");
        }
        if let Some(dev) = &self.dev {
            text.push_str(dev);
        }
        if let Some(demo) = &self.demo {
            let (client, server) = (&demo.client_key, demo.server_key.expose_secret());
            let _ = writeln!(
                text,
                "\nA demo project is ready. Its keys, and a first question:\n"
            );
            let _ = writeln!(text, "client key    {client}");
            let _ = writeln!(text, "server key    {server}\n");
            let _ = writeln!(
                text,
                "curl -H 'X-Environment-Key: {client}' {url}/api/v1/flags/\n"
            );
        }
        text
    }
}
