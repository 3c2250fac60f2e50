// What is left of a run: JSON for machines, text for people.

const FORMAT = 'vneid-bench-k6/1';
const NOTE =
  'Percentiles are those of one k6 process and count from when it sent, or waited for a connection to send. ' +
  'They cannot be merged with others: only counts of several instances add up.';

// summarize makes the summary of what k6 measured.
export function summarize(data, manifest, load) {
  const count = (name) => (data.metrics[name] ? data.metrics[name].values.count : 0);
  const seconds = data.state.testRunDurationMs / 1000;
  const classes = {};
  let requests = 0;
  for (const { class: name } of manifest.classes) {
    const of = { requests: count(`class_${name}_requests`), wrong_verdicts: count(`class_${name}_wrong`) };
    if (of.requests > 0) classes[name] = { ...of, latency_ms: times(data.metrics[`class_${name}_latency`]) };
    requests += of.requests;
  }
  return {
    format: FORMAT,
    note: NOTE,
    corpus: { seed: manifest.seed, created_at: manifest.created_at },
    first: load.first,
    part: `${load.part}/${load.parts}`,
    check: load.check,
    elapsed_seconds: seconds,
    requests,
    requests_per_second: requests / seconds,
    requests_cold: count('cold_requests'),
    requests_dropped: count('dropped_iterations'),
    requests_without_cold_token: count('cold_exhausted'),
    wrong_verdicts: count('requests_wrong_verdict'),
    overloaded: count('requests_overload'),
    upstream_failures: count('requests_upstream'),
    unanswered: count('requests_unanswered'),
    latency_ms: times(data.metrics.latency),
    classes,
    thresholds: thresholds(data),
  };
}

// summaryText tells people of a summary.
export function summaryText(s) {
  const text = [
    '',
    `${s.requests} requests in ${s.elapsed_seconds.toFixed(1)} s (${s.requests_per_second.toFixed(0)}/s), ${s.requests_cold} of them with a new token; part ${s.part} of the load`,
    `wrong verdicts ${s.wrong_verdicts}, overloaded ${s.overloaded}, upstream failures ${s.upstream_failures}, unanswered ${s.unanswered}, not sent in time ${s.requests_dropped}`,
    row('class', 'requests', 'wrong', 'p50 ms', 'p99 ms', 'max ms'),
  ];
  for (const [name, of] of [...Object.entries(s.classes), ['all', { ...s, wrong_verdicts: s.wrong_verdicts }]]) {
    const t = of.latency_ms;
    text.push(row(name, of.requests, of.wrong_verdicts, ...(t ? [t.p50, t.p99, t.max].map((v) => v.toFixed(2)) : ['-', '-', '-'])));
  }
  for (const [name, passed] of Object.entries(s.thresholds)) if (!passed) text.push(`FAILED: ${name}`);
  return `${text.join('\n')}\n${s.note}\n`;
}

function row(name, ...values) {
  return name.padEnd(22) + values.map((v) => String(v).padStart(11)).join('');
}

function times(metric) {
  if (!metric) return null;
  const v = metric.values;
  return { count: v.count, min: v.min, mean: v.avg, p50: v['p(50)'], p90: v['p(90)'], p99: v['p(99)'], p99_9: v['p(99.9)'], max: v.max };
}

// thresholds says of each whether it was met.
function thresholds(data) {
  const all = {};
  for (const [name, metric] of Object.entries(data.metrics)) {
    for (const [text, result] of Object.entries(metric.thresholds || {})) all[`${name} ${text}`] = result.ok;
  }
  return all;
}
