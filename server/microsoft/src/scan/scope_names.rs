//! Finds the group that a role assignment means: Exchange gives only a name (MICROSOFT.md §3.2).
//!
//! `Get-Group` does not return the object in Entra, `Get-Recipient` does (§2.5). The name is the
//! group's, or that of an automatic scope, `<name>_<GUID>`. When several groups have the same name,
//! the meant group is unknown.

use domain::{cmdlet::Cmdlet, id::ObjectId};
use uuid::Uuid;

use crate::{customer::Customer, error::Result, exchange::Row};

const CALLED: &[&str] = &[
    "Name",
    "Identity",
    "DisplayName",
    "DistinguishedName",
    "Guid",
    "PrimarySmtpAddress",
    "ExternalDirectoryObjectId",
];

/// The kinds to request: Microsoft 365 groups are returned only when their kind is requested
/// (§2.5).
const KINDS: [&str; 4] = [
    "DynamicDistributionGroup",
    "GroupMailbox",
    "MailUniversalDistributionGroup",
    "MailUniversalSecurityGroup",
];

/// The group of each name. None where there is none, or where there are several.
pub(super) async fn objects(
    customer: &Customer,
    names: &[&str],
) -> Result<Vec<Result<Option<ObjectId>>>> {
    let by_name: Vec<Cmdlet> = names.iter().map(|name| filtered(name)).collect();
    let first = customer.outcome_of_each(&by_name, CALLED).await?.value;
    let mut found: Vec<Result<Found>> = names
        .iter()
        .zip(first)
        .map(|(name, outcome)| outcome.map(|rows| one(rows, name, &["Name"])))
        .collect();
    // A text that is no group's name may be another identity of the group, or an automatic scope.
    let open: Vec<usize> = (0..names.len())
        .filter(|place| matches!(found.get(*place), Some(Ok(Found::Nothing))))
        .collect();
    let mut second = Vec::new();
    for name in open.iter().filter_map(|place| names.get(*place)) {
        second.push(
            Cmdlet::new("Get-Recipient")
                .with("Identity", *name)
                .with("RecipientTypeDetails", KINDS.map(str::to_owned).to_vec()),
        );
        if let Some((stem, _)) = automatic(name) {
            second.push(filtered(stem));
        }
    }
    let mut answers = customer
        .outcome_of_each(&second, CALLED)
        .await?
        .value
        .into_iter();
    for place in open {
        let (Some(name), Some(found)) = (names.get(place), found.get_mut(place)) else {
            continue;
        };
        let by_identity = answers
            .next()
            .unwrap_or(Ok(None))
            .map(|rows| one(rows, name, CALLED));
        let by_stem = automatic(name).map(|(stem, id)| {
            let rows = answers.next().unwrap_or(Ok(None));
            rows.map(|rows| of_automatic(rows, stem, id))
        });
        *found = match (by_identity, by_stem) {
            (Ok(Found::Nothing), Some(by_stem)) => by_stem,
            (by_identity, _) => by_identity,
        };
    }
    Ok(found
        .into_iter()
        .map(|found| {
            found.map(|found| match found {
                Found::Group(object) => Some(object),
                Found::Nothing | Found::Unclear => None,
            })
        })
        .collect())
}

enum Found {
    Group(ObjectId),
    Nothing,
    /// Several groups match, or the group has no object in Entra yet.
    Unclear,
}

fn filtered(name: &str) -> Cmdlet {
    let quoted = name.replace('\'', "''");
    Cmdlet::new("Get-Recipient")
        .with("Filter", format!("Name -eq '{quoted}'"))
        .with("RecipientTypeDetails", KINDS.map(str::to_owned).to_vec())
        .with("ResultSize", "Unlimited")
}

/// The only row with this name. For an identity that it cannot use, Exchange returns other objects
/// (§2).
fn one(rows: Option<Vec<Row>>, name: &str, called: &[&str]) -> Found {
    let rows = rows.unwrap_or_default();
    let fitting: Vec<&Row> = rows.iter().filter(|row| row.is(name, called)).collect();
    only(&fitting)
}

fn only(rows: &[&Row]) -> Found {
    match rows {
        [] => Found::Nothing,
        [row] => row
            .id("ExternalDirectoryObjectId")
            .map_or(Found::Unclear, |object| Found::Group(ObjectId(object))),
        _ => Found::Unclear,
    }
}

/// Splits the name of an automatic scope into the group's name and the id.
fn automatic(name: &str) -> Option<(&str, Uuid)> {
    let (stem, id) = name.rsplit_once('_')?;
    let id = Uuid::try_parse(id).ok()?;
    (!stem.trim().is_empty()).then_some((stem, id))
}

/// The group of an automatic scope: the group whose id is in the name, if a group has that id,
/// otherwise the only group with that name.
fn of_automatic(rows: Option<Vec<Row>>, stem: &str, id: Uuid) -> Found {
    let rows = rows.unwrap_or_default();
    let named: Vec<&Row> = rows.iter().filter(|row| row.is(stem, &["Name"])).collect();
    let meant: Vec<&Row> = named
        .iter()
        .copied()
        .filter(|row| row.id("Guid") == Some(id) || row.id("ExternalDirectoryObjectId") == Some(id))
        .collect();
    if meant.is_empty() {
        only(&named)
    } else {
        only(&meant)
    }
}
