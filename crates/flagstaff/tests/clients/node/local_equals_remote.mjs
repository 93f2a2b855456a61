// Asks the SDK's own engine and the server about the same identities; the test that runs this compares.

import { readFile, writeFile } from 'node:fs/promises';
import { evaluated, local, remote, shown } from './server.mjs';

const answers = [];
for (const { server_key: key, identities } of JSON.parse(await readFile(process.env.CASES, 'utf8'))) {
  const client = remote(key);
  const engine = local({ environmentKey: key });
  const found = [];
  for (const { identifier, traits } of identities) {
    found.push({
      local: await evaluated(engine, identifier, traits),
      sent: shown(await client.getIdentityFlags(identifier, traits)),
      stored: shown(await client.getIdentityFlags(identifier)),
    });
  }
  answers.push(found);
  await engine.close();
}
await writeFile(process.env.ANSWERS, JSON.stringify(answers));
