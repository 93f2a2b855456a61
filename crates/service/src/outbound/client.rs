//! Requests to other servers, over HTTP.

use super::address::{AllowedPlace, Refusal, is_internal};
use super::tls;
use crate::config::OutboundConfig;
use crate::error::BoxError;
use futures::future::BoxFuture;
use http::{Request, Response};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// How long a server may take to be connected to.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Connections that wait for another request to the same server.
const IDLE_CONNECTIONS: usize = 4;

/// Makes requests to other servers. Cheap to clone; all clones share their connections.
///
/// No redirect is followed, every request has an end, and no answer is read further than its limit.
#[derive(Clone)]
pub struct OutboundClient {
    http: reqwest::Client,
    guard: Option<Arc<Guard>>,
    body_limit: usize,
}

/// Why a request had no answer. Neither the address nor a header is in the text: they may hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// It is no address.
    #[error("is not an address")]
    NotAnAddress,
    /// Requests do not go there.
    #[error("the address {0}")]
    Refused(Refusal),
    /// Nobody answered in time.
    #[error("no answer in time")]
    TimedOut,
    /// The answer is longer than it may be.
    #[error("the answer has more than {limit} bytes")]
    TooLong {
        /// The most bytes that are read.
        limit: usize,
    },
    /// The server shows a certificate that is not trusted, so nothing was said to it.
    #[error("the server's certificate is not trusted")]
    Untrusted(#[source] rustls::Error),
    /// No connection, or it broke.
    #[error("no connection")]
    Failed(#[source] BoxError),
}

impl OutboundClient {
    /// For addresses that come from stored data: whoever wrote them reaches nothing internal with them.
    ///
    /// Every address that a name resolves to is checked at the moment it is connected to, so that a name which is
    /// another one a second later gains nothing. Proxies of the environment are passed by: they would resolve names
    /// themselves.
    ///
    /// # Errors
    /// When the file of further roots cannot be used.
    pub fn guarded(config: &OutboundConfig) -> Result<Self, BoxError> {
        Self::guarded_by(config, Arc::new(resolve_by_the_system))
    }

    fn guarded_by(config: &OutboundConfig, lookup: Lookup) -> Result<Self, BoxError> {
        let guard = Arc::new(Guard {
            allowed: config.allow.clone(),
            lookup,
        });
        let resolver = GuardedResolver(Arc::clone(&guard));
        let http = builder(config)?.no_proxy().dns_resolver(Arc::new(resolver));
        Ok(Self {
            http: http.build()?,
            guard: Some(guard),
            body_limit: config.answer_bytes,
        })
    }

    /// For addresses that the operator gave: the configuration, the environment, the command line.
    ///
    /// # Errors
    /// When the file of further roots cannot be used.
    pub fn trusted(config: &OutboundConfig) -> Result<Self, BoxError> {
        Ok(Self {
            http: builder(config)?.build()?,
            guard: None,
            body_limit: config.answer_bytes,
        })
    }

    /// Checks an address before it is kept: what it says of itself, without asking who is behind its name.
    ///
    /// # Errors
    /// [`OutboundError::NotAnAddress`] and [`OutboundError::Refused`].
    pub fn check_address(&self, address: &str) -> Result<Url, OutboundError> {
        let url = Url::parse(address).map_err(|_| OutboundError::NotAnAddress)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OutboundError::Refused(Refusal::Scheme));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::Refused(Refusal::Credentials));
        }
        let Some(host) = url.host() else {
            return Err(OutboundError::Refused(Refusal::NoHost));
        };
        let Some(guard) = &self.guard else {
            return Ok(url);
        };
        // Names are checked when they are resolved; what is an address already never gets to the resolver.
        let refused = match host {
            Host::Ipv4(address) => guard.refuses(address.into()),
            Host::Ipv6(address) => guard.refuses(address.into()),
            Host::Domain(name) => guard.refuses_name(name),
        };
        if refused {
            return Err(OutboundError::Refused(Refusal::Internal));
        }
        Ok(url)
    }

    /// Sends a request and reads the answer, whatever its status; a redirect is an answer like others.
    ///
    /// # Errors
    /// Every [`OutboundError`].
    pub async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, OutboundError> {
        self.check_address(&request.uri().to_string())?;
        let request =
            reqwest::Request::try_from(request).map_err(|_| OutboundError::NotAnAddress)?;
        let mut answer = self.http.execute(request).await.map_err(failed)?;
        let mut response = Response::new(Vec::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if response.body().len() + chunk.len() > self.body_limit {
                let limit = self.body_limit;
                return Err(OutboundError::TooLong { limit });
            }
            response.body_mut().extend_from_slice(&chunk);
        }
        Ok(response)
    }
}

impl std::fmt::Debug for OutboundClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutboundClient")
            .field("is_guarded", &self.guard.is_some())
            .finish_non_exhaustive()
    }
}

fn builder(config: &OutboundConfig) -> Result<reqwest::ClientBuilder, BoxError> {
    let tls = tls::client_config(config.ca_file.as_deref())?;
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("flagstaff/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIME)
        .timeout(Duration::from_secs(config.answer_seconds))
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .referer(false))
}

fn failed(error: reqwest::Error) -> OutboundError {
    let error = error.without_url();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(each) = cause {
        if let Some(refusal) = each.downcast_ref::<Refusal>() {
            return OutboundError::Refused(*refusal);
        }
        cause = each.source();
    }
    if let Some(reason) = tls::distrust(&error) {
        return OutboundError::Untrusted(reason.clone());
    }
    if error.is_timeout() {
        return OutboundError::TimedOut;
    }
    OutboundError::Failed(error.into())
}

/// Who is asked for the addresses behind a name.
type Lookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> + Send + Sync>;

fn resolve_by_the_system(name: String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> {
    Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
}

struct Guard {
    allowed: Vec<AllowedPlace>,
    lookup: Lookup,
}

impl Guard {
    fn refuses(&self, address: IpAddr) -> bool {
        is_internal(address)
            && !self
                .allowed
                .iter()
                .any(|place| place.holds(address.to_canonical()))
    }

    fn allows_host(&self, name: &str) -> bool {
        self.allowed.iter().any(|place| place.is_host(name))
    }

    /// Names that are internal wherever they are asked for.
    fn refuses_name(&self, name: &str) -> bool {
        let bare = name.trim_end_matches('.');
        let is_local = bare.eq_ignore_ascii_case("localhost")
            || bare.to_ascii_lowercase().ends_with(".localhost");
        // An operator who allowed the network behind it meant this one too.
        is_local && !self.allows_host(name) && self.refuses(IpAddr::from([127, 0, 0, 1]))
    }
}

struct GuardedResolver(Arc<Guard>);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let is_allowed = guard.allows_host(&name);
            let found = (guard.lookup)(name).await?;
            // One internal address is enough: which of them is connected to is not in our hand.
            if !is_allowed && found.iter().any(|address| guard.refuses(address.ip())) {
                return Err(BoxError::from(Refusal::Internal));
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flagstaff_testkit::Authority;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    fn config(allow: &[&str]) -> OutboundConfig {
        let place = |text: &&str| AllowedPlace::try_from((*text).to_owned()).unwrap();
        OutboundConfig {
            allow: allow.iter().map(place).collect(),
            answer_bytes: 1000,
            answer_seconds: 1,
            ..OutboundConfig::default()
        }
    }

    fn get(url: &str) -> Request<Vec<u8>> {
        Request::get(url).body(Vec::new()).unwrap()
    }

    /// A server that gives the same answer to everybody; gives its port.
    async fn server(answer: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 2000];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                if answer.is_empty() {
                    // Silent, but there.
                    tokio::time::sleep(Duration::from_secs(30)).await;
                }
            }
        });
        port
    }

    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";

    async fn refusal(client: &OutboundClient, url: &str) -> Refusal {
        match client.send(get(url)).await {
            Err(OutboundError::Refused(refusal)) => refusal,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[tokio::test]
    async fn nothing_internal_is_reached_in_whatever_way_it_is_written() {
        let port = server(OK).await;
        let client = OutboundClient::guarded(&config(&[])).unwrap();

        for host in [
            "127.0.0.1",
            "localhost",
            "localhost.",
            "LOCALHOST",
            "x.localhost",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "0.0.0.0",
            "169.254.169.254",
            "[fd00:ec2::254]",
        ] {
            let url = format!("http://{host}:{port}/");
            assert_eq!(refusal(&client, &url).await, Refusal::Internal, "{host}");
        }
    }

    #[tokio::test]
    async fn what_an_operator_allows_is_reached() {
        let port = server(OK).await;

        for (allow, host) in [
            ("127.0.0.0/8", "127.0.0.1"),
            ("127.0.0.1", "127.0.0.1"),
            ("localhost", "localhost"),
        ] {
            let client = OutboundClient::guarded(&config(&[allow, "::1"])).unwrap();
            let answer = client
                .send(get(&format!("http://{host}:{port}/")))
                .await
                .unwrap();
            assert_eq!(
                (answer.status().as_u16(), &answer.body()[..]),
                (200, &b"hi"[..])
            );
        }
        let trusted = OutboundClient::trusted(&config(&[])).unwrap();
        assert!(
            trusted
                .send(get(&format!("http://127.0.0.1:{port}/")))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn a_name_is_checked_each_time_it_is_resolved() {
        let port = server(OK).await;
        let times = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&times);
        let lookup: Lookup = Arc::new(move |name| {
            let is_first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            let internal = SocketAddr::from(([127, 0, 0, 1], 0));
            let public = SocketAddr::from(([192, 0, 1, 1], 0));
            let list = match &*name {
                "both.example" => vec![public, internal],
                "rebinding.example" if is_first => vec![],
                _ => vec![internal],
            };
            Box::pin(async move { Ok(list) })
        });
        let client = OutboundClient::guarded_by(&config(&[]), lookup).unwrap();
        let url = format!("http://rebinding.example:{port}/");

        let first = client.send(get(&url)).await;

        assert!(matches!(first, Err(OutboundError::Failed(_))), "{first:?}");
        assert_eq!(refusal(&client, &url).await, Refusal::Internal);
        let both = format!("http://both.example:{port}/");
        assert_eq!(refusal(&client, &both).await, Refusal::Internal);
        assert_eq!(times.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let answer =
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        let port = server(answer).await;
        let client = OutboundClient::guarded(&config(&["127.0.0.1"])).unwrap();

        let answer = client
            .send(get(&format!("http://127.0.0.1:{port}/")))
            .await
            .unwrap();

        assert_eq!(answer.status().as_u16(), 302);
    }

    #[tokio::test]
    async fn other_schemes_and_written_passwords_are_refused() {
        let client = OutboundClient::guarded(&config(&[])).unwrap();
        let check = |address: &str| client.check_address(address);

        assert!(check("https://hooks.example.com/x?y").is_ok());
        let of = |error| match error {
            Err(OutboundError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        };
        assert_eq!(of(check("ftp://example.com/")), Refusal::Scheme);
        assert_eq!(of(check("file:///etc/passwd")), Refusal::Scheme);
        assert_eq!(of(check("https://a:b@example.com/")), Refusal::Credentials);
        assert_eq!(of(check("https://a@example.com/")), Refusal::Credentials);
        assert!(matches!(check("example"), Err(OutboundError::NotAnAddress)));
        assert!(matches!(check("http://"), Err(OutboundError::NotAnAddress)));
    }

    #[tokio::test]
    async fn long_answers_and_silent_servers_are_given_up() {
        let long = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n0123456789012345678901234567890123456789";
        let long: &'static str =
            Box::leak((long.to_owned() + &"x".repeat(99_960)).into_boxed_str());
        let (long, silent) = (server(long).await, server("").await);
        let client = OutboundClient::guarded(&config(&["127.0.0.1"])).unwrap();

        let too_long = client.send(get(&format!("http://127.0.0.1:{long}/"))).await;
        let no_answer = client
            .send(get(&format!("http://127.0.0.1:{silent}/")))
            .await;

        assert!(
            matches!(too_long, Err(OutboundError::TooLong { limit: 1000 })),
            "{too_long:?}"
        );
        assert!(
            matches!(no_answer, Err(OutboundError::TimedOut)),
            "{no_answer:?}"
        );
    }

    #[tokio::test]
    async fn an_error_does_not_repeat_the_address() {
        let client = OutboundClient::trusted(&config(&[])).unwrap();

        let error = client
            .send(get("http://127.0.0.1:1/secret-path?token=abc"))
            .await
            .unwrap_err();

        let text = format!("{error} {error:?}");
        assert!(
            !text.contains("secret-path") && !text.contains("abc"),
            "{text}"
        );
    }

    /// A server that answers over TLS; gives its port.
    async fn secure_server(acceptor: flagstaff_testkit::TlsAcceptor) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut request = [0; 2000];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(OK.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        port
    }

    #[tokio::test]
    async fn certificates_are_trusted_by_the_file_of_the_settings_alone() {
        // Both have the same name.
        let (authority, stranger) = (Authority::new(), Authority::new());
        let ask = async |acceptor, trusted: Option<&Authority>| {
            let port = secure_server(acceptor).await;
            let config = OutboundConfig {
                ca_file: trusted.map(Authority::file),
                ..config(&["127.0.0.1"])
            };
            let client = OutboundClient::guarded(&config).unwrap();
            client
                .send(get(&format!("https://127.0.0.1:{port}/secret")))
                .await
        };
        let own = || authority.server("127.0.0.1");

        let answer = ask(own(), Some(&authority)).await.unwrap();
        let refused = [
            (ask(own(), None).await, "UnknownIssuer"),
            (ask(own(), Some(&stranger)).await, "BadSignature"),
            (
                ask(authority.server("hooks.example.com"), Some(&authority)).await,
                "not valid for name",
            ),
            (
                ask(authority.outdated_server("127.0.0.1"), Some(&authority)).await,
                "expired",
            ),
        ];

        assert_eq!(&answer.body()[..], b"hi");
        for (answer, reason) in refused {
            let Err(OutboundError::Untrusted(error)) = answer else {
                panic!("{reason}: {answer:?}");
            };
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn a_file_of_roots_that_cannot_be_used_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "no certificate").unwrap();
        for path in [empty, folder.path().join("missing.pem")] {
            let config = OutboundConfig {
                ca_file: Some(path),
                ..OutboundConfig::default()
            };
            assert!(OutboundClient::trusted(&config).is_err());
        }
    }
}
