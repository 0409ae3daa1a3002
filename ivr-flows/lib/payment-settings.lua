-- What payment.lua goes by. Change it to what your house needs.
return {
  -- The server that takes the card. It must be among `http_allowed` of the tenant's configuration.
  url = "https://pay.example/charge",
  -- The secret of the configuration that it is shown in the header Authorization.
  secret = "payment",
  -- How often a caller may try.
  tries = 3,
}
