// Arguments of CALL and ALTER TABLE … EXECUTE, by name or place, with Trino's texts for what is
// wrong with them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sql/ast.h"

namespace meesh::engine {

/// The statement outlives it. Everything wrong is INVALID_PROCEDURE_ARGUMENT.
class ProcedureArguments {
 public:
  using Given = std::vector<std::pair<std::optional<sql::Ident>, sql::ExprPtr>>;

  /// `names`: all there are, in their order.
  ProcedureArguments(const Given& given, const std::vector<std::string>& names,
                     sql::Position position);

  /// Neither left out nor NULL.
  bool has(const std::string& name) const;
  /// A text in quotes.
  std::string text(const std::string& name) const;
  /// The same, not empty.
  std::string full_text(const std::string& name) const;
  std::vector<std::string> texts(const std::string& name) const;  // ARRAY['…']
  bool flag(const std::string& name) const;
  [[noreturn]] void refuse(const std::string& why) const;

 private:
  const sql::Expr* value(const std::string& name) const;

  const sql::Position position_;
  std::map<std::string, const sql::Expr*> values_;
};

}  // namespace meesh::engine
