// Journey 1: somebody starts a server, opens the printed link, and is in. The runner opens the link before all else, so
// here it is seen that it is over, and that the password works.

import assert from "node:assert/strict";
import { EMAIL, PASSWORD } from "../stage.mjs";

export async function run(stage) {
  await stage.member();
  const page = await stage.visitor();

  if (process.env.SIGN_IN_LINK) {
    await page.goto(process.env.SIGN_IN_LINK);
    await page.getByRole("heading", { name: "This link is over" }).waitFor();
  }
  await page.goto("/about-nothing-at-all").catch(() => {});
  await page.goto("/");
  await stage.look(page, "sign-in");
  await page.getByLabel("E-mail address").fill(EMAIL);
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").filter({ hasText: "do not belong together" }).waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();

  await page.getByRole("heading", { name: "Projects" }).waitFor();
  await stage.look(page, "projects");
  await page.locator("header details.menu").last().locator("summary").click();
  await page.getByRole("button", { name: "Dark" }).click();
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  await page.locator("header details.menu").last().locator("summary").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
}
