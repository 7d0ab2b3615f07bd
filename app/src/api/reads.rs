//! The server functions that read.

use domain::{
    Timestamp,
    id::{CustomerId, SetupId},
    invitation::Invitation,
    plan::Draft,
    view::{
        ApplicationsView, CustomerView, CustomersPage, CustomersQuery, HistoryPage, HistoryQuery,
        MailboxesFound, Me, PersonRow, Review, SessionRow, SetupView, SetupsFilter, SetupsPage,
        Wizard,
    },
};

use super::call::Call;
use crate::pages::Drawn;

/// Generates a server function and, under the same name, a function with which a page calls it on
/// either side.
macro_rules! reads {
    ($(
        $(#[$doc:meta])*
        $name:ident, $type:ident, $endpoint:literal: fn($($arg:ident: $kind:ty),*) -> $answer:ty
        |$server:ident, $operator:ident| $body:expr;
    )*) => {
        $(
            $(#[$doc])*
            pub fn $name($($arg: $kind),*) -> Call<$answer> {
                let body = serde_json::json!({ $(stringify!($arg): $arg),* }).to_string();
                #[cfg(feature = "ssr")]
                return Call::new(concat!("/api/", $endpoint), body, Box::pin(on_server::$name($($arg),*)));
                #[cfg(not(feature = "ssr"))]
                Call::new(concat!("/api/", $endpoint), body)
            }
        )*

        #[cfg(feature = "ssr")]
        mod on_server {
            use leptos::{prelude::*, server_fn::codec::Json};

            use super::*;
            use crate::{api::context, error::AppError};

            $(
                $(#[$doc])*
                #[server(name = $type, endpoint = $endpoint, input = Json)]
                pub async fn $name($($arg: $kind),*) -> Result<$answer, AppError> {
                    let $server = context::server()?;
                    let $operator = $server.operator()?;
                    Ok($body.await?)
                }
            )*
        }
    };
}

reads! {
    /// The signed-in operator, with the counts for the navigation.
    me, ReadMe, "me": fn() -> Me
    |server, operator| server.engine.me(&operator);

    /// One page of the partner's customers.
    customers, ReadCustomers, "customers": fn(query: CustomersQuery) -> CustomersPage
    |server, operator| server.engine.customers(&operator, query);

    /// A customer with its connection and setups, from the database alone.
    customer, ReadCustomer, "customer": fn(customer: CustomerId) -> CustomerView
    |server, operator| server.engine.customer(&operator, customer);

    /// A customer's applications by effective access, read live from Microsoft: the applications
    /// that can be confined.
    applications, ReadApplications, "applications": fn(customer: CustomerId) -> ApplicationsView
    |server, operator| server.engine.applications(&operator, customer);

    /// A page, or a part of a page, that only the server renders, by its address on this site.
    drawn, ReadDrawn, "drawn": fn(page: String) -> Drawn
    |server, operator| crate::pages::draw(server.engine, operator, page);

    /// Mailboxes of a customer whose name or address matches.
    mailboxes, ReadMailboxes, "mailboxes": fn(customer: CustomerId, search: String) -> MailboxesFound
    |server, operator| server.engine.mailboxes(&operator, customer, &search);

    /// One page of a customer's history.
    history, ReadHistory, "history": fn(customer: CustomerId, query: HistoryQuery) -> HistoryPage
    |server, operator| server.engine.history(&operator, customer, query);

    /// One page of the partner's own history. For owners.
    own_history, ReadOwnHistory, "own_history": fn(query: HistoryQuery) -> HistoryPage
    |server, operator| server.engine.own_history(&operator, query);

    /// The choices made in the wizard so far, and Postern's suggestions.
    wizard, ReadWizard, "wizard": fn(customer: CustomerId, draft: Draft) -> Wizard
    |server, operator| server.engine.wizard(&operator, customer, draft);

    /// The plan as it would be carried out. `changed`: the value from a start that was refused.
    review, ReadReview, "review": fn(customer: CustomerId, draft: Draft, changed: Option<String>) -> Review
    |server, operator| server.engine.review(&operator, customer, draft, changed.as_deref().unwrap_or_default());

    /// A setup as its live page shows it.
    setup, ReadSetup, "setup": fn(customer: CustomerId, setup: SetupId) -> SetupView
    |server, operator| server.engine.setup(&operator, customer, setup);

    /// Setups over all customers, newest first.
    setups, ReadSetups, "setups": fn(filter: SetupsFilter, before: Option<Timestamp>) -> SetupsPage
    |server, operator| server.engine.setups(&operator, filter, before);

    /// The partner's people. For owners.
    people, ReadPeople, "people": fn() -> Vec<PersonRow>
    |server, operator| server.engine.people(&operator);

    /// The operator's signed-in browsers.
    sessions, ReadSessions, "sessions": fn() -> Vec<SessionRow>
    |server, operator| server.engine.sessions(&operator, server.session);
}

/// The invitation behind a one-time link, and whether it is still valid. Needs no operator, and
/// does not use the link.
pub fn invitation(token: String) -> Call<Invitation> {
    let body = serde_json::json!({ "token": token }).to_string();
    #[cfg(feature = "ssr")]
    return Call::new("/api/invitation", body, Box::pin(open::invitation(token)));
    #[cfg(not(feature = "ssr"))]
    Call::new("/api/invitation", body)
}

/// Server functions that need no sign-in.
#[cfg(feature = "ssr")]
mod open {
    use domain::invitation::Invitation;
    use leptos::{prelude::*, server_fn::codec::Json};

    use crate::{api::context, error::AppError};

    /// An invitation, by the random part of its address.
    #[server(name = ReadInvitation, endpoint = "invitation", input = Json)]
    pub async fn invitation(token: String) -> Result<Invitation, AppError> {
        Ok(context::server()?.engine.invitation(&token).await?)
    }
}
