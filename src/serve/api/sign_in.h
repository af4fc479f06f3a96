// GET, POST and DELETE /api/v1/session: who is signed in, signing in and out; and the signed-in
// user's own tokens, /api/v1/tokens.
#pragma once

#include "net/http.h"
#include "serve/api/gate.h"

namespace meesh::serve::api {

/// The gate outlives the server, and is its guard.
void register_sign_in(net::Server& server, Gate& gate);

}  // namespace meesh::serve::api
