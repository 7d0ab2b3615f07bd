//! What pages show: the answers of server functions.

use serde::{Deserialize, Serialize};

use crate::{
    Problem, Timestamp,
    application::Application,
    cmdlet::Cmdlet,
    connection::{Connection, Trouble},
    exposure::Standing,
    history::Event,
    id::{AppId, CustomerId, ObjectId, OperatorId, SessionRef, SetupId, TenantId},
    invitation::{InvitationRow, PartnerName},
    person::{Actor, Role},
    plan::{Draft, Mailbox, Plan},
    proof::{Judged, Proof},
    provable::Unprovable,
    setup::{Can, Intent, SetupState},
    step::Step,
};

/// Who looks at the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub id: OperatorId,
    pub name: String,
    pub upn: String,
    /// None: waits until an owner gives a role.
    pub role: Option<Role>,
    pub partner: PartnerName,
    pub counts: Counts,
}

/// The numbers in the navigation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub customers: i64,
    pub broken: i64,
    /// Setups that run or wait for Microsoft.
    pub running: i64,
    /// Setups that wait for a person.
    pub needs_you: i64,
    /// Applications, at any customer, that can act as anyone.
    #[serde(default)]
    pub unrestricted: i64,
}

/// Order of the list of customers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerSort {
    #[default]
    Name,
    NameDown,
    /// What needs somebody first.
    Health,
    /// Last change first.
    Recent,
}

impl CustomerSort {
    pub const ALL: [Self; 4] = [Self::Name, Self::NameDown, Self::Health, Self::Recent];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NameDown => "name_down",
            Self::Health => "health",
            Self::Recent => "recent",
        }
    }

    /// What is not known sorts by name.
    pub fn parse(text: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|sort| sort.as_str() == text)
            .unwrap_or_default()
    }
}

pub const CUSTOMERS_PER_PAGE: i64 = 50;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomersQuery {
    pub search: String,
    pub sort: CustomerSort,
    /// From 1.
    pub page: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomersPage {
    pub rows: Vec<CustomerRow>,
    /// How many match, over all pages.
    pub matching: i64,
    /// How many there are without the search.
    pub total: i64,
    pub page: i64,
    pub pages: i64,
    /// What keeps Postern out of several customers, whatever the search.
    #[serde(default)]
    pub troubles: Vec<Trouble>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerRow {
    pub id: CustomerId,
    pub name: String,
    pub domain: String,
    pub connection: Connection,
    /// Setups that run, wait or failed.
    pub active_setups: i64,
    pub proven: i64,
    pub last_event: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerHead {
    pub id: CustomerId,
    pub name: String,
    pub domain: String,
    pub tenant: TenantId,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerView {
    pub head: CustomerHead,
    pub connection: Connection,
    /// Newest first.
    pub setups: Vec<SetupRow>,
    /// One-time links that somebody can still use, newest first.
    #[serde(default)]
    pub invitations: Vec<InvitationRow>,
    pub now: Timestamp,
}

/// A customer's applications, read live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationsView {
    /// Why parts of them were not read, each once.
    pub problems: Vec<Problem>,
    /// Worst first.
    pub rows: Vec<ApplicationRow>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationRow {
    pub object: ObjectId,
    pub name: String,
    pub standing: Standing,
    /// What it can do now.
    pub sentence: String,
    pub can_be_confined: bool,
}

/// Mailboxes that match a search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxesFound {
    pub rows: Vec<Mailbox>,
    /// There are more than are shown.
    pub more: bool,
}

/// The wizard: what was chosen so far, and what Postern suggests for the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wizard {
    pub head: CustomerHead,
    pub application: Application,
    pub standing: Standing,
    /// What it can do now.
    pub sentence: String,
    /// Its powers, which go on beside every policy.
    #[serde(default)]
    pub beside: Vec<String>,
    pub draft: Draft,
    /// The chosen senders and refused mailboxes that exist, in the order chosen.
    pub senders: Vec<Mailbox>,
    pub refused: Vec<Mailbox>,
    /// Suggested when none was chosen: people whose mail must not be faked.
    pub suggested_refused: Vec<Mailbox>,
    pub suggested_group: String,
    /// The domain that a new group's address gets.
    pub group_domain: String,
    /// How many mailboxes the customer has; none: not read.
    pub mailboxes: Option<i64>,
    /// A setup that already holds this application.
    pub active: Option<SetupRow>,
    /// Why real mail can show nothing of it.
    #[serde(default)]
    pub unprovable: Option<Unprovable>,
    /// Input that does not fit, by field.
    pub problems: Vec<Problem>,
    /// What should be known of the choices that fit.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// The last screen of the wizard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub head: CustomerHead,
    pub draft: Draft,
    pub plan: Plan,
    /// The exact changes, in order.
    pub cmdlets: Vec<Cmdlet>,
    pub script: String,
    /// A setup of this application that is active.
    pub active: Option<SetupRow>,
    /// What keeps the plan from being carried out now, and what could not be looked at.
    #[serde(default)]
    pub hurdles: Vec<Problem>,
    /// Powers of the application, which go on beside the policy.
    #[serde(default)]
    pub beside: Vec<String>,
    /// All that stays open beside the policy, those powers too: each has to be confirmed, in these
    /// words, before the setup starts.
    #[serde(default)]
    pub confirm: Vec<String>,
    /// What stands in nobody's way, and should be known.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What the plan takes from the application, what it leaves, and what it does not limit.
    #[serde(default)]
    pub takes: Vec<String>,
    /// What the form of the review carries: with it the start is held to what was shown.
    #[serde(default)]
    pub shown: Shown,
    /// The setup was not started, because the plan is not the one that was reviewed: what is
    /// different now.
    #[serde(default)]
    pub changed: Vec<String>,
}

/// What a review showed, for the form that starts the setup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// SHA-256 in hexadecimal, over the canonical JSON of what was shown.
    pub digest: String,
    /// What was shown, as JSON: to say what is different, should it be.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupRow {
    pub id: SetupId,
    pub customer: CustomerId,
    pub customer_name: String,
    pub application: String,
    pub app_id: AppId,
    pub state: SetupState,
    pub proof: Proof,
    pub started_by: String,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    /// What it does or waits for now, in one sentence.
    pub doing: String,
}

/// Everything that the live page shows; also what the stream of a setup sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupView {
    pub id: SetupId,
    pub head: CustomerHead,
    pub plan: Plan,
    pub intent: Intent,
    pub state: SetupState,
    /// As it stands now.
    pub proof: Proof,
    /// What the newest look at the tenant says.
    #[serde(default)]
    pub judged: Option<Judged>,
    /// What the policy takes beside sending, and what it does not limit, as far as was read.
    #[serde(default)]
    pub means: Vec<String>,
    pub steps: Vec<Step>,
    pub can: Can,
    pub started_by: String,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub secret: SecretState,
    /// Counts the changes; also the id of the event in the stream.
    pub version: i64,
    /// The server's clock when this was made.
    pub now: Timestamp,
}

/// Where the application's client secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "secret", rename_all = "snake_case")]
pub enum SecretState {
    /// Never given.
    None,
    /// Encrypted here until the proof ends, at the latest then.
    KeptUntil { until: Timestamp },
    /// Was given, and is gone.
    Gone,
}

/// Filter of the list of setups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupsFilter {
    /// Running, waiting or failed.
    #[default]
    Active,
    All,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupsPage {
    pub rows: Vec<SetupRow>,
    pub now: Timestamp,
    /// Older ones follow: ask with this.
    pub next: Option<Timestamp>,
}

/// Filter of a history. Empty fields do not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryQuery {
    /// An [`crate::history::EventKind`] by its text.
    pub kind: String,
    /// The actor's id ([`crate::person::Actor::key`]): a name may be that of several.
    pub person: String,
    /// `2026-11-23`, in UTC, inclusive.
    pub from: String,
    pub to: String,
    /// Only entries before this number: the next page.
    pub before: Option<i64>,
}

impl HistoryQuery {
    /// What the query of an address asks for, of the page and of its downloads. `field`: the text of one
    /// of its fields, empty where the address does not have it.
    pub fn of_fields<'f>(field: impl Fn(&str) -> &'f str) -> Self {
        Self {
            kind: field("kind").to_owned(),
            person: field("person").to_owned(),
            from: field("from").to_owned(),
            to: field("to").to_owned(),
            before: field("before").parse().ok(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// The customer; none: the history is the partner's own.
    pub head: Option<CustomerHead>,
    /// Newest first.
    pub rows: Vec<Event>,
    /// Ask for the next page with this.
    pub next: Option<i64>,
    /// Everybody who appears in this history, each once, as at the last entry.
    pub people: Vec<Actor>,
    /// How many entries there are without the filter.
    pub total: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    pub id: SessionRef,
    /// Browser and system, in words.
    pub device: String,
    pub signed_in: Timestamp,
    pub last_use: Timestamp,
    /// The session of this request.
    pub current: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    pub id: OperatorId,
    pub name: String,
    pub upn: String,
    pub role: Option<Role>,
    /// Of another tenant, a guest in the partner's.
    pub guest: bool,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// Where the person is signed in.
    pub sessions: Vec<SessionRow>,
    pub me: bool,
}
