//! Form bodies as JSON: `traits[0]trait_key=age` and `identity.identifier=bob` name places in an object.

use super::error::Failure;
use crate::config::ApiConfig;
use serde_json::{Map, Value as Json};

/// Builds an object of texts. Of two fields with one name the last counts.
pub(super) fn pairs_to_json(
    pairs: impl IntoIterator<Item = (String, String)>,
    config: &ApiConfig,
) -> Result<Json, Failure> {
    let mut root = Json::Object(Map::new());
    for (count, (name, text)) in pairs.into_iter().enumerate() {
        if count >= config.json_values {
            let limit = config.json_values;
            return Err(refused(format!("it holds more than {limit} fields")));
        }
        let steps = steps(&name);
        if steps.len() > config.json_depth {
            let limit = config.json_depth;
            return Err(refused(format!(
                "it is nested more than {limit} levels deep"
            )));
        }
        place(&mut root, &steps, text);
    }
    Ok(root)
}

fn refused(problem: impl std::fmt::Display) -> Failure {
    Failure::Refused(format!("Form parse error - {problem}").into())
}

#[derive(Debug, PartialEq, Eq)]
enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

/// Takes a field's name apart; a name that is no path is one step.
fn steps(name: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        if let Some((number, after)) = item(rest) {
            steps.push(Step::Item(number));
            rest = after.strip_prefix('.').unwrap_or(after);
            continue;
        }
        let end = rest
            .find(['.', '['])
            .filter(|end| *end > 0)
            .unwrap_or(rest.len());
        let (member, after) = rest.split_at(end);
        let after_is_path = after.starts_with('.') && after.len() > 1 || item(after).is_some();
        if !after.is_empty() && !after_is_path {
            return vec![Step::Member(name)];
        }
        steps.push(Step::Member(member));
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    match steps.first() {
        Some(Step::Member(_)) => steps,
        Some(Step::Item(_)) | None => vec![Step::Member(name)],
    }
}

/// `[12]rest`
fn item(text: &str) -> Option<(usize, &str)> {
    let (digits, rest) = text.strip_prefix('[')?.split_once(']')?;
    let only_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((only_digits.then(|| digits.parse().ok())??, rest))
}

fn place(root: &mut Json, steps: &[Step<'_>], text: String) {
    let mut target = root;
    for step in steps {
        target = match step {
            Step::Member(name) => {
                if !target.is_object() {
                    *target = Json::Object(Map::new());
                }
                match target {
                    Json::Object(members) => {
                        members.entry((*name).to_owned()).or_insert(Json::Null)
                    }
                    _ => return,
                }
            }
            // A number out of order appends: an item far behind must not cost the space before it.
            Step::Item(number) => {
                if !target.is_array() {
                    *target = Json::Array(Vec::new());
                }
                match target {
                    Json::Array(items) => {
                        let position = (*number).min(items.len());
                        if position == items.len() {
                            items.push(Json::Null);
                        }
                        &mut items[position]
                    }
                    _ => return,
                }
            }
        };
    }
    *target = Json::String(text);
}

/// One field of a multipart body.
pub(super) struct Part<'a> {
    pub(super) name: String,
    /// Files have a name of their own, texts have none.
    pub(super) is_file: bool,
    pub(super) content: &'a [u8],
}

impl Part<'_> {
    /// Name and text.
    pub(super) fn into_text(self) -> (String, String) {
        let text = String::from_utf8_lossy(self.content).into_owned();
        (self.name, text)
    }
}

/// The text fields of a multipart body; files are left out.
pub(super) fn multipart(content_type: &str, body: &[u8]) -> Result<Vec<(String, String)>, Failure> {
    let texts = parts(content_type, body)?
        .into_iter()
        .filter(|part| !part.is_file);
    Ok(texts.map(Part::into_text).collect())
}

/// All fields of a multipart body.
pub(super) fn parts<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, Failure> {
    let broken = || Failure::Refused("Multipart form parse error - the boundary is missing".into());
    let boundary = parameter(content_type, "boundary").ok_or_else(broken)?;
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut rest = match find(body, delimiter.as_bytes()) {
        Some(start) => &body[start + delimiter.len()..],
        None => return Err(broken()),
    };
    let delimiter = format!("\r\n{delimiter}");
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let end = find(part, delimiter.as_bytes()).ok_or_else(broken)?;
        parts.extend(read_part(&part[..end]));
        rest = &part[end + delimiter.len()..];
    }
    Ok(parts)
}

fn read_part(part: &[u8]) -> Option<Part<'_>> {
    let end = find(part, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&part[..end]);
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    Some(Part {
        name: parameter(disposition, "name")?,
        is_file: parameter(disposition, "filename").is_some(),
        content: &part[end + 4..],
    })
}

/// The parameter of a header, without its quotes.
fn parameter(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|each| {
        let (key, value) = each.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (key.trim().eq_ignore_ascii_case(name) && !value.is_empty()).then(|| value.to_owned())
    })
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(pairs: &[(&str, &str)], expected: &Json) {
        let pairs = pairs
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let read = pairs_to_json(pairs, &ApiConfig::default()).unwrap();
        assert_eq!(&read, expected);
    }

    #[test]
    fn names_of_form_fields_are_places_in_an_object() {
        check(
            &[("identity.identifier", "bob"), ("trait_key", "a")],
            &json!({"identity": {"identifier": "bob"}, "trait_key": "a"}),
        );
        check(
            &[
                ("traits[0]trait_key", "a"),
                ("traits[0]trait_value", "1"),
                ("traits[1].trait_key", "b"),
            ],
            &json!({"traits": [{"trait_key": "a", "trait_value": "1"}, {"trait_key": "b"}]}),
        );
        check(&[("a", "1"), ("a", "2")], &json!({"a": "2"}));
    }

    #[test]
    fn names_that_are_no_path_are_kept_whole() {
        check(&[("a.", "1")], &json!({"a.": "1"}));
        check(&[("a[x]", "1")], &json!({"a[x]": "1"}));
        check(&[("[0]a", "1")], &json!({"[0]a": "1"}));
        check(&[("a[4000000000]", "1")], &json!({"a": ["1"]}));
    }

    #[test]
    fn text_fields_of_a_multipart_body_are_read() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"identifier\"\r\n\r\nbob\r\n--x\r\n\
            content-disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\nfile\r\n--x--\r\n";

        let fields = multipart("multipart/form-data; boundary=\"x\"", body.as_bytes()).unwrap();

        assert_eq!(fields, [("identifier".to_owned(), "bob".to_owned())]);
    }

    #[test]
    fn a_broken_multipart_body_is_refused() {
        let check = |content_type: &str, body: &[u8]| {
            assert!(matches!(
                multipart(content_type, body),
                Err(Failure::Refused(_))
            ));
        };

        check("multipart/form-data", b"--x\r\n");
        check("multipart/form-data; boundary=x", b"nothing");
        check("multipart/form-data; boundary=x", b"--x\r\nno end");
    }
}
