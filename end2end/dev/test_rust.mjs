// The Rust tests, through cargo-nextest or, where that cannot be had, `cargo test`.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { ROOT } from "./stack.mjs";
import { command } from "./test_command.mjs";

const DEV = join(ROOT, "dev");
const REPORT = join(ROOT, "target/nextest/default/junit.xml");

/** Cargo's arguments for all that is not built for the browser, `app` as the server has it included. */
export const SERVER_HALF = ["--workspace", "--exclude", "frontend", "--features", "app/ssr"];

// A snapshot that differs is a failure; it never writes itself.
const env = { INSTA_UPDATE: "no", INSTA_FORCE_PASS: "0", CARGO_TERM_COLOR: "never", NO_COLOR: "1" };

/** Tests whose names contain `name` (all without it) of `packages` (all of the server's half without). */
export async function rustTests({ name = null, packages = [] }) {
  const chosen = packages.length ? packages.flatMap((one) => ["-p", one]) : SERVER_HALF;
  return process.env.DEV_NO_NEXTEST || packages.length ? withCargo(name, chosen) : withNextest(name, chosen);
}

async function withNextest(name, chosen) {
  rmSync(REPORT, { force: true });
  const args = ["cargo", "nextest", "run", ...chosen, "--no-tests", "pass", "--color", "never"];
  const { status, text } = await command(DEV, name ? [...args, name] : args, { env });
  const counted = /tests? run: (\d+) passed.*/.exec(text);
  if (!counted) {
    const nothing = status === 0 && /(no tests to run|0 tests run)/.test(text);
    return nothing ? { passed: 0, failed: 0, skipped: 0, failures: [] } : notBuilt();
  }
  const failures = failedIn(REPORT);
  const passed = Number(counted[1]);
  // What a NAME leaves out is not skipped; what `#[ignore]` leaves out is.
  const skipped = name ? 0 : Number(/(\d+) skipped/.exec(counted[0])?.[1] ?? 0);
  if (status !== 0 && failures.length === 0) failures.push("the Rust tests ended early (see above)");
  return { passed, failed: failures.length, skipped, failures };
}

const notBuilt = () => ({ passed: 0, failed: 1, skipped: 0, failures: ["the Rust tests do not build"] });

/** The names of the failed tests in a JUnit report. */
function failedIn(report) {
  if (!existsSync(report)) return [];
  const failures = [];
  for (const [, attributes, body] of readFileSync(report, "utf8").matchAll(/<testcase ([^>]*[^/])>([\s\S]*?)<\/testcase>/g)) {
    if (!/<(failure|error)\b/.test(body)) continue;
    const value = (attribute) => new RegExp(`\\b${attribute}="([^"]*)"`).exec(attributes)?.[1] ?? "?";
    failures.push(unescaped(`${value("classname")} ${value("name")}`));
  }
  return failures;
}

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&" };
const unescaped = (text) => text.replace(/&(lt|gt|quot|apos|amp);/g, (entity) => ENTITIES[entity]);

async function withCargo(name, chosen) {
  const args = ["cargo", "test", "--no-fail-fast", "--lib", "--bins", "--tests", ...chosen];
  const { status, text } = await command(DEV, name ? [...args, name] : args, { env });
  const result = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for (const [, passed, ignored] of text.matchAll(/^test result: .* (\d+) passed; \d+ failed; (\d+) ignored/gm)) {
    result.passed += Number(passed);
    result.skipped += name ? 0 : Number(ignored);
  }
  for (const [, test] of text.matchAll(/^test (.+) \.\.\. FAILED$/gm)) result.failures.push(test);
  if (status !== 0 && result.failures.length === 0) return { ...notBuilt(), passed: result.passed };
  result.failed = result.failures.length;
  return result;
}
