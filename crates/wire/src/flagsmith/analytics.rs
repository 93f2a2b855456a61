//! Counts of evaluations as SDKs send them.

use crate::malformed::Malformed;
use crate::node::Node;
use serde_json::Value as Json;

/// How often a feature was evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagCount {
    /// Name of the feature, as sent; it may be unknown.
    pub feature: String,
    /// How often; negative counts are kept for the receiver to judge.
    pub count: i64,
    /// Whether the flag was enabled; only the second version of the route says so.
    pub enabled: Option<bool>,
    /// For whom; only the second version of the route says so.
    pub identifier: Option<String>,
}

/// Reads the body of `/api/v1/analytics/flags/`: an object of counts by feature name.
///
/// What is not a whole number is dropped silently, as recorded.
///
/// # Errors
/// Where the body is not an object.
pub fn counts(json: &Json) -> Result<Vec<FlagCount>, Malformed> {
    let members = Node::root(json).object()?;
    Ok(members
        .iter()
        .filter_map(|(feature, count)| {
            Some(FlagCount {
                feature: feature.clone(),
                count: count.as_i64()?,
                enabled: None,
                identifier: None,
            })
        })
        .collect())
}

/// Reads the body of `/api/v2/analytics/flags/`: a list of evaluations.
///
/// # Errors
/// Where the list or a member of one of its items is missing or has another type.
pub fn evaluations(json: &Json) -> Result<Vec<FlagCount>, Malformed> {
    let root = Node::root(json);
    let list = root.required("evaluations")?;
    let mut counts = Vec::new();
    for item in list.items()? {
        let identifier = match item.optional("identity_identifier")? {
            Some(identifier) => Some(identifier.text()?.to_owned()),
            None => None,
        };
        counts.push(FlagCount {
            feature: item.required("feature_name")?.text()?.to_owned(),
            count: item.required("count")?.integer()?,
            enabled: Some(item.required("enabled_when_evaluated")?.boolean()?),
            identifier,
        });
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_a_whole_number_is_dropped() {
        let read = counts(&json!({"banner": 3, "limit": "x", "ratio": 1.5, "off": null})).unwrap();

        assert_eq!(read.len(), 1);
        assert_eq!((read[0].feature.as_str(), read[0].count), ("banner", 3));
    }

    #[test]
    fn a_list_is_no_object_of_counts() {
        let error = counts(&json!([1])).unwrap_err();

        assert_eq!(
            error.to_string(),
            "the document must be an object, not a list"
        );
    }

    #[test]
    fn evaluations_are_read_with_state_and_identity() {
        let read = evaluations(&json!({"evaluations": [
            {"feature_name": "banner", "identity_identifier": "dave", "enabled_when_evaluated": true, "count": 3},
        ]}))
        .unwrap();

        assert_eq!(
            read,
            [FlagCount {
                feature: "banner".to_owned(),
                count: 3,
                enabled: Some(true),
                identifier: Some("dave".to_owned()),
            }]
        );
    }

    #[test]
    fn a_missing_member_is_named() {
        let check = |json: Json| evaluations(&json).unwrap_err().to_string();

        assert_eq!(check(json!({})), "evaluations is missing");
        assert_eq!(
            check(json!({"evaluations": [{"feature_name": "banner"}]})),
            "evaluations[0].count is missing"
        );
    }
}
