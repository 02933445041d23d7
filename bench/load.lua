-- Sends one request again and again, with the lines of its body in turn and the number of the next user where they say
-- %d; or with the cookies of a file in turn, a line each. Tells what came of it.
local method, path, most, number
local bodies, known = {}, {}
wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

function init(arguments)
  method, path, most, number = arguments[1], arguments[2], tonumber(arguments[4]), tonumber(arguments[5])
  for body in arguments[3]:gmatch("[^\n]+") do
    bodies[#bodies + 1] = body
  end
  if arguments[6] then
    for cookie in io.lines(arguments[6]) do
      wrk.headers["Cookie"] = cookie
      known[#known + 1] = wrk.format(method, path)
    end
  end
end

function request()
  if #known > 0 then
    number = number % #known + 1
    return known[number]
  end
  if #bodies == 0 then
    return wrk.format(method, path)
  end
  number = number % most + 1
  return wrk.format(method, path, nil, (bodies[number % #bodies + 1]:gsub("%%d", tostring(number))))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nmeasured {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "lost": %d, "refused": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
