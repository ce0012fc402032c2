-- POSTs under ever new keys. Arguments: the path, bytes of the value, what the keys begin with.
local DIGITS = 9
local count = 0
local head, tail

function init(arguments)
  local path, size, prefix = arguments[1], tonumber(arguments[2]), arguments[3]
  -- Letters drawn once: they do not compress to nothing.
  local letters, seed = {}, 7
  for i = 1, size do
    seed = (seed * 1103515245 + 12345) % 2147483648
    letters[i] = string.char(97 + math.floor(seed / 65536) % 26)
  end
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  -- The request is put together once, and cut where the number stands: the load generator shares the machine.
  local body = '{"key":"' .. prefix .. string.rep("#", DIGITS) .. '","value":"' .. table.concat(letters) .. '"}'
  local whole = wrk.format("POST", path, nil, body)
  local from, to = string.find(whole, string.rep("#", DIGITS), 1, true)
  head, tail = string.sub(whole, 1, from - 1), string.sub(whole, to + 1)
end

function request()
  count = count + 1
  return head .. string.format("%09d", count) .. tail
end
