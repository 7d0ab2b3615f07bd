// The guided setup as a person walks through it.
import assert from "node:assert/strict";

/** Twenty hours of the cloud's clock: what should wait until a test lets it go on. */
export const LONG = 72_000;

/** Things happen at once in the cloud, so that a test waits only for what it is about. */
export const QUICK = {
  group_exchange: [1, 2],
  group_exchange_maker: [1, 2],
  group_graph: [1, 2],
  member: [0, 1],
  member_graph: [0, 1],
  policy_enforcement: [60, 120],
  consent: [0, 0],
  graph_latency_ms: [0, 0],
  exchange_latency_ms: [0, 0],
};

/** From the customer's page through the wizard, up to the review. Gives what the review says. */
export async function toReview(person, { customer, application, search, senders, group, prove = true }) {
  await person.open(customer);
  await person.comesToSee(person.link(`Confine ${application}`));
  await person.link(`Confine ${application}`).click();
  await person.comesToSee(person.heading(`Confine ${application}`));
  for (const sender of senders) await choose(person, search ?? sender, sender);
  await person.button("Next").click();
  await person.comesToSee("Everything here has a default that works.");
  if (group) await person.field("Group of permitted senders").fill(group);
  const proof = person.field(/Prove it with real mail/);
  if ((await proof.isChecked()) !== prove) await proof.setChecked(prove);
  const refused = await chosen(person, "Mailboxes that must be refused");
  await person.button("Review").click();
  await person.comesToSee("This is the whole plan.");
  return { refused };
}

/** Searches a mailbox and ticks it. */
export async function choose(person, search, address) {
  const field = person.field("Search mailboxes");
  if ((await field.inputValue()) !== search) {
    const answered = person.page.waitForResponse((answer) => answer.url().endsWith("/api/mailboxes"));
    await field.fill(search);
    await answered;
  }
  // Until what was found is drawn, what stands there moves under the mouse.
  await person.seesNo(person.page.locator(".found li").filter({ hasNotText: new RegExp(escaped(search), "i") }));
  const box = person.page.getByRole("checkbox", { name: new RegExp(escaped(address)) });
  await person.comesToSee(box);
  if (!(await box.first().isChecked())) await box.first().click();
  await person.sees(person.page.locator(".chosen").getByText(address));
}

/** The addresses that are chosen in one of the wizard's lists. */
export async function chosen(person, legend) {
  const list = person.page.getByRole("group", { name: legend }).locator(".chosen input");
  return list.evaluateAll((boxes) => boxes.map((box) => box.value));
}

/** Starts what is on the review, and gives the address of the live page. */
export async function start(person, secret) {
  if (secret) await person.field("Client secret of the application (can wait)").fill(secret);
  await person.button("Start the setup").click();
  await person.page.waitForURL(/\/setups\/[0-9a-f-]{36}$/, { timeout: 60_000 });
  await person.comesToSee(person.page.getByRole("list").filter({ has: person.step("Ready") }));
  return new URL(person.page.url()).pathname;
}

/** Waits until a step is in a state. */
export async function reaches(person, title, state) {
  await person.step(title, state).waitFor({ state: "visible", timeout: 90_000 });
}

const proofOf = (setup) => `kind = 'prove' and setup_id = '${setup}' and body ->> 'state' = 'waiting'`;
const ends = (from) => `jsonb_set(body, '{latest}', to_jsonb((extract(epoch from now()) * 1000)::bigint ${from}))`;

/** The proof waits an hour of this machine's time longer, however slow the machine is. */
export async function patient(world, setup) {
  world.stack.database(
    `update steps set body = ${ends("+ 3600000")} where ${proofOf(setup)} and (body ->> 'latest')::bigint < extract(epoch from now()) * 1000 + 1800000`,
  );
}

/** The day that a proof waits at most is over, as soon as it looks again. */
export async function dayIsOver(world, person, setup) {
  await person.eventually(() => {
    // A look that is under way may write the end that it knows.
    world.stack.database(`update steps set body = ${ends("- 1")} where ${proofOf(setup)}`);
    return world.stack.database(`select count(*) from steps where ${proofOf(setup)}`) === "0";
  });
}

/** Groups and policies of a tenant by what Postern wrote into them. */
export async function made(cloud, tenant) {
  const state = await cloud.state(tenant);
  const ours = (text) => typeof text === "string" && text.startsWith("Postern ");
  return {
    groups: state.groups.filter((group) => ours(group.description)),
    policies: state.policies.filter((policy) => ours(policy.description) && policy.removed === null),
  };
}

/** A page is marked, so that it can be shown later that it was never loaded again. */
export const mark = (person) =>
  person.page.evaluate(() => {
    window.loadedOnce = true;
  });
export const isUnreloaded = async (person) => assert.equal(await person.page.evaluate(() => window.loadedOnce), true, "the page was loaded again");

export const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
