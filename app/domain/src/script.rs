//! A plan as a PowerShell script, for an admin who wants to run it by hand.
//!
//! The script is pure ASCII wherever it leaves Postern. So it needs no byte order mark and has
//! none: every code page reads it alike. Names, which a tenant chooses, appear only in comments,
//! and in ASCII. Addresses, which must be exact, go through [`quote`].
//!
//! The script compares everything before it changes anything, and stops where it finds something
//! that the plan does not say. It looks for each thing before it makes that thing, so it can run
//! again after it was stopped anywhere.

use crate::{
    cmdlet::{Cmdlet, plain, quote},
    id::SetupId,
    plan::{Group, GroupName, Mailbox, Plan, marker},
};

/// The name of the file. It contains only letters, digits, dots and hyphens.
pub fn file_name(plan: &Plan) -> String {
    format!(
        "{}.ps1",
        GroupName::suggest(&plan.application.name).as_str()
    )
}

/// The whole script. Its line ends are CRLF, because it is opened on Windows.
pub fn script(plan: &Plan, setup: SetupId, tenant_domain: &str) -> String {
    let script = Script {
        plan,
        setup,
        identity: match &plan.group {
            Group::New { address, .. } => address.as_str().to_owned(),
            Group::Existing { object, .. } => object.to_string(),
        },
    };
    let mut text = head(plan, tenant_domain);
    text.push_str(CONNECT);
    script.functions(&mut text);
    text.push_str("    try {\n");
    script.look(&mut text);
    if let Some(new_group) = plan.new_group(setup) {
        script.make_group(&new_group, &mut text);
    }
    script.make_policy(&mut text);
    script.verdicts(&mut text);
    text.push_str(END);
    text.replace('\n', "\r\n")
}

fn head(plan: &Plan, tenant_domain: &str) -> String {
    format!(
        "\
#Requires -Version 5.1
# Confines an application to {} with an application access policy of Exchange Online.
# Application: {}
# Application id: {}
# Tenant: {}
{HEAD}",
        mailboxes(plan.senders.len()),
        plain(&plan.application.name),
        plan.application.app_id,
        plain(tenant_domain),
    )
}

fn mailboxes(count: usize) -> String {
    match count {
        1 => "one mailbox".to_owned(),
        count => format!("{count} mailboxes"),
    }
}

struct Script<'a> {
    plan: &'a Plan,
    setup: SetupId,
    /// The identity that finds the group: its object id where it has one, else its address.
    identity: String,
}

impl Script<'_> {
    fn functions(&self, text: &mut String) {
        let find = Cmdlet::new("Get-DistributionGroup").with("Identity", self.identity.as_str());
        let members = Cmdlet::new("Get-DistributionGroupMember")
            .with("Identity", self.identity.as_str())
            .with("ResultSize", "Unlimited");
        let app_id = self.plan.application.app_id.to_string();
        let object = self.plan.application.object.to_string();
        let wanted: Vec<String> = self
            .plan
            .senders
            .iter()
            .map(|sender| quote(&sender.object.to_string()))
            .collect();
        text.push_str(&format!(
            "
    $appId = {}
    $appObjectId = {}
    $wanted = @(
        {}
    )
{NOT_FOUND}
    function Find-Group {{
        try {{ $found = @({}) }}
        catch {{ if (Test-NotFound $_) {{ return }}; throw }}
        if ($found.Count -gt 1) {{ throw 'Exchange answers with more than one group.' }}
        $found
    }}

    function Get-GroupMember {{
        Invoke-WhenKnown {{ {} }}
    }}
{FUNCTIONS}",
            quote(&app_id),
            quote(&object),
            wanted.join(",\n        "),
            find.line(),
            members.line(),
        ));
    }

    /// Writes the part that compares everything before anything is changed.
    fn look(&self, text: &mut String) {
        text.push_str(
            "        # The mailboxes are those that the plan means, so the tenant is too\n",
        );
        for mailbox in self.plan.senders.iter().chain(&self.plan.refused) {
            let object = mailbox.object.to_string();
            let get = Cmdlet::new("Get-Recipient").with("Identity", object.as_str());
            text.push_str(&format!(
                "        Assert-Mailbox {} {{ {} }}\n",
                quote(&object),
                get.line()
            ));
        }
        text.push_str("\n        # The group\n        $group = Find-Group\n");
        match &self.plan.group {
            Group::New { .. } => text.push_str(&format!(
                "        if ($group -and \"$($group.Description)\" -notlike {}) {{
            throw 'There is a group with the address of the new one, and this script did not make it. Nothing was changed. Choose another name in Postern.'
        }}
",
                quote(&format!("{}*", marker(self.setup)))
            )),
            Group::Existing { .. } => text.push_str(
                "        if (-not $group) { throw 'The group of the plan is not there. Nothing was changed.' }
",
            ),
        }
        text.push_str(LOOK_AT_GROUP);
        if matches!(self.plan.group, Group::Existing { .. }) {
            text.push_str(EXISTING_MEMBERS);
        }
        text.push_str(LOOK_AT_RIGHTS);
    }

    fn make_group(&self, new_group: &Cmdlet, text: &mut String) {
        text.push_str(&format!(
            "
        # The group of permitted senders
        if (-not $group) {{
            {} | Out-Null
            Write-Host 'The group was made. Exchange may need a while until it shows the group.'
            $until = (Get-Date).AddMinutes(30)
            while (-not ($group = Find-Group)) {{
                if ((Get-Date) -gt $until) {{ throw 'Exchange does not show the new group after 30 minutes. Run the script again later: it goes on from here.' }}
                Start-Sleep -Seconds 20
            }}
        }}
        if (-not $group.HiddenFromAddressListsEnabled) {{
            Invoke-WhenKnown {{ {} }}
        }}

        # The permitted senders
        $members = @(Get-GroupMember | ForEach-Object {{ \"$($_.ExternalDirectoryObjectId)\" }})
",
            new_group.line(),
            Plan::hide_group(&self.identity).line(),
        ));
        for sender in &self.plan.senders {
            text.push_str(&format!(
                "        Add-Sender {} {{ {} }}\n",
                quote(&sender.object.to_string()),
                Plan::add_sender(&self.identity, sender).line()
            ));
        }
        text.push_str(WAIT_FOR_MEMBERS);
    }

    fn make_policy(&self, text: &mut String) {
        let policy = self.plan.new_policy(self.setup, &self.identity);
        text.push_str(&format!(
            "
        # The policy
        if ($mine) {{ Write-Host 'The policy is there already.' }}
        else {{
            Invoke-WhenKnown {{ {} }} | Out-Null
            Write-Host 'The policy was made.'
        }}
",
            policy.line()
        ));
    }

    fn verdicts(&self, text: &mut String) {
        text.push_str(
            "
        # Exchange's own test of each mailbox, beside what is wanted
        $testsUntil = (Get-Date).AddMinutes(15)
        $verdicts = @(
",
        );
        let wanted = self.plan.senders.iter().map(|sender| (sender, "Granted"));
        let refused = self.plan.refused.iter().map(|refused| (refused, "Denied"));
        for (mailbox, word) in wanted.chain(refused) {
            text.push_str(&format!(
                "            Get-Verdict {} {} {{ {} }}\n",
                quote(mailbox.address.as_str()),
                quote(word),
                self.test(mailbox).line()
            ));
        }
        text.push_str("        )\n");
    }

    fn test(&self, mailbox: &Mailbox) -> Cmdlet {
        self.plan.test_policy(mailbox)
    }
}

const HEAD: &str = "\
#
# The script compares before it changes anything, stops where something is not as planned, and
# can be run again at any time. At the end it shows what Exchange's own test says of each mailbox
# beside what is wanted, and ends with an error (exit code 1) if one differs. It sends no mail.
#
# The policy limits from which mailboxes this application sends, not to whom: for recipients
# Exchange has transport rules. Other applications are not touched, nor is what people do who sign
# in themselves, through this application too: delegated permissions are not limited. A mail may
# show another sender where a permitted mailbox holds Send As or Send on Behalf: the script does
# not look at these rights.
#
# It needs the module ExchangeOnlineManagement; 3.0 or newer is recommended:
#     Install-Module -Name ExchangeOnlineManagement -Scope CurrentUser
# 2.0.4 and 2.0.5 connect with -UserPrincipalName alone, 2.0.6 with -UseRPSSession. Microsoft has
# since switched off what these versions used, so they may not connect any more.

& {
";

const CONNECT: &str = "    \
    if (-not (Get-Module -Name ExchangeOnlineManagement)) {
        if (-not (Get-Module -Name ExchangeOnlineManagement -ListAvailable)) {
            throw 'The module ExchangeOnlineManagement is not installed. Run: Install-Module -Name ExchangeOnlineManagement -Scope CurrentUser'
        }
        Import-Module -Name ExchangeOnlineManagement
    }
    # The version that is loaded decides, not the newest that is installed.
    $version = (Get-Command -Name Connect-ExchangeOnline).Module.Version
    if ($version -lt [version]'2.0.4') {
        throw \"ExchangeOnlineManagement $version is too old. Run: Install-Module -Name ExchangeOnlineManagement -Scope CurrentUser -Force, and open a new window.\"
    }
    if ($version -lt [version]'3.0.0') {
        Write-Warning \"ExchangeOnlineManagement $version is loaded; 3.0 or newer is recommended. Run: Install-Module -Name ExchangeOnlineManagement -Scope CurrentUser -Force, and open a new window.\"
    }
    $admin = Read-Host -Prompt 'User name of an Exchange administrator of the tenant'
    if ($version -ge [version]'3.0.0') {
        Connect-ExchangeOnline -UserPrincipalName $admin
    } elseif ($version -ge [version]'2.0.6') {
        Connect-ExchangeOnline -UserPrincipalName $admin -UseRPSSession
    } else {
        Connect-ExchangeOnline -UserPrincipalName $admin
    }

    # Exchange's cmdlets see the global setting only. It is put back at the end.
    $before = $global:ErrorActionPreference
    $global:ErrorActionPreference = 'Stop'
    $ErrorActionPreference = 'Stop'
";

const NOT_FOUND: &str = "
    function Test-NotFound($failure) {
        \"$($failure.FullyQualifiedErrorId) $($failure.Exception.Message)\" -match 'ManagementObjectNotFound|couldn.t be found|couldn.t find'
    }

    # Not all of Exchange's servers know at once what was just made.
    function Invoke-WhenKnown([scriptblock] $change) {
        $until = (Get-Date).AddMinutes(30)
        while ($true) {
            try { return (& $change) }
            catch {
                if (-not (Test-NotFound $_) -or (Get-Date) -gt $until) { throw }
            }
            Start-Sleep -Seconds 20
        }
    }
";

const FUNCTIONS: &str = "
    function Assert-Mailbox([string] $object, [scriptblock] $get) {
        try { $found = @(& $get) }
        catch { if (-not (Test-NotFound $_)) { throw }; $found = @() }
        if ($found.Count -ne 1 -or \"$($found[0].ExternalDirectoryObjectId)\" -ne $object) {
            throw \"The tenant has no mailbox $object. Nothing was changed. Is this the tenant that the plan is for?\"
        }
    }

    function Add-Sender([string] $object, [scriptblock] $add) {
        if ($members -contains $object) { return }
        try { Invoke-WhenKnown $add }
        catch {
            # What was added a moment ago is not listed at once.
            if (\"$($_.FullyQualifiedErrorId) $($_.Exception.Message)\" -notmatch 'MemberAlreadyExists|already a member') { throw }
        }
    }

    function Get-Verdict([string] $mailbox, [string] $want, [scriptblock] $test) {
        while ($true) {
            try { $said = \"$((& $test).AccessCheckResult)\" }
            catch { $said = \"no answer: $($_.Exception.Message)\" }
            if ($said -eq $want -or (Get-Date) -gt $testsUntil) { break }
            Start-Sleep -Seconds 20
        }
        $verdict = if ($said -eq $want) { 'as wanted' } else { 'NOT AS WANTED' }
        [pscustomobject]@{ Mailbox = $mailbox; Wanted = $want; Exchange = $said; Verdict = $verdict }
    }

";

const LOOK_AT_GROUP: &str = "        \
        if ($group -and \"$($group.RecipientTypeDetails)\" -ne 'MailUniversalSecurityGroup') {
            throw 'The group is not a mail-enabled security group. Nothing was changed.'
        }
        if ($group) {
            $strangers = @(Get-GroupMember | Where-Object { $wanted -notcontains \"$($_.ExternalDirectoryObjectId)\" })
            if ($strangers) {
                $strangers | Select-Object -Property Name, PrimarySmtpAddress, RecipientTypeDetails | Format-Table -AutoSize | Out-String | Write-Host
                throw 'The group has the members above, which the plan does not permit. Nothing was changed.'
            }
        }
";

const EXISTING_MEMBERS: &str = "        \
        $members = @(Get-GroupMember | ForEach-Object { \"$($_.ExternalDirectoryObjectId)\" })
        $missing = @($wanted | Where-Object { $members -notcontains $_ })
        if ($missing) {
            throw \"The group lacks members that the plan permits: $($missing -join ', '). Nothing was changed.\"
        }
";

const LOOK_AT_RIGHTS: &str = "
        # Other policies and Exchange roles of the application: both would let it do more
        $policies = @(
            try { Get-ApplicationAccessPolicy }
            catch { if (-not (Test-NotFound $_)) { throw } }
        )
        $about = @($policies | Where-Object { \"$($_.AppId)\" -eq '*' -or \"$($_.AppId)\" -like \"*$appId*\" })
        $mine = @($about | Where-Object {
            $group -and \"$($_.AppId)\" -eq $appId -and \"$($_.AccessRight)\" -eq 'RestrictAccess' -and
            $_.IsValid -ne $false -and \"$($_.ScopeIdentityRaw)\" -like \"*;$($group.ExternalDirectoryObjectId)\"
        })
        $denies = @($about | Where-Object { \"$($_.AccessRight)\" -eq 'DenyAccess' })
        if ($denies) {
            $denies | Format-List -Property Identity, AppId, ScopeName, AccessRight | Out-String | Write-Host
            Write-Warning 'The policies above deny this application some mailboxes, whatever the new policy permits.'
        }
        $known = @($mine; $denies) | ForEach-Object { \"$($_.Identity)\" }
        $others = @($about | Where-Object { $known -notcontains \"$($_.Identity)\" })
        if ($others) {
            $others | Format-List -Property Identity, AppId, ScopeName, AccessRight | Out-String | Write-Host
            throw 'The policies above let this application into more mailboxes: policies add up. Nothing was changed.'
        }
        if (-not (Get-Command -Name Get-ServicePrincipal -ErrorAction SilentlyContinue)) {
            throw 'This account may not read Exchange roles of applications, which could let this one do more. Nothing was changed. Use an account with the role Exchange Administrator.'
        }
        $names = @(Get-ServicePrincipal | Where-Object { \"$($_.AppId)\" -eq $appId -or \"$($_.ObjectId)\" -eq $appObjectId } |
            ForEach-Object { $_.Identity; $_.Name; $_.DisplayName; $_.AppId; $_.ObjectId; $_.Guid } | Where-Object { $_ } | ForEach-Object { \"$_\" })
        $names += @($appId, $appObjectId)
        $roles = @(Get-ManagementRoleAssignment | Where-Object {
            \"$($_.RoleAssigneeType)\" -eq 'ServicePrincipal' -and
            ($names -contains \"$($_.RoleAssigneeName)\" -or $names -contains \"$($_.RoleAssignee)\")
        })
        if ($roles) {
            $roles | Format-List -Property Name, Role, RoleAssigneeName, RecipientWriteScope | Out-String | Write-Host
            throw 'The application holds the Exchange roles above. They add to what a policy leaves. Nothing was changed.'
        }
";

const WAIT_FOR_MEMBERS: &str = "        \
        $until = (Get-Date).AddMinutes(30)
        while ($true) {
            $members = @(Get-GroupMember | ForEach-Object { \"$($_.ExternalDirectoryObjectId)\" })
            $missing = @($wanted | Where-Object { $members -notcontains $_ })
            if (-not $missing) { break }
            if ((Get-Date) -gt $until) { throw \"Exchange does not show these members after 30 minutes: $($missing -join ', '). There is no policy yet. Run the script again later.\" }
            Start-Sleep -Seconds 20
        }
";

const END: &str = "        \
        $verdicts | Format-Table -AutoSize | Out-String -Width 200 | Write-Host
        $wrong = @($verdicts | Where-Object { $_.Verdict -ne 'as wanted' })
        if ($wrong) {
            throw \"Exchange's own test does not agree for $($wrong.Count) of $($verdicts.Count) mailboxes: see the table. The policy stands.\"
        }
        Write-Host \"Exchange's own test agrees for all $($verdicts.Count) mailboxes of the table. Others were not tried.\"
        Write-Host 'Real mail obeys a policy only later: usually after 30 minutes to 2 hours, and more than a day was seen. Until then the application sends as before.'
        Write-Host 'The script looked at access policies and Exchange roles. It did not look at Entra, where other permissions and directory roles can go around a policy.'
    } finally {
        $global:ErrorActionPreference = $before
        Disconnect-ExchangeOnline -Confirm:$false
    }
}
";

#[cfg(test)]
#[path = "script/powershell.rs"]
mod powershell;

#[cfg(test)]
#[path = "script/tests.rs"]
mod tests;
