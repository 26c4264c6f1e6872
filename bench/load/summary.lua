-- One line of JSON at the end, for a program to read. Headers come from wrk's own -H.
function done(summary)
  local errors = summary.errors
  print(string.format('bench {"requests": %d, "microseconds": %d, "failed": %d, "broken": %d}', summary.requests,
    summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
