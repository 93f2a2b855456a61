//! ROL-3 and ROL-4: what goes over the socket, byte for byte.

use crate::host::{Plugin, invocation, invocation_of};
use flagstaff_proto::rollops::plugin::v1::{
    Capability, GetManifestRequest, GetManifestResponse, InvokeToolRequest, InvokeToolResponse,
    SafetyRequirements, ToolDef,
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tonic::Code;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn rol_3_messages_are_encoded_as_the_vectors_say() {
    let manifest = GetManifestRequest {
        api_version: "v1".to_owned(),
    };
    let answer = InvokeToolResponse {
        output: b"{}".to_vec(),
    };
    let input = r#"{"flag":"checkout","environment":"ENVKEY","percentage":25,"disabled":false}"#;
    let call = InvokeToolRequest {
        capability: "featureflag".to_owned(),
        tool: "apply_flag".to_owned(),
        input: input.into(),
    };

    assert_eq!(hex(&manifest.encode_to_vec()), "0a027631");
    assert_eq!(hex(&answer.encode_to_vec()), "0a027b7d");
    let bytes = call.encode_to_vec();
    assert_eq!(bytes.len(), 102);
    assert_eq!(
        hex(&bytes[..27]),
        "0a0b66656174757265666c6167120a6170706c795f666c61671a4b"
    );
    assert_eq!(bytes, invocation(input));
}

#[test]
fn rol_3_the_manifest_of_the_first_plugin_is_encoded_as_its_own_language_does() {
    let manifest = GetManifestResponse {
        name: "klarlabs/flagsmith".to_owned(),
        version: "dev".to_owned(),
        api_version: "v1".to_owned(),
        capabilities: vec![Capability {
            name: "featureflag".to_owned(),
            description: "Feature-flag provider".to_owned(),
            tools: vec![ToolDef {
                name: "apply_flag".to_owned(),
                description: "Set a flag's rollout percentage / state".to_owned(),
                mutating: true,
                risk_class: String::new(),
            }],
        }],
        safety: Some(SafetyRequirements {
            network_hosts: vec!["api.flagsmith.com:443".to_owned()],
            file_paths: Vec::new(),
            env_vars: [
                "FLAGSMITH_API_URL",
                "FLAGSMITH_TOKEN",
                "FLAGSMITH_PROJECT_ID",
            ]
            .map(str::to_owned)
            .to_vec(),
            risk_class: "active".to_owned(),
            needs_confirmation: false,
        }),
        contracts: Vec::new(),
    };

    let bytes = manifest.encode_to_vec();

    assert_eq!(bytes.len(), 215);
    assert_eq!(
        hex(&Sha256::digest(&bytes)),
        "d6dad2d94dfd7592ac25ebd5f680505ea283a25ecb92e8d31ecfee3e23c28f6d"
    );
}

#[tokio::test]
async fn rol_4_the_manifest_on_the_wire_declares_no_host_and_only_what_is_there() {
    let plugin = Plugin::launch(&[
        ("FLAGSMITH_TOKEN", "x"),
        ("FLAGSTAFF_ROLLOPS__MODE", "value"),
    ]);

    // A field that this version does not know (number 15) is passed over.
    let bytes = plugin
        .call("GetManifest", b"\x0a\x02v1\x7a\x01z")
        .await
        .unwrap();

    let manifest = GetManifestResponse::decode(&*bytes).unwrap();
    assert_eq!(manifest.name, "flagstaff/flagsmith");
    assert_eq!(manifest.api_version, "v1");
    assert_eq!(manifest.capabilities[0].name, "featureflag");
    assert_eq!(manifest.capabilities[0].tools[0].name, "apply_flag");
    assert!(manifest.capabilities[0].tools[0].mutating);
    let safety = manifest.safety.unwrap();
    assert!(safety.network_hosts.is_empty());
    assert_eq!(
        safety.env_vars,
        ["FLAGSMITH_TOKEN", "FLAGSTAFF_ROLLOPS__MODE"]
    );
    assert_eq!(safety.risk_class, "active");
    assert!(!safety.needs_confirmation);
    // The same words, encoded by hand.
    let tool = [
        field(1, b"apply_flag"),
        field(2, b"Sets how far a flag is rolled out in an environment"),
        vec![0x18, 0x01],
    ];
    let capability = [
        field(1, b"featureflag"),
        field(2, b"Feature-flag provider"),
        field(3, &tool.concat()),
    ];
    let safety = [
        field(3, b"FLAGSMITH_TOKEN"),
        field(3, b"FLAGSTAFF_ROLLOPS__MODE"),
        field(4, b"active"),
    ];
    let expected = [
        field(1, b"flagstaff/flagsmith"),
        field(2, env!("CARGO_PKG_VERSION").as_bytes()),
        field(3, b"v1"),
        field(4, &capability.concat()),
        field(5, &safety.concat()),
    ];
    assert_eq!(hex(&bytes), hex(&expected.concat()));
}

/// A field with a length, shorter than 128 bytes each.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 128);
    let head = [number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
    [&head, bytes].concat()
}

#[tokio::test]
async fn rol_3_tools_that_are_not_there_are_an_error_that_names_them() {
    let plugin = Plugin::launch(&[]);

    for (capability, tool) in [("featureflag", "drop_flag"), ("target", "apply"), ("", "")] {
        let message = invocation_of(capability, tool, "{}");
        let status = plugin.call("InvokeTool", &message).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);
        let expected = format!("plugin: unknown tool \"{capability}/{tool}\"");
        assert_eq!(status.message(), expected);
    }
    let unknown = plugin.call("Apply", b"").await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
}

#[tokio::test]
async fn rol_3_bytes_that_are_no_message_end_nothing() {
    let plugin = Plugin::launch(&[]);

    let broken = plugin.call("InvokeTool", b"\x0a\xff").await.unwrap_err();

    assert_ne!(broken.code(), Code::Ok);
    assert!(plugin.call("GetManifest", b"").await.is_ok());
}
