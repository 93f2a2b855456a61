// A document saved from the server serves an SDK that has no server.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Flagsmith, LocalFileHandler, SERVER_KEY, local, remote, sdk, shown } from './server.mjs';

const { status, body } = await sdk('GET', 'environment-document/', undefined, SERVER_KEY);
assert.equal(status, 200);
const place = await mkdtemp(path.join(os.tmpdir(), 'flagstaff-'));
const file = path.join(place, 'environment.json');
await writeFile(file, JSON.stringify(body));
const offline = new Flagsmith({ offlineMode: true, offlineHandler: new LocalFileHandler(file) });
await rm(place, { recursive: true });

assert.deepEqual(shown(await offline.getEnvironmentFlags()), shown(await remote(SERVER_KEY).getEnvironmentFlags()));
// How the engine compares with the server is another script's question.
const engine = local();
const traits = { plan: 'enterprise', beta: true };
for (const identifier of ['alice', 'bob', 'henry']) {
  const expected = shown(await engine.getIdentityFlags(identifier, traits));
  assert.deepEqual(shown(await offline.getIdentityFlags(identifier, traits)), expected);
}
await engine.close();
