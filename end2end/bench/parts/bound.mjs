// The least time that reading a fleet can take: from the latency that the cloud is set to, from which
// request needs the answer of which, and from how many customers a process reads at once. Nothing that
// a run measured goes into it.

/** Milliseconds until the cloud answers, as it is set (end2end/cloud/src/decisions.rs). */
export const LATENCY = { graph: [80, 80], exchange: [1000, 3000] };

/** How many customers a process reads at once: server/engine/src/scan/turns.rs. */
export const AT_ONCE = 48;

/** What the slowest of `count` answers that are asked for together takes on average. */
const slowest = ([least, most], count) => (count === 0 ? 0 : least + ((most - least) * count) / (count + 1));

/**
 * The longest chain of one customer, in milliseconds. `asked`: how often each cmdlet was asked, from the
 * cloud's log; without Exchange nothing of it is.
 *
 * Graph: who holds permissions → what these are → their registrations. Exchange: policies, assignments,
 * pointers and the two lists of mailboxes side by side → scopes, if an assignment names one → the
 * mailboxes of each filter. Pointers and assignments → members of role groups, if there are
 * pointers. Assignments → the switch for EWS, if somebody has a use for it. Pointers and mailboxes →
 * rights, if somebody lives on them. Groups and units follow on policies and assignments, through Graph.
 */
export function chain(asked) {
  const first = ["Get-ApplicationAccessPolicy", "Get-ManagementRoleAssignment", "Get-ServicePrincipal", "Get-Mailbox"];
  const count = first.reduce((sum, cmdlet) => sum + Math.min(asked[cmdlet] ?? 0, cmdlet === "Get-Mailbox" ? 2 : 1), 0);
  const one = slowest(LATENCY.exchange, 1);
  // Groups are looked up by the same cmdlet as filters, so that nobody can tell how many filters there were.
  const scopes = asked["Get-ManagementScope"] ? one + one : 0;
  const members = asked["Get-RoleGroupMember"] ? slowest(LATENCY.exchange, 2) + one : 0;
  const ews = asked["Get-OrganizationConfig"] ? one + one : 0;
  const rights = asked["Get-MailboxPermission"] ? slowest(LATENCY.exchange, 2) + one : 0;
  return Math.max(3 * LATENCY.graph[0], slowest(LATENCY.exchange, count) + scopes, members, ews, rights);
}

/** Seconds for all customers, each with its own chain. */
export const bound = (chains) => Math.max(chains.reduce((sum, one) => sum + one, 0) / AT_ONCE, Math.max(...chains)) / 1000;
