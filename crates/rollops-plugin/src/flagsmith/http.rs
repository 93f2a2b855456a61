//! Requests: within the budget, again where that helps, and never with the token to another host.

use crate::budget::Budget;
use crate::failure::{Doing, Failure};
use crate::settings::Settings;
use crate::tls;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use url::Url;

/// Longer than any page of features.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// A list that goes on longer than this goes in circles.
const PAGE_LIMIT: usize = 200;

/// Flagsmith, or what speaks as it does.
pub(crate) struct Api {
    http: reqwest::Client,
    base: String,
    authorization: HeaderValue,
    budget: Budget,
    attempts: AtomicU32,
}

/// Why one attempt failed, and whether another may help.
struct Trouble {
    failure: Failure,
    again: Again,
}

enum Again {
    Never,
    /// After a pause, of this length where the server says so.
    After(Option<Duration>),
}

impl Trouble {
    fn last(failure: Failure) -> Self {
        Self {
            failure,
            again: Again::Never,
        }
    }

    fn passing(failure: Failure) -> Self {
        Self {
            failure,
            again: Again::After(None),
        }
    }
}

impl Api {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`Failure::Setting`] where no client can be made of the settings.
    pub(crate) fn new(settings: &Settings, budget: Budget) -> Result<Self, Failure> {
        let wrong = |problem: &str| {
            Failure::Setting(format!("invalid FLAGSTAFF_ROLLOPS__CA_FILE: {problem}"))
        };
        // Certificates take milliseconds to read, so without https nobody reads them.
        let tls = if settings.api_url.starts_with("https:") {
            tls::config(settings.ca_file.as_deref()).map_err(|problem| wrong(&problem))?
        } else {
            without_roots().ok_or_else(|| wrong("no encryption is there"))?
        };
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!(
                "rollops-plugin-flagsmith/",
                env!("CARGO_PKG_VERSION")
            ))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .build()
            .map_err(|_| wrong("no client can be made with it"))?;
        let authorization = settings.token.header().ok_or(Failure::TokenRefused)?;
        Ok(Self {
            http,
            base: settings.api_url.clone(),
            authorization,
            budget,
            attempts: AtomicU32::new(0),
        })
    }

    /// How many requests were sent.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    pub(crate) fn budget(&self) -> Budget {
        self.budget
    }

    /// Reads; what fails in passing is tried again.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        doing: Doing,
        path: &str,
    ) -> Result<T, Failure> {
        let mut attempt = 0;
        loop {
            let trouble = match self.once(doing, Method::GET, path, None).await {
                Ok(body) => return shaped(doing, &body),
                Err(trouble) => trouble,
            };
            self.pause(attempt, trouble).await?;
            attempt += 1;
        }
    }

    /// Reads a list to its end. The address of the next page is the server's idea of its own name, so only its number is
    /// taken.
    pub(crate) async fn read_all<T: DeserializeOwned>(
        &self,
        doing: Doing,
        path: &str,
    ) -> Result<Vec<T>, Failure> {
        let mut rows = Vec::new();
        for page in 1..=PAGE_LIMIT {
            let path = match page {
                1 => path.to_owned(),
                page => format!("{path}&page={page}"),
            };
            let mut body: Json = self.read(doing, &path).await?;
            let has_next = body.get("next").is_some_and(|next| !next.is_null());
            let results = match body.get_mut("results") {
                Some(results) => results.take(),
                None => body,
            };
            let more: Vec<T> = serde_json::from_value(results).map_err(|_| Failure::Strange {
                doing,
                what: "the answer is not a list of Flagsmith's",
            })?;
            let is_empty = more.is_empty();
            rows.extend(more);
            if !has_next || is_empty {
                return Ok(rows);
            }
        }
        Err(Failure::Strange {
            doing,
            what: "the list has no end",
        })
    }

    /// Writes once. Whether that can be done again is for the caller to find out, by reading first.
    ///
    /// # Errors
    /// What went wrong, and the pause after which a look is worth it.
    pub(crate) async fn write(
        &self,
        doing: Doing,
        method: Method,
        path: &str,
        body: &Json,
    ) -> Result<Json, WriteTrouble> {
        match self.once(doing, method, path, Some(body)).await {
            // Some answers to a write are empty.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
            Err(Trouble { failure, again }) => Err(WriteTrouble {
                failure,
                pause: match again {
                    Again::Never => None,
                    Again::After(asked) => Some(asked),
                },
            }),
        }
    }

    /// Waits before another attempt.
    ///
    /// # Errors
    /// The failure itself, where there is to be none.
    async fn pause(&self, attempt: u32, trouble: Trouble) -> Result<(), Failure> {
        let Again::After(asked) = trouble.again else {
            return Err(trouble.failure);
        };
        match self.budget.pause(attempt, asked) {
            Some(pause) => {
                tokio::time::sleep(pause).await;
                Ok(())
            }
            None => Err(trouble.failure),
        }
    }

    async fn once(
        &self,
        doing: Doing,
        method: Method,
        path: &str,
        body: Option<&Json>,
    ) -> Result<Vec<u8>, Trouble> {
        let late = Failure::OutOfTime { doing };
        let Some(limit) = self.budget.request() else {
            return Err(Trouble::last(late));
        };
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let mut request = self
            .http
            .request(method, format!("{}/{path}", self.base))
            .header(AUTHORIZATION, self.authorization.clone());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = async {
            let response = request
                .send()
                .await
                .map_err(|error| unsent(doing, &error))?;
            judged(doing, response).await
        };
        match tokio::time::timeout(limit, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(Trouble::passing(late)),
        }
    }
}

/// Why a write failed.
pub(crate) struct WriteTrouble {
    pub(crate) failure: Failure,
    /// It may have been done all the same, and may be tried again: after this pause, where the server names one.
    pub(crate) pause: Option<Option<Duration>>,
}

impl WriteTrouble {
    /// Nothing was written, and nothing will be.
    pub(super) fn last(failure: Failure) -> Self {
        Self {
            failure,
            pause: None,
        }
    }

    /// Waits until another look is worth it.
    ///
    /// # Errors
    /// The failure itself, where it is not.
    pub(crate) async fn wait(self, budget: Budget, attempt: u32) -> Result<(), Failure> {
        let Some(asked) = self.pause else {
            return Err(self.failure);
        };
        match budget.pause(attempt, asked) {
            Some(pause) => {
                tokio::time::sleep(pause).await;
                Ok(())
            }
            None => Err(self.failure),
        }
    }
}

fn without_roots() -> Option<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?;
    let none = config.with_root_certificates(RootCertStore::empty());
    Some(none.with_no_client_auth())
}

fn unsent(doing: Doing, error: &reqwest::Error) -> Trouble {
    if error.is_connect() {
        Trouble::passing(Failure::NoConnection)
    } else {
        Trouble::passing(Failure::HalfAnswer { doing })
    }
}

/// The body of a good answer; of any other only the status is looked at.
async fn judged(doing: Doing, mut response: Response) -> Result<Vec<u8>, Trouble> {
    let status = response.status();
    if status.is_redirection() {
        let to = elsewhere(response.headers());
        return Err(Trouble::last(Failure::Redirected { to }));
    }
    if !status.is_success() {
        return Err(refused(doing, status, response.headers()));
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= BODY_LIMIT => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => {
                let what = "the answer is too long";
                return Err(Trouble::last(Failure::Strange { doing, what }));
            }
            Ok(None) => return Ok(body),
            Err(_) => return Err(Trouble::passing(Failure::HalfAnswer { doing })),
        }
    }
}

fn refused(doing: Doing, status: StatusCode, headers: &HeaderMap) -> Trouble {
    let number = status.as_u16();
    match number {
        401 => Trouble::last(Failure::TokenRefused),
        403 => Trouble::last(Failure::Forbidden { doing }),
        404 => Trouble::last(Failure::Missing(not_found(doing).to_owned())),
        409 => Trouble::last(Failure::NotPossible(
            "the server reports a conflict (status 409): the environment may need a change request; make the change there"
                .to_owned(),
        )),
        429 => Trouble {
            failure: Failure::TooMany,
            again: Again::After(retry_after(headers)),
        },
        500..=599 => Trouble {
            failure: Failure::ServerTrouble {
                doing,
                status: number,
            },
            again: Again::After(retry_after(headers)),
        },
        _ => Trouble::last(Failure::Refused {
            doing,
            status: number,
        }),
    }
}

fn not_found(doing: Doing) -> &'static str {
    match doing {
        Doing::ReadingProject | Doing::FindingFlag => {
            "the project was not found: check FLAGSMITH_PROJECT_ID, and that FLAGSMITH_API_URL ends in /api/v1"
        }
        Doing::ReadingEnvironment => {
            "the environment was not found: the rollout has to name the key of one that the token may see, and FLAGSMITH_API_URL has to end in /api/v1"
        }
        _ => {
            "what was there a moment ago is gone: look whether somebody deletes the flag or its environment"
        }
    }
}

/// Seconds, as servers under load write them. A date would need a clock that agrees.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

/// The host that a redirect names.
fn elsewhere(headers: &HeaderMap) -> Option<String> {
    let url = Url::parse(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    })
}

fn shaped<T: DeserializeOwned>(doing: Doing, body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::Strange {
        doing,
        what: if error.is_data() {
            "the answer is not one of Flagsmith's"
        } else {
            "the answer is not JSON"
        },
    })
}
