// The one error vocabulary of the whole program.
//
// Every failure that reaches a person is a meesh::Error: what happened (`message`), how to mend it
// (`hint`), where (`location`) and a `Code` that each protocol maps to its own (Trino's numbers in
// serve/trino, S3's XML codes in serve/s3, exit codes in app). Examples:
//
//   throw Error(Code::kTableNotFound, "Table 'a.b.c' does not exist", {1, 15});
//   throw Error(Code::kConfigInvalid, "unknown key 'onwer'").at("domain.yaml", 3, 1)
//       .with_hint("did you mean 'owner'?");
//
// Errors are caught once per protocol. A destructor never throws.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace meesh {

/// Who is to act. The words are Trino's (io.trino.spi.ErrorType).
enum class ErrorKind { kUser, kInternal, kInsufficientResources, kExternal };

/// Code, printed name, Trino's number (io.trino.spi.StandardErrorCode) and kind. Codes that Trino
/// does not know carry the number of the nearest generic one of their kind.
// clang-format off
#define MEESH_ERROR_CODES(X)                                                                         \
  X(kGenericUserError, "GENERIC_USER_ERROR", 0, kUser)                                               \
  X(kSyntaxError, "SYNTAX_ERROR", 1, kUser)                                                          \
  X(kAbandonedQuery, "ABANDONED_QUERY", 2, kUser)                                                    \
  X(kUserCanceled, "USER_CANCELED", 3, kUser)                                                        \
  X(kPermissionDenied, "PERMISSION_DENIED", 4, kUser)                                                \
  X(kNotFound, "NOT_FOUND", 5, kUser)                                                                \
  X(kFunctionNotFound, "FUNCTION_NOT_FOUND", 6, kUser)                                               \
  X(kInvalidFunctionArgument, "INVALID_FUNCTION_ARGUMENT", 7, kUser)                                 \
  X(kDivisionByZero, "DIVISION_BY_ZERO", 8, kUser)                                                   \
  X(kInvalidCastArgument, "INVALID_CAST_ARGUMENT", 9, kUser)                                         \
  X(kOperatorNotFound, "OPERATOR_NOT_FOUND", 10, kUser)                                              \
  X(kInvalidView, "INVALID_VIEW", 11, kUser)                                                         \
  X(kAlreadyExists, "ALREADY_EXISTS", 12, kUser)                                                     \
  X(kNotSupported, "NOT_SUPPORTED", 13, kUser)                                                       \
  X(kInvalidSessionProperty, "INVALID_SESSION_PROPERTY", 14, kUser)                                  \
  X(kInvalidWindowFrame, "INVALID_WINDOW_FRAME", 15, kUser)                                          \
  X(kConstraintViolation, "CONSTRAINT_VIOLATION", 16, kUser)                                         \
  X(kTransactionConflict, "TRANSACTION_CONFLICT", 17, kUser)                                         \
  X(kInvalidTableProperty, "INVALID_TABLE_PROPERTY", 18, kUser)                                      \
  X(kNumericValueOutOfRange, "NUMERIC_VALUE_OUT_OF_RANGE", 19, kUser)                                \
  X(kUnknownTransaction, "UNKNOWN_TRANSACTION", 20, kUser)                                           \
  X(kNotInTransaction, "NOT_IN_TRANSACTION", 21, kUser)                                              \
  X(kTransactionAlreadyAborted, "TRANSACTION_ALREADY_ABORTED", 22, kUser)                            \
  X(kReadOnlyViolation, "READ_ONLY_VIOLATION", 23, kUser)                                            \
  X(kMultiCatalogWriteConflict, "MULTI_CATALOG_WRITE_CONFLICT", 24, kUser)                           \
  X(kAutocommitWriteConflict, "AUTOCOMMIT_WRITE_CONFLICT", 25, kUser)                                \
  X(kUnsupportedIsolationLevel, "UNSUPPORTED_ISOLATION_LEVEL", 26, kUser)                            \
  X(kIncompatibleClient, "INCOMPATIBLE_CLIENT", 27, kUser)                                           \
  X(kSubqueryMultipleRows, "SUBQUERY_MULTIPLE_ROWS", 28, kUser)                                      \
  X(kProcedureNotFound, "PROCEDURE_NOT_FOUND", 29, kUser)                                            \
  X(kInvalidProcedureArgument, "INVALID_PROCEDURE_ARGUMENT", 30, kUser)                              \
  X(kQueryRejected, "QUERY_REJECTED", 31, kUser)                                                     \
  X(kAmbiguousFunctionCall, "AMBIGUOUS_FUNCTION_CALL", 32, kUser)                                    \
  X(kInvalidSchemaProperty, "INVALID_SCHEMA_PROPERTY", 33, kUser)                                    \
  X(kSchemaNotEmpty, "SCHEMA_NOT_EMPTY", 34, kUser)                                                  \
  X(kQueryTextTooLarge, "QUERY_TEXT_TOO_LARGE", 35, kUser)                                           \
  X(kUnsupportedSubquery, "UNSUPPORTED_SUBQUERY", 36, kUser)                                         \
  X(kExceededFunctionMemoryLimit, "EXCEEDED_FUNCTION_MEMORY_LIMIT", 37, kUser)                       \
  X(kAdministrativelyKilled, "ADMINISTRATIVELY_KILLED", 38, kUser)                                   \
  X(kInvalidColumnProperty, "INVALID_COLUMN_PROPERTY", 39, kUser)                                    \
  X(kQueryHasTooManyStages, "QUERY_HAS_TOO_MANY_STAGES", 40, kUser)                                  \
  X(kInvalidSpatialPartitioning, "INVALID_SPATIAL_PARTITIONING", 41, kUser)                          \
  X(kInvalidAnalyzeProperty, "INVALID_ANALYZE_PROPERTY", 42, kUser)                                  \
  X(kTypeNotFound, "TYPE_NOT_FOUND", 43, kUser)                                                      \
  X(kCatalogNotFound, "CATALOG_NOT_FOUND", 44, kUser)                                                \
  X(kSchemaNotFound, "SCHEMA_NOT_FOUND", 45, kUser)                                                  \
  X(kTableNotFound, "TABLE_NOT_FOUND", 46, kUser)                                                    \
  X(kColumnNotFound, "COLUMN_NOT_FOUND", 47, kUser)                                                  \
  X(kRoleNotFound, "ROLE_NOT_FOUND", 48, kUser)                                                      \
  X(kSchemaAlreadyExists, "SCHEMA_ALREADY_EXISTS", 49, kUser)                                        \
  X(kTableAlreadyExists, "TABLE_ALREADY_EXISTS", 50, kUser)                                          \
  X(kColumnAlreadyExists, "COLUMN_ALREADY_EXISTS", 51, kUser)                                        \
  X(kRoleAlreadyExists, "ROLE_ALREADY_EXISTS", 52, kUser)                                            \
  X(kDuplicateNamedQuery, "DUPLICATE_NAMED_QUERY", 53, kUser)                                        \
  X(kDuplicateColumnName, "DUPLICATE_COLUMN_NAME", 54, kUser)                                        \
  X(kMissingColumnName, "MISSING_COLUMN_NAME", 55, kUser)                                            \
  X(kMissingCatalogName, "MISSING_CATALOG_NAME", 56, kUser)                                          \
  X(kMissingSchemaName, "MISSING_SCHEMA_NAME", 57, kUser)                                            \
  X(kTypeMismatch, "TYPE_MISMATCH", 58, kUser)                                                       \
  X(kInvalidLiteral, "INVALID_LITERAL", 59, kUser)                                                   \
  X(kColumnTypeUnknown, "COLUMN_TYPE_UNKNOWN", 60, kUser)                                            \
  X(kMismatchedColumnAliases, "MISMATCHED_COLUMN_ALIASES", 61, kUser)                                \
  X(kAmbiguousName, "AMBIGUOUS_NAME", 62, kUser)                                                     \
  X(kInvalidColumnReference, "INVALID_COLUMN_REFERENCE", 63, kUser)                                  \
  X(kMissingGroupBy, "MISSING_GROUP_BY", 64, kUser)                                                  \
  X(kMissingOrderBy, "MISSING_ORDER_BY", 65, kUser)                                                  \
  X(kMissingOver, "MISSING_OVER", 66, kUser)                                                         \
  X(kNestedAggregation, "NESTED_AGGREGATION", 67, kUser)                                             \
  X(kNestedWindow, "NESTED_WINDOW", 68, kUser)                                                       \
  X(kExpressionNotInDistinct, "EXPRESSION_NOT_IN_DISTINCT", 69, kUser)                               \
  X(kTooManyGroupingSets, "TOO_MANY_GROUPING_SETS", 70, kUser)                                       \
  X(kFunctionNotWindow, "FUNCTION_NOT_WINDOW", 71, kUser)                                            \
  X(kFunctionNotAggregate, "FUNCTION_NOT_AGGREGATE", 72, kUser)                                      \
  X(kExpressionNotAggregate, "EXPRESSION_NOT_AGGREGATE", 73, kUser)                                  \
  X(kExpressionNotScalar, "EXPRESSION_NOT_SCALAR", 74, kUser)                                        \
  X(kExpressionNotConstant, "EXPRESSION_NOT_CONSTANT", 75, kUser)                                    \
  X(kInvalidArguments, "INVALID_ARGUMENTS", 76, kUser)                                               \
  X(kTooManyArguments, "TOO_MANY_ARGUMENTS", 77, kUser)                                              \
  X(kInvalidPrivilege, "INVALID_PRIVILEGE", 78, kUser)                                               \
  X(kDuplicateProperty, "DUPLICATE_PROPERTY", 79, kUser)                                             \
  X(kInvalidParameterUsage, "INVALID_PARAMETER_USAGE", 80, kUser)                                    \
  X(kViewIsStale, "VIEW_IS_STALE", 81, kUser)                                                        \
  X(kViewIsRecursive, "VIEW_IS_RECURSIVE", 82, kUser)                                                \
  X(kNullTreatmentNotAllowed, "NULL_TREATMENT_NOT_ALLOWED", 83, kUser)                               \
  X(kInvalidRowFilter, "INVALID_ROW_FILTER", 84, kUser)                                              \
  X(kInvalidColumnMask, "INVALID_COLUMN_MASK", 85, kUser)                                            \
  X(kMissingTable, "MISSING_TABLE", 86, kUser)                                                       \
  X(kInvalidRecursiveReference, "INVALID_RECURSIVE_REFERENCE", 87, kUser)                            \
  X(kMissingColumnAliases, "MISSING_COLUMN_ALIASES", 88, kUser)                                      \
  X(kNestedRecursive, "NESTED_RECURSIVE", 89, kUser)                                                 \
  X(kInvalidLimitClause, "INVALID_LIMIT_CLAUSE", 90, kUser)                                          \
  X(kInvalidOrderBy, "INVALID_ORDER_BY", 91, kUser)                                                  \
  X(kDuplicateWindowName, "DUPLICATE_WINDOW_NAME", 92, kUser)                                        \
  X(kInvalidWindowReference, "INVALID_WINDOW_REFERENCE", 93, kUser)                                  \
  X(kInvalidPartitionBy, "INVALID_PARTITION_BY", 94, kUser)                                          \
  X(kInvalidMaterializedViewProperty, "INVALID_MATERIALIZED_VIEW_PROPERTY", 95, kUser)               \
  X(kInvalidLabel, "INVALID_LABEL", 96, kUser)                                                       \
  X(kInvalidProcessingMode, "INVALID_PROCESSING_MODE", 97, kUser)                                    \
  X(kInvalidNavigationNesting, "INVALID_NAVIGATION_NESTING", 98, kUser)                              \
  X(kInvalidRowPattern, "INVALID_ROW_PATTERN", 99, kUser)                                            \
  X(kNestedRowPatternRecognition, "NESTED_ROW_PATTERN_RECOGNITION", 100, kUser)                      \
  X(kTableHasNoColumns, "TABLE_HAS_NO_COLUMNS", 101, kUser)                                          \
  X(kInvalidRange, "INVALID_RANGE", 102, kUser)                                                      \
  X(kInvalidPatternRecognitionFunction, "INVALID_PATTERN_RECOGNITION_FUNCTION", 103, kUser)          \
  X(kTableRedirectionError, "TABLE_REDIRECTION_ERROR", 104, kUser)                                   \
  X(kMissingVariableDefinitions, "MISSING_VARIABLE_DEFINITIONS", 105, kUser)                         \
  X(kMissingRowPattern, "MISSING_ROW_PATTERN", 106, kUser)                                           \
  X(kInvalidWindowMeasure, "INVALID_WINDOW_MEASURE", 107, kUser)                                     \
  X(kStackOverflow, "STACK_OVERFLOW", 108, kUser)                                                    \
  X(kMissingReturnType, "MISSING_RETURN_TYPE", 109, kUser)                                           \
  X(kAmbiguousReturnType, "AMBIGUOUS_RETURN_TYPE", 110, kUser)                                       \
  X(kMissingArgument, "MISSING_ARGUMENT", 111, kUser)                                                \
  X(kDuplicateParameterName, "DUPLICATE_PARAMETER_NAME", 112, kUser)                                 \
  X(kInvalidPath, "INVALID_PATH", 113, kUser)                                                        \
  X(kJsonInputConversionError, "JSON_INPUT_CONVERSION_ERROR", 114, kUser)                            \
  X(kJsonOutputConversionError, "JSON_OUTPUT_CONVERSION_ERROR", 115, kUser)                          \
  X(kPathEvaluationError, "PATH_EVALUATION_ERROR", 116, kUser)                                       \
  X(kInvalidJsonLiteral, "INVALID_JSON_LITERAL", 117, kUser)                                         \
  X(kJsonValueResultError, "JSON_VALUE_RESULT_ERROR", 118, kUser)                                    \
  X(kMergeTargetRowMultipleMatches, "MERGE_TARGET_ROW_MULTIPLE_MATCHES", 119, kUser)                 \
  X(kInvalidCopartitioning, "INVALID_COPARTITIONING", 120, kUser)                                    \
  X(kInvalidTableFunctionInvocation, "INVALID_TABLE_FUNCTION_INVOCATION", 121, kUser)                \
  X(kDuplicateName, "DUPLICATE_NAME", 122, kUser)                                                    \
  X(kInvalidCheckConstraint, "INVALID_CHECK_CONSTRAINT", 123, kUser)                                 \
  X(kInvalidCatalogProperty, "INVALID_CATALOG_PROPERTY", 124, kUser)                                 \
  X(kCatalogUnavailable, "CATALOG_UNAVAILABLE", 125, kUser)                                          \
  X(kMissingReturn, "MISSING_RETURN", 126, kUser)                                                    \
  X(kDuplicateColumnOrPathName, "DUPLICATE_COLUMN_OR_PATH_NAME", 127, kUser)                         \
  X(kMissingPathName, "MISSING_PATH_NAME", 128, kUser)                                               \
  X(kInvalidPlan, "INVALID_PLAN", 129, kUser)                                                        \
  X(kConfigInvalid, "CONFIG_INVALID", 0, kUser)                                                      \
  X(kSecretMissing, "SECRET_MISSING", 0, kUser)                                                      \
  X(kPortInUse, "PORT_IN_USE", 0, kUser)                                                             \
  X(kBadRequest, "BAD_REQUEST", 0, kUser)                                                            \
  X(kGenericInternalError, "GENERIC_INTERNAL_ERROR", 65536, kInternal)                               \
  X(kServerShuttingDown, "SERVER_SHUTTING_DOWN", 65545, kInternal)                                   \
  X(kServerStartingUp, "SERVER_STARTING_UP", 65548, kInternal)                                       \
  X(kGenericInsufficientResources, "GENERIC_INSUFFICIENT_RESOURCES", 131072, kInsufficientResources) \
  X(kExceededGlobalMemoryLimit, "EXCEEDED_GLOBAL_MEMORY_LIMIT", 131073, kInsufficientResources)      \
  X(kQueryQueueFull, "QUERY_QUEUE_FULL", 131074, kInsufficientResources)                             \
  X(kExceededTimeLimit, "EXCEEDED_TIME_LIMIT", 131075, kInsufficientResources)                       \
  X(kExceededCpuLimit, "EXCEEDED_CPU_LIMIT", 131077, kInsufficientResources)                         \
  X(kExceededSpillLimit, "EXCEEDED_SPILL_LIMIT", 131078, kInsufficientResources)                     \
  X(kExceededLocalMemoryLimit, "EXCEEDED_LOCAL_MEMORY_LIMIT", 131079, kInsufficientResources)        \
  X(kDiskFull, "DISK_FULL", 131072, kInsufficientResources)                                          \
  X(kGenericExternal, "GENERIC_EXTERNAL", 196608, kExternal)                                         \
  X(kIoError, "IO_ERROR", 196608, kExternal)                                                         \
  X(kUnavailable, "UNAVAILABLE", 196608, kExternal)                                                  \
  X(kIcebergInvalidMetadata, "ICEBERG_INVALID_METADATA", 84148225, kExternal)                        \
  X(kIcebergBadData, "ICEBERG_BAD_DATA", 84148228, kExternal)                                        \
  X(kIcebergMissingData, "ICEBERG_MISSING_DATA", 84148229, kExternal)                                \
  X(kIcebergInvalidSnapshotId, "ICEBERG_INVALID_SNAPSHOT_ID", 84148235, kUser)                       \
  X(kIcebergCommitError, "ICEBERG_COMMIT_ERROR", 84148236, kExternal)                                \
  X(kJdbcError, "JDBC_ERROR", 67108864, kExternal)                                                   \
  X(kJdbcNonTransientError, "JDBC_NON_TRANSIENT_ERROR", 67108865, kExternal)
// clang-format on

enum class Code {
#define X(id, name, number, kind) id,
  MEESH_ERROR_CODES(X)
#undef X
};

std::string_view code_name(Code code);  // "TABLE_NOT_FOUND"
int trino_number(Code code);            // 46
ErrorKind error_kind(Code code);
std::string_view kind_name(ErrorKind k);  // "USER_ERROR", "INTERNAL_ERROR", ...

/// Where in a text: 1-based line and column (columns count Unicode code points); `file` is empty
/// for SQL. line 0 means unknown.
struct Location {
  int line = 0;
  int column = 0;
  std::string file;
  bool known() const { return line > 0; }
};

class Error : public std::exception {
 public:
  Error(Code code, std::string message, Location location = {});

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const Location& location() const { return location_; }
  ErrorKind kind() const { return error_kind(code_); }

  /// "file:3:1: message (hint)" or "line 3:1: message (hint)": the whole story in one line.
  const char* what() const noexcept override { return what_.c_str(); }
  /// The message as Trino words it: "line 1:15: Table 'c.s.t' does not exist".
  std::string sql_message() const;

  Error& with_hint(std::string hint);
  Error& at(std::string file, int line, int column);
  /// "prefix: message", for context added as an error rises.
  Error& prefixed(std::string_view context);

 private:
  void compose();

  Code code_;
  std::string message_;
  std::string hint_;
  Location location_;
  std::string what_;
};

/// A broken promise of our own code, never the user's fault.
[[noreturn]] void internal_error(std::string message);

}  // namespace meesh
