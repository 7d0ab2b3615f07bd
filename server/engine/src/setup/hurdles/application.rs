//! Checks the application's permissions, and the policies and Exchange roles about it.

use std::collections::BTreeSet;

use domain::{
    address::MailAddress,
    application::{AccessPolicy, AccessRight},
    confine::Hurdle,
    plan::{Group, marker},
    reach::{
        ApplicationReach, AssignmentNode, AssignmentScope, Extent, Judge, PartRead, PartResult,
        Reach, Route, ScanPart,
    },
};
use microsoft::{exchange::TestAnswer, scan::Scan};

use super::{Look, Looked};
use crate::{
    scan::Words,
    setup::{
        effects::{self, is_governed},
        open::{decides, open},
    },
};

impl Look<'_> {
    pub(super) async fn application(&mut self) -> Looked {
        let object = self.plan.application.object;
        let scan = match self.scan.take() {
            Some(scan) => scan,
            None => self.tenant.scan_application(object).await,
        };
        if let Some(call) = &scan.policies_call {
            let policies = call.evidence("Access policies", false);
            self.found.evidence.push(policies);
        }
        let read = reading(&scan, self.now);
        self.found.evidence.push(read);
        self.unread_parts(&scan.parts);
        let reach = Judge::new(&scan.seen).reach();
        let found = reach.application(object);
        self.grants(&scan, found);
        self.found.effects = Some(effects::held(&scan, found, self.now));
        if let Some(found) = found {
            self.roles(&scan, &reach, found);
            let words = Words {
                reach: &reach,
                names: &scan.names,
            };
            self.found.beside = words.beside_policy(found);
        }
        self.found.open = open(&scan, self.plan.application.object, self.name());
        // Policies that could not be read are reported already.
        let Ok(policies) = scan.seen.policies.get() else {
            return Ok(());
        };
        self.policies(policies).await
    }

    /// Reports the unread parts that decide what a policy leaves: without them there is no plan.
    /// All other unread parts are listed in what stays open.
    fn unread_parts(&mut self, parts: &[PartRead]) {
        for part in parts.iter().filter(|part| decides(part.part)) {
            let problem = match &part.result {
                // A policy cannot be made without Exchange.
                PartResult::Unread { problem, .. } if part.part == ScanPart::Policies => {
                    Some(&**problem)
                }
                _ => part.problem(),
            };
            self.found.unread.extend(problem.cloned());
        }
    }

    fn grants(&mut self, scan: &Scan, found: Option<&ApplicationReach>) {
        // Only if all grants were read is a missing application really gone.
        let all_read = scan.seen.grants_are_read();
        let gone = match found.map(ApplicationReach::hurdle) {
            None | Some(Some(Hurdle::NothingGranted)) => all_read,
            Some(Some(hurdle)) => {
                let problem = hurdle.problem(self.name());
                self.found.hurdles.push(problem);
                false
            }
            Some(None) => false,
        };
        if gone {
            self.hurdle(
                "application_gone",
                format!(
                    "{} no longer holds a mailbox permission here that a policy governs.",
                    self.name()
                ),
                "There is nothing to confine: somebody removed the permission or the application.",
                "Do not go on with this setup.",
            );
        }
        let opened: Vec<String> = found
            .into_iter()
            .flat_map(|found| &found.permissions)
            .filter(|one| one.routes.iter().any(is_governed))
            .map(|one| one.permission.value.to_string())
            .collect();
        if opened.len() > 1 {
            let said = format!(
                "Whoever is in the group is open to {} for all that it holds and policies govern: {}.",
                self.name(),
                opened.join(", ")
            );
            self.found.said.push(said);
        }
    }

    /// Checks the application's Exchange roles, which add to what a policy permits. A role that
    /// reaches only permitted senders is no hurdle, and it may even be what opens them
    /// (MICROSOFT.md §3.9).
    fn roles(&mut self, scan: &Scan, reach: &Reach, found: &ApplicationReach) {
        let routes = found.permissions.iter().flat_map(|one| &one.routes);
        let positions: BTreeSet<u32> = routes
            .filter_map(|route| match route {
                Route::Assignment { assignment, .. } => Some(*assignment),
                _ => None,
            })
            .collect();
        for position in positions {
            let Some(node) = reach.assignments.get(position as usize) else {
                continue;
            };
            if !node.enabled {
                continue;
            }
            let role = format!(
                "the Exchange role “{}” (assignment {}, {})",
                node.role,
                node.name,
                limits(scan, node)
            );
            let within = match node.covers.at_most() {
                Extent::Nothing => true,
                Extent::Only { mailboxes } => {
                    reach.members(mailboxes).all(|one| self.is_sender(one))
                }
                Extent::Everything | Extent::AllExcept { .. } => false,
            };
            if within {
                let said = format!(
                    "{} also holds {role}. It reaches none but permitted senders now, and stays as it is.",
                    self.name()
                );
                self.found.said.push(said);
            } else {
                self.hurdle(
                    "exchange_role",
                    format!("{} also holds {role}.", self.name()),
                    "Exchange roles add to what an access policy leaves: by this one it would reach, or may reach, others than the permitted senders.",
                    format!(
                        "Limit the role assignment {} in Exchange to the permitted senders, or remove it; then try again.",
                        node.name
                    ),
                );
            }
        }
    }

    async fn policies(&mut self, policies: &[AccessPolicy]) -> Looked {
        let app_id = self.plan.application.app_id;
        let about_it = |right: AccessRight| {
            policies.iter().filter(move |policy| {
                policy.right == right && policy.app_id.is_none_or(|one| one == app_id)
            })
        };
        let own = self.setup.map(marker);
        let object = match &self.plan.group {
            Group::Existing { object, .. } => Some(*object),
            Group::New { .. } => None,
        };
        let others: Vec<&AccessPolicy> = about_it(AccessRight::RestrictAccess)
            .filter(|policy| {
                let ours = own
                    .as_ref()
                    .is_some_and(|marker| policy.description.starts_with(marker));
                !ours && (object.is_none() || policy.scope_object != object)
            })
            .collect();
        self.other_policies(&others);
        let denies: Vec<&AccessPolicy> = about_it(AccessRight::DenyAccess).collect();
        self.found.other_policy = !others.is_empty() || !denies.is_empty();
        if denies.is_empty() {
            return Ok(());
        }
        self.denied_senders(&denies).await?;
        // A policy that restricts the application refuses all other mailboxes already, whatever the
        // denying policies say.
        if about_it(AccessRight::RestrictAccess).next().is_none() {
            self.already_refused(&denies).await?;
        }
        Ok(())
    }

    /// Reports the policies that let the application act for other mailboxes, all by name. A policy
    /// for all applications must not be removed because of one of them.
    fn other_policies(&mut self, others: &[&AccessPolicy]) {
        if others.is_empty() {
            return;
        }
        let (for_all, own): (Vec<&&AccessPolicy>, Vec<&&AccessPolicy>) =
            others.iter().partition(|policy| policy.app_id.is_none());
        let scopes = |list: &[&&AccessPolicy]| {
            let names: Vec<&str> = list.iter().map(|one| one.scope_name.as_str()).collect();
            names.join(", ")
        };
        let mut happened = Vec::new();
        let mut todo = Vec::new();
        if !own.is_empty() {
            let (what, that) = if own.len() == 1 {
                ("Another access policy already lets", "that policy")
            } else {
                ("Other access policies already let", "those policies")
            };
            happened.push(format!(
                "{what} {} act for the members of {}.",
                self.name(),
                scopes(&own)
            ));
            todo.push(format!(
                "Use that group for this setup, if it holds exactly the permitted senders. Or remove {that} of {} in Exchange: without one it can act for everybody until the new policy is enforced, which takes hours.",
                self.name()
            ));
        }
        if !for_all.is_empty() {
            happened.push(format!(
                "A policy for all applications (AppId *) lets every application act for the members of {}.",
                scopes(&for_all)
            ));
            todo.push(
                "Leave the policy for all applications: if it were removed, every other application that only it confines could act for everybody. Use its group for this setup, if it holds exactly the permitted senders; else ask whoever made it for policies of single applications in its place.".to_owned(),
            );
        }
        self.hurdle(
            "other_policy",
            happened.join(" "),
            "Such policies add up with the new one, so those mailboxes would stay open to the application too.",
            format!("{} Then try again.", todo.join(" ")),
        );
    }

    /// Reports senders that a policy denies. Exchange asks a denying policy before all others, so
    /// such a sender would always be refused.
    async fn denied_senders(&mut self, denies: &[&AccessPolicy]) -> Looked {
        let addresses: Vec<MailAddress> = self
            .plan
            .senders
            .iter()
            .map(|sender| sender.address.clone())
            .collect();
        let answers = self
            .answers("Test for the permitted senders", &addresses)
            .await?;
        let denied: Vec<&str> = addresses
            .iter()
            .zip(&answers)
            .filter(|(_, answer)| **answer == Some(TestAnswer::Denied))
            .map(|(address, _)| address.as_str())
            .collect();
        if !denied.is_empty() {
            self.hurdle(
                "sender_denied",
                format!(
                    "Exchange's test already refuses {} to {}: {}.",
                    denied.join(", "),
                    self.name(),
                    told(denies)
                ),
                "What one policy denies no other policy gives back, so the application could never send as such a mailbox.",
                "Start a setup with other senders, in place of this one; or have the denied senders taken out of that group by whoever answers for that policy, then try again.",
            );
        }
        Ok(())
    }

    /// Reports mailboxes that a policy denies already. If every mailbox that must be refused is
    /// refused before the setup, neither Exchange's test nor real mail says anything about the new
    /// policy.
    async fn already_refused(&mut self, denies: &[&AccessPolicy]) -> Looked {
        let addresses: Vec<MailAddress> = self
            .plan
            .refused
            .iter()
            .map(|mailbox| mailbox.address.clone())
            .collect();
        let answers = self
            .answers("Test for the mailboxes that must be refused", &addresses)
            .await?;
        if answers
            .iter()
            .any(|answer| *answer != Some(TestAnswer::Denied))
        {
            return Ok(());
        }
        self.hurdle(
            "refused_already",
            format!(
                "Every mailbox that must be refused is refused already: {}.",
                told(denies)
            ),
            "Neither Exchange's test nor real mail could show that the new policy holds.",
            "Start a setup with a mailbox that must be refused and is not a member there, in place of this one.",
        );
        Ok(())
    }

    async fn answers(
        &mut self,
        title: &str,
        addresses: &[MailAddress],
    ) -> Result<Vec<Option<TestAnswer>>, microsoft::Error> {
        let app_id = self.plan.application.app_id;
        let call = self.tenant.test_policies(app_id, addresses).await?;
        Ok(self.saw(title, call))
    }
}

/// Example: “an access policy denies the members of A to it, and another to all applications those
/// of B”.
fn told(denies: &[&AccessPolicy]) -> String {
    let one = |policy: &&AccessPolicy| match policy.app_id {
        Some(_) => format!(
            "an access policy denies it the members of {}",
            policy.scope_name
        ),
        None => format!(
            "a policy for all applications (AppId *) denies the members of {}",
            policy.scope_name
        ),
    };
    denies.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn limits(scan: &Scan, node: &AssignmentNode) -> String {
    if node.exclusive {
        return "with an exclusive scope, which limits no application".to_owned();
    }
    match &node.scope {
        AssignmentScope::Organisation => "for the whole organisation".to_owned(),
        AssignmentScope::Custom { name } => format!("limited to the scope {name}"),
        AssignmentScope::Group { name, .. } => format!("limited to the group {name}"),
        AssignmentScope::Unit { object } => {
            let name = scan.names.get(object).cloned();
            let name = name.unwrap_or_else(|| object.to_string());
            format!("limited to the administrative unit {name}")
        }
        AssignmentScope::Other { text } => format!("limited in a way that Exchange calls {text}"),
    }
}

/// The scan as evidence: its parts, each with its result.
fn reading(scan: &Scan, now: domain::Timestamp) -> domain::step::Evidence {
    let line = |part: &PartRead| {
        let result = match &part.result {
            PartResult::Read { count } => format!("{count} read"),
            PartResult::Unread { why, .. } => format!("not read, {why}"),
        };
        format!("{}: {result}", part.part.words())
    };
    let took = scan.parts.iter().map(|part| part.took_millis).max();
    domain::step::Evidence {
        at: now,
        title: "What the application holds".to_owned(),
        sent: format!("{} reads of Graph and Exchange", scan.calls),
        answer: scan.parts.iter().map(line).collect::<Vec<_>>().join("\n"),
        request_id: None,
        took_millis: took.unwrap_or_default(),
        change: false,
    }
}
