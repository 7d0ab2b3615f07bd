//! Graph, as clients meet it that nobody here wrote: SDKs, and tools that select what they need.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use support::{FABRIKAM, World, read, world};

const ANYWHERE: &str = "someone@elsewhere.example";

async fn get(world: &World, token: &str, path: &str) -> Value {
    let (status, body) = world.graph(token, path).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// With `ConsistencyLevel: eventual`: the raw answer's status and text.
async fn eventual(world: &World, token: &str, path: &str) -> (StatusCode, String) {
    let request = world
        .http
        .get(world.url(path))
        .bearer_auth(token)
        .header("ConsistencyLevel", "eventual");
    let response = request.send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

async fn send(request: RequestBuilder) -> (StatusCode, Value) {
    read(request.send().await.unwrap()).await
}

fn rows(body: &Value) -> &Vec<Value> {
    body["value"].as_array().unwrap()
}

/// The mails that were sent so far.
async fn outbox(world: &World) -> Vec<Value> {
    let body = world.look("outbox").await;
    body["outbox"].as_array().unwrap().clone()
}

fn mail() -> Value {
    json!({
        "subject": "test", "body": {"contentType": "Text", "content": "hello"},
        "toRecipients": [{"emailAddress": {"address": ANYWHERE, "name": "Someone"}}],
    })
}

/// The demo's scanner, which may send, and a mailbox that it may send from.
async fn sender(world: &World) -> (String, String) {
    let token = world.app_token(FABRIKAM, "ScanToMail").await;
    for name in ["reception", "info", "user"] {
        let address = format!("{name}@{FABRIKAM}");
        if world.send_mail(&token, &address).await.0 == 202 {
            return (token, address);
        }
    }
    panic!("nobody to send from");
}

#[tokio::test]
async fn client_f2_send_mail_takes_the_parameters_in_both_spellings() {
    let world = world().await;
    let (token, from) = sender(&world).await;
    let address = world.url(&format!("/v1.0/users/{from}/sendMail"));
    let before = outbox(&world).await.len();
    for body in [
        json!({"Message": mail(), "SaveToSentItems": false}),
        json!({"message": mail(), "saveToSentItems": false}),
    ] {
        let request = world.http.post(&address).bearer_auth(&token).json(&body);
        assert_eq!(send(request).await.0, 202, "{body}");
        let batch = json!({"requests": [{
            "id": "1", "method": "POST", "url": format!("/users/{from}/sendMail"),
            "headers": {"Content-Type": "application/json"}, "body": body,
        }]});
        let request = world
            .http
            .post(world.url("/v1.0/$batch"))
            .bearer_auth(&token)
            .json(&batch);
        let (_, answer) = send(request).await;
        assert_eq!(answer["responses"][0]["status"], 202, "{answer}");
    }
    let sent = outbox(&world).await;
    assert_eq!(sent.len(), before + 4);
    assert!(
        sent.iter()
            .filter(|mail| mail["save_to_sent_items"] == false)
            .count()
            >= 4
    );
}

#[tokio::test]
async fn client_f4_documented_properties_without_a_value_are_null() {
    let world = world().await;
    let (token, _) = world.admin(FABRIKAM).await;
    for (path, select) in [
        (
            "applications",
            "id,description,notes,tags,web,spa,identifierUris,optionalClaims,serviceManagementReference,logo",
        ),
        (
            "servicePrincipals",
            "id,loginUrl,preferredSingleSignOnMode,notificationEmailAddresses,publisherName,info",
        ),
        (
            "users",
            "id,city,companyName,department,assignedLicenses,onPremisesSyncEnabled,signInActivity,employeeId",
        ),
        (
            "groups",
            "id,membershipRule,classification,theme,isAssignableToRole,assignedLabels,resourceProvisioningOptions",
        ),
        (
            "organization",
            "id,city,businessPhones,onPremisesSyncEnabled",
        ),
        ("domains", "id,isRoot,model,passwordValidityPeriodInDays"),
        ("subscribedSkus", "id,accountName,appliesTo,subscriptionIds"),
    ] {
        let body = get(&world, &token, &format!("/v1.0/{path}?$select={select}")).await;
        let row = rows(&body)[0].as_object().unwrap();
        for name in select.split(',') {
            assert!(row.contains_key(name), "{path}: {name}");
        }
        assert_eq!(row.len(), select.split(',').count(), "{path}: {row:?}");
    }
    let body = get(
        &world,
        &token,
        "/v1.0/applications?$select=description,tags",
    )
    .await;
    assert_eq!(rows(&body)[0], json!({"description": null, "tags": []}));
    // One object, with and without a selection.
    let id = rows(&get(&world, &token, "/v1.0/applications").await)[0]["id"].clone();
    let path = format!("/v1.0/applications/{}", id.as_str().unwrap());
    let one = get(&world, &token, &format!("{path}?$select=description")).await;
    assert_eq!(one.get("description"), Some(&Value::Null));
    let whole = get(&world, &token, &path).await;
    assert_eq!(whole.get("notes"), Some(&Value::Null));
    assert_eq!(whole["spa"], json!({"redirectUris": []}));
    // What is not documented stays an error, also where there are no rows, and names the type.
    for path in [
        "/v1.0/applications?$select=shoeSize",
        "/v1.0/applications?$select=shoeSize&$filter=displayName eq 'nothing is called this'",
    ] {
        let (status, body) = world.graph(&token, path).await;
        assert_eq!(status, 400, "{path}");
        assert_eq!(
            body["error"]["message"],
            "Parsing OData Select and Expand failed: Could not find a property named 'shoeSize' on type 'microsoft.graph.application'."
        );
    }
}

#[tokio::test]
async fn client_f4_filter_errors_name_the_type() {
    let world = world().await;
    let (token, _) = world.admin(FABRIKAM).await;
    let (status, body) = world
        .graph(&token, "/v1.0/users?$filter=aboutMe eq 'x'")
        .await;
    assert_eq!(status, 400);
    assert_eq!(body["error"]["code"], "Request_UnsupportedQuery");
    let text = body["error"]["message"].as_str().unwrap();
    assert!(text.ends_with("'aboutMe' of resource 'User'."), "{text}");
}

#[tokio::test]
async fn client_c_invalid_filters_are_bad_requests() {
    let world = world().await;
    let (token, _) = world.admin(FABRIKAM).await;
    for filter in ["shoeSize eq 'x'", "displayName eq", "displayName eq 'x"] {
        let (status, body) = world
            .graph(&token, &format!("/v1.0/users?$filter={filter}"))
            .await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (StatusCode::BAD_REQUEST, &json!("BadRequest"))
        );
        let text = body["error"]["message"].as_str().unwrap();
        assert!(text.starts_with("Invalid filter clause"), "{text}");
    }
}

#[tokio::test]
async fn client_f6_counts_casts_and_documented_filters() {
    let world = world().await;
    let (token, _) = world.admin(FABRIKAM).await;
    let all = get(&world, &token, "/v1.0/groups?$top=999").await;
    // The segment, alone and in a batch.
    let (status, text) = eventual(&world, &token, "/v1.0/groups/$count").await;
    assert_eq!((status.as_u16(), text), (200, rows(&all).len().to_string()));
    for set in ["users", "servicePrincipals", "applications"] {
        let (status, text) = eventual(&world, &token, &format!("/v1.0/{set}/$count")).await;
        assert_eq!(status, 200);
        assert!(text.parse::<usize>().unwrap() > 0, "{set}");
    }
    assert_eq!(world.graph(&token, "/v1.0/users/$count").await.0, 400);
    let batch = json!({"requests": [{
        "id": "1", "method": "GET", "url": "/groups/$count",
        "headers": {"ConsistencyLevel": "eventual"},
    }]});
    let request = world
        .http
        .post(world.url("/v1.0/$batch"))
        .bearer_auth(&token)
        .json(&batch);
    let (_, answer) = send(request).await;
    assert_eq!(answer["responses"][0]["body"], rows(&all).len());
    // A person has no count.
    let me = "/v1.0/me/$count";
    assert_ne!(eventual(&world, &token, me).await.0, 200);

    // The documented query for mail-enabled security groups.
    let (status, text) = eventual(
        &world,
        &token,
        "/v1.0/groups?$count=true&$filter=NOT groupTypes/any(c:c eq 'Unified') and mailEnabled eq true and securityEnabled eq true",
    )
    .await;
    assert_eq!(status, 200, "{text}");
    let found: Value = serde_json::from_str(&text).unwrap();
    assert!(rows(&found).iter().all(|row| row["mailEnabled"] == true));
    let graph = "/v1.0/servicePrincipals?$filter=servicePrincipalNames/any(n:n eq 'https://graph.microsoft.com')";
    assert_eq!(rows(&get(&world, &token, graph).await).len(), 1);
    let users = get(&world, &token, "/v1.0/users?$top=999").await;
    for (filter, count) in [
        (
            "createdDateTime ge 2000-01-01T00:00:00Z",
            rows(&users).len(),
        ),
        ("createdDateTime le 2000-01-01T00:00:00Z", 0),
        ("onPremisesSyncEnabled eq true", 0),
        ("jobTitle eq 'nobody has this one'", 0),
    ] {
        let body = get(
            &world,
            &token,
            &format!("/v1.0/users?$top=999&$filter={filter}"),
        )
        .await;
        assert_eq!(rows(&body).len(), count, "{filter}");
    }

    // Members of a type, and the groups of a person.
    let mut seen = (0, 0);
    for group in rows(&all) {
        let path = format!("/v1.0/groups/{}/members", group["id"].as_str().unwrap());
        let members = get(&world, &token, &path).await;
        let people = get(&world, &token, &format!("{path}/graph.user")).await;
        let groups = get(&world, &token, &format!("{path}/microsoft.graph.group")).await;
        let of = |kind: &str| {
            let kind = format!("#microsoft.graph.{kind}");
            let named = rows(&members)
                .iter()
                .filter(|row| row["@odata.type"] == kind.as_str());
            named.count()
        };
        assert_eq!(rows(&people).len(), of("user"));
        assert_eq!(rows(&groups).len(), of("group"));
        seen = (seen.0 + rows(&people).len(), seen.1 + rows(&members).len());
        if let Some(person) = rows(&people).first() {
            let path = format!(
                "/v1.0/users/{}/memberOf/microsoft.graph.group?$select=id",
                person["id"].as_str().unwrap()
            );
            let of = get(&world, &token, &path).await;
            assert!(rows(&of).iter().any(|row| row["id"] == group["id"]));
        }
    }
    assert!(seen.0 > 0 && seen.1 > 0);
}

#[tokio::test]
async fn client_l1_a_write_without_content_type_refuses_the_whole_batch() {
    let world = world().await;
    let (token, from) = sender(&world).await;
    let before = outbox(&world).await.len();
    let good = json!({
        "id": "2", "method": "POST", "url": format!("/users/{from}/sendMail"),
        "headers": {"content-type": "application/json"}, "body": {"message": mail()},
    });
    let post = |requests: Value| {
        let request = world
            .http
            .post(world.url("/v1.0/$batch"))
            .bearer_auth(&token)
            .json(&json!({ "requests": requests }));
        send(request)
    };
    let mut bare = good.clone();
    bare["id"] = "1".into();
    bare.as_object_mut().unwrap().remove("headers");
    let mut empty = good.clone();
    empty["id"] = "1".into();
    empty.as_object_mut().unwrap().remove("body");
    for bad in [bare, empty] {
        let (status, body) = post(json!([good, bad])).await;
        assert_eq!(status, 400);
        assert_eq!(
            body["error"]["message"],
            "Write request id : 1 does not contain Content-Type header or body."
        );
    }
    assert_eq!(outbox(&world).await.len(), before);
    let (status, body) = post(json!([good])).await;
    assert_eq!(
        (status.as_u16(), &body["responses"][0]["status"]),
        (200, &json!(202))
    );
}

#[tokio::test]
async fn client_l3_sorting_a_filtered_list_is_an_advanced_query() {
    let world = world().await;
    let (token, _) = world.admin(FABRIKAM).await;
    let path = "/v1.0/users?$filter=startswith(displayName,'a')&$orderby=displayName";
    let (status, body) = world.graph(&token, path).await;
    assert_eq!(status, 400);
    assert_eq!(body["error"]["code"], "Request_UnsupportedQuery");
    assert_eq!(
        body["error"]["message"],
        "Sorting not supported for current query."
    );
    let counted = format!("{path}&$count=true");
    assert_eq!(eventual(&world, &token, &counted).await.0, 200);
    get(&world, &token, "/v1.0/users?$orderby=displayName").await;
}

#[tokio::test]
async fn client_l5_members_show_what_their_type_shows_by_default() {
    let world = world().await;
    let (token, _) = world.admin(FABRIKAM).await;
    let all = get(&world, &token, "/v1.0/groups?$top=999").await;
    let mut seen = 0;
    for group in rows(&all) {
        let path = format!("/v1.0/groups/{}/members", group["id"].as_str().unwrap());
        for row in rows(&get(&world, &token, &path).await) {
            if row["@odata.type"] != "#microsoft.graph.user" {
                continue;
            }
            seen += 1;
            for name in [
                "accountEnabled",
                "userType",
                "proxyAddresses",
                "mailNickname",
                "createdDateTime",
            ] {
                assert!(row.get(name).is_none(), "{name}");
            }
            assert!(row["id"].is_string() && row["userPrincipalName"].is_string());
            assert!(row.get("businessPhones").is_some());
        }
        for row in rows(&get(&world, &token, &format!("{path}?$select=id,userType")).await) {
            assert!(row["id"].is_string());
            assert_eq!(
                row.get("userType").is_some(),
                row["@odata.type"] == "#microsoft.graph.user"
            );
        }
    }
    assert!(seen > 0);
}

#[tokio::test]
async fn client_l6_bodies_say_what_they_are_and_have_no_other_properties() {
    let world = world().await;
    let (token, from) = sender(&world).await;
    let address = world.url(&format!("/v1.0/users/{from}/sendMail"));
    let body = json!({"message": mail()}).to_string();
    let post = |kind: Option<&str>, body: String| {
        let request = world.http.post(&address).bearer_auth(&token).body(body);
        let request = match kind {
            Some(kind) => request.header("content-type", kind),
            None => request,
        };
        send(request)
    };
    assert_eq!(
        post(Some("application/json; charset=utf-8"), body.clone())
            .await
            .0,
        202
    );
    for (kind, text) in [
        (None, "must contain the Content-Type header declaration"),
        (
            Some("application/x-www-form-urlencoded"),
            "only allows writes with a JSON Content-Type",
        ),
    ] {
        let (status, answer) = post(kind, body.clone()).await;
        assert_eq!(status, 400);
        assert!(
            answer["error"]["message"].as_str().unwrap().contains(text),
            "{answer}"
        );
    }
    let mut odd = mail();
    odd["topic"] = "x".into();
    let mut recipient = mail();
    recipient["toRecipients"][0]["name"] = "x".into();
    let mut annotated = mail();
    annotated["@odata.type"] = "#microsoft.graph.message".into();
    for (body, text) in [
        (
            json!({"message": odd}),
            "'topic' does not exist on type 'microsoft.graph.message'",
        ),
        (
            json!({"message": recipient}),
            "'name' does not exist on type 'microsoft.graph.recipient'",
        ),
        (
            json!({"message": mail(), "save": true}),
            "The parameter 'save' in the request payload",
        ),
    ] {
        let (status, answer) = post(Some("application/json"), body.to_string()).await;
        assert_eq!(status, 400);
        assert_eq!(answer["error"]["code"], "RequestBodyRead");
        assert!(
            answer["error"]["message"].as_str().unwrap().contains(text),
            "{answer}"
        );
    }
    let fine = json!({"message": annotated}).to_string();
    assert_eq!(post(Some("application/json"), fine).await.0, 202);

    let (admin, _) = world.admin(FABRIKAM).await;
    let object = world.application(FABRIKAM, "ScanToMail")["object_id"]
        .as_str()
        .unwrap();
    let request = world
        .http
        .post(world.url(&format!(
            "/v1.0/servicePrincipals/{object}/appRoleAssignments"
        )))
        .bearer_auth(&admin)
        .json(
            &json!({"principalId": object, "resourceId": object, "appRoleId": object, "role": "x"}),
        );
    let (status, answer) = send(request).await;
    assert_eq!(status, 400);
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .contains("'role' does not exist")
    );
}

#[tokio::test]
async fn client_l8_an_id_comes_only_when_it_is_selected() {
    let world = world().await;
    let (token, _) = world.admin(FABRIKAM).await;
    for set in ["users", "groups", "servicePrincipals", "applications"] {
        let body = get(&world, &token, &format!("/v1.0/{set}?$select=displayName")).await;
        let row = rows(&body)[0].as_object().unwrap();
        assert_eq!(row.keys().collect::<Vec<_>>(), ["displayName"], "{set}");
    }
}

#[tokio::test]
async fn client_c_answers_are_dressed_as_graphs() {
    let world = world().await;
    let (token, _) = world.admin(FABRIKAM).await;
    let ask = |accept: &'static str, path: &'static str| {
        let request = world
            .http
            .get(world.url(path))
            .bearer_auth(&token)
            .header("accept", accept);
        async move { request.send().await.unwrap() }
    };
    let path = "/v1.0/users?$top=1&$select=id,displayName";
    let response = ask("application/json", path).await;
    assert_eq!(
        response.headers()["content-type"],
        "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8"
    );
    assert_eq!(response.headers()["cache-control"], "no-cache");
    let body: Value = response.json().await.unwrap();
    let link = body["@odata.nextLink"].as_str().unwrap();
    assert!(
        link.contains("$skiptoken=") && link.contains("$select="),
        "{link}"
    );
    assert!(!link.contains("%24"), "{link}");
    let response = ask("application/json;odata.metadata=none", path).await;
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .contains("odata.metadata=none")
    );
    let bare: Value = response.json().await.unwrap();
    assert!(bare.get("@odata.context").is_none());
    assert!(bare["@odata.nextLink"].is_string());

    let response = world.http.get(world.url("/v1.0/me")).send().await.unwrap();
    assert_eq!(response.status(), 401);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    let address = format!(
        "authorization_uri=\"{}/common/oauth2/authorize\"",
        world.cloud.url()
    );
    assert!(challenge.contains(&address), "{challenge}");
    assert!(challenge.contains("client_id=\"00000003-0000-0000-c000-000000000000\""));

    // Packed for who asks for it.
    let packed = world
        .http
        .get(world.url("/v1.0/users"))
        .bearer_auth(&token)
        .header("accept-encoding", "deflate, gzip;q=1.0");
    let packed = packed.send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let bytes = packed.bytes().await.unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text)
        .unwrap();
    let unpacked: Value = serde_json::from_str(&text).unwrap();
    assert!(!rows(&unpacked).is_empty());
    let plain = ask("application/json", "/v1.0/users").await;
    assert!(plain.headers().get("content-encoding").is_none());
}

#[tokio::test]
async fn client_c_assignments_name_their_place() {
    let world = world().await;
    let (token, _) = world.admin(FABRIKAM).await;
    let principals = get(
        &world,
        &token,
        "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id,appRoles",
    )
    .await;
    let resource = principals["id"].as_str().unwrap();
    let role = principals["appRoles"]
        .as_array()
        .unwrap()
        .iter()
        .find(|role| role["value"] == "Contacts.Read")
        .unwrap()["id"]
        .clone();
    let object = world.application(FABRIKAM, "ScanToMail")["object_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let response = world
        .http
        .post(world.url(&format!(
            "/v1.0/servicePrincipals/{object}/appRoleAssignments"
        )))
        .bearer_auth(&token)
        .json(&json!({"principalId": object, "resourceId": resource, "appRoleId": role}))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 201);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let made: Value = response.json().await.unwrap();
    assert!(location.ends_with(made["id"].as_str().unwrap()));
    let path = location.strip_prefix(world.cloud.url()).unwrap();
    assert_eq!(get(&world, &token, path).await["id"], made["id"]);
    let given = get(
        &world,
        &token,
        &format!("/v1.0/servicePrincipals/{resource}/appRoleAssignedTo"),
    )
    .await;
    let context = given["@odata.context"].as_str().unwrap();
    let end = format!("$metadata#servicePrincipals('{resource}')/appRoleAssignedTo");
    assert!(context.ends_with(&end), "{context}");
}

#[tokio::test]
async fn client_c_page_links_outlive_a_fast_clock() {
    let world = world().await;
    let (token, _) = world.admin(FABRIKAM).await;
    world.control("clock", json!({"speed": 600})).await;
    let body = get(&world, &token, "/v1.0/users?$top=1").await;
    let link = body["@odata.nextLink"].as_str().unwrap().to_owned();
    let path = link.strip_prefix(world.cloud.url()).unwrap();
    // An hour for who reads it, which is six hundred of the cloud's.
    world.cloud.advance(3600 * 500);
    get(&world, &token, path).await;
    world.cloud.advance(3600 * 101);
    assert_eq!(world.graph(&token, path).await.0, 400);
}

#[tokio::test]
async fn client_absent_graph_says_what_it_has_not() {
    let world = world().await;
    let (token, _) = world.admin(FABRIKAM).await;
    let object = world.application(FABRIKAM, "ScanToMail")["object_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let method = |name: &str| reqwest::Method::from_bytes(name.as_bytes()).unwrap();
    let ask = |name: &str, path: &str, body: Value| {
        let request = world
            .http
            .request(method(name), world.url(path))
            .bearer_auth(&token);
        send(if body.is_null() {
            request
        } else {
            request.json(&body)
        })
    };
    for (name, path) in [
        ("GET", "/v1.0/$metadata"),
        ("GET", "/v1.0/users/delta"),
        ("GET", "/v1.0/groups/microsoft.graph.delta()"),
        ("GET", "/v1.0/identity/conditionalAccess/policies"),
        ("GET", "/v1.0/auditLogs/signIns"),
        (
            "GET",
            &format!("/v1.0/users/admin@{FABRIKAM}/licenseDetails"),
        ),
        ("GET", &format!("/v1.0/servicePrincipals/{object}/memberOf")),
        ("GET", "/v1.0/directory/deletedItems/microsoft.graph.group"),
        ("PATCH", &format!("/v1.0/servicePrincipals/{object}")),
        ("DELETE", "/v1.0/oauth2PermissionGrants/x"),
    ] {
        let (status, body) = ask(name, path, Value::Null).await;
        assert_eq!(status, 501, "{name} {path}: {body}");
        assert_eq!(body["error"]["code"], "Cloud.NotSimulatedException");
    }
    let group = json!({"displayName": "a", "mailNickname": "a", "mailEnabled": false, "securityEnabled": true, "groupTypes": []});
    assert_eq!(ask("POST", "/v1.0/groups", group.clone()).await.0, 501);
    // What Graph itself refuses is refused in its words.
    let mut mail_enabled = group;
    mail_enabled["mailEnabled"] = true.into();
    let (status, body) = ask("POST", "/v1.0/groups", mail_enabled).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["code"]),
        (400, &json!("Request_BadRequest"))
    );
    // And what nobody has stays unknown.
    for (path, status) in [
        ("/v1.0/nonsense", 400),
        (&*format!("/v1.0/users/admin@{FABRIKAM}/shoes"), 400),
        ("/v1.0/directory/shoes", 400),
    ] {
        assert_eq!(world.graph(&token, path).await.0, status, "{path}");
    }
    assert_eq!(ask("PUT", "/v1.0/users", Value::Null).await.0, 405);
}
