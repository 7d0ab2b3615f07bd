//! The built-in directory roles whose ids are known (MICROSOFT.md §10.3). For these no request is
//! needed to learn their name, or whether the tenant made them itself.

use uuid::{Uuid, uuid};

const KNOWN: [(&str, Uuid); 32] = [
    (
        "Global Administrator",
        uuid!("62e90394-69f5-4237-9190-012177145e10"),
    ),
    (
        "Exchange Administrator",
        uuid!("29232cdf-9323-42fd-ade2-1d097af3e4de"),
    ),
    (
        "Exchange Recipient Administrator",
        uuid!("31392ffb-586c-42d1-9346-e59415a2cc4e"),
    ),
    (
        "Exchange Backup Administrator",
        uuid!("49eb8f75-97e9-4e37-9b2b-6c3ebfcffa31"),
    ),
    (
        "Microsoft 365 Backup Administrator",
        uuid!("1707125e-0aa2-4d4d-8655-a7c786c76a25"),
    ),
    (
        "Privileged Role Administrator",
        uuid!("e8611ab8-c189-46e8-94e1-60213ab1f814"),
    ),
    (
        "Application Administrator",
        uuid!("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"),
    ),
    (
        "Cloud Application Administrator",
        uuid!("158c047a-c907-4556-b7ef-446551a6b5f7"),
    ),
    (
        "Hybrid Identity Administrator",
        uuid!("8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2"),
    ),
    (
        "Domain Name Administrator",
        uuid!("8329153b-31d0-4727-b945-745eb3bc5f31"),
    ),
    (
        "External Identity Provider Administrator",
        uuid!("be2f45a1-457d-42af-a067-6ec1fa63bc45"),
    ),
    (
        "Privileged Authentication Administrator",
        uuid!("7be44c8a-adaf-4e2a-84d6-ab2649e08a13"),
    ),
    (
        "Authentication Administrator",
        uuid!("c4e39bd9-1100-46d3-8c65-fb160da0071f"),
    ),
    (
        "Authentication Policy Administrator",
        uuid!("0526716b-113d-4c15-b2c8-68e3c22b9f80"),
    ),
    (
        "User Administrator",
        uuid!("fe930be7-5e62-47db-91af-98c3a49a38b1"),
    ),
    (
        "Helpdesk Administrator",
        uuid!("729827e3-9c14-49f7-bb1b-9608f156bbb8"),
    ),
    (
        "Password Administrator",
        uuid!("966707d0-3269-4727-9be2-8c3a10f19b9d"),
    ),
    (
        "Groups Administrator",
        uuid!("fdd7a751-b60b-444a-984c-02652fe8fa1c"),
    ),
    (
        "Directory Writers",
        uuid!("9360feb5-f418-4baa-8175-e2a00bac4301"),
    ),
    (
        "Directory Synchronization Accounts",
        uuid!("d29b2b05-8046-44ba-8758-1e26182fcf32"),
    ),
    (
        "Identity Governance Administrator",
        uuid!("45d8d3c5-c802-45c6-b32a-1d70b5e1e86e"),
    ),
    (
        "Lifecycle Workflows Administrator",
        uuid!("59d46f88-662b-457b-bceb-5c3809e5908f"),
    ),
    (
        "Security Administrator",
        uuid!("194ae4cb-b126-40b2-bd5b-6091b380977d"),
    ),
    (
        "Security Operator",
        uuid!("5f2222b1-57c3-48ba-8ad5-d4759f1fde6f"),
    ),
    (
        "Compliance Administrator",
        uuid!("17315797-102d-40b4-93e0-432062caca18"),
    ),
    (
        "Compliance Data Administrator",
        uuid!("e6d1a23a-da11-4be4-9570-befc86d067a7"),
    ),
    (
        "Intune Administrator",
        uuid!("3a2c62db-5318-420d-8d74-23affee5d9d5"),
    ),
    (
        "Partner Tier1 Support",
        uuid!("4ba39ca4-527c-499a-b93d-d9b492c50246"),
    ),
    (
        "Partner Tier2 Support",
        uuid!("e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8"),
    ),
    (
        "Agent ID Administrator",
        uuid!("db506228-d27e-4b7d-95e5-295956d6615f"),
    ),
    (
        "Global Reader",
        uuid!("f2ef992c-3afb-46b9-b7cf-a126ee74c451"),
    ),
    (
        "Security Reader",
        uuid!("5d6b6bb7-de71-4623-b4af-96380a352509"),
    ),
];

/// The name of a built-in role, by the id of its template.
pub(super) fn name(role: Uuid) -> Option<&'static str> {
    KNOWN
        .iter()
        .find(|(_, id)| *id == role)
        .map(|(name, _)| *name)
}
