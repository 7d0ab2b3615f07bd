//! Lists what Postern does not read, so that nobody takes its silence for “there is none”. The list
//! is the same for every application.

/// Each sentence says where a person can look instead.
pub(super) fn not_looked_at() -> Vec<String> {
    [
        // To read these, the scopes RoleEligibilitySchedule.Read.Directory and
        // RoleAssignmentSchedule.Read.Directory would be needed. Nobody consents to them here
        // (MICROSOFT.md §10.3).
        "Directory roles for which it is only eligible, or that begin later (Privileged Identity Management), were not looked at: what Postern may read shows the roles that are active now.",
        // MICROSOFT.md §10.4: not visible through Exchange Online's cmdlets.
        "Role groups of Microsoft Purview, through which eDiscovery reaches mail, were not looked at: Exchange does not show them.",
    ]
    .map(str::to_owned)
    .to_vec()
}
