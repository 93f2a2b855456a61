// npm `@openfeature/flagd-provider`, which asks about each flag and caches what is the same for everybody.

import assert from 'node:assert/strict';
import {
  HOST, PORT, SERVER_KEY, ask, change, checkCases, checkShares, placed, quiet, shown, waitUntil,
} from './common.mjs';
import { FlagdProvider, ServerProviderEvents, close, openClient } from './server.mjs';

// Its stream of events brings nothing but the authority, so the key is there.
const provider = (key) =>
  new FlagdProvider(
    {
      host: HOST,
      port: Number(PORT),
      resolverType: 'rpc',
      cache: 'lru',
      defaultAuthority: key,
      deadlineMs: 10_000,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 500,
      fatalStatusCodes: ['PERMISSION_DENIED'],
    },
    quiet,
  );

const { evaluate, events } = await openClient('flagd', provider(SERVER_KEY));
await checkCases('node-rpc', evaluate);

const colours = await placed(evaluate, 'colour');
checkShares(colours);
assert.deepEqual(await placed(evaluate, 'colour'), colours);

// What is the same for everybody is cached until an event names it.
const anna = { targetingKey: 'anna' };
const limit = async () => shown(await evaluate('getNumberDetails', 'internal-limit', -1, anna));
assert.deepEqual(await limit(), { value: 9000, variant: 'control', reason: 'CACHED' });
events.forget();
await change('internal-limit', 9001);
const { ConfigurationChanged, Ready, Stale } = ServerProviderEvents;
await events.wait(ConfigurationChanged, ({ flagsChanged }) => flagsChanged.join() === 'internal-limit');
assert.deepEqual(await limit(), { value: 9001, variant: 'control', reason: 'STATIC' });
assert.deepEqual(await limit(), { value: 9001, variant: 'control', reason: 'CACHED' });

// The server goes away and comes back.
events.forget();
await ask('stop');
await events.wait(Stale);
events.forget();
await ask('start');
await events.wait(Ready);
await change('banner', 'Back again');
const banner = async () => (await evaluate('getStringDetails', 'banner', 'none', anna)).value;
await waitUntil(async () => (await banner()) === 'Back again', 'the value after the restart');

const wrong = await openClient('wrong', provider('ser.wrong'));
assert.match(String(wrong.failed), /PERMISSION_DENIED/);
assert.deepEqual(shown(await wrong.evaluate('getStringDetails', 'banner', 'mine', anna)), {
  value: 'mine', variant: null, reason: 'ERROR', error: 'PROVIDER_FATAL',
});
await close();
