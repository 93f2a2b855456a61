//! `EQUAL`, `NOT_EQUAL` and the four orderings.

use super::logic::{and, not, number, operation, or};
use super::subject::{ByType, Subject};
use flagstaff_core::FlagdForm;
use flagstaff_core::text::{parse_float, parse_integer};
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
        is_whole: parse_integer(value).is_some(),
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
    /// Written as a whole number: the server compares whole numbers with no other, and finds them neither equal nor
    /// unequal.
    is_whole: bool,
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
    if let Some(boolean) = value.boolean
        && !subject.is_always_text()
    {
        return or(vec![same_text, subject.is_boolean(boolean)]);
    }
    let Some(float) = value.number else {
        return same_text;
    };
    if form == FlagdForm::Typed || value.is_of_no_number(float) {
        let mut spellings = spellings(value, float);
        if !value.is_of_no_number(float) {
            spellings.push(number(float));
        }
        let is_one_of_them = json!({"in": [subject.value(), spellings]});
        return subject.but_no_boolean(is_one_of_them, [float]);
    }
    let mut ways = vec![
        subject.is_number(number(float)),
        and(vec![
            subject.is_text(),
            subject.is_number_in_text(),
            json!({"==": [subject.value(), number(float)]}),
        ]),
    ];
    if looks_like_a_word(value.text) {
        ways.push(same_text);
    }
    or(ways)
}

fn not_equal(subject: &Subject, value: &Operand<'_>, form: FlagdForm) -> Json {
    if let Some(float) = value.number {
        return no_such_number(subject, value, float, form);
    }
    let other_word = and(vec![
        subject.is_word(form),
        json!({"!==": [subject.value(), value.text]}),
    ]);
    match value.boolean {
        Some(boolean) if !subject.is_always_text() => {
            or(vec![other_word, subject.is_boolean(!boolean)])
        }
        Some(_) | None => other_word,
    }
}

fn no_such_number(subject: &Subject, value: &Operand<'_>, float: f64, form: FlagdForm) -> Json {
    let is_another = not(equal(subject, value, form));
    if value.is_whole {
        let mut parts = vec![subject.is_set()];
        if !subject.is_always_text() {
            // The server takes a number for true where it compares booleans.
            parts.push(not(subject.is_boolean(true)));
        }
        parts.push(is_another);
        return and(parts);
    }
    let number = value.of_numbers(subject, json!({"!=": [subject.value(), number(float)]}));
    subject.by_type(ByType {
        booleans: (false, true),
        text: match form {
            FlagdForm::Typed => is_another,
            FlagdForm::Lean => {
                let other_text = json!({"!==": [subject.value(), value.text]});
                json!({"if": [subject.is_number_in_text(), number, other_text]})
            }
        },
        number,
    })
}

impl Operand<'_> {
    /// True where no number that is sent as one equals this one: whole numbers are sent without a fraction.
    fn is_of_no_number(&self, float: f64) -> bool {
        !self.is_whole && float.fract() == 0.0
    }

    /// A comparison of numbers, for those that the server compares with this value.
    fn of_numbers(&self, subject: &Subject, comparison: Json) -> Json {
        if self.is_whole {
            return comparison;
        }
        let has_fraction = json!({"!=": [{"%": [subject.value(), 1]}, 0]});
        and(vec![has_fraction, comparison])
    }
}

fn ordered(subject: &Subject, operator: &str, value: &Operand<'_>, form: FlagdForm) -> Json {
    let ordered_as = |with: Json| operation(operator, vec![subject.value(), with]);
    let by_text = ordered_as(json!(value.text));
    let Some(float) = value.number else {
        return and(vec![subject.is_word(form), by_text]);
    };
    let by_number = value.of_numbers(subject, ordered_as(number(float)));
    let text = match (form, version(float)) {
        // Numbers in text are ordered as versions: the only comparison that reads digits without failing on words.
        (FlagdForm::Typed, Some(version)) => json!({"if": [
            {"sem_ver": [subject.value(), ">=", "0.0.0"]},
            {"sem_ver": [subject.value(), operator, version]},
            by_text,
        ]}),
        (FlagdForm::Typed, None) => by_text,
        (FlagdForm::Lean, _) => {
            json!({"if": [subject.is_number_in_text(), by_number, by_text]})
        }
    };
    // The server takes a number for true where it orders booleans.
    let of_booleans = match operator {
        "<" => (false, true),
        "<=" => (true, true),
        ">=" => (true, false),
        _ => (false, false),
    };
    subject.by_type(ByType {
        booleans: of_booleans,
        text,
        number: by_number,
    })
}

/// The usual texts of a number, and the one that was written.
fn spellings(value: &Operand<'_>, float: f64) -> Vec<Json> {
    let plain = (float + 0.0).to_string();
    let mut spellings = vec![value.text.to_owned()];
    if float.fract() == 0.0 {
        spellings.push(format!("{plain}.0"));
    }
    if !value.is_of_no_number(float) {
        spellings.push(plain);
    }
    spellings.sort_unstable();
    spellings.dedup();
    spellings.into_iter().map(Json::String).collect()
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
