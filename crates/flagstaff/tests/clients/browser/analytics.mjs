// What an SDK counts arrives and is accepted. The test that runs this script then looks for the sums.

import { close, page } from './browser.mjs';

const flagsmith = await page({ enableAnalytics: true });
for (let times = 0; times < 7; times += 1) flagsmith.hasFeature('dark-mode');
for (let times = 0; times < 3; times += 1) flagsmith.getValue('page-size');
flagsmith.hasFeature('banner', { skipAnalytics: true });
await flagsmith.analyticsFlags();
close();
