// The shape of a configuration file, described once and used twice: to check a file (every mistake
// with its position, what was expected and what was probably meant) and to write its JSON Schema
// (Draft 2020-12) for editors. What one accepts the other accepts; there is no second list.
//
//   const Shape shape = object("One domain of the mesh.", {
//       required("name", name("The domain's name.")),
//       optional("language", choice("Language of messages.", {"en", "fr"}), "en"),
//   });
//   check(shape, document, problems);        // also fills in the defaults
//   boost::json::value schema = json_schema(shape, "domain");
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/yaml.h"

namespace meesh::base {

struct Shape {
  enum class Type {
    kText,
    kInteger,
    kBoolean,
    kChoice,  // one of `choices`
    kSize,    // bytes: 4GB, 512MiB, or (if `percent`) 60%
    kList,    // items have shape parts[0]
    kMap,     // any keys that match `pattern`, values of shape parts[0]
    kObject,  // exactly the keys of `parts`
    kKinds,   // an object whose key `kind` selects one of `parts` (each a kObject with key = kind)
    kAny,
  };
  Type type = Type::kAny;
  std::string doc;
  std::vector<Shape> parts;

  // As a part of an object (or of kinds: key is the kind's word).
  std::string key;
  bool is_required = false;
  std::optional<std::string> fallback;  // YAML text of the default

  std::string pattern;  // kText, and the keys of kMap: ECMAScript
  std::string pattern_means;
  size_t min_length = 0, max_length = 4096;
  int64_t least = 0, most = INT64_MAX;
  bool percent = false;
  bool secret = false;  // its value is never shown
  std::vector<std::string> choices;
  /// Choices or kinds that are understood but not built; using one is NOT_SUPPORTED.
  std::vector<std::string> not_yet;
  std::string default_kind;
  /// Keys people may look for here, with what to do instead.
  std::map<std::string, std::string> hints;
};

// Makers. `doc` becomes the description in the schema.
Shape text(std::string doc);
Shape secret_text(std::string doc);
Shape matching(std::string doc, std::string pattern, std::string means, size_t max_length = 63);
Shape integer(std::string doc, int64_t least, int64_t most);
Shape boolean(std::string doc);
Shape choice(std::string doc, std::vector<std::string> choices,
             std::vector<std::string> not_yet = {});
Shape size(std::string doc, bool percent = false);
Shape list(std::string doc, Shape item);
Shape map(std::string doc, std::string key_pattern, std::string key_means, Shape value);
Shape object(std::string doc, std::vector<Shape> parts);
/// One object shape per kind; `kind` itself is added here. Without a default kind it is required.
Shape kinds(std::string doc, std::vector<Shape> objects, std::string default_kind,
            std::vector<std::string> not_yet = {});
Shape any(std::string doc);

Shape required(std::string key, Shape shape);
Shape optional(std::string key, Shape shape, std::optional<std::string> fallback = std::nullopt);
Shape kind(std::string word, Shape object);

/// Adds every mistake to `problems`, in the file's order, and the defaults to the tree: afterwards,
/// if nothing was added, an accessor may rely on every required key, every key with a default and
/// every object that has no required keys.
void check(const Shape& shape, yaml::Document& document, std::vector<Error>& problems);

/// "4GB" → 4 000 000 000, "512MiB" → 536 870 912, "1024" → 1024. Nothing if malformed or too large.
std::optional<uint64_t> parse_size(std::string_view text);

/// The schema as a JSON object; every text may also be a ${NAME}.
boost::json::value json_schema(const Shape& shape, std::string_view title);

}  // namespace meesh::base
