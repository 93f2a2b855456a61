// What every script needs: where the server is, keys, and how it is changed while a script runs.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';

// The scripts lie elsewhere than the packages they are run with.
const require = createRequire(path.join(process.env.NODE_FOLDER, 'index.js'));
export const { Flagsmith, LocalFileHandler } = require('flagsmith-nodejs');
export const sdkModule = require('flagsmith-nodejs');

export const URL_OF_SERVER = process.env.SERVER_URL;
export const API = `${URL_OF_SERVER}/api/v1/`;
export const CLIENT_KEY = process.env.CLIENT_KEY;
export const SERVER_KEY = process.env.SERVER_KEY;
const MEMBER = { email: process.env.ADMIN_EMAIL, password: process.env.ADMIN_PASSWORD };

const quiet = { logger: { info() {}, debug() {}, warn() {}, error() {} } };

export function remote(environmentKey = CLIENT_KEY, options = {}) {
  return new Flagsmith({ environmentKey, apiUrl: API, ...quiet, ...options });
}

export function local(options = {}) {
  return new Flagsmith({
    environmentKey: SERVER_KEY,
    apiUrl: API,
    enableLocalEvaluation: true,
    environmentRefreshIntervalSeconds: 3600,
    ...quiet,
    ...options,
  });
}

async function call(method, path, headers, body) {
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

export function sdk(method, path, body, key = CLIENT_KEY) {
  return call(method, path, { 'X-Environment-Key': key }, body);
}

export async function changeValue(feature, value) {
  const { results } = await admin('GET', `environments/${CLIENT_KEY}/featurestates/?feature_name=${feature}`);
  assert.equal(results.length, 1);
  await admin('PATCH', `environments/${CLIENT_KEY}/featurestates/${results[0].id}/`, { feature_state_value: value });
}

// The SDK itself says "no value" in two ways: null from its engine, undefined from the server's null.
export function shown(flags) {
  const state = (flag) => ({ enabled: flag.enabled, value: flag.value ?? null });
  const entries = flags.allFlags().map((flag) => [flag.featureName, state(flag)]);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

// What the SDK's own engine says, or how it fails.
export async function evaluated(engine, identifier, traits) {
  try {
    return shown(await engine.getIdentityFlags(identifier, traits));
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}
