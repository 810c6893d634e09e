"""The steps of rate limits in Redis: scripts, so that no two processes come in between.

A window is a hash that Redis forgets when it ends. `began`: the time of its first request, which tells windows apart;
`used`: how many requests processes have leased of it.
"""

# KEYS: window. ARGV: limit, milliseconds of a window, the most that one lease may have, one in how many of what is left
# it may have. Returns how many requests were leased, how many are left, the milliseconds until the window ends, and
# when it began.
LEASE = """
local time = redis.call('TIME')
local began = redis.call('HGET', KEYS[1], 'began')
local used, ends_in = 0, tonumber(ARGV[2])
if began then
    used, ends_in = tonumber(redis.call('HGET', KEYS[1], 'used')), redis.call('PTTL', KEYS[1])
else
    began = time[1] * 1000000 + time[2]
end
local left = math.max(0, tonumber(ARGV[1]) - used)
local leased = math.min(left, math.max(1, math.min(tonumber(ARGV[3]), math.floor(left / tonumber(ARGV[4])))))
if leased > 0 then
    redis.call('HSET', KEYS[1], 'began', string.format('%.0f', began), 'used', used + leased)
    redis.call('PEXPIRE', KEYS[1], ends_in)
end
return {leased, left - leased, ends_in, string.format('%.0f', began)}
"""

# KEYS: window. ARGV: when it began, how many requests are given back.
GIVE_BACK = """
if redis.call('HGET', KEYS[1], 'began') == ARGV[1] then redis.call('HINCRBY', KEYS[1], 'used', -ARGV[2]) end
"""

# KEYS: processes. ARGV: this process, seconds after which one counts no more. Returns how many there are.
COUNT_PROCESSES = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
"""
