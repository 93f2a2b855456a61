//! Counters and durations of each route, looked up once instead of with every request.

use axum::http::{Method, StatusCode};
use metrics::{Counter, Histogram};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Route label of a path that nothing answers.
pub(crate) const UNMATCHED: &str = "unmatched";

const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other",
];
const STATUSES: [u16; 20] = [
    200, 201, 204, 301, 304, 400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 422, 429, 500, 503,
    0,
];

/// The meters of every route, by its template: paths hold keys and are no labels.
pub(crate) struct Meters {
    routes: HashMap<&'static str, Arc<RouteMeters>>,
    unmatched: Arc<RouteMeters>,
}

impl Meters {
    pub(crate) fn new(templates: impl IntoIterator<Item = &'static str>) -> Self {
        let routes = templates.into_iter();
        Self {
            routes: routes
                .map(|route| (route, Arc::new(RouteMeters::new(route))))
                .collect(),
            unmatched: Arc::new(RouteMeters::new(UNMATCHED)),
        }
    }

    /// The meters of a route.
    pub(crate) fn of(&self, template: &str) -> Arc<RouteMeters> {
        let route = self.routes.get(template).unwrap_or(&self.unmatched);
        Arc::clone(route)
    }
}

/// The meters of one route. Made on first use: most routes see few methods and statuses.
pub(crate) struct RouteMeters {
    route: &'static str,
    answers: Box<[OnceLock<Counter>]>,
    seconds: [OnceLock<Histogram>; METHODS.len()],
}

impl RouteMeters {
    fn new(route: &'static str) -> Self {
        let cells = METHODS.len() * STATUSES.len();
        Self {
            route,
            answers: std::iter::repeat_with(OnceLock::new).take(cells).collect(),
            seconds: Default::default(),
        }
    }

    /// The template of the route, which is its label.
    pub(crate) const fn route(&self) -> &'static str {
        self.route
    }

    /// Counts one answer.
    pub(crate) fn count(&self, method: &Method, status: StatusCode, took: Duration) {
        let route = self.route;
        let method = position(&METHODS, &method.as_str());
        let status = position(&STATUSES, &status.as_u16());
        let answers = self.answers[method * STATUSES.len() + status].get_or_init(|| {
            let status = match STATUSES[status] {
                0 => "other".to_owned(),
                status => status.to_string(),
            };
            metrics::counter!(
                "flagstaff_http_requests_total",
                "method" => METHODS[method], "route" => route, "status" => status
            )
        });
        answers.increment(1);
        let seconds = self.seconds[method].get_or_init(|| {
            metrics::histogram!(
                "flagstaff_http_request_seconds",
                "method" => METHODS[method], "route" => route
            )
        });
        seconds.record(took.as_secs_f64());
    }
}

/// Where a value stands; the last place is for all others.
fn position<T: PartialEq>(known: &[T], value: &T) -> usize {
    let last = known.len() - 1;
    known.iter().position(|each| each == value).unwrap_or(last)
}
