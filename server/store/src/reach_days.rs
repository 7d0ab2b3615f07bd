//! The counts of each day, for a chart: of each customer, and of all customers together.

use chrono::{NaiveDate, NaiveTime};
use domain::{
    Timestamp,
    exposure::{DayTally, Tally},
    id::{CustomerId, PartnerId},
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{CustomerAccess, Result, Tx, clean::moment, exposure::tally, exposure_sql::proven};

/// The newest counts of a day replace the earlier ones.
macro_rules! of_today {
    () => {
        " on conflict (partner_id, customer_id, day) do update set
              power = excluded.power, unrestricted = excluded.unrestricted,
              all_except = excluded.all_except,
              unknown = excluded.unknown, confined = excluded.confined,
              proven = excluded.proven, nothing = excluded.nothing"
    };
}

#[derive(FromRow)]
struct DayRow {
    day: NaiveDate,
    power: i32,
    unrestricted: i32,
    all_except: i32,
    unknown: i32,
    confined: i32,
    proven: i32,
    nothing: i32,
}

impl Tx {
    /// The counts of the last `days` days, the oldest first: of one customer, or of all together.
    pub async fn reach_days(
        &mut self,
        access: Option<&CustomerAccess>,
        days: i64,
    ) -> Result<Vec<DayTally>> {
        let partner = self.partner();
        let customer = match access {
            Some(access) => self.reads(access)?.1.0,
            None => Uuid::nil(),
        };
        let mut rows: Vec<DayRow> = sqlx::query_as(
            "select day, power, unrestricted, all_except, unknown, confined, proven, nothing
             from reach_days where partner_id = $1 and customer_id = $2
             order by day desc limit $3",
        )
        .bind(partner.0)
        .bind(customer)
        .bind(days)
        .fetch_all(self.conn())
        .await?;
        rows.reverse();
        Ok(rows.into_iter().map(DayRow::tally).collect())
    }

    /// Stores today's counts of a customer.
    pub(crate) async fn count_day(
        &mut self,
        partner: PartnerId,
        customer: CustomerId,
        now: Timestamp,
    ) -> Result<()> {
        sqlx::query(concat!(
            "insert into reach_days (partner_id, customer_id, day, power, unrestricted, all_except,
                                     unknown, confined, proven, nothing)
             with p as (",
            proven!(),
            " and s.customer_id = $2)
             select $1, $2, $3::date, power, unrestricted, all_except, unknown, confined, proven,
                    nothing
             from (",
            tally!(),
            " and s.subject = $2) t",
            of_today!()
        ))
        .bind(partner.0)
        .bind(customer.0)
        .bind(moment(now))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Stores today's counts of all customers together. Concurrent callers wait for each other, so
    /// only the last of many calls it.
    pub async fn count_all(&mut self, now: Timestamp) -> Result<()> {
        let partner = self.partner();
        sqlx::query(concat!(
            "insert into reach_days (partner_id, customer_id, day, power, unrestricted, all_except,
                                     unknown, confined, proven, nothing)
             with p as (",
            proven!(),
            ")
             select $1, $3, $2::date, power, unrestricted, all_except, unknown, confined, proven,
                    nothing
             from (",
            tally!(),
            ") t",
            of_today!()
        ))
        .bind(partner.0)
        .bind(moment(now))
        .bind(Uuid::nil())
        .execute(self.conn())
        .await?;
        Ok(())
    }
}

impl DayRow {
    fn tally(self) -> DayTally {
        DayTally {
            day: Timestamp::from(self.day.and_time(NaiveTime::MIN).and_utc()),
            tally: Tally {
                power: self.power.into(),
                unrestricted: self.unrestricted.into(),
                all_except: self.all_except.into(),
                unknown: self.unknown.into(),
                confined: self.confined.into(),
                proven: self.proven.into(),
                nothing: self.nothing.into(),
            },
        }
    }
}
