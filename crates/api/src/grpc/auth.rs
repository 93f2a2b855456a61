//! Ways to authenticate a call, one of which every gRPC route declares.

use crate::auth::{Open, Presented};
use crate::state::ApiState;
use std::future::Future;
use tonic::Status;

/// A way to authenticate a call. Some protocols carry credentials within the message itself: such a way reads `M`;
/// others ask for none of it, which is `()`.
pub(crate) trait CallAuth<M = ()>: Clone + Send + Sync + 'static {
    /// Who asks, or what they opened. It is handed to the handler, or lies in the request's extensions.
    type Subject: Clone + Send + Sync + 'static;

    fn authenticate(
        &self,
        state: &ApiState,
        presented: Presented<'_>,
        message: &M,
    ) -> impl Future<Output = Result<Self::Subject, Status>> + Send;
}

impl<M: Sync> CallAuth<M> for Open {
    type Subject = ();

    async fn authenticate(&self, _: &ApiState, _: Presented<'_>, _: &M) -> Result<(), Status> {
        Ok(())
    }
}
