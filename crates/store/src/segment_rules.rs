//! Rules and conditions of segments: tables of their own, because the API shows and takes their ids.

use crate::backend::{Transaction, on_transaction};
use crate::error::Noun;
use crate::text::{CHUNK, placeholders};
use crate::{StoreError, StoreResult, Write};
use flagstaff_core::{Condition, ConditionId, Rule, RuleId, RuleKind, SegmentId};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;
use uuid::Uuid;

/// A rule as it is stored, with its conditions.
pub(crate) struct RuleRow {
    id: i64,
    parent_id: Option<i64>,
    kind: RuleKind,
    conditions: Vec<Condition>,
}

#[derive(sqlx::FromRow)]
struct ConditionRow {
    id: i64,
    rule_id: i64,
    operator: String,
    property: Option<String>,
    value: Option<String>,
    description: Option<String>,
}

const fn kind_text(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::All => "all",
        RuleKind::Any => "any",
        RuleKind::None => "none",
    }
}

fn kind_of(segment: i64, text: &str) -> StoreResult<RuleKind> {
    match text {
        "all" => Ok(RuleKind::All),
        "any" => Ok(RuleKind::Any),
        "none" => Ok(RuleKind::None),
        other => Err(StoreError::Corrupt {
            noun: Noun::Segment,
            id: segment,
            problem: format!("`{other}` is no kind of rule"),
        }),
    }
}

/// The rules of several segments, by segment.
pub(crate) type RulesBySegment = HashMap<i64, Vec<RuleRow>>;

/// Takes the rules of one segment out of those of many and puts its trees together.
pub(crate) fn rules_of(rows: &mut RulesBySegment, segment: i64) -> Vec<Rule> {
    let mut children: HashMap<Option<i64>, Vec<RuleRow>> = HashMap::new();
    for row in rows.remove(&segment).unwrap_or_default() {
        children.entry(row.parent_id).or_default().push(row);
    }
    tree(&mut children, None)
}

/// The rules under a parent; rows of a cycle are never reached.
fn tree(children: &mut HashMap<Option<i64>, Vec<RuleRow>>, parent: Option<i64>) -> Vec<Rule> {
    let rows = children.remove(&parent).unwrap_or_default();
    let rule = |row: RuleRow| Rule {
        id: Some(RuleId::new(row.id)),
        kind: row.kind,
        rules: tree(children, Some(row.id)),
        conditions: row.conditions,
    };
    rows.into_iter().map(rule).collect()
}

impl Transaction {
    /// The rules of segments, in the order in which they were written.
    pub(crate) async fn segment_rules(&mut self, segments: &[i64]) -> StoreResult<RulesBySegment> {
        let mut rules = RulesBySegment::new();
        for segments in segments.chunks(CHUNK) {
            let mut conditions = self.segment_conditions(segments).await?;
            let sql = format!(
                "SELECT id, segment_id, parent_id, kind FROM segment_rules
                WHERE segment_id IN ({}) ORDER BY segment_id, position, id",
                placeholders(1, segments.len())
            );
            let rows: Vec<(i64, i64, Option<i64>, String)> =
                on_transaction!(&mut *self, |connection| {
                    let mut query = sqlx::query_as(AssertSqlSafe(sql));
                    for segment in segments {
                        query = query.bind(*segment);
                    }
                    query.fetch_all(connection).await
                })?;
            for (id, segment_id, parent_id, kind) in rows {
                rules.entry(segment_id).or_default().push(RuleRow {
                    id,
                    parent_id,
                    kind: kind_of(segment_id, &kind)?,
                    conditions: conditions.remove(&id).unwrap_or_default(),
                });
            }
        }
        Ok(rules)
    }

    async fn segment_conditions(
        &mut self,
        segments: &[i64],
    ) -> StoreResult<HashMap<i64, Vec<Condition>>> {
        let sql = format!(
            "SELECT c.id, c.rule_id, c.operator, c.property, c.value, c.description
            FROM segment_conditions c JOIN segment_rules r ON r.id = c.rule_id
            WHERE r.segment_id IN ({}) ORDER BY c.rule_id, c.position, c.id",
            placeholders(1, segments.len())
        );
        let rows: Vec<ConditionRow> = on_transaction!(self, |connection| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for segment in segments {
                query = query.bind(*segment);
            }
            query.fetch_all(connection).await
        })?;
        let mut conditions: HashMap<i64, Vec<Condition>> = HashMap::new();
        for row in rows {
            conditions.entry(row.rule_id).or_default().push(Condition {
                id: Some(ConditionId::new(row.id)),
                operator: row.operator,
                property: row.property,
                value: row.value,
                description: row.description,
            });
        }
        Ok(conditions)
    }
}

impl Write {
    /// Replaces the rules of a segment. Rules and conditions whose ids belong to it keep them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn replace_rules(
        &mut self,
        segment: SegmentId,
        rules: &[Rule],
    ) -> StoreResult<Vec<Rule>> {
        const CONDITIONS: &str = "
            DELETE FROM segment_conditions
            WHERE rule_id IN (SELECT id FROM segment_rules WHERE segment_id = $1)";
        // Children before parents: a rule refers to the one it stands in.
        const CHILDREN: &str =
            "DELETE FROM segment_rules WHERE segment_id = $1 AND parent_id IS NOT NULL";
        const RULES: &str = "DELETE FROM segment_rules WHERE segment_id = $1";
        let mut known = KnownIds::default();
        let old = self.transaction.segment_rules(&[segment.get()]).await?;
        for rule in old.values().flatten() {
            known.rules.push(rule.id);
            let ids = rule.conditions.iter().filter_map(|condition| condition.id);
            known.conditions.extend(ids.map(ConditionId::get));
        }
        for sql in [CONDITIONS, CHILDREN, RULES] {
            on_transaction!(&mut self.transaction, |connection| {
                sqlx::query(sql)
                    .bind(segment.get())
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        self.insert_rule_list(segment, None, rules, &mut known)
            .await
    }

    /// Writes the rules of a new segment.
    pub(crate) async fn insert_rules(
        &mut self,
        segment: SegmentId,
        rules: &[Rule],
    ) -> StoreResult<Vec<Rule>> {
        self.insert_rule_list(segment, None, rules, &mut KnownIds::default())
            .await
    }

    async fn insert_rule_list(
        &mut self,
        segment: SegmentId,
        parent: Option<RuleId>,
        rules: &[Rule],
        known: &mut KnownIds,
    ) -> StoreResult<Vec<Rule>> {
        let mut stored = Vec::with_capacity(rules.len());
        for (position, rule) in rules.iter().enumerate() {
            let id = self
                .insert_rule(segment, parent, rule, position, known)
                .await?;
            let mut conditions = Vec::with_capacity(rule.conditions.len());
            for (position, condition) in rule.conditions.iter().enumerate() {
                let id = self
                    .insert_condition(id, condition, position, known)
                    .await?;
                conditions.push(Condition {
                    id: Some(id),
                    ..condition.clone()
                });
            }
            let inner = self.insert_rule_list(segment, Some(id), &rule.rules, known);
            stored.push(Rule {
                id: Some(id),
                kind: rule.kind,
                rules: Box::pin(inner).await?,
                conditions,
            });
        }
        Ok(stored)
    }

    async fn insert_rule(
        &mut self,
        segment: SegmentId,
        parent: Option<RuleId>,
        rule: &Rule,
        position: usize,
        known: &mut KnownIds,
    ) -> StoreResult<RuleId> {
        const NEW: &str = "
            INSERT INTO segment_rules (uuid, segment_id, parent_id, kind, position)
            VALUES ($1, $2, $3, $4, $5) RETURNING id";
        const OLD: &str = "
            INSERT INTO segment_rules (uuid, segment_id, parent_id, kind, position, id)
            VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
        let kept = rule
            .id
            .map(RuleId::get)
            .filter(|id| take(&mut known.rules, *id));
        let id: i64 = on_transaction!(&mut self.transaction, |connection| {
            let query = sqlx::query_scalar(if kept.is_some() { OLD } else { NEW })
                .bind(Uuid::new_v4().to_string())
                .bind(segment.get())
                .bind(parent.map(RuleId::get))
                .bind(kind_text(rule.kind))
                .bind(i64::try_from(position).unwrap_or(i64::MAX));
            match kept {
                Some(id) => query.bind(id).fetch_one(connection).await,
                None => query.fetch_one(connection).await,
            }
        })?;
        Ok(RuleId::new(id))
    }

    async fn insert_condition(
        &mut self,
        rule: RuleId,
        condition: &Condition,
        position: usize,
        known: &mut KnownIds,
    ) -> StoreResult<ConditionId> {
        const NEW: &str = "
            INSERT INTO segment_conditions (uuid, rule_id, operator, property, value, description, position)
            VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
        const OLD: &str = "
            INSERT INTO segment_conditions (uuid, rule_id, operator, property, value, description, position, id)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id";
        let kept = condition.id.map(ConditionId::get);
        let kept = kept.filter(|id| take(&mut known.conditions, *id));
        let id: i64 = on_transaction!(&mut self.transaction, |connection| {
            let query = sqlx::query_scalar(if kept.is_some() { OLD } else { NEW })
                .bind(Uuid::new_v4().to_string())
                .bind(rule.get())
                .bind(&condition.operator)
                .bind(&condition.property)
                .bind(&condition.value)
                .bind(&condition.description)
                .bind(i64::try_from(position).unwrap_or(i64::MAX));
            match kept {
                Some(id) => query.bind(id).fetch_one(connection).await,
                None => query.fetch_one(connection).await,
            }
        })?;
        Ok(ConditionId::new(id))
    }
}

/// Ids that belong to a segment and may be used once more each.
#[derive(Default)]
struct KnownIds {
    rules: Vec<i64>,
    conditions: Vec<i64>,
}

fn take(ids: &mut Vec<i64>, id: i64) -> bool {
    let position = ids.iter().position(|known| *known == id);
    position.map(|position| ids.swap_remove(position)).is_some()
}
