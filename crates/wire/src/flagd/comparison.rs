//! `EQUAL`, `NOT_EQUAL` and the four orderings.

use super::logic::{and, not, number, operation, or};
use super::subject::Subject;
use flagstaff_core::FlagdForm;
use flagstaff_core::text::parse_float;
use serde_json::{Value as Json, json};

/// Which comparison a condition makes, and how flagd spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Ordered(&'static str),
}

/// Largest whole number of a version that every evaluator reads: JavaScript's limit.
const VERSION_NUMBER_LIMIT: u64 = (1 << 53) - 1;

/// Compares with a text, or with the number or boolean that it spells.
pub(super) fn compared(
    subject: &Subject,
    comparison: Comparison,
    value: &str,
    form: FlagdForm,
) -> Json {
    let value = Operand {
        text: value,
        number: parse_float(value).filter(|number| number.is_finite()),
        boolean: boolean(value),
    };
    match comparison {
        Comparison::Equal => equal(subject, &value, form),
        Comparison::NotEqual => not_equal(subject, &value, form),
        Comparison::Ordered(operator) => ordered(subject, operator, &value, form),
    }
}

/// Compares versions. `version` is a full one: the schema knows no other.
pub(super) fn version_compared(
    subject: &Subject,
    comparison: Comparison,
    version: &str,
    form: FlagdForm,
) -> Json {
    let operator = match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "!=",
        Comparison::Ordered(operator) => operator,
    };
    and(vec![
        subject.is_word(form),
        json!({"sem_ver": [subject.value(), operator, version]}),
    ])
}

/// A condition's value and what else it may stand for.
struct Operand<'v> {
    text: &'v str,
    number: Option<f64>,
    boolean: Option<bool>,
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" => Some(true),
        "false" | "False" => Some(false),
        _ => None,
    }
}

fn equal(subject: &Subject, value: &Operand<'_>, form: FlagdForm) -> Json {
    let same_text = json!({"===": [subject.value(), value.text]});
    if let Some(boolean) = value.boolean {
        return or(vec![same_text, subject.is_boolean(boolean)]);
    }
    let Some(float) = value.number else {
        return same_text;
    };
    match form {
        FlagdForm::Typed => and(vec![
            subject.is_set(),
            json!({"in": [subject.text(), spellings(value.text, float)]}),
        ]),
        FlagdForm::Lean => {
            let same_number = and(vec![
                subject.is_numeric(form),
                json!({"==": [subject.value(), number(float)]}),
            ]);
            if looks_like_a_word(value.text) {
                or(vec![same_text, same_number])
            } else {
                same_number
            }
        }
    }
}

fn not_equal(subject: &Subject, value: &Operand<'_>, form: FlagdForm) -> Json {
    let other_word = and(vec![
        subject.is_word(form),
        json!({"!==": [subject.value(), value.text]}),
    ]);
    if value.number.is_none() && value.boolean.is_none() {
        return other_word;
    }
    if form == FlagdForm::Typed {
        return and(vec![subject.is_set(), not(equal(subject, value, form))]);
    }
    let Some(float) = value.number else {
        let other_boolean = subject.is_boolean(value.boolean != Some(true));
        return or(vec![other_word, other_boolean]);
    };
    let other_number = and(vec![
        subject.is_numeric(form),
        json!({"!=": [subject.value(), number(float)]}),
    ]);
    if looks_like_a_word(value.text) {
        or(vec![other_word, other_number])
    } else {
        or(vec![subject.is_word(form), other_number])
    }
}

fn ordered(subject: &Subject, operator: &str, value: &Operand<'_>, form: FlagdForm) -> Json {
    let ordered_as = |with: Json| operation(operator, vec![subject.value(), with]);
    let by_text = ordered_as(json!(value.text));
    let Some(float) = value.number else {
        return and(vec![subject.is_word(form), by_text]);
    };
    let words = match (form, version(float)) {
        // Numbers in text are ordered as versions: the only comparison that reads digits without failing on words.
        (FlagdForm::Typed, Some(version)) => json!({"if": [
            {"sem_ver": [subject.value(), ">=", "0.0.0"]},
            {"sem_ver": [subject.value(), operator, version]},
            by_text,
        ]}),
        (FlagdForm::Typed, None) | (FlagdForm::Lean, _) => by_text,
    };
    or(vec![
        and(vec![subject.is_numeric(form), ordered_as(number(float))]),
        and(vec![subject.is_word(form), words]),
    ])
}

/// The texts that `cat` makes of a number in some client, and the one that was written.
fn spellings(text: &str, float: f64) -> Vec<String> {
    let plain = (float + 0.0).to_string();
    let mut spellings = vec![text.to_owned()];
    if float.fract() == 0.0 {
        // Python's floats.
        spellings.push(format!("{plain}.0"));
    }
    spellings.push(plain);
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

/// A number as a full version, where it can be one: `5` is `5.0.0`, `5.5` is `5.5.0`.
fn version(float: f64) -> Option<String> {
    let text = (float + 0.0).to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    let is_readable = |part: &str| {
        (part == "0" || !part.starts_with('0'))
            && part
                .parse()
                .is_ok_and(|number: u64| number <= VERSION_NUMBER_LIMIT)
    };
    (is_readable(whole) && is_readable(fraction)).then(|| format!("{whole}.{fraction}.0"))
}

/// True for the notations of numbers that [`Subject::is_word`] takes for words in the lean form.
fn looks_like_a_word(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    !is_number(whole) || !is_number(fraction)
}
