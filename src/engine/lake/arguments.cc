#include "engine/lake/arguments.h"

#include <algorithm>

#include "base/error.h"
#include "engine/statement_runner.h"

namespace meesh::engine {

ProcedureArguments::ProcedureArguments(const Given& given, const std::vector<std::string>& names,
                                       sql::Position position)
    : position_(position) {
  bool named = false;
  for (size_t i = 0; i < given.size(); ++i) {
    const auto& [key, value] = given[i];
    named = named || key;
    if (!key && named) refuse("Named and positional arguments cannot be mixed");
    if (!key && i >= names.size()) refuse("Too many arguments for procedure");
    const std::string name = key ? lower_case(key->value) : names[i];
    if (std::find(names.begin(), names.end(), name) == names.end())
      refuse("Unknown argument name: " + name);
    if (!values_.emplace(name, value.get()).second) refuse("Duplicate procedure argument: " + name);
  }
}

void ProcedureArguments::refuse(const std::string& why) const {
  throw Error(Code::kInvalidProcedureArgument, why, {position_.line, position_.column, {}});
}

bool ProcedureArguments::has(const std::string& name) const {
  const auto found = values_.find(name);
  return found != values_.end() && !sql::try_as<const sql::NullLiteral>(found->second);
}

std::string ProcedureArguments::text(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    std::string upper = name;
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    refuse("Required procedure argument '" + upper + "' is missing");
  }
  if (!has(name)) refuse(name + " cannot be null or empty");
  const auto* literal = sql::try_as<const sql::StringLiteral>(found->second);
  if (!literal) refuse(name + " must be text in quotes");
  return literal->value;
}

std::string ProcedureArguments::full_text(const std::string& name) const {
  std::string value = text(name);
  if (value.empty()) refuse(name + " cannot be null or empty");
  return value;
}

}  // namespace meesh::engine
