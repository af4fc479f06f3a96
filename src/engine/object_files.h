// s3://bucket/key inside DuckDB: files of our own object store, read where they lie and written
// durably, without HTTP. Reads and writes are those of the user whose statement asks.
#pragma once

#include <string>

#include "engine/duck.h"
#include "engine/engine.h"

namespace meesh::engine {

/// From then on s3:// means `store`, which must outlive the instance. A file that is written
/// appears when it is closed, whole; one that is never closed leaves no trace.
void register_object_files(Duck& duck, objects::Store& store, AuthorizeObject authorize);

/// Whose statement runs on this connection from now on; "" = the program itself, which may all.
void set_caller(duckdb::Connection& connection, const std::string& user);
std::string caller_of(duckdb::ClientContext& context);

/// Whether the key fits the pattern: * and ? stay within a segment, ** spans any number of them,
/// [a-z] as in a shell.
bool key_matches(std::string_view pattern, std::string_view key);

}  // namespace meesh::engine
