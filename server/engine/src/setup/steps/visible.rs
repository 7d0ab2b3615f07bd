//! Step 2: Exchange and the directory both show the group.

use domain::plan::Group;

use super::super::work::{Outcome, Work};
use crate::{Failure, pace};

const USUALLY: &str = "a few minutes, on bad days hours";

pub(super) async fn run(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    let address = work.plan.group.address();
    let in_exchange = work.tenant.group(address.as_str()).await?;
    let Some(group) = work.saw("Group in Exchange", in_exchange) else {
        return Outcome::wait(
            "Exchange does not show the group yet.",
            pace::VISIBLE,
            USUALLY,
        );
    };
    let Some(object) = group.object else {
        return Outcome::wait(
            "Exchange shows the group without its object id.",
            pace::VISIBLE,
            USUALLY,
        );
    };
    if let Group::Existing {
        object: planned, ..
    } = &work.plan.group
        && object != *planned
    {
        return Outcome::wait(
            "Exchange shows another group under this address.",
            pace::VISIBLE,
            USUALLY,
        );
    }
    let in_directory = work.tenant.directory_group(object).await?;
    if work.saw("Group in the directory", in_directory).is_none() {
        return Outcome::wait(
            "Exchange shows the group, the directory does not yet.",
            pace::VISIBLE,
            USUALLY,
        );
    }
    Outcome::done("Exchange and the directory both show the group.")
}
