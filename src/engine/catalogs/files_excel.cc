#include "engine/catalogs/files_excel.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "engine/duck_types.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalTypeId;

/// Of all whole numbers up to it a double holds each.
constexpr const char* kLargestWhole = "9007199254740992";

struct Cells {
  std::string name;
  LogicalTypeId type;
};

class ExcelFile {
 public:
  ExcelFile(Duck& duck, const std::filesystem::path& file, const ExcelSheet& sheet)
      : connection_(*duck.db) {
    call_ = "read_xlsx(" + quote_string(file.string());
    if (!sheet.sheet.empty()) call_ += ", sheet := " + quote_string(sheet.sheet);
    if (!sheet.range.empty()) call_ += ", range := " + quote_string(sheet.range);
    if (sheet.header) call_ += fmt::format(", header := {}", *sheet.header);
  }

  duckdb::Connection& connection() { return connection_; }

  void write(const std::filesystem::path& json) {
    const auto columns = this->columns();
    std::vector<std::string> measures;
    for (const auto& column : columns) {
      const std::string name = quote_ident(column.name);
      measures.push_back(fmt::format("count(a.{0}) = count(b.{0})", name));
      measures.push_back(
          column.type == LogicalTypeId::DOUBLE
              ? fmt::format("coalesce(bool_and(a.{0} = trunc(a.{0}) AND abs(a.{0}) <= {1}), false)",
                            name, kLargestWhole)
              : "false");
    }
    const auto found = run(fmt::format("SELECT {} FROM {}", fmt::join(measures, ", "), rows()));
    std::vector<std::string> values;
    std::set<std::string> names;
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string name = quote_ident(columns[i].name);
      const bool alike = found->GetValue(2 * i, 0).GetValue<bool>();
      const bool whole = found->GetValue(2 * i + 1, 0).GetValue<bool>();
      const std::string value = (alike ? "a." : "b.") + name;
      // In lower case, so that several files' columns are the same.
      std::string called = duckdb::StringUtil::Lower(columns[i].name);
      for (int n = 1; !names.insert(called).second; ++n)
        called = fmt::format("{}_{}", duckdb::StringUtil::Lower(columns[i].name), n);
      values.push_back(
          fmt::format(fmt::runtime(alike && whole ? "CAST({} AS BIGINT) AS {}" : "{} AS {}"), value,
                      quote_ident(called)));
    }
    run(fmt::format("COPY (SELECT {} FROM {}) TO {} (FORMAT json)", fmt::join(values, ", "), rows(),
                    quote_string(json.string())));
  }

 private:
  std::vector<Cells> columns() {
    const auto prepared = connection_.Prepare("SELECT * FROM " + call_ + ")");
    if (prepared->HasError()) throw translate(prepared->error);
    std::vector<Cells> columns;
    for (size_t i = 0; i < prepared->GetNames().size(); ++i)
      columns.push_back({prepared->GetNames()[i], prepared->GetTypes()[i].id()});
    return columns;
  }
  /// `a`: with the types of the first row's cells, NULL where a cell has another; `b`: as texts.
  std::string rows() const {
    return fmt::format(
        "{0}, ignore_errors := true) AS a POSITIONAL JOIN {0}, all_varchar := true) "
        "AS b",
        call_);
  }
  duckdb::unique_ptr<duckdb::MaterializedQueryResult> run(const std::string& sql) {
    auto result = connection_.Query(sql);
    if (result->HasError()) throw translate(result->GetErrorObject());
    return result;
  }

  duckdb::Connection connection_;
  std::string call_;  // without its closing parenthesis
};

}  // namespace

void write_excel_as_json(Duck& duck, const std::filesystem::path& file, const ExcelSheet& sheet,
                         const std::filesystem::path& json, const std::string& shown,
                         std::stop_token stop) {
  duck.load_extension("excel");
  ExcelFile excel(duck, file, sheet);
  const std::stop_callback interrupt(stop, [&] { excel.connection().Interrupt(); });
  try {
    excel.write(json);
  } catch (const Error& error) {
    // DuckDB names the copy.
    std::string message = error.message();
    const std::string copy = "\"" + file.string() + "\"";
    if (const size_t at = message.find(copy); at != std::string::npos)
      message.replace(at, copy.size(), shown);
    throw Error(Code::kInvalidArguments, fmt::format("{} cannot be read as Excel: {}", shown,
                                                     message.substr(0, message.find('\n'))));
  }
}

}  // namespace meesh::engine
