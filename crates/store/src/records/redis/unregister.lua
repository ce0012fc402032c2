-- Prepares an empty partition for being taken out of the directory.
--
-- KEYS: the partition's index and generation. ARGV: how long the new generation is remembered (ms).
-- Answers 1 if it is empty: from now on only a commit that registers it anew, under the new generation,
-- can fill it, so the entry of the old one may go. 0 if it is not empty.

if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
local next = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, time[1] * 1000000 + time[2])
redis.call('SET', KEYS[2], string.format('%.0f', next), 'PX', ARGV[1])
return 1
