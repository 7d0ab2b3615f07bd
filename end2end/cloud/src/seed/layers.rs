//! Customers whose reach takes thinking: policies above each other, roles with every kind of
//! scope, applications that are switched off or Microsoft's own.

use super::build::Build;
use crate::permissions::{MICROSOFT_TENANT, Resource};
use crate::world::exchange::AssignmentScope;
use crate::world::tenant::GroupKind;

/// Several RestrictAccess policies of one application, DenyAccess beside RestrictAccess, and
/// policies for every application.
pub fn policies(build: &mut Build) {
    let front = build.group(
        "Front desks",
        "front.desks",
        GroupKind::MailSecurity,
        &["reception", "info"],
    );
    let money = build.group(
        "Money",
        "money",
        GroupKind::MailSecurity,
        &["invoices", "info"],
    );
    let board = build.group("Board", "board", GroupKind::MailSecurity, &["admin"]);
    let robots = build.group(
        "Mail robots",
        "mail.robots",
        GroupKind::MailSecurity,
        &["reception"],
    );
    // Two policies of one application are a union.
    let router = build.own_app("Mail Router", "sorts the mail of two departments");
    build.grant(router, Resource::Graph, "Mail.ReadWrite");
    build.grant(router, Resource::Graph, "Mail.Send");
    build.policy(router, front, false, Some("Router: front desks"));
    build.policy(router, money, false, Some("Router: invoices"));
    // What one policy gives, another takes away.
    let reminder = build.own_app("Payment Reminder", "reminds of invoices");
    build.grant(reminder, Resource::Graph, "Mail.Send");
    build.policy(reminder, money, false, Some("Reminder: invoices"));
    build.policy(
        reminder,
        front,
        true,
        Some("Reminder: never as a front desk"),
    );
    build.policy_for_all(robots, false, "Whatever it is: as the robots' mailbox");
    build.policy_for_all(board, true, "No application reads the board's mail");
}

/// Roles of Exchange: composite, for the whole organisation, for groups, administrative units and
/// exclusive scopes, switched off.
pub fn roles(build: &mut Build) {
    let inner = build.group(
        "Branch north",
        "branch.north",
        GroupKind::MailSecurity,
        &["reception", "info"],
    );
    let outer = build.group(
        "All branches",
        "branches",
        GroupKind::MailSecurity,
        // Roles count direct members only.
        &["branch.north", "user"],
    );
    let assistant = build.own_app("Mail Assistant", "answers for two branches");
    build.assign(
        assistant,
        "Application Mail Full Access",
        AssignmentScope::Group(inner),
    );
    build.assign(
        assistant,
        "Application Calendars.Read",
        AssignmentScope::Group(outer),
    );
    let rooms = build.unit("Meeting rooms", &["reception", "room.fjord"]);
    let planner = build.own_app("Room Planner", "books rooms");
    build.assign(planner, "Application Calendars.ReadWrite", rooms);
    let archive = build.own_app("Journal Archive", "keeps a copy of all mail");
    build.assign(
        archive,
        "Application Mail.Read",
        AssignmentScope::Organisation,
    );
    // An exclusive scope keeps administrators out, and no application.
    let filter = "CustomAttribute7 -eq 'board'".to_owned();
    let exclusive = build.scope("Board only", filter, true);
    let secretary = build.own_app("Board Secretary", "prepares the board's meetings");
    build.assign(secretary, "Application MailboxSettings.Read", exclusive);
    let retired = build.own_app("Old Ticket System", "nobody uses it any more");
    build.assign(
        retired,
        "Application Mail.ReadWrite",
        AssignmentScope::Organisation,
    );
    build.switch_off(retired, "Application Mail.ReadWrite");
}

/// An application that is switched off, and one of Microsoft's own.
pub fn principals(build: &mut Build) {
    let newsletter = build.own_app("Newsletter", "switched off until somebody asks for it");
    build.grant(newsletter, Resource::Graph, "Mail.Send");
    if let Some(id) = build
        .tenant
        .principal_by_app(newsletter)
        .map(|found| found.id)
        && let Some(principal) = build.tenant.principals.get_mut(&id)
    {
        principal.enabled = false;
    }
    let name = "Dynamics 365 Customer Service";
    let app_id = build.id("first-party/customer-service");
    build.install(app_id, name, MICROSOFT_TENANT, "Microsoft Services");
    build.grant(app_id, Resource::Graph, "Mail.ReadWrite");
    build.grant(app_id, Resource::Graph, "Mail.Send");
}
