// Data contracts of the Open Data Contract Standard: what there are, what a new one would change,
// and storing it in the mesh's folder.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstring>
#include <fstream>

#include "base/text.h"
#include "base/uuid.h"
#include "governance/catalogue_difference.h"
#include "mesh/mesh_files.h"
#include "quality/contract.h"
#include "serve/api/caller.h"
#include "serve/api/catalogue_parts.h"
#include "serve/api/json_api.h"
#include "sql/lexer.h"

namespace meesh::serve::api {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using governance::Catalogue;
using net::Request;
using net::Response;

constexpr size_t kMostContract = 1 << 20;

/// "orders" → contracts/orders.yaml. Nothing else is a name.
fs::path file_of(const std::string& name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  if (name.empty() || name.size() > 80 || !std::ranges::all_of(name, good))
    throw Error(Code::kBadRequest, fmt::format("'{}' is no name of a contract's file", name))
        .with_hint("lower-case letters, digits, _ and -");
  return fs::path("contracts") / (name + ".yaml");
}

std::optional<std::string> read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string etag_of(const std::optional<std::string>& text) {
  return text ? fmt::format("{:016x}", base::checksum(*text)) : "none";
}

quality::Contract parsed(const std::string& text, const fs::path& file, const mesh::Mesh& mesh) {
  std::vector<Error> problems;
  auto contract = quality::parse_contract(text, file.string(), file.string(), mesh, problems);
  if (!problems.empty() || !contract) throw mesh::ConfigError(std::move(problems));
  return std::move(*contract);
}

json::object contract_json(const quality::Contract& contract, const fs::path& file) {
  json::array tables;
  size_t checks = 0;
  for (const auto& suite : contract.suites) {
    tables.push_back(json::string(suite.table));
    checks += suite.checks.size();
  }
  return {{"file", file.string()},     {"id", contract.id},
          {"name", contract.name},     {"version", contract.version},
          {"status", contract.status}, {"product", contract.product},
          {"domain", contract.domain}, {"tables", std::move(tables)},
          {"checks", checks},          {"unchecked", json::value_from(contract.unchecked)}};
}

/// Columns that the contract and its tables do not both have, or have with other types.
void against_tables(const quality::Contract& contract, const Catalogue& catalogue,
                    json::array& out) {
  const auto add = [&](const char* change, const std::string& where, const std::string& before,
                       const std::string& after) {
    out.push_back({{"of", "table"},
                   {"change", change},
                   {"where", where},
                   {"before", before},
                   {"after", after}});
  };
  for (const auto& suite : contract.suites) {
    const auto table = catalogue.table(suite.table);
    if (!table) {
      add("missing", suite.table, "", "");
      continue;
    }
    for (const auto& check : suite.checks) {
      for (const auto& [name, type] : check.expected) {
        const auto column = std::ranges::find(table->columns, name, &governance::ColumnFact::name);
        if (column == table->columns.end()) {
          add("missing", suite.table + "." + name, "", type);
        } else if (type != "any" && !type.empty() && sql::lower(type) != column->type) {
          add("type", suite.table + "." + name, column->type, type);
        }
      }
    }
  }
}

void list(const CatalogueRooms& rooms, Response& response) {
  mesh::MeshFiles files(rooms.mesh);
  json::array all;
  for (const auto& file : files.list("contracts", ".yaml")) {
    if (const auto contract = quality::load_contract(files, file, rooms.mesh)) {
      all.push_back(contract_json(*contract, file));
    } else {
      all.push_back({{"file", file.string()},
                     {"problem", files.problems().empty() ? "it cannot be read"
                                                          : files.problems().back().what()}});
    }
  }
  answer(response, json::object{{"contracts", std::move(all)}});
}

/// Where the contract would be kept: the file that has its id, the one it is called by, or a new
/// one.
std::string place_of(const quality::Contract& contract, const CatalogueRooms& rooms) {
  mesh::MeshFiles files(rooms.mesh);
  for (const auto& file : files.list("contracts", ".yaml")) {
    const auto known = quality::load_contract(files, file, rooms.mesh);
    if (known && !known->id.empty() && known->id == contract.id) return file.stem().string();
  }
  std::string name = sql::lower(contract.name.empty() ? contract.id : contract.name);
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-') c = '_';
    if (static_cast<unsigned char>(c) >= 0x80) c = '_';
  }
  if (name.size() > 80) name.resize(80);
  return name.empty() ? "contract" : name;
}

void check(Catalogue& catalogue, const CatalogueRooms& rooms, Request& request,
           Response& response) {
  const auto body = body_of(request);
  const std::string text = needed_text(body, "yaml");
  std::string name = api::text(body, "name");
  const auto contract =
      parsed(text, name.empty() ? fs::path("contract.yaml") : file_of(name), rooms.mesh);
  if (name.empty()) name = place_of(contract, rooms);
  const fs::path file = file_of(name);
  const auto before = read(rooms.mesh.folder / file);
  json::array all;
  if (before) {
    const auto old = yaml::parse(*before, file.string());
    const auto fresh = yaml::parse(text, file.string());
    for (const auto& one : governance::differences(old.root, fresh.root)) {
      all.push_back({{"of", "contract"},
                     {"change", one.change},
                     {"where", one.where},
                     {"before", one.before},
                     {"after", one.after}});
    }
  }
  against_tables(contract, catalogue, all);
  answer(response, json::object{{"name", name},
                                {"exists", before.has_value()},
                                {"etag", etag_of(before)},
                                {"contract", contract_json(contract, file)},
                                {"differences", std::move(all)}});
}

/// As a whole or not at all.
void replace(const fs::path& file, const std::string& text) {
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  const fs::path fresh = file.parent_path() / ("." + base::random_uuid() + ".new");
  {
    std::ofstream out(fresh, std::ios::binary);
    out << text;
    out.close();
    if (!out) failed = std::make_error_code(std::errc::io_error);
  }
  if (!failed) fs::rename(fresh, file, failed);
  if (!failed) return;
  std::error_code ignored;
  fs::remove(fresh, ignored);
  throw Error(Code::kIoError, fmt::format("cannot write {}: {}", file.string(), failed.message()));
}

void put(const CatalogueRooms& rooms, Request& request, Response& response) {
  need(request, Role::kEditor);
  static std::mutex writing;
  const fs::path file = file_of(std::string(request.param("name")));
  const std::string text = needed_text(body_of(request), "yaml");
  const auto contract = parsed(text, file, rooms.mesh);
  const std::lock_guard lock(writing);
  const auto before = read(rooms.mesh.folder / file);
  const std::string expected = if_match(request);
  if (!expected.empty() && expected != etag_of(before)) {
    net::HttpError conflict(412, "the contract was changed by somebody else meanwhile",
                            Code::kTransactionConflict);
    conflict.with_hint("look at the differences once more");
    throw conflict;
  }
  replace(rooms.mesh.folder / file, text);
  json::object out = contract_json(contract, file);
  out["etag"] = etag_of(text);
  response.status = before ? 200 : 201;
  answer(response, out);
}

}  // namespace

void register_contracts(net::Server& server, Catalogue& catalogue, const CatalogueRooms& rooms) {
  server.route("GET", "/api/v1/catalogue/contracts",
               guarded([rooms](Request&, Response& response) { list(rooms, response); }));
  server.route("POST", "/api/v1/catalogue/contracts/check",
               guarded([&catalogue, rooms](Request& request, Response& response) {
                 check(catalogue, rooms, request, response);
               }),
               {kMostContract + (64 << 10), true});
  server.route(
      "PUT", "/api/v1/catalogue/contracts/{name}",
      guarded([rooms](Request& request, Response& response) { put(rooms, request, response); }),
      {kMostContract + (64 << 10), true});
}

}  // namespace meesh::serve::api
