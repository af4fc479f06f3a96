#include <boost/json.hpp>

#include "governance/open_lineage.h"

namespace meesh::governance {
namespace {

namespace json = boost::json;

/// A value of the event, with where it stands.
class Node {
 public:
  Node(const json::value& value, std::string pointer)
      : value_(value), pointer_(std::move(pointer)) {}

  [[noreturn]] void refuse(const std::string& what) const { throw EventError(pointer_, what); }

  const json::object& object() const {
    if (!value_.is_object()) refuse("must be an object");
    return value_.get_object();
  }
  std::string text() const {
    if (!value_.is_string()) refuse("must be text");
    const auto& text = value_.get_string();
    if (text.size() > kLongest) refuse("is too long");
    if (text.find('\0') != json::string::npos) refuse("must not hold the character U+0000");
    return std::string(text);
  }
  std::string filled() const {
    std::string out = text();
    if (out.empty()) refuse("must not be empty");
    return out;
  }
  std::optional<uint64_t> count() const {
    if (value_.is_int64() && value_.get_int64() >= 0) {
      return static_cast<uint64_t>(value_.get_int64());
    }
    if (value_.is_uint64()) return value_.get_uint64();
    return std::nullopt;
  }

  std::optional<Node> find(std::string_view key) const {
    const auto* found = object().if_contains(key);
    if (!found || found->is_null()) return std::nullopt;
    return Node(*found, pointer_ + "/" + escaped(key));
  }
  Node at(std::string_view key) const {
    auto found = find(key);
    if (!found) throw EventError(pointer_ + "/" + escaped(key), "is required");
    return *found;
  }
  std::string text_or(std::string_view key, std::string otherwise) const {
    const auto found = find(key);
    return found ? found->text() : otherwise;
  }

  template <typename Visit>
  void each(std::string_view key, const Visit& visit) const {
    const auto found = find(key);
    if (!found) return;
    if (!found->value_.is_array()) found->refuse("must be an array");
    size_t index = 0;
    for (const auto& item : found->value_.get_array()) {
      visit(Node(item, found->pointer_ + "/" + std::to_string(index++)));
    }
  }
  template <typename Visit>
  void members(std::string_view key, const Visit& visit) const {
    const auto found = find(key);
    if (!found) return;
    for (const auto& [name, value] : found->object()) {
      visit(std::string(name), Node(value, found->pointer_ + "/" + escaped(name)));
    }
  }
  /// A facet of this name, of "facets" or another key.
  std::optional<Node> facet(std::string_view name, std::string_view of = "facets") const {
    const auto facets = find(of);
    return facets ? facets->find(name) : std::nullopt;
  }

 private:
  static constexpr size_t kLongest = 1 << 20;

  static std::string escaped(std::string_view key) {
    std::string out;
    for (const char c : key) {
      if (c == '~') {
        out += "~0";
      } else if (c == '/') {
        out += "~1";
      } else {
        out += c;
      }
    }
    return out;
  }

  const json::value& value_;
  std::string pointer_;
};

class Reader {
 public:
  explicit Reader(const DatasetNames& names) : names_(names) {}

  Event read(const Node& root) {
    const std::string time = root.at("eventTime").text();
    const auto when = parse_time(time);
    if (!when) {
      root.at("eventTime")
          .refuse(
              "must be a time with its offset, such as "
              "2025-01-15T14:30:00.000Z");
    }
    event_.run.time = *when;
    event_.run.integration.clear();
    root.at("producer").filled();
    root.at("schemaURL").filled();
    if (const auto dataset = root.find("dataset"); dataset && !root.find("run")) {
      event_.kind = Event::Kind::kDataset;
      event_.run.inputs.push_back({this->dataset(*dataset), fields(*dataset)});
      return std::move(event_);
    }
    event_.kind = root.find("run") ? Event::Kind::kRun : Event::Kind::kJob;
    if (event_.kind == Event::Kind::kRun) run(root);
    job(root.at("job"));
    root.each("inputs", [&](const Node& node) {
      const Dataset dataset = this->dataset(node);
      event_.run.inputs.push_back({dataset, fields(node)});
    });
    root.each("outputs", [&](const Node& node) { output(node); });
    return std::move(event_);
  }

 private:
  void run(const Node& root) {
    const Node run = root.at("run");
    const std::string id = run.at("runId").text();
    if (uuid_of(id) != lower(id)) run.at("runId").refuse("must be a UUID");
    event_.run.run_id = lower(id);
    event_.run.state = RunState::kOther;
    if (const auto type = root.find("eventType")) {
      const auto state = state_of(type->text());
      if (!state) type->refuse("must be START, RUNNING, COMPLETE, ABORT, FAIL or OTHER");
      event_.run.state = *state;
    }
    if (const auto parent = run.facet("parent")) {
      if (const auto id_of = parent->find("run"))
        event_.run.parent_run = id_of->text_or("runId", "");
      if (const auto job = parent->find("job")) event_.run.parent_job = job->text_or("name", "");
    }
    if (const auto failure = run.facet("errorMessage")) {
      event_.run.error = failure->text_or("message", "");
    }
  }

  void job(const Node& job) {
    event_.run.name_space = job.at("namespace").filled();
    event_.run.job = job.at("name").filled();
    if (const auto type = job.facet("jobType")) {
      event_.run.integration = type->text_or("integration", "");
      event_.run.type = type->text_or("jobType", "");
    }
    if (const auto sql = job.facet("sql")) event_.run.sql = sql->text_or("query", "");
  }

  /// A table of the mesh if one of its names says so for certain.
  Dataset dataset(const Node& node) const {
    const Dataset written{node.at("namespace").filled(), node.at("name").filled()};
    Dataset found = names_.resolve(written);
    if (found.of_mesh()) return found;
    if (const auto links = node.facet("symlinks")) {
      links->each("identifiers", [&](const Node& link) {
        const Dataset other =
            names_.resolve({link.at("namespace").filled(), link.at("name").filled()});
        if (other.of_mesh() && !found.of_mesh()) found = other;
      });
    }
    return found;
  }

  static std::vector<std::pair<std::string, std::string>> fields(const Node& node) {
    std::vector<std::pair<std::string, std::string>> out;
    if (const auto schema = node.facet("schema")) {
      schema->each("fields", [&](const Node& field) {
        out.emplace_back(field.at("name").text(), field.text_or("type", ""));
      });
    }
    return out;
  }

  void output(const Node& node) {
    OutputData out;
    out.dataset = dataset(node);
    out.fields = fields(node);
    if (const auto lineage = node.facet("columnLineage")) {
      lineage->members("fields", [&](const std::string& name, const Node& field) {
        FieldLineage one{name, {}, ""};
        field.each("inputFields", [&](const Node& from) { one.sources.push_back(source(from)); });
        // The facet's first version told it of all inputs at once.
        const bool same = field.text_or("transformationType", "") == "IDENTITY";
        for (auto& from : one.sources) {
          if (from.influences.empty() && same) from.influences = {sql::Influence::kIdentity};
        }
        out.lineage.push_back(std::move(one));
      });
      lineage->each("dataset", [&](const Node& from) { out.rows.push_back(source(from)); });
    }
    if (const auto change = node.facet("lifecycleStateChange")) lifecycle(*change, out);
    if (const auto statistics = node.facet("outputStatistics", "outputFacets")) {
      if (const auto rows = statistics->find("rowCount")) out.row_count = rows->count();
      if (const auto bytes = statistics->find("size")) out.bytes = bytes->count();
    }
    event_.run.outputs.push_back(std::move(out));
  }

  void lifecycle(const Node& change, OutputData& out) {
    const std::string word = change.text_or("lifecycleStateChange", "");
    out.replaced = word == "CREATE" || word == "OVERWRITE" || word == "TRUNCATE";
    if (word == "DROP") event_.dropped.push_back(out.dataset);
    const auto previous = change.find("previousIdentifier");
    if (word != "RENAME" || !previous) return;
    event_.renamed.emplace_back(
        names_.resolve({previous->at("namespace").filled(), previous->at("name").filled()}),
        out.dataset);
  }

  FieldSource source(const Node& node) const {
    FieldSource out;
    out.dataset = names_.resolve({node.at("namespace").filled(), node.at("name").filled()});
    out.field = node.at("field").text();
    node.each("transformations", [&](const Node& how) {
      const std::string type = how.text_or("type", "");
      if (type != "DIRECT" && type != "INDIRECT") {
        how.at("type").refuse("must be DIRECT or INDIRECT");
      }
      if (const auto one = sql::influence_of(how.text_or("subtype", ""))) {
        out.influences.insert(*one);
      } else if (type == "DIRECT") {
        out.influences.insert(sql::Influence::kTransformation);
      } else {
        out.influences.insert(sql::Influence::kConditional);
      }
    });
    return out;
  }

  static std::string lower(std::string text) {
    for (char& c : text) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
  }

  const DatasetNames& names_;
  Event event_;
};

}  // namespace

Event read_event(const json::value& event, const DatasetNames& names) {
  return Reader(names).read(Node(event, ""));
}

}  // namespace meesh::governance
