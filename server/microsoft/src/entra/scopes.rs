//! The scopes that Postern requests, and why (DESIGN §6: what the next action needs, and no more).
//!
//! `/authorize` takes scopes of several resources at once, so one consent covers Graph and
//! Exchange. A token request takes the scopes of one resource only (MICROSOFT.md §6.1).

use domain::permission::Resource;

use crate::endpoints::Endpoints;

/// For an operator's sign-in: the identity, and nothing of the tenant. With the refresh token
/// Postern asks Entra again whether the account may still sign in.
pub const SIGN_IN: [&str; 3] = ["openid", "profile", "offline_access"];

/// Always requested when a customer is connected: the identity of the account, and a refresh token.
pub const LASTING: [&str; 3] = ["openid", "profile", "offline_access"];

/// Delegated scopes for reading Graph:
/// - `User.Read`: the person who consented, and the organisation's name and domains;
/// - `Application.Read.All`: service principals and who holds app roles (MICROSOFT.md §7.1);
/// - `Directory.Read.All`: users, groups and the consenting person's directory roles. Narrower
///   scopes would be three (`User.Read.All`, `GroupMember.Read.All`,
///   `RoleManagement.Read.Directory`) that together read almost the same.
pub const READING_GRAPH: [&str; 3] = ["User.Read", "Application.Read.All", "Directory.Read.All"];

/// The delegated scope for Exchange. It is the only scope for cmdlets (MICROSOFT.md §1.1), to read
/// as well as to change. The Exchange roles of the person who consented decide what it really
/// allows. A smaller consent for reading, with a larger one later, is therefore not possible.
pub const EXCHANGE: [&str; 1] = ["Exchange.Manage"];

/// Identity and a refresh token, without any right in that person's own tenant. For GDAP the token
/// is redeemed where the rights are, at the customer (MICROSOFT.md §6.4).
pub fn lasting() -> Vec<String> {
    LASTING.map(str::to_owned).to_vec()
}

/// All scopes to request at `/authorize` when a customer is connected.
pub fn connecting(endpoints: &Endpoints) -> Vec<String> {
    let mut all: Vec<String> = LASTING.iter().map(|&scope| scope.to_owned()).collect();
    all.extend(of(endpoints, Resource::Graph));
    all.extend(of(endpoints, Resource::Exchange));
    all
}

/// The scopes with which the code of [`connecting`] is redeemed: Graph's, and those for a refresh
/// token.
pub fn redeeming(endpoints: &Endpoints) -> Vec<String> {
    let mut all: Vec<String> = LASTING.iter().map(|&scope| scope.to_owned()).collect();
    all.extend(of(endpoints, Resource::Graph));
    all
}

/// The full names of one resource's scopes.
pub fn of(endpoints: &Endpoints, resource: Resource) -> Vec<String> {
    let names: &[&str] = match resource {
        Resource::Graph => &READING_GRAPH,
        Resource::Exchange => &EXCHANGE,
    };
    let audience = endpoints.audience(resource);
    names
        .iter()
        .map(|name| format!("{audience}/{name}"))
        .collect()
}

/// All permissions that an application was granted on a resource. It is the only scope that client
/// credentials may request (MICROSOFT.md §6.1).
pub fn default_of(endpoints: &Endpoints, resource: Resource) -> String {
    format!("{}/.default", endpoints.audience(resource))
}
