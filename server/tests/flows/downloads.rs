//! Downloads of the exposure, each of which holds a connection to the database.

use std::sync::Arc;

use domain::{
    exposure::ExposureQuery,
    id::{ObjectId, OperatorId, PartnerId, TenantId},
    person::{Operator, Role},
};
use engine::{Engine, EngineConfig, InvitationRules, Pace, SignInRules};
use futures::StreamExt as _;
use microsoft::{AppIdentity, Credential, Endpoints, HttpOptions, Microsoft, SystemClock};
use uuid::Uuid;

use crate::support::{SPEED, Stack, until};

const OTHER: &str = "woodgrove-it.example";

/// An engine of its own beside the server: a browser would take all of a download at once.
async fn engine(stack: &Stack) -> Engine {
    let url = stack.cloud.url();
    let microsoft = Microsoft::new(
        Endpoints::parse(url, url, url).expect("addresses"),
        AppIdentity {
            client_id: stack.accounts.client_id.parse().expect("an id"),
            credential: Credential::Secret(stack.accounts.client_secret.clone().into()),
        },
        HttpOptions::default(),
    );
    Engine::new(EngineConfig {
        store: stack.database.store().await.expect("a store"),
        microsoft: microsoft.expect("a client"),
        clock: Arc::new(SystemClock),
        public_url: stack.portal.url.clone(),
        partner_tenants: Vec::new(),
        access: SignInRules::default(),
        invitations: InvitationRules::default(),
        pace: Pace::new(SPEED),
        concurrency: 1,
    })
}

async fn operator(stack: &Stack, upn: &str) -> Operator {
    let mut database = stack.database.superuser().await.expect("a connection");
    let (id, partner, tenant, object): (Uuid, Uuid, Uuid, Uuid) =
        sqlx::query_as("select id, partner_id, tid, oid from operators where upn = $1")
            .bind(upn)
            .fetch_one(&mut database)
            .await
            .expect("an operator");
    Operator {
        id: OperatorId(id),
        partner: PartnerId(partner),
        tenant: TenantId(tenant),
        object: ObjectId(object),
        name: upn.to_owned(),
        upn: upn.to_owned(),
        role: Some(Role::Auditor),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f11_a_person_has_one_download_at_a_time() {
    let stack = Stack::with_more_partners(&[OTHER]).await;
    let mut owner = stack.owner().await;
    stack.signed_in(&format!("wilma@{OTHER}")).await;
    stack.connect(&mut owner, "fabrikam.example").await;
    until("a customer that was read", || {
        let mut owner = owner.clone();
        async move {
            let file = owner.open("/exposure.json?by=each").await;
            (file.body.len() > 2).then_some(())
        }
    })
    .await;
    let engine = engine(&stack).await;
    let query = ExposureQuery::default();
    let one = operator(&stack, &stack.accounts.owner()).await;
    let other = operator(&stack, &format!("wilma@{OTHER}")).await;
    // Nobody takes what it reads, so it goes on.
    let first = engine.exposure_download(&one, &query).await;
    let first = first.expect("a download");
    let second = tokio::spawn({
        let (engine, one, query) = (engine.clone(), one.clone(), query.clone());
        async move { engine.exposure_download(&one, &query).await }
    });
    // Somebody else need not wait for it. Several times, so that the second had its time.
    for _ in 0..20 {
        let of_other = engine.exposure_download(&other, &query).await;
        let mut rows = of_other.expect("a download").rows;
        while let Some(part) = rows.next().await {
            part.expect("rows");
        }
    }
    assert!(!second.is_finished());
    drop(first);
    let second = second.await.expect("an end");
    assert!(second.is_ok());
}
