//! Flags as the SDK routes answer them, with everything that does not depend on the caller rendered once.

use super::result::{variant_key, variant_position};
use crate::json::{
    write_boolean, write_integer, write_list, write_optional_integer, write_optional_text,
    write_text, write_value,
};
use crate::time::{UtcMark, iso};
use flagstaff_core::{
    Feature, FeatureKind, Flag, FlagState, FlagVariant, Origin, Snapshot, SnapshotFeature, Value,
};
use std::ops::Range;

/// Whether a flag object names its variant: `identities/` does, `flags/` and the deprecated routes do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagForm {
    /// With the member `variant`.
    WithVariant,
    /// Without it.
    WithoutVariant,
}

/// The flags of one snapshot, rendered: an answer joins slices of it.
///
/// Only overrides of single identities are rendered for each answer.
#[derive(Debug)]
pub struct FlagFragments {
    /// Flag objects, each with a comma behind it: those that stand one after another here are a piece of a list. The
    /// defaults come first, because most of an answer is defaults.
    bytes: Vec<u8>,
    /// `"feature":{…}` of each feature.
    definitions: Vec<u8>,
    /// In the order of the snapshot's features.
    features: Vec<FeatureFragment>,
    /// In the order of the ruleset's segments and their overrides.
    overrides: Vec<Vec<Option<StateFragment>>>,
    /// Bytes of a list of all defaults.
    length: usize,
    frame: Frame,
}

/// What is the same in every flag object of an environment.
#[derive(Debug, Clone, Copy)]
struct Frame {
    environment: i64,
    hides_sensitive_data: bool,
}

#[derive(Debug)]
struct FeatureFragment {
    /// Where it stands among the definitions.
    definition: Range<usize>,
    default: StateFragment,
}

/// Flag objects of a state, for each value that it can have.
#[derive(Debug)]
struct StateFragment {
    control: Fragment,
    variants: Vec<Fragment>,
}

/// A whole flag object: without the last member it is the other form, but for the brace.
#[derive(Debug, Clone, Copy)]
struct Fragment {
    start: usize,
    /// Where `,"variant":…}` begins.
    variant: usize,
    end: usize,
}

impl FlagFragments {
    /// Renders the environment defaults and segment overrides of a snapshot.
    #[must_use]
    pub fn new(snapshot: &Snapshot) -> Self {
        let mut fragments = Self {
            bytes: Vec::new(),
            definitions: Vec::new(),
            features: Vec::with_capacity(snapshot.features.len()),
            overrides: Vec::with_capacity(snapshot.rules.segments().len()),
            length: 0,
            frame: Frame {
                environment: snapshot.environment.id.get(),
                hides_sensitive_data: snapshot.environment.hide_sensitive_data,
            },
        };
        for (part, rules) in snapshot.features.iter().zip(snapshot.rules.features()) {
            let definition = fragments.render_definition(&part.feature);
            let control = fragments.render_control(&definition, &rules.state);
            fragments.length += control.end - control.start + 1;
            fragments.features.push(FeatureFragment {
                definition,
                default: StateFragment {
                    control,
                    variants: Vec::new(),
                },
            });
        }
        for index in 0..fragments.features.len() {
            let definition = fragments.features[index].definition.clone();
            let state = &snapshot.rules.features()[index].state;
            fragments.features[index].default.variants =
                fragments.render_variants(&definition, state);
        }
        for segment in snapshot.rules.segments() {
            let mut rendered = Vec::with_capacity(segment.overrides().len());
            for part in segment.overrides() {
                let feature = snapshot.rules.feature_index(&part.feature);
                let definition = feature
                    .and_then(|index| Some(fragments.features.get(index)?.definition.clone()));
                rendered.push(
                    definition.map(|definition| fragments.render_state(&definition, &part.state)),
                );
            }
            fragments.overrides.push(rendered);
        }
        fragments
    }

    /// True where `traits` of an identity must be answered as an empty list.
    #[must_use]
    pub const fn hides_sensitive_data(&self) -> bool {
        self.frame.hides_sensitive_data
    }

    /// Bytes held, for weighing caches.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.bytes.len() + self.definitions.len()
    }

    /// Writes the flag object of an evaluated flag of the same snapshot.
    #[inline]
    pub fn write(&self, flag: &Flag<'_>, form: FlagForm, out: &mut Vec<u8>) {
        match self.rendered(flag) {
            Some(fragment) => self.write_fragment(fragment, form, out),
            None => {
                self.write_start(flag, out);
                write_end(&flag.variant, form, out);
            }
        }
    }

    /// Writes a list of flags that name their variants, as they come.
    #[inline]
    pub(super) fn write_list<'s>(
        &self,
        flags: impl IntoIterator<Item = Flag<'s>>,
        out: &mut Vec<u8>,
    ) {
        out.push(b'[');
        let start = out.len();
        // Nothing begins at 1, so that nothing seems to follow a run that is empty.
        let mut run = 0..0;
        for flag in flags {
            match self.rendered(&flag) {
                Some(fragment) if fragment.start == run.end + 1 => run.end = fragment.end,
                Some(fragment) => {
                    self.write_run(&run, out);
                    run = fragment.start..fragment.end;
                }
                None => {
                    self.write_run(&run, out);
                    run = 0..0;
                    self.write_start(&flag, out);
                    write_end(&flag.variant, FlagForm::WithVariant, out);
                    out.push(b',');
                }
            }
        }
        self.write_run(&run, out);
        if out.len() > start {
            out.pop();
        }
        out.push(b']');
    }

    /// Writes fragments that stand one after another, with the comma behind them.
    #[inline]
    fn write_run(&self, run: &Range<usize>, out: &mut Vec<u8>) {
        if !run.is_empty() {
            out.extend_from_slice(&self.bytes[run.start..=run.end]);
        }
    }

    /// About how many bytes a list of all flags takes, so that memory for an answer is asked for once.
    pub(super) const fn usual_length(&self) -> usize {
        // Overrides and variants are a little longer or shorter than defaults.
        self.length + self.length / 16
    }

    fn write_fragment(&self, fragment: Fragment, form: FlagForm, out: &mut Vec<u8>) {
        match form {
            FlagForm::WithVariant => {
                out.extend_from_slice(&self.bytes[fragment.start..fragment.end]);
            }
            FlagForm::WithoutVariant => {
                out.extend_from_slice(&self.bytes[fragment.start..fragment.variant]);
                out.push(b'}');
            }
        }
    }

    /// Writes the flag object of an environment default: nobody asks, so the value is the control value.
    ///
    /// Writes nothing where the snapshot has no feature with this index.
    pub fn write_default(&self, feature: usize, form: FlagForm, out: &mut Vec<u8>) {
        let Some(feature) = self.features.get(feature) else {
            return;
        };
        let fragment = feature.default.control;
        out.extend_from_slice(&self.bytes[fragment.start..fragment.variant]);
        write_end(&FlagVariant::None, form, out);
    }

    /// Writes a list of environment defaults, by index of their features: the answer of `flags/`.
    pub fn write_defaults(&self, features: impl IntoIterator<Item = usize>, out: &mut Vec<u8>) {
        write_list(out, features, |out, feature| {
            self.write_default(feature, FlagForm::WithoutVariant, out);
        });
    }

    fn rendered(&self, flag: &Flag<'_>) -> Option<Fragment> {
        let fragment = match flag.origin {
            Origin::Environment => &self.features.get(flag.feature)?.default,
            Origin::Segment { segment, position } => {
                self.overrides.get(segment)?.get(position)?.as_ref()?
            }
            Origin::Identity => return None,
        };
        match flag.variant {
            // Nobody asks, so nobody is split: rendered is what an identity gets.
            FlagVariant::None if !fragment.variants.is_empty() => None,
            FlagVariant::None | FlagVariant::Control => Some(fragment.control),
            FlagVariant::Option(variant) => {
                let position = variant_position(&flag.state.variants, variant)?;
                fragment.variants.get(position).copied()
            }
        }
    }

    fn write_start(&self, flag: &Flag<'_>, out: &mut Vec<u8>) {
        let definition = self
            .features
            .get(flag.feature)
            .map_or(&b"\"feature\":null"[..], |feature| {
                &self.definitions[feature.definition.clone()]
            });
        write_start(out, self.frame, definition, flag.state, flag.value);
    }

    fn render_definition(&mut self, feature: &Feature) -> Range<usize> {
        let start = self.definitions.len();
        write_definition(&mut self.definitions, self.frame, feature);
        start..self.definitions.len()
    }

    fn render_state(&mut self, definition: &Range<usize>, state: &FlagState) -> StateFragment {
        StateFragment {
            control: self.render_control(definition, state),
            variants: self.render_variants(definition, state),
        }
    }

    fn render_control(&mut self, definition: &Range<usize>, state: &FlagState) -> Fragment {
        let variant = if state.variants.is_empty() {
            FlagVariant::None
        } else {
            FlagVariant::Control
        };
        self.render(definition, state, &state.value, variant)
    }

    fn render_variants(&mut self, definition: &Range<usize>, state: &FlagState) -> Vec<Fragment> {
        let variants = state.variants.iter().map(|variant| {
            let option = FlagVariant::Option(variant);
            self.render(definition, state, &variant.value, option)
        });
        variants.collect()
    }

    fn render(
        &mut self,
        definition: &Range<usize>,
        state: &FlagState,
        value: &Value,
        variant: FlagVariant<'_>,
    ) -> Fragment {
        let start = self.bytes.len();
        let definition = &self.definitions[definition.clone()];
        write_start(&mut self.bytes, self.frame, definition, state, value);
        let middle = self.bytes.len();
        write_end(&variant, FlagForm::WithVariant, &mut self.bytes);
        let end = self.bytes.len();
        self.bytes.push(b',');
        Fragment {
            start,
            variant: middle,
            end,
        }
    }
}

/// Writes the answer of `flags/<feature id>/multivariate-options/`.
pub fn write_multivariate_options(part: &SnapshotFeature, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"control_value\":");
    write_value(out, &part.state.value.effective());
    out.extend_from_slice(b",\"options\":");
    write_list(out, &part.options, |out, option| {
        out.extend_from_slice(b"{\"value\":");
        write_value(out, &option.value.effective());
        out.push(b'}');
    });
    out.push(b'}');
}

/// The word of the API for a feature with or without options.
#[must_use]
pub const fn feature_type(kind: FeatureKind) -> &'static str {
    match kind {
        FeatureKind::Standard => "STANDARD",
        FeatureKind::Multivariate => "MULTIVARIATE",
    }
}

fn write_definition(out: &mut Vec<u8>, frame: Frame, feature: &Feature) {
    out.extend_from_slice(b"\"feature\":{\"id\":");
    write_integer(out, feature.id.get());
    out.extend_from_slice(b",\"name\":");
    write_text(out, feature.name.as_str());
    if frame.hides_sensitive_data {
        out.extend_from_slice(
            b",\"created_date\":null,\"description\":null,\"initial_value\":null,\"default_enabled\":null",
        );
    } else {
        out.extend_from_slice(b",\"created_date\":");
        write_text(out, &iso(feature.created_at, UtcMark::Zulu));
        out.extend_from_slice(b",\"description\":");
        write_optional_text(out, feature.description.as_deref());
        out.extend_from_slice(b",\"initial_value\":");
        write_optional_text(out, feature.initial_value.as_deref());
        out.extend_from_slice(b",\"default_enabled\":");
        write_boolean(out, feature.default_enabled);
    }
    out.extend_from_slice(b",\"type\":");
    write_text(out, feature_type(feature.kind));
    out.push(b'}');
}

fn write_start(
    out: &mut Vec<u8>,
    frame: Frame,
    definition: &[u8],
    state: &FlagState,
    value: &Value,
) {
    let shown = |id: Option<i64>| id.filter(|_| !frame.hides_sensitive_data);
    let ids = state.ids;
    out.extend_from_slice(b"{\"id\":");
    write_optional_integer(out, shown(ids.state.map(|id| id.get())));
    out.push(b',');
    out.extend_from_slice(definition);
    out.extend_from_slice(b",\"feature_state_value\":");
    write_value(out, value);
    out.extend_from_slice(b",\"environment\":");
    write_optional_integer(out, shown(Some(frame.environment)));
    out.extend_from_slice(b",\"identity\":");
    write_optional_integer(out, shown(ids.identity.map(|id| id.get())));
    out.extend_from_slice(b",\"feature_segment\":");
    write_optional_integer(out, shown(ids.feature_segment.map(|id| id.get())));
    out.extend_from_slice(b",\"enabled\":");
    write_boolean(out, state.enabled);
}

fn write_end(variant: &FlagVariant<'_>, form: FlagForm, out: &mut Vec<u8>) {
    if form == FlagForm::WithVariant {
        out.extend_from_slice(b",\"variant\":");
        write_optional_text(out, variant_key(variant));
    }
    out.push(b'}');
}
