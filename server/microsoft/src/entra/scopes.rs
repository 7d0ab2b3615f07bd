//! What Postern asks for, and why (DESIGN §6: what the next action needs, and no more).
//!
//! `/authorize` takes scopes of several resources at once, so one consent covers Graph and
//! Exchange; a token request takes those of one resource only (MICROSOFT.md §6.1).

use domain::permission::Resource;

use crate::endpoints::Endpoints;

/// For an operator's sign-in: who it is, and nothing of the tenant. With the lasting token Entra is
/// asked again whether the account may still sign in.
pub const SIGN_IN: [&str; 3] = ["openid", "profile", "offline_access"];

/// Always asked for when a customer is connected: who consented, and a refresh token.
pub const LASTING: [&str; 3] = ["openid", "profile", "offline_access"];

/// Reading Graph, delegated:
/// - `User.Read`: the person who consented, and the organisation's name and domains;
/// - `Application.Read.All`: service principals and who holds app roles (MICROSOFT.md §7.1);
/// - `Directory.Read.All`: users, groups and the consenting person's directory roles. Narrower
///   scopes would be three (`User.Read.All`, `GroupMember.Read.All`,
///   `RoleManagement.Read.Directory`) that together read almost the same.
pub const READING_GRAPH: [&str; 3] = ["User.Read", "Application.Read.All", "Directory.Read.All"];

/// Exchange, delegated. There is only this one for cmdlets (MICROSOFT.md §1.1), to read as well as
/// to change: what it really allows is decided by the Exchange roles of the person who consented.
/// So there is no smaller consent for reading that would leave room for a larger one later.
pub const EXCHANGE: [&str; 1] = ["Exchange.Manage"];

/// Who signs in, and a refresh token, without any right in that person's own tenant: for GDAP the
/// token is redeemed where the rights are, at the customer (MICROSOFT.md §6.4).
pub fn lasting() -> Vec<String> {
    LASTING.map(str::to_owned).to_vec()
}

/// All scopes to ask for at `/authorize` when a customer is connected.
pub fn connecting(endpoints: &Endpoints) -> Vec<String> {
    let mut all: Vec<String> = LASTING.iter().map(|&scope| scope.to_owned()).collect();
    all.extend(of(endpoints, Resource::Graph));
    all.extend(of(endpoints, Resource::Exchange));
    all
}

/// The scopes to redeem the code of [`connecting`] with: Graph's, with what makes it last.
pub fn redeeming(endpoints: &Endpoints) -> Vec<String> {
    let mut all: Vec<String> = LASTING.iter().map(|&scope| scope.to_owned()).collect();
    all.extend(of(endpoints, Resource::Graph));
    all
}

/// The scopes of one resource, in full.
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

/// Everything that an application was granted on a resource: the only scope that client
/// credentials may ask for (MICROSOFT.md §6.1).
pub fn default_of(endpoints: &Endpoints, resource: Resource) -> String {
    format!("{}/.default", endpoints.audience(resource))
}
