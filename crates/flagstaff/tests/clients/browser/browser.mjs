// A browser's page as the SDK sees it, by jsdom: its requests are made as those of another site are, with CORS.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';

// The scripts lie elsewhere than the packages they are run with.
const require = createRequire(path.join(process.env.NODE_FOLDER, 'index.js'));
const { JSDOM } = require('jsdom');
const { EventSource } = require('eventsource');

export const URL_OF_SERVER = process.env.SERVER_URL;
export const API = `${URL_OF_SERVER}/api/v1/`;
export const CLIENT_KEY = process.env.CLIENT_KEY;
const MEMBER = { email: process.env.ADMIN_EMAIL, password: process.env.ADMIN_PASSWORD };

const { window } = new JSDOM('', { url: 'http://shop.example/' });
globalThis.window = window;
globalThis.localStorage = window.localStorage;
globalThis.XMLHttpRequest = window.XMLHttpRequest;
// jsdom has none; the SDK looks for it when it is loaded.
globalThis.EventSource = EventSource;

export const { createFlagsmithInstance, FlagSource } = require('flagsmith');

// A page that has just been opened.
export async function page(options = {}) {
  const flagsmith = createFlagsmithInstance();
  await flagsmith.init({ environmentID: CLIENT_KEY, api: API, ...options });
  return flagsmith;
}

// Without the SDK, and outside of any page.
export async function call(method, path, headers, body) {
  const response = await fetch(API + path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}

let token;

export async function admin(method, path, body) {
  if (token === undefined) {
    const login = await call('POST', 'auth/login/', {}, MEMBER);
    assert.equal(login.status, 200, JSON.stringify(login.body));
    token = login.body.key;
  }
  const answer = await call(method, path, { Authorization: `Token ${token}` }, body);
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export async function changeValue(feature, value) {
  const { results } = await admin('GET', `environments/${CLIENT_KEY}/featurestates/?feature_name=${feature}`);
  assert.equal(results.length, 1);
  await admin('PATCH', `environments/${CLIENT_KEY}/featurestates/${results[0].id}/`, { feature_state_value: value });
}

// Asks again and again until the condition holds.
export async function waitUntil(condition, what) {
  const end = Date.now() + 30_000;
  while (!condition()) {
    assert.ok(Date.now() < end, `not within 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// Ends the script: what an open page does by the clock would keep it alive.
export function close() {
  process.exit(0);
}
