//! The guided way to a plan: what was chosen, what Postern suggests, and the review.

use domain::{
    Problem,
    address::MailAddress,
    application::{Application, Grant},
    confine::Hurdle,
    id::{CustomerId, ObjectId, TenantId},
    person::{Operator, Right},
    plan::{Confined, Draft, Group, GroupName, Mailbox, MailboxKind, Plan},
    provable::{Unprovable, takes},
    reach::{ApplicationReach, CredentialOf, Judge},
    view::{Review, Wizard},
};
use microsoft::scan::Scan;
use store::CustomerAccess;

use crate::{
    Answer, Engine, Failure,
    applications::{Known, one},
    customers::head,
    scan::nothing_read,
    setup::{
        hurdles, names,
        start::{already_active, new_setup_id},
    },
};

/// Suggested as mailboxes that must be refused.
const SUGGESTED: usize = 3;
/// Read to choose the suggestions from.
const LOOKED_AT: usize = 50;
/// Counted to say how many mailboxes the application can reach; beyond it, none is said.
const COUNTED: usize = 1000;
/// Whose mail does most harm when faked, by words in name or address.
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

/// What another setup that holds the application means for a plan.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// It is shown beside the plan.
    Shown,
    /// It is the first thing to say: the rest of the plan cannot fit beside it.
    Refuses,
}

impl Engine {
    /// The wizard with what was chosen so far. Choices that do not fit are told beside their
    /// field, and stay.
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
            let scan = tenant.scan_application(object).await;
            self.note_scan(&access, &scan, consented).await;
            if let Some(problem) = nothing_read(&scan) {
                return Err(self.said(problem, consented).into());
            }
            let (count, capped) = tenant.mailbox_count(COUNTED).await?.value;
            let known = known.map(|(_, mailboxes)| mailboxes).unwrap_or_default();
            let known = Known {
                mailboxes: &known,
                count: u32::try_from(count).ok().filter(|_| !capped),
            };
            let (application, standing, sentence, beside) =
                one(&scan, object, &proven, known).ok_or_else(no_application)?;
            let unprovable = self.unprovable(&access, &application, Some(&scan)).await?;
            let mut tx = self.store().begin(operator.partner).await?;
            let active = tx.active_setup_for(&access, application.app_id).await?;
            tx.commit().await?;

            let mut problems = Vec::new();
            let senders = chosen(&tenant, "senders", &draft.senders, &mut problems).await?;
            let refused = chosen(&tenant, "refused", &draft.refused, &mut problems).await?;
            let mut notes = aliases_of_senders(&senders);
            notes.extend(aliases_of_refused(&refused, &senders, &mut problems));
            let (senders, refused) = (senders.mailboxes(), refused.mailboxes());
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

    /// The plan in full, checked against the tenant, with its exact cmdlets.
    pub(crate) async fn review_now(
        &self,
        operator: &Operator,
        customer: CustomerId,
        draft: Draft,
    ) -> Answer<Review> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Change).await?;
            tx.commit().await?;
            let (plan, mut notes) = self.plan(&access, &draft, Holder::Shown).await?;
            // The same look as that of the first step: what stands in the way is said before
            // anybody approves the plan.
            let tenant = self.tenant(&access).await?;
            let found = hurdles::look(&tenant, &plan, None, self.now()).await;
            let hurdles = found.problems();
            notes.extend(found.said);
            let beside = found.beside;
            let mut tx = self.store().begin(operator.partner).await?;
            let active = tx
                .active_setup_for(&access, plan.application.app_id)
                .await?;
            tx.commit().await?;
            let takes = takes(&plan, &self.grants(&access, &plan).await?);
            // The setup gets its own id when it starts; this one only shows where it will stand.
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
                notes,
                takes,
            })
        };
        load.await.map_err(Problem::from)
    }

    /// Makes a plan of a draft, with what should be known of it, or tells what does not fit.
    pub(crate) async fn plan(
        &self,
        access: &CustomerAccess,
        draft: &Draft,
        holder: Holder,
    ) -> Result<(Plan, Vec<String>), Failure> {
        let tenant = self.tenant(access).await?;
        let object = object(draft)?;
        let application = tenant
            .applications()
            .await?
            .value
            .into_iter()
            .find(|application| application.object == object)
            .ok_or_else(no_application)?;
        if holder == Holder::Refuses {
            let mut tx = self.store().begin(access.partner()).await?;
            if let Some(row) = tx.active_setup_for(access, application.app_id).await? {
                return Err(already_active(&row).into());
            }
        }
        let scan = tenant.scan_application(object).await;
        let reach = Judge::new(&scan.seen).reach();
        let found = reach.application(object);
        if let Some(hurdle) = found.and_then(ApplicationReach::hurdle) {
            return Err(hurdle.problem(&application.name).into());
        }
        let unprovable = self
            .unprovable(access, &application, None)
            .await?
            .filter(|why| why.is_certain());
        let mut problems = Vec::new();
        let senders = chosen(&tenant, "senders", &draft.senders, &mut problems).await?;
        let refused = chosen(&tenant, "refused", &draft.refused, &mut problems).await?;
        let mut notes = aliases_of_senders(&senders);
        notes.extend(aliases_of_refused(&refused, &senders, &mut problems));
        let (senders, refused) = (senders.mailboxes(), refused.mailboxes());
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem.into());
        }
        let group = group(&tenant, access, draft, &senders).await?;
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
            // What no mail can show ends as checked, and the plan says why.
            prove: draft.prove && unprovable.is_none(),
            unprovable,
            recipient,
        };
        plan.check()?;
        Ok((plan, notes))
    }
}

impl Engine {
    /// Why real mail can show nothing of an application. `scan`: a reading of it, where there is
    /// one already.
    async fn unprovable(
        &self,
        access: &CustomerAccess,
        application: &Application,
        scan: Option<&Scan>,
    ) -> Result<Option<Unprovable>, Failure> {
        let mut tx = self.store().begin(access.partner()).await?;
        let home = tx.home_tenant().await?;
        tx.commit().await?;
        let homes: Vec<TenantId> = [Some(access.record().tenant), home]
            .into_iter()
            .flatten()
            .collect();
        let own = |scan: &Scan| {
            let details = scan.details.get(&application.object)?;
            let credentials = &details.credentials;
            Some(
                credentials
                    .iter()
                    .any(|one| one.of == CredentialOf::Principal),
            )
        };
        Ok(Unprovable::of(application, &homes, scan.and_then(own)))
    }

    /// What the plan's application was granted.
    async fn grants(&self, access: &CustomerAccess, plan: &Plan) -> Result<Vec<Grant>, Failure> {
        let applications = self.tenant(access).await?.applications().await?.value;
        Ok(applications
            .into_iter()
            .find(|application| application.object == plan.application.object)
            .map(|application| application.grants)
            .unwrap_or_default())
    }
}

/// Who receives the mails of the proof, where the first sender does not.
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

/// What was asked for, and the mailbox behind each address.
struct Chosen(Vec<(MailAddress, Mailbox)>);

impl Chosen {
    /// Each once.
    fn mailboxes(self) -> Vec<Mailbox> {
        let mut found = Vec::new();
        for (_, mailbox) in self.0 {
            if !found.contains(&mailbox) {
                found.push(mailbox);
            }
        }
        found
    }

    /// Those that were asked for by another than their own address.
    fn aliases(&self) -> impl Iterator<Item = &(MailAddress, Mailbox)> {
        self.0.iter().filter(|(asked, mailbox)| {
            !asked
                .as_str()
                .eq_ignore_ascii_case(mailbox.address.as_str())
        })
    }
}

/// There is no policy for an address, only for the mailbox behind it.
fn aliases_of_senders(senders: &Chosen) -> Vec<String> {
    let said = |(asked, mailbox): &(MailAddress, Mailbox)| {
        format!(
            "{asked} is an address of {0}: the application will be allowed all of {0}, whichever address it sends from.",
            mailbox.address
        )
    };
    senders.aliases().map(said).collect()
}

/// An address of a permitted mailbox cannot be refused; any other is tried as its mailbox.
fn aliases_of_refused(
    refused: &Chosen,
    senders: &Chosen,
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let mut notes = Vec::new();
    for (asked, mailbox) in refused.aliases() {
        let permitted = senders
            .0
            .iter()
            .any(|(_, one)| one.object == mailbox.object);
        if permitted {
            problems.push(Problem::input(
                "refused",
                format!(
                    "{asked} is an address of {}, which is permitted: it cannot be refused.",
                    mailbox.address
                ),
                "Take it out of one of the two lists.",
            ));
        } else {
            notes.push(format!(
                "{asked} is an address of {}: that mailbox is the one that must be refused.",
                mailbox.address
            ));
        }
    }
    notes
}

/// The chosen addresses as mailboxes, in their order. What is none is told, not dropped silently.
async fn chosen(
    tenant: &microsoft::Customer,
    field: &str,
    addresses: &[String],
    problems: &mut Vec<Problem>,
) -> Result<Chosen, Failure> {
    let mut asked: Vec<MailAddress> = Vec::new();
    for text in addresses.iter().filter(|text| !text.trim().is_empty()) {
        match text.parse() {
            Ok(address) if asked.contains(&address) => {}
            Ok(address) => asked.push(address),
            Err(problem) => {
                let problem: Problem = problem;
                problems.push(Problem::input(field, problem.happened, problem.todo));
            }
        }
    }
    let mailboxes = tenant.mailboxes_at(&asked).await?.value;
    let mut found = Vec::new();
    for (address, mailbox) in asked.iter().zip(mailboxes) {
        if let Some(mailbox) = mailbox {
            found.push((address.clone(), mailbox));
            continue;
        }
        let why = names::why_no_mailbox(tenant, address).await?;
        problems.push(Problem::input(
            field,
            match why {
                Some(why) => format!("{address} {why}."),
                None => format!("{address} is not a mailbox of this customer."),
            },
            "Take it out, or choose another from the list.",
        ));
    }
    Ok(Chosen(found))
}

async fn group(
    tenant: &microsoft::Customer,
    access: &CustomerAccess,
    draft: &Draft,
    senders: &[Mailbox],
) -> Result<Group, Failure> {
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
        return Ok(Group::New { name, address });
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
    Ok(Group::Existing {
        object,
        name: found.name,
        address,
    })
}

/// Exchange would answer that it is no security principal (MICROSOFT.md §2.4).
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

/// A group gets the first sender's domain, which the tenant surely accepts.
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
