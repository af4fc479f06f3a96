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

/// Folder of the table's folder.
std::string place_of(const mesh::Mesh& mesh, const SourceConfig& config) {
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

std::vector<StreamColumn> rejected_columns() {
  const auto text = sql::Type::varchar();
  return {{"_file", text, ""},
          {"_line", sql::Type::of(sql::TypeKind::kBigint), ""},
          {"_column", text, ""},
          {"_error", text, ""},
          {"_text", text, ""}};
}

/// What the rows of a portion are, to know them again.
std::string batch_of(const Portion& portion) {
  const std::string text = boost::json::serialize(portion.position);
  return fmt::format("{}-{:016x}", portion.rejected->rows, base::checksum(text));
}

}  // namespace

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
  return place_of(environment_.mesh, config_) + "/" + table;
}

Sync::Sync(const Environment& environment, Ledger& ledger, Source& source,
           const SourceConfig& config, TableConfig table, std::string run_date,
           const TaskContext& context)
    : environment_(environment),
      ledger_(ledger),
      source_(source),
      config_(config),
      table_(std::move(table)),
      run_date_(std::move(run_date)),
      moment_(now_text()),
      context_(context),
      work_(work_of(config, table_)),
      position_(ledger.position(config.name, table_.name)),
      landing_(environment.engine, {config.into_catalog, config.into_schema, table_.into},
               folder(table_.into), session()) {}

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
  if (landing_.exists()) {
    request.landed = quote_table(landing_.table());
    request.landed_columns = landing_.columns();
  }
  return request;
}

void Sync::run(bool full_refresh, SyncResult& result) {
  stream_ = source_.describe(table_);
  work_.input = stream_.address;
  for (const auto& note : stream_.notes) context_.warn(fmt::format("{}: {}", stream_.origin, note));
  for (const auto& column : stream_.columns)
    if (!column.note.empty())
      context_.info(fmt::format("{}: column {}: {}", stream_.origin, column.name, column.note));
  // A table that was dropped is filled anew.
  const bool everything = full_refresh || table_.mode == Mode::kFullRefresh || !landing_.exists();
  if (everything) position_.value = nullptr;
  const auto reader = source_.read(request());
  bool replace = everything && landing_.exists();
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
  if (landing_.exists()) {
    write_folder_metadata(environment_.engine, environment_.store, landing_, config_.kind,
                          stream_.origin, table_.mode, moment_);
  }
}

void Sync::land(Portion& portion, bool replace, SyncResult& result) {
  for (auto& change : landing_.prepare(portion.columns, stream_.origin, context_)) {
    context_.warn(fmt::format("{}: {}", landing_.table().display(), change));
    result.notes.push_back(std::move(change));
  }
  if (portion.rejected) land_rejected(portion, replace, result);
  const std::string mark = base::random_uuid();
  auto commit = std::make_shared<engine::LakeCommit>();
  const Position before = position_;
  commit->also = [&](soci::session& sql) {
    Ledger::move(sql, config_.name, stream_.name, before, portion.position, base::now_ms());
  };
  if (replace) commit->replaced_partition = {{kDateColumn, run_date_}};
  commit->summary = {{kMark, mark}, {"meesh.ingest.source", stream_.origin}};
  if (portion.verify) commit->audit = [&](const std::string&) { portion.verify(); };
  auto session = this->session();
  session.commit = std::move(commit);
  const auto total = portion.estimated_rows > 0 ? static_cast<uint64_t>(portion.estimated_rows) : 0;
  const auto answer = engine::ask(
      environment_.engine,
      landing_.insert(portion.query, portion.columns, stream_.origin, run_date_, moment_), session,
      context_.stop,
      [&](const engine::QueryInfo& info) { context_.progress(read_ + info.rows_read, total); });
  const uint64_t rows = answer.update_count.value_or(0);
  read_ += rows;
  result.rows += rows;
  if (rows > 0) result.bytes += bytes_of(landing_.table(), mark);
  context_.progress(read_, read_);
  position_ = ledger_.position(config_.name, stream_.name);
}

void Sync::land_rejected(const Portion& portion, bool replace, SyncResult& result) {
  result.rejected += portion.rejected->rows;
  context_.warn(
      fmt::format("{}: {} rows cannot be read{}", stream_.origin, portion.rejected->rows,
                  portion.rejected->query.empty()
                      ? ""
                      : fmt::format(" and go to {}{}", landing_.table().display(), kRejected)));
  const std::string batch = batch_of(portion);
  if (portion.rejected->query.empty()) return;
  // They land on their own: a run that was killed between the two commits must not add them again.
  if (!replace && ledger_.rejected_landed(config_.name, stream_.name, batch)) return;
  auto table = landing_.table();
  table.table += kRejected;
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
              rejected.insert(portion.rejected->query, rejected_columns(), stream_.origin,
                              run_date_, moment_),
              session, context_.stop);
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
