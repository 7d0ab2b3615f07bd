//! Reads a customer's page: its applications by reach, from the last scan.

use domain::{
    Problem,
    exposure::{
        ActsAsLine, ApplicationLine, By, ExposureQuery, ExposureRow, Held, Naming, PolicyLine,
        ReachView,
    },
    id::{AppId, CustomerId},
    person::{Operator, Right},
    reach::{ApplicationReach, GrantFate, Level, PermissionReach, PolicyNode, Reach, Route},
    view::SetupRow,
};
use store::StoredReach;

use super::{
    application::{name_of, owner},
    exposure::{DAYS, current},
    power_words::acts_as,
    strays::strays,
    words::Words,
};
use crate::{Answer, Engine, Failure, customers::head};

impl Engine {
    /// The applications of a customer, the worst reach first, with what the last scan found of
    /// each.
    pub async fn customer_reach(
        &self,
        operator: &Operator,
        customer: CustomerId,
        query: &ExposureQuery,
    ) -> Answer<ReachView> {
        let query = ExposureQuery {
            by: By::Each,
            customer: Some(customer),
            ..query.clone()
        };
        let now = self.now();
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            let connection = tx.connection(&access).await?;
            let state = tx.scan_state(&access, now).await?;
            let (tally, permissions) = tx.customer_totals(&access).await?;
            let found = tx.exposure(&query).await?;
            let known = tx.reach(&access).await?;
            let setups = tx.setups_of_customer(&access).await?;
            let days = tx.reach_days(Some(&access), DAYS).await?;
            tx.commit().await?;
            let rows = current(found.rows, now)
                .map(|row| line(row, known.as_ref(), &setups, &access))
                .collect();
            let words = known.as_ref().map(|known| Words {
                reach: &known.reach,
                names: &known.names,
            });
            Ok::<_, Failure>(ReachView {
                head: head(&access),
                health: connection.health,
                state,
                tally,
                rows,
                matching: found.matching,
                page: found.page,
                pages: found.pages,
                days,
                permissions,
                acts_as: known
                    .as_ref()
                    .map(|known| acting(&known.reach))
                    .unwrap_or_default(),
                acts_as_unseen: words
                    .as_ref()
                    .map(Words::acts_as_unseen)
                    .unwrap_or_default(),
                unlisted: words.as_ref().map(Words::unlisted).unwrap_or_default(),
                strays: known
                    .as_ref()
                    .map(|known| strays(&known.reach, &known.names))
                    .unwrap_or_default(),
            })
        };
        load.await.map_err(Problem::from)
    }
}

/// The applications with delegated grants, those with grants for everybody first.
pub(super) fn acting(reach: &Reach) -> Vec<ActsAsLine> {
    let mut all: Vec<&ApplicationReach> = reach
        .applications
        .iter()
        .filter(|application| !application.delegated.is_empty())
        .collect();
    all.sort_by_key(|application| {
        let for_all = application.delegated.iter().any(|grant| grant.for_all);
        (
            !for_all,
            name_of(application).to_lowercase(),
            application.object,
        )
    });
    all.into_iter()
        .map(|application| ActsAsLine {
            object: application.object,
            name: name_of(application),
            grants: acts_as(&application.delegated),
        })
        .collect()
}

fn line(
    row: ExposureRow,
    known: Option<&StoredReach>,
    setups: &[SetupRow],
    access: &store::CustomerAccess,
) -> ApplicationLine {
    let found = row
        .object
        .zip(known)
        .and_then(|(object, known)| Some((known, known.reach.application(object)?)));
    let standing = row.tally.worst();
    let setup = row.application.and_then(|id| newest(setups, id));
    let mut line = ApplicationLine {
        object: row.object,
        application: row.application,
        name: row.name,
        owner: String::new(),
        standing,
        sentence: String::new(),
        held: Vec::new(),
        unseen: false,
        naming: Naming::NotAsked,
        powers: Vec::new(),
        may_still: row.may_still,
        setup,
        can_be_confined: row.confinable > 0,
    };
    if let Some((known, application)) = found {
        let words = Words {
            reach: &known.reach,
            names: &known.names,
        };
        line.owner = owner(application, access.record().tenant);
        line.sentence = words.sentence(application);
        line.held = application.permissions.iter().map(held).collect();
        line.unseen = application.others.level() != Level::Nothing;
        line.powers = words.powers(application);
        line.naming = naming(&known.reach.policies, application);
        line.can_be_confined = application.can_be_confined();
    }
    line
}

/// The newest setup for an application. `setups` are in the order newest first.
fn newest(setups: &[SetupRow], application: AppId) -> Option<SetupRow> {
    setups
        .iter()
        .find(|setup| setup.app_id == application)
        .cloned()
}

fn held(one: &PermissionReach) -> Held {
    Held {
        name: one.permission.name(),
        resource: one.permission.resource,
        can: one.permission.can().to_owned(),
        past_policies: one.routes.iter().any(|route| {
            matches!(
                route,
                Route::Grant {
                    fate: GrantFate::NotGoverned,
                    ..
                }
            )
        }),
    }
}

/// How access policies name the application, if at all.
fn naming(policies: &[PolicyNode], application: &ApplicationReach) -> Naming {
    let not_read = application
        .permissions
        .iter()
        .flat_map(|one| &one.routes)
        .any(|route| {
            matches!(
                route,
                Route::Grant {
                    fate: GrantFate::PoliciesNotRead,
                    ..
                }
            )
        });
    match &application.narrowing {
        _ if not_read => Naming::NotRead,
        None => Naming::NotAsked,
        Some(narrowing) => Naming::By(
            narrowing
                .restrict
                .iter()
                .chain(&narrowing.deny)
                .filter_map(|index| policies.get(usize::try_from(*index).ok()?))
                .map(|node| PolicyLine {
                    right: node.right,
                    scope: node.scope_name.clone(),
                    for_all: node.app_id.is_none(),
                    valid: node.valid,
                })
                .collect(),
        ),
    }
}
