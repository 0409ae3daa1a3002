//! Campaigns and their numbers.
//!
//! Invariant: as with keys, a write is answered only when its transaction is committed and synced, so that no number is called
//! of which a crash would forget that it was.

use super::access::{What, json};
use super::query::{limit_of, record};
use super::{Store, StoreError};
use cordboard_model::campaign::{
    Campaign, CampaignNumber, CampaignWrite, NumberCounts, NumberState, NumbersAsked,
};
use cordboard_model::id::TenantId;
use cordboard_model::time::Wall;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use std::collections::BTreeMap;

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Carries it out within the transaction of a batch.
pub(super) async fn put(db: &mut SqliteConnection, writes: &[CampaignWrite]) -> Result<(), sqlx::Error> {
    for write in writes {
        put_one(db, write).await?;
    }
    Ok(())
}

async fn put_one(db: &mut SqliteConnection, write: &CampaignWrite) -> Result<(), sqlx::Error> {
    let done = match write {
        CampaignWrite::Campaign(campaign) => {
            let sql =
                "INSERT INTO campaign VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record";
            let query = sqlx::query(sql).bind(campaign.tenant.to_string()).bind(signed(campaign.id));
            query.bind(json(campaign)?).execute(db).await
        }
        CampaignWrite::NoCampaign(tenant, id) => {
            let sql = "DELETE FROM campaign WHERE tenant = ? AND id = ?";
            sqlx::query(sql).bind(tenant.to_string()).bind(signed(*id)).execute(db).await
        }
        CampaignWrite::Number(number) => return put_number(db, number).await,
        CampaignWrite::NoNumbers(tenant, campaign, most) => {
            let sql = "DELETE FROM campaign_number WHERE tenant = ? AND id IN
                           (SELECT id FROM campaign_number WHERE tenant = ? AND campaign = ? LIMIT ?)";
            let query = sqlx::query(sql).bind(tenant.to_string()).bind(tenant.to_string());
            query.bind(signed(*campaign)).bind(*most).execute(db).await
        }
    };
    done.map(|_| ())
}

async fn put_number(db: &mut SqliteConnection, number: &CampaignNumber) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO campaign_number VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
             state = excluded.state, due = excluded.due, owed = excluded.owed, record = excluded.record",
    )
    .bind(number.tenant.to_string())
    .bind(signed(number.id))
    .bind(signed(number.campaign))
    .bind(number.state.code())
    .bind(number.due.0)
    .bind(number.owed.map(|at| at.0))
    .bind(json(number)?)
    .execute(db)
    .await
    .map(|_| ())
}

impl Store {
    /// Changes what is kept of campaigns, all of it or nothing. It is committed when this answers. With a database that is down
    /// this is as long as it is down: give it a time limit.
    ///
    /// # Errors
    /// The database is closed or refuses it, or too much waits.
    pub async fn keep_campaigns(&self, writes: Vec<CampaignWrite>) -> Result<(), StoreError> {
        self.ask_for(What::Campaigns(writes)).await
    }

    /// Every tenant's campaigns, for a start.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn campaigns(&self) -> Result<Vec<Campaign>, StoreError> {
        let rows = sqlx::query("SELECT tenant, record FROM campaign ORDER BY tenant, id")
            .fetch_all(self.reader(TenantId::DEFAULT).await?.db())
            .await?;
        rows.iter().map(record).collect()
    }

    /// How many numbers of each of a tenant's campaigns stand where, and the highest number of a number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn campaign_counts(
        &self,
        tenant: TenantId,
    ) -> Result<(BTreeMap<u64, NumberCounts>, u64), StoreError> {
        let sql = "SELECT campaign, state, count(*), max(id) FROM campaign_number
                   INDEXED BY campaign_number_by_turn WHERE tenant = ? GROUP BY campaign, state";
        let rows =
            sqlx::query(sql).bind(tenant.to_string()).fetch_all(self.reader(tenant).await?.db()).await?;
        let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
        let (mut counts, mut last) = (BTreeMap::<u64, NumberCounts>::new(), 0);
        for row in rows {
            let of = counts.entry(unsigned(row.try_get(0)?)).or_default();
            let state: i64 = row.try_get(1)?;
            let count = unsigned(row.try_get(2)?);
            let known = [NumberState::Pending, NumberState::Calling, NumberState::Done];
            if let Some(state) = known.into_iter().find(|known| known.code() == state) {
                *of.of(state) = count;
            }
            last = last.max(unsigned(row.try_get(3)?));
        }
        Ok((counts, last))
    }

    /// Numbers of a campaign that are due, those that wait longest first; and when the next one is due, if these are fewer than
    /// `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn campaign_due(
        &self,
        (tenant, campaign): (TenantId, u64),
        now: Wall,
        limit: u32,
    ) -> Result<(Vec<CampaignNumber>, Option<Wall>), StoreError> {
        let sql = "SELECT id, record FROM campaign_number INDEXED BY campaign_number_by_turn
                   WHERE tenant = ? AND campaign = ? AND state = 0 ORDER BY due, id LIMIT ?";
        let rows = sqlx::query(sql)
            .bind(tenant.to_string())
            .bind(signed(campaign))
            .bind(limit_of(Some(limit)))
            .fetch_all(self.reader(tenant).await?.db())
            .await?;
        let mut numbers: Vec<CampaignNumber> = rows.iter().map(record).collect::<Result<_, _>>()?;
        let due = numbers.iter().take_while(|number| number.due <= now).count();
        let next = numbers.get(due).map(|number| number.due);
        numbers.truncate(due);
        Ok((numbers, next))
    }

    /// Numbers of a campaign whose results are to be posted, those that wait longest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn campaign_owed(
        &self,
        (tenant, campaign): (TenantId, u64),
        now: Wall,
        limit: u32,
    ) -> Result<Vec<CampaignNumber>, StoreError> {
        let sql = "SELECT id, record FROM campaign_number INDEXED BY campaign_number_owed
                   WHERE tenant = ? AND campaign = ? AND owed <= ? AND owed IS NOT NULL ORDER BY owed LIMIT ?";
        let rows = sqlx::query(sql)
            .bind(tenant.to_string())
            .bind(signed(campaign))
            .bind(now.0)
            .bind(limit_of(Some(limit)))
            .fetch_all(self.reader(tenant).await?.db())
            .await?;
        rows.iter().map(record).collect()
    }

    /// A page of a campaign's numbers, by their numbers upward.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn campaign_numbers(
        &self,
        tenant: TenantId,
        asked: NumbersAsked,
    ) -> Result<Vec<CampaignNumber>, StoreError> {
        let sql = "SELECT id, record FROM campaign_number
                   INDEXED BY campaign_number_by_campaign WHERE tenant = ? AND campaign = ? AND id > ? AND (? IS NULL OR state = ?) ORDER BY id LIMIT ?";
        let state = asked.state.map(NumberState::code);
        let rows = sqlx::query(sql)
            .bind(tenant.to_string())
            .bind(signed(asked.campaign))
            .bind(signed(asked.after))
            .bind(state)
            .bind(state)
            .bind(limit_of(Some(asked.limit)))
            .fetch_all(self.reader(tenant).await?.db())
            .await?;
        rows.iter().map(record).collect()
    }

    /// A number by its number; none if the tenant has none of it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn campaign_number(
        &self,
        tenant: TenantId,
        id: u64,
    ) -> Result<Option<CampaignNumber>, StoreError> {
        let row = sqlx::query("SELECT id, record FROM campaign_number WHERE tenant = ? AND id = ?")
            .bind(tenant.to_string())
            .bind(signed(id))
            .fetch_optional(self.reader(tenant).await?.db())
            .await?;
        row.as_ref().map(record).transpose()
    }
}
