//! Metadata and keys. At `organizations` and `common` the issuer is a template (MICROSOFT.md
//! §6.3).

use serde_json::json;

use super::Authority;
use crate::http_parts::Reply;
use crate::world::World;

fn issuer(world: &World, authority: Authority) -> String {
    match authority {
        Authority::Tenant(id) => format!("{}/{id}/v2.0", world.base),
        Authority::Organizations | Authority::Common => {
            format!("{}/{{tenantid}}/v2.0", world.base)
        }
    }
}

/// `/.well-known/openid-configuration`. It announces what Microsoft's announces, also where the
/// cloud's answer is that it does not simulate it; PKCE is not announced there.
pub fn document(world: &World, authority: Authority) -> Reply {
    let segment = match authority {
        Authority::Tenant(id) => id.to_string(),
        Authority::Organizations => "organizations".to_owned(),
        Authority::Common => "common".to_owned(),
    };
    let base = &world.base;
    Reply::json(
        200,
        &json!({
            "issuer": issuer(world, authority),
            "authorization_endpoint": format!("{base}/{segment}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{base}/{segment}/oauth2/v2.0/token"),
            "end_session_endpoint": format!("{base}/{segment}/oauth2/v2.0/logout"),
            "device_authorization_endpoint": format!("{base}/{segment}/oauth2/v2.0/devicecode"),
            "userinfo_endpoint": format!("{base}/oidc/userinfo"),
            "kerberos_endpoint": format!("{base}/{segment}/kerberos"),
            "jwks_uri": format!("{base}/{segment}/discovery/v2.0/keys"),
            "token_endpoint_auth_methods_supported":
                ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "claims_supported": [
                "sub", "iss", "aud", "exp", "iat", "nbf", "nonce", "preferred_username", "name",
                "tid", "oid", "ver", "email", "sid", "uti"
            ],
            "request_uri_parameter_supported": false,
            "http_logout_supported": true,
            "frontchannel_logout_supported": true,
            "tenant_region_scope": "EU",
            "cloud_instance_name": "simulated.example",
            "cloud_graph_host_name": "graph.simulated.example",
            "msgraph_host": "msgraph.simulated.example",
            "rbac_url": "https://pas.simulated.example",
        }),
    )
}

/// The signing keys.
pub fn keys(world: &World, authority: Authority) -> Reply {
    Reply::json(200, &world.entra.keys.jwks(&issuer(world, authority)))
        .header("Cache-Control", "max-age=86400, private")
}
