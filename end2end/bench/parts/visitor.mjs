// An operator who is signed in, as cookies.
import { openContext } from "../../specs/support/browser.mjs";
import { passThrough } from "../../specs/support/sign_in.mjs";

export const OWNER = "olivia@northwind-it.example";

/** Signs in once, through the cloud's own pages. Gives the browser's storage state. */
export async function signIn(chromium, stack) {
  const context = await openContext(chromium, { baseURL: stack.portal });
  const page = await context.newPage();
  await page.goto("/auth/sign-in?return_to=/customers");
  const { password } = stack.accounts.accounts.find((account) => account.upn === OWNER);
  await passThrough(page, { cloud: stack.cloud, portal: stack.portal, login: OWNER, password, decision: "accept" });
  const state = await context.storageState();
  await context.close();
  return state;
}

/** The same as a header of a plain request. */
export const cookieHeader = (state) => state.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
