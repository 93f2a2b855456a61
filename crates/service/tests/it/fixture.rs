//! A service on a fresh database, with a clock that is moved by hand and a project to play with.

use flagstaff_core::{Environment, FeatureId, FeatureStateId, Project, Timestamp};
use flagstaff_service::{
    Caller, Clock, EnvironmentPatch, FeatureRequest, KeyNeed, OpenEnvironment, OptionRequest,
    OrganisationPatch, PageRequest, ProjectPatch, Service, ServiceConfig, StateQuery, Store,
};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;

/// Where sign-ins come from.
pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// A password that passes.
pub const PASSWORD: &str = "a-long-enough-Passw0rd";

pub struct Fixture {
    pub service: Service,
    pub store: Store,
    pub time: Arc<AtomicI64>,
    pub caller: Caller,
    pub project: Project,
    pub environment: Environment,
    /// Removed with the fixture.
    _folder: TempDir,
}

pub fn clock(time: &Arc<AtomicI64>) -> Clock {
    let time = Arc::clone(time);
    Clock::new(move || Timestamp::from_micros(time.load(Ordering::SeqCst)))
}

impl Fixture {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let store = Store::connect(&url).await.unwrap();
        let time = Arc::new(AtomicI64::new(1_800_000_000_000_000));
        store.migrate(clock(&time).now()).await.unwrap();
        let service = Service::new(store.clone(), clock(&time), ServiceConfig::default());
        let caller = first_member(&service).await;
        let patch = OrganisationPatch {
            name: Some("Acme".to_owned()),
            ..OrganisationPatch::default()
        };
        let organisation = service.create_organisation(&caller, patch).await.unwrap();
        let id = organisation.organisation.id;
        let caller = again(&service).await.unwrap_or(caller);
        let patch = ProjectPatch {
            name: Some("Shop".to_owned()),
            ..ProjectPatch::default()
        };
        let project = service.create_project(&caller, id, patch).await.unwrap();
        let patch = EnvironmentPatch {
            name: Some("Development".to_owned()),
            ..EnvironmentPatch::default()
        };
        let environment = service
            .create_environment(&caller, project.id, patch)
            .await
            .unwrap();
        Self {
            service,
            store,
            time,
            caller,
            project,
            environment,
            _folder: folder,
        }
    }

    /// A second service on the same database, as another node would be.
    pub fn node(&self) -> Service {
        Service::new(
            self.store.clone(),
            clock(&self.time),
            ServiceConfig::default(),
        )
    }

    pub fn advance(&self, seconds: i64) {
        self.time.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.time.load(Ordering::SeqCst))
    }

    pub async fn open(&self) -> OpenEnvironment {
        let key = Some(&*self.environment.api_key);
        self.service
            .open_environment(key, KeyNeed::Any)
            .await
            .unwrap()
    }

    pub async fn feature(&self, name: &str, value: Option<&str>) -> FeatureId {
        let request = FeatureRequest {
            name: name.to_owned(),
            initial_value: value.map(str::to_owned),
            ..FeatureRequest::default()
        };
        self.create(request).await
    }

    pub async fn multivariate(&self, name: &str, options: &[(&str, f64)]) -> FeatureId {
        let option = |(value, weight): &(&str, f64)| OptionRequest {
            key: Some((*value).to_owned()),
            value: flagstaff_core::StateValue::of_text(Some(value)),
            default_percentage_allocation: *weight,
        };
        let request = FeatureRequest {
            name: name.to_owned(),
            default_enabled: true,
            options: options.iter().map(option).collect(),
            ..FeatureRequest::default()
        };
        self.create(request).await
    }

    async fn create(&self, request: FeatureRequest) -> FeatureId {
        let view = self
            .service
            .create_feature(&self.caller, self.project.id, request)
            .await;
        view.unwrap().feature.id
    }

    pub async fn default_state(&self, feature: FeatureId) -> FeatureStateId {
        let query = StateQuery {
            feature: Some(feature),
            ..StateQuery::default()
        };
        let key = &self.environment.api_key;
        let page = self
            .service
            .feature_states(&self.caller, key, query, PageRequest::first())
            .await
            .unwrap();
        page.items.first().unwrap().id
    }
}

async fn first_member(service: &Service) -> Caller {
    use secrecy::ExposeSecret;
    let link = service.waiting_sign_in_link().await.unwrap().unwrap();
    service
        .redeem_sign_in_link(link.expose_secret(), "ada@example.com", PASSWORD.into())
        .await
        .unwrap();
    again(service).await.unwrap()
}

async fn again(service: &Service) -> Option<Caller> {
    use secrecy::ExposeSecret;
    let token = service
        .sign_in("ADA@example.com", PASSWORD.into(), HERE)
        .await
        .ok()?;
    service.caller_by_token(token.expose_secret()).await.ok()
}
