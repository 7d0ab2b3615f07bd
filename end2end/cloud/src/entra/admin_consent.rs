//! The admin-consent page, `/{tenant}/v2.0/adminconsent` and the older `/{tenant}/adminconsent`
//! (MICROSOFT.md §6.2).

use super::errors::EntraError;
use super::{Authority, Flow, Purpose, authorize, scopes, sign_in};
use crate::http_parts::{Call, Reply};
use crate::world::World;

/// Starts the page.
pub fn start(world: &mut World, call: &Call, authority: Authority) -> Reply {
    if authority == Authority::Common {
        let error = EntraError::new(
            90124,
            "Resource is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
        );
        return error.page(&mut world.dice, call);
    }
    let (client_home, application, redirect_uri) =
        match authorize::trusted_client(world, &call.query, authority) {
            Ok(found) => found,
            Err(error) => return error.page(&mut world.dice, call),
        };
    let raw_scope = call
        .query("scope")
        .filter(|scope| !scope.trim().is_empty())
        .unwrap_or("https://graph.microsoft.com/.default")
        .to_owned();
    let wanted = match scopes::parse(&raw_scope) {
        Ok(wanted) => wanted,
        Err(error) => return error.page(&mut world.dice, call),
    };
    let flow = Flow {
        purpose: Purpose::AdminConsent,
        segment: call.segment(0).to_owned(),
        authority,
        client: application.app_id,
        client_home,
        redirect_uri,
        form_post: false,
        state: call.query("state").map(str::to_owned),
        nonce: None,
        wanted,
        raw_scope,
        challenge: None,
        prompt: String::new(),
        login_hint: None,
        account: None,
        consented: false,
        met: scopes::rules_of(call.query("claims")),
    };
    sign_in::begin(world, call, flow)
}
