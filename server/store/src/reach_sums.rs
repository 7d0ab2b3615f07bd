//! The counts that pages over all customers show. A scan writes only the differences: a night in
//! which nothing changed writes nothing, so that writers hardly ever wait for each other.

use std::collections::BTreeMap;

use domain::{
    id::{CustomerId, PartnerId},
    reach::Level,
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{Result, Tx, scans::number};

/// The values of a row of `reaches` that the sums count.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Counted {
    pub object: Uuid,
    pub app_id: Option<Uuid>,
    pub name: String,
    pub publisher: Option<String>,
    pub level: i16,
    pub can_be_confined: bool,
    pub permissions: Vec<String>,
    pub levels: Vec<i16>,
}

/// How many levels there are.
const LEVELS: usize = 6;

/// The key of a row of `reach_sums`: kind, subject, permission. All writers take the rows in the
/// order of this key, so that they do not deadlock.
type Key = (&'static str, Uuid, String);

#[derive(Clone, Debug, Default)]
struct Change {
    /// From the worst level on: [`Level::Power`] is first.
    levels: [i32; LEVELS],
    confinable: i32,
    /// The application's name in the newest scan.
    called: Option<(Option<Uuid>, String, Option<String>)>,
}

impl Change {
    fn add(&mut self, level: i16, can_be_confined: bool, by: i32) {
        let place = usize::try_from(level - number(Level::Power))
            .ok()
            .and_then(|level| self.levels.get_mut(level));
        if let Some(place) = place {
            *place += by;
        }
        if can_be_confined && level <= 2 {
            self.confinable += by;
        }
    }

    fn is_nothing(&self) -> bool {
        self.levels == [0; LEVELS] && self.confinable == 0
    }
}

impl Counted {
    fn subject(&self) -> Uuid {
        self.app_id.unwrap_or(self.object)
    }

    fn count(&self, customer: CustomerId, by: i32, changes: &mut BTreeMap<Key, Change>) {
        for (kind, subject) in [("application", self.subject()), ("customer", customer.0)] {
            let whole = (String::new(), self.level);
            let parts = self
                .permissions
                .iter()
                .cloned()
                .zip(self.levels.iter().copied());
            for (permission, level) in std::iter::once(whole).chain(parts) {
                changes.entry((kind, subject, permission)).or_default().add(
                    level,
                    self.can_be_confined,
                    by,
                );
            }
        }
    }
}

/// The differences between two scans of a customer.
fn changes(customer: CustomerId, old: &[Counted], new: &[Counted]) -> BTreeMap<Key, Change> {
    let mut changes = BTreeMap::new();
    for one in old {
        one.count(customer, -1, &mut changes);
    }
    for one in new {
        one.count(customer, 1, &mut changes);
    }
    let called: BTreeMap<Uuid, &Counted> = old.iter().map(|one| (one.subject(), one)).collect();
    for one in new {
        let before = called.get(&one.subject());
        let same = before.is_some_and(|old| old.name == one.name && old.publisher == one.publisher);
        let key = ("application", one.subject(), String::new());
        if let Some(change) = changes.get_mut(&key)
            && (!same || !change.is_nothing())
        {
            change.called = Some((one.app_id, one.name.clone(), one.publisher.clone()));
        }
    }
    changes.retain(|_, change| change.called.is_some() || !change.is_nothing());
    changes
}

impl Tx {
    /// Updates the sums of a customer from the `old` rows of `reaches` to the `new` rows.
    pub(crate) async fn resum(
        &mut self,
        partner: PartnerId,
        customer: CustomerId,
        old: &[Counted],
        new: &[Counted],
    ) -> Result<()> {
        let changes: Vec<(Key, Change)> = changes(customer, old, new).into_iter().collect();
        if changes.is_empty() {
            return Ok(());
        }
        let level = |place: usize| -> Vec<i32> {
            changes
                .iter()
                .map(|(_, change)| change.levels.get(place).copied().unwrap_or_default())
                .collect()
        };
        let kinds: Vec<&str> = changes.iter().map(|((kind, ..), _)| *kind).collect();
        let subjects: Vec<Uuid> = changes.iter().map(|((_, id, _), _)| *id).collect();
        let permissions: Vec<&str> = changes
            .iter()
            .map(|((.., name), _)| name.as_str())
            .collect();
        let called = |(_, change): &(Key, Change)| change.called.clone();
        sqlx::query(
            "insert into reach_sums as s
                 (partner_id, kind, subject, permission, app_id, name, publisher, power,
                  unrestricted, all_except, unknown, confined, nothing, confinable)
             select $1, n.kind, n.subject, n.permission, n.app_id, coalesce(n.name, ''),
                    n.publisher, n.power, n.unrestricted, n.all_except, n.unknown, n.confined,
                    n.nothing, n.confinable
             from unnest($2::text[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[],
                         $8::integer[], $9::integer[], $10::integer[], $11::integer[],
                         $12::integer[], $13::integer[], $14::integer[])
                  with ordinality n(kind, subject, permission, app_id, name, publisher,
                                    power, unrestricted, all_except, unknown, confined,
                                    nothing, confinable, place)
             order by n.place
             on conflict (partner_id, kind, subject, permission) do update set
                 app_id = coalesce(excluded.app_id, s.app_id),
                 name = case when excluded.name = '' then s.name else excluded.name end,
                 publisher = case when excluded.name = '' then s.publisher
                                  else excluded.publisher end,
                 power = s.power + excluded.power,
                 unrestricted = s.unrestricted + excluded.unrestricted,
                 all_except = s.all_except + excluded.all_except,
                 unknown = s.unknown + excluded.unknown,
                 confined = s.confined + excluded.confined,
                 nothing = s.nothing + excluded.nothing,
                 confinable = s.confinable + excluded.confinable",
        )
        .bind(partner.0)
        .bind(&kinds)
        .bind(&subjects)
        .bind(&permissions)
        .bind(
            changes
                .iter()
                .map(|change| called(change).and_then(|(id, ..)| id))
                .collect::<Vec<_>>(),
        )
        .bind(
            changes
                .iter()
                .map(|change| called(change).map(|(_, name, _)| name))
                .collect::<Vec<_>>(),
        )
        .bind(
            changes
                .iter()
                .map(|change| called(change).and_then(|(.., publisher)| publisher))
                .collect::<Vec<_>>(),
        )
        .bind(level(0))
        .bind(level(1))
        .bind(level(2))
        .bind(level(3))
        .bind(level(4))
        .bind(level(5))
        .bind(
            changes
                .iter()
                .map(|(_, change)| change.confinable)
                .collect::<Vec<_>>(),
        )
        .execute(self.conn())
        .await?;
        sqlx::query(
            "delete from reach_sums s using unnest($2::text[], $3::uuid[], $4::text[])
                 as n(kind, subject, permission)
             where s.partner_id = $1 and s.kind = n.kind and s.subject = n.subject
               and s.permission = n.permission
               and s.power + s.unrestricted + s.all_except + s.unknown + s.confined + s.nothing = 0",
        )
        .bind(partner.0)
        .bind(&kinds)
        .bind(&subjects)
        .bind(&permissions)
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
