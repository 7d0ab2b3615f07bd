//! Who can reach whose mailboxes, over all customers: the queries and the views of the pages about
//! it.

use serde::{Deserialize, Serialize};

use crate::{
    Problem, Timestamp,
    application::AccessRight,
    connection::{Health, Trouble},
    id::{AppId, CustomerId, FleetId, ObjectId},
    permission::Resource,
    reach::{Change, Changed, Direction, Known, Level, PartRead, Reach},
    view::{CustomerHead, SetupRow},
};

/// What one row of the exposure stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// One application over all customers that have it.
    #[default]
    Application,
    Customer,
    Permission,
    /// One application at one customer.
    Each,
}

impl By {
    pub const ALL: [Self; 4] = [
        Self::Application,
        Self::Customer,
        Self::Permission,
        Self::Each,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Customer => "customer",
            Self::Permission => "permission",
            Self::Each => "each",
        }
    }

    /// An unknown text gives the default.
    pub fn parse(text: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|by| by.as_str() == text)
            .unwrap_or_default()
    }
}

/// The order of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExposureSort {
    /// Rows with the most applications that can act as anyone come first, then rows with unknown
    /// ones.
    #[default]
    Worst,
    Name,
    /// Rows of the most customers come first.
    Most,
}

impl ExposureSort {
    pub const ALL: [Self; 3] = [Self::Worst, Self::Name, Self::Most];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Worst => "worst",
            Self::Name => "name",
            Self::Most => "most",
        }
    }

    pub fn parse(text: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|sort| sort.as_str() == text)
            .unwrap_or_default()
    }
}

/// The status of an application at a customer. Each application has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The application holds a power, with which it goes around every confinement.
    Power,
    Unrestricted,
    AllExcept,
    Unknown,
    /// The application is confined, and no real mail has proved that.
    Confined,
    /// The application is confined, and a setup has proved that.
    Proven,
    /// The application holds a permission, and reaches nothing with it, or no content.
    Nothing,
}

impl Standing {
    pub const ALL: [Self; 7] = [
        Self::Power,
        Self::Unrestricted,
        Self::AllExcept,
        Self::Unknown,
        Self::Confined,
        Self::Proven,
        Self::Nothing,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Unrestricted => "unrestricted",
            Self::AllExcept => "all_except",
            Self::Unknown => "unknown",
            Self::Confined => "confined",
            Self::Proven => "proven",
            Self::Nothing => "nothing",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// The status for a level. A proof counts only while the newest scan still says *confined*.
    pub const fn of(level: Level, proven: bool) -> Self {
        match level {
            Level::Power => Self::Power,
            Level::Unrestricted => Self::Unrestricted,
            Level::AllExcept => Self::AllExcept,
            Level::Unknown => Self::Unknown,
            Level::Confined if proven => Self::Proven,
            Level::Confined => Self::Confined,
            Level::Nothing => Self::Nothing,
        }
    }

    /// Whether the application reaches too much, or perhaps does.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Power | Self::Unrestricted | Self::AllExcept | Self::Unknown
        )
    }

    /// The name of the status on pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Power => "goes around every confinement",
            Self::Unrestricted => "unrestricted",
            Self::AllExcept => "all except some",
            Self::Unknown => "unknown",
            Self::Confined => "confined",
            Self::Proven => "proven",
            Self::Nothing => "reaches no content",
        }
    }
}

/// The number of applications of each status. Their sum is the number of all applications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    #[serde(default)]
    pub power: i64,
    pub unrestricted: i64,
    pub all_except: i64,
    pub unknown: i64,
    pub confined: i64,
    pub proven: i64,
    pub nothing: i64,
}

impl Tally {
    pub const fn of(&self, standing: Standing) -> i64 {
        match standing {
            Standing::Power => self.power,
            Standing::Unrestricted => self.unrestricted,
            Standing::AllExcept => self.all_except,
            Standing::Unknown => self.unknown,
            Standing::Confined => self.confined,
            Standing::Proven => self.proven,
            Standing::Nothing => self.nothing,
        }
    }

    pub const fn total(&self) -> i64 {
        self.power
            + self.unrestricted
            + self.all_except
            + self.unknown
            + self.confined
            + self.proven
            + self.nothing
    }

    /// The worst status that occurs. With no application at all: `Nothing`.
    pub fn worst(&self) -> Standing {
        Standing::ALL
            .into_iter()
            .find(|one| self.of(*one) > 0)
            .unwrap_or(Standing::Nothing)
    }

    pub fn add(&mut self, standing: Standing) {
        let place = match standing {
            Standing::Power => &mut self.power,
            Standing::Unrestricted => &mut self.unrestricted,
            Standing::AllExcept => &mut self.all_except,
            Standing::Unknown => &mut self.unknown,
            Standing::Confined => &mut self.confined,
            Standing::Proven => &mut self.proven,
            Standing::Nothing => &mut self.nothing,
        };
        *place += 1;
    }
}

pub const EXPOSURE_PER_PAGE: i64 = 50;

/// What the exposure shows. An empty text does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposureQuery {
    pub by: By,
    /// Searched in the names of applications, publishers and customers, and in ids.
    pub search: String,
    pub standing: Option<Standing>,
    /// Only this application.
    pub application: Option<AppId>,
    /// Only this customer.
    #[serde(default)]
    pub customer: Option<CustomerId>,
    /// Only applications that hold this permission. Their status is that of this permission alone.
    pub permission: String,
    /// Only applications for which a setup can be started.
    #[serde(default)]
    pub confinable: bool,
    pub sort: ExposureSort,
    /// The page's number, from 1.
    pub page: i64,
}

/// Letters of a search, and of a permission's name, that count.
const LONGEST_SEARCH: usize = 200;
const LONGEST_PERMISSION: usize = 100;

impl ExposureQuery {
    /// What the query of an address asks for, of the page and of its downloads. `field`: the text of one
    /// of its fields, empty where the address does not have it. What does not fit counts as left out.
    pub fn of_fields<'f>(field: impl Fn(&str) -> &'f str) -> Self {
        let search = field("search").trim().chars();
        let permission = field("permission").chars();
        Self {
            by: By::parse(field("by")),
            search: search.take(LONGEST_SEARCH).collect(),
            standing: Standing::parse(field("standing")),
            application: field("app").parse().ok(),
            customer: None,
            permission: permission.take(LONGEST_PERMISSION).collect(),
            confinable: field("can") == "1",
            sort: ExposureSort::parse(field("sort")),
            page: field("page").parse().unwrap_or(1).max(1),
        }
    }

    /// Whether the download includes applications with delegated grants only. They have no status,
    /// no permission of their own, and nothing to confine.
    pub fn takes_delegated(&self) -> bool {
        self.standing.is_none()
            && self.permission.is_empty()
            && !self.confinable
            && matches!(self.by, By::Each | By::Application)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposureRow {
    /// The name of the application, customer or permission.
    pub name: String,
    /// The publisher, the domain, or what the permission allows.
    pub beside: String,
    pub application: Option<AppId>,
    /// Set for one application at one customer, and for one customer.
    pub customer: Option<CustomerId>,
    pub customer_name: Option<String>,
    /// The service principal. Set for one application at one customer.
    pub object: Option<ObjectId>,
    /// The names of the permissions that it holds at any customer.
    pub permissions: Vec<String>,
    /// For one application at one customer: its powers, in words.
    #[serde(default)]
    pub powers: Vec<String>,
    /// For one application at one customer: what it may do for people who sign in to it.
    #[serde(default)]
    pub acts_as: Vec<String>,
    /// For one application at one customer: what was taken from it and may still work.
    #[serde(default)]
    pub may_still: Option<MayStill>,
    pub customers: i64,
    /// The number of these customers that were never scanned. What their applications hold is
    /// unknown.
    pub never_read: i64,
    /// The number of these applications that are open or unknown, and can be confined by a setup.
    pub confinable: i64,
    pub tally: Tally,
}

/// The tally of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTally {
    /// Midnight of that day, in UTC.
    pub day: Timestamp,
    pub tally: Tally,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposurePage {
    pub rows: Vec<ExposureRow>,
    /// The number of matching rows, over all pages.
    pub matching: i64,
    pub page: i64,
    pub pages: i64,
    /// The tally over all customers. The filter does not change it.
    pub tally: Tally,
    pub customers: i64,
    /// The number of customers at which something can act as anyone.
    pub open_customers: i64,
    /// The number of customers that were never scanned, so nothing is known of them.
    pub never_read: i64,
    /// Customers that were never scanned, and customers whose last scan could not read everything
    /// or anything. They are grouped by problem, with the first few of each named.
    pub not_read: Vec<Trouble>,
    pub not_read_count: i64,
    /// The times of the oldest and the newest scan on the page.
    pub read_from: Option<Timestamp>,
    pub read_to: Option<Timestamp>,
    /// The newest scan of all customers.
    pub fleet: Option<Fleet>,
    /// The last days, the oldest first.
    pub days: Vec<DayTally>,
    /// The permissions that some application holds, to choose from.
    pub permissions: Vec<String>,
}

/// A run that scans all customers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    pub id: FleetId,
    /// The operator who requested it.
    pub started_by: String,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub cancelled: bool,
    pub total: i64,
    pub done: i64,
    pub running: i64,
    /// How many of the customers that are done could not be read.
    pub failed: i64,
    /// An estimate from the pace so far, in milliseconds. None before the first customer is done.
    pub remaining_millis: Option<i64>,
}

/// A change against the last certain state, as one sentence about one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachChange {
    pub object: ObjectId,
    pub name: String,
    /// The level before. None: the application was not there. If the level is the same before and
    /// after, only its permissions changed.
    pub before: Option<Level>,
    pub after: Option<Level>,
    /// The permissions that changed, in words.
    #[serde(default)]
    pub permissions: Vec<String>,
}

impl ReachChange {
    /// The changes, one entry per application. `before` and `after`: what was and what is certain.
    /// `reach`: the reach of this scan.
    pub fn all(changes: &[Change], before: &Known, after: &Known, reach: &Reach) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for change in changes {
            let words = permission_words(change);
            let object = change.application;
            if let Some(known) = all.iter_mut().find(|one| one.object == object) {
                known.permissions.push(words);
                continue;
            }
            // While a part of the application's reach is unknown, the sentence says nothing about
            // its level as a whole.
            let unknown = reach
                .application(object)
                .is_some_and(|application| application.level() == Level::Unknown);
            let of = |known: &Known| match known.level(object) {
                Some(_) if unknown => Some(Level::Unknown),
                level => level,
            };
            all.push(Self {
                object,
                name: change.name.clone().unwrap_or_else(|| object.to_string()),
                before: of(before),
                after: of(after),
                permissions: vec![words],
            });
        }
        all
    }

    /// Example: “Backup365: unrestricted, now confined”.
    pub fn sentence(&self) -> String {
        let permissions = self.permissions.join("; ");
        match (self.before, self.after) {
            (None, Some(after)) => format!("{} is new: {}", self.name, after.word()),
            (Some(_), None) => format!("{} holds no mailbox permission any more", self.name),
            (Some(before), Some(after)) if before != after => {
                let levels = format!("{}: {}, now {}", self.name, before.word(), after.word());
                match self.permissions.len() {
                    0 | 1 => levels,
                    _ => format!("{levels} ({permissions})"),
                }
            }
            _ => format!("{}: {permissions}", self.name),
        }
    }
}

fn permission_words(change: &Change) -> String {
    let (permission, before, after) = match &change.what {
        Changed::Permission {
            permission,
            before,
            after,
        } => (permission, before, after),
        Changed::Power { power } => {
            let (does, from) = (power.kind.words(), power.from.words());
            return match change.direction {
                Direction::Narrower => format!("it {does} no longer ({from})"),
                Direction::Wider | Direction::Moved => format!("it {does} now ({from})"),
            };
        }
    };
    let name = permission.name();
    match change.direction {
        Direction::Moved => format!(
            "{name} reaches other mailboxes than before ({})",
            after.words()
        ),
        Direction::Wider | Direction::Narrower => {
            format!("{name} reached {}, now {}", before.words(), after.words())
        }
    }
}

/// How the newest scan of a customer went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanState {
    /// When the data on the page was read. None: never.
    pub read: Option<Timestamp>,
    /// A scan runs now, or is due.
    pub under_way: bool,
    /// A scan runs now.
    pub reading: bool,
    /// The time of the next scan that nobody has to request.
    pub due: Option<Timestamp>,
    /// Why the last scan did not read everything.
    pub problem: Option<Problem>,
    pub parts: Vec<PartRead>,
    pub changes: Vec<ReachChange>,
}

/// The applications of one customer by reach, the worst first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachView {
    pub head: CustomerHead,
    /// The health of the connection that scans use.
    pub health: Health,
    /// None: the customer was never connected.
    pub state: Option<ScanState>,
    /// The tally over all applications. The filter does not change it.
    pub tally: Tally,
    pub rows: Vec<ApplicationLine>,
    pub matching: i64,
    pub page: i64,
    pub pages: i64,
    /// The last days, the oldest first.
    pub days: Vec<DayTally>,
    /// The permissions that some application holds here, to choose from.
    pub permissions: Vec<String>,
    /// Applications with delegated grants. The filter does not change this list.
    #[serde(default)]
    pub acts_as: Vec<ActsAsLine>,
    /// Why further applications with delegated grants cannot be ruled out. Empty: the list is
    /// complete.
    #[serde(default)]
    pub acts_as_unseen: Vec<String>,
    /// Why further applications cannot be ruled out. Empty: the list is complete.
    #[serde(default)]
    pub unlisted: Vec<String>,
    /// Access policies that have no effect.
    #[serde(default)]
    pub strays: Vec<StrayLine>,
}

/// An access policy that has no effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrayLine {
    pub happened: String,
    /// For which application the policy was probably meant, and what to do.
    pub meant: String,
    /// That application, if it is listed.
    pub object: Option<ObjectId>,
}

/// One application on its customer's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationLine {
    pub object: Option<ObjectId>,
    pub application: Option<AppId>,
    pub name: String,
    /// The owner of the application, in words.
    pub owner: String,
    pub standing: Standing,
    /// One sentence about all that it reaches.
    pub sentence: String,
    pub held: Vec<Held>,
    /// Further permissions may exist, because a part was not read.
    pub unseen: bool,
    pub naming: Naming,
    /// The powers that it holds, or may hold.
    #[serde(default)]
    pub powers: Vec<WhyPower>,
    /// What was taken from it and may still work.
    #[serde(default)]
    pub may_still: Option<MayStill>,
    /// The newest setup for it.
    pub setup: Option<SetupRow>,
    pub can_be_confined: bool,
}

/// What an application may still do, although it was taken away: Microsoft's servers learn of the
/// change late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MayStill {
    /// What it may do. The text follows “it may still”.
    pub what: String,
    pub until: Timestamp,
}

impl MayStill {
    /// How late Microsoft's servers learn of a change, for readers of the time (MICROSOFT.md §2.4,
    /// §3.3).
    pub const LAG: &'static str = "Microsoft's servers usually know of such a change within two hours, and at times only after a day. Until then nothing shows that it is refused but a mail that is sent.";
}

/// A power of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyPower {
    /// What the power allows. The text follows “it can”.
    pub can: String,
    /// Where the power comes from, as a part of a sentence about the application.
    pub from: String,
    /// The power cannot be ruled out, and is not certain.
    pub perhaps: bool,
}

/// A delegated grant: what an application may do for people who sign in to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActsAs {
    /// For whom, for example “everybody who signs in to it”.
    pub who: String,
    pub resource: String,
    pub scopes: Vec<String>,
}

/// An application with delegated grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActsAsLine {
    pub object: ObjectId,
    pub name: String,
    pub grants: Vec<ActsAs>,
}

/// A permission that an application holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The permission's name. It includes the resource where two resources have the same name.
    pub name: String,
    pub resource: Resource,
    /// What the permission allows. The text follows “it can”.
    pub can: String,
    /// The permission was granted in Entra, and no access policy can narrow it.
    pub past_policies: bool,
}

/// Whether access policies name an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "naming", content = "policies", rename_all = "snake_case")]
pub enum Naming {
    /// The application holds nothing that a policy could narrow.
    NotAsked,
    NotRead,
    /// The policies that name it. An empty list: none does.
    By(Vec<PolicyLine>),
}

/// An access policy that names an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyLine {
    pub right: AccessRight,
    pub scope: String,
    /// The policy is for every application, not only for this one.
    pub for_all: bool,
    pub valid: bool,
}

/// An application's page: why it reaches what it reaches at one customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyView {
    pub head: CustomerHead,
    pub read: Timestamp,
    pub object: ObjectId,
    pub application: Option<AppId>,
    pub name: String,
    /// The owner of the application, in words.
    pub owner: String,
    pub standing: Standing,
    /// One sentence about all that it reaches.
    pub sentence: String,
    /// It is confined, to more than half of all mailboxes.
    pub most: bool,
    pub permissions: Vec<WhyPermission>,
    /// What was taken from it and may still work.
    #[serde(default)]
    pub may_still: Vec<MayStill>,
    /// Its powers, the worst first.
    #[serde(default)]
    pub powers: Vec<WhyPower>,
    /// What it may do for people who sign in to it.
    #[serde(default)]
    pub acts_as: Vec<ActsAs>,
    /// The policies that narrow its grants in Entra. Empty: none does.
    pub policies: Vec<WhyPolicy>,
    /// What a person should know beside the answers.
    pub notes: Vec<String>,
    /// As whom mail from the mailboxes of its last setup may appear, or that nobody looked.
    #[serde(default)]
    pub appears: Vec<String>,
    /// What is not known, and why.
    pub gaps: Vec<String>,
    /// What Postern does not read, of any application.
    #[serde(default)]
    pub not_looked_at: Vec<String>,
    /// The first few names of the mailboxes that decide the level: those that it reaches, or those
    /// that it does not.
    pub mailboxes: Vec<String>,
    pub more_mailboxes: u32,
    /// Whether details of the application were read, beside what it holds.
    pub details_read: bool,
    /// The publisher as Microsoft verified it. None: not verified, or not read.
    pub verified_publisher: Option<String>,
    /// Since when the application is in this tenant.
    pub created: Option<Timestamp>,
    /// Notes that somebody of the customer wrote about it.
    pub written: Option<String>,
    pub credentials: Vec<Credential>,
    /// Who can sign in as it without a credential of the list, and what was not read.
    pub about_credentials: Vec<String>,
    /// For each permission that is unknown now: its name, what it last certainly reached, and when.
    pub last_certain: Vec<(String, String, Timestamp)>,
    /// Newest first.
    pub setups: Vec<SetupRow>,
    /// The changes of its reach, newest first.
    pub history: Vec<WhyEvent>,
    /// There are older changes.
    pub more_history: bool,
    /// It holds something that an access policy can confine.
    pub can_be_confined: bool,
}

/// One change of an application's reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyEvent {
    pub at: Timestamp,
    /// One sentence.
    pub what: String,
}

/// One permission with all of its routes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyPermission {
    pub name: String,
    /// What the permission allows. The text follows “it can”.
    pub can: String,
    pub level: Level,
    /// The permission reads content, or sends. Any other permission is no danger, whichever
    /// mailboxes it reaches.
    pub counts: bool,
    /// The mailboxes, in words.
    pub extent: String,
    pub routes: Vec<WhyRoute>,
}

/// One route to a permission: a grant or an assignment, and what narrows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyRoute {
    pub from: String,
    pub through: String,
    pub leaves: String,
    pub level: Level,
    /// What is left is more than half of all mailboxes.
    pub most: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyPolicy {
    /// RestrictAccess or DenyAccess.
    pub right: String,
    pub scope: String,
    /// The policy is for every application, not only for this one.
    pub for_all: bool,
    pub covers: String,
}

/// A secret or certificate of an application, as Entra describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub kind: String,
    pub name: Option<String>,
    /// The object that holds the credential.
    pub holder: String,
    pub ends: Option<Timestamp>,
    pub over: bool,
}

/// A mailbox's page: the applications that reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxView {
    pub head: CustomerHead,
    /// When the reach was read. None: never.
    pub read: Option<Timestamp>,
    pub object: ObjectId,
    /// The mailbox's name in the scan. None: the scan did not find the mailbox, so no confined
    /// application can be ruled out.
    pub name: Option<String>,
    pub rows: Vec<MailboxRow>,
    /// Applications with delegated grants. They do not act as the mailbox by themselves.
    #[serde(default)]
    pub acts_as: Vec<ActsAsLine>,
    /// Why further applications with delegated grants cannot be ruled out. Empty: the list is
    /// complete.
    #[serde(default)]
    pub acts_as_unseen: Vec<String>,
    /// Why further applications, which are not listed, may reach the mailbox. Empty: all are
    /// listed.
    pub gaps: Vec<String>,
}

/// Mailboxes from the newest scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannedMailboxes {
    /// When the mailboxes were read. None: never.
    pub read: Option<Timestamp>,
    /// The first few matches, by name.
    pub rows: Vec<(ObjectId, String)>,
    pub more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxRow {
    pub object: ObjectId,
    pub name: String,
    pub permissions: Vec<String>,
    /// The application's powers, with which it reaches every mailbox.
    #[serde(default)]
    pub powers: Vec<WhyPower>,
    /// Whether the access is certain. False: a part could not be read, so it cannot be ruled out.
    pub certain: bool,
    /// The application reaches no content of the mailbox.
    #[serde(default)]
    pub light: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_has_one_standing_and_only_confined_can_be_proven() {
        for level in Level::ALL {
            let (plain, proven) = (Standing::of(level, false), Standing::of(level, true));
            assert_eq!(plain != proven, level == Level::Confined, "{level:?}");
        }
    }

    fn change(before: Option<Level>, after: Option<Level>, permissions: &[&str]) -> String {
        let change = ReachChange {
            object: ObjectId(uuid::Uuid::nil()),
            name: "Mailer".to_owned(),
            before,
            after,
            permissions: permissions.iter().map(|&one| one.to_owned()).collect(),
        };
        change.sentence()
    }

    #[test]
    fn a_change_is_one_sentence() {
        use Level::{Confined, Unrestricted};
        let wider = "Mail.Send reached 1 mailbox, now 500 mailboxes";
        for (before, after, permissions, expected) in [
            (
                None,
                Some(Confined),
                &[wider][..],
                "Mailer is new: confined",
            ),
            (
                Some(Confined),
                None,
                &[wider],
                "Mailer holds no mailbox permission any more",
            ),
            (
                Some(Unrestricted),
                Some(Confined),
                &[wider],
                "Mailer: unrestricted, now confined",
            ),
            (
                Some(Confined),
                Some(Confined),
                &[wider],
                "Mailer: Mail.Send reached 1 mailbox, now 500 mailboxes",
            ),
            (
                Some(Unrestricted),
                Some(Confined),
                &["one", "two"],
                "Mailer: unrestricted, now confined (one; two)",
            ),
        ] {
            assert_eq!(change(before, after, permissions), expected);
        }
    }

    #[test]
    fn a_tally_adds_up() {
        let mut tally = Tally::default();
        for (times, standing) in Standing::ALL.into_iter().enumerate() {
            for _ in 0..=times {
                tally.add(standing);
            }
        }
        assert_eq!(
            Standing::ALL.map(|standing| tally.of(standing)),
            [1, 2, 3, 4, 5, 6, 7]
        );
        assert_eq!(tally.total(), 28);
    }

    #[test]
    fn words_read_back() {
        for by in By::ALL {
            assert_eq!(By::parse(by.as_str()), by);
        }
        for sort in ExposureSort::ALL {
            assert_eq!(ExposureSort::parse(sort.as_str()), sort);
        }
        for standing in Standing::ALL {
            assert_eq!(Standing::parse(standing.as_str()), Some(standing));
        }
        assert_eq!(Standing::parse("safe"), None);
    }
}
