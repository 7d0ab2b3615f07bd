//! Whether an access policy can confine an application. The same rule serves every list that offers
//! a setup, the wizard, and a setup that begins.

use crate::{
    Problem,
    permission::Coverage,
    problem::Remedy,
    reach::{ApplicationReach, GrantFate, PermissionReach, Route},
};

/// Why an access policy cannot confine an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hurdle {
    /// The application has no grant in Entra that a policy could narrow.
    NothingGranted,
    /// These permissions would stay open, or may stay open.
    Beyond { values: Vec<String> },
}

impl Hurdle {
    /// The hurdle as a problem for a person. `name`: the application's name.
    pub fn problem(&self, name: &str) -> Problem {
        match self {
            Self::NothingGranted => Problem::input(
                "application",
                "This application holds no mailbox permission in this customer that a policy could narrow.",
                "Choose it from the customer's page.",
            ),
            Self::Beyond { values } => {
                let values = values.join(", ");
                Problem::new(
                    "readiness.beyond_policies",
                    Remedy::Act,
                    format!("{name} holds {values}, which no access policy governs."),
                    "With the policy in place it would go on to reach by that permission what it reaches now, or may reach.",
                    format!("Remove {values} from the application in Entra, then try again."),
                )
            }
        }
    }
}

/// The rule: a policy must be able to govern every granted permission that sends or reads mail and
/// would stay open beside it. Two kinds of permission are no hurdle: those that neither send nor
/// read mail, and those that reach only mailboxes on which Exchange gives rights. A person confirms
/// them.
fn hurdle<'a>(granted: impl Iterator<Item = (&'a str, Coverage)>) -> Option<Hurdle> {
    let mut any = false;
    let mut values: Vec<String> = Vec::new();
    for (value, coverage) in granted {
        any = true;
        if coverage == Coverage::Beyond && !values.iter().any(|one| one == value) {
            values.push(value.to_owned());
        }
    }
    match (any, values.is_empty()) {
        (false, _) => Some(Hurdle::NothingGranted),
        (true, false) => Some(Hurdle::Beyond { values }),
        (true, true) => None,
    }
}

/// Whether the permission would still send or read mail beside the policy, in whatever mailboxes.
fn stays_open(one: &PermissionReach) -> bool {
    let answer = one.once_enabled.as_ref().unwrap_or(&one.answer);
    one.permission.weight().touches_mail() && !answer.level().is_safe()
}

impl ApplicationReach {
    pub fn hurdle(&self) -> Option<Hurdle> {
        hurdle(self.granted().filter_map(|(one, fate)| {
            let coverage = match fate {
                GrantFate::NoPolicy | GrantFate::Narrowed | GrantFate::PoliciesNotRead => {
                    Coverage::Policy
                }
                GrantFate::NotGoverned if !stays_open(one) => return None,
                // An app role whose name is not known counts as not governed.
                GrantFate::NotGoverned | GrantFate::Unnamed => Coverage::Beyond,
            };
            Some((one.permission.value.as_ref(), coverage))
        }))
    }

    /// The granted permissions that no policy governs and that are no hurdle. They stay as they
    /// are, and a person has to confirm them.
    pub fn beside_policies(&self) -> impl Iterator<Item = &PermissionReach> {
        self.granted()
            .filter(|(one, fate)| *fate == GrantFate::NotGoverned && !stays_open(one))
            .map(|(one, _)| one)
    }

    fn granted(&self) -> impl Iterator<Item = (&PermissionReach, GrantFate)> {
        self.permissions.iter().flat_map(|one| {
            one.routes.iter().filter_map(move |route| match route {
                Route::Grant { fate, .. } => Some((one, *fate)),
                Route::Assignment { .. } | Route::Unseen { .. } => None,
            })
        })
    }

    /// Whether a setup can be offered for the application. A disabled application has nothing to
    /// confine, and neither has one that reads no content.
    pub fn can_be_confined(&self) -> bool {
        self.app_id.is_some()
            && self.enabled != Some(false)
            && !self.only_light()
            && self.hurdle().is_none()
    }
}

#[cfg(test)]
mod tests {
    use crate::reach::{ApplicationReach, Reading, samples};

    use super::*;

    fn first(sample: &samples::Sample) -> ApplicationReach {
        sample.reach().applications.remove(0)
    }

    #[test]
    fn a_policy_must_govern_all_that_was_granted() {
        let sends = samples::customer().graph("Mail.Send");
        let also_exports = samples::customer()
            .graph("Mail.Send")
            .graph("MailboxItem.Export.All");
        assert_eq!(first(&sends).hurdle(), None);
        assert!(first(&sends).can_be_confined());
        assert_eq!(
            first(&also_exports).hurdle(),
            Some(Hurdle::Beyond {
                values: vec!["MailboxItem.Export.All".to_owned()]
            })
        );
        assert!(!first(&also_exports).can_be_confined());
    }

    #[test]
    fn field_b18_imap_without_rights_on_mailboxes_keeps_nobody_from_confining() {
        let also_imap = samples::customer()
            .graph("Mail.Send")
            .exchange("IMAP.AccessAsApp");
        let found = first(&also_imap);
        assert_eq!(found.hurdle(), None);
        assert!(found.can_be_confined());
        let beside: Vec<String> = found
            .beside_policies()
            .map(|one| one.permission.name())
            .collect();
        assert_eq!(beside, ["IMAP.AccessAsApp"]);
        // Rights that could not be read may be rights on every mailbox.
        let mut unread = also_imap.pointer(samples::APP, samples::CLIENT, "x");
        unread.0.rights.mailbox_rights = Reading::Failed {
            reason: "time-out".to_owned(),
        };
        assert!(matches!(
            first(&unread).hurdle(),
            Some(Hurdle::Beyond { .. })
        ));
    }

    #[test]
    fn reach_m04_what_reads_no_content_is_no_hurdle_and_no_reason_for_a_setup() {
        let tips = || samples::customer().graph("MailTips.ReadBasic.All");
        let also_sends = first(&tips().graph("Mail.Send"));
        assert!(also_sends.can_be_confined());
        assert_eq!(also_sends.beside_policies().count(), 1);
        assert!(!first(&tips()).can_be_confined());
    }

    #[test]
    fn whatever_policies_there_are_it_can_be_confined_as_well() {
        let sends = || samples::customer().graph("Mail.Send");
        let denied = sends().deny(samples::BOARD);
        let confined = sends().restrict(samples::BOARD);
        let mut unread = sends();
        unread.0.policies = Reading::Failed {
            reason: "time-out".to_owned(),
        };
        for sample in [denied, confined, unread] {
            assert!(first(&sample).can_be_confined(), "{sample:?}");
        }
    }

    #[test]
    fn what_is_off_or_holds_nothing_in_entra_has_nothing_to_confine() {
        let off = samples::customer()
            .graph("Mail.Send")
            .principal(|principal| principal.enabled = Some(false));
        assert!(!first(&off).can_be_confined());
    }
}
