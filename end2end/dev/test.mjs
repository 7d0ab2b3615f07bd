// `./dev test [NAME]` and `./dev check`: runs everything, also after a failure, shows all failures,
// and ends with one line that counts: `N passed, N failed` (and `, N skipped`).
//
//   node test.mjs check
//   node test.mjs test [NAME]
import { join } from "node:path";

import { ROOT } from "./stack.mjs";
import { browserTests } from "./test_browser.mjs";
import { command, stopCommands } from "./test_command.mjs";
import { SERVER_HALF, rustTests } from "./test_rust.mjs";
import { supplyTests } from "./test_supply.mjs";

const DEV = join(ROOT, "dev");
const BIOME = join(ROOT, "end2end/node_modules/.bin/biome");

/** One check that is passed or failed as a whole. */
async function check(name, args, program = DEV) {
  const { status } = await command(program, args);
  return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0, failures: status === 0 ? [] : [name] };
}

const format = { name: "format", run: () => check("format: ./dev cargo fmt --all", ["cargo", "fmt", "--all", "--check"]) };
const lints = {
  name: "lints of the server's half",
  run: () => check("lints of the server's half", ["cargo", "clippy", "--quiet", ...SERVER_HALF, "--all-targets", "--", "-D", "warnings"]),
};
const wasmLints = {
  name: "lints of the browser's half",
  run: () => check("lints of the browser's half", ["wasm-cargo", "clippy", "--quiet", "-p", "frontend", "--", "-D", "warnings"]),
};
// Format included; biome.jsonc says how.
const scriptLints = {
  name: "lints of the scripts",
  run: () => check("lints of the scripts: end2end/node_modules/.bin/biome check --write", ["ci", "--error-on-warnings", "--colors=off"], BIOME),
};
const rules = { name: "tests of the rules", run: () => rustTests({ packages: ["domain"] }) };

const supply = { name: "what Postern is built of", run: supplyTests };

function plan(mode, name) {
  if (mode === "check") return [format, scriptLints, lints, rules];
  const all = [
    { name: "Rust tests", run: () => rustTests({ name }) },
    { name: "browser tests", run: () => browserTests({ name }) },
  ];
  return name ? all : [format, scriptLints, supply, lints, wasmLints, ...all];
}

async function main([mode, name]) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const failures = [];
  for (const step of plan(mode, name || null)) {
    const began = Date.now();
    console.log(`\n── ${step.name}`);
    let result;
    try {
      result = await step.run();
    } catch (error) {
      console.log(error.stack ?? error.message);
      result = { passed: 0, failed: 1, skipped: 0, failures: [`${step.name}: ${String(error.message).split("\n")[0]}`] };
    }
    for (const what of Object.keys(total)) total[what] += result[what];
    failures.push(...result.failures);
    console.log(`── ${step.name}: ${result.passed} passed, ${result.failed} failed, ${Math.round((Date.now() - began) / 1000)} s`);
  }
  if (failures.length) console.log(`\nFailed:\n${failures.map((failure) => `  ✗ ${failure}`).join("\n")}`);
  if (total.passed + total.failed === 0) console.log(name ? `\nNo test's name contains "${name}".` : "\nNothing was run.");
  console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ""}`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    stopCommands();
    process.exit(130);
  });
}

await main(process.argv.slice(2));
