// Prints what the chooser chooses for testdata/choices.json, in node or in k6.
import { Chooser, cumulate } from '../choose.js';

export function choose(cases) {
  return cases.map((c) => {
    const chooser = new Chooser(c.seed, c.cold_share, cumulate(c.warm, c.zipf_exponent));
    return { lines: c.requests.map((n) => chooser.line(n)), cold_needed: c.requests.map((n) => chooser.coldNeeded(n)) };
  });
}
