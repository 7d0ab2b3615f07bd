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
 * The longest chain of one customer, in milliseconds: what server/microsoft/src/scan.rs asks, and what has
 * to wait for the answer of what. `asked`: how often each cmdlet was asked, from the cloud's log; without
 * Exchange nothing of it is. Where several answers have to be there, the mean of the slowest counts, and
 * chains that run side by side are compared by their means, which is never more than the truth.
 *
 * - Graph (first.rs, principals.rs): who holds permissions → what these are → their registrations.
 * - Exchange, side by side from the beginning: policies, assignments, pointers, and two lists of mailboxes
 *   (mailboxes.rs).
 * - scopes.rs, where an assignment names a scope: assignments → the scopes → the mailboxes of each filter,
 *   which wait for the lists of mailboxes as well. Groups are looked up by the same cmdlet as filters, so that
 *   nobody can tell from the log how many filters there were: one counts. An exclusive scope has none.
 * - role_groups.rs, where Exchange points to a service principal: pointers and assignments → members of role
 *   groups, in batches that go together. The principals wait for these, and their registrations for them.
 * - ews.rs, where somebody has a use for the switch: assignments → the switch.
 * - rights.rs, where somebody lives on rights: pointers and the lists of mailboxes → rights on mailboxes and
 *   rights to send, side by side. Whom the latter name can take one more call, which is not counted.
 * - Groups and units (groups.rs, units.rs) follow on policies and assignments, through Graph: less than a
 *   cmdlet, so that they are never the longest.
 */
export function chain(asked) {
  const { exchange, graph } = LATENCY;
  const first = ["Get-ApplicationAccessPolicy", "Get-ManagementRoleAssignment", "Get-ServicePrincipal", "Get-Mailbox"];
  const count = first.reduce((sum, cmdlet) => sum + Math.min(asked[cmdlet] ?? 0, cmdlet === "Get-Mailbox" ? 2 : 1), 0);
  const one = slowest(exchange, 1);
  const filter = asked["Get-Recipient"] ? one : 0;
  const scopes = asked["Get-ManagementScope"] ? one + one + filter : 0;
  const members = asked["Get-RoleGroupMember"] ? slowest(exchange, 2) + one + 2 * graph[0] : 0;
  const ews = asked["Get-OrganizationConfig"] ? one + one : 0;
  const rights = asked["Get-MailboxPermission"] ? slowest(exchange, 3) + slowest(exchange, 2) : 0;
  return Math.max(3 * graph[0], slowest(exchange, count), scopes, members, ews, rights);
}

/** Seconds for all customers, each with its own chain. */
export const bound = (chains) => Math.max(chains.reduce((sum, one) => sum + one, 0) / AT_ONCE, Math.max(...chains)) / 1000;
