#include "governance/lineage_tables.h"

#include <boost/json.hpp>

#include "base/uuid.h"

namespace meesh::governance {
namespace {

constexpr size_t kMostEdges = 20'000;  // of one run to one output; beyond, tables alone are kept
constexpr int kKindsOfInfluence = 9;

std::string fields_text(const std::vector<std::pair<std::string, std::string>>& fields) {
  boost::json::array out;
  for (const auto& [name, type] : fields) out.push_back(boost::json::array{name, type});
  return boost::json::serialize(out);
}

}  // namespace

// ---------------------------------------------------------------- influences

Influences bits_of(const std::set<sql::Influence>& influences) {
  Influences bits = 0;
  for (const auto influence : influences) bits |= 1LL << static_cast<int>(influence);
  return bits;
}

std::set<sql::Influence> influences_of(Influences bits) {
  std::set<sql::Influence> out;
  for (int i = 0; i < kKindsOfInfluence; ++i) {
    if (bits & (1LL << i)) out.insert(static_cast<sql::Influence>(i));
  }
  return out;
}

Influences composed(Influences first, Influences second) {
  if (first == 0 || second == 0) return 0;
  std::set<sql::Influence> out;
  for (const auto a : influences_of(first)) {
    for (const auto b : influences_of(second)) {
      if (!sql::is_direct(b)) {
        out.insert(b);
      } else {
        out.insert(sql::is_direct(a) ? std::max(a, b) : a);
      }
    }
  }
  return bits_of(out);
}

// ---------------------------------------------------------------- tables

void create_lineage_tables(meta::Database& database) {
  meta::migrate(
      database, "governance",
      {{1,
        "lineage",
        {"CREATE TABLE lineage_dataset (id BIGINT PRIMARY KEY, namespace TEXT NOT NULL, "
         "name TEXT NOT NULL, fields TEXT NOT NULL, first_ms BIGINT NOT NULL, "
         "gone_ms BIGINT NOT NULL, renamed_to BIGINT NOT NULL, UNIQUE (namespace, name))",
         "CREATE INDEX lineage_dataset_renamed ON lineage_dataset (renamed_to)",
         "CREATE TABLE lineage_job (id BIGINT PRIMARY KEY, namespace TEXT NOT NULL, "
         "name TEXT NOT NULL, type TEXT NOT NULL, integration TEXT NOT NULL, "
         "UNIQUE (namespace, name))",
         "CREATE TABLE lineage_edge (id BIGINT PRIMARY KEY, source BIGINT NOT NULL, "
         "source_field TEXT NOT NULL, target BIGINT NOT NULL, target_field TEXT NOT NULL, "
         "influences BIGINT NOT NULL, job BIGINT NOT NULL, first_ms BIGINT NOT NULL, "
         "last_ms BIGINT NOT NULL, ended_ms BIGINT NOT NULL)",
         "CREATE INDEX lineage_edge_target ON lineage_edge (target, ended_ms)",
         "CREATE INDEX lineage_edge_source ON lineage_edge (source, ended_ms)",
         "CREATE TABLE lineage_unknown (target BIGINT NOT NULL, field TEXT NOT NULL, "
         "job BIGINT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (target, field, job))",
         "CREATE TABLE lineage_event (id BIGINT PRIMARY KEY, time_ms BIGINT NOT NULL, "
         "started_ms BIGINT NOT NULL, job BIGINT NOT NULL, run_id TEXT NOT NULL, "
         "state TEXT NOT NULL, unsent BIGINT NOT NULL, event TEXT NOT NULL)",
         "CREATE INDEX lineage_event_job ON lineage_event (job, time_ms)",
         "CREATE INDEX lineage_event_run ON lineage_event (run_id)",
         "CREATE INDEX lineage_event_time ON lineage_event (time_ms)",
         "CREATE INDEX lineage_event_unsent ON lineage_event (unsent, time_ms)",
         "CREATE TABLE lineage_event_dataset (event BIGINT NOT NULL, dataset BIGINT NOT NULL, "
         "PRIMARY KEY (dataset, event))",
         "CREATE INDEX lineage_event_dataset_event ON lineage_event_dataset (event)"}}});
}

std::optional<long long> LineageTables::find(const Dataset& dataset) {
  long long id = 0;
  sql_ << "SELECT id FROM lineage_dataset WHERE namespace = :space AND name = :name",
      soci::into(id), soci::use(dataset.name_space, "space"), soci::use(dataset.name, "name");
  return sql_.got_data() ? std::optional(id) : std::nullopt;
}

long long LineageTables::dataset(const Dataset& dataset,
                                 const std::vector<std::pair<std::string, std::string>>& fields) {
  const std::string text = fields_text(fields);
  long long id = 0, gone = 0;
  std::string known;
  sql_ << "SELECT id, gone_ms, fields FROM lineage_dataset WHERE namespace = :space AND name = "
          ":name",
      soci::into(id), soci::into(gone), soci::into(known), soci::use(dataset.name_space, "space"),
      soci::use(dataset.name, "name");
  if (!sql_.got_data()) {
    id = base::random_id();
    sql_ << "INSERT INTO lineage_dataset (id, namespace, name, fields, first_ms, gone_ms, "
            "renamed_to) VALUES (:id, :space, :name, :fields, :now, 0, 0)",
        soci::use(id, "id"), soci::use(dataset.name_space, "space"),
        soci::use(dataset.name, "name"), soci::use(text, "fields"), soci::use(now_ms_, "now");
    return id;
  }
  const std::string& kept = fields.empty() ? known : text;
  // Others that read the same data must not wait for this row.
  if (gone == 0 && kept == known) return id;
  sql_ << "UPDATE lineage_dataset SET fields = :fields, gone_ms = 0, renamed_to = 0 WHERE id = :id",
      soci::use(kept, "fields"), soci::use(id, "id");
  return id;
}

long long LineageTables::job(const JobRun& run, const std::string& name_space) {
  const std::string& space = run.name_space.empty() ? name_space : run.name_space;
  long long id = 0;
  sql_ << "SELECT id FROM lineage_job WHERE namespace = :space AND name = :name", soci::into(id),
      soci::use(space, "space"), soci::use(run.job, "name");
  if (sql_.got_data()) return id;
  id = base::random_id();
  sql_ << "INSERT INTO lineage_job (id, namespace, name, type, integration) VALUES (:id, :space, "
          ":name, :type, :integration)",
      soci::use(id, "id"), soci::use(space, "space"), soci::use(run.job, "name"),
      soci::use(run.type, "type"), soci::use(run.integration, "integration");
  return id;
}

// ---------------------------------------------------------------- edges

std::vector<Edge> LineageTables::edges(const std::string& where, long long id) {
  std::vector<Edge> out;
  Edge edge;
  soci::statement select =
      (sql_.prepare << "SELECT id, source, source_field, target, target_field, influences, job, "
                       "first_ms, last_ms FROM lineage_edge WHERE ended_ms = 0 AND " +
                           where,
       soci::into(edge.id), soci::into(edge.source), soci::into(edge.source_field),
       soci::into(edge.target), soci::into(edge.target_field), soci::into(edge.influences),
       soci::into(edge.job), soci::into(edge.first_ms), soci::into(edge.last_ms),
       soci::use(id, "id"));
  select.execute();
  while (select.fetch()) out.push_back(edge);
  return out;
}

void LineageTables::end(long long edge) {
  sql_ << "UPDATE lineage_edge SET ended_ms = :now WHERE id = :id", soci::use(now_ms_, "now"),
      soci::use(edge, "id");
}

void LineageTables::seen(const Edge& edge, Influences influences) {
  sql_ << "UPDATE lineage_edge SET last_ms = :now, influences = :influences WHERE id = :id",
      soci::use(now_ms_, "now"), soci::use(influences, "influences"), soci::use(edge.id, "id");
}

void LineageTables::insert(const Edge& edge) {
  const long long id = base::random_id();
  sql_ << "INSERT INTO lineage_edge (id, source, source_field, target, target_field, influences, "
          "job, first_ms, last_ms, ended_ms) VALUES (:id, :source, :source_field, :target, "
          ":target_field, :influences, :job, :first, :last, 0)",
      soci::use(id, "id"), soci::use(edge.source, "source"),
      soci::use(edge.source_field, "source_field"), soci::use(edge.target, "target"),
      soci::use(edge.target_field, "target_field"), soci::use(edge.influences, "influences"),
      soci::use(edge.job, "job"), soci::use(now_ms_, "first"), soci::use(now_ms_, "last");
}

LineageTables::Wanted LineageTables::wanted(const JobRun& run, const OutputData& output,
                                            long long target) {
  Wanted tables, all;
  std::map<Dataset, long long> ids;
  const auto id_of = [&](const Dataset& dataset) {
    const auto [found, is_new] = ids.try_emplace(dataset, 0);
    if (is_new) found->second = this->dataset(dataset, {});
    if (found->second != target) tables[{found->second, "", ""}] = 0;
    return found->second;
  };
  for (const auto& input : run.inputs) id_of(input.dataset);
  for (const auto& field : output.lineage) {
    for (const auto& source : field.sources) {
      const long long id = id_of(source.dataset);
      if (id == target && source.field == field.field) continue;
      all[{id, source.field, field.field}] |= bits_of(source.influences);
    }
  }
  for (const auto& source : output.rows) {
    const long long id = id_of(source.dataset);
    if (id != target) all[{id, source.field, ""}] |= bits_of(source.influences);
  }
  if (all.size() > kMostEdges) return tables;
  all.merge(tables);
  return all;
}

void LineageTables::reasons(const OutputData& output, long long target, long long job) {
  sql_ << "DELETE FROM lineage_unknown WHERE target = :target AND job = :job",
      soci::use(target, "target"), soci::use(job, "job");
  const auto add = [&](const std::string& field, const std::string& reason) {
    sql_ << "INSERT INTO lineage_unknown (target, field, job, reason) VALUES (:target, :field, "
            ":job, :reason) ON CONFLICT (target, field, job) DO NOTHING",
        soci::use(target, "target"), soci::use(field, "field"), soci::use(job, "job"),
        soci::use(reason, "reason");
  };
  for (const auto& field : output.lineage) {
    if (!field.reason.empty()) add(field.field, field.reason);
  }
  if (!output.rows_reason.empty()) add("", output.rows_reason);
}

void LineageTables::move(const JobRun& run, long long job) {
  for (const auto& output : run.outputs) {
    const long long target = dataset(output.dataset, output.fields);
    Wanted wanted = this->wanted(run, output, target);
    for (const auto& edge : edges("target = :id", target)) {
      const auto found = wanted.find({edge.source, edge.source_field, edge.target_field});
      if (edge.job == job && found != wanted.end()) {
        seen(edge, run.adds ? edge.influences | found->second : found->second);
        wanted.erase(found);
      } else if (output.replaced || (edge.job == job && !run.adds)) {
        end(edge.id);
      }
    }
    for (const auto& [key, influences] : wanted) {
      const auto& [source, source_field, target_field] = key;
      insert({0, source, target, job, source_field, target_field, influences, 0, 0});
    }
    if (output.replaced) {
      sql_ << "DELETE FROM lineage_unknown WHERE target = :target", soci::use(target, "target");
    }
    reasons(output, target, job);
  }
}

// ---------------------------------------------------------------- what becomes of data sets

void LineageTables::drop(const Dataset& dataset) {
  if (const auto id = find(dataset)) drop(*id);
}

void LineageTables::drop(long long id) {
  const auto in = edges("target = :id", id);
  // Those of the names it had before are its own.
  const auto out =
      edges("source IN (SELECT id FROM lineage_dataset WHERE :id IN (id, renamed_to))", id);
  if (!in.empty()) {
    join_through(in, out);
    for (const auto& edge : in) end(edge.id);
    for (const auto& edge : out) end(edge.id);
  }
  sql_ << "UPDATE lineage_dataset SET gone_ms = :now, renamed_to = 0 WHERE id = :id",
      soci::use(now_ms_, "now"), soci::use(id, "id");
}

void LineageTables::join_through(const std::vector<Edge>& in, const std::vector<Edge>& out) {
  std::map<std::tuple<long long, std::string, long long, std::string, long long>, Influences> made;
  const bool columns = in.size() * out.size() <= kMostEdges;
  for (const auto& first : in) {
    for (const auto& second : out) {
      if (second.target == first.source || second.target == first.target) continue;
      const bool whole = first.source_field.empty() && second.source_field.empty();
      // Rows of the one are rows of the other.
      const bool rows =
          !first.source_field.empty() && first.target_field.empty() && second.source_field.empty();
      const bool value = !first.target_field.empty() && first.target_field == second.source_field;
      if (!whole && !(columns && (rows || value))) continue;
      auto& influences =
          made[{first.source, first.source_field, second.target, second.target_field, second.job}];
      influences |= value ? composed(first.influences, second.influences) : first.influences;
    }
  }
  std::map<long long, std::vector<Edge>> known;
  for (const auto& [key, influences] : made) {
    const auto& [source, source_field, target, target_field, job] = key;
    const auto [found, is_new] = known.try_emplace(target);
    if (is_new) found->second = edges("target = :id", target);
    bool there = false;
    for (const auto& edge : found->second) {
      there = there || (edge.source == source && edge.source_field == source_field &&
                        edge.target_field == target_field && edge.job == job);
    }
    if (!there) insert({0, source, target, job, source_field, target_field, influences, 0, 0});
  }
}

std::vector<long long> LineageTables::ids(const std::string& query, const std::string& value) {
  std::vector<long long> out;
  long long id = 0;
  soci::statement select = (sql_.prepare << query, soci::into(id), soci::use(value, "value"));
  select.execute();
  while (select.fetch()) out.push_back(id);
  return out;
}

void LineageTables::drop_schema(const std::string& catalog, const std::string& schema) {
  const std::string prefix = catalog + "." + schema + ".";
  // LIKE would read _ and % in names.
  for (const long long id :
       ids("SELECT id FROM lineage_dataset WHERE namespace = '' AND gone_ms = 0 AND "
           "substr(name, 1, " +
               std::to_string(prefix.size()) + ") = :value",
           prefix)) {
    drop(id);
  }
}

void LineageTables::rename(const Dataset& from, const Dataset& to) {
  const auto old = find(from);
  if (!old) return;
  const long long made = dataset(to, {});
  for (const auto& edge : edges("target = :id", made)) end(edge.id);
  sql_ << "UPDATE lineage_edge SET target = :made WHERE target = :old AND ended_ms = 0",
      soci::use(made, "made"), soci::use(*old, "old");
  sql_ << "DELETE FROM lineage_unknown WHERE target = :made", soci::use(made, "made");
  sql_ << "UPDATE lineage_unknown SET target = :made WHERE target = :old", soci::use(made, "made"),
      soci::use(*old, "old");
  std::string fields;
  sql_ << "SELECT fields FROM lineage_dataset WHERE id = :old", soci::into(fields),
      soci::use(*old, "old");
  sql_ << "UPDATE lineage_dataset SET fields = :fields, renamed_to = 0, gone_ms = 0 WHERE id = "
          ":made",
      soci::use(fields, "fields"), soci::use(made, "made");
  sql_ << "UPDATE lineage_dataset SET renamed_to = :made WHERE renamed_to = :old",
      soci::use(made, "made"), soci::use(*old, "old");
  sql_ << "UPDATE lineage_dataset SET renamed_to = :made, gone_ms = :now WHERE id = :old",
      soci::use(made, "made"), soci::use(now_ms_, "now"), soci::use(*old, "old");
}

void LineageTables::rename_field(const Dataset& dataset, const std::string& from,
                                 const std::string& to) {
  const auto id = find(dataset);
  if (!id) return;
  sql_ << "UPDATE lineage_edge SET target_field = :to WHERE target = :id AND target_field = :from "
          "AND "
          "ended_ms = 0",
      soci::use(to, "to"), soci::use(*id, "id"), soci::use(from, "from");
  sql_
      << "UPDATE lineage_edge SET source_field = :to WHERE source IN (SELECT id FROM "
         "lineage_dataset WHERE :id IN (id, renamed_to)) AND source_field = :from AND ended_ms = 0",
      soci::use(to, "to"), soci::use(*id, "id"), soci::use(from, "from");
  edit_fields(*id, from, &to);
}

void LineageTables::edit_fields(long long id, const std::string& name, const std::string* to) {
  std::string text;
  sql_ << "SELECT fields FROM lineage_dataset WHERE id = :id", soci::into(text),
      soci::use(id, "id");
  std::vector<std::pair<std::string, std::string>> fields;
  const auto known = boost::json::parse(text);
  for (const auto& field : known.as_array()) {
    std::string known_name(field.at(0).as_string());
    if (known_name == name && !to) continue;
    fields.emplace_back(known_name == name ? *to : known_name, field.at(1).as_string());
  }
  text = fields_text(fields);
  sql_ << "UPDATE lineage_dataset SET fields = :fields WHERE id = :id", soci::use(text, "fields"),
      soci::use(id, "id");
}

void LineageTables::drop_field(const Dataset& dataset, const std::string& field) {
  const auto id = find(dataset);
  if (!id) return;
  sql_
      << "UPDATE lineage_edge SET ended_ms = :now WHERE target = :id AND target_field = :field AND "
         "ended_ms = 0",
      soci::use(now_ms_, "now"), soci::use(*id, "id"), soci::use(field, "field");
  edit_fields(*id, field, nullptr);
}

}  // namespace meesh::governance
