//! A setup starts only with the plan that was reviewed.
//!
//! The review's form carries what the review showed, and its digest. The start makes the plan
//! again, from the tenant as it is then. If the two differ, nothing starts, and the review is shown
//! again with the differences.

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

/// Maximum number of differences that are listed one by one. The review shows the full plan below
/// them.
const MOST_TOLD: usize = 12;

/// The result of the start button.
#[derive(Clone, Debug)]
pub enum Started {
    Setup(SetupId),
    /// Nothing was started, because the plan is not the one that was reviewed. `changed`: the
    /// differences for the next review, sealed.
    Changed {
        problem: Box<Problem>,
        changed: String,
    },
}

/// What the review shows. A start must find the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reviewed {
    pub plan: Plan,
    /// Notes beside the plan. They are approved with it.
    #[serde(default)]
    pub said: Vec<String>,
}

impl Reviewed {
    /// What the review's form carries: this as text, with its digest.
    pub fn shown(&self) -> Result<Shown, Failure> {
        let value = serde_json::to_value(self).map_err(no_json)?;
        Ok(Shown {
            digest: digest_of(&value),
            text: value.to_string(),
        })
    }

    /// The differences from what the form says was shown. None: there are none.
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

/// What the review's address carries after a start was refused.
#[derive(Serialize, Deserialize)]
struct Changed {
    /// Digest of the plan at the refused start.
    digest: String,
    what: Vec<String>,
}

impl Engine {
    /// The answer to a start whose plan has changed. `shown`: the plan as it is now. `what`: the
    /// differences.
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

    /// The differences that a refused start found, for the review after it. An address can contain
    /// anything, so only differences that Postern has sealed for this person and this customer are
    /// shown.
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
