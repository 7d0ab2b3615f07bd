// `./dev run` after the builds: starts what is needed, says where it is, stops all in order.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describeEnd, stopAll } from "./processes.mjs";
import { ROOT, cloudSettings, migrate, newMasterKeys, startCloud, startPortal } from "./stack.mjs";

const STATE = join(ROOT, ".postern");
const SPEED = 600;
const headless = process.env.RUN_HEADLESS === "yes";
const own = Boolean(process.env.RUN_DATABASE_URL);
const say = (text) => console.error(`· ${text}`);

let stopping = null;

/** Stops everything in order and ends this process. Can be called twice. */
function shutDown(status) {
  stopping ??= (async () => {
    await stopAll();
    if (own) spawnSync(join(ROOT, "dev"), ["stop-postgres", process.env.PG_FOLDER], { stdio: ["ignore", "ignore", "inherit"] });
    rmSync(join(STATE, "run.json"), { force: true });
    process.exit(status);
  })();
  return stopping;
}

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(name, () => {
    if (!stopping && !headless) say(own ? "stopping; the database stays for the next run" : "stopping");
    void shutDown(0);
  });
}

/** Ends the run when a process that should be up ends by itself. */
function watch(started) {
  started.ended.then((end) => {
    if (stopping) return;
    console.error(`dev: ${describeEnd(started, end)}`);
    void shutDown(1);
  });
}

/** The key ring of this checkout: made once, readable by its owner alone. */
function masterKeys() {
  const file = join(STATE, "master-keys");
  if (!existsSync(file)) writeFileSync(file, `${newMasterKeys()}\n`, { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}

/** The portal's settings that come from outside: all of POSTERN_*, but for those of ./dev alone. */
function givenSettings() {
  const ours = new Set(["POSTERN_PG_PORT", "POSTERN_TEST_DATABASE_URL"]);
  const names = Object.keys(process.env).filter((name) => /^(POSTERN_|DATABASE_)/.test(name) && !ours.has(name));
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

async function main() {
  const listen = process.env.POSTERN_LISTEN ?? "127.0.0.1:3000";
  const settings = {
    POSTERN_LISTEN: listen,
    POSTERN_PUBLIC_URL: process.env.POSTERN_PUBLIC_URL ?? `http://localhost:${listen.split(":").at(-1)}`,
  };
  for (const name of ["cloud", "portal"]) rmSync(join(STATE, "log", `${name}.log`), { force: true });
  let cloud = null;
  if (own) {
    cloud = await startCloud({
      listen: process.env.CLOUD_LISTEN ?? "127.0.0.1:4000",
      speed: SPEED,
      log: join(STATE, "log/cloud.log"),
    });
    watch(cloud.process);
    Object.assign(settings, cloudSettings(cloud, SPEED), {
      DATABASE_URL: process.env.RUN_DATABASE_URL,
      POSTERN_MASTER_KEYS: masterKeys(),
      POSTERN_LOG: process.env.POSTERN_LOG ?? "text",
    });
    migrate({ ...settings, DATABASE_OWNER_URL: process.env.RUN_OWNER_URL });
  } else {
    const given = givenSettings();
    if (!given.POSTERN_MASTER_KEYS && !given.POSTERN_MASTER_KEYS_FILE) given.POSTERN_MASTER_KEYS = masterKeys();
    Object.assign(settings, given);
    if (given.DATABASE_OWNER_URL || given.DATABASE_OWNER_URL_FILE) migrate(settings);
    else say("DATABASE_OWNER_URL is not set: the database is taken as it is, without migrations");
  }
  // The server has no business with the owner's role.
  for (const name of ["DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE"]) delete settings[name];
  if (stopping) return;
  const portal = await startPortal(settings, { log: join(STATE, "log/portal.log") });
  watch(portal.process);

  const run = {
    pid: process.pid,
    portal: portal.url,
    cloud: cloud?.url ?? null,
    database: process.env.RUN_DATABASE_URL ?? null,
    owner_database: process.env.RUN_OWNER_URL ?? null,
    logs: join(STATE, "log"),
    pids: {
      run: process.pid,
      portal: portal.process.pid,
      cloud: cloud?.process.pid ?? null,
      postgres: Number(process.env.RUN_PG_PID) || null,
    },
  };
  // It names passwords of the private database, which are nobody's business who reads what is printed.
  writeFileSync(join(STATE, "run.json"), JSON.stringify(run), { mode: 0o600 });
  const { database: _, owner_database: __, ...told } = run;
  if (headless) console.log(JSON.stringify(told));
  else announce(run, cloud);
}

/** What a person needs to know to begin. */
function announce(run, cloud) {
  const lines = ["", `  Postern is up:  ${run.portal}`, ""];
  if (cloud) lines.push(...aboutCloud(cloud));
  lines.push(`  Logs: ${run.logs}    Ctrl-C stops everything.`, "");
  console.log(lines.join("\n"));
}

function aboutCloud({ url, accounts: { partner_tenant: partner, accounts, applications = [] } }) {
  const row = (account) => [account.upn, account.password, account.tenant, account.note || (account.roles ?? []).join(", ")];
  const byTenant = (one, other) => one.tenant.localeCompare(other.tenant, "en");
  // Whoever signs in first becomes the owner, so the owner stands first.
  const isOwner = (account) => /owner/.test(account.note ?? "");
  const own = accounts.filter((account) => account.tenant_id === partner).sort((one, other) => isOwner(other) - isOwner(one));
  const admins = accounts.filter((account) => account.tenant_id !== partner && account.roles?.length).sort(byTenant);
  const secrets = new Map();
  for (const { name, secret, tenant, tenant_id: id } of applications) {
    if (id === partner) continue;
    if (!secrets.has(secret)) secrets.set(secret, { name, secret, tenants: [] });
    secrets.get(secret).tenants.push(tenant);
  }
  // A vendor's application has one secret and stands in many tenants.
  const vendors = [...secrets.values()].filter(({ tenants }) => tenants.length > 1);
  return [
    `  It talks to a simulated Microsoft cloud on ${url}, whose hours pass in six seconds.`,
    "  That cloud lives in memory: after a restart it knows no consent and no policy of before,",
    "  while Postern's database stays. ./dev run --fresh starts both anew.",
    "",
    "  Sign in to the portal as one of:",
    "",
    ...table(["account", "password", "tenant", "who"], own.map(row)),
    "",
    "  Connect a customer with its admin:",
    "",
    ...table(["account", "password", "tenant", "what is special there"], admins.map(row)),
    "",
    "  Client secrets, for the proof of a setup:",
    "",
    ...table(
      ["application", "client secret", "tenants"],
      vendors.map(({ name, secret, tenants }) => [name, secret, tenants.length]),
    ),
    "",
    `  All accounts and secrets: ${url}/_cloud/accounts`,
    "",
  ];
}

/** Rows as aligned text. */
function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map((cell) => String(cell ?? "")));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells.map(
    (row) =>
      `    ${row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd()}`,
  );
}

try {
  await main();
} catch (error) {
  if (!stopping) console.error(`dev: ${error.message}`);
  await shutDown(stopping ? 0 : 1);
}
