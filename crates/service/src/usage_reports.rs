//! Usage as people read it: requests and evaluations by hour and day.

use crate::error::{Noun, ServiceError, ServiceResult};
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentId, EnvironmentPermission, Feature, FeatureId, OrganisationId, Project, ProjectId,
    ProjectPermission, Timestamp,
};
use flagstaff_store::{EvaluationSum, RequestSum, UsageLabels, UsageStep};
use flagstaff_wire::time::{UtcMark, iso, parse_iso};
use std::collections::HashMap;

/// Days that a caller may ask for at once.
const DAY_LIMIT: u32 = 400;
/// Features that a caller may ask for at once.
const FEATURE_LIMIT: u32 = 1_000;

/// Whose requests are counted together: only environments that the caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsagePlace {
    /// Those of an organisation.
    Organisation(OrganisationId),
    /// Those of a project.
    Project(ProjectId),
    /// One.
    Environment(EnvironmentId),
    /// Those of an organisation that are in this project and are this environment, where they are named; none where nothing
    /// is both.
    Within(OrganisationId, Option<ProjectId>, Option<EnvironmentId>),
}

/// From when until when usage is asked for, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsagePeriod {
    /// The last so many hours, this one included.
    Hours(u32),
    /// The last so many days, today included.
    Days(u32),
    /// This calendar month until now.
    CurrentMonth,
    /// The calendar month before this one.
    PreviousMonth,
}

impl UsagePeriod {
    /// The whole hours or days it consists of: beginning and end.
    #[must_use]
    pub fn range(self, now: Timestamp) -> (Timestamp, Timestamp) {
        let step = self.step();
        let after =
            |time: Timestamp| Timestamp::from_micros(step.start(time).micros() + step.micros());
        let last = |count: u32| {
            let end = after(now);
            let width = i64::from(count.clamp(1, DAY_LIMIT)) * step.micros();
            (Timestamp::from_micros(end.micros() - width), end)
        };
        match self {
            Self::Hours(count) | Self::Days(count) => last(count),
            Self::CurrentMonth => (month_start(now), after(now)),
            Self::PreviousMonth => {
                let end = month_start(now);
                let before = Timestamp::from_micros(end.micros() - 1);
                (month_start(before), end)
            }
        }
    }

    /// By what times its counts are added up.
    #[must_use]
    pub const fn step(self) -> UsageStep {
        match self {
            Self::Hours(_) => UsageStep::Hour,
            Self::Days(_) | Self::CurrentMonth | Self::PreviousMonth => UsageStep::Day,
        }
    }

    /// The beginning of each hour or day.
    #[must_use]
    pub fn starts(self, now: Timestamp) -> Vec<Timestamp> {
        let (from, until) = self.range(now);
        let width = self.step().micros();
        let count = (until.micros() - from.micros()) / width;
        let start = |number| Timestamp::from_micros(from.micros() + number * width);
        (0..count).map(start).collect()
    }
}

fn month_start(time: Timestamp) -> Timestamp {
    let text = iso(time, UtcMark::Zulu);
    let month = text.get(..7).unwrap_or_default();
    // What was written as a time is read as one.
    parse_iso(&format!("{month}-01T00:00:00Z")).unwrap_or(time)
}

/// Which clients count; all of them where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelFilter {
    /// Name and version of the SDK.
    pub user_agent: Option<String>,
    /// The application's name.
    pub application_name: Option<String>,
    /// The application's version.
    pub application_version: Option<String>,
}

impl LabelFilter {
    /// True for a client that counts.
    #[must_use]
    pub fn accepts(&self, labels: &UsageLabels) -> bool {
        let fits = |asked: &Option<String>, said: &Option<String>| {
            asked.is_none() || asked.as_deref() == said.as_deref()
        };
        fits(&self.user_agent, &labels.user_agent)
            && fits(&self.application_name, &labels.application_name)
            && fits(&self.application_version, &labels.application_version)
    }
}

impl Service {
    /// Requests that SDKs made in a period, by hour or day, kind and labels.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for an organisation the caller does not belong to, [`ServiceError::NotFound`] for a
    /// project or environment they may not see.
    pub async fn request_usage(
        &self,
        caller: &Caller,
        place: UsagePlace,
        period: UsagePeriod,
    ) -> ServiceResult<Vec<RequestSum>> {
        let environments = self.counted_environments(caller, place).await?;
        let range = period.range(self.clock().now());
        let store = self.store();
        Ok(store
            .request_sums(&environments, period.step(), range)
            .await?)
    }

    /// Evaluations of a feature in an environment in a period, by hour or day, state and labels, as SDKs reported them and
    /// as this server answered them.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a feature or an environment of another project, and as
    /// [`Service::project`].
    pub async fn feature_usage(
        &self,
        caller: &Caller,
        project: ProjectId,
        feature: FeatureId,
        environment: EnvironmentId,
        period: UsagePeriod,
    ) -> ServiceResult<Vec<EvaluationSum>> {
        let environment = self
            .environment_of_feature(caller, (project, feature), environment)
            .await?;
        let range = period.range(self.clock().now());
        let store = self.store();
        Ok(store
            .evaluation_sums(environment, feature, period.step(), range)
            .await?)
    }

    /// How often each variant of a feature was given out in an environment on the days of a period, the most frequent first: by
    /// what was answered to OFREP and flagd, whose answers name a variant; SDKs of Flagsmith report none.
    ///
    /// # Errors
    /// As [`Service::feature_usage`].
    pub async fn variant_usage(
        &self,
        caller: &Caller,
        (project, feature): (ProjectId, FeatureId),
        environment: EnvironmentId,
        period: UsagePeriod,
    ) -> ServiceResult<Vec<(String, i64)>> {
        let environment = self
            .environment_of_feature(caller, (project, feature), environment)
            .await?;
        let range = period.range(self.clock().now());
        let store = self.store();
        Ok(store.variant_sums(environment, feature, range).await?)
    }

    /// An environment whose usage the caller may see, in the project of a feature.
    async fn environment_of_feature(
        &self,
        caller: &Caller,
        (project, feature): (ProjectId, FeatureId),
        environment: EnvironmentId,
    ) -> ServiceResult<EnvironmentId> {
        let project = self.visible_project(caller, project).await?;
        self.feature_in(&project, feature).await?;
        let (its_project, environment) = self.counted_environment(caller, environment).await?;
        if its_project.id != project.id {
            return Err(ServiceError::NotFound {
                noun: Noun::Environment,
            });
        }
        Ok(environment)
    }

    /// How often each of some features was evaluated in an environment on each of the last days, oldest first: one list
    /// of `days` counts for each feature. One query, whatever the number of features.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an environment the caller may not see.
    pub async fn feature_sparklines(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        features: &[FeatureId],
        days: u32,
    ) -> ServiceResult<HashMap<FeatureId, Vec<i64>>> {
        let (_, environment) = self.counted_environment(caller, environment).await?;
        let days = UsagePeriod::Days(days).starts(self.clock().now());
        let counts = self
            .store()
            .evaluation_days(environment, features, &days)
            .await?;
        let line = |feature: &FeatureId| {
            let count = |day: &Timestamp| {
                let key = (*feature, *day);
                counts.get(&key).copied().unwrap_or(0)
            };
            (*feature, days.iter().map(count).collect())
        };
        Ok(features.iter().map(line).collect())
    }

    /// The features of an environment that were evaluated most in the last days, with their counts.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an environment the caller may not see.
    pub async fn busiest_features(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        days: u32,
        limit: u32,
    ) -> ServiceResult<Vec<(Feature, i64)>> {
        let (_, environment) = self.counted_environment(caller, environment).await?;
        let (since, _) = UsagePeriod::Days(days).range(self.clock().now());
        let limit = limit.min(FEATURE_LIMIT);
        let store = self.store();
        let mut busiest = Vec::new();
        for (id, count) in store.busiest_features(environment, since, limit).await? {
            // Counts of a feature that was deleted stay.
            let feature = store.feature(id).await?;
            busiest.extend(feature.map(|feature| (feature, count)));
        }
        Ok(busiest)
    }

    /// When each of some features of a project was last evaluated in any environment that the caller may see, to 15
    /// minutes. Those that never were are left out.
    ///
    /// # Errors
    /// As [`Service::project`].
    pub async fn last_evaluations(
        &self,
        caller: &Caller,
        project: ProjectId,
        features: &[FeatureId],
    ) -> ServiceResult<HashMap<FeatureId, Timestamp>> {
        let place = UsagePlace::Project(project);
        let environments = self.counted_environments(caller, place).await?;
        let store = self.store();
        Ok(store.last_evaluations(&environments, features).await?)
    }

    async fn counted_environment(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
    ) -> ServiceResult<(Project, EnvironmentId)> {
        let permission = EnvironmentPermission::ViewEnvironment;
        let place = self
            .environment_by_id(caller, environment, permission)
            .await?;
        Ok((place.project, environment))
    }

    async fn counted_environments(
        &self,
        caller: &Caller,
        place: UsagePlace,
    ) -> ServiceResult<Vec<EnvironmentId>> {
        let projects = match place {
            UsagePlace::Environment(id) => {
                return Ok(vec![self.counted_environment(caller, id).await?.1]);
            }
            UsagePlace::Project(id) => vec![self.visible_project(caller, id).await?],
            UsagePlace::Organisation(id) | UsagePlace::Within(id, ..) => {
                caller.require_member(id)?;
                self.store().projects(id).await?
            }
        };
        let (only_project, only_environment) = match place {
            UsagePlace::Within(_, project, environment) => (project, environment),
            _ => (None, None),
        };
        let mut counted = Vec::new();
        for project in projects {
            let is_named = only_project.is_none_or(|id| id == project.id);
            if !is_named || !caller.may_in_project(&project, ProjectPermission::ViewProject) {
                continue;
            }
            let viewing = EnvironmentPermission::ViewEnvironment;
            let environments = self.store().environments(project.id).await?;
            let visible = environments
                .iter()
                .filter(|each| only_environment.is_none_or(|id| id == each.id))
                .filter(|each| caller.may_in_environment(&project, each.id, viewing));
            counted.extend(visible.map(|environment| environment.id));
        }
        Ok(counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(period: UsagePeriod, now: &str) -> (String, String) {
        let (from, until) = period.range(parse_iso(now).unwrap());
        (iso(from, UtcMark::Zulu), iso(until, UtcMark::Zulu))
    }

    #[test]
    fn periods_are_whole_days_and_hours_in_utc() {
        let now = "2026-03-01T05:06:07Z";
        let cases = [
            (
                UsagePeriod::Days(2),
                "2026-02-28T00:00:00Z",
                "2026-03-02T00:00:00Z",
            ),
            (
                UsagePeriod::Hours(3),
                "2026-03-01T03:00:00Z",
                "2026-03-01T06:00:00Z",
            ),
            (
                UsagePeriod::CurrentMonth,
                "2026-03-01T00:00:00Z",
                "2026-03-02T00:00:00Z",
            ),
            (
                UsagePeriod::PreviousMonth,
                "2026-02-01T00:00:00Z",
                "2026-03-01T00:00:00Z",
            ),
        ];

        for (period, from, until) in cases {
            assert_eq!(range(period, now), (from.to_owned(), until.to_owned()));
        }
        let february = UsagePeriod::PreviousMonth.starts(parse_iso(now).unwrap());
        assert_eq!(february.len(), 28);
    }

    #[test]
    fn nobody_asks_for_years_at_once() {
        let days =
            UsagePeriod::Days(u32::MAX).starts(Timestamp::from_micros(1_795_219_702_000_000));

        assert_eq!(days.len(), 400);
    }
}
