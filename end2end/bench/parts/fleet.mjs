// A fleet of customers, connected through the portal and the cloud's own pages, without a browser.

/** Asks as a browser does: keeps cookies, follows redirects up to where `stop` says. */
class Client {
  #jars = new Map();
  /** Whom the proxy in front says that it saw: what one client may without a session is limited. */
  from = "10.0.0.0";

  constructor(state) {
    for (const { name, value, domain } of state.cookies) this.#jar(domain).set(name, value);
  }

  #jar(host) {
    if (!this.#jars.has(host)) this.#jars.set(host, new Map());
    return this.#jars.get(host);
  }

  async ask(url, { form, stop = () => false } = {}) {
    let method = form ? "POST" : "GET";
    let body = form ? new URLSearchParams(form).toString() : undefined;
    for (let turn = 0; turn < 10; turn += 1) {
      const { hostname, origin } = new URL(url);
      const jar = this.#jar(hostname);
      const answer = await fetch(url, {
        method,
        body,
        redirect: "manual",
        headers: {
          cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; "),
          accept: "text/html",
          origin,
          "x-forwarded-for": this.from,
          ...(body && { "content-type": "application/x-www-form-urlencoded" }),
        },
      });
      for (const line of answer.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        jar.set(name, value);
      }
      const next = answer.headers.get("location");
      const text = await answer.text();
      if (!next || answer.status < 300 || answer.status > 399) return { url, status: answer.status, text };
      url = new URL(next, url).href;
      [method, body] = ["GET", undefined];
      if (stop(url)) return { url, status: answer.status, text: "" };
    }
    throw new Error(`too many redirects, the last to ${url}`);
  }
}

/** The fleet's own customers, without the few that every seed has: {upn, password, domain, tenant}. */
export async function fleetOf({ cloud }) {
  const { tenants } = await (await fetch(`${cloud}/_cloud/tenants`)).json();
  return tenants
    .filter(({ domain }) => /\d{4}\.example$/.test(domain))
    .map(({ domain, tenant_id: tenant }) => ({ upn: `admin@${domain}`, password: "demo", domain, tenant }));
}

const SCOPES = ["graph:User.Read", "graph:Application.Read.All", "graph:Directory.Read.All", "exchange:Exchange.Manage"];

/** Connects every customer of the cloud through GDAP. `state`: the signed-in owner's cookies. */
export async function connectAll(stack, state, domains, say) {
  const consent = { tenant: "*", consent: { app_id: stack.accounts.postern.client_id, scopes: SCOPES } };
  const given = await fetch(`${stack.cloud}/_cloud/tenants`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(consent),
  });
  if (!given.ok) throw new Error(`consent could not be given: ${given.status} ${await given.text()}`);
  const client = new Client(state);
  for (const [index, domain] of domains.entries()) {
    client.from = `10.1.${index >> 8}.${index & 255}`;
    const picker = await client.ask(`${stack.portal}/api/connect`, { form: { tenant: domain, way: "gdap" } });
    const [, action] = /<form method="post" action="([^"]+)"/.exec(picker.text) ?? [];
    const [, flow] = /name="flow" value="([^"]+)"/.exec(picker.text) ?? [];
    const [, account] = /name="account" value="([^"]+)"/.exec(picker.text) ?? [];
    if (!action || !flow || !account) throw new Error(`${domain}: ${picker.url} is no page to pick an account on\n${picker.text.slice(0, 500)}`);
    const stop = (url) => url.startsWith(`${stack.portal}/customers/`);
    let back = await client.ask(new URL(action, picker.url).href, { form: { flow, account }, stop });
    // The partner's own tenant is asked once for the scopes that a connection needs.
    const [, consent] = /<form method="post" action="([^"]+\/consent)"/.exec(back.text) ?? [];
    if (consent) {
      const [, asked] = /name="flow" value="([^"]+)"/.exec(back.text) ?? [];
      back = await client.ask(new URL(consent, back.url).href, { form: { flow: asked, decision: "accept" }, stop });
    }
    if (!back.url.startsWith(`${stack.portal}/customers/`)) throw new Error(`${domain} was not connected: ${back.url}\n${back.text.slice(0, 500)}`);
    if ((index + 1) % 200 === 0) say(`${index + 1} customers connected`);
  }
}
