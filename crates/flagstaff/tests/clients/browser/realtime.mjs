// A change reaches an open page, without asking.

import assert from 'node:assert/strict';
import { URL_OF_SERVER, changeValue, close, page, waitUntil } from './browser.mjs';

const changes = [];
const flagsmith = await page({
  realtime: true,
  eventSourceUrl: `${URL_OF_SERVER}/`,
  onChange: (_, { flagsChanged }) => changes.push(flagsChanged),
});
await flagsmith.identify('frank', { plan: 'pro' });
assert.equal(flagsmith.getValue('seats'), 50);
const OPEN = 1;
await waitUntil(() => flagsmith.eventSource.readyState === OPEN, 'the stream opens');

for (const text of ['First change', 'Second change', 'Welcome']) {
  changes.length = 0;
  await changeValue('banner', text);
  await waitUntil(() => flagsmith.getValue('banner') === text, text);
  assert.deepEqual(changes.filter(Boolean), [['banner']]);
  assert.equal(flagsmith.getValue('seats'), 50);
}
close();
