// npm `@openfeature/flagd-provider`, which takes the whole document and evaluates for itself.

import assert from 'node:assert/strict';
import {
  HOST, PORT, SERVER_KEY, ask, change, checkCases, checkShares, placed, quiet, shown, waitUntil,
} from './common.mjs';
import { FlagdProvider, ServerProviderEvents, close, openClient } from './server.mjs';

const provider = (key, options) =>
  new FlagdProvider(
    {
      host: HOST,
      port: Number(PORT),
      deadlineMs: 10_000,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 500,
      fatalStatusCodes: ['PERMISSION_DENIED'],
      ...options,
    },
    quiet,
  );
const inProcess = (key) => provider(key, { resolverType: 'in-process', selector: key });

const { evaluate, events } = await openClient('flagd', inProcess(SERVER_KEY));
await checkCases('node-in-process', evaluate);

// With the hash of this generation the server puts everybody where this program puts them.
const rpc = provider(SERVER_KEY, { resolverType: 'rpc', defaultAuthority: SERVER_KEY });
const asking = (await openClient('rpc', rpc)).evaluate;
const colours = await placed(evaluate, 'colour');
checkShares(colours);
assert.deepEqual(await placed(asking, 'colour'), colours);
for (const flag of ['op-third', 'op-equal']) {
  assert.deepEqual(await placed(asking, flag), await placed(evaluate, flag));
}

// What the server adds to every context counts as if the caller had sent it.
const anna = { targetingKey: 'anna' };
const text = async (flag) => (await evaluate('getStringDetails', flag, 'none', anna)).value;
assert.equal(await text('op-by-region'), 'yes');

events.forget();
await change('banner', 'Changed');
const { ConfigurationChanged, Ready, Stale } = ServerProviderEvents;
await events.wait(ConfigurationChanged, ({ flagsChanged }) => flagsChanged.includes('banner'));
assert.equal(await text('banner'), 'Changed');

// The server goes away, which changes nothing here, and comes back.
events.forget();
await ask('stop');
await events.wait(Stale);
assert.equal(await text('banner'), 'Changed');
events.forget();
await ask('start');
await events.wait(Ready);
await change('banner', 'Back again');
await waitUntil(async () => (await text('banner')) === 'Back again', 'the value after the restart');

const wrong = await openClient('wrong', inProcess('ser.wrong'));
assert.match(String(wrong.failed), /PERMISSION_DENIED/);
assert.deepEqual(shown(await wrong.evaluate('getStringDetails', 'banner', 'mine', anna)), {
  value: 'mine', variant: null, reason: 'ERROR', error: 'PROVIDER_FATAL',
});
await close();
