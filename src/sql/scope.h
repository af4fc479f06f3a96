// Names in sight at one place of a statement, and how a written name finds its column.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/ast.h"
#include "sql/lexer.h"

namespace meesh::sql {

/// Lower-case parts joined by dots: how Trino shows names in messages.
std::string display_name(const Name& name);

/// One column a scope offers.
struct Field {
  std::optional<std::string> name;     // as shown; none = anonymous, reachable only through `*`
  std::vector<std::string> qualifier;  // lower case: {"c", "s", "t"} or {"alias"}; empty = none
  /// What the printers call it: relation and column; several are COALESCEd (FULL JOIN USING).
  std::vector<std::pair<std::string, std::string>> sources;
  std::optional<Type> type;      // declared
  std::optional<Type> inferred;  // otherwise, as far as known
  bool hidden = false;           // not part of `*`
  int output = -1;               // index into the SELECT list, in ORDER BY

  const std::optional<Type>& known_type() const { return type ? type : inferred; }
};

/// Trino's rule: the innermost scope that knows a name answers for it.
struct Scope {
  const Scope* parent = nullptr;
  std::vector<Field> fields;
};

/// A name found: the field, and how many of the name's parts it took (the rest are row fields).
struct Found {
  const Field* field = nullptr;
  size_t parts = 0;
  int depth = 0;  // scopes crossed
};

/// Null field when nothing matches; throws AMBIGUOUS_NAME when several do.
Found find_field(const Scope& scope, const std::vector<std::string>& parts, Position pos);

/// Fields `t.*` means, in order; empty when no relation has that name.
std::vector<const Field*> fields_of(const Scope& scope, const std::vector<std::string>& qualifier);

[[noreturn]] void fail(Code code, Position pos, std::string message);

}  // namespace meesh::sql
