// Reading JSON documents of Iceberg with errors that name the place, and the parts that several
// documents share. For the .cc files of this room and for handlers that already hold a JSON value.
#pragma once

#include <boost/json/fwd.hpp>
#include <boost/json/storage_ptr.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "lake/metadata.h"

namespace meesh::lake {

/// A value inside a document and its path. The document outlives it. Every wrong expectation throws
/// an Error of the document's code: "schemas[0].fields[2].type: expected a text". A member that is
/// null counts as absent.
class JsonNode {
 public:
  JsonNode(const boost::json::value& value, Code code, std::string path = {});

  const boost::json::value& value() const { return *value_; }
  const std::string& path() const { return path_; }
  Code code() const { return code_; }

  [[noreturn]] void fail(const std::string& what) const;
  /// At a member, whether it exists or not.
  [[noreturn]] void fail_at(std::string_view member, const std::string& what) const;
  /// Runs `parse`; an Error from it is thrown anew with the member's path and the document's code.
  void at(std::string_view member, const std::function<void()>& parse) const;

  bool has(std::string_view member) const;
  JsonNode member(std::string_view member) const;
  std::optional<JsonNode> find(std::string_view member) const;

  std::string text(std::string_view member) const;
  int integer(std::string_view member) const;
  int64_t long_integer(std::string_view member) const;
  bool boolean(std::string_view member) const;
  std::vector<JsonNode> items(std::string_view member) const;
  Properties properties(std::string_view member) const;

  std::optional<std::string> find_text(std::string_view member) const;
  std::optional<int> find_integer(std::string_view member) const;
  std::optional<int64_t> find_long(std::string_view member) const;
  /// Empty if absent.
  std::vector<JsonNode> find_items(std::string_view member) const;
  Properties find_properties(std::string_view member) const;

  // Of the value itself.
  std::string as_text() const;
  int as_integer() const;
  int64_t as_long() const;
  std::vector<JsonNode> as_items() const;
  /// Refuses what is no object.
  void expect_object() const;

 private:
  const boost::json::value* lookup(std::string_view member) const;
  std::string path_of(std::string_view member) const;

  const boost::json::value* value_;
  Code code_;
  std::string path_;
};

/// Parses a document (at most 256 MiB, 192 levels deep) and hands its root to `read`.
void read_json(std::string_view json, Code code, const std::function<void(const JsonNode&)>& read);

Type read_type(const JsonNode& node);
Schema read_schema(const JsonNode& node);
/// Fields without an id get 0 where `ids_required` is false.
PartitionSpec read_partition_spec(const JsonNode& node, bool ids_required = true);
/// The fields alone, from an array (format version 1): ids from 1000 where they have none.
PartitionSpec read_partition_fields(const JsonNode& array, int spec_id, bool number_them,
                                    bool ids_required = true);
SortOrder read_sort_order(const JsonNode& node);
/// `format_version` decides what may be absent.
Snapshot read_snapshot(const JsonNode& node, int format_version = 2);
SnapshotRef read_snapshot_ref(const JsonNode& node);
BlobMetadata read_blob_metadata(const JsonNode& node);
StatisticsFile read_statistics(const JsonNode& node);
PartitionStatisticsFile read_partition_statistics(const JsonNode& node);
TableMetadata read_metadata(const JsonNode& node);

boost::json::value to_json(const Type& type);
boost::json::object to_json(const Schema& schema);
boost::json::object to_json(const PartitionSpec& spec);
boost::json::object to_json(const SortOrder& order);
boost::json::object to_json(const Snapshot& snapshot, const boost::json::storage_ptr& storage = {});
boost::json::object to_json(const SnapshotRef& ref);
boost::json::object to_json(const BlobMetadata& blob);
boost::json::object to_json(const StatisticsFile& file);
boost::json::object to_json(const PartitionStatisticsFile& file);
boost::json::object to_json(const Properties& properties,
                            const boost::json::storage_ptr& storage = {});
boost::json::object to_json(const TableMetadata& metadata,
                            const boost::json::storage_ptr& storage = {});

}  // namespace meesh::lake
