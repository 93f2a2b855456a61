//! Health and reflection.

use super::code;
use crate::face::Face;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

#[tokio::test]
async fn a_ready_server_says_so_without_a_key() {
    let face = Face::start().await;
    let mut health = HealthClient::new(face.router());

    let answer = health.check(about("")).await.unwrap();
    let unknown = health.check(about("nobody")).await;

    assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
    assert_eq!(code(&unknown), Code::NotFound);
}

#[tokio::test]
async fn every_service_that_is_there_can_be_asked_after_by_its_name() {
    let face = Face::start().await;
    let mut health = HealthClient::new(face.router());

    let mut names = services(&face).await;

    assert!(names.len() >= 5, "{names:?}");
    // An older name of a service that is described, and an older way to describe.
    names.push("schema.v1.Service".to_owned());
    names.push("grpc.reflection.v1alpha.ServerReflection".to_owned());
    for name in names {
        let answer = health.check(about(&name)).await;
        assert_eq!(code(&answer), Code::Ok, "{name}");
        let status = answer.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{name}");
    }
}

#[tokio::test]
async fn a_server_without_its_database_is_not_serving() {
    let face = Face::start().await;
    face.store.close().await;
    let mut health = HealthClient::new(face.router());

    let answer = health.check(about("")).await.unwrap();

    assert_eq!(answer.into_inner().status(), ServingStatus::NotServing);
}

#[tokio::test]
async fn whoever_watches_health_hears_the_state_and_the_end() {
    let face = Face::start().await;
    let mut health = HealthClient::new(face.router());
    let mut watched = health.watch(about("")).await.unwrap().into_inner();
    let mut unknown = health.watch(about("nobody")).await.unwrap().into_inner();

    let first = watched.message().await.unwrap().unwrap();
    let of_unknown = unknown.message().await.unwrap().unwrap();
    face.state.close_streams();
    let end = watched.message().await.unwrap_err();

    assert_eq!(first.status(), ServingStatus::Serving);
    assert_eq!(of_unknown.status(), ServingStatus::ServiceUnknown);
    assert_eq!(end.code(), Code::Unavailable);
}

/// The services that reflection lists.
async fn services(face: &Face) -> Vec<String> {
    let mut reflection = ServerReflectionClient::new(face.router());
    let question = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };

    let answers = reflection.server_reflection_info(tokio_stream::once(question));
    let answer = answers.await.unwrap().into_inner().message().await;

    let Some(MessageResponse::ListServicesResponse(list)) =
        answer.unwrap().unwrap().message_response
    else {
        panic!("no list");
    };
    list.service.into_iter().map(|each| each.name).collect()
}

#[tokio::test]
async fn tools_can_list_the_services() {
    let face = Face::start().await;

    let names = services(&face).await;

    for name in [
        "flagd.evaluation.v1.Service",
        "flagd.evaluation.v2.Service",
        "flagd.sync.v1.FlagSyncService",
        "grpc.health.v1.Health",
    ] {
        assert!(names.iter().any(|each| each == name), "{names:?}");
    }
}
