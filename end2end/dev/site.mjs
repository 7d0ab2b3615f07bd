// Makes the files that browsers load, out of the compiled frontend and the style sheets:
//
//   postern.<hash>.js     wasm-bindgen's JavaScript, bundled and minified
//   postern.<hash>.wasm   made small by wasm-opt
//   postern.<hash>.css    style/main.css with all that it imports, minified
//   hash.txt              the hashes, where the portal looks for them when it starts; their files
//                         may be cached for ever
//
// Beside each lies a .br and a .gz. Other files of style/ (pictures) are copied into the site's
// root. Nothing is done when nothing changed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import zlib from "node:zlib";

import esbuild from "esbuild";

const TOOLS = fileURLToPath(new URL("../node_modules/.bin/", import.meta.url));

// What wasm-opt may use: what the compiler's output uses (all browsers since 2022 have it).
const WASM_FEATURES = ["bulk-memory", "bulk-memory-opt", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"];

const { values: options } = parseArgs({
  options: {
    "wasm-bindgen": { type: "string" },
    wasm: { type: "string" },
    style: { type: "string" },
    site: { type: "string" },
  },
});

function run(program, args) {
  const done = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 26 });
  if (done.error) throw done.error;
  if (done.status !== 0) throw new Error(`${basename(program)} failed:\n${done.stdout}${done.stderr}`);
}

const sha = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex");
};

// `url(/…)` in a style sheet names a file in the site's root: left as it is.
const rootUrls = {
  name: "root-urls",
  setup: (build) => build.onResolve({ filter: /^\// }, ({ kind, path }) => (kind === "url-token" ? { path, external: true } : null)),
};

/** Bundles and minifies; fails with esbuild's messages alone. */
async function bundle(what) {
  try {
    await esbuild.build({ ...what, bundle: true, minify: true, plugins: [rootUrls], logLevel: "silent" });
  } catch (error) {
    const messages = (error.errors ?? []).map(({ location, text }) => `${location ? `${location.file}:${location.line}: ` : ""}${text}`);
    throw new Error(messages.join("\n") || error.message);
  }
}

/** All files below a folder, sorted. */
function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

const contents = (files) => files.flatMap((file) => [file, readFileSync(file)]);

function compress(file) {
  const bytes = readFileSync(file);
  const brotli = {
    params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_LGWIN]: 24, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  };
  writeFileSync(`${file}.br`, zlib.brotliCompressSync(bytes, brotli));
  writeFileSync(`${file}.gz`, zlib.gzipSync(bytes, { level: 9 }));
}

/** wasm-bindgen, wasm-opt and the bundler: gives the paths of the .js and the .wasm. */
async function makeCode(work) {
  run(options["wasm-bindgen"], ["--target", "web", "--no-typescript", "--omit-default-module-path", "--out-name", "postern", "--out-dir", work, options.wasm]);
  const wasm = join(work, "postern.wasm");
  run(join(TOOLS, "wasm-opt"), [
    "-Oz",
    "--converge",
    ...WASM_FEATURES.map((feature) => `--enable-${feature}`),
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
    join(work, "postern_bg.wasm"),
    "-o",
    wasm,
  ]);
  const js = join(work, "postern.min.js");
  await bundle({ entryPoints: [join(work, "postern.js")], format: "esm", legalComments: "none", outfile: js });
  return { js, wasm };
}

async function makeStyle(work) {
  const css = join(work, "postern.css");
  await bundle({ entryPoints: [join(options.style, "main.css")], loader: { ".svg": "dataurl" }, outfile: css });
  return { css };
}

async function main() {
  const pkg = join(options.site, "pkg");
  const stamps = join(options.site, "made.json");
  mkdirSync(pkg, { recursive: true });
  const styles = filesBelow(options.style);
  const tools = [readFileSync(fileURLToPath(import.meta.url)), readFileSync(join(TOOLS, "../.installed")), readFileSync(options["wasm-bindgen"])];
  const wanted = {
    code: sha(readFileSync(options.wasm), ...tools),
    style: sha(...contents(styles), ...tools),
  };
  let made = {};
  try {
    made = JSON.parse(readFileSync(stamps, "utf8"));
  } catch {
    // Never made, or half made: all anew.
  }
  const isThere = (kinds) => kinds.every((kind) => existsSync(join(pkg, `postern.${made.hashes?.[kind]}.${kind}.br`)));
  const code = made.code !== wanted.code || !isThere(["js", "wasm"]);
  const style = made.style !== wanted.style || !isThere(["css"]);
  if (!code && !style) return;

  const work = mkdtempSync(join(tmpdir(), "postern-site-"));
  try {
    if (code) console.error("· making the WASM small");
    const fresh = { ...(code && (await makeCode(work))), ...(style && (await makeStyle(work))) };
    const hashes = { ...made.hashes };
    for (const [kind, file] of Object.entries(fresh)) {
      hashes[kind] = sha(readFileSync(file)).slice(0, 16);
      const target = join(pkg, `postern.${hashes[kind]}.${kind}`);
      cpSync(file, target);
      compress(target);
    }
    if (style) copyPictures(styles);
    // Last, and at once: a portal that starts before names the files of before.
    writeFileSync(
      join(work, "hash.txt"),
      Object.entries(hashes)
        .map(([kind, hash]) => `${kind}: ${hash}\n`)
        .join(""),
    );
    cpSync(join(work, "hash.txt"), join(options.site, "hash.txt.new"));
    renameSync(join(options.site, "hash.txt.new"), join(options.site, "hash.txt"));
    writeFileSync(stamps, JSON.stringify({ ...wanted, hashes }));
    removeOld(pkg, new Set([...Object.values(hashes), ...Object.values(made.hashes ?? {})]));
    for (const [kind, hash] of Object.entries(hashes)) {
      const file = join(pkg, `postern.${hash}.${kind}`);
      console.error(`· ${basename(file)}: ${statSync(file).size} bytes, brotli ${statSync(`${file}.br`).size}`);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function copyPictures(files) {
  for (const file of files.filter((name) => ![".css", ".md"].includes(extname(name)))) {
    const target = join(options.site, file.slice(options.style.length + 1));
    cpSync(file, target, { recursive: true });
    if ([".svg", ".txt", ".json", ".webmanifest"].includes(extname(file))) compress(target);
  }
}

/** Removes what earlier builds left, except of the last and of the last hour: a portal that runs, or an open page, may still ask for it. */
function removeOld(pkg, hashes) {
  for (const name of readdirSync(pkg)) {
    const hash = name.split(".")[1];
    const file = join(pkg, name);
    if (!hashes.has(hash) && Date.now() - statSync(file).mtimeMs > 3_600_000) rmSync(file);
  }
}

try {
  await main();
} catch (error) {
  console.error(`dev: ${error.message}`);
  process.exitCode = 1;
}
