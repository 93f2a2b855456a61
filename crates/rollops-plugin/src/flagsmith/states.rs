//! Reading and writing what a flag serves by default, in both ways in which environments keep versions.

use super::http::{Api, WriteTrouble};
use super::rows::{Environment, Feature, Place, State, Weight, typed};
use crate::change::shortened;
use crate::failure::{Doing, Failure};
use crate::plan::Target;
use reqwest::Method;
use serde_json::{Map, Value as Json, json};

impl Api {
    /// Reads an environment by its key.
    pub(crate) async fn environment(&self, key: &str) -> Result<Environment, Failure> {
        let path = format!("environments/{}/", encoded(key));
        self.read(Doing::ReadingEnvironment, &path).await
    }

    /// Looks whether the project is there.
    pub(crate) async fn project(&self, id: u64) -> Result<Json, Failure> {
        self.read(Doing::ReadingProject, &format!("projects/{id}/"))
            .await
    }

    /// Finds a flag by its name: exactly, or else ignoring case where only one flag is meant.
    pub(crate) async fn feature(&self, project: u64, name: &str) -> Result<Feature, Failure> {
        let path = format!("projects/{project}/features/?search={}", encoded(name));
        let found: Vec<Feature> = self.read_all(Doing::FindingFlag, &path).await?;
        if let Some(exact) = found.iter().find(|feature| feature.name == name) {
            return Ok(exact.clone());
        }
        let folded = name.to_lowercase();
        let mut alike = found
            .iter()
            .filter(|each| each.name.to_lowercase() == folded);
        match (alike.next(), alike.next()) {
            (Some(only), None) => Ok(only.clone()),
            _ => Err(Failure::Missing(format!(
                "the flag `{name}` was not found in project {project}: create it there, or correct the rollout"
            ))),
        }
    }

    /// What the flag serves in the environment by default.
    pub(crate) async fn state(&self, place: &Place) -> Result<State, Failure> {
        let (key, feature) = (&place.key, &place.feature);
        let path = format!(
            "environments/{}/featurestates/?feature={}",
            encoded(key),
            feature.id
        );
        let rows: Vec<State> = self.read_all(Doing::ReadingState, &path).await?;
        let mut defaults = rows.into_iter().filter(|row| row.is_default_of(feature.id));
        match (defaults.next(), defaults.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(Failure::Missing(format!(
                "the flag `{}` has no state in environment {}: look whether the environment belongs to the project",
                feature.name,
                shortened(key)
            ))),
            (Some(_), Some(_)) => Err(Failure::NotPossible(format!(
                "the flag `{}` has several default states in environment {}: the server does not say which one counts",
                feature.name,
                shortened(key)
            ))),
        }
    }

    /// Writes a state, in one request that is done wholly or not at all.
    pub(crate) async fn write_state(
        &self,
        place: &Place,
        state: &State,
        target: &Target,
    ) -> Result<(), WriteTrouble> {
        let doing = Doing::WritingState;
        if place.has_versions() {
            let update = version_update(state, target);
            let parts = json!({ "feature_states_to_update": [update] });
            return self.publish(place, parts).await;
        }
        let mut body = Map::new();
        body.insert("enabled".to_owned(), target.enabled.into());
        let Some(weights) = &target.weights else {
            if let Some(value) = &target.value {
                body.insert("feature_state_value".to_owned(), value.clone());
            }
            let key = encoded(&place.key);
            let path = format!("environments/{key}/featurestates/{}/", state.id);
            let body = Json::Object(body);
            return self
                .write(doing, Method::PATCH, &path, &body)
                .await
                .map(drop);
        };
        // The route above drops weights in silence.
        body.insert("feature".to_owned(), place.feature.id.into());
        body.insert("environment".to_owned(), place.environment.id.into());
        let value = target.value.as_ref().or(state.feature_state_value.as_ref());
        if let Some(value) = value {
            body.insert("feature_state_value".to_owned(), typed(value));
        }
        let weights = shape_weights(weights, true);
        body.insert("multivariate_feature_state_values".to_owned(), weights);
        let path = format!("features/featurestates/{}/", state.id);
        let body = Json::Object(body);
        self.write(doing, Method::PUT, &path, &body).await.map(drop)
    }

    /// Publishes a version of a flag with these parts.
    pub(super) async fn publish(&self, place: &Place, parts: Json) -> Result<(), WriteTrouble> {
        let number = place.environment.number();
        let id = number.map_err(WriteTrouble::last)?;
        let mut body = parts;
        body["publish_immediately"] = true.into();
        let path = format!("environments/{id}/features/{}/versions/", place.feature.id);
        let doing = Doing::WritingState;
        self.write(doing, Method::POST, &path, &body)
            .await
            .map(drop)
    }
}

/// The default of a flag, as a version takes it: what is not said there would not be carried over everywhere.
pub(super) fn version_update(state: &State, target: &Target) -> Json {
    let mut update = json!({ "feature_segment": null, "enabled": target.enabled });
    let value = target.value.as_ref().or(state.feature_state_value.as_ref());
    if let Some(value) = value {
        update["feature_state_value"] = typed(value);
    }
    let weights = target.weights.as_ref();
    let weights = weights.unwrap_or(&state.multivariate_feature_state_values);
    if !weights.is_empty() {
        // The rows of a new version are new ones: the old numbers mean nothing there.
        update["multivariate_feature_state_values"] = shape_weights(weights, false);
    }
    update
}

fn shape_weights(weights: &[Weight], with_ids: bool) -> Json {
    let shape = |weight: &Weight| {
        let mut row = json!({
            "multivariate_feature_option": weight.option,
            "percentage_allocation": weight.percentage,
        });
        if let (true, Some(id)) = (with_ids, weight.id) {
            row["id"] = id.into();
        }
        row
    };
    weights.iter().map(shape).collect()
}

/// A piece of a path or of a query, as it goes over the wire.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
