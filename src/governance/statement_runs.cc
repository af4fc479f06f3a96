#include "governance/statement_runs.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/log.h"
#include "governance/work.h"
#include "sql/lexer.h"

namespace meesh::governance {
namespace {

namespace json = boost::json;

constexpr size_t kLongestSql = 64 << 10;
constexpr size_t kMostKept = 10'000;  // tags can name anything

/// The value of a tag "name=value" of the session.
std::string tag(const engine::Session& session, std::string_view name) {
  for (const auto& tag : session.client_tags) {
    if (tag.size() > name.size() && tag.starts_with(name) && tag[name.size()] == '=') {
      return tag.substr(name.size() + 1);
    }
  }
  return "";
}

/// "model.shop.customers", which dbt writes into a comment before the statement: /* {"app": "dbt",
/// "node_id": …} */.
std::string dbt_node(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || !text.substr(begin).starts_with("/*")) return "";
  const size_t end = text.find("*/", begin);
  if (end == std::string_view::npos) return "";
  json::error_code failed;
  const auto comment = json::parse(text.substr(begin + 2, end - begin - 2), failed);
  if (failed || !comment.is_object()) return "";
  const auto* app = comment.get_object().if_contains("app");
  const auto* node = comment.get_object().if_contains("node_id");
  if (!app || *app != "dbt" || !node || !node->is_string()) return "";
  return std::string(node->get_string());
}

const std::vector<std::pair<std::string, std::string>>& fields_of(const sql::Lineage& lineage,
                                                                  const sql::TableName& table) {
  static const std::vector<std::pair<std::string, std::string>> kNone;
  for (const auto& known : lineage.tables) {
    if (known.table == table) return known.columns;
  }
  return kNone;
}

/// Reads what a statement's lineage says into what a run says.
class Reader {
 public:
  Reader(const engine::WriteEvent& event, const DatasetNames& names)
      : session_(event.session), lineage_(event.lineage), names_(names) {}

  void read(JobRun& run) const {
    for (const auto* all : {&lineage_.inputs, &lineage_.views}) {
      for (const auto& name : *all) {
        if (auto dataset = read_from(name)) {
          run.inputs.push_back({std::move(*dataset), fields_of(lineage_, name)});
        }
      }
    }
    for (const auto& name : lineage_.outputs) {
      OutputData output;
      output.dataset = Dataset::of(name);
      output.fields = fields_of(lineage_, name);
      output.replaced = lineage_.replaces;
      output.rows = sources(lineage_.rows);
      output.rows_reason = lineage_.rows_reason;
      if (!moves_nothing(lineage_)) {
        for (const auto& column : lineage_.columns) {
          output.lineage.push_back({column.column, sources(column.sources), column.reason});
        }
      }
      run.outputs.push_back(std::move(output));
    }
  }

 private:
  /// What a table read stands for. Catalogs whose names begin with $ are our own rooms': they say
  /// by a tag what is behind one, or nothing is known of it.
  std::optional<Dataset> read_from(const sql::TableName& table) const {
    if (!table.catalog.starts_with('$')) return Dataset::of(table);
    const std::string behind = tag(session_, "meesh-input");
    if (behind.empty()) return std::nullopt;
    if (behind.find("://") == std::string::npos) return Dataset{"", sql::lower(behind)};
    const Dataset there = split_address(behind);
    // Whether a folder is a table's only the metadata database can tell, which is busy now.
    return there.name_space.starts_with("postgres") ? names_.resolve(there) : there;
  }

  std::vector<FieldSource> sources(const std::vector<sql::ColumnSource>& from) const {
    std::vector<FieldSource> out;
    for (const auto& source : from) {
      if (auto dataset = read_from(source.table)) {
        out.push_back({std::move(*dataset), source.column, source.influences});
      }
    }
    return out;
  }

  const engine::Session& session_;
  const sql::Lineage& lineage_;
  const DatasetNames& names_;
};

/// "meesh-output=ADDRESS": the table written is on its way there, and gone afterwards. False if
/// there is nothing to tell.
bool to_target(const engine::WriteEvent& event, JobRun& run) {
  const std::string address = tag(event.session, "meesh-output");
  if (address.empty()) return true;
  for (auto& output : run.outputs) output.dataset = split_address(address);
  return !moves_nothing(event.lineage);
}

/// What is told once and goes on (a stream's next batch), and tables that our own rooms keep for
/// themselves.
bool is_nobodys(const engine::WriteEvent& event) {
  if (!tag(event.session, "meesh-quiet").empty()) return true;
  const auto& outputs = event.lineage.outputs;
  return !outputs.empty() && std::ranges::all_of(outputs, [](const sql::TableName& table) {
    return table.catalog.starts_with('$');
  });
}

}  // namespace

bool moves_nothing(const sql::Lineage& lineage) {
  return lineage.statement.starts_with("DROP") || lineage.statement.starts_with("RENAME");
}

std::optional<JobRun> StatementRuns::run_of(const engine::WriteEvent& event) {
  if (is_nobodys(event)) return std::nullopt;
  const std::string& statement = event.lineage.statement;
  JobRun run;
  run.type = "QUERY";
  if (const std::string type = tag(event.session, "meesh-type"); !type.empty()) run.type = type;
  run.job = tag(event.session, "meesh-job");
  if (const std::string node = dbt_node(event.query.text); run.job.empty() && !node.empty()) {
    const Work work = work_of_dbt(node);
    run.job = work.job;
    run.type = work.type;
    run.integration = work.integration;
  }
  run.adds = run.job.empty() || statement == "UPDATE" || statement == "DELETE";
  if (run.job.empty()) {
    run.job = statement;
    if (!event.lineage.outputs.empty()) run.job += " " + event.lineage.outputs.front().display();
  }
  run.run_id = event.query.id;
  run.parent_run = tag(event.session, "meesh-run");
  run.parent_job = tag(event.session, "meesh-parent");
  run.started = event.query.created;
  run.time = std::chrono::system_clock::now();
  run.sql = log::redact(event.query.text.substr(0, kLongestSql));
  run.query_id = event.query.id;
  run.user = event.query.user;
  Reader(event, names_).read(run);
  if (!through_stand_in(event, run) || !to_target(event, run)) return std::nullopt;
  for (auto& output : run.outputs) {
    output.row_count = event.query.update_count;
    if (!moves_nothing(event.lineage) && goes_on(run, output.dataset)) run.adds = true;
  }
  return run;
}

bool StatementRuns::through_stand_in(const engine::WriteEvent& event, JobRun& run) {
  const std::string name = tag(event.session, "meesh-stand-in");
  if (name.empty() || run.outputs.empty()) return true;
  const Dataset stand_in{"", name};
  const std::lock_guard lock(mutex_);
  if (run.outputs.front().dataset == stand_in) {
    if (moves_nothing(event.lineage)) {
      stand_ins_.erase(name);
    } else {
      if (stand_ins_.size() >= kMostKept) stand_ins_.clear();
      stand_ins_[name] = std::move(run);
    }
    return false;
  }
  const auto known = stand_ins_.find(name);
  if (known == stand_ins_.end()) return true;
  // Rows that make room for those that come.
  if (event.lineage.statement == "DELETE") return false;
  const bool reads = std::ranges::any_of(
      run.inputs, [&](const InputData& input) { return input.dataset == stand_in; });
  if (!reads) return true;
  const OutputData& made = known->second.outputs.front();
  OutputData& output = run.outputs.front();
  run.inputs = known->second.inputs;
  run.sql = known->second.sql;
  run.started = known->second.started;
  output.lineage = made.lineage;
  output.rows = made.rows;
  output.rows_reason = made.rows_reason;
  if (output.fields.empty()) output.fields = made.fields;
  return true;
}

bool StatementRuns::goes_on(const JobRun& run, const Dataset& output) {
  if (run.parent_run.empty()) return false;
  const std::lock_guard lock(mutex_);
  if (latest_.size() >= kMostKept) latest_.clear();
  auto& [latest, first] = latest_[{run.job, output}];
  if (latest == run.parent_run) return first != run.run_id;
  latest = run.parent_run;
  first = run.run_id;
  return false;
}

}  // namespace meesh::governance
