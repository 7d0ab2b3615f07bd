// The simulated cloud as a test steers it: its clock, its delays, its faults, and what it saw.

/** The control paths of the cloud at `url` (DESIGN.md §10). */
export class Cloud {
  constructor(url, accounts) {
    this.url = url;
    this.accounts = accounts.accounts;
    this.applications = accounts.applications;
  }

  async #ask(method, path, body) {
    const answer = await fetch(`${this.url}/_cloud/${path}`, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the cloud answers ${answer.status} on ${method} /_cloud/${path}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  /** What one tenant holds: groups with members, policies, consents. `tenant`: domain or id. */
  state = async (tenant) => (await this.#ask("GET", `state?tenant=${encodeURIComponent(tenant)}`)).tenants[0];
  /** The mails that were sent, and the requests that were answered. */
  outbox = async () => (await this.#ask("GET", "outbox")).outbox;
  log = async (operation) => (await this.#ask("GET", operation ? `log?operation=${encodeURIComponent(operation)}` : "log")).log;
  /** Moves the cloud's clock forward. */
  advance = (seconds) => this.#ask("POST", "clock", { advance_seconds: seconds });
  /** How long things take there: `{ group_graph: [least, most] }`, in the cloud's own seconds. */
  delays = (ranges) => this.#ask("POST", "delays", ranges);
  fault = (rule) => this.#ask("POST", "faults", rule);
  faults = () => this.#ask("GET", "faults");
  healthy = () => this.#ask("DELETE", "faults");
  /** Changes a person there: `{ upn, revoke: true }` and the like. */
  user = (change) => this.#ask("POST", "users", change);
  tenant = (change) => this.#ask("POST", "tenants", change);
  /** Registers an application in a tenant: `{ tenant, name, grants: ["graph:Mail.Read"] }`. */
  newApplication = (one) => this.#ask("POST", "applications", one);

  /** The account of somebody, by the beginning of the user principal name. */
  account(start) {
    const found = this.accounts.find((account) => account.upn.startsWith(start));
    if (!found) throw new Error(`the cloud has no account ${start}…: ${this.accounts.map((one) => one.upn).join(", ")}`);
    return found;
  }

  /** An application with its client secret, by name and the tenant's domain or name. */
  application(name, tenant) {
    const tenantId = this.accounts.find((account) => account.upn.endsWith(`@${tenant}`))?.tenant_id;
    const found = this.applications.find((one) => one.name === name && (one.tenant === tenant || one.tenant_id === tenantId));
    if (!found) throw new Error(`the cloud has no application ${name} in ${tenant}`);
    return found;
  }
}
