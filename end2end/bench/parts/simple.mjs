// The simple way to read a customer, as most scripts do it: one request after the other, and for each
// service principal one call that asks what it was granted.
import { openContext } from "../../specs/support/browser.mjs";
import { passThrough } from "../../specs/support/sign_in.mjs";

const GRAPH = "https://graph.microsoft.com";
const EXCHANGE = "https://outlook.office365.com";
const CMDLETS = ["Get-ApplicationAccessPolicy", "Get-ManagementRoleAssignment", "Get-ServicePrincipal", "Get-Mailbox"];

/** An admin of the customer signs in, and gets a token for each of the two services. */
async function tokens(chromium, stack, { upn, password, tenant }) {
  const { client_id: client, client_secret: secret } = stack.accounts.postern;
  const redirect = `${stack.portal}/auth/callback`;
  const context = await openContext(chromium, { baseURL: stack.portal });
  const page = await context.newPage();
  let code;
  // The portal refuses the code, because it did not ask for it, and leaves it unused.
  page.on("request", (request) => {
    if (request.url().startsWith(`${redirect}?`)) code = new URL(request.url()).searchParams.get("code");
  });
  const ask = new URLSearchParams({
    client_id: client,
    response_type: "code",
    redirect_uri: redirect,
    scope: `offline_access ${GRAPH}/Directory.Read.All`,
    state: "x",
    login_hint: upn,
  });
  await page.goto(`${stack.cloud}/${tenant}/oauth2/v2.0/authorize?${ask}`);
  await passThrough(page, { cloud: stack.cloud, portal: stack.portal, login: upn, password, decision: "accept" });
  await context.close();
  if (!code) throw new Error(`${upn} came back without a code`);
  const redeem = async (form) => {
    const answer = await fetch(`${stack.cloud}/${tenant}/oauth2/v2.0/token`, {
      method: "POST",
      body: new URLSearchParams({ client_id: client, client_secret: secret, ...form }),
    });
    const body = await answer.json();
    if (!answer.ok) throw new Error(`${upn} gets no token: ${JSON.stringify(body)}`);
    return body;
  };
  const first = await redeem({ grant_type: "authorization_code", code, redirect_uri: redirect, scope: `offline_access ${GRAPH}/Directory.Read.All` });
  const second = await redeem({ grant_type: "refresh_token", refresh_token: first.refresh_token, scope: `${EXCHANGE}/Exchange.Manage` });
  return { graph: first.access_token, exchange: second.access_token };
}

/** Reads one customer in the simple way. Gives the seconds that it took, and its requests. */
export async function readSimply(chromium, stack, admin) {
  const { graph, exchange } = await tokens(chromium, stack, admin);
  let requests = 0;
  const get = async (url) => {
    requests += 1;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${graph}` } });
    if (answer.status === 429) {
      await new Promise((resolve) => setTimeout(resolve, Number(answer.headers.get("retry-after") ?? 1) * 1000));
      return get(url);
    }
    if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
    return answer.json();
  };
  const began = performance.now();
  let next = `${stack.cloud}/v1.0/servicePrincipals?$select=id,appId,displayName&$top=999`;
  const principals = [];
  while (next) {
    const page = await get(next);
    principals.push(...page.value);
    next = page["@odata.nextLink"];
  }
  for (const { id } of principals) await get(`${stack.cloud}/v1.0/servicePrincipals/${id}/appRoleAssignments`);
  for (const CmdletName of CMDLETS) {
    requests += 1;
    const answer = await fetch(`${stack.cloud}/adminapi/beta/${admin.tenant}/InvokeCommand`, {
      method: "POST",
      headers: { authorization: `Bearer ${exchange}`, "content-type": "application/json", "x-anchormailbox": `UPN:${admin.upn}` },
      body: JSON.stringify({ CmdletInput: { CmdletName, Parameters: {} } }),
    });
    // A customer without Exchange, or without a policy, refuses: that took its time as well.
    await answer.arrayBuffer();
  }
  return { seconds: (performance.now() - began) / 1000, requests, principals: principals.length };
}
