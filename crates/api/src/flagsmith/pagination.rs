//! Lists in pages: `{"count", "next", "previous", "results"}`.

use super::answer::Answer;
use super::call::Call;
use super::error::Failure;
use super::query::Query;
use serde_json::{Value as Json, json};

/// The most items on a page.
pub(crate) const LARGEST_PAGE: u32 = 999;

/// Which page was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paging {
    /// From 1.
    pub(crate) page: u32,
    /// Items on a page.
    pub(crate) size: u32,
}

impl Paging {
    /// Reads `page` and, where `default_size` may be changed, `page_size`.
    pub(crate) fn read(query: &Query, default_size: u32) -> Result<Self, Failure> {
        let page = match query.last("page") {
            None | Some("") => 1,
            Some(text) => text
                .parse()
                .ok()
                .filter(|page| *page > 0)
                .ok_or_else(no_page)?,
        };
        let size = query
            .last("page_size")
            .and_then(|text| text.parse::<u32>().ok());
        let size = size.filter(|size| *size > 0).unwrap_or(default_size);
        Ok(Self {
            page,
            size: size.min(LARGEST_PAGE),
        })
    }

    /// Answers a page of `total` items. A page behind the last one does not exist; the first one always does.
    pub(crate) fn answer<S>(
        self,
        call: &Call<S>,
        total: i64,
        results: Vec<Json>,
    ) -> Result<Answer, Failure> {
        if results.is_empty() && self.page > 1 {
            return Err(no_page());
        }
        let seen = i64::from(self.page) * i64::from(self.size);
        let next = (seen < total).then(|| self.link(call, self.page + 1));
        let previous = (self.page > 1).then(|| self.link(call, self.page - 1));
        Ok(Answer::of(&json!({
            "count": total,
            "next": next,
            "previous": previous,
            "results": results,
        })))
    }

    /// An address that begins where people reach this server: the `Host` header is not to be believed.
    fn link<S>(self, call: &Call<S>, page: u32) -> String {
        let number = page.to_string();
        let query = call.query();
        let mut pairs = query.sorted();
        pairs.retain(|(name, _)| *name != "page");
        if page > 1 {
            pairs.push(("page", &number));
            pairs.sort_by_key(|(name, _)| *name);
        }
        let mut link = format!("{}{}", call.config().public_url, call.path());
        if !pairs.is_empty() {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish();
            link.push('?');
            link.push_str(&query);
        }
        link
    }
}

fn no_page() -> Failure {
    Failure::Missing("Invalid page.".into())
}
