// The way through the sign-in and consent pages of the simulated cloud.

const MOST_PAGES = 6;

/** Fills in and submits the cloud's forms until the browser is back at the portal. */
export async function passThrough(page, { cloud, portal, login, password, decision }) {
  for (let turn = 0; turn < MOST_PAGES; turn += 1) {
    if (at(page) === new URL(portal).origin) return;
    if (at(page) !== new URL(cloud).origin) throw new Error(`the way to sign in leads to ${page.url()}`);
    const answer = page.locator(`button[name=decision][value=${decision}]`);
    if (await page.locator("input[name=login]").isVisible()) await page.fill("input[name=login]", login);
    if (await page.locator("input[name=password]").isVisible()) {
      await page.fill("input[name=password]", password);
      await follow(page, page.locator("form:has(input[name=password]) [type=submit]").first());
    } else if (await answer.isVisible()) {
      await follow(page, answer);
    } else {
      throw new Error(`this page of the simulated cloud cannot be answered: ${page.url()}\n${await page.locator("body").innerText()}`);
    }
  }
  throw new Error(`no way back to the portal after ${MOST_PAGES} pages: ${page.url()}\n${await page.locator("body").innerText()}`);
}

const at = (page) => new URL(page.url()).origin;

/** Clicks what leads to another page and waits for that page. */
async function follow(page, button) {
  await Promise.all([page.waitForEvent("framenavigated"), button.click()]);
  await page.waitForLoadState("domcontentloaded");
}
