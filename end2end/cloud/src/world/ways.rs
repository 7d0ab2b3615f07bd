//! The ways into a mailbox, and whether each is open to an application now: grants and roles,
//! policies, rights on the mailbox and the organisation's switches together.

use uuid::Uuid;

use super::World;
use super::enforcement::{Caller, Refused, application_may};
use crate::permissions::Resource;

/// A way into a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    GraphSend,
    GraphRead,
    Ews,
    Imap,
    Pop,
    Smtp,
}

impl Way {
    pub const ALL: [Self; 6] = [
        Self::GraphSend,
        Self::GraphRead,
        Self::Ews,
        Self::Imap,
        Self::Pop,
        Self::Smtp,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::GraphSend => "graph_send",
            Self::GraphRead => "graph_read",
            Self::Ews => "ews",
            Self::Imap => "imap",
            Self::Pop => "pop",
            Self::Smtp => "smtp",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }

    pub fn resource(self) -> Resource {
        match self {
            Self::GraphSend | Self::GraphRead => Resource::Graph,
            Self::Ews | Self::Imap | Self::Pop | Self::Smtp => Resource::Exchange,
        }
    }

    /// One of these is enough.
    fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::GraphSend => &["Mail.Send"],
            Self::GraphRead => &[
                "Mail.Read",
                "Mail.ReadWrite",
                "Mail.ReadBasic",
                "Mail.ReadBasic.All",
            ],
            Self::Ews => &["full_access_as_app"],
            Self::Imap => &["IMAP.AccessAsApp"],
            Self::Pop => &["POP.AccessAsApp"],
            Self::Smtp => &["SMTP.SendAsApp"],
        }
    }
}

/// Whether an application may use a permission, with the switches that close EWS.
///
/// # Errors
///
/// Why not: a word for tests, or the reason that EWS gives.
pub fn may_use(
    world: &mut World,
    caller: Caller<'_>,
    resource: Resource,
    permission: &str,
    mailbox: Uuid,
    user_agent: Option<&str>,
) -> Result<(), &'static str> {
    match application_may(world, caller, resource, permission, mailbox) {
        Ok(()) => {}
        Err(Refused::ByPolicy) => return Err("policy"),
        Err(Refused::NotHeld) => return Err("not held"),
    }
    let Some(tenant) = world.tenants.get(caller.tenant) else {
        return Err("not held");
    };
    let exchange = &tenant.exchange;
    if resource == Resource::Exchange && permission == "full_access_as_app" {
        return exchange
            .switches
            .ews(
                mailbox,
                caller.app_id,
                user_agent,
                exchange.habits.ews_empty_list_blocks,
            )
            .map_err(super::switches::EwsClosed::reason);
    }
    match user_agent {
        Some(agent)
            if resource == Resource::Graph
                && !exchange.switches.user_agent_allowed(mailbox, agent) =>
        {
            Err("user agent")
        }
        _ => Ok(()),
    }
}

/// Whether a way is open to an application.
///
/// # Errors
///
/// The reason that was found last.
pub fn may(
    world: &mut World,
    caller: Caller<'_>,
    way: Way,
    mailbox: Uuid,
    user_agent: Option<&str>,
) -> Result<(), &'static str> {
    let mut why = "not held";
    for permission in way.permissions() {
        match may_use(
            world,
            caller,
            way.resource(),
            permission,
            mailbox,
            user_agent,
        ) {
            Ok(()) => return Ok(()),
            // What is held and refused says more than what is not held.
            Err("not held") => {}
            Err(reason) => why = reason,
        }
    }
    Err(why)
}
