// The SDK's own engine on documents from files, without a server: what it fetches is the file.

import { readFile, writeFile } from 'node:fs/promises';
import { evaluated, local } from './server.mjs';

const answers = [];
for (const { document, identifier, traits } of JSON.parse(await readFile(process.env.CASES, 'utf8'))) {
  const text = await readFile(document, 'utf8');
  const engine = local({ fetch: async () => new Response(text) });
  answers.push(await evaluated(engine, identifier, traits));
  await engine.close();
}
await writeFile(process.env.ANSWERS, JSON.stringify(answers));
