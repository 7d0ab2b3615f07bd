//! Reads a customer's mailboxes from the last scan, and the applications that reach one of them.

use std::collections::BTreeMap;

use domain::{
    Problem,
    exposure::{MailboxRow, MailboxView, ScannedMailboxes},
    id::{CustomerId, ObjectId},
    person::{Operator, Right},
    reach::{ApplicationReach, Permission, Verdict},
};

use super::{application::name_of, customer_page::acting, words::Words};
use crate::{Answer, Engine, Failure, customers::head, mailboxes::SHOWN};

impl Engine {
    /// The applications that reach a mailbox, or that cannot be ruled out, from the last scan. The
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
            let mailboxes = tx.scanned_mailboxes(&access).await?;
            tx.commit().await?;
            Ok::<_, Failure>((access, known, mailboxes))
        };
        let (access, known, mailboxes) = load.await.map_err(Problem::from)?;
        let name = mailboxes.and_then(|(_, list)| {
            let found = list.into_iter().find(|(object, _)| *object == mailbox);
            found.map(|(_, name)| name)
        });
        let mut view = MailboxView {
            head: head(&access),
            read: None,
            object: mailbox,
            name,
            rows: Vec::new(),
            acts_as: Vec::new(),
            acts_as_unseen: Vec::new(),
            gaps: Vec::new(),
        };
        let Some(known) = known else {
            return Ok(view);
        };
        view.read = Some(known.read);
        let words = Words {
            reach: &known.reach,
            names: &known.names,
        };
        view.gaps = words.unlisted();
        view.acts_as = acting(&known.reach);
        view.acts_as_unseen = words.acts_as_unseen();
        view.rows = rows(&words, mailbox, view.name.is_some());
        Ok(view)
    }

    /// The mailboxes of the last scan that match `search`, to choose from while Microsoft cannot be
    /// asked.
    pub async fn scanned_mailboxes(
        &self,
        operator: &Operator,
        customer: CustomerId,
        search: &str,
    ) -> Answer<ScannedMailboxes> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            Ok::<_, Failure>(tx.scanned_mailboxes(&access).await?)
        };
        let Some((read, list)) = load.await.map_err(Problem::from)? else {
            return Ok(ScannedMailboxes {
                read: None,
                rows: Vec::new(),
                more: false,
            });
        };
        let search = search.to_lowercase();
        let mut found = list
            .into_iter()
            .filter(|(_, name)| name.to_lowercase().contains(&search));
        let rows = found.by_ref().take(SHOWN).collect();
        Ok(ScannedMailboxes {
            read: Some(read),
            rows,
            more: found.next().is_some(),
        })
    }
}

/// The rows of a mailbox's page. First come the applications with a power, because a power reaches
/// every mailbox. The others follow, the worst first.
fn rows(words: &Words<'_>, mailbox: ObjectId, listed: bool) -> Vec<MailboxRow> {
    let row = |application: &ApplicationReach| {
        let powers = words.powers(application);
        MailboxRow {
            object: application.object,
            name: name_of(application),
            permissions: Vec::new(),
            certain: powers.iter().any(|power| !power.perhaps),
            light: powers.is_empty(),
            powers,
        }
    };
    let mut around: Vec<MailboxRow> = words.reach.with_powers().map(row).collect();
    around.sort_by_key(|row| !row.certain);
    let mut rows = around;
    let mut places: BTreeMap<ObjectId, usize> = rows
        .iter()
        .enumerate()
        .map(|(place, row)| (row.object, place))
        .collect();
    for (verdict, application, permission) in words.reach.who(mailbox, listed) {
        let place = *places.entry(application.object).or_insert_with(|| {
            rows.push(row(application));
            rows.len() - 1
        });
        if let Some(row) = rows.get_mut(place) {
            row.certain |= verdict == Verdict::Allowed;
            row.light &= permission.is_some_and(|one| !one.weight().counts());
            row.permissions
                .push(permission.map_or_else(|| "perhaps more".to_owned(), Permission::name));
        }
    }
    rows
}
