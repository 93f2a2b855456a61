//! Flags as they are answered, written once for each way they can come out, and joined after that.

use flagstaff_core::{Flag, FlagVariant, Origin, Reason, Resolver, Snapshot};
use flagstaff_wire::ofrep::{Reader, write_resolution};
use std::sync::OnceLock;

/// The flags of one snapshot for one kind of reader. What a flag looks like depends on the state that holds, the variant
/// and whether there is an identifier at all; each of these is written when somebody gets it for the first time.
pub(super) struct Items {
    reader: Reader,
    /// By feature.
    defaults: Box<[Ways]>,
    /// By segment and position among its overrides.
    overrides: Box<[Box<[Ways]>]>,
}

type Written = OnceLock<Box<[u8]>>;

/// The ways in which one state comes out.
struct Ways {
    control: Written,
    /// For who has no identifier and is in no variant for that reason.
    nobody: Written,
    variants: Box<[Written]>,
}

impl Ways {
    fn new(variants: usize) -> Self {
        Self {
            control: Written::new(),
            nobody: Written::new(),
            variants: std::iter::repeat_with(Written::new)
                .take(variants)
                .collect(),
        }
    }
}

impl Items {
    pub(super) fn new(snapshot: &Snapshot, reader: Reader) -> Self {
        let features = snapshot.rules.features().iter();
        let segments = snapshot.rules.segments().iter();
        Self {
            reader,
            defaults: features
                .map(|feature| Ways::new(feature.state.variants.len()))
                .collect(),
            overrides: segments
                .map(|segment| {
                    let overrides = segment.overrides().iter();
                    overrides
                        .map(|part| Ways::new(part.state.variants.len()))
                        .collect()
                })
                .collect(),
        }
    }

    /// Writes a flag that was evaluated by this resolver.
    pub(super) fn write<'s>(
        &self,
        resolver: &mut Resolver<'s>,
        flag: &Flag<'s>,
        has_identifier: bool,
        out: &mut Vec<u8>,
    ) {
        let Some(written) = self.written(flag, has_identifier) else {
            return write_resolution(&resolver.resolve(flag.feature), self.reader, out);
        };
        let item = written.get_or_init(|| {
            let mut item = Vec::new();
            write_resolution(&resolver.resolve(flag.feature), self.reader, &mut item);
            item.into()
        });
        out.extend_from_slice(item);
    }

    /// Where it is kept; `None` for what holds for one identity alone, and for flags that depend on themselves.
    fn written(&self, flag: &Flag<'_>, has_identifier: bool) -> Option<&Written> {
        if flag.reason == Reason::CircularDependency {
            return None;
        }
        let ways = match flag.origin {
            Origin::Environment => self.defaults.get(flag.feature)?,
            Origin::Segment { segment, position } => self.overrides.get(segment)?.get(position)?,
            Origin::Identity => return None,
        };
        match flag.variant {
            FlagVariant::None | FlagVariant::Control if has_identifier => Some(&ways.control),
            FlagVariant::None | FlagVariant::Control => Some(&ways.nobody),
            FlagVariant::Option(variant) => {
                let mut variants = flag.state.variants.iter();
                let position = variants.position(|each| std::ptr::eq(each, variant))?;
                ways.variants.get(position)
            }
        }
    }
}
