//! Where the sources disagree about what Exchange does, a tenant can be either way; and what a
//! recipient has beside its own fields.

use std::collections::BTreeMap;

use uuid::Uuid;

/// Which groups inside a policy's group count (MICROSOFT.md §2.4: disputed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nesting {
    /// All of them.
    #[default]
    Honoured,
    /// Mail-enabled security groups; a plain distribution group is no security principal.
    SecurityOnly,
    /// None: direct members only.
    Ignored,
}

impl Nesting {
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "honoured" => Some(Self::Honoured),
            "security_only" => Some(Self::SecurityOnly),
            "ignored" => Some(Self::Ignored),
            _ => None,
        }
    }
}

/// What `CustomResourceScope` says of an assignment with `-RecipientGroupScope` (§3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupScopeShape {
    /// The group's name.
    #[default]
    Name,
    /// An automatic scope: the group's name, `_`, a GUID.
    Automatic,
}

impl GroupScopeShape {
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "name" => Some(Self::Name),
            "automatic" => Some(Self::Automatic),
            _ => None,
        }
    }
}

/// How a service principal shows in `User` and `Trustee` (§2.6: UNVERIFIED).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrincipalShown {
    #[default]
    ObjectId,
    Name,
    Sid,
}

impl PrincipalShown {
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "object_id" => Some(Self::ObjectId),
            "name" => Some(Self::Name),
            "sid" => Some(Self::Sid),
            _ => None,
        }
    }
}

/// How a tenant's Exchange is.
#[derive(Debug, Clone, Default)]
pub struct Habits {
    pub nesting: Nesting,
    pub group_scopes: GroupScopeShape,
    pub principals: PrincipalShown,
    /// Entra's grants reach no mailbox by themselves; a role of Exchange opens (§3.9). The
    /// property of the organisation does not show it.
    pub app_rbac_required: bool,
    /// The parameters and properties of §2.8 about EWS are not there yet.
    pub ews_unknown: bool,
    /// `EwsEnabled` true with an empty `EwsAllowedAppIDs` blocks (§2.8: disputed).
    pub ews_empty_list_blocks: bool,
    /// How often the tenant moved to another forest, which changes every distinguished name.
    pub relocations: u32,
}

/// What a recipient has beside its own fields, by object id.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// Managed on premises: the cloud refuses changes (§1.7).
    pub dir_synced: bool,
    /// `CustomAttribute1` to `15` of a group; people have them in their mailbox.
    pub custom_attributes: BTreeMap<u8, String>,
    /// `GrantSendOnBehalfTo`.
    pub send_on_behalf: Vec<Uuid>,
}

/// Something that was deleted and still holds its addresses.
#[derive(Debug, Clone)]
pub struct SoftDeleted {
    pub id: Uuid,
    pub display_name: String,
    pub details: &'static str,
    pub smtp: String,
    pub aliases: Vec<String>,
}
