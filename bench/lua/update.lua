-- PUTs of configurations over a round of keys. Arguments: bytes of the value, how many keys.
local requests, keys, at = {}, 0, 0

function init(arguments)
  local size = tonumber(arguments[1])
  keys = tonumber(arguments[2])
  -- Letters drawn once: they do not compress to nothing.
  local letters, seed = {}, 11
  for i = 1, size do
    seed = (seed * 1103515245 + 12345) % 2147483648
    letters[i] = string.char(97 + math.floor(seed / 65536) % 26)
  end
  wrk.headers["Content-Type"] = "application/json"
  local body = '{"value":"' .. table.concat(letters) .. '"}'
  for i = 0, keys - 1 do
    requests[i] = wrk.format("PUT", string.format("/configs/%d-%d", size, i), nil, body)
  end
end

function request()
  at = (at + 7919) % keys
  return requests[at]
end
