// npm `@openfeature/ofrep-web-provider`, which asks for all flags at once, polls, or waits to be told of a change.

import assert from 'node:assert/strict';
import { CLIENT_KEY, URL_OF_SERVER, ask, change, checkCases, checkShares, placed, shown, waitUntil } from './common.mjs';
import { OFREPWebProvider, OpenFeature, ProviderEvents, close, openPage } from './page.mjs';

// What went over the wire, as the provider's own hook sees it.
const exchanges = [];
async function watched(...request) {
  const response = await fetch(...request);
  exchanges.push({ status: response.status, url: String(request[0]?.url ?? request[0]) });
  return response;
}

const provider = (key, options) =>
  new OFREPWebProvider({
    baseUrl: URL_OF_SERVER,
    headers: [['Authorization', `Bearer ${key}`]],
    cacheMode: 'disabled',
    fetchImplementation: watched,
    ...options,
  });

const anna = { targetingKey: 'anna' };
await OpenFeature.setContext(anna);
const { ConfigurationChanged } = ProviderEvents;

// Told of a change by a stream; nothing is polled.
const told = await openPage('told', provider(CLIENT_KEY));
assert.equal(told.failed, undefined);
await checkCases('node-ofrep-web', told.evaluate);
checkShares(await placed(told.evaluate, 'colour'));
await OpenFeature.setContext(anna);
for (const text of ['First change', 'Second change']) {
  told.events.forget();
  await change('banner', text);
  await told.events.wait(ConfigurationChanged, ({ flagsChanged }) => flagsChanged.join() === 'banner');
  assert.equal(told.client.getStringValue('banner', 'none'), text);
}
// The refetch says which state it was told of.
assert.ok(exchanges.some(({ url }) => url.includes('flagConfigEtag=')), JSON.stringify(exchanges));

// The server goes away and comes back: the stream reconnects, and the next change arrives.
await ask('stop');
assert.equal(told.client.getStringValue('banner', 'none'), 'Second change');
await ask('start');
told.events.forget();
await change('banner', 'Back again');
await waitUntil(() => told.client.getStringValue('banner', 'none') === 'Back again', 'the change after the restart');

// Polling: what has not changed is 304 without a body.
exchanges.length = 0;
const polling = await openPage('polling', provider(CLIENT_KEY, { changeDetection: 'polling', pollInterval: 100 }));
await waitUntil(() => exchanges.filter(({ status }) => status === 304).length >= 3, 'answers 304');
assert.deepEqual([...new Set(exchanges.map(({ status }) => status))], [200, 304]);
polling.events.forget();
await change('banner', 'Polled');
await polling.events.wait(ConfigurationChanged, ({ flagsChanged }) => flagsChanged.join() === 'banner');
assert.equal(polling.client.getStringValue('banner', 'none'), 'Polled');

const wrong = await openPage('wrong', provider('wrong'));
assert.equal(wrong.failed?.code, 'PROVIDER_FATAL', String(wrong.failed));
assert.deepEqual(shown(wrong.client.getStringDetails('banner', 'mine')), {
  value: 'mine', variant: null, reason: 'ERROR', error: 'PROVIDER_FATAL',
});
await close();
