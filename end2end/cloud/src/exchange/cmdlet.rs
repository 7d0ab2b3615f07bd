//! What a cmdlet is: its parameters, the right it needs, and the function that runs it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::errors::CmdletError;
use super::known;
use crate::clock::{Dice, Time};
use crate::journal::{Change, Deed, Thing};
use crate::permissions::DirectoryRole;
use crate::world::tenant::Tenant;

/// What a parameter takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Text,
    /// A list, or one text in place of a list.
    Texts,
    Flag,
    /// A list, or a table that adds to it and removes from it.
    Multi,
    /// A number, or `Unlimited`.
    Size,
    /// An enumeration: type name and values; values are matched by their beginning.
    Choice(&'static str, &'static [&'static str]),
    /// Several of an enumeration.
    Choices(&'static str, &'static [&'static str]),
}

/// A parameter.
#[derive(Debug)]
pub struct Param {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
}

/// Shorthands for the tables.
pub const fn text(name: &'static str) -> Param {
    Param {
        name,
        kind: Kind::Text,
        required: false,
    }
}

/// See [`text`].
pub const fn must(name: &'static str) -> Param {
    Param {
        name,
        kind: Kind::Text,
        required: true,
    }
}

/// See [`text`].
pub const fn of(name: &'static str, kind: Kind) -> Param {
    Param {
        name,
        kind,
        required: false,
    }
}

/// See [`text`].
pub const fn must_be(name: &'static str, kind: Kind) -> Param {
    Param {
        name,
        kind,
        required: true,
    }
}

/// The rights that Exchange's role groups give (MICROSOFT.md §1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    ViewRecipients,
    Recipients,
    ViewConfiguration,
    Configuration,
    /// Role Management: pointers, scopes, assignments.
    Roles,
}

impl Power {
    /// Whether a directory role gives it.
    pub fn given_by(self, role: DirectoryRole) -> bool {
        match role {
            DirectoryRole::GlobalAdministrator | DirectoryRole::ExchangeAdministrator => true,
            DirectoryRole::GlobalReader
            | DirectoryRole::SecurityReader
            | DirectoryRole::SecurityAdministrator => {
                matches!(self, Self::ViewRecipients | Self::ViewConfiguration)
            }
            DirectoryRole::ExchangeRecipientAdministrator => {
                matches!(self, Self::ViewRecipients | Self::Recipients)
            }
            DirectoryRole::HelpdeskAdministrator => self == Self::ViewRecipients,
            _ => false,
        }
    }

    /// Whether a management role gives it, which somebody has by a role group or directly
    /// (§1.6, §10.4).
    pub fn given_by_management_role(self, role: &str) -> bool {
        match role {
            "Organization Configuration" => {
                matches!(self, Self::Configuration | Self::ViewConfiguration)
            }
            "Role Management" => matches!(self, Self::Roles | Self::ViewConfiguration),
            "View-Only Configuration" => self == Self::ViewConfiguration,
            "Distribution Groups"
            | "Mail Recipient Creation"
            | "Mail Recipients"
            | "Security Group Creation and Membership" => {
                matches!(self, Self::Recipients | Self::ViewRecipients)
            }
            "Mailbox Search" | "User Options" | "View-Only Recipients" => {
                self == Self::ViewRecipients
            }
            _ => false,
        }
    }
}

/// The role group of Exchange that a directory role is worth (§1.6).
pub fn role_group(role: DirectoryRole) -> Option<&'static str> {
    match role {
        DirectoryRole::GlobalAdministrator | DirectoryRole::ExchangeAdministrator => {
            Some("Organization Management")
        }
        DirectoryRole::GlobalReader
        | DirectoryRole::SecurityReader
        | DirectoryRole::SecurityAdministrator => Some("View-Only Organization Management"),
        DirectoryRole::ExchangeRecipientAdministrator => Some("Recipient Management"),
        DirectoryRole::HelpdeskAdministrator => Some("Help Desk"),
        _ => None,
    }
}

/// A cmdlet.
#[derive(Debug)]
pub struct Cmdlet {
    pub name: &'static str,
    pub params: &'static [Param],
    pub power: Power,
    pub run: fn(&mut Run<'_>) -> Result<Output, CmdletError>,
}

impl Cmdlet {
    /// Whether it changes something.
    pub fn writes(&self) -> bool {
        !self.name.starts_with("Get-") && !self.name.starts_with("Test-")
    }
}

/// What a cmdlet gives back.
#[derive(Debug)]
pub enum Output {
    Rows(Vec<Map<String, Value>>),
    Nothing,
}

/// Who runs it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The object id of the token.
    pub object: uuid::Uuid,
    pub app_id: uuid::Uuid,
    pub upn: Option<String>,
    pub roles: Vec<DirectoryRole>,
    /// `X-AnchorMailbox`: which server answers.
    pub anchor: Option<String>,
    /// By role groups, or given directly.
    pub management_roles: Vec<String>,
}

impl Caller {
    /// Whether the caller has any role of Exchange.
    pub fn is_known(&self) -> bool {
        !self.management_roles.is_empty()
            || self.roles.iter().any(|role| role_group(*role).is_some())
    }

    pub fn has(&self, power: Power) -> bool {
        self.roles.iter().any(|role| power.given_by(*role))
            || self
                .management_roles
                .iter()
                .any(|role| power.given_by_management_role(role))
    }
}

/// A cmdlet on its run.
#[derive(Debug)]
pub struct Run<'a> {
    /// The cmdlet's name.
    pub cmdlet: &'static str,
    pub tenant: &'a mut Tenant,
    pub dice: &'a mut Dice,
    pub caller: &'a Caller,
    pub args: Args,
    pub warnings: Vec<String>,
    /// What the cmdlet changed so far, for the journal.
    pub changes: Vec<Change>,
}

impl Run<'_> {
    pub fn now(&self) -> Time {
        self.dice.now()
    }

    /// Notes a change for the journal.
    pub fn changed(
        &mut self,
        deed: Deed,
        thing: Thing,
        object: impl ToString,
        name: impl Into<String>,
        detail: Value,
    ) {
        self.changes
            .push(Change::new(deed, thing, object, name, detail));
    }

    /// Whether this cmdlet finds an object of RBAC, which may be too new.
    pub fn finds(&self, id: uuid::Uuid) -> bool {
        self.tenant.exchange.appeared(id, self.dice.now())
    }

    /// Notes that a new object of RBAC is found by other cmdlets a while later.
    pub fn appears_later(&mut self, id: uuid::Uuid) {
        let since = self.dice.later(self.dice.delays.rbac_objects);
        self.tenant.exchange.appears.insert(id, since);
    }

    /// The parameters that were sent beside the identity: what a `Set-` cmdlet says it changes.
    pub fn sent(&self) -> Value {
        let names: Vec<&str> = self
            .args
            .names()
            .filter(|name| !["Identity", "Confirm", "ErrorAction"].contains(name))
            .collect();
        serde_json::json!({ "set": names })
    }

    pub fn not_found(&mut self, object: &str) -> CmdletError {
        let forest = self.tenant.forest();
        CmdletError::not_found(self.dice, &forest, object)
    }

    /// A partner under GDAP, or an application: nobody of this tenant.
    pub fn caller_is_foreign(&self) -> bool {
        !self.tenant.users.contains_key(&self.caller.object)
    }
}

/// A value that fits its parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    Null,
    Text(String),
    Texts(Vec<String>),
    Flag(bool),
    /// None = unlimited.
    Size(Option<usize>),
    Multi(MultiChange),
}

/// What becomes of a property with several values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MultiChange {
    /// All values from now on; none = what is there stays.
    pub all: Option<Vec<String>>,
    pub add: Vec<String>,
    pub remove: Vec<String>,
}

impl MultiChange {
    pub fn apply(&self, list: &mut Vec<String>) {
        if let Some(all) = &self.all {
            list.clone_from(all);
        }
        list.retain(|one| {
            !self
                .remove
                .iter()
                .any(|gone| gone.eq_ignore_ascii_case(one))
        });
        for one in &self.add {
            if !list.iter().any(|known| known.eq_ignore_ascii_case(one)) {
                list.push(one.clone());
            }
        }
    }
}

/// The parameters of a call, by their proper names.
#[derive(Debug, Clone, Default)]
pub struct Args(BTreeMap<&'static str, Arg>);

impl Args {
    /// A text; null and empty texts are none.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Arg::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// A text as it was sent, empty ones included.
    pub fn raw_text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Arg::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub fn texts(&self, name: &str) -> Option<&[String]> {
        match self.0.get(name) {
            Some(Arg::Texts(texts)) => Some(texts),
            _ => None,
        }
    }

    pub fn multi(&self, name: &str) -> Option<&MultiChange> {
        match self.0.get(name) {
            Some(Arg::Multi(change)) => Some(change),
            _ => None,
        }
    }

    /// Whether null was sent, which some parameters take as a value.
    pub fn is_null(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Arg::Null)
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name) {
            Some(Arg::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// `ResultSize`: outer none = not sent, inner none = unlimited.
    pub fn size(&self, name: &str) -> Option<Option<usize>> {
        match self.0.get(name) {
            Some(Arg::Size(size)) => Some(*size),
            _ => None,
        }
    }

    /// Takes a parameter away; says whether it was there.
    pub fn forget(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    /// The names that were sent.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.keys().copied()
    }
}

/// Parameters that every cmdlet takes.
const COMMON: &[Param] = &[
    text("ErrorAction"),
    text("WarningAction"),
    text("InformationAction"),
    of("Verbose", Kind::Flag),
    of("Debug", Kind::Flag),
];
/// Parameters that every changing cmdlet takes.
const CHANGING: &[Param] = &[of("Confirm", Kind::Flag), of("WhatIf", Kind::Flag)];

/// Parameters that exist, change what a cmdlet does or shows, and are not simulated: to take and
/// ignore them would be a lie.
pub const NOT_SIMULATED: &[&str] = &[
    "Archive",
    "BccBlocked",
    "BypassNestedModerationEnabled",
    "CopyOwnerToMember",
    "ForceUpgrade",
    "GetEffectiveUsers",
    "IncludeAcceptMessagesOnlyFromSendersOrMembersWithDisplayNames",
    "IncludeBypassModerationFromSendersOrMembersWithDisplayNames",
    "IncludeGrantSendOnBehalfToWithDisplayNames",
    "IncludeModeratedByWithDisplayNames",
    "MailTip",
    "ModeratedBy",
    "ModerationEnabled",
    "OrganizationalUnit",
    "RoomList",
    "SendModerationNotifications",
    "SortBy",
];

/// Fits the sent parameters to the cmdlet's. Names match without case; unknown ones are refused
/// before values are looked at.
pub fn bind(cmdlet: &Cmdlet, sent: &Map<String, Value>) -> Result<Args, CmdletError> {
    let mut bound = Vec::new();
    let mut lacking = None;
    for (name, value) in sent {
        if name.contains("@odata.type") || name.contains("@data.type") {
            continue;
        }
        let known = cmdlet
            .params
            .iter()
            .chain(COMMON)
            .chain(if cmdlet.writes() { CHANGING } else { &[] })
            .find(|param| param.name.eq_ignore_ascii_case(name));
        match (known, known::parameter(cmdlet.name, name)) {
            (Some(known), _) => bound.push((known, value)),
            (None, Some(documented)) => {
                let not_sent =
                    value.is_null() || (documented.switch && *value == Value::Bool(false));
                if !not_sent {
                    lacking = Some(documented.name);
                }
            }
            (None, None) => return Err(CmdletError::unknown_parameter(name)),
        }
    }
    let missing: Vec<&str> = cmdlet
        .params
        .iter()
        .filter(|param| param.required)
        .filter(|param| {
            !bound
                .iter()
                .any(|(known, value)| known.name == param.name && !value.is_null())
        })
        .map(|param| param.name)
        .collect();
    if !missing.is_empty() {
        return Err(CmdletError::missing_parameters(&missing.join(" ")));
    }
    if let Some(name) = lacking {
        return Err(CmdletError::not_simulated(&format!(
            "what {} does with -{name}",
            cmdlet.name
        )));
    }
    let mut args = Args::default();
    for (param, value) in bound {
        let arg = convert(param, value)?;
        if NOT_SIMULATED.contains(&param.name) && !matches!(arg, Arg::Null | Arg::Flag(false)) {
            return Err(CmdletError::not_simulated(&format!(
                "what {} does with -{}",
                cmdlet.name, param.name
            )));
        }
        args.0.insert(param.name, arg);
    }
    Ok(args)
}

fn convert(param: &Param, value: &Value) -> Result<Arg, CmdletError> {
    let refuse = |kind: &str, why: &str| {
        Err(CmdletError::transformation(
            param.name,
            &plain(value),
            kind,
            why,
        ))
    };
    if value.is_null() {
        return Ok(Arg::Null);
    }
    match param.kind {
        Kind::Text => match value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(Arg::Text(plain(value))),
            _ => refuse(
                "System.String",
                "Cannot convert value to type System.String.",
            ),
        },
        Kind::Texts => match texts(value) {
            Some(texts) => Ok(Arg::Texts(texts)),
            None => refuse(
                "System.String[]",
                "Cannot convert value to type System.String[].",
            ),
        },
        Kind::Multi => match multi(value) {
            Some(change) => Ok(Arg::Multi(change)),
            None => refuse(
                "Microsoft.Exchange.Data.MultiValuedProperty`1[System.String]",
                "Cannot convert value to type System.String.",
            ),
        },
        Kind::Flag => match value {
            Value::Bool(flag) => Ok(Arg::Flag(*flag)),
            _ => refuse(
                "System.Management.Automation.SwitchParameter",
                "Boolean parameters accept only Boolean values and numbers, such as $True, $False, 1 or 0.",
            ),
        },
        Kind::Size => match value {
            Value::Number(number) => match number.as_u64().and_then(|n| usize::try_from(n).ok()) {
                Some(size) if size > 0 => Ok(Arg::Size(Some(size))),
                _ => refuse(
                    "Microsoft.Exchange.Data.Unlimited`1[System.UInt32]",
                    "The value is out of range.",
                ),
            },
            Value::String(text) if text.eq_ignore_ascii_case("unlimited") => Ok(Arg::Size(None)),
            Value::String(text) => match text.parse::<usize>() {
                Ok(size) if size > 0 => Ok(Arg::Size(Some(size))),
                _ => refuse(
                    "Microsoft.Exchange.Data.Unlimited`1[System.UInt32]",
                    "Input string was not in a correct format.",
                ),
            },
            _ => refuse(
                "Microsoft.Exchange.Data.Unlimited`1[System.UInt32]",
                "Input string was not in a correct format.",
            ),
        },
        Kind::Choice(kind, values) => match value.as_str().and_then(|text| choose(text, values)) {
            Some(found) => Ok(Arg::Text(found.to_owned())),
            None => refuse(kind, &no_such(value, values)),
        },
        Kind::Choices(kind, values) => {
            let chosen: Option<Vec<String>> = texts(value).and_then(|texts| {
                texts
                    .iter()
                    .flat_map(|text| text.split(','))
                    .map(|text| choose(text.trim(), values).map(str::to_owned))
                    .collect()
            });
            match chosen {
                Some(chosen) => Ok(Arg::Texts(chosen)),
                None => refuse(&format!("{kind}[]"), &no_such(value, values)),
            }
        }
    }
}

/// Enumerations match by their beginning, as PowerShell does (§1.3): a wrong value can mean
/// something else instead of failing.
fn choose(text: &str, values: &'static [&'static str]) -> Option<&'static str> {
    let wanted = text.to_lowercase();
    if wanted.is_empty() {
        return None;
    }
    values
        .iter()
        .find(|value| value.to_lowercase() == wanted)
        .or_else(|| {
            values
                .iter()
                .find(|value| value.to_lowercase().starts_with(&wanted))
        })
        .copied()
}

fn no_such(value: &Value, values: &[&str]) -> String {
    format!(
        "Unable to match the identifier name {} to a valid enumerator name. Specify one of the following enumerator names and try again: {}",
        plain(value),
        values.join(", ")
    )
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A list, or `{"@odata.type": "#Exchange.GenericHashTable", "Add": …, "Remove": …}` (§1.2).
fn multi(value: &Value) -> Option<MultiChange> {
    let Value::Object(table) = value else {
        return texts(value).map(|all| MultiChange {
            all: Some(all),
            ..MultiChange::default()
        });
    };
    if table.get("@odata.type").and_then(Value::as_str) != Some("#Exchange.GenericHashTable") {
        return None;
    }
    let mut change = MultiChange::default();
    for (name, value) in table {
        match name.to_ascii_lowercase().as_str() {
            "add" => change.add = texts(value)?,
            "remove" => change.remove = texts(value)?,
            other if other.starts_with('@') || other.contains("@odata") => {}
            _ => return None,
        }
    }
    Some(change)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    const CMDLET: Cmdlet = Cmdlet {
        name: "Get-Thing",
        params: &[
            text("Identity"),
            of("ResultSize", Kind::Size),
            of("Type", Kind::Choice("Thing", &["Security", "Distribution"])),
        ],
        power: Power::ViewRecipients,
        run: |_| Ok(Output::Nothing),
    };

    fn bound(value: Value) -> Result<Args, CmdletError> {
        bind(&CMDLET, value.as_object().unwrap())
    }

    #[test]
    fn names_and_values_are_lenient_in_case_only() {
        let args =
            bound(json!({"identity": "x", "RESULTSIZE": "unlimited", "Type": "sec"})).unwrap();
        assert_eq!(args.text("Identity"), Some("x"));
        assert_eq!(args.size("ResultSize"), Some(None));
        assert_eq!(args.text("Type"), Some("Security"));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(
            bound(json!({"Bogus": 1}))
                .unwrap_err()
                .text
                .ends_with("specified. Bogus")
        );
        assert!(
            bound(json!({"Type": "Nonsense"}))
                .unwrap_err()
                .text
                .contains("enumerator")
        );
        assert!(bound(json!({"Identity": {"a": 1}})).is_err());
        assert!(bound(json!({"Confirm": true})).is_err());
    }
}
