-- Commits on one partition, one after the other: each checks its guards and then does all it says, or nothing.
--
-- KEYS: the partition's index, sequence and generation; then the records' keys, which the commits refer to by their
--       place here. Of an append and of a past it is the key without the version, which is known only here: the keys
--       that are made of it are in the same slot.
-- ARGV: the head, which is packed: now (ms), the length of the prefix that precedes the sort key in a record's key,
--       and how many commits follow; then the generation that the caller registered the partition under, or '';
--       then each commit: what it does, packed (`commit.rs` writes it), and the value of each put and append.
-- A ttl is '' for a record that does not expire. Every sixteenth version, an append also tidies up at the beginning
-- of its log.
-- Answers {1, …}, and for each commit in turn: 1, version, counter… committed · 0, guard refused · 3 a counter would
--         leave its range. Or {2, generation}: nothing was done; register the partition under this generation first.
--
-- What is written is held back until every commit is judged. So nothing is done before it is known whether the
-- partition must be registered, and what many commits write takes few commands: that is what a commit costs.

local call, KEYS, ARGV = redis.call, KEYS, ARGV
local byte, char, sub, unpack_at = string.byte, string.char, string.sub, struct.unpack
local index, sequence = KEYS[1], KEYS[2]
local now, prefix, commits = unpack_at('>i8HH', ARGV[1])

-- What was found at a key, up to the end of a number; and whether one of these records never expires.
local found, remains = {}, false
-- Keys that exist, and so are in the index.
local indexed = {}
-- What is to stand at a key (false: nothing) and for how long; the keys in order; and what is moved before that.
local staged, ttls, order, moves, moved = {}, {}, {}, {}, {}
local index_ttl, version

local function head_of(key)
  local head = staged[key]
  if head ~= nil then return head end
  head = found[key]
  if head == nil then
    head = call('GETRANGE', key, '0', '40')
    if head == '' then
      head = false
    else
      indexed[key] = true
      if byte(head, 9) % 2 == 0 then remains = true end
    end
    found[key] = head
  end
  return head
end

-- The head of the live record; its version is the first 8 bytes.
local function live(key)
  local head = head_of(key)
  if not head then return nil end
  if byte(head, 9) % 2 == 1 and unpack_at('>i8', head, 10) <= now then return nil end
  return head
end

local function number_in(head)
  return byte(head, 9) >= 2 and tonumber(sub(head, 18)) or nil
end

local function stage(key, value, ttl)
  if staged[key] == nil then order[#order + 1] = key end
  staged[key], ttls[key] = value, ttl
end

-- Moves the live record at a key to its past, where it gets the flags and the expiry in `tail`.
local function retire(key, past, tail, ttl)
  local head = live(key)
  if not head then return end
  past = past .. sub(head, 1, 8)
  if byte(head, 9) >= 2 then tail = char(byte(tail) + 2) .. sub(tail, 2) end
  if staged[key] then
    stage(past, sub(head, 1, 8) .. tail .. sub(head, 18), ttl)
  else
    moves[#moves + 1] = {key, past, tail, ttl}
    moved[key] = true
    found[past] = sub(head, 1, 8) .. tail .. sub(head, 18)
  end
  stage(key, false)
end

-- Takes entries out of the index whose records Redis has let expire: those of a log stand at its beginning.
local function trim(log, tag)
  local from, to = '[' .. log, '[' .. log .. string.rep('\255', 8)
  local oldest = call('ZRANGEBYLEX', index, from, to, 'LIMIT', '0', '1')
  if not oldest[1] or call('EXISTS', tag .. oldest[1]) == 1 then return end
  oldest = call('ZRANGEBYLEX', index, from, to, 'LIMIT', '0', '64')
  local gone = {}
  for i = 1, #oldest do
    if call('EXISTS', tag .. oldest[i]) == 1 then break end
    gone[i] = oldest[i]
  end
  if #gone > 0 then call('ZREM', index, unpack(gone)) end
end

-- The first of so many versions.
local function reserve(count)
  local last = call('INCRBY', sequence, count)
  if last == count then
    -- The sequence is new or was forgotten: go on behind every version that there can have been.
    local time = call('TIME')
    last = time[1] * 1000000 + time[2] + count - 1
    call('SET', sequence, string.format('%.0f', last))
  end
  return last - count + 1
end

-- How each guard judges the head of the live record, if there is one.
local function holds(kind, head, first, second)
  if kind == 97 then return not head end -- a: absent
  if kind == 118 then return head and sub(head, 1, 8) == first end -- v: at this version
  local number = 0 -- c: a counter within these bounds
  if head then number = number_in(head) end
  return number and unpack_at('>i8', first) <= number and number <= unpack_at('>i8', second)
end

local answer, arg_at = {1}, 3
local trims = {}
for i = 1, commits do
  local plan = ARGV[arg_at]
  local guards, adds, retires, puts, appends, deletes, at = unpack_at('>HHHHHH', plan)
  local values_at, refused = arg_at, nil
  arg_at = arg_at + 1 + puts + appends

  for guard = 1, guards do
    local key, kind, first, second
    key, kind, first, second, at = unpack_at('>HBc8c8', plan, at)
    if not refused and not holds(kind, live(KEYS[key]), first, second) then refused = guard - 1 end
  end

  local sums, out_of_range = {}, false
  for add = 1, adds do
    local key, delta, tail, ttl
    key, delta, tail, ttl, at = unpack_at('>Hi8c9Bc0', plan, at)
    local head = not refused and live(KEYS[key])
    local sum = (head and number_in(head) or 0) + delta
    if sum > 9007199254740991 or sum < -9007199254740991 then out_of_range = true end
    sums[add] = {key, sum, tail, ttl}
  end

  if refused then
    answer[#answer + 1], answer[#answer + 2] = 0, refused
  elseif out_of_range then
    answer[#answer + 1] = 3
  else
    answer[#answer + 1], answer[#answer + 2] = 1, 0
    if adds + puts + appends > 0 then
      if index_ttl == nil then
        -- -2: the partition is empty. -1: it never expires as a whole, as when a record does not.
        index_ttl = remains and -1 or call('PTTL', index)
        if index_ttl == -2 then
          local current = call('GET', KEYS[3]) or '0'
          if ARGV[2] ~= current then return {2, current} end
        end
      end
      version = version and version + 1 or reserve(commits - i + 1)
      answer[#answer] = version
    end
    local stamp = version and struct.pack('>I8', version)

    for add = 1, adds do
      local key, sum, tail, ttl = unpack(sums[add])
      answer[#answer + 1] = sum
      stage(KEYS[key], stamp .. tail .. string.format('%.0f', sum), ttl)
    end
    for _ = 1, retires do
      local key, past, tail, ttl
      key, past, tail, ttl, at = unpack_at('>HHc9Bc0', plan, at)
      retire(KEYS[key], KEYS[past], tail, ttl)
    end
    for put = 1, puts + appends do
      local key, tail, ttl
      key, tail, ttl, at = unpack_at('>Hc9Bc0', plan, at)
      key = KEYS[key]
      if put > puts then
        if version % 16 == 0 then trims[key] = true end
        key = key .. stamp
      end
      stage(key, stamp .. tail .. ARGV[values_at + put], ttl)
    end
    for _ = 1, deletes do
      local key
      key, at = unpack_at('>H', plan, at)
      stage(KEYS[key], false)
    end
  end
end

local entered, left, sets, gone = {}, {}, {}, {}
local stays, longest = false, 0
local function enter(key, ttl)
  if not indexed[key] then
    entered[#entered + 1] = '0'
    entered[#entered + 1] = sub(key, prefix + 1)
  end
  if ttl == '' then stays = true else longest = math.max(longest, tonumber(ttl)) end
end

for i = 1, #moves do
  local key, past, tail, ttl = unpack(moves[i])
  call('RENAME', key, past)
  call('SETRANGE', past, '8', tail)
  if ttl == '' then call('PERSIST', past) else call('PEXPIRE', past, ttl) end
  enter(past, ttl)
end
for log in pairs(trims) do trim(sub(log, prefix + 1), sub(log, 1, prefix)) end
for i = 1, #order do
  local key = order[i]
  local value, ttl = staged[key], ttls[key]
  if not value then
    if not moved[key] then gone[#gone + 1] = key end
    left[#left + 1] = sub(key, prefix + 1)
  else
    if ttl == '' then
      sets[#sets + 1] = key
      sets[#sets + 1] = value
    else
      call('SET', key, value, 'PX', ttl)
    end
    enter(key, ttl)
  end
end
if #sets > 0 then call('MSET', unpack(sets)) end
if #gone > 0 then call('DEL', unpack(gone)) end
if #entered > 0 then call('ZADD', index, unpack(entered)) end
if #left > 0 then call('ZREM', index, unpack(left)) end

-- The index and the sequence live as long as the last record.
if stays then
  if index_ttl ~= -1 then
    call('PERSIST', index)
    call('PERSIST', sequence)
  end
elseif longest > 0 then
  index_ttl = index_ttl or call('PTTL', index)
  if index_ttl == -2 or (index_ttl >= 0 and index_ttl < longest) then
    call('PEXPIRE', index, longest)
    call('PEXPIRE', sequence, longest)
  end
elseif (version or #left > 0) and call('EXISTS', index) == 0 then
  call('PEXPIRE', sequence, '3600000')
end

return answer
