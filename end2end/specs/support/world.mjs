// One stack and one Chromium for a file of tests, and scenarios with people in them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";

import { tail } from "../../dev/processes.mjs";
import { startStack } from "../../dev/stack.mjs";
import { bringAxe } from "./accessibility.mjs";
import { launch } from "./browser.mjs";
import { Cloud } from "./cloud.mjs";
import { RESULTS, fileName, shoot } from "./results.mjs";
import { Visitor } from "./visitor.mjs";

const SCENARIO_LIMIT = 300_000; // milliseconds

/** The first to sign in becomes the owner; the others get their roles from her. */
const OWNER = "olivia";
const ROLES = { nora: "Engineer", aksel: "Auditor" };

/** A violation of the Content-Security-Policy must not pass unseen: it becomes an error. */
const tellViolations = () =>
  addEventListener("securitypolicyviolation", (event) => {
    console.error(`Content-Security-Policy violated: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
  });

class World {
  #sessions = new Map();
  #open = new Set();
  #started;

  constructor(name, options) {
    this.name = name;
    this.options = options;
  }

  /** Stack and browser start with the first scenario that runs: NAME may leave out all of them. */
  #start() {
    this.#started ??= this.#begin();
    return this.#started;
  }

  async #begin() {
    this.stack = await startStack({ name: `spec_${this.name}`, logs: join(RESULTS, "logs", fileName(this.name)), ...this.options });
    this.cloud = new Cloud(this.stack.cloud, this.stack.accounts);
    this.chromium = await launch();
  }

  async stop() {
    await this.chromium?.close();
    await this.stack?.stop();
  }

  /**
   * Somebody with a fresh browser. `as`: the beginning of an account's name, whose session it
   * takes over. Other options are those of Playwright's contexts; `axe` brings axe-core along.
   */
  async visitor({ as, axe = false, javaScript = true, name = as ?? "somebody", ...options } = {}) {
    const storageState = as ? await this.#session(as) : undefined;
    const context = await this.chromium.newContext({
      viewport: { width: 1280, height: 900 },
      locale: "en-GB",
      timezoneId: "Europe/Copenhagen",
      reducedMotion: "reduce",
      javaScriptEnabled: javaScript,
      storageState,
      ...options,
    });
    context.javaScript = javaScript;
    await context.addInitScript(tellViolations);
    if (axe) await bringAxe(context);
    const visitor = new Visitor({ context, page: await context.newPage(), portal: this.stack.portal, name });
    this.#open.add(visitor);
    return visitor;
  }

  /** The cookies of somebody who is signed in and has a role; both are seen to on first use. */
  async #session(start) {
    if (!this.#sessions.has(start)) {
      if (start !== OWNER) await this.#session(OWNER);
      const visitor = await this.visitor({ name: start });
      await visitor.signIn(this.cloud.account(start));
      if (visitor.path() === "/waiting" && ROLES[start]) await this.#giveRole(this.cloud.account(start), ROLES[start]);
      const state = await visitor.context.storageState();
      // The portal's session alone: whom Microsoft remembers is each test's own affair.
      state.cookies = state.cookies.filter((cookie) => cookie.name.startsWith("__Host-postern"));
      assert.notEqual(state.cookies.length, 0, `${start} is not signed in after signing in`);
      this.#sessions.set(start, state);
      await this.#leave(visitor);
    }
    return this.#sessions.get(start);
  }

  async #giveRole(account, role) {
    const owner = await this.visitor({ as: OWNER });
    await owner.giveRole(account, role);
    await this.#leave(owner);
  }

  /** Whether no customer is being read, or will be in the next minute. */
  scansRest() {
    return (
      this.stack.database(`
        select count(*) from scans s join connections n using (customer_id)
        where n.refresh_token is not null and (s.lease is not null or s.due_at <= now() + interval '1 minute')`) === "0"
    );
  }

  /** Forgets a session that a test has ended. */
  forget(start) {
    this.#sessions.delete(start);
  }

  async #leave(visitor) {
    this.#open.delete(visitor);
    await visitor.context.close();
    assert.deepEqual(visitor.troubles(), [], `${visitor.name}'s browser complained`);
  }

  /** One test. Every browser that it opens is closed at its end and must have had no trouble. */
  scenario = (name, run) => {
    test(name, { timeout: SCENARIO_LIMIT }, async () => {
      await this.#start();
      try {
        await run();
      } catch (error) {
        // What the runner prints is the stack, made before the message was complete.
        const aftermath = await this.#aftermath(name);
        Object.defineProperty(error, "stack", { value: `${error.stack}${aftermath}` });
        await Promise.all([...this.#open].map((visitor) => visitor.context.close()));
        this.#open.clear();
        throw error;
      }
      const left = [...this.#open];
      const ends = await Promise.allSettled(left.map((visitor) => this.#leave(visitor)));
      const failed = ends.find((end) => end.status === "rejected");
      if (failed) throw failed.reason;
    });
  };

  /** What helps to understand a failure: pictures, complaints, the ends of the logs. */
  async #aftermath(scenario) {
    const lines = [""];
    for (const visitor of this.#open) {
      lines.push(`${visitor.name} was at ${visitor.page.url()}`);
      const picture = await shoot(visitor.page, "failed", `${this.name} ${scenario} ${visitor.name}`).catch((error) => `no picture: ${error.message}`);
      lines.push(`  ${picture}`, ...visitor.troubles().map((trouble) => `  ${trouble}`));
    }
    for (const log of ["portal.log", "cloud.log"]) lines.push(tail(join(this.stack.logs, log), 12));
    return lines.join("\n");
  }
}

// The test runner ends a file that takes too long with SIGTERM; what it started must not stay.
process.once("SIGTERM", () => process.exit(143));

/** The world of this file: starts with its first scenario and ends after its last. */
export function openWorld(name, options = {}) {
  const world = new World(name, options);
  after(() => world.stop());
  return world;
}
