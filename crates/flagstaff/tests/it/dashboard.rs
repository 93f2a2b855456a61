//! The dashboard as a browser uses it: cookies, forms, redirects.

use crate::database::Database;
use crate::http::block_on;
use crate::server::Server;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use std::collections::BTreeMap;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";

/// A browser without script: it keeps cookies, and follows nothing by itself.
pub struct Browser {
    pub client: reqwest::Client,
    pub url: String,
    pub cookies: BTreeMap<String, String>,
}

pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Browser {
    pub fn new(server: &Server) -> Self {
        let client = crate::http::builder()
            .redirect(Policy::none())
            .build()
            .unwrap();
        Self {
            client,
            url: server.url.clone(),
            cookies: BTreeMap::new(),
        }
    }

    pub fn get(&mut self, path: &str) -> Page {
        let request = self.client.get(format!("{}{path}", self.url));
        self.send(request)
    }

    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_from(path, fields, "same-origin")
    }

    fn post_from(&mut self, path: &str, fields: &[(&str, &str)], site: &str) -> Page {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Sec-Fetch-Site", site)
            .body(body.join("&"));
        self.send(request)
    }

    pub fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let page = block_on(async {
            let answer = request
                .header(COOKIE, cookies.join("; "))
                .send()
                .await
                .unwrap();
            Page {
                status: answer.status().as_u16(),
                headers: answer.headers().clone(),
                text: answer.text().await.unwrap(),
            }
        });
        for cookie in page.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        page
    }
}

impl Page {
    /// The token in the page's forms.
    pub fn token(&self) -> &str {
        let (_, rest) = self
            .text
            .split_once("name=\"form_token\" value=\"")
            .unwrap();
        rest.split('"').next().unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Uses the link that the server printed.
pub fn sign_up(server: &Server, browser: &mut Browser) -> Page {
    let link = server.printed_after("sign in once").unwrap();
    let path = link.strip_prefix(&server.url).unwrap();
    let form = browser.get(path);
    assert_eq!(form.status, 200, "{}", form.text);
    let fields = [
        ("form_token", form.token()),
        ("email", EMAIL),
        ("password", PASSWORD),
    ];
    browser.post(path, &fields)
}

#[test]
fn a_visitor_is_shown_the_sign_in_form_and_its_style() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let mut browser = Browser::new(&server);

    let page = browser.get("/");

    assert_eq!(page.status, 200);
    assert!(page.text.contains("<label for=\"email\">"));
    assert!(page.text.contains("<label for=\"password\">"));
    assert_eq!(page.text.matches("<script").count(), 1);
    assert!(page.text.contains("<script src=\"/assets/script-"));
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(page.header("cache-control"), "no-store");
    let (_, rest) = page.text.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let style = browser.get(rest.split('"').next().unwrap());
    assert_eq!(
        (style.status, style.header("content-type")),
        (200, "text/css; charset=utf-8")
    );
    assert!(style.header("cache-control").contains("immutable"));
    assert_eq!(
        browser.get("/assets/style-0000000000000000.css").status,
        404
    );
}

#[test]
fn the_printed_link_makes_the_first_member_and_works_once() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let mut browser = Browser::new(&server);

    let done = sign_up(&server, &mut browser);
    let overview = browser.get("/");

    assert_eq!((done.status, done.header(LOCATION.as_str())), (303, "/"));
    let session = done
        .headers
        .get_all(SET_COOKIE)
        .iter()
        .find(|cookie| cookie.to_str().unwrap().contains("session"));
    let session = session.unwrap().to_str().unwrap();
    assert!(
        session.contains("HttpOnly") && session.contains("SameSite=Lax"),
        "{session}"
    );
    let client_key = server.printed_after("client key").unwrap();
    assert!(overview.text.contains(EMAIL));
    assert!(overview.text.contains(client_key));
    assert!(
        overview
            .text
            .contains(&format!("{}/api/v1/flags/", server.url))
    );
    let link = server.printed_after("sign in once").unwrap();
    let again = Browser::new(&server).get(link.strip_prefix(&server.url).unwrap());
    assert_eq!(again.status, 404);
    server.stop();
    assert_eq!(Server::start(&database).printed_after("sign in once"), None);
}

#[test]
fn a_weak_password_is_refused_with_its_reason_and_the_link_stays_open() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let mut browser = Browser::new(&server);
    let link = server.printed_after("sign in once").unwrap();
    let path = link.strip_prefix(&server.url).unwrap();
    let form = browser.get(path);

    let weak = [
        ("form_token", form.token()),
        ("email", EMAIL),
        ("password", "12345"),
    ];
    let refused = browser.post(path, &weak);
    let wrong = [
        ("form_token", form.token()),
        ("email", "nobody"),
        ("password", PASSWORD),
    ];
    let no_email = browser.post(path, &wrong);

    assert_eq!(refused.status, 422);
    assert!(
        refused.text.contains("fewer than 8 characters"),
        "{}",
        refused.text
    );
    assert_eq!(no_email.status, 422);
    assert!(
        no_email.text.contains("not an e-mail address"),
        "{}",
        no_email.text
    );
    assert_eq!(sign_up(&server, &mut browser).status, 303);
}

#[test]
fn a_member_signs_in_sees_server_keys_when_asked_for_and_signs_out() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    sign_up(&server, &mut Browser::new(&server));
    let server_key = server.printed_after("server key").unwrap();
    let client_key = server.printed_after("client key").unwrap();
    let mut browser = Browser::new(&server);

    let form = browser.get("/");
    let wrong = browser.post(
        "/sign-in",
        &[
            ("form_token", form.token()),
            ("email", EMAIL),
            ("password", "wrong one"),
        ],
    );
    let right = browser.post(
        "/sign-in",
        &[
            ("form_token", form.token()),
            ("email", EMAIL),
            ("password", PASSWORD),
        ],
    );
    let overview = browser.get("/");
    let path = format!("/environments/{client_key}/server-keys");
    let keys = browser.post(&path, &[("form_token", overview.token())]);
    let out = browser.post("/sign-out", &[("form_token", overview.token())]);
    let after = browser.get("/");

    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("do not belong together"));
    assert_eq!(right.status, 303);
    assert!(!overview.text.contains(server_key));
    assert!(keys.text.contains(server_key), "{}", keys.text);
    assert_eq!(out.status, 303);
    assert!(after.text.contains("Sign in"));
    assert!(!after.text.contains(client_key));
}

#[test]
fn pages_have_request_ids_and_are_counted_by_their_routes() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let mut browser = Browser::new(&server);

    let (first, second) = (browser.get("/"), browser.get("/welcome/no-such-link"));
    let metrics = browser.get("/metrics").text;

    let id = |page: &Page| page.headers["x-request-id"].to_str().unwrap().to_owned();
    assert_ne!(id(&first), id(&second));
    assert!(first.headers.get("access-control-allow-origin").is_none());
    for route in ["/", "/welcome/{link}"] {
        let label = format!("route=\"{route}\"");
        let counted =
            |line: &str| line.starts_with("flagstaff_http_requests_total") && line.contains(&label);
        assert!(metrics.lines().any(counted), "{label} is not in\n{metrics}");
    }
    assert!(!metrics.contains("no-such-link"));
}

#[test]
fn an_address_that_is_none_is_answered_with_a_page() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let mut browser = Browser::new(&server);
    sign_up(&server, &mut browser);
    let client_key = server.printed_after("client key").unwrap();
    let environment = format!("/environments/{client_key}");

    for (path, status) in [
        (format!("{environment}/segments/abc"), 404),
        (format!("{environment}/features/1/overrides/x"), 404),
        (format!("{environment}/features/1/versions?page=many"), 400),
        ("/theme".to_owned(), 405),
    ] {
        let page = browser.get(&path);

        assert_eq!(page.status, status, "{path}");
        let media_type = &page.headers["content-type"];
        assert!(
            media_type.to_str().unwrap().starts_with("text/html"),
            "{path}"
        );
        assert!(
            page.headers.contains_key("content-security-policy"),
            "{path}"
        );
        assert!(page.text.contains("<h1>"), "{path}: {}", page.text);
    }
}

#[test]
fn a_form_of_another_site_is_not_obeyed() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let mut browser = Browser::new(&server);
    sign_up(&server, &mut browser);
    let overview = browser.get("/");
    let client_key = server.printed_after("client key").unwrap();
    let path = format!("/environments/{client_key}/server-keys");

    let token = [("form_token", overview.token())];
    let cross_site = browser.post_from(&path, &token, "cross-site");
    let no_token = browser.post(&path, &[]);
    let signed_out = browser.post_from("/sign-out", &token, "cross-site");
    let mut stranger = Browser::new(&server);
    let sign_in = stranger.post(
        "/sign-in",
        &[("form_token", ""), ("email", EMAIL), ("password", PASSWORD)],
    );

    let server_key = server.printed_after("server key").unwrap();
    assert!(!cross_site.text.contains(server_key));
    assert!(!no_token.text.contains(server_key));
    assert_eq!(signed_out.status, 303);
    assert!(
        browser.get("/").text.contains(client_key),
        "still signed in"
    );
    assert_eq!(sign_in.status, 403);
}

#[test]
fn the_session_opens_nothing_under_the_api() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let mut browser = Browser::new(&server);
    sign_up(&server, &mut browser);

    let projects = browser.get("/api/v1/projects/");

    assert_eq!(projects.status, 401, "{}", projects.text);
}

#[test]
fn guessing_passwords_is_slowed_down() {
    let database = Database::sqlite();
    let server = Server::start_with(
        &database,
        &[("FLAGSTAFF_SIGN_IN__ATTEMPTS_PER_MINUTE", "3")],
    );
    sign_up(&server, &mut Browser::new(&server));
    let mut browser = Browser::new(&server);
    let form = browser.get("/");
    let fields = [
        ("form_token", form.token()),
        ("email", EMAIL),
        ("password", "wrong one"),
    ];

    let statuses: Vec<u16> = (0..5)
        .map(|_| browser.post("/sign-in", &fields).status)
        .collect();

    assert_eq!(statuses, [422, 422, 422, 429, 429]);
}

#[test]
fn with_https_outside_cookies_never_travel_without() {
    let database = Database::sqlite();
    let variables = [("FLAGSTAFF_SERVER__PUBLIC_URL", "https://flags.example.com")];
    let server = Server::start_with(&database, &variables);

    let page = Browser::new(&server).get("/");

    let cookie = page.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-") && cookie.contains("Secure"),
        "{cookie}"
    );
    let link = server.printed_after("sign in once").unwrap();
    assert!(
        link.starts_with("https://flags.example.com/welcome/"),
        "{link}"
    );
}
