//! What changed between two texts, line by line: the longest common subsequence of their lines.

/// The most lines of either text that are compared; longer ones are shown as a whole.
const LIMIT: usize = 600;

/// A line of one text or of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// In both.
    Same(String),
    /// Only in the text before.
    Before(String),
    /// Only in the text after.
    After(String),
}

impl Line {
    /// The line itself.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Same(text) | Self::Before(text) | Self::After(text) => text,
        }
    }

    /// The sign before it.
    pub(crate) const fn sign(&self) -> &'static str {
        match self {
            Self::Same(_) => " ",
            Self::Before(_) => "−",
            Self::After(_) => "+",
        }
    }

    /// The class of its element.
    pub(crate) const fn class(&self) -> &'static str {
        match self {
            Self::Same(_) => "same",
            Self::Before(_) => "before",
            Self::After(_) => "after",
        }
    }
}

/// The lines of both texts, those in common once. JSON is laid out first, so that a change of one member is one line.
pub(crate) fn difference(before: &str, after: &str) -> Vec<Line> {
    let (before, after) = (laid_out(before), laid_out(after));
    let before: Vec<&str> = before.lines().collect();
    let after: Vec<&str> = after.lines().collect();
    if before.len() > LIMIT || after.len() > LIMIT {
        let gone = before.iter().map(|line| Line::Before((*line).to_owned()));
        let come = after.iter().map(|line| Line::After((*line).to_owned()));
        return gone.chain(come).collect();
    }
    let common = common_lengths(&before, &after);
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < before.len() || j < after.len() {
        if i < before.len() && j < after.len() && before[i] == after[j] {
            lines.push(Line::Same(before[i].to_owned()));
            (i, j) = (i + 1, j + 1);
        } else if j == after.len() || (i < before.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(Line::Before(before[i].to_owned()));
            i += 1;
        } else {
            lines.push(Line::After(after[j].to_owned()));
            j += 1;
        }
    }
    lines
}

/// How many lines the ends of both texts have in common, from each pair of positions on.
fn common_lengths(before: &[&str], after: &[&str]) -> Vec<Vec<u32>> {
    let mut lengths = vec![vec![0; after.len() + 1]; before.len() + 1];
    for i in (0..before.len()).rev() {
        for j in (0..after.len()).rev() {
            lengths[i][j] = if before[i] == after[j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    lengths
}

fn laid_out(text: &str) -> String {
    let starts_json = text.trim_start().starts_with(['{', '[']);
    let json = starts_json.then(|| serde_json::from_str::<serde_json::Value>(text).ok());
    let json = json.flatten();
    json.and_then(|json| serde_json::to_string_pretty(&json).ok())
        .unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, after: &str) -> Vec<String> {
        let lines = difference(before, after);
        let told = lines
            .iter()
            .map(|line| format!("{}{}", line.sign(), line.text()));
        told.collect()
    }

    #[test]
    fn lines_in_common_are_told_once() {
        assert_eq!(told("a\nb\nc", "a\nx\nc"), [" a", "−b", "+x", " c"]);
        assert_eq!(told("", "a"), ["+a"]);
        assert_eq!(told("a", ""), ["−a"]);
        assert!(told("", "").is_empty());
    }

    #[test]
    fn a_member_of_an_object_is_a_line_of_its_own() {
        let lines = told(r#"{"a":1,"b":2}"#, r#"{"a":1,"b":3}"#);

        assert_eq!(
            lines,
            [" {", "   \"a\": 1,", "−  \"b\": 2", "+  \"b\": 3", " }"]
        );
    }

    #[test]
    fn long_texts_are_shown_as_a_whole() {
        let long = "line\n".repeat(LIMIT + 1);

        assert_eq!(difference(&long, "x").len(), LIMIT + 2);
    }
}
