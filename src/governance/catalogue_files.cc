#include "governance/catalogue_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/text.h"
#include "base/uuid.h"

namespace meesh::governance {

namespace fs = std::filesystem;

namespace {

constexpr const char* kAssetFolder = "catalogue";
constexpr const char* kTermFolder = "glossary";

/// The file that says something of a new asset: one a catalog or kind.
fs::path file_for(const std::string& asset) {
  std::string stem = asset.substr(0, asset.find_first_of(".:"));
  for (char& c : stem) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-') c = '_';
  }
  if (stem.empty() || stem.size() > 60) stem = "others";
  return fs::path(kAssetFolder) / (stem + ".yaml");
}

[[noreturn]] void conflict(const std::string& what) {
  throw Error(Code::kTransactionConflict, "'" + what + "' was changed by somebody else meanwhile")
      .with_hint("load it again and make your change once more");
}

[[noreturn]] void cannot_write(const fs::path& file) {
  const int code = errno;
  throw Error(code == ENOSPC ? Code::kDiskFull : Code::kIoError,
              fmt::format("cannot write {}: {}", file.string(), std::strerror(code)));
}

void check_parents(const Terms& terms, const std::string& name) {
  std::set<std::string> seen;
  for (std::string at = name; !at.empty();) {
    if (!seen.insert(at).second)
      throw Error(Code::kConstraintViolation, fmt::format("'{}' would be its own parent", name));
    const auto found = terms.find(at);
    if (found == terms.end()) {
      std::vector<std::string> names;
      for (const auto& [known, term] : terms) names.push_back(known);
      throw Error(Code::kNotFound, fmt::format("there is no term '{}'", at))
          .with_hint(base::did_you_mean(at, names, ""));
    }
    at = found->second.parent;
  }
}

}  // namespace

const AssetNote* Notes::asset(const std::string& name) const {
  const auto found = assets.find(name);
  return found == assets.end() ? nullptr : &found->second;
}

const Term* Notes::term(const std::string& name) const {
  const auto found = terms.find(name);
  return found == terms.end() ? nullptr : &found->second;
}

std::string etag_of(const std::string& name, const AssetNote* note) {
  if (!note || note->empty()) return "none";
  return fmt::format("{:016x}", base::checksum(write_assets({{name, *note}})));
}

std::string etag_of(const Term* term) {
  return term ? fmt::format("{:016x}", base::checksum(write_terms({{term->name, *term}}))) : "none";
}

uint64_t fingerprint_of(const fs::path& mesh, const std::vector<std::string>& folders) {
  std::vector<std::string> facts;
  for (const auto& folder : folders) {
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(mesh / folder, failure)) {
      std::error_code gone;
      facts.push_back(fmt::format("{} {} {}", entry.path().string(), entry.file_size(gone),
                                  entry.last_write_time(gone).time_since_epoch().count()));
    }
  }
  std::ranges::sort(facts);
  return base::checksum(base::join(facts, "\n"));
}

struct CatalogueFiles::Read {
  Notes notes;
  std::vector<Error> problems;
  uint64_t fingerprint = 0;
};

CatalogueFiles::CatalogueFiles(const mesh::Mesh& mesh) : mesh_(mesh) {
  Read first = read();
  if (!first.problems.empty()) throw mesh::ConfigError(std::move(first.problems));
  take(std::move(first));
}

CatalogueFiles::Read CatalogueFiles::read() const {
  Read out;
  out.fingerprint = fingerprint_of(mesh_.folder, {kAssetFolder, kTermFolder});
  mesh::MeshFiles files(mesh_);
  const auto twice = [&](const fs::path& file, const fs::path& other, const std::string& name) {
    files.problems().push_back(
        Error(Code::kConfigInvalid,
              fmt::format("'{}' is described in {} as well", name, files.shown(other)),
              {1, 1, files.shown(file)}));
  };
  for (const auto& file : files.list(kAssetFolder, ".yaml")) {
    const auto document = files.read(file, catalogue_shape(), true);
    if (!document) continue;
    for (auto& [name, note] : read_assets(*document, files.problems())) {
      if (!out.notes.assets.try_emplace(name, std::move(note)).second)
        twice(file, out.notes.asset_files[name], name);
      out.notes.asset_files.try_emplace(name, file);
    }
  }
  for (const auto& file : files.list(kTermFolder, ".yaml")) {
    const auto document = files.read(file, glossary_shape(), true);
    if (!document) continue;
    for (auto& [name, term] : read_terms(*document, files.problems())) {
      if (!out.notes.terms.try_emplace(name, std::move(term)).second)
        twice(file, out.notes.term_files[name], name);
      out.notes.term_files.try_emplace(name, file);
    }
  }
  out.problems = std::move(files.problems());
  return out;
}

void CatalogueFiles::take(Read read) {
  const std::lock_guard lock(mutex_);
  fingerprint_ = read.fingerprint;
  problems_ = std::move(read.problems);
  if (problems_.empty()) notes_ = std::make_shared<const Notes>(std::move(read.notes));
}

std::shared_ptr<const Notes> CatalogueFiles::now() const {
  const std::lock_guard lock(mutex_);
  return notes_;
}

std::vector<Error> CatalogueFiles::problems() const {
  const std::lock_guard lock(mutex_);
  return problems_;
}

bool CatalogueFiles::refresh() {
  const uint64_t fingerprint = fingerprint_of(mesh_.folder, {kAssetFolder, kTermFolder});
  {
    const std::lock_guard lock(mutex_);
    if (fingerprint == fingerprint_) return false;
  }
  take(read());
  return true;
}

void CatalogueFiles::replace(const fs::path& relative, const std::string& text) const {
  const fs::path file = mesh_.folder / relative;
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  const fs::path fresh = file.parent_path() / ("." + base::random_uuid() + ".new");
  const int out = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (out < 0) cannot_write(file);
  size_t written = 0;
  bool good = true;
  while (good && written < text.size()) {
    const ssize_t count = ::write(out, text.data() + written, text.size() - written);
    good = count > 0 || (count < 0 && errno == EINTR);
    if (count > 0) written += static_cast<size_t>(count);
  }
  good = good && ::fsync(out) == 0;
  good = ::close(out) == 0 && good;
  if (good) good = ::rename(fresh.c_str(), file.c_str()) == 0;
  if (good) return;
  const int code = errno;
  ::unlink(fresh.c_str());
  errno = code;
  cannot_write(file);
}

namespace {

/// Throws every mistake that the text would have as this file.
void check_text(const std::string& text, const fs::path& file, const base::Shape& shape) {
  std::vector<Error> problems;
  try {
    yaml::Document document = yaml::parse(text, file.string());
    base::check(shape, document, problems);
  } catch (const Error& error) {
    problems.push_back(error);
  }
  if (!problems.empty()) throw mesh::ConfigError(std::move(problems));
}

template <class All>
All in_file(const All& all, const std::map<std::string, fs::path>& files, const fs::path& file) {
  All out;
  for (const auto& [name, one] : all) {
    if (const auto found = files.find(name); found != files.end() && found->second == file)
      out.emplace(name, one);
  }
  return out;
}

}  // namespace

void CatalogueFiles::put_asset(const std::string& written, const AssetNote& note,
                               const std::string& etag) {
  const std::string name = asset_name(written);
  const std::lock_guard editing(editing_);
  Read current = read();
  if (!current.problems.empty()) throw mesh::ConfigError(std::move(current.problems));
  if (!etag.empty() && etag_of(name, current.notes.asset(name)) != etag) conflict(name);
  const auto known = current.notes.asset_files.find(name);
  const fs::path file = known == current.notes.asset_files.end() ? file_for(name) : known->second;
  AssetNotes all = in_file(current.notes.assets, current.notes.asset_files, file);
  all[name] = note;
  std::erase_if(all[name].columns, [](const auto& one) { return one.second.empty(); });
  if (all[name].empty()) all.erase(name);
  const std::string text = write_assets(all);
  check_text(text, file, catalogue_shape());
  replace(file, text);
  take(read());
}

void CatalogueFiles::put_term(const Term& term, const std::string& etag) {
  const std::lock_guard editing(editing_);
  Read current = read();
  if (!current.problems.empty()) throw mesh::ConfigError(std::move(current.problems));
  if (!etag.empty() && etag_of(current.notes.term(term.name)) != etag) conflict(term.name);
  current.notes.terms[term.name] = term;
  check_parents(current.notes.terms, term.name);
  const auto known = current.notes.term_files.find(term.name);
  const fs::path file = known == current.notes.term_files.end()
                            ? fs::path(kTermFolder) / "glossary.yaml"
                            : known->second;
  current.notes.term_files[term.name] = file;
  const std::string text =
      write_terms(in_file(current.notes.terms, current.notes.term_files, file));
  check_text(text, file, glossary_shape());
  replace(file, text);
  take(read());
}

void CatalogueFiles::remove_term(const std::string& name, const std::string& etag) {
  const std::lock_guard editing(editing_);
  Read current = read();
  if (!current.problems.empty()) throw mesh::ConfigError(std::move(current.problems));
  const Notes& notes = current.notes;
  if (!notes.term(name)) throw Error(Code::kNotFound, fmt::format("there is no term '{}'", name));
  if (!etag.empty() && etag_of(notes.term(name)) != etag) conflict(name);
  const auto used = [&](const std::string& by) {
    throw Error(Code::kConstraintViolation, fmt::format("'{}' is used by '{}'", name, by))
        .with_hint("take it out there first");
  };
  const auto has = [&](const std::vector<std::string>& terms) {
    return std::ranges::find(terms, name) != terms.end();
  };
  for (const auto& [other, term] : notes.terms) {
    if (term.parent == name || has(term.related)) used(other);
  }
  for (const auto& [asset, note] : notes.assets) {
    if (has(note.terms)) used(asset);
    for (const auto& [column, one] : note.columns) {
      if (has(one.terms)) used(asset + "." + column);
    }
  }
  const fs::path file = notes.term_files.at(name);
  Terms all = in_file(notes.terms, notes.term_files, file);
  all.erase(name);
  replace(file, write_terms(all));
  take(read());
}

}  // namespace meesh::governance
