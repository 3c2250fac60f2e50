// Which request of a corpus is the n-th of a load: the same function as Picker in
// bench/population, number by number. testdata/choices.json holds the proof of both.

const BLOCK = 1000;
const TWO32 = 4294967296;
const STEPS = [1, 3, 7, 9]; // With a multiple of 10 each has no divisor in common with BLOCK.

// hash is a bijection of 32 bits.
function hash(x) {
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

// mix draws 32 bits of a seed and a number below 2^53.
function mix(seed, n) {
  return hash(hash(hash(seed) ^ Math.floor(n / TWO32)) ^ (n % TWO32));
}

// cumulate returns the sums of Zipf's weights of the first k warm requests, k = 1
// to warm, the last of them being 1.
export function cumulate(warm, zipfExponent) {
  const sums = new Array(warm);
  let sum = 0;
  for (let i = 0; i < warm; i++) {
    sum += Math.pow(i + 1, -zipfExponent);
    sums[i] = sum;
  }
  for (let i = 0; i < warm; i++) sums[i] /= sum;
  return sums;
}

// Chooser picks requests of one corpus. sums are those of cumulate; they come from
// outside so that all virtual users of a process can share one copy.
export class Chooser {
  constructor(seed, coldShare, sums) {
    this.seed = seed;
    this.millionths = Math.round(coldShare * 1e6);
    this.sums = sums;
    this.warm = sums.length;
  }

  // coldPlace returns which cold request the n-th is, from 0, or -1 where it is a
  // warm one. n is below 2^42: all products stay below 2^53 and are exact.
  coldPlace(n) {
    const b = Math.floor(n / BLOCK);
    const before = Math.floor((b * this.millionths) / BLOCK);
    const here = Math.floor(((b + 1) * this.millionths) / BLOCK) - before;
    const h = mix(this.seed ^ 0x636f6c64, b);
    const stride = 10 * (h % 100) + STEPS[Math.floor(h / 100) % 4];
    const place = ((n % BLOCK) * stride + Math.floor(h / 400)) % BLOCK;
    return place < here ? before + place : -1;
  }

  // warmPlace returns which warm request the n-th is where it is one, from 0.
  warmPlace(n) {
    const h1 = mix(this.seed, n);
    const h2 = hash(h1 ^ 0x9e3779b9);
    const u = (h1 * 2097152 + (h2 >>> 11)) / 9007199254740992;
    let low = 0;
    let high = this.warm;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.sums[middle] > u) high = middle;
      else low = middle + 1;
    }
    return Math.min(low, this.warm - 1);
  }

  // line returns the place of the n-th request in the file: warm ones come first.
  // It lies beyond the file where no cold request is left.
  line(n) {
    const cold = this.coldPlace(n);
    return cold < 0 ? this.warmPlace(n) : this.warm + cold;
  }

  // coldNeeded returns how many cold requests the first n need.
  coldNeeded(n) {
    if (n <= 0) return 0;
    const begin = Math.floor((n - 1) / BLOCK) * BLOCK;
    let most = Math.floor((Math.floor(begin / BLOCK) * this.millionths) / BLOCK);
    for (let m = begin; m < n; m++) most = Math.max(most, this.coldPlace(m) + 1);
    return most;
  }
}
