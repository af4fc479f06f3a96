#include "ingest/sources/mysql_stream.h"

#include <fmt/format.h>
#include <mariadb/mysql.h>
// After mysql.h, which it needs and does not include:
#include <mariadb/mariadb_rpl.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <sstream>

namespace meesh::ingest {

using std::chrono::milliseconds;

namespace {

constexpr unsigned int kFatalOfBinlog = 1236;  // ER_MASTER_FATAL_ERROR_READING_BINLOG
constexpr int64_t kHeartbeat = 100'000'000;    // ns between words of a server that has no events
constexpr uint64_t kWithinTransaction = 4;     // times the limits
constexpr uint64_t kMostRowsOfEvent = (1 << 20) - 1;

void close(st_mariadb_rpl* stream) { mariadb_rpl_close(stream); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

uint64_t offset_of(const binlog::Event& event) {
  return event.next >= event.length ? event.next - event.length : 0;
}

/// The words and names of a statement's beginning, in upper case unless quoted; comments left out.
/// A quoted name begins with `.
std::vector<std::string> words_of(const std::string& statement, size_t most) {
  std::vector<std::string> words;
  for (size_t at = 0; at < statement.size() && words.size() < most;) {
    const char c = statement[at];
    if (statement.compare(at, 2, "/*") == 0 && statement.compare(at, 3, "/*!") != 0 &&
        statement.compare(at, 4, "/*M!") != 0) {
      const size_t end = statement.find("*/", at + 2);
      at = end == std::string::npos ? statement.size() : end + 2;
    } else if (c == '`' || c == '"') {
      std::string& word = words.emplace_back("`");
      for (++at; at < statement.size(); ++at) {
        if (statement[at] == c && (at + 1 >= statement.size() || statement[++at] != c)) break;
        word += statement[at];
      }
      if (at < statement.size() && statement[at] == c) ++at;
    } else if (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c < 0) {
      std::string& word = words.emplace_back();
      for (; at < statement.size(); ++at) {
        const char d = statement[at];
        if (!std::isalnum(static_cast<unsigned char>(d)) && d != '_' && d != '$' && d >= 0) break;
        word += d >= 'a' && d <= 'z' ? static_cast<char>(d - 'a' + 'A') : d;
      }
    } else {
      if (c == '.' || c == ',' || c == ';') words.emplace_back(1, c);
      ++at;
    }
  }
  return words;
}

std::string name_of(const std::string& word) {
  return lower(word.starts_with('`') ? word.substr(1) : word);
}

}  // namespace

MysqlStream::MysqlStream(const MysqlChangesOptions& options, const std::vector<TableConfig>& tables,
                         MysqlPlace from, bool by_gtid)
    : options_(options),
      tables_(tables),
      metadata_(options.server),
      connection_(std::make_unique<engine::MysqlConnection>(options.server)),
      stream_(nullptr, &close),
      place_(std::move(from)),
      file_(place_.file),
      reached_(place_.position()),
      told_(reached_) {
  std::istringstream gtids(place_.gtid);
  for (std::string gtid; std::getline(gtids, gtid, ',');)
    gtids_[gtid.substr(0, gtid.find('-'))] = gtid;
  for (const auto& table : tables_) followed_[table.name].config = &table;
  open(by_gtid);
}

MysqlStream::~MysqlStream() {
  // The server is not asked to end what it sends: whoever reads on would wait for it.
  connection_->interrupt();
}

void MysqlStream::open(bool by_gtid) {
  auto& connection = *connection_;
  connection.query(fmt::format("SET @master_heartbeat_period = {}", kHeartbeat));
  connection.query("SET @master_binlog_checksum = 'CRC32', @source_binlog_checksum = 'CRC32'");
  if (connection.is_mariadb()) {
    connection.query("SET @mariadb_slave_capability = 4");
    if (by_gtid) {
      connection.query("SET @slave_connect_state = " + engine::mysql_text(place_.gtid));
      connection.query("SET @slave_gtid_strict_mode = 1");
    }
  }
  stream_.reset(mariadb_rpl_init(connection.handle()));
  if (!stream_) throw Error(Code::kGenericInternalError, "no memory for a binlog");
  auto* stream = stream_.get();
  const std::string file = by_gtid ? "" : place_.file;
  mariadb_rpl_optionsv(stream, MARIADB_RPL_FILENAME, file.c_str(), file.size());
  mariadb_rpl_optionsv(stream, MARIADB_RPL_START,
                       static_cast<unsigned long>(by_gtid ? 4 : place_.offset));
  mariadb_rpl_optionsv(stream, MARIADB_RPL_SERVER_ID, options_.server_id);
  mariadb_rpl_optionsv(stream, MARIADB_RPL_FLAGS, 0u);
  if (mariadb_rpl_open(stream) != 0) fail();
}

void MysqlStream::fail() {
  const unsigned int number = mysql_errno(connection_->handle());
  const std::string reason = mysql_error(connection_->handle());
  if (number == kFatalOfBinlog && reason.find("same server") == std::string::npos)
    throw lost_position(options_.source, fmt::format("its binlog {} from {} on is gone: {}",
                                                     place_.file, place_.offset, reason));
  Error error(Code::kUnavailable,
              fmt::format("Source '{}': the server ended the replication: {}", options_.source,
                          reason.empty() ? "the connection broke" : reason));
  if (number == kFatalOfBinlog)
    error.with_hint("another replica has the same server_id: give the source one of its own");
  throw error;
}

// ---------------------------------------------------------------- batches

void MysqlStream::counted(size_t bytes, int64_t committed) {
  if (changes_++ == 0) begun_ = Clock::now();
  bytes_ += bytes;
  last_committed_ = committed;
}

bool MysqlStream::full(const BatchLimits& limits) const {
  if (changes_ == 0) return false;
  const uint64_t times = in_transaction_ ? kWithinTransaction : 1;
  if (changes_ >= limits.changes * times || bytes_ >= limits.bytes * times) return true;
  return !in_transaction_ && Clock::now() - begun_ >= limits.time &&
         (!limits.wanted || limits.wanted->load());
}

std::optional<ChangeBatch> MysqlStream::finish_batch() {
  if (changes_ == 0 && reached_ <= told_) return std::nullopt;
  ChangeBatch batch;
  for (auto& [table, rows] : pending_) batch.tables.push_back(rows->finish());
  pending_.clear();
  told_ = reached_;
  auto place = place_;
  place.gtid.clear();
  for (const auto& [domain, gtid] : gtids_) place.gtid += (place.gtid.empty() ? "" : ",") + gtid;
  batch.end = {reached_, place.json()};
  batch.changes = changes_;
  batch.bytes = bytes_;
  if (last_committed_ != 0)
    batch.committed = std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::microseconds(last_committed_)));
  changes_ = bytes_ = 0;
  last_committed_ = 0;
  return batch;
}

void MysqlStream::cut() {
  if (auto batch = finish_batch()) ready_.push_back(std::move(*batch));
}

std::optional<ChangeBatch> MysqlStream::next(const BatchLimits& limits, std::stop_token stop) {
  const auto until = Clock::now() + limits.time;
  while (!stop.stop_requested()) {
    if (!ready_.empty()) {
      auto batch = std::move(ready_.front());
      ready_.pop_front();
      return batch;
    }
    const bool came = take_event();
    if (!ready_.empty()) continue;
    if (full(limits)) return finish_batch();
    if (came) continue;
    // Nothing more for a moment: what there is may go, if it ends with a transaction.
    if (changes_ == 0 && reached_ > told_) return finish_batch();
    if (changes_ == 0 && Clock::now() >= until) return std::nullopt;
  }
  return std::nullopt;
}

// ---------------------------------------------------------------- events

bool MysqlStream::take_event() {
  auto* handle = connection_->handle();
  const unsigned long size = mysql_net_read_packet(handle);
  if (size == packet_error || size == 0) fail();
  const std::string_view packet(reinterpret_cast<const char*>(handle->net.read_pos), size);
  const auto word = static_cast<unsigned char>(packet[0]);
  if (word == 0xfe && size < 9) fail();  // the server has no more, and does not wait
  const auto event = binlog::read_event(packet.substr(1));
  using Type = binlog::EventType;
  switch (event.type) {
    case Type::kHeartbeat:
      // All before the place it tells of has come.
      if (!in_transaction_ && event.next > place_.offset && !file_.empty()) {
        place_.offset = event.next;
        reached_ = std::max(reached_, place_.position());
      }
      return false;
    case Type::kRotate: {
      const auto told = binlog::read_rotate(event);
      file_ = told.file;
      mapped_.clear();
      if (in_transaction_) return true;
      place_.file = file_;
      place_.offset = told.offset;
      reached_ = std::max(reached_, place_.position());
      return true;
    }
    case Type::kGtid: {
      const auto gtid = binlog::read_gtid(event);
      domain_ = gtid.domain;
      begin_transaction(event, gtid.name);
      begun_by_word_ = !gtid.standalone;
      return true;
    }
    case Type::kGtidOfMysql:
    case Type::kAnonymousGtid:
      domain_.clear();
      begin_transaction(event, binlog::read_mysql_gtid(event));
      return true;
    case Type::kQuery: {
      const auto query = binlog::read_query(event);
      take_statement(event, std::string(query.statement), std::string(query.database));
      return true;
    }
    case Type::kXid:
      end_transaction(event);
      return true;
    case Type::kTableMap:
      take_table_map(event);
      return true;
    case Type::kRows:
      take_rows(event);
      return true;
    case Type::kOther:
      return true;
  }
  return true;
}

void MysqlStream::begin_transaction(const binlog::Event& event, std::string name) {
  in_transaction_ = true;
  begun_by_word_ = false;
  transaction_ = std::move(name);
  place_.file = file_;
  place_.offset = offset_of(event);
}

void MysqlStream::end_transaction(const binlog::Event& event) {
  in_transaction_ = begun_by_word_ = false;
  if (!domain_.empty()) gtids_[domain_] = transaction_;
  place_.file = file_;
  place_.offset = event.next;
  reached_ = std::max(reached_, place_.position());
}

void MysqlStream::take_statement(const binlog::Event& event, std::string statement,
                                 const std::string& database) {
  const auto words = words_of(statement, 64);
  const auto word = [&](size_t at) { return at < words.size() ? words[at] : std::string(); };
  if (word(0) == "BEGIN") {
    if (!in_transaction_) begin_transaction(event, "");
    begun_by_word_ = true;
    return;
  }
  if (word(0) == "COMMIT" || (word(0) == "ROLLBACK" && word(1) != "TO"))
    return end_transaction(event);
  static const std::set<std::string> kChangesRows = {"INSERT", "UPDATE", "DELETE", "REPLACE",
                                                     "LOAD"};
  if (kChangesRows.contains(word(0)) && lower(database) == lower(options_.database)) {
    const bool ours = std::ranges::any_of(
        words, [&](const std::string& name) { return followed_.contains(name_of(name)); });
    if (ours) {
      throw lost_position(options_.source,
                          fmt::format("at {}:{} rows were changed by a statement, not in rows: a "
                                      "session has set binlog_format",
                                      file_, offset_of(event)));
    }
  }
  if (word(0) == "TRUNCATE") truncate(words, word(1) == "TABLE" ? 2 : 1, database, event);
  if (word(0) == "DROP" && word(1) == "TABLE")
    truncate(words, word(2) == "IF" ? 4 : 2, database, event);
  if (word(0) == "CREATE" && word(1) == "OR" && word(3) == "TABLE")
    truncate({word(4), word(5), word(6)}, 0, database, event);
  static const std::set<std::string> kDefines = {"ALTER", "CREATE", "DROP", "RENAME"};
  if (kDefines.contains(word(0)))
    for (auto& [name, table] : followed_) table.known = false;
  if (!begun_by_word_) end_transaction(event);
}

void MysqlStream::truncate(const std::vector<std::string>& words, size_t first,
                           const std::string& database, const binlog::Event& event) {
  static const std::set<std::string> kEnd = {";", "CASCADE", "RESTRICT", "WAIT", "NOWAIT", "AS"};
  uint64_t number = 0;
  for (size_t at = first; at < words.size() && !kEnd.contains(words[at]);) {
    std::string schema = database, name = words[at++];
    if (at + 1 < words.size() && words[at] == ".") {
      schema = words[at - 1].starts_with('`') ? words[at - 1].substr(1) : words[at - 1];
      name = words[at + 1];
      at += 2;
    }
    if (at < words.size() && words[at] == ",") ++at;
    auto* table = followed(schema, name_of(name));
    if (!table || !table->shape.shape) {
      // Nothing was seen of it yet, so that its columns are not known: they are now.
      if (!table) continue;
      const auto facts = metadata_.table(lower(options_.database), table->config->name);
      if (!facts) continue;
      table->shape = mysql_shape(options_.source, *facts, *table->config);
    }
    if (pending_.contains(table->config->name)) cut();
    const auto where = mysql_position(place_.epoch, file_, offset_of(event), ++number);
    reached_ = std::max(reached_, where);
    const int64_t committed = static_cast<int64_t>(event.timestamp) * 1'000'000;
    rows_of(*table).add_truncate({where, transaction_, committed});
    counted(32, committed);
  }
}

MysqlStream::Followed* MysqlStream::followed(const std::string& database,
                                             const std::string& table) {
  if (lower(database) != lower(options_.database)) return nullptr;
  const auto found = followed_.find(lower(table));
  return found == followed_.end() ? nullptr : &found->second;
}

MysqlRows& MysqlStream::rows_of(const Followed& table) {
  auto& rows = pending_[table.config->name];
  if (!rows) rows = std::make_unique<MysqlRows>(*options_.buffers, table.shape);
  return *rows;
}

// ---------------------------------------------------------------- tables

void MysqlStream::take_table_map(const binlog::Event& event) {
  const auto told = binlog::read_table_description(event);
  Mapped mapped;
  mapped.table = followed(std::string(told.database), std::string(told.table));
  if (mapped.table) {
    mapped.map =
        binlog::read_table_map(told.database, told.table, told.types, told.metadata, told.names);
    const auto known = mapped_.find(told.id);
    const bool same = known != mapped_.end() && known->second.table == mapped.table &&
                      mapped.table->known && known->second.map.types == mapped.map.types &&
                      known->second.map.metas == mapped.map.metas;
    if (same) return;
    learn(mapped);
  }
  mapped_[told.id] = std::move(mapped);
}

/// Where the shape's columns are among the map's; false: these are other columns.
bool MysqlStream::number_columns(const MysqlShape& shape, const engine::MysqlTable& table,
                                 Mapped& mapped) const {
  const auto& map = mapped.map;
  mapped.numbers.clear();
  const bool named = !map.names.empty();
  if (!named && map.types.size() > table.column_count) return false;
  // Without names, a column that came later can only be the last one.
  for (const auto& column : table.columns)
    if (!named && column.ordinal < map.types.size() && !binlog::fits(map, column.ordinal, column))
      return false;
  for (const auto& column : shape.columns) {
    int number = column.ordinal < map.types.size() ? static_cast<int>(column.ordinal) : -1;
    if (named) {
      const auto at = std::ranges::find_if(
          map.names, [&](const std::string& name) { return lower(name) == column.name; });
      number = at == map.names.end() ? -1 : static_cast<int>(at - map.names.begin());
      if (number >= 0 && !binlog::fits(map, static_cast<size_t>(number), column)) return false;
    }
    mapped.numbers.push_back(number);
  }
  return true;
}

void MysqlStream::learn(Mapped& mapped) {
  Followed& table = *mapped.table;
  const std::string& name = table.config->name;
  const auto known = facts_.find(name);
  if (table.known && known != facts_.end() && number_columns(table.shape, known->second, mapped))
    return;
  auto facts = metadata_.table(lower(options_.database), name);
  if (!facts) {
    if (!table.shape.shape) mapped.table = nullptr;  // it was dropped since
    if (!mapped.table || known == facts_.end()) return;
    facts = known->second;
  }
  auto shape = mysql_shape(options_.source, *facts, *table.config);
  if (!number_columns(shape, *facts, mapped)) {
    // The table has changed once more since: what was known of it may still be right.
    if (known != facts_.end() && number_columns(table.shape, known->second, mapped)) return;
    throw lost_position(
        options_.source,
        fmt::format("the rows of {} at {} have other columns than the table has now (with "
                    "binlog_row_metadata = FULL the server would say which)",
                    name, file_));
  }
  if (!table.shape.shape || !(*shape.shape == *table.shape.shape)) {
    if (pending_.contains(name)) cut();
    table.shape = std::move(shape);
  }
  facts_[name] = std::move(*facts);
  table.known = true;
}

// ---------------------------------------------------------------- rows

void MysqlStream::take_rows(const binlog::Event& event) {
  const auto told = binlog::read_rows(event);
  const auto found = mapped_.find(told.table);
  if (found == mapped_.end() || !found->second.table) return;
  const Mapped& mapped = found->second;
  const auto& map = mapped.map;
  if (told.columns != map.types.size()) {
    throw Error(Code::kGenericExternal,
                fmt::format("Source '{}': the binlog has rows with other columns than their table",
                            options_.source));
  }
  const bool update = told.kind == binlog::RowsKind::kUpdate;
  std::string_view data = told.data;
  const int64_t committed = static_cast<int64_t>(event.timestamp) * 1'000'000;
  MysqlRows& rows = rows_of(*mapped.table);
  MysqlRows::Cells before, row;
  for (uint64_t number = 1; !data.empty(); ++number) {
    if (number > kMostRowsOfEvent) internal_error("an event of more than a million rows");
    const size_t size = data.size();
    const auto where = mysql_position(place_.epoch, file_, offset_of(event), number);
    const MysqlRows::Change change{where, transaction_, committed};
    binlog::read_row(map, told.present, data, before);
    if (update) {
      binlog::read_row(map, told.present_after, data, row);
      rows.add_update(change, map, mapped.numbers, before, row);
    } else if (told.kind == binlog::RowsKind::kDelete) {
      rows.add_delete(change, map, mapped.numbers, before);
    } else {
      rows.add_insert(change, map, mapped.numbers, before);
    }
    reached_ = std::max(reached_, where);
    counted(size - data.size(), committed);
  }
}

}  // namespace meesh::ingest
