//! What kind of values a feature has.

/// The type of a feature's values: what may be written, and how typed protocols get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ValueType {
    /// As Flagsmith types each value: text, an integer of 32 bits or a boolean. Anything may be written.
    #[default]
    Auto,
    /// True or false.
    Boolean,
    /// A whole number of 64 bits.
    Integer,
    /// A finite number.
    Number,
    /// Text, whatever it looks like.
    String,
    /// A JSON object or array.
    Json,
}

impl ValueType {
    /// Every type, in the order in which they are offered.
    pub const ALL: [Self; 6] = [
        Self::Auto,
        Self::Boolean,
        Self::Integer,
        Self::Number,
        Self::String,
        Self::Json,
    ];

    /// The word it goes by in the API and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Json => "json",
        }
    }

    /// The type of a word; `None` for any other text.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::ValueType;

    #[test]
    fn every_type_is_found_by_its_name_and_no_other_text_is_one() {
        for value_type in ValueType::ALL {
            assert_eq!(ValueType::parse(value_type.name()), Some(value_type));
        }
        for text in ["", "Boolean", "float", "object"] {
            assert_eq!(ValueType::parse(text), None, "{text}");
        }
        assert_eq!(ValueType::default(), ValueType::Auto);
    }
}
