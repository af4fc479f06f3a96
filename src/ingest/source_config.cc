#include "ingest/source_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "ingest/kinds.h"

namespace meesh::ingest {

using base::Shape;
using yaml::Node;

namespace {

constexpr const char* kNamePattern = "^[a-z][a-z0-9_]*$";
constexpr const char* kNameMeans =
    "a name (lower-case letters, digits and _, beginning with a letter)";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

Shape columns(std::string doc) {
  return base::list(std::move(doc), base::matching("", "^[^\\r\\n]+$", "a column's name", 255));
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

Shape notify() {
  return base::object(
      "Who is told of runs by 'schedule'.",
      {base::optional("on", base::list("Of what; without it, of failures and recoveries.",
                                       base::choice("", {"failure", "recovery", "late"}))),
       base::optional("webhook", base::secret_text("URL that a JSON object is POSTed to.")),
       base::optional("email", base::list("Addresses; needs smtp: in meesh.yaml.",
                                          base::matching("", "^[^\\s@<>]+@[^\\s@<>]+$",
                                                         "an e-mail address", 254)))});
}

Shape mode(const Kind& kind) {
  Shape shape = base::choice(
      "full_refresh: everything, into the run date's partition, which is replaced. incremental: "
      "what is new since the last run. cdc: every change, as the source's log has it.",
      kind.modes);
  return shape;
}

/// What all kinds' tables have.
std::vector<Shape> table_keys(const Kind& kind) {
  return {
      base::optional("mode", mode(kind), "full_refresh"),
      base::optional("write",
                     base::choice("append: every version of a row that is met is kept. merge: one "
                                  "row a key, the newest. both: merge, and every version in the "
                                  "table <name>__changes. Without it append; of cdc, merge.",
                                  {"append", "merge", "both"})),
      base::optional("cursor", base::matching("The column that tells what is new, and which of two "
                                              "rows with one key is newer.",
                                              "^[^\\r\\n]+$", "a column's name", 255)),
      base::optional("key", columns("Columns that tell a row from the others; without it, the "
                                    "primary key.")),
      base::optional("lookback",
                     base::any("incremental: how far behind the last position rows are looked "
                               "for that were committed late: a duration such as 5m for times, a "
                               "number for numbers.")),
      base::optional("include", columns("Columns that are taken; without it, all.")),
      base::optional("exclude", columns("Columns that are left out.")),
      base::optional("hash", columns("Columns of which the SHA-256 lands, in hexadecimal digits.")),
      base::optional("mask", columns("Columns of which only the shape lands: 'Ana-7' as 'Xxx-n'.")),
      base::optional("columns",
                     base::map("Types of columns that are not to be found out.", "^[^\\r\\n]+$",
                               "a column's name",
                               base::matching("", "^[A-Za-z0-9_(), ]+$", "a type of SQL", 255))),
      base::optional("schema_contract",
                     base::choice("What becomes of columns and types that the landed table does "
                                  "not have. evolve: it grows. freeze: the run fails. discard_row: "
                                  "rows with such values are rejected. discard_value: such values "
                                  "are left out.",
                                  {"evolve", "freeze", "discard_row", "discard_value"}),
                     "evolve"),
      base::optional("into", base::matching("Table it lands in, instead of the pattern's.",
                                            kNamePattern, kNameMeans, 128))};
}

/// What all kinds have. A kind's own key of the same name takes its place.
std::vector<Shape> source_keys() {
  return {
      base::optional("name", base::matching("The source's name; the file's, if it is given.",
                                            kNamePattern, kNameMeans)),
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
      base::optional("hash_salt", base::secret_text("Key of the hashes of columns under 'hash'; "
                                                    "write ${NAME} to keep it out of git.")),
      base::optional("schedule", base::text("When it runs by itself: five fields, as cron has "
                                            "them, or @daily.")),
      base::optional("time_zone", base::text("Of the schedule."), "UTC"),
      base::optional("notify", notify()),
      base::optional("into", into())};
}

void add(std::vector<Shape>& keys, const std::vector<Shape>& more) {
  for (const auto& key : more)
    if (std::ranges::find(keys, key.key, &Shape::key) == keys.end()) keys.push_back(key);
}

Shape shape_of(const Kind& kind) {
  std::vector<Shape> of_table = kind.table_keys;
  add(of_table, table_keys(kind));
  Shape tables = base::map("Tables to take; without it, all that the source has.",
                           kind.table_name_pattern, kind.table_name_means,
                           base::object("How one table is taken.", std::move(of_table)));
  std::vector<Shape> keys = kind.keys;
  add(keys, {kind.needs_tables ? base::required("tables", std::move(tables))
                               : base::optional("tables", std::move(tables))});
  if (std::ranges::count(kind.modes, "cdc") > 0) {
    add(keys, {base::optional("continuous",
                              base::boolean("Tables of mode cdc are followed while the server "
                                            "runs, not only when a run asks."),
                              "false")});
  }
  add(keys, source_keys());
  return base::object(kind.doc, std::move(keys));
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
      : document_(document), root_(document.root), reader_(document, problems) {}

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
    read_policies();
    read_schedule();
    kind_of(config_).read(reader_, config_);
    read_tables();
    return std::move(config_);
  }

 private:
  void complain(const Node& at, std::string message, std::string hint = "") const {
    reader_.complain(at, std::move(message), std::move(hint));
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

  void read_policies() {
    const std::string malformed = text_or(root_, "malformed", "quarantine");
    config_.malformed = malformed == "fail"   ? Malformed::kFail
                        : malformed == "skip" ? Malformed::kSkip
                                              : Malformed::kQuarantine;
    config_.max_malformed = std::stod(text_or(root_, "max_malformed", "5%")) / 100;
    config_.hash_salt = text_or(root_, "hash_salt");
    config_.continuous = flag(root_, "continuous");
  }

  /// As the file of a pipeline would say it.
  void read_schedule() {
    const Node* cron = root_.find("schedule");
    const Node* told = root_.find("notify");
    if (told && !told->find("webhook") && !told->find("email")) told = nullptr;
    if (told && !cron) {
      complain(*told, "'notify' is about runs by 'schedule', and there is none",
               "schedule: \"*/15 * * * *\"; a run of a pipeline tells by the pipeline's 'alerts'");
    }
    if (!cron) return;
    Node schedule = *cron;
    schedule.kind = Node::Kind::kMap;
    schedule.text.clear();
    const auto put = [&](const char* key, const Node& value) {
      schedule.keys.push_back({key, value.line, value.column});
      schedule.items.push_back(value);
    };
    put("cron", *cron);
    if (const Node* zone = root_.find("time_zone")) put("timezone", *zone);
    config_.schedule = std::make_shared<const Node>(std::move(schedule));
    if (told) config_.notify = std::make_shared<const Node>(*told);
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
    const std::string mode = text_or(node, "mode");
    table.mode = mode == "incremental" ? Mode::kIncremental
                 : mode == "cdc"       ? Mode::kCdc
                                       : Mode::kFullRefresh;
    const std::string write = text_or(node, "write", table.mode == Mode::kCdc ? "merge" : "append");
    table.write = write == "merge"  ? Write::kMerge
                  : write == "both" ? Write::kBoth
                                    : Write::kAppend;
    table.cursor = lower(text_or(node, "cursor"));
    table.key = list_of(node, "key");
    if (const Node* lookback = node.find("lookback")) {
      if (const auto parsed = parse_lookback(*lookback)) {
        table.lookback = *parsed;
      } else {
        complain(*lookback, "'lookback' is a duration such as 30s, 5m, 1h or 1d, or a number");
      }
    }
    read_policies(node, table);
    if (const Node* types = node.find("columns")) read_types(*types, table);
    const Kind& kind = kind_of(config_);
    if (kind.read_table) kind.read_table(reader_, node, config_, table);
    if (!table.cursor.empty() && table.mode == Mode::kFullRefresh && table.write == Write::kAppend)
      complain(*node.find("cursor"), "a cursor is of use for 'mode: incremental' alone");
    return table;
  }

  void read_policies(const Node& node, TableConfig& table) {
    table.include = list_of(node, "include");
    table.exclude = list_of(node, "exclude");
    table.hash = list_of(node, "hash");
    table.mask = list_of(node, "mask");
    const std::string contract = text_or(node, "schema_contract", "evolve");
    table.contract = contract == "freeze"          ? SchemaContract::kFreeze
                     : contract == "discard_row"   ? SchemaContract::kDiscardRow
                     : contract == "discard_value" ? SchemaContract::kDiscardValue
                                                   : SchemaContract::kEvolve;
    const auto has = [](const std::vector<std::string>& names, const std::string& name) {
      return std::ranges::count(names, name) > 0;
    };
    const auto& cursor = table.cursor;
    if (!cursor.empty() && !table.takes(cursor))
      complain(*node.find(has(table.exclude, cursor) ? "exclude" : "include"),
               "the cursor cannot be left out");
    for (const auto& name : table.key)
      if (!table.takes(name)) complain(*node.find("key"), "the key cannot be left out");
    for (const char* word : {"hash", "mask"})
      if (const Node* found = node.find(word); !cursor.empty() && found)
        if (has(list_of(node, word), cursor))
          complain(*found, "the cursor must land as it is", "take another column as cursor");
    for (const auto& name : table.mask) {
      if (has(table.key, name))
        complain(*node.find("mask"), "masked, the key does not tell rows apart",
                 "list it under 'hash'");
      if (has(table.hash, name))
        complain(*node.find("mask"), fmt::format("'{}' is hashed already", name));
    }
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
  const ConfigReader reader_;
  SourceConfig config_;
};

}  // namespace

void ConfigReader::complain(const Node& at, std::string message, std::string hint) const {
  Error error = document_.error(Code::kConfigInvalid, std::move(message), at.line, at.column);
  if (!hint.empty()) error.with_hint(std::move(hint));
  problems_.push_back(std::move(error));
}

std::string text_or(const Node& node, std::string_view key, std::string otherwise) {
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

void need_cursor(const ConfigReader& reader, const Node& node, const TableConfig& table) {
  if (table.mode != Mode::kIncremental || !table.cursor.empty()) return;
  reader.complain(node, fmt::format("'{}' is incremental and has no cursor", table.name),
                  "cursor: the column that grows with every change, such as updated_at");
}

bool valid_source_name(std::string_view text) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
  return !text.empty() && text.size() <= 63 && kLetters.find(text[0]) != text.npos &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == text.npos;
}

std::string_view mode_name(Mode mode) {
  switch (mode) {
    case Mode::kIncremental:
      return "incremental";
    case Mode::kCdc:
      return "cdc";
    default:
      return "full_refresh";
  }
}

bool TableConfig::takes(const std::string& column_name) const {
  if (!include.empty() && std::ranges::count(include, column_name) == 0) return false;
  return std::ranges::count(exclude, column_name) == 0;
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
  static const Shape shape = [] {
    std::vector<Shape> shapes;
    for (const auto& kind : kinds()) shapes.push_back(base::kind(kind.word, shape_of(kind)));
    return base::kinds("A source: where rows come from, and where they land in the lake.",
                       std::move(shapes), "");
  }();
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
