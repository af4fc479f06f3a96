#include "ingest/airbyte/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"
#include "engine/ask.h"
#include "ingest/json_rows.h"

namespace meesh::ingest {
namespace {

namespace json = boost::json;
using engine::BufferTables;
using engine::quote_name;
using engine::RowBuffer;
using sql::TypeKind;
using Clock = std::chrono::steady_clock;

constexpr const char* kRecordColumn = "$record";  // its number within the read
constexpr size_t kLongestText = 100'000;          // of a rejected record that is kept
constexpr uint64_t kTellEvery = 4096;             // records

/// Columns as the file declares them win over the connector's.
std::vector<DecodedColumn> columns_of(const ConnectorStream& stream, const TableConfig& table) {
  std::vector<DecodedColumn> columns;
  auto declared = table.columns;
  for (auto column : stream.columns) {
    if (const auto found = declared.find(column.name); found != declared.end()) {
      column.type = found->second;
      declared.erase(found);
    }
    if (table.takes(column.name)) columns.push_back(std::move(column));
  }
  for (const auto& [name, type] : declared)
    columns.push_back({name, type, {}, TimeFormat::kText, false});
  return columns;
}

std::shared_ptr<RowBuffer> row_buffer(BufferTables& buffers,
                                      const std::vector<DecodedColumn>& columns) {
  auto shape = buffer_columns(columns);
  shape.push_back({kRecordColumn, sql::Type::of(TypeKind::kBigint)});
  return buffers.buffer(std::move(shape));
}

std::shared_ptr<RowBuffer> rejected_buffer(BufferTables& buffers) {
  const auto text = sql::Type::varchar();
  return buffers.buffer({{"_file", text},
                         {"_line", sql::Type::of(TypeKind::kBigint)},
                         {"_column", text},
                         {"_error", text},
                         {"_text", text}});
}

/// A state message as the position keeps it, and the file that gives it back to the connector.
json::value kept_state(json::object state) {
  state.erase("sourceStats");
  state.erase("destinationStats");
  return state;
}
std::optional<json::value> state_file(const json::value& position) {
  const auto* kept = position.is_object() ? position.as_object().if_contains("state") : nullptr;
  if (!kept || !kept->is_object()) return std::nullopt;
  const auto& state = kept->as_object();
  const std::string type = text_of(state, "type");
  if (type == "STREAM" || type == "GLOBAL") return json::array{*kept};
  const auto* data = state.if_contains("data");
  return data ? std::optional(*data) : std::nullopt;
}

class AirbyteReader : public Reader {
 public:
  AirbyteReader(ConnectorSettings settings, const SourceConfig& config, ReadRequest request,
                ConnectorStream stream, std::shared_ptr<BufferTables> buffers,
                std::function<void()> forget_catalog, PortionSize size)
      : settings_(std::move(settings)),
        config_(config),
        request_(std::move(request)),
        stream_(std::move(stream)),
        buffers_(std::move(buffers)),
        forget_catalog_(std::move(forget_catalog)),
        size_(size),
        columns_(columns_of(stream_, request_.table)),
        json_(columns_),
        position_(request_.position) {}

  std::optional<Portion> next(const TaskContext& context) override;

 private:
  bool incremental() const { return request_.table.mode == Mode::kIncremental; }
  void begin(const TaskContext& context);
  void fill(const TaskContext& context);
  void take(const Message& message);
  void reject(std::string_view text, const std::string& wrong);
  bool take_state(const json::object& state);
  bool full(Clock::time_point since) const;
  Portion portion();
  void tell_unasked(const TaskContext& context);

  const ConnectorSettings settings_;
  const SourceConfig& config_;
  const ReadRequest request_;
  const ConnectorStream stream_;
  const std::shared_ptr<BufferTables> buffers_;
  const std::function<void()> forget_catalog_;
  const PortionSize size_;
  const std::vector<DecodedColumn> columns_;
  JsonRows json_;
  json::value position_;  // with the last state
  std::unique_ptr<ConnectorRun> run_;
  std::exception_ptr failure_;  // what comes after the portion that was given last
  bool done_ = false, told_ = false, first_ = true;
  // Of this portion:
  std::shared_ptr<RowBuffer> rows_, rejected_;
  uint64_t rejected_rows_ = 0, rejected_at_state_ = 0;
  bool moved_ = false;    // a state has come
  uint64_t records_ = 0;  // of the whole read
  uint64_t records_at_state_ = 0;
  std::unique_ptr<BufferTables::Registration> table_, rejected_table_;
};

void AirbyteReader::begin(const TaskContext& context) {
  if (columns_.empty()) {
    throw Error(Code::kConfigInvalid,
                fmt::format("{}: there are no columns to take", request_.stream.origin))
        .with_hint("declare them under 'columns'");
  }
  std::vector<std::pair<std::string, json::value>> files;
  try {
    files.emplace_back("catalog", configured_catalog(stream_, request_.table));
  } catch (Error& error) {
    throw error.at(config_.file.string(), request_.table.line, request_.table.column);
  }
  if (auto state = state_file(position_); incremental() && state)
    files.emplace_back("state", *std::move(state));
  run_ = std::make_unique<ConnectorRun>(settings_, "read", files, context);
}

std::optional<Portion> AirbyteReader::next(const TaskContext& context) {
  if (failure_) std::rethrow_exception(failure_);
  if (done_) return std::nullopt;
  if (!run_) begin(context);
  table_.reset();
  rejected_table_.reset();
  rows_ = row_buffer(*buffers_, columns_);
  rejected_ = rejected_buffer(*buffers_);
  rejected_rows_ = rejected_at_state_ = 0;
  moved_ = false;
  try {
    fill(context);
  } catch (const Error& error) {
    // What came before the last state is whole, and need not be read again.
    if (error.code() == Code::kUserCanceled || !incremental() || !moved_) throw;
    failure_ = std::current_exception();
  }
  tell_unasked(context);
  const bool nothing = rows_->rows() == 0 && rejected_rows_ == 0 && !moved_;
  // A first portion without rows makes the table, or empties it.
  if (nothing && !std::exchange(first_, false)) return std::nullopt;
  if (nothing && incremental() && !request_.landed.empty()) return std::nullopt;
  first_ = false;
  return portion();
}

void AirbyteReader::fill(const TaskContext& context) {
  using Type = Message::Type;
  const auto since = Clock::now();
  while (const Message* message = run_->next(context)) {
    if (message->type == Type::kState) {
      if (take_state(message->body) && full(since)) return;
      continue;
    }
    if (message->type != Type::kRecord && message->type != Type::kBroken) continue;
    take(*message);
    if (records_ % kTellEvery == 0) {
      const double estimate = run_->estimated_rows();
      context.progress(records_, estimate > 0 ? static_cast<uint64_t>(estimate) : 0);
      context.check();
    }
  }
  done_ = true;
}

/// True if the portion may end here.
bool AirbyteReader::take_state(const json::object& state) {
  const std::string type = text_of(state, "type");
  if (type == "STREAM") {
    const auto descriptor = object_of(object_of(state, "stream"), "stream_descriptor");
    if (text_of(descriptor, "name") != stream_.name) return false;
  }
  position_ = json::object{{"state", kept_state(state)}};
  moved_ = true;
  records_at_state_ = records_;
  rejected_at_state_ = rejected_rows_;
  return incremental();
}

bool AirbyteReader::full(Clock::time_point since) const {
  return rows_->rows() + rejected_rows_ >= size_.rows ||
         rows_->bytes() + rejected_->bytes() >= size_.bytes || Clock::now() - since >= size_.time;
}

void AirbyteReader::take(const Message& message) {
  if (message.type == Message::Type::kRecord &&
      (message.stream != stream_.name || message.name_space != stream_.name_space))
    return;
  ++records_;
  std::string wrong;
  if (message.type == Message::Type::kRecord && json_.put(message.data, *rows_, 0, wrong) &&
      rows_->integer(columns_.size(), static_cast<int64_t>(records_))) {
    rows_->end_row();
    return;
  }
  rows_->drop_row();
  reject(message.data, wrong.empty() ? "it is no JSON" : wrong);
}

void AirbyteReader::reject(std::string_view text, const std::string& wrong) {
  if (config_.malformed == Malformed::kFail) {
    throw Error(Code::kInvalidCastArgument,
                fmt::format("{}: record {}: {}", request_.stream.origin, records_,
                            request_.table.withholds() ? "a value is not of its column's type"
                                                       : settings_.config.secrets.hide(wrong)))
        .with_hint("let such records be put aside: malformed: quarantine");
  }
  ++rejected_rows_;
  rejected_->text(0, request_.stream.origin);
  const bool numbered = rejected_->integer(1, static_cast<int64_t>(records_));
  if (!numbered) internal_error("a record's number is none");
  if (!json_.wrong_column().empty()) rejected_->text(2, json_.wrong_column());
  // Columns that are hashed or left out must not be shown here either.
  const bool hidden = request_.table.withholds();
  rejected_->text(3, hidden ? "a value is not of its column's type" : wrong);
  const std::string_view shown = text.substr(0, kLongestText);
  if (!hidden && base::valid_utf8(shown)) rejected_->text(4, shown);
  rejected_->end_row();
}

void AirbyteReader::tell_unasked(const TaskContext& context) {
  if (told_ || json_.unasked().empty() || !request_.table.include.empty()) return;
  std::vector<std::string> names;
  for (const auto& name : json_.unasked()) {
    const bool known = std::ranges::any_of(
        stream_.columns, [&](const DecodedColumn& column) { return column.path[0] == name; });
    if (!known) names.push_back(name);
  }
  if (names.empty()) return;
  told_ = true;
  context.warn(
      fmt::format("{}: records have members that the connector's schema does not name; "
                  "they are left out: {}",
                  request_.stream.origin, fmt::join(names, ", ")));
  forget_catalog_();  // a newer one may name them
}

Portion AirbyteReader::portion() {
  rows_->finish();
  rejected_->finish();
  table_ = buffers_->add(config_.name, request_.stream.name, {rows_, {}, {}});
  std::vector<std::string> names;
  Portion portion;
  for (const auto& column : columns_) {
    names.push_back(quote_name(column.name));
    portion.columns.push_back({column.name, column.stored_type(), ""});
  }
  portion.query =
      fmt::format("SELECT {} FROM {}", fmt::join(names, ", "), engine::quote_table(table_->name()));
  std::string before;
  if (failure_) {
    before = fmt::format("{}", records_at_state_);
    portion.query += fmt::format(" WHERE {} <= {}", quote_name(kRecordColumn), before);
    rejected_rows_ = rejected_at_state_;
  }
  portion.position = position_.is_object() ? position_ : json::object{{"state", nullptr}};
  portion.estimated_rows = run_->estimated_rows();
  if (rejected_rows_ == 0) return portion;
  portion.rejected.emplace();
  portion.rejected->rows = rejected_rows_;
  if (config_.malformed == Malformed::kSkip) return portion;
  rejected_table_ =
      buffers_->add(config_.name, request_.stream.name + "__rejected", {rejected_, {}, {}});
  portion.rejected->query = fmt::format("SELECT _file, _line, _column, _error, _text FROM {}{}",
                                        engine::quote_table(rejected_table_->name()),
                                        failure_ ? " WHERE _line <= " + before : "");
  return portion;
}

}  // namespace

std::unique_ptr<Reader> make_airbyte_reader(ConnectorSettings settings, const SourceConfig& config,
                                            ReadRequest request, ConnectorStream stream,
                                            std::shared_ptr<BufferTables> buffers,
                                            std::function<void()> forget_catalog,
                                            PortionSize size) {
  return std::make_unique<AirbyteReader>(std::move(settings), config, std::move(request),
                                         std::move(stream), std::move(buffers),
                                         std::move(forget_catalog), size);
}

}  // namespace meesh::ingest
