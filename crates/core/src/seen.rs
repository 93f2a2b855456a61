//! A caller's attributes as conditions see them: each is looked up and read once, however many conditions ask for it.

use crate::context::Attributes;
use crate::operand::Operand;
use crate::operator::Version;
use crate::ruleset::SegmentRules;
use std::cell::OnceCell;
use std::sync::Arc;

/// The attributes that the conditions of a ruleset ask for.
#[derive(Debug)]
pub(crate) struct AttributeTable {
    /// Sorted, each once.
    names: Vec<Arc<str>>,
    /// For each segment: where the attributes of its rules stand in `names`.
    of_segments: Vec<Box<[usize]>>,
}

impl AttributeTable {
    pub(crate) fn of(segments: &[Arc<SegmentRules>]) -> Self {
        let of_segment = |segment: &Arc<SegmentRules>| segment.compiled().attributes.clone();
        let mut names: Vec<Arc<str>> = segments.iter().flat_map(of_segment).collect();
        names.sort_unstable();
        names.dedup();
        let places = |segment: &Arc<SegmentRules>| {
            let attributes = segment.compiled().attributes.iter();
            attributes
                .map(|name| names.partition_point(|each| each < name))
                .collect()
        };
        let of_segments = segments.iter().map(places).collect();
        Self { names, of_segments }
    }

    /// Where the attributes of a segment's rules stand.
    pub(crate) fn of_segment(&self, segment: usize) -> &[usize] {
        &self.of_segments[segment]
    }
}

/// One attribute of the caller, read.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    operand: Operand<'a>,
    version: OnceCell<Option<Version<&'a str>>>,
}

impl<'a> Seen<'a> {
    pub(crate) const fn new(operand: Operand<'a>) -> Self {
        Self {
            operand,
            version: OnceCell::new(),
        }
    }

    pub(crate) const fn operand(&self) -> Operand<'a> {
        self.operand
    }

    /// Text that is a version, taken apart when it is first asked for.
    pub(crate) fn version(&self) -> Option<&Version<&'a str>> {
        let version = self.version.get_or_init(|| match self.operand {
            Operand::Text(text) => Version::parse(text),
            Operand::Unset
            | Operand::Boolean(_)
            | Operand::Integer(_)
            | Operand::Float(_)
            | Operand::Unreadable => None,
        });
        version.as_ref()
    }
}

/// The attributes of one caller that the conditions of one ruleset ask for.
#[derive(Debug, Default)]
pub(crate) struct SeenAttributes<'s> {
    /// By place in the table: the position in `seen` and one more, or zero where the caller has no such attribute.
    positions: Vec<usize>,
    seen: Vec<Seen<'s>>,
}

impl<'s> SeenAttributes<'s> {
    /// Looks up what the caller has, not what conditions ask for: callers have few attributes, environments many
    /// conditions.
    pub(crate) fn new(table: &AttributeTable, attributes: Option<&'s Attributes>) -> Self {
        let Some(attributes) = attributes else {
            return Self::default();
        };
        let mut positions = vec![0; table.names.len()];
        let mut seen = Vec::with_capacity(attributes.len());
        // Both are sorted: what was passed need not be searched again.
        let mut start = 0;
        for (name, value) in attributes.iter() {
            let rest = table.names.get(start..).unwrap_or_default();
            start += rest.partition_point(|each| **each < *name);
            if table.names.get(start).is_some_and(|each| **each == *name) {
                seen.push(Seen::new(Operand::of(value)));
                positions[start] = seen.len();
            }
        }
        Self { positions, seen }
    }

    /// The attribute at a place in the table.
    pub(crate) fn get(&self, place: usize) -> Option<&Seen<'s>> {
        let position = self.positions.get(place)?;
        self.seen.get(position.checked_sub(1)?)
    }
}
