#include "ingest/folder_metadata.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "engine/ask.h"

namespace meesh::ingest {
namespace {

namespace json = boost::json;

constexpr double kMegabyte = 1'000'000;

/// With two digits behind the point.
double megabytes(double bytes) { return std::round(bytes / kMegabyte * 100) / 100; }

/// "2026-01-31T12:00:00Z"
std::string iso(const std::string& moment) {
  return moment.substr(0, 10) + "T" + moment.substr(11, 8) + "Z";
}

}  // namespace

void write_folder_metadata(engine::Engine& engine, objects::Store& store, const Landing& landing,
                           const std::string& kind, const std::string& origin, Mode mode,
                           const std::string& moment) {
  auto partitions = landing.table();
  partitions.table += "$partitions";
  const auto rows =
      engine::ask(
          engine,
          fmt::format(
              "SELECT {}, record_count, total_size FROM {} ORDER BY 1",
              landing.by_date() ? fmt::format("CAST(partition.{} AS varchar)", kDateColumn) : "''",
              engine::quote_table(partitions)),
          ingest_session())
          .rows;
  json::array folders;
  int64_t records = 0;
  double bytes = 0;
  for (const auto& row : rows) {
    const int64_t count = std::stoll(row.at(1).value_or("0"));
    const double size = std::stod(row.at(2).value_or("0"));
    records += count;
    bytes += size;
    if (!landing.by_date()) continue;
    folders.push_back(json::object{
        {"path", row.at(0).value_or("") + "/"}, {"records", count}, {"size_mb", megabytes(size)}});
  }
  const char* storage = !landing.by_date()           ? "merge"
                        : mode == Mode::kIncremental ? "append"
                                                     : "overwrite";
  const json::object document{{"source", origin},
                              {"type", kind},
                              {"table", landing.table().display()},
                              {"storage_mode", storage},
                              {"format", "parquet"},
                              {"partitioning", landing.by_date() ? "date" : "none"},
                              {"last_export", iso(moment)},
                              {"total_records", records},
                              {"total_size_mb", megabytes(bytes)},
                              {"partitions", std::move(folders)}};
  const std::string place = landing.folder().substr(std::string_view("s3://").size());
  const size_t slash = place.find('/');
  objects::Attributes attributes;
  attributes.content_type = "application/json";
  const auto writer = store.put(place.substr(0, slash),
                                place.substr(slash + 1) + "/" + kFolderMetadata, attributes, {});
  writer->write(json::serialize(document));
  writer->commit({});
}

}  // namespace meesh::ingest
