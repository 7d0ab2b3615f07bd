// The simulated cloud and the portal as processes: for `./dev run`, the browser tests and the
// benchmarks alike.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { freePort } from "./ports.mjs";
import { answers, firstLine, start, stop } from "./processes.mjs";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const PATIENCE = 60_000; // milliseconds until a process must be up

/** The environment without settings of Postern: a child gets those that it is given, and no others. */
export function cleanEnvironment() {
  const ours = /^(POSTERN_|CLOUD_|DATABASE_|RUN_|PG_|DEV_|NODE_TEST_CONTEXT$|NODE_OPTIONS$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}

/** Who becomes the partner's owner at the first sign-in. */
function firstOwner({ accounts, partner_tenant: partner }) {
  return accounts.find(({ tenant_id: tenant, upn }) => tenant === partner && upn.startsWith("olivia")).upn;
}

/** A key ring with one new key, in the form of POSTERN_MASTER_KEYS. */
export const newMasterKeys = () => `k1:${randomBytes(32).toString("base64")}`;

const binary = (name, profile) => join(ROOT, "target", profile, name);

/**
 * Starts the simulated cloud. `seed`: demo, empty or fleet:N; `speed`: how many of its seconds
 * pass in one of ours. Gives {url, accounts, process}; `accounts` is what /_cloud/accounts says.
 */
export async function startCloud({ listen = "127.0.0.1:0", seed = "demo", speed = 600, profile = "debug", log }) {
  const args = ["--listen", listen, "--clock-speed", String(speed), "--seed", seed];
  const running = start("the simulated cloud", binary("cloud", profile), args, {
    cwd: ROOT,
    env: cleanEnvironment(),
    log,
    readOutput: true,
  });
  try {
    const { url } = JSON.parse(await firstLine(running, PATIENCE));
    const answer = await fetch(`${url}/_cloud/accounts`);
    if (!answer.ok) throw new Error(`the simulated cloud answers ${answer.status} on /_cloud/accounts`);
    return { url, accounts: await answer.json(), process: running };
  } catch (error) {
    await stop(running);
    throw error;
  }
}

/** The settings that make a portal talk to that cloud. `pace` should be the cloud's speed. */
export function cloudSettings(cloud, pace = 600) {
  return {
    POSTERN_CLIENT_ID: cloud.accounts.postern.client_id,
    POSTERN_CLIENT_SECRET: cloud.accounts.postern.client_secret,
    POSTERN_AUTHORITY: cloud.url,
    POSTERN_GRAPH: cloud.url,
    POSTERN_EXCHANGE: cloud.url,
    POSTERN_PARTNER_TENANTS: cloud.accounts.partner_tenant,
    POSTERN_FIRST_OWNER: firstOwner(cloud.accounts),
    POSTERN_PARTNER_NAMES: `${cloud.accounts.partner_tenant}=Northwind IT`,
    POSTERN_PACE: String(pace),
  };
}

/** Runs `postern migrate`. `settings` as in DESIGN.md §9, DATABASE_OWNER_URL among them. */
export function migrate(settings, { profile = "debug" } = {}) {
  const done = spawnSync(binary("postern", profile), ["migrate"], {
    cwd: ROOT,
    env: { ...cleanEnvironment(), ...settings },
    encoding: "utf8",
  });
  if (done.error) throw new Error(`postern migrate could not be started: ${done.error.message}`);
  if (done.status !== 0) throw new Error(`postern migrate ended with status ${done.status ?? done.signal}\n${done.stdout}${done.stderr}`);
}

/**
 * Starts `postern serve` and waits until it answers. `args`: more of its arguments, for example
 * ["--role", "web"]. Gives {url, process}. A worker alone (`--role worker`) is not waited for.
 */
export async function startPortal(settings, { args = [], profile = "debug", log }) {
  const running = start("the portal", binary("postern", profile), ["serve", ...args], {
    cwd: ROOT,
    env: { POSTERN_SITE: join(ROOT, "target/site"), ...cleanEnvironment(), ...settings },
    log,
  });
  // Health is told where the metrics are, if they have a listener of their own.
  const address = (settings.POSTERN_METRICS_LISTEN ?? settings.POSTERN_LISTEN).replace(/^(0\.0\.0\.0|\[::\])/, "127.0.0.1");
  try {
    if (!args.includes("worker")) await answers(running, `http://${address}/healthz`, PATIENCE);
  } catch (error) {
    await stop(running);
    throw error;
  }
  return { url: settings.POSTERN_PUBLIC_URL, process: running };
}

/** Runs SQL with psql; `url` names role and database. Gives what it prints, one row per line. */
export function psql(url, sql) {
  const program = process.env.PG_BIN ? join(process.env.PG_BIN, "psql") : "psql";
  const done = spawnSync(program, ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", "-"], {
    input: sql,
    encoding: "utf8",
  });
  if (done.error || done.status !== 0) throw new Error(`psql: ${done.error?.message ?? done.stderr}`);
  return done.stdout.trimEnd();
}

/**
 * A whole stack of its own on free ports: a new database in the tests' cluster
 * (POSTERN_TEST_DATABASE_URL), a cloud and a portal. What it gives:
 *   portal, cloud   addresses
 *   accounts        of the cloud
 *   settings        the portal's, to start another process with: startPortal(settings, …)
 *   database(sql)   asks the database as its superuser
 *   stopPortal(signal = "SIGTERM"), startPortal()   takes the portal down and up again
 *   stop()          ends all and drops the database
 */
export async function startStack({ name, seed = "demo", speed = 600, profile = "debug", logs, settings: more = {} }) {
  const superuser = process.env.POSTERN_TEST_DATABASE_URL;
  if (!superuser) throw new Error("POSTERN_TEST_DATABASE_URL is not set: run this through ./dev, or set it to what ./dev pg prints");
  const database = `${name.replace(/[^a-z0-9]+/gi, "_").toLowerCase()}_${randomBytes(4).toString("hex")}`;
  const at = (role) => {
    const url = new URL(superuser);
    url.pathname = `/${database}`;
    if (role) [url.username, url.password] = [role, ""];
    return url.href;
  };
  mkdirSync(logs, { recursive: true });
  psql(superuser, `create database ${database} owner postern_owner`);
  const drop = () => psql(superuser, `drop database if exists ${database} with (force)`);
  let cloud;
  let portal;
  try {
    cloud = await startCloud({ seed, speed, profile, log: join(logs, "cloud.log") });
    const port = await freePort();
    const settings = {
      ...cloudSettings(cloud, speed),
      DATABASE_URL: at("postern_server"),
      POSTERN_LISTEN: `127.0.0.1:${port}`,
      POSTERN_PUBLIC_URL: `http://localhost:${port}`,
      POSTERN_MASTER_KEYS: newMasterKeys(),
      ...more,
    };
    migrate({ ...settings, DATABASE_OWNER_URL: at("postern_owner") }, { profile });
    const up = () => startPortal(settings, { profile, log: join(logs, "portal.log") });
    portal = await up();
    return {
      portal: portal.url,
      cloud: cloud.url,
      accounts: cloud.accounts,
      settings,
      logs,
      pids: () => ({ portal: portal.process.pid, cloud: cloud.process.pid }),
      database: (sql) => psql(at(null), sql),
      async stopPortal(how = "SIGTERM") {
        if (how !== "SIGTERM") portal.process.child.kill(how);
        await stop(portal.process);
      },
      async startPortal() {
        portal = await up();
      },
      async stop() {
        await stop(portal.process);
        await stop(cloud.process);
        drop();
      },
    };
  } catch (error) {
    await stop(portal?.process);
    await stop(cloud?.process);
    drop();
    throw error;
  }
}
