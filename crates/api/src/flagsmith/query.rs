//! The parameters behind the question mark.

/// Decoded parameters, in the order they were sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(text.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// The last parameter of this name, as the original takes it.
    pub(crate) fn last(&self, name: &str) -> Option<&str> {
        let mut named = self.0.iter().rev().filter(|(each, _)| each == name);
        named.next().map(|(_, text)| text.as_str())
    }

    /// All parameters, sorted by name.
    pub(crate) fn sorted(&self) -> Vec<(&str, &str)> {
        let mut pairs: Vec<_> = self
            .0
            .iter()
            .map(|(name, text)| (&**name, &**text))
            .collect();
        pairs.sort_by_key(|(name, _)| *name);
        pairs
    }
}
