//! The whole router over a SQLite file in a temporary folder, with an environment that was recorded.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Request, Response};
use flagstaff_api::{ApiConfig, ApiState};
use flagstaff_core::{EnvironmentKey, Member, MemberId, ServerKeyId, Timestamp};
use flagstaff_service::{
    Caller, Clock, EnvironmentPatch, ImportRequest, KeyNeed, OrganisationPatch, ServerKeyPatch,
    ServerKeyRequest, Service, ServiceConfig, Store, Work,
};
use flagstaff_testkit::sql;
use flagstaff_wire::flagsmith::document::parse_environment_document;
use http_body_util::BodyExt as _;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::Value as Json;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;
use tower::ServiceExt as _;
use uuid::Uuid;

/// The environment's client key.
pub const CLIENT_KEY: &str = "UBnd9LaJWZK8V94xe87cJc";
/// A server-side key of it.
pub const SERVER_KEY: &str = "ser.8VDpTDCA7BSxw3hx5Q5HHu";
/// When tests begin: 2026-11-21 00:20:00.250001.
const BEGINNING: i64 = 1_795_220_400_250_001;

/// A server without sockets.
pub struct Face {
    pub state: ApiState,
    pub service: Service,
    pub caller: Caller,
    pub store: Store,
    router: Router,
    now: Arc<AtomicI64>,
    _work: Work,
    _folder: Option<TempDir>,
}

impl Face {
    /// Serves the recorded environment document.
    pub async fn start() -> Self {
        Self::start_with(ApiConfig::default()).await
    }

    pub async fn start_with(config: ApiConfig) -> Self {
        let face = Self::open(config, ServiceConfig::default(), true).await;
        sql::execute(&face.store, include_str!("features.sql")).await;
        face
    }

    /// Serves a database without a member or an organisation.
    pub async fn start_empty() -> Self {
        Self::open(ApiConfig::default(), ServiceConfig::default(), false).await
    }

    /// The same, where anybody may sign up.
    pub async fn start_open_to_all() -> Self {
        let mut service = ServiceConfig::default();
        service.sign_in.allow_sign_up = true;
        Self::open(ApiConfig::default(), service, false).await
    }

    async fn open(config: ApiConfig, service: ServiceConfig, imports: bool) -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("flagstaff.db").display());
        let store = Store::connect(&url).await.unwrap();
        let mut face = Self::open_on(store, config, service, imports).await;
        face._folder = Some(folder);
        face
    }

    /// The same, on a database that is there.
    pub async fn start_open_to_all_on(store: Store) -> Self {
        let mut service = ServiceConfig::default();
        service.sign_in.allow_sign_up = true;
        Self::open_on(store, ApiConfig::default(), service, false).await
    }

    async fn open_on(
        store: Store,
        config: ApiConfig,
        service: ServiceConfig,
        imports: bool,
    ) -> Self {
        let now = Arc::new(AtomicI64::new(BEGINNING));
        let hand = Arc::clone(&now);
        let clock = Clock::new(move || Timestamp::from_micros(hand.load(Ordering::SeqCst)));
        store.migrate(clock.now()).await.unwrap();
        if imports {
            import(&Service::new(
                store.clone(),
                clock.clone(),
                ServiceConfig::default(),
            ))
            .await;
        }
        let service = Service::new(store.clone(), clock, service);
        let work = service.start().await.unwrap();
        let state = ApiState::new(service.clone(), config, metrics());
        Self {
            router: flagstaff_api::entrance(state.clone(), Router::new()).into(),
            state,
            service,
            caller: superuser(),
            store,
            now,
            _work: work,
            _folder: None,
        }
    }

    /// All routes, for clients that bring their own way of asking.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Another node on the same database, by the same clock.
    pub async fn second_node(&self) -> Self {
        let hand = Arc::clone(&self.now);
        let clock = Clock::new(move || Timestamp::from_micros(hand.load(Ordering::SeqCst)));
        let service = Service::new(self.store.clone(), clock, ServiceConfig::default());
        let work = service.start().await.unwrap();
        let state = ApiState::new(service.clone(), ApiConfig::default(), metrics());
        Self {
            router: flagstaff_api::entrance(state.clone(), Router::new()).into(),
            state,
            service,
            caller: superuser(),
            store: self.store.clone(),
            now: Arc::clone(&self.now),
            _work: work,
            _folder: None,
        }
    }

    /// Moves the clock.
    pub fn pass_seconds(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub async fn update_environment(&self, patch: EnvironmentPatch) {
        self.pass_seconds(1);
        self.service
            .update_environment(&self.caller, CLIENT_KEY, patch)
            .await
            .unwrap();
    }

    pub async fn set_allow_client_traits(&self, allowed: bool) {
        self.update_environment(EnvironmentPatch {
            allow_client_traits: Some(allowed),
            ..EnvironmentPatch::default()
        })
        .await;
    }

    /// A change half a second after the last one.
    pub async fn update_within_the_second(&self) {
        self.now.fetch_add(500_000, Ordering::SeqCst);
        let patch = EnvironmentPatch {
            hide_sensitive_data: Some(true),
            ..EnvironmentPatch::default()
        };
        let updated = self
            .service
            .update_environment(&self.caller, CLIENT_KEY, patch);
        updated.await.unwrap();
    }

    pub async fn stop_storing_traits(&self) {
        let patch = OrganisationPatch {
            persist_trait_data: Some(false),
            ..OrganisationPatch::default()
        };
        let open = self
            .service
            .open_environment(Some(CLIENT_KEY), KeyNeed::Any);
        let id = open.await.unwrap().snapshot().organisation.id;
        let updated = self.service.update_organisation(&self.caller, id, patch);
        updated.await.unwrap();
    }

    async fn server_key(&self) -> ServerKeyId {
        let keys = self.service.server_keys(&self.caller, CLIENT_KEY).await;
        keys.unwrap()[0].id
    }

    pub async fn withdraw_server_key(&self) {
        let id = self.server_key().await;
        let deleted = self.service.delete_server_key(&self.caller, CLIENT_KEY, id);
        deleted.await.unwrap();
    }

    pub async fn let_server_key_expire_in(&self, seconds: i64) {
        let now = self.now.load(Ordering::SeqCst);
        let patch = ServerKeyPatch {
            expires_at: Some(Some(Timestamp::from_micros(now + seconds * 1_000_000))),
            ..ServerKeyPatch::default()
        };
        let id = self.server_key().await;
        let updated = self
            .service
            .update_server_key(&self.caller, CLIENT_KEY, id, patch);
        updated.await.unwrap();
    }

    pub async fn add_server_key(&self, key: &str, active: bool, expires_at: Option<Timestamp>) {
        let request = ServerKeyRequest {
            name: "another".to_owned(),
            active: Some(active),
            expires_at,
            key: EnvironmentKey::parse(key),
        };
        let made = self
            .service
            .create_server_key(&self.caller, CLIENT_KEY, request);
        made.await.unwrap();
    }

    /// A request with the client key.
    pub fn request(&self, method: &str, path: &str) -> Ask<'_> {
        self.keyless(method, path)
            .header("x-environment-key", CLIENT_KEY)
    }

    pub fn keyless(&self, method: &str, path: &str) -> Ask<'_> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = path.parse().unwrap();
        Ask {
            face: self,
            request,
        }
    }

    pub fn get(&self, path: &str) -> Ask<'_> {
        self.request("GET", path)
    }

    pub fn get_with(&self, key: &str, path: &str) -> Ask<'_> {
        self.keyless("GET", path).header("x-environment-key", key)
    }

    /// A `POST` of JSON, unless it is given another type.
    pub fn post(&self, path: &str) -> Ask<'_> {
        self.request("POST", path)
            .header("content-type", "application/json")
    }
}

/// One collector for the whole process, as it is.
fn metrics() -> PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    METRICS.get_or_init(flagstaff_api::metrics_recorder).clone()
}

fn superuser() -> Caller {
    let member = Member {
        id: MemberId::new(1),
        uuid: Uuid::new_v4(),
        email: "ada@example.com".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: String::new(),
        is_superuser: true,
        is_active: true,
        sign_up_type: None,
        created_at: Timestamp::from_micros(BEGINNING),
        last_login: None,
    };
    Caller::of_member(member, Vec::new())
}

/// Imports the recorded document: the first row of the recording of documents.
async fn import(service: &Service) {
    let recording = include_str!("../golden/flagsmith/13-sdk-environment-document.jsonl");
    let row: Json = serde_json::from_str(recording.lines().next().unwrap()).unwrap();
    let document = row["response_body"].to_string();
    let (document, warnings) = parse_environment_document(document.as_bytes()).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let request = ImportRequest {
        server_key: EnvironmentKey::parse(SERVER_KEY),
        ..ImportRequest::default()
    };
    service.import_environment(document, request).await.unwrap();
}

/// A request that is being put together.
pub struct Ask<'a> {
    face: &'a Face,
    request: Request<Body>,
}

impl Ask<'_> {
    pub fn header(self, name: &str, value: &str) -> Self {
        self.header_bytes(name, value.as_bytes())
    }

    pub fn header_bytes(mut self, name: &str, value: &[u8]) -> Self {
        let name: HeaderName = name.parse().unwrap();
        let value = HeaderValue::from_bytes(value).unwrap();
        self.request.headers_mut().insert(name, value);
        self
    }

    pub fn body(self, body: impl Into<Bytes>) -> Self {
        self.stream(Body::from(body.into()))
    }

    pub fn stream(mut self, body: Body) -> Self {
        *self.request.body_mut() = body;
        self
    }

    async fn respond(self) -> Response<Body> {
        self.face
            .router
            .clone()
            .oneshot(self.request)
            .await
            .unwrap()
    }

    /// Sends it and waits for the whole answer.
    pub async fn send(self) -> Reply {
        let (mut reply, body) = Reply::of(self.respond().await);
        reply.body = body.collect().await.unwrap().to_bytes();
        reply
    }

    /// Sends it and leaves the body where it is.
    pub async fn head_only(self) -> Reply {
        Reply::of(self.respond().await).0
    }

    /// Sends it and reads the answer event by event.
    pub async fn follow(self) -> Events {
        let (reply, body) = Reply::of(self.respond().await);
        assert_eq!(reply.status, 200);
        Events { reply, body }
    }
}

/// What was answered.
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Reply {
    fn of(response: Response<Body>) -> (Self, Body) {
        let (parts, body) = response.into_parts();
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()));
        let reply = Self {
            status: parts.status.as_u16(),
            headers: headers.collect(),
            body: Bytes::new(),
        };
        (reply, body)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(each, _)| each == name);
        named.next().map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Json {
        let body = serde_json::from_slice(&self.body);
        body.unwrap_or_else(|_| panic!("{} `{}` is no JSON", self.status, self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }
}

/// One server-sent event.
pub struct Event {
    pub name: String,
    pub id: String,
    pub data: String,
}

/// A stream of events; comments are passed over.
pub struct Events {
    reply: Reply,
    body: Body,
}

impl Events {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.reply.header(name)
    }

    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let frame = self.body.frame().await?.unwrap();
            let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
            let field = |name: &str| {
                let line = text
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                line.map(str::to_owned)
            };
            if let (Some(name), Some(id), Some(data)) = (field("event"), field("id"), field("data"))
            {
                return Some(Event { name, id, data });
            }
        }
    }
}
