#include "streams/ksqldb/ksqldb_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

#include "base/clock.h"
#include "streams/ksqldb/ksqldb_cells.h"
#include "streams/ksqldb/ksqldb_types.h"

namespace meesh::streams {
namespace {

namespace json = boost::json;
using sql::Type;
using sql::TypeKind;
using Clock = std::chrono::steady_clock;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// What ksqlDB knows of a row besides its columns.
struct PseudoColumn {
  const char* name;
  TypeKind type;
  bool of_streams, of_tables;
};
constexpr PseudoColumn kWindow[] = {{"WINDOWSTART", TypeKind::kBigint, true, true},
                                    {"WINDOWEND", TypeKind::kBigint, true, true}};
constexpr PseudoColumn kPseudo[] = {{"ROWTIME", TypeKind::kBigint, true, true},
                                    {"ROWPARTITION", TypeKind::kInteger, true, false},
                                    {"ROWOFFSET", TypeKind::kBigint, true, false}};

/// When a stream that never pauses has been read far enough.
class ReadEnd {
 public:
  explicit ReadEnd(const KsqldbReadOptions& options) : options_(options) {}

  /// Asked for each new row with its time. Rows of other partitions may still be on their way when
  /// the first comes that is newer than the read: they have `idle` left.
  bool is_after(int64_t row_ms) {
    const auto now = Clock::now();
    if (!first_) first_ = now;
    if (!newer_ && row_ms >= begin_ms_) newer_ = now;
    return (newer_ && now - *newer_ >= options_.idle) ||
           (options_.at_most.count() != 0 && now - *first_ >= options_.at_most);
  }

 private:
  const KsqldbReadOptions& options_;
  const int64_t begin_ms_ = base::now_ms();
  std::optional<Clock::time_point> first_, newer_;
};

}  // namespace

struct KsqldbReader::Impl {
  KsqldbClient& client;
  const KsqldbSource source;
  std::vector<std::string> selected;  // as ksqlDB's SQL has them
  std::vector<std::string> names;     // lower case
  std::vector<Type> types;

  std::string sql() const {
    std::string list;
    for (const std::string& one : selected) list += (list.empty() ? "" : ", ") + one;
    return fmt::format("SELECT {} FROM {}{};", list, quote_ksqldb(source.name),
                       source.is_table ? "" : " EMIT CHANGES");
  }

  void add(std::string text, const std::string& name, Type type) {
    selected.push_back(std::move(text));
    names.push_back(lower(name));
    types.push_back(std::move(type));
  }

  int64_t integer_at(const KsqldbRow& row, size_t column) const {
    const json::value& value = row.at(column);
    if (value.is_int64()) return value.get_int64();
    throw Error(Code::kGenericExternal,
                fmt::format("ksqlDB gave a row of {} without {}", source.name, names[column]));
  }

  /// True if the row is one to keep.
  bool is_new(const KsqldbRow& row, const KsqldbPosition& from, KsqldbRead& read) const;
  void append(const KsqldbRow& row, engine::RowBuffer& rows) const;
};

/// Rows of a partition come in the order of their offsets.
bool KsqldbReader::Impl::is_new(const KsqldbRow& row, const KsqldbPosition& from,
                                KsqldbRead& read) const {
  if (source.is_table) return true;
  const size_t offset_column = names.size() - 1;
  const int64_t offset = integer_at(row, offset_column);
  const auto partition = static_cast<int32_t>(integer_at(row, offset_column - 1));
  if (const auto begin = from.find(partition); begin != from.end() && offset < begin->second) {
    return false;
  }
  read.next[partition] = offset + 1;
  return true;
}

void KsqldbReader::Impl::append(const KsqldbRow& row, engine::RowBuffer& rows) const {
  std::string wrong;
  for (size_t i = 0; i < row.size(); ++i) {
    if (set_ksqldb_cell(rows, i, types[i], row[i], wrong)) continue;
    rows.drop_row();
    std::string where;
    if (!source.is_table) {
      where = fmt::format(" (partition {}, offset {})", integer_at(row, names.size() - 2),
                          integer_at(row, names.size() - 1));
    }
    throw Error(Code::kGenericExternal,
                fmt::format("column {} of ksqlDB's {}{}: {}", names[i], source.name, where, wrong));
  }
  rows.end_row();
}

KsqldbReader::KsqldbReader(KsqldbClient& client, KsqldbSource source)
    : impl_(new Impl{client, std::move(source), {}, {}, {}}) {
  for (const KsqldbColumn& column : impl_->source.columns) {
    impl_->add(quote_ksqldb(column.name), column.name, type_of_ksqldb(column.type));
  }
  if (impl_->source.windowed) {
    for (const auto& one : kWindow) impl_->add(one.name, one.name, Type::of(one.type));
  }
  for (const auto& one : kPseudo) {
    if (impl_->source.is_table ? one.of_tables : one.of_streams) {
      impl_->add(one.name, one.name, Type::of(one.type));
    }
  }
  std::set<std::string> seen;
  for (const std::string& name : impl_->names) {
    if (!seen.insert(name).second) {
      throw Error(Code::kDuplicateColumnName,
                  fmt::format("ksqlDB's {} has two columns that are {} in lower case",
                              impl_->source.name, name));
    }
  }
}

KsqldbReader::~KsqldbReader() = default;

std::vector<engine::BufferColumn> KsqldbReader::columns() const {
  std::vector<engine::BufferColumn> columns;
  for (size_t i = 0; i < impl_->names.size(); ++i) {
    columns.push_back({impl_->names[i], stored_ksqldb_type(impl_->types[i])});
  }
  return columns;
}

const Type& KsqldbReader::type(size_t column) const { return impl_->types.at(column); }

KsqldbRead KsqldbReader::read(const KsqldbReadOptions& options, engine::RowBuffer& rows,
                              std::stop_token stop) {
  const Impl& impl = *impl_;
  const bool is_table = impl.source.is_table;
  const size_t time_column = impl.names.size() - (is_table ? 1 : 3);
  ReadEnd end(options);
  KsqldbRead read;
  read.next = options.from;
  // Old rows count for nothing, so that the limits are kept here and not by the client.
  std::stop_source enough;
  const std::stop_callback outer(stop, [&] { enough.request_stop(); });
  StopWhen when;
  if (!is_table) when.idle = options.idle, when.first = options.first;
  const auto on_header = [&](const std::vector<KsqldbColumn>& columns) {
    if (columns.size() == impl.names.size()) return;
    throw Error(Code::kGenericExternal,
                fmt::format("ksqlDB gives {} columns of {} where {} were asked for", columns.size(),
                            impl.source.name, impl.names.size()));
  };
  const auto on_row = [&](const KsqldbRow& row) {
    if (enough.stop_requested() || !impl.is_new(row, options.from, read)) return;
    impl.append(row, rows);
    ++read.rows;
    const int64_t time = impl.integer_at(row, time_column);
    read.newest_ms = std::max(read.newest_ms, time);
    read.more = options.rows != 0 && read.rows >= options.rows;
    if (read.more || (!is_table && end.is_after(time))) enough.request_stop();
  };
  try {
    impl.client.query(impl.sql(), when, {{"auto.offset.reset", "earliest"}}, on_header, on_row,
                      enough.get_token());
  } catch (const Error& error) {
    // We ended it ourselves.
    if (error.code() != Code::kUserCanceled || stop.stop_requested()) throw;
  }
  return read;
}

}  // namespace meesh::streams
