//! Reading environment documents of any Flagsmith version, ours included.

use super::context_read::name_text;
use super::document_read_state::{Features, state};
use super::import::{
    ImportWarning, ImportedEnvironment, ImportedIdentity, ImportedOverride, ImportedProject,
    ImportedSegment,
};
use super::rule_read::rule;
use crate::json::json_to_trait;
use crate::malformed::{Malformed, Problem, quoted};
use crate::node::Node;
use crate::time::parse_iso;
use flagstaff_core::{EnvironmentKey, Identifier, Rule, Timestamp};
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

type Read<T> = Result<T, Malformed>;

/// Reads an environment document and says what of it cannot be kept.
///
/// # Errors
/// Where the text is not JSON, is nested more than 128 levels deep, or is no environment document.
pub fn parse_environment_document(
    text: &[u8],
) -> Result<(ImportedEnvironment, Vec<ImportWarning>), Malformed> {
    let json: Json = serde_json::from_slice(text).map_err(|error| Malformed::not_json(&error))?;
    read(&json)
}

fn read(json: &Json) -> Read<(ImportedEnvironment, Vec<ImportWarning>)> {
    let root = Node::root(json);
    let project = root.required("project")?;
    let mut features = Features::read(&root, &project)?;
    let segments = segments(&project, &mut features)?;
    let identities = identities(&root, &mut features)?;
    let flag = |name, default| optional_boolean(&root, name, default);
    let environment = ImportedEnvironment {
        row_id: optional_integer(&root, "id")?,
        api_key: api_key(&root)?,
        name: root.required("name")?.text()?.to_owned(),
        updated_at: optional_time(&root, "updated_at")?,
        allow_client_traits: flag("allow_client_traits", true)?,
        hide_sensitive_data: flag("hide_sensitive_data", false)?,
        hide_disabled_flags: match root.optional("hide_disabled_flags")? {
            Some(hides) => Some(hides.boolean()?),
            None => None,
        },
        // Documents that do not say are older than the setting.
        use_identity_composite_key_for_hashing: flag(
            "use_identity_composite_key_for_hashing",
            false,
        )?,
        use_identity_overrides_in_local_eval: flag("use_identity_overrides_in_local_eval", false)?,
        project: imported_project(&project)?,
        features: features.list,
        segments,
        identities,
    };
    let mut warnings = features.warnings;
    if !environment.use_identity_composite_key_for_hashing && is_hashed(&environment) {
        warnings.insert(0, ImportWarning::IdentitiesHashedByRowId);
    }
    Ok((environment, warnings))
}

fn api_key(root: &Node<'_>) -> Read<Arc<str>> {
    let node = root.required("api_key")?;
    let key = node.text()?;
    match EnvironmentKey::parse(key) {
        Some(parsed) if !parsed.is_server_side() => Ok(key.into()),
        Some(_) | None => Err(node.malformed(Problem::Text {
            expected: "a client-side environment key",
            found: quoted(key),
        })),
    }
}

fn imported_project(project: &Node<'_>) -> Read<ImportedProject> {
    let organisation = project.optional("organisation")?;
    let (mut organisation_name, mut persist_trait_data, mut stop_serving_flags) =
        (None, true, false);
    if let Some(organisation) = &organisation {
        if let Some(name) = organisation.optional("name")? {
            organisation_name = Some(name.text()?.to_owned());
        }
        persist_trait_data = optional_boolean(organisation, "persist_trait_data", true)?;
        stop_serving_flags = optional_boolean(organisation, "stop_serving_flags", false)?;
    }
    Ok(ImportedProject {
        row_id: optional_integer(project, "id")?,
        name: project.required("name")?.text()?.to_owned(),
        hide_disabled_flags: optional_boolean(project, "hide_disabled_flags", false)?,
        enable_realtime_updates: optional_boolean(project, "enable_realtime_updates", false)?,
        organisation_name,
        persist_trait_data,
        stop_serving_flags,
    })
}

fn segments(project: &Node<'_>, features: &mut Features) -> Read<Vec<ImportedSegment>> {
    let mut read: Vec<ImportedSegment> = Vec::new();
    let mut by_key: HashMap<Arc<str>, usize> = HashMap::new();
    let Some(list) = project.optional("segments")? else {
        return Ok(read);
    };
    for node in list.items()? {
        let segment = segment(&node, features)?;
        if let Some(other) = by_key.insert(Arc::clone(&segment.hash_key), read.len()) {
            let other = read.get(other).map_or("", |segment| segment.name.as_str());
            return Err(node.required("id")?.malformed(Problem::Collides {
                other: quoted(other),
            }));
        }
        read.push(segment);
    }
    Ok(read)
}

fn segment(node: &Node<'_>, features: &mut Features) -> Read<ImportedSegment> {
    let name = node.required("name")?.text()?.to_owned();
    let mut rules = Vec::new();
    if let Some(list) = node.optional("rules")? {
        for item in list.items()? {
            rules.push(rule(&item)?);
        }
    }
    let mut overrides = Vec::new();
    if let Some(list) = node.optional("feature_states")? {
        for item in list.items()? {
            if let Some(read) = feature_override(&item, &name, features)? {
                overrides.push(read);
            }
        }
    }
    Ok(ImportedSegment {
        hash_key: name_text(&node.required("id")?)?,
        name,
        rules,
        overrides,
    })
}

/// Reads an override; `None` and a warning where its feature has no default.
fn feature_override(
    node: &Node<'_>,
    owner: &str,
    features: &mut Features,
) -> Read<Option<ImportedOverride>> {
    let definition = node.required("feature")?;
    let name = definition.required("name")?.text()?;
    let Some(feature) = features.index(name) else {
        features.warnings.push(ImportWarning::UnknownFeature {
            feature: name.to_owned(),
            owner: owner.to_owned(),
        });
        return Ok(None);
    };
    let priority = match node.optional("feature_segment")? {
        Some(link) => optional_integer(&link, "priority")?,
        None => None,
    };
    let state = state(node, feature, features)?;
    Ok(Some(ImportedOverride {
        feature,
        priority,
        state,
    }))
}

fn identities(root: &Node<'_>, features: &mut Features) -> Read<Vec<ImportedIdentity>> {
    let mut read = Vec::new();
    let mut seen = HashSet::new();
    let Some(list) = root.optional("identity_overrides")? else {
        return Ok(read);
    };
    for node in list.items()? {
        let identity = identity(&node, features)?;
        if !seen.insert(identity.identifier.shared()) {
            return Err(node.required("identifier")?.malformed(Problem::Collides {
                other: quoted(identity.identifier.as_str()),
            }));
        }
        read.push(identity);
    }
    Ok(read)
}

fn identity(node: &Node<'_>, features: &mut Features) -> Read<ImportedIdentity> {
    let identifier_node = node.required("identifier")?;
    let text = identifier_node.text()?;
    let identifier = Identifier::parse(text).map_err(|_| {
        identifier_node.malformed(Problem::Text {
            expected: "an identifier of 1 to 2,000 characters",
            found: quoted(text),
        })
    })?;
    let mut overrides: Vec<ImportedOverride> = Vec::new();
    if let Some(list) = node.optional("identity_features")? {
        for item in list.items()? {
            let Some(read) = feature_override(&item, text, features)? else {
                continue;
            };
            if overrides.iter().any(|known| known.feature == read.feature) {
                features.warnings.push(ImportWarning::SecondOverride {
                    feature: features.name(read.feature),
                    owner: text.to_owned(),
                });
                continue;
            }
            overrides.push(read);
        }
    }
    let mut traits = Vec::new();
    if let Some(list) = node.optional("identity_traits")? {
        for item in list.items()? {
            let key = item.required("trait_key")?.text()?.into();
            traits.push((key, json_to_trait(item.required("trait_value")?.json)));
        }
    }
    Ok(ImportedIdentity {
        row_id: optional_integer(node, "django_id")?,
        identifier,
        created_at: optional_time(node, "created_date")?,
        traits,
        overrides,
    })
}

/// True where anybody's answer depends on a hash of the identity.
fn is_hashed(environment: &ImportedEnvironment) -> bool {
    let defaults = environment.features.iter().map(|feature| &feature.state);
    let overrides = environment
        .segments
        .iter()
        .flat_map(|segment| &segment.overrides)
        .map(|part| &part.state);
    let splits = environment
        .segments
        .iter()
        .flat_map(|segment| &segment.rules)
        .any(splits_by_identity);
    splits
        || defaults
            .chain(overrides)
            .any(|state| !state.weights.is_empty())
}

fn splits_by_identity(rule: &Rule) -> bool {
    rule.rules.iter().any(splits_by_identity)
        || rule
            .conditions
            .iter()
            .any(|condition| condition.operator == "PERCENTAGE_SPLIT")
}

fn optional_boolean(node: &Node<'_>, name: &str, default: bool) -> Read<bool> {
    match node.optional(name)? {
        Some(member) => member.boolean(),
        None => Ok(default),
    }
}

pub(super) fn optional_integer(node: &Node<'_>, name: &str) -> Read<Option<i64>> {
    match node.optional(name)? {
        Some(member) => member.integer().map(Some),
        None => Ok(None),
    }
}

fn optional_time(node: &Node<'_>, name: &str) -> Read<Option<Timestamp>> {
    let Some(member) = node.optional(name)? else {
        return Ok(None);
    };
    let text = member.text()?;
    match parse_iso(text) {
        Some(time) => Ok(Some(time)),
        None => Err(member.malformed(Problem::Text {
            expected: "a time",
            found: quoted(text),
        })),
    }
}
