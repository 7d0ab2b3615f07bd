// Debian's Chromium, driven by Playwright. Also used by the benchmarks.
import { chromium } from "playwright-core";

// The sandbox refuses root, and nothing but our own pages is opened; the rest keeps the browser
// from talking to anybody else.
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

/** Starts the browser that CHROMIUM names. */
export function launch(options = {}) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, headless: true, args: FLAGS, ...options });
}

/** A session of its own, with nothing that differs from machine to machine. */
export async function openContext(browser, { baseURL, storageState, dark = false, javaScript = true, width = 1280, height = 900 } = {}) {
  const context = await browser.newContext({
    baseURL,
    storageState,
    colorScheme: dark ? "dark" : "light",
    javaScriptEnabled: javaScript,
    viewport: { width, height },
    reducedMotion: "reduce",
    locale: "en-GB",
    // Not the server's: what differs between the two must not break hydration.
    timezoneId: "Europe/Copenhagen",
    acceptDownloads: true,
  });
  context.setDefaultTimeout(15_000);
  context.setDefaultNavigationTimeout(30_000);
  return context;
}
