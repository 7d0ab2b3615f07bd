//! A customer's applications, read live from Graph and Exchange.

use std::time::Instant;

use domain::{
    Problem,
    access::judge,
    id::CustomerId,
    person::{Operator, Right},
    view::{ApplicationRow, ApplicationsView, Part, Reading, SetupRow},
};
use microsoft::Call;

use crate::{Answer, Engine, Failure, tenant::is_about_consent};

impl Engine {
    /// What holds mailbox permissions, what narrows it, and what that means. A part that cannot be
    /// read is told and makes nothing look safer.
    pub async fn applications(
        &self,
        operator: &Operator,
        customer: CustomerId,
    ) -> Answer<ApplicationsView> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            let setups = tx.setups_of_customer(&access).await?;
            tx.commit().await?;
            Ok::<_, Failure>((access, setups))
        };
        let (access, setups) = load.await.map_err(Problem::from)?;
        let tenant = match self.tenant(&access).await {
            Ok(tenant) => tenant,
            // Nobody is connected: nothing was read, and that is what the page says.
            Err(Failure::Told(problem)) => return Ok(self.nothing_read(&problem)),
            Err(failure) => return Err(failure.into()),
        };

        let (applications, policies, assignments) = futures::join!(
            timed(tenant.applications()),
            timed(tenant.policies()),
            timed(tenant.role_assignments()),
        );
        let outcome = [
            applications.0.as_ref().err(),
            policies.0.as_ref().err(),
            assignments.0.as_ref().err(),
        ];
        match outcome
            .into_iter()
            .flatten()
            .find(|error| is_about_consent(error))
        {
            Some(error) => self.note_connection(&access, Err(error)).await,
            None if applications.0.is_ok() => {
                self.note_connection(&access, Ok(())).await;
                if access.record().name == access.record().domain {
                    self.learn_name(&access).await;
                }
            }
            None => {}
        }

        let parts = vec![
            part(APPLICATIONS, &applications, Vec::len),
            part(POLICIES, &policies, Vec::len),
            part(ASSIGNMENTS, &assignments, Vec::len),
        ];
        let policies = policies.0.ok();
        let assignments = assignments.0.ok();
        let mut rows: Vec<ApplicationRow> = applications
            .0
            .unwrap_or_else(|_| Vec::new())
            .into_iter()
            .map(|application| ApplicationRow {
                verdict: judge(&application, policies.as_deref(), assignments.as_deref()),
                policies: policies
                    .iter()
                    .flatten()
                    .filter(|policy| {
                        policy
                            .app_id
                            .is_none_or(|app_id| app_id == application.app_id)
                    })
                    .cloned()
                    .collect(),
                setup: newest(&setups, &application),
                application,
            })
            .collect();
        rows.sort_by(|one, other| {
            let key = |row: &ApplicationRow| {
                let sends = row
                    .application
                    .grants
                    .iter()
                    .any(domain::application::Grant::sends);
                (
                    row.verdict.standing,
                    !sends,
                    row.application.name.to_lowercase(),
                )
            };
            key(one).cmp(&key(other))
        });
        Ok(ApplicationsView {
            read_at: self.now(),
            parts,
            rows,
        })
    }

    fn nothing_read(&self, problem: &Problem) -> ApplicationsView {
        let part = |name: &str| Part {
            name: name.to_owned(),
            read: Reading::Failed {
                problem: problem.clone(),
            },
            took_millis: 0,
        };
        ApplicationsView {
            read_at: self.now(),
            parts: [APPLICATIONS, POLICIES, ASSIGNMENTS].map(part).into(),
            rows: Vec::new(),
        }
    }
}

const APPLICATIONS: &str = "Applications and their permissions";
const POLICIES: &str = "Access policies";
const ASSIGNMENTS: &str = "Exchange role assignments";

type Timed<T> = (Result<T, microsoft::Error>, i64);

async fn timed<T>(call: impl Future<Output = Result<Call<T>, microsoft::Error>>) -> Timed<T> {
    let start = Instant::now();
    let result = call.await.map(|call| call.value);
    (
        result,
        i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX),
    )
}

fn part<T>(name: &str, (result, took_millis): &Timed<T>, count: impl Fn(&T) -> usize) -> Part {
    let read = match result {
        Ok(value) => Reading::Read {
            count: count(value),
        },
        Err(error) => Reading::Failed {
            problem: error.problem(),
        },
    };
    Part {
        name: name.to_owned(),
        read,
        took_millis: *took_millis,
    }
}

/// Setups come newest first.
fn newest(setups: &[SetupRow], application: &domain::application::Application) -> Option<SetupRow> {
    setups
        .iter()
        .find(|setup| setup.app_id == application.app_id)
        .cloned()
}
