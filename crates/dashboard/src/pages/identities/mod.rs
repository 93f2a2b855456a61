//! Identities: found among very many, one with its traits, flags and overrides, and why each flag is what it is.

mod list;
mod other;
mod overrides;
mod show;
mod traits;
mod why;

use crate::Dashboard;
use crate::answer::{Refused, encoded};
use crate::navigation::Section;
use crate::routes::Routes;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use axum::routing::get;
use flagstaff_core::{FeatureId, Identity, IdentityId};

/// Registers the pages.
pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .member(
            "/environments/{client_key}/identities",
            get(list::show).post(list::create),
        )
        .member(
            "/environments/{client_key}/identities/{identity_id}",
            get(show::show),
        )
        .member(
            "/environments/{client_key}/identities/{identity_id}/delete",
            get(other::delete_form).post(other::delete),
        )
        .member(
            "/environments/{client_key}/identities/{identity_id}/traits/new",
            get(traits::new).post(traits::create),
        )
        .member(
            "/environments/{client_key}/identities/{identity_id}/traits/{trait_id}",
            get(traits::show).post(traits::change),
        )
        .member(
            "/environments/{client_key}/identities/{identity_id}/overrides/{feature_id}",
            get(overrides::show).post(overrides::change),
        )
        .member(
            "/environments/{client_key}/identities/{identity_id}/why/{feature_id}",
            get(why::show),
        )
}

/// The address of the list.
fn list_path(client_key: &str) -> String {
    format!("/environments/{}/identities", encoded(client_key))
}

/// The address of an identity.
pub(crate) fn path(client_key: &str, id: IdentityId) -> String {
    format!("{}/{}", list_path(client_key), id.get())
}

/// The address of the page that says why.
fn why_path(client_key: &str, id: IdentityId, feature: FeatureId) -> String {
    format!("{}/why/{}", path(client_key, id), feature.get())
}

/// The address of what an identity gets in place of others.
fn override_path(client_key: &str, id: IdentityId, feature: FeatureId) -> String {
    format!("{}/overrides/{}", path(client_key, id), feature.get())
}

/// What stands around a page of an identity, and the identity.
async fn find(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    client_key: &str,
    id: i64,
) -> Result<(Shell, Identity), Refused> {
    let place = Place::Environment(client_key);
    let shell = dashboard
        .shell(signed_in, place, Section::Identities)
        .await?;
    let identity = dashboard
        .service
        .identity(&signed_in.caller, client_key, IdentityId::new(id))
        .await?;
    Ok((shell, identity))
}
