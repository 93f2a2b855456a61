//! The routes that people, their dashboard, scripts and Terraform manage flags with.
//!
//! One file per noun, named as in `service`. What several nouns share stands in [`state_bodies`], [`state_values`]
//! and [`lists`].

mod account_links;
mod accounts;
mod api_keys;
mod audit;
mod edge_identities;
mod environments;
mod experiments;
mod feature_body;
mod feature_files;
mod feature_owners;
mod feature_segments;
mod feature_state_rows;
mod feature_states;
mod features;
mod flag_values;
mod flagd_integrations;
mod future;
mod grants;
mod identities;
mod identity_overrides;
mod identity_traits;
mod invites;
pub(crate) mod lists;
mod multivariate_options;
mod option_body;
mod organisation_members;
mod organisations;
mod permissions;
mod projects;
mod segment_body;
mod segment_overrides;
mod segments;
mod server_keys;
mod sign_in;
mod state_bodies;
mod state_values;
mod tags;
pub(crate) mod times;
mod usage;
mod version_states;
mod versions;
mod words_of_ours;

use crate::routes::Routes;

/// Adds the routes.
pub(crate) fn routes(routes: Routes) -> Routes {
    let routes = sign_in::routes(routes);
    let routes = accounts::routes(routes);
    let routes = account_links::routes(routes);
    let routes = api_keys::routes(routes);
    let routes = organisations::routes(routes);
    let routes = organisation_members::routes(routes);
    let routes = invites::routes(routes);
    let routes = projects::routes(routes);
    let routes = flagd_integrations::routes(routes);
    let routes = audit::routes(routes);
    let routes = usage::routes(routes);
    let routes = permissions::routes(routes);
    let routes = grants::routes(routes);
    let routes = tags::routes(routes);
    let routes = features::routes(routes);
    let routes = feature_owners::routes(routes);
    let routes = feature_files::routes(routes);
    let routes = multivariate_options::routes(routes);
    let routes = segments::routes(routes);
    let routes = environments::routes(routes);
    let routes = server_keys::routes(routes);
    let routes = feature_states::routes(routes);
    let routes = feature_state_rows::routes(routes);
    let routes = feature_segments::routes(routes);
    let routes = experiments::routes(routes);
    let routes = future::routes(routes);
    let routes = segment_overrides::routes(routes);
    let routes = versions::routes(routes);
    let routes = version_states::routes(routes);
    let routes = identities::routes(routes);
    let routes = identity_overrides::routes(routes);
    let routes = identity_traits::routes(routes);
    edge_identities::routes(routes)
}
