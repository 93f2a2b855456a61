//! Lists: their parameters and their pages.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::Fields;
use super::super::pagination::Paging;
use super::super::query::Query;
use flagstaff_service::{Page, PageRequest};
use serde_json::{Map, Value as Json};

/// Items on a page when nothing else is asked for.
const PAGE_SIZE: u32 = 999;
/// Characters of what a list is searched for.
pub(crate) const SEARCH_LIMIT: usize = 2000;

/// Reads the parameters behind the question mark as the fields of a body are read.
pub(crate) fn read_parameters<T>(
    query: &Query,
    read: impl FnOnce(&mut Fields<'_>) -> T,
) -> Result<T, Failure> {
    let pairs = query.sorted();
    // Of two parameters with one name the last counts.
    let members: Map<String, Json> = pairs
        .into_iter()
        .map(|(name, text)| (name.to_owned(), Json::String(text.to_owned())))
        .collect();
    Fields::read(&Json::Object(members), read)
}

/// Which page was asked for.
pub(crate) fn paging(query: &Query) -> Result<Paging, Failure> {
    Paging::read(query, PAGE_SIZE)
}

/// The same in the words of the product.
pub(crate) fn page_request(paging: Paging) -> PageRequest {
    PageRequest {
        page: paging.page,
        size: paging.size,
    }
}

/// Answers a page that the product cut.
pub(crate) fn answer_page<S, T>(
    call: &Call<S>,
    paging: Paging,
    page: &Page<T>,
    shape: impl FnMut(&T) -> Json,
) -> Result<Answer, Failure> {
    let results = page.items.iter().map(shape).collect();
    paging.answer(call, page.total, results)
}

/// Answers a page of a list that is known as a whole.
pub(crate) fn answer_part<S, T>(
    call: &Call<S>,
    paging: Paging,
    items: &[T],
    shape: impl FnMut(&T) -> Json,
) -> Result<Answer, Failure> {
    let size = usize::try_from(paging.size).unwrap_or(usize::MAX);
    let pages_before = usize::try_from(paging.page - 1).unwrap_or(usize::MAX);
    let part = items
        .iter()
        .skip(pages_before.saturating_mul(size))
        .take(size);
    let results = part.map(shape).collect();
    let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
    paging.answer(call, total, results)
}
