//! App roles of resources other than Graph and Exchange that reach mail, and keys that somebody
//! added to Exchange's own service principal (MICROSOFT.md §10.2, §10.6).

use domain::{
    Timestamp,
    permission::other::{OtherResource, other},
    reach::{Other, OtherHeld},
};

use super::{
    first,
    grants::{Held, held},
    log::{Log, Running},
    principals,
};
use crate::{customer::Customer, error::Result, graph::batch::Answered};

pub(super) async fn read(
    log: &Log<'_>,
    running: Running,
    answers: Vec<(OtherResource, first::Grants)>,
    exchange: Answered,
) -> Result<Vec<OtherHeld>> {
    let now = running.customer.microsoft.clock().now();
    let found = list(&running.customer, answers, exchange, now).await;
    log.end(&running, found.as_ref().map(Vec::len).map_err(Clone::clone));
    found
}

async fn list(
    customer: &Customer,
    answers: Vec<(OtherResource, first::Grants)>,
    exchange: Answered,
    now: Timestamp,
) -> Result<Vec<OtherHeld>> {
    let mut found = Vec::new();
    for (resource, grants) in answers {
        found.extend(roles(customer, resource, grants).await?);
    }
    if let Some(body) = exchange? {
        let (principal, credentials) = principals::credentials(body)?;
        // A credential without an end date may work for ever.
        let works = |ends: Option<Timestamp>| ends.is_none_or(|ends| ends > now);
        let count = credentials.iter().filter(|one| works(one.ends_at)).count();
        if let Some(count) = u32::try_from(count).ok().filter(|count| *count > 0) {
            found.push(OtherHeld {
                principal,
                what: Other::Keys { count },
            });
        }
    }
    Ok(found)
}

/// Who holds which roles of one resource. Empty where the tenant does not have the resource.
async fn roles(
    customer: &Customer,
    resource: OtherResource,
    answers: first::Grants,
) -> Result<Vec<OtherHeld>> {
    let Some(Held { principal, rows }) = held(customer, resource.name(), answers).await? else {
        return Ok(Vec::new());
    };
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let role = row.app_role_id;
            let value = Held::value(&principal, role);
            other(resource, role, value.map(String::as_str))?;
            Some(OtherHeld {
                principal: row.principal_id,
                what: Other::Role {
                    resource,
                    role,
                    value: value.cloned(),
                },
            })
        })
        .collect())
}
