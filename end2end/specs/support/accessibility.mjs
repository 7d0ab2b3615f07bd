// axe-core in the page: WCAG 2.2 AA. It is put in before the page's own scripts, because the
// page's Content-Security-Policy lets nothing in afterwards, and must not be weakened for a test.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** Makes `window.axe` available on every page of a context from the next navigation on. */
export const bringAxe = (context) => context.addInitScript({ content: AXE });

/** What violates WCAG 2.2 AA on the page as it is now: one readable line per element. */
export async function violations(page) {
  const result = await page.evaluate((tags) => window.axe.run(document, { runOnly: { type: "tag", values: tags } }), TAGS);
  return result.violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.target.join(" ")}: ${node.failureSummary.replace(/\s+/g, " ")}`),
  );
}
