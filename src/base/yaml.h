// YAML (and therefore JSON) files as a tree that remembers where everything stands, so that every
// later complaint can name file, line and column.
//
//   yaml::Document document = yaml::parse(text, "domains/sales/domain.yaml");
//   document.substitute(lookup, problems);             // ${NAME}
//   if (const yaml::Node* name = document.root.find("name")) use(name->text);
//
// Plain scalars have the types of YAML 1.2's core schema (true, 8080, 1.5, ~ and text); quoted ones
// are text. Anchors and aliases work; tags other than !!str, keys that are not text, several
// documents in a file, more than 1 MiB, 100 levels or 100 000 nodes are errors.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace meesh::yaml {

struct Key {
  std::string name;
  int line = 0, column = 0;
};

struct Node {
  enum class Kind { kNull, kBoolean, kInteger, kNumber, kText, kSequence, kMap };
  Kind kind = Kind::kNull;
  int line = 0, column = 0;
  std::string text;          // scalars, as written (unquoted)
  bool plain = true;         // scalars: not quoted
  bool substituted = false;  // scalars: holds a ${NAME}'s value; never shown
  bool unresolved = false;   // scalars: its ${NAME} has no value, which was complained about
  std::vector<Key> keys;     // maps: keys[i] belongs to items[i]
  std::vector<Node> items;   // sequences and maps

  /// A map's value; null if absent or this is no map. The first if given twice.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  bool is_scalar() const { return kind != Kind::kSequence && kind != Kind::kMap; }
  /// The value of a kInteger that fits; nothing otherwise.
  std::optional<int64_t> integer() const;
  bool boolean() const { return kind == Kind::kBoolean && (text[0] == 't' || text[0] == 'T'); }
};

/// What a plain scalar is.
Node::Kind plain_kind(std::string_view text);

/// "text 'abc'", "the integer 5", "a mapping", "nothing", for messages; a value that came from a
/// ${NAME}, and any value if `secret`, is not shown.
std::string describe(const Node& node, bool secret = false);

struct Document {
  std::string file;  // as messages name it
  std::string source;
  Node root;

  using Lookup = std::function<std::optional<std::string>(const std::string& name)>;
  /// Replaces ${NAME} in every scalar value; `$${` stands for a literal `${`. A name that is not
  /// there becomes a SECRET_MISSING in `problems`, a malformed one CONFIG_INVALID.
  void substitute(const Lookup& lookup, std::vector<Error>& problems);

  Error error(Code code, std::string message, int line, int column) const;
};

/// Throws CONFIG_INVALID at the position of the mistake. An empty text is a document with a null.
Document parse(std::string source, std::string file);

}  // namespace meesh::yaml
