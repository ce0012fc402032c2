-- POSTs to /store under a round of keys. Arguments: bytes of the value, how many keys.
local bodies, keys, at = {}, 0, 0

function init(arguments)
  local size = tonumber(arguments[1])
  keys = tonumber(arguments[2])
  -- The same value for all, of letters drawn once: it does not compress to nothing.
  local letters, seed = {}, 7
  for i = 1, size do
    seed = (seed * 1103515245 + 12345) % 2147483648
    letters[i] = string.char(97 + math.floor(seed / 65536) % 26)
  end
  local value = table.concat(letters)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  for i = 0, keys - 1 do
    local key = string.format("%d-%d", size, i)
    bodies[i] = wrk.format("POST", "/store", nil, '{"key":"' .. key .. '","value":"' .. value .. '"}')
  end
end

function request()
  at = (at + 7919) % keys
  return bodies[at]
end
