//! Attributes for which a translated condition may hold in a client and not on the server, or the other way round.

use super::attribute::AttributeClass;
use super::comparison::Comparison;
use super::difference::{Client, OF_FLAGD, Seen, placed_otherwise};
use super::subject::Subject;
use super::wanted::Wanted;
use flagstaff_core::text::{parse_float, parse_integer};
use flagstaff_core::{FlagdForm, Hash};

/// Clients whose attributes may be lists: the others have no type for them.
const WITH_LISTS: &[Client] = &[Client::Go, Client::JavaScript, Client::Python];

/// The classes of attributes that a condition differs for; none where it holds for the same callers everywhere.
pub(super) fn differing(
    subject: &Subject,
    wanted: &Wanted<'_>,
    form: FlagdForm,
    hash: Hash,
) -> Vec<Seen> {
    let mut classes = match wanted {
        Wanted::Set | Wanted::NotSet => of(&[AttributeClass::List, AttributeClass::Object]),
        Wanted::Compared(comparison, value) => compared(*comparison, value),
        Wanted::VersionCompared(..) => of(&[
            AttributeClass::Boolean,
            AttributeClass::NumberInText,
            AttributeClass::LooseVersion,
        ]),
        Wanted::Contains(_) | Wanted::NotContains(_) => of(&[AttributeClass::NumberInText]),
        Wanted::In(_) | Wanted::Modulo(_) => {
            of(&[AttributeClass::NumberInText, AttributeClass::UnusualNumber])
        }
        Wanted::Percentage(percentage) => split(*percentage, hash),
        Wanted::Pattern(_) => of(&[
            AttributeClass::List,
            AttributeClass::Object,
            AttributeClass::NumberInText,
            AttributeClass::UnusualNumber,
            AttributeClass::LineBreak,
        ]),
    };
    if form == FlagdForm::Lean {
        // There it is read as a number first.
        classes.retain(|(class, _)| *class != AttributeClass::VersionInText);
    }
    if subject.is_always_text() {
        classes.retain(|(class, _)| class.may_be_text());
    }
    classes
}

fn of(classes: &[AttributeClass]) -> Vec<Seen> {
    let with_clients = |class: &AttributeClass| {
        let clients = match class {
            AttributeClass::List => WITH_LISTS,
            AttributeClass::BeyondTheBasicPlane => &[Client::JavaScript],
            AttributeClass::BlankAtAnEnd => &[Client::Go],
            _ => OF_FLAGD,
        };
        (*class, clients.to_vec())
    };
    classes.iter().map(with_clients).collect()
}

fn compared(comparison: Comparison, value: &str) -> Vec<Seen> {
    use AttributeClass::{
        BeyondTheBasicPlane, Boolean, List, NumberInText, Object, UnusualNumber, VersionInText,
    };
    let is_boolean = matches!(value, "true" | "True" | "false" | "False");
    let is_number = parse_float(value).is_some_and(f64::is_finite);
    let is_whole = parse_integer(value).is_some();
    match comparison {
        Comparison::Equal if is_boolean => Vec::new(),
        Comparison::Equal if is_number => of(&[Boolean, NumberInText, UnusualNumber]),
        Comparison::Equal => of(&[Boolean]),
        Comparison::NotEqual if is_boolean => of(&[NumberInText]),
        Comparison::NotEqual if is_number && is_whole => {
            of(&[NumberInText, UnusualNumber, List, Object])
        }
        Comparison::NotEqual if is_number => of(&[NumberInText, UnusualNumber]),
        Comparison::NotEqual => of(&[Boolean, NumberInText]),
        Comparison::Ordered(_) if is_number => of(&[NumberInText, UnusualNumber, VersionInText]),
        Comparison::Ordered(_) => of(&[Boolean, NumberInText, BeyondTheBasicPlane]),
    }
}

fn split(percentage: f64, hash: Hash) -> Vec<Seen> {
    let mut classes = of(&[AttributeClass::List, AttributeClass::Object]);
    if percentage > 0.0 && percentage < 100.0 {
        classes.extend(placed_otherwise(hash, true));
        classes.extend(of(&[
            AttributeClass::UnusualNumber,
            AttributeClass::BlankAtAnEnd,
        ]));
    }
    classes
}
