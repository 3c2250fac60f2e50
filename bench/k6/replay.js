// Replays a corpus of vneid-bench against a gateway, from one machine or many, and
// judges every answer. README.md says how.
import exec from 'k6/execution';
import http from 'k6/http';
import { SharedArray } from 'k6/data';
import { check } from 'k6';
import { Counter, Rate, Trend } from 'k6/metrics';

import { Chooser, cumulate } from './choose.js';
import { AS_EXPECTED, OVERLOAD, UNANSWERED, UPSTREAM, WRONG, judge, wanted } from './judge.js';
import { scenario, settings } from './settings.js';
import { summarize, summaryText } from './summary.js';

const FORMAT = 'vneid-bench-corpus/1';

const load = settings(__ENV);
const manifest = JSON.parse(open(`${load.corpus}/corpus.json`));
if (manifest.format !== FORMAT) throw new Error(`${load.corpus}: format ${manifest.format}, want ${FORMAT}`);

// Virtual users share one copy; each would hold its own otherwise.
const lines = new SharedArray('requests', () => {
  const text = open(`${load.corpus}/requests.jsonl`);
  const all = [];
  for (let at = 0, end; at < text.length; at = end + 1) {
    end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    if (end > at) all.push(JSON.parse(text.slice(at, end)));
  }
  return all;
});
const sums = new SharedArray('sums', () => cumulate(manifest.pools.warm, manifest.reuse.zipf_exponent));
if (lines.length !== manifest.pools.warm + manifest.pools.cold) {
  throw new Error(`${load.corpus}: corpus.json has ${manifest.pools.warm + manifest.pools.cold} requests, requests.jsonl ${lines.length}`);
}
const chooser = new Chooser(manifest.seed, load.coldShare === null ? manifest.reuse.cold_share : load.coldShare, sums);

const outcomes = {};
for (const outcome of [WRONG, OVERLOAD, UPSTREAM, UNANSWERED]) outcomes[outcome] = new Counter(`requests_${outcome}`);
const failed = new Rate('requests_failed');
const latency = new Trend('latency', true);
const used = new Counter('cold_requests');
const exhausted = new Counter('cold_exhausted');
const classes = {};
for (const { class: name } of manifest.classes) {
  classes[name] = { requests: new Counter(`class_${name}_requests`), wrong: new Counter(`class_${name}_wrong`), latency: new Trend(`class_${name}_latency`, true) };
}

export const options = {
  scenarios: { replay: scenario(load) },
  thresholds: {
    [`requests_${WRONG}`]: [{ threshold: 'count==0', abortOnFail: load.abort }],
    cold_exhausted: ['count==0'],
    // A request that is not sent when it is due is no load: the figures are not the target's.
    dropped_iterations: ['count==0'],
    requests_failed: [`rate<=${load.maxFailedPercent / 100}`],
    ...(load.p99 === null ? {} : { latency: [`p(99)<${load.p99}`] }),
  },
  summaryTrendStats: ['count', 'min', 'avg', 'p(50)', 'p(90)', 'p(99)', 'p(99.9)', 'max'],
  // One name for each class; the default is the URL, a series for each path.
  systemTags: ['name', 'status', 'error_code', 'scenario'],
  maxRedirects: 0,
  userAgent: 'vneid-bench-k6',
};

export function setup() {
  const expires = Date.parse(manifest.expires_at);
  if (!(expires > Date.now() + 1000 * load.stages.reduce((sum, stage) => sum + stage.seconds, 0))) {
    throw new Error(`the corpus' tokens are valid until ${manifest.expires_at}, not to the end of the load: mint another with vneid-bench tokens`);
  }
  const need = chooser.coldNeeded(load.first + load.requests * load.parts);
  if (need > manifest.pools.cold) {
    throw new Error(`the load needs ${need} cold requests, and the corpus has ${manifest.pools.cold}: mint more (vneid-bench tokens --cold), or send fewer (COLD_SHARE)`);
  }
}

// Accepted statuses by the list of them: they are few, and making one is not free.
const expected = {};

export default function () {
  // k6 numbers the iterations of all its instances together, so that execution
  // segments take turns with n as --part does.
  const n = load.first + load.part + exec.scenario.iterationInTest * load.parts;
  const line = chooser.line(n);
  if (line >= lines.length) {
    exhausted.add(1);
    return;
  }
  const request = lines[line];
  const want = wanted(request.expect, load.check);
  const statuses = want.status.join();
  if (expected[statuses] === undefined) expected[statuses] = http.expectedStatuses(...want.status);

  const headers = { Host: load.host || request.host };
  if (request.authorization) headers.Authorization = request.authorization;
  const response = http.request(request.method, load.target + request.path, null, {
    headers,
    redirects: 0,
    timeout: load.timeout * 1000,
    // What must pass may be large, and its body says nothing.
    responseType: want.passes ? 'none' : 'text',
    responseCallback: expected[statuses],
    tags: { name: request.class },
  });
  const outcome = judge(want, whole(response) ? response.status : 0, response.body);
  count(request, outcome, response);
}

// whole says whether an answer came to its end. k6's error codes of 1400 to 1599 are
// statuses of 4xx and 5xx, all others mean that there is no answer, or a part of one.
function whole(response) {
  return response.error_code === 0 || (response.error_code >= 1400 && response.error_code < 1600);
}

// What k6 calls it when no whole answer, or no connection, came in time.
const TIMEOUTS = [1050, 1211];

// count adds a request to the metrics.
function count(request, outcome, response) {
  const of = classes[request.class];
  // Waiting for a connection is time that a citizen waits.
  let took = response.timings.blocked + response.timings.duration;
  const givenUp = TIMEOUTS.includes(response.error_code);
  if (givenUp) took = Math.max(took, load.timeout * 1000);
  of.requests.add(1);
  if (request.pool === 'cold') used.add(1);
  failed.add(outcome !== AS_EXPECTED);
  // One that was given up counts with the time that it took to be, as with vneid-bench attack: no answer that
  // never came makes a percentile better.
  if (outcome !== UNANSWERED || givenUp) {
    latency.add(took);
    of.latency.add(took);
  }
  if (outcome !== AS_EXPECTED) outcomes[outcome].add(1);
  if (outcome === WRONG) of.wrong.add(1);
  check(outcome, { 'the answer is what the credential must get': (o) => o === AS_EXPECTED }, { class: request.class });
}

export function handleSummary(data) {
  const summary = summarize(data, manifest, load);
  const files = { stdout: summaryText(summary) };
  if (load.summary) files[load.summary] = `${JSON.stringify(summary, null, 2)}\n`;
  return files;
}
