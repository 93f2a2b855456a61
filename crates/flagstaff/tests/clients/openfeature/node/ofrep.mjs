// npm `@openfeature/ofrep-provider`, which asks about each flag over HTTP.

import assert from 'node:assert/strict';
import { SERVER_KEY, URL_OF_SERVER, ask, change, checkCases, checkShares, placed, shown } from './common.mjs';
import { OFREPProvider, close, openClient } from './server.mjs';

const provider = (headers) => new OFREPProvider({ baseUrl: URL_OF_SERVER, headers });

const { evaluate } = await openClient('ofrep', provider({ Authorization: `Bearer ${SERVER_KEY}` }));
await checkCases('node-ofrep', evaluate);

const colours = await placed(evaluate, 'colour');
checkShares(colours);
assert.deepEqual(await placed(evaluate, 'colour'), colours);

const anna = { targetingKey: 'anna' };
const banner = async () => (await evaluate('getStringDetails', 'banner', 'none', anna)).value;
await change('banner', 'Changed');
assert.equal(await banner(), 'Changed');

await ask('stop');
assert.equal(await banner(), 'none');
await ask('start');
assert.equal(await banner(), 'Changed');

// Both headers of the protocol take a key.
const other = await openClient('other', provider({ 'X-API-Key': SERVER_KEY }));
assert.equal((await other.evaluate('getStringDetails', 'banner', 'none', anna)).value, 'Changed');

const wrong = await openClient('wrong', provider({ 'X-API-Key': 'ser.wrong' }));
assert.deepEqual(shown(await wrong.evaluate('getStringDetails', 'banner', 'mine', anna)), {
  value: 'mine', variant: null, reason: 'ERROR', error: 'GENERAL',
});
await close();
