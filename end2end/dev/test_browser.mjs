// The browser tests: end2end/specs/*.spec.mjs with Node's own test runner, two files at a time.
// Each file has a portal, a cloud and a database of its own (specs/support/).
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { run } from "node:test";

import { ROOT } from "./stack.mjs";
import { command } from "./test_command.mjs";

const SPECS = join(ROOT, "end2end/specs");
const RESULTS = join(ROOT, "end2end/results");
const FILE_LIMIT = 15 * 60_000; // milliseconds
const AT_ONCE = 2;

/** Tests whose names, or whose files' names, contain `name`; all without it. */
export async function browserTests({ name = null }) {
  const files = readdirSync(SPECS)
    .filter((file) => file.endsWith(".spec.mjs"))
    .sort();
  const result = { passed: 0, failed: 0, skipped: 0, failures: [] };
  if (files.length === 0) return result;
  for (const [what, args] of [
    ["the server", ["cargo", "build", "--quiet"]],
    ["the browser's half", ["build-site"]],
  ]) {
    const { status } = await command(join(ROOT, "dev"), args);
    if (status !== 0) return { ...result, failed: 1, failures: [`${what} does not build`] };
  }
  rmSync(RESULTS, { recursive: true, force: true });
  mkdirSync(RESULTS, { recursive: true });

  // The longest first would be best; the alphabet is at least the same each time.
  const waiting = [...files];
  const worker = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      // A file whose own name contains NAME runs as a whole.
      await runFile(file, name && !file.includes(name) ? name : null, result);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return result;
}

async function runFile(file, name, result) {
  const stream = run({
    files: [join(SPECS, file)],
    timeout: FILE_LIMIT,
    ...(name && { testNamePatterns: [new RegExp(name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))] }),
  });
  const before = result.failed;
  const late = [];
  for await (const { type, data } of stream) {
    if (type === "test:stdout" || type === "test:stderr") process.stdout.write(data.message);
    if (type !== "test:pass" && type !== "test:fail") continue;
    // The file itself is told of as a test as well: of interest only when none of its tests failed.
    if (data.name.endsWith(".spec.mjs")) late.push([type, data]);
    else count(type === "test:pass", basename(file, ".spec.mjs"), data, result);
  }
  for (const [type, data] of late) {
    if (type === "test:fail" && result.failed === before) count(false, "file", { ...data, name: file }, result);
  }
}

/** Adds one test to the result and shows it. */
function count(passed, file, data, result) {
  const title = `${file} › ${data.name}`;
  if (data.skip !== undefined) {
    // Left out by NAME: not one of those that were asked for.
    if (typeof data.skip === "string" && data.skip.includes("pattern")) return;
    result.skipped += 1;
    console.log(`  - ${title} (skipped${typeof data.skip === "string" ? `: ${data.skip}` : ""})`);
    return;
  }
  const seconds = `${((data.details?.duration_ms ?? 0) / 1000).toFixed(1)} s`;
  if (passed) {
    result.passed += 1;
    console.log(`  ✓ ${title}  ${seconds}`);
    return;
  }
  result.failed += 1;
  result.failures.push(title);
  const error = data.details?.error;
  const cause = error?.cause ?? error;
  console.log(`  ✗ ${title}  ${seconds}\n${String(cause?.stack ?? cause?.message ?? cause).replace(/^/gm, "      ")}`);
}
