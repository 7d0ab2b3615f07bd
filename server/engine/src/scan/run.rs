//! Reading one customer, and keeping what came of it.

use std::collections::BTreeMap;

use domain::{
    Problem,
    exposure::ReachChange,
    history::EventKind,
    id::ObjectId,
    person::Actor,
    problem::Remedy,
    reach::{Judge, Level, Reach, Seen},
};
use microsoft::scan::Scan;
use serde_json::json;
use store::{CustomerAccess, NewEvent, ReachEntry, ScanResult, Turn};
use uuid::Uuid;

use super::turns::next_night;
use crate::{
    Engine, Failure,
    applications::{nothing_read, unread},
    connection::event,
};

impl Engine {
    /// Reads a customer whose turn is held by `lease`.
    pub(super) async fn scan(&self, turn: Turn, lease: Uuid) -> Result<(), Failure> {
        let mut tx = self.store().begin(turn.partner).await?;
        let access = tx.for_system(turn.customer).await?;
        let known = tx.reach(&access).await?;
        tx.commit().await?;
        let tenant = match self.tenant(&access).await {
            Ok(tenant) => tenant,
            Err(Failure::Told(problem)) => {
                return self
                    .nothing_came(turn, &access, lease, &problem, None)
                    .await;
            }
            Err(failure) => return Err(failure),
        };
        let scan = tenant.scan().await;
        self.note_scan(&access, &scan).await;
        if let Some(problem) = nothing_read(&scan) {
            return self
                .nothing_came(turn, &access, lease, &problem, Some(&scan))
                .await;
        }
        if access.record().name == access.record().domain {
            self.learn_name(&access).await;
        }
        let before = known.as_ref().map(|known| &known.reach);
        let result = result(&scan, before);
        let now = self.now();
        let mut tx = self.store().begin(turn.partner).await?;
        let kept = tx
            .save_scan(&access, lease, &result, now, next_night(now, turn))
            .await?;
        if !kept {
            return Ok(());
        }
        if !result.changes.is_empty() {
            let sentences: Vec<String> = result.changes.iter().map(ReachChange::sentence).collect();
            let what = match sentences.as_slice() {
                [one] => format!("{one}."),
                all => format!("The reach of {} applications changed.", all.len()),
            };
            let change = NewEvent {
                after: Some(json!({ "changes": sentences })),
                ..event(now, Actor::System, EventKind::ReachChanged, what)
            };
            tx.append(&access, &change).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// What was known stays known, with the time at which it was read.
    async fn nothing_came(
        &self,
        turn: Turn,
        access: &CustomerAccess,
        lease: Uuid,
        problem: &Problem,
        scan: Option<&Scan>,
    ) -> Result<(), Failure> {
        let now = self.now();
        let parts = scan.map_or(&[][..], |scan| &scan.parts);
        let mut tx = self.store().begin(turn.partner).await?;
        tx.fail_scan(access, lease, problem, parts, now, next_night(now, turn))
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// What is left to do when this customer was the last.
    pub(super) async fn after_scan(&self, turn: Turn) -> Result<(), Failure> {
        let mut tx = self.store().begin(turn.partner).await?;
        tx.after_scan(self.now()).await?;
        Ok(tx.commit().await?)
    }

    /// It took too long.
    pub(super) async fn give_up(&self, turn: Turn, lease: Uuid) -> Result<(), Failure> {
        let mut tx = self.store().begin(turn.partner).await?;
        let access = tx.for_system(turn.customer).await?;
        tx.commit().await?;
        self.nothing_came(turn, &access, lease, &too_long(), None)
            .await
    }
}

/// Judges what was read, and compares it with what was known.
fn result(scan: &Scan, before: Option<&Reach>) -> ScanResult {
    let reach = judged(&scan.seen);
    let entries = reach
        .applications
        .iter()
        .map(|application| ReachEntry {
            object: application.object,
            app_id: application.app_id.map(|id| id.0),
            name: application
                .name
                .clone()
                .unwrap_or_else(|| application.object.to_string()),
            publisher: application.publisher.clone(),
            owner: json!(application.owner),
            level: application.level(),
            can_be_confined: application.can_be_confined(),
            permissions: held(application),
            details: scan
                .details
                .get(&application.object)
                .map(|details| json!(details)),
        })
        .collect();
    ScanResult {
        whole: unread(scan).next().is_none(),
        changes: before.map_or_else(Vec::new, |before| changes(before, &reach)),
        names: named(&reach, &scan.names),
        entries,
        parts: scan.parts.clone(),
        reach,
    }
}

/// The judge's parts are not made to cross threads, so it lives and ends here.
fn judged(seen: &Seen) -> Reach {
    Judge::new(seen).reach()
}

/// Each permission by its name, with its level; what may be held unseen is called so.
fn held(application: &domain::reach::ApplicationReach) -> Vec<(String, Level)> {
    let mut held: Vec<(String, Level)> = application
        .permissions
        .iter()
        .map(|one| (one.permission.value.to_string(), one.answer.level()))
        .collect();
    if held.is_empty() {
        held.push(("unknown".to_owned(), application.others.level()));
    }
    held
}

/// Only the names that the reach needs: those of mailboxes and groups that it mentions.
fn named(reach: &Reach, names: &BTreeMap<ObjectId, String>) -> BTreeMap<ObjectId, String> {
    let scopes = reach.policies.iter().filter_map(|policy| policy.scope);
    reach
        .mailboxes
        .iter()
        .copied()
        .chain(scopes)
        .filter_map(|object| Some((object, names.get(&object)?.clone())))
        .collect()
}

fn changes(before: &Reach, after: &Reach) -> Vec<ReachChange> {
    let levels = |reach: &Reach| -> BTreeMap<ObjectId, (Level, String)> {
        reach
            .applications
            .iter()
            .map(|one| {
                let name = one.name.clone().unwrap_or_else(|| one.object.to_string());
                (one.object, (one.level(), name))
            })
            .collect()
    };
    let (before, after) = (levels(before), levels(after));
    let objects: std::collections::BTreeSet<ObjectId> =
        before.keys().chain(after.keys()).copied().collect();
    objects
        .into_iter()
        .filter_map(|object| {
            let (old, new) = (before.get(&object), after.get(&object));
            let change = ReachChange {
                object,
                name: new.or(old).map(|(_, name)| name.clone())?,
                before: old.map(|(level, _)| *level),
                after: new.map(|(level, _)| *level),
            };
            (change.before != change.after).then_some(change)
        })
        .collect()
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
