//! Applications of Fabrikam's own that tests register, and what they read.

use serde_json::{Value, json};

use super::assertions::redeem_assertion;
use super::{FABRIKAM, GRAPH, World, access};

/// An application of Fabrikam's own with these fields beside its name.
pub async fn app(world: &World, name: &str, mut fields: Value) -> Value {
    fields["tenant"] = FABRIKAM.into();
    fields["name"] = name.into();
    world.control("applications", fields).await
}

/// Its token for Graph or Exchange.
pub async fn token_of(world: &World, app: &Value, resource: &str) -> String {
    let form = [
        ("client_id", app["app_id"].as_str().unwrap()),
        ("client_secret", app["secret"].as_str().unwrap()),
        ("grant_type", "client_credentials"),
        ("scope", &format!("{resource}/.default")),
    ];
    access(&world.raw_token(FABRIKAM, &form).await.unwrap())
}

pub async fn reader(world: &World, grants: &[&str]) -> String {
    let name = format!("Reader of {}", grants.join(" "));
    let app = app(world, &name, json!({"grants": grants})).await;
    token_of(world, &app, GRAPH).await
}

/// All rows of a collection, page by page.
pub async fn all(world: &World, token: &str, path: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let (status, body) = world.graph(token, &path).await;
        assert_eq!(status, 200, "{path}: {body}");
        rows.extend(body["value"].as_array().unwrap().clone());
        next = body["@odata.nextLink"]
            .as_str()
            .map(|link| link.trim_start_matches(world.cloud.url()).to_owned());
    }
    rows
}

/// An agent identity's token for Graph: the blueprint gets an exchange token for it first.
pub async fn agent_token(world: &World, blueprint: &Value, agent: &Value) -> String {
    let child = agent["app_id"].as_str().unwrap();
    let form = [
        ("client_id", blueprint["app_id"].as_str().unwrap()),
        ("client_secret", blueprint["secret"].as_str().unwrap()),
        ("grant_type", "client_credentials"),
        ("scope", "api://AzureADTokenExchange/.default"),
        ("fmi_path", child),
    ];
    let exchange = access(&world.raw_token(FABRIKAM, &form).await.unwrap());
    let answer = redeem_assertion(world, FABRIKAM, child, &exchange).await;
    access(&answer.unwrap())
}
