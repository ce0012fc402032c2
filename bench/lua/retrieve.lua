-- GETs over a round of keys. Arguments: the path before the key, bytes of the value, how many keys.
local requests, keys, at = {}, 0, 0

function init(arguments)
  keys = tonumber(arguments[3])
  for i = 0, keys - 1 do
    requests[i] = wrk.format("GET", string.format("%s%s-%d", arguments[1], arguments[2], i))
  end
end

function request()
  at = (at + 7919) % keys
  return requests[at]
end
