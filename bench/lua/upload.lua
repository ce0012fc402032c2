-- Uploads under ever new names: arguments are the length of the ciphertext in bytes and a prefix for the names.
local count = 0
local head, tail

function init(args)
  local bytes = tonumber(args[1])
  local base64 = string.rep("AAAA", math.floor(bytes / 3))
  local rest = bytes % 3
  if rest == 1 then base64 = base64 .. "AA==" elseif rest == 2 then base64 = base64 .. "AAA=" end
  local wrapped = string.rep("AAAA", 85) .. "AA=="
  head = '{"file_name":"' .. args[2]
  tail = '","encrypted_data":"' .. base64 .. '","encrypted_aes_key":"' .. wrapped ..
         '","encrypted_aes_initial_vector":"' .. wrapped .. '"}'
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  count = count + 1
  return wrk.format("POST", nil, nil, head .. count .. tail)
end
