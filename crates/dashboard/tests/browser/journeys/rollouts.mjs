// A feature is rolled out in steps: held with a reason, approved, given to everybody, and taken back.

import assert from "node:assert/strict";

const PEOPLE = 100;

export async function run(stage) {
  const project = await stage.project("Rollouts");
  await project.feature({ name: "checkout", initial_value: "new" });
  const page = await stage.member();
  const list = `/environments/${project.key}/rollouts`;
  const step = (number, field) => page.locator(`[name="steps.${number}.${field}"]`);
  const whoHasIt = async () => {
    const answers = await Promise.all(Array.from({ length: PEOPLE }, (_, number) => stage.identityFlags(project.key, `person-${number}`)));
    return answers.filter((flags) => flags.checkout.enabled).length;
  };
  // With script the page follows by itself, without it is looked at again.
  const shows = async (locator) => {
    for (let tries = 0; !stage.script && tries < 50 && !(await locator.isVisible()); tries += 1) {
      await page.waitForTimeout(200);
      await page.reload();
    }
    await locator.waitFor();
  };

  await page.goto(list);
  await page.getByRole("heading", { name: "No rollout yet" }).waitFor();
  await stage.look(page, "rollouts-empty");
  await page.getByRole("link", { name: "Choose a feature" }).click();
  await page.getByRole("link", { name: "checkout" }).click();
  await page.getByRole("link", { name: "Rollouts" }).last().click();
  await page.getByRole("heading", { name: "Start a rollout" }).waitFor();
  await stage.look(page, "feature-rollouts");

  // Two steps instead of four; what is wrong with them stands beside them.
  await page.getByRole("button", { name: "Remove step 4" }).click();
  await step(3, "percentage").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Remove step 3" }).click();
  await step(2, "percentage").waitFor({ state: "detached" });
  await step(0, "percentage").fill("10");
  await step(0, "hold").fill("0");
  await step(0, "needs_approval").check();
  await step(1, "percentage").fill("5");
  await step(1, "hold").fill("0");
  await page.getByRole("button", { name: "Start the rollout" }).last().click();
  await page.locator(".field-problem").filter({ hasText: "5 % after 10 %" }).waitFor();
  assert.equal(await step(0, "needs_approval").isChecked(), true);
  await stage.look(page, "rollout-problem");
  await step(1, "percentage").fill("100");
  await page.getByRole("button", { name: "Start the rollout" }).last().click();
  await stage.told(page, "The rollout of checkout is made.");
  await page.getByRole("heading", { name: "10 % have it" }).waitFor();
  const some = await whoHasIt();
  assert.ok(some > 0 && some < PEOPLE / 2, `${some} of ${PEOPLE} have it`);
  assert.equal((await stage.flags(project.key)).checkout.enabled, false);
  await stage.look(page, "rollout");

  // A guard watches it: made by a form that says what is wrong with it, removed by its name.
  await page.getByRole("link", { name: "Add guard" }).click();
  await page.getByRole("link", { name: "Failures of those who have it" }).click();
  await page.getByLabel("Name", { exact: true }).fill("failures");
  await page.getByLabel("At most so many percent fail").fill("many");
  await page.getByRole("button", { name: "Make the guard" }).click();
  await page.getByText("Give a number.").waitFor();
  await stage.look(page, "guard-problem");
  await page.getByLabel("At most so many percent fail").fill("5");
  await page.getByRole("button", { name: "Make the guard" }).click();
  await stage.told(page, "failures watches the rollout now.");
  await page.getByText("at most 5 % fail, from 100 on").waitFor();
  await stage.look(page, "rollout-guarded");
  await page.getByRole("link", { name: "Remove the guard failures" }).click();
  await stage.confirm(page, "failures", "Remove the guard");
  await stage.told(page, "The guard failures is gone.");

  await page.getByLabel("Reason for holding it").fill("more errors than before");
  await page.getByRole("button", { name: "Hold", exact: true }).click();
  await stage.told(page, "The rollout of checkout is held at 10 %.");
  await page.getByText("more errors than before").first().waitFor();
  await stage.look(page, "rollout-held");
  assert.equal(await whoHasIt(), some);
  await page.getByRole("button", { name: "Resume" }).click();
  await stage.told(page, "The rollout of checkout goes on.");

  await page.getByText("Waits for approval", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Approve the next step" }).click();
  await stage.told(page, "The step is approved.");
  await shows(page.getByText("Promoted", { exact: true }));
  await page.getByRole("heading", { name: "100 % have it" }).waitFor();
  assert.equal((await stage.flags(project.key)).checkout.enabled, true);
  assert.equal(await whoHasIt(), PEOPLE);

  await page.getByRole("link", { name: "Roll back" }).click();
  await stage.confirm(page, "checkout", "Roll it back");
  await stage.told(page, "The rollout of checkout is rolled back.");
  assert.equal(await whoHasIt(), 0);
  await page.goto(list);
  await page.getByRole("row").filter({ hasText: "checkout" }).getByText("Rolled back").waitFor();
  await stage.look(page, "rollouts");

  // Another one, aborted by its name; a colleague's hold shows by itself.
  await page.getByRole("link", { name: "checkout" }).click();
  await page.getByRole("link", { name: "checkout" }).click();
  await page.getByRole("link", { name: "Rollouts" }).last().click();
  await page.getByRole("button", { name: "Start the rollout" }).last().click();
  await stage.told(page, "The rollout of checkout is made.");
  await page.getByRole("heading", { name: "1 % have it" }).waitFor();
  const id = page.url().match(/rollouts\/(\d+)/)[1];
  await stage.api("POST", `rollouts/${id}/hold/`, { reason: "a colleague says so" });
  await shows(page.getByText("a colleague says so").first());
  await page.getByRole("link", { name: "Abort" }).click();
  await stage.confirm(page, "checkout", "Abort the rollout");
  await stage.told(page, "The rollout of checkout is aborted.");
  await page.getByText("Aborted", { exact: true }).waitFor();
}
