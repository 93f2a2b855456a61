// A document saved from the server serves an SDK that has no server.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import { Flagsmith, SERVER_KEY, remote, sdk, shown } from './server.mjs';

const require = createRequire(path.join(process.env.NODE_FOLDER, 'index.js'));
const folder = path.join(process.env.NODE_FOLDER, 'node_modules/flagsmith-nodejs/build/cjs/sdk/offline_handlers.js');
const { LocalFileHandler } = require(folder);

const { status, body } = await sdk('GET', 'environment-document/', undefined, SERVER_KEY);
assert.equal(status, 200);
const place = await mkdtemp(path.join(os.tmpdir(), 'flagstaff-'));
const file = path.join(place, 'environment.json');
await writeFile(file, JSON.stringify(body));
const offline = new Flagsmith({ offlineMode: true, offlineHandler: new LocalFileHandler(file) });
await rm(place, { recursive: true });

const client = remote(SERVER_KEY);
assert.deepEqual(shown(await offline.getEnvironmentFlags()), shown(await client.getEnvironmentFlags()));
const traits = { plan: 'enterprise', beta: true };
for (const identifier of ['alice', 'bob', 'henry']) {
  const expected = shown(await client.getIdentityFlags(identifier, traits));
  assert.deepEqual(shown(await offline.getIdentityFlags(identifier, traits)), expected);
}
