-- Takes entries out of a partition's index whose records Redis has let expire.
--
-- KEYS: the partition's index and sequence, then record keys. ARGV: the length of the prefix that precedes
-- the sort key in a record's key. Answers how many entries went.

local stale = {}
for i = 3, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 0 then
    stale[#stale + 1] = string.sub(KEYS[i], tonumber(ARGV[1]) + 1)
  end
end
if #stale == 0 then return 0 end
local pruned = redis.call('ZREM', KEYS[1], unpack(stale))
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('PEXPIRE', KEYS[2], 3600000) end
return pruned
