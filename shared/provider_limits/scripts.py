"""The gate's steps in Redis. Each is one script, so that no two workers come in between, by the server's clock.

A breaker is a hash. `failures`: in a row, while it is closed; `open_until` and `pause`, in milliseconds: while it is
open. Its probe is a key of its own, which holds the token of who probes.
"""

LONGEST_PAUSE = 60_000
"""The longest time for which a breaker is open without a probe."""

_NOW_ONLY = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# A breaker that says it is open for longer was written by somebody else, or before the clock went back: it is due.
_AT_MOST = f"if open_until and not (open_until <= now + {LONGEST_PAUSE}) then open_until = now end"

_NOW = f"""{_NOW_ONLY}
local open_until = tonumber(redis.call('HGET', KEYS[1], 'open_until') or nil)
{_AT_MOST}
"""

# Needs `now` and `probe`, how long a probe may take. KEYS: breaker, probe, pause.
_WAIT = """
if open_until then
    if now < open_until then return {'open', open_until - now} end
    local left = redis.call('PTTL', KEYS[2])
    if left > 0 then return {'open', math.max(1000, math.min(10000, probe - left))} end
end
local pause = redis.call('PTTL', KEYS[3])
if pause > 0 then return {'paused', pause} end
"""

# KEYS: breaker, probe, pause. ARGV: probe, in milliseconds.
CHECK = f"""
{_NOW}
local probe = tonumber(ARGV[1])
{_WAIT}
return {{'free', 0}}
"""

# KEYS: breaker, probe, pause, slots. ARGV: job, token, probe, limit, window, longest wait for a slot; in milliseconds.
# A job over the limit keeps a slot of its own: it neither loses its place nor comes back in vain. The slots are a
# sorted set of times, and the n-th is a window later than the one `limit` places before.
ENTER = f"""
{_NOW}
local probe, limit, window = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
{_WAIT}
if limit > 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now - window)
    local slot = tonumber(redis.call('ZSCORE', KEYS[4], ARGV[1]) or nil)
    if not slot then
        local earlier = redis.call('ZRANGE', KEYS[4], -limit, -limit, 'WITHSCORES')[2]
        slot = earlier and math.max(now, tonumber(earlier) + window) or now
        if slot - now > tonumber(ARGV[6]) then return {{'limited', slot - now}} end
        redis.call('ZADD', KEYS[4], slot, ARGV[1])
        redis.call('PEXPIRE', KEYS[4], slot - now + window)
    end
    if slot > now then return {{'limited', slot - now}} end
    redis.call('ZADD', KEYS[4], now, ARGV[2])
    redis.call('ZREM', KEYS[4], ARGV[1])
end
if not open_until then return {{'free', 0}} end
redis.call('SET', KEYS[2], ARGV[2], 'PX', probe, 'NX')
return {{'probe', 0}}
"""

# KEYS: breaker, probe. ARGV: token, failures to open, window, first pause, longest pause, how long an open breaker is
# remembered that nobody probes. Returns the pause when this failure opened the breaker, else 0.
FAILED = f"""
{_NOW}
local pause = tonumber(ARGV[4])
if open_until then
    if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
    pause = math.min(tonumber(ARGV[5]), 2 * (tonumber(redis.call('HGET', KEYS[1], 'pause') or nil) or pause))
elseif redis.call('HINCRBY', KEYS[1], 'failures', 1) < tonumber(ARGV[2]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return 0
end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'open_until', now + pause, 'pause', pause)
redis.call('PEXPIRE', KEYS[1], pause + tonumber(ARGV[6]))
return pause
"""

# KEYS: breaker, probe. ARGV: token. Returns 1 when this closed the breaker. An answer to a call from before the
# breaker opened says nothing.
ANSWERED = f"""
{_NOW}
if not open_until then
    redis.call('DEL', KEYS[1])
    return 0
end
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
return 1
"""

# KEYS: probe. ARGV: token.
LEAVE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"

# KEYS: pause. ARGV: milliseconds. A longer pause stays.
PAUSE = "if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], 1, 'PX', ARGV[1]) end"

# KEYS: the slots of each limit, then breaker, probe and pause of each model. ARGV: how many limits, and their window in
# milliseconds. Returns of each limit: calls in the window, and jobs that wait for a slot. Of each model: its breaker's
# state, and the milliseconds that are left of its being open, and of its pause.
STATES = f"""
{_NOW_ONLY}
local limits, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local slots, models = {{}}, {{}}
for number = 1, limits do
    slots[number] = {{
        redis.call('ZCOUNT', KEYS[number], '(' .. now - window, now),
        redis.call('ZCOUNT', KEYS[number], '(' .. now, '+inf')
    }}
end
for first = limits + 1, #KEYS, 3 do
    local open_until = tonumber(redis.call('HGET', KEYS[first], 'open_until') or nil)
    {_AT_MOST}
    local state, left = 'closed', 0
    if open_until then
        left = math.max(0, open_until - now)
        state = (left > 0 or redis.call('EXISTS', KEYS[first + 1]) == 1) and 'open' or 'due'
    end
    models[#models + 1] = {{state, left, math.max(0, redis.call('PTTL', KEYS[first + 2]))}}
end
return {{slots, models}}
"""
