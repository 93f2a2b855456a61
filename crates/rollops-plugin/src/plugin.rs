//! The service that Rollops calls.

use crate::apply::apply;
use crate::budget::{Budget, read_timeout};
use crate::change::Change;
use crate::failure::Failure;
use crate::log::Log;
use crate::manifest::{CAPABILITY, TOOL};
use crate::settings::Settings;
use flagstaff_proto::rollops::plugin::v1::plugin_server::Plugin;
use flagstaff_proto::rollops::plugin::v1::{
    GetManifestRequest, GetManifestResponse, InvokeToolRequest, InvokeToolResponse,
};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

/// Answers the host.
pub(crate) struct Service {
    pub(crate) manifest: GetManifestResponse,
    /// Settings that are wrong are told to whoever calls a tool: the audit trail of Rollops is where people look.
    pub(crate) settings: Result<Settings, Failure>,
    pub(crate) log: Log,
}

#[tonic::async_trait]
impl Plugin for Service {
    async fn get_manifest(
        &self,
        _: Request<GetManifestRequest>,
    ) -> Result<Response<GetManifestResponse>, Status> {
        Ok(Response::new(self.manifest.clone()))
    }

    // The work is part of this future, so that it ends with the call: a host that goes away cancels it.
    async fn invoke_tool(
        &self,
        request: Request<InvokeToolRequest>,
    ) -> Result<Response<InvokeToolResponse>, Status> {
        let budget = Budget::begin(timeout(request.metadata()));
        let call = request.into_inner();
        if (call.capability.as_str(), call.tool.as_str()) != (CAPABILITY, TOOL) {
            let (capability, tool) = (call.capability, call.tool);
            return Err(Failure::UnknownTool { capability, tool }.into());
        }
        let change = Change::parse(&call.input)?;
        let settings = self.settings.as_ref().map_err(Clone::clone)?;
        apply(settings, &change, budget, &self.log).await?;
        Ok(Response::new(InvokeToolResponse {
            output: b"{}".to_vec(),
        }))
    }
}

fn timeout(metadata: &MetadataMap) -> Option<std::time::Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    read_timeout(text)
}
