//! Groups and their members (MICROSOFT.md §2.1 to §2.3).

use domain::{address::MailAddress, cmdlet::Cmdlet, id::ObjectId};
use uuid::Uuid;

use super::{invoke::How, row::Row};
use crate::{
    call::{Call, Trace},
    customer::Customer,
    error::{Error, Fault, Kind, Result, Service},
};

/// A group as Exchange shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExGroup {
    /// Its object id in Entra; none until the two directories know of each other.
    pub object: Option<ObjectId>,
    /// Exchange's own id, there from the beginning.
    pub guid: Uuid,
    /// Can differ from the name that was asked for (§2.1).
    pub name: String,
    pub display: String,
    pub address: MailAddress,
    /// Distinguished name; empty for a moment after it was made.
    pub dn: String,
    /// `RecipientTypeDetails`.
    pub details: String,
    pub description: Option<String>,
    /// From the address lists.
    pub hidden: bool,
    /// As Exchange says them: GUIDs, in the cloud.
    pub managed_by: Vec<String>,
    /// Managed on premises: nothing of it can be changed in the cloud (§2.2).
    pub synced: bool,
}

impl ExGroup {
    /// Of the only kind that an access policy takes (§2.4).
    pub fn is_mail_enabled_security(&self) -> bool {
        self.details == MAIL_ENABLED_SECURITY
    }

    /// Whether its description begins with this mark, which the setup wrote.
    pub fn is_described(&self, marker: &str) -> bool {
        self.description
            .as_deref()
            .and_then(|text| text.trim_start().strip_prefix(marker))
            // The mark ends there: it is no longer one that begins alike.
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
    }

    /// What names it best: its object id, else its address.
    pub fn identity(&self) -> String {
        self.object.map_or_else(
            || self.address.as_str().to_owned(),
            |object| object.to_string(),
        )
    }
}

const MAIL_ENABLED_SECURITY: &str = "MailUniversalSecurityGroup";

/// A member of a group, of whatever kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub object: Option<ObjectId>,
    pub address: Option<MailAddress>,
    pub name: String,
    /// `RecipientTypeDetails`.
    pub details: String,
}

const GROUP: &[&str] = &[
    "Identity",
    "Name",
    "Alias",
    "DisplayName",
    "PrimarySmtpAddress",
    "EmailAddresses",
    "DistinguishedName",
    "Guid",
    "ExternalDirectoryObjectId",
    "RecipientTypeDetails",
    "Description",
    "HiddenFromAddressListsEnabled",
    "ManagedBy",
    "IsDirSynced",
];

const MEMBER: &[&str] = &[
    "Name",
    "DisplayName",
    "PrimarySmtpAddress",
    "ExternalDirectoryObjectId",
    "RecipientTypeDetails",
];

/// What a group can be asked for by.
const NAMES: &[&str] = &[
    "ExternalDirectoryObjectId",
    "Guid",
    "PrimarySmtpAddress",
    "EmailAddresses",
    "Name",
    "Alias",
    "DisplayName",
    "DistinguishedName",
    "Identity",
];

impl Customer {
    /// A group by object id, address, name or DN; none when Exchange has none.
    ///
    /// # Errors
    /// [`Kind::Mismatch`] when what came back is not what was asked for, or several are.
    pub async fn group(&self, identity: &str) -> Result<Call<Option<ExGroup>>> {
        let cmdlet = Cmdlet::new("Get-DistributionGroup").with("Identity", identity);
        let call = none_if_missing(self.rows(&cmdlet, How::read(GROUP)).await)?;
        // Exchange gives other objects for identities that it cannot use (§2).
        let asked = |row: &Row| row.is(identity, NAMES);
        // … the list of all too, which looks like another object where there is only one.
        if let [other] = call.value.as_slice()
            && !asked(other)
            && self.is_all_there_is(other).await?
        {
            return Ok(Call {
                value: None,
                trace: call.trace,
            });
        }
        let (row, trace) = the_one(call, asked)?;
        let value = row.map(|row| group(&row, &trace)).transpose()?;
        Ok(Call { value, trace })
    }

    async fn is_all_there_is(&self, group: &Row) -> Result<bool> {
        let cmdlet = Cmdlet::new("Get-DistributionGroup").with("ResultSize", "Unlimited");
        let all = self.rows(&cmdlet, How::read(GROUP)).await?.value;
        let same = |row: &Row| row.id("Guid").is_some() && row.id("Guid") == group.id("Guid");
        Ok(matches!(all.as_slice(), [only] if same(only)))
    }

    /// Makes a group. Gives Exchange's own id of it, where the answer tells it.
    pub async fn make_group(&self, cmdlet: &Cmdlet) -> Result<Call<Option<Uuid>>> {
        let call = self.run(cmdlet).await?;
        Ok(call.map(|rows| rows.first().and_then(|row| row.id("Guid"))))
    }

    /// The mail-enabled security groups whose description begins with this mark. Reads all groups
    /// of that kind and looks at each: nothing says that Exchange filters by description.
    pub async fn groups_described(&self, marker: &str) -> Result<Call<Vec<ExGroup>>> {
        let cmdlet = Cmdlet::new("Get-DistributionGroup")
            .with("RecipientTypeDetails", MAIL_ENABLED_SECURITY)
            .with("ResultSize", "Unlimited");
        let call = self.rows(&cmdlet, How::read(GROUP)).await?;
        let mut groups = Vec::new();
        for row in &call.value {
            let described = row
                .list("Description")
                .iter()
                .any(|text| text.trim_start().starts_with(marker));
            if described {
                let group = group(row, &call.trace)?;
                if group.is_described(marker) {
                    groups.push(group);
                }
            }
        }
        Ok(Call {
            value: groups,
            trace: call.trace,
        })
    }

    /// The direct members of a group.
    ///
    /// # Errors
    /// [`Fault::NotFound`] when there is no such group.
    pub async fn group_members(&self, identity: &str) -> Result<Call<Vec<Member>>> {
        let cmdlet = Cmdlet::new("Get-DistributionGroupMember")
            .with("Identity", identity)
            .with("ResultSize", "Unlimited");
        let call = self.rows(&cmdlet, How::read(MEMBER)).await?;
        Ok(call.map(|rows| rows.iter().map(member).collect()))
    }

    /// Adds a member. True: it was added; false: it was one already.
    pub async fn add_member(&self, cmdlet: &Cmdlet) -> Result<Call<bool>> {
        done_unless(cmdlet, self.run(cmdlet).await, &[Fault::AlreadyMember])
    }

    /// Takes a member out. True: it was taken out; false: it was none.
    pub async fn remove_member(&self, group: &str, member: &str) -> Result<Call<bool>> {
        let cmdlet = Cmdlet::new("Remove-DistributionGroupMember")
            .with("Identity", group)
            .with("Member", member)
            .with("BypassSecurityGroupManagerCheck", true)
            .with("Confirm", false);
        done_unless(&cmdlet, self.run(&cmdlet).await, &[Fault::NotMember])
    }

    /// Removes a group for good: there is no recycle bin (§2.2). False: there was none.
    pub async fn remove_group(&self, identity: &str) -> Result<Call<bool>> {
        let cmdlet = Cmdlet::new("Remove-DistributionGroup")
            .with("Identity", identity)
            .with("BypassSecurityGroupManagerCheck", true)
            .with("Confirm", false);
        done_unless(&cmdlet, self.run(&cmdlet).await, &[Fault::NotFound])
    }
}

/// Success, or one of the failures that mean “it is so already”.
pub(super) fn done_unless(
    cmdlet: &Cmdlet,
    outcome: Result<Call<Vec<Row>>>,
    already: &[Fault],
) -> Result<Call<bool>> {
    match outcome {
        Ok(call) => Ok(call.map(|_| true)),
        Err(error) if error.fault().is_some_and(|fault| already.contains(&fault)) => Ok(Call {
            value: false,
            trace: Trace {
                sent: cmdlet.line(),
                ..error.trace().clone()
            },
        }),
        Err(error) => Err(error),
    }
}

/// No rows when Exchange says that the object does not exist.
pub(super) fn none_if_missing(outcome: Result<Call<Vec<Row>>>) -> Result<Call<Vec<Row>>> {
    match outcome {
        Err(error) if error.fault() == Some(Fault::NotFound) => Ok(Call {
            value: Vec::new(),
            trace: error.trace().clone(),
        }),
        other => other,
    }
}

/// The only row that is what was asked for; none of none. An identity that nothing has can bring
/// the list of everything (MICROSOFT.md §2): several rows of which none fits mean that it is not
/// there. One row of something else means nothing.
pub(super) fn the_one(
    call: Call<Vec<Row>>,
    asked: impl Fn(&Row) -> bool,
) -> Result<(Option<Row>, Trace)> {
    let mismatch = |trace: Trace, what: &str| {
        Err(Error::new(Service::Exchange, Kind::Mismatch, trace).with_message(what))
    };
    if call.value.is_empty() {
        return Ok((None, call.trace));
    }
    let everything = call.value.len() > 1;
    let mut fitting = call.value.into_iter().filter(|row| asked(row));
    match (fitting.next(), fitting.next()) {
        (Some(row), None) => Ok((Some(row), call.trace)),
        (Some(_), Some(_)) => mismatch(call.trace, "several objects have that name"),
        (None, _) if everything => Ok((None, call.trace)),
        (None, _) => mismatch(call.trace, "Exchange answered with another object"),
    }
}

fn group(row: &Row, trace: &Trace) -> Result<ExGroup> {
    let unreadable = |property: &str| {
        Error::new(Service::Exchange, Kind::Malformed, trace.clone())
            .with_message(format!("the group has no usable {property}"))
    };
    let text = |property: &str| row.text(property).ok_or_else(|| unreadable(property));
    let address = text("PrimarySmtpAddress")?
        .parse()
        .map_err(|_| unreadable("PrimarySmtpAddress"))?;
    let name = text("Name")?.to_owned();
    Ok(ExGroup {
        object: row.id("ExternalDirectoryObjectId").map(ObjectId),
        guid: row.id("Guid").ok_or_else(|| unreadable("Guid"))?,
        display: row.name("DisplayName").unwrap_or_else(|| name.clone()),
        name,
        address,
        dn: row.text("DistinguishedName").unwrap_or_default().to_owned(),
        details: text("RecipientTypeDetails")?.to_owned(),
        description: Some(row.list("Description").join("\n")).filter(|text| !text.is_empty()),
        hidden: row.flag("HiddenFromAddressListsEnabled").unwrap_or(false),
        managed_by: row.list("ManagedBy"),
        synced: row.flag("IsDirSynced").unwrap_or(false),
    })
}

fn member(row: &Row) -> Member {
    let address = row.text("PrimarySmtpAddress");
    Member {
        object: row.id("ExternalDirectoryObjectId").map(ObjectId),
        address: address.and_then(|text| text.parse().ok()),
        name: row
            .name("DisplayName")
            .or_else(|| row.name("Name"))
            .or_else(|| address.map(str::to_owned))
            .unwrap_or_default(),
        details: row
            .text("RecipientTypeDetails")
            .unwrap_or_default()
            .to_owned(),
    }
}
