// The files catalogue/*.yaml and glossary/*.yaml of a mesh: read, kept up with when people edit
// them, and written for those who edit in a browser.
//
//   CatalogueFiles files(mesh);                       // throws mesh::ConfigError
//   auto now = files.now();                           // cheap; the last state without mistakes
//   files.put_asset("lake.gold.rfm", note, etag);     // only if nobody else changed it meanwhile
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "governance/annotations.h"
#include "mesh/mesh.h"

namespace meesh::governance {

/// One state of all files.
struct Notes {
  AssetNotes assets;
  Terms terms;
  std::map<std::string, std::filesystem::path> asset_files, term_files;  // relative to the mesh

  /// Null if nothing is said about it.
  const AssetNote* asset(const std::string& name) const;
  const Term* term(const std::string& name) const;
};

/// Stands for what is said of an asset or a term; "none" for nothing. Changes when that does.
std::string etag_of(const std::string& name, const AssetNote* note);
std::string etag_of(const Term* term);

/// Thread-safe.
class CatalogueFiles {
 public:
  /// Throws mesh::ConfigError with every mistake of every file. The mesh outlives it.
  explicit CatalogueFiles(const mesh::Mesh& mesh);

  std::shared_ptr<const Notes> now() const;
  /// Looks whether files changed and reads them anew; true if so. Files with mistakes leave the
  /// state as it was, and problems() tells.
  bool refresh();
  std::vector<Error> problems() const;

  // Changes: the file as a whole is replaced. `etag` is what it stood for when the editor read it,
  // "" = whatever it stands for. Throw TRANSACTION_CONFLICT if it is another now, and
  // mesh::ConfigError if the file would have mistakes.
  /// Empty notes take the asset out.
  void put_asset(const std::string& name, const AssetNote& note, const std::string& etag);
  /// Also throws NOT_FOUND for a parent that is not there, and CONSTRAINT_VIOLATION for a circle.
  void put_term(const Term& term, const std::string& etag);
  /// Throws NOT_FOUND; CONSTRAINT_VIOLATION while it is used.
  void remove_term(const std::string& name, const std::string& etag);

 private:
  struct Read;
  Read read() const;
  void replace(const std::filesystem::path& file, const std::string& text) const;
  void take(Read read);

  const mesh::Mesh& mesh_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Notes> notes_;  // guarded, as all below
  std::vector<Error> problems_;
  uint64_t fingerprint_ = 0;
  std::mutex editing_;  // one edit at a time
};

/// Of the names, sizes and times of files right in these folders; for noticing that one changed.
uint64_t fingerprint_of(const std::filesystem::path& mesh, const std::vector<std::string>& folders);

}  // namespace meesh::governance
