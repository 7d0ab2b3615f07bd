//! Exchange's admin API, as clients meet it that nobody here wrote: CIPP, the module, azapptoolkit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use cloud::Delays;
use serde_json::{Value, json};
use support::{FABRIKAM, World, error_text, read, world, world_with};

fn body(name: &str, parameters: Value) -> Value {
    json!({"CmdletInput": {"CmdletName": name, "Parameters": parameters}})
}

/// One invocation as a batch has it.
fn step(world: &World, id: &str, headers: Value, body: Value) -> Value {
    let tenant = world.tenant_id(FABRIKAM);
    json!({
        "id": id, "method": "POST", "headers": headers, "body": body,
        "url": format!("https://outlook.office365.com/adminapi/beta/{tenant}/InvokeCommand?"),
    })
}

#[tokio::test]
async fn client_f3_headers_of_a_batch_can_be_flags() {
    let world = world().await;
    let (_, token) = world.admin(FABRIKAM).await;
    let tenant = world.tenant_id(FABRIKAM);
    let headers = json!({
        "X-CmdletName": "Get-Mailbox", "parameter-based-routing": true, "X-Number": 1,
        "X-Nothing": null, "Authorization": format!("Bearer {token}"),
    });
    let inner = body("Get-Mailbox", json!({"ResultSize": 1}));
    let odd = json!({"X-Odd": ["a"]});
    let request = world
        .http
        .post(world.url(&format!("/adminapi/beta/{tenant}/$batch")))
        .bearer_auth(&token)
        .json(&json!({"requests": [
            step(&world, "1", headers, inner.clone()), step(&world, "2", odd, inner),
        ]}));
    let (status, answer) = read(request.send().await.unwrap()).await;
    assert_eq!(status, 200);
    assert_eq!(answer["responses"][0]["status"], 200, "{answer}");
    assert_eq!(
        answer["responses"][0]["body"]["value"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(answer["responses"][1]["status"], 400);
}

#[tokio::test]
async fn client_l4_the_outer_request_of_a_batch_needs_a_token() {
    let world = world().await;
    let (graph, token) = world.admin(FABRIKAM).await;
    let tenant = world.tenant_id(FABRIKAM);
    let headers = json!({"Authorization": format!("Bearer {token}")});
    let requests = json!({"requests": [
        step(&world, "1", headers, body("Get-Mailbox", json!({"ResultSize": 1}))),
    ]});
    let post = |outer: Option<&str>| {
        let request = world
            .http
            .post(world.url(&format!("/adminapi/beta/{tenant}/$batch")))
            .json(&requests);
        let request = match outer {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(post(None).await, 401);
    assert_eq!(post(Some(&graph)).await, 401);
    assert_eq!(post(Some(&token)).await, 200);
}

#[tokio::test]
async fn client_l2_a_page_with_more_to_come_says_so() {
    let world = world().await;
    let (_, token) = world.admin(FABRIKAM).await;
    let tenant = world.tenant_id(FABRIKAM);
    let body = body("Get-Mailbox", json!({"ResultSize": "Unlimited"}));
    let mut address = world.url(&format!("/adminapi/beta/{tenant}/InvokeCommand"));
    let mut pages = 0;
    loop {
        let response = world
            .http
            .post(&address)
            .bearer_auth(&token)
            .header("X-AnchorMailbox", format!("UPN:admin@{FABRIKAM}"))
            .header("Prefer", "odata.maxpagesize=90")
            .json(&body)
            .send()
            .await
            .unwrap();
        let header = response.headers().get("x-warnings").cloned();
        let page: Value = response.json().await.unwrap();
        let warnings = page["@adminapi.warnings"].as_array().unwrap();
        pages += 1;
        match page["@odata.nextLink"].as_str() {
            Some(next) => {
                assert_eq!(warnings.len(), 1);
                let said = warnings[0].as_str().unwrap();
                assert!(
                    said.starts_with("There are more results available"),
                    "{said}"
                );
                assert_eq!(header.unwrap().to_str().unwrap(), said);
                address = next.to_owned();
            }
            None => {
                assert!(warnings.is_empty() && header.is_none());
                break;
            }
        }
    }
    assert!(pages > 2);
}

/// Runs a cmdlet with an anchor: rows, or the error's text.
async fn run(
    world: &World,
    token: &str,
    anchor: Option<&str>,
    name: &str,
    parameters: Value,
) -> Result<Vec<Value>, String> {
    let tenant = world.tenant_id(FABRIKAM);
    let request = world
        .http
        .post(world.url(&format!("/adminapi/beta/{tenant}/InvokeCommand")))
        .bearer_auth(token)
        .json(&body(name, parameters));
    let request = match anchor {
        Some(anchor) => request.header("X-AnchorMailbox", anchor),
        None => request,
    };
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    if !status.is_success() {
        return Err(error_text(&text));
    }
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    Ok(body["value"].as_array().cloned().unwrap_or_default())
}

#[tokio::test]
async fn client_f7_a_group_is_there_at_once_for_its_maker() {
    let world = world_with(Delays {
        group_exchange: [30, 30],
        ..Delays::none()
    })
    .await;
    let (_, token) = world.admin(FABRIKAM).await;
    let anchor = format!("UPN:admin@{FABRIKAM}");
    let new =
        json!({"Name": "Senders", "Type": "Security", "Members": [format!("user@{FABRIKAM}")]});
    let made = run(&world, &token, Some(&anchor), "New-DistributionGroup", new)
        .await
        .unwrap();
    assert!(made[0].get("DistinguishedName").is_none());
    let senders = || json!({"Identity": "Senders"});
    let member = json!({"Identity": "Senders", "Member": format!("info@{FABRIKAM}")});
    run(
        &world,
        &token,
        Some(&anchor),
        "Add-DistributionGroupMember",
        member,
    )
    .await
    .unwrap();
    let read = run(
        &world,
        &token,
        Some(&anchor),
        "Get-DistributionGroup",
        senders(),
    )
    .await
    .unwrap();
    assert!(
        read[0]["DistinguishedName"]
            .as_str()
            .unwrap()
            .starts_with("CN=Senders,")
    );
    let members = run(
        &world,
        &token,
        Some(&anchor),
        "Get-DistributionGroupMember",
        senders(),
    )
    .await
    .unwrap();
    assert_eq!(members.len(), 2);
    // Others, and the maker by another way, wait.
    let other = Some("UPN:other@fabrikam.example");
    for anchor in [other, None] {
        let said = run(&world, &token, anchor, "Get-DistributionGroup", senders())
            .await
            .unwrap_err();
        assert!(said.contains("couldn't be found"), "{said}");
    }
    world.cloud.advance(31);
    for anchor in [other, None] {
        run(&world, &token, anchor, "Get-DistributionGroup", senders())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn client_f7_the_maker_can_be_made_to_wait() {
    let world = world_with(Delays {
        group_exchange: [30, 30],
        group_exchange_maker: [10, 10],
        ..Delays::none()
    })
    .await;
    let (_, token) = world.admin(FABRIKAM).await;
    let anchor = format!("UPN:admin@{FABRIKAM}");
    let new = json!({"Name": "Senders", "Type": "Security"});
    run(&world, &token, Some(&anchor), "New-DistributionGroup", new)
        .await
        .unwrap();
    let get = || {
        let senders = json!({"Identity": "Senders"});
        run(
            &world,
            &token,
            Some(&anchor),
            "Get-DistributionGroup",
            senders,
        )
    };
    assert!(get().await.unwrap_err().contains("couldn't be found"));
    world.cloud.advance(11);
    get().await.unwrap();
}

#[tokio::test]
async fn client_f8_one_object_is_not_found_with_one_status() {
    let world = world().await;
    let (_, token) = world.admin(FABRIKAM).await;
    let mut seen = std::collections::BTreeMap::new();
    for number in 0..40 {
        let identity = format!("missing {number}");
        let mut own = std::collections::BTreeSet::new();
        for cmdlet in [
            "Get-DistributionGroup",
            "Get-Mailbox",
            "Get-DistributionGroup",
        ] {
            let parameters = json!({ "Identity": identity });
            let response = world.raw_cmdlet(&token, FABRIKAM, cmdlet, parameters).await;
            own.insert(response.status().as_u16());
        }
        assert_eq!(own.len(), 1, "{identity}: {own:?}");
        *seen.entry(own.first().copied().unwrap()).or_insert(0) += 1;
    }
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [400, 404, 500]);
    assert!(
        seen[&500] < seen[&400] && seen[&500] < seen[&404],
        "{seen:?}"
    );
}

#[tokio::test]
async fn client_absent_cmdlets_and_parameters_are_told_apart_from_rights() {
    let world = world().await;
    let (_, token) = world.admin(FABRIKAM).await;
    let ask = |name: &'static str, parameters: Value| {
        let (world, token) = (&world, &token);
        async move {
            let response = world.raw_cmdlet(token, FABRIKAM, name, parameters).await;
            let status = response.status().as_u16();
            let kind = response
                .headers()
                .get("x-exceptiontype")
                .map(|value| value.to_str().unwrap().to_owned());
            (
                status,
                kind.unwrap_or_default(),
                response.text().await.unwrap(),
            )
        }
    };
    for name in [
        "Get-AcceptedDomain",
        "Set-MailUser",
        "get-transportrule",
        "Get-MessageTraceV2",
    ] {
        let (status, kind, text) = ask(name, json!({})).await;
        assert_eq!(
            (status, kind.as_str()),
            (400, "NotSimulatedException"),
            "{name}"
        );
        assert!(error_text(&text).contains("The simulated cloud does not know"));
    }
    // Nobody has these: as without a right.
    for name in ["Get-Nonsense", "Get-EXOMailbox"] {
        let (status, _, text) = ask(name, json!({})).await;
        assert_eq!(status, 403, "{name}");
        assert!(text.starts_with('\0'));
    }
    let group = || "Identity".to_owned();
    for (cmdlet, parameter, value) in [
        ("Get-Recipient", "RecipientType", json!("UserMailbox")),
        ("Get-Recipient", "RecipientPreviewFilter", json!("x")),
        ("Get-Recipient", "Properties", json!(["x"])),
        ("Get-Mailbox", "SoftDeletedMailbox", json!(true)),
        ("Get-Mailbox", "InactiveMailboxOnly", json!(true)),
        ("Get-Mailbox", "IncludeInactiveMailbox", json!(true)),
        ("Get-ServicePrincipal", "Organization", json!("x")),
        (
            "Get-ManagementRoleAssignment",
            "GetEffectiveUsers",
            json!(true),
        ),
        (
            "Get-DistributionGroupMember",
            "IncludeSoftDeletedObjects",
            json!(true),
        ),
        (
            "New-ManagementRoleAssignment",
            "CustomRecipientWriteScope",
            json!("x"),
        ),
        ("Set-Mailbox", "ForwardingSmtpAddress", json!("x@b.example")),
        ("Set-DistributionGroup", "CustomAttribute1", json!("x")),
        (
            "Set-DistributionGroup",
            "EmailAddresses",
            json!({"Add": ["smtp:a@b.example"]}),
        ),
        ("Set-DistributionGroup", "GrantSendOnBehalfTo", json!("x")),
        ("Set-DistributionGroup", "ModerationEnabled", json!(true)),
    ] {
        let mut parameters = json!({ parameter: value });
        let needs = match cmdlet {
            "New-ManagementRoleAssignment" => vec!["Role".to_owned(), "App".to_owned()],
            _ => vec![group()],
        };
        for name in needs {
            parameters[name] = "x".into();
        }
        let (status, kind, text) = ask(cmdlet, parameters).await;
        assert_eq!(
            (status, kind.as_str()),
            (400, "NotSimulatedException"),
            "{cmdlet} -{parameter}: {text}"
        );
        assert!(
            error_text(&text).contains(&format!("-{parameter}")),
            "{text}"
        );
    }
    // A switch that is off was as good as not sent; a name that nobody has is wrong.
    let (status, _, _) = ask(
        "Get-Mailbox",
        json!({"SoftDeletedMailbox": false, "ResultSize": 1}),
    )
    .await;
    assert_eq!(status, 200);
    let (_, kind, _) = ask("Get-Mailbox", json!({"Archive": true, "Bogus": 1})).await;
    assert_eq!(kind, "AmbiguousParameterSetException");
}

#[tokio::test]
async fn client_absent_addresses_of_the_module_say_so() {
    let world = world().await;
    let (_, token) = world.admin(FABRIKAM).await;
    let tenant = world.tenant_id(FABRIKAM);
    for path in [
        format!("/adminapi/v1.0/{tenant}/EXOModuleFile?Version=3.9.2"),
        format!("/adminapi/v1.0/{tenant}/EXOBanner('AutogenSession')?Version=3.9.2"),
        format!("/adminapi/beta/{tenant}"),
        format!("/adminapi/beta/{tenant}/Mailbox?$top=1"),
        format!("/adminapi/beta/{tenant}/Mailbox('x')/Exchange.GetMailboxStatistics()"),
        format!("/adminapi/v2.0/{tenant}/OrganizationConfig"),
    ] {
        let ask = || world.http.get(world.url(&path));
        assert_eq!(ask().send().await.unwrap().status(), 401, "{path}");
        let response = ask().bearer_auth(&token).send().await.unwrap();
        assert_eq!(response.status(), 501, "{path}");
        assert_eq!(
            response.headers()["x-exceptiontype"],
            "NotSimulatedException"
        );
    }
    let nothing = world.url(&format!("/adminapi/beta/{tenant}/Shoes"));
    let response = world.http.get(nothing).bearer_auth(&token).send().await;
    assert_eq!(response.unwrap().status(), 404);
    let clixml = world
        .http
        .post(world.url(&format!("/adminapi/beta/{tenant}/InvokeCommand")))
        .bearer_auth(&token)
        .header("X-ResponseFormat", "clixml")
        .json(&body("Get-OrganizationConfig", json!({})));
    let response = clixml.send().await.unwrap();
    assert_eq!(
        response.headers()["x-exceptiontype"],
        "NotSimulatedException"
    );
}
