#include "ingest/sync.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/clock.h"
#include "base/text.h"
#include "base/uuid.h"
#include "ingest/folder_metadata.h"

namespace meesh::ingest {

using engine::quote_table;
using engine::quote_text;

namespace {

constexpr const char* kMark = "meesh.ingest.commit";  // in snapshots' summaries
constexpr const char* kBronze = "s3://bronze";
constexpr const char* kRejected = "__rejected";
constexpr const char* kChanges = "__changes";
constexpr size_t kMostPosition = 4096;  // bytes of a position that rejected rows show

/// "2026-01-31 12:00:00.123456 UTC"
std::string now_text() {
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:06} UTC",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (now - seconds).count());
}

bool may_use(const mesh::Lake& lake, const std::string& place) {
  return std::ranges::any_of(lake.places(), [&](const std::string& allowed) {
    return place == allowed || place.starts_with(allowed + "/");
  });
}

const mesh::Lake* lake_of(const mesh::Mesh& mesh, const std::string& catalog) {
  if (mesh.lake.catalog == catalog) return &mesh.lake;
  for (const auto& domain : mesh.domains)
    if (domain.lake && domain.lake->catalog == catalog) return &*domain.lake;
  return nullptr;
}

std::vector<StreamColumn> rejected_columns() {
  const auto text = sql::Type::varchar();
  return {{"_file", text, ""},   {"_line", sql::Type::of(sql::TypeKind::kBigint), ""},
          {"_column", text, ""}, {"_error", text, ""},
          {"_text", text, ""},   {"_position", text, ""}};
}

/// What the rejected rows of a portion are, to know them again.
std::string batch_of(const Portion& portion, uint64_t rows) {
  const std::string text = boost::json::serialize(portion.position);
  return fmt::format("{}-{:016x}", rows, base::checksum(text));
}

std::string member(const Position& position, std::string_view name) {
  if (!position.value.is_object()) return "";
  const auto* found = position.value.as_object().if_contains(name);
  return found && found->is_string() ? std::string(found->as_string()) : "";
}

/// A reading of everything that is not at its end.
const boost::json::object* unfinished(const Position& position) {
  if (!position.value.is_object()) return nullptr;
  const auto* found = position.value.as_object().if_contains("snapshot");
  return found && found->is_object() ? &found->as_object() : nullptr;
}

/// Now, and after what has landed before even if the clock was set back.
std::string moment_after(const Position& merged) {
  return std::max({now_text(), member(merged, "moment"), member(merged, "began")});
}

/// Where the portions of a table go.
std::string portions_table(const TableConfig& table) {
  return table.write == Write::kBoth ? table.into + kChanges : table.into;
}

}  // namespace

std::string landing_place(const mesh::Mesh& mesh, const SourceConfig& config) {
  const auto* lake = lake_of(mesh, config.into_catalog);
  if (!lake) {
    throw Error(Code::kCatalogNotFound, fmt::format("Source '{}': there is no lake '{}' to land in",
                                                    config.name, config.into_catalog))
        .with_hint("into: { schema: lake.bronze }");
  }
  if (config.location.empty()) {
    if (may_use(*lake, kBronze) && config.into_schema == "bronze") return kBronze;
    return lake->location + "/" + config.into_schema;
  }
  if (may_use(*lake, config.location)) return config.location;
  throw Error(Code::kConfigInvalid,
              fmt::format("Source '{}': the lake may not use {}", config.name, config.location))
      .with_hint(
          fmt::format("in meesh.yaml: lake: {{ allowed_locations: [{}] }}", config.location));
}

std::string checked_run_date(const std::string& text) {
  if (text.empty()) return now_text().substr(0, 10);
  int year = 0, month = 0, day = 0, end = 0;
  const bool read = text.size() == 10 &&
                    std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &end) == 3 &&
                    end == 10;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (read && date.ok() && text.find_first_not_of("0123456789-") == std::string::npos) return text;
  throw Error(Code::kInvalidArguments, fmt::format("'{}' is no run date", text))
      .with_hint("a day such as 2025-01-15");
}

governance::Work work_of(const SourceConfig& config, const TableConfig& table) {
  governance::Work work;
  work.job = config.name + "." + table.name;
  work.type = "INGESTION";
  work.output = config.full_name(table);
  return work;
}

std::string Sync::folder(const std::string& table) const {
  return landing_place(environment_.mesh, config_) + "/" + table;
}

std::string current_of(const std::string& stream) { return stream + "#current"; }

Sync::Sync(const Environment& environment, Ledger& ledger, Source& source,
           const SourceConfig& config, TableConfig table, std::string run_date, std::string salt,
           const TaskContext& context)
    : environment_(environment),
      ledger_(ledger),
      source_(source),
      config_(config),
      table_(std::move(table)),
      run_date_(std::move(run_date)),
      context_(context),
      policies_(table_, std::move(salt)),
      work_(work_of(config, table_)),
      position_(ledger.position(config.name, table_.name)),
      merged_(ledger.position(config.name, current_of(table_.name))),
      moment_(moment_after(merged_)),
      landing_(environment.engine,
               {config.into_catalog, config.into_schema, portions_table(table_)},
               folder(portions_table(table_)), session(), table_.write != Write::kMerge) {
  if (table_.write == Write::kBoth) {
    current_.emplace(environment.engine,
                     sql::TableName{config.into_catalog, config.into_schema, table_.into},
                     folder(table_.into), session(), false);
  }
}

Landing* Sync::current() {
  if (table_.write == Write::kAppend) return nullptr;
  return current_ ? &*current_ : &landing_;
}

engine::Session Sync::session() const {
  auto session = ingest_session();
  session.client_tags = governance::tags_of(work_, context_);
  return session;
}

ReadRequest Sync::request() const {
  ReadRequest request;
  request.table = table_;
  request.stream = stream_;
  request.position = position_.value;
  request.run_date = run_date_;
  request.as_landed = [this](const StreamColumn& column, std::string& value) {
    value = policies_.value(column, value);
    const auto landed = policies_.columns({column});
    return landed.empty() ? column : landed[0];
  };
  request.join = policies_.join();
  if (landing_.exists()) {
    request.landed = quote_table(landing_.table());
    request.landed_columns = landing_.columns();
  }
  return request;
}

void Sync::look_at_the_tables() {
  key_ = table_.key.empty() ? stream_.key : table_.key;
  auto* current = this->current();
  const auto wrong = [&](std::string message, std::string hint) {
    return Error(Code::kConfigInvalid, std::move(message),
                 {table_.line, table_.column, config_.file.string()})
        .with_hint(std::move(hint));
  };
  if (current && key_.empty()) {
    throw wrong(fmt::format("{} has no key to merge by", stream_.origin),
                "key: the columns that tell a row from the others");
  }
  for (const auto& name : key_) {
    if (current && !table_.takes(name))
      throw wrong(fmt::format("the key '{}' of {} is left out", name, stream_.origin),
                  "rows are merged by it: list it under 'hash' if it must not land as it is");
  }
  if (!current && !landing_.exists() && merged_.version > 0) {
    ledger_.forget(config_.name, current_of(stream_.name));  // its table is gone
    merged_ = {};
  }
  const bool merged = merged_.version > 0;
  // A run that was killed may have made the table and landed nothing.
  const auto filled = [&](const Landing& landing) {
    const std::string any = fmt::format("SELECT 1 FROM {} LIMIT 1", quote_table(landing.table()));
    return landing.exists() &&
           !engine::ask(environment_.engine, any, session(), context_.stop).rows.empty();
  };
  if (current ? !merged && filled(*current) : merged && landing_.exists()) {
    const auto& table = current ? current->table() : landing_.table();
    throw wrong(fmt::format("{} holds {}", table.display(),
                            merged ? "one row a key, and 'write' is append now"
                                   : "rows that were appended, and 'write' is not append now"),
                fmt::format("land elsewhere with 'into', or DROP TABLE {}", table.display()));
  }
  before_ = landing_.columns();
  if (!stream_.columns.empty()) policies_.need(stream_.columns, before_, stream_.origin);
}

void Sync::run(bool full_refresh, SyncResult& result) {
  stream_ = source_.describe(table_);
  work_.input = stream_.address;
  for (const auto& note : stream_.notes) context_.warn(fmt::format("{}: {}", stream_.origin, note));
  for (const auto& column : stream_.columns)
    if (!column.note.empty())
      context_.info(fmt::format("{}: column {}: {}", stream_.origin, column.name, column.note));
  look_at_the_tables();
  take(full_refresh, result);
  if (current_) merge_changes(result);
  if (!member(merged_, "began").empty()) sweep(result);
  for (auto* landing : {&landing_, current_ ? &*current_ : nullptr}) {
    if (landing && landing->exists())
      write_folder_metadata(environment_.engine, environment_.store, *landing, config_.kind,
                            stream_.origin, table_.mode, moment_);
  }
}

void Sync::take(bool full_refresh, SyncResult& result) {
  const auto* open = landing_.exists() && !full_refresh ? unfinished(position_) : nullptr;
  // Of a table by date, what is there of it stands in the partition of another day.
  if (open && landing_.by_date() && table_.mode == Mode::kFullRefresh) {
    const auto* date = open->if_contains("run_date");
    if (!date || *date != boost::json::value(run_date_)) {
      context_.warn(fmt::format("{}: a run of {} did not come to its end; this one begins anew",
                                stream_.origin, date ? boost::json::serialize(*date) : "before"));
      open = nullptr;
    }
  }
  // A table that was dropped is filled anew, and one whose position was forgotten.
  everything_ = !open && (full_refresh || table_.mode == Mode::kFullRefresh || !landing_.exists() ||
                          position_.value.is_null());
  if (everything_) position_.value = nullptr;
  fresh_ = everything_ ? !landing_.exists() : open && member(merged_, "began").empty();
  if (everything_ && current() && current()->exists()) {
    merged_.value = boost::json::object{{"moment", member(merged_, "moment")}, {"began", moment_}};
  }
  const auto reader = source_.read(request());
  bool replace = everything_ && landing_.exists();
  while (auto portion = reader->next(context_)) {
    context_.check();
    try {
      land(*portion, replace, result);
    } catch (const Error& error) {
      auto second = reader->again(error, context_);
      if (!second) throw;
      land(*second, replace, result);
    }
    replace = false;
  }
}

Newest Sync::newest(const Portion& portion) const {
  Newest newest;
  newest.key = key_;
  newest.unique = stream_.unique_key && key_ == stream_.key;
  if (!table_.cursor.empty()) newest.order.push_back(table_.cursor);
  if (!portion.order.empty()) newest.order.push_back(portion.order);
  // A refresh takes the source's word for everything.
  if (member(merged_, "began").empty()) newest.cursor = table_.cursor;
  return newest;
}

std::string Sync::statement(const Intake& intake, const Portion& portion) const {
  if (landing_.by_date())
    return landing_.insert(intake.query, intake.columns, stream_.origin, run_date_, moment_);
  const auto newest = this->newest(portion);
  const bool first = everything_ && read_ == 0 && before_.empty();
  if (first || (fresh_ && portion.disjoint && newest.unique)) {
    return landing_.insert(Landing::newest_of(intake.query, intake.columns, newest), intake.columns,
                           stream_.origin, run_date_, moment_);
  }
  return landing_.merge(intake.query, intake.columns, newest, stream_.origin, run_date_, moment_);
}

void Sync::land(Portion& portion, bool replace, SyncResult& result) {
  policies_.need(portion.columns, before_, stream_.origin);
  auto intake = take_in(table_, policies_, portion, before_, stream_.origin);
  for (const auto& note : intake.notes) context_.warn(fmt::format("{}: {}", stream_.origin, note));
  for (auto& change : landing_.prepare(intake.columns, stream_.origin, context_)) {
    context_.warn(fmt::format("{}: {}", landing_.table().display(), change));
    result.notes.push_back(std::move(change));
  }
  put_aside(portion, intake, replace, result);
  const std::string mark = base::random_uuid();
  const bool merges = !landing_.by_date();
  auto commit = merges ? current_commit(merged_.value) : std::make_shared<engine::LakeCommit>();
  const Position before = position_;
  commit->also = [&, current = commit->also](soci::session& sql) {
    Ledger::move(sql, config_.name, stream_.name, before, portion.position, base::now_ms());
    if (current) current(sql);
  };
  if (replace && landing_.by_date()) commit->replaced_partition = {{kDateColumn, run_date_}};
  commit->summary = {{kMark, mark}, {"meesh.ingest.source", stream_.origin}};
  if (portion.verify) commit->audit = [&](const std::string&) { portion.verify(); };
  auto session = this->session();
  session.commit = std::move(commit);
  const auto total = portion.estimated_rows > 0 ? static_cast<uint64_t>(portion.estimated_rows) : 0;
  const auto answer = engine::ask(
      environment_.engine, statement(intake, portion), session, context_.stop,
      [&](const engine::QueryInfo& info) { context_.progress(read_ + info.rows_read, total); });
  const uint64_t rows = answer.update_count.value_or(0);
  read_ += rows;
  result.rows += rows;
  if (rows > 0) result.bytes += bytes_of(landing_.table(), mark);
  context_.progress(read_, read_);
  position_ = ledger_.position(config_.name, stream_.name);
  if (merges) merged_ = ledger_.position(config_.name, current_of(stream_.name));
}

// ---------------------------------------------------------------- rows that do not land

void Sync::put_aside(const Portion& portion, const Intake& intake, bool replace,
                     SyncResult& result) {
  uint64_t refused = 0;  // by the table's contract
  if (!intake.counts.empty()) {
    const auto answer = engine::ask(environment_.engine, intake.counts, session(), context_.stop);
    refused = std::stoull(answer.rows.at(0).at(1).value_or("0"));
  }
  const uint64_t rows = refused + (portion.rejected ? portion.rejected->rows : 0);
  if (rows == 0) return;
  const std::string query = rejected_query(portion, intake);
  if (!query.empty() && (config_.malformed == Malformed::kFail ||
                         (table_.contract == SchemaContract::kFreeze && refused > 0))) {
    const auto first = engine::ask(
        environment_.engine, fmt::format("SELECT _error, _file, _line FROM ({}) LIMIT 1", query),
        session(), context_.stop);
    std::string why = first.rows.empty() ? "" : first.rows[0].at(0).value_or("");
    throw Error(Code::kInvalidCastArgument,
                fmt::format("{}: {} ({} rows cannot land)", stream_.origin, why, rows))
        .with_hint(config_.malformed == Malformed::kFail
                       ? "let such rows be put aside: malformed: quarantine"
                       : "see 'schema_contract' in the source's file");
  }
  need_few(portion, intake, rows, result);
  result.rejected += rows;
  const bool kept = !query.empty() && config_.malformed == Malformed::kQuarantine;
  context_.warn(fmt::format(
      "{}: {} rows cannot be read{}", stream_.origin, rows,
      kept ? fmt::format(" and go to {}{}", config_.full_name(table_), kRejected) : ""));
  if (kept) land_rejected(portion, query, rows, replace);
}

void Sync::need_few(const Portion& portion, const Intake& intake, uint64_t rejected,
                    const SyncResult& result) {
  uint64_t all = 0;
  if (portion.rejected && portion.rejected->of && intake.counts.empty()) {
    all = *portion.rejected->of;
  } else {
    const std::string count = fmt::format("SELECT count(*) FROM ({}) AS p", portion.query);
    const auto answer = engine::ask(environment_.engine, count, session(), context_.stop);
    all = std::stoull(answer.rows.at(0).at(0).value_or("0"));
    if (portion.rejected) all += portion.rejected->rows;
  }
  const uint64_t bad = rejected + result.rejected;
  const double share =
      static_cast<double>(bad) / static_cast<double>(std::max<uint64_t>(1, all + result.rows));
  if (share <= config_.max_malformed) return;
  throw Error(Code::kInvalidCastArgument,
              fmt::format("{}: {} rows of {} cannot be read, more than {}%", stream_.origin, bad,
                          all + result.rows, config_.max_malformed * 100))
      .with_hint(fmt::format("meesh ingest history tells of the runs before; max_malformed in {} "
                             "says how many may be put aside",
                             config_.file.string()));
}

/// Where columns must not land as they are, the text of a row must not either, nor what an error
/// quotes of it.
std::string Sync::rejected_query(const Portion& portion, const Intake& intake) const {
  std::string position = boost::json::serialize(portion.position);
  if (position.size() > kMostPosition) position.resize(kMostPosition);
  std::string query;
  if (portion.rejected && !portion.rejected->query.empty()) {
    const bool shown = !table_.withholds();
    query = fmt::format(
        "SELECT _file, _line, _column, {} AS _error, {} AS _text, CAST({} AS "
        "varchar) AS _position FROM ({}) AS r",
        shown ? "_error" : "regexp_replace(_error, '(?s)[\"''].*[\"'']', '…')",
        shown ? "_text" : "CAST(NULL AS varchar)", quote_text(position), portion.rejected->query);
  }
  if (intake.rejected.empty()) return query;
  if (!query.empty()) query += " UNION ALL ";
  return query + fmt::format(
                     "SELECT _file, _line, _column, _error, _text, CAST({} AS varchar) AS "
                     "_position FROM ({}) AS r",
                     quote_text(position), intake.rejected);
}

void Sync::land_rejected(const Portion& portion, const std::string& query, uint64_t rows,
                         bool replace) {
  const std::string batch = batch_of(portion, rows);
  // They land on their own: a run that was killed between the two commits must not add them again.
  if (!replace && ledger_.rejected_landed(config_.name, stream_.name, batch)) return;
  sql::TableName table{config_.into_catalog, config_.into_schema, table_.into + kRejected};
  Landing rejected(environment_.engine, table, folder(table.table), session());
  rejected.prepare(rejected_columns(), stream_.origin, context_);
  auto commit = std::make_shared<engine::LakeCommit>();
  commit->also = [&](soci::session& sql) {
    Ledger::rejected_land(sql, config_.name, stream_.name, batch);
  };
  if (replace) commit->replaced_partition = {{kDateColumn, run_date_}};
  auto session = this->session();
  session.commit = std::move(commit);
  engine::ask(environment_.engine,
              rejected.insert(query, rejected_columns(), stream_.origin, run_date_, moment_),
              session, context_.stop);
}

// ---------------------------------------------------------------- one row a key

std::shared_ptr<engine::LakeCommit> Sync::current_commit(const boost::json::value& after) const {
  auto commit = std::make_shared<engine::LakeCommit>();
  const auto value = after.is_null() ? boost::json::value(boost::json::object()) : after;
  commit->also = [this, value](soci::session& sql) {
    Ledger::move(sql, config_.name, current_of(stream_.name), merged_, value, base::now_ms());
  };
  return commit;
}

/// Rows of the last merge are merged once more, which changes nothing: a moment says which they
/// are, and it is that of whole runs.
void Sync::merge_changes(SyncResult& result) {
  if (!landing_.exists()) return;
  const auto columns = landing_.columns();
  for (auto& change : current_->prepare(columns, stream_.origin, context_))
    result.notes.push_back(std::move(change));
  auto newest = this->newest({});
  newest.unique = false;  // every version of a row is there
  newest.order.push_back(kTimestampColumn);
  std::string query = "SELECT * FROM " + quote_table(landing_.table());
  if (const auto since = std::max(member(merged_, "moment"), member(merged_, "began"));
      !since.empty())
    query += fmt::format(" WHERE {} >= TIMESTAMP '{}'", kTimestampColumn, since);
  boost::json::object after{{"moment", moment_}};
  if (const auto began = member(merged_, "began"); !began.empty()) after["began"] = began;
  auto session = this->session();
  session.commit = current_commit(after);
  engine::ask(environment_.engine,
              current_->merge(query, columns, newest, stream_.origin, run_date_, moment_), session,
              context_.stop);
  merged_ = ledger_.position(config_.name, current_of(stream_.name));
}

void Sync::sweep(SyncResult& result) {
  auto session = this->session();
  session.commit = current_commit(boost::json::object{{"moment", moment_}});
  const auto answer = engine::ask(environment_.engine, current()->sweep(member(merged_, "began")),
                                  session, context_.stop);
  merged_ = ledger_.position(config_.name, current_of(stream_.name));
  if (const auto gone = answer.update_count.value_or(0); gone > 0)
    result.notes.push_back(fmt::format("{} rows are not in the source any more", gone));
}

uint64_t Sync::bytes_of(const sql::TableName& table, const std::string& mark) const {
  auto snapshots = table;
  snapshots.table += "$snapshots";
  const auto answer =
      engine::ask(environment_.engine,
                  fmt::format("SELECT element_at(summary, 'added-files-size') FROM {} WHERE "
                              "element_at(summary, {}) = {}",
                              quote_table(snapshots), quote_text(kMark), quote_text(mark)),
                  ingest_session());
  if (answer.rows.empty() || !answer.rows[0].at(0)) return 0;
  return std::stoull(*answer.rows[0][0]);
}

}  // namespace meesh::ingest
