#include "transform/dbt_event.h"

#include "transform/dbt_json.h"

namespace meesh::transform {
namespace {

namespace json = boost::json;
using dbt_json::text;

double number_of(const json::object& from, const char* key) {
  const json::value* value = from.if_contains(key);
  if (value == nullptr || !value->is_number()) return 0;
  const double number = value->to_number<double>();
  return number >= 0 && number < 1e12 ? number : 0;
}

std::optional<uint64_t> count_of(const json::object& from, const char* key) {
  const json::value* value = from.if_contains(key);
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0) return std::nullopt;
  return static_cast<uint64_t>(value->get_int64());
}

bool true_of(const json::object& from, const char* key) {
  const json::value* value = from.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

/// Of ["lake", "gold", "Orders"].
std::string relation_of(const json::object& from) {
  const auto parts = dbt_json::texts(from, "relation");
  return parts.size() == 3 ? dbt_json::relation(parts[0], parts[1], parts[2]) : "";
}

log::Level level_of(const std::string& word) {
  if (word == "error") return log::Level::kError;
  return word == "warn" ? log::Level::kWarn : log::Level::kInfo;
}

DbtNodeRun node_of(const json::object& from) {
  DbtNodeRun node;
  node.id = text(from, "id");
  node.resource_type = text(from, "type");
  node.name = text(from, "name");
  const bool makes_a_table = node.resource_type == "model" || node.resource_type == "seed" ||
                             node.resource_type == "snapshot";
  if (makes_a_table) node.relation = relation_of(from);
  node.status = text(from, "status");
  node.message = text(from, "message");
  node.seconds = number_of(from, "seconds");
  node.rows = count_of(from, "rows");
  node.failures = count_of(from, "failures");
  return node;
}

}  // namespace

std::optional<DbtEvent> read_dbt_event(std::string_view line) {
  boost::system::error_code mistake;
  const json::value value = json::parse(line, mistake);
  if (mistake || !value.is_object()) return std::nullopt;
  const json::object& from = value.get_object();
  const std::string kind = text(from, "event");
  DbtEvent event;
  if (kind == "plan") {
    event.kind = DbtEvent::Kind::kPlan;
    event.total = count_of(from, "total").value_or(0);
  } else if (kind == "node") {
    event.kind = DbtEvent::Kind::kNode;
    event.node = node_of(from);
    if (event.node.id.empty() || event.node.status.empty()) return std::nullopt;
  } else if (kind == "line") {
    event.text = text(from, "text");
    event.level = level_of(text(from, "level"));
  } else if (kind == "done") {
    event.kind = DbtEvent::Kind::kDone;
    event.good = true_of(from, "good");
    event.text = text(from, "error");
    event.invocation = text(from, "invocation");
    event.seconds = number_of(from, "seconds");
  } else {
    return std::nullopt;
  }
  return event;
}

}  // namespace meesh::transform
