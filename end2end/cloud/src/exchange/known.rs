//! What Exchange Online has by its public documentation, simulated or not: so that a caller can tell
//! what this cloud lacks from what does not exist and from what is not allowed.

/// Every cmdlet. The functions of the module (`Get-EXOMailbox`, `Connect-ExchangeOnline`) are none
/// of the service's.
const CMDLETS: &str =
    "Add-AvailabilityAddressSpace Add-DistributionGroupMember Add-HVEAppAccess Add-LdapDirectory
Add-MailboxFolderPermission Add-MailboxPermission Add-ManagementRoleEntry
Add-PublicFolderClientPermission Add-RecipientPermission Add-RoleGroupMember
Add-UnifiedGroupLinks Add-VivaModuleFeaturePolicy Add-VivaOrgInsightsDelegatedRole
Add-WorkforceInsightsDelegationAccess Clear-ActiveSyncDevice Clear-MobileDevice
Clear-TextMessagingAccount Compare-TextMessagingVerificationCode Complete-MigrationBatch
Delete-QuarantineMessage Disable-ATPProtectionPolicyRule Disable-AntiPhishRule Disable-App
Disable-DnssecForVerifiedDomain Disable-EOPProtectionPolicyRule Disable-HostedContentFilterRule
Disable-HostedOutboundSpamFilterRule Disable-IPv6ForAcceptedDomain Disable-InboxRule
Disable-JournalArchiving Disable-JournalRule Disable-MailPublicFolder Disable-Mailbox
Disable-MalwareFilterRule Disable-OutlookProtectionRule Disable-ReportSubmissionRule
Disable-SafeAttachmentRule Disable-SafeLinksRule Disable-SmtpDaneInbound Disable-SweepRule
Disable-TransportRule Enable-ATPProtectionPolicyRule Enable-AntiPhishRule Enable-App
Enable-DnssecForVerifiedDomain Enable-EOPProtectionPolicyRule Enable-HostedContentFilterRule
Enable-HostedOutboundSpamFilterRule Enable-IPv6ForAcceptedDomain Enable-InboxRule
Enable-JournalRule Enable-MailPublicFolder Enable-Mailbox Enable-MalwareFilterRule
Enable-OrganizationCustomization Enable-OutlookProtectionRule Enable-ReportSubmissionRule
Enable-SafeAttachmentRule Enable-SafeLinksRule Enable-SmtpDaneInbound Enable-SweepRule
Enable-TransportRule Expedite-Delicensing Export-DlpPolicyCollection
Export-MailboxDiagnosticLogs Export-MigrationReport Export-QuarantineMessage
Export-TransportRuleCollection Get-ATPBuiltInProtectionRule Get-ATPProtectionPolicyRule
Get-ATPTotalTrafficReport Get-AcceptedDomain Get-AccessToCustomerDataRequest
Get-ActiveSyncDevice Get-ActiveSyncDeviceAccessRule Get-ActiveSyncDeviceClass
Get-ActiveSyncDeviceStatistics Get-ActiveSyncMailboxPolicy Get-ActiveSyncOrganizationSettings
Get-AdaptiveScope Get-AdaptiveScopeMembers Get-AddressBookPolicy Get-AddressList
Get-AdminAuditLogConfig Get-AdministrativeUnit Get-AggregateZapReport Get-AntiPhishPolicy
Get-AntiPhishRule Get-App Get-ApplicationAccessPolicy Get-ArcConfig Get-AtpPolicyForO365
Get-AuditLogSearch Get-AuthServer Get-AuthenticationPolicy Get-AvailabilityAddressSpace
Get-AvailabilityConfig Get-BillingPolicy Get-BlockedConnector Get-BlockedSenderAddress
Get-CASMailbox Get-CASMailboxPlan Get-CalendarDiagnosticAnalysis Get-CalendarDiagnosticLog
Get-CalendarDiagnosticObjects Get-CalendarProcessing Get-ClassificationRuleCollection
Get-Clutter Get-ComplianceTag Get-ComplianceTagStorage Get-CompromisedUserAggregateReport
Get-CompromisedUserDetailReport Get-ConfigAnalyzerPolicyRecommendation Get-Contact
Get-ContentMalwareMdoAggregateReport Get-ContentMalwareMdoDetailReport Get-DataClassification
Get-DataClassificationConfig Get-DataEncryptionPolicy Get-DataRetentionReport
Get-DefaultTenantBriefingConfig Get-DefaultTenantMyAnalyticsFeatureConfig Get-DetailZapReport
Get-DeviceConditionalAccessPolicy Get-DeviceConditionalAccessRule Get-DeviceConfigurationPolicy
Get-DeviceConfigurationRule Get-DevicePolicy Get-DeviceTenantPolicy Get-DeviceTenantRule
Get-DistributionGroup Get-DistributionGroupMember Get-DkimSigningConfig Get-DlpDetailReport
Get-DlpDetectionsReport Get-DlpIncidentDetailReport Get-DlpKeywordDictionary Get-DlpPolicy
Get-DlpPolicyTemplate Get-DlpSensitiveInformationTypeRulePackage Get-DlpSiDetectionsReport
Get-DnssecStatusForVerifiedDomain Get-DynamicDistributionGroup
Get-DynamicDistributionGroupMember Get-EOPProtectionPolicyRule
Get-EligibleDistributionGroupForMigration Get-EmailAddressPolicy Get-EmailTenantSettings
Get-EtrLimits Get-EventsFromEmailConfiguration Get-ExoInformationBarrierPolicy
Get-ExoInformationBarrierRelationship Get-ExoInformationBarrierSegment
Get-ExoPhishSimOverrideRule Get-ExoSecOpsOverrideRule Get-ExternalInOutlook
Get-FederatedOrganizationIdentifier Get-FederationInformation Get-FederationTrust
Get-FocusedInbox Get-GlobalAddressList Get-Group Get-HVEAccountBillingPolicy
Get-HVEAccountSettings Get-HistoricalSearch Get-HostedConnectionFilterPolicy
Get-HostedContentFilterPolicy Get-HostedContentFilterRule Get-HostedOutboundSpamFilterPolicy
Get-HostedOutboundSpamFilterRule Get-HybridMailflowDatacenterIPs Get-IPv6StatusForAcceptedDomain
Get-IRMConfiguration Get-InboundConnector Get-InboxRule Get-IntraOrganizationConfiguration
Get-IntraOrganizationConnector Get-JournalRule Get-LdapDirectory Get-LinkedUser
Get-LogonStatistics Get-M365DataAtRestEncryptionPolicy
Get-M365DataAtRestEncryptionPolicyAssignment Get-MailContact Get-MailDetailATPReport
Get-MailDetailDlpPolicyReport Get-MailDetailEncryptionReport Get-MailDetailTransportRuleReport
Get-MailFilterListReport Get-MailFlowStatusReport Get-MailPublicFolder Get-MailTrafficATPReport
Get-MailTrafficEncryptionReport Get-MailTrafficPolicyReport Get-MailTrafficSummaryReport
Get-MailUser Get-Mailbox Get-MailboxAuditBypassAssociation Get-MailboxAutoReplyConfiguration
Get-MailboxCalendarConfiguration Get-MailboxCalendarFolder Get-MailboxFolder
Get-MailboxFolderPermission Get-MailboxFolderStatistics Get-MailboxIRMAccess
Get-MailboxImportRequest Get-MailboxImportRequestStatistics Get-MailboxJunkEmailConfiguration
Get-MailboxLocation Get-MailboxMessageConfiguration Get-MailboxPermission Get-MailboxPlan
Get-MailboxRegionalConfiguration Get-MailboxRestoreRequest Get-MailboxRestoreRequestStatistics
Get-MailboxSearch Get-MailboxSpellingConfiguration Get-MailboxStatistics
Get-MailboxUserConfiguration Get-MalwareFilterPolicy Get-MalwareFilterRule Get-ManagementRole
Get-ManagementRoleAssignment Get-ManagementRoleEntry Get-ManagementScope Get-MessageCategory
Get-MessageClassification Get-MessageTrace Get-MessageTraceDetail Get-MessageTraceDetailV2
Get-MessageTraceV2 Get-MessageTrackingReport Get-MigrationBatch Get-MigrationConfig
Get-MigrationEndpoint Get-MigrationStatistics Get-MigrationUser Get-MigrationUserStatistics
Get-MobileDevice Get-MobileDeviceMailboxPolicy Get-MobileDeviceStatistics Get-MoveRequest
Get-MoveRequestStatistics Get-MxRecordReport Get-MyAnalyticsFeatureConfig Get-OMEConfiguration
Get-OMEMessageStatus Get-OfflineAddressBook Get-OnPremisesOrganization
Get-OnlineMeetingConfiguration Get-OrganizationConfig Get-OrganizationRelationship
Get-OrganizationalUnit Get-OutboundConnector Get-OutboundConnectorReport
Get-OutlookProtectionRule Get-OwaMailboxPolicy Get-PartnerApplication Get-PendingDelicenseUser
Get-PerimeterConfig Get-PhishSimOverridePolicy Get-Place Get-PolicyTipConfig Get-PublicFolder
Get-PublicFolderClientPermission Get-PublicFolderItemStatistics
Get-PublicFolderMailboxDiagnostics Get-PublicFolderMailboxMigrationRequest
Get-PublicFolderMailboxMigrationRequestStatistics Get-PublicFolderMoveRequest
Get-PublicFolderMoveRequestStatistics Get-PublicFolderStatistics Get-QuarantineMessage
Get-QuarantineMessageHeader Get-QuarantinePolicy Get-RMSTemplate Get-Recipient
Get-RecipientPermission Get-RecipientStatisticsReport Get-RecoverableItems Get-RemoteDomain
Get-ReportExecutionInstance Get-ReportSubmissionPolicy Get-ReportSubmissionRule
Get-ResourceConfig Get-RetentionEvent Get-RetentionPolicy Get-RetentionPolicyTag Get-ReviewItems
Get-RoleAssignmentPolicy Get-RoleGroup Get-RoleGroupMember Get-SCInsights
Get-SafeAttachmentPolicy Get-SafeAttachmentRule Get-SafeLinksAggregateReport
Get-SafeLinksDetailReport Get-SafeLinksPolicy Get-SafeLinksRule Get-SecOpsOverridePolicy
Get-SecurityPrincipal Get-ServiceDeliveryReport Get-ServicePrincipal Get-SharingPolicy
Get-SmimeConfig Get-SmtpDaneInboundStatus Get-SpoofIntelligenceInsight Get-SpoofMailReport
Get-SupervisoryReviewActivity Get-SupervisoryReviewPolicyReport Get-SupervisoryReviewPolicyV2
Get-SupervisoryReviewReport Get-SupervisoryReviewRule Get-SweepRule Get-TeamsProtectionPolicy
Get-TeamsProtectionPolicyRule Get-TenantAllowBlockListItems Get-TenantAllowBlockListSpoofItems
Get-TextMessagingAccount Get-TransportConfig Get-TransportRule Get-TransportRuleAction
Get-TransportRulePredicate Get-UnifiedGroup Get-UnifiedGroupLinks Get-User
Get-UserBriefingConfig Get-VivaInsightsSettings Get-VivaModuleFeature
Get-VivaModuleFeatureEnablement Get-VivaModuleFeaturePolicy Get-VivaOrgInsightsDelegatedRole
Get-WorkforceInsightsDelegationAccess Import-DlpPolicyCollection Import-RecipientDataProperty
Invoke-ChangeMeetingOrganizer Invoke-ComplianceSearchActionStep
Invoke-ProvisioningAcceptedDomainDiagnostic Invoke-ProvisioningCompanyObjectDiagnostic
Invoke-ProvisioningRecipientDiagnostic Invoke-ProvisioningVerifyRbacDiagnostic
New-ATPBuiltInProtectionRule New-ATPProtectionPolicyRule New-ActiveSyncDeviceAccessRule
New-ActiveSyncMailboxPolicy New-AddressBookPolicy New-AddressList New-AntiPhishPolicy
New-AntiPhishRule New-App New-ApplicationAccessPolicy New-AuthenticationPolicy
New-AvailabilityConfig New-ClassificationRuleCollection New-DataClassification
New-DataEncryptionPolicy New-DistributionGroup New-DkimSigningConfig New-DlpPolicy
New-DynamicDistributionGroup New-EOPProtectionPolicyRule New-EmailAddressPolicy
New-ExoPhishSimOverrideRule New-ExoSecOpsOverrideRule New-Fingerprint New-GlobalAddressList
New-HostedContentFilterPolicy New-HostedContentFilterRule New-HostedOutboundSpamFilterPolicy
New-HostedOutboundSpamFilterRule New-InboundConnector New-InboxRule
New-IntraOrganizationConnector New-JournalRule New-M365DataAtRestEncryptionPolicy
New-MailContact New-MailMessage New-MailUser New-Mailbox New-MailboxAuditLogSearch
New-MailboxFolder New-MailboxImportRequest New-MailboxRestoreRequest New-MailboxSearch
New-MalwareFilterPolicy New-MalwareFilterRule New-ManagementRole New-ManagementRoleAssignment
New-ManagementScope New-MessageClassification New-MigrationBatch New-MigrationEndpoint
New-MobileDeviceMailboxPolicy New-MoveRequest New-OMEConfiguration New-OfflineAddressBook
New-OnPremisesOrganization New-OrganizationRelationship New-OutboundConnector
New-OutlookProtectionRule New-OwaMailboxPolicy New-PartnerApplication New-PhishSimOverridePolicy
New-PolicyTipConfig New-PublicFolder New-PublicFolderMoveRequest New-QuarantinePermissions
New-QuarantinePolicy New-RemoteDomain New-ReportSubmissionPolicy New-ReportSubmissionRule
New-RetentionPolicy New-RetentionPolicyTag New-RoleAssignmentPolicy New-RoleGroup
New-SafeAttachmentPolicy New-SafeAttachmentRule New-SafeLinksPolicy New-SafeLinksRule
New-SecOpsOverridePolicy New-ServicePrincipal New-SharingPolicy New-SweepRule
New-SyncMailPublicFolder New-TeamsProtectionPolicy New-TeamsProtectionPolicyRule
New-TenantAllowBlockListItems New-TenantAllowBlockListSpoofItems New-TransportRule
New-UnifiedGroup Preview-QuarantineMessage Release-QuarantineMessage
Remove-ATPProtectionPolicyRule Remove-ActiveSyncDevice Remove-ActiveSyncDeviceAccessRule
Remove-ActiveSyncMailboxPolicy Remove-AddressBookPolicy Remove-AddressList
Remove-AntiPhishPolicy Remove-AntiPhishRule Remove-App Remove-ApplicationAccessPolicy
Remove-AuthenticationPolicy Remove-AvailabilityAddressSpace Remove-AvailabilityConfig
Remove-BlockedConnector Remove-BlockedSenderAddress Remove-CalendarEvents
Remove-ClassificationRuleCollection Remove-DataClassification Remove-DistributionGroup
Remove-DistributionGroupMember Remove-DkimSigningConfig Remove-DlpPolicy
Remove-DynamicDistributionGroup Remove-EOPProtectionPolicyRule Remove-EmailAddressPolicy
Remove-ExoPhishSimOverrideRule Remove-ExoSecOpsOverrideRule Remove-GlobalAddressList
Remove-HVEAppAccess Remove-HostedContentFilterPolicy Remove-HostedContentFilterRule
Remove-HostedOutboundSpamFilterPolicy Remove-HostedOutboundSpamFilterRule
Remove-HybridConfiguration Remove-InboundConnector Remove-InboxRule
Remove-IntraOrganizationConnector Remove-JournalRule Remove-LdapDirectory Remove-MailContact
Remove-MailUser Remove-Mailbox Remove-MailboxFolderPermission Remove-MailboxIRMAccess
Remove-MailboxImportRequest Remove-MailboxPermission Remove-MailboxRestoreRequest
Remove-MailboxSearch Remove-MailboxUserConfiguration Remove-MalwareFilterPolicy
Remove-MalwareFilterRule Remove-ManagementRole Remove-ManagementRoleAssignment
Remove-ManagementRoleEntry Remove-ManagementScope Remove-MessageClassification
Remove-MigrationBatch Remove-MigrationEndpoint Remove-MigrationUser Remove-MobileDevice
Remove-MobileDeviceMailboxPolicy Remove-MoveRequest Remove-OMEConfiguration
Remove-OfflineAddressBook Remove-OnPremisesOrganization Remove-OrganizationRelationship
Remove-OutboundConnector Remove-OutlookProtectionRule Remove-OwaMailboxPolicy
Remove-PartnerApplication Remove-PhishSimOverridePolicy Remove-PolicyTipConfig
Remove-PublicFolder Remove-PublicFolderClientPermission
Remove-PublicFolderMailboxMigrationRequest Remove-PublicFolderMoveRequest
Remove-QuarantinePolicy Remove-RecipientPermission Remove-RemoteDomain
Remove-ReportSubmissionPolicy Remove-ReportSubmissionRule Remove-RetentionPolicy
Remove-RetentionPolicyTag Remove-RoleAssignmentPolicy Remove-RoleGroup Remove-RoleGroupMember
Remove-SafeAttachmentPolicy Remove-SafeAttachmentRule Remove-SafeLinksPolicy
Remove-SafeLinksRule Remove-SecOpsOverridePolicy Remove-ServicePrincipal Remove-SharingPolicy
Remove-SweepRule Remove-SyncMailPublicFolder Remove-TenantAllowBlockListItems
Remove-TenantAllowBlockListSpoofItems Remove-TransportRule Remove-UnifiedGroup
Remove-UnifiedGroupLinks Remove-VivaModuleFeaturePolicy Remove-VivaOrgInsightsDelegatedRole
Remove-WorkforceInsightsDelegationAccess Restore-RecoverableItems Resume-MailboxImportRequest
Resume-MailboxRestoreRequest Resume-MoveRequest Rotate-DkimSigningConfig Search-MailboxAuditLog
Search-MessageTrackingReport Search-UnifiedAuditLog Send-TextMessagingVerificationCode
Set-ATPBuiltInProtectionRule Set-ATPProtectionPolicyRule Set-AcceptedDomain
Set-AccessToCustomerDataRequest Set-ActiveSyncDeviceAccessRule Set-ActiveSyncMailboxPolicy
Set-ActiveSyncOrganizationSettings Set-AddressBookPolicy Set-AddressList Set-AdminAuditLogConfig
Set-AntiPhishPolicy Set-AntiPhishRule Set-App Set-ApplicationAccessPolicy Set-ArcConfig
Set-AtpPolicyForO365 Set-AuthenticationPolicy Set-AvailabilityConfig Set-CASMailbox
Set-CASMailboxPlan Set-CalendarProcessing Set-ClassificationRuleCollection Set-Clutter
Set-Contact Set-DataClassification Set-DataEncryptionPolicy Set-DefaultTenantBriefingConfig
Set-DefaultTenantMyAnalyticsFeatureConfig Set-DistributionGroup Set-DkimSigningConfig
Set-DlpPolicy Set-DynamicDistributionGroup Set-EOPProtectionPolicyRule Set-EmailAddressPolicy
Set-EmailTenantSettings Set-EventsFromEmailConfiguration Set-ExoPhishSimOverrideRule
Set-ExoSecOpsOverrideRule Set-ExternalInOutlook Set-FederatedOrganizationIdentifier
Set-FocusedInbox Set-GlobalAddressList Set-Group Set-HVEAccountBillingPolicy
Set-HVEAccountSettings Set-HostedConnectionFilterPolicy Set-HostedContentFilterPolicy
Set-HostedContentFilterRule Set-HostedOutboundSpamFilterPolicy Set-HostedOutboundSpamFilterRule
Set-IRMConfiguration Set-InboundConnector Set-InboxRule Set-IntraOrganizationConnector
Set-JournalRule Set-LdapDirectory Set-LinkedUser Set-M365DataAtRestEncryptionPolicy
Set-M365DataAtRestEncryptionPolicyAssignment Set-MailContact Set-MailPublicFolder Set-MailUser
Set-Mailbox Set-MailboxAuditBypassAssociation Set-MailboxAutoReplyConfiguration
Set-MailboxCalendarConfiguration Set-MailboxCalendarFolder Set-MailboxFolderPermission
Set-MailboxIRMAccess Set-MailboxImportRequest Set-MailboxJunkEmailConfiguration
Set-MailboxMessageConfiguration Set-MailboxPlan Set-MailboxRegionalConfiguration
Set-MailboxRestoreRequest Set-MailboxSearch Set-MailboxSpellingConfiguration
Set-MalwareFilterPolicy Set-MalwareFilterRule Set-ManagementRoleAssignment
Set-ManagementRoleEntry Set-ManagementScope Set-MessageClassification Set-MigrationBatch
Set-MigrationConfig Set-MigrationEndpoint Set-MigrationUser Set-MobileDeviceMailboxPolicy
Set-MoveRequest Set-MyAnalyticsFeatureConfig Set-OMEConfiguration Set-OMEMessageRevocation
Set-OfflineAddressBook Set-OnPremisesOrganization Set-OrganizationConfig
Set-OrganizationRelationship Set-OutboundConnector Set-OutlookProtectionRule
Set-OwaMailboxPolicy Set-PartnerApplication Set-PerimeterConfig Set-PhishSimOverridePolicy
Set-Place Set-PolicyTipConfig Set-PublicFolder Set-QuarantinePermissions Set-QuarantinePolicy
Set-RMSTemplate Set-RemoteDomain Set-ReportSubmissionPolicy Set-ReportSubmissionRule
Set-ResourceConfig Set-RetentionPolicy Set-RetentionPolicyTag Set-RoleAssignmentPolicy
Set-RoleGroup Set-SafeAttachmentPolicy Set-SafeAttachmentRule Set-SafeLinksPolicy
Set-SafeLinksRule Set-SecOpsOverridePolicy Set-ServicePrincipal Set-SharingPolicy
Set-SmimeConfig Set-SweepRule Set-TeamsProtectionPolicy Set-TeamsProtectionPolicyRule
Set-TenantAllowBlockListItems Set-TenantAllowBlockListSpoofItems Set-TextMessagingAccount
Set-TransportConfig Set-TransportRule Set-UnifiedGroup Set-User Set-UserBriefingConfig
Set-VivaInsightsSettings Start-HistoricalSearch Start-MailboxSearch Start-ManagedFolderAssistant
Start-MigrationBatch Start-MigrationUser Stop-HistoricalSearch Stop-MailboxSearch
Stop-MigrationBatch Stop-MigrationUser Suspend-MailboxImportRequest
Suspend-MailboxRestoreRequest Suspend-MoveRequest Suspend-PublicFolderMailboxMigrationRequest
Test-ApplicationAccessPolicy Test-ArchiveConnectivity Test-DataClassification
Test-IRMConfiguration Test-M365DataAtRestEncryptionPolicy Test-MAPIConnectivity Test-Message
Test-MigrationServerAvailability Test-OAuthConnectivity Test-OrganizationRelationship
Test-ServicePrincipalAuthorization Test-TextExtraction Undo-SoftDeletedMailbox
Undo-SoftDeletedUnifiedGroup Update-DistributionGroupMember Update-HybridConfiguration
Update-PublicFolderMailbox Update-Recipient Update-RoleGroupMember
Update-VivaModuleFeaturePolicy Upgrade-DistributionGroup Validate-OutboundConnector
Validate-RetentionRuleQuery Write-AdminAuditLog";

/// The parameters of the simulated cmdlets. A question mark: a switch,
/// which is as good as not sent when it is false.
const PARAMETERS: &[(&str, &str)] = &[
    (
        "Add-DistributionGroupMember",
        "BypassSecurityGroupManagerCheck? Identity Member",
    ),
    (
        "Add-MailboxPermission",
        "AccessRights AutoMapping Deny? GroupMailbox? Identity IgnoreDefaultScope? InheritanceType Owner
User",
    ),
    (
        "Add-RecipientPermission",
        "AccessRights Identity Trustee",
    ),
    (
        "Add-RoleGroupMember",
        "BypassSecurityGroupManagerCheck? Identity Member",
    ),
    (
        "Get-AdministrativeUnit",
        "Identity",
    ),
    (
        "Get-ApplicationAccessPolicy",
        "Identity",
    ),
    (
        "Get-CASMailbox",
        "ActiveSyncDebugLogging? ActiveSyncSuppressReadReceipt? Anr Credential Filter Identity
IgnoreDefaultScope? OrganizationalUnit ProtocolSettings? ReadIsOptimizedForAccessibility?
RecalculateHasActiveSyncDevicePartnership? RecipientTypeDetails ResultSize SortBy",
    ),
    (
        "Get-DistributionGroup",
        "Anr Credential Filter Identity IncludeAcceptMessagesOnlyFromDLMembersWithDisplayNames?
IncludeAcceptMessagesOnlyFromSendersOrMembersWithDisplayNames?
IncludeAcceptMessagesOnlyFromWithDisplayNames?
IncludeBypassModerationFromSendersOrMembersWithDisplayNames?
IncludeGrantSendOnBehalfToWithDisplayNames? IncludeManagedByWithDisplayNames?
IncludeModeratedByWithDisplayNames? ManagedBy OrganizationalUnit RecipientTypeDetails ResultSize
SortBy",
    ),
    (
        "Get-DistributionGroupMember",
        "Credential Identity IncludeSoftDeletedObjects? ResultSize",
    ),
    (
        "Get-Group",
        "Anr Filter Identity OrganizationalUnit RecipientTypeDetails ResultSize SortBy",
    ),
    (
        "Get-Mailbox",
        "Anr Archive? Filter GroupMailbox? Identity InactiveMailboxOnly?
IncludeAcceptMessagesOnlyFromDLMembersWithDisplayNames?
IncludeAcceptMessagesOnlyFromSendersOrMembersWithDisplayNames?
IncludeAcceptMessagesOnlyFromWithDisplayNames? IncludeEmailAddressDisplayNames?
IncludeForwardingAddressWithDisplayNames? IncludeGrantSendOnBehalfToWithDisplayNames?
IncludeInactiveMailbox? MailboxPlan Migration? OrganizationalUnit PublicFolder?
RecipientTypeDetails ResultSize SoftDeletedMailbox? SortBy",
    ),
    (
        "Get-MailboxPermission",
        "Credential GroupMailbox? Identity IncludeSoftDeletedUserPermissions?
IncludeUnresolvedPermissions? IncludeUserWithDisplayName? Owner? ReadFromDomainController?
ResultSize SoftDeletedMailbox? UseCustomRouting? User",
    ),
    (
        "Get-ManagementRoleAssignment",
        "AssignmentMethod ConfigWriteScope CustomRecipientWriteScope Delegating Enabled Exclusive
ExclusiveRecipientWriteScope GetEffectiveUsers? Identity RecipientAdministrativeUnitScope
RecipientGroupScope RecipientOrganizationalUnitScope RecipientWriteScope Role RoleAssignee
RoleAssigneeType WritableRecipient",
    ),
    (
        "Get-ManagementScope",
        "Exclusive Identity Orphan?",
    ),
    (
        "Get-Recipient",
        "Anr AuthenticationType BookmarkDisplayName Capabilities Filter Identity IncludeBookmarkObject
IncludeManagerWithDisplayName? IncludeSoftDeletedRecipients? OrganizationalUnit Properties
PropertySet RecipientPreviewFilter RecipientType RecipientTypeDetails ResultSize SortBy",
    ),
    (
        "Get-RecipientPermission",
        "AccessRights Identity IncludeTrusteeWithPrimarySmtpAddress? ReadFromDomainController? ResultSize
Trustee",
    ),
    (
        "Get-RoleGroup",
        "Filter Identity ResultSize ShowPartnerLinked? SortBy",
    ),
    (
        "Get-RoleGroupMember",
        "Identity ResultSize",
    ),
    (
        "Get-ServicePrincipal",
        "Identity Organization",
    ),
    (
        "New-ApplicationAccessPolicy",
        "AccessRight AppId Description PolicyScopeGroupID",
    ),
    (
        "New-DistributionGroup",
        "Alias BccBlocked BypassNestedModerationEnabled CopyOwnerToMember? Description DisplayName
HiddenGroupMembershipEnabled? IgnoreNamingPolicy? ManagedBy MemberDepartRestriction
MemberJoinRestriction Members ModeratedBy ModerationEnabled Name Notes OrganizationalUnit
PrimarySmtpAddress RequireSenderAuthenticationEnabled RoomList? SendModerationNotifications Type",
    ),
    (
        "New-ManagementRoleAssignment",
        "App CustomRecipientWriteScope CustomResourceScope Delegating? ExclusiveRecipientWriteScope
Force? Name Policy RecipientAdministrativeUnitScope RecipientGroupScope
RecipientOrganizationalUnitScope RecipientRelativeWriteScope Role SecurityGroup User",
    ),
    (
        "New-ManagementScope",
        "Exclusive? Force? Name RecipientRestrictionFilter RecipientRoot",
    ),
    (
        "New-RoleGroup",
        "CustomRecipientWriteScope Description DisplayName Force? ManagedBy Members Name Roles
WellKnownObject",
    ),
    (
        "New-ServicePrincipal",
        "AppId DisplayName ObjectId ServiceId",
    ),
    (
        "Remove-ApplicationAccessPolicy",
        "Identity",
    ),
    (
        "Remove-DistributionGroup",
        "BypassSecurityGroupManagerCheck? Identity",
    ),
    (
        "Remove-DistributionGroupMember",
        "BypassSecurityGroupManagerCheck? Identity Member",
    ),
    (
        "Remove-MailboxPermission",
        "AccessRights BypassMasterAccountSid? ClearAutoMapping? Deny? GroupMailbox? Identity
IgnoreDefaultScope? InheritanceType ResetDefault? SoftDeletedMailbox? User",
    ),
    (
        "Remove-ManagementRoleAssignment",
        "Force? Identity",
    ),
    (
        "Remove-ManagementScope",
        "Force? Identity",
    ),
    (
        "Remove-RecipientPermission",
        "AccessRights Deny? Identity MultiTrustees SkipDomainValidationForMailContact?
SkipDomainValidationForMailUser? SkipDomainValidationForSharedMailbox? Trustee",
    ),
    (
        "Remove-RoleGroup",
        "BypassSecurityGroupManagerCheck? Force? Identity",
    ),
    (
        "Remove-RoleGroupMember",
        "BypassSecurityGroupManagerCheck? Identity Member",
    ),
    (
        "Remove-ServicePrincipal",
        "Identity",
    ),
    (
        "Set-ApplicationAccessPolicy",
        "Description Identity",
    ),
    (
        "Set-CASMailbox",
        "ActiveSyncAllowedDeviceIDs ActiveSyncBlockedDeviceIDs ActiveSyncDebugLogging ActiveSyncEnabled
ActiveSyncMailboxPolicy ActiveSyncSuppressReadReceipt EwsAllowEntourage EwsAllowList
EwsAllowMacOutlook EwsAllowOutlook EwsApplicationAccessPolicy EwsBlockList EwsEnabled Identity
ImapEnabled ImapForceICalForCalendarRetrievalOption ImapMessagesRetrievalMimeFormat
ImapSuppressReadReceipt ImapUseProtocolDefaults IsOptimizedForAccessibility MAPIEnabled
MacOutlookEnabled OWAEnabled OWAforDevicesEnabled OneWinNativeOutlookEnabled
OutlookMobileEnabled OwaMailboxPolicy PopEnabled PopForceICalForCalendarRetrievalOption
PopMessagesRetrievalMimeFormat PopSuppressReadReceipt PopUseProtocolDefaults
PublicFolderClientAccess ShowGalAsDefaultView SmtpClientAuthenticationDisabled
UniversalOutlookEnabled",
    ),
    (
        "Set-DistributionGroup",
        "AcceptMessagesOnlyFrom AcceptMessagesOnlyFromDLMembers AcceptMessagesOnlyFromSendersOrMembers
Alias BccBlocked BypassModerationFromSendersOrMembers BypassNestedModerationEnabled
BypassSecurityGroupManagerCheck? CustomAttribute1 CustomAttribute10 CustomAttribute11
CustomAttribute12 CustomAttribute13 CustomAttribute14 CustomAttribute15 CustomAttribute2
CustomAttribute3 CustomAttribute4 CustomAttribute5 CustomAttribute6 CustomAttribute7
CustomAttribute8 CustomAttribute9 Description DisplayName EmailAddresses
ExtensionCustomAttribute1 ExtensionCustomAttribute2 ExtensionCustomAttribute3
ExtensionCustomAttribute4 ExtensionCustomAttribute5 ForceUpgrade? GrantSendOnBehalfTo
HiddenFromAddressListsEnabled HiddenGroupMembershipEnabled? Identity IgnoreNamingPolicy? MailTip
MailTipTranslations ManagedBy MemberDepartRestriction MemberJoinRestriction ModeratedBy
ModerationEnabled Name PrimarySmtpAddress RejectMessagesFrom RejectMessagesFromDLMembers
RejectMessagesFromSendersOrMembers ReportToManagerEnabled ReportToOriginatorEnabled
RequireSenderAuthenticationEnabled ResetMigrationToUnifiedGroup? RoomList?
SendModerationNotifications SendOofMessageToOriginatorEnabled SimpleDisplayName
UpdateMemberCount? WindowsEmailAddress",
    ),
    (
        "Set-Mailbox",
        "AcceptMessagesOnlyFrom AcceptMessagesOnlyFromDLMembers AcceptMessagesOnlyFromSendersOrMembers
AccountDisabled AddressBookPolicy Alias ApplyMandatoryProperties? ArchiveName AuditAdmin
AuditDelegate AuditEnabled AuditLogAgeLimit AuditOwner AutoArchivingEnabled
BypassModerationFromSendersOrMembers CalendarRepairDisabled CalendarVersionStoreDisabled
ClearThrottlingPolicyAssignment? CustomAttribute1 CustomAttribute10 CustomAttribute11
CustomAttribute12 CustomAttribute13 CustomAttribute14 CustomAttribute15 CustomAttribute2
CustomAttribute3 CustomAttribute4 CustomAttribute5 CustomAttribute6 CustomAttribute7
CustomAttribute8 CustomAttribute9 DataEncryptionPolicy DefaultAuditSet
DefaultPublicFolderMailbox DeliverToMailboxAndForward DisplayName ElcProcessingDisabled
EmailAddressDisplayNames EmailAddresses EnableRoomMailboxAccount EndDateForRetentionHold
EnforcedTimestamps ExcludeFromAllHolds? ExcludeFromAllOrgHolds? ExcludeFromOrgHolds
ExtensionCustomAttribute1 ExtensionCustomAttribute2 ExtensionCustomAttribute3
ExtensionCustomAttribute4 ExtensionCustomAttribute5 ExternalOofOptions Force? ForwardingAddress
ForwardingSmtpAddress GrantSendOnBehalfTo GroupMailbox HiddenFromAddressListsEnabled Identity
ImmutableId InactiveMailbox? IsExchangeCloudManaged IsExcludedFromServingHierarchy
IssueWarningQuota JournalArchiveAddress Languages LitigationHoldDate LitigationHoldDuration
LitigationHoldEnabled LitigationHoldOwner MailTip MailTipTranslations MailboxRegion
MaxReceiveSize MaxSendSize MessageCopyForSMTPClientSubmissionEnabled
MessageCopyForSendOnBehalfEnabled MessageCopyForSentAsEnabled MessageTrackingReadStatusEnabled
MicrosoftOnlineServicesID ModeratedBy ModerationEnabled Name NonCompliantDevices Office Password
ProhibitSendQuota ProhibitSendReceiveQuota ProvideConsent? ProvisionedForOfficeGraph?
PublicFolder? RecalculateInactiveMailbox? RecipientLimits RejectMessagesFrom
RejectMessagesFromDLMembers RejectMessagesFromSendersOrMembers RemoveComplianceTagHoldApplied?
RemoveDelayHoldApplied? RemoveDelayReleaseHoldApplied? RemoveDisabledArchive?
RemoveMailboxProvisioningConstraint? RemoveOrphanedHolds RequireSenderAuthenticationEnabled
ResourceCapacity ResourceCustom RetainDeletedItemsFor RetentionComment RetentionHoldEnabled
RetentionPolicy RetentionUrl RoleAssignmentPolicy RoomMailboxPassword RulesQuota
SchedulerAssistant SendModerationNotifications SharingPolicy SimpleDisplayName
SingleItemRecoveryEnabled StartDateForRetentionHold StsRefreshTokensValidFrom Type
UniqueRecipientsCountLimitLevel UniqueUnrestrictedGroupsLimitEnabled UpdateEnforcedTimestamp?
UseDatabaseQuotaDefaults UseDatabaseRetentionDefaults UserCertificate UserSMimeCertificate
WindowsEmailAddress",
    ),
    (
        "Set-ManagementRoleAssignment",
        "CustomRecipientWriteScope CustomResourceScope Enabled ExclusiveRecipientWriteScope Force?
Identity RecipientAdministrativeUnitScope RecipientGroupScope RecipientOrganizationalUnitScope
RecipientRelativeWriteScope",
    ),
    (
        "Set-ManagementScope",
        "Force? Identity Name RecipientRestrictionFilter RecipientRoot",
    ),
    (
        "Set-OrganizationConfig",
        "ActionableMessagesExtenalAccessTokenEnabled ActivityBasedAuthenticationTimeoutEnabled
ActivityBasedAuthenticationTimeoutInterval
ActivityBasedAuthenticationTimeoutWithSingleSignOnEnabled AppsForOfficeEnabled AsyncSendEnabled
AuditDisabled AutoArchivingThresholdPercentage AutoEnableArchiveMailbox AutoExpandingArchive?
AutodiscoverPartialDirSync AutomaticForcedReadReceiptEnabled BlockMoveMessagesForGroupFolders
BookingsAddressEntryRestricted BookingsAuthEnabled BookingsBlockedWordsEnabled
BookingsCreationOfCustomQuestionsRestricted BookingsEnabled
BookingsExposureOfStaffDetailsRestricted BookingsMembershipApprovalRequired
BookingsNamingPolicyEnabled BookingsNamingPolicyPrefix BookingsNamingPolicyPrefixEnabled
BookingsNamingPolicySuffix BookingsNamingPolicySuffixEnabled BookingsNotesEntryRestricted
BookingsPaymentsEnabled BookingsPhoneNumberEntryRestricted BookingsSearchEngineIndexDisabled
BookingsSmsMicrosoftEnabled BookingsSocialSharingRestricted ByteEncoderTypeFor7BitCharsets
CalendarVersionStoreEnabled ComplianceMLBgdCrawlEnabled ConnectorsActionableMessagesEnabled
ConnectorsEnabled ConnectorsEnabledForOutlook ConnectorsEnabledForSharepoint
ConnectorsEnabledForTeams ConnectorsEnabledForYammer CustomerLockboxEnabled DLPViaDcsEnabled
DLPWaitOnSendEnabled DLPWaitOnSendTimeout DefaultAuthenticationPolicy
DefaultFolderPermissionRestricted DefaultGroupAccessType DefaultMinutesToReduceLongEventsBy
DefaultMinutesToReduceShortEventsBy DefaultPublicFolderAgeLimit
DefaultPublicFolderDeletedItemRetention DefaultPublicFolderIssueWarningQuota
DefaultPublicFolderMaxItemSize DefaultPublicFolderMovedItemRetention
DefaultPublicFolderProhibitPostQuota DelayedDelicensingEnabled
DirectReportsGroupAutoCreationEnabled DisablePlusAddressInRecipients DistributionGroupDefaultOU
DistributionGroupNameBlockedWordsList DistributionGroupNamingPolicy ElcProcessingDisabled
EnableForwardingAddressSyncForMailboxes EnableOutlookEvents EndUserDLUpgradeFlowsDisabled
EndUserMailNotificationForDelayedDelicensingEnabled EnforceExoAppRbacPermissions
EnforceShortenEventSetting? EwsAllowEntourage EwsAllowList EwsAllowMacOutlook EwsAllowOutlook
EwsAllowedAppIDs EwsApplicationAccessPolicy EwsBlockList EwsEnabled
ExchangeAttributesCloudManagedByDefault? ExchangeAttributesServerManagedByDefault?
ExchangeNotificationEnabled ExchangeNotificationRecipients FindTimeAttendeeAuthenticationEnabled
FindTimeAutoScheduleDisabled FindTimeLockPollForAttendeesEnabled
FindTimeOnlineMeetingOptionDisabled FocusedInboxOn HierarchicalAddressBookRoot HybridRSVPEnabled
IPListBlocked InRegionRoutingEnabled IsAgendaMailEnabled IsGroupFoldersAndRulesEnabled
IsGroupMemberAllowedToEditContent LeanPopoutEnabled LinkPreviewEnabled MailTipsAllTipsEnabled
MailTipsExternalRecipientsTipsEnabled MailTipsGroupMetricsEnabled MailTipsLargeAudienceThreshold
MailTipsMailboxSourcedTipsEnabled MaskClientIpInReceivedHeadersEnabled
MatchSenderOrganizerProperties MessageHighlightsEnabled MessageRecallAlertRecipientsEnabled
MessageRecallAlertRecipientsReadMessagesOnlyEnabled MessageRecallEnabled
MessageRecallMaxRecallableAge MessageRemindersEnabled MobileAppEducationEnabled
OAuth2ClientProfileEnabled OnlineMeetingsByDefaultEnabled OutlookGifPickerDisabled
OutlookMobileGCCRestrictionsEnabled OutlookMobileHelpShiftEnabled
OutlookMobileSingleAccountEnabled OutlookPayEnabled OutlookTextPredictionDisabled
PerTenantSwitchToESTSEnabled PostponeRoamingSignaturesUntilLater
PreferredInternetCodePageForShiftJis PublicComputersDetectionEnabled
PublicFolderShowClientControl PublicFoldersEnabled ReadTrackingEnabled RecallReadMessagesEnabled
RecipientDelimiters RefreshSessionEnabled RejectDirectSend RemotePublicFolderMailboxes
RequiredCharsetCoverage SendFromAliasEnabled SharedDomainEmailAddressFlowEnabled
ShortenEventScopeDefault SiteMailboxCreationURL SmtpActionableMessagesEnabled
TenantAdminNotificationForDelayedDelicensingEnabled TwoClickMailPreviewEnabled
UnblockUnsafeSenderPromptEnabled VisibleMeetingUpdateProperties WebPushNotificationsDisabled
WebSuggestedRepliesDisabled WorkspaceTenantEnabled",
    ),
    (
        "Set-ServicePrincipal",
        "DisplayName Identity OverrideEnforceExoAppRbacPermissions",
    ),
    (
        "Test-ApplicationAccessPolicy",
        "AppId Identity",
    ),
    (
        "Test-ServicePrincipalAuthorization",
        "Identity Resource",
    ),
    (
        "Update-DistributionGroupMember",
        "BypassSecurityGroupManagerCheck? Identity Members",
    ),
];

/// A cmdlet by its name in any case, spelt as documented.
pub fn cmdlet(name: &str) -> Option<&'static str> {
    CMDLETS
        .split_whitespace()
        .find(|known| known.eq_ignore_ascii_case(name))
}

/// A documented parameter: its name, and whether it is a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Documented {
    pub name: &'static str,
    pub switch: bool,
}

/// A parameter of a cmdlet by its name in any case.
pub fn parameter(cmdlet: &str, name: &str) -> Option<Documented> {
    let (_, list) = PARAMETERS.iter().find(|(known, _)| *known == cmdlet)?;
    list.split_whitespace()
        .map(|entry| match entry.strip_suffix('?') {
            Some(name) => Documented { name, switch: true },
            None => Documented {
                name: entry,
                switch: false,
            },
        })
        .find(|known| known.name.eq_ignore_ascii_case(name))
}
