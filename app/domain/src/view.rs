//! What pages show: the answers of the server functions.

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

/// The operator who looks at the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub id: OperatorId,
    pub name: String,
    pub upn: String,
    /// None: the person waits until an owner gives a role.
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

/// The order of the list of customers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerSort {
    #[default]
    Name,
    NameDown,
    /// Customers that need a person come first.
    Health,
    /// The last changed customer comes first.
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

    /// An unknown text sorts by name.
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
    /// The page's number, from 1.
    pub page: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomersPage {
    pub rows: Vec<CustomerRow>,
    /// The number of matching customers, over all pages.
    pub matching: i64,
    /// The number of customers without the search.
    pub total: i64,
    pub page: i64,
    pub pages: i64,
    /// Problems that keep Postern out of several customers. The search does not change this list.
    #[serde(default)]
    pub troubles: Vec<Trouble>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerRow {
    pub id: CustomerId,
    pub name: String,
    pub domain: String,
    pub connection: Connection,
    /// The number of setups that run, wait or have failed.
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
    /// Why parts were not read, without duplicates.
    pub problems: Vec<Problem>,
    /// Worst first.
    pub rows: Vec<ApplicationRow>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationRow {
    pub object: ObjectId,
    pub name: String,
    pub standing: Standing,
    /// What the application can do now.
    pub sentence: String,
    pub can_be_confined: bool,
}

/// Mailboxes that match a search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxesFound {
    pub rows: Vec<Mailbox>,
    /// There are more matches than these.
    pub more: bool,
}

/// The wizard's page: what was chosen so far, and suggestions for the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wizard {
    pub head: CustomerHead,
    pub application: Application,
    pub standing: Standing,
    /// What the application can do now.
    pub sentence: String,
    /// The application's powers, which no policy limits.
    #[serde(default)]
    pub beside: Vec<String>,
    pub draft: Draft,
    /// The chosen senders that exist, in the order in which they were chosen. `refused`: the same
    /// for refused mailboxes.
    pub senders: Vec<Mailbox>,
    pub refused: Vec<Mailbox>,
    /// Suggestions where none was chosen: mailboxes of people whose mail must not be faked.
    pub suggested_refused: Vec<Mailbox>,
    pub suggested_group: String,
    /// The domain for the address of a new group.
    pub group_domain: String,
    /// The number of the customer's mailboxes. None: not known.
    pub mailboxes: Option<i64>,
    /// An active setup for this application.
    pub active: Option<SetupRow>,
    /// Why real mail can show nothing for this application. None: it can.
    #[serde(default)]
    pub unprovable: Option<Unprovable>,
    /// Choices that do not fit. Each problem names its field.
    pub problems: Vec<Problem>,
    /// What the person should know of the choices that fit.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// The review: the last page of the wizard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub head: CustomerHead,
    pub draft: Draft,
    pub plan: Plan,
    /// The exact changes, in order.
    pub cmdlets: Vec<Cmdlet>,
    pub script: String,
    /// An active setup for this application.
    pub active: Option<SetupRow>,
    /// What keeps the plan from being carried out now, and what could not be read.
    #[serde(default)]
    pub hurdles: Vec<Problem>,
    /// The application's powers, which no policy limits.
    #[serde(default)]
    pub beside: Vec<String>,
    /// All that stays open beside the policy, the powers included. A person must confirm each
    /// sentence before the setup starts.
    #[serde(default)]
    pub confirm: Vec<String>,
    /// What hinders nothing and should be known.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What the plan takes from the application, what it leaves, and what it does not limit.
    #[serde(default)]
    pub takes: Vec<String>,
    /// What the review's form carries, so that the start can compare.
    #[serde(default)]
    pub shown: Shown,
    /// The differences of a start that was refused, because the plan was not the one that was
    /// reviewed.
    #[serde(default)]
    pub changed: Vec<String>,
}

/// What a review has shown, for the form that starts the setup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// SHA-256 in hexadecimal, over the canonical JSON of what was shown.
    pub digest: String,
    /// What was shown, as JSON. The start uses it to name the differences.
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
    /// What the setup does or waits for now, in one sentence.
    pub doing: String,
}

/// Everything that the live page of a setup shows. The setup's event stream sends the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupView {
    pub id: SetupId,
    pub head: CustomerHead,
    pub plan: Plan,
    pub intent: Intent,
    pub state: SetupState,
    /// The proof as it stands now.
    pub proof: Proof,
    /// The newest verdict on what the setup claims.
    #[serde(default)]
    pub judged: Option<Judged>,
    /// What the policy takes apart from sending, and what it does not limit, as far as that was
    /// read.
    #[serde(default)]
    pub means: Vec<String>,
    pub steps: Vec<Step>,
    pub can: Can,
    pub started_by: String,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub secret: SecretState,
    /// Increases with every change. It is also the id of the event in the stream.
    pub version: i64,
    /// The server's time when this view was made.
    pub now: Timestamp,
}

/// Where the application's client secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "secret", rename_all = "snake_case")]
pub enum SecretState {
    /// Never given.
    None,
    /// The secret is stored encrypted until the proof ends, and never longer than `until`.
    KeptUntil { until: Timestamp },
    /// The secret was given, and is deleted.
    Gone,
}

/// The filter of the list of setups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupsFilter {
    /// Setups that run, wait or have failed.
    #[default]
    Active,
    All,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupsPage {
    pub rows: Vec<SetupRow>,
    pub now: Timestamp,
    /// The value of `before` for the next page. None: there are no older setups.
    pub next: Option<Timestamp>,
}

/// The filter of a history. An empty field does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryQuery {
    /// An [`crate::history::EventKind`] by its text.
    pub kind: String,
    /// The actor's id ([`crate::person::Actor::key`]), because several actors may have the same
    /// name.
    pub person: String,
    /// `2026-11-23`, in UTC, inclusive.
    pub from: String,
    pub to: String,
    /// Only entries before this number, for the next page.
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
    /// The customer. None: the history is the partner's own.
    pub head: Option<CustomerHead>,
    /// Newest first.
    pub rows: Vec<Event>,
    /// The value of `before` for the next page.
    pub next: Option<i64>,
    /// The actors of this history without duplicates, each with the name of its last entry.
    pub people: Vec<Actor>,
    /// The number of entries without the filter.
    pub total: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    pub id: SessionRef,
    /// Browser and system, in words.
    pub device: String,
    pub signed_in: Timestamp,
    pub last_use: Timestamp,
    /// Whether this is the session of the request.
    pub current: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    pub id: OperatorId,
    pub name: String,
    pub upn: String,
    pub role: Option<Role>,
    /// The person is a guest in the partner's tenant, from another tenant.
    pub guest: bool,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// The sessions of the person.
    pub sessions: Vec<SessionRow>,
    pub me: bool,
}
