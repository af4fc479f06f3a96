#include "engine/ask.h"

#include <fmt/format.h>

namespace meesh::engine {
namespace {

using std::chrono::milliseconds;
using Row = std::vector<std::optional<std::string>>;

constexpr milliseconds kLook{100};

std::string number128(Int128 value) {
  __int128 rest = (static_cast<__int128>(value.high) << 64) | static_cast<__int128>(value.low);
  if (rest == 0) return "0";
  const bool negative = rest < 0;
  std::string out;
  for (; rest != 0; rest /= 10) {
    const int digit = static_cast<int>(rest % 10);
    out += static_cast<char>('0' + (digit < 0 ? -digit : digit));
  }
  if (negative) out += '-';
  return {out.rbegin(), out.rend()};
}

/// "12.30" of 1230 and 2.
std::string with_point(std::string digits, int scale) {
  if (scale == 0) return digits;
  const bool negative = digits.starts_with('-');
  if (negative) digits.erase(0, 1);
  const auto places = static_cast<size_t>(scale);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  digits.insert(digits.size() - places, 1, '.');
  return (negative ? "-" : "") + digits;
}

std::string integer_text(const ColumnView& column, size_t row) {
  switch (column.layout) {
    case Layout::kInt8:
      return std::to_string(column.at<int8_t>(row));
    case Layout::kInt16:
      return std::to_string(column.at<int16_t>(row));
    case Layout::kInt32:
      return std::to_string(column.at<int32_t>(row));
    case Layout::kInt64:
      return std::to_string(column.at<int64_t>(row));
    case Layout::kInt128:
      return number128(column.at<Int128>(row));
    default:
      internal_error("a whole number has no such layout");
  }
}

std::string cell(const ColumnView& column, size_t row) {
  switch (column.type.kind) {
    case sql::TypeKind::kBoolean:
      return column.at<bool>(row) ? "true" : "false";
    case sql::TypeKind::kTinyint:
    case sql::TypeKind::kSmallint:
    case sql::TypeKind::kInteger:
    case sql::TypeKind::kBigint:
      return integer_text(column, row);
    case sql::TypeKind::kDecimal:
      return with_point(integer_text(column, row), column.type.scale);
    case sql::TypeKind::kReal:
      return fmt::format("{}", column.at<float>(row));
    case sql::TypeKind::kDouble:
      return fmt::format("{}", column.at<double>(row));
    case sql::TypeKind::kVarchar:
    case sql::TypeKind::kChar:
    case sql::TypeKind::kJson:
      return std::string(column.string(row));
    default:
      throw Error(Code::kNotSupported,
                  fmt::format("a column of type {} is not read as text", column.type.display()))
          .with_hint("CAST(… AS VARCHAR), or json_format");
  }
}

void add_rows(const Batch& batch, std::vector<Row>& rows) {
  for (size_t i = 0; i < batch.rows; ++i) {
    Row row;
    for (const auto& column : batch.columns) {
      if (column.is_null(i)) {
        row.emplace_back();
      } else {
        row.emplace_back(cell(column, i));
      }
    }
    rows.push_back(std::move(row));
  }
}

std::string quoted(std::string_view text, char mark) {
  std::string out(1, mark);
  for (const char c : text) {
    out += c;
    if (c == mark) out += c;
  }
  return out + mark;
}

}  // namespace

Answer ask(Engine& engine, std::string sql, Session session, std::stop_token stop,
           const std::function<void(const QueryInfo&)>& watch) {
  const auto query = engine.submit(std::move(sql), std::move(session));
  const std::stop_callback cancel(stop, [&] { query->cancel(); });
  Answer answer;
  auto watched = std::chrono::steady_clock::now();
  while (true) {
    const auto batch = query->next(kLook);
    if (batch) add_rows(*batch, answer.rows);
    if (!batch && query->finished()) break;
    if (const auto now = std::chrono::steady_clock::now(); watch && now - watched >= kLook) {
      watched = now;
      watch(query->info());
    }
  }
  answer.info = query->info();
  if (answer.info.error) throw Error(*answer.info.error);  // it ended between two looks
  answer.columns = query->columns();
  answer.update_count = answer.info.update_count;
  return answer;
}

std::string quote_name(std::string_view name) { return quoted(name, '"'); }
std::string quote_text(std::string_view text) { return quoted(text, '\''); }
std::string quote_table(const sql::TableName& table) {
  return fmt::format("{}.{}.{}", quote_name(table.catalog), quote_name(table.schema),
                     quote_name(table.table));
}

}  // namespace meesh::engine
