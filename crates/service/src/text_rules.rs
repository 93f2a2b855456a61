//! Rules that texts of several nouns share.

use crate::error::{Problem, ServiceError, ServiceResult};

/// Characters a name of an organisation, project, environment or segment may have.
pub(crate) const NAME_LIMIT: usize = 2000;
/// Characters a value of a feature state may have.
pub(crate) const VALUE_LIMIT: usize = 20_000;

/// Checks a text that must not be empty.
pub(crate) fn check_name(field: &'static str, text: &str, limit: usize) -> ServiceResult<()> {
    if text.trim().is_empty() {
        return Err(ServiceError::invalid(field, Problem::Blank));
    }
    check_text(field, text, limit)
}

/// Checks a text that may be empty.
pub(crate) fn check_text(field: &'static str, text: &str, limit: usize) -> ServiceResult<()> {
    if text.contains('\0') {
        return Err(ServiceError::invalid(field, Problem::Nul));
    }
    if text.len() > limit && text.chars().count() > limit {
        return Err(ServiceError::invalid(field, Problem::TooLong { limit }));
    }
    Ok(())
}

/// Checks an optional text.
pub(crate) fn check_optional(
    field: &'static str,
    text: Option<&str>,
    limit: usize,
) -> ServiceResult<()> {
    text.map_or(Ok(()), |text| check_text(field, text, limit))
}

/// A short name for other protocols, made from a shown name: lower-case ASCII letters, digits and dashes.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 60 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        return "unnamed".to_owned();
    }
    slug.to_owned()
}

/// The first of `slug`, `slug-2`, `slug-3`… that is not taken.
pub(crate) fn free_slug(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let slug = slug(name);
    if !is_taken(&slug) {
        return slug;
    }
    let mut number = 2_u64;
    loop {
        let numbered = format!("{slug}-{number}");
        if !is_taken(&numbered) {
            return numbered;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_holds_only_what_every_protocol_takes() {
        let check = |name, expected| assert_eq!(slug(name), expected, "{name}");

        check("Web Shop", "web-shop");
        check("  Été / 2026! ", "t-2026");
        check("--", "unnamed");
        check("日本", "unnamed");
    }

    #[test]
    fn a_taken_slug_gets_a_number() {
        let free = free_slug("Shop", |slug| ["shop", "shop-2"].contains(&slug));

        assert_eq!(free, "shop-3");
    }
}
