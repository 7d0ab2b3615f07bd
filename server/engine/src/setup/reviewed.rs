//! What starts is what was reviewed.
//!
//! The review's form carries what the review showed, with its digest. The start makes the plan anew,
//! from the tenant as it is then. Where the two differ nothing starts, and the review is shown again
//! with what is different.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Problem,
    id::{CustomerId, SetupId},
    person::Operator,
    plan::{Plan, compared::differences},
    problem::Remedy,
    view::Shown,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use store::{KeyUse, Place, digest_of};

use crate::{Engine, Failure};

/// Differences that are told one by one; the review shows the plan in full below them.
const MOST_TOLD: usize = 12;

/// What came of pressing the button.
#[derive(Clone, Debug)]
pub enum Started {
    Setup(SetupId),
    /// Nothing was started: the plan is not the one that was reviewed. `changed` tells the review
    /// what is different.
    Changed {
        problem: Box<Problem>,
        changed: String,
    },
}

/// What a review shows and a start is held to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reviewed {
    pub plan: Plan,
    /// What is said beside the plan, and approved with it.
    #[serde(default)]
    pub said: Vec<String>,
}

impl Reviewed {
    /// For the form.
    pub fn shown(&self) -> Result<Shown, Failure> {
        let value = serde_json::to_value(self).map_err(no_json)?;
        Ok(Shown {
            digest: digest_of(&value),
            text: value.to_string(),
        })
    }

    /// What is different from what a form says was shown; none: nothing.
    pub fn differs(&self, shown: &Shown) -> Result<Option<Vec<String>>, Failure> {
        let now = self.shown()?;
        if shown.digest == now.digest {
            return Ok(None);
        }
        let before = serde_json::from_str::<serde_json::Value>(&shown.text).ok();
        let before = before
            .filter(|value| digest_of(value) == shown.digest)
            .and_then(|value| serde_json::from_value::<Self>(value).ok());
        let mut found = match before {
            Some(before) => self.compared(&before),
            None => vec![
                "The form did not say which plan was reviewed, so Postern cannot say what is different. Look through all of it.".to_owned(),
            ],
        };
        if found.len() > MOST_TOLD {
            let more = found.len() - MOST_TOLD;
            found.truncate(MOST_TOLD);
            found.push(format!("And {more} more. Look through all of it."));
        }
        Ok(Some(found))
    }

    fn compared(&self, before: &Self) -> Vec<String> {
        let mut found = differences(&before.plan, &self.plan);
        let said = |text: &str, these: &[String], there: &[String]| -> Vec<String> {
            let new = these.iter().filter(|one| !there.contains(one));
            new.map(|one| format!("{text} {one}")).collect()
        };
        found.extend(said("Said now, and not before:", &self.said, &before.said));
        found.extend(said("Said before, and not now:", &before.said, &self.said));
        if found.is_empty() {
            found.push("What is said of the plan comes in another order now.".to_owned());
        }
        found
    }
}

/// What the address of the review carries after a start that was refused.
#[derive(Serialize, Deserialize)]
struct Changed {
    /// Of the plan as it was then.
    digest: String,
    what: Vec<String>,
}

impl Engine {
    /// Refuses a start. `shown`: the plan as it is now.
    pub(crate) fn changed(
        &self,
        operator: &Operator,
        customer: CustomerId,
        shown: &Shown,
        what: Vec<String>,
    ) -> Result<Started, Failure> {
        let problem = Box::new(not_the_reviewed(&what));
        let changed = Changed {
            digest: shown.digest.clone(),
            what,
        };
        let text = serde_json::to_string(&changed).map_err(no_json)?;
        let row = row(operator, customer);
        let sealed = self
            .store()
            .vault()
            .seal(place(operator, &row), &SecretString::from(text))?;
        Ok(Started::Changed {
            problem,
            changed: URL_SAFE_NO_PAD.encode(sealed),
        })
    }

    /// What a refused start had found, for the review that follows it. An address can say anything:
    /// only what Postern sealed for this person and this customer is told.
    pub(crate) fn what_changed(
        &self,
        operator: &Operator,
        customer: CustomerId,
        changed: &str,
        shown: &Shown,
    ) -> Vec<String> {
        let open = || {
            let sealed = URL_SAFE_NO_PAD.decode(changed).ok()?;
            let row = row(operator, customer);
            let place = place(operator, &row);
            let text = self.store().vault().open(place, &sealed).ok()?;
            serde_json::from_str::<Changed>(text.expose_secret()).ok()
        };
        let Some(found) = (!changed.is_empty()).then(open).flatten() else {
            return Vec::new();
        };
        let mut what = found.what;
        if found.digest != shown.digest {
            what.push(
                "And it is different again since then: what stands below is how it is now."
                    .to_owned(),
            );
        }
        what
    }
}

fn no_json(error: serde_json::Error) -> store::Error {
    store::Error::Corrupt {
        what: format!("a plan cannot be written as JSON: {error}"),
    }
}

fn row(operator: &Operator, customer: CustomerId) -> Vec<u8> {
    [*operator.id.0.as_bytes(), *customer.0.as_bytes()].concat()
}

fn place<'a>(operator: &Operator, row: &'a [u8]) -> Place<'a> {
    Place {
        key_use: KeyUse::Forms,
        table: "review",
        column: "changed",
        partner: Some(operator.partner),
        row,
    }
}

fn not_the_reviewed(what: &[String]) -> Problem {
    Problem::new(
        "setup.not_the_reviewed",
        Remedy::Act,
        format!(
            "The plan is not the one that was reviewed. {}",
            what.join(" ")
        ),
        "A setup does what was reviewed and nothing else, so nothing was started.",
        "Look through the plan as it is now, and start it if it still is what you want.",
    )
}

#[cfg(test)]
#[path = "reviewed_tests.rs"]
mod tests;
