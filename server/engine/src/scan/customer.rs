//! Which applications of a customer reach a mailbox.

use std::collections::BTreeMap;

use domain::{
    Problem,
    exposure::{MailboxRow, MailboxView},
    id::{CustomerId, ObjectId},
    person::{Operator, Right},
    reach::Verdict,
};

use super::application::name_of;
use crate::{Answer, Engine, Failure, customers::head};

impl Engine {
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
