//! Ways to take an account over, tried on the real binary.

use crate::dashboard::{Browser, Page};
use crate::database::Database;
use crate::http::block_on;
use crate::server::{Server, fail_with, flagstaff};
use flagstaff_testkit::{ReceivedMail, SmtpSink};
use reqwest::header::LOCATION;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";
const NEW_PASSWORD: &str = "another horse battery";
const PUBLIC: &str = "https://flags.example.com";

/// A server that sends mail, with a first member, and a browser in which they are signed in.
struct Site {
    runtime: tokio::runtime::Runtime,
    sink: SmtpSink,
    server: Server,
    owner: Browser,
    _database: Database,
}

impl Site {
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let sink = runtime.block_on(SmtpSink::start());
        let database = Database::sqlite();
        let port = sink.port.to_string();
        let server = Server::start_with(
            &database,
            &[
                ("FLAGSTAFF_SERVER__PUBLIC_URL", PUBLIC),
                ("FLAGSTAFF_MAIL__HOST", "127.0.0.1"),
                ("FLAGSTAFF_MAIL__PORT", &port),
                ("FLAGSTAFF_MAIL__SECURITY", "none"),
                ("FLAGSTAFF_MAIL__FROM", "Flagstaff <flags@example.com>"),
            ],
        );
        let mut owner = Browser::new(&server);
        let link = server.printed_after("sign in once").unwrap();
        let path = link.strip_prefix(PUBLIC).unwrap().to_owned();
        let form = owner.get(&path);
        let fields = [
            ("form_token", form.token()),
            ("email", EMAIL),
            ("password", PASSWORD),
        ];
        assert_eq!(owner.post(&path, &fields).status, 303);
        Self {
            runtime,
            sink,
            server,
            owner,
            _database: database,
        }
    }

    fn mail(&mut self) -> ReceivedMail {
        self.runtime.block_on(self.sink.next())
    }

    /// Asks for a link as a page that is told this of where it is.
    fn forgot(&self, email: &str, headers: &[(&str, &str)]) -> Page {
        let mut browser = Browser::new(&self.server);
        let form = browser.get("/forgot-password");
        let token = form.token().to_owned();
        let mut request = browser
            .client
            .post(format!("{}/forgot-password", browser.url))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Sec-Fetch-Site", "same-origin");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let email = email.replace('@', "%40");
        browser.send(request.body(format!("form_token={token}&email={email}")))
    }

    fn sign_in(&self, browser: &mut Browser, password: &str) -> Page {
        let form = browser.get("/");
        let fields = [
            ("form_token", form.token()),
            ("email", EMAIL),
            ("password", password),
        ];
        browser.post("/sign-in", &fields)
    }
}

fn is_signed_in(browser: &mut Browser) -> bool {
    browser.get("/account").status == 200
}

#[test]
fn links_in_mail_lead_to_the_server_whatever_host_a_request_names() {
    let mut site = Site::open();
    let evil = [
        ("Host", "evil.example"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "http"),
        ("Forwarded", "host=evil.example"),
    ];

    let page = site.forgot(EMAIL, &evil);
    let letter = site.mail();

    assert_eq!(page.status, 200, "{}", page.text);
    assert!(!letter.text.contains("evil.example"), "{}", letter.text);
    assert!(
        letter
            .after("https://flags.example.com")
            .starts_with("/password-reset/confirm/")
    );
}

#[test]
fn a_mailed_link_is_used_once_and_ends_every_other_sign_in() {
    let mut site = Site::open();
    site.forgot(EMAIL, &[]);
    let path = site.mail().after(PUBLIC).to_owned();
    let mut browser = Browser::new(&site.server);
    let form = browser.get(&path);
    // Looking, as mail readers do, uses nothing up.
    assert_eq!(Browser::new(&site.server).get(&path).status, 200);
    let token = form.token().to_owned();
    let fields = [
        ("form_token", token.as_str()),
        ("new_password", NEW_PASSWORD),
        ("repeated", NEW_PASSWORD),
    ];

    let done = browser.post(&path, &fields);
    let again = browser.post(&path, &fields);

    assert_eq!(
        (done.status, done.header(LOCATION.as_str())),
        (303, "/"),
        "{}",
        done.text
    );
    assert_eq!((again.status, browser.get(&path).status), (404, 404));
    assert!(is_signed_in(&mut browser));
    assert!(!is_signed_in(&mut site.owner));
    assert_eq!(
        site.sign_in(&mut Browser::new(&site.server), PASSWORD)
            .status,
        422
    );
}

#[test]
fn a_form_without_the_visitors_own_token_chooses_no_password() {
    let mut site = Site::open();
    site.forgot(EMAIL, &[]);
    let path = site.mail().after(PUBLIC).to_owned();
    let stranger = Browser::new(&site.server).get(&path).token().to_owned();
    let mut browser = Browser::new(&site.server);
    browser.get(&path);

    let fields = [
        ("form_token", stranger.as_str()),
        ("new_password", NEW_PASSWORD),
        ("repeated", NEW_PASSWORD),
    ];
    let refused = browser.post(&path, &fields);

    assert_eq!(refused.status, 403);
    assert_eq!(
        site.sign_in(&mut Browser::new(&site.server), PASSWORD)
            .status,
        303
    );
}

#[test]
fn a_session_that_was_there_before_is_not_the_one_that_signs_in() {
    let site = Site::open();
    let name = "__Host-flagstaff-session";
    let planted = "0123456789012345678901234567890123456789";
    let mut victim = Browser::new(&site.server);
    victim.cookies.insert(name.to_owned(), planted.to_owned());

    let done = site.sign_in(&mut victim, PASSWORD);

    assert_eq!(done.status, 303);
    assert_ne!(victim.cookies[name], planted);
    let mut attacker = Browser::new(&site.server);
    attacker.cookies.insert(name.to_owned(), planted.to_owned());
    assert!(!is_signed_in(&mut attacker) && is_signed_in(&mut victim));
    // Signing in again gives another one again, and signing out ends it on the server too.
    let first = victim.cookies[name].clone();
    let token = victim.get("/account").token().to_owned();
    victim.post("/sign-out", &[("form_token", &token)]);
    attacker.cookies.insert(name.to_owned(), first);
    assert!(!is_signed_in(&mut attacker));
}

#[test]
fn pages_do_not_tell_who_has_an_account() {
    let site = Site::open();
    let without_token = |page: Page| {
        let text = page.text.clone();
        let token = page
            .text
            .contains("form_token")
            .then(|| page.token().to_owned());
        (
            page.status,
            token.map_or(text.clone(), |token| text.replace(&token, "")),
        )
    };

    let known = without_token(site.forgot(EMAIL, &[]));
    let unknown = without_token(site.forgot("nobody@example.com", &[]));
    let mut browser = Browser::new(&site.server);
    let token = browser.get("/").token().to_owned();
    let mut wrong = |email: &str| {
        let fields = [
            ("form_token", token.as_str()),
            ("email", email),
            ("password", "x"),
        ];
        let (status, text) = without_token(browser.post("/sign-in", &fields));
        (status, text.replace(email, ""))
    };

    assert_eq!(known, unknown);
    assert_eq!(wrong(EMAIL), wrong("nobody@example.com"));
}

#[test]
fn whoever_tries_passwords_is_slowed_down() {
    let site = Site::open();
    let mut browser = Browser::new(&site.server);
    let mut statuses = Vec::new();

    for _ in 0..21 {
        statuses.push(site.sign_in(&mut browser, "wrong").status);
    }

    assert!(
        statuses[..20].iter().all(|status| *status == 422),
        "{statuses:?}"
    );
    assert_eq!(statuses[20], 429);
    // The right one is not looked at either.
    assert_eq!(site.sign_in(&mut browser, PASSWORD).status, 429);
}

#[test]
fn an_invitation_by_mail_makes_an_account_that_belongs_to_the_organisation() {
    let mut site = Site::open();
    let key = crate::http::post(
        &format!("{}/api/v1/auth/login/", site.server.url),
        &serde_json::json!({ "email": EMAIL, "password": PASSWORD }),
    );
    let organisations = format!("{}/api/v1/organisations/", site.server.url);
    let key = key["key"].as_str().unwrap();
    let list = crate::http::get_as(key, &organisations);
    let id = list["results"][0]["id"].as_i64().unwrap();
    let status = block_on(async {
        let body = serde_json::json!({ "email": "grace@example.com", "role": "USER" });
        let request = crate::http::client().post(format!("{organisations}{id}/invites/"));
        let request = request
            .header("Authorization", format!("Token {key}"))
            .json(&body);
        request.send().await.unwrap().status()
    });
    assert_eq!(status, 201);
    let path = site.mail().after(PUBLIC).to_owned();
    let mut grace = Browser::new(&site.server);
    let form = grace.get(&path);
    assert!(form.text.contains("grace@example.com"), "{}", form.text);

    let fields = [
        ("form_token", form.token()),
        ("first_name", "Grace"),
        ("last_name", "Hopper"),
        // Not asked for: the invitation is for one address.
        ("email", "eve@example.com"),
        ("password", NEW_PASSWORD),
    ];
    let done = grace.post(&path, &fields);

    assert_eq!(done.status, 303, "{}", done.text);
    let account = grace.get("/account");
    assert!(
        account.text.contains("grace@example.com"),
        "{}",
        account.text
    );
    assert_eq!(Browser::new(&site.server).get(&path).status, 404);
}

#[test]
fn mail_without_a_public_address_is_a_mistake_in_the_settings() {
    let database = Database::sqlite();
    let mut command = flagstaff(&database);
    command
        .env("FLAGSTAFF_MAIL__HOST", "smtp.example.com")
        .env("FLAGSTAFF_MAIL__FROM", "flags@example.com")
        .arg("serve");

    let (_, stderr) = fail_with(2, &mut command);

    assert!(
        stderr.contains("`mail.host` needs `server.public_url`"),
        "{stderr}"
    );
}
