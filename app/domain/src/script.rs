//! A plan as a PowerShell script, for the admin who wants to run it by hand.

use crate::{
    cmdlet::{Cmdlet, quote},
    id::SetupId,
    plan::{Group, Plan},
};

/// The whole script. Line ends are CRLF: it is opened on Windows.
///
/// The way to connect differs between versions of the module ExchangeOnlineManagement: up to
/// 2.0.5 with the user's name alone, from 2.0.6 on with `-UseRPSSession`, from 3.0 on without it.
pub fn script(plan: &Plan, setup: SetupId, tenant_domain: &str) -> String {
    let mut lines: Vec<String> = vec![
        "#Requires -Modules ExchangeOnlineManagement".into(),
        format!("# Confines {} to {} mailbox(es).", comment(&plan.application.name), plan.senders.len()),
        format!("# Tenant: {}", comment(tenant_domain)),
        String::new(),
        "$ErrorActionPreference = 'Stop'".into(),
        "$admin = Read-Host 'User name of an Exchange administrator'".into(),
        "$version = (Get-Module ExchangeOnlineManagement -ListAvailable | Sort-Object Version -Descending | Select-Object -First 1).Version".into(),
        "if ($version -ge [version]'3.0.0') {".into(),
        "    Connect-ExchangeOnline -UserPrincipalName $admin".into(),
        "} elseif ($version -ge [version]'2.0.6') {".into(),
        "    Connect-ExchangeOnline -UserPrincipalName $admin -UseRPSSession".into(),
        "} else {".into(),
        "    Connect-ExchangeOnline -UserPrincipalName $admin".into(),
        "}".into(),
        String::new(),
    ];
    let group = plan.group.address().as_str();
    if let Some(new_group) = plan.new_group(setup) {
        lines.push("# 1. The group of permitted senders".into());
        lines.push(new_group.line());
        lines.push(Plan::hide_group(group).line());
        lines.push(String::new());
        lines.push("# Exchange may need a while until it shows the group.".into());
        lines.push(format!(
            "while (-not (Get-DistributionGroup -Identity {} -ErrorAction SilentlyContinue)) {{ Start-Sleep -Seconds 20 }}",
            quote(group)
        ));
        lines.push(String::new());
        lines.push("# 2. The permitted senders".into());
        lines.extend(
            plan.senders
                .iter()
                .map(|sender| Plan::add_sender(group, sender).line()),
        );
    } else if let Group::Existing { name, .. } = &plan.group {
        lines.push(format!("# 1. The group {} exists already", comment(name)));
        lines.push(
            Cmdlet::new("Get-DistributionGroup")
                .with("Identity", group)
                .line(),
        );
        lines.push(String::new());
        lines.push(format!(
            "# 2. It must hold exactly these, and is not changed: {}",
            plan.senders
                .iter()
                .map(|sender| sender.address.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        ));
    }
    lines.push(
        Cmdlet::new("Get-DistributionGroupMember")
            .with("Identity", group)
            .with("ResultSize", "Unlimited")
            .line(),
    );
    lines.push(String::new());
    lines.push("# 3. The policy".into());
    lines.push(plan.new_policy(setup, group).line());
    lines.push(String::new());
    lines.push("# 4. Exchange's own test: Granted for the senders, Denied for the others".into());
    lines.extend(
        plan.senders
            .iter()
            .chain(&plan.refused)
            .map(|mailbox| plan.test_policy(mailbox).line()),
    );
    lines.push(String::new());
    lines.push(
        "# Microsoft enforces the policy on real mail only after 30 minutes to 2 hours.".into(),
    );
    lines.push("Disconnect-ExchangeOnline -Confirm:$false".into());
    lines.push(String::new());
    lines.join("\r\n")
}

/// Text for a comment: without line breaks nothing can leave it.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || c == '\u{2028}' || c == '\u{2029}' {
                ' '
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use uuid::Uuid;

    use super::*;
    use crate::{
        id::{AppId, ObjectId},
        plan::{Confined, GroupName, Mailbox, MailboxKind},
    };

    #[test]
    fn a_hostile_name_stays_in_its_comment() {
        let mailbox = |n: u128, address: &str| Mailbox {
            object: ObjectId(Uuid::from_u128(n)),
            address: address.parse().unwrap(),
            name: "x".into(),
            kind: MailboxKind::User,
        };
        let plan = Plan {
            application: Confined {
                object: ObjectId(Uuid::nil()),
                app_id: AppId(Uuid::from_u128(5)),
                name: "x\nRemove-Mailbox ceo".into(),
            },
            senders: vec![mailbox(1, "o'neil@a.example")],
            refused: vec![mailbox(2, "ceo@a.example")],
            group: Group::New {
                name: GroupName::parse("g").unwrap(),
                address: "g@a.example".parse().unwrap(),
            },
            prove: false,
            unprovable: None,
            recipient: None,
        };
        let script = script(&plan, SetupId(Uuid::nil()), "a.example");
        assert!(
            !script
                .lines()
                .any(|line| line.starts_with("Remove-Mailbox"))
        );
        assert!(script.contains("-Identity 'o''neil@a.example'"));
        assert!(script.contains("New-ApplicationAccessPolicy -AccessRight 'RestrictAccess'"));
        assert!(
            script
                .lines()
                .all(|line| line.is_empty() || !line.contains('\0'))
        );
    }
}
