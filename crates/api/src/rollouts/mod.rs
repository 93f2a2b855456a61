//! `rollouts/`: one option of a feature, or the feature itself, given to more and more people.

mod apply;
mod body;
mod flagd_sync;
mod guards;
mod hooks;
mod shape;
mod signals;
mod views;

use crate::routes::Routes;

/// Adds the routes.
pub(crate) fn routes(routes: Routes) -> Routes {
    let routes = views::routes(routes);
    let routes = guards::routes(routes);
    let routes = signals::routes(routes);
    let routes = hooks::routes(routes);
    let routes = apply::routes(routes);
    flagd_sync::routes(routes)
}
