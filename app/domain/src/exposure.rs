//! Who can reach whose mailboxes, over all customers: what the pages about it ask and show.

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

/// What a row of the exposure stands for.
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

    /// What is not known is the first.
    pub fn parse(text: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|by| by.as_str() == text)
            .unwrap_or_default()
    }
}

/// Order of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExposureSort {
    /// The most that can act as anyone first, then what is unknown.
    #[default]
    Worst,
    Name,
    /// At the most customers first.
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

/// What an application at a customer counts as. Each is exactly one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Holds a power: it goes around every confinement.
    Power,
    Unrestricted,
    AllExcept,
    Unknown,
    /// Confined, and not proven by real mail.
    Confined,
    /// Confined, and a setup proved it.
    Proven,
    /// Holds a permission, and reaches nothing with it or no content.
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

    /// A proof counts only while the newest reading still says *confined*.
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

    /// Whether it reaches too much, or perhaps does.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Power | Self::Unrestricted | Self::AllExcept | Self::Unknown
        )
    }

    /// What pages call it.
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

/// How many applications there are of each standing. The sum is all of them.
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

    /// The worst that there is; of nothing, nothing.
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

/// Empty texts do not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposureQuery {
    pub by: By,
    /// In the names of applications, publishers and customers, and in ids.
    pub search: String,
    pub standing: Option<Standing>,
    /// Only this application.
    pub application: Option<AppId>,
    /// Only this customer.
    #[serde(default)]
    pub customer: Option<CustomerId>,
    /// Only those that hold this permission, judged by it alone.
    pub permission: String,
    /// Only those for which a setup can be started.
    #[serde(default)]
    pub confinable: bool,
    pub sort: ExposureSort,
    /// From 1.
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

    /// Whether those that only act for whoever signs in belong to its download: they have no standing,
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
    /// The application's, customer's or permission's name.
    pub name: String,
    /// The publisher, the domain, or what the permission lets do.
    pub beside: String,
    pub application: Option<AppId>,
    /// Where the row is of one application at one customer, or of one customer.
    pub customer: Option<CustomerId>,
    pub customer_name: Option<String>,
    /// The service principal, where the row is of one application at one customer.
    pub object: Option<ObjectId>,
    /// Permissions that it holds anywhere, by name.
    pub permissions: Vec<String>,
    /// Of one application at one customer: what lets it go around every confinement, in words.
    #[serde(default)]
    pub powers: Vec<String>,
    /// The same of what it may do for whoever signs in to it.
    #[serde(default)]
    pub acts_as: Vec<String>,
    /// Of one application at one customer: what was taken away, and may still work.
    #[serde(default)]
    pub may_still: Option<MayStill>,
    pub customers: i64,
    /// How many of them were never read: what they hold is unknown.
    pub never_read: i64,
    /// How many of the applications are open, or unknown, and can be confined by a setup.
    pub confinable: i64,
    pub tally: Tally,
}

/// The numbers of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTally {
    /// Midnight of that day, in UTC.
    pub day: Timestamp,
    pub tally: Tally,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposurePage {
    pub rows: Vec<ExposureRow>,
    /// How many rows match, over all pages.
    pub matching: i64,
    pub page: i64,
    pub pages: i64,
    /// Over all customers, whatever the filter.
    pub tally: Tally,
    pub customers: i64,
    /// Customers at which something can act as anyone.
    pub open_customers: i64,
    /// Customers of which nothing was ever read: what is there is unknown.
    pub never_read: i64,
    /// Customers of which nothing was ever read, and those that could not be read, in full or at
    /// all, when it was last tried; by kind, the first few.
    pub not_read: Vec<Trouble>,
    pub not_read_count: i64,
    /// When the oldest and the newest of what is shown was read.
    pub read_from: Option<Timestamp>,
    pub read_to: Option<Timestamp>,
    /// The newest scan of all customers.
    pub fleet: Option<Fleet>,
    /// The last days, the oldest first.
    pub days: Vec<DayTally>,
    /// All permissions that somebody holds, to choose from.
    pub permissions: Vec<String>,
}

/// A scan of all customers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    pub id: FleetId,
    /// Who asked for it.
    pub started_by: String,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub cancelled: bool,
    pub total: i64,
    pub done: i64,
    pub running: i64,
    /// Of those done, how many could not be read.
    pub failed: i64,
    /// At the pace so far. Milliseconds; none before anything is done.
    pub remaining_millis: Option<i64>,
}

/// What differs from what was last certain, in one sentence about one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachChange {
    pub object: ObjectId,
    pub name: String,
    /// None: it was not there. Both alike: only its permissions changed.
    pub before: Option<Level>,
    pub after: Option<Level>,
    /// Each permission that changed, in words.
    #[serde(default)]
    pub permissions: Vec<String>,
}

impl ReachChange {
    /// What changed, by application. `before` and `after`: what is certain; `reach`: as it was
    /// read now.
    pub fn all(changes: &[Change], before: &Known, after: &Known, reach: &Reach) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for change in changes {
            let words = permission_words(change);
            let object = change.application;
            if let Some(known) = all.iter_mut().find(|one| one.object == object) {
                known.permissions.push(words);
                continue;
            }
            // While a part of it is unknown, nothing is said about all of it.
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

    /// “Backup365: unrestricted, now confined”.
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
    /// When what is shown was read; none: never.
    pub read: Option<Timestamp>,
    /// It is being read now, or waits for its turn.
    pub under_way: bool,
    /// It is being read now.
    pub reading: bool,
    /// When it is read next without being asked.
    pub due: Option<Timestamp>,
    /// Why the newest attempt did not read everything.
    pub problem: Option<Problem>,
    pub parts: Vec<PartRead>,
    pub changes: Vec<ReachChange>,
}

/// The applications of one customer by reach, the worst first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachView {
    pub head: CustomerHead,
    /// Of the connection with which it is read.
    pub health: Health,
    /// None: it was never connected.
    pub state: Option<ScanState>,
    /// Over all applications, whatever the filter.
    pub tally: Tally,
    pub rows: Vec<ApplicationLine>,
    pub matching: i64,
    pub page: i64,
    pub pages: i64,
    /// The last days, the oldest first.
    pub days: Vec<DayTally>,
    /// All permissions that somebody holds here, to choose from.
    pub permissions: Vec<String>,
    /// Applications that act as whoever signs in to them, whatever the filter.
    #[serde(default)]
    pub acts_as: Vec<ActsAsLine>,
    /// Why more of those cannot be ruled out; empty: these are all.
    #[serde(default)]
    pub acts_as_unseen: Vec<String>,
    /// Why applications that are not listed cannot be ruled out; empty: all are listed.
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
    /// For which application it was probably meant, and what to do.
    pub meant: String,
    /// That application, where it is listed.
    pub object: Option<ObjectId>,
}

/// One application on its customer's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationLine {
    pub object: Option<ObjectId>,
    pub application: Option<AppId>,
    pub name: String,
    /// Whose it is, in words.
    pub owner: String,
    pub standing: Standing,
    /// What it all means, in one sentence.
    pub sentence: String,
    pub held: Vec<Held>,
    /// What else it may hold was not read.
    pub unseen: bool,
    pub naming: Naming,
    /// What lets it go around every confinement, or may.
    #[serde(default)]
    pub powers: Vec<WhyPower>,
    /// What was taken away, and may still work.
    #[serde(default)]
    pub may_still: Option<MayStill>,
    /// The newest setup for it.
    pub setup: Option<SetupRow>,
    pub can_be_confined: bool,
}

/// What an application may still do though it was taken away: Microsoft's servers learn of it late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MayStill {
    /// To end “it may still …”.
    pub what: String,
    pub until: Timestamp,
}

impl MayStill {
    /// How late they learn, for whoever reads the time (MICROSOFT.md §2.4, §3.3).
    pub const LAG: &'static str = "Microsoft's servers usually know of such a change within two hours, and at times only after a day. Until then nothing shows that it is refused but a mail that is sent.";
}

/// What lets an application go around every confinement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyPower {
    /// To end “it can …”.
    pub can: String,
    /// Where it comes from, as a part of a sentence about the application.
    pub from: String,
    /// It cannot be ruled out, and is not certain.
    pub perhaps: bool,
}

/// What an application may do for whoever signs in to it: a delegated grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActsAs {
    /// “everybody who signs in to it”.
    pub who: String,
    pub resource: String,
    pub scopes: Vec<String>,
}

/// An application that acts as whoever signs in to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActsAsLine {
    pub object: ObjectId,
    pub name: String,
    pub grants: Vec<ActsAs>,
}

/// A permission that an application holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// With the resource in it where two have the same.
    pub name: String,
    pub resource: Resource,
    /// To end “it can …”.
    pub can: String,
    /// It was granted in Entra, and no access policy can narrow it.
    pub past_policies: bool,
}

/// Whether access policies name an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "naming", content = "policies", rename_all = "snake_case")]
pub enum Naming {
    /// It holds nothing that a policy could narrow.
    NotAsked,
    NotRead,
    /// These; none of them: no policy does.
    By(Vec<PolicyLine>),
}

/// An access policy that names an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyLine {
    pub right: AccessRight,
    pub scope: String,
    /// For every application, not for this one alone.
    pub for_all: bool,
    pub valid: bool,
}

/// Why one application at one customer reaches what it reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyView {
    pub head: CustomerHead,
    pub read: Timestamp,
    pub object: ObjectId,
    pub application: Option<AppId>,
    pub name: String,
    /// Whose it is, in words.
    pub owner: String,
    pub standing: Standing,
    /// What it all means, in one sentence.
    pub sentence: String,
    /// It is confined, to more than half of all mailboxes.
    pub most: bool,
    pub permissions: Vec<WhyPermission>,
    /// What was taken away, and may still work.
    #[serde(default)]
    pub may_still: Vec<MayStill>,
    /// What lets it go around every confinement, the worst first.
    #[serde(default)]
    pub powers: Vec<WhyPower>,
    /// What it may do for whoever signs in to it.
    #[serde(default)]
    pub acts_as: Vec<ActsAs>,
    /// Policies that narrow what was granted in Entra; empty: none does.
    pub policies: Vec<WhyPolicy>,
    /// What a person should know beside it.
    pub notes: Vec<String>,
    /// As whom mail from the mailboxes of its last setup may appear, or that nobody looked.
    #[serde(default)]
    pub appears: Vec<String>,
    /// What is not known, and why.
    pub gaps: Vec<String>,
    /// What Postern does not look at, of any application.
    #[serde(default)]
    pub not_looked_at: Vec<String>,
    /// The mailboxes that it reaches and others not, by name; the first few.
    pub mailboxes: Vec<String>,
    pub more_mailboxes: u32,
    /// Whether anything was read of it beside what it holds.
    pub details_read: bool,
    /// As Microsoft verified it; none: not verified, or not read.
    pub verified_publisher: Option<String>,
    /// Since when it is in this tenant.
    pub created: Option<Timestamp>,
    /// What somebody of the customer wrote about it.
    pub written: Option<String>,
    pub credentials: Vec<Credential>,
    /// Who signs in as it beside the credentials in the list, and what was not looked at.
    pub about_credentials: Vec<String>,
    /// What was last certain of a permission that is unknown now: its name, what it reached, when.
    pub last_certain: Vec<(String, String, Timestamp)>,
    /// Newest first.
    pub setups: Vec<SetupRow>,
    /// How its reach changed over time, newest first.
    pub history: Vec<WhyEvent>,
    /// There are older ones.
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

/// One permission, and every way to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyPermission {
    pub name: String,
    /// To end “it can …”.
    pub can: String,
    pub level: Level,
    /// It reads content, or sends. Else it is no danger, whichever mailboxes it reaches.
    pub counts: bool,
    /// Which mailboxes, in words.
    pub extent: String,
    pub routes: Vec<WhyRoute>,
}

/// One way to a permission: from a grant or an assignment, through what narrows it.
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
    /// For every application, not for this one alone.
    pub for_all: bool,
    pub covers: String,
}

/// A secret or certificate of an application, by what Entra tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub kind: String,
    pub name: Option<String>,
    /// Which object holds it.
    pub holder: String,
    pub ends: Option<Timestamp>,
    pub over: bool,
}

/// Which applications reach one mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxView {
    pub head: CustomerHead,
    /// When the reach was read; none: never.
    pub read: Option<Timestamp>,
    pub object: ObjectId,
    /// What the scan called it; none: it was not there, so nothing confined can be ruled out.
    pub name: Option<String>,
    pub rows: Vec<MailboxRow>,
    /// Applications that act as whoever signs in to them: not as the mailbox by themselves.
    #[serde(default)]
    pub acts_as: Vec<ActsAsLine>,
    /// Why more of those cannot be ruled out; empty: these are all.
    #[serde(default)]
    pub acts_as_unseen: Vec<String>,
    /// Applications that are not listed may reach it too: what was not read, and why. Empty: all
    /// are listed.
    pub gaps: Vec<String>,
}

/// Mailboxes as the newest scan found them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannedMailboxes {
    /// When they were read; none: never.
    pub read: Option<Timestamp>,
    /// The first few that match, by name.
    pub rows: Vec<(ObjectId, String)>,
    pub more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxRow {
    pub object: ObjectId,
    pub name: String,
    pub permissions: Vec<String>,
    /// What lets it reach every mailbox, whatever its permissions say.
    #[serde(default)]
    pub powers: Vec<WhyPower>,
    /// Some of it could not be read: it cannot be ruled out.
    pub certain: bool,
    /// It reaches no content of the mailbox.
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
