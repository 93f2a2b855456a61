// Journey 4: a segment with nested rules is made, tried before it is saved, gets an override, and decides what an SDK is told.

import assert from "node:assert/strict";

const HOSTILE = `"><img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`;

export async function run(stage) {
  const project = await stage.project("Segments");
  const feature = await project.feature({ name: "checkout", initial_value: "old", default_enabled: true });
  const page = await stage.member();
  const condition = (number, rule) => page.getByRole("group", { name: `Condition ${number} of rule ${rule}`, exact: true });
  const focused = (id) => page.waitForFunction((id) => document.activeElement?.id === id, id);
  // The fields follow the comparison: by themselves with script, by a button without.
  const compare = async (part, operator) => {
    await part.getByLabel("Comparison").selectOption(operator);
    if (!stage.script) await page.getByRole("button", { name: "Update the fields" }).click();
  };

  await page.goto(`/environments/${project.key}/segments`);
  await page.getByRole("heading", { name: "No segments yet" }).waitFor();
  await stage.look(page, "segments-empty");
  await page.getByRole("link", { name: "Make the first segment" }).click();
  await focused("name");
  await page.getByLabel("Name", { exact: true }).fill("Paying Europeans");

  await condition(1, "1").getByLabel("Trait or path").fill("country");
  await compare(condition(1, "1"), "IN");
  await condition(1, "1").getByLabel("Values, one on each line").fill("DE\nAT");
  await page.getByRole("button", { name: "Add rule inside rule 1" }).press("Enter");
  await focused("rules.0.rules.0.kind");
  await condition(1, "1.1").getByLabel("Trait or path").fill("seats");
  await compare(condition(1, "1.1"), "GREATER_THAN_INCLUSIVE");
  await condition(1, "1.1").getByLabel("Value", { exact: true }).fill("10");
  await page.getByRole("button", { name: "Add condition to rule 1.1" }).press("Enter");
  await focused("rules.0.rules.0.conditions.1.property");
  await page.keyboard.type("plan");
  await condition(2, "1.1").getByLabel("Value", { exact: true }).fill("pro");
  await page.getByRole("button", { name: "Move condition 2 of rule 1.1 up" }).press("Enter");
  await focused("rules.0.rules.0.conditions.0.lower");
  assert.equal(await condition(1, "1.1").getByLabel("Trait or path").inputValue(), "plan");
  await stage.look(page, "segment-new");

  // What is wrong stands beside its field, and nothing is lost.
  await page.getByRole("button", { name: "Add rule", exact: true }).press("Enter");
  await compare(condition(1, "2"), "REGEX");
  await condition(1, "2").getByLabel("Pattern").fill("(");
  await page.getByRole("button", { name: "Make the segment" }).click();
  await page.getByRole("alert").filter({ hasText: "Condition 1 of rule 2" }).waitFor();
  await condition(1, "2").getByText("Name the trait to compare").waitFor();
  await condition(1, "2").getByText("not a regular expression").waitFor();
  assert.equal(await condition(1, "1").getByLabel("Values, one on each line").inputValue(), "DE\nAT");
  await stage.look(page, "segment-problems");
  await page.getByRole("button", { name: "Remove rule 2" }).click();
  await condition(1, "2").waitFor({ state: "detached" });

  // Tried before it is saved.
  await page.getByLabel("Context as JSON").fill('{"targetingKey": "ada", "country": "DE", "plan": "free", "seats": 3}');
  await page.getByRole("button", { name: "Try this context" }).click();
  const tried = page.locator("#try");
  await tried.getByText("✗ is not in it").waitFor();
  await tried.getByText("it is free").waitFor();
  await stage.look(page, "segment-tried");
  assert.equal((await stage.api("GET", `projects/${project.id}/segments/`)).count, 0);

  await page.getByRole("button", { name: "Make the segment" }).click();
  await stage.told(page, "Segment Paying Europeans is saved.");
  const [segment] = (await stage.api("GET", `projects/${project.id}/segments/`)).results;
  const [outer] = segment.rules;
  assert.equal(outer.type, "ALL");
  assert.deepEqual(outer.conditions.map(({ property, operator, value }) => [property, operator, value]), [["country", "IN", "DE,AT"]]);
  assert.equal(outer.rules[0].type, "ANY");
  assert.deepEqual(outer.rules[0].conditions.map(({ property, operator, value }) => [property, operator, value]), [
    ["plan", "EQUAL", "pro"],
    ["seats", "GREATER_THAN_INCLUSIVE", "10"],
  ]);

  // The override, and what an SDK is told because of it.
  const segmentPage = page.url();
  await page.goto(`/environments/${project.key}/features/${feature.id}`);
  await page.getByRole("link", { name: "Add override" }).click();
  const form = stage.script ? page.getByRole("dialog") : page.locator("main");
  await form.getByLabel("Segment", { exact: true }).selectOption({ label: "Paying Europeans" });
  await form.getByLabel("On", { exact: true }).check();
  await form.getByLabel("Value", { exact: true }).fill("new");
  await form.getByRole("button", { name: "Save" }).click();
  await stage.told(page, "The override of checkout was saved.");
  await page.goto(segmentPage);
  const sdk = stage.sdk(project.key);
  const told = async (identifier, traits) => (await stage.sdkFlag(sdk, "checkout", identifier, traits)).value;
  assert.equal(await told("ada", { country: "DE", plan: "pro" }), "new");
  assert.equal(await told("bob", { country: "DE", seats: 12 }), "new");
  assert.equal(await told("eve", { country: "FR", plan: "pro" }), "old");
  await page.reload();
  await page.getByRole("region", { name: "Where it is used" }).getByText("checkout").waitFor();
  await page.getByRole("button", { name: "Try stored identities" }).click();
  await tried.getByText("2 of 3 identities are in it: all were looked at.").waitFor();
  await tried.getByRole("link", { name: "bob" }).waitFor();
  await stage.look(page, "segment");

  // Somebody else's change is not overwritten in silence.
  const description = page.getByLabel("Description", { exact: true });
  await description.fill("Mine");
  await stage.api("PATCH", `projects/${project.id}/segments/${segment.id}/`, { description: "Theirs" });
  if (stage.script) await page.getByText("Somebody else changed this environment meanwhile.").waitFor();
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByRole("alert").filter({ hasText: "Somebody else changed this segment meanwhile." }).waitFor();
  assert.equal(await description.inputValue(), "Mine");
  await page.getByRole("button", { name: "Save changes" }).click();
  await stage.told(page, "is saved.");
  assert.equal((await stage.api("GET", `projects/${project.id}/segments/${segment.id}/`)).description, "Mine");

  // A copy with a hostile name and hostile conditions: text, wherever it is shown.
  await page.getByRole("link", { name: "Copy", exact: true }).click();
  assert.equal(await page.getByLabel("Name of the copy").inputValue(), "Paying Europeans (copy)");
  await page.getByLabel("Name of the copy").fill(HOSTILE);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByRole("heading", { name: HOSTILE, exact: true }).waitFor();
  await condition(1, "1").getByLabel("Trait or path").fill(HOSTILE);
  await condition(1, "1").getByLabel("Values, one on each line").fill(`</textarea>${HOSTILE}`);
  await page.getByLabel("Description", { exact: true }).fill(`</textarea>${HOSTILE}`);
  await page.getByRole("button", { name: "Save changes" }).click();
  await stage.told(page, "is saved.");
  assert.equal(await condition(1, "1").getByLabel("Values, one on each line").inputValue(), `</textarea>${HOSTILE}`);
  await page.getByRole("button", { name: "Try this context" }).click();
  await tried.getByText("Somebody of whom nothing is known").waitFor();
  await page.goto(`/environments/${project.key}/segments`);
  await page.getByRole("link", { name: HOSTILE }).waitFor();
  await stage.look(page, "segments");
  assert.doesNotMatch(await page.title(), /taken/);

  // Deleted by its name only.
  await page.getByRole("link", { name: HOSTILE }).click();
  await page.getByRole("heading", { name: HOSTILE }).waitFor();
  await page.getByRole("link", { name: "Delete", exact: true }).click();
  await page.getByText("Nothing else goes with it").waitFor();
  await page.getByLabel(/to confirm/).fill(HOSTILE);
  await page.getByRole("button", { name: "Delete the segment" }).click();
  await page.getByRole("link", { name: "Paying Europeans" }).waitFor();
  assert.equal((await stage.api("GET", `projects/${project.id}/segments/`)).count, 1);
}
