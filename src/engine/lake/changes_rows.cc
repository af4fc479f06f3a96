// DELETE, UPDATE and MERGE of Iceberg tables: the rows that leave and those that come are put into
// a temporary table first, by one query over the snapshot that the statement began with. Then they
// become position deletes, data files that leave whole, and new data files, in one commit.
#include <algorithm>
#include <map>
#include <set>

#include "base/uuid.h"
#include "engine/lake/changes.h"
#include "engine/lake/values.h"
#include "engine/statement_runner.h"
#include "sql/ast.h"

namespace meesh::engine {
namespace {

using sql::ExprPtr;

// Columns of the temporary table beside c0, c1, …, the columns of new rows.
constexpr const char* kPath = "$p";      // of the row that leaves; NULL: none does
constexpr const char* kPosition = "$o";  // in its file
constexpr const char* kAction = "$act";  // MERGE: the number of the case; NULL: nothing happens

ExprPtr column(const std::string& relation, const std::string& name) {
  auto ref = std::make_unique<sql::ColumnRef>();
  ref->relation = relation;
  ref->column = name;
  return ref;
}

ExprPtr integer(uint64_t value) {
  auto literal = std::make_unique<sql::IntegerLiteral>();
  literal->value = value;
  return literal;
}

sql::SelectItem item(ExprPtr value, const std::string& name) {
  return {std::move(value), sql::Ident{name, true, {}}, {}};
}

/// Path and position of the target's rows.
std::unique_ptr<sql::Select> select_rows(const std::string& target) {
  auto select = std::make_unique<sql::Select>();
  select->items.push_back(item(column(target, kPathColumn), kPath));
  select->items.push_back(item(column(target, kPositionColumn), kPosition));
  return select;
}

sql::Printed print(std::unique_ptr<sql::Select> select) {
  sql::QueryStatement statement;
  statement.query = std::make_unique<sql::Query>();
  statement.query->body = std::move(select);
  return sql::print_duckdb(statement);
}

std::string new_columns(size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += fmt::format("{}c{}", i ? ", " : "", i);
  return out;
}

ExprPtr take_assignment(std::vector<std::pair<sql::Ident, ExprPtr>>& assignments,
                        const std::string& name, const std::string& target) {
  for (auto& [ident, value] : assignments)
    if (lower_case(ident.value) == lower_case(name) && value) return std::move(value);
  return column(target, name);
}

/// WHEN [NOT] MATCHED AND …, said of the joined row.
ExprPtr condition_of(sql::MergeCase& when, const std::string& target) {
  auto matched = std::make_unique<sql::IsNull>();
  matched->value = column(target, kPathColumn);
  matched->negated = when.matched;
  if (!when.condition) return matched;
  auto both = std::make_unique<sql::Logical>();
  both->terms.push_back(std::move(matched));
  both->terms.push_back(std::move(when.condition));
  return both;
}

/// What a case makes of a column; null for a row that only leaves.
ExprPtr value_of(sql::MergeCase& when, const std::string& name, const std::string& target) {
  switch (when.action) {
    case sql::MergeCase::Action::kUpdate:
      return take_assignment(when.assignments, name, target);
    case sql::MergeCase::Action::kInsert:
      for (size_t i = 0; i < when.insert_columns.size(); ++i)
        if (lower_case(when.insert_columns[i].value) == lower_case(name))
          return std::move(when.insert_values.at(i));
      return std::make_unique<sql::NullLiteral>();
    case sql::MergeCase::Action::kDelete:
      break;
  }
  return nullptr;
}

std::string partition_key(const lake::TableMetadata& table, const lake::ScanFile& file) {
  const auto type = lake::partition_type(*table.find_spec(file.spec_id), table.schema());
  std::string key = std::to_string(file.spec_id);
  for (size_t i = 0; i < file.file->partition.size(); ++i)
    key += '/' + lake::value_json(type.fields.at(i).type, file.file->partition[i]);
  return key;
}

std::string text_list(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : ", ") + quote_string(text);
  return out;
}

}  // namespace

/// The data files that rows leave, those of one partition together.
struct LakeChange::Leaving {
  int spec_id = 0;
  std::vector<lake::Value> partition;
  std::vector<std::string> paths;
};

/// Rows of a temporary table, as they are to be committed.
struct LakeChange::RowChange {
  std::shared_ptr<const lake::TableMetadata> table;
  sql::Printed query;       // gives kPath, kPosition and what `kept` needs
  std::string new_rows;     // condition on the rows that come; "" = none come
  bool may_repeat = false;  // a row could leave twice, which is an error
};

void LakeChange::refuse_repeated(const std::string& stage) {
  const auto repeated = ask(
      fmt::format("SELECT 1 FROM {0} WHERE \"{1}\" IS NOT NULL GROUP BY \"{1}\", \"{2}\" HAVING "
                  "count(*) > 1 LIMIT 1",
                  stage, kPath, kPosition));
  if (repeated->RowCount() == 0) return;
  throw Error(Code::kMergeTargetRowMultipleMatches,
              "One MERGE target table row matched more than one source row");
}

/// Files that lose all their rows are told to the snapshot; the others are left for position
/// deletes, by partition.
std::vector<LakeChange::Leaving> LakeChange::leaving(const std::string& stage,
                                                     const lake::TableMetadata& table,
                                                     lake::SnapshotChange& snapshot) {
  std::map<std::string, int64_t> counts;
  const auto counted = ask(fmt::format(
      "SELECT \"{1}\", count(*) FROM {0} WHERE \"{1}\" IS NOT NULL GROUP BY ALL", stage, kPath));
  for (size_t i = 0; i < counted->RowCount(); ++i)
    counts[counted->GetValue(0, i).ToString()] = counted->GetValue(1, i).GetValue<int64_t>();
  std::map<std::string, Leaving> groups;
  const auto plan = lake::plan_scan(source_.cache, table, table.current_snapshot(), {});
  for (const auto& file : plan.files) {
    const auto found = counts.find(file.file->path);
    if (found == counts.end()) continue;
    if (file.deletes.empty() && file.file->records == found->second) {
      snapshot.removed.push_back(file.file->path);
      continue;
    }
    auto& group = groups[partition_key(table, file)];
    group.spec_id = file.spec_id;
    group.partition = file.file->partition;
    group.paths.push_back(file.file->path);
    snapshot.referenced.push_back(file.file->path);
  }
  std::vector<Leaving> out;
  for (auto& [key, group] : groups) out.push_back(std::move(group));
  return out;
}

std::unique_ptr<duckdb::MaterializedQueryResult> LakeChange::ask(const std::string& text) {
  sql::Printed printed;
  printed.text = text;
  return change_.run(printed);
}

int64_t LakeChange::commit_rows(const RowChange& change) {
  const auto& table = *change.table;
  const auto& files = source_.catalog.files();
  const std::string name_of_stage = quote_ident("meesh_rows_" + base::random_uuid());
  const std::string stage = "temp." + name_of_stage;
  change_.run(around("CREATE TEMP TABLE " + name_of_stage + " AS ", change.query, ""));
  const int64_t rows = ask("SELECT count(*) FROM " + stage)->GetValue(0, 0).GetValue<int64_t>();
  change_.counted(rows);
  if (change.may_repeat) refuse_repeated(stage);

  lake::SnapshotChange snapshot;
  snapshot.table_uuid = table.uuid;
  snapshot.read_snapshot_id = table.current_snapshot_id;
  snapshot.no_new_deletes = !change.new_rows.empty();
  snapshot.summary = summary();
  WrittenFiles written, deletes;
  try {
    for (const auto& group : leaving(stage, table, snapshot)) {
      auto made = write_position_deletes(
          table, files,
          fmt::format("SELECT \"{1}\", \"{2}\" FROM {0} WHERE \"{1}\" IN ({3}) ORDER BY ALL", stage,
                      kPath, kPosition, text_list(group.paths)),
          group.spec_id, group.partition, change_.run);
      std::move(made.files.begin(), made.files.end(), std::back_inserter(deletes.files));
    }
    if (!change.new_rows.empty()) {
      sql::Printed query;
      query.text = fmt::format("SELECT {} FROM {} WHERE {}",
                               new_columns(table.schema().fields.size()), stage, change.new_rows);
      written = write_data(table, files, {.query = query}, change_.run);
    }
    ask("DROP TABLE " + stage);
  } catch (...) {
    remove_written(files, deletes);
    remove_written(files, written);
    throw;
  }
  snapshot.data = std::move(written.files);
  snapshot.deletes = std::move(deletes.files);
  if (snapshot.data.empty() && snapshot.deletes.empty() && snapshot.removed.empty() && !audit()) {
    publish_nothing();
    return rows;
  }
  publish(std::move(snapshot));
  return rows;
}

int64_t LakeChange::remove(sql::Delete& remove) {
  RowChange rows;
  rows.table = pinned();
  allow("s3:DeleteObject", rows.table->location);
  check_writable(*rows.table);
  auto select = select_rows(remove.table->alias);
  select->from = std::move(remove.table);
  select->where = std::move(remove.where);
  rows.query = print(std::move(select));
  return commit_rows(rows);
}

int64_t LakeChange::update(sql::Update& update) {
  RowChange rows;
  rows.table = pinned();
  allow("s3:PutObject", rows.table->location);
  check_writable(*rows.table);
  const std::string alias = update.table->alias;
  auto select = select_rows(alias);
  size_t at = 0;
  for (const auto& field : rows.table->schema().fields) {
    select->items.push_back(item(take_assignment(update.assignments, lower_case(field.name), alias),
                                 fmt::format("c{}", at++)));
  }
  select->from = std::move(update.table);
  select->where = std::move(update.where);
  rows.query = print(std::move(select));
  rows.new_rows = "true";
  return commit_rows(rows);
}

int64_t LakeChange::merge(sql::Merge& merge) {
  RowChange rows;
  rows.table = pinned();
  rows.may_repeat = true;
  allow("s3:PutObject", rows.table->location);
  check_writable(*rows.table);
  const std::string alias = merge.table->alias;
  auto select = select_rows(alias);
  auto action = std::make_unique<sql::Case>();
  std::set<size_t> coming;
  bool inserts = false;
  for (size_t i = 0; i < merge.cases.size(); ++i) {
    auto& when = merge.cases[i];
    action->whens.emplace_back(condition_of(when, alias), integer(i));
    if (when.action != sql::MergeCase::Action::kDelete) coming.insert(i);
    inserts = inserts || !when.matched;
  }
  select->items.push_back(item(std::move(action), kAction));
  size_t at = 0;
  for (const auto& field : rows.table->schema().fields) {
    auto value = std::make_unique<sql::Case>();
    value->operand = column("", kAction);
    for (const size_t i : coming) {
      value->whens.emplace_back(integer(i),
                                value_of(merge.cases[i], lower_case(field.name), alias));
    }
    ExprPtr made = std::move(value);
    if (coming.empty()) made = std::make_unique<sql::NullLiteral>();
    select->items.push_back(item(std::move(made), fmt::format("c{}", at++)));
  }
  auto join = std::make_unique<sql::Join>();
  join->type = inserts ? sql::JoinType::kLeft : sql::JoinType::kInner;
  join->left = std::move(merge.source);
  join->right = std::move(merge.table);
  join->on = std::move(merge.on);
  select->from = std::move(join);
  rows.query = around("SELECT * FROM (", print(std::move(select)),
                      fmt::format(") AS m WHERE \"{}\" IS NOT NULL", kAction));
  for (const size_t i : coming) {
    rows.new_rows += (rows.new_rows.empty() ? "" : " OR ") + fmt::format("\"{}\" = {}", kAction, i);
  }
  return commit_rows(rows);
}

}  // namespace meesh::engine
