#include "engine/lake/calls.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include "engine/lake/adopt.h"
#include "engine/procedure_arguments.h"
#include "engine/statement_runner.h"
#include "objects/store.h"

namespace meesh::engine {
namespace {

lake::Identifier table_of(const ProcedureArguments& arguments) {
  return {{lower_case(arguments.full_text("schema_name"))},
          lower_case(arguments.full_text("table_name"))};
}

/// "00007-<uuid>.metadata.json", "00007-<uuid>.gz.metadata.json", "v7.metadata.json" → 7.
std::optional<int64_t> version_of(const std::string& file) {
  static const RE2 pattern(
      R"((?:(\d{1,18})-[-a-fA-F0-9]*|v(\d{1,18}))(?:\.[a-zA-Z0-9]+)?\.metadata\.json(?:\.[a-zA-Z0-9]+)?)");
  std::string uuid_kind, plain_kind;
  if (!RE2::FullMatch(file, pattern, &uuid_kind, &plain_kind)) return std::nullopt;
  return std::stoll(uuid_kind.empty() ? plain_kind : uuid_kind);
}

/// The metadata file of the highest version below `place`.
std::string newest_metadata(objects::Store& store, const std::string& place) {
  const auto folder = lake::parse_path(place + "/metadata");
  objects::ListOptions wanted;
  wanted.prefix = folder.key + "/";
  std::vector<std::string> newest;
  int64_t version = -1;
  while (true) {
    const auto page = store.list(folder.bucket, wanted);
    for (const auto& object : page.objects) {
      const std::string file = object.key.substr(wanted.prefix.size());
      const auto of_file = version_of(file);
      if (!of_file || *of_file < version) continue;
      if (*of_file > version) newest.clear();
      version = *of_file;
      newest.push_back(place + "/metadata/" + file);
    }
    if (!page.truncated) break;
    wanted.after = page.next;
  }
  if (newest.empty()) {
    throw Error(Code::kIcebergInvalidMetadata,
                fmt::format("No versioned metadata file exists at location: {}/metadata", place))
        .with_hint("import_table makes a table of Parquet files that have none");
  }
  if (newest.size() > 1) {
    throw Error(Code::kIcebergInvalidMetadata,
                fmt::format("More than one latest metadata file found at location: {}/metadata, "
                            "latest metadata files are [{}]",
                            place, fmt::join(newest, ", ")))
        .with_hint("name one of them: metadata_file_name => …");
  }
  return newest.front();
}

std::string named_metadata(const lake::Files& files, const ProcedureArguments& arguments,
                           const std::string& place) {
  std::string file = arguments.text("metadata_file_name");
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!file.empty() && blank(file.back())) file.pop_back();
  while (!file.empty() && blank(file.front())) file.erase(file.begin());
  if (file.empty())
    arguments.refuse("metadata_file_name cannot be empty when provided as an argument");
  if (file.find('/') != file.npos) arguments.refuse(file + " is not a valid metadata file");
  const std::string path = place + "/metadata/" + file;
  if (!files.exists(path)) arguments.refuse("Location " + path + " does not exist");
  return path;
}

std::string location_argument(const lake::Files& files, const ProcedureArguments& arguments) {
  std::string place = arguments.full_text("table_location");
  while (place.ends_with('/')) place.pop_back();
  files.check(place + "/metadata");
  return place;
}

void register_table(LakeSource& source, const sql::Call& call, const std::string& user) {
  const ProcedureArguments arguments(
      call.args, {"schema_name", "table_name", "table_location", "metadata_file_name"}, call.pos);
  const auto name = table_of(arguments);
  auto& catalog = source.catalog;
  const std::string place = location_argument(catalog.files(), arguments);
  if (!catalog.has_namespace(name.space))
    arguments.refuse(fmt::format("Schema '{}' does not exist", lake::display(name.space)));
  source.allow(user, "s3:GetObject", place + "/*");
  source.allow(user, "s3:PutObject", place + "/*");
  const std::string metadata = arguments.has("metadata_file_name")
                                   ? named_metadata(catalog.files(), arguments, place)
                                   : newest_metadata(catalog.files().store(), place);
  lake::TableMetadata read;
  try {
    read = lake::parse_metadata(catalog.files().read(metadata));
  } catch (const Error& error) {
    throw Error(
        error.code() == Code::kNotSupported ? Code::kNotSupported : Code::kIcebergInvalidMetadata,
        fmt::format("Invalid metadata file: {}: {}", metadata, error.message()));
  }
  if (!lake::lies_below(read.location, place) || !lake::lies_below(place, read.location)) {
    throw Error(Code::kIcebergInvalidMetadata,
                fmt::format("Table metadata file [{}] declares table location as [{}] which is "
                            "differs from location provided [{}]",
                            metadata, read.location, place));
  }
  if (catalog.find(name) || catalog.find_view(name)) {
    throw Error(Code::kTableAlreadyExists,
                fmt::format("Table '{}' already exists", name.display()));
  }
  catalog.register_table(name, metadata, false);
}

void unregister_table(LakeSource& source, const sql::Call& call, const std::string& user) {
  const ProcedureArguments arguments(call.args, {"schema_name", "table_name"}, call.pos);
  const auto name = table_of(arguments);
  const auto table = source.catalog.find(name);
  if (!table) {
    throw Error(Code::kTableNotFound, fmt::format("Table '{}' not found", name.display()),
                {call.pos.line, call.pos.column, {}});
  }
  source.allow(user, "s3:DeleteObject", table->metadata->location + "/*");
  source.catalog.drop(name);
}

}  // namespace

void run_lake_procedure(LakeSource& source, const sql::Call& call, const std::string& user,
                        const std::string& query_id, const RunDuck& run) {
  const std::string procedure = lower_case(call.name.back().value);
  const bool ours =
      call.name.size() < 2 || lower_case(call.name[call.name.size() - 2].value) == "system";
  if (ours && procedure == "register_table") return register_table(source, call, user);
  if (ours && procedure == "unregister_table") return unregister_table(source, call, user);
  if (ours && procedure == "import_table") {
    const ProcedureArguments arguments(
        call.args, {"schema_name", "table_name", "location", "format", "recursive_directory"},
        call.pos);
    return import_table(
        {source, user, {{"engine-name", "meesh"}, {"trino_query_id", query_id}}, run},
        table_of(arguments), folder_to_adopt(arguments, false));
  }
  throw Error(Code::kProcedureNotFound, "Procedure not registered: system." + procedure,
              {call.pos.line, call.pos.column, {}})
      .with_hint("system.register_table, system.unregister_table, system.import_table");
}

}  // namespace meesh::engine
