// What the provider remembers, in memory, apart from any one Provider object: tokens live on when keys are rotated.
const MAX_ENTRIES = 100_000;
const entries = new Map(); // "model:id" -> { payload, until }, the oldest first

function put(key, payload, seconds) {
  entries.delete(key);
  while (entries.size >= MAX_ENTRIES) entries.delete(entries.keys().next().value);
  entries.set(key, { payload, until: seconds ? Date.now() + seconds * 1000 : Infinity });
}

function get(key) {
  const entry = entries.get(key);
  return entry && entry.until > Date.now() ? entry.payload : undefined;
}

class Store {
  constructor(model) {
    this.model = model;
  }

  async upsert(id, payload, seconds) {
    put(`${this.model}:${id}`, payload, seconds);
    if (payload.uid) put(`uid:${payload.uid}`, id, seconds);
  }

  async find(id) {
    return get(`${this.model}:${id}`);
  }

  async findByUid(uid) {
    return this.find(get(`uid:${uid}`));
  }

  // No client has the device flow.
  async findByUserCode() {
    return undefined;
  }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    entries.delete(`${this.model}:${id}`);
  }

  async revokeByGrantId(grantId) {
    for (const [key, { payload }] of entries) {
      if (payload?.grantId === grantId) entries.delete(key);
    }
  }
}

export const adapter = Store;
