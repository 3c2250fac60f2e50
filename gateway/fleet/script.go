package fleet

import (
	"github.com/redis/go-redis/v9"
)

// keys are the fleet's keys in Redis. All of them belong to this package.
type keys struct {
	meta    string // hash: version, secret, epoch, created (ms), seq of the last entry
	stream  string // entries: seq, message
	until   string // sorted set: members by Until
	before  string // hash: Before of the members that have one
	uploads string // sorted set: nodes that offer what they hold, by the second of their last page
}

func keysUnder(prefix string) keys {
	return keys{prefix + "meta", prefix + "stream", prefix + "until", prefix + "before", prefix + "uploads"}
}

func (k keys) all() []string { return []string{k.meta, k.stream, k.until, k.before, k.uploads} }

const (
	layoutVersion = "1"
	fieldSeq      = "n"
	fieldMessage  = "m"

	// pastGrace is for how long, in seconds, a record is kept after its Until: nodes' clocks may be that far behind
	// that of Redis.
	pastGrace = "600"
	// uploadGrace is the time, in seconds, without a page after which a node's upload is taken to have ended with it.
	uploadGrace = "15"
)

// Every one of the keys meta, stream, until and before exists from the first start of a fleet on: until and before
// have a member with an empty name, the stream its last entry. One that is missing has been lost.

// openScript makes the keys where one is missing, which begins an epoch, and tells how things stand.
// ARGV: secret, an epoch to begin.
var openScript = redis.NewScript(`
local t = redis.call('TIME')
local ms = t[1] * 1000 + math.floor(t[2] / 1000)
local m = redis.call('HMGET', KEYS[1], 'version', 'secret', 'epoch', 'created', 'seq')
if m[1] and m[1] ~= '` + layoutVersion + `' then return {'version'} end
if m[2] and m[2] ~= ARGV[1] then return {'secret'} end
if redis.call('EXISTS', KEYS[1], KEYS[2], KEYS[3], KEYS[4]) < 4 or not m[5] or redis.call('XLEN', KEYS[2]) == 0 then
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[5])
  redis.call('ZADD', KEYS[3], '+inf', '')
  redis.call('HSET', KEYS[4], '', '')
  m = {'` + layoutVersion + `', ARGV[1], ARGV[2], string.format('%.0f', ms), '1'}
  redis.call('HSET', KEYS[1], 'version', m[1], 'secret', m[2], 'epoch', m[3], 'created', m[4], 'seq', m[5])
  redis.call('XADD', KEYS[2], '*', '` + fieldSeq + `', '1', '` + fieldMessage + `', '')
end
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', '(' .. string.format('%.0f', t[1] - ` + uploadGrace + `))
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
return {'ok', m[3], tonumber(m[4]), ms, tonumber(m[5]), last[1][1], redis.call('ZCARD', KEYS[5])}
`)

// appendScript puts a message's records into the state and, where they change it, the message on the stream: what
// changes nothing is there already, and so is the entry that brought it. It takes away at most twice as many records
// that are past. ARGV: secret, epoch, message, most entries of the stream, oldest of them in ms, name of the node if it
// uploads.
var appendScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1], KEYS[2], KEYS[3], KEYS[4]) < 4 then return {'epoch'} end
local m = redis.call('HMGET', KEYS[1], 'version', 'secret', 'epoch')
if m[1] ~= '` + layoutVersion + `' then return {'version'} end
if m[2] ~= ARGV[1] then return {'secret'} end
if m[3] ~= ARGV[2] then return {'epoch'} end
local t = redis.call('TIME')
local past = t[1] - ` + pastGrace + `
local msg = ARGV[3]
local n = struct.unpack('<I2', msg, 7)
local changed = 0
for at = 25, 25 + (n - 1) * 25, 25 do
  local member = string.sub(msg, at, at + 16)
  local before, til = struct.unpack('<I4I4', msg, at + 17)
  if til > past then
    changed = changed + redis.call('ZADD', KEYS[3], 'GT', 'CH', til, member)
    if before > 0 then
      local b = redis.call('HGET', KEYS[4], member)
      if not b or tonumber(b) < before then
        redis.call('HSET', KEYS[4], member, string.format('%.0f', before))
        changed = changed + 1
      end
    end
  end
end
local old = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', past), 'LIMIT', 0, 2 * n + 8)
if #old > 0 then
  redis.call('ZREM', KEYS[3], unpack(old))
  redis.call('HDEL', KEYS[4], unpack(old))
end
if ARGV[6] ~= '' then redis.call('ZADD', KEYS[5], t[1], ARGV[6]) end
if changed == 0 then return {'ok', 0, '', 0} end
local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
local id = redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', '` + fieldSeq + `', seq, '` + fieldMessage + `', msg)
if tonumber(ARGV[5]) > 0 then
  redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%.0f', t[1] * 1000 - ARGV[5]))
end
return {'ok', changed, id, seq}
`)

// pageScript reads a page of the state: records as they lie in a message, and members that cannot be records.
// ARGV: cursor, about how many.
var pageScript = redis.NewScript(`
local r = redis.call('ZSCAN', KEYS[3], ARGV[1], 'COUNT', ARGV[2])
local out, bad = {}, {}
for i = 1, #r[2], 2 do
  local member, til = r[2][i], tonumber(r[2][i + 1])
  if member ~= '' then
    local before = 0
    local kind = string.byte(member, 1)
    if kind == 3 or kind == 4 then before = tonumber(redis.call('HGET', KEYS[4], member) or '') end
    if #member ~= 17 or not til or til ~= math.floor(til) or til < 1 or til > 4294967295
        or not before or before ~= math.floor(before) or before < 0 or before > 4294967295 then
      bad[#bad + 1] = member
    else
      out[#out + 1] = member .. struct.pack('<I4I4', before, til)
    end
  end
end
return {r[1], table.concat(out), bad}
`)

// healScript removes members that cannot be records and begins an epoch, of which an entry without a message tells all
// nodes; they offer what they hold. ARGV: secret, epoch, the next epoch, members.
var healScript = redis.NewScript(`
local m = redis.call('HMGET', KEYS[1], 'secret', 'epoch')
if m[1] ~= ARGV[1] or m[2] ~= ARGV[2] then return {'epoch'} end
for i = 4, #ARGV do
  redis.call('ZREM', KEYS[3], ARGV[i])
  redis.call('HDEL', KEYS[4], ARGV[i])
end
local t = redis.call('TIME')
local ms = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[1], 'epoch', ARGV[3], 'created', string.format('%.0f', ms))
local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
redis.call('XADD', KEYS[2], '*', '` + fieldSeq + `', seq, '` + fieldMessage + `', '')
return {'ok'}
`)

// purgeScript takes away at most ARGV[1] records that are past, and tells how many it found.
var purgeScript = redis.NewScript(`
local t = redis.call('TIME')
local old = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', t[1] - ` + pastGrace + `), 'LIMIT', 0, ARGV[1])
if #old > 0 then
  redis.call('ZREM', KEYS[3], unpack(old))
  redis.call('HDEL', KEYS[4], unpack(old))
end
return #old
`)
