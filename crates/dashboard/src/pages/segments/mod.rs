//! Segments: the list, one to be read or edited, what it is used for, copies and the end of one.

mod edit;
mod form;
mod list;
mod other;
mod trial;
mod uses;

use crate::answer::encoded;
use crate::routes::Routes;
use axum::routing::get;
use flagstaff_core::SegmentId;

/// Registers the pages.
pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .member("/environments/{client_key}/segments", get(list::show))
        .member(
            "/environments/{client_key}/segments/new",
            get(edit::new).post(edit::create),
        )
        .member(
            "/environments/{client_key}/segments/{segment_id}",
            get(edit::show).post(edit::change),
        )
        .member(
            "/environments/{client_key}/segments/{segment_id}/copy",
            get(other::copy_form).post(other::copy),
        )
        .member(
            "/environments/{client_key}/segments/{segment_id}/delete",
            get(other::delete_form).post(other::delete),
        )
}

/// The address of the list.
pub(crate) fn list_path(client_key: &str) -> String {
    format!("/environments/{}/segments", encoded(client_key))
}

/// The address of a segment.
pub(crate) fn path(client_key: &str, id: SegmentId) -> String {
    format!("{}/{}", list_path(client_key), id.get())
}
