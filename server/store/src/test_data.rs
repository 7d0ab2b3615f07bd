//! Shared data of this crate's tests: two partners with an owner and a customer each.
#![allow(clippy::unwrap_used)]

use domain::{
    Timestamp,
    history::EventKind,
    id::{AppId, ObjectId, SetupId, TenantId},
    person::{Operator, Right, Role},
    plan::{Confined, Group, GroupName, Mailbox, MailboxKind, Plan},
};
use uuid::Uuid;

use crate::{CustomerAccess, NewEvent, SignedIn, Store, testing::TestDatabase};

pub(crate) const NOW: Timestamp = Timestamp(1_795_464_245_123);

pub(crate) struct World {
    pub store: Store,
    pub a: Side,
    pub b: Side,
    /// The home tenants of both partners.
    pub homes: [TenantId; 2],
    pub database: TestDatabase,
}

/// One partner.
pub(crate) struct Side {
    pub owner: Operator,
    pub customer: CustomerAccess,
}

impl World {
    pub async fn new() -> Self {
        let database = TestDatabase::create().await.unwrap();
        let store = database.store().await.unwrap();
        let a = Side::new(&store, 1).await;
        let b = Side::new(&store, 2).await;
        Self {
            homes: [a.owner.tenant, b.owner.tenant],
            store,
            a,
            b,
            database,
        }
    }
}

impl Side {
    async fn new(store: &Store, number: u128) -> Self {
        let home = TenantId(Uuid::from_u128(number));
        let owner = sign_in(store, home, 1).await;
        let mut tx = store.begin(owner.partner).await.unwrap();
        let (customer, _) = tx
            .add_customer(
                &owner,
                TenantId(Uuid::from_u128(100)),
                "fabrikam.example",
                NOW,
            )
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Self { owner, customer }
    }

    /// A colleague with this role.
    pub async fn colleague(&self, store: &Store, object: u128, role: Option<Role>) -> Operator {
        let operator = sign_in(store, self.owner.tenant, object).await;
        let mut tx = store.begin(operator.partner).await.unwrap();
        tx.set_role(operator.id, role).await.unwrap();
        tx.commit().await.unwrap();
        Operator { role, ..operator }
    }

    /// The customer, for an operator who may only read.
    pub fn reader(&self) -> CustomerAccess {
        CustomerAccess::new(self.customer.record().clone(), Right::Read)
    }
}

pub(crate) async fn sign_in(store: &Store, home: TenantId, object: u128) -> Operator {
    store
        .sign_in(
            &SignedIn {
                home,
                object: ObjectId(Uuid::from_u128(object)),
                name: &format!("Person {object}"),
                upn: &format!("person{object}@partner.example"),
                guest: false,
                // The settings name the first person.
                first_owner: true,
                partner_name: "partner.example",
            },
            NOW,
        )
        .await
        .unwrap()
}

fn mailbox(number: u128) -> Mailbox {
    Mailbox {
        object: ObjectId(Uuid::from_u128(number)),
        address: format!("box{number}@fabrikam.example").parse().unwrap(),
        name: format!("Box {number}"),
        kind: MailboxKind::User,
    }
}

/// A plan for the application with this number.
pub(crate) fn plan(application: u128) -> Plan {
    Plan {
        application: Confined {
            object: ObjectId(Uuid::from_u128(application + 1000)),
            app_id: AppId(Uuid::from_u128(application)),
            name: format!("Mailer {application}"),
        },
        senders: vec![mailbox(11)],
        refused: vec![mailbox(12)],
        group: Group::New {
            name: GroupName::parse("postern-mailer").unwrap(),
            address: "postern-mailer@fabrikam.example".parse().unwrap(),
        },
        prove: true,
        unprovable: None,
        recipient: None,
        accepted: Vec::new(),
    }
}

pub(crate) fn setup_id() -> SetupId {
    SetupId(Uuid::new_v4())
}

pub(crate) fn event(operator: &Operator, what: &str) -> NewEvent {
    NewEvent {
        at: NOW,
        actor: operator.into(),
        kind: EventKind::CustomerAdded,
        setup: None,
        what: what.to_owned(),
        before: None,
        after: None,
        requests: Vec::new(),
    }
}
