// What an answer is worth: as Source.Judge in bench/population.

// What a request comes to.
export const AS_EXPECTED = 'as_expected';
export const WRONG = 'wrong_verdict'; // A decision, and not the right one.
export const OVERLOAD = 'overload'; // 429 and 503: nothing was decided.
export const UPSTREAM = 'upstream'; // 5xx where it should have passed.
export const UNANSWERED = 'unanswered'; // No whole answer in time.

const REFUSALS = [400, 401, 403];
const CODE = /"code": *"([a-z0-9_]{0,64})"/;

// wanted is what the answer to a line must be under a check.
export function wanted(expect, check) {
  const passes = expect.status[0] < 400;
  return {
    passes,
    status: check === 'outcome' && !passes ? REFUSALS : expect.status,
    code: check === 'code' ? expect.code : '',
  };
}

// judge compares an answer's status (0: there is none) and body with what is wanted.
export function judge(want, status, body) {
  if (status === 0) return UNANSWERED;
  const code = codeOf(body);
  if (want.status.includes(status) && (want.code === '' || want.code === code)) return AS_EXPECTED;
  // It was to be refused, and came as far as an upstream that is away.
  if (code === 'upstream_unavailable' && !want.passes) return WRONG;
  if (status === 429 || status === 503) return OVERLOAD;
  if (status >= 500 && want.passes) return UPSTREAM;
  return WRONG;
}

function codeOf(body) {
  const match = body ? CODE.exec(body) : null;
  return match ? match[1] : '';
}
