//! Actions on a setup: cancel, retry, poll now (`look_now`), roll back.

use domain::{
    made::{Made, made},
    plan::Plan,
    step::{Stands, Step},
};
use leptos::prelude::*;

use super::Shown;
use crate::{
    api::forms,
    browser,
    components::{
        Erase as _, Failure, Post, PostForm, Question, Submit, TextField, dynamic, use_toasts,
    },
};

pub const CANCEL: &str = "cancel";
pub const ROLL_BACK: &str = "roll-back";

/// The hidden fields with ids that every form of this page sends.
pub fn ids(shown: Shown) -> AnyView {
    view! {
        <input type="hidden" name="customer" value=shown.customer.to_string()/>
        <input type="hidden" name="setup" value=shown.id.to_string()/>
    }
    .any()
}

/// After a success: shows a toast, and refreshes the setup.
pub fn afterwards(post: Post, shown: Shown, say: &'static str) {
    let toasts = use_toasts();
    post.then(move || {
        browser::close_dialog(CANCEL);
        browser::close_dialog(ROLL_BACK);
        toasts.say(say);
        shown.refresh();
    });
}

#[component]
pub fn Cancel(shown: Shown) -> impl IntoView {
    let post = Post::new(forms::CANCEL_SETUP);
    afterwards(post, shown, "Cancelled.");
    let stays = move || {
        shown.view.with(|view| {
            things(&view.plan, &view.steps)
                .into_iter()
                .map(|thing| view! { <li>{thing}</li> }.any())
                .collect_view()
        })
    };
    view! {
        <Question id=CANCEL title="Cancel this setup?">
            <p>"It stops, and leaves everything as it is then. To undo what it made, roll it back instead."</p>
            <ul>{dynamic(stays)}</ul>
            <Failure of=post.failure()/>
            <PostForm post>
                {ids(shown)}
                <Submit label="Cancel the setup" class="btn danger" pending=post.pending()/>
            </PostForm>
        </Question>
    }.any()
}

#[component]
pub fn RollBack(shown: Shown) -> impl IntoView {
    let post = Post::new(forms::ROLL_BACK);
    afterwards(post, shown, "Rolling back.");
    let name = shown
        .view
        .with_untracked(|view| view.plan.application.name.clone());
    let undone = move || {
        shown.view.with(|view| {
            undoes(&view.plan, &view.steps)
                .into_iter()
                .map(|thing| view! { <li>{thing}</li> }.any())
                .collect_view()
        })
    };
    let warning = format!("Afterwards {name} can do again what it could do before the setup.");
    view! {
        <Question id=ROLL_BACK title=format!("Roll back {name}?")>
            <p>"This undoes, the last first:"</p>
            <ul>{dynamic(undone)}</ul>
            <p><b>{warning}</b></p>
            <Failure of=post.failure_beside("confirm")/>
            <PostForm post>
                {ids(shown)}
                <TextField
                    name="confirm"
                    label=format!("Type {name} to roll it back")
                    error=post.failure_of("confirm")
                    required=true
                    longest=300
                />
                <Submit label="Roll back" class="btn danger" pending=post.pending()/>
            </PostForm>
        </Question>
    }
    .any()
}

/// What the setup has made so far, or may have made.
pub fn things(plan: &Plan, steps: &[Step]) -> Vec<String> {
    let group = &plan.group;
    let mut things: Vec<String> = made(plan, steps)
        .into_iter()
        .map(|(what, stands)| {
            let thing = match what {
                Made::Group => format!("The group {} ({})", group.name(), group.address()),
                Made::Members => format!("Its members: {} at most", count(plan.senders.len())),
                Made::Policy => format!("The access policy for {}", plan.application.name),
            };
            if stands == Stands::Perhaps {
                format!("{thing} (perhaps: the step is not over)")
            } else {
                thing
            }
        })
        .collect();
    if things.is_empty() {
        things.push("Nothing was made yet.".to_owned());
    }
    things
}

/// What a rollback undoes, in its order: the last first. Members go with their group.
fn undoes(plan: &Plan, steps: &[Step]) -> Vec<String> {
    let group = &plan.group;
    made(plan, steps)
        .into_iter()
        .rev()
        .filter_map(|(what, _)| match what {
            Made::Policy => Some(format!(
                "Removes the access policy for {}.",
                plan.application.name
            )),
            Made::Members => None,
            Made::Group => Some(format!(
                "Deletes the group {} ({}).",
                group.name(),
                group.address()
            )),
        })
        .collect()
}

fn count(senders: usize) -> String {
    if senders == 1 {
        "1 sender".to_owned()
    } else {
        format!("{senders} senders")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::{
        Timestamp,
        id::{AppId, ObjectId},
        plan::{Confined, Group, GroupName},
        step::{StepKind, StepState},
    };
    use uuid::Uuid;

    use super::*;

    fn plan() -> Plan {
        Plan {
            application: Confined {
                object: ObjectId(Uuid::nil()),
                app_id: AppId(Uuid::nil()),
                name: "Mailer".into(),
            },
            senders: vec![],
            refused: vec![],
            group: Group::New {
                name: GroupName::parse("postern-mailer").unwrap(),
                address: "postern-mailer@a.example".parse().unwrap(),
            },
            prove: false,
            unprovable: None,
            recipient: None,
            accepted: Vec::new(),
        }
    }

    fn steps(done: usize) -> Vec<Step> {
        StepKind::ALL
            .into_iter()
            .enumerate()
            .map(|(index, kind)| {
                let mut step = Step::new(kind);
                if index < done {
                    step.state = StepState::Done;
                    step.started = Some(Timestamp(1));
                }
                step
            })
            .collect()
    }

    #[test]
    fn names_only_what_was_made() {
        assert_eq!(things(&plan(), &steps(1)), ["Nothing was made yet."]);
        assert_eq!(things(&plan(), &steps(2)).len(), 1);
        assert_eq!(things(&plan(), &steps(5)).len(), 3);
    }

    #[test]
    fn an_existing_group_is_neither_made_nor_deleted() {
        let mut plan = plan();
        plan.group = Group::Existing {
            object: ObjectId(Uuid::nil()),
            name: "own".into(),
            address: "own@a.example".parse().unwrap(),
        };
        assert_eq!(things(&plan, &steps(5)).len(), 1);
        assert_eq!(undoes(&plan, &steps(5)).len(), 1);
    }

    #[test]
    fn undoes_the_last_first() {
        let undone = undoes(&plan(), &steps(5));
        assert!(undone.first().unwrap().contains("policy"));
        assert!(undone.last().unwrap().contains("group"));
    }
}
