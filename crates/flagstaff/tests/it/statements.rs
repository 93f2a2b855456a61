//! How many statements the database is asked to run for a page: as many for thirty rows as for one.

use crate::database::Database;
use crate::desk::Desk;
use crate::http::block_on;
use crate::server::Server;
use reqwest::Method;
use serde_json::Value as Json;

/// Statements that a request takes; what works in the background may add some, so the lowest of several counts.
async fn statements(desk: &Desk, server: &Server, path: &str, rows: usize) -> usize {
    let mut lowest = usize::MAX;
    for _ in 0..5 {
        let before = server.log().lines().count();
        let answer = desk.manage(server, Method::GET, path, Json::Null).await;
        assert_eq!(answer.json["results"].as_array().unwrap().len(), rows);
        lowest = lowest.min(server.log().lines().count() - before);
    }
    lowest
}

#[test]
fn a_page_of_features_takes_no_more_statements_than_a_single_feature() {
    let database = Database::sqlite();
    let prepared = Desk::prepare(&database);
    let server = Server::start_with(
        &database,
        &[("FLAGSTAFF_LOG__LEVEL", "error,sqlx::query=debug")],
    );

    block_on(async {
        let desk = prepared.sign_in(&server).await;
        let projects = desk.manage(&server, Method::GET, "projects/", Json::Null);
        let project = projects.await.json[0]["id"].clone();
        let path = format!("projects/{project}/features/");
        desk.feature(&server, "feature-0").await;
        let of_one = statements(&desk, &server, &path, 1).await;
        for number in 1..30 {
            desk.feature(&server, &format!("feature-{number}")).await;
        }

        let of_many = statements(&desk, &server, &path, 30).await;

        assert!((5..=15).contains(&of_one), "{of_one} statements for one");
        assert!(
            of_many <= of_one + 1,
            "{of_many} statements, {of_one} for one"
        );
    });
}
