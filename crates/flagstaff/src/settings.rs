//! All settings, composed from the tables of the crates that use them.
//!
//! Weakest first: defaults, `flagstaff.toml`, `DATABASE_URL`, `FLAGSTAFF_<TABLE>__<FIELD>`, options.

mod layers;
mod page;
mod value;

pub(crate) use layers::{SettingError, read_secret};
pub(crate) use page::reference_page;

use crate::config::{ConnectionConfig, LogConfig, ServerConfig};
use flagstaff_api::{ApiConfig, FlagdConfig, MetricsConfig};
use flagstaff_service::config::{
    GithubConfig, GoogleConfig, MailConfig, MemoryConfig, OidcConfig, OutboundConfig,
    OwnFlagsConfig, PrometheusConfig, SignInConfig, UsageConfig,
};
use layers::Layers;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file that is read when no other is named, if it is there.
const FILE: &str = "flagstaff.toml";

/// Every table, in the order of the reference page.
const TABLES: [&str; 16] = [
    "server",
    "sign_in",
    "google",
    "github",
    "oidc.NAME",
    "mail",
    "outbound",
    "prometheus.NAME",
    "own_flags",
    "limits",
    "flagd",
    "connections",
    "memory",
    "usage",
    "metrics",
    "log",
];

/// What the source of each configuration file says, for the reference page.
const SOURCES: [&str; 3] = [
    include_str!("config.rs"),
    include_str!("../../api/src/config.rs"),
    include_str!("../../service/src/config.rs"),
];

/// Everything that can be set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) server: ServerConfig,
    pub(crate) sign_in: SignInConfig,
    pub(crate) google: GoogleConfig,
    pub(crate) github: GithubConfig,
    pub(crate) oidc: BTreeMap<String, OidcConfig>,
    pub(crate) mail: MailConfig,
    pub(crate) outbound: OutboundConfig,
    pub(crate) prometheus: BTreeMap<String, PrometheusConfig>,
    pub(crate) own_flags: OwnFlagsConfig,
    pub(crate) limits: ApiConfig,
    pub(crate) flagd: FlagdConfig,
    pub(crate) connections: ConnectionConfig,
    pub(crate) memory: MemoryConfig,
    pub(crate) usage: UsageConfig,
    pub(crate) metrics: MetricsConfig,
    pub(crate) log: LogConfig,
}

/// A setting given on the command line.
#[derive(Debug, Clone)]
pub(crate) struct SettingFlag {
    /// The option as it is written, for messages.
    pub(crate) flag: &'static str,
    /// The table.
    pub(crate) table: String,
    /// The field.
    pub(crate) field: String,
    /// The value, as text.
    pub(crate) value: String,
}

impl Settings {
    /// Reads the settings of this process.
    ///
    /// # Errors
    /// The first setting that is unknown or cannot be what it is given as.
    pub(crate) fn load(file: Option<&Path>, flags: &[SettingFlag]) -> Result<Self, SettingError> {
        let mut variables = Vec::new();
        for (name, value) in std::env::vars_os() {
            // Variables that are no text are no settings of ours.
            if let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) {
                variables.push((name, value));
            }
        }
        Self::from_layers(file, &variables, flags)
    }

    fn from_layers(
        file: Option<&Path>,
        variables: &[(String, String)],
        flags: &[SettingFlag],
    ) -> Result<Self, SettingError> {
        let mut layers = Layers::default();
        if let Some(path) = file {
            layers.add_file(path)?;
        } else if Path::new(FILE).exists() {
            layers.add_file(&PathBuf::from(FILE))?;
        }
        layers.add_environment(variables, &page::known_fields())?;
        for given in flags {
            layers.add_flag(given.flag, &given.table, &given.field, &given.value)?;
        }
        let settings = Self {
            server: layers.take("server")?,
            sign_in: layers.take("sign_in")?,
            google: layers.take("google")?,
            github: layers.take("github")?,
            oidc: layers.take_named("oidc")?,
            mail: layers.take("mail")?,
            outbound: layers.take("outbound")?,
            prometheus: layers.take_named("prometheus")?,
            own_flags: layers.take("own_flags")?,
            limits: layers.take("limits")?,
            flagd: layers.take("flagd")?,
            connections: layers.take("connections")?,
            memory: layers.take("memory")?,
            usage: layers.take("usage")?,
            metrics: layers.take("metrics")?,
            log: layers.take("log")?,
        };
        layers.finish(&TABLES)?;
        settings.check_together()?;
        Ok(settings)
    }

    /// Refuses settings that need others.
    fn check_together(&self) -> Result<(), SettingError> {
        let needs = |name: &str, needed: &str, why: &'static str| SettingError::Needed {
            name: name.to_owned(),
            needed: needed.to_owned(),
            why,
        };
        let mut sends_away = Vec::new();
        if self.mail.host.is_some() {
            if self.mail.from.is_none() {
                return Err(needs("mail.host", "mail.from", "mail is from somebody"));
            }
            sends_away.push("mail.host".to_owned());
        }
        if self.own_flags.api.is_some() && self.own_flags.key.is_none() {
            let why = "the key opens what the address has";
            return Err(needs("own_flags.api", "own_flags.key", why));
        }
        if self.mail.user.is_some() != self.mail.password.is_some() {
            let why = "one is of no use without the other";
            return Err(needs("mail.user", "mail.password", why));
        }
        for (table, id, secret) in [
            ("google", &self.google.client_id, &self.google.client_secret),
            ("github", &self.github.client_id, &self.github.client_secret),
        ] {
            if id.is_some() != secret.is_some() {
                let (id, secret) = (
                    format!("{table}.client_id"),
                    format!("{table}.client_secret"),
                );
                return Err(needs(&id, &secret, "one is of no use without the other"));
            }
            if id.is_some() {
                sends_away.push(format!("{table}.client_id"));
            }
        }
        for (name, oidc) in &self.oidc {
            for (field, value) in [("issuer", &oidc.issuer), ("client_id", &oidc.client_id)] {
                if value.is_empty() {
                    let needed = format!("oidc.{name}.{field}");
                    return Err(needs(
                        &format!("oidc.{name}"),
                        &needed,
                        "nobody can sign in without",
                    ));
                }
            }
            let is_plain =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
            let is_taken = matches!(name.as_str(), "google" | "github");
            if is_taken || name.is_empty() || !name.chars().all(is_plain) {
                return Err(needs(
                    &format!("oidc.{name}"),
                    "oidc.NAME",
                    "the name is one of lower-case letters, digits, `-` and `_`, and neither google nor github",
                ));
            }
            sends_away.push(format!("oidc.{name}"));
        }
        self.check_prometheus()?;
        match sends_away.first() {
            Some(name) if self.server.public_url.is_none() => {
                let why = "links and addresses to come back to begin with it";
                Err(needs(name, "server.public_url", why))
            }
            _ => Ok(()),
        }
    }

    /// Refuses metrics sources that cannot be asked.
    fn check_prometheus(&self) -> Result<(), SettingError> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        for (name, source) in &self.prometheus {
            let table = format!("prometheus.{name}");
            let needs = |needed: &str, why| SettingError::Needed {
                name: table.clone(),
                needed: needed.to_owned(),
                why,
            };
            if name.is_empty() || !name.chars().all(is_plain) {
                let why = "the name is one of lower-case letters, digits, `-` and `_`";
                return Err(needs("prometheus.NAME", why));
            }
            let url = url::Url::parse(&source.url).ok().filter(|url| {
                let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
                let has_credentials = !url.username().is_empty() || url.password().is_some();
                is_web && !has_credentials && url.query().is_none() && url.fragment().is_none()
            });
            if url.is_none() {
                let why = "an http or https address without credentials and query is asked";
                return Err(needs(&format!("{table}.url"), why));
            }
            if source.password.is_some() && source.user.is_none() {
                let why = "a password is somebody's";
                return Err(needs(&format!("{table}.user"), why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LogFormat;
    use std::io::Write;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn variables(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn load(text: &str, list: &[(&str, &str)], flags: &[SettingFlag]) -> Result<Settings, String> {
        let file = file(text);
        Settings::from_layers(Some(file.path()), &variables(list), flags).map_err(|error| {
            let path = file.path().display().to_string();
            error.to_string().replace(&path, "flagstaff.toml")
        })
    }

    fn listen_flag(value: &str) -> SettingFlag {
        SettingFlag {
            flag: "--listen",
            table: "server".to_owned(),
            field: "listen".to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn each_layer_lies_over_the_one_before() {
        let toml = "[server]\nlisten = '127.0.0.1:1'\ndatabase_url = 'sqlite:file.db'\n";
        let from_database_url = [("DATABASE_URL", "sqlite:variable.db")];
        let from_both = [
            ("FLAGSTAFF_SERVER__LISTEN", "127.0.0.1:2"),
            ("FLAGSTAFF_SERVER__DATABASE_URL", "sqlite:ours.db"),
            ("DATABASE_URL", "sqlite:variable.db"),
        ];

        let file = load(toml, &[], &[]).unwrap();
        let common = load(toml, &from_database_url, &[]).unwrap();
        let ours = load(toml, &from_both, &[]).unwrap();
        let flag = load(toml, &from_both, &[listen_flag("127.0.0.1:3")]).unwrap();

        assert_eq!(file.server.listen.port(), 1);
        assert_eq!(file.server.database_url.expose(), "sqlite:file.db");
        assert_eq!(common.server.database_url.expose(), "sqlite:variable.db");
        assert_eq!(ours.server.database_url.expose(), "sqlite:ours.db");
        assert_eq!(ours.server.listen.port(), 2);
        assert_eq!(flag.server.listen.port(), 3);
    }

    #[test]
    fn text_takes_the_type_of_its_field() {
        let list = [
            ("FLAGSTAFF_SERVER__DEMO", "false"),
            ("FLAGSTAFF_CONNECTIONS__LIMIT", "12"),
            ("FLAGSTAFF_LOG__FORMAT", "json"),
            ("FLAGSTAFF_LOG__LEVEL", "info,flagstaff_store=debug"),
            ("FLAGSTAFF_SERVER__PUBLIC_URL", "https://flags.example.com/"),
        ];

        let settings = load("", &list, &[]).unwrap();

        assert!(!settings.server.demo);
        assert_eq!(settings.connections.limit, 12);
        assert_eq!(settings.log.format, LogFormat::Json);
        assert_eq!(settings.log.level.as_str(), "info,flagstaff_store=debug");
        let public_url = settings.server.public_url.unwrap();
        assert_eq!(public_url.as_str(), "https://flags.example.com");
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let check = |toml: &str, list: &[(&str, &str)], expected: &str| {
            let error = load(toml, list, &[]).unwrap_err();
            assert!(error.contains(expected), "{error}\nlacks\n{expected}");
        };

        check(
            "[server]\nlisen = 1",
            &[],
            "unknown setting `server.lisen` (file flagstaff.toml)",
        );
        check(
            "[sevrer]\nlisten = 'x'",
            &[],
            "unknown setting `sevrer.listen`",
        );
        check(
            "listen = 'x'",
            &[],
            "unknown setting `listen` (file flagstaff.toml): it stands outside a table",
        );
        check(
            "[server]\n\nlisten = ",
            &[],
            "flagstaff.toml is not TOML, line 3",
        );
        check(
            "[connections]\nlimit = 'many'",
            &[],
            "setting `connections.limit` (file flagstaff.toml)",
        );
        check("[server]\nlisten = 8000", &[], "setting `server.listen`");
        check(
            "",
            &[("FLAGSTAFF_SERVER__LISTEN", "here")],
            "setting `server.listen` (variable FLAGSTAFF_SERVER__LISTEN)",
        );
        check(
            "",
            &[("FLAGSTAFF_SERVER__LISEN", "x")],
            "unknown setting `server.lisen` (variable FLAGSTAFF_SERVER__LISEN)",
        );
        check(
            "",
            &[("FLAGSTAFF_SERVER_LISTEN", "x")],
            "FLAGSTAFF_SERVER__LISTEN",
        );
        check(
            "",
            &[("FLAGSTAFF_CONNECTIONS__LIMIT", "-1")],
            "is not a whole number from 0",
        );
        check(
            "",
            &[("FLAGSTAFF_LOG__LEVEL", "loud")],
            "invalid log level: `loud`",
        );
        check(
            "",
            &[("FLAGSTAFF_LOG__FORMAT", "xml")],
            "is none of auto, text, json",
        );
        check(
            "",
            &[("DATABASE_URL", "mysql://x")],
            "setting `server.database_url` (variable DATABASE_URL): begins neither",
        );
        check(
            "",
            &[("DATABASE_URL", "sqlite::memory:")],
            "needs the name of a file",
        );
        check(
            "",
            &[("FLAGSTAFF_SERVER__PUBLIC_URL", "ftp://x")],
            "neither http:// nor https://",
        );
        check(
            "",
            &[("FLAGSTAFF_SERVER__PUBLIC_URL", "http://x/flags")],
            "more than scheme, host and port",
        );
    }

    #[test]
    fn what_sends_people_away_needs_the_public_address() {
        let check = |toml: &str, expected: &str| {
            let error = load(toml, &[], &[]).unwrap_err();
            assert!(error.contains(expected), "{error}\nlacks\n{expected}");
        };
        let mail = "[mail]\nhost = 'smtp.example.com'\nfrom = 'flags@example.com'\n";
        let public = "[server]\npublic_url = 'https://flags.example.com'\n";

        check(mail, "setting `mail.host` needs `server.public_url`");
        check(
            "[mail]\nhost = 'x'",
            "setting `mail.host` needs `mail.from`",
        );
        check(
            "[mail]\nuser = 'x'",
            "setting `mail.user` needs `mail.password`",
        );
        check("[mail]\nfrom = 'nobody'", "is no e-mail address");
        check("[own_flags]\napi = 'https://x'", "needs `own_flags.key`");
        check("[google]\nclient_id = 'x'", "needs `google.client_secret`");
        check(
            "[oidc.acme]\nissuer = 'https://x'",
            "needs `oidc.acme.client_id`",
        );
        check(
            "[oidc.Acme]\nissuer = 'https://x'\nclient_id = 'y'",
            "needs `oidc.NAME`",
        );
        check(
            "[oidc.google]\nissuer = 'https://x'\nclient_id = 'y'",
            "needs `oidc.NAME`",
        );
        check(
            "[oidc]\nissuer = 'https://x'",
            "unknown setting `oidc.issuer`",
        );
        check(
            "[oidc.acme]\nisuer = 'https://x'",
            "unknown setting `oidc.acme.isuer`",
        );
        check("[prometheus.main]\nuser = 'x'", "`prometheus.main.url`");
        check(
            "[prometheus.main]\nurl = 'http://a:b@prometheus:9090'",
            "without credentials",
        );
        check(
            "[prometheus.main]\nurl = 'prometheus:9090'",
            "needs `prometheus.main.url`",
        );
        check(
            "[prometheus.Main]\nurl = 'http://prometheus:9090'",
            "needs `prometheus.NAME`",
        );
        check(
            "[prometheus.main]\nurl = 'http://prometheus:9090'\npassword = 'x'",
            "needs `prometheus.main.user`",
        );
        assert!(
            load(
                "[prometheus.main]\nurl = 'http://prometheus:9090/x'",
                &[],
                &[]
            )
            .is_ok()
        );
        check(
            "[outbound]\nallow = ['10.0.0.0/99']",
            "setting `outbound.allow`",
        );
        assert!(load(&format!("{public}{mail}"), &[], &[]).is_ok());
    }

    #[test]
    fn providers_have_names_in_files_variables_and_options() {
        let secret = file("of the provider\n");
        let path = secret.path().display().to_string();
        let toml = "[server]\npublic_url = 'https://flags.example.com'\n\
                    [oidc.acme]\nissuer = 'https://id.example.com'\nscopes = ['groups']\n";
        let list = [
            ("FLAGSTAFF_OIDC__ACME__CLIENT_ID", "flagstaff"),
            ("FLAGSTAFF_OIDC__ACME__CLIENT_SECRET_FILE", path.as_str()),
            (
                "FLAGSTAFF_OIDC__ACME__ALLOWED_DOMAINS",
                "a.example, b.example",
            ),
        ];
        let label = SettingFlag {
            flag: "--set",
            table: "oidc".to_owned(),
            field: "acme.label".to_owned(),
            value: "Acme".to_owned(),
        };

        let settings = load(toml, &list, &[label]).unwrap();

        let acme = &settings.oidc["acme"];
        assert_eq!(
            (&*acme.client_id, acme.label.as_deref()),
            ("flagstaff", Some("Acme"))
        );
        assert_eq!(acme.allowed_domains, ["a.example", "b.example"]);
        assert_eq!(acme.scopes, ["groups"]);
        let secret = acme.client_secret.as_ref().unwrap();
        assert_eq!(
            secrecy::ExposeSecret::expose_secret(secret),
            "of the provider"
        );
    }

    #[test]
    fn other_variables_are_left_alone() {
        let list = [
            ("FLAGSTAFF_TEST_POSTGRES", "x"),
            ("FLAGSTAFF_CLIENTS_NODE", "y"),
        ];

        assert!(load("", &list, &[]).is_ok());
    }

    #[test]
    fn a_secret_can_stand_in_a_file() {
        let secret = file("postgres://me:secret@db/flags\n");
        let path = secret.path().display().to_string();

        let variable = load("", &[("DATABASE_URL_FILE", &path)], &[]).unwrap();
        let field = load(&format!("[server]\ndatabase_url_file = '{path}'"), &[], &[]).unwrap();
        let weaker = load(
            "",
            &[
                ("DATABASE_URL_FILE", &path),
                ("FLAGSTAFF_SERVER__DATABASE_URL", "sqlite:x.db"),
            ],
            &[],
        );
        let missing = load("", &[("DATABASE_URL_FILE", "/does/not/exist")], &[]);

        let expected = "postgres://me:secret@db/flags";
        assert_eq!(variable.server.database_url.expose(), expected);
        assert_eq!(field.server.database_url.expose(), expected);
        assert_eq!(weaker.unwrap().server.database_url.expose(), "sqlite:x.db");
        assert_eq!(missing.unwrap_err(), "cannot read /does/not/exist");
    }
}
