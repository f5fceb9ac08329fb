-- What an account may ask a model for, in requests and tokens a minute: the generic cell rate algorithm twice, all or
-- nothing, in one step for all replicas. Who gets nothing gets a ticket instead: a time to come back that nobody else
-- was given, so that a crowd comes back as a queue. A job keeps its ticket until it is through: what has begun ends.
--
-- KEYS  requests, tokens (theoretical arrival times), queue (time of the last ticket), hold (until when the provider
--       wants to be left alone), ticket of the job
-- ARGV  milliseconds a request, milliseconds that the tokens of this call take, burst, calls that the job has left
-- Gives milliseconds to wait; 0 means go.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function number(key) return tonumber(redis.call('GET', key) or '0') end
local each, tokens, burst, calls = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

-- A call that is larger than the burst passes when nothing is owed.
local function owed(before, cost) return before - now + math.min(cost, burst) - burst end
local requests, used = math.max(number(KEYS[1]), now), math.max(number(KEYS[2]), now)
local wait = math.ceil(math.max(number(KEYS[4]) - now, owed(requests, each), owed(used, tokens), 0))

local queue, ticket = number(KEYS[3]), number(KEYS[5])
local called = ticket > 0 and ticket <= now
if wait == 0 and (called or queue <= now) then
  redis.call('SET', KEYS[1], requests + each, 'PX', math.ceil(requests + each - now) + 60000)
  redis.call('SET', KEYS[2], used + tokens, 'PX', math.ceil(used + tokens - now) + 60000)
  redis.call('SET', KEYS[5], now, 'PX', 600000)
  return 0
end
if called then return math.max(wait, 1) end
if ticket > now then return math.ceil(ticket - now) end
local mine = math.max(queue, now + wait) + calls * math.max(each, tokens)
redis.call('SET', KEYS[3], mine, 'PX', math.ceil(mine - now) + 60000)
redis.call('SET', KEYS[5], mine, 'PX', math.ceil(mine - now) + 600000)
return math.max(math.ceil(mine - now), 1)
