//! Step 2: Exchange and the directory both show the group.

use super::super::{
    look::{self, Held},
    work::{Outcome, Work},
};
use crate::{Failure, pace};

const USUALLY: &str = "a few minutes, on bad days hours";

pub(super) async fn run(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    let object = match look::held(work, "Group in Exchange").await? {
        Held::There(group) => group.object,
        Held::Hidden => None,
        Held::Another(problem) => return Ok(Outcome::Failed(problem)),
    };
    let Some(object) = object else {
        return Outcome::wait(
            "Exchange does not show the group with its object id yet.",
            pace::VISIBLE,
            USUALLY,
        );
    };
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
