//! Lists of setups.

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    id::{AppId, CustomerId, SetupId},
    proof::Proof,
    setup::SetupState,
    view::{SetupRow, SetupsFilter},
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    CustomerAccess, Result, Tx,
    clean::{self, moment},
};

#[derive(FromRow)]
struct SetupListRow {
    id: Uuid,
    customer_id: Uuid,
    customer_name: String,
    app_id: Uuid,
    application_name: String,
    state: String,
    proof: String,
    started_by_name: String,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    doing: String,
}

impl SetupListRow {
    fn row(self) -> Result<SetupRow> {
        Ok(SetupRow {
            id: SetupId(self.id),
            customer: CustomerId(self.customer_id),
            customer_name: self.customer_name,
            app_id: AppId(self.app_id),
            application: self.application_name,
            state: clean::word("setups.state", &self.state, SetupState::parse)?,
            proof: clean::word("setups.proof", &self.proof, Proof::parse)?,
            started_by: self.started_by_name,
            started: self.started_at.into(),
            ended: self.ended_at.map(Timestamp::from),
            doing: self.doing,
        })
    }
}

fn rows(found: Vec<SetupListRow>) -> Result<Vec<SetupRow>> {
    found.into_iter().map(SetupListRow::row).collect()
}

/// The columns that every list selects.
macro_rules! list {
    ($($rest:literal),*) => {
        concat!(
            "select s.id, s.customer_id, c.name as customer_name, s.app_id, s.application_name,
                    s.state, s.proof, s.started_by_name, s.started_at, s.ended_at, s.doing
             from setups s
             join customers c on c.partner_id = s.partner_id and c.id = s.customer_id
             where s.partner_id = $1 ",
            $($rest),*
        )
    };
}

const ACTIVE: &str = list!(
    "and s.active ",
    "and ($2::timestamptz is null or s.started_at < $2) ",
    "order by s.started_at desc fetch first $3 rows with ties"
);
const ALL: &str = list!(
    "and ($2::timestamptz is null or s.started_at < $2) ",
    "order by s.started_at desc fetch first $3 rows with ties"
);

impl Tx {
    /// Setups of all the partner's customers that started before `before`, newest first. Returns
    /// `limit` setups, and more only when several started at the same moment as the last one. A
    /// caller that pages with the last one's start time therefore misses none.
    pub async fn setups(
        &mut self,
        filter: SetupsFilter,
        before: Option<Timestamp>,
        limit: i64,
    ) -> Result<Vec<SetupRow>> {
        let partner = self.partner();
        let sql = match filter {
            SetupsFilter::Active => ACTIVE,
            SetupsFilter::All => ALL,
        };
        let found = sqlx::query_as(sql)
            .bind(partner.0)
            .bind(before.map(moment))
            .bind(limit.max(1))
            .fetch_all(self.conn())
            .await?;
        rows(found)
    }

    /// All setups of a customer, newest first.
    pub async fn setups_of_customer(&mut self, access: &CustomerAccess) -> Result<Vec<SetupRow>> {
        let (partner, customer) = self.reads(access)?;
        let found = sqlx::query_as(list!(
            "and s.customer_id = $2 order by s.started_at desc, s.id"
        ))
        .bind(partner.0)
        .bind(customer.0)
        .fetch_all(self.conn())
        .await?;
        rows(found)
    }

    /// The setup that holds an application, if one does.
    pub async fn active_setup_for(
        &mut self,
        access: &CustomerAccess,
        application: AppId,
    ) -> Result<Option<SetupRow>> {
        let (partner, customer) = self.reads(access)?;
        let found: Option<SetupListRow> = sqlx::query_as(list!(
            "and s.customer_id = $2 and s.app_id = $3 and s.active"
        ))
        .bind(partner.0)
        .bind(customer.0)
        .bind(application.0)
        .fetch_optional(self.conn())
        .await?;
        found.map(SetupListRow::row).transpose()
    }
}

#[cfg(test)]
#[path = "setup_lists_tests.rs"]
mod tests;
