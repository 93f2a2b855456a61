//! Parts of long lists.

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// From 1.
    pub page: u32,
    /// Rows on a page, 1 to 999.
    pub size: u32,
}

impl PageRequest {
    /// The most rows a page may have.
    pub const LIMIT: u32 = 999;

    /// As much as one page can hold.
    #[must_use]
    pub const fn first() -> Self {
        Self {
            page: 1,
            size: Self::LIMIT,
        }
    }

    pub(crate) fn limit(self) -> i64 {
        i64::from(self.size.clamp(1, Self::LIMIT))
    }

    pub(crate) fn offset(self) -> i64 {
        i64::from(self.page.max(1) - 1) * self.limit()
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows of the page.
    pub items: Vec<T>,
    /// Rows of the whole list.
    pub total: i64,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            total: 0,
        }
    }
}
