// The figures at the top: money, time, hit ratio, requests.

import { one, say } from "../dom.js";
import { brief, count, hours, money, percent } from "../format.js";

export function showFigures({ totals }) {
  const { saved, spent } = totals;
  const failures = spent.provider_failures;
  const figures = {
    saved: [
      money(saved.cost_usd),
      `by ${count(saved.hits)} hits${saved.unpriced ? `, ${count(saved.unpriced)} without a price` : ""}`,
    ],
    time: [hours(saved.seconds), `${brief(saved.total_tokens)} tokens not asked again`],
    ratio: [
      percent(totals.requests ? totals.hit_ratio : null),
      `memcached ${percent(totals.hit_ratio_by_tier.memcached)}, redis ${percent(totals.hit_ratio_by_tier.redis)}`,
    ],
    requests: [brief(totals.requests), totals.error ? `${count(totals.error)} with an error` : "none with an error"],
    spent: [
      money(spent.cost_usd),
      `${count(spent.provider_calls)} provider calls${failures ? `, ${count(failures)} failed` : ""}`,
    ],
  };
  for (const [name, [value, note]] of Object.entries(figures)) {
    say(one(`[data-figure=${name}]`), value);
    say(one(`[data-note=${name}]`), note);
  }
  one("#first-steps").hidden = totals.requests > 0;
}
