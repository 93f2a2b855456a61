//! Why streams end, as flagd's clients are told.

use super::credentials::not_served;
use crate::follower::End;
use crate::grpc::with_pushback;
use tonic::Status;

/// The status at the end of a stream.
pub(in crate::flagd) fn status_of_end(end: End) -> Status {
    match end {
        End::Stopping => with_pushback(Status::unavailable("the server stops")),
        End::KeyWithdrawn => Status::permission_denied("the key opens the environment no more"),
        End::SwitchedOff => not_served(),
        End::Deleted => Status::not_found("the environment was deleted"),
        End::TooSlow => Status::resource_exhausted(
            "the reader is too slow: it took longer than it may to take what it was sent",
        ),
        End::Failed => with_pushback(Status::unavailable("what is published cannot be found out")),
    }
}
