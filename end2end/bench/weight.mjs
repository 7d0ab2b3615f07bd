// The bytes that a browser loads for a page, with an empty cache: raw, gzip, brotli, and what went
// over the wire.
import zlib from "node:zlib";

import { openContext } from "../specs/support/browser.mjs";
import { signIn } from "./parts/visitor.mjs";

export const title = "bytes of everything a page loads, with an empty cache";
export const build = "debug"; // The files are the same.

const MOST = 350_000; // brotli bytes of all that one page loads

const brotli = (bytes) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_LGWIN]: 24 } }).length;
const gzip = (bytes) => zlib.gzipSync(bytes, { level: 9 }).length;
const KINDS = { document: "HTML", stylesheet: "CSS", script: "JavaScript", image: "picture" };

export async function run({ startStack, browser, say }) {
  const stack = await startStack();
  const chromium = await browser();
  const signedIn = await signIn(chromium, stack);
  const rows = [];
  const targets = [];
  for (const [path, state] of [
    ["/", undefined],
    ["/customers", signedIn],
  ]) {
    const files = await load(chromium, stack, path, state);
    rows.push(...files, total(path, files));
    targets.push({ what: `all that ${path} loads, brotli`, value: rows.at(-1).brotli, unit: "bytes", most: MOST });
    say(`${path}: ${files.length} requests`);
  }
  return { rows, targets };
}

/** One row for each request of a page until it is hydrated. */
async function load(chromium, stack, path, storageState) {
  const context = await openContext(chromium, { baseURL: stack.portal, storageState });
  const page = await context.newPage();
  const finished = [];
  page.on("requestfinished", (request) => finished.push(request));
  await page.goto(path);
  await page.waitForFunction(() => document.documentElement.dataset.hydrated === "true");
  // Live events stay open and never finish; all else is here by now.
  const rows = [];
  for (const request of finished) {
    if (request.url().startsWith("data:")) continue;
    const response = await request.response();
    const body = await response.body();
    const { responseBodySize } = await request.sizes();
    rows.push({
      page: path,
      file: new URL(request.url()).pathname.replace(/\.[0-9a-f]{16}\./, ".*."),
      kind: new URL(request.url()).pathname.endsWith(".wasm") ? "WASM" : (KINDS[request.resourceType()] ?? request.resourceType()),
      requests: 1,
      raw: body.length,
      gzip: gzip(body),
      brotli: brotli(body),
      wire: responseBodySize,
    });
  }
  await context.close();
  return rows;
}

function total(path, files) {
  const sum = (column) => files.reduce((so_far, row) => so_far + row[column], 0);
  return { page: path, file: "all", kind: "", requests: files.length, raw: sum("raw"), gzip: sum("gzip"), brotli: sum("brotli"), wire: sum("wire") };
}
