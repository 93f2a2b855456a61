//! Reading evaluation contexts: every shape that Flagsmith's Python engine takes, and errors for others.

use super::context::{Caller, EvaluationContext, Untouched, UntouchedSegment};
use super::priority::Priority;
use super::rule_read::rule;
use crate::json::{json_to_scalar, json_to_trait};
use crate::malformed::{Malformed, Problem, quoted};
use crate::node::Node;
use flagstaff_core::text::python_text;
use flagstaff_core::{
    Attributes, FeatureRules, FlagState, Hash, PatternBudget, Rule, Ruleset, SegmentOverride,
    SegmentRules, StateIds, Value, Variant,
};
use serde_json::Value as Json;
use std::sync::Arc;

type Read<T> = Result<T, Malformed>;

pub(super) fn evaluation_context(json: &Json) -> Read<EvaluationContext> {
    let root = Node::root(json);
    let environment = root.required("environment")?;
    let environment_key = name_text(&environment.required("key")?)?;
    let environment_name = match environment.optional("name")? {
        Some(name) => name_text(&name)?,
        None => "".into(),
    };
    let identity = match root.optional("identity")? {
        Some(identity) => caller(&identity)?,
        None => None,
    };
    let (features, untouched) = features(&root)?;
    let segments = segments(&root)?;
    Ok(EvaluationContext {
        rules: Ruleset::new(environment_key, environment_name, features, segments.rules),
        identity,
        features: untouched,
        segments: segments.untouched,
        warnings: segments.warnings,
    })
}

fn caller(identity: &Node<'_>) -> Read<Option<Caller>> {
    if identity.object()?.is_empty() {
        return Ok(None);
    }
    let key = match identity.optional("key")? {
        Some(key) => Some(name_text(&key)?),
        None => None,
    };
    let mut attributes = Attributes::new();
    if let Some(traits) = identity.optional("traits")? {
        for (name, value) in traits.object()? {
            attributes.insert(name.as_str(), json_to_trait(value));
        }
    }
    Ok(Some(Caller {
        identifier: name_text(&identity.required("identifier")?)?,
        key: key.filter(|key| !key.is_empty()),
        attributes,
    }))
}

fn features(root: &Node<'_>) -> Read<(Vec<Arc<FeatureRules>>, Vec<Untouched>)> {
    let (mut rules, mut untouched) = (Vec::new(), Vec::new());
    let Some(features) = root.optional("features")? else {
        return Ok((rules, untouched));
    };
    for (filed_under, json) in features.object()? {
        let node = features.member(filed_under, json);
        let feature = feature(&node)?;
        if *feature.name != **filed_under {
            return Err(node.required("name")?.malformed(Problem::FiledElsewhere {
                expected: quoted(filed_under),
                found: quoted(&feature.name),
            }));
        }
        rules.push(Arc::new(FeatureRules {
            name: feature.name,
            hash: Hash::Flagsmith,
            state: feature.state,
        }));
        untouched.push(feature.untouched);
    }
    Ok((rules, untouched))
}

/// A feature context: an environment's default or an override.
struct FeatureContext {
    name: Arc<str>,
    priority: Priority,
    state: FlagState,
    untouched: Untouched,
}

fn feature(node: &Node<'_>) -> Read<FeatureContext> {
    let value = node.required("value")?;
    let variants = variants(node)?;
    let state = FlagState {
        ids: StateIds::default(),
        enabled: node.required("enabled")?.boolean()?,
        value: flag_value(value.json),
        seed: name_text(&node.required("key")?)?,
        variants: variants.laid_out,
    };
    Ok(FeatureContext {
        name: node.required("name")?.text()?.into(),
        priority: priority(node)?,
        state,
        untouched: Untouched {
            metadata: metadata(node)?,
            value: composite(value.json),
            variants: variants.untouched,
        },
    })
}

/// The variants of a state in the order of their buckets, and the values that evaluation cannot hold.
struct Variants {
    laid_out: Box<[Variant]>,
    untouched: Vec<Option<Json>>,
}

fn variants(feature: &Node<'_>) -> Read<Variants> {
    let mut found = Vec::new();
    if let Some(variants) = feature.optional("variants")? {
        for node in variants.items()? {
            let value = node.required("value")?;
            let (weight, weight_text) = weight(&node.required("weight")?)?;
            let key = match node.optional("key")? {
                Some(key) => Some(name_text(&key)?),
                None => None,
            };
            let variant = Variant {
                key,
                option: found.len(),
                value: flag_value(value.json),
                weight,
                weight_text,
            };
            found.push((priority(&node)?, variant, composite(value.json)));
        }
    }
    // A stable sort, as Python's is: of two with one priority the first stays first.
    found.sort_by(|(left, ..), (right, ..)| left.compare(right));
    let mut laid_out = Vec::with_capacity(found.len());
    let mut untouched = Vec::with_capacity(found.len());
    for (_, variant, json) in found {
        laid_out.push(variant);
        untouched.push(json);
    }
    Ok(Variants {
        laid_out: laid_out.into(),
        untouched,
    })
}

/// A weight and how Python prints it: reasons repeat that.
fn weight(node: &Node<'_>) -> Read<(f64, Arc<str>)> {
    let weight = node.number()?;
    let printed = json_to_scalar(node.json).unwrap_or_default();
    Ok((weight, python_text(&printed).into()))
}

fn priority(node: &Node<'_>) -> Read<Priority> {
    let Some(priority) = node.optional("priority")? else {
        return Ok(Priority::Missing);
    };
    match priority.json {
        Json::Number(number) => Ok(Priority::of(number)),
        _ => Err(priority.wrong_type("a number")),
    }
}

/// The segments of a context, still being read.
#[derive(Default)]
struct Segments {
    rules: Vec<Arc<SegmentRules>>,
    untouched: Vec<UntouchedSegment>,
    warnings: Vec<flagstaff_core::CompileWarning>,
}

/// What was read of one segment, before priorities are known to fit into doubles.
struct SegmentContext {
    key: Arc<str>,
    name: Arc<str>,
    rules: Vec<Rule>,
    overrides: Vec<FeatureContext>,
    metadata: Option<Json>,
}

fn segments(root: &Node<'_>) -> Read<Segments> {
    let mut read = Vec::new();
    if let Some(segments) = root.optional("segments")? {
        for (filed_under, json) in segments.object()? {
            read.push(segment(&segments.member(filed_under, json))?);
        }
    }
    let ranks = Ranks::of(&read);
    let mut budget = PatternBudget::new();
    let mut found = Segments::default();
    for segment in read {
        let (mut overrides, mut untouched) = (Vec::new(), Vec::new());
        for feature in segment.overrides {
            overrides.push(SegmentOverride {
                feature: feature.name,
                priority: ranks.double(&feature.priority),
                state: feature.state,
            });
            untouched.push(feature.untouched);
        }
        let (rules, warnings) = SegmentRules::compile(
            segment.key,
            segment.name,
            &segment.rules,
            overrides,
            &mut budget,
        );
        found.rules.push(Arc::new(rules));
        found.warnings.extend(warnings);
        found.untouched.push(UntouchedSegment {
            metadata: segment.metadata,
            overrides: untouched,
        });
    }
    Ok(found)
}

fn segment(node: &Node<'_>) -> Read<SegmentContext> {
    let mut overrides = Vec::new();
    if let Some(list) = node.optional("overrides")? {
        for item in list.items()? {
            overrides.push(feature(&item)?);
        }
    }
    let rules = node.required("rules")?;
    let rules = if rules.is_null() {
        Vec::new()
    } else {
        rules
            .items()?
            .map(|item| rule(&item))
            .collect::<Read<_>>()?
    };
    Ok(SegmentContext {
        key: name_text(&node.required("key")?)?,
        name: node.required("name")?.text()?.into(),
        rules,
        overrides,
        metadata: metadata(node)?,
    })
}

/// Text that names something; numbers count as their decimal text, as Python formats them.
pub(super) fn name_text(node: &Node<'_>) -> Read<Arc<str>> {
    match json_to_scalar(node.json) {
        Some(Value::Text(text)) => Ok(text),
        Some(number @ (Value::Integer(_) | Value::BigInteger(_))) => {
            Ok(python_text(&number).into())
        }
        Some(Value::Null | Value::Boolean(_) | Value::Float(_)) | None => {
            Err(node.wrong_type("text"))
        }
    }
}

/// What evaluation may compare: a list or an object counts as no value.
fn flag_value(json: &Json) -> Value {
    json_to_scalar(json).unwrap_or_default()
}

/// A value that has to be kept as JSON, because no flag of ours can have it.
fn composite(json: &Json) -> Option<Json> {
    let kept = match json_to_scalar(json) {
        None => true,
        Some(Value::Float(float)) => !float.is_finite(),
        Some(
            Value::Null
            | Value::Boolean(_)
            | Value::Integer(_)
            | Value::BigInteger(_)
            | Value::Text(_),
        ) => false,
    };
    kept.then(|| json.clone())
}

/// Metadata that says something: Python leaves out what counts as false there.
fn metadata(node: &Node<'_>) -> Read<Option<Json>> {
    let metadata = node.object()?.get("metadata").filter(|json| match json {
        Json::Null => false,
        Json::Bool(boolean) => *boolean,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(members) => !members.is_empty(),
    });
    Ok(metadata.cloned())
}

/// Override priorities in order, for contexts whose priorities are too long for doubles.
struct Ranks(Option<Vec<Priority>>);

impl Ranks {
    fn of(segments: &[SegmentContext]) -> Self {
        let priorities = || {
            segments
                .iter()
                .flat_map(|segment| &segment.overrides)
                .map(|feature| &feature.priority)
        };
        if priorities().all(Priority::is_exact_as_double) {
            return Self(None);
        }
        let mut sorted: Vec<Priority> = priorities().cloned().collect();
        sorted.sort_by(Priority::compare);
        sorted.dedup_by(|left, right| left.compare(right).is_eq());
        Self(Some(sorted))
    }

    /// A double that is ordered like the priority; its own value where that is exact.
    fn double(&self, priority: &Priority) -> Option<f64> {
        let value = priority.approximate()?;
        let Some(sorted) = &self.0 else {
            return Some(value);
        };
        if *priority == Priority::Float(f64::INFINITY) {
            // As weak as a missing one, and so not to be ranked before it.
            return Some(value);
        }
        let rank = sorted
            .binary_search_by(|other| other.compare(priority))
            .unwrap_or_default();
        // Ranks are far below 2³², so nothing is lost.
        Some(f64::from(u32::try_from(rank).unwrap_or(u32::MAX)))
    }
}
