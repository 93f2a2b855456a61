//! Names of variants: the same in flagd's document, on its remote calls and on OFREP.
//!
//! A feature's variants in an environment are `control`, its options, and the overrides whose value differs from
//! control. Each has a natural name: `control`; the option's key, else `variant_<n>`, counted from 1; `override_`
//! and the slug of the segment's name or the identity's identifier. Where several have one natural name, the first of
//! them keeps it (control, then options, segments and identities in order of their ids), and the others get `-2`,
//! `-3` and so on, passing over what is anybody's natural name. So no name depends on more than those that are alike,
//! and the name of one identity among 200,000 is found without looking at the others.

mod known;

use crate::ruleset::FlagState;
use crate::slug::slug;
use crate::snapshot::{NAMELESS, Snapshot, SnapshotIdentity};
use crate::typed_value::Reading;
use crate::{MultivariateOption, TypedValue, Value};
use known::know;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// The name of what the environment serves by default.
pub const CONTROL: &str = "control";
/// What the name of every override begins with; all of it that a client-side key sees.
pub const OVERRIDE: &str = "override";
/// What [`slug`] makes of a segment's name of which nothing is left.
const NAMELESS_SEGMENT: &str = "segment";

/// What is known of the variants of a feature besides those of single identities; kept with a snapshot.
#[derive(Debug)]
pub(crate) struct KnownVariants {
    control: Reading,
    options: Box<[KnownOption]>,
    /// Strongest first.
    overrides: Box<[KnownOverride]>,
    is_overridden: bool,
    /// Somebody has an override that is on.
    pub(crate) is_enabled_by_override: bool,
}

#[derive(Debug)]
struct KnownOption {
    name: Arc<str>,
    reading: Reading,
}

#[derive(Debug)]
struct KnownOverride {
    segment: usize,
    position: usize,
    /// `None` where the value is that of control.
    name: Option<Arc<str>>,
    reading: Reading,
}

/// An option with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedOption<'s> {
    /// The option's key, else `variant_<n>`.
    pub name: &'s str,
    /// What callers in this variant get.
    pub value: TypedValue<'static>,
}

/// An override with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedOverride<'s> {
    /// `override_<slug>`; `None` where the value is that of control, which has no variant of its own.
    pub name: Option<Cow<'s, str>>,
    /// What those get whom it holds for and who are in none of its options.
    pub value: TypedValue<'s>,
    /// Everything else about it.
    pub state: &'s FlagState,
}

/// The variants of one feature in one environment.
#[derive(Debug, Clone, Copy)]
pub struct Variants<'s> {
    snapshot: &'s Snapshot,
    feature: usize,
    known: &'s KnownVariants,
}

impl Snapshot {
    /// The variants of the feature with this index.
    ///
    /// # Panics
    /// Where there is no such feature: the index does not come from this snapshot.
    #[must_use]
    pub fn variants(&self, feature: usize) -> Variants<'_> {
        Variants {
            snapshot: self,
            feature,
            known: self.known_variants[feature].get_or_init(|| know(self, feature)),
        }
    }
}

impl<'s> Variants<'s> {
    /// What the environment serves by default; `true` where the feature has no value.
    #[must_use]
    pub fn control(&self) -> TypedValue<'s> {
        self.known.control.value(self.control_value())
    }

    /// The options, in order of their ids.
    pub fn options(&self) -> impl Iterator<Item = NamedOption<'s>> + use<'s> {
        let options = self.snapshot.features[self.feature].options.iter();
        let known = self.known.options.iter();
        known.zip(options).map(|(known, option)| NamedOption {
            name: &known.name,
            value: known.reading.value(&option.value.effective()).into_owned(),
        })
    }

    /// The overrides for segments, strongest first, each with the index of its segment.
    pub fn overrides(&self) -> impl Iterator<Item = (usize, NamedOverride<'s>)> + use<'s> {
        let (snapshot, known) = (self.snapshot, self.known.overrides.iter());
        known.map(|known| (known.segment, named_override(snapshot, known)))
    }

    /// What holds for one identity alone, if anything does.
    #[must_use]
    pub fn of_identity(&self, identity: &'s SnapshotIdentity) -> Option<NamedOverride<'s>> {
        let state = self.state_of(identity)?;
        let reading = self.override_reading(state);
        let name = self.is_other_than_control(state).then(|| {
            let slug = slug(&identity.identity.identifier, NAMELESS);
            self.identity_name(identity, &slug)
        });
        Some(NamedOverride {
            name: name.map(Cow::Owned),
            value: reading.value(&state.value),
            state,
        })
    }

    /// What holds for each of many identities alone, named as [`Variants::of_identity`] names them, but in one pass.
    ///
    /// `identities` are all that have an override of the feature, in order of their ids; others are left out.
    #[must_use]
    pub fn of_identities(
        &self,
        identities: &[&'s Arc<SnapshotIdentity>],
    ) -> Vec<(&'s SnapshotIdentity, NamedOverride<'s>)> {
        let control = self.control();
        let overrides: Vec<_> = identities
            .iter()
            .filter_map(|identity| {
                let state = self.state_of(identity)?;
                let value = self.override_reading(state).value(&state.value);
                let natural = (value != control)
                    .then(|| natural_override(&slug(&identity.identity.identifier, NAMELESS)));
                Some((&***identity, state, value, natural))
            })
            .collect();
        let options = &self.snapshot.features[self.feature].options;
        let of_segments: Vec<_> = natural_names_of_segments(*self).collect();
        let of_options: Vec<_> = natural_names_of_options(options).collect();
        let mut names = Names::default();
        let others = of_options.iter().map(AsRef::as_ref).chain([CONTROL]);
        let own = overrides.iter().filter_map(|each| each.3.as_deref());
        let segments = of_segments.iter().map(String::as_str);
        for natural in others.chain(segments.clone()).chain(own) {
            names.0.entry(natural).or_default().is_natural = true;
        }
        let given = self.known.options.iter().map(|option| &*option.name);
        for name in given.chain([CONTROL]).chain(segments) {
            names.give(name);
        }
        let named = overrides.iter().map(|(identity, state, value, natural)| {
            let name = natural.as_deref();
            let over = NamedOverride {
                name: name.map(|natural| Cow::Owned(names.next(natural))),
                value: value.clone(),
                state,
            };
            (*identity, over)
        });
        named.collect()
    }

    /// True where something, for a segment or for an identity, may hold instead of the environment's default.
    #[must_use]
    pub const fn is_overridden(&self) -> bool {
        self.known.is_overridden
    }

    /// True where one of the overrides is on.
    #[must_use]
    pub const fn is_enabled_by_override(&self) -> bool {
        self.known.is_enabled_by_override
    }

    /// An option a caller was placed in.
    pub(crate) fn option(&self, variant: &'s crate::Variant) -> (&'s str, TypedValue<'s>) {
        match self.known.options.get(variant.option) {
            Some(known) => (&known.name, known.reading.value(&variant.value)),
            // A variant of another feature: it names itself as well as it can.
            None => (
                variant.key.as_deref().unwrap_or(CONTROL),
                Reading::of(&variant.value, crate::ValueType::Auto, true).value(&variant.value),
            ),
        }
    }

    /// The override for a segment that holds for a caller.
    pub(crate) fn override_at(&self, segment: usize, position: usize) -> Option<NamedOverride<'s>> {
        let at = |known: &&KnownOverride| (known.segment, known.position) == (segment, position);
        let known = self.known.overrides.iter().find(at)?;
        Some(named_override(self.snapshot, known))
    }

    fn control_value(&self) -> &'s Value {
        &self.snapshot.rules.features()[self.feature].state.value
    }

    fn state_of<'a>(&self, identity: &'a SnapshotIdentity) -> Option<&'a FlagState> {
        let name = &self.snapshot.rules.features()[self.feature].name;
        let mut flags = identity.flags.iter();
        let found = flags.find(|(feature, _)| feature == name)?;
        Some(&found.1)
    }

    fn override_reading(&self, state: &FlagState) -> Reading {
        let value_type = self.snapshot.features[self.feature].feature.value_type;
        Reading::of(&state.value, value_type, state.enabled)
    }

    fn is_other_than_control(&self, state: &FlagState) -> bool {
        self.override_reading(state).value(&state.value) != self.control()
    }

    fn identity_name(&self, identity: &SnapshotIdentity, slug: &str) -> String {
        let natural = natural_override(slug);
        let taken = self.known.options.iter().map(|option| &*option.name);
        let taken = taken.chain([CONTROL]);
        let of_options = taken.filter(|name| *name == natural).count();
        let of_segments = natural_names_of_segments(*self);
        let of_segments = of_segments.filter(|name| *name == natural).count();
        let own = (identity.identity.id, &identity.identity.identifier);
        let of_identities = self
            .identities_with(slug)
            .filter(|other| (other.identity.id, &other.identity.identifier) < own);
        numbered(
            natural,
            of_options + of_segments + of_identities.count(),
            |name| self.is_natural(name),
        )
    }

    /// Identities with this slug whose value for the feature is not control's.
    fn identities_with<'a>(
        &'a self,
        slug: &'a str,
    ) -> impl Iterator<Item = &'a Arc<SnapshotIdentity>> {
        let identities = self.snapshot.identities.with_slug(slug);
        identities.filter(|identity| {
            let state = self.state_of(identity);
            state.is_some_and(|state| self.is_other_than_control(state))
        })
    }

    /// True for the natural name of any variant.
    fn is_natural(&self, name: &str) -> bool {
        let options = &self.snapshot.features[self.feature].options;
        name == CONTROL
            || natural_names_of_options(options).any(|natural| natural == name)
            || natural_names_of_segments(*self).any(|natural| natural == name)
            || name
                .strip_prefix("override_")
                .is_some_and(|slug| self.identities_with(slug).next().is_some())
    }
}

fn named_override<'s>(snapshot: &'s Snapshot, known: &'s KnownOverride) -> NamedOverride<'s> {
    let rules = &snapshot.rules.segments()[known.segment];
    let state = &rules.overrides()[known.position].state;
    NamedOverride {
        name: known.name.as_deref().map(Cow::Borrowed),
        value: known.reading.value(&state.value),
        state,
    }
}

fn natural_override(slug: &str) -> String {
    format!("{OVERRIDE}_{slug}")
}

fn natural_names_of_options(options: &[MultivariateOption]) -> impl Iterator<Item = Cow<'_, str>> {
    let options = options.iter().enumerate();
    options.map(|(position, option)| match option.key.as_deref() {
        Some(key) => Cow::Borrowed(key),
        None => Cow::Owned(format!("variant_{}", position + 1)),
    })
}

/// Of segments whose override has another value than control, in order of their ids.
fn natural_names_of_segments(variants: Variants<'_>) -> impl Iterator<Item = String> {
    let overrides = in_order(variants.known);
    let differing = overrides
        .into_iter()
        .map(|place| &variants.known.overrides[place]);
    let differing = differing.filter(move |known| {
        let state = named_override(variants.snapshot, known).state;
        variants.is_other_than_control(state)
    });
    differing.map(move |known| {
        let segment = &variants.snapshot.rules.segments()[known.segment];
        natural_override(&slug(segment.name(), NAMELESS_SEGMENT))
    })
}

/// Places of the overrides in order of their segments' ids.
fn in_order(known: &KnownVariants) -> Vec<usize> {
    let mut places: Vec<usize> = (0..known.overrides.len()).collect();
    places.sort_unstable_by_key(|place| {
        let known = &known.overrides[*place];
        (known.segment, known.position)
    });
    places
}

/// Natural names while those who have them are named one after the other.
#[derive(Default)]
struct Names<'n>(HashMap<&'n str, Given>);

/// How often one name was given out.
#[derive(Default, Clone, Copy)]
struct Given {
    /// It is somebody's natural name.
    is_natural: bool,
    /// Those who have it, or would have it by nature.
    before: usize,
    /// Names with a number that were passed over or given out, and those of them that were free.
    numbers: usize,
    free: usize,
}

impl<'n> Names<'n> {
    /// Somebody has this name.
    fn give(&mut self, name: &'n str) {
        self.0.entry(name).or_default().before += 1;
    }

    /// The name of the next one with this natural name: what [`numbered`] gives, without counting from the beginning.
    fn next(&mut self, natural: &'n str) -> String {
        let mut given = self.0.get(natural).copied().unwrap_or_default();
        let mut name = natural.to_owned();
        while given.free < given.before {
            given.numbers += 1;
            name = format!("{natural}-{}", given.numbers + 1);
            let taken = self.0.get(name.as_str());
            given.free += usize::from(!taken.is_some_and(|given| given.is_natural));
        }
        given.before += 1;
        self.0.insert(natural, given);
        name
    }
}

/// A natural name, or with a number the one for whom so many came before.
fn numbered(natural: String, before: usize, is_natural: impl Fn(&str) -> bool) -> String {
    if before == 0 {
        return natural;
    }
    let numbered = (2_usize..).map(|number| format!("{natural}-{number}"));
    let mut free = numbered.filter(|name| !is_natural(name));
    // There are more numbers than variants.
    free.nth(before - 1).unwrap_or(natural)
}

#[cfg(test)]
mod tests;
