// A page that is opened again shows the flags of the last time, then the server's.

import assert from 'node:assert/strict';
import { CLIENT_KEY, FlagSource, changeValue, close, page, waitUntil } from './browser.mjs';

const first = await page({ cacheFlags: true, identity: 'ivan', traits: { plan: 'pro' } });
assert.equal(first.getValue('seats'), 50);
assert.equal(first.loadingState.source, FlagSource.SERVER);
assert.ok(window.localStorage.getItem(`FLAGSMITH_DB_${CLIENT_KEY}`).includes('ivan'));

await changeValue('banner', 'Changed');
const options = { cacheFlags: true, identity: 'ivan' };
const kept = await page({ ...options, cacheOptions: { skipAPI: true, ttl: 3_600_000 } });
assert.equal(kept.getValue('banner'), 'Welcome');
assert.equal(kept.getValue('seats'), 50);
assert.equal(kept.loadingState.source, FlagSource.CACHE);

const sources = [];
const fresh = await page({ ...options, onChange: (_, __, state) => sources.push(state.source) });
await waitUntil(() => fresh.getValue('banner') === 'Changed', 'the server answers');
assert.deepEqual(sources, [FlagSource.CACHE, FlagSource.SERVER]);
assert.equal(fresh.getValue('seats'), 50);
close();
