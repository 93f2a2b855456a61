// A change reaches an SDK that evaluates locally when it refreshes, and is announced on the stream at once.

import assert from 'node:assert/strict';
import { CLIENT_KEY, URL_OF_SERVER, changeValue, local } from './server.mjs';

const engine = local();
assert.equal((await engine.getEnvironmentFlags()).getFeatureValue('banner'), 'Welcome');

const stream = await fetch(`${URL_OF_SERVER}/sse/environments/${CLIENT_KEY}/stream`);
assert.equal(stream.status, 200);
assert.match(stream.headers.get('content-type'), /^text\/event-stream/);
const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
await changeValue('banner', 'Changed');
let text = '';
let before = 0;
// The state on connecting may come first; the change is an event with a later time.
for (;;) {
  const { value, done } = await reader.read();
  assert.ok(!done, 'the stream ended');
  text += value;
  const times = [...text.matchAll(/data: *({.*})\r?\n/g)].map(([, data]) => JSON.parse(data).updated_at);
  for (const time of times) {
    assert.ok(time >= before);
    before = time;
  }
  if (times.length > 0) {
    await engine.updateEnvironment();
    if ((await engine.getEnvironmentFlags()).getFeatureValue('banner') === 'Changed') break;
  }
}
await reader.cancel();
await engine.close();
