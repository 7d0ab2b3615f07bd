//! The wizard: reads what it shows, suggests mailboxes, and makes a plan of what a person chose.

mod chosen;

use domain::{
    Problem, Timestamp,
    address::MailAddress,
    application::Application,
    confine::Hurdle,
    effects::takes,
    id::{CustomerId, ObjectId, TenantId},
    person::{Operator, Right},
    plan::{Confined, Draft, Group, GroupName, Mailbox, MailboxKind, Plan},
    provable::Unprovable,
    reach::{ApplicationReach, CredentialOf, Judge},
    view::{Review, Wizard},
};
use microsoft::{exchange::ExGroup, scan::Scan};
use store::CustomerAccess;

use self::chosen::{Chosen, chosen};
use crate::{
    Answer, Engine, Failure,
    applications::{Known, application, one, unread_holder},
    customers::head,
    scan::nothing_read,
    setup::{
        hurdles::{self, Of, Read},
        names,
        reviewed::Reviewed,
        start::{already_active, new_setup_id},
    },
};

/// Maximum number of mailboxes that the wizard suggests as mailboxes that must be refused.
const SUGGESTED: usize = 3;
/// Number of mailboxes that are read to choose the suggestions from.
const LOOKED_AT: usize = 50;
/// Maximum number of mailboxes that are counted. A customer with more gets no number on the page.
const COUNTED: usize = 1000;
/// Words in a mailbox's name or address that make it a suggestion, the most important first. Faked
/// mail from such a mailbox does most harm.
const TELLING: [&str; 12] = [
    "ceo",
    "chief",
    "director",
    "direkt",
    "cfo",
    "financ",
    "account",
    "president",
    "owner",
    "manag",
    "payroll",
    "admin",
];

/// A plan, and what was read to make it.
pub(crate) struct Planned {
    pub plan: Plan,
    /// What the person should know of the chosen mailboxes.
    pub notes: Vec<String>,
    pub read: Read,
}

/// What happens when another active setup holds the application.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// The plan is made, and the page shows the other setup beside it.
    Shown,
    /// The plan is refused, before anything else is checked: it could not fit beside the other
    /// setup.
    Refuses,
}

impl Engine {
    /// Reads the wizard's page for what was chosen so far. Invalid fields keep their values and get
    /// a message.
    pub(crate) async fn wizard_now(
        &self,
        operator: &Operator,
        customer: CustomerId,
        draft: Draft,
    ) -> Answer<Wizard> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Change).await?;
            let consented = tx.connection(&access).await?.consented;
            let proven = tx.proven_senders(&access).await?;
            let known = tx.scanned_mailboxes(&access).await?;
            tx.commit().await?;
            let tenant = self.tenant(&access).await?;
            let object = object(&draft)?;
            let (scan, application) = self.read_one(&access, &tenant, object, consented).await?;
            let (count, capped) = tenant.mailbox_count(COUNTED).await?.value;
            let known = known.map(|(_, mailboxes)| mailboxes).unwrap_or_default();
            let known = Known {
                mailboxes: &known,
                count: u32::try_from(count).ok().filter(|_| !capped),
            };
            let (standing, sentence, beside) =
                one(&scan, object, &proven, known).ok_or_else(no_application)?;
            let unprovable = self.unprovable(&access, &application, &scan).await?;
            let mut tx = self.store().begin(operator.partner).await?;
            let active = tx.active_setup_for(&access, application.app_id).await?;
            tx.commit().await?;

            let Chosen {
                senders,
                refused,
                problems,
                notes,
            } = chosen(&tenant, &draft).await?;
            let some = tenant.mailboxes("", LOOKED_AT).await?.value;
            let mailboxes = if capped {
                None
            } else {
                i64::try_from(count).ok()
            };
            Ok::<_, Failure>(Wizard {
                head: head(&access),
                suggested_group: GroupName::suggest(&application.name).as_str().to_owned(),
                group_domain: group_domain(&senders, &access),
                suggested_refused: suggest(some.list, &senders),
                application,
                standing,
                sentence,
                beside,
                draft,
                senders,
                refused,
                mailboxes,
                active,
                unprovable,
                problems,
                notes,
            })
        };
        load.await.map_err(Problem::from)
    }

    /// The full plan, checked against the tenant, with its exact cmdlets. `changed`: the token of a
    /// start that was refused because the plan had changed, or empty.
    pub(crate) async fn review_now(
        &self,
        operator: &Operator,
        customer: CustomerId,
        draft: Draft,
        changed: &str,
    ) -> Answer<Review> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Change).await?;
            tx.commit().await?;
            let tenant = self.tenant(&access).await?;
            let planned = self.plan(&access, &tenant, &draft, Holder::Shown).await?;
            let Planned { plan, notes, read } = planned;
            let reviewed = Reviewed { plan, said: notes };
            let shown = reviewed.shown()?;
            let changed = self.what_changed(operator, customer, changed, &shown);
            let Reviewed {
                plan,
                said: mut notes,
            } = reviewed;
            // The check of the first step, run before the approval: a person sees every hurdle
            // before they approve the plan.
            let found = hurdles::look(&tenant, &plan, Of::Draft(Box::new(read)), self.now()).await;
            let hurdles = found.problems();
            notes.extend(found.said);
            let (beside, confirm) = (found.beside, found.open);
            let mut tx = self.store().begin(operator.partner).await?;
            let active = tx
                .active_setup_for(&access, plan.application.app_id)
                .await?;
            tx.commit().await?;
            let takes = takes(&plan, found.effects.as_ref());
            // Placeholder: the real setup gets another id at its start. This one only shows where
            // the id stands.
            let setup = new_setup_id();
            Ok::<_, Failure>(Review {
                head: head(&access),
                cmdlets: plan.changes(setup),
                script: domain::script::script(&plan, setup, &access.record().domain),
                draft,
                plan,
                active,
                hurdles,
                beside,
                confirm,
                notes,
                takes,
                shown,
                changed,
            })
        };
        load.await.map_err(Problem::from)
    }

    /// Makes a plan of a draft. Fails with the first choice that does not fit.
    pub(crate) async fn plan(
        &self,
        access: &CustomerAccess,
        tenant: &microsoft::Customer,
        draft: &Draft,
        holder: Holder,
    ) -> Result<Planned, Failure> {
        let object = object(draft)?;
        let mut tx = self.store().begin(access.partner()).await?;
        let consented = tx.connection(access).await?.consented;
        tx.commit().await?;
        let (scan, application) = self.read_one(access, tenant, object, consented).await?;
        if holder == Holder::Refuses {
            let mut tx = self.store().begin(access.partner()).await?;
            if let Some(row) = tx.active_setup_for(access, application.app_id).await? {
                return Err(already_active(&row).into());
            }
        }
        let reach = Judge::new(&scan.seen).reach();
        let found = reach.application(object);
        if let Some(hurdle) = found.and_then(ApplicationReach::hurdle) {
            return Err(hurdle.problem(&application.name).into());
        }
        let unprovable = self
            .unprovable(access, &application, &scan)
            .await?
            .filter(|why| why.is_certain());
        let Chosen {
            senders,
            refused,
            problems,
            notes,
        } = chosen(tenant, draft).await?;
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem.into());
        }
        let (group, existing) = group(tenant, access, draft, &senders).await?;
        let recipient = recipient(draft)?;
        let plan = Plan {
            application: Confined {
                object: application.object,
                app_id: application.app_id,
                name: application.name,
            },
            senders,
            refused,
            group,
            // A plan that real mail cannot prove ends as checked. The plan says why.
            prove: draft.prove && unprovable.is_none(),
            unprovable,
            recipient,
            accepted: Vec::new(),
        };
        plan.check()?;
        Ok(Planned {
            plan,
            notes,
            read: Read {
                scan,
                group: existing,
            },
        })
    }
}

impl Engine {
    /// Reads one application and everything that decides its effective access. Where the part that
    /// decides could not be read, the error is about that part instead of “no such application”.
    async fn read_one(
        &self,
        access: &CustomerAccess,
        tenant: &microsoft::Customer,
        object: ObjectId,
        consented: Option<Timestamp>,
    ) -> Result<(Scan, Application), Failure> {
        let scan = tenant.scan_application(object).await;
        self.note_scan(access, &scan, consented).await;
        if let Some(problem) = nothing_read(&scan) {
            return Err(self.said(problem, consented).into());
        }
        match application(&scan.seen, object) {
            Some(application) => Ok((scan, application)),
            None => Err(match unread_holder(&scan) {
                Some(problem) => self.said(problem, consented),
                None => no_application(),
            }
            .into()),
        }
    }

    /// Why real mail can prove nothing about this application, according to the scan.
    async fn unprovable(
        &self,
        access: &CustomerAccess,
        application: &Application,
        scan: &Scan,
    ) -> Result<Option<Unprovable>, Failure> {
        let mut tx = self.store().begin(access.partner()).await?;
        let home = tx.home_tenant().await?;
        tx.commit().await?;
        let homes: Vec<TenantId> = [Some(access.record().tenant), home]
            .into_iter()
            .flatten()
            .collect();
        let details = scan.details.get(&application.object);
        let own = details.map(|details| {
            let mut credentials = details.credentials.iter();
            credentials.any(|one| one.of == CredentialOf::Principal)
        });
        Ok(Unprovable::of(application, &homes, own))
    }
}

/// The recipient of the proof's mails, where the draft names one. None: the first sender receives
/// them.
fn recipient(draft: &Draft) -> Result<Option<MailAddress>, Failure> {
    let text = draft.recipient.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let address = text
        .parse()
        .map_err(|problem: Problem| Problem::input("to", problem.happened, problem.todo))?;
    Ok(Some(address))
}

fn object(draft: &Draft) -> Result<ObjectId, Failure> {
    Ok(draft.application.parse().map_err(|_| no_application())?)
}

fn no_application() -> Problem {
    Hurdle::NothingGranted.problem("")
}

/// The group of the plan, and Exchange's record of it where the group exists.
async fn group(
    tenant: &microsoft::Customer,
    access: &CustomerAccess,
    draft: &Draft,
    senders: &[Mailbox],
) -> Result<(Group, Option<ExGroup>), Failure> {
    let text = draft.group.trim();
    if !text.contains('@') {
        let name = GroupName::parse(text)?;
        let address: MailAddress =
            format!("{}@{}", name.as_str(), group_domain(senders, access)).parse()?;
        if let Some(holder) = tenant.taken(&address, name.as_str()).await?.value {
            let usable = holder.by.details == "MailUniversalSecurityGroup";
            return Err(Problem::input(
                "group",
                names::taken(&holder).happened,
                if usable {
                    "Choose another name, or write its full address to use that group."
                } else {
                    "Choose another name."
                },
            )
            .into());
        }
        return Ok((Group::New { name, address }, None));
    }
    let address: MailAddress = text
        .parse()
        .map_err(|problem: Problem| Problem::input("group", problem.happened, problem.todo))?;
    let Some(found) = tenant.group(address.as_str()).await?.value else {
        let holder = tenant.recipient(&address).await?.value;
        return Err(match holder {
            Some(holder) => not_a_scope(&address, &holder.details),
            None => Problem::input(
                "group",
                format!("There is no group {address}."),
                "Write a name without @ to make a new group.",
            ),
        }
        .into());
    };
    if !found.is_mail_enabled_security() {
        return Err(not_a_scope(&address, &found.details).into());
    }
    let object = found.object.ok_or_else(|| {
        Problem::input(
            "group",
            format!("{address} is not in the directory yet."),
            "Wait a few minutes, then try again.",
        )
    })?;
    let group = Group::Existing {
        object,
        name: found.name.clone(),
        address,
    };
    Ok((group, Some(found)))
}

/// Exchange itself would answer that the group is no security principal (MICROSOFT.md §2.4).
fn not_a_scope(address: &MailAddress, details: &str) -> Problem {
    Problem::input(
        "group",
        format!(
            "{address} is a {}. An access policy needs a mail-enabled security group.",
            domain::recipient::kind_of(details)
        ),
        "Choose such a group, or write a name without @, which nobody has, to make a new one.",
    )
}

/// The domain for a new group: the first sender's, because the tenant is sure to accept it.
fn group_domain(senders: &[Mailbox], access: &CustomerAccess) -> String {
    senders.first().map_or_else(
        || access.record().domain.clone(),
        |sender| sender.address.domain().to_owned(),
    )
}

fn suggest(mut mailboxes: Vec<Mailbox>, senders: &[Mailbox]) -> Vec<Mailbox> {
    mailboxes.retain(|mailbox| {
        mailbox.kind == MailboxKind::User && !senders.iter().any(|s| s.object == mailbox.object)
    });
    mailboxes.sort_by_key(|mailbox| {
        let text = format!("{} {}", mailbox.name, mailbox.address).to_lowercase();
        let rank = TELLING
            .iter()
            .position(|word| text.contains(word))
            .unwrap_or(TELLING.len());
        (rank, mailbox.address.clone())
    });
    mailboxes.truncate(SUGGESTED);
    mailboxes
}
