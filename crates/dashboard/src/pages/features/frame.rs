//! What stands around every page of one feature: its name, its state here, and the tabs.

use super::feature_path;
use crate::Dashboard;
use crate::fragments::dates::day;
use crate::navigation::{Link, Section};
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use flagstaff_core::{
    EnvironmentPermission, Feature, FeatureId, MultivariateOption, ProjectPermission,
};
use flagstaff_service::{FeatureView, ServedFeature, ServiceResult};

/// A page of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Value,
    Rollouts,
    Schedule,
    Versions,
    Compare,
    History,
    Code,
    Settings,
}

impl Tab {
    const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Value, "", "Value and overrides"),
        (Self::Rollouts, "/rollouts", "Rollouts"),
        (Self::Schedule, "/schedule", "Schedule"),
        (Self::Versions, "/versions", "Versions"),
        (Self::Compare, "/compare", "Compare and promote"),
        (Self::History, "/history", "History"),
        (Self::Code, "/code", "Code"),
        (Self::Settings, "/settings", "Settings"),
    ];
}

/// What every page of a feature shows and needs.
pub(crate) struct Frame {
    pub(crate) shell: Shell,
    pub(crate) view: FeatureView,
    pub(crate) served: ServedFeature,
    /// The client key of the environment.
    pub(crate) client_key: String,
    /// Where the feature is.
    pub(crate) path: String,
    pub(crate) list_path: String,
    pub(crate) tabs: Vec<Link>,
    /// True where the member may change the default.
    pub(crate) may_change: bool,
    /// True where the member may change overrides for segments.
    pub(crate) may_override: bool,
    /// True where the member may change the feature itself.
    pub(crate) may_edit: bool,
    /// True where the environment changes by published versions.
    pub(crate) has_versions: bool,
}

impl Frame {
    pub(crate) fn feature(&self) -> &Feature {
        &self.view.feature
    }

    pub(crate) fn options(&self) -> &[MultivariateOption] {
        &self.view.options
    }

    pub(crate) fn environment_name(&self) -> &str {
        let environment = self.shell.environment.as_ref();
        environment.map_or("", |environment| &environment.name)
    }

    /// The day by which it is expected to be gone from the code, and whether that day is over.
    pub(crate) fn removal(&self) -> Option<(String, bool)> {
        let removal = self.feature().expected_removal?;
        Some((day(removal), removal < self.shell.now.start_of_day()))
    }

    /// What changes of anything of the feature here change too.
    pub(crate) fn stamp(&self) -> String {
        self.served.stamp()
    }
}

impl Dashboard {
    /// What stands around a page of a feature.
    ///
    /// # Errors
    /// As [`Dashboard::shell`], and when the project has no such feature.
    pub(crate) async fn feature_frame(
        &self,
        signed_in: &SignedIn,
        client_key: &str,
        feature_id: i64,
        tab: Tab,
    ) -> ServiceResult<Frame> {
        let caller = &signed_in.caller;
        let feature = FeatureId::new(feature_id);
        let place = Place::Environment(client_key);
        let shell = self.shell(signed_in, place, Section::Features).await?;
        let project = shell.project()?.id;
        // What the mark is made of comes first: what changes in between makes the page older than it is, and the next look
        // brings it up to date.
        let served = self
            .service
            .served_feature(caller, client_key, feature)
            .await?;
        let view = self.service.feature(caller, project, feature).await?;
        let path = feature_path(client_key, feature);
        let link = |(each, rest, label): (Tab, &str, &str)| Link {
            path: format!("{path}{rest}"),
            label: label.to_owned(),
            is_here: each == tab,
            shortcut: "",
        };
        let is_registered = |(_, rest, _): &(Tab, &str, &str)| {
            self.has_page(&format!(
                "/environments/{{client_key}}/features/{{feature_id}}{rest}"
            ))
        };
        Ok(Frame {
            tabs: Tab::ALL
                .into_iter()
                .filter(is_registered)
                .map(link)
                .collect(),
            may_change: shell.may_in_environment(EnvironmentPermission::UpdateFeatureState),
            may_override: shell.may_in_environment(EnvironmentPermission::ManageSegmentOverrides),
            may_edit: shell.may_in_project(ProjectPermission::CreateFeature),
            has_versions: shell.environment()?.use_v2_feature_versioning,
            client_key: client_key.to_owned(),
            list_path: super::list_path(client_key),
            path,
            view,
            served,
            shell,
        })
    }
}
