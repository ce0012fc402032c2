-- One commit on one partition: check every guard, then apply every operation, or do nothing.
--
-- KEYS: the partition's index, sequence and generation; then the record of each guard, add, put, append and
--       delete. Of an append it is the key without the version, which is known only here: the keys that are
--       made of it are in the same slot.
-- ARGV: the head (see below); the generation that the caller registered the partition under, or ''; then for
--       each guard its condition, for each add its delta, head and ttl, for each put and append its value and
--       ttl.
-- The head is packed: now (ms), the length of the prefix that precedes the sort key in a record's key, and
-- how many guards, adds, puts, appends and deletes there are. A ttl is '' for a record that does not expire.
-- Every sixteenth version, an append also tidies up at the beginning of its log.
-- Answers {1, version, counter…} committed · {0, guard} refused · {2, generation} register the partition
--         under this generation first · {3} a counter would leave its range.

local call, KEYS, ARGV = redis.call, KEYS, ARGV
local index, sequence = KEYS[1], KEYS[2]
local now, prefix, guards, adds, puts, appends, deletes = struct.unpack('>i8HHHHHH', ARGV[1])
local key_at, arg_at = 3, 2

-- Keys that exist, and so are in the index; and whether one of them never expires.
local indexed, remains = {}, false

-- The version (as its 8 bytes) of the live record, and its number if it is a counter.
local function live(key)
  local head = call('GETRANGE', key, 0, 40)
  if head == '' then return nil end
  indexed[key] = true
  local flags, expires_at = struct.unpack('>Bi8', head, 9)
  if flags % 2 == 0 then
    remains = true
  elseif expires_at <= now then
    return nil
  end
  return string.sub(head, 1, 8), flags >= 2 and tonumber(string.sub(head, 18)) or nil
end

for i = 1, guards do
  local version, number = live(KEYS[key_at + i])
  local condition = ARGV[arg_at + i]
  local kind, holds = string.byte(condition), false
  if kind == 97 then -- a: absent
    holds = not version
  elseif kind == 118 then -- v: at this version
    holds = version == string.sub(condition, 2)
  else -- c: a counter within these bounds
    local min, max = struct.unpack('>i8i8', condition, 2)
    if not version then number = 0 end
    holds = number and min <= number and number <= max
  end
  if not holds then return {0, i - 1} end
end
key_at, arg_at = key_at + guards, arg_at + guards

-- Takes entries out of the index whose records Redis has let expire: those of a log stand at its beginning.
local function trim(log, tag)
  local from, to = '[' .. log, '[' .. log .. string.rep('\255', 8)
  local oldest = call('ZRANGEBYLEX', index, from, to, 'LIMIT', 0, 1)
  if not oldest[1] or call('EXISTS', tag .. oldest[1]) == 1 then return end
  oldest = call('ZRANGEBYLEX', index, from, to, 'LIMIT', 0, 64)
  local gone = {}
  for i = 1, #oldest do
    if call('EXISTS', tag .. oldest[i]) == 1 then break end
    gone[i] = oldest[i]
  end
  if #gone > 0 then call('ZREM', index, unpack(gone)) end
end

-- The answer; and what to write: each record's bytes behind the version.
local answer, tails = {1, 0}, {}
for i = 1, adds do
  local _, number = live(KEYS[key_at + i])
  local sum = (number or 0) + tonumber(ARGV[arg_at + 1])
  if sum > 9007199254740991 or sum < -9007199254740991 then return {3} end
  answer[2 + i] = sum
  tails[i] = ARGV[arg_at + 2] .. string.format('%.0f', sum)
  arg_at = arg_at + 3
end

local writes = adds + puts + appends
-- -2: the partition is empty. -1: it never expires as a whole, as when a record does not.
local index_ttl = remains and -1 or call('PTTL', index)
if writes > 0 then
  if index_ttl == -2 then
    local current = call('GET', KEYS[3]) or '0'
    if ARGV[2] ~= current then return {2, current} end
  end

  local version = call('INCR', sequence)
  if version == 1 then
    -- The sequence is new or was forgotten: go on behind every version that there can have been.
    local time = call('TIME')
    version = time[1] * 1000000 + time[2]
    call('SET', sequence, string.format('%.0f', version))
  end
  answer[2] = version
  local trims = version % 16 == 0
  version = struct.pack('>I8', version)

  local members, stays, longest = {}, false, 0
  for i = 1, writes do
    local key, tail, ttl = KEYS[key_at + i], tails[i], ''
    if tail then
      ttl = ARGV[arg_at - (adds - i) * 3]
    else
      tail, ttl = ARGV[arg_at + 1], ARGV[arg_at + 2]
      arg_at = arg_at + 2
      if i > adds + puts then
        if trims then trim(string.sub(key, prefix + 1), string.sub(key, 1, prefix)) end
        key = key .. version
      end
    end
    if ttl == '' then
      stays = true
      call('SET', key, version .. tail)
    else
      longest = math.max(longest, tonumber(ttl))
      call('SET', key, version .. tail, 'PX', ttl)
    end
    if not indexed[key] then
      members[#members + 1] = 0
      members[#members + 1] = string.sub(key, prefix + 1)
    end
  end
  if #members > 0 then call('ZADD', index, unpack(members)) end

  -- The index and the sequence live as long as the last record.
  if stays then
    if index_ttl ~= -1 then
      call('PERSIST', index)
      call('PERSIST', sequence)
    end
  elseif index_ttl == -2 or (index_ttl >= 0 and index_ttl < longest) then
    call('PEXPIRE', index, longest)
    call('PEXPIRE', sequence, longest)
  end
end

if deletes > 0 and index_ttl ~= -2 then
  local members = {}
  for i = 1, deletes do
    local key = KEYS[key_at + writes + i]
    members[i] = string.sub(key, prefix + 1)
    call('DEL', key)
  end
  call('ZREM', index, unpack(members))
  if writes == 0 and call('EXISTS', index) == 0 then call('PEXPIRE', sequence, 3600000) end
end

return answer
