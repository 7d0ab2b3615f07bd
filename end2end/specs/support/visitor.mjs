// A person with a browser of their own: opens pages, signs in at the cloud, and complains about
// everything that a page should not do.

const SHORT = 15_000; // milliseconds: what the page does by itself
const LIVE = 60_000; // … and what comes from Microsoft and the worker

export class Visitor {
  /** What went wrong on the pages, in words. */
  #troubles = [];
  #expected = [];

  constructor({ context, page, portal, name }) {
    this.context = context;
    this.page = page;
    this.portal = portal;
    this.name = name;
    page.setDefaultTimeout(SHORT);
    this.#watch(page);
  }

  #watch(page) {
    // Microsoft's pages, here the cloud's, are not ours to judge.
    const note = (text) => this.atPortal() && this.#troubles.push(`${text} (on ${page.url()})`);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) note(`console ${message.type()}: ${message.text()} ${message.location().url}`);
    });
    page.on("pageerror", (error) => note(`script error: ${error.stack ?? error}`));
    page.on("crash", () => note("the page crashed"));
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText ?? "";
      // Leaving a page ends what it was still asking for.
      if (why !== "net::ERR_ABORTED") note(`request failed: ${request.method()} ${request.url()} ${why}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400 && response.url().startsWith(this.portal)) {
        this.#troubles.push(`answered ${response.status()}: ${response.request().method()} ${response.url()}`);
      }
    });
  }

  /** Troubles that match are what this test is about, from now on. */
  expect(...patterns) {
    this.#expected.push(...patterns);
  }

  /** All troubles that no test expected. */
  troubles() {
    return this.#troubles.filter((trouble) => !this.#expected.some((pattern) => pattern.test(trouble)));
  }

  /** Opens a page of the portal and waits until it reacts. Gives the server's response. */
  async open(path) {
    const response = await this.page.goto(new URL(path, this.portal).href);
    await this.ready();
    return response;
  }

  /** Waits until the page reacts, if it is one that does: some are plain, as all are without JavaScript. */
  async ready() {
    await this.page.waitForLoadState("domcontentloaded");
    const reacts = this.javaScript && (await this.page.locator("script#hydration").count()) > 0;
    if (reacts) await this.page.locator('html[data-hydrated="true"]').waitFor({ state: "attached" });
  }

  get javaScript() {
    return this.context.javaScript !== false;
  }

  /** Clicks something that leads to another document, and waits for it. */
  async follow(what) {
    await Promise.all([this.page.waitForEvent("domcontentloaded"), what.click()]);
    if (this.atPortal()) await this.ready();
  }

  /** Sends a form as a page does, without opening one; what it leads to is not followed. */
  post(name, form) {
    return this.context.request.post(new URL(`/api/${name}`, this.portal).href, {
      form,
      headers: { origin: this.portal, "sec-fetch-site": "same-origin" },
      maxRedirects: 0,
    });
  }

  atPortal() {
    return new URL(this.page.url()).origin === new URL(this.portal).origin;
  }

  path() {
    const { pathname, search } = new URL(this.page.url());
    return pathname + search;
  }

  // ── finding things as a person does ───────────────────────────────────────────────────────────

  button = (name, within = this.page) => within.getByRole("button", { name, exact: typeof name === "string" });
  link = (name, within = this.page) => within.getByRole("link", { name, exact: typeof name === "string" });
  heading = (name, within = this.page) => within.getByRole("heading", { name, exact: typeof name === "string" });
  // A label around a list of choices has the choices' words in its text, but not in its name.
  field = (name, within = this.page) => {
    const exact = typeof name === "string";
    return within.getByLabel(name, { exact }).or(within.getByRole("combobox", { name, exact }));
  };
  text = (text, within = this.page) => within.getByText(text).filter({ visible: true }).first();
  row = (text) => this.page.getByRole("row").filter({ hasText: text });
  /** The heading of a step of the live page: "Group visible: waiting". */
  step = (title, state = "\\w+") => this.page.getByRole("heading", { level: 3, name: new RegExp(`^${title} ?: ?${state}$`) });
  dialog = (name) => this.page.getByRole("dialog", { name });

  /** Waits until each of these texts or locators is on the page. */
  async sees(...things) {
    for (const thing of things) await this.#locate(thing).waitFor({ state: "visible" });
  }

  /** The same for what the worker and Microsoft bring about. */
  async comesToSee(...things) {
    for (const thing of things) await this.#locate(thing).waitFor({ state: "visible", timeout: LIVE });
  }

  /** Waits until something that the server does by itself has come about. */
  async eventually(there) {
    for (const end = Date.now() + LIVE; !(await there()); await this.page.waitForTimeout(200)) {
      if (Date.now() > end) throw new Error(`this never came about: ${there}`);
    }
  }

  /** Waits until none of these is on the page (any more). */
  async seesNo(...things) {
    for (const thing of things) await this.#locate(thing).waitFor({ state: "hidden" });
  }

  #locate(thing) {
    return typeof thing === "string" || thing instanceof RegExp ? this.text(thing) : thing.first();
  }

  /** The heading that says what the page is. */
  async title() {
    return (await this.page.getByRole("heading", { level: 1 }).innerText()).trim();
  }

  // ── at Microsoft ──────────────────────────────────────────────────────────────────────────────

  /**
   * Goes through the cloud's pages as `account`, until the browser is back at the portal or the
   * cloud shows an error. `consent`: Accept or Cancel. Gives the headings of the pages it saw.
   */
  async atMicrosoft(account, { consent = "Accept", password = account.password } = {}) {
    const seen = [];
    while (!this.atPortal()) {
      const title = await this.title();
      seen.push(title);
      if (title === "Sign in") {
        await this.field("E-mail").fill(account.upn);
        await this.field("Password").fill(password);
        await this.follow(this.button("Sign in"));
        if (!this.atPortal() && (await this.page.getByRole("alert").count()) > 0) return seen;
      } else if (title === "Pick an account") {
        const known = this.button(account.upn);
        await this.follow((await known.count()) > 0 ? known : this.button("Use another account"));
      } else if (title === "Permissions requested") {
        await this.follow(this.button(consent));
      } else {
        return seen;
      }
    }
    await this.ready();
    return seen;
  }

  /** From the start page in. */
  async signIn(account, options) {
    await this.open("/");
    await this.follow(this.link("Sign in with Microsoft"));
    return this.atMicrosoft(account, options);
  }

  // ── what many tests begin with ────────────────────────────────────────────────────────────────

  /** As an owner: gives somebody a role on the page People. `role`: Owner, Engineer, Auditor. */
  async giveRole(account, role) {
    await this.open("/people");
    const row = this.row(account.upn);
    await row.getByRole("combobox", { name: `Role of ${account.name}` }).selectOption({ label: role });
    await this.button("Save", row).click();
    await this.sees("The role was changed.");
  }

  /** Connects a customer as its own admin and ends on its page. */
  async connect(admin) {
    await this.open("/customers/connect");
    await this.field("Domain or tenant id").fill(admin.upn.split("@")[1]);
    await this.follow(this.button("Go to Microsoft"));
    await this.atMicrosoft(admin);
    await this.sees(this.page.getByRole("region", { name: "Connection" }).getByText("connected", { exact: true }));
    return new URL(this.page.url()).pathname;
  }
}
