-- What verify.lua goes by where it is not given anything else. Change it to what your house needs.
return {
  -- The server that decides. It must be among `http_allowed` of the tenant's configuration.
  url = "https://id.example/verify",
  -- The secret of the configuration that it is shown in the header Authorization; nil if it wants none.
  secret = nil,
  -- Most digits of a card and of a PIN.
  card = 19,
  pin = 6,
  -- How often a caller may try in one call, and how often from one number within `seconds`.
  tries = 3,
  most = 5,
  seconds = 3600,
  -- Where a verified caller goes if the flow was not run by another.
  queue = "support",
}
