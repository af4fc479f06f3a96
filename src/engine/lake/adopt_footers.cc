// Rows and metrics of foreign files, from the footers that DuckDB reads.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/duck.h"
#include "engine/lake/adopt_files.h"
#include "engine/lake/values.h"
#include "lake/bounds.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

constexpr size_t kFilesAtOnce = 100;

/// A column of a Parquet file without parts, and the table's field that it is.
struct Leaf {
  const lake::Field* field = nullptr;  // null: none of the table's
  bool bounded = false;                // the text of its statistics says what its values are
};

bool has_bounds(LogicalTypeId id) {
  // Bytes are shown escaped; nanoseconds are cut off in the table.
  return id != LogicalTypeId::BLOB && id != LogicalTypeId::UUID &&
         id != LogicalTypeId::TIMESTAMP_NS;
}

/// The leaves of a column in the order of the file. `mapped` null: it is none of the table's.
void add_leaves(const LogicalType& type, const lake::MappedField* mapped, bool repeated,
                const lake::Schema& schema, std::vector<Leaf>& leaves) {
  const auto part = [&](size_t place) -> const lake::MappedField* {
    return mapped && place < mapped->fields.size() ? &mapped->fields[place] : nullptr;
  };
  switch (type.id()) {
    case LogicalTypeId::STRUCT:
      for (const auto& [name, child] : duckdb::StructType::GetChildTypes(type)) {
        add_leaves(child, mapped ? find_mapped(mapped->fields, name) : nullptr, repeated, schema,
                   leaves);
      }
      return;
    case LogicalTypeId::LIST:
      return add_leaves(duckdb::ListType::GetChildType(type), part(0), true, schema, leaves);
    case LogicalTypeId::MAP:
      add_leaves(duckdb::MapType::KeyType(type), part(0), true, schema, leaves);
      return add_leaves(duckdb::MapType::ValueType(type), part(1), true, schema, leaves);
    default:
      break;
  }
  Leaf leaf;
  if (mapped && mapped->id) leaf.field = lake::find_field(schema, *mapped->id);
  if (leaf.field && leaf.field->type.nested()) leaf.field = nullptr;
  leaf.bounded = !repeated && has_bounds(type.id());
  leaves.push_back(leaf);
}

/// The statistics of one column over the row groups of a file.
struct Sum {
  lake::ColumnStatistics known;
  bool bounds = true;

  Sum() { known.size = known.values = known.nulls = 0; }

  void add(int64_t size, int64_t values, const std::optional<int64_t>& nulls) {
    known.size += size;
    known.values += values;
    if (known.nulls >= 0) known.nulls = nulls ? known.nulls + *nulls : -1;
  }
  void add_bounds(const std::optional<lake::Value>& min, const std::optional<lake::Value>& max) {
    if (!min || !max || lake::is_null(*min) || lake::is_null(*max) || nan(*min) || nan(*max)) {
      bounds = false;
      return;
    }
    if (lake::is_null(known.min) || lake::compare_values(*min, known.min) < 0) known.min = *min;
    if (lake::is_null(known.max) || lake::compare_values(*max, known.max) > 0) known.max = *max;
  }
  /// What is known of all row groups.
  lake::ColumnStatistics whole() const {
    lake::ColumnStatistics out = known;
    if (!bounds) out.min = out.max = lake::Value();
    // Zeros of either sign may stand for the other.
    if (const auto* low = std::get_if<double>(&out.min); low && *low == 0) out.min = -0.0;
    if (const auto* high = std::get_if<double>(&out.max); high && *high == 0) out.max = 0.0;
    return out;
  }

 private:
  static bool nan(const lake::Value& value) {
    const auto* number = std::get_if<double>(&value);
    return number && std::isnan(*number);
  }
};

std::optional<lake::Value> bound(const lake::Field& field, const duckdb::Value& text) {
  if (text.IsNull()) return std::nullopt;
  const std::string said = text.ToString();
  // Bytes that are no UTF-8 are shown escaped.
  if (said.find("\\x") != std::string::npos) return std::nullopt;
  return value_of_statistics(field.type, said);
}

std::unique_ptr<duckdb::MaterializedQueryResult> ask(const RunDuck& run, const std::string& text) {
  sql::Printed printed;
  printed.text = text;
  return run(printed);
}

/// The files of one batch.
class FooterReader {
 public:
  FooterReader(const ForeignFiles& foreign, const lake::TableMetadata& table,
               const std::vector<std::vector<Leaf>>& leaves, std::vector<lake::NewFile>& made)
      : foreign_(foreign), table_(table), leaves_(leaves), made_(made) {}

  void read(size_t from, size_t to, const RunDuck& run) {
    std::string list;
    for (size_t i = from; i < to; ++i) {
      list += (list.empty() ? "" : ", ") + quote_string(foreign_.files[i].path);
      places_[foreign_.files[i].path] = i;
    }
    const auto files = ask(
        run,
        fmt::format("SELECT file_name, num_rows::BIGINT FROM parquet_file_metadata([{}])", list));
    for (size_t row = 0; row < files->RowCount(); ++row) {
      auto& file = made_.at(places_.at(files->GetValue(0, row).ToString())).file;
      file.records = files->GetValue(1, row).GetValue<int64_t>();
    }
    const auto columns =
        ask(run, fmt::format("SELECT file_name, column_id::BIGINT, total_compressed_size::BIGINT, "
                             "num_values::BIGINT, stats_null_count::BIGINT, stats_min_value, "
                             "stats_max_value, type = 'INT96' FROM parquet_metadata([{}])",
                             list));
    for (size_t row = 0; row < columns->RowCount(); ++row) add(*columns, row);
    for (const auto& [place, sums] : sums_) finish(place, sums);
  }

 private:
  using Sums = std::map<size_t, Sum>;  // by leaf

  void add(duckdb::MaterializedQueryResult& rows, size_t row) {
    const size_t place = places_.at(rows.GetValue(0, row).ToString());
    const auto& leaves = leaves_.at(foreign_.files[place].shape);
    const auto at = static_cast<size_t>(rows.GetValue(1, row).GetValue<int64_t>());
    if (at >= leaves.size() || !leaves[at].field) return;
    const auto number = [&](size_t column) -> std::optional<int64_t> {
      const auto value = rows.GetValue(column, row);
      if (value.IsNull()) return std::nullopt;
      return value.GetValue<int64_t>();
    };
    Sum& sum = sums_[place][at];
    const int64_t values = number(3).value_or(0);
    const auto nulls = number(4);
    sum.add(number(2).value_or(0), values, nulls);
    if (nulls && *nulls == values) return;  // nothing to bound
    if (!leaves[at].bounded || rows.GetValue(7, row).GetValue<bool>()) {
      sum.bounds = false;
      return;
    }
    sum.add_bounds(bound(*leaves[at].field, rows.GetValue(5, row)),
                   bound(*leaves[at].field, rows.GetValue(6, row)));
  }

  void finish(size_t place, const Sums& sums) {
    const auto& leaves = leaves_.at(foreign_.files[place].shape);
    for (const auto& [at, sum] : sums) {
      const auto& field = *leaves[at].field;
      auto known = sum.whole();
      known.id = field.id;
      lake::add_metrics(made_.at(place).file.metrics, field.type, known,
                        lake::metrics_mode(table_.properties, table_.schema(), field.id));
    }
  }

  const ForeignFiles& foreign_;
  const lake::TableMetadata& table_;
  const std::vector<std::vector<Leaf>>& leaves_;  // by shape
  std::vector<lake::NewFile>& made_;
  std::map<std::string, size_t> places_;
  std::map<size_t, Sums> sums_;
};

}  // namespace

std::vector<lake::NewFile> read_footers(const ForeignFiles& foreign,
                                        const lake::TableMetadata& table,
                                        const lake::NameMapping& mapping, const RunDuck& run) {
  std::vector<std::vector<Leaf>> leaves;
  for (const auto& shape : foreign.shapes) {
    auto& of_shape = leaves.emplace_back();
    for (size_t i = 0; i < shape.names.size(); ++i)
      add_leaves(shape.types[i], find_mapped(mapping, shape.names[i]), false, table.schema(),
                 of_shape);
  }
  std::vector<lake::NewFile> made;
  for (const auto& file : foreign.files) {
    auto& one = made.emplace_back();
    one.spec_id = table.default_spec_id;
    one.file.path = file.path;
    one.file.bytes = file.bytes;
  }
  for (size_t from = 0; from < made.size(); from += kFilesAtOnce)
    FooterReader(foreign, table, leaves, made)
        .read(from, std::min(from + kFilesAtOnce, made.size()), run);
  return made;
}

}  // namespace meesh::engine
