//! Whether an access policy can confine an application: one rule for every list that offers it,
//! for the wizard and for a setup that begins.

use crate::{
    Problem,
    permission::Coverage,
    problem::Remedy,
    reach::{ApplicationReach, GrantFate, Route},
};

/// Why a policy cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hurdle {
    /// Nothing was granted in Entra that a policy could narrow.
    NothingGranted,
    /// These would still reach every mailbox.
    Beyond { values: Vec<String> },
}

impl Hurdle {
    /// The hurdle as a person is told of it, about the application of this name.
    pub fn problem(&self, name: &str) -> Problem {
        match self {
            Self::NothingGranted => Problem::input(
                "application",
                "This application holds no mailbox permission in this customer.",
                "Choose it from the customer's page.",
            ),
            Self::Beyond { values } => {
                let values = values.join(", ");
                Problem::new(
                    "readiness.beyond_policies",
                    Remedy::Act,
                    format!("{name} holds {values}, which no access policy governs."),
                    "With the policy in place it would still reach every mailbox by that permission.",
                    format!("Remove {values} from the application in Entra, then try again."),
                )
            }
        }
    }
}

/// The rule: a policy must be able to govern every mailbox permission that was granted.
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

impl ApplicationReach {
    pub fn hurdle(&self) -> Option<Hurdle> {
        hurdle(self.permissions.iter().flat_map(|one| {
            one.routes.iter().filter_map(|route| {
                let Route::Grant { fate, .. } = route else {
                    return None;
                };
                let coverage = match fate {
                    GrantFate::NoPolicy | GrantFate::Narrowed | GrantFate::PoliciesNotRead => {
                        Coverage::Policy
                    }
                    // What nobody has named, no policy is known to govern.
                    GrantFate::NotGoverned | GrantFate::Unnamed => Coverage::Beyond,
                };
                Some((one.permission.value.as_ref(), coverage))
            })
        }))
    }

    /// Whether a setup can be offered for it. One that is switched off has nothing to confine.
    pub fn can_be_confined(&self) -> bool {
        self.app_id.is_some() && self.enabled != Some(false) && self.hurdle().is_none()
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
        let also_imap = samples::customer()
            .graph("Mail.Send")
            .exchange("IMAP.AccessAsApp");
        assert_eq!(first(&sends).hurdle(), None);
        assert!(first(&sends).can_be_confined());
        assert_eq!(
            first(&also_imap).hurdle(),
            Some(Hurdle::Beyond {
                values: vec!["IMAP.AccessAsApp".to_owned()]
            })
        );
        assert!(!first(&also_imap).can_be_confined());
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
