#include "streams/feeds/feed_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>

namespace meesh::streams {

using base::Shape;
using yaml::Node;

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr const char* kNamePattern = "^[a-z][a-z0-9_]*$";
constexpr const char* kNameMeans =
    "a name (lower-case letters, digits and _, beginning with a letter)";
constexpr const char* kSchemaPattern = "^[a-z][a-z0-9_]*\\.[a-z][a-z0-9_]*$";
/// The view of a table's version that counts; no feed may take its name.
constexpr const char* kCurrent = "_current";

Shape column(std::string doc) {
  return base::matching(std::move(doc), "^[^\\r\\n]+$", "a column's name", 255);
}

Shape partitioning() {
  return base::object(
      "How the files lie: year=2025/month=01/day=15 or version=v1.",
      {base::required("type", base::choice("Streams: date; tables: version.", {"date", "version"})),
       base::optional("columns", base::list("[year, month, day] or [version].",
                                            base::matching("", kNamePattern, kNameMeans)))});
}

std::string text_or(const Node& node, std::string_view key, std::string otherwise = "") {
  const Node* found = node.find(key);
  return found && found->kind != Node::Kind::kNull ? found->text : otherwise;
}

int number_or(const Node& node, std::string_view key, int otherwise) {
  const Node* found = node.find(key);
  return found ? static_cast<int>(found->integer().value_or(otherwise)) : otherwise;
}

std::optional<sql::TableName> table_of(const std::string& text) {
  const size_t first = text.find('.');
  const size_t second = first == std::string::npos ? first : text.find('.', first + 1);
  if (second == std::string::npos) return std::nullopt;
  return sql::TableName{text.substr(0, first), text.substr(first + 1, second - first - 1),
                        text.substr(second + 1)};
}

/// Reads one checked document into a FeedConfig.
class Parser {
 public:
  Parser(const yaml::Document& document, std::vector<Error>& problems)
      : document_(document), root_(document.root), problems_(problems) {}

  FeedConfig read() {
    feed_.name = root_.find("feed_name")->text;
    feed_.type = root_.find("feed_type")->text == "table" ? FeedType::kTable : FeedType::kStream;
    feed_.description = text_or(root_, "description");
    feed_.event_time = text_or(root_, "event_time");
    feed_.cursor = text_or(root_, "cursor");
    feed_.enabled = !root_.find("enabled") || root_.find("enabled")->boolean();
    feed_.text = document_.source;
    check_name();
    read_source();
    check_layout();
    read_retention();
    const bool open = feed_.type == FeedType::kTable;
    feed_.permissions = text_or(root_, "permissions", open ? "755" : "750") == "755" ? 0755 : 0750;
    return std::move(feed_);
  }

 private:
  void complain(const Node& at, std::string message, std::string hint = "") {
    Error error = document_.error(Code::kConfigInvalid, std::move(message), at.line, at.column);
    if (!hint.empty()) error.with_hint(std::move(hint));
    problems_.push_back(std::move(error));
  }

  void check_name() {
    const std::string stem = fs::path(document_.file).stem().string();
    if (stem != feed_.name) {
      complain(*root_.find("feed_name"),
               fmt::format("the feed '{}' is in the file '{}.json'", feed_.name, stem),
               fmt::format("name the file {}.json", feed_.name));
    }
    if (feed_.name.ends_with(kCurrent)) {
      complain(*root_.find("feed_name"), fmt::format("a feed's name does not end in {}", kCurrent),
               "names that do are of the views that show a table's current version");
    }
  }

  void read_source() {
    feed_.ksqldb_source = text_or(root_, "ksqldb_source");
    const Node* table = root_.find("source");
    if (feed_.ksqldb_source.empty() == (table == nullptr)) {
      complain(root_, "a feed needs one of 'ksqldb_source' and 'source'",
               "source: a table of SQL, catalog.schema.table");
    }
    if (!table) return;
    feed_.source = table_of(table->text);
    if (!feed_.source) complain(*table, fmt::format("'{}' is no table", table->text));
  }

  void check_layout() {
    const bool stream = feed_.type == FeedType::kStream;
    const auto expect = [&](const Node* node, std::string_view wanted, std::string_view what) {
      if (!node || node->text == wanted) return;
      complain(*node, fmt::format("the {} of a {} is {}", what, type_name(feed_.type), wanted));
    };
    expect(root_.find("storage_mode"), storage_mode(feed_.type), "storage_mode");
    const Node* partitioning = root_.find("partitioning");
    if (partitioning) {
      expect(partitioning->find("type"), partitioning_name(feed_.type), "partitioning");
      const auto wanted = stream ? std::vector<std::string>{"year", "month", "day"}
                                 : std::vector<std::string>{"version"};
      if (const Node* columns = partitioning->find("columns")) {
        std::vector<std::string> given;
        for (const auto& item : columns->items) given.push_back(item.text);
        if (given != wanted)
          complain(*columns, fmt::format("the columns of a {} are [{}]", type_name(feed_.type),
                                         fmt::join(wanted, ", ")));
      }
    }
    for (const char* key : {"event_time", "cursor"}) {
      const Node* node = root_.find(key);
      if (node && !stream) complain(*node, fmt::format("'{}' is of use for streams alone", key));
    }
  }

  void read_retention() {
    const bool stream = feed_.type == FeedType::kStream;
    const Node* other = root_.find(stream ? "retention_versions" : "retention_days");
    if (other) {
      complain(*other, stream ? "streams keep days: retention_days"
                              : "tables keep versions: retention_versions");
    }
    feed_.retention_days = stream ? number_or(root_, "retention_days", 0) : 0;
    feed_.retention_versions = number_or(root_, "retention_versions", 7);
  }

  const yaml::Document& document_;
  const Node& root_;
  std::vector<Error>& problems_;
  FeedConfig feed_;
};

KsqldbSettings ksqldb_of(const Node& node, const fs::path& mesh) {
  KsqldbSettings settings;
  settings.url = text_or(node, "url");
  settings.user = text_or(node, "user");
  settings.password = text_or(node, "password");
  if (const std::string ca = text_or(node, "ca"); !ca.empty()) settings.ca = mesh / ca;
  return settings;
}

void write_pretty(const json::value& value, size_t depth, std::string& out) {
  const std::string indent(2 * (depth + 1), ' ');
  if (const auto* object = value.if_object(); object && !object->empty()) {
    out += "{\n";
    bool first = true;
    for (const auto& [key, item] : *object) {
      out += (std::exchange(first, false) ? "" : ",\n") + indent;
      out += json::serialize(json::string(key)) + ": ";
      write_pretty(item, depth + 1, out);
    }
    out += "\n" + std::string(2 * depth, ' ') + "}";
    return;
  }
  if (value.is_double()) {  // 45.2, not 4.52E1
    out += fmt::format("{}", value.get_double());
    return;
  }
  const auto* array = value.if_array();
  if (!array || std::ranges::none_of(*array, [](const auto& item) { return item.is_object(); })) {
    out += json::serialize(value);
    return;
  }
  out += "[\n";
  for (size_t i = 0; i < array->size(); ++i) {
    out += (i ? ",\n" : "") + indent;
    write_pretty(array->at(i), depth + 1, out);
  }
  out += "\n" + std::string(2 * depth, ' ') + "]";
}

}  // namespace

std::string_view type_name(FeedType type) { return type == FeedType::kStream ? "stream" : "table"; }
std::string_view storage_mode(FeedType type) {
  return type == FeedType::kStream ? "append" : "overwrite";
}
std::string_view partitioning_name(FeedType type) {
  return type == FeedType::kStream ? "date" : "version";
}

std::string FeedConfig::origin() const {
  return source ? source->display() : "ksqldb:" + ksqldb_source;
}

const Shape& feed_shape() {
  static const Shape shape = base::object(
      "A feed: what is exported to the data lake, how it lies there and how long it stays.",
      {base::required("feed_name",
                      base::matching("Its name; the file's.", kNamePattern, kNameMeans)),
       base::required("feed_type", base::choice("stream: events are added, by date. table: each "
                                                "export is a new version of the whole.",
                                                {"stream", "table"})),
       base::optional("ksqldb_source",
                      base::matching("Stream or table of ksqlDB; without ksqlDB, of the schema "
                                     "that streams are written to.",
                                     "^[A-Za-z_][A-Za-z0-9_]*$", "a name of ksqlDB", 128)),
       base::optional("source", base::matching("A table of SQL, instead of ksqldb_source.",
                                               "^[^.\\s\"]+\\.[^.\\s\"]+\\.[^.\\s\"]+$",
                                               "a table such as sales.public.orders", 255)),
       base::optional("description", base::text("What it is, for people.")),
       base::optional("partitioning", partitioning()),
       base::optional("storage_mode",
                      base::choice("Streams: append; tables: overwrite.", {"append", "overwrite"})),
       base::optional("format", base::choice("Of the files.", {"parquet"}), "parquet"),
       base::optional(
           "retention_days",
           base::integer("Streams: days older than this leave. Without it, none do.", 1, 36500)),
       base::optional("retention_versions",
                      base::integer("Tables: how many versions are kept; 7 unless told.", 1, 1000)),
       base::optional("event_time",
                      column("Streams: the column whose date (UTC) says in which folder a row "
                             "lies. Without it, event_time, timestamp, event_timestamp or "
                             "created_at if there is one, else the moment of the export.")),
       base::optional("cursor", column("Streams without _partition and _offset: the column that "
                                       "grows with every new row.")),
       base::optional("permissions",
                      base::choice("Of the folders; 750 for streams and 755 for tables unless "
                                   "told.",
                                   {"750", "755"})),
       base::optional("enabled", base::boolean("Whether exports of all feeds take it along."),
                      "true")});
  return shape;
}

const Shape& feed_settings_shape() {
  static const Shape shape = base::object(
      "What all feeds have in common.",
      {base::optional("schema",
                      base::matching("Catalog and schema of the feeds' tables.", kSchemaPattern,
                                     "a schema such as lake.data_lake", 127),
                      "lake.data_lake"),
       base::optional("location",
                      base::matching("Where their files lie; without it, s3://data-lake if the "
                                     "lake may use it, else the lake's own place.",
                                     "^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/\\s]+)*$",
                                     "a place such as s3://data-lake", 900)),
       base::optional("folder",
                      base::text("Folder of this machine with the same files, relative to the "
                                 "mesh; without it, data_lake in the mesh's data.")),
       base::optional("streams",
                      base::matching("Without ksqldb: the schema that has a table for each "
                                     "ksqldb_source.",
                                     kSchemaPattern, "a schema such as lake.payments", 127),
                      "lake.payments"),
       base::optional(
           "ksqldb",
           base::object("The ksqlDB server that ksqldb_source is read from.",
                        {base::required("url", base::matching("Its address.", "^https?://[^\\s]+$",
                                                              "http://host:8088", 255)),
                         base::optional("user", base::text("User.")),
                         base::optional("password", base::secret_text("Its password.")),
                         base::optional("ca", base::text("PEM file of trusted authorities, "
                                                         "relative to the mesh."))}))});
  return shape;
}

bool valid_feed_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text[0] >= 'a' && text[0] <= 'z' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == text.npos;
}

FeedConfig read_feed(const yaml::Document& document, std::vector<Error>& problems) {
  return Parser(document, problems).read();
}

FeedConfig parse_feed(const std::string& text, const std::string& file) {
  std::vector<Error> problems;
  auto document = yaml::parse(text, file);
  base::check(feed_shape(), document, problems);
  if (!problems.empty()) throw mesh::ConfigError(std::move(problems));
  auto feed = read_feed(document, problems);
  if (!problems.empty()) throw mesh::ConfigError(std::move(problems));
  return feed;
}

FeedSettings load_feed_settings(mesh::MeshFiles& files, const mesh::Mesh& mesh) {
  FeedSettings settings;
  settings.catalog = settings.streams_catalog = mesh.lake.catalog;
  settings.folder = mesh.data / "data_lake";
  const auto places = mesh.lake.places();
  if (std::ranges::find(places, settings.location) == places.end())
    settings.location = mesh.lake.location + "/data-lake";
  std::error_code ignored;
  const fs::path file = fs::path(kFeedsFolder) / "settings.yaml";
  if (!fs::exists(mesh.folder / file, ignored)) return settings;
  const auto document = files.read(file, feed_settings_shape());
  if (!document) return settings;
  const auto& root = document->root;
  const auto split = [](const std::string& text, std::string& catalog, std::string& schema) {
    catalog = text.substr(0, text.find('.'));
    schema = text.substr(text.find('.') + 1);
  };
  split(root.find("schema")->text, settings.catalog, settings.schema);
  split(root.find("streams")->text, settings.streams_catalog, settings.streams_schema);
  settings.location = text_or(root, "location", settings.location);
  if (const std::string folder = text_or(root, "folder"); !folder.empty())
    settings.folder = (mesh.folder / folder).lexically_normal();
  if (const Node* ksqldb = root.find("ksqldb")) settings.ksqldb = ksqldb_of(*ksqldb, mesh.folder);
  return settings;
}

LoadedFeeds load_feeds(const mesh::Mesh& mesh) {
  LoadedFeeds loaded;
  mesh::MeshFiles files(mesh);
  for (const auto& file : files.list(kActiveFeeds, ".json")) {
    files.problems().clear();
    auto document = files.read(file, feed_shape(), true);
    std::optional<FeedConfig> feed;
    if (document) feed = read_feed(*document, files.problems());
    if (files.problems().empty()) {
      const std::string name = feed->name;
      loaded.feeds.emplace(name, std::move(*feed));
    } else {
      loaded.problems[file.stem().string()] = files.problems();
    }
  }
  return loaded;
}

std::string pretty_json(const json::value& value) {
  std::string out;
  write_pretty(value, 0, out);
  return out + "\n";
}

}  // namespace meesh::streams
