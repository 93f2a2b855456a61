// A wrong key is refused in a way the SDK understands, and what is there by default stands in.

import assert from 'node:assert/strict';
import { API, CLIENT_KEY, FlagSource, call, close, createFlagsmithInstance, page } from './browser.mjs';

const errors = [];
const onError = (error) => errors.push(error);
await assert.rejects(page({ environmentID: 'wrong', onError }), Error);
await assert.rejects(page({ environmentID: 'wrong', identity: 'alice', traits: { plan: 'pro' }, onError }), Error);
assert.equal(errors.length, 2);
assert.ok(errors.every((error) => error instanceof Error));

const flagsmith = createFlagsmithInstance();
const defaultFlags = { banner: { enabled: true, value: 'default' } };
await assert.rejects(flagsmith.init({ environmentID: 'wrong', api: API, defaultFlags }));
assert.equal(flagsmith.getValue('banner'), 'default');
assert.equal(flagsmith.hasFeature('banner'), true);
assert.ok(flagsmith.loadingState.error instanceof Error);
assert.equal(flagsmith.loadingState.source, FlagSource.DEFAULT_FLAGS);

assert.deepEqual(await call('GET', 'flags/', { 'X-Environment-Key': 'wrong' }), {
  status: 403,
  body: { detail: 'Invalid or missing Environment Key' },
});
assert.deepEqual(await call('GET', 'environment-document/', { 'X-Environment-Key': CLIENT_KEY }), {
  status: 403,
  body: { detail: 'Invalid or missing Environment key' },
});
close();
