//! Lists of features: filtered, sorted, in pages.

use crate::backend::on_backend;
use crate::features::{FeatureRow, kind_text};
use crate::page::{Page, PageRequest};
use crate::text::{CHUNK, can_be_part, contains_pattern, placeholders};
use crate::{Store, StoreResult};
use flagstaff_core::{Feature, FeatureKind, MemberId, ProjectId, TagId, fold};
use sqlx::AssertSqlSafe;

/// The order of a list of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FeatureSort {
    /// As they were made.
    #[default]
    Created,
    /// Newest first.
    CreatedDescending,
    /// By name, without regard to case.
    Name,
    /// By name, from the end.
    NameDescending,
}

/// Which tags a feature has to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagFilter {
    /// No tag at all.
    Untagged,
    /// At least one of these.
    Any(Vec<TagId>),
    /// Every one of these.
    All(Vec<TagId>),
}

/// Which features are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeatureFilter {
    /// Part of a name, without regard to case.
    pub search: Option<String>,
    /// Only archived ones, or only others.
    pub is_archived: Option<bool>,
    /// Only those with variants, or only those without.
    pub kind: Option<FeatureKind>,
    /// By their tags.
    pub tags: Option<TagFilter>,
    /// Only those that one of these looks after.
    pub owners: Option<Vec<MemberId>>,
    /// Order.
    pub sort: FeatureSort,
}

impl FeatureFilter {
    /// True when no feature can be as asked for.
    fn is_impossible(&self) -> bool {
        let search = self.search.as_deref();
        search.is_some_and(|text| !can_be_part(text))
            || self.owners.as_ref().is_some_and(|owners| owners.is_empty())
            || matches!(&self.tags, Some(TagFilter::Any(tags)) if tags.is_empty())
    }

    /// The condition after `WHERE`, with the ids it binds from `$5` on.
    fn condition(&self) -> (String, Vec<i64>) {
        let mut condition = r"project_id = $1 AND deleted_at IS NULL
            AND name_folded LIKE $2 ESCAPE '\' AND ($3 IS NULL OR is_archived = $3)
            AND ($4 IS NULL OR kind = $4)"
            .to_owned();
        let mut ids = Vec::new();
        let mut among = |column: &str, table: &str, chosen: Vec<i64>| {
            // Databases limit the parameters of a statement; nobody chooses more than a few.
            let chosen = &chosen[..chosen.len().min(CHUNK)];
            let list = placeholders(5 + ids.len(), chosen.len());
            ids.extend_from_slice(chosen);
            condition.push_str(&format!(
                " AND id IN (SELECT feature_id FROM {table} WHERE {column} IN ({list}))"
            ));
        };
        match &self.tags {
            Some(TagFilter::Any(tags)) => {
                let tags = tags.iter().map(|tag| tag.get());
                among("tag_id", "feature_tags", tags.collect());
            }
            Some(TagFilter::All(tags)) => {
                for tag in tags {
                    among("tag_id", "feature_tags", vec![tag.get()]);
                }
            }
            Some(TagFilter::Untagged) | None => {}
        }
        if let Some(owners) = &self.owners {
            let owners = owners.iter().map(|owner| owner.get());
            among("member_id", "feature_owners", owners.collect());
        }
        if self.tags == Some(TagFilter::Untagged) {
            condition.push_str(" AND id NOT IN (SELECT feature_id FROM feature_tags)");
        }
        (condition, ids)
    }

    const fn order(&self) -> &'static str {
        match self.sort {
            FeatureSort::Created => "id",
            FeatureSort::CreatedDescending => "id DESC",
            FeatureSort::Name => "name_folded, id",
            FeatureSort::NameDescending => "name_folded DESC, id",
        }
    }
}

impl Store {
    /// Features of a project.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn features(
        &self,
        project: ProjectId,
        filter: &FeatureFilter,
        page: PageRequest,
    ) -> StoreResult<Page<Feature>> {
        if filter.is_impossible() {
            return Ok(Page::default());
        }
        let (condition, ids) = filter.condition();
        let search = contains_pattern(&fold(filter.search.as_deref().unwrap_or_default()));
        let kind = filter.kind.map(kind_text);
        let count = format!("SELECT COUNT(*) FROM features WHERE {condition}");
        let total: i64 = on_backend!(self, |pool| {
            let mut query = sqlx::query_scalar(AssertSqlSafe(count))
                .bind(project.get())
                .bind(&search)
                .bind(filter.is_archived)
                .bind(kind);
            for id in &ids {
                query = query.bind(*id);
            }
            query.fetch_one(pool).await
        })?;
        let (order, limit) = (filter.order(), 5 + ids.len());
        let offset = limit + 1;
        let sql = format!(
            "SELECT id, uuid, project_id, name, kind, default_enabled, initial_value, description,
                is_archived, is_server_key_only, hash, value_type, expected_removal, created_at
            FROM features WHERE {condition} ORDER BY {order} LIMIT ${limit} OFFSET ${offset}"
        );
        let rows: Vec<FeatureRow> = on_backend!(self, |pool| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql))
                .bind(project.get())
                .bind(&search)
                .bind(filter.is_archived)
                .bind(kind);
            for id in &ids {
                query = query.bind(*id);
            }
            let query = query.bind(page.limit()).bind(page.offset());
            query.fetch_all(pool).await
        })?;
        let items: StoreResult<_> = rows.into_iter().map(Feature::try_from).collect();
        Ok(Page {
            items: items?,
            total,
        })
    }

    /// How many features a project has.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_features(&self, project: ProjectId) -> StoreResult<i64> {
        const SQL: &str =
            "SELECT COUNT(*) FROM features WHERE project_id = $1 AND deleted_at IS NULL";
        Ok(on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(project.get())
                .fetch_one(pool)
                .await
        })?)
    }
}
