use crate::face::{Face, SERVER_KEY};
use flate2::read::GzDecoder;
use std::io::Read as _;

const DOCUMENT: &str = "/api/v1/environment-document/";

#[tokio::test]
async fn a_change_within_the_same_second_is_never_hidden_by_a_304() {
    let face = Face::start().await;
    face.set_allow_client_traits(false).await;
    let first = face.get_with(SERVER_KEY, DOCUMENT).send().await;
    let shown = first.header("last-modified").unwrap();
    let ask = async || {
        let get = face.get_with(SERVER_KEY, DOCUMENT);
        get.header("if-modified-since", shown).send().await
    };

    face.update_within_the_second().await;
    let after_change = ask().await;
    face.pass_seconds(60);
    let later = ask().await;

    assert_eq!((after_change.status, later.status), (200, 200));
}

#[tokio::test]
async fn an_unchanged_document_is_told_by_time_and_by_tag() {
    let face = Face::start().await;
    face.pass_seconds(60);
    let first = face.get_with(SERVER_KEY, DOCUMENT).send().await;
    let ask = async |name: &str, value: &str| {
        let get = face.get_with(SERVER_KEY, DOCUMENT).header(name, value);
        get.send().await
    };

    let by_time = ask("if-modified-since", first.header("last-modified").unwrap()).await;
    let by_tag = ask("if-none-match", first.header("etag").unwrap()).await;
    let by_unknown_tag = ask("if-none-match", "\"unknown\"").await;

    assert_eq!((by_time.status, by_time.body.len()), (304, 0));
    assert_eq!((by_tag.status, by_tag.body.len()), (304, 0));
    assert_eq!(by_tag.header("etag"), first.header("etag"));
    assert_eq!(by_unknown_tag.status, 200);
}

#[tokio::test]
async fn a_compressed_document_is_the_document_under_another_tag() {
    let face = Face::start().await;
    let plain = face.get_with(SERVER_KEY, DOCUMENT).send().await;

    let get = face
        .get_with(SERVER_KEY, DOCUMENT)
        .header("accept-encoding", "gzip, br");
    let packed = get.send().await;

    let mut unpacked = Vec::new();
    GzDecoder::new(&*packed.body)
        .read_to_end(&mut unpacked)
        .unwrap();
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(unpacked, plain.body);
    assert!(packed.body.len() < plain.body.len() / 2);
    assert_ne!(packed.header("etag"), plain.header("etag"));
}

#[tokio::test]
async fn two_answers_about_one_state_have_the_same_bytes() {
    let face = Face::start().await;

    let first = face.get_with(SERVER_KEY, DOCUMENT).send().await;
    let second = face.get_with(SERVER_KEY, DOCUMENT).send().await;

    assert_eq!(first.body, second.body);
}
