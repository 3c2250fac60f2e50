// The load, from environment variables: k6 run -e RATE=2000 replay.js.

// settings reads them all; what it cannot read ends the run before it begins.
export function settings(env) {
  const s = {
    target: required(env, 'TARGET').replace(/\/+$/, ''),
    corpus: required(env, 'CORPUS').replace(/\/+$/, ''),
    host: env.HOST || '',
    check: oneOf(env, 'CHECK', ['code', 'status', 'outcome']),
    coldShare: env.COLD_SHARE === undefined ? null : number(env, 'COLD_SHARE', 0, 1),
    first: whole(env, 'FIRST', 0, 0, 4e12),
    part: 0,
    parts: 1,
    timeout: duration('TIMEOUT', env.TIMEOUT || '10s'),
    maxFailedPercent: env.MAX_FAILED_PERCENT === undefined ? 0 : number(env, 'MAX_FAILED_PERCENT', 0, 100),
    p99: env.P99_MS === undefined ? null : number(env, 'P99_MS', 0, 6e5),
    abort: oneOf(env, 'ABORT', ['yes', 'no']) === 'yes',
    summary: env.SUMMARY || '',
  };
  if (!/^https?:\/\/[^/?#@]+$/.test(s.target)) throw new Error('TARGET: write it as http://127.0.0.1:8080, without a path');
  if (env.PART !== undefined) {
    const match = /^(\d+)\/(\d+)$/.exec(env.PART);
    if (!match || Number(match[2]) < 1 || Number(match[1]) >= Number(match[2])) throw new Error('PART: write it as 0/3, 1/3 or 2/3');
    [s.part, s.parts] = [Number(match[1]), Number(match[2])];
  }
  s.stages = stages(env);
  s.requests = requests(s.stages);
  const most = Math.max(...s.stages.map((stage) => Math.max(stage.from, stage.to)));
  s.vus = whole(env, 'VUS', Math.max(10, Math.ceil(most / 20)), 1, 1e5);
  s.maxVUs = whole(env, 'MAX_VUS', Math.max(s.vus, Math.ceil(most / 2)), s.vus, 1e5);
  return s;
}

// scenario is what k6 is told of the load: an executor of an open loop.
export function scenario(s) {
  const common = { timeUnit: '1s', preAllocatedVUs: s.vus, maxVUs: s.maxVUs, gracefulStop: `${s.timeout}s` };
  const [only] = s.stages;
  if (s.stages.length === 1 && only.from === only.to) {
    return { executor: 'constant-arrival-rate', rate: only.to, duration: `${only.seconds}s`, ...common };
  }
  return {
    executor: 'ramping-arrival-rate',
    startRate: only.from,
    stages: s.stages.flatMap((stage, i) => {
      const leap = i > 0 && s.stages[i - 1].to !== stage.from ? [{ target: stage.from, duration: '0s' }] : [];
      return [...leap, { target: stage.to, duration: `${stage.seconds}s` }];
    }),
    ...common,
  };
}

// stages reads RATE and DURATION, or STAGES: 1000x30s,1000-5000x1m.
function stages(env) {
  if ((env.RATE === undefined) === (env.STAGES === undefined)) throw new Error('give one of RATE and STAGES');
  if (env.RATE !== undefined) {
    const rate = whole(env, 'RATE', 0, 1, 1e7);
    return [{ from: rate, to: rate, seconds: duration('DURATION', env.DURATION || '30s') }];
  }
  return env.STAGES.split(',').map((text) => {
    const match = /^(\d+)(?:-(\d+))?x(\S+)$/.exec(text.trim());
    if (!match) throw new Error('STAGES: write it as 1000x30s,1000-5000x1m: so many requests a second, or from so many to so many, for so long');
    const from = Number(match[1]);
    return { from, to: match[2] === undefined ? from : Number(match[2]), seconds: duration('STAGES', match[3]) };
  });
}

// requests is how many the load has: the area under its rate.
function requests(list) {
  return Math.ceil(list.reduce((sum, stage) => sum + ((stage.from + stage.to) / 2) * stage.seconds, 0));
}

// duration reads 500ms, 30s, 5m, 1h and returns seconds.
function duration(name, text) {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const seconds = match ? Number(match[1]) * { ms: 1e-3, s: 1, m: 60, h: 3600 }[match[2]] : 0;
  if (!(seconds > 0)) throw new Error(`${name}: write a time as 500ms, 30s, 5m or 1h`);
  return seconds;
}

function required(env, name) {
  if (!env[name]) throw new Error(`${name} is required: k6 run -e ${name}=…`);
  return env[name];
}

function oneOf(env, name, values) {
  const value = env[name] === undefined ? values[0] : env[name];
  if (!values.includes(value)) throw new Error(`${name}: one of ${values.join(', ')}`);
  return value;
}

function number(env, name, least, most) {
  const value = env[name].trim() === '' ? NaN : Number(env[name]);
  if (!(value >= least && value <= most)) throw new Error(`${name}: a number from ${least} to ${most}`);
  return value;
}

function whole(env, name, otherwise, least, most) {
  if (env[name] === undefined) return otherwise;
  const value = number(env, name, least, most);
  if (!Number.isInteger(value)) throw new Error(`${name}: a whole number`);
  return value;
}
