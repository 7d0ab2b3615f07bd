//! Application access policies, and the organisation's settings (MICROSOFT.md §2.4).

use domain::{
    address::MailAddress,
    application::{AccessPolicy, AccessRight},
    cmdlet::Cmdlet,
    id::{AppId, ObjectId},
};

use super::{
    groups::{done_unless, none_if_missing},
    invoke::How,
    row::Row,
};
use crate::{
    call::{Call, Trace, shorten_to},
    customer::Customer,
    error::{Error, Fault, Kind, Result, Service},
};

/// The result of Exchange's own policy test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestAnswer {
    Granted,
    Denied,
    /// The answer is neither of the two known words. Holds the actual text.
    Unclear(String),
}

/// The organisation's settings on which a setup depends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationConfig {
    pub name: String,
    /// The organisation was never customised: Exchange refuses some changes until it is.
    pub is_dehydrated: bool,
    /// A setting that Microsoft has not documented yet (§3.2). None when the tenant does not have
    /// it.
    pub enforces_app_rbac: Option<bool>,
}

impl Customer {
    /// All access policies of the tenant.
    ///
    /// # Errors
    /// [`Kind::Malformed`] when a policy is not understood: without it the effective access would
    /// be wrong.
    pub async fn policies(&self) -> Result<Call<Vec<AccessPolicy>>> {
        let cmdlet = Cmdlet::new("Get-ApplicationAccessPolicy");
        // Exchange can report an empty list as “not found”. The call names no other object (§2.4).
        let call = none_if_missing(self.rows(&cmdlet, How::read(&[])).await)?;
        let policies: Result<Vec<AccessPolicy>> = call
            .value
            .iter()
            .map(|row| policy(row, &call.trace))
            .collect();
        Ok(Call {
            value: policies?,
            trace: Trace {
                sent: cmdlet.line(),
                ..call.trace
            },
        })
    }

    /// Asks Exchange whether the policies let an application into a mailbox. The answer covers only
    /// policies, and is ahead of the caches that decide in the end (§2.4).
    pub async fn test_policy(&self, app: AppId, mailbox: &MailAddress) -> Result<Call<TestAnswer>> {
        let call = self.rows(&test(app, mailbox), How::read(&[])).await?;
        Ok(Call {
            value: the_answer(app, mailbox, &call.value, &call.trace)?,
            trace: call.trace,
        })
    }

    /// Tests many mailboxes as [`Customer::test_policy`] does, in their order. None where Exchange
    /// finds no such mailbox. Needs few calls for many mailboxes.
    ///
    /// # Errors
    /// As [`Customer::test_policy`].
    pub async fn test_policies(
        &self,
        app: AppId,
        mailboxes: &[MailAddress],
    ) -> Result<Call<Vec<Option<TestAnswer>>>> {
        let cmdlets: Vec<Cmdlet> = mailboxes.iter().map(|one| test(app, one)).collect();
        let call = self.rows_of_each(&cmdlets, &[]).await?;
        let mut answers = Vec::with_capacity(mailboxes.len());
        for (mailbox, rows) in mailboxes.iter().zip(call.value) {
            answers.push(match rows {
                Some(rows) => Some(the_answer(app, mailbox, &rows, &call.trace)?),
                None => None,
            });
        }
        Ok(Call {
            value: answers,
            trace: call.trace,
        })
    }

    /// Removes a policy. Returns false when there was none.
    pub async fn remove_policy(&self, identity: &str) -> Result<Call<bool>> {
        let cmdlet = Cmdlet::new("Remove-ApplicationAccessPolicy")
            .with("Identity", identity)
            .with("Confirm", false);
        done_unless(&cmdlet, self.run(&cmdlet).await, &[Fault::NotFound])
    }

    /// The organisation's settings.
    pub async fn organization_config(&self) -> Result<Call<OrganizationConfig>> {
        let cmdlet = Cmdlet::new("Get-OrganizationConfig");
        let call = self
            .rows(
                &cmdlet,
                How::read(&["Name", "IsDehydrated", "EnforceExoAppRbacPermissions"]),
            )
            .await?;
        let malformed = || {
            Error::new(Service::Exchange, Kind::Malformed, call.trace.clone())
                .with_message("the organisation's settings are not understood")
        };
        let row = call.value.first().ok_or_else(malformed)?;
        let value = OrganizationConfig {
            name: row.text("Name").unwrap_or_default().to_owned(),
            is_dehydrated: row.flag("IsDehydrated").ok_or_else(malformed)?,
            enforces_app_rbac: row.flag("EnforceExoAppRbacPermissions"),
        };
        Ok(Call {
            value,
            trace: call.trace,
        })
    }

    /// Whether the account that consented has an Exchange role for access policies. True: the
    /// policies can be read, with *Organization Configuration* or *View-Only Configuration*. Only
    /// the first may write (§1.6), which shows at the first write. False: the account has neither
    /// role.
    pub async fn may_read_policies(&self) -> Result<Call<bool>> {
        match self.policies().await {
            Ok(call) => Ok(call.map(|_| true)),
            Err(error) if *error.kind() == Kind::ExchangeRoleMissing => Ok(Call {
                value: false,
                trace: error.trace().clone(),
            }),
            Err(error) => Err(error),
        }
    }
}

fn test(app: AppId, mailbox: &MailAddress) -> Cmdlet {
    Cmdlet::new("Test-ApplicationAccessPolicy")
        .with("Identity", mailbox.as_str())
        .with("AppId", app.to_string())
}

/// The test answer for this application.
fn the_answer(
    app: AppId,
    mailbox: &MailAddress,
    rows: &[Row],
    trace: &Trace,
) -> Result<TestAnswer> {
    let mismatch = |what: &str| {
        Err(Error::new(Service::Exchange, Kind::Mismatch, trace.clone())
            .with_subject(mailbox.as_str())
            .with_message(what))
    };
    let [row] = rows else {
        return mismatch("the test did not give one answer");
    };
    if row.id("AppId").is_some_and(|id| id != app.0) {
        return mismatch("the test is about another application");
    }
    Ok(test_answer(row))
}

/// Parses the answer, a word or a switch. A translated word does not count as an answer (§2.4).
fn test_answer(row: &Row) -> TestAnswer {
    const PROPERTY: &str = "AccessCheckResult";
    match (row.flag(PROPERTY), row.text(PROPERTY)) {
        (Some(true), _) | (_, Some("Granted")) => TestAnswer::Granted,
        (Some(false), _) | (_, Some("Denied")) => TestAnswer::Denied,
        (_, Some(other)) => TestAnswer::Unclear(shorten_to(other, 100)),
        (_, None) => TestAnswer::Unclear(row.get(PROPERTY).map_or_else(
            || "nothing".to_owned(),
            |value| shorten_to(&value.to_string(), 100),
        )),
    }
}

fn policy(row: &Row, trace: &Trace) -> Result<AccessPolicy> {
    let unreadable = |property: &str| {
        Error::new(Service::Exchange, Kind::Malformed, trace.clone())
            .with_message(format!("a policy has no usable {property}"))
    };
    let text = |property: &str| row.text(property).ok_or_else(|| unreadable(property));
    let identity = text("Identity")?;
    let app_id = match text("AppId")? {
        "*" => None,
        id => Some(id.parse().map_err(|_| unreadable("AppId"))?),
    };
    let right = match text("AccessRight")? {
        "RestrictAccess" => AccessRight::RestrictAccess,
        "DenyAccess" => AccessRight::DenyAccess,
        _ => return Err(unreadable("AccessRight")),
    };
    let scope_name = row
        .text("ScopeName")
        .or(row.text("ScopeIdentity"))
        .unwrap_or_default();
    Ok(AccessPolicy {
        identity: identity.to_owned(),
        app_id,
        right,
        scope_name: scope_name.to_owned(),
        // The form is `{SID};{object id}`, which also ends the identity.
        scope_object: row
            .text("ScopeIdentityRaw")
            .and_then(object_in)
            .or_else(|| object_in(identity)),
        description: row.list("Description").join("\n"),
        valid: row.flag("IsValid").unwrap_or(true),
    })
}

fn object_in(raw: &str) -> Option<ObjectId> {
    raw.rsplit_once(';')?.1.parse().ok()
}
