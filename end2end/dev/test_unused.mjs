// Dependencies that Postern names in a Cargo.toml and does not use. A crate counts as used where a source of the
// right kind says `name::` or `use name`: a library in src/, one for tests in tests/ and benches/ too, one of a build
// script there. Comments do not count. A module of ours with the name of a crate hides it from this check.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

/** Why a crate stands there that no source names, by "package crate". */
const ALLOWED = new Map([["frontend getrandom", "leptos draws it in; named to say that it runs in a browser"]]);

const SOURCES = { normal: ["src"], dev: ["src", "tests", "benches", "examples"], build: ["build.rs"] };

/** What `cargo metadata --no-deps` gives, and where the workspace is: a sentence for each that is unused. */
export function unusedDependencies({ packages, workspace_root: root }) {
  const wrong = [];
  const allowed = new Map(ALLOWED);
  for (const { name: own, manifest_path: manifest, dependencies } of packages) {
    const folder = dirname(manifest);
    const code = {};
    for (const { name, rename, kind } of dependencies) {
      const wanted = kind ?? "normal";
      code[wanted] ??= SOURCES[wanted].map((path) => codeIn(join(folder, path))).join("\n");
      if (isUsed(rename ?? name, code[wanted])) continue;
      if (allowed.delete(`${own} ${name}`)) continue;
      code.dev ??= SOURCES.dev.map((path) => codeIn(join(folder, path))).join("\n");
      const tests = wanted === "normal" && isUsed(rename ?? name, code.dev);
      wrong.push(tests ? `${own} needs ${name} in its tests only: it belongs to [dev-dependencies]` : `${own} does not use ${name}`);
    }
  }
  for (const one of allowed.keys()) wrong.push(`test_unused.mjs excuses "${one}", which needs no excuse`);
  const manifests = packages.map(({ manifest_path: manifest }) => readFileSync(manifest, "utf8"));
  for (const name of sharedDependencies(readFileSync(join(root, "Cargo.toml"), "utf8"))) {
    const taken = new RegExp(`^${name}(\\.workspace = true|\\s*=\\s*\\{[^}]*\\bworkspace = true)`, "m");
    if (!manifests.some((manifest) => taken.test(manifest))) wrong.push(`Cargo.toml has ${name} for the members, and none takes it`);
  }
  return wrong;
}

/** Whether Rust code names a crate. */
export function isUsed(crate, code) {
  const name = crate.replaceAll("-", "_");
  return new RegExp(`(?<![\\w:])(::)?${name}\\s*::|\\buse\\s+(::)?${name}\\s*(;|as\\b|::)|\\bextern\\s+crate\\s+${name}\\b`).test(code);
}

/** The text of a file, or of all Rust files of a folder, without comments of whole and half lines. */
function codeIn(path) {
  if (!existsSync(path)) return "";
  const files = path.endsWith(".rs") ? [path] : readdirSync(path, { recursive: true }).map((file) => join(path, file));
  return files
    .filter((file) => file.endsWith(".rs"))
    .map((file) => readFileSync(file, "utf8").replace(/(?<!:)\/\/.*/g, ""))
    .join("\n");
}

/** The names in [workspace.dependencies]. */
function sharedDependencies(toml) {
  const section = /^\[workspace\.dependencies\]\n([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(toml)?.[1] ?? "";
  return [...section.matchAll(/^([\w-]+)\s*=/gm)].map(([, name]) => name);
}
