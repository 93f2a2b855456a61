//! Who looks after features.

use crate::backend::{on_backend, on_transaction};
use crate::{Store, StoreResult, Write};
use flagstaff_core::{FeatureId, MemberId, OrganisationId};

impl Store {
    /// True when a member belongs to an organisation, and so may look after its features.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_member_of(
        &self,
        member: MemberId,
        organisation: OrganisationId,
    ) -> StoreResult<bool> {
        const SQL: &str = "
            SELECT COUNT(*) FROM memberships b JOIN members m ON m.id = b.member_id
            WHERE b.member_id = $1 AND b.organisation_id = $2 AND m.deleted_at IS NULL";
        let count: i64 = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(member.get())
                .bind(organisation.get())
                .fetch_one(pool)
                .await
        })?;
        Ok(count > 0)
    }
}

impl Write {
    /// Makes somebody look after a feature; does nothing when they do already.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_feature_owner(
        &mut self,
        feature: FeatureId,
        member: MemberId,
    ) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO feature_owners (feature_id, member_id) VALUES ($1, $2)
            ON CONFLICT (feature_id, member_id) DO NOTHING";
        self.change_owner(SQL, feature, member).await
    }

    /// Takes a feature out of somebody's hands; does nothing when it was not in them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_feature_owner(
        &mut self,
        feature: FeatureId,
        member: MemberId,
    ) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM feature_owners WHERE feature_id = $1 AND member_id = $2";
        self.change_owner(SQL, feature, member).await
    }

    async fn change_owner(
        &mut self,
        sql: &'static str,
        feature: FeatureId,
        member: MemberId,
    ) -> StoreResult<()> {
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(sql)
                .bind(feature.get())
                .bind(member.get())
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
