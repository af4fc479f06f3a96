#include "serve/api/sql_export.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstring>
#include <filesystem>
#include <future>
#include <set>

#include "base/time_zone.h"
#include "base/uuid.h"
#include "engine/file_writer.h"
#include "serve/trino/value_encoder.h"
#include "sql/sql.h"

namespace meesh::serve::api {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using engine::ColumnView;
using net::Request;
using net::Response;
using sql::StatementKind;
using sql::TypeKind;
using trino::JsonText;
using trino::ValueEncoder;
using Format = ExportRequest::Format;

constexpr std::chrono::milliseconds kLook{200};
constexpr size_t kPiece = 256 << 10;  // bytes

struct FileKind {
  const char* ending;
  const char* content_type;
};

FileKind kind_of(Format format) {
  switch (format) {
    case Format::kCsv:
      return {"csv", "text/csv; charset=utf-8"};
    case Format::kJson:
      return {"json", "application/json"};
    case Format::kParquet:
      return {"parquet", "application/vnd.apache.parquet"};
    case Format::kXlsx:
      return {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"};
  }
  internal_error("no such format");
}

bool only_reads(const sql::Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kQuery:
    case StatementKind::kShow:
      return true;
    case StatementKind::kExplain: {
      const auto& explain = static_cast<const sql::Explain&>(statement);
      return !explain.analyze || only_reads(*explain.statement);
    }
    default:
      return false;
  }
}

/// Ends the query if its rows are not all taken.
class Running {
 public:
  Running(engine::Engine& engine, const ExportRequest& asked)
      : query_(engine.submit(asked.statement, asked.session)) {}
  ~Running() {
    if (!query_->finished()) query_->cancel();
  }
  Running(const Running&) = delete;
  engine::Query& operator*() { return *query_; }
  engine::Query* operator->() { return query_.get(); }

  /// Null after the last; throws the query's error, and USER_CANCELED if nobody listens.
  engine::BatchPtr next(Request& request) {
    while (true) {
      auto batch = query_->next(kLook);
      if (batch && batch->rows > 0) return batch;
      if (!batch && query_->finished()) break;
      if (!batch && request.client_gone()) throw Error(Code::kUserCanceled, "Query was canceled");
    }
    const auto info = query_->info();
    if (info.error) throw Error(*info.error);  // it ended between two looks
    return nullptr;
  }

 private:
  const engine::QueryPtr query_;
};

/// "name.csv", also in letters that headers do not have.
void name_file(const ExportRequest& asked, Response& response) {
  const auto kind = kind_of(asked.format);
  std::string plain;
  for (const char c : asked.name) {
    const bool safe = std::isalnum(static_cast<unsigned char>(c)) || std::strchr(" ._-", c);
    plain += safe && c != '\0' ? c : '_';
  }
  const std::string name = plain.empty() ? "result" : plain;
  const std::string full = (asked.name.empty() ? "result" : asked.name) + "." + kind.ending;
  response.headers.set("Content-Type", kind.content_type);
  response.headers.set("Content-Disposition",
                       fmt::format("attachment; filename=\"{}.{}\"; filename*=UTF-8''{}", name,
                                   kind.ending, net::percent_encode(full)));
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("X-Content-Type-Options", "nosniff");
}

/// Rows as text, a format at a time.
class TextRows {
 public:
  TextRows(const ExportRequest& asked, const std::vector<engine::Column>& columns)
      : csv_(asked.format == Format::kCsv), guard_(asked.guard_formulas) {
    auto zone = TimeZone::find(asked.session.time_zone);
    if (!zone) zone = TimeZone::utc();
    std::set<std::string> taken;
    for (const auto& column : columns) {
      encoders_.emplace_back(column.type, trino::DateTimes::kParametric, zone);
      const bool text = column.type.kind == TypeKind::kVarchar ||
                        column.type.kind == TypeKind::kChar || column.type.kind == TypeKind::kJson;
      text_.push_back(text);
      std::string key = column.name;  // JSON: no member twice
      for (int n = 1; !taken.insert(key).second; ++n) key = fmt::format("{}_{}", column.name, n);
      keys_.push_back(json::serialize(json::string(key)) + ":");
      names_.push_back(column.name);
    }
  }

  void head(JsonText& out) const {
    if (!csv_) {
      out.raw('[');
      return;
    }
    for (size_t i = 0; i < names_.size(); ++i) {
      if (i > 0) out.raw(',');
      out.raw(csv_field(names_[i], guard_));
    }
    out.raw("\r\n");
  }

  void begin(const engine::Batch& batch) {
    for (size_t i = 0; i < encoders_.size(); ++i) encoders_[i].begin(batch.columns[i]);
  }

  void row(const engine::Batch& batch, size_t row, JsonText& out) {
    if (csv_) {
      csv_row(batch, row, out);
      return;
    }
    out.raw(first_ ? "\n{" : ",\n{");
    first_ = false;
    for (size_t i = 0; i < encoders_.size(); ++i) {
      if (i > 0) out.raw(',');
      out.raw(keys_[i]);
      encoders_[i].write(batch.columns[i], row, out);
    }
    out.raw('}');
  }

  void foot(JsonText& out) const {
    if (!csv_) out.raw("\n]\n");
  }

 private:
  /// Cells as the protocol writes them, without the quotes of JSON.
  void csv_row(const engine::Batch& batch, size_t row, JsonText& out) {
    for (size_t i = 0; i < encoders_.size(); ++i) {
      if (i > 0) out.raw(',');
      const ColumnView& column = batch.columns[i];
      if (column.is_null(row)) continue;
      if (text_[i]) {
        out.raw(csv_field(column.string(row), guard_));
        continue;
      }
      JsonText cell;
      encoders_[i].write(column, row, cell);
      const std::string_view written = cell.view();
      if (written.starts_with('"')) {
        out.raw(csv_field(json::parse(written).as_string(), false));
      } else {
        out.raw(csv_field(written, false));
      }
    }
    out.raw("\r\n");
  }

  const bool csv_, guard_;
  bool first_ = true;
  std::vector<ValueEncoder> encoders_;
  std::vector<char> text_;
  std::vector<std::string> keys_, names_;
};

void export_text(engine::Engine& engine, const ExportRequest& asked, Request& request,
                 Response& response) {
  Running query(engine, asked);
  auto batch = query.next(request);
  TextRows rows(asked, query->columns());
  name_file(asked, response);
  JsonText out(kPiece);
  rows.head(out);
  const auto send = [&] {
    response.write(out.view());
    out = JsonText(kPiece);
  };
  while (batch) {
    rows.begin(*batch);
    for (size_t i = 0; i < batch->rows; ++i) {
      rows.row(*batch, i, out);
      if (out.size() >= kPiece) send();
    }
    batch = query.next(request);
  }
  rows.foot(out);
  send();
}

/// A file that is gone with this.
class Scratch {
 public:
  Scratch(const engine::Options& options, const char* ending) {
    const fs::path folder = options.spill_directory.empty()
                                ? fs::temp_directory_path()
                                : fs::path(options.spill_directory) / "exports";
    fs::create_directories(folder);
    path_ = folder / fmt::format("{}.{}", base::random_uuid(), ending);
  }
  ~Scratch() {
    if (descriptor_ >= 0) ::close(descriptor_);
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  Scratch(const Scratch&) = delete;

  const fs::path& path() const { return path_; }
  int open() {
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0)
      throw Error(Code::kIoError,
                  fmt::format("cannot read '{}': {}", path_.string(), std::strerror(errno)));
    return descriptor_;
  }

 private:
  fs::path path_;
  int descriptor_ = -1;
};

void export_file(engine::Engine& engine, const ExportRequest& asked, Request& request,
                 Response& response) {
  Running query(engine, asked);
  Scratch file(engine.options(), kind_of(asked.format).ending);
  const auto kind =
      asked.format == Format::kXlsx ? engine::RowFile::kExcel : engine::RowFile::kParquet;
  std::stop_source stop;
  auto written = std::async(std::launch::async, [&] {
    return engine::write_rows(*query, kind, file.path(), engine.options(), stop.get_token());
  });
  while (written.wait_for(kLook) != std::future_status::ready)
    if (request.client_gone()) stop.request_stop();
  written.get();
  const int descriptor = file.open();
  const uint64_t size = fs::file_size(file.path());
  name_file(asked, response);
  response.headers.set("Content-Length", std::to_string(size));
  response.send_file(descriptor, 0, size);
}

}  // namespace

std::string csv_field(std::string_view text, bool guard) {
  const bool formula = guard && !text.empty() &&
                       std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos;
  const bool quoted = text.empty() || formula ||
                      text.find_first_of(",\"\r\n") != std::string_view::npos ||
                      text.front() == ' ' || text.back() == ' ';
  if (!quoted) return std::string(text);
  std::string out = "\"";
  if (formula) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

void export_rows(engine::Engine& engine, const ExportRequest& asked, Request& request,
                 Response& response) {
  if (!only_reads(*sql::parse(asked.statement)))
    throw Error(Code::kBadRequest, "only the rows of a query can be exported")
        .with_hint("write SELECT, WITH, VALUES, TABLE, SHOW or DESCRIBE");
  if (asked.format == Format::kCsv || asked.format == Format::kJson) {
    export_text(engine, asked, request, response);
  } else {
    export_file(engine, asked, request, response);
  }
}

}  // namespace meesh::serve::api
