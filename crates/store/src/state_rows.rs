//! Rows of feature states, put together.

use crate::error::Noun;
use crate::feature_states::kind_of;
use crate::{StoreError, StoreResult};
use flagstaff_core::{
    EnvironmentId, FeatureId, FeatureSegment, FeatureSegmentId, FeatureState, FeatureStateId,
    Identity, IdentityId, OptionId, SegmentId, StateOwner, StateValue, Timestamp, VariantWeight,
    VariantWeightId,
};
use std::collections::HashMap;

#[derive(sqlx::FromRow)]
pub(crate) struct StateRow {
    pub(crate) id: i64,
    uuid: String,
    feature_id: i64,
    environment_id: i64,
    identity_id: Option<i64>,
    identifier: Option<String>,
    identity_created_at: Option<i64>,
    feature_segment_id: Option<i64>,
    link_uuid: Option<String>,
    segment_id: Option<i64>,
    priority: Option<i64>,
    enabled: bool,
    value_type: String,
    string_value: Option<String>,
    integer_value: Option<i64>,
    boolean_value: Option<bool>,
    hash_seed: String,
    version: Option<i64>,
    live_from: Option<i64>,
    version_uuid: Option<String>,
    created_at: i64,
    updated_at: i64,
}

#[derive(sqlx::FromRow)]
pub(crate) struct WeightRow {
    pub(crate) id: i64,
    uuid: String,
    pub(crate) feature_state_id: i64,
    pub(crate) option_id: i64,
    pub(crate) percentage_allocation: f64,
}

impl TryFrom<WeightRow> for VariantWeight {
    type Error = StoreError;

    fn try_from(row: WeightRow) -> StoreResult<Self> {
        Ok(Self {
            id: VariantWeightId::new(row.id),
            uuid: crate::error::uuid(Noun::FeatureState, row.feature_state_id, &row.uuid)?,
            option_id: OptionId::new(row.option_id),
            percentage_allocation: row.percentage_allocation,
        })
    }
}

impl StateRow {
    /// The identity whose state it is.
    pub(crate) fn identity(&self) -> Option<Identity> {
        Some(Identity {
            id: IdentityId::new(self.identity_id?),
            environment_id: EnvironmentId::new(self.environment_id),
            identifier: self.identifier.as_deref()?.into(),
            created_at: Timestamp::from_micros(self.identity_created_at?),
        })
    }

    fn owner(&self) -> StoreResult<StateOwner> {
        let corrupt = |problem: &str| StoreError::Corrupt {
            noun: Noun::FeatureState,
            id: self.id,
            problem: problem.to_owned(),
        };
        if let Some(id) = self.identity_id {
            let identifier = self.identifier.as_deref();
            return Ok(StateOwner::Identity {
                id: IdentityId::new(id),
                identifier: identifier
                    .ok_or_else(|| corrupt("its identity is gone"))?
                    .into(),
            });
        }
        let Some(link) = self.feature_segment_id else {
            return Ok(StateOwner::Environment);
        };
        let gone = || corrupt("its link to a segment is gone");
        let link_uuid = self.link_uuid.as_deref().ok_or_else(gone)?;
        Ok(StateOwner::Segment(FeatureSegment {
            id: FeatureSegmentId::new(link),
            uuid: crate::error::uuid(Noun::FeatureSegment, link, link_uuid)?,
            feature_id: FeatureId::new(self.feature_id),
            segment_id: SegmentId::new(self.segment_id.ok_or_else(gone)?),
            environment_id: EnvironmentId::new(self.environment_id),
            priority: self.priority,
        }))
    }

    fn state(self, weights: Vec<VariantWeight>) -> StoreResult<FeatureState> {
        let version_uuid = self.version_uuid.as_deref();
        let read_uuid = |text| crate::error::uuid(Noun::FeatureVersion, self.id, text);
        Ok(FeatureState {
            feature_version: version_uuid.map(read_uuid).transpose()?,
            owner: self.owner()?,
            uuid: crate::error::uuid(Noun::FeatureState, self.id, &self.uuid)?,
            value: StateValue {
                kind: kind_of(Noun::FeatureState, self.id, &self.value_type)?,
                text: self.string_value,
                integer: self.integer_value,
                boolean: self.boolean_value,
            },
            id: FeatureStateId::new(self.id),
            feature_id: FeatureId::new(self.feature_id),
            environment_id: EnvironmentId::new(self.environment_id),
            enabled: self.enabled,
            hash_seed: self.hash_seed.into(),
            weights,
            version: self.version,
            live_from: self.live_from.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}

/// States with the weights that belong to them.
pub(crate) fn assemble(
    rows: Vec<StateRow>,
    weights: Vec<WeightRow>,
) -> StoreResult<Vec<FeatureState>> {
    let mut by_state: HashMap<i64, Vec<VariantWeight>> = HashMap::new();
    for row in weights {
        let weights = by_state.entry(row.feature_state_id).or_default();
        weights.push(row.try_into()?);
    }
    let state = |row: StateRow| {
        let weights = by_state.remove(&row.id).unwrap_or_default();
        row.state(weights)
    };
    rows.into_iter().map(state).collect()
}
