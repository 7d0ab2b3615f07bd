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
    /// The group's object id in Entra. None until the two directories are in sync.
    pub object: Option<ObjectId>,
    /// Exchange's own id, which exists from the beginning.
    pub guid: Uuid,
    /// Can differ from the requested name (§2.1).
    pub name: String,
    pub display: String,
    pub address: MailAddress,
    /// Distinguished name. Empty for a moment after the group was created.
    pub dn: String,
    /// `RecipientTypeDetails`.
    pub details: String,
    pub description: Option<String>,
    /// Whether the group is hidden from the address lists.
    pub hidden: bool,
    /// The managers as Exchange writes them: GUIDs, in the cloud.
    pub managed_by: Vec<String>,
    /// The group is managed on premises: nothing of it can be changed in the cloud (§2.2).
    pub synced: bool,
}

impl ExGroup {
    /// Whether the group is of the only kind that an access policy takes (§2.4).
    pub fn is_mail_enabled_security(&self) -> bool {
        self.details == MAIL_ENABLED_SECURITY
    }

    /// Whether the description begins with this ownership tag (`marker`), which the setup wrote.
    pub fn is_described(&self, marker: &str) -> bool {
        self.description
            .as_deref()
            .and_then(|text| text.trim_start().strip_prefix(marker))
            // The tag must end here. Otherwise the description begins with a longer tag.
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
    }

    /// The best identity of the group: its object id, otherwise its address.
    pub fn identity(&self) -> String {
        self.object.map_or_else(
            || self.address.as_str().to_owned(),
            |object| object.to_string(),
        )
    }
}

const MAIL_ENABLED_SECURITY: &str = "MailUniversalSecurityGroup";

/// A member of a group, of any kind.
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

/// The properties by which a group can be requested.
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
    /// A group by object id, address, name or DN. None when Exchange has none.
    ///
    /// # Errors
    /// [`Kind::Mismatch`] when the result is not the requested group, or when several groups match.
    pub async fn group(&self, identity: &str) -> Result<Call<Option<ExGroup>>> {
        let cmdlet = Cmdlet::new("Get-DistributionGroup").with("Identity", identity);
        let call = none_if_missing(self.rows(&cmdlet, How::read(GROUP)).await)?;
        // For an identity that it cannot use, Exchange returns other objects (§2).
        let asked = |row: &Row| row.is(identity, NAMES);
        // Exchange may also return the list of all groups. With only one group in the tenant, the
        // list looks like another object.
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

    /// Creates a group. Returns Exchange's own id of it, if the response has it.
    pub async fn make_group(&self, cmdlet: &Cmdlet) -> Result<Call<Option<Uuid>>> {
        let call = self.run(cmdlet).await?;
        Ok(call.map(|rows| rows.first().and_then(|row| row.id("Guid"))))
    }

    /// The mail-enabled security groups whose description begins with this ownership tag. Reads all
    /// groups of that kind and checks each, because no documentation says that Exchange filters by
    /// description.
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

    /// Adds a member. Returns true when the member was added, false when it was a member already.
    pub async fn add_member(&self, cmdlet: &Cmdlet) -> Result<Call<bool>> {
        done_unless(cmdlet, self.run(cmdlet).await, &[Fault::AlreadyMember])
    }

    /// Removes a member. Returns true when the member was removed, false when it was not a member.
    pub async fn remove_member(&self, group: &str, member: &str) -> Result<Call<bool>> {
        let cmdlet = Cmdlet::new("Remove-DistributionGroupMember")
            .with("Identity", group)
            .with("Member", member)
            .with("BypassSecurityGroupManagerCheck", true)
            .with("Confirm", false);
        done_unless(&cmdlet, self.run(&cmdlet).await, &[Fault::NotMember])
    }

    /// Removes a group permanently: there is no recycle bin (§2.2). Returns false when there was no
    /// group.
    pub async fn remove_group(&self, identity: &str) -> Result<Call<bool>> {
        let cmdlet = Cmdlet::new("Remove-DistributionGroup")
            .with("Identity", identity)
            .with("BypassSecurityGroupManagerCheck", true)
            .with("Confirm", false);
        done_unless(&cmdlet, self.run(&cmdlet).await, &[Fault::NotFound])
    }
}

/// Returns true on success, and false for one of the `faults` that mean “it is so already”.
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

/// An empty list when Exchange says that the object does not exist.
pub(super) fn none_if_missing(outcome: Result<Call<Vec<Row>>>) -> Result<Call<Vec<Row>>> {
    match outcome {
        Err(error) if error.fault() == Some(Fault::NotFound) => Ok(Call {
            value: Vec::new(),
            trace: error.trace().clone(),
        }),
        other => other,
    }
}

/// The only row that is the requested object. None when there are no rows. For an unknown identity
/// Exchange can return the list of everything (MICROSOFT.md §2): several rows without a match mean
/// that the object does not exist. A single row of another object allows no conclusion, and is an
/// error.
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
