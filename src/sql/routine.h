// Functions written in SQL: what WITH FUNCTION and CREATE FUNCTION say (Routine), and what the
// engine runs (RoutineProgram).
//
//   FUNCTION name(x integer) RETURNS bigint … RETURN x * 2
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast.h"

namespace meesh::sql {

struct RoutineStatement;
using RoutineStatements = std::vector<std::unique_ptr<RoutineStatement>>;

/// One statement of a body.
struct RoutineStatement {
  enum class Kind {
    kReturn,
    kSet,
    kIf,
    kCase,
    kIterate,
    kLeave,
    kCompound,
    kLoop,
    kWhile,
    kRepeat,
  };
  struct Branch {
    ExprPtr condition;  // of CASE with an operand: what it is compared with
    RoutineStatements body;
  };
  struct Declaration {
    std::vector<Ident> names;
    TypeNodePtr type;
    ExprPtr initial;  // null: NULL
    Position pos;
  };

  Kind kind{};
  Position pos;
  Ident name;                    // SET: the variable; ITERATE, LEAVE: the label
  std::optional<Ident> label;    // LOOP, WHILE, REPEAT
  ExprPtr value;                 // RETURN, SET; CASE: the operand or null; WHILE, REPEAT: condition
  std::vector<Branch> branches;  // IF with its ELSEIFs, CASE
  RoutineStatements body;        // compound, loops; IF, CASE: what ELSE holds
  bool has_else = false;         // IF, CASE
  std::vector<Declaration> declarations{};  // compound
};

/// What was written.
struct Routine {
  struct Parameter {
    std::optional<Ident> name;
    TypeNodePtr type;
    Position pos;
  };
  Position pos;
  Name name;
  std::vector<Parameter> parameters;
  TypeNodePtr returns;
  Position returns_pos;
  std::optional<Ident> language;
  std::optional<bool> deterministic, called_on_null;
  /// The first clause that is there twice, and what it is called.
  std::optional<std::pair<Position, std::string>> repeated;
  std::string security;  // "", "DEFINER", "INVOKER"
  Position security_pos;
  std::optional<std::string> comment;
  std::vector<Property> properties;
  std::optional<std::string> dollar_body;         // AS $$…$$, as written
  std::unique_ptr<RoutineStatement> body;         // null with a dollar_body
  std::shared_ptr<const RoutineProgram> program;  // of CREATE FUNCTION, once resolved
};

/// FUNCTION name(…) … from text that parses alone, as catalogs keep it. Throws SYNTAX_ERROR.
std::shared_ptr<Routine> parse_routine(const std::string& text);
/// "f(integer, varchar)": its last name and types. Throws for types there are none of.
std::string routine_signature(const Routine& routine);
/// As SHOW CREATE FUNCTION lays it out, CREATE in front.
std::string format_routine(const Routine& routine);

/// A resolved function. Variables are numbered, parameters first; expressions are DuckDB text in
/// which variable 3 is the column "v3".
struct RoutineProgram {
  struct Step {
    enum class Kind { kAssign, kReturn, kBranch, kLoop, kLeave, kIterate };
    Kind kind{};
    size_t variable = 0;                      // assign
    int expression = -1;                      // assign, return; loop: WHILE's condition, -1 = none
    int until = -1;                           // loop: REPEAT's condition
    size_t loop = 0;                          // its number; of LEAVE and ITERATE: the loop's
    std::vector<int> conditions{};            // branch: one for each of `bodies` but ELSE's
    std::vector<std::vector<Step>> bodies{};  // branch; loop has one
  };

  int64_t id = 0;    // how DuckDB text calls it (sql/published.h)
  std::string name;  // as displayed: "f", "memory.default.f"
  std::vector<Type> variables;
  size_t parameters = 0;
  Type returns;
  bool deterministic = true, called_on_null = true;
  std::vector<std::string> expressions;
  std::vector<Step> steps;
  std::vector<std::shared_ptr<const RoutineProgram>> uses;  // kept alive: functions it calls
  Position pos;
  std::string comment;

  RoutineProgram() = default;
  RoutineProgram(const RoutineProgram&) = delete;
  RoutineProgram& operator=(const RoutineProgram&) = delete;
  ~RoutineProgram();

  /// "f(integer, varchar)".
  std::string signature() const;
};

/// DuckDB text of one resolved expression.
std::string print_expression(ExprPtr& value);

}  // namespace meesh::sql
