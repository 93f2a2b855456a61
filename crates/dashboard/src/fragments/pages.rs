//! The pages of a long list.

/// Which page of a list is shown, and where the others are. Shown by `parts::pagination`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pages {
    /// From 1.
    pub(crate) here: u32,
    /// The last one, at least 1.
    pub(crate) last: u32,
    /// Entries on all pages.
    pub(crate) total: i64,
    /// Address of the page before.
    pub(crate) previous: Option<String>,
    /// Address of the page after.
    pub(crate) next: Option<String>,
}

impl Pages {
    /// Of `total` entries, `size` on each page; `path` gives the address of a page.
    pub(crate) fn new(here: u32, size: u32, total: i64, path: impl Fn(u32) -> String) -> Self {
        let count = total.max(1).unsigned_abs().div_ceil(u64::from(size.max(1)));
        let last = u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            here,
            last,
            total,
            previous: (here > 1).then(|| path(here - 1)),
            next: (here < last).then(|| path(here + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_links_to_its_neighbouring_pages_only() {
        let path = |page: u32| format!("/?page={page}");

        let first = Pages::new(1, 50, 101, path);
        let last = Pages::new(3, 50, 101, path);
        let empty = Pages::new(1, 50, 0, path);

        assert_eq!(
            (first.last, first.previous, first.next),
            (3, None, Some("/?page=2".to_owned()))
        );
        assert_eq!(
            (last.previous, last.next),
            (Some("/?page=2".to_owned()), None)
        );
        assert_eq!((empty.last, empty.previous, empty.next), (1, None, None));
    }
}
