#include "app/lake/local_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <csignal>
#include <optional>

#include "app/lake/keys.h"
#include "app/lake/transfer.h"
#include "app/language.h"
#include "base/uuid.h"
#include "sql/lexer.h"

namespace meesh::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::atomic<bool> interrupted = false;

extern "C" void on_end(int) { interrupted = true; }

/// While one lives, Ctrl-C and its like end the work but not the cleaning up.
class CatchEnd {
 public:
  CatchEnd() {
    interrupted = false;
    struct sigaction action{};
    action.sa_handler = on_end;
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &action, &before_[i]);
  }
  ~CatchEnd() {
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  }
  CatchEnd(const CatchEnd&) = delete;
  CatchEnd& operator=(const CatchEnd&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction before_[std::size(kSignals)]{};
};

std::unique_ptr<objects::Store> open(const LocalTable& table, const S3Keys& keys) {
  return objects::open_remote({.endpoint = table.endpoint,
                               .region = table.region,
                               .access_key = keys.access_key,
                               .secret_key = keys.secret_key,
                               .session_token = keys.session_token});
}

TransferOptions transfer_options(const LocalTable& table) {
  return {.jobs = table.jobs, .remove_source = false, .quiet = table.quiet, .stop = &interrupted};
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::string sql_name(const LocalTable& table, std::string_view suffix = {}) {
  return fmt::format("{}.{}.{}", sql::quote_identifier(table.catalog),
                     sql::quote_identifier(table.schema),
                     sql::quote_identifier(table.table + std::string(suffix)));
}

int run(const LocalTable& table, std::vector<std::string> statements) {
  SqlOptions options = table.sql;
  options.execute = std::move(statements);
  return run_sql(options);
}

// ---------------------------------------------------------------- import

/// What the server's Iceberg catalog says of a lake.
class LakeNames {
 public:
  LakeNames(const LocalTable& table, const S3Keys& keys)
      : table_(table), keys_(keys), http_(table.sql.session.server) {}

  /// Where tables of the schema go.
  std::string schema_location() {
    const auto answer = get(path());
    if (answer.status == 404) {
      throw Error(Code::kSchemaNotFound,
                  fmt::format("there is no schema {}.{}", table_.catalog, table_.schema))
          .with_hint(
              fmt::format("meesh sql -e 'CREATE SCHEMA {}.{}'", table_.catalog, table_.schema));
    }
    require(answer);
    boost::system::error_code failed;
    const auto body = json::parse(answer.body, failed);
    const auto* location = failed ? nullptr : body.find_pointer("/properties/location", failed);
    if (failed || !location || !location->is_string()) refuse(answer);
    return std::string(location->as_string());
  }

  bool has_table() {
    const auto answer = get(path() + "/tables/" + net::percent_encode(lower(table_.table)));
    if (answer.status != 404) require(answer);
    return answer.status != 404;
  }

 private:
  std::string path() const {
    return fmt::format("/iceberg/v1/{}/namespaces/{}", net::percent_encode(lower(table_.catalog)),
                       net::percent_encode(lower(table_.schema)));
  }

  net::ClientResponse get(const std::string& target) {
    auto answer = http_.request("GET", target, headers_, "");
    if (answer.status != 401 || headers_.get("Authorization")) return answer;
    // Only callers on the server's own machine need no token.
    net::Headers form;
    form.set("Content-Type", "application/x-www-form-urlencoded");
    const auto token = http_.request(
        "POST", "/iceberg/v1/oauth/tokens", form,
        fmt::format("grant_type=client_credentials&client_id={}&client_secret={}",
                    net::percent_encode(keys_.access_key), net::percent_encode(keys_.secret_key)));
    require(token);
    boost::system::error_code failed;
    const auto body = json::parse(token.body, failed);
    const auto* word = failed ? nullptr : body.find_pointer("/access_token", failed);
    if (failed || !word || !word->is_string()) refuse(token);
    headers_.set("Authorization", "Bearer " + std::string(word->as_string()));
    return http_.request("GET", target, headers_, "");
  }

  static void require(const net::ClientResponse& answer) {
    if (answer.status < 200 || answer.status > 299) refuse(answer);
  }
  [[noreturn]] static void refuse(const net::ClientResponse& answer) {
    boost::system::error_code failed;
    const auto body = json::parse(answer.body, failed);
    const auto* message = failed ? nullptr : body.find_pointer("/error/message", failed);
    throw Error(Code::kUnavailable,
                fmt::format("the server's Iceberg catalog answered {}{}", answer.status,
                            !failed && message && message->is_string()
                                ? ": " + std::string(message->as_string())
                                : ""));
  }

  const LocalTable& table_;
  const S3Keys& keys_;
  net::Client http_;
  net::Headers headers_;
};

bool passed_over(const fs::path& name) {
  return std::ranges::any_of(name, [](const fs::path& part) {
    const std::string text = part.string();
    return text.starts_with('.') || text.starts_with('_');
  });
}

/// The Parquet files, as import_table would take them.
std::vector<Found> local_files(const LocalTable& table, objects::Store& store) {
  Place place;
  place.path = table.folder;
  std::vector<Found> files;
  for (auto& found : find_all(store, place, fs::is_directory(table.folder))) {
    const fs::path name = found.name;
    if (found.size == 0 || passed_over(name) || lower(name.extension().string()) != ".parquet")
      continue;
    for (const auto& part : name.parent_path()) {
      if (table.recursive || part.string().find('=') != std::string::npos) continue;
      throw Error(Code::kInvalidArguments,
                  fmt::format("'{}' lies in a folder that is no partition (year=2026)",
                              found.place.path.string()))
          .with_hint("-r takes the files of all folders");
    }
    files.push_back(std::move(found));
  }
  if (!files.empty()) return files;
  throw Error(Code::kNotFound,
              fmt::format("there are no Parquet files in '{}'", table.folder.string()))
      .with_hint(
          "files named *.parquet are taken, but for those whose names or folders begin with "
          "_ or .");
}

/// A folder of the table's own, in which nothing lies.
Place target_of(const LocalTable& table, const std::string& schema_location,
                objects::Store& store) {
  Place target = parse_remote(schema_location, false);
  while (target.key.ends_with('/')) target.key.pop_back();
  target.key += (target.key.empty() ? "" : "/") + lower(table.table);
  objects::ListOptions wanted;
  wanted.prefix = target.key + "/";
  wanted.limit = 1;
  if (!store.list(target.bucket, wanted).objects.empty())
    target.key += "-" + base::random_uuid().substr(0, 8);
  return target;
}

void remove_uploaded(objects::Store& store, const std::vector<Transfer>& transfers) noexcept {
  try {
    std::vector<std::pair<std::string, objects::DeleteOptions>> keys;
    for (const auto& transfer : transfers)
      keys.emplace_back(transfer.to.key, objects::DeleteOptions{});
    for (size_t at = 0; at < keys.size(); at += 1000) {
      const auto end = keys.begin() + static_cast<std::ptrdiff_t>(std::min(keys.size(), at + 1000));
      store.remove_all(transfers.front().to.bucket,
                       {keys.begin() + static_cast<std::ptrdiff_t>(at), end});
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n",
               say("files that were uploaded stay", "des fichiers téléversés restent"),
               error.what());
  }
}

/// The statement failed: its files go, unless the table may be there all the same.
void clean_up(LakeNames& names, objects::Store& store, const std::vector<Transfer>& transfers,
              const std::string& location) {
  bool in_use = true;
  try {
    in_use = names.has_table();
  } catch (const Error&) {  // nobody knows
  }
  if (!in_use) return remove_uploaded(store, transfers);
  fmt::print(stderr, "{} {}\n", say("the files stay in", "les fichiers restent dans"), location);
}

// ---------------------------------------------------------------- export

/// A table of its own for the rows on their way, which goes with its files.
class Passing {
 public:
  explicit Passing(const LocalTable& table) : table_(table) {
    std::string id = base::random_uuid();
    std::erase(id, '-');
    name_ = "hive.\"default\".export_" + id;
  }
  ~Passing() {
    if (!made_) return;
    try {
      ask("DROP TABLE " + name_);
    } catch (const std::exception& error) {
      fmt::print(stderr, "{} {}: {}\n", say("drop it yourself:", "à supprimer :"), name_,
                 error.what());
    }
  }
  Passing(const Passing&) = delete;
  Passing& operator=(const Passing&) = delete;

  /// An exit code.
  int fill() {
    made_ = true;  // even when it failed: its answer may have been lost
    return run(table_, {fmt::format("CREATE TABLE {} WITH (format = 'PARQUET') AS SELECT * FROM {}",
                                    name_, sql_name(table_))});
  }
  std::vector<std::string> files() {
    return ask(fmt::format("SELECT DISTINCT \"$path\" FROM {} ORDER BY 1", name_));
  }

 private:
  /// The first column.
  std::vector<std::string> ask(const std::string& statement) {
    std::vector<std::string> texts;
    TrinoClient::Callbacks callbacks;
    callbacks.columns = [](const auto&) {};
    callbacks.rows = [&](const json::array& rows) {
      for (const auto& row : rows) {
        if (row.is_array() && !row.as_array().empty() && row.as_array()[0].is_string())
          texts.emplace_back(row.as_array()[0].as_string());
      }
    };
    callbacks.progress = [](const Progress&) {};
    callbacks.canceled = [] { return false; };
    const Outcome outcome = TrinoClient(table_.sql.session).run(statement, callbacks);
    if (outcome.error && outcome.error->name != "TABLE_NOT_FOUND")
      throw Error(Code::kGenericUserError, outcome.error->message);
    return texts;
  }

  const LocalTable& table_;
  std::string name_;
  bool made_ = false;
};

std::vector<Transfer> downloads(const LocalTable& table, objects::Store& store,
                                const std::vector<std::string>& files) {
  std::vector<Transfer> transfers;
  for (size_t i = 0; i < files.size(); ++i) {
    Transfer transfer;
    transfer.from = find_all(store, parse_remote(files[i], true), false).front();
    const std::string number = files.size() == 1 ? "" : fmt::format("-{:05}", i + 1);
    std::string name = table.table + number + ".parquet";
    std::ranges::replace(name, '/', '_');
    transfer.to.path = table.folder / name;
    transfers.push_back(std::move(transfer));
  }
  return transfers;
}

}  // namespace

int import_local(const LocalTable& table) {
  const S3Keys keys = find_keys(table.mesh);
  const auto store = open(table, keys);
  const auto files = local_files(table, *store);
  LakeNames names(table, keys);
  const std::string schema_location = names.schema_location();
  if (names.has_table()) {
    throw Error(Code::kTableAlreadyExists, fmt::format("the table {}.{}.{} is there already",
                                                       table.catalog, table.schema, table.table))
        .with_hint(
            "copy the files with meesh lake cp -r, and add them with ALTER TABLE … EXECUTE "
            "add_files");
  }
  const Place target = target_of(table, schema_location, *store);
  std::vector<Transfer> transfers;
  for (const auto& file : files) {
    Place to = target;
    to.key += "/" + file.name;
    transfers.push_back({file, std::move(to)});
  }
  const CatchEnd guard;
  if (run_transfers(*store, transfers, transfer_options(table)) > 0) {
    remove_uploaded(*store, transfers);
    return interrupted ? 130 : 1;
  }
  const std::string location = target.text();
  const int made =
      run(table, {fmt::format("CALL {}.system.import_table(schema_name => {}, table_name => {}, "
                              "location => {}, recursive_directory => '{}')",
                              sql::quote_identifier(table.catalog), sql::quote_string(table.schema),
                              sql::quote_string(table.table), sql::quote_string(location),
                              table.recursive ? "true" : "fail")});
  if (made != 0) {
    clean_up(names, *store, transfers, location);
    return made;
  }
  // Nobody else counts on these files.
  return run(table, {fmt::format("ALTER TABLE {} SET PROPERTIES extra_properties = "
                                 "MAP(ARRAY['gc.enabled', 'meesh.maintenance.compaction'], "
                                 "ARRAY['true', 'true'])",
                                 sql_name(table)),
                     fmt::format("SELECT count(*) AS files, sum(record_count) AS \"rows\", "
                                 "sum(file_size_in_bytes) AS bytes FROM {} WHERE content = 0",
                                 sql_name(table, "$files"))});
}

int export_local(const LocalTable& table) {
  if (fs::exists(table.folder) &&
      (!fs::is_directory(table.folder) || !fs::is_empty(table.folder))) {
    throw Error(Code::kAlreadyExists,
                fmt::format("'{}' is there and is no empty folder", table.folder.string()))
        .with_hint("name a new folder");
  }
  const auto store = open(table, find_keys(table.mesh));
  const CatchEnd guard;
  Passing passing(table);
  if (const int code = passing.fill(); code != 0) return code;
  const auto transfers = downloads(table, *store, passing.files());
  if (transfers.empty())
    fmt::print(stderr, "{}\n", say("the table has no rows", "la table n'a pas de lignes"));
  fs::create_directories(table.folder);
  const int failed = run_transfers(*store, transfers, transfer_options(table));
  return interrupted ? 130 : failed > 0 ? 1 : 0;
}

}  // namespace meesh::app
