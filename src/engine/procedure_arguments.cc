#include "engine/procedure_arguments.h"

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

const sql::Expr* ProcedureArguments::value(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    std::string upper = name;
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    refuse("Required procedure argument '" + upper + "' is missing");
  }
  if (!has(name)) refuse(name + " cannot be null or empty");
  return found->second;
}

std::string ProcedureArguments::text(const std::string& name) const {
  const auto* literal = sql::try_as<const sql::StringLiteral>(value(name));
  if (!literal) refuse(name + " must be text in quotes");
  return literal->value;
}

std::vector<std::string> ProcedureArguments::texts(const std::string& name) const {
  const auto* array = sql::try_as<const sql::ArrayConstructor>(value(name));
  if (!array) refuse(name + " must be ARRAY['…']");
  std::vector<std::string> out;
  for (const auto& item : array->items) {
    const auto* literal = sql::try_as<const sql::StringLiteral>(item.get());
    if (!literal) refuse(name + " must be ARRAY['…']");
    out.push_back(literal->value);
  }
  return out;
}

bool ProcedureArguments::flag(const std::string& name) const {
  const auto* literal = sql::try_as<const sql::BooleanLiteral>(value(name));
  if (!literal) refuse(name + " must be true or false");
  return literal->value;
}

std::string ProcedureArguments::full_text(const std::string& name) const {
  std::string value = text(name);
  if (value.empty()) refuse(name + " cannot be null or empty");
  return value;
}

}  // namespace meesh::engine
