use super::*;
use crate::config::OutboundConfig;
use crate::outbound::AllowedPlace;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const NUMBER: &str = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"0.5"]}}"#;

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

/// A server that gives the same answer to everybody and remembers what it was asked.
async fn server(answer: String) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(String::new()));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 8000];
            let mut length = 0;
            // The form is the last thing, and its time limit the last of the form.
            while !request[..length].ends_with(b"timeout=8s") {
                match stream.read(&mut request[length..]).await {
                    Ok(read) if read > 0 => length += read,
                    _ => break,
                }
            }
            *heard.lock().unwrap() = String::from_utf8_lossy(&request[..length]).into_owned();
            let _ = stream.write_all(answer.as_bytes()).await;
            if answer.is_empty() {
                // Silent, but there.
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
        }
    });
    (url, asked)
}

fn config(url: &str) -> PrometheusConfig {
    PrometheusConfig {
        url: url.to_owned(),
        ..PrometheusConfig::default()
    }
}

fn sources(prometheus: PrometheusConfig, allow: &[&str]) -> MetricSources {
    let place = |text: &&str| AllowedPlace::try_from((*text).to_owned()).unwrap();
    let config = ServiceConfig {
        prometheus: BTreeMap::from([("main".to_owned(), prometheus)]),
        outbound: OutboundConfig {
            allow: allow.iter().map(place).collect(),
            answer_bytes: 2000,
            answer_seconds: 1,
            ..OutboundConfig::default()
        },
        ..ServiceConfig::default()
    };
    MetricSources::new(&config).unwrap()
}

async fn problem(answer: String) -> String {
    let (url, _) = server(answer).await;
    let sources = sources(config(&url), &[]);
    let read = sources.read("main", "Shop", "up").await;
    read.unwrap_err().to_string()
}

#[tokio::test]
async fn a_named_source_is_asked_by_a_form_below_its_address() {
    let (url, asked) = server(answer("200 OK", NUMBER)).await;
    let sources = sources(config(&format!("{url}/prom/")), &[]);

    let reading = sources.read("main", "Shop", "sum(a) / sum(b) > 1").await;

    assert_eq!(reading.unwrap().value, Some(0.5));
    let asked = asked.lock().unwrap().clone();
    assert!(
        asked.starts_with("POST /prom/api/v1/query HTTP/1.1\r\n"),
        "{asked}"
    );
    assert!(
        asked.contains("query=sum%28a%29+%2F+sum%28b%29+%3E+1&timeout=8s"),
        "{asked}"
    );
    assert!(!asked.contains("authorization"), "{asked}");
}

#[tokio::test]
async fn credentials_of_the_settings_go_with_the_question() {
    let (url, asked) = server(answer("200 OK", NUMBER)).await;
    let with_password = PrometheusConfig {
        user: Some("guard".to_owned()),
        password: Some("s3cret".to_owned().into()),
        ..config(&url)
    };
    let with_token = PrometheusConfig {
        token: Some("t0ken\n".to_owned().into()),
        ..config(&url)
    };

    for (settings, header) in [
        (with_password, "authorization: Basic Z3VhcmQ6czNjcmV0\r\n"),
        (with_token, "authorization: Bearer t0ken\r\n"),
    ] {
        let sources = sources(settings, &[]);
        sources.read("main", "Shop", "up").await.unwrap();

        let asked = asked.lock().unwrap().clone();
        assert!(asked.contains(header), "{asked}");
        let shown = format!("{sources:?}");
        assert!(
            !shown.contains("cret") && !shown.contains("t0ken"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn an_address_in_a_guard_is_guarded_and_has_no_credentials_with_it() {
    let (url, asked) = server(answer("200 OK", NUMBER)).await;
    let settings = PrometheusConfig {
        token: Some("t0ken".to_owned().into()),
        ..config(&url)
    };

    let refused = sources(settings.clone(), &[])
        .read(&url, "Shop", "up")
        .await;
    let allowed = sources(settings, &["127.0.0.1"])
        .read(&url, "Shop", "up")
        .await;

    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("internal or private network"), "{refused}");
    assert_eq!(allowed.unwrap().value, Some(0.5));
    assert!(!asked.lock().unwrap().contains("t0ken"));
}

#[tokio::test]
async fn what_is_no_source_is_refused_before_it_is_kept() {
    let settings = PrometheusConfig {
        organisations: vec!["Shop".to_owned()],
        ..config("http://127.0.0.1:1")
    };
    let sources = sources(settings, &[]);
    let check = |source: &str, organisation: &str, expected: &str| {
        let problem = sources.check(source, organisation).unwrap_err().to_string();
        assert!(problem.contains(expected), "{source}: {problem}");
    };

    assert!(sources.check("main", "Shop").is_ok());
    assert!(
        sources
            .check("https://metrics.example.com/prom", "Blog")
            .is_ok()
    );
    check("main", "Blog", "there is no metrics source `main`");
    check("other", "Shop", "there is no metrics source `other`");
    check(
        "http://127.0.0.1:9090",
        "Shop",
        "internal or private network",
    );
    check(
        "http://me:secret@metrics.example.com",
        "Shop",
        "holds a user name",
    );
    check("file:///etc/passwd", "Shop", "neither http nor https");
    check(
        "https://metrics.example.com/?token=x",
        "Shop",
        "is not an address",
    );
    check("http://", "Shop", "is not an address");
}

#[tokio::test]
async fn every_failure_says_what_it_is_and_nothing_of_the_body() {
    let check = |told: String, expected: &str| {
        assert!(told.contains(expected), "{told}\nlacks\n{expected}");
        assert!(
            !told.contains("secret words") && !told.contains("127.0.0.1"),
            "{told}"
        );
    };
    let refused =
        r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\""}"#;
    let busy = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;

    check(
        problem(answer("401 Unauthorized", "secret words")).await,
        "credentials (status 401)",
    );
    check(
        problem(answer("403 Forbidden", "secret words")).await,
        "credentials (status 403)",
    );
    check(
        problem(answer("404 Not Found", "secret words")).await,
        "answers with status 404",
    );
    check(
        problem(answer("502 Bad Gateway", "secret words")).await,
        "answers with status 502",
    );
    check(
        problem(answer("200 OK", "secret words")).await,
        "none of Prometheus",
    );
    check(
        problem(answer("400 Bad Request", refused)).await,
        "refused (bad_data): invalid parameter",
    );
    check(
        problem(answer("503 Service Unavailable", busy)).await,
        "refused (timeout)",
    );
    check(
        problem(answer("200 OK", &"secret words ".repeat(1000))).await,
        "more than 2000 bytes",
    );
    check(problem(String::new()).await, "no answer in time");
    check(
        problem("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{".to_owned()).await,
        "no connection",
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (elsewhere, asked) = server(answer("200 OK", NUMBER)).await;
    let redirect = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {elsewhere}/api/v1/query\r\ncontent-length: 0\r\n\r\n"
    );

    let told = problem(redirect).await;

    assert!(told.contains("redirects (status 307)"), "{told}");
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn nobody_there_is_a_problem_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);

    let read = sources(config(&url), &[]).read("main", "Shop", "up").await;

    assert!(read.unwrap_err().to_string().contains("no connection"));
}

#[test]
fn a_token_that_no_header_takes_is_refused_at_the_start() {
    let config = ServiceConfig {
        prometheus: BTreeMap::from([(
            "main".to_owned(),
            PrometheusConfig {
                token: Some("a\nb".to_owned().into()),
                ..config("http://127.0.0.1:1")
            },
        )]),
        ..ServiceConfig::default()
    };

    let problem = MetricSources::new(&config).unwrap_err().to_string();

    assert!(
        problem.contains("`main`") && !problem.contains("a\nb"),
        "{problem}"
    );
}

#[test]
fn pairs_are_written_as_the_standard_has_it() {
    for (text, expected) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(base64(text.as_bytes()), expected);
    }
}
