//! Runs the scan of one customer, and stores the result.

use domain::{
    Problem, Timestamp,
    exposure::ReachChange,
    history::EventKind,
    person::Actor,
    problem::Remedy,
    proof::{Judged, SeenBy, stands},
    reach::PartRead,
};
use serde_json::json;
use store::{CustomerAccess, NewEvent, ScanMemory, ScanResult, Turn, Tx};
use uuid::Uuid;

use super::{
    again,
    proven::against,
    result::result,
    unread::{nothing_read, unread},
    words::Words,
};
use crate::{Engine, Failure, connection::event, setup::carry_out::fell};

impl Engine {
    /// Scans the customer of a turn (a scan job) that `lease` holds, and stores the result.
    pub(super) async fn scan(&self, turn: Turn, lease: Uuid) -> Result<(), Failure> {
        let mut tx = self.store().begin(turn.partner).await?;
        let access = tx.for_system(turn.customer).await?;
        let memory = tx.scan_memory(&access).await?;
        tx.commit().await?;
        let held = Held { turn, lease };
        let tenant = match self.tenant(&access).await {
            Ok(tenant) => tenant,
            Err(Failure::Told(problem)) => {
                return self
                    .nothing_came(held, &access, &memory, &problem, &[])
                    .await;
            }
            Err(failure) => return Err(failure),
        };
        let began = self.now();
        let scan = tenant.scan().await;
        let nothing = nothing_read(&scan);
        if nothing.is_none() && access.record().name == access.record().domain {
            self.learn_name(&access).await;
        }
        // The connection's state is noted after the name was read. The one call for the name says
        // less about the connection than all calls of the scan.
        self.note_scan(&access, &scan, memory.consented).await;
        if let Some(problem) = nothing {
            return self
                .nothing_came(held, &access, &memory, problem, &scan.parts)
                .await;
        }
        let now = self.now();
        let problems: Vec<Problem> = unread(&scan.parts)
            .map(|problem| self.said(problem, memory.consented))
            .collect();
        let next = again::next(self.inner.pace, now, turn, memory.tries, &problems);
        let result = result(scan, memory, now);
        let mut tx = self.store().begin(turn.partner).await?;
        self.judge_claims(&mut tx, &access, &result, (began, now))
            .await?;
        let kept = tx.save_scan(&access, lease, &result, now, next).await?;
        if !kept {
            return Ok(());
        }
        if !result.changes.is_empty() {
            let sentences: Vec<String> = result.changes.iter().map(ReachChange::sentence).collect();
            let what = match sentences.as_slice() {
                [one] => format!("{one}."),
                all => format!("The reach of {} applications changed.", all.len()),
            };
            let objects: Vec<_> = result.changes.iter().map(|change| change.object).collect();
            let change = NewEvent {
                after: Some(json!({ "changes": sentences, "objects": objects })),
                ..event(now, Actor::System, EventKind::ReachChanged, what)
            };
            tx.append(&access, &change).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Compares the claims of setups with the scan. `between`: when the scan began and ended. A
    /// claim that was made in that time may rest on newer data than the scan's, so it is not
    /// compared.
    async fn judge_claims(
        &self,
        tx: &mut Tx,
        access: &CustomerAccess,
        result: &ScanResult,
        (began, now): (Timestamp, Timestamp),
    ) -> Result<(), Failure> {
        for claim in tx.claims(access, None).await? {
            let newest = claim
                .judged
                .as_ref()
                .map(|judged| judged.at)
                .max(claim.ended);
            if newest.is_some_and(|at| at >= began) {
                continue;
            }
            let words = Words {
                reach: &result.reach,
                names: &result.names,
            };
            let application = &claim.plan.application;
            let (object, name) = (application.object, &application.name);
            let says = against(&words, object, name, &claim.senders());
            let judged = Judged::new(now, SeenBy::Reading, says).after(claim.judged.as_ref());
            let stood = stands(claim.showed, claim.judged.as_ref());
            let news = tx.judge(access, &claim, &judged).await?;
            if news && stands(claim.showed, Some(&judged)) < stood {
                fell(tx, access, &claim, &judged).await?;
            }
        }
        Ok(())
    }

    /// Stores that a scan has read nothing. What is known stays, with the time at which it was
    /// read.
    async fn nothing_came(
        &self,
        Held { turn, lease }: Held,
        access: &CustomerAccess,
        memory: &ScanMemory,
        problem: &Problem,
        parts: &[PartRead],
    ) -> Result<(), Failure> {
        let now = self.now();
        let problem = self.said(problem, memory.consented);
        let next = again::next(self.inner.pace, now, turn, memory.tries, [&problem]);
        let mut tx = self.store().begin(turn.partner).await?;
        tx.fail_scan(access, lease, &problem, parts, now, next)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// When this customer was the last one: ends a run over all customers, or counts the day.
    pub(super) async fn after_scan(&self, turn: Turn) -> Result<(), Failure> {
        let mut tx = self.store().begin(turn.partner).await?;
        tx.after_scan(self.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Stores that a scan took too long.
    pub(super) async fn give_up(&self, turn: Turn, lease: Uuid) -> Result<(), Failure> {
        let mut tx = self.store().begin(turn.partner).await?;
        let access = tx.for_system(turn.customer).await?;
        let memory = tx.scan_memory(&access).await?;
        tx.commit().await?;
        let held = Held { turn, lease };
        self.nothing_came(held, &access, &memory, &too_long(), &[])
            .await
    }
}

/// A turn, and the lease that holds it.
#[derive(Clone, Copy)]
struct Held {
    turn: Turn,
    lease: Uuid,
}

fn too_long() -> Problem {
    Problem::new(
        "scan.too_long",
        Remedy::Wait,
        "Reading this customer took longer than 20 minutes.",
        "Microsoft answers very slowly there; nothing newer is known.",
        "It is tried again; or read it yourself with “Read again”.",
    )
}
