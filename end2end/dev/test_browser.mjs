// The browser tests: end2end/specs/*.spec.mjs with Node's own test runner, two files at a time.
// Each file has a portal, a cloud and a database of its own (specs/support.mjs).
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { run } from "node:test";

import { ROOT } from "./stack.mjs";
import { command } from "./test_command.mjs";

const SPECS = join(ROOT, "end2end/specs");
const RESULTS = join(ROOT, "end2end/results");
const FILE_LIMIT = 15 * 60_000; // milliseconds

/** Tests whose names, or whose files' names, contain `name`; all without it. */
export async function browserTests({ name = null }) {
  const files = readdirSync(SPECS).filter((file) => file.endsWith(".spec.mjs")).sort();
  const result = { passed: 0, failed: 0, skipped: 0, failures: [] };
  if (files.length === 0) return result;
  for (const [what, args] of [["the server", ["cargo", "build", "--quiet"]], ["the browser's half", ["build-site"]]]) {
    const { status } = await command(join(ROOT, "dev"), args);
    if (status !== 0) return { ...result, failed: 1, failures: [`${what} does not build`] };
  }
  rmSync(RESULTS, { recursive: true, force: true });
  mkdirSync(RESULTS, { recursive: true });

  const whole = name ? files.filter((file) => file.includes(name)) : files;
  const partly = files.filter((file) => !whole.includes(file));
  await runFiles(whole, null, result);
  if (name) await runFiles(partly, name, result);
  return result;
}

async function runFiles(files, name, result) {
  if (files.length === 0) return;
  const stream = run({
    files: files.map((file) => join(SPECS, file)),
    concurrency: 2,
    timeout: FILE_LIMIT,
    ...(name && { testNamePatterns: [new RegExp(name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))] }),
  });
  for await (const { type, data } of stream) {
    if (type === "test:stdout" || type === "test:stderr") process.stdout.write(data.message);
    if (type === "test:pass" || type === "test:fail") count(type === "test:pass", data, result);
  }
}

function count(passed, data, result) {
  const file = basename(data.file ?? "", ".mjs");
  // A file counts only through its tests, unless it broke on its own.
  const isFile = data.name === data.file || data.name.endsWith(".spec.mjs");
  const title = isFile ? basename(data.name) : `${file} › ${data.name}`;
  if (data.details?.type === "suite" && passed) return;
  if (data.skip !== undefined) {
    // Left out by NAME: not one of those that were asked for.
    if (typeof data.skip === "string" && data.skip.includes("pattern")) return;
    result.skipped += 1;
    console.log(`  - ${title} (skipped${typeof data.skip === "string" ? `: ${data.skip}` : ""})`);
    return;
  }
  const seconds = `${((data.details?.duration_ms ?? 0) / 1000).toFixed(1)} s`;
  if (passed) {
    if (isFile) return;
    result.passed += 1;
    console.log(`  ✓ ${title}  ${seconds}`);
    return;
  }
  // Reported again for the file; the tests themselves were counted.
  const error = data.details?.error;
  if (error?.failureType === "subtestsFailed") return;
  result.failed += 1;
  result.failures.push(title);
  const cause = error?.cause ?? error;
  console.log(`  ✗ ${title}  ${seconds}\n${String(cause?.stack ?? cause?.message ?? cause).replace(/^/gm, "      ")}`);
}
