#include "ingest/source_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace meesh::ingest {

using base::Shape;
using yaml::Node;

namespace {

constexpr const char* kNamePattern = "^[a-z][a-z0-9_]*$";
constexpr const char* kNameMeans =
    "a name (lower-case letters, digits and _, beginning with a letter)";

Shape name(std::string doc) { return base::matching(std::move(doc), kNamePattern, kNameMeans); }

Shape columns(std::string doc) {
  return base::list(std::move(doc), base::matching("", "^[^\\r\\n]+$", "a column's name", 255));
}

Shape into_table() {
  return base::matching("Table it lands in, instead of the pattern's.", kNamePattern, kNameMeans,
                        128);
}

Shape mode() {
  return base::choice(
      "full_refresh: everything, into the run date's partition, which is replaced. incremental: "
      "what is new since the last run is added.",
      {"full_refresh", "incremental"});
}

Shape into() {
  return base::object(
      "Where the rows land.",
      {base::optional(
           "schema",
           base::matching("Catalog and schema of the lake.", "^[a-z][a-z0-9_]*\\.[a-z][a-z0-9_]*$",
                          "a schema such as lake.bronze", 127),
           "lake.bronze"),
       base::optional(
           "location",
           base::matching("Folder of the tables' folders; without it, s3://bronze if the "
                          "lake may use it, else the lake's own place.",
                          "^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/\\s]+)*$",
                          "a place such as s3://bronze", 900)),
       base::optional("table",
                      base::matching("Tables' names: {table} stands for the source's.",
                                     "^[a-z0-9_]*\\{table\\}[a-z0-9_]*$",
                                     "a pattern such as northwind_{table}", 128),
                      "{table}")});
}

Shape postgresql() {
  const Shape table = base::object(
      "How one table is taken.",
      {base::optional("mode", mode(), "full_refresh"),
       base::optional("cursor", base::matching("incremental: the column that tells what is new.",
                                               "^[^\\r\\n]+$", "a column's name", 255)),
       base::optional("key", columns("Columns that tell a row from the others; without it, the "
                                     "primary key.")),
       base::optional("lookback",
                      base::any("incremental: how far behind the last position rows are looked "
                                "for that were committed late: a duration such as 5m for times, a "
                                "number for numbers.")),
       base::optional("exclude", columns("Columns that are left out.")),
       base::optional("into", into_table())});
  const Shape connection = base::object(
      "A server that is no catalog of the mesh.",
      {base::required("host", base::matching("Host name or address.", "^[A-Za-z0-9:._/-]+$",
                                             "a host name or address", 255)),
       base::optional("port", base::integer("Port.", 1, 65535), "5432"),
       base::required("name", base::text("Name of the database.")),
       base::required("user", base::text("User to connect as.")),
       base::required("password",
                      base::secret_text("Its password; write ${NAME} to keep it out of git."))});
  return base::object(
      "Tables of a PostgreSQL server.",
      {base::optional("name", name("The source's name; the file's, if it is given.")),
       base::optional("catalog", name("A catalog of the mesh, of kind postgresql.")),
       base::optional("connection", connection),
       base::optional("schema", base::text("Schema of the tables."), "public"),
       base::optional("tables", base::map("Tables to take; without it, all of the schema.",
                                          "^[^\\s\"/]{1,128}$", "a table's name", table)),
       base::optional("into", into())});
}

Shape file_tables() {
  const Shape table = base::object(
      "Files that make one table.",
      {base::required("path", base::matching("Files: * and ? stay within a folder, ** spans any "
                                             "number. s3://bucket/…, or relative to the mesh.",
                                             "^[^\\r\\n]+$", "a path", 1024)),
       base::optional("mode", mode(), "full_refresh"),
       base::optional("columns",
                      base::map("Types of columns that are not to be found out.", "^[^\\r\\n]+$",
                                "a column's name",
                                base::matching("", "^[A-Za-z0-9_(), ]+$", "a type of SQL", 255))),
       base::optional("exclude", columns("Columns that are left out.")),
       base::optional("into", into_table())});
  return base::map("Tables, each with its files.", kNamePattern, kNameMeans, table);
}

Shape files() {
  const Shape csv = base::object(
      "How CSV files are written.",
      {base::optional("delimiter", base::text("Between two values; without it, found out.")),
       base::optional("header", base::boolean("The first line names the columns."), "true"),
       base::optional("null", base::text("What stands for NULL, beside an empty value.")),
       base::optional("quote", base::text("Around values; doubled within them."), "\""),
       base::optional("escape", base::text("Before a quote within a value."), "\""),
       base::optional("encoding", base::choice("Of the text.", {"utf-8", "utf-16", "latin-1"}),
                      "utf-8")});
  const Shape remote = base::object(
      "Another S3 that the paths' buckets are in.",
      {base::required("endpoint", base::matching("Its address.", "^https?://[^/\\s]+$",
                                                 "an address such as https://s3.example.com", 255)),
       base::optional("region", base::text("Region."), "us-east-1"),
       base::required("access_key", base::secret_text("Access key.")),
       base::required("secret_key", base::secret_text("Secret key.")),
       base::optional("path_style", base::boolean("Bucket in the path, not in the host name."),
                      "true")});
  return base::object(
      "CSV, JSON and Parquet files.",
      {base::optional("name", name("The source's name; the file's, if it is given.")),
       base::optional("format", base::choice("Of all files; without it, by their endings.",
                                             {"csv", "json", "parquet"})),
       base::optional("csv", csv), base::optional("connection", remote),
       base::optional("malformed",
                      base::choice("What becomes of rows that cannot be read: the run fails, they "
                                   "are counted, or they go to the table <name>__rejected.",
                                   {"fail", "skip", "quarantine"}),
                      "quarantine"),
       base::optional("max_malformed",
                      base::matching("The run fails if more than this share of the rows cannot be "
                                     "read.",
                                     "^(100|[0-9]{1,2})(\\.[0-9]{1,4})?%$", "a share such as 5%"),
                      "5%"),
       base::optional("allow_outside", base::boolean("Read files outside of the mesh's folder."),
                      "false"),
       base::required("tables", file_tables()), base::optional("into", into())});
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string text_or(const Node& node, std::string_view key, std::string otherwise = "") {
  const Node* found = node.find(key);
  return found ? found->text : otherwise;
}

bool flag(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  return found && found->boolean();
}

std::vector<std::string> list_of(const Node& node, std::string_view key) {
  std::vector<std::string> out;
  if (const Node* found = node.find(key))
    for (const Node& item : found->items) out.push_back(lower(item.text));
  return out;
}

std::optional<Lookback> parse_lookback(const Node& node) {
  Lookback found;
  if (const auto number = node.integer(); node.kind == Node::Kind::kInteger && number) {
    if (*number < 0) return std::nullopt;
    found.number = *number;
    return found;
  }
  const std::string& text = node.text;
  int64_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (!node.is_scalar() || failed != std::errc() || end != text.data() + text.size() - 1 ||
      count < 0 || count > 100000)
    return std::nullopt;
  switch (text.back()) {
    case 's':
      found.time = std::chrono::seconds(count);
      break;
    case 'm':
      found.time = std::chrono::minutes(count);
      break;
    case 'h':
      found.time = std::chrono::hours(count);
      break;
    case 'd':
      found.time = std::chrono::days(count);
      break;
    default:
      return std::nullopt;
  }
  return found;
}

/// Reads one checked document into a SourceConfig.
class Parser {
 public:
  Parser(const yaml::Document& document, std::vector<Error>& problems)
      : document_(document), root_(document.root), problems_(problems) {}

  SourceConfig read() {
    const std::filesystem::path file = document_.file;
    config_.file = file;
    config_.kind = root_.find("kind")->text;
    config_.name = text_or(root_, "name", file.stem().string());
    if (!valid_source_name(config_.name))
      complain(root_, fmt::format("'{}' is not {}", config_.name, kNameMeans), "name the file so");
    if (config_.name != file.stem()) {
      complain(*root_.find("name"),
               fmt::format("the source '{}' is in the file '{}'", config_.name,
                           file.filename().string()),
               fmt::format("name the file {}.yaml, or leave the name out", config_.name));
    }
    read_into();
    if (config_.kind == "postgresql") read_postgresql();
    if (config_.kind == "files") read_files();
    read_tables();
    return std::move(config_);
  }

 private:
  void complain(const Node& at, std::string message, std::string hint = "") {
    Error error = document_.error(Code::kConfigInvalid, std::move(message), at.line, at.column);
    if (!hint.empty()) error.with_hint(std::move(hint));
    problems_.push_back(std::move(error));
  }

  void read_into() {
    const Node* into = root_.find("into");
    if (!into) return;
    const std::string schema = text_or(*into, "schema", "lake.bronze");
    config_.into_catalog = schema.substr(0, schema.find('.'));
    config_.into_schema = schema.substr(schema.find('.') + 1);
    config_.location = text_or(*into, "location");
    config_.table_pattern = text_or(*into, "table", "{table}");
  }

  void read_postgresql() {
    config_.catalog = text_or(root_, "catalog");
    config_.schema = lower(text_or(root_, "schema", "public"));
    const Node* connection = root_.find("connection");
    if (config_.catalog.empty() == (connection == nullptr)) {
      complain(root_, "a source of kind postgresql needs one of 'catalog' and 'connection'",
               "catalog: the name of a domain or of a catalog in meesh.yaml");
    }
    if (!connection) return;
    config_.connection.emplace();
    config_.connection->name = "$" + config_.name;
    config_.connection->host = connection->find("host")->text;
    config_.connection->port = static_cast<int>(connection->find("port")->integer().value_or(5432));
    config_.connection->database = connection->find("name")->text;
    config_.connection->user = connection->find("user")->text;
    config_.connection->password = connection->find("password")->text;
    config_.connection->read_only = true;
  }

  void read_files() {
    const std::string format = text_or(root_, "format");
    config_.format_given = !format.empty();
    using Kind = engine::FileFormat::Kind;
    config_.format.kind = format == "json"      ? Kind::kJson
                          : format == "parquet" ? Kind::kParquet
                                                : Kind::kCsv;
    const std::string malformed = text_or(root_, "malformed", "quarantine");
    config_.malformed = malformed == "fail"   ? Malformed::kFail
                        : malformed == "skip" ? Malformed::kSkip
                                              : Malformed::kQuarantine;
    config_.max_malformed = std::stod(text_or(root_, "max_malformed", "5%")) / 100;
    config_.allow_outside = flag(root_, "allow_outside");
    if (const Node* csv = root_.find("csv")) read_csv(*csv);
    const Node* connection = root_.find("connection");
    if (!connection) return;
    config_.remote.emplace();
    config_.remote->endpoint = connection->find("endpoint")->text;
    config_.remote->region = connection->find("region")->text;
    config_.remote->access_key = connection->find("access_key")->text;
    config_.remote->secret_key = connection->find("secret_key")->text;
    config_.remote->path_style = flag(*connection, "path_style");
  }

  void read_csv(const Node& csv) {
    auto& format = config_.format;
    format.delimiter = text_or(csv, "delimiter");
    format.quote = text_or(csv, "quote", "\"");
    format.escape = text_or(csv, "escape", "\"");
    format.null_text = text_or(csv, "null");
    format.encoding = text_or(csv, "encoding", "utf-8");
    format.header = !csv.find("header") || flag(csv, "header");
    for (const char* key : {"quote", "escape"}) {
      const Node* node = csv.find(key);
      if (node && node->text.size() > 1) complain(*node, fmt::format("'{}' is one character", key));
    }
    const Node* delimiter = csv.find("delimiter");
    if (delimiter && delimiter->text.size() > 4)
      complain(*delimiter, "'delimiter' is at most four characters");
  }

  void read_tables() {
    const Node* tables = root_.find("tables");
    config_.all_tables = tables == nullptr;
    if (!tables) return;
    std::map<std::string, int> landings;
    for (size_t i = 0; i < tables->keys.size(); ++i) {
      const auto& key = tables->keys[i];
      TableConfig table = read_table(key, tables->items[i]);
      const auto [other, fresh] = landings.emplace(table.into, key.line);
      if (!fresh) {
        complain(tables->items[i], fmt::format("the table '{}' is taken", table.into),
                 fmt::format("line {} lands there too: give one of them an 'into'", other->second));
      }
      config_.tables.emplace(table.name, std::move(table));
    }
  }

  TableConfig read_table(const yaml::Key& key, const Node& node) {
    TableConfig table;
    table.name = lower(key.name);
    table.line = key.line;
    table.column = key.column;
    table.into = text_or(node, "into", config_.landing(table.name));
    if (text_or(node, "mode") == "incremental") table.mode = Mode::kIncremental;
    table.cursor = lower(text_or(node, "cursor"));
    table.key = list_of(node, "key");
    table.exclude = list_of(node, "exclude");
    table.path = text_or(node, "path");
    if (config_.remote && !table.path.starts_with("s3://"))
      complain(*node.find("path"), "files of another S3 are named s3://bucket/…");
    if (const Node* lookback = node.find("lookback")) {
      if (const auto parsed = parse_lookback(*lookback)) {
        table.lookback = *parsed;
      } else {
        complain(*lookback, "'lookback' is a duration such as 30s, 5m, 1h or 1d, or a number");
      }
    }
    if (config_.kind == "postgresql" && table.mode == Mode::kIncremental && table.cursor.empty())
      complain(node, fmt::format("'{}' is incremental and has no cursor", key.name),
               "cursor: the column that grows with every change, such as updated_at");
    if (!table.cursor.empty() && table.mode != Mode::kIncremental)
      complain(*node.find("cursor"), "a cursor is of use for 'mode: incremental' alone");
    if (std::ranges::count(table.exclude, table.cursor) > 0 && !table.cursor.empty())
      complain(*node.find("exclude"), "the cursor cannot be left out");
    if (const Node* types = node.find("columns")) read_types(*types, table);
    return table;
  }

  void read_types(const Node& types, TableConfig& table) {
    for (size_t i = 0; i < types.keys.size(); ++i) {
      try {
        table.columns.emplace(lower(types.keys[i].name), sql::Type::parse(types.items[i].text));
      } catch (const Error& error) {
        complain(types.items[i], error.message(), "types are those of SQL: bigint, decimal(10,2)");
      }
    }
  }

  const yaml::Document& document_;
  const Node& root_;
  std::vector<Error>& problems_;
  SourceConfig config_;
};

}  // namespace

bool valid_source_name(std::string_view text) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
  return !text.empty() && text.size() <= 63 && kLetters.find(text[0]) != text.npos &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == text.npos;
}

std::string_view mode_name(Mode mode) {
  return mode == Mode::kIncremental ? "incremental" : "full_refresh";
}

std::string SourceConfig::landing(const std::string& stream) const {
  constexpr std::string_view kMark = "{table}";
  std::string landed = table_pattern;
  landed.replace(landed.find(kMark), kMark.size(), stream);
  for (char& c : landed) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (!plain) c = '_';
  }
  return landed;
}

std::optional<TableConfig> SourceConfig::table(const std::string& stream) const {
  if (const auto found = tables.find(stream); found != tables.end()) return found->second;
  if (!all_tables) return std::nullopt;
  TableConfig taken;
  taken.name = stream;
  taken.into = landing(stream);
  return taken;
}

const Shape& source_shape() {
  static const Shape shape =
      base::kinds("A source: where rows come from, and where they land in the lake.",
                  {base::kind("postgresql", postgresql()), base::kind("files", files())}, "",
                  {"mysql", "rest", "airbyte", "kafka", "cdc"});
  return shape;
}

SourceConfig read_source(const yaml::Document& document, std::vector<Error>& problems) {
  return Parser(document, problems).read();
}

std::vector<SourceConfig> read_sources(mesh::MeshFiles& files) {
  std::vector<SourceConfig> sources;
  for (const auto& file : files.list("sources", ".yaml")) {
    const auto document = files.read(file, source_shape());
    if (document) sources.push_back(read_source(*document, files.problems()));
  }
  return sources;
}

}  // namespace meesh::ingest
