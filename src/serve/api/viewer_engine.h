// The engine as clients' protocols reach it: who may only look, changes nothing by a statement.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/engine.h"

namespace meesh::serve::api {

/// Whether the statement, with all that it executes, changes nothing but the client's own session.
/// True also for a text that is no statement: the engine says what is wrong with it.
bool only_reads(const std::string& statement, const engine::Session& session);

/// Throws PERMISSION_DENIED from submit() for statements of users that `only_looks` and that do not
/// only read; all else goes to `engine`, which outlives it.
std::unique_ptr<engine::Engine> guard_viewers(
    engine::Engine& engine, std::function<bool(const std::string& user)> only_looks);

}  // namespace meesh::serve::api
