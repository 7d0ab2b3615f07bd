// `./dev bench [NAME] [--json]`: runs the benchmarks of this folder and prints their tables.
//
// A benchmark is a module <name>.mjs that exports
//   title      what it measures, in one line
//   build      "debug" or "release" (default): how the server must be compiled for it
//   run(context) → { rows: [{column: value, …}, …],
//                    targets: [{what, value, unit, most | least}, …] }
// `context` has
//   startStack({seed, speed, settings})  a database, a cloud and a portal of its own (see
//                                        end2end/dev/stack.mjs); stopped after the benchmark
//   browser()                            the browser (Playwright's)
//   say(text)                            progress, on standard error
// With --json one object goes to standard output: {benchmarks: [{name, title, rows, targets}]}.
// The status is 1 when a benchmark broke, not when a target was missed.
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { ROOT, startStack } from "../dev/stack.mjs";
import { command, stopCommands } from "../dev/test_command.mjs";
import { launch } from "../specs/support/browser.mjs";
import { printBenchmark } from "./table.mjs";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const PARTS = new Set(["main", "table"]);
const say = (text) => console.error(`· ${text}`);

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    stopCommands();
    process.exit(130);
  });
}

function names() {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".mjs"))
    .map((file) => basename(file, ".mjs"))
    .filter((name) => !PARTS.has(name))
    .sort();
}

function fail(message) {
  console.error(`dev: ${message}`);
  process.exit(2);
}

/** Compiles what a benchmark needs, with everything cargo prints on standard error. */
const built = new Set();
async function build(profile) {
  const wanted = [
    ["site", ["build-site"]],
    [profile, ["cargo", "build", ...(profile === "release" ? ["--release"] : [])]],
  ];
  for (const [what, args] of wanted) {
    if (built.has(what)) continue;
    const { status } = await command(join(ROOT, "dev"), args, { show: (line) => void process.stderr.write(line) });
    if (status !== 0) throw new Error(`./dev ${args.join(" ")} failed`);
    built.add(what);
  }
}

async function runOne(name) {
  const benchmark = await import(pathToFileURL(join(FOLDER, `${name}.mjs`)));
  const profile = benchmark.build ?? "release";
  await build(profile);
  say(`${name}: ${benchmark.title}`);
  const stacks = [];
  let browser = null;
  try {
    const result = await benchmark.run({
      say,
      browser: async () => (browser ??= await launch()),
      startStack: async ({ settings = {}, ...options } = {}) => {
        // As behind a proxy, so that those who connect many customers are many clients.
        const behind = { POSTERN_TRUSTED_PROXIES: "1", ...settings };
        const stack = await startStack({
          name: `bench_${name}`,
          profile,
          logs: join(ROOT, "end2end/results", `bench-${name}`),
          settings: behind,
          ...options,
        });
        stacks.push(stack);
        return stack;
      },
    });
    return { name, title: benchmark.title, rows: result.rows, targets: result.targets ?? [] };
  } finally {
    await browser?.close();
    for (const stack of stacks) await stack.stop();
  }
}

async function main(words) {
  const json = words.includes("--json");
  const [asked, ...more] = words.filter((word) => word !== "--json");
  const known = names();
  if (more.length || asked?.startsWith("-")) fail("./dev bench takes one NAME and --json");
  if (asked && !known.includes(asked)) fail(`there is no benchmark "${asked}"; there are: ${known.join(", ")}`);
  const benchmarks = [];
  for (const name of asked ? [asked] : known) {
    try {
      const benchmark = await runOne(name);
      benchmarks.push(benchmark);
      if (!json) printBenchmark(benchmark);
    } catch (error) {
      console.error(`dev: the benchmark ${name} broke: ${error.stack ?? error.message}`);
      process.exitCode = 1;
    }
  }
  if (json) console.log(JSON.stringify({ benchmarks }));
}

await main(process.argv.slice(2));
