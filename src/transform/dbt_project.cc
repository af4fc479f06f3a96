#include "transform/dbt_project.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/text.h"
#include "base/yaml.h"

namespace meesh::transform {
namespace {

namespace fs = std::filesystem;

std::string file_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw Error(Code::kConfigInvalid, fmt::format("cannot read {}", file.string()));
  return text.str();
}

/// JSON is YAML.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool written_by_dbt(const fs::path& name) {
  return name == "target" || name == "logs" || name == "dbt_packages" ||
         name.string().starts_with('.');
}

}  // namespace

DbtProject DbtProject::read(const fs::path& folder) {
  const fs::path file = folder / "dbt_project.yml";
  const auto document = yaml::parse(file_text(file), file.string());
  DbtProject project;
  project.folder = folder;
  project.own_profiles = fs::exists(folder / "profiles.yml");
  const yaml::Node* name = document.root.find("name");
  const yaml::Node* profile = document.root.find("profile");
  if (profile == nullptr) profile = name;
  if (profile == nullptr || !profile->is_scalar() || profile->text.empty()) {
    throw Error(Code::kConfigInvalid, "the project has no name")
        .at(file.string(), std::max(1, document.root.line), std::max(1, document.root.column))
        .with_hint("add 'name: …', as 'dbt init' does");
  }
  project.profile = profile->text;
  // vars: {run_date: …}, or one level deeper, by the project they are for.
  if (const yaml::Node* vars = document.root.find("vars")) {
    for (size_t i = 0; i < vars->keys.size(); ++i) {
      project.vars.insert(vars->keys[i].name);
      for (const auto& key : vars->items[i].keys) project.vars.insert(key.name);
    }
  }
  return project;
}

std::string profiles_yml(const std::string& profile, const DbtTarget& target) {
  std::string text = fmt::format(
      "# Made by meesh; a profiles.yml in the project itself is used instead.\n"
      "{}:\n  target: meesh\n  outputs:\n    meesh:\n      type: trino\n      method: none\n"
      "      host: {}\n      port: {}\n      http_scheme: {}\n      user: {}\n"
      "      database: {}\n      schema: {}\n      threads: 4\n",
      quoted(profile), quoted(target.host), target.port, target.tls ? "https" : "http",
      quoted(target.user), quoted(target.catalog), quoted(target.schema));
  if (!target.certificate.empty()) {
    text += fmt::format("      cert: {}\n", quoted(target.certificate.string()));
  }
  return text;
}

uint64_t dbt_fingerprint(const fs::path& folder) {
  std::vector<std::string> lines;
  std::error_code gone;
  auto entry = fs::recursive_directory_iterator(folder, gone);
  for (; !gone && entry != fs::recursive_directory_iterator(); entry.increment(gone)) {
    if (written_by_dbt(entry->path().filename())) {
      if (entry->is_directory(gone)) entry.disable_recursion_pending();
      continue;
    }
    std::error_code unreadable;
    if (!entry->is_regular_file(unreadable)) continue;
    lines.push_back(fmt::format("{} {} {}\n", entry->path().string(), entry->file_size(unreadable),
                                entry->last_write_time(unreadable).time_since_epoch().count()));
  }
  std::ranges::sort(lines);
  return base::checksum(base::join(lines, ""));
}

}  // namespace meesh::transform
