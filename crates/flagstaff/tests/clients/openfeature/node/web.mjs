// npm `@openfeature/flagd-web-provider`, which speaks Connect over HTTP/1.1 and asks about all flags at once.

import assert from 'node:assert/strict';
import { HOST, PORT, SERVER_KEY, ask, change, checkCases, checkShares, placed, quiet, shown } from './common.mjs';
import { FlagdWebProvider, OpenFeature, ProviderEvents, close, openPage } from './page.mjs';

const provider = (key, options) => {
  const withKey = (next) => (request) => {
    request.header.set('Authorization', `Bearer ${key}`);
    return next(request);
  };
  const address = { host: HOST, port: Number(PORT), tls: false };
  return new FlagdWebProvider({ ...address, maxDelay: 500, interceptors: [withKey], ...options }, quiet);
};

const anna = { targetingKey: 'anna' };
await OpenFeature.setContext(anna);
const { client, evaluate, events } = await openPage('flagd', provider(SERVER_KEY));
assert.equal(client.getStringValue('banner', 'none'), 'Welcome');
await checkCases('node-web', evaluate);

const people = Array.from({ length: 200 }, (_, number) => `person-${number}`);
const colours = await placed(evaluate, 'colour', people);
checkShares(colours);

await OpenFeature.setContext(anna);
const { ConfigurationChanged } = ProviderEvents;
for (const text of ['First change', 'Second change']) {
  events.forget();
  await change('banner', text);
  await events.wait(ConfigurationChanged);
  assert.equal(client.getStringValue('banner', 'none'), text);
}

// The server goes away; what is known stays, and the stream is opened anew when it is back.
await ask('stop');
assert.equal(client.getStringValue('banner', 'none'), 'Second change');
await ask('start');
events.forget();
let number = 0;
// A change before the provider has its stream back is seen at the next one.
while (!events.seen.some(({ name }) => name === ConfigurationChanged)) {
  number += 1;
  assert.ok(number < 100, 'no event after the restart');
  await change('banner', `Back again ${number}`);
  await new Promise((resolve) => setTimeout(resolve, 200));
}
assert.match(client.getStringValue('banner', 'none'), /^Back again/);

// With the wrong key it never gets ready, and says so when it has tried often enough.
const wrong = OpenFeature.getClient('wrong');
const failures = [];
wrong.addHandler(ProviderEvents.Error, (details) => failures.push(details));
OpenFeature.setProvider('wrong', provider('ser.wrong', { maxRetries: 1 }));
while (failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
const { value, reason } = shown(wrong.getStringDetails('banner', 'mine'));
assert.deepEqual({ value, reason }, { value: 'mine', reason: 'ERROR' });
await close();
