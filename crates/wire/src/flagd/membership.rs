//! `IN`.

use super::logic::{Logic, and, or};
use super::subject::Subject;
use serde_json::{Value as Json, json};

/// Beyond this, JSON's numbers are not whole in every client.
const WHOLE_NUMBER_LIMIT: i64 = 1 << 53;

/// True for text and whole numbers in a list.
///
/// The server reads text that looks like a number as that number, and finds whole ones by their usual spelling only:
/// what is spelt otherwise in the list is in it for nobody.
pub(super) fn listed(subject: &Subject, items: Vec<String>) -> Logic {
    let items: Vec<String> = items.into_iter().filter(|item| is_findable(item)).collect();
    if items.is_empty() {
        return Logic::Never;
    }
    if subject.is_always_text() {
        let is_in = json!({"in": [subject.value(), items]});
        return Logic::When(and(vec![subject.is_set(), is_in]));
    }
    let numbers: Vec<i64> = items
        .iter()
        .filter_map(|item| whole(item))
        .filter(|number| number.abs() <= WHOLE_NUMBER_LIMIT)
        .collect();
    // Go reads a list's texts as numbers where it looks for a number, and what is none as 0.
    let is_misread = items
        .iter()
        .any(|item| is_number_to_go(item) && whole(item).is_none());
    let is_in = |items: Vec<Json>| json!({"in": [subject.value(), items]});
    let texts = items.iter().map(|item| json!(item));
    let together = || {
        let all = is_in(
            texts
                .clone()
                .chain(numbers.iter().map(|number| json!(number)))
                .collect(),
        );
        if numbers.contains(&0) {
            all
        } else {
            and(vec![json!({"!==": [subject.value(), 0]}), all])
        }
    };
    let json = if is_misread {
        let mut ways = vec![and(vec![subject.is_text(), is_in(texts.collect())])];
        if !numbers.is_empty() {
            ways.push(is_in(numbers.iter().map(|number| json!(number)).collect()));
        }
        or(ways)
    } else {
        together()
    };
    Logic::When(subject.but_no_boolean(json, numbers.iter().map(|number| *number as f64)))
}

/// A whole number in its usual spelling.
fn whole(item: &str) -> Option<i64> {
    let number: i64 = item.parse().ok()?;
    (number.to_string() == item).then_some(number)
}

fn is_findable(item: &str) -> bool {
    let unsigned = item.strip_prefix('-').unwrap_or(item);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match unsigned.split_once('.') {
        Some((whole, fraction)) => !(is_number(whole) && is_number(fraction)),
        None if is_number(unsigned) => {
            unsigned == "0" && unsigned == item || !unsigned.starts_with('0')
        }
        None => true,
    }
}

fn is_number_to_go(item: &str) -> bool {
    let unsigned = item.trim_start_matches(['+', '-']);
    item.parse::<f64>().is_ok() || unsigned.starts_with("0x") || unsigned.starts_with("0X")
}
