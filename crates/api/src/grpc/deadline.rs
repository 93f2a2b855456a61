//! How long a caller waits for an answer, as it says in the header `grpc-timeout`.

use axum::http::{HeaderMap, HeaderName};
use std::future::Future;
use std::time::Duration;
use tonic::Status;

static TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// Digits that a timeout may have, by the specification of gRPC over HTTP/2.
const DIGITS: usize = 8;

/// How long the caller waits; `None` where it does not say.
///
/// # Errors
/// `INVALID_ARGUMENT` for what is no time.
pub(crate) fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get(&TIMEOUT) else {
        return Ok(None);
    };
    match value.to_str().ok().and_then(read) {
        Some(limit) => Ok(Some(limit)),
        None => Err(Status::invalid_argument(
            "`grpc-timeout` must be 1 to 8 digits and one of H, M, S, m, u, n",
        )),
    }
}

fn read(text: &str) -> Option<Duration> {
    let split = text.len().checked_sub(1)?;
    let (digits, unit) = text.split_at_checked(split)?;
    let is_number =
        (1..=DIGITS).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number: u64 = is_number.then(|| digits.parse().ok())??;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// What is answered within the time that the caller waits.
///
/// # Errors
/// What the answer itself fails with, and `DEADLINE_EXCEEDED`.
pub(crate) async fn within<T>(
    limit: Option<Duration>,
    answer: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    let Some(limit) = limit else {
        return answer.await;
    };
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Status::deadline_exceeded("the answer took too long")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn timeouts_are_a_few_digits_and_a_unit() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(&TIMEOUT, HeaderValue::from_static(value));
            timeout(&headers).ok().flatten()
        };

        assert_eq!(timeout(&HeaderMap::new()).unwrap(), None);
        assert_eq!(read("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(read("3M"), Some(Duration::from_secs(180)));
        assert_eq!(read("4S"), Some(Duration::from_secs(4)));
        assert_eq!(read("500m"), Some(Duration::from_millis(500)));
        assert_eq!(read("6u"), Some(Duration::from_micros(6)));
        assert_eq!(read("0n"), Some(Duration::ZERO));
        assert_eq!(
            read("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3600))
        );
        for refused in [
            "",
            "S",
            "1",
            "1s",
            "-1S",
            "+1S",
            "1.5S",
            "100000000S",
            "1 S",
        ] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }
}
