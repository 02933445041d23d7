-- Sends one request again and again, with the number of the next user where its body says %d; tells what came of it.
local method, path, body, most, number

function init(arguments)
  method, path, body, most = arguments[1], arguments[2], arguments[3], tonumber(arguments[4])
  number = tonumber(arguments[5])
end

function request()
  if body == "" then
    return wrk.format(method, path)
  end
  number = number % most + 1
  return wrk.format(method, path, nil, (body:gsub("%%d", tostring(number))))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nmeasured {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "lost": %d, "refused": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
