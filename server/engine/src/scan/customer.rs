//! One customer: its applications by reach, and which of them reach a mailbox.

use std::collections::BTreeMap;

use domain::{
    Problem,
    exposure::{By, ExposureQuery, MailboxRow, MailboxView, ReachView},
    id::{CustomerId, ObjectId},
    person::{Operator, Right},
    reach::Verdict,
};

use super::{application::name_of, exposure::DAYS};
use crate::{Answer, Engine, Failure, customers::head};

impl Engine {
    /// The applications of a customer by reach, as it was last read.
    pub async fn customer_reach(
        &self,
        operator: &Operator,
        customer: CustomerId,
        query: &ExposureQuery,
    ) -> Answer<ReachView> {
        let query = ExposureQuery {
            by: By::Each,
            customer: Some(customer),
            ..query.clone()
        };
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            let state = tx.scan_state(&access).await?;
            let (tally, permissions) = tx.customer_totals(&access).await?;
            let rows = tx.exposure(&query).await?;
            let days = tx.reach_days(Some(&access), DAYS).await?;
            tx.commit().await?;
            Ok::<_, Failure>(ReachView {
                head: head(&access),
                state,
                tally,
                rows: rows.rows,
                matching: rows.matching,
                page: rows.page,
                pages: rows.pages,
                days,
                permissions,
            })
        };
        load.await.map_err(Problem::from)
    }

    /// Which applications reach a mailbox, or cannot be ruled out, as of the newest reading. The
    /// worst first.
    pub async fn mailbox_reach(
        &self,
        operator: &Operator,
        customer: CustomerId,
        mailbox: ObjectId,
    ) -> Answer<MailboxView> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            let known = tx.reach(&access).await?;
            Ok::<_, Failure>((access, known))
        };
        let (access, known) = load.await.map_err(Problem::from)?;
        let mut rows: Vec<MailboxRow> = Vec::new();
        let mut places: BTreeMap<ObjectId, usize> = BTreeMap::new();
        let reaches = known.iter().flat_map(|known| known.reach.who(mailbox));
        for (verdict, application, permission) in reaches {
            let place = *places.entry(application.object).or_insert_with(|| {
                rows.push(MailboxRow {
                    object: application.object,
                    name: name_of(application),
                    permissions: Vec::new(),
                    certain: false,
                });
                rows.len() - 1
            });
            if let Some(row) = rows.get_mut(place) {
                row.certain |= verdict == Verdict::Allowed;
                row.permissions.push(
                    permission
                        .map_or_else(|| "perhaps more".to_owned(), |one| one.value.to_string()),
                );
            }
        }
        Ok(MailboxView {
            head: head(&access),
            read: known.map(|known| known.read),
            object: mailbox,
            rows,
        })
    }
}
