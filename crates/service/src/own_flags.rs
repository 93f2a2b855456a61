//! The dashboard's own flags: what it shows is decided by the product itself.
//!
//! They are in an environment that every server makes at its first start and that nobody is shown; or in another one, here
//! or elsewhere, that the operator names. Whatever cannot be found out is open.

use crate::change::{Subject, Told};
use crate::environment_access::KeyNeed;
use crate::error::{Noun, ServiceResult};
use crate::{Service, secrets};
use flagstaff_core::{Context, Snapshot, Value};
use flagstaff_store::{OWN_ENVIRONMENT, OWN_ORGANISATION, OWN_PROJECT, OwnFlag};
use serde::Deserialize;
use std::sync::Arc;
use tracing::debug;

/// The flags of the hidden environment, as they are made. Further ones are appended: their places are their row ids.
const FLAGS: [OwnFlag; 12] = [
    open("oauth_google"),
    open("oauth_github"),
    open("oauth_microsoft"),
    open("segment_operators"),
    open("integration_data"),
    // Asked for by Flagsmith's own dashboard. On, it would hide what a plan does not include; there are no plans here.
    OwnFlag {
        name: "plan_based_access",
        enabled: false,
    },
    open("tags"),
    open("usage_chart"),
    open("identity_segments"),
    open("improved_identity_overrides"),
    open("try_it"),
    // Asked for by Flagsmith's own dashboard.
    open("segment_any_rule_type"),
];

const fn open(name: &'static str) -> OwnFlag {
    OwnFlag {
        name,
        enabled: true,
    }
}

/// What the dashboard shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFlags {
    /// Signing in with Google, where it is set up.
    pub oauth_google: bool,
    /// Signing in with GitHub, where it is set up.
    pub oauth_github: bool,
    /// Signing in with Microsoft, where a provider of OpenID Connect is set up under the name `microsoft`.
    pub oauth_microsoft: bool,
    /// The operators that rules of segments offer, as the Flagsmith API names them; `None`: all.
    pub segment_operators: Option<Vec<String>>,
    /// The integration with flagd.
    pub integration_data: bool,
    /// Tags of features.
    pub tags: bool,
    /// How often flags are asked for, drawn.
    pub usage_chart: bool,
    /// The segments an identity is in.
    pub identity_segments: bool,
    /// Overrides of identities on the page of a feature.
    pub improved_identity_overrides: bool,
    /// Trying an environment out on the page.
    pub try_it: bool,
}

impl Default for OwnFlags {
    /// Everything is open.
    fn default() -> Self {
        Self {
            oauth_google: true,
            oauth_github: true,
            oauth_microsoft: true,
            segment_operators: None,
            integration_data: true,
            tags: true,
            usage_chart: true,
            identity_segments: true,
            improved_identity_overrides: true,
            try_it: true,
        }
    }
}

/// Where the dashboard's own flags are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFlagsSource {
    /// The client key that opens them.
    pub key: Option<String>,
    /// Address of the API that has them; `None`: this server.
    pub api: Option<String>,
}

impl OwnFlags {
    /// The flags as they are told: on or off, with their values as text. What is not told is as it is by itself.
    fn of<'a>(told: impl Fn(&str) -> Option<(bool, Option<&'a str>)>) -> Self {
        let usual = Self::default();
        let is_on = |name: &str, usual: bool| told(name).map_or(usual, |(enabled, _)| enabled);
        Self {
            oauth_google: is_on("oauth_google", usual.oauth_google),
            oauth_github: is_on("oauth_github", usual.oauth_github),
            oauth_microsoft: is_on("oauth_microsoft", usual.oauth_microsoft),
            segment_operators: operators(told("segment_operators")),
            integration_data: is_on("integration_data", usual.integration_data),
            tags: is_on("tags", usual.tags),
            usage_chart: is_on("usage_chart", usual.usage_chart),
            identity_segments: is_on("identity_segments", usual.identity_segments),
            improved_identity_overrides: is_on(
                "improved_identity_overrides",
                usual.improved_identity_overrides,
            ),
            try_it: is_on("try_it", usual.try_it),
        }
    }

    /// The flags of an environment, evaluated as for any SDK that asks for nobody in particular.
    fn of_snapshot(snapshot: &Snapshot) -> Self {
        let flags = snapshot.rules.evaluator(&Context::default()).flags();
        Self::of(|name| {
            let index = snapshot.rules.feature_index(name)?;
            let flag = flags.get(index)?;
            let value = match flag.value {
                Value::Text(text) => Some(&**text),
                _ => None,
            };
            Some((flag.enabled, value))
        })
    }
}

/// The list in the flag's value: `[{"value": "EQUAL", …}, …]`, as Flagsmith's dashboard has it, or `["EQUAL", …]`.
fn operators(told: Option<(bool, Option<&str>)>) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Operator {
        Name(String),
        Described { value: Option<String> },
    }
    let (true, Some(text)) = told? else {
        return None;
    };
    let list: Vec<Operator> = serde_json::from_str(text).ok()?;
    let names = list.into_iter().filter_map(|operator| match operator {
        Operator::Name(name) => Some(name),
        Operator::Described { value } => value,
    });
    let names: Vec<String> = names.collect();
    (!names.is_empty()).then_some(names)
}

/// One flag as the SDK routes tell it.
#[derive(Deserialize)]
struct ToldFlag {
    feature: ToldFeature,
    enabled: bool,
    feature_state_value: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct ToldFeature {
    name: String,
}

impl Service {
    /// Makes what is missing of the hidden flags: at every start of a server, so that a newer one has its newer flags.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn make_own_flags(&self) -> ServiceResult<()> {
        let wanted = i64::try_from(FLAGS.len()).unwrap_or(i64::MAX);
        if self.store().count_own_flags().await? >= wanted {
            return Ok(());
        }
        let client_key = secrets::random_key()?;
        let mut write = self.store().write().await?;
        write
            .insert_own_flags(&FLAGS, &client_key, self.clock().now())
            .await?;
        let told = Told::created(Noun::Project, OWN_PROJECT.get(), None)
            .saying("The dashboard's own flags are made".to_owned());
        let subject =
            Subject::environment(OWN_ORGANISATION, OWN_PROJECT, OWN_ENVIRONMENT).with_keys();
        self.finish(write, None, subject, told).await
    }

    /// What the dashboard shows now.
    pub async fn own_flags(&self) -> Arc<OwnFlags> {
        let config = &self.config().own_flags;
        if config.api.is_some() {
            return self.0.distant_flags.load_full().unwrap_or_default();
        }
        let published = match config.key.as_deref() {
            Some(key) => {
                let open = self.open_environment(Some(key), KeyNeed::Any).await;
                open.map(|open| open.published)
            }
            None => self.published(OWN_ENVIRONMENT).await,
        };
        match published {
            Ok(published) => published.form_by(OwnFlags::of_snapshot),
            Err(problem) => {
                debug!(%problem, "the dashboard shows everything: its own flags are not there");
                Arc::default()
            }
        }
    }

    /// Where the dashboard's own flags are, for a dashboard that asks for them itself.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn own_flags_source(&self) -> ServiceResult<OwnFlagsSource> {
        let config = &self.config().own_flags;
        let key = match &config.key {
            // A server-side key is for nobody's browser.
            Some(key) => Some(key.clone()).filter(|key| !key.starts_with("ser.")),
            None => self.store().own_client_key().await?,
        };
        Ok(OwnFlagsSource {
            key,
            api: config.api.clone(),
        })
    }

    pub(crate) fn has_distant_flags(&self) -> bool {
        self.config().own_flags.api.is_some()
    }

    /// Takes over what another server answers to `GET flags/`.
    pub(crate) fn keep_distant_flags(&self, body: &[u8]) -> Result<(), serde_json::Error> {
        let told: Vec<ToldFlag> = serde_json::from_slice(body)?;
        let flags = OwnFlags::of(|name| {
            let flag = told.iter().find(|flag| flag.feature.name == name)?;
            let value = flag.feature_state_value.as_ref();
            Some((flag.enabled, value.and_then(serde_json::Value::as_str)))
        });
        self.0.distant_flags.store(Some(Arc::new(flags)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_is_open() {
        assert_eq!(OwnFlags::of(|_| None), OwnFlags::default());
        let told = OwnFlags::of(|name| (name == "tags").then_some((false, None)));
        assert_eq!(
            told,
            OwnFlags {
                tags: false,
                ..OwnFlags::default()
            }
        );
    }

    #[test]
    fn operators_are_a_list_of_names_or_of_objects() {
        let list = |text| operators(Some((true, Some(text))));

        let expected = Some(vec!["EQUAL".to_owned(), "IN".to_owned()]);
        assert_eq!(list(r#"["EQUAL", "IN"]"#), expected);
        assert_eq!(
            list(r#"[{"value": "EQUAL", "label": "="}, {"value": "IN"}]"#),
            expected
        );
        for nothing in ["", "[]", "{}", "nonsense"] {
            assert_eq!(list(nothing), None, "{nothing}");
        }
        assert_eq!(operators(Some((false, Some(r#"["IN"]"#)))), None);
    }

    #[test]
    fn every_flag_is_named_once() {
        let mut names: Vec<&str> = FLAGS.iter().map(|flag| flag.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FLAGS.len());
    }
}
