// Where the browser tests leave what a person wants to look at afterwards.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";

import { ROOT } from "../../dev/stack.mjs";

export const RESULTS = process.env.RESULTS ?? join(ROOT, "end2end/results");

/** A name that is a file's name everywhere. */
export const fileName = (text) =>
  text
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .toLowerCase();

/** A picture of the whole page, below the results. Gives its path. */
export async function shoot(page, ...name) {
  const path = `${join(RESULTS, ...name.map(fileName))}.png`;
  mkdirSync(dirname(path), { recursive: true });
  await page.screenshot({ path, fullPage: true, animations: "disabled" });
  return path;
}
