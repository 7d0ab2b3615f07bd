//! Says in words what applications reach.

use std::collections::BTreeMap;

use domain::{
    application::AccessRight,
    exposure::{WhyPermission, WhyPolicy, WhyRoute},
    id::ObjectId,
    reach::{
        Answer, ApplicationReach, AssignmentScope, Extent, Gap, GapId, GrantFate, Level, Note,
        Part, PermissionReach, Reach, Route,
    },
};

/// Maximum number of mailboxes that a sentence names. More are only counted.
const NAMED: usize = 3;

pub(crate) type Names = BTreeMap<ObjectId, String>;

/// Makes sentences about a reach. `names`: the names of mailboxes and groups by object id.
pub(crate) struct Words<'a> {
    pub reach: &'a Reach,
    pub names: &'a Names,
}

impl Words<'_> {
    pub fn permission(&self, one: &PermissionReach) -> WhyPermission {
        WhyPermission {
            name: one.permission.name(),
            can: one.permission.can().to_owned(),
            level: one.answer.level(),
            counts: one.permission.weight().counts(),
            extent: self.answer(&one.answer),
            routes: one.routes.iter().map(|route| self.route(route)).collect(),
        }
    }

    fn route(&self, route: &Route) -> WhyRoute {
        let (from, through, leaves) = match route {
            Route::Grant { fate, leaves, .. } => {
                let through = match fate {
                    GrantFate::NotGoverned => "no access policy governs it",
                    GrantFate::NoPolicy => "no access policy names it",
                    GrantFate::Narrowed => "narrowed by access policies",
                    GrantFate::PoliciesNotRead => "access policies could not be read",
                    GrantFate::Unnamed => "what the role is called is not known",
                };
                ("Granted in Entra".to_owned(), through.to_owned(), leaves)
            }
            Route::Assignment { assignment, leaves } => {
                let node = usize::try_from(*assignment)
                    .ok()
                    .and_then(|index| self.reach.assignments.get(index));
                let role = node.map_or("an Exchange role", |node| node.role.as_str());
                let scope = match node {
                    None => "a scope that is not known".to_owned(),
                    Some(node) if !node.enabled => "switched off".to_owned(),
                    Some(node) => {
                        let scope = self.scope(&node.scope);
                        if node.exclusive {
                            format!("{scope}, exclusive: it restricts nobody")
                        } else {
                            scope
                        }
                    }
                };
                (format!("Exchange role “{role}”"), scope, leaves)
            }
            Route::Unseen { gap, leaves } => {
                let gap = self
                    .reach
                    .gap(*gap)
                    .map_or_else(|| "something was not read".to_owned(), |gap| self.gap(gap));
                ("Perhaps more".to_owned(), gap, leaves)
            }
        };
        WhyRoute {
            from,
            through,
            leaves: self.answer(leaves),
            level: leaves.level(),
            most: self.is_most(leaves),
        }
    }

    fn scope(&self, scope: &AssignmentScope) -> String {
        match scope {
            AssignmentScope::Organisation => "the whole organisation".to_owned(),
            AssignmentScope::Custom { name } => format!("the scope “{name}”"),
            AssignmentScope::Group { name, .. } => format!("direct members of {name}"),
            AssignmentScope::Unit { object } => {
                format!("the administrative unit {}", self.called(*object))
            }
            AssignmentScope::Other { text } => format!("“{text}”"),
        }
    }

    pub fn policies(&self, application: &ApplicationReach) -> Vec<WhyPolicy> {
        let Some(narrowing) = &application.narrowing else {
            return Vec::new();
        };
        narrowing
            .deny
            .iter()
            .chain(&narrowing.restrict)
            .filter_map(|index| self.reach.policies.get(usize::try_from(*index).ok()?))
            .map(|node| WhyPolicy {
                right: match node.right {
                    AccessRight::RestrictAccess => "RestrictAccess",
                    AccessRight::DenyAccess => "DenyAccess",
                }
                .to_owned(),
                scope: node.scope_name.clone(),
                for_all: node.app_id.is_none(),
                covers: self.answer(&node.covers),
            })
            .collect()
    }

    /// Says which mailboxes an answer contains.
    pub fn answer(&self, answer: &Answer) -> String {
        match answer {
            Answer::Unknown {
                at_least, at_most, ..
            } => match (at_least, at_most) {
                // Only the number of all mailboxes is unknown, as in “3 mailboxes of an unread
                // number”.
                (least, most) if least == most => self.extent(*most),
                (Extent::Nothing, most) => format!("unknown: perhaps {}", self.extent(*most)),
                (least, most) => format!(
                    "unknown: {} for certain, perhaps {}",
                    self.extent(*least),
                    self.extent(*most)
                ),
            },
            Answer::Everyone { .. } => format!(
                "{}: every person's mailbox for now",
                self.reach.count(answer.at_most())
            ),
            Answer::AllOfKind { .. } => format!(
                "{}: every mailbox of its kind",
                self.reach.count(answer.at_most())
            ),
            known => self.extent(known.at_most()),
        }
    }

    fn extent(&self, extent: Extent) -> String {
        match extent {
            Extent::Everything => match self.reach.mailbox_count {
                Some(count) => format!("every mailbox ({count})"),
                None => "every mailbox".to_owned(),
            },
            Extent::AllExcept { mailboxes } => format!(
                "every mailbox but {}",
                self.some(self.reach.members(mailboxes).collect())
            ),
            Extent::Only { mailboxes } => self.some(self.reach.members(mailboxes).collect()),
            Extent::Nothing => "no mailbox".to_owned(),
        }
    }

    fn some(&self, mailboxes: Vec<ObjectId>) -> String {
        let of_all = self.of_all(mailboxes.len());
        if mailboxes.len() > NAMED {
            return of_all;
        }
        let names: Vec<String> = mailboxes.into_iter().map(|one| self.called(one)).collect();
        match names.as_slice() {
            [] => "no mailbox".to_owned(),
            [one] => format!("{one} ({of_all})"),
            [first @ .., last] => format!("{} and {last} ({of_all})", first.join(", ")),
        }
    }

    /// Example: “2 of 216 mailboxes”.
    fn of_all(&self, count: usize) -> String {
        match (self.reach.mailbox_count, count) {
            (Some(all), _) => format!("{count} of {all} mailboxes"),
            (None, 1) => "1 mailbox of an unread number".to_owned(),
            (None, _) => format!("{count} mailboxes of an unread number"),
        }
    }

    pub(super) fn called(&self, object: ObjectId) -> String {
        let application = || self.reach.application(object)?.name.clone();
        self.names
            .get(&object)
            .cloned()
            .or_else(application)
            .unwrap_or_else(|| object.to_string())
    }

    /// The answer that decides the application's level: the first of the worst ones.
    pub fn worst<'r>(&self, application: &'r ApplicationReach) -> &'r Answer {
        let level = worst_permission(application);
        counting(application)
            .map(|one| &one.answer)
            .find(|answer| answer.level() == level)
            .unwrap_or(&application.others)
    }

    /// The mailboxes of an answer that a page lists: those that it reaches, or those that it does
    /// not.
    pub fn listed(&self, answer: &Answer) -> Vec<String> {
        let set = match answer.at_most() {
            Extent::AllExcept { mailboxes } | Extent::Only { mailboxes } => mailboxes,
            Extent::Everything | Extent::Nothing => return Vec::new(),
        };
        let mut names: Vec<String> = self
            .reach
            .members(set)
            .map(|mailbox| self.called(mailbox))
            .collect();
        names.sort_unstable();
        names
    }

    /// One sentence about all that the application reaches, powers included.
    pub fn sentence(&self, application: &ApplicationReach) -> String {
        let reaches = self.reaches(application);
        match self.power_sentence(application) {
            Some(power) => format!("{power} {reaches}"),
            None => reaches,
        }
    }

    /// One sentence about what its permissions reach, without its powers.
    pub fn reaches(&self, application: &ApplicationReach) -> String {
        let level = worst_permission(application);
        let can = listed(
            counting(application)
                .filter(|one| one.answer.level() == level)
                .map(|one| one.permission.can()),
        );
        let can = can.unwrap_or_else(|| "reach into mailboxes".to_owned());
        match self.worst(application) {
            Answer::Nothing if application.permissions.is_empty() => {
                let delegated = if application.delegated.is_empty() {
                    ""
                } else {
                    " It acts as whoever signs in to it, with the reach of that person."
                };
                format!(
                    "It holds no permission that reaches mailboxes without a signed-in user.{delegated}"
                )
            }
            Answer::Nothing if application.only_light() => {
                let can = listed(
                    application
                        .permissions
                        .iter()
                        .map(|one| one.permission.can()),
                );
                format!(
                    "It can {}, and reads no content of mailboxes.",
                    can.unwrap_or_default()
                )
            }
            Answer::Nothing => {
                let again = application.level_once_on();
                if again < Level::Nothing {
                    format!(
                        "It holds a permission and reaches no mailbox now. As soon as somebody switches on what is off, it is {} again.",
                        again.word()
                    )
                } else {
                    "It holds a permission and reaches no mailbox.".to_owned()
                }
            }
            answer @ Answer::Unknown { .. } if answer.names_all() => format!(
                "It can {can}; it reaches {}. Whether that is everybody is not known: the list of mailboxes could not be read.",
                self.answer(answer)
            ),
            Answer::Unknown { .. } => {
                format!(
                    "Whether it can {can} is not known for all mailboxes: something could not be read."
                )
            }
            answer => {
                let most = if self.is_most(answer) {
                    " That is more than half of all mailboxes."
                } else {
                    ""
                };
                format!("It can {can}; it reaches {}.{most}", self.answer(answer))
            }
        }
    }

    /// Whether the answer is a limit that still leaves more than half of all mailboxes.
    pub fn is_most(&self, answer: &Answer) -> bool {
        let count = self.reach.count(answer.at_most());
        matches!(answer, Answer::ConfinedTo { .. })
            && count
                .mailboxes
                .zip(count.of)
                .is_some_and(|(some, all)| some > 1 && some > all / 2)
    }

    pub fn note(&self, note: &Note) -> String {
        match note {
            Note::Disabled => "It is switched off in Entra, so it reaches nothing now.".to_owned(),
            Note::EnabledNotTold => {
                "Entra does not say whether it is switched on; it is taken for on.".to_owned()
            }
            Note::FirstParty => {
                "Microsoft's own services can have access that no grant shows.".to_owned()
            }
            Note::NotAmongPrincipals => {
                "It holds something, and its service principal could not be read.".to_owned()
            }
            Note::WrongPointer { object } => format!(
                "Exchange points to another object ({object}) for it: roles assigned to that never work."
            ),
            Note::ScopeWithoutEffect { assignment } => format!(
                "“{assignment}” has a scope, and a grant in Entra leaves the same permission open: the scope has no effect. Remove the grant."
            ),
            Note::EwsOpensMore => {
                "Through EWS it reaches more than its other permissions are confined to.".to_owned()
            }
            Note::PowersOnceEnabled => {
                "It holds powers that count again as soon as somebody switches it on.".to_owned()
            }
            Note::PowerWithoutUse { value } => format!(
                "It holds {value}, and neither a role nor an object with which that would be of use."
            ),
            Note::ExchangeRoleWithoutUse { name } => format!(
                "It has “{name}” in Exchange, and no permission to connect to Exchange as itself."
            ),
            Note::NoBoundaryMoved { value } => format!(
                "It holds {value}. No policy and no scope here is built of what that changes; mail-enabled security groups cannot be changed with it."
            ),
            Note::Metadata { values } => format!(
                "With {} it may tell who wrote to whom, without reading mail.",
                values.join(", ")
            ),
            Note::Everybody { value } => format!(
                "{value} is confined, and for now that is everybody: what it is confined to holds every person's mailbox."
            ),
            Note::Grows { assignment } => {
                format!("What “{assignment}” reaches grows by itself: by a filter or a rule.")
            }
            Note::ScopeMatchesNobody {
                assignment,
                by_place: true,
            } => format!(
                "The filter of “{assignment}” matches nobody now. It names a group by its place in the directory, which changes when Microsoft moves the tenant."
            ),
            Note::ScopeMatchesNobody { assignment, .. } => {
                format!("The filter of “{assignment}” matches nobody now.")
            }
            Note::PolicyNamesObject { policy } => format!(
                "The policy {policy} was made with the object id of this application and not with its client id: it has no effect."
            ),
            Note::ByMailboxRights { value } => format!(
                "{value} reaches only the mailboxes on which Exchange gives this application rights."
            ),
            Note::NoPointer { value } => format!(
                "{value} reaches no mailbox: Exchange does not know this application, so nobody can have given it rights."
            ),
            Note::EwsOff => {
                "EWS is switched off for the organisation: the permission reaches nothing now, and comes alive again when somebody switches it on.".to_owned()
            }
            Note::EwsNotListed => {
                "EWS is on for listed applications, and this one is not among them: the permission comes alive again when somebody adds it.".to_owned()
            }
            Note::EwsListed => {
                "EWS is on for listed applications, and this one is among them.".to_owned()
            }
            Note::EwsListEmpty => {
                "EWS is on, and its list of applications is empty. Microsoft's documents differ on whether that lets in everybody or nobody: everybody is taken.".to_owned()
            }
            Note::EwsNotSet => {
                "Nobody has set the switch for EWS. From October 2026 on Microsoft switches EWS off in such tenants, one after the other: it is taken for on.".to_owned()
            }
            Note::Inherits { blueprint, value } => format!(
                "It inherits {value} from its blueprint ({blueprint}): whoever signs in as the blueprint can act as it."
            ),
            Note::OnlyRemovable { value } => {
                format!("{value} of Exchange Online cannot be confined, only removed.")
            }
        }
    }

    pub fn gaps(&self, application: &ApplicationReach) -> Vec<String> {
        let answers = application.permissions.iter().map(|one| &one.answer);
        let mut said = self.gaps_of(answers.chain([&application.others]));
        said.extend(self.gap_lines(&application.powers.gaps));
        said.sort_unstable();
        said.dedup();
        said
    }

    /// Why further applications, which are not listed, cannot be ruled out, and why powers of the
    /// listed ones cannot.
    pub fn unlisted(&self) -> Vec<String> {
        let hidden = self
            .reach
            .applications
            .iter()
            .flat_map(|one| &one.powers.gaps);
        let mut said = self.gap_lines(self.reach.powers_unseen.iter().chain(hidden));
        said.extend(self.gaps_of([&self.reach.unlisted]));
        said.sort_unstable();
        said.dedup();
        if said.is_empty() && self.reach.unlisted_level() != Level::Nothing {
            said.push("Something could not be read.".to_owned());
        }
        said
    }

    /// Why further applications with delegated grants cannot be ruled out.
    pub fn acts_as_unseen(&self) -> Vec<String> {
        self.gap_lines(&self.reach.delegated_unseen)
    }

    fn gap_lines<'r>(&self, gaps: impl IntoIterator<Item = &'r GapId>) -> Vec<String> {
        let found = gaps.into_iter().filter_map(|gap| self.reach.gap(*gap));
        let mut said: Vec<String> = found.map(|gap| self.gap(gap)).collect();
        said.sort_unstable();
        said.dedup();
        said
    }

    /// Why the answers are not certain.
    pub fn gaps_of<'r>(&self, answers: impl IntoIterator<Item = &'r Answer>) -> Vec<String> {
        let mut said: Vec<String> = answers
            .into_iter()
            .filter_map(|answer| match answer {
                Answer::Unknown { gaps, .. } => Some(gaps),
                _ => None,
            })
            .flatten()
            .filter_map(|gap| self.reach.gap(*gap))
            .map(|gap| self.gap(gap))
            .collect();
        said.sort_unstable();
        said.dedup();
        said
    }

    fn gap(&self, gap: &Gap) -> String {
        let what = match &gap.part {
            Part::Principals => "The list of applications".to_owned(),
            Part::Principal { object } => format!("The service principal {object}"),
            Part::Grants { resource } => format!("Who was granted what of {}", resource.name()),
            Part::AppRole { role, .. } => format!("What the app role {role} is"),
            Part::Policies => "The access policies".to_owned(),
            Part::Policy { .. } => "Whether a policy is in force".to_owned(),
            Part::PolicyScope { .. } => "What a policy is about".to_owned(),
            Part::Pointers | Part::Pointer { .. } => {
                "Exchange's pointers to service principals".to_owned()
            }
            Part::Assignments => "The Exchange role assignments".to_owned(),
            Part::Role { name } => format!("What the Exchange role “{name}” lets it do"),
            Part::Scopes => "The management scopes".to_owned(),
            Part::Scope { name } => format!("The management scope “{name}”"),
            Part::Filter { scope } => format!("Which mailboxes “{scope}” matches"),
            Part::AssignmentScope { text } => format!("What “{text}” narrows"),
            Part::Members { group } => format!("The members of {}", self.called(*group)),
            Part::Unit { object } => {
                format!(
                    "The members of the administrative unit {}",
                    self.called(*object)
                )
            }
            Part::Nested { group } => format!(
                "Whether members of groups in {} count, which Microsoft's documents and reports tell differently",
                self.called(*group)
            ),
            Part::Mailboxes => "The list of mailboxes".to_owned(),
            Part::Kinds => "Which mailboxes are those of groups".to_owned(),
            Part::Elsewhere { value } => {
                format!("What {value} reaches, which depends on settings of another service")
            }
            Part::MailboxRights => "Rights of applications on mailboxes".to_owned(),
            Part::SmtpRight => {
                "Whether one of the two rights on a mailbox is enough for SMTP".to_owned()
            }
            Part::Ews => "The organisation's switch for EWS".to_owned(),
            Part::DirectoryRoles => "The directory roles of applications".to_owned(),
            Part::RoleGroups => "The role groups of Exchange".to_owned(),
            Part::RoleGroup { name } => format!("The members of the role group “{name}”"),
            Part::Ownerships => "What applications own".to_owned(),
            Part::Others => {
                "Permissions on Purview, Defender and the audit feed, and keys of Exchange itself"
                    .to_owned()
            }
            Part::Inherited => "What agent identities inherit".to_owned(),
            Part::BlueprintPolicy { identity } => format!(
                "Whether {identity}, which names the blueprint, narrows its agent identities"
            ),
            Part::Delegated => "What applications do for whoever signs in".to_owned(),
            Part::Mailbox { object } => format!("The mailbox {}", self.called(*object)),
        };
        format!("{what}: {}", gap.why)
    }
}

/// The permissions that count: those that read content, or send mail.
fn counting(application: &ApplicationReach) -> impl Iterator<Item = &PermissionReach> {
    let all = application.permissions.iter();
    all.filter(|one| one.permission.weight().counts())
}

/// Example: “send mail, read mail and read calendars”. A text that repeats the one before it is
/// left out. None: the input is empty.
fn listed<'a>(can: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut can: Vec<&str> = can.collect();
    can.dedup();
    match can.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        [first @ .., last] => Some(format!("{} and {last}", first.join(", "))),
    }
}

/// The worst level of what the application's permissions reach.
fn worst_permission(application: &ApplicationReach) -> Level {
    counting(application)
        .map(|one| one.answer.level())
        .chain([application.others.level()])
        .min()
        .unwrap_or(Level::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_called_safe_that_is_not_known() {
        let reach = Reach {
            without_exchange: false,
            mailbox_count: Some(7),
            powers_unseen: Vec::new(),
            delegated_unseen: Vec::new(),
            stray_policies: Vec::new(),
            mailboxes: Vec::new(),
            sets: Vec::new(),
            policies: Vec::new(),
            assignments: Vec::new(),
            gaps: Vec::new(),
            applications: Vec::new(),
            unlisted: Answer::Nothing,
        };
        let names = Names::new();
        let words = Words {
            reach: &reach,
            names: &names,
        };
        let unknown = Answer::Unknown {
            at_least: Extent::Nothing,
            at_most: Extent::Everything,
            gaps: Vec::new(),
        };
        assert_eq!(words.answer(&unknown), "unknown: perhaps every mailbox (7)");
        assert_eq!(words.answer(&Answer::Unrestricted), "every mailbox (7)");
        assert_eq!(words.answer(&Answer::Nothing), "no mailbox");
    }

    fn empty(mailbox_count: u32) -> Reach {
        Reach {
            without_exchange: false,
            mailbox_count: Some(mailbox_count),
            powers_unseen: Vec::new(),
            delegated_unseen: Vec::new(),
            stray_policies: Vec::new(),
            mailboxes: Vec::new(),
            sets: Vec::new(),
            policies: Vec::new(),
            assignments: Vec::new(),
            gaps: Vec::new(),
            applications: Vec::new(),
            unlisted: Answer::Nothing,
        }
    }

    #[test]
    fn field_b05_the_switch_for_ews_has_five_sentences() {
        let (reach, names) = (empty(1), Names::new());
        let words = Words {
            reach: &reach,
            names: &names,
        };
        let said: std::collections::BTreeSet<String> = [
            Note::EwsOff,
            Note::EwsNotListed,
            Note::EwsListed,
            Note::EwsListEmpty,
            Note::EwsNotSet,
        ]
        .iter()
        .map(|note| words.note(note))
        .collect();
        assert_eq!(said.len(), 5);
        for one in said {
            assert!(one.contains("EWS"), "{one}");
        }
    }
}
