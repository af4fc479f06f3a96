// How a model becomes a table or view.
//
// In a lake one statement does it, and the audit reads the change before its commit. Elsewhere
// (PostgreSQL, memory) the rows are put into "<table>__candidate" first and audited there; the
// change itself is one transaction of the database.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/ask.h"
#include "governance/work.h"
#include "quality/parameters.h"
#include "sql/sql.h"
#include "transform/sql_model.h"

namespace meesh::transform {
namespace {

using engine::quote_name;
using engine::quote_text;
using Columns = std::vector<engine::Column>;

constexpr const char* kCandidate = "__candidate";

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

governance::Work work_of(const Model& model) {
  governance::Work work;
  work.job = work.output = model.name;
  work.type = "MODEL";
  work.stand_in = model.name + kCandidate;
  return work;
}

/// Ends with its table: no table of a candidate outlives its run.
class Run {
 public:
  Run(engine::Engine& engine, quality::Quality& quality, const std::string& user,
      const Model& model, const TaskContext& context,
      const std::function<void(soci::session&)>& also)
      : engine_(engine),
        quality_(quality),
        model_(model),
        context_(context),
        also_(also),
        this_(*quality::table_sql(model.name)) {
    session_.user = session_.original_user = user;
    session_.source = "models";
    session_.client_tags = governance::tags_of(work_of(model), context);
    const std::string bare = this_.substr(0, this_.size() - 1);
    candidate_ = bare + kCandidate + '"';
    quality::check_parameters(context.parameters);
    auto values = context.parameters;
    values["this"] = this_;
    query_ = fill(model.sql, values);
    if (!model.new_rows.empty()) new_rows_ = fill(model.new_rows, values);
    for (const auto& [column, value] : model.partition)
      partition_.emplace_back(lower(column), fill(value, values));
  }

  ModelResult make(bool full_refresh) {
    const size_t dot = this_.rfind(".\"");
    ask("CREATE SCHEMA IF NOT EXISTS " + this_.substr(0, dot));
    in_lake_ = lake();
    const auto existing = kind();
    switch (model_.kind) {
      case Model::Kind::kView:
        view(existing);
        break;
      case Model::Kind::kMaterializedView:
        materialized_view(existing);
        break;
      case Model::Kind::kTable:
        whole(existing);
        break;
      case Model::Kind::kIncremental:
        if (existing == "BASE TABLE" && !full_refresh)
          increment();
        else
          whole(existing);
        break;
    }
    return std::move(result_);
  }

 private:
  static std::string fill(const std::string& text,
                          const std::map<std::string, std::string>& values) {
    return quality::fill_parameters(text, values);
  }

  engine::Answer ask(const std::string& sql, std::shared_ptr<const engine::LakeCommit> commit = {},
                     const std::string& transaction = "") {
    engine::Session session = session_;
    session.commit = std::move(commit);
    session.transaction_id = transaction;
    return engine::ask(engine_, sql, session, context_.stop, [this](const engine::QueryInfo& info) {
      if (info.progress_known) context_.progress(static_cast<uint64_t>(info.progress), 100);
    });
  }

  std::string part(size_t index) const {
    size_t begin = 0;
    for (size_t i = 0; i < index; ++i) begin = model_.name.find('.', begin) + 1;
    return model_.name.substr(begin, model_.name.find('.', begin) - begin);
  }

  /// "BASE TABLE", "VIEW", "MATERIALIZED VIEW"; "" if there is nothing.
  std::string kind() {
    const auto stored =
        ask(fmt::format("SELECT 1 FROM system.metadata.materialized_views WHERE catalog_name = {} "
                        "AND schema_name = "
                        "{} AND name = {}",
                        quote_text(part(0)), quote_text(part(1)), quote_text(part(2))));
    if (!stored.rows.empty()) return "MATERIALIZED VIEW";
    const auto found =
        ask(fmt::format("SELECT table_type FROM {}.information_schema.tables WHERE table_schema = "
                        "{} AND table_name "
                        "= {}",
                        quote_name(part(0)), quote_text(part(1)), quote_text(part(2))));
    return found.rows.empty() ? "" : found.rows[0].at(0).value_or("");
  }

  bool lake() {
    const auto found =
        ask("SELECT connector_name FROM system.metadata.catalogs WHERE catalog_name = " +
            quote_text(part(0)));
    return !found.rows.empty() && found.rows[0].at(0) == "iceberg";
  }

  Columns columns_of(const std::string& query) {
    return ask(fmt::format("SELECT * FROM {} LIMIT 0", query)).columns;
  }

  /// The query with the columns of its partition. In lines of its own, as it may end in a comment.
  std::string rows() const {
    const std::string inner = "(\n" + trimmed(query_) + "\n)";
    if (partition_.empty()) return inner;
    std::string added;
    for (const auto& [column, value] : partition_)
      added += fmt::format(", {}{} AS {}", is_date(value) ? "DATE " : "", quote_text(value),
                           quote_name(column));
    return fmt::format("(SELECT q.*{} FROM {} AS q)", added, inner);
  }

  static std::string trimmed(std::string text) {
    const auto statement = sql::parse(text);  // says where it is wrong
    while (!text.empty() &&
           (std::isspace(static_cast<unsigned char>(text.back())) || text.back() == ';'))
      text.pop_back();
    return text;
  }

  static bool is_date(const std::string& text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
    return text.find_first_not_of("0123456789-") == std::string::npos;
  }

  quality::Suite suite() const { return {model_.suite, model_.name, model_.checks}; }

  /// Throws if a check of severity error fails. The statements of checks come from here, and what
  /// they need is there only while the candidate is.
  void audit(const std::string& candidate) {
    if (model_.checks.empty()) return;
    result_.checks = quality_.run(suite(), context_, candidate);
    if (quality::blocks(result_.checks)) throw quality::failure(result_.checks);
  }

  std::shared_ptr<engine::LakeCommit> commit() {
    auto commit = std::make_shared<engine::LakeCommit>();
    commit->also = also_;
    commit->summary["meesh.model"] = model_.name;
    if (!context_.run_id.empty()) commit->summary["meesh.run-id"] = context_.run_id;
    if (!model_.checks.empty())
      commit->audit = [this](const std::string& candidate) { audit(candidate); };
    return commit;
  }

  void done(std::string action, const engine::Answer& answer) {
    result_.action = std::move(action);
    result_.rows = answer.update_count;
  }

  std::string with() const {
    std::string text;
    bool partitioned = false, placed = false, laid_out = false;
    const auto add = [&](const std::string& name, const std::string& value) {
      text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, value);
    };
    for (const auto& [name, value] : model_.properties) {
      add(name, value);
      partitioned = partitioned || name == "partitioning";
      placed = placed || name == "location";
      laid_out = laid_out || name == "data_location" || name == "data_layout";
    }
    if (!partition_.empty() && in_lake_) {
      std::string columns, layout;
      for (const auto& [column, value] : partition_) {
        columns += (columns.empty() ? "" : ", ") + quote_text(column);
        layout += "{" + column + "}/";
      }
      if (!partitioned) add("partitioning", "ARRAY[" + columns + "]");
      // The folders of a medallion: <location>/<run date>/.
      if (placed && !laid_out && !partitioned) {
        for (const auto& [name, value] : model_.properties)
          if (name == "location") add("data_location", value);
        add("data_layout", quote_text(layout + "{file}"));
      }
    }
    return text.empty() ? "" : " WITH (" + text + ")";
  }

  // ---- whole tables

  void drop_other(const std::string& existing) {
    if (existing == "VIEW") ask("DROP VIEW " + this_);
    if (existing == "MATERIALIZED VIEW") ask("DROP MATERIALIZED VIEW " + this_);
  }

  void whole(const std::string& existing) {
    const std::string action = existing.empty() ? "created" : "replaced";
    if (!in_lake_) return whole_elsewhere(existing, action);
    if (existing == "MATERIALIZED VIEW") {
      audit(rows());  // before what has another kind goes
      drop_other(existing);
    }
    auto publishing = commit();
    publishing->instead_of_view = true;
    done(action,
         ask(fmt::format("CREATE OR REPLACE TABLE {}{} AS SELECT * FROM {}", this_, with(), rows()),
             publishing));
  }

  void whole_elsewhere(const std::string& existing, const std::string& action) {
    const Candidate candidate(*this);
    ask(fmt::format("CREATE TABLE {}{} AS SELECT * FROM {}", candidate_, with(), rows()));
    audit(candidate_);
    drop_other(existing);
    if (const auto same = same_columns(existing); !same.empty())
      return exchange(action, "true", same);
    done(action, ask(fmt::format("CREATE OR REPLACE TABLE {}{} AS SELECT * FROM {}", this_, with(),
                                 candidate_)));
  }

  /// The columns, if the table is there and has those of the candidate.
  std::vector<std::string> same_columns(const std::string& existing) {
    if (existing != "BASE TABLE") return {};
    std::vector<std::string> names;
    const auto there = columns_of(this_), wanted = columns_of(candidate_);
    for (size_t i = 0; i < wanted.size() && there.size() == wanted.size(); ++i) {
      if (lower(there[i].name) != lower(wanted[i].name) || there[i].type != wanted[i].type)
        return {};
      names.push_back(lower(wanted[i].name));
    }
    return names;
  }

  /// Rows for which `leaves` holds make room for the candidate's, in one transaction. PostgreSQL's
  /// readers see either, whereas a table that is dropped and made anew would seem empty to those
  /// whose snapshot is older.
  void exchange(const std::string& action, const std::string& leaves,
                const std::vector<std::string>& columns) {
    const std::string transaction = begin();
    try {
      if (leaves != "false")
        ask(fmt::format("DELETE FROM {} WHERE {}", this_, leaves), {}, transaction);
      done(action, ask(insert(this_, columns, candidate_), {}, transaction));
    } catch (...) {
      end("ROLLBACK", transaction);
      throw;
    }
    end("COMMIT", transaction);
  }

  /// Takes "<table>__candidate" away before it is made (a run that was killed may have left it) and
  /// when it has served.
  class Candidate {
   public:
    explicit Candidate(Run& run) : run_(run) { drop(); }
    ~Candidate() {
      try {
        drop();
      } catch (const Error& e) {
        run_.context_.warn(fmt::format("{} is left: {}", run_.candidate_, e.what()));
      }
    }
    Candidate(const Candidate&) = delete;
    Candidate& operator=(const Candidate&) = delete;

   private:
    // Also when the task was cancelled.
    void drop() {
      engine::ask(run_.engine_, "DROP TABLE IF EXISTS " + run_.candidate_, run_.session_);
    }
    Run& run_;
  };

  // ---- views

  void view(const std::string& existing) {
    if (!model_.checks.empty()) {
      // A view is its query: what the query gives is what readers would see.
      audit(rows());
    }
    if (existing == "BASE TABLE") ask("DROP TABLE " + this_);
    if (existing == "MATERIALIZED VIEW") drop_other(existing);
    ask(fmt::format("CREATE OR REPLACE VIEW {} AS {}", this_, trimmed(query_)));
    result_.action = "view";
  }

  void materialized_view(const std::string& existing) {
    const std::string query = trimmed(query_);
    const auto stored = ask(fmt::format(
        "SELECT definition FROM system.metadata.materialized_views WHERE catalog_name = {} AND "
        "schema_name = {} AND name = {}",
        quote_text(part(0)), quote_text(part(1)), quote_text(part(2))));
    const std::string wanted = sql::print_trino(*sql::parse(query));
    const bool same =
        !stored.rows.empty() &&
        sql::print_trino(*sql::parse(stored.rows[0].at(0).value_or("SELECT 1"))) == wanted;
    // The query is audited before it takes the place of another one; a refresh, before its rows do.
    if (!same) {
      audit(rows());
      if (existing == "BASE TABLE") ask("DROP TABLE " + this_);
      if (existing == "VIEW") drop_other(existing);
      ask(fmt::format("CREATE OR REPLACE MATERIALIZED VIEW {}{} AS {}", this_, with(), query));
    }
    done("refreshed", ask("REFRESH MATERIALIZED VIEW " + this_, commit()));
  }

  // ---- incremental

  std::string new_rows() const {
    return new_rows_.empty() ? rows()
                             : fmt::format("(SELECT * FROM {} WHERE {}\n)", rows(), new_rows_);
  }

  /// Makes the table take the query's columns; gives those that are written.
  std::vector<std::string> agree_columns() {
    std::map<std::string, sql::Type> there;
    for (const auto& column : columns_of(this_)) there.emplace(lower(column.name), column.type);
    std::vector<std::string> written, missing;
    std::set<std::string> given;
    for (const auto& column : columns_of(rows())) {
      const std::string name = lower(column.name);
      given.insert(name);
      if (there.contains(name)) {
        written.push_back(name);
      } else if (model_.on_schema_change == Model::SchemaChange::kFail) {
        missing.push_back(name + " is new");
      } else if (model_.on_schema_change == Model::SchemaChange::kAppendNewColumns) {
        ask(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", this_, quote_name(name),
                        column.type.display()));
        written.push_back(name);
      }
    }
    for (const auto& [name, type] : there)
      if (!given.contains(name) && model_.on_schema_change == Model::SchemaChange::kFail)
        missing.push_back(name + " is gone");
    if (!missing.empty()) {
      std::string words;
      for (const auto& one : missing) words += (words.empty() ? "" : ", ") + one;
      throw Error(
          Code::kMismatchedColumnAliases,
          fmt::format("the columns of the query are not those of '{}': {}", model_.name, words))
          .with_hint("run it with --full-refresh, or set on_schema_change");
    }
    return written;
  }

  static std::string list(const std::vector<std::string>& columns, const std::string& prefix = "") {
    std::string text;
    for (const auto& column : columns)
      text += (text.empty() ? "" : ", ") + prefix + quote_name(column);
    return text;
  }

  /// Two rows are the same; keys that are null are equal to nothing.
  std::string same_key(const std::string& left, const std::string& right) const {
    std::string text;
    for (const auto& key : model_.unique_key)
      text += fmt::format("{}{}.{} = {}.{}", text.empty() ? "" : " AND ", left,
                          quote_name(lower(key)), right, quote_name(lower(key)));
    return text;
  }

  void increment() {
    const auto columns = agree_columns();
    if (!in_lake_) return increment_elsewhere(columns);
    auto publishing = commit();
    switch (model_.strategy) {
      case Model::Strategy::kReplacePartition:
        publishing->replaced_partition = partition_;
        [[fallthrough]];
      case Model::Strategy::kAppend:
        return done("inserted", ask(insert(this_, columns, new_rows()), publishing));
      case Model::Strategy::kMerge:
        return done("merged", ask(merge(columns), publishing));
      case Model::Strategy::kDeleteInsert:
        return done("inserted", ask(delete_and_insert(columns), publishing));
    }
  }

  static std::string insert(const std::string& to, const std::vector<std::string>& columns,
                            const std::string& from) {
    return fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} AS s", to, list(columns),
                       list(columns, "s."), from);
  }

  std::string merge(const std::vector<std::string>& columns) const {
    std::string updates;
    for (const auto& column : columns)
      updates += fmt::format("{}{} = s.{}", updates.empty() ? "" : ", ", quote_name(column),
                             quote_name(column));
    return fmt::format(
        "MERGE INTO {} AS t USING {} AS s ON {} WHEN MATCHED THEN UPDATE SET {} WHEN NOT MATCHED "
        "THEN INSERT ({}) VALUES ({})",
        this_, new_rows(), same_key("t", "s"), updates, list(columns), list(columns, "s."));
  }

  /// One statement, so one commit: beside the new rows, each key once, marked: it takes the old
  /// rows away and adds none.
  std::string delete_and_insert(const std::vector<std::string>& columns) {
    std::set<std::string> keys;
    for (const auto& key : model_.unique_key) keys.insert(lower(key));
    std::string marked;
    for (const auto& column : columns_of(rows())) {
      const std::string name = lower(column.name);
      if (std::ranges::find(columns, name) == columns.end()) continue;
      marked += (marked.empty() ? "" : ", ") +
                (keys.contains(name) ? quote_name(name)
                                     : fmt::format("CAST(NULL AS {})", column.type.display()));
    }
    return fmt::format(
        "MERGE INTO {0} AS t USING (WITH q AS (SELECT {1} FROM {2}) SELECT {1}, false AS meesh_old "
        "FROM q UNION ALL SELECT DISTINCT {3}, true FROM q) AS s ON s.meesh_old AND {4} WHEN "
        "MATCHED "
        "THEN DELETE WHEN NOT MATCHED AND NOT s.meesh_old THEN INSERT ({1}) VALUES ({5})",
        this_, list(columns), new_rows(), marked, same_key("t", "s"), list(columns, "s."));
  }

  /// The rows of the table that a run of the strategy takes away.
  std::string leaving() const {
    if (model_.strategy == Model::Strategy::kReplacePartition) {
      std::string text;
      for (const auto& [column, value] : partition_)
        text += fmt::format("{}{} = {}{}", text.empty() ? "" : " AND ", quote_name(column),
                            is_date(value) ? "DATE " : "", quote_text(value));
      return text;
    }
    if (model_.strategy == Model::Strategy::kAppend) return "false";
    std::string keys;
    std::vector<std::string> names;
    for (const auto& key : model_.unique_key) names.push_back(lower(key));
    if (names.size() == 1)
      return fmt::format("{0} IN (SELECT {0} FROM {1} WHERE {0} IS NOT NULL)", quote_name(names[0]),
                         candidate_);
    return fmt::format("EXISTS (SELECT 1 FROM {} AS c WHERE {})", candidate_, same_key("c", this_));
  }

  void increment_elsewhere(const std::vector<std::string>& columns) {
    Candidate candidate(*this);
    ask(fmt::format("CREATE TABLE {} AS SELECT {} FROM {} AS s", candidate_, list(columns, "s."),
                    new_rows()));
    const std::string leaves = leaving();
    audit(fmt::format(
        "(SELECT {0} FROM {1} WHERE NOT coalesce({2}, false) UNION ALL SELECT {0} FROM {3})",
        list(columns), this_, leaves, candidate_));
    exchange(model_.strategy == Model::Strategy::kMerge ? "merged" : "inserted", leaves, columns);
  }

  std::string begin() {
    const auto query = engine_.submit("START TRANSACTION", session_);
    while (!query->finished()) query->next(std::chrono::milliseconds(100));
    const auto id = query->changes().started_transaction_id;
    if (!id) internal_error("a transaction without an id");
    return *id;
  }

  void end(const char* how, const std::string& transaction) {
    engine::Session session = session_;
    session.transaction_id = transaction;
    try {
      engine::ask(engine_, how, session);
    } catch (const Error&) {
      if (std::string_view(how) == "COMMIT") throw;
    }
  }

  engine::Engine& engine_;
  quality::Quality& quality_;
  engine::Session session_;
  const Model& model_;
  const TaskContext& context_;
  const std::function<void(soci::session&)>& also_;
  const std::string this_;
  std::string candidate_, query_, new_rows_;
  std::vector<std::pair<std::string, std::string>> partition_;
  bool in_lake_ = false;
  ModelResult result_;
};

}  // namespace

ModelResult Models::run(const Model& model, const TaskContext& context, bool full_refresh,
                        const std::function<void(soci::session&)>& also) {
  const auto started = std::chrono::system_clock::now();
  try {
    return Run(engine_, quality_, user_, model, context, also).make(full_refresh);
  } catch (const std::exception& error) {
    if (lineage_)
      lineage_->record(governance::failure_of(work_of(model), context, started, error.what()));
    throw;
  }
}

}  // namespace meesh::transform
