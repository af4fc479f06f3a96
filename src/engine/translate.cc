// DuckDB's errors in Trino's words.
#include <array>
#include <regex>

#include "engine/duck.h"
#include "engine/functions/build.h"

namespace meesh::engine {
namespace {

using duckdb::ExceptionType;

std::optional<Code> code_from_name(std::string_view name) {
#define X(id, text, number, kind) \
  if (name == text) return Code::id;
  MEESH_ERROR_CODES(X)
#undef X
  return std::nullopt;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The first paragraph: DuckDB appends candidates, suggestions and the source line.
std::string first_paragraph(std::string message) {
  for (std::string_view mark :
       {"\n\nLINE ", "\nLINE ", "\n\tCandidate", "\nCandidate", "\nDid you mean", "\n\n"}) {
    const auto at = message.find(mark);
    if (at != std::string::npos) message.resize(at);
  }
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  return message;
}

std::string type_word(const std::string& physical) {
  if (physical == "INT8") return "tinyint";
  if (physical == "INT16") return "smallint";
  if (physical == "INT32") return "integer";
  if (physical == "INT64") return "bigint";
  return physical;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string info(const duckdb::ErrorData& error, const std::string& key) {
  auto it = error.ExtraInfo().find(key);
  return it == error.ExtraInfo().end() ? "" : it->second;
}

/// "Overflow in addition of INT32 (2147483647 + 1)!"
std::optional<Error> overflow(const std::string& message) {
  static const std::regex arithmetic(
      R"(Overflow in (addition|add|subtraction|subtract|multiplication|multiply|division|negation) of (\w+)(?:\(\d+\))? ?\(?([^()!;]*)\)?.*)");
  std::smatch m;
  if (!std::regex_match(message, m, arithmetic)) return std::nullopt;
  const std::string type = m[2];
  if (type == "DECIMAL" || type == "INT128")
    return Error(Code::kNumericValueOutOfRange, "Decimal overflow");
  const std::string operands = m[3];
  if (type == "DATE" || type == "TIMESTAMP" || type == "INTERVAL") return std::nullopt;
  if (m[1] == "subtraction" && operands.starts_with("0 - -")) {
    return Error(Code::kNumericValueOutOfRange,
                 type_word(type) + " negation overflow: " + operands.substr(4));
  }
  return Error(Code::kNumericValueOutOfRange,
               type_word(type) + " " + m[1].str() + " overflow: " + operands);
}

/// "Type INT64 with value 300 can't be cast because the value is out of range for … INT8"
std::optional<Error> out_of_range_cast(const std::string& message) {
  static const std::regex cast(
      R"(Type (\w+) with value (\S+) can't be cast .*destination type (\w+).*)");
  std::smatch m;
  if (!std::regex_match(message, m, cast)) return std::nullopt;
  const std::string target = type_word(m[3]);
  if (m[1] == "DOUBLE" || m[1] == "FLOAT") {
    return Error(Code::kInvalidCastArgument, std::string("Cannot cast ") +
                                                 (m[1] == "DOUBLE" ? "double" : "real") + " '" +
                                                 m[2].str() + "' to " + target);
  }
  return Error(Code::kNumericValueOutOfRange, "Out of range for " + target + ": " + m[2].str());
}

std::optional<Error> string_cast(const std::string& message) {
  static const std::regex cast(R"(Could not convert string '((?:.|\n)*?)' to (\w+).*)");
  std::smatch m;
  if (!std::regex_match(message, m, cast)) return std::nullopt;
  std::string target = m[2];
  if (target == "INT32") target = "INT";
  if (target == "INT64") target = "BIGINT";
  if (target == "INT16") target = "SMALLINT";
  if (target == "INT8") target = "TINYINT";
  if (target == "FLOAT") target = "REAL";
  if (target == "BOOL") target = "BOOLEAN";
  return Error(Code::kInvalidCastArgument, "Cannot cast '" + m[1].str() + "' to " + target);
}

bool lost_connection(std::string_view message) {
  static constexpr std::array<std::string_view, 12> kSigns = {"Connection to server",
                                                              "connection to server",
                                                              "server closed the connection",
                                                              "could not connect",
                                                              "terminating connection",
                                                              "SSL SYSCALL",
                                                              "could not translate host name",
                                                              "Connection refused",
                                                              "no connection to the server",
                                                              "Unable to connect to Postgres",
                                                              "could not receive data from server",
                                                              "the database system is"};
  for (auto sign : kSigns) {
    if (contains(message, sign)) return true;
  }
  return false;
}

Error missing_entry(const duckdb::ErrorData& error, std::string message) {
  const std::string type = lower(info(error, "type"));
  const std::string name = info(error, "name");
  if (contains(type, "function")) {
    std::string_view shown = name;
    if (shown.starts_with("trino_")) shown.remove_prefix(6);
    return Error(Code::kFunctionNotFound, "Function '" + std::string(shown) + "' not registered");
  }
  if (contains(type, "table") || contains(type, "view")) {
    return Error(Code::kTableNotFound, "Table '" + name + "' does not exist");
  }
  if (contains(type, "schema"))
    return Error(Code::kSchemaNotFound, "Schema '" + name + "' does not exist");
  if (contains(type, "database") || contains(type, "catalog")) {
    return Error(Code::kCatalogNotFound, "Catalog '" + name + "' not found");
  }
  if (contains(type, "type")) return Error(Code::kTypeNotFound, "Unknown type: " + name);
  return Error(Code::kNotFound, std::move(message));
}

Error catalog_error(const duckdb::ErrorData& error, std::string message) {
  const std::string subtype = info(error, "error_subtype");
  if (subtype == "MISSING_ENTRY") return missing_entry(error, std::move(message));
  if (contains(message, "already exists")) {
    const std::string text = lower(message);
    if (text.starts_with("schema")) return Error(Code::kSchemaAlreadyExists, std::move(message));
    if (contains(text, "column")) return Error(Code::kColumnAlreadyExists, std::move(message));
    return Error(Code::kTableAlreadyExists, std::move(message));
  }
  if (contains(message, "Table with name") && contains(message, "does not exist")) {
    return Error(Code::kTableNotFound, std::move(message));
  }
  if (contains(message, "Schema with name") && contains(message, "does not exist")) {
    return Error(Code::kSchemaNotFound, std::move(message));
  }
  if (contains(message, "Cannot drop") && contains(message, "depend")) {
    return Error(Code::kSchemaNotEmpty, std::move(message));
  }
  return Error(Code::kGenericUserError, std::move(message));
}

Error binder_error(const duckdb::ErrorData& error, std::string message) {
  const std::string subtype = info(error, "error_subtype");
  if (subtype == "COLUMN_NOT_FOUND") {
    return Error(Code::kColumnNotFound, "Column '" + info(error, "name") + "' cannot be resolved");
  }
  if (subtype == "AMBIGUOUS_REFERENCE") return Error(Code::kAmbiguousName, std::move(message));
  if (subtype == "NO_MATCHING_FUNCTION") {
    std::string call = info(error, "call");
    const auto open = call.find('(');
    std::string_view name = std::string_view(call).substr(0, open);
    if (name.starts_with("trino_")) name.remove_prefix(6);
    std::string types = open == std::string::npos ? "" : lower(call.substr(open));
    return Error(Code::kFunctionNotFound,
                 "Unexpected parameters " + types + " for function " + std::string(name));
  }
  if (contains(message, "must appear in the GROUP BY clause")) {
    static const std::regex column(R"re(column "([^"]*)" must appear in the GROUP BY clause.*)re");
    std::smatch m;
    if (std::regex_match(message, m, column)) {
      return Error(
          Code::kExpressionNotAggregate,
          "'" + m[1].str() + "' must be an aggregate expression or appear in GROUP BY clause");
    }
    return Error(Code::kExpressionNotAggregate, std::move(message));
  }
  if (contains(message, "aggregate function calls cannot be nested")) {
    return Error(Code::kNestedAggregation, "Cannot nest aggregations inside aggregation");
  }
  if (contains(message, "window function") && contains(message, "nested")) {
    return Error(Code::kNestedWindow, std::move(message));
  }
  if (contains(message, "WHERE clause cannot contain aggregates")) {
    return Error(
        Code::kExpressionNotScalar,
        "WHERE clause cannot contain aggregations, window functions or grouping operations");
  }
  if (contains(message, "WHERE clause cannot contain window")) {
    return Error(
        Code::kExpressionNotScalar,
        "WHERE clause cannot contain aggregations, window functions or grouping operations");
  }
  if (contains(message, "Cannot mix values") || contains(message, "Cannot compare values") ||
      contains(message, "Cannot combine types") || contains(message, "Cannot deduce")) {
    return Error(Code::kTypeMismatch, std::move(message));
  }
  if (contains(
          message,
          "Set operations can only apply to expressions with the same number of result columns")) {
    return Error(Code::kTypeMismatch, "Set operation queries have different numbers of columns");
  }
  if (contains(message, "TRY can not be used"))
    return Error(Code::kNotSupported, std::move(message));
  if (contains(message, "Catalog \"") && contains(message, "does not exist")) {
    return Error(Code::kCatalogNotFound, std::move(message));
  }
  if (contains(message, "read-only mode"))
    return Error(Code::kReadOnlyViolation, std::move(message));
  return Error(Code::kGenericUserError, std::move(message));
}

Error resource_error(ExceptionType type, std::string message) {
  if (contains(message, "No space left") || contains(message, "disk full") ||
      contains(message, "Disk full")) {
    return Error(Code::kDiskFull, "The disk is full: " + message)
        .with_hint("free space in the data and spill folders, or point the spill folder elsewhere");
  }
  if (contains(message, "max_temp_directory_size") || contains(message, "temp directory") ||
      contains(message, "temporary directory")) {
    return Error(Code::kExceededSpillLimit, "Query exceeded the spill limit: " + message)
        .with_hint("raise the spill limit in the configuration, or make the query smaller");
  }
  if (type == ExceptionType::OUT_OF_MEMORY) {
    return Error(Code::kExceededLocalMemoryLimit, "Query exceeded the memory limit: " + message)
        .with_hint("raise the memory limit in the configuration, or make the query smaller");
  }
  return Error(Code::kIoError, std::move(message));
}

/// "NOT NULL constraint failed: t.c"
Error constraint_error(std::string message) {
  constexpr std::string_view kNotNull = "NOT NULL constraint failed: ";
  if (message.starts_with(kNotNull)) {
    return Error(Code::kConstraintViolation, "NULL value not allowed for NOT NULL column: " +
                                                 message.substr(message.rfind('.') + 1));
  }
  return Error(Code::kConstraintViolation, std::move(message));
}

/// Refusals of native functions that have words of their own in Trino, by how they begin.
struct NativeWords {
  std::string_view begins, words;
};
constexpr std::array<NativeWords, 11> kNativeWords = {{
    {"Map keys can not be NULL", "map key cannot be null"},
    {"The map key list does not align", "Key and value arrays must be the same length"},
    {"list_cosine_similarity: list dim", "The arguments must have the same length"},
    {"list_cosine_distance: list dim", "The arguments must have the same length"},
    {"list_inner_product: list dim", "The arguments must have the same length"},
    {"list_distance: list dim", "The arguments must have the same length"},
    {"Argument for ntile must be", "Buckets must be greater than 0"},
    {"missing ]: ", "premature end of char-class"},
    {"missing ): ", "end pattern with unmatched parenthesis"},
    {"unexpected ): ", "unmatched close parenthesis"},
    {"no argument for repetition operator: ", "target of repeat operator is not specified"},
}};

/// "Overflow on abs(-128)": only the least value of a type has no absolute one.
std::optional<Error> overflow_of_abs(const std::string& message) {
  constexpr std::string_view kBegins = "Overflow on abs(";
  if (!message.starts_with(kBegins)) return std::nullopt;
  const std::string value = message.substr(kBegins.size(), message.find(')') - kBegins.size());
  const char* type = value == "-128"          ? "tinyint"
                     : value == "-32768"      ? "smallint"
                     : value == "-2147483648" ? "integer"
                                              : "bigint";
  return Error(Code::kNumericValueOutOfRange,
               "Value " + value + " is out of range for abs(" + type + ")");
}

std::optional<Error> native_words(const std::string& message) {
  for (const auto& known : kNativeWords)
    if (message.starts_with(known.begins))
      return Error(Code::kInvalidFunctionArgument, std::string(known.words));
  return std::nullopt;
}

Error by_type(const duckdb::ErrorData& error, std::string message) {
  switch (error.Type()) {
    case ExceptionType::OUT_OF_MEMORY:
      return resource_error(error.Type(), std::move(message));
    case ExceptionType::IO:
      return resource_error(error.Type(), std::move(message));
    case ExceptionType::INTERRUPT:
      return Error(Code::kUserCanceled, "Query was canceled");
    case ExceptionType::CONVERSION:
      if (contains(message, "Unimplemented type for cast"))
        return Error(Code::kTypeMismatch, std::move(message));
      return Error(Code::kInvalidCastArgument, std::move(message));
    case ExceptionType::OUT_OF_RANGE:
      if (message.starts_with("Invalid RANGE "))  // PRECEDING value
        return Error(Code::kInvalidWindowFrame,
                     "Window frame offset value must not be negative or null");
      return Error(Code::kNumericValueOutOfRange, std::move(message));
    case ExceptionType::DIVIDE_BY_ZERO:
      return Error(Code::kDivisionByZero, "Division by zero");
    case ExceptionType::CONSTRAINT:
      return constraint_error(std::move(message));
    case ExceptionType::TRANSACTION:
      if (contains(message, "onflict"))
        return Error(Code::kTransactionConflict, std::move(message));
      return Error(Code::kGenericUserError, std::move(message));
    case ExceptionType::CATALOG:
      return catalog_error(error, std::move(message));
    case ExceptionType::BINDER:
      return binder_error(error, std::move(message));
    case ExceptionType::MISMATCH_TYPE:
    case ExceptionType::INVALID_TYPE:
      return Error(Code::kTypeMismatch, std::move(message));
    case ExceptionType::PARSER:
    case ExceptionType::SYNTAX:
      return Error(Code::kSyntaxError, std::move(message));
    case ExceptionType::NOT_IMPLEMENTED:
      return Error(Code::kNotSupported, std::move(message));
    case ExceptionType::PERMISSION:
      return Error(Code::kPermissionDenied, std::move(message));
    case ExceptionType::INVALID_INPUT:
      if (contains(message, "More than one row returned by a subquery")) {
        return Error(Code::kSubqueryMultipleRows, "Scalar sub-query has returned multiple rows");
      }
      return Error(Code::kInvalidFunctionArgument, std::move(message));
    case ExceptionType::DEPENDENCY:
      return Error(Code::kGenericUserError, std::move(message));
    case ExceptionType::CONNECTION:
    case ExceptionType::NETWORK:
    case ExceptionType::HTTP:
      return Error(Code::kGenericExternal, std::move(message));
    case ExceptionType::MISSING_EXTENSION:
    case ExceptionType::AUTOLOAD:
      return Error(Code::kNotSupported, std::move(message));
    default:
      return Error(Code::kGenericInternalError, std::move(message));
  }
}

}  // namespace

std::string quote_ident(std::string_view name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out += '"';
}

std::string quote_string(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out += '\'';
}

Error translate(const duckdb::ErrorData& error) {
  const std::string coded = info(error, kCodeKey);
  std::string message = error.RawMessage();
  if (!coded.empty()) {
    // Our own errors keep their text whole; only the excerpt DuckDB adds is cut off.
    const auto excerpt = message.find("\n\nLINE ");
    if (excerpt != std::string::npos) message.resize(excerpt);
    return Error(code_from_name(coded).value_or(Code::kGenericUserError), message);
  }
  message = first_paragraph(std::move(message));
  if (error.Type() != ExceptionType::BINDER && error.Type() != ExceptionType::PARSER &&
      lost_connection(message)) {
    return Error(Code::kJdbcError, std::move(message));
  }
  if (error.Type() == ExceptionType::INTERNAL || error.Type() == ExceptionType::FATAL) {
    return Error(Code::kGenericInternalError, std::move(message));
  }
  static const std::regex decimal_cast(
      R"re((?:Casting value "(\S+)" to type DECIMAL\((\d+),(\d+)\) failed.*)re"
      R"re(|Failed to cast decimal value (\S+) to type INT(\d+).*))re");
  if (std::smatch m; std::regex_match(message, m, decimal_cast)) {
    if (m[1].matched) {
      return Error(Code::kInvalidCastArgument, "Cannot cast DECIMAL '" + m[1].str() +
                                                   "' to DECIMAL(" + m[2].str() + ", " +
                                                   m[3].str() + ")");
    }
    const char* target = m[5] == "64"   ? "BIGINT"
                         : m[5] == "32" ? "INTEGER"
                         : m[5] == "16" ? "SMALLINT"
                                        : "TINYINT";
    return Error(Code::kInvalidCastArgument, "Cannot cast '" + m[4].str() + "' to " + target);
  }
  for (auto* known :
       {&overflow, &out_of_range_cast, &string_cast, &overflow_of_abs, &native_words}) {
    if (auto found = (*known)(message)) return *found;
  }
  return by_type(error, std::move(message));
}

}  // namespace meesh::engine
