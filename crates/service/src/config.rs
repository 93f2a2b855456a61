//! Settings of the service.

use crate::outbound::{AllowedPlace, MailSender};
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Signing in: the `[sign_in]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignInConfig {
    /// Attempts to sign in that one address may make in a minute. Default 20.
    pub attempts_per_minute: u32,
    /// Failed attempts to sign in with one e-mail address, from wherever, within an hour. Default 100.
    pub account_attempts_per_hour: u32,
    /// How long a browser stays signed in, in hours. Default 336 (two weeks).
    pub session_hours: u32,
    /// How long a one-time sign-in link can be used, in hours. Default 24.
    pub link_hours: u32,
    /// Whether anybody may sign up, and not only the first member and whoever is invited. Default `false`.
    pub allow_sign_up: bool,
    /// Whether somebody who signs up without an invitation has to follow a mailed link before they can sign in. Default `false`.
    pub activation: bool,
    /// How long a mailed link that changes an account can be used, in minutes. Default 60.
    pub account_link_minutes: u32,
    /// Mailed links that can be asked for with one e-mail address within an hour; further wishes are passed over. Default 5.
    pub account_links_per_hour: u32,
    /// How long an invitation can be used, in days. Default 14.
    pub invite_days: u32,
}

impl Default for SignInConfig {
    fn default() -> Self {
        Self {
            attempts_per_minute: 20,
            account_attempts_per_hour: 100,
            session_hours: 336,
            link_hours: 24,
            allow_sign_up: false,
            activation: false,
            account_link_minutes: 60,
            account_links_per_hour: 5,
            invite_days: 14,
        }
    }
}

/// What is kept in memory: the `[memory]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MemoryConfig {
    /// Weight of the environments kept compiled; a feature, segment or identity override weighs 1. Default 2,000,000.
    pub snapshot_weight: u64,
    /// Stored identities kept with their traits; a trait weighs 1. Default 1,000,000.
    pub identity_weight: u64,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self {
            snapshot_weight: 2_000_000,
            identity_weight: 1_000_000,
        }
    }
}

/// Usage counts: the `[usage]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UsageConfig {
    /// Seconds between two writes of the counts. Default 10.
    pub flush_seconds: u32,
}

impl Default for UsageConfig {
    fn default() -> Self {
        Self { flush_seconds: 10 }
    }
}

/// Requests to other servers: the `[outbound]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutboundConfig {
    /// Places of internal networks that addresses kept in the database, such as webhooks, may name all the same:
    /// networks (`10.0.0.0/8`), addresses and names of hosts (`hooks.internal`); in a variable, separated by commas.
    /// Everything internal is refused without. Addresses in the configuration need no entry.
    pub allow: Vec<AllowedPlace>,
    /// A file of certificates in PEM that are trusted beside the usual ones, for servers and mail.
    pub ca_file: Option<PathBuf>,
    /// Seconds after which an answer is given up. Default 15.
    pub answer_seconds: u64,
    /// Bytes of an answer that are read; a longer one counts as none. Default 1,048,576.
    pub answer_bytes: usize,
}

impl Default for OutboundConfig {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            ca_file: None,
            answer_seconds: 15,
            answer_bytes: 1024 * 1024,
        }
    }
}

/// A server that guards of rollouts ask for measurements, with Prometheus' HTTP API (Prometheus, Thanos, Mimir, VictoriaMetrics and others), under a name of your choice (lower-case letters, digits, `-` and `_`), as often as there are servers: the `[prometheus.NAME]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrometheusConfig {
    /// Its address, below which `/api/v1/query` is found, such as `http://prometheus:9090`. Needed. Internal addresses need
    /// no entry in `outbound.allow`.
    pub url: String,
    /// User name, where it asks for one.
    pub user: Option<String>,
    /// Password of that user.
    pub password: Option<SecretString>,
    /// Token that is sent as `Authorization: Bearer`, instead of user and password.
    pub token: Option<SecretString>,
    /// Names of the organisations whose guards may ask it; in a variable, separated by commas. All may where none is
    /// named.
    pub organisations: Vec<String>,
}

/// Mail, for invitations and forgotten passwords: the `[mail]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// Host of the SMTP server. Without one nothing is mailed: whoever invites hands the link over, and a superuser is
    /// shown the links that members asked for. With one, `server.public_url` and `mail.from` are needed.
    pub host: Option<String>,
    /// Its port; 0 means the usual one: 587 for `starttls`, 465 for `tls`, 25 for `none`. Default 0.
    pub port: u16,
    /// `starttls` (refused where the server offers none), `tls` from the first byte, or `none` for a relay on this machine
    /// or a trusted network. Default `starttls`.
    pub security: MailSecurity,
    /// User name at the SMTP server.
    pub user: Option<String>,
    /// Password at the SMTP server.
    pub password: Option<SecretString>,
    /// Who mail is from, such as `Flagstaff <flags@example.com>`.
    pub from: Option<MailSender>,
}

/// How mail is encrypted on its way to the SMTP server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// Encrypted after a greeting.
    #[default]
    StartTls,
    /// Encrypted from the first byte.
    Tls,
    /// Not at all.
    None,
}

/// Signing in with Google: the `[google]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GoogleConfig {
    /// Client id of the application at Google; with it, the sign-in page offers Google, and `server.public_url` is needed.
    pub client_id: Option<String>,
    /// Client secret of the application.
    pub client_secret: Option<SecretString>,
    /// Domains whose people may come in, such as `example.com`; in a variable, separated by commas. All may where none is
    /// named.
    pub allowed_domains: Vec<String>,
    /// Name of the organisation that people join who come in for the first time. Without it only who is a member or
    /// invited comes in, and whoever may sign up.
    pub organisation: Option<String>,
    /// Whose word is taken; tests have another.
    #[serde(skip)]
    pub issuer: String,
    /// Where access tokens are asked about.
    #[serde(skip)]
    pub token_info_url: String,
}

impl Default for GoogleConfig {
    fn default() -> Self {
        Self {
            client_id: None,
            client_secret: None,
            allowed_domains: Vec::new(),
            organisation: None,
            issuer: "https://accounts.google.com".to_owned(),
            token_info_url: "https://oauth2.googleapis.com/tokeninfo".to_owned(),
        }
    }
}

/// Signing in with GitHub: the `[github]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GithubConfig {
    /// Client id of the OAuth application at GitHub; with it, the sign-in page offers GitHub, and `server.public_url` is
    /// needed.
    pub client_id: Option<String>,
    /// Client secret of the application.
    pub client_secret: Option<SecretString>,
    /// Domains of e-mail addresses whose people may come in; in a variable, separated by commas. All may where none is
    /// named.
    pub allowed_domains: Vec<String>,
    /// Name of the organisation that people join who come in for the first time, as for Google.
    pub organisation: Option<String>,
    /// Where people sign in; another address for GitHub Enterprise. Default `https://github.com`.
    pub url: String,
    /// Where its API is; for GitHub Enterprise `https://HOST/api/v3`. Default `https://api.github.com`.
    pub api_url: String,
}

impl Default for GithubConfig {
    fn default() -> Self {
        Self {
            client_id: None,
            client_secret: None,
            allowed_domains: Vec::new(),
            organisation: None,
            url: "https://github.com".to_owned(),
            api_url: "https://api.github.com".to_owned(),
        }
    }
}

/// Signing in with any provider of OpenID Connect, under a name of your choice (lower-case letters, digits, `-` and `_`), as often as there are providers: the `[oidc.NAME]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OidcConfig {
    /// What the button on the sign-in page says after "Sign in with"; the name of the table where it is left out.
    pub label: Option<String>,
    /// The provider's issuer, below which `/.well-known/openid-configuration` is found. Needed, as is `server.public_url`;
    /// the callback address to register there is `PUBLIC_URL/sign-in/with/NAME/callback`.
    pub issuer: String,
    /// Client id at the provider. Needed.
    pub client_id: String,
    /// Client secret at the provider; public clients have none.
    pub client_secret: Option<SecretString>,
    /// Scopes that are asked for beside `openid`, `email` and `profile`; in a variable, separated by commas.
    pub scopes: Vec<String>,
    /// Domains of e-mail addresses whose people may come in; in a variable, separated by commas. All may where none is
    /// named.
    pub allowed_domains: Vec<String>,
    /// Name of the organisation that people join who come in for the first time, as for Google.
    pub organisation: Option<String>,
    /// Claim whose values decide whether people join as admins, such as `groups`.
    pub role_claim: Option<String>,
    /// Values of that claim that make an admin of whoever joins; in a variable, separated by commas.
    pub admin_values: Vec<String>,
    /// Whether addresses count as verified although the provider says nothing about it. Only for providers whose people
    /// cannot choose their address: others could come in as anybody.
    pub trust_email: bool,
}

/// Flags of the dashboard itself: the `[own_flags]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OwnFlagsConfig {
    /// Client key of the environment that holds them, instead of the hidden one that every server has. `FLAGSMITH` sets it
    /// too.
    pub key: Option<String>,
    /// Where that environment is: the address of a Flagsmith API, such as `https://flags.example.com/api/v1/`. This server
    /// where it is left out. `FLAGSMITH_CLIENT_API` sets it too.
    pub api: Option<String>,
}

/// Everything the service can be told.
#[derive(Debug, Clone, Default)]
pub struct ServiceConfig {
    /// Signing in.
    pub sign_in: SignInConfig,
    /// What is kept in memory.
    pub memory: MemoryConfig,
    /// Usage counts.
    pub usage: UsageConfig,
    /// Requests to other servers.
    pub outbound: OutboundConfig,
    /// Servers that guards of rollouts ask, by name.
    pub prometheus: BTreeMap<String, PrometheusConfig>,
    /// Mail.
    pub mail: MailConfig,
    /// Signing in with Google.
    pub google: GoogleConfig,
    /// Signing in with GitHub.
    pub github: GithubConfig,
    /// Signing in with providers of OpenID Connect, by name.
    pub oidc: BTreeMap<String, OidcConfig>,
    /// Flags of the dashboard itself.
    pub own_flags: OwnFlagsConfig,
    /// Where people reach this server, without a slash at its end, if the operator has said it. What is sent away needs
    /// it: a request's own word for it may be anybody's.
    pub public_url: Option<Arc<str>>,
}
