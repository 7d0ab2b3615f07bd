//! Directory roles: name, template id, and what they are worth (MICROSOFT.md §1.6, §6.5, §10.3).

use uuid::Uuid;

/// A built-in role of Entra.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DirectoryRole {
    GlobalAdministrator,
    PrivilegedRoleAdministrator,
    CloudApplicationAdministrator,
    ApplicationAdministrator,
    ExchangeAdministrator,
    ExchangeRecipientAdministrator,
    GlobalReader,
    HelpdeskAdministrator,
    SecurityAdministrator,
    SecurityReader,
    UserAdministrator,
    ExchangeBackupAdministrator,
    Microsoft365BackupAdministrator,
    HybridIdentityAdministrator,
    DomainNameAdministrator,
    ExternalIdentityProviderAdministrator,
    PrivilegedAuthenticationAdministrator,
    AuthenticationAdministrator,
    AuthenticationPolicyAdministrator,
    PasswordAdministrator,
    GroupsAdministrator,
    DirectoryWriters,
    DirectorySynchronizationAccounts,
    IdentityGovernanceAdministrator,
    LifecycleWorkflowsAdministrator,
    SecurityOperator,
    ComplianceAdministrator,
    ComplianceDataAdministrator,
    IntuneAdministrator,
    PartnerTier1Support,
    PartnerTier2Support,
    AgentIDAdministrator,
    DirectoryReaders,
}

/// Name and template id of each.
const TABLE: &[(DirectoryRole, &str, Uuid)] = &[
    (
        DirectoryRole::GlobalAdministrator,
        "Global Administrator",
        uuid::uuid!("62e90394-69f5-4237-9190-012177145e10"),
    ),
    (
        DirectoryRole::PrivilegedRoleAdministrator,
        "Privileged Role Administrator",
        uuid::uuid!("e8611ab8-c189-46e8-94e1-60213ab1f814"),
    ),
    (
        DirectoryRole::CloudApplicationAdministrator,
        "Cloud Application Administrator",
        uuid::uuid!("158c047a-c907-4556-b7ef-446551a6b5f7"),
    ),
    (
        DirectoryRole::ApplicationAdministrator,
        "Application Administrator",
        uuid::uuid!("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"),
    ),
    (
        DirectoryRole::ExchangeAdministrator,
        "Exchange Administrator",
        uuid::uuid!("29232cdf-9323-42fd-ade2-1d097af3e4de"),
    ),
    (
        DirectoryRole::ExchangeRecipientAdministrator,
        "Exchange Recipient Administrator",
        uuid::uuid!("31392ffb-586c-42d1-9346-e59415a2cc4e"),
    ),
    (
        DirectoryRole::GlobalReader,
        "Global Reader",
        uuid::uuid!("f2ef992c-3afb-46b9-b7cf-a126ee74c451"),
    ),
    (
        DirectoryRole::HelpdeskAdministrator,
        "Helpdesk Administrator",
        uuid::uuid!("729827e3-9c14-49f7-bb1b-9608f156bbb8"),
    ),
    (
        DirectoryRole::SecurityAdministrator,
        "Security Administrator",
        uuid::uuid!("194ae4cb-b126-40b2-bd5b-6091b380977d"),
    ),
    (
        DirectoryRole::SecurityReader,
        "Security Reader",
        uuid::uuid!("5d6b6bb7-de71-4623-b4af-96380a352509"),
    ),
    (
        DirectoryRole::UserAdministrator,
        "User Administrator",
        uuid::uuid!("fe930be7-5e62-47db-91af-98c3a49a38b1"),
    ),
    (
        DirectoryRole::ExchangeBackupAdministrator,
        "Exchange Backup Administrator",
        uuid::uuid!("49eb8f75-97e9-4e37-9b2b-6c3ebfcffa31"),
    ),
    (
        DirectoryRole::Microsoft365BackupAdministrator,
        "Microsoft 365 Backup Administrator",
        uuid::uuid!("1707125e-0aa2-4d4d-8655-a7c786c76a25"),
    ),
    (
        DirectoryRole::HybridIdentityAdministrator,
        "Hybrid Identity Administrator",
        uuid::uuid!("8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2"),
    ),
    (
        DirectoryRole::DomainNameAdministrator,
        "Domain Name Administrator",
        uuid::uuid!("8329153b-31d0-4727-b945-745eb3bc5f31"),
    ),
    (
        DirectoryRole::ExternalIdentityProviderAdministrator,
        "External Identity Provider Administrator",
        uuid::uuid!("be2f45a1-457d-42af-a067-6ec1fa63bc45"),
    ),
    (
        DirectoryRole::PrivilegedAuthenticationAdministrator,
        "Privileged Authentication Administrator",
        uuid::uuid!("7be44c8a-adaf-4e2a-84d6-ab2649e08a13"),
    ),
    (
        DirectoryRole::AuthenticationAdministrator,
        "Authentication Administrator",
        uuid::uuid!("c4e39bd9-1100-46d3-8c65-fb160da0071f"),
    ),
    (
        DirectoryRole::AuthenticationPolicyAdministrator,
        "Authentication Policy Administrator",
        uuid::uuid!("0526716b-113d-4c15-b2c8-68e3c22b9f80"),
    ),
    (
        DirectoryRole::PasswordAdministrator,
        "Password Administrator",
        uuid::uuid!("966707d0-3269-4727-9be2-8c3a10f19b9d"),
    ),
    (
        DirectoryRole::GroupsAdministrator,
        "Groups Administrator",
        uuid::uuid!("fdd7a751-b60b-444a-984c-02652fe8fa1c"),
    ),
    (
        DirectoryRole::DirectoryWriters,
        "Directory Writers",
        uuid::uuid!("9360feb5-f418-4baa-8175-e2a00bac4301"),
    ),
    (
        DirectoryRole::DirectorySynchronizationAccounts,
        "Directory Synchronization Accounts",
        uuid::uuid!("d29b2b05-8046-44ba-8758-1e26182fcf32"),
    ),
    (
        DirectoryRole::IdentityGovernanceAdministrator,
        "Identity Governance Administrator",
        uuid::uuid!("45d8d3c5-c802-45c6-b32a-1d70b5e1e86e"),
    ),
    (
        DirectoryRole::LifecycleWorkflowsAdministrator,
        "Lifecycle Workflows Administrator",
        uuid::uuid!("59d46f88-662b-457b-bceb-5c3809e5908f"),
    ),
    (
        DirectoryRole::SecurityOperator,
        "Security Operator",
        uuid::uuid!("5f2222b1-57c3-48ba-8ad5-d4759f1fde6f"),
    ),
    (
        DirectoryRole::ComplianceAdministrator,
        "Compliance Administrator",
        uuid::uuid!("17315797-102d-40b4-93e0-432062caca18"),
    ),
    (
        DirectoryRole::ComplianceDataAdministrator,
        "Compliance Data Administrator",
        uuid::uuid!("e6d1a23a-da11-4be4-9570-befc86d067a7"),
    ),
    (
        DirectoryRole::IntuneAdministrator,
        "Intune Administrator",
        uuid::uuid!("3a2c62db-5318-420d-8d74-23affee5d9d5"),
    ),
    (
        DirectoryRole::PartnerTier1Support,
        "Partner Tier1 Support",
        uuid::uuid!("4ba39ca4-527c-499a-b93d-d9b492c50246"),
    ),
    (
        DirectoryRole::PartnerTier2Support,
        "Partner Tier2 Support",
        uuid::uuid!("e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8"),
    ),
    (
        DirectoryRole::AgentIDAdministrator,
        "Agent ID Administrator",
        uuid::uuid!("db506228-d27e-4b7d-95e5-295956d6615f"),
    ),
    (
        DirectoryRole::DirectoryReaders,
        "Directory Readers",
        uuid::uuid!("88d8e3e3-8f55-4a1e-953a-9b9898b8876b"),
    ),
];

impl DirectoryRole {
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(role, _, _)| *role)
    }

    fn row(self) -> Option<&'static (Self, &'static str, Uuid)> {
        TABLE.iter().find(|(role, _, _)| *role == self)
    }

    pub fn name(self) -> &'static str {
        self.row().map_or("", |(_, name, _)| name)
    }

    pub fn template(self) -> Uuid {
        self.row().map_or(Uuid::nil(), |(_, _, id)| *id)
    }

    pub fn from_name(name: &str) -> Option<Self> {
        TABLE
            .iter()
            .find(|(_, known, _)| known.eq_ignore_ascii_case(name))
            .map(|(role, _, _)| *role)
    }

    pub fn from_template(id: Uuid) -> Option<Self> {
        TABLE
            .iter()
            .find(|(_, _, known)| *known == id)
            .map(|(role, _, _)| *role)
    }

    /// Whether holders may consent on behalf of the organisation.
    pub fn can_consent(self) -> bool {
        matches!(
            self,
            Self::GlobalAdministrator
                | Self::PrivilegedRoleAdministrator
                | Self::CloudApplicationAdministrator
                | Self::ApplicationAdministrator
        )
    }
}
