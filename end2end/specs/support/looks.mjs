// How a page looks to a person: in light, dark and narrow.
import assert from "node:assert/strict";

import { violations } from "./accessibility.mjs";
import { shoot } from "./results.mjs";

const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 900 };

/**
 * The page as it is now: without a violation of WCAG 2.2 AA, and nothing wider than the screen.
 * The person needs `axe`. Leaves three pictures in `folder` of the results.
 */
export async function looksWell(person, folder, name) {
  const { page } = person;
  for (const [way, colorScheme, size] of [
    ["light", "light", DESK],
    ["dark", "dark", DESK],
    ["360", "light", PHONE],
  ]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(size);
    assert.deepEqual(await violations(page), [], `${name}, ${way}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is wider than ${way}`);
    await shoot(page, folder, `${name} ${way}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(DESK);
}
