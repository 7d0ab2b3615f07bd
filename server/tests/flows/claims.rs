//! Claims that would be wrong: what else refuses, what else opens, and how a mailbox is called.

use cloud::world::exchange::AssignmentScope;
use serde_json::{Value, json};

use crate::support::{
    begun::{Begun, DOMAIN, MAILER},
    field::{group, role},
};

fn at(name: &str) -> String {
    format!("{name}@{DOMAIN}")
}

fn why(view: &Value) -> &str {
    let steps = view["steps"].as_array().expect("steps");
    let prove = steps.iter().find(|step| step["kind"] == "prove");
    prove.expect("the proof")["why"]
        .as_str()
        .unwrap_or_default()
}

/// Mailboxes whose primary address is not their user principal name.
async fn renamed(begun: &mut Begun) {
    let sender = json!({ "upn": at("info"), "smtp": at("front.office") });
    begun.stack.control("users", &sender).await;
    let refused = json!({ "upn": at("user"), "smtp": at("managing.director") });
    begun.stack.control("users", &refused).await;
    begun.chosen.sender = at("front.office");
    begun.senders = vec![at("front.office")];
    begun.chosen.refused = vec![at("managing.director")];
}

/// Graph knows mailboxes by object id and by user principal name alone (MICROSOFT.md §2.5).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b08_mailboxes_whose_address_is_not_their_principal_name_are_proven() {
    let mut begun = Begun::new().await;
    renamed(&mut begun).await;
    let secret = begun.chosen.application.secret.clone();
    let setup = begun.start(&secret).await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "proven", "{view}");
    let page = begun.page(&setup).await;
    assert!(
        page.contains("as 1 of 1 permitted accepted, as 1 of 1 other refused"),
        "{page}"
    );
    let mails = begun.stack.outbox().await;
    assert!(!mails.is_empty());
    let last = mails.last().expect("a mail");
    assert_eq!(last["from"], at("front.office"), "{last}");
    // People read addresses; Graph is asked by object id.
    for entry in begun.log("POST /users/*/sendMail").await {
        let path = entry["path"].as_str().unwrap_or_default();
        assert!(!path.contains('@'), "{entry}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b08_a_mailbox_that_graph_does_not_know_is_not_refused() {
    let mut begun = Begun::new().await;
    renamed(&mut begun).await;
    begun.enforced_after(0, 0).await;
    let fault = json!({
        "id": "answers", "operation": "POST /users/*/sendMail",
        "mailbox": at("managing.director"),
        "action": { "graph_error": "ErrorInvalidUser", "status": 404, "text": "The requested user 'x' is invalid." },
    });
    begun.stack.cloud.fault(fault).expect("a fault");
    let secret = begun.chosen.application.secret.clone();
    let setup = begun.start(&secret).await;
    let view = begun.waits_with(&setup, "does not know the mailbox").await;
    assert_eq!(view["proof"], "checked", "{view}");
    assert!(why(&view).contains(&at("managing.director")), "{view}");
    begun.as_it_likes();
    assert_eq!(begun.settled(&setup, "done").await["proof"], "proven");
}

/// Readiness looked before it; the last look has to see it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_r04_a_role_that_is_given_meanwhile_ends_never_as_proven() {
    let mut begun = Begun::new().await;
    begun.enforced_after(0, 0).await;
    let setup = begun.start("").await;
    begun.settled(&setup, "needs_secret").await;
    let info = at("info");
    begun.change(|tenant| {
        let wider = group(tenant, "given-meanwhile", &[&info]);
        role(tenant, MAILER, "meanwhile", AssignmentScope::Group(wider));
    });
    begun.secret(&setup).await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "more_open", "{view}");
    let open = view["judged"]["says"]["open"].to_string();
    assert!(open.contains(&info), "{open}");
    let page = begun.page(&setup).await;
    assert!(
        page.contains("Finished:") && page.contains("more is open"),
        "{page}"
    );
    assert!(!page.contains("Finished: proven"), "{page}");
    let proven = begun
        .rows("select what from events where kind = 'proof.proven'")
        .await;
    assert!(proven.is_empty(), "{proven:?}");
}

/// The list of one mailbox refuses Postern's program and lets the application's through.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_r06_a_list_of_programs_on_the_refused_mailbox_proves_nothing() {
    let mut begun = Begun::new().await;
    begun.chosen.refused.truncate(1);
    let refused = begun.chosen.refused[0].clone();
    // The policy is not in force: whatever refuses, it is not the policy.
    begun.enforced_after(172_800, 172_800).await;
    let list = json!({ "upn": refused, "user_agents": { "allow": ["Outlook*"] } });
    begun.stack.control("users", &list).await;
    let secret = begun.chosen.application.secret.clone();
    let setup = begun.start(&secret).await;
    let view = begun.waits_with(&setup, "EwsApplicationAccessPolicy").await;
    assert_eq!(view["proof"], "checked", "{view}");
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "checked", "{view}");
    let page = begun.page(&setup).await;
    assert!(page.contains("checked, not yet proven"), "{page}");
    assert!(
        begun.goes_through(&refused),
        "the policy is in force after all"
    );
}
