//! What MICROSOFT.md leaves open, decided once.
//!
//! Every choice in this file is marked UNVERIFIED there, or conflicts between its sources. Nothing
//! else in the crate decides such a thing on its own. The delays are ranges from which a seeded
//! draw is made; a test sets them with `POST /_cloud/delays`.
//!
//! Further decisions that have no constant:
//!
//! - A token at the customer's tenant under GDAP carries the partner user's own `oid` and the
//!   directory roles of the relationship in `wids`; `/me` is not found there.
//! - `Get-EXOMailbox` and `Get-EXORecipient` are functions of the module, not cmdlets of the
//!   service: unknown cmdlet, so 403 with NUL bytes.
//! - A cmdlet outside the caller's Exchange role is treated as unknown (403 with NUL bytes); the
//!   text form ("not present in the role definition") is a fault that a test can set.
//! - A second policy for the same application and group is refused as existing, whatever its
//!   right, because its identity would be the same.
//! - `New-ApplicationAccessPolicy` needs the group in Exchange only, not in Graph.
//! - `AccessCheckResult` is a string; `InScope` is a string too ("True", "False", "Not Run").
//! - A role assignment with `-RecipientGroupScope` shows as `ScopeType` "Group".
//! - The first page of Exchange without `X-AnchorMailbox` gets a link that never works: that is
//!   the likely reason of the one measurement in which it did not (§1.3).
//! - A tenant without Exchange has no service principal for it: a token for it is refused with
//!   650052.
//! - A person reads directory roles with the scope and any directory role of their own (§10.3).
//! - v1.0 leaves service principals out of a group's members unless they are asked for by their
//!   type; beta shows them.
//! - `agentIdentityBlueprintId` can be selected behind the type's name alone: it is a property of the
//!   derived type. An agent's client id is its object id.
//! - An access policy compares the client id of the token, so one for a blueprint does not hold its
//!   children (§10.8: inferred); 70021 refuses whoever has no exchange token for an agent.
//! - Of an address that is neither id nor user principal name, a primary one gets `ErrorInvalidUser`
//!   and an alias `ResourceNotFound`; a used-up quota is 403 (§5.1 has both statuses).
//! - Lists of programs are asked after the access policy.
//! - Scopes that an administrator consented to begin with a blank in `oauth2PermissionGrants`.
//! - `EnforceExoAppRbacPermissions` true does what reports of 2026 tell without having read it
//!   (§3.9): Entra's grants on mailboxes are refused as by an access policy, and only roles of
//!   Exchange open. `OverrideEnforceExoAppRbacPermissions` of a service principal exempts it. The
//!   same without the property is a tenant's habit (`app_rbac_required`).
//! - A service principal shows in `User` and `Trustee` by its object id; a tenant can do otherwise.
//! - SMTP without the role needs a pointer and SendAs or FullAccess on the mailbox (§2.6 reads
//!   either way). Rights and memberships in role groups go with the pointer.
//! - Membership of a role group counts at once, not from the next session on (§1.6).
//! - `Get-MailboxPermission` and its kin warn about what is there already or not there, as the
//!   cmdlets do; the words are our own.
//! - Taken names, addresses and aliases are looked at in this order, and each has a text of its
//!   own (§1.7); which type belongs to which is open.
//! - What is soft-deleted shows with `IncludeSoftDeletedRecipients` only.
//! - The automatic scope of an assignment to a group is not among `Get-ManagementScope`'s.
//! - `EwsEnabled` null works as true, as before October 2026 (§2.8); a test sets it to false.
//! - Members of a kind that is accepted and not listed (`unlisted_members`) count for policies
//!   and for their test.
//! - The words of a test's result in other languages are our own translations.
//! - A removing cmdlet without `Confirm: false` is refused: somebody would have to press a key.
//! - A request that was received is carried out even when its client is gone before the answer.
//! - `$batch` of Exchange takes ten requests; a continuation by GET is refused with 405.
//! - The app-role ids of the retired Outlook REST permissions are Graph's own (one is known to be,
//!   §4).
//! - `$select` of Exchange with a name that no row has leaves it out without a word: the rows are
//!   of an open type (`Exchange.GenericHashTable`), for which no name is wrong.
//! - What Microsoft has and this cloud has not is refused with an answer of the cloud's own
//!   (`Cloud.NotSimulatedException`): 501 of Entra, of Graph and of other addresses of the admin
//!   API, 400 of cmdlets.
//! - `/adminapi/…/invokecommand` in lower case is 404: nobody has tried.
//!
//! Known from memory only, or inferred from clients that work against Microsoft:
//!
//! - An assertion's audience must name the authority that it is sent to (700023), as token endpoint
//!   or as issuer. A thumbprint by SHA-1 is compared as one by SHA-256 is.
//! - Access tokens are of version 1: no `azp`, `x5t` in the header, `aio`, `rh`, `idp` and
//!   `xms_tcdt` in the claims. Graph's have a `nonce` in the header, with which only Graph can check
//!   the signature. Signing keys have a certificate, whose SHA-1 names the key.
//! - `max_age` brings no `auth_time`, and CP1 no `xms_cc`: neither was confirmed.
//! - The discovery document of an unknown tenant says `invalid_tenant`, the token endpoint
//!   `invalid_request`. It announces what Microsoft's does, simulated or not.
//! - The outer request of Exchange's `$batch` needs a token for Exchange.
//! - Of the directory's objects `$select` gives `id` only when it names it, and members without
//!   `$select` have their type's default properties. What GDAP's collections do is not known: they
//!   keep the `id`.
//! - Properties without a value are null or `[]`; a few objects that Graph always fills (`spa`,
//!   `info` …) are there with empty contents.
//! - Writes without a JSON `Content-Type` are 400 in the gateway's words, before rights are looked
//!   at. Properties that a type lacks are refused: `RequestBodyRead` by Outlook, whose property
//!   names are case-sensitive, `Request_BadRequest` by the directory. The parameters of `sendMail`
//!   are taken in both spellings.
//! - Graph's answers: `Cache-Control: no-cache`, `odata.metadata` in the content type, gzip for who
//!   takes it (of Exchange too), `$` unescaped in next links, `Location` beside a 201, the context
//!   of assignments below their service principal, an absolute `authorization_uri` in a 401.
//! - `$count` as a segment without `ConsistencyLevel` is 400; a type as a segment needs none.
//! - A filter that does not parse, or names a property that does not exist, is `BadRequest`; one that
//!   the directory does not support is `Request_UnsupportedQuery`.
//! - `POST /groups` of a mail-enabled group is 400 in Graph's words.
//! - Page links live as long on the wall as on the cloud's clock at least, for a client needs that
//!   time to read a page.
//!
//! And:
//!
//! - A new group may be named in `New-DistributionGroup` again only with another name, alias and
//!   address from the first moment on, long before it can be read.

use serde::{Deserialize, Serialize};

/// Delay ranges, `[least, most]`. Seconds and milliseconds of the cloud's clock unless said
/// otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delays {
    /// A new group appears in Exchange's reads: those of others than its maker.
    pub group_exchange: [u64; 2],
    /// … and those of its maker with the same anchor, who asks the same server. None by default:
    /// clients that work against Microsoft use a new group at once. Reports of one that was not
    /// found by then (§1.7) are a fault that a test sets with this.
    pub group_exchange_maker: [u64; 2],
    /// A new group appears in Graph. MICROSOFT.md has no number; the guide that Postern replaces
    /// says up to hours, this default keeps a demo bearable.
    pub group_graph: [u64; 2],
    /// A member that was added appears in (or one that was removed leaves) Exchange's reads.
    pub member: [u64; 2],
    /// The same in Graph.
    pub member_graph: [u64; 2],
    /// The same for a policy that is enforced already. A policy that becomes enforced later sees
    /// the membership of that moment.
    pub member_enforcement: [u64; 2],
    /// A new or removed access policy changes what `sendMail` does (MICROSOFT.md §2.4: 30 minutes
    /// to more than an hour).
    pub policy_enforcement: [u64; 2],
    /// A new access policy appears in `Get-ApplicationAccessPolicy` and in the test cmdlet.
    pub policy_visible: [u64; 2],
    /// A consent is honoured by tokens other than the one of the sign-in that gave it.
    pub consent: [u64; 2],
    /// A new or removed app-role assignment shows in `appRoleAssignedTo` (§7.1: "might have
    /// replication delays").
    pub assignment: [u64; 2],
    /// `Enable-OrganizationCustomization` takes effect.
    pub customization: [u64; 2],
    /// After `IsDehydrated` turned false, creates of RBAC are still refused for that long (§3.1:
    /// about 15 minutes).
    pub customization_lag: [u64; 2],
    /// … and after that nobody may delegate roles for that long (§3.1: 40 to 60 minutes).
    pub delegation_lag: [u64; 2],
    /// A new service principal of Entra can be pointed to from Exchange (§1.7: up to five minutes).
    pub principal_exchange: [u64; 2],
    /// A new pointer, scope or assignment is found by other cmdlets (§11.4: seconds to two minutes).
    pub rbac_objects: [u64; 2],
    /// The life of an Exchange page link. The sources say 5 to 10 minutes and 30 minutes (§1.3):
    /// the shorter one is the safer one to test against.
    pub page_link: [u64; 2],
    /// An application's RBAC cache is dropped after this long without a call (§3.3).
    pub rbac_idle: [u64; 2],
    /// … and after this long at the latest (§3.3).
    pub rbac_active: [u64; 2],
    /// Milliseconds until Graph answers.
    pub graph_latency_ms: [u64; 2],
    /// Milliseconds until Exchange answers.
    pub exchange_latency_ms: [u64; 2],
    /// Milliseconds until Entra answers.
    pub entra_latency_ms: [u64; 2],
    /// Seconds that an access token lives, on the wall clock (§6.3).
    pub token_lifetime: [u64; 2],
    /// Seconds that a refresh token lives, on the wall clock (§6.4: 90 days).
    pub refresh_lifetime: [u64; 2],
    /// Seconds by which token times are wrong: negative is in the past. A fault, not a delay, kept
    /// here because it is set the same way.
    pub token_skew: i64,
    /// Access-policy reads of a tenant without any answer "couldn't be found" instead of an empty
    /// list (§2.4).
    pub empty_policies_not_found: bool,
    /// An activated directory role is believed by Exchange (§1.6: until then a 403 of NUL bytes,
    /// although the token has it). No source has a number.
    pub role_activation: [u64; 2],
    /// Reads of Exchange with an identity that nothing has list everything instead of saying that
    /// it was not found, as the documentation of every such cmdlet warns (§2).
    pub unknown_identity_lists_all: bool,
    /// Graph's resource units per 10 seconds of the wall clock, per application and tenant (§7.3).
    ///
    /// Zero: by the tenant's size, 3,500 to 8,000.
    pub graph_units_per_10s: u64,
    /// Graph's changes per 2.5 minutes of the wall clock, per application and tenant (§7.3).
    pub graph_writes_per_150s: u64,
    /// Concurrent Outlook requests per application and mailbox (§7.3).
    pub outlook_concurrency: u64,
    /// Concurrent requests of Exchange per tenant; one more gets the plain text of §1.4 and no
    /// `Retry-After`. Zero: no limit, for no source has a number.
    pub exchange_concurrency: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            group_exchange: [5, 30],
            group_exchange_maker: [0, 0],
            group_graph: [60, 300],
            member: [0, 5],
            member_graph: [30, 120],
            member_enforcement: [300, 1800],
            policy_enforcement: [1800, 5400],
            policy_visible: [0, 0],
            consent: [5, 30],
            assignment: [0, 30],
            customization: [60, 300],
            customization_lag: [60, 300],
            delegation_lag: [60, 300],
            principal_exchange: [0, 120],
            rbac_objects: [0, 30],
            page_link: [300, 600],
            rbac_idle: [1800, 1800],
            rbac_active: [7200, 7200],
            graph_latency_ms: [80, 80],
            exchange_latency_ms: [1000, 3000],
            entra_latency_ms: [0, 0],
            token_lifetime: [3600, 5400],
            refresh_lifetime: [7_776_000, 7_776_000],
            token_skew: 0,
            empty_policies_not_found: true,
            role_activation: [60, 600],
            unknown_identity_lists_all: false,
            graph_units_per_10s: 0,
            graph_writes_per_150s: 3000,
            outlook_concurrency: 4,
            exchange_concurrency: 0,
        }
    }
}

impl Delays {
    /// The defaults without latency: what a test starts from.
    pub fn without_latency() -> Self {
        Self {
            graph_latency_ms: [0, 0],
            exchange_latency_ms: [0, 0],
            entra_latency_ms: [0, 0],
            ..Self::default()
        }
    }

    /// Nothing takes any time, and nothing lags.
    pub fn none() -> Self {
        Self {
            group_exchange: [0, 0],
            group_exchange_maker: [0, 0],
            group_graph: [0, 0],
            member: [0, 0],
            member_graph: [0, 0],
            member_enforcement: [0, 0],
            policy_enforcement: [0, 0],
            consent: [0, 0],
            assignment: [0, 0],
            customization: [0, 0],
            customization_lag: [0, 0],
            delegation_lag: [0, 0],
            principal_exchange: [0, 0],
            rbac_objects: [0, 0],
            rbac_idle: [0, 0],
            rbac_active: [0, 0],
            role_activation: [0, 0],
            ..Self::without_latency()
        }
    }
}

/// The share of refusals, while a consent is on its way, that say 650051 instead of 65001 (§6.5:
/// both are normal then; no source has a number).
pub const HALF_THERE: f64 = 0.25;

/// Codes of authorization live ten minutes ("about 10 minutes", §6.1).
pub const CODE_SECONDS: i64 = 600;

/// HTTP status of Entra's error bodies. UNVERIFIED (§6.1): 401 where the client itself could not
/// be authenticated, 400 for the rest.
pub fn entra_status(error: &str) -> u16 {
    match error {
        "invalid_client" => 401,
        "temporarily_unavailable" => 503,
        "not_simulated" => 501,
        _ => 400,
    }
}

/// HTTP statuses with which Exchange says that an object was not found (§1.4: it varies, match on
/// type and text). One object has one of them, for good: a client that tries a 500 again gets the
/// same. 404 and 400 were captured; 500 stands in a test of somebody's only, so it is rare.
pub const NOT_FOUND_STATUSES: [u16; 8] = [404, 400, 404, 400, 404, 400, 404, 500];

/// What a cmdlet without output answers. UNVERIFIED (§1.3): clients must take all three, so each
/// kind of cmdlet uses another one.
pub enum Silence {
    /// 200 with an empty `value`.
    EmptyValue,
    /// 200 without any body.
    EmptyBody,
    /// 204.
    NoContent,
}

/// See [`Silence`].
pub fn silence_of(cmdlet: &str) -> Silence {
    if cmdlet.starts_with("Remove-") {
        Silence::NoContent
    } else if cmdlet.starts_with("Set-") {
        Silence::EmptyBody
    } else {
        Silence::EmptyValue
    }
}

/// NUL bytes in a 403 of Exchange ("thousands", §1.4).
pub const NUL_BODY: usize = 4096;

/// Exchange's page size when `Prefer` names none (§1.3).
pub const EXCHANGE_PAGE: usize = 1000;

/// The space that access policies share, and what one takes beside its description. Chosen so
/// that one-character descriptions allow 300 policies and default ones about 100 (§2.4).
pub const POLICY_SPACE: usize = 36_300;
/// See [`POLICY_SPACE`].
pub const POLICY_OVERHEAD: usize = 120;

/// The time stamp that Exchange can append to the name of a new group. Seen for groups made in a
/// portal, UNVERIFIED for cmdlets (§2.1): done only in tenants that ask for it (`name_suffix` of
/// `POST /_cloud/tenants`).
pub const NAME_SUFFIX_FORMAT: &str = "%Y%m%d%H%M%S";

/// The owner of a group that somebody from outside the tenant creates (GDAP, application).
/// UNVERIFIED (§2.1): the role group that gave the right.
pub const FOREIGN_OWNER: &str = "Organization Management";

/// `RecipientType` of a service principal in `Get-RoleGroupMember`. UNVERIFIED (§10.4): a client
/// knows it by its name.
pub const PRINCIPAL_RECIPIENT_TYPE: &str = "User";

/// Cmdlets that a tenant refuses until `Enable-OrganizationCustomization` ran (§3.1): scopes and
/// assignments. Pointers and access policies never need it (§2.4).
pub const NEEDS_CUSTOMIZATION: [&str; 3] = [
    "New-ManagementScope",
    "New-ManagementRoleAssignment",
    "New-RoleGroup",
];

/// The app-role ids that no source gives (IMAP, POP, SMTP, the newer admin roles) come from one
/// unverified document or from our own name space; clients must resolve them at run time (§4).
pub const IMAP_ROLE: &str = "5e5addcd-3e8d-4e90-baf5-964efab2b20a";
/// See [`IMAP_ROLE`].
pub const POP_ROLE: &str = "cb842b43-da6e-4506-86fe-bb12199c656d";
/// See [`IMAP_ROLE`].
pub const SMTP_ROLE: &str = "7146a1f0-8703-45b3-9eae-527a64c00995";

/// Seconds that a directory page link of Graph lives, on the cloud's clock. No source has a
/// number; an hour is far above what a listing takes.
pub const GRAPH_PAGE_LINK_SECONDS: i64 = 3600;

/// Graph's page size when `$top` names none, and the most that `$top` may name.
pub const GRAPH_PAGE: usize = 100;
/// See [`GRAPH_PAGE`].
pub const GRAPH_PAGE_MOST: usize = 999;
