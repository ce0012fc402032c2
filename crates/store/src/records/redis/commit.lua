-- One commit on one partition: check every guard, then apply every operation, or do nothing.
--
-- KEYS: the partition's index, sequence and generation, then one record key for each key named.
-- ARGV: now (ms), the generation that the caller registered the partition under or '', the channel to
--       notify or '', the length of the prefix that precedes the sort key in a record's key; then four
--       lists, each behind its length: guards, adds, puts, deletes. A record key is named by its place
--       in KEYS.
-- Answers {1, version, counter…} committed · {0, guard} refused · {2, generation} register the partition
--         under this generation first · {3} a counter would leave its range.

local HEADER, COUNTER, COUNTER_MAX = 17, 2, 9007199254740991
local index, sequence, generation = KEYS[1], KEYS[2], KEYS[3]
local now, registered, channel, prefix = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])

local place = 4
local function take()
  place = place + 1
  return ARGV[place]
end

-- The version (as its 8 bytes) of the live record, and its number if it is a counter.
local function live(key)
  local head = redis.call('GETRANGE', key, 0, 40)
  if #head < HEADER then return nil end
  local flags, expires_at = struct.unpack('>Bi8', head, 9)
  if flags % 2 == 1 and expires_at <= now then return nil end
  return string.sub(head, 1, 8), flags >= COUNTER and tonumber(string.sub(head, HEADER + 1)) or nil
end

for guard = 1, tonumber(take()) do
  local kind = take()
  local version, number = live(KEYS[tonumber(take())])
  local holds
  if kind == 'absent' then
    holds = not version
  elseif kind == 'version' then
    holds = version == take()
  else
    local min = tonumber(take())
    local max = tonumber(take())
    if not version then number = 0 end
    holds = number and min <= number and number <= max
  end
  if not holds then return {0, guard - 1} end
end

-- What to write: each record's key, its bytes behind the version, and how long Redis keeps it.
local keys, tails, ttls, sums = {}, {}, {}, {}
for i = 1, tonumber(take()) do
  local key = KEYS[tonumber(take())]
  local _, number = live(key)
  local sum = (number or 0) + tonumber(take())
  if sum > COUNTER_MAX or sum < -COUNTER_MAX then return {3} end
  sums[i], keys[i] = sum, key
  tails[i] = take() .. string.format('%.0f', sum)
  ttls[i] = take()
end
for i = #sums + 1, #sums + tonumber(take()) do
  keys[i] = KEYS[tonumber(take())]
  tails[i] = take()
  ttls[i] = take()
end

-- -2: the partition is empty. -1: it never expires as a whole.
local index_ttl = redis.call('PTTL', index)
local version = 0
if #keys > 0 then
  if index_ttl == -2 then
    local current = redis.call('GET', generation) or '0'
    if registered ~= current then return {2, current} end
  end

  version = redis.call('INCR', sequence)
  if version == 1 then
    -- The sequence is new or was forgotten: go on behind every version that there can have been.
    local time = redis.call('TIME')
    version = time[1] * 1000000 + time[2]
    redis.call('SET', sequence, string.format('%.0f', version))
  end
  local prefix_bytes = struct.pack('>I8', version)

  local members, keep, longest = {}, false, 0
  for i, key in ipairs(keys) do
    if ttls[i] == '' then
      keep = true
      redis.call('SET', key, prefix_bytes .. tails[i])
    else
      longest = math.max(longest, tonumber(ttls[i]))
      redis.call('SET', key, prefix_bytes .. tails[i], 'PX', ttls[i])
    end
    members[#members + 1] = 0
    members[#members + 1] = string.sub(key, prefix + 1)
  end
  redis.call('ZADD', index, unpack(members))

  -- The index and the sequence live as long as the last record.
  if keep then
    if index_ttl ~= -1 then
      redis.call('PERSIST', index)
      redis.call('PERSIST', sequence)
    end
  elseif index_ttl == -2 or (index_ttl >= 0 and index_ttl < longest) then
    redis.call('PEXPIRE', index, longest)
    redis.call('PEXPIRE', sequence, longest)
  end
end

local deleted, members = {}, {}
for _ = 1, tonumber(take()) do
  local key = KEYS[tonumber(take())]
  deleted[#deleted + 1] = key
  members[#members + 1] = string.sub(key, prefix + 1)
end
if #deleted > 0 and index_ttl ~= -2 then
  redis.call('DEL', unpack(deleted))
  redis.call('ZREM', index, unpack(members))
  if #keys == 0 and redis.call('EXISTS', index) == 0 then
    redis.call('PEXPIRE', sequence, 3600000)
  end
end

if channel ~= '' then redis.call('PUBLISH', channel, '') end
return {1, version, unpack(sums)}
