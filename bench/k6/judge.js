// What an answer is worth: as Source.Judge in bench/population.

// What a request comes to.
export const AS_EXPECTED = 'as_expected';
export const WRONG = 'wrong_verdict'; // A decision, and not the right one.
export const OVERLOAD = 'overload'; // 408, 429 and 503: nothing was decided.
export const UPSTREAM = 'upstream'; // 5xx where it should have passed.
export const UNANSWERED = 'unanswered'; // No whole answer in time.

const REFUSALS = [400, 401, 403];
const PUT_OFF = [408, 429, 503];
// What vneid-gateway says before its verdict: a closed list.
const WITHHELD = [
  'overloaded', 'rate_limited', 'request_timeout', 'keys_unavailable', 'keys_stale', 'introspection_unavailable',
  'revocations_stale', 'token_status_unavailable',
];
const CODE = /"code": *"([a-z0-9_]{0,64})"/;

// wanted is what the answer to a line must be under a check.
export function wanted(expect, check) {
  const passes = expect.status[0] < 400;
  return {
    passes,
    status: check === 'outcome' && !passes ? REFUSALS : expect.status,
    code: check === 'code' ? expect.code : '',
    codes: check === 'code',
  };
}

// judge compares an answer's status (0: there is none) and body with what is wanted.
export function judge(want, status, body) {
  if (status === 0) return UNANSWERED;
  const code = codeOf(body);
  if (want.status.includes(status) && (want.code === '' || want.code === code)) return AS_EXPECTED;
  if (!want.passes && letThrough(want, status, code)) return WRONG;
  if (PUT_OFF.includes(status)) return OVERLOAD;
  if (status >= 500 && want.passes) return UPSTREAM;
  return WRONG;
}

// letThrough tells whether what was to be refused came as far as an upstream.
function letThrough(want, status, code) {
  if (!PUT_OFF.includes(status) && status < 500) return false;
  return want.codes ? !WITHHELD.includes(code) : code.startsWith('upstream_');
}

function codeOf(body) {
  const match = body ? CODE.exec(body) : null;
  return match ? match[1] : '';
}
