// What an SDK counts arrives and is accepted. The test that runs this script then looks for the sums.

import { remote } from './server.mjs';

const client = remote(undefined, { enableAnalytics: true });
const flags = await client.getEnvironmentFlags();
for (let times = 0; times < 7; times += 1) flags.isFeatureEnabled('dark-mode');
for (let times = 0; times < 3; times += 1) flags.getFeatureValue('page-size');
await flags.analyticsProcessor.flush();
await client.close();
