// What journeys share: the browser, a member who is signed in, projects of their own, and a look at every page.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import assert from "node:assert/strict";

const packages = process.env.NODE_FOLDER ? join(process.env.NODE_FOLDER, "package.json") : import.meta.url;
const require = createRequire(packages);
const { chromium } = require("playwright-core");
const { Flagsmith } = require("flagsmith-nodejs");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const EMAIL = process.env.MEMBER_EMAIL ?? "ada@example.com";
export const PASSWORD = process.env.MEMBER_PASSWORD ?? "correct horse battery";
const PATIENCE = 20_000;

let serial = 0;

export class Stage {
  static async open() {
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
    });
    const stage = new Stage();
    Object.assign(stage, { browser, url: process.env.SERVER_URL, contexts: [], clients: [], token: null, state: null });
    return stage;
  }

  async close() {
    await this.browser.close();
  }

  /** Runs a journey in a context of its own, and fails where the browser complains of anything. */
  async play(label, script, run) {
    this.script = script;
    this.complaints = [];
    try {
      await run(this);
      assert.deepEqual(this.complaints, [], "the browser's console");
    } catch (error) {
      const shown = this.contexts.at(-1)?.pages().at(-1);
      if (shown) {
        const text = await shown.locator("body").innerText().catch(() => "");
        error.stack += `\nat ${shown.url()}\n${text.slice(0, 1500)}`;
        await this.picture(shown, `failed-${label}`).catch(() => {});
      }
      throw error;
    } finally {
      for (const context of this.contexts.splice(0)) await context.close();
      for (const client of this.clients.splice(0)) await client.close();
    }
  }

  /** A page of somebody who is not signed in. */
  async visitor(options = {}) {
    const context = await this.browser.newContext({
      baseURL: this.url,
      javaScriptEnabled: this.script,
      viewport: { width: 1280, height: 900 },
      // What is looked at does not depend on how far a switch has moved.
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(PATIENCE);
    this.contexts.push(context);
    const page = await context.newPage();
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      // A refusal that is answered with a page is none of the browser's business.
      if (message.type() === "error" && !/status of (4\d\d|503)/.test(message.text())) this.complaints.push(message.text());
    });
    return page;
  }

  /** A page of the member; signs in once for all journeys. */
  async member(options = {}) {
    if (!this.state) {
      const page = await this.visitor();
      if (process.env.SIGN_IN_LINK && !this.isUsed) await this.useLink(page);
      else await this.signIn(page);
      this.state = await page.context().storageState();
    }
    return this.visitor({ storageState: this.state, ...options });
  }

  async useLink(page) {
    await page.goto(process.env.SIGN_IN_LINK);
    await page.getByLabel("E-mail address").fill(EMAIL);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Set and sign in" }).click();
    await page.getByRole("heading", { name: "Projects" }).waitFor();
    this.isUsed = true;
  }

  async signIn(page, email = EMAIL, password = PASSWORD) {
    await page.goto("/");
    await page.getByLabel("E-mail address").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Projects" }).waitFor();
  }

  /** The admin API as the member: for what a journey finds there already. */
  async api(method, path, body) {
    if (!this.state) await this.member();
    if (!this.token) {
      const answer = await fetch(`${this.url}/api/v1/auth/login/`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ email: EMAIL, password: PASSWORD }),
      });
      this.token = (await answer.json()).key;
    }
    const answer = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers: { "Content-Type": "application/json", Authorization: `Token ${this.token}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** A project with environments, for one journey alone. */
  async project(name, environments = ["Development", "Production"]) {
    serial += 1;
    const organisations = await this.api("GET", "organisations/");
    const organisation = organisations.results[0].id;
    const project = await this.api("POST", "projects/", { name: `${name} ${serial}`, organisation });
    const made = [];
    for (const each of environments) made.push(await this.api("POST", "environments/", { name: each, project: project.id }));
    return {
      ...project,
      environments: made,
      key: made[0].api_key,
      feature: (fields) => this.api("POST", `projects/${project.id}/features/`, fields),
      segment: (fields) => this.api("POST", `projects/${project.id}/segments/`, { project: project.id, ...fields }),
    };
  }

  /** Flagsmith's SDK for Node.js, unmodified: it asks the server, or with a server key evaluates by itself. */
  sdk(environmentKey, options = {}) {
    const logger = { info() {}, debug() {}, warn() {}, error() {} };
    const client = new Flagsmith({ environmentKey, apiUrl: `${this.url}/api/v1/`, retries: 0, logger, ...options });
    this.clients.push(client);
    return client;
  }

  /** One flag as the SDK tells it. */
  async sdkFlag(client, name, identifier, traits) {
    const flags = identifier === undefined ? await client.getEnvironmentFlags() : await client.getIdentityFlags(identifier, traits);
    return { enabled: flags.isFeatureEnabled(name), value: flags.getFeatureValue(name) ?? null };
  }

  /** Types the name where it is asked for before something goes, and presses the button. */
  async confirm(page, name, button) {
    const form = page.locator("[data-dialog-content]:visible");
    const field = form.getByLabel(`Type ${name} to confirm`);
    await field.fill("something else");
    if (this.script) assert.equal(await form.getByRole("button", { name: button }).isDisabled(), true);
    else {
      await form.getByRole("button", { name: button }).click();
      await form.getByText("This is not its name.").waitFor();
    }
    await field.fill(name);
    await form.getByRole("button", { name: button }).click();
  }

  /** What an SDK with the client key is told. */
  async flags(key) {
    const answer = await fetch(`${this.url}/api/v1/flags/`, { headers: { "X-Environment-Key": key } });
    const flags = await answer.json();
    return Object.fromEntries(flags.map((flag) => [flag.feature.name, { enabled: flag.enabled, value: flag.feature_state_value }]));
  }

  async identityFlags(key, identifier, traits = []) {
    const answer = await fetch(`${this.url}/api/v1/identities/`, {
      method: "POST",
      headers: { "X-Environment-Key": key, "Content-Type": "application/json" },
      body: JSON.stringify({ identifier, traits }),
    });
    const { flags } = await answer.json();
    return Object.fromEntries(flags.map((flag) => [flag.feature.name, { enabled: flag.enabled, value: flag.feature_state_value }]));
  }

  /** Looks at a page: axe in light and dark, nothing wider than the screen at 360 px, pictures where they are wanted. */
  async look(page, name) {
    if (!this.script) return;
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await this.axe(page, `${name}, ${colorScheme}`);
      await this.picture(page, `${name}-${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
    const size = page.viewportSize();
    await page.setViewportSize({ width: 360, height: 740 });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    await this.picture(page, `${name}-narrow`);
    assert.ok(width <= 360, `${name} is ${width} px wide at 360 px`);
    await this.axe(page, `${name}, narrow`);
    await page.setViewportSize(size);
  }

  async axe(page, name) {
    // Where pages run no script, axe's promises never come true.
    if (!this.script) return;
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
      const results = await window.axe.run(document, { resultTypes: ["violations"] });
      return results.violations.map((each) => `${each.id}: ${each.help}\n${each.nodes.map((node) => `    ${node.html}\n    ${node.failureSummary}`).join("\n")}`);
    });
    assert.deepEqual(found, [], `axe on ${name}`);
  }

  async picture(page, name) {
    const folder = process.env.SCREENSHOTS;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name.replaceAll(/[^a-z0-9-]+/gi, "-")}.png`), fullPage: true });
  }

  /** A notice that says this, whether the script shows it or the page. */
  async told(page, text) {
    await page.locator("#notices .notice", { hasText: text }).waitFor();
  }
}
