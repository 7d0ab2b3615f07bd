// What others wrote and Postern is built of: sources, licences and bans from deny.toml, and that all of it is used,
// everywhere; advisories about crates and npm packages, where their databases can be reached. What cannot be asked
// is skipped, and says so.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { ROOT } from "./stack.mjs";
import { command } from "./test_command.mjs";
import { unusedDependencies } from "./test_unused.mjs";

const DEV = join(ROOT, "dev");
/** Where `cargo deny` takes its advisories from by default. */
const ADVISORIES = "https://github.com/rustsec/advisory-db";
const REACHED_WITHIN = 15; // seconds
const quiet = { show: () => false };

const passed = { passed: 1, failed: 0, skipped: 0, failures: [] };
const failed = (name) => ({ passed: 0, failed: 1, skipped: 0, failures: [name] });
function skipped(what, why) {
  console.log(`skipped: ${what}, because ${why}`);
  return { passed: 0, failed: 0, skipped: 1, failures: [] };
}

export async function supplyTests() {
  const total = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for (const test of [crates, unused, crateAdvisories, npmAdvisories]) {
    const result = await test();
    for (const what of ["passed", "failed", "skipped"]) total[what] += result[what];
    total.failures.push(...result.failures);
  }
  return total;
}

// ── sources, licences, bans, use

async function crates() {
  const name = "sources, licences and bans of crates (deny.toml)";
  return metadataCheck(name, [], ({ packages }) => judge(packages, readRules(readFileSync(join(ROOT, "deny.toml"), "utf8"))));
}

async function unused() {
  return metadataCheck("dependencies that nothing uses", ["--no-deps"], unusedDependencies);
}

/** One check of what `cargo metadata` says. `find` gives what is wrong, a sentence each. */
async function metadataCheck(name, options, find) {
  const { status, text } = await command(DEV, ["cargo", "metadata", "--locked", "--format-version", "1", ...options], quiet);
  const json = text.split("\n").find((line) => line.startsWith("{"));
  if (status !== 0 || !json) {
    console.log(text.slice(-2000));
    return failed(`${name}: cargo metadata gives nothing`);
  }
  const wrong = find(JSON.parse(json));
  for (const line of wrong) console.log(`✗ ${line}`);
  return wrong.length ? failed(name) : passed;
}

/** The lists of deny.toml, which is written so that each entry of a list stands on one line or in one pair of braces. */
export function readRules(toml) {
  const lines = toml.split("\n").filter((line) => !line.trim().startsWith("#"));
  const section = (name) => {
    const from = lines.indexOf(`[${name}]`);
    if (from < 0) throw new Error(`deny.toml has no [${name}]`);
    const length = lines.slice(from + 1).findIndex((line) => line.startsWith("["));
    return lines.slice(from + 1, length < 0 ? undefined : from + 1 + length).join("\n");
  };
  const list = (text, name) => {
    const found = new RegExp(`^${name} = \\[([\\s\\S]*?)^\\]|^${name} = \\[(.*)\\]$`, "m").exec(text);
    if (!found) throw new Error(`deny.toml has no list ${name}`);
    return found[1] ?? found[2];
  };
  const texts = (text) => [...text.matchAll(/"([^"]*)"/g)].map(([, word]) => word);
  const licences = section("licenses");
  const exceptions = [...list(licences, "exceptions").matchAll(/crate = "([^"]*)", allow = \[([^\]]*)\]/g)];
  return {
    licences: new Set(texts(list(licences, "allow"))),
    exceptions: new Map(exceptions.map(([, crate, allowed]) => [crate, texts(allowed)])),
    registries: texts(list(section("sources"), "allow-registry")).map((url) => `registry+${url}`),
    banned: new Set([...list(section("bans"), "deny").matchAll(/crate = "([^"]*)"/g)].map(([, crate]) => crate)),
  };
}

/** What is wrong with the packages, a sentence each. */
export function judge(packages, { licences, exceptions, registries, banned }) {
  const wrong = [];
  for (const { name, version, source, license: licence } of packages) {
    // Ours.
    if (source === null) continue;
    if (!registries.includes(source)) wrong.push(`${name} ${version} comes from ${source}`);
    if (banned.has(name)) wrong.push(`${name} ${version} is banned`);
    const allowed = (one) => licences.has(one) || (exceptions.get(name) ?? []).includes(one);
    if (!licence) wrong.push(`${name} ${version} names no licence`);
    else if (!satisfied(licence, allowed)) wrong.push(`${name} ${version} has the licence ${licence}, which deny.toml does not allow`);
  }
  const used = new Set(packages.map(({ name }) => name));
  for (const name of exceptions.keys()) if (!used.has(name)) wrong.push(`deny.toml has an exception for ${name}, which is not used`);
  return wrong;
}

/** Whether an SPDX expression (or one with the old slash for OR) can be met by allowed licences. */
export function satisfied(expression, allowed) {
  const words = expression.replaceAll("/", " OR ").match(/\(|\)|[^\s()]+/g) ?? [];
  const either = () => {
    let met = both();
    while (words[0] === "OR") {
      words.shift();
      // Both sides are read to their end.
      met = both() || met;
    }
    return met;
  };
  const both = () => {
    let met = one();
    while (words[0] === "AND") {
      words.shift();
      met = one() && met;
    }
    return met;
  };
  const one = () => {
    const word = words.shift();
    if (word === "(") {
      const met = either();
      if (words.shift() !== ")") throw new Error(`"${expression}" is no expression of licences`);
      return met;
    }
    if (words[0] !== "WITH") return allowed(word);
    words.shift();
    return allowed(`${word} WITH ${words.shift()}`);
  };
  const met = either();
  if (words.length) throw new Error(`"${expression}" is no expression of licences`);
  return met;
}

// ── advisories

async function reached() {
  const asked = ["git", "ls-remote", "--exit-code", ADVISORIES, "HEAD"];
  const { status } = await command("timeout", [String(REACHED_WITHIN), ...asked], { env: { GIT_TERMINAL_PROMPT: "0" }, ...quiet });
  return status === 0;
}

async function crateAdvisories() {
  const what = "advisories about crates";
  // First whether there is anything to ask: the tool takes minutes to build.
  if (!(await reached())) return skipped(what, "the database of advisories cannot be reached from here");
  const { status: there } = await command(DEV, ["need-deny"]);
  if (there !== 0) return skipped(what, "cargo-deny is not here and could not be built");
  const { status } = await command(DEV, ["cargo", "deny", "--locked", "check", "advisories", "bans", "licenses", "sources"]);
  return status === 0 ? passed : failed(`${what} (cargo deny check)`);
}

async function npmAdvisories() {
  const what = "advisories about npm packages";
  const folder = join(ROOT, "end2end");
  if (!existsSync(join(folder, "package-lock.json"))) return failed(`${what}: there is no lock file`);
  const { text } = await command("npm", ["audit", "--json", "--prefix", folder, "--package-lock-only"], quiet);
  const verdict = auditVerdict(text);
  if (verdict.unreachable) return skipped(what, `the registry gives none: ${verdict.unreachable}`);
  for (const line of verdict.found) console.log(`✗ ${line}`);
  return verdict.found.length ? failed(`${what} (npm audit)`) : passed;
}

/** What `npm audit --json` says: {unreachable} or {found}, a line for each package with an advisory. */
export function auditVerdict(text) {
  let report;
  try {
    report = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
  } catch {
    return { unreachable: "its answer is no report" };
  }
  if (!report.vulnerabilities || !report.metadata) {
    const { statusCode, message, error } = report;
    return { unreachable: statusCode ? `it answers ${statusCode}` : String(error?.summary ?? message ?? "no report").split("\n")[0] };
  }
  const found = Object.values(report.vulnerabilities).map(({ name, severity, range }) => `${name} ${range}: ${severity}`);
  return { found };
}
