//! How software asks for a feature, in each language, with the environment's own key.

use super::frame::{Frame, Tab};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::shell::Shell;
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;

/// The page.
#[derive(Template)]
#[template(path = "features/code.html")]
struct CodePage<'a> {
    shell: &'a Shell,
    frame: &'a Frame,
    snippets: Vec<Snippet>,
}

struct Snippet {
    id: &'static str,
    title: &'static str,
    hint: &'static str,
    text: String,
}

/// `GET /environments/{client_key}/features/{feature_id}/code`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Code)
        .await?;
    let template = CodePage {
        snippets: snippets(
            &dashboard.config.public_url,
            &client_key,
            frame.feature().name.as_str(),
        ),
        shell: &frame.shell,
        frame: &frame,
    };
    Ok(frame.shell.page(StatusCode::OK, &template))
}

const BOTH: &str = "";
const LOCAL: &str =
    "With a server key the SDK evaluates by itself: it is shown under the environment's keys.";

fn snippets(url: &str, key: &str, name: &str) -> Vec<Snippet> {
    let quoted = quoted(name);
    let fill = |text: &str| {
        text.replace("{url}", url)
            .replace("{key}", key)
            .replace("\"NAME\"", &quoted)
    };
    TEXTS
        .iter()
        .map(|(id, title, hint, text)| Snippet {
            id,
            title,
            hint,
            text: fill(text),
        })
        .collect()
}

/// A name as a literal of all these languages: they share the escapes of JSON.
fn quoted(name: &str) -> String {
    serde_json::to_string(name).unwrap_or_else(|_| format!("{name:?}"))
}

const TEXTS: [(&str, &str, &str, &str); 9] = [
    (
        "javascript",
        "JavaScript in browsers",
        "npm install flagsmith",
        r#"import flagsmith from "flagsmith";

await flagsmith.init({ environmentID: "{key}", api: "{url}/api/v1/" });
flagsmith.hasFeature("NAME");
flagsmith.getValue("NAME");"#,
    ),
    (
        "node",
        "Node.js",
        "npm install flagsmith-nodejs",
        r#"import { Flagsmith } from "flagsmith-nodejs";

const flagsmith = new Flagsmith({ environmentKey: "{key}", apiUrl: "{url}/api/v1/" });
const flags = await flagsmith.getIdentityFlags("user-1", { plan: "pro" });
flags.isFeatureEnabled("NAME");
flags.getFeatureValue("NAME");"#,
    ),
    (
        "python",
        "Python",
        "pip install flagsmith",
        r#"from flagsmith import Flagsmith

flagsmith = Flagsmith(environment_key="{key}", api_url="{url}/api/v1/")
flags = flagsmith.get_identity_flags("user-1", traits={"plan": "pro"})
flags.is_feature_enabled("NAME")
flags.get_feature_value("NAME")"#,
    ),
    (
        "java",
        "Java",
        "com.flagsmith:flagsmith-java-client",
        r#"FlagsmithClient flagsmith = FlagsmithClient.newBuilder()
    .setApiKey("{key}")
    .withConfiguration(FlagsmithConfig.newBuilder().baseUri("{url}/api/v1/").build())
    .build();
Flags flags = flagsmith.getIdentityFlags("user-1");
flags.isFeatureEnabled("NAME");
flags.getFeatureValue("NAME");"#,
    ),
    (
        "go",
        "Go",
        "go get github.com/Flagsmith/flagsmith-go-client/v5",
        r#"client := flagsmith.NewClient("{key}", flagsmith.WithBaseURL("{url}/api/v1/"))
flags, err := client.GetIdentityFlags(ctx, "user-1", nil)
enabled, err := flags.IsFeatureEnabled("NAME")
value, err := flags.GetFeatureValue("NAME")"#,
    ),
    (
        "rust",
        "Rust",
        "cargo add flagsmith",
        r#"let options = FlagsmithOptions { api_url: "{url}/api/v1/".into(), ..Default::default() };
let flagsmith = Flagsmith::new("{key}".into(), options);
let flags = flagsmith.get_identity_flags("user-1", None, None)?;
flags.is_feature_enabled("NAME")?;
flags.get_feature_value_as_string("NAME")?;"#,
    ),
    (
        "ofrep",
        "OpenFeature by OFREP",
        "npm install @openfeature/server-sdk @openfeature/ofrep-provider",
        r#"import { OpenFeature } from "@openfeature/server-sdk";
import { OFREPProvider } from "@openfeature/ofrep-provider";

await OpenFeature.setProviderAndWait(
  new OFREPProvider({ baseUrl: "{url}", headers: { Authorization: "Bearer {key}" } }));
const client = OpenFeature.getClient();
await client.getBooleanValue("NAME", false, { targetingKey: "user-1" });"#,
    ),
    (
        "curl",
        "curl",
        BOTH,
        r#"curl -H 'X-Environment-Key: {key}' '{url}/api/v1/flags/'"#,
    ),
    (
        "flagd",
        "flagd",
        LOCAL,
        r#"flagd start --sources='[{"uri":"{url}/api/v1/flagd/flags.json","provider":"http","authHeader":"Bearer <server key>"}]'"#,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_keys_stand_in_every_snippet_as_the_language_writes_them() {
        let snippets = snippets("https://flags.example.com", "abc", "a\"b");

        for snippet in &snippets {
            assert!(
                snippet.text.contains("https://flags.example.com"),
                "{}",
                snippet.text
            );
            assert!(!snippet.text.contains("\"NAME\""), "{}", snippet.text);
        }
        assert!(snippets[0].text.contains(r#"hasFeature("a\"b")"#));
        assert!(snippets[0].text.contains("environmentID: \"abc\""));
    }
}
