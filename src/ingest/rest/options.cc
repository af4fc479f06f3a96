#include "ingest/rest/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace meesh::ingest {

using base::Shape;
using yaml::Node;

namespace {

constexpr const char* kPlaceholder = "{parent.";

Shape parameters(const char* doc) {
  return base::map(doc, "^[^\\s]+$", "a parameter's name", base::any(""));
}

Shape path_shape(std::string doc) {
  return base::matching(std::move(doc), "^[^\\r\\n]+$", "a path such as data.items", 512);
}

Shape pagination() {
  const auto parameter = [](const char* name) {
    return base::optional("parameter", base::text("The request's parameter."), name);
  };
  const auto more =
      base::optional("more", path_shape("Where a page says whether there is another: a boolean."));
  const auto size = base::optional("size", base::integer("Records a page.", 1, 1'000'000));
  const auto size_parameter = [](std::optional<std::string> name) {
    return base::optional("size_parameter", base::text("Parameter for the size of a page."),
                          std::move(name));
  };
  const auto ends_short = base::optional(
      "ends_short",
      base::boolean("A page with fewer than `size` records is the last one; without it, only an "
                    "empty one is."),
      "false");
  return base::kinds(
      "How to get from one page to the next.",
      {base::kind("none", base::object("There is one page.", {})),
       base::kind("page",
                  base::object("Pages have numbers.",
                               {parameter("page"),
                                base::optional(
                                    "first", base::integer("The first page's.", 0, 1'000'000), "1"),
                                size, size_parameter(std::nullopt), ends_short, more,
                                base::optional("total", path_shape("Where a page says how many "
                                                                   "pages there are."))})),
       base::kind(
           "offset",
           base::object(
               "Records have numbers.",
               {parameter("offset"),
                base::optional("first", base::integer("The first record's.", 0, 1'000'000), "0"),
                size, size_parameter("limit"), ends_short, more,
                base::optional("total", path_shape("Where a page says how many "
                                                   "records there are."))})),
       base::kind("cursor",
                  base::object("Each page tells what to ask for next.",
                               {parameter("cursor"), size, size_parameter(std::nullopt), more,
                                base::optional("next", path_shape("Where in a page it is.")),
                                base::optional("next_of_record",
                                               path_shape("Or where in its last record."))})),
       base::kind(
           "link",
           base::object("Each page tells the next one's address.",
                        {base::optional("next", path_shape("Where in a page it is; without it, in "
                                                           "the header Link, rel=next.")),
                         size, size_parameter(std::nullopt)}))},
      "none");
}

Shape since() {
  return base::object(
      "incremental: how requests ask for what is new.",
      {base::optional("parameter",
                      base::text("The request's parameter for the beginning. Without it, all pages "
                                 "are asked for, and old records are left out here.")),
       base::optional("until", base::text("Parameter for the end, which is when the run began.")),
       base::optional("format",
                      base::matching("iso8601, date, epoch (seconds), epoch_ms, or as strftime has "
                                     "it: \"%Y-%m-%d %H:%M:%S\". In UTC.",
                                     "^(iso8601|date|epoch|epoch_ms|[^\\r\\n]*%[^\\r\\n]*)$",
                                     "iso8601, date, epoch, epoch_ms or a pattern with %", 64)),
       base::optional("start", base::text("Where the first run begins; without it, with "
                                          "everything."))});
}

Shape parent() {
  return base::object(
      "Each record of another table makes requests of its own.",
      {base::required("table", base::text("The other table.")),
       base::optional("columns", base::list("Columns of the parent that records get as "
                                            "_<parent>_<column>; without it, those of the path.",
                                            base::text("")))});
}

/// YAML as JSON.
boost::json::value json_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return nullptr;
    case Node::Kind::kBoolean:
      return node.boolean();
    case Node::Kind::kInteger:
      if (const auto number = node.integer()) return *number;
      return boost::json::string(node.text);
    case Node::Kind::kNumber:
      return std::stod(node.text);
    case Node::Kind::kText:
      return boost::json::string(node.text);
    case Node::Kind::kSequence: {
      boost::json::array items;
      for (const Node& item : node.items) items.push_back(json_of(item));
      return items;
    }
    case Node::Kind::kMap: {
      boost::json::object members;
      for (size_t i = 0; i < node.keys.size(); ++i)
        members[node.keys[i].name] = json_of(node.items[i]);
      return members;
    }
  }
  return nullptr;
}

/// Reads one table.
class TableReader {
 public:
  TableReader(const ConfigReader& reader, const Node& node) : reader_(reader), node_(node) {}

  std::shared_ptr<const RestTable> read(const TableConfig& table) {
    made_.path = text_or(node_, "path", table.name);
    made_.method = text_or(node_, "method", "GET");
    made_.parameters = pairs("params");
    made_.headers = pairs("headers");
    if (const Node* body = node_.find("body")) made_.body = json_of(*body);
    made_.parameters_in_body = text_or(node_, "parameters_in") == "body";
    made_.records = path_at(node_, "records");
    made_.flatten = flag(node_, "flatten");
    const std::string order = text_or(node_, "row_order");
    made_.order = order == "asc"    ? RowOrder::kAscending
                  : order == "desc" ? RowOrder::kDescending
                                    : RowOrder::kNone;
    made_.max_pages = number_at(node_, "max_pages");
    made_.commit_every = number_at(node_, "commit_every");
    if (const Node* ignored = node_.find("ignore_status"))
      for (const Node& item : ignored->items)
        made_.ignore.insert(static_cast<int>(item.integer().value_or(0)));
    if (const Node* found = node_.find("pagination")) read_pagination(*found);
    read_since(table);
    read_parent();
    if (made_.parameters_in_body && made_.method == "GET")
      reader_.complain(*node_.find("parameters_in"), "a GET has no body", "method: POST");
    return std::make_shared<RestTable>(std::move(made_));
  }

 private:
  std::vector<std::pair<std::string, std::string>> pairs(const char* key) {
    std::vector<std::pair<std::string, std::string>> found;
    const Node* map = node_.find(key);
    for (size_t i = 0; map && i < map->keys.size(); ++i) {
      const Node& value = map->items[i];
      // A list is sent as one parameter for each of its values.
      for (const Node& item : value.is_scalar() ? std::vector<Node>{value} : value.items) {
        if (!item.is_scalar()) reader_.complain(item, "a parameter is a text or a list of texts");
        found.emplace_back(map->keys[i].name, item.text);
      }
    }
    return found;
  }

  std::optional<RecordPath> path_at(const Node& node, const char* key) {
    const Node* found = node.find(key);
    if (!found) return std::nullopt;
    try {
      return RecordPath::parse(found->text);
    } catch (const Error& error) {
      reader_.complain(*found, error.message(), error.hint());
      return std::nullopt;
    }
  }

  static int64_t number_at(const Node& node, const char* key) {
    const Node* found = node.find(key);
    return found ? found->integer().value_or(0) : 0;
  }

  void read_pagination(const Node& node) {
    auto& pagination = made_.pagination;
    using Kind = Pagination::Kind;
    const std::string kind = text_or(node, "kind", "none");
    pagination.kind = kind == "page"     ? Kind::kPage
                      : kind == "offset" ? Kind::kOffset
                      : kind == "cursor" ? Kind::kCursor
                      : kind == "link"   ? Kind::kLink
                                         : Kind::kNone;
    pagination.parameter = text_or(node, "parameter");
    pagination.first = number_at(node, "first");
    pagination.size = number_at(node, "size");
    if (pagination.size > 0) pagination.size_parameter = text_or(node, "size_parameter");
    pagination.next = path_at(node, "next");
    pagination.next_of_record = path_at(node, "next_of_record");
    pagination.more = path_at(node, "more");
    pagination.total = path_at(node, "total");
    pagination.ends_short = flag(node, "ends_short");
    if (pagination.ends_short && pagination.size == 0)
      reader_.complain(*node.find("ends_short"), "it takes a 'size' to know a short page");
    if (kind == "cursor" && !node.find("next") == !node.find("next_of_record")) {
      reader_.complain(node, "pagination by cursor needs one of 'next' and 'next_of_record'",
                       "next: meta.next_cursor");
    }
  }

  void read_since(const TableConfig& table) {
    const Node* node = node_.find("incremental");
    if (table.mode == Mode::kIncremental && table.cursor.empty()) {
      reader_.complain(node_, fmt::format("'{}' is incremental and has no cursor", table.name),
                       "cursor: the field of records that grows with every change, such as "
                       "updated_at");
    }
    if (!node) return;
    if (table.mode != Mode::kIncremental && !node->keys.empty())
      reader_.complain(*node, "'incremental' is of use for 'mode: incremental' alone");
    made_.since.parameter = text_or(*node, "parameter");
    made_.since.until = text_or(*node, "until");
    made_.since.format = text_or(*node, "format");
    made_.since.start = text_or(*node, "start");
  }

  void read_parent() {
    std::vector<std::string> used = parent_fields(made_.path);
    for (const auto& [name, value] : made_.parameters) {
      const auto more = parent_fields(value);
      used.insert(used.end(), more.begin(), more.end());
    }
    const Node* node = node_.find("parent");
    if (!node) {
      if (!used.empty()) {
        reader_.complain(node_,
                         fmt::format("'{{parent.{}}}' is used, and there is no parent", used[0]),
                         "parent: { table: the other table }");
      }
      return;
    }
    made_.parent = text_or(*node, "table");
    if (const Node* columns = node->find("columns")) {
      for (const Node& item : columns->items) made_.parent_columns.push_back(item.text);
    } else {
      made_.parent_columns = used;
    }
    std::ranges::sort(made_.parent_columns);
    const auto twice = std::ranges::unique(made_.parent_columns);
    made_.parent_columns.erase(twice.begin(), twice.end());
    check_parent(*node);
  }

  /// It is there, and no table is its own ancestor.
  void check_parent(const Node& node) {
    const Node* tables = reader_.root().find("tables");
    std::string name = made_.parent;
    for (size_t generations = 0; tables && !name.empty(); ++generations) {
      const Node* found = tables->find(name);
      if (!found) {
        std::vector<std::string> names;
        for (const auto& key : tables->keys) names.push_back(key.name);
        reader_.complain(node, fmt::format("there is no table '{}'", name),
                         base::did_you_mean(name, names, "tables: "));
        return;
      }
      if (generations > tables->keys.size()) {
        reader_.complain(node, "a table is its own parent, or parent's parent");
        return;
      }
      const Node* next = found->find("parent");
      name = next ? text_or(*next, "table") : "";
    }
  }

  const ConfigReader& reader_;
  const Node& node_;
  RestTable made_;
};

}  // namespace

const RestOptions& rest_options(const SourceConfig& config) {
  return dynamic_cast<const RestOptions&>(*config.options);
}

const RestTable& rest_options(const TableConfig& table) {
  return dynamic_cast<const RestTable&>(*table.options);
}

std::vector<std::string> parent_fields(std::string_view text) {
  std::vector<std::string> names;
  for (size_t at = 0; (at = text.find(kPlaceholder, at)) != std::string_view::npos;) {
    at += std::string_view(kPlaceholder).size();
    const size_t end = text.find('}', at);
    if (end == std::string_view::npos) break;
    names.emplace_back(text.substr(at, end - at));
  }
  return names;
}

std::vector<Shape> rest_keys() {
  auto keys = http_keys();
  keys.insert(keys.begin(), base::required("base_url", base::matching("What all paths are below.",
                                                                      "^https?://[^\\s]+$",
                                                                      "an address such as "
                                                                      "https://api.example.com/v1",
                                                                      1024)));
  return keys;
}

std::vector<Shape> rest_table_keys() {
  return {
      base::optional("path", base::matching("Below the base address; without it, the table's name. "
                                            "{parent.id} stands for a value of the parent.",
                                            "^[^\\r\\n\\s]+$", "a path such as /items", 1024)),
      base::optional("method", base::choice("Of the requests.", {"GET", "POST"}), "GET"),
      base::optional("params", parameters("Parameters of each request.")),
      base::optional("headers",
                     base::map("Headers of each request.", "^[A-Za-z0-9-]+$", "a header's name",
                               base::matching("", "^[^\\r\\n]*$", "one line", 8192))),
      base::optional("body", base::any("Sent as JSON.")),
      base::optional("parameters_in",
                     base::choice("Where parameters of pagination and of 'incremental' are sent.",
                                  {"query", "body"}),
                     "query"),
      base::optional("records", path_shape("Where in a page the records are: data.items; $ is the "
                                           "page itself. Without it, the only list of the page.")),
      base::optional("pagination", pagination()),
      base::optional("incremental", since()),
      base::optional("row_order",
                     base::choice("How records come, by the cursor: with asc a run that was killed "
                                  "goes on where it was, with desc it stops at what is known.",
                                  {"asc", "desc"})),
      base::optional("parent", parent()),
      base::optional("flatten",
                     base::boolean("Members of objects in records become columns: a__b. Otherwise, "
                                   "and deeper, they are kept as JSON."),
                     "false"),
      base::optional("ignore_status", base::list("Answers that mean that there are no records.",
                                                 base::integer("", 400, 599))),
      base::optional("commit_every",
                     base::integer("Records after which rows and position are committed, where a "
                                   "run can go on from.",
                                   1, 100'000'000)),
      base::optional("max_pages",
                     base::integer("A run that needs more fails: a guard.", 1, 100'000'000),
                     "1000000")};
}

void read_rest(const ConfigReader& reader, SourceConfig& config) {
  auto options = std::make_shared<RestOptions>();
  options->http = read_http(reader, reader.root());
  const Node& base = *reader.root().find("base_url");
  if (auto url = parse_url(base.text)) {
    while (url->target.ends_with('/')) url->target.pop_back();
    options->http.base = std::move(*url);
  } else {
    reader.complain(base, "'base_url' is no http:// or https:// address",
                    "credentials go under 'auth', not into the address");
  }
  if (const Node* tables = reader.root().find("tables"))
    add_secrets(reader, *tables, options->http.secrets);
  config.options = std::move(options);
}

void read_rest_table(const ConfigReader& reader, const Node& node, const SourceConfig&,
                     TableConfig& table) {
  table.options = TableReader(reader, node).read(table);
}

}  // namespace meesh::ingest
