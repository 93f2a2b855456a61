//! Whose request it is when it comes through a proxy.

use axum::http::HeaderMap;
use std::net::{IpAddr, SocketAddr};

/// The address that a request comes from.
///
/// `X-Forwarded-For` counts only as far as proxies that are trusted wrote it: from the right, up to the first
/// address that is none of theirs.
pub(super) fn client_address(
    peer: SocketAddr,
    headers: &HeaderMap,
    trusted_proxies: &[IpAddr],
) -> SocketAddr {
    let mut client = peer;
    if trusted_proxies.is_empty() {
        return client;
    }
    let lists = headers.get_all("x-forwarded-for").iter();
    let mut hops: Vec<&str> = Vec::new();
    for list in lists.filter_map(|value| value.to_str().ok()) {
        hops.extend(list.split(',').map(str::trim));
    }
    while trusted_proxies.contains(&client.ip().to_canonical()) {
        let Some(Ok(before)) = hops.pop().map(str::parse::<IpAddr>) else {
            break;
        };
        client = SocketAddr::new(before, 0);
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn check(peer: &str, forwarded: &'static str, expected: &str) {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static(forwarded));
        let peer = SocketAddr::new(peer.parse().unwrap(), 5000);
        let proxies = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];

        let client = client_address(peer, &headers, &proxies);

        assert_eq!(client.ip().to_string(), expected, "{forwarded}");
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        check("10.0.0.1", "203.0.113.9", "203.0.113.9");
        check("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9");
        check("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9");
        check("203.0.113.7", "1.1.1.1", "203.0.113.7");
        check("10.0.0.1", "nonsense", "10.0.0.1");
        check("10.0.0.1", "", "10.0.0.1");
    }
}
