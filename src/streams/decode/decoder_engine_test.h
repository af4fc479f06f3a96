// An engine for the buffers that decoders fill, for tests and fuzzing.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/catalogs/buffers.h"
#include "engine/engine.h"
#include "streams/stream_config.h"

namespace meesh::streams {

/// One for the whole process, from its first use to close(). Not a static object: DuckDB keeps
/// something for each thread, and the main thread's is gone when static objects are destroyed.
class DecoderEngine {
 public:
  static DecoderEngine& the() {
    auto& one = place();
    if (!one) one.reset(new DecoderEngine);
    return *one;
  }
  /// Before main() returns, with no buffer left.
  static void close() { place().reset(); }
  ~DecoderEngine() {
    engine_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  engine::Engine& engine() { return *engine_; }
  engine::BufferTables& buffers() { return *buffers_; }

 private:
  DecoderEngine() {
    std::string name = (std::filesystem::temp_directory_path() / "meesh_decode_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    folder_ = name;
    engine::Options options;
    options.spill_directory = (folder_ / "spill").string();
    for (const auto& entry : std::filesystem::directory_iterator(".deps"))
      if (entry.path().filename().string().starts_with("duckdb-"))
        options.extension_directory = (entry.path() / "extensions").string();
    options.threads = 1;
    engine_ = engine::Engine::open(options);
    engine_->add_catalog(engine::make_buffers_catalog(buffers_));
  }
  static std::unique_ptr<DecoderEngine>& place() {
    static auto* one = new std::unique_ptr<DecoderEngine>;
    return *one;
  }

  std::filesystem::path folder_;
  std::shared_ptr<engine::BufferTables> buffers_ =
      std::make_shared<engine::BufferTables>("$streams");
  std::unique_ptr<engine::Engine> engine_;
};

inline ColumnConfig column(std::string name, std::string_view type,
                           std::vector<std::string> path = {}) {
  ColumnConfig out;
  out.name = std::move(name);
  out.type = sql::Type::parse(type);
  out.path = std::move(path);
  return out;
}

/// The columns of a buffer for these.
inline std::vector<engine::BufferColumn> stored(const std::vector<ColumnConfig>& columns) {
  std::vector<engine::BufferColumn> out;
  for (const auto& one : columns) out.push_back({one.name, one.stored_type()});
  return out;
}

}  // namespace meesh::streams
