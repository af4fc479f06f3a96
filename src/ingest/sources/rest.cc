// Records of an HTTP API as a source: what its file says of addresses, pages and what is new
// becomes requests, and the answers' JSON becomes rows.
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "ingest/kinds.h"
#include "ingest/rest/options.h"
#include "ingest/rest/reader.h"
#include "ingest/rest/tokens.h"

namespace meesh::ingest {

namespace {

constexpr const char* kTokens = "source-tokens";  // in the data folder

class RestSource : public Source {
 public:
  RestSource(SourceConfig config, const Resources& resources)
      : config_(std::move(config)), resources_(resources) {
    const auto& http = rest_options(config_).http;
    if (http.tokens)
      http.tokens->keep_in(resources_.mesh.data / kTokens / (config_.name + ".json"));
  }

  std::string_view kind() const override { return "rest"; }

  std::string check() override {
    HttpClient http(rest_options(config_).http);
    for (const auto& [name, table] : config_.tables) {
      if (!rest_options(table).parent.empty()) continue;
      const auto page = first_page(http, table);
      return fmt::format("{}, {} tables, {} records on the first page of {}",
                         http.shown(http.config().base), config_.tables.size(),
                         page ? page->records.size() : 0, name);
    }
    return fmt::format("{}, {} tables", http.shown(http.config().base), config_.tables.size());
  }

  std::vector<Stream> discover() override {
    HttpClient http(rest_options(config_).http);
    std::vector<Stream> streams;
    for (const auto& [name, table] : config_.tables) {
      Stream stream = describe(table);
      RecordSet set(resources_.files->staging(), rest_options(table).flatten, "");
      if (const auto page = first_page(http, table))
        for (const auto& record : page->records) set.add(record, [](auto) { return true; });
      for (const auto& seen : set.columns()) {
        const auto declared = table.columns.find(seen.name);
        stream.columns.push_back(
            {seen.name, declared == table.columns.end() ? seen.type() : declared->second, ""});
      }
      stream.notes.push_back(fmt::format("{} records on the first page", set.size()));
      streams.push_back(std::move(stream));
    }
    return streams;
  }

  /// The columns are those of the records that are read in the end.
  Stream describe(const TableConfig& table) override {
    const auto& http = rest_options(config_).http;
    Stream stream;
    stream.name = table.name;
    stream.origin = config_.name + "." + table.name;
    const std::string& path = rest_options(table).path;
    const auto absolute = parse_url(path);
    stream.address =
        redacted(absolute ? path : http.base.text() + (path.starts_with('/') ? "" : "/") + path,
                 http.secrets);
    stream.key = table.key;
    if (!table.cursor.empty()) stream.cursors = {table.cursor};
    return stream;
  }

  std::unique_ptr<Reader> read(ReadRequest request) override {
    return std::make_unique<RestReader>(config_, resources_, std::move(request));
  }

 private:
  /// Of a table with a parent, the first one that any parent has.
  std::optional<RestPage> first_page(HttpClient& http, const TableConfig& table) const {
    Window window;
    const auto& since = rest_options(table).since;
    if (!since.parameter.empty()) window.since = since.start;
    if (!since.until.empty())
      window.until = CursorValue::moment(base::now_ms() * 1000).text(since.format);
    return TableWalk(http, config_, table, std::move(window)).next(TaskContext{});
  }

  const SourceConfig config_;
  const Resources& resources_;
};

}  // namespace

Kind rest_kind() {
  Kind kind;
  kind.word = "rest";
  kind.doc = "Records of an HTTP API.";
  kind.keys = rest_keys();
  kind.table_keys = rest_table_keys();
  kind.modes = {"full_refresh", "incremental"};
  kind.needs_tables = true;
  kind.table_name_pattern = "^[a-z][a-z0-9_]*$";
  kind.table_name_means = "a name (lower-case letters, digits and _, beginning with a letter)";
  kind.read = read_rest;
  kind.read_table = read_rest_table;
  kind.open = [](const SourceConfig& config,
                 const Resources& resources) -> std::unique_ptr<Source> {
    return std::make_unique<RestSource>(config, resources);
  };
  return kind;
}

}  // namespace meesh::ingest
