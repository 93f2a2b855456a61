//! What the plugin tells Rollops about itself.
//!
//! The daemon's policy decides by it, before anything is called. Its list of allowed hosts is empty and cannot be filled,
//! so a host that is declared here is a plugin that is refused: none is, unless somebody asks for it. Of variables it
//! refuses those it does not hand down, so only those are declared that are there.

use crate::settings::{DECLARE_HOSTS, VARIABLES, Variables};
use flagstaff_proto::rollops::plugin::v1::{
    Capability, GetManifestResponse, SafetyRequirements, ToolDef,
};
use serde_json::json;

/// What the plugin is for, in the words of Rollops.
pub(crate) const CAPABILITY: &str = "featureflag";
/// Its one tool.
pub(crate) const TOOL: &str = "apply_flag";

/// The manifest, with these variables.
pub(crate) fn manifest(variables: Variables<'_>) -> GetManifestResponse {
    let is_there = |name: &&str| variables(name).is_some_and(|text| !text.is_empty());
    let hosts = variables(DECLARE_HOSTS).unwrap_or_default();
    let hosts = hosts.split(',').map(str::trim);
    GetManifestResponse {
        name: "flagstaff/flagsmith".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api_version: "v1".to_owned(),
        capabilities: vec![Capability {
            name: CAPABILITY.to_owned(),
            description: "Feature-flag provider".to_owned(),
            tools: vec![ToolDef {
                name: TOOL.to_owned(),
                description: "Sets how far a flag is rolled out in an environment".to_owned(),
                mutating: true,
                risk_class: String::new(),
            }],
        }],
        safety: Some(SafetyRequirements {
            network_hosts: hosts
                .filter(|host| !host.is_empty())
                .map(str::to_owned)
                .collect(),
            file_paths: Vec::new(),
            env_vars: VARIABLES
                .iter()
                .filter(|name| is_there(name))
                .map(|name| (*name).to_owned())
                .collect(),
            risk_class: "active".to_owned(),
            needs_confirmation: false,
        }),
        contracts: Vec::new(),
    }
}

/// The manifest, for people.
pub(crate) fn to_json(manifest: &GetManifestResponse) -> String {
    let tool = |tool: &ToolDef| json!({ "name": tool.name, "description": tool.description, "mutating": tool.mutating });
    let capabilities = manifest.capabilities.iter().map(|each| {
        json!({
            "name": each.name,
            "description": each.description,
            "tools": each.tools.iter().map(tool).collect::<serde_json::Value>(),
        })
    });
    let safety = manifest.safety.clone().unwrap_or_default();
    let body = json!({
        "name": manifest.name,
        "version": manifest.version,
        "api_version": manifest.api_version,
        "capabilities": capabilities.collect::<serde_json::Value>(),
        "safety": {
            "network_hosts": safety.network_hosts,
            "file_paths": safety.file_paths,
            "env_vars": safety.env_vars,
            "risk_class": safety.risk_class,
            "needs_confirmation": safety.needs_confirmation,
        },
    });
    format!("{body:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safety(variables: &[(&str, &str)]) -> SafetyRequirements {
        let of = |name: &str| {
            let found = variables.iter().find(|(each, _)| *each == name);
            found.map(|(_, text)| (*text).to_owned())
        };
        manifest(&of).safety.unwrap()
    }

    #[test]
    fn rol_4_no_host_is_declared_unless_somebody_asks_for_it() {
        let none = safety(&[("FLAGSMITH_API_URL", "https://flags.example.com/api/v1")]);
        let asked = safety(&[(DECLARE_HOSTS, "flags.example.com:443, b:80,")]);

        assert!(none.network_hosts.is_empty());
        assert_eq!(asked.network_hosts, ["flags.example.com:443", "b:80"]);
    }

    #[test]
    fn rol_4_only_variables_that_are_there_are_declared() {
        let safety = safety(&[
            ("FLAGSMITH_TOKEN", "x"),
            ("FLAGSMITH_API_URL", ""),
            ("PATH", "/bin"),
        ]);

        assert_eq!(safety.env_vars, ["FLAGSMITH_TOKEN"]);
        assert_eq!(safety.risk_class, "active");
        assert!(!safety.needs_confirmation);
    }
}
