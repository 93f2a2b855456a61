//! Where a segment is used: features with an override for it, environment by environment.

use crate::Dashboard;
use crate::answer::encoded;
use crate::rules::tree::glance;
use flagstaff_core::{FeatureId, FeatureState, Segment, Snapshot};
use flagstaff_service::{Caller, ServiceResult};

/// Features shown; a segment with more says so.
const SHOWN: usize = 100;

/// The overrides of a segment.
#[derive(Default)]
pub(super) struct Uses {
    /// Names of the environments with overrides, and how many each has.
    pub(super) environments: Vec<(String, usize)>,
    pub(super) rows: Vec<UseRow>,
    /// Features that are not shown.
    pub(super) more: usize,
}

/// A feature with what the segment makes of it, in each of the environments.
pub(super) struct UseRow {
    pub(super) feature: String,
    pub(super) cells: Vec<UseCell>,
}

/// What a segment makes of a feature in an environment.
pub(super) struct UseCell {
    pub(super) environment: String,
    /// Where it can be changed.
    pub(super) path: String,
    /// `None`: the segment changes nothing there.
    pub(super) state: Option<(bool, String)>,
}

impl Uses {
    pub(super) fn count(&self) -> usize {
        self.environments.iter().map(|(_, count)| count).sum()
    }
}

/// Looks up where a segment is used, in environments that the member may see.
pub(super) async fn uses(
    dashboard: &Dashboard,
    caller: &Caller,
    segment: &Segment,
    snapshot: &Snapshot,
) -> ServiceResult<Uses> {
    let (service, project) = (&dashboard.service, segment.project_id);
    let states = service
        .segment_features(caller, project, segment.id, None)
        .await?;
    let mut environments = service.environments_of(caller, project).await?;
    environments.retain(|each| states.iter().any(|state| state.environment_id == each.id));
    let mut features: Vec<FeatureId> = states.iter().map(|state| state.feature_id).collect();
    features.sort_unstable();
    features.dedup();
    let more = features.len().saturating_sub(SHOWN);
    let row = |feature: &FeatureId| UseRow {
        feature: name(snapshot, *feature),
        cells: environments
            .iter()
            .map(|environment| UseCell {
                environment: environment.name.clone(),
                path: format!(
                    "/environments/{}/features/{}",
                    encoded(&environment.api_key),
                    feature.get()
                ),
                state: states
                    .iter()
                    .find(|state| {
                        (state.feature_id, state.environment_id) == (*feature, environment.id)
                    })
                    .map(state_words),
            })
            .collect(),
    };
    let mut rows: Vec<UseRow> = features.iter().take(SHOWN).map(row).collect();
    rows.sort_by(|one, other| one.feature.cmp(&other.feature));
    let counted = environments.iter().map(|environment| {
        let own = states
            .iter()
            .filter(|state| state.environment_id == environment.id);
        (environment.name.clone(), own.count())
    });
    Ok(Uses {
        environments: counted.collect(),
        rows,
        more,
    })
}

fn name(snapshot: &Snapshot, feature: FeatureId) -> String {
    let index = snapshot.feature_index_by_id(feature);
    let part = index.and_then(|index| snapshot.features.get(index));
    part.map_or_else(
        || format!("Feature {feature}"),
        |part| part.feature.name.as_str().to_owned(),
    )
}

fn state_words(state: &FeatureState) -> (bool, String) {
    (state.enabled, glance(&state.value.effective()))
}
