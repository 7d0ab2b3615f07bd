//! Other setups of the customer that name the same group.

use domain::{
    id::{AppId, SetupId},
    setup::{Intent, SetupState, derive},
    step::{Stands, StepKind},
};
use store::CustomerAccess;

use super::claim::{Claim, Way};
use crate::{Engine, Failure};

/// Another setup that uses the same group.
#[derive(Clone, Debug)]
pub(crate) struct Sibling {
    pub id: SetupId,
    pub app_id: AppId,
    /// The setup's name, worded for the end of a sentence.
    pub name: String,
    /// The setup is not rolled back: its policy uses the group, or is going to.
    pub stands: bool,
}

impl Engine {
    /// Other setups of the customer with the same group, where the step removes something. Empty on
    /// the way forward.
    pub(super) async fn siblings(
        &self,
        access: &CustomerAccess,
        claim: &Claim,
    ) -> Result<Vec<Sibling>, Failure> {
        let removes = matches!(claim.step.kind, StepKind::Group | StepKind::Policy);
        if claim.way != Way::Undo || !removes {
            return Ok(Vec::new());
        }
        let mut tx = self.store().begin(access.partner()).await?;
        let mut found = Vec::new();
        for row in tx.setups_of_customer(access).await? {
            if row.id == claim.record.id {
                continue;
            }
            let Some(other) = tx.setup(access, row.id).await? else {
                continue;
            };
            if other.plan.group.address() != claim.record.plan.group.address() {
                continue;
            }
            let policy = other
                .steps
                .iter()
                .find(|step| step.kind == StepKind::Policy);
            let has_policy = policy.is_some_and(|step| step.stands() != Stands::No);
            let state = derive(other.intent, &other.steps);
            let stands = other.intent != Intent::RollBack
                && (has_policy || (state.is_active() && state != SetupState::RollingBack));
            found.push(Sibling {
                id: other.id,
                app_id: other.plan.application.app_id,
                name: format!(
                    "the setup for {} that {} started",
                    other.plan.application.name, other.started_by_name
                ),
                stands,
            });
        }
        tx.commit().await?;
        Ok(found)
    }
}
