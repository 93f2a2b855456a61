// What somebody could try: text that wants to be markup, pages in frames, forms from elsewhere, a session that was planted.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { EMAIL, PASSWORD } from "../stage.mjs";

export const scripts = [true];

const EVIL = `"><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}'`;

export async function run(stage) {
  const project = await stage.project(`Attack ${EVIL}`);
  const tag = await stage.api("POST", `projects/${project.id}/tags/`, { label: EVIL, color: "red", project: project.id });
  const made = await project.feature({ name: EVIL, description: EVIL, initial_value: EVIL, tags: [tag.id], multivariate_options: [{ type: "unicode", string_value: EVIL, default_percentage_allocation: 10 }] });
  await project.segment({ name: EVIL, rules: [{ type: "ALL", rules: [{ type: "ANY", rules: [], conditions: [{ property: EVIL, operator: "EQUAL", value: EVIL }] }], conditions: [] }] });
  const page = await stage.member();
  const dialogs = [];
  page.on("dialog", (dialog) => { dialogs.push(dialog.message()); dialog.dismiss(); });

  const feature = `/environments/${project.key}/features/${made.id}`;
  const paths = [`/environments/${project.key}/features`, `/environments/${project.key}/features?q=${encodeURIComponent(EVIL)}`, feature, `${feature}/overrides/new`,
    `${feature}/identities/new`, `${feature}/settings`, `${feature}/code`, `${feature}/compare`, `${feature}/versions`, `${feature}/schedule`, `${feature}/delete`];
  for (const path of paths) {
    const answer = await page.goto(path);
    assert.equal(answer.status(), 200, path);
    const policy = answer.headers()["content-security-policy"];
    assert.ok(!policy.includes("unsafe") && policy.includes("frame-ancestors 'none'"), policy);
    assert.equal(await page.locator("img").count(), 0, path);
    assert.equal(await page.locator("main script").count(), 0, path);
  }
  assert.ok((await page.goto(feature)).ok());
  assert.ok((await page.locator("h1").innerText()).includes(EVIL));
  assert.deepEqual(dialogs, []);

  // Another site: a frame, and a form that sends itself.
  const elsewhere = createServer((request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(`<iframe id="frame" src="${stage.url}/"></iframe>
      <form method="post" action="${stage.url}${feature}/toggle"><input name="enabled" value="true"><button>Win a prize</button></form>`);
  });
  await new Promise((ready) => elsewhere.listen(0, "127.0.0.1", ready));
  try {
    const away = await page.context().newPage();
    await away.goto(`http://localhost:${elsewhere.address().port}/`);
    const framed = await away.frameLocator("#frame").locator("body").innerText().catch(() => "");
    assert.ok(!framed.includes("Projects"), "the dashboard is shown in a frame");
    await away.getByRole("button", { name: "Win a prize" }).click();
    await away.waitForLoadState();
    const states = await stage.flags(project.key);
    assert.equal(states[EVIL].enabled, false, "a form of another site was obeyed");
    await away.close();
  } finally {
    elsewhere.close();
  }

  // A session that somebody planted is not the one that is signed in.
  const victim = await stage.visitor();
  const planted = "0".repeat(40);
  await victim.context().addCookies([{ name: "flagstaff-session", value: planted, url: stage.url }]);
  await stage.signIn(victim, EMAIL, PASSWORD);
  const cookies = await victim.context().cookies();
  const session = cookies.find((cookie) => cookie.name === "flagstaff-session");
  assert.notEqual(session.value, planted);
  assert.ok(session.httpOnly && session.sameSite === "Lax");
  const outsider = await fetch(`${stage.url}/`, { headers: { Cookie: `flagstaff-session=${planted}` } });
  assert.ok((await outsider.text()).includes("Sign in"));

  // After signing in, one is sent to pages of this server only.
  const guest = await stage.visitor();
  await guest.goto("/?next=//evil.example/");
  await guest.getByLabel("E-mail address").fill(EMAIL);
  await guest.getByLabel("Password").fill(PASSWORD);
  await guest.getByRole("button", { name: "Sign in" }).click();
  await guest.getByRole("heading", { name: "Projects" }).waitFor();
  assert.ok(guest.url().startsWith(stage.url));
  // The frame and the foreign form are refused aloud: that is what was wanted.
  stage.complaints = stage.complaints.filter((text) => !/frame-ancestors|Refused to (display|frame)|chrome-error/.test(text));
}
