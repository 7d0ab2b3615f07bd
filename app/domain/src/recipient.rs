//! Exchange's kinds of recipients, in words for people.

/// The kind for a value of `RecipientTypeDetails`. The text follows “the” or “a”.
pub fn kind_of(details: &str) -> &'static str {
    match details {
        "UserMailbox" | "LinkedMailbox" | "LegacyMailbox" => "user mailbox",
        "SharedMailbox" => "shared mailbox",
        "RoomMailbox" | "LinkedRoomMailbox" => "room mailbox",
        "EquipmentMailbox" => "equipment mailbox",
        "GroupMailbox" => "Microsoft 365 group",
        "MailUniversalDistributionGroup" | "MailNonUniversalGroup" => "distribution list",
        "DynamicDistributionGroup" => "dynamic distribution list",
        "MailUniversalSecurityGroup" => "mail-enabled security group",
        "RoomList" => "room list",
        "MailContact" | "MailForestContact" => "mail contact",
        "MailUser" => "mail user",
        "GuestMailUser" => "guest",
        "PublicFolder" => "mail-enabled public folder",
        "DiscoveryMailbox" | "SchedulingMailbox" | "TeamMailbox" => "special mailbox",
        _ => "recipient",
    }
}

/// Why a recipient is no mailbox that an application could be let into or kept out of through
/// Microsoft's cloud. None: its kind alone does not say so (MICROSOFT.md §2.5).
pub fn why_no_mailbox(details: &str) -> Option<&'static str> {
    Some(match details {
        "MailUser" => {
            "is a mail user: its mailbox is hosted on premises or elsewhere, not in Exchange Online"
        }
        "GuestMailUser" => "is a guest: its mailbox is in another organisation",
        "MailContact" | "MailForestContact" => "is a mail contact: it has no mailbox here",
        "GroupMailbox" => "is a Microsoft 365 group, not a user or shared mailbox",
        "MailUniversalDistributionGroup"
        | "MailNonUniversalGroup"
        | "DynamicDistributionGroup"
        | "MailUniversalSecurityGroup"
        | "RoomList" => "is a group, not a mailbox",
        "PublicFolder" => "is a public folder, not a mailbox",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_mailbox_here_is_told_with_its_reason() {
        for details in ["MailUser", "GuestMailUser", "MailContact", "GroupMailbox"] {
            let why = why_no_mailbox(details).unwrap_or_default();
            assert!(why.contains(kind_of(details)), "{details}: {why}");
        }
        assert_eq!(why_no_mailbox("SharedMailbox"), None);
        assert_eq!(kind_of("SomethingNew"), "recipient");
    }
}
