// Trino's own list of its functions, by name: what SHOW FUNCTIONS tells, and what an error says
// that a call could have meant. It says nothing about how a function is computed (functions.h).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast.h"

namespace meesh::sql {

struct Signature {
  std::string_view name;
  std::string_view arguments;    // "array(t), bigint"
  std::string_view constraints;  // of type variables: "T:orderable", "K, V"
  std::string_view result, description;
  char kind = 's';  // scalar, aggregate, window or table function: the first letter
  bool deterministic = true;
  int shown = 1;  // rows of SHOW FUNCTIONS; none for what an error alone tells, two with an alias
};

/// Ascending by name.
const std::vector<Signature>& signatures();
/// Those of scalars, aggregates and windows of a name in small letters; empty if there is none.
std::span<const Signature> signatures_of(std::string_view name);
/// "abs(bigint), abs(decimal(p,s))": every signature of the name once.
std::string expected_signatures(std::string_view name);
/// Whether some signature of the name takes so many arguments, or the name is not known.
bool takes_count(std::string_view name, size_t arguments);

/// How many arguments the lambda takes that stands at a place of a call with so many arguments;
/// nullopt where no lambda can stand.
std::optional<size_t> lambda_size(std::string_view name, size_t arguments, size_t place);

enum class Fit { kYes, kNo, kUnknown };
/// Whether the resolved call's arguments can be coerced to some signature of the name; unknown when
/// a type is not known, or the name.
Fit fits_signature(std::string_view name, const std::vector<const Expr*>& arguments);
/// "array(t)", "function(t,boolean)" of "array(t), function(t,boolean)"; `separator` outside of
/// parentheses.
std::vector<std::string_view> parts_of(std::string_view text, char separator);
/// The signature's arguments, one for each of those given; nullopt if it takes another number.
std::optional<std::vector<std::string_view>> formals_of(const Signature& signature, size_t given);
/// Whether values of the type can be compared, or put in order.
bool is_comparable(const Type& type, bool ordered);
/// A type as error messages list it: "map(varchar(1),integer)".
std::string signature_text(const Type& type);

/// The text behind signatures(): a line is name|arguments|constraints|result|flags|description; the
/// flags are the kind, then `?` (not deterministic), `2` (shown twice), `-` (not shown).
extern const std::string_view kScalarSignatures, kAggregateSignatures;

}  // namespace meesh::sql
