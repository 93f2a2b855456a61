//! The segment that belongs to a rollout, and the override of the flag for it.

use super::http::{Api, WriteTrouble};
use super::rows::{Feature, Place, State, bare, typed};
use super::states::{encoded, version_update};
use crate::failure::{Doing, Failure};
use crate::plan::Target;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// A segment with a share of all identities.
#[derive(Debug, Clone)]
pub(crate) struct Split {
    pub(crate) id: u64,
    /// As the segment writes it.
    pub(crate) percentage: String,
    /// The whole segment, whose numbers an update has to repeat.
    body: Json,
}

/// What the flag serves to those in the segment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Override {
    /// The number of its state.
    pub(crate) id: u64,
    /// What links state and segment; versions do without its number.
    link: Option<u64>,
    pub(crate) enabled: bool,
    pub(crate) value: Json,
}

/// What an override has to be.
pub(crate) struct Wanted<'a> {
    pub(crate) enabled: bool,
    /// For an override that is made anew.
    pub(crate) value: &'a Json,
    /// The default of the flag now, and what it has to be: a version holds both.
    pub(crate) base: (&'a State, &'a Target),
}

#[derive(Deserialize)]
struct Link {
    id: u64,
    segment: u64,
}

#[derive(Deserialize)]
struct Version {
    uuid: String,
    #[serde(default)]
    is_live: bool,
    #[serde(default)]
    live_from: Option<String>,
}

impl Api {
    /// The segment of this name, if it is there.
    pub(crate) async fn split(&self, project: u64, name: &str) -> Result<Option<Split>, Failure> {
        let path = format!(
            "projects/{project}/segments/?q={}&include_feature_specific=true",
            encoded(name)
        );
        let rows: Vec<Json> = self.read_all(Doing::ReadingSegment, &path).await?;
        let mut named = rows.into_iter().filter(|row| row["name"] == name);
        match named.next() {
            Some(body) => Split::of(body, name).map(Some),
            None => Ok(None),
        }
    }

    /// Makes the segment, for this flag alone.
    pub(crate) async fn create_split(
        &self,
        project: u64,
        feature: &Feature,
        (name, percentage): (&str, &str),
    ) -> Result<(), WriteTrouble> {
        let condition =
            json!({ "operator": "PERCENTAGE_SPLIT", "property": null, "value": percentage });
        let rule = json!({ "type": "ANY", "rules": [], "conditions": [condition] });
        let body = json!({
            "name": name,
            "description": "Belongs to rollouts by Rollops: its share is set by their steps",
            "project": project,
            "feature": feature.id,
            "rules": [{ "type": "ALL", "rules": [rule], "conditions": [] }],
        });
        let path = format!("projects/{project}/segments/");
        self.write(Doing::WritingSegment, Method::POST, &path, &body)
            .await
            .map(drop)
    }

    /// Gives the segment another share.
    pub(crate) async fn update_split(
        &self,
        project: u64,
        split: &Split,
        percentage: &str,
    ) -> Result<(), WriteTrouble> {
        let mut body = split.body.clone();
        if let Some(condition) = body.pointer_mut(CONDITION) {
            condition["value"] = percentage.into();
        }
        let path = format!("projects/{project}/segments/{}/", split.id);
        self.write(Doing::WritingSegment, Method::PUT, &path, &body)
            .await
            .map(drop)
    }

    /// What the flag serves to those in a segment, if that differs from its default.
    pub(crate) async fn segment_override(
        &self,
        place: &Place,
        segment: u64,
    ) -> Result<Option<Override>, Failure> {
        let doing = Doing::ReadingState;
        let (id, feature) = (place.environment.number()?, &place.feature);
        if place.has_versions() {
            return self.versioned_override(id, feature, segment).await;
        }
        let path = format!(
            "features/feature-segments/?environment={id}&feature={}",
            feature.id
        );
        let links: Vec<Link> = self.read_all(doing, &path).await?;
        let Some(link) = links.iter().find(|link| link.segment == segment) else {
            return Ok(None);
        };
        let path = format!(
            "features/featurestates/?environment={id}&feature={}&feature_segment={}",
            feature.id, link.id
        );
        let rows: Vec<Json> = self.read_all(doing, &path).await?;
        let row = rows.iter().find(|row| row["feature_segment"] == link.id);
        Ok(row.and_then(|row| Override::of(row, Some(link.id))))
    }

    async fn versioned_override(
        &self,
        environment: u64,
        feature: &Feature,
        segment: u64,
    ) -> Result<Option<Override>, Failure> {
        let doing = Doing::ReadingState;
        let path = format!(
            "environments/{environment}/features/{}/versions/?is_live=true",
            feature.id
        );
        let versions: Vec<Version> = self.read_all(doing, &path).await?;
        let live = versions.iter().filter(|version| version.is_live);
        let Some(newest) = live.max_by_key(|version| version.live_from.clone()) else {
            return Ok(None);
        };
        let path = format!(
            "environments/{environment}/features/{}/versions/{}/featurestates/",
            feature.id, newest.uuid
        );
        let rows: Json = self.read(doing, &path).await?;
        let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
        let row = rows
            .iter()
            .find(|row| row["feature_segment"]["segment"] == segment);
        Ok(row.and_then(|row| Override::of(row, None)))
    }

    /// Writes the override: what is there already keeps its value.
    pub(crate) async fn write_override(
        &self,
        place: &Place,
        segment: u64,
        found: Option<&Override>,
        wanted: &Wanted<'_>,
    ) -> Result<(), WriteTrouble> {
        let value = typed(found.map_or(wanted.value, |found| &found.value));
        let state = json!({
            "feature_segment": { "segment": segment },
            "enabled": wanted.enabled,
            "feature_state_value": value,
        });
        if place.has_versions() {
            let base = version_update(wanted.base.0, wanted.base.1);
            let parts = match found {
                Some(_) => json!({ "feature_states_to_update": [base, state] }),
                None => json!({
                    "feature_states_to_update": [base],
                    "feature_states_to_create": [state],
                }),
            };
            return self.publish(place, parts).await;
        }
        let (doing, feature) = (Doing::WritingState, place.feature.id);
        let Some(found) = found else {
            let key = encoded(&place.key);
            let path = format!("environments/{key}/features/{feature}/create-segment-override/");
            return self
                .write(doing, Method::POST, &path, &state)
                .await
                .map(drop);
        };
        let body = json!({
            "enabled": wanted.enabled,
            "feature": feature,
            "environment": place.environment.id,
            "feature_segment": found.link,
            "feature_state_value": value,
        });
        let path = format!("features/featurestates/{}/", found.id);
        self.write(doing, Method::PUT, &path, &body).await.map(drop)
    }
}

/// Where the one condition of the segment stands.
const CONDITION: &str = "/rules/0/rules/0/conditions/0";

impl Split {
    fn of(body: Json, name: &str) -> Result<Self, Failure> {
        let count = |pointer: &str| body.pointer(pointer).and_then(Json::as_array).map(Vec::len);
        let is_ours = count("/rules") == Some(1)
            && count("/rules/0/rules") == Some(1)
            && count("/rules/0/rules/0/conditions") == Some(1);
        let condition = body.pointer(CONDITION).unwrap_or(&Json::Null);
        let percentage = match &condition["value"] {
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        };
        match (body["id"].as_u64(), percentage, &condition["operator"]) {
            (Some(id), Some(percentage), operator) if is_ours && operator == "PERCENTAGE_SPLIT" => {
                Ok(Self {
                    id,
                    percentage,
                    body,
                })
            }
            _ => Err(Failure::NotPossible(format!(
                "the segment `{name}` belongs to the rollout and no longer is one percentage: delete it, and apply again"
            ))),
        }
    }
}

impl Override {
    fn of(row: &Json, link: Option<u64>) -> Option<Self> {
        Some(Self {
            id: row["id"].as_u64()?,
            link,
            enabled: row["enabled"].as_bool()?,
            value: bare(&row["feature_state_value"]),
        })
    }
}
