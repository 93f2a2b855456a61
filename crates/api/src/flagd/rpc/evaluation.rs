//! Flags asked for by a call: one evaluation for both versions, whatever carries the question.

use super::answer::{Answered, FlagType};
use super::context::sent_context;
use super::json_read::{Question, read_question};
use super::json_write::object_json;
use super::metadata::SetMetadata;
use super::methods::{Method, Version};
use super::{all, impressions};
use crate::grpc::status_of;
use crate::sdk_labels;
use crate::state::ApiState;
use axum::http::HeaderMap;
use bytes::Bytes;
use flagstaff_core::Resolution;
use flagstaff_proto::flagd::evaluation::v1;
use flagstaff_service::{
    EvaluationCount, OpenEnvironment, Recognised, RequestKind, SentContext, Wanted,
};
use prost::Message;
use prost_types::Struct;
use serde_json::Value as Json;
use tonic::Status;

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Proto,
    Json,
}

/// A call for flags: what came with it, without its frame.
pub(super) struct Ask<'a> {
    pub(super) state: &'a ApiState,
    pub(super) open: &'a OpenEnvironment,
    pub(super) headers: &'a HeaderMap,
    pub(super) version: Version,
    pub(super) method: Method,
    pub(super) codec: Codec,
    pub(super) message: &'a [u8],
}

impl Ask<'_> {
    /// Answers with a message in the encoding of the question.
    ///
    /// # Errors
    /// The statuses of the protocol; none of them bears on another call.
    pub(super) async fn answer(&self) -> Result<Bytes, Status> {
        let question = self.question()?;
        let limit = self.state.config().traits;
        let sent = sent_context(question.context, limit);
        let sent = sent.map_err(|problem| Status::invalid_argument(problem.to_string()))?;
        let key = &question.flag_key;
        match self.method {
            Method::All => self.all(sent).await,
            Method::Boolean => self.one::<bool>(key, sent).await,
            Method::String => self.one::<String>(key, sent).await,
            Method::Int => self.one::<i64>(key, sent).await,
            Method::Float => self.one::<f64>(key, sent).await,
            Method::Object => self.one::<Struct>(key, sent).await,
            // A stream, which is answered elsewhere.
            Method::Events => Err(Status::unimplemented("the method is a stream")),
        }
    }

    fn question(&self) -> Result<Question, Status> {
        let invalid = |problem: String| Status::invalid_argument(problem);
        match self.codec {
            Codec::Json => read_question(self.message, self.state.config()).map_err(invalid),
            // Requests are the same in both versions, but that for all flags has no key.
            Codec::Proto if self.method == Method::All => {
                let request = v1::ResolveAllRequest::decode(self.message);
                let request = request.map_err(|error| invalid(error.to_string()))?;
                Ok(Question {
                    flag_key: String::new(),
                    context: request.context,
                })
            }
            Codec::Proto => {
                let request = v1::ResolveBooleanRequest::decode(self.message);
                let request = request.map_err(|error| invalid(error.to_string()))?;
                Ok(Question {
                    flag_key: request.flag_key,
                    context: request.context,
                })
            }
        }
    }

    async fn one<T: FlagType>(&self, key: &str, sent: SentContext) -> Result<Bytes, Status> {
        let recognised = self.recognise(sent, Wanted::Flag(key)).await?;
        let resolution = self.open.resolution(&recognised, key);
        let resolution = resolution.ok_or_else(|| Status::not_found("there is no such flag"))?;
        let metadata = SetMetadata::of(self.open).with(&resolution);
        let answered = Answered::<T>::of(&resolution, metadata, self.version)?;
        self.count(&[resolution]);
        Ok(match self.codec {
            Codec::Json => json(&answered.to_json(self.version)),
            Codec::Proto => T::message(answered, self.version).into(),
        })
    }

    async fn all(&self, sent: SentContext) -> Result<Bytes, Status> {
        let recognised = self.recognise(sent, Wanted::Flags).await?;
        let resolutions = self.open.resolutions(&recognised);
        let set = SetMetadata::of(self.open);
        let flags = all::flags(&resolutions, &set);
        self.count(&resolutions);
        Ok(match self.codec {
            Codec::Json => json(&all::to_json(&flags, &object_json(&set.alone()))),
            Codec::Proto => all::message(flags, set.alone()).into(),
        })
    }

    async fn recognise(&self, sent: SentContext, wanted: Wanted<'_>) -> Result<Recognised, Status> {
        let service = self.state.service();
        let recognised = service.recognise(self.open, sent, wanted).await;
        let recognised = recognised.map_err(|error| status_of(&error))?;
        let kind = if recognised.identifier().is_some() {
            RequestKind::Identities
        } else {
            RequestKind::Flags
        };
        service.count_request(self.open, kind, &sdk_labels::of(self.headers));
        Ok(recognised)
    }

    /// Counts what was answered: in the usage that members see, and in the metrics.
    fn count(&self, resolutions: &[Resolution<'_>]) {
        let evaluations = resolutions.iter().map(|resolution| EvaluationCount {
            feature: resolution.key.to_owned(),
            enabled: Some(resolution.value.is_some()),
            variant: resolution
                .variant
                .as_ref()
                .map(|variant| variant.client_name().to_owned()),
            count: 1,
        });
        let evaluations: Vec<_> = evaluations.collect();
        let labels = sdk_labels::of(self.headers);
        let service = self.state.service();
        service.count_evaluations(self.open, &evaluations, &labels);
        for resolution in resolutions {
            impressions::count(self.state, resolution);
        }
    }
}

fn json(value: &Json) -> Bytes {
    value.to_string().into()
}
