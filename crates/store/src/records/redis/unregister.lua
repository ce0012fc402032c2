-- Prepares an empty partition for being taken out of the directory.
--
-- KEYS: the partition's index and generation. ARGV: how long the new generation is remembered (ms), and how
-- old the current one must be (us).
-- Answers 1 if it is empty: from now on only a commit that registers it anew, under the new generation,
-- can fill it, so the entry of the old one may go. 0 if it is not empty, or if its generation is so young
-- that a commit may be about to fill it.

if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if now - tonumber(redis.call('GET', KEYS[2]) or '0') < tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[2], string.format('%.0f', now), 'PX', ARGV[1])
return 1
