#![allow(clippy::unwrap_used)]

use domain::person::Role;

use super::*;
use crate::{
    Part,
    test_data::{NOW, World, event},
};

#[tokio::test]
async fn security_f02_a_lost_owner_is_replaced_from_the_command_line() {
    let world = World::new().await;
    let person = world.a.colleague(&world.store, 5, None).await;
    let url = &world.database.owner_url;
    let add_owner = async |url, home, who: &str| {
        super::add_owner(url, crate::testing::vault().unwrap(), home, who, NOW).await
    };
    let made = add_owner(url, person.tenant, &person.upn.to_uppercase())
        .await
        .unwrap();
    let known = (made.partner, made.operator, made.object);
    assert_eq!(known, (person.partner, person.id, person.object));
    assert_eq!(made.upn, person.upn);
    let mut tx = world.store.begin(person.partner).await.unwrap();
    let found = tx.operator(person.id).await.unwrap().unwrap();
    assert_eq!(found.role, Some(Role::Owner));
    // The partner's history records it, in a chain that the server continues.
    let told = tx.own_export(&Default::default(), Part::ALL).await.unwrap();
    let told = told.last().unwrap();
    assert_eq!(told.kind, EventKind::RoleGiven);
    assert!(told.what.contains("command line") && told.what.contains(&person.upn));
    let more = event(&world.a.owner, "more");
    tx.append_own(&more).await.unwrap();
    assert_eq!(tx.verify_history().await.unwrap().broken, []);
    drop(tx);
    let by_object = add_owner(url, person.tenant, &person.object.to_string()).await;
    assert_eq!(by_object.unwrap().operator, person.id);
    // A name that two people had, or a guest's name, does not identify a person.
    let namesake = world.a.colleague(&world.store, 6, None).await;
    let mut all = world.database.superuser().await.unwrap();
    for set in [
        format!("upn = '{}' where id = '{}'", person.upn, namesake.id),
        format!(
            "upn = 'guest@partner.example', guest = true where id = '{}'",
            namesake.id
        ),
    ] {
        let update = sqlx::AssertSqlSafe(format!("update operators set {set}"));
        sqlx::query(update).execute(&mut all).await.unwrap();
        let name = if set.contains("guest") {
            "guest@partner.example"
        } else {
            &person.upn
        };
        let refused = add_owner(url, person.tenant, name).await.unwrap_err();
        assert!(
            refused.to_string().contains(&namesake.object.to_string()),
            "{refused}"
        );
    }
    let named = add_owner(url, person.tenant, &namesake.object.to_string()).await;
    assert_eq!(named.unwrap().operator, namesake.id);
    for (home, who) in [
        (person.tenant, "nobody@partner.example"),
        (world.b.owner.tenant, person.upn.as_str()),
        (TenantId(Uuid::from_u128(404)), person.upn.as_str()),
    ] {
        let refused = add_owner(url, home, who).await;
        assert!(matches!(refused, Err(Error::NotFound)), "{who}");
    }
}
