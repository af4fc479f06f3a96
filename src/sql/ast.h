// The abstract syntax tree of Trino SQL: what the parser makes, the resolver rewrites in place and
// the printers read. Plain structs, owned top-down by unique_ptr; every node knows where it stood
// in the text. A node's `kind` says which struct it is; `as<T>(node)` casts and checks.
//
// Two kinds exist only after resolution: ColumnRef (a name bound to one column of one relation) and
// the `resolved` part of TableRef. Names keep the spelling and quoting of the text; comparison is
// case-insensitive, as in Trino.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "sql/catalog.h"
#include "sql/type.h"

namespace meesh::sql {

struct Position {
  int line = 0;    // 1-based; 0 = made by us, not in the text
  int column = 0;  // 1-based, in code points
};

struct Ident {
  std::string value;
  bool quoted = false;
  Position pos;
};
using Name = std::vector<Ident>;  // a.b.c

struct Expr;
struct Relation;
struct Query;
struct Statement;
struct Routine;         // sql/routine.h
struct RoutineProgram;  // sql/routine.h
struct JsonTableNode;   // sql/json_table.h
struct RowPattern;      // sql/row_pattern.h
using ExprPtr = std::unique_ptr<Expr>;
using RelationPtr = std::unique_ptr<Relation>;
using QueryPtr = std::unique_ptr<Query>;
using StatementPtr = std::unique_ptr<Statement>;

// ---------------------------------------------------------------- types in the text

/// A type as written: name, and parameters that are types or integers. `row` has named fields;
/// datetime types carry precision in params[0] and their zone in with_time_zone; an interval type
/// has name "interval" and from/to ("year","month" or "day","second").
struct TypeNode {
  struct Param {
    std::unique_ptr<TypeNode> type;  // or
    std::optional<int64_t> number;
    std::optional<Ident> field_name;  // row fields
  };
  Position pos;
  std::string name;  // lower case; a quoted generic type keeps its case
  std::vector<Param> params;
  bool with_time_zone = false;
  std::string interval_from, interval_to;
};
using TypeNodePtr = std::unique_ptr<TypeNode>;

/// The type that is written; aliases and defaults applied (varchar, decimal = decimal(38,0),
/// timestamp = timestamp(3)). Throws TYPE_NOT_FOUND and, for lengths out of range,
/// INVALID_FUNCTION_ARGUMENT, at the node's position.
Type to_type(const TypeNode& node);
/// A type alone: "decimal(10,2)".
TypeNodePtr parse_type(std::string_view text);
/// Trino text that parses to the same node.
std::string print_type(const TypeNode& node);

// ---------------------------------------------------------------- expressions

enum class ExprKind {
  kNull,
  kBoolean,
  kInteger,
  kDecimal,
  kDouble,
  kString,
  kBinary,
  kTyped,
  kInterval,
  kParameter,
  kIdentifier,
  kDereference,
  kColumnRef,
  kStar,
  kSubscript,
  kUnary,
  kBinaryOp,
  kComparison,
  kLogical,
  kNot,
  kIsNull,
  kIsDistinctFrom,
  kBetween,
  kIn,
  kInSubquery,
  kLike,
  kExists,
  kSubquery,
  kQuantified,
  kCase,
  kCast,
  kFunction,
  kLambda,
  kExtract,
  kAtTimeZone,
  kCurrent,
  kArray,
  kRow,
  kTrim,
  kJsonFunction,
  kGrouping,
};

struct Expr {
  explicit Expr(ExprKind k) : kind(k) {}
  virtual ~Expr() = default;
  ExprKind kind;
  Position pos;
};

template <ExprKind K>
struct ExprOf : Expr {
  static constexpr ExprKind kKind = K;
  ExprOf() : Expr(K) {}
};

struct NullLiteral : ExprOf<ExprKind::kNull> {};
struct BooleanLiteral : ExprOf<ExprKind::kBoolean> {
  bool value = false;
};
/// Decimal, hex (0x1F), octal (0o17) and binary (0b11) spellings are read to a value; Trino's range
/// is that of bigint (beyond: SYNTAX/INVALID_LITERAL error when parsed, -2^63 allowed by the
/// printer through Unary minus).
struct IntegerLiteral : ExprOf<ExprKind::kInteger> {
  uint64_t value = 0;
};
struct DecimalLiteral : ExprOf<ExprKind::kDecimal> {
  std::string text;
};  // "1.50", no sign
struct DoubleLiteral : ExprOf<ExprKind::kDouble> {
  std::string text;
};  // "1E0"
struct StringLiteral : ExprOf<ExprKind::kString> {
  std::string value;
};  // UTF-8, escapes decoded
struct BinaryLiteral : ExprOf<ExprKind::kBinary> {
  std::string bytes;
};  // X'41 42'
/// DATE '…', TIME '…', TIMESTAMP '…', DECIMAL '…', DOUBLE PRECISION '…', JSON '…', UUID '…', any
/// type name before a string.
struct TypedLiteral : ExprOf<ExprKind::kTyped> {
  std::string type;
  std::string value;
};
struct IntervalLiteral : ExprOf<ExprKind::kInterval> {
  bool negative = false;
  std::string value;
  std::string from, to;  // "year", "month", "day", "hour", "minute", "second", "week"; to may be ""
};
struct Parameter : ExprOf<ExprKind::kParameter> {
  int index = 0;             // 0-based, in order of text
  std::optional<Type> type;  // after resolution without values: what its place takes, if known
};
struct Identifier : ExprOf<ExprKind::kIdentifier> {
  Ident name;
};
struct Dereference : ExprOf<ExprKind::kDereference> {
  ExprPtr base;
  Ident field;
};
/// After resolution: column `column` of the relation the printers call `relation`. Empty relation:
/// a USING column, a lambda argument or an output alias in ORDER BY, printed bare.
struct ColumnRef : ExprOf<ExprKind::kColumnRef> {
  std::string relation;
  std::string column;
  std::optional<Type> type;      // declared type, when a catalog or a cast tells it
  std::optional<Type> inferred;  // otherwise Trino's type as far as the resolver can tell
  std::string written;           // the name in the text, for messages
};
/// `*` or `t.*` in a SELECT list or count(*); `aliases` is `t.* AS (a, b)`.
struct Star : ExprOf<ExprKind::kStar> {
  ExprPtr qualifier;
  std::vector<Ident> aliases;
};
struct Subscript : ExprOf<ExprKind::kSubscript> {
  ExprPtr base, index;
};

enum class UnaryOp { kPlus, kMinus };
struct Unary : ExprOf<ExprKind::kUnary> {
  UnaryOp op = UnaryOp::kMinus;
  ExprPtr value;
};
enum class BinaryOperator { kAdd, kSubtract, kMultiply, kDivide, kModulus, kConcat };
struct BinaryOp : ExprOf<ExprKind::kBinaryOp> {
  BinaryOperator op{};
  ExprPtr left, right;
};
enum class ComparisonOp { kEq, kNe, kLt, kLe, kGt, kGe };
struct Comparison : ExprOf<ExprKind::kComparison> {
  ComparisonOp op{};
  ExprPtr left, right;
};
/// n-ary so that a thousand ORs are one flat node.
struct Logical : ExprOf<ExprKind::kLogical> {
  bool is_and = true;
  std::vector<ExprPtr> terms;
};
struct Not : ExprOf<ExprKind::kNot> {
  ExprPtr value;
};
struct IsNull : ExprOf<ExprKind::kIsNull> {
  ExprPtr value;
  bool negated = false;
};
struct IsDistinctFrom : ExprOf<ExprKind::kIsDistinctFrom> {
  ExprPtr left, right;
  bool negated = false;
};
struct Between : ExprOf<ExprKind::kBetween> {
  ExprPtr value, low, high;
  bool negated = false;
};
struct In : ExprOf<ExprKind::kIn> {
  ExprPtr value;
  std::vector<ExprPtr> list;
  bool negated = false;
};
struct InSubquery : ExprOf<ExprKind::kInSubquery> {
  ExprPtr value;
  QueryPtr query;
  bool negated = false;
};
struct Like : ExprOf<ExprKind::kLike> {
  ExprPtr value, pattern, escape;
  bool negated = false;
};
struct Exists : ExprOf<ExprKind::kExists> {
  QueryPtr query;
};
struct SubqueryExpr : ExprOf<ExprKind::kSubquery> {
  QueryPtr query;
  std::optional<Type> type;  // of its column, as far as the resolver can tell
};
enum class Quantifier { kAll, kAny, kSome };
struct Quantified : ExprOf<ExprKind::kQuantified> {
  ComparisonOp op{};
  Quantifier quantifier{};
  ExprPtr value;
  QueryPtr query;
};
struct Case : ExprOf<ExprKind::kCase> {
  ExprPtr operand;  // null: searched CASE
  std::vector<std::pair<ExprPtr, ExprPtr>> whens;
  ExprPtr otherwise;
};
struct Cast : ExprOf<ExprKind::kCast> {
  ExprPtr value;
  TypeNodePtr type;
  bool try_cast = false;
  bool store = false;  // made by the resolver for INSERT, UPDATE, MERGE: text too long is an error
};

struct SortItem {
  ExprPtr key;
  bool descending = false;
  enum class Nulls { kDefault, kFirst, kLast } nulls = Nulls::kDefault;  // default is LAST
  Position pos;
};
struct FrameBound {
  enum class Kind { kUnboundedPreceding, kPreceding, kCurrentRow, kFollowing, kUnboundedFollowing };
  Kind kind = Kind::kCurrentRow;
  ExprPtr value;
};
struct WindowFrame {
  enum class Unit { kRows, kRange, kGroups } unit = Unit::kRange;
  FrameBound start;
  std::optional<FrameBound> end;
  std::string measures, pattern;  // canonical text of MEASURES … and AFTER MATCH … PATTERN …
};
struct WindowSpec {
  std::optional<Ident> base;  // OVER w, or OVER (w …)
  bool name_only = false;     // OVER w
  std::vector<ExprPtr> partition_by;
  std::vector<SortItem> order_by;
  std::optional<WindowFrame> frame;
  Position pos;
};
enum class NullTreatment { kNone, kRespect, kIgnore };
/// Any call `name(args)`; COALESCE, NULLIF, IF, TRY, NORMALIZE, POSITION(a IN b),
/// SUBSTRING(a FROM b FOR c) and LISTAGG arrive here too under their plain names (position's
/// arguments in the written order: needle, haystack).
struct FunctionCall : ExprOf<ExprKind::kFunction> {
  Name name;
  std::vector<ExprPtr> args;  // count(*) has one Star
  bool distinct = false;
  std::vector<SortItem> order_by;  // array_agg(x ORDER BY y), or WITHIN GROUP (ORDER BY …)
  bool within_group = false;
  ExprPtr filter;
  std::optional<WindowSpec> over;
  NullTreatment nulls = NullTreatment::kNone;
  std::string listagg_overflow;  // text of ON OVERFLOW …, "" = none
  std::string processing_mode;   // "running", "final" (MATCH_RECOGNIZE), "" = none
  bool measure = false;          // `m OVER w`: a measure of a row pattern window, no parentheses
  std::shared_ptr<const RoutineProgram> routine;  // after resolution: a function written in SQL
};
struct Lambda : ExprOf<ExprKind::kLambda> {
  std::vector<Ident> args;
  ExprPtr body;
  bool resolved = false;  // its arguments have unique names already
};
struct Extract : ExprOf<ExprKind::kExtract> {
  std::string field;
  ExprPtr value;
};  // lower case
struct AtTimeZone : ExprOf<ExprKind::kAtTimeZone> {
  ExprPtr value, zone;
};
/// current_date, current_time, current_timestamp, localtime, localtimestamp, current_user,
/// current_catalog, current_schema, current_path.
struct Current : ExprOf<ExprKind::kCurrent> {
  std::string what;
  std::optional<int> precision;
};
struct ArrayConstructor : ExprOf<ExprKind::kArray> {
  std::vector<ExprPtr> items;
};
/// ROW(a, b AS name) or (a, b).
struct RowConstructor : ExprOf<ExprKind::kRow> {
  std::vector<ExprPtr> items;
  std::vector<std::optional<Ident>> names;  // empty or parallel to items
};
struct Trim : ExprOf<ExprKind::kTrim> {
  enum class Side { kBoth, kLeading, kTrailing } side = Side::kBoth;
  ExprPtr value, characters;
};
/// JSON_EXISTS, JSON_VALUE, JSON_QUERY, JSON_OBJECT, JSON_ARRAY: the operands are parsed, the
/// clauses are kept as canonical text so that they print back.
struct JsonFunction : ExprOf<ExprKind::kJsonFunction> {
  std::string name;          // lower case: "json_value" …
  ExprPtr input;             // first operand of exists/value/query
  std::string input_format;  // "FORMAT JSON", "" = none
  std::string path;          // the JSON path literal
  std::optional<Ident> path_name;
  std::vector<std::pair<ExprPtr, std::string>> passing;  // value, name as Trino prints it
  std::vector<std::string> passing_formats;              // parallel: "FORMAT JSON" or ""
  std::vector<std::pair<ExprPtr, ExprPtr>> members;      // object: key, value; array: null, value
  std::vector<std::string> member_formats;               // parallel: "FORMAT JSON" or ""
  TypeNodePtr returning;
  std::vector<std::string>
      clauses;  // "FORMAT JSON", "NULL ON EMPTY", "WITH UNCONDITIONAL WRAPPER" …
  std::vector<std::pair<std::string, ExprPtr>> defaults;  // "EMPTY"/"ERROR" → DEFAULT expr
};
struct Grouping : ExprOf<ExprKind::kGrouping> {
  std::vector<ExprPtr> args;
};

// ---------------------------------------------------------------- relations

enum class RelationKind {
  kTable,
  kAliased,
  kJoin,
  kSubquery,
  kLateral,
  kUnnest,
  kTableFunction,
  kSampled,
  kMatchRecognize,
  kJsonTable,
};
struct Relation {
  explicit Relation(RelationKind k) : kind(k) {}
  virtual ~Relation() = default;
  RelationKind kind;
  Position pos;
};
template <RelationKind K>
struct RelationOf : Relation {
  static constexpr RelationKind kKind = K;
  RelationOf() : Relation(K) {}
};

struct TableRef : RelationOf<RelationKind::kTable> {
  Name name;
  std::string version_kind;  // "", "timestamp", "version": FOR … AS OF
  ExprPtr version;
  /// Set by the resolver. `alias` is what the printers call this relation (unique in its FROM).
  std::optional<TableInfo> resolved;
  bool is_cte = false;
  std::string alias;
};
struct AliasedRelation : RelationOf<RelationKind::kAliased> {
  RelationPtr relation;
  Ident alias;
  std::vector<Ident> columns;
};
enum class JoinType { kInner, kLeft, kRight, kFull, kCross, kImplicit };  // implicit: a comma
struct Join : RelationOf<RelationKind::kJoin> {
  JoinType type{};
  RelationPtr left, right;
  ExprPtr on;
  std::vector<Ident> using_columns;
  bool natural = false;
};
struct SubqueryRelation : RelationOf<RelationKind::kSubquery> {
  QueryPtr query;
};
struct Lateral : RelationOf<RelationKind::kLateral> {
  QueryPtr query;
};
struct Unnest : RelationOf<RelationKind::kUnnest> {
  /// What an item unfolds to: an array's elements (1 column), a map's keys and values (2), or the
  /// fields of an array's rows (width). Set by the resolver, parallel to items.
  struct Shape {
    enum class Kind { kElements, kEntries, kFields } kind;
    size_t width;
  };
  std::vector<ExprPtr> items;
  bool with_ordinality = false;
  std::vector<Shape> shapes;
};
/// TABLE(f(arg, name => value, TABLE(t) …, DESCRIPTOR(…))).
struct TableFunction : RelationOf<RelationKind::kTableFunction> {
  struct Arg {
    Position pos;
    std::optional<Ident> name;
    ExprPtr value;                                 // a scalar, or
    RelationPtr table;                             // a table argument with its clauses as text, or
    std::string table_clauses;                     // "PARTITION BY … PRUNE WHEN EMPTY …"
    std::optional<std::vector<Ident>> descriptor;  // empty: CAST(NULL AS DESCRIPTOR)
    std::vector<TypeNodePtr> descriptor_types;     // parallel, null = none
  };
  Name name;
  std::vector<Arg> args;
  std::string copartition;  // text of COPARTITION …, "" = none
};
struct Sampled : RelationOf<RelationKind::kSampled> {
  RelationPtr relation;
  bool bernoulli = true;  // else SYSTEM
  ExprPtr percentage;
};
/// Clauses are also kept as canonical text, which is what prints and compares.
struct MatchRecognize : RelationOf<RelationKind::kMatchRecognize> {
  RelationPtr input;
  std::string text;
  std::shared_ptr<RowPattern> pattern;
};
struct JsonTable : RelationOf<RelationKind::kJsonTable> {
  std::string text;
  std::shared_ptr<JsonTableNode> table;
};

// ---------------------------------------------------------------- queries

struct SelectItem {
  ExprPtr value;  // or a Star
  std::optional<Ident> alias;
  Position pos;
};
struct GroupingElement {
  enum class Kind { kSimple, kGroupingSets, kCube, kRollup, kAuto } kind = Kind::kSimple;
  std::vector<std::vector<ExprPtr>> sets;  // simple: one set; cube/rollup/sets: their members
};
struct GroupBy {
  enum class Quantifier { kNone, kAll, kDistinct } quantifier = Quantifier::kNone;
  std::vector<GroupingElement> elements;
};
struct NamedWindow {
  Ident name;
  WindowSpec spec;
};

enum class QueryBodyKind { kSelect, kSetOperation, kValues, kTable, kQuery };
struct QueryBody {
  explicit QueryBody(QueryBodyKind k) : kind(k) {}
  virtual ~QueryBody() = default;
  QueryBodyKind kind;
  Position pos;
};
using QueryBodyPtr = std::unique_ptr<QueryBody>;
template <QueryBodyKind K>
struct QueryBodyOf : QueryBody {
  static constexpr QueryBodyKind kKind = K;
  QueryBodyOf() : QueryBody(K) {}
};
enum class SetQuantifier { kNone, kAll, kDistinct };
struct Select : QueryBodyOf<QueryBodyKind::kSelect> {
  SetQuantifier quantifier = SetQuantifier::kNone;
  std::vector<SelectItem> items;
  RelationPtr from;  // commas are Join{kImplicit}
  ExprPtr where;
  std::optional<GroupBy> group_by;
  ExprPtr having;
  std::vector<NamedWindow> windows;
};
enum class SetOperator { kUnion, kIntersect, kExcept };
struct SetOperation : QueryBodyOf<QueryBodyKind::kSetOperation> {
  SetOperator op{};
  SetQuantifier quantifier = SetQuantifier::kNone;
  bool corresponding = false;
  /// Part of a long chain of one associative operator, built as a balanced tree so that recursion
  /// over it stays shallow; printed as the chain.
  bool balanced = false;
  QueryBodyPtr left, right;
};
struct Values : QueryBodyOf<QueryBodyKind::kValues> {
  std::vector<ExprPtr> rows;
};  // RowConstructor or scalar
struct TableBody : QueryBodyOf<QueryBodyKind::kTable> {
  std::unique_ptr<TableRef> table;
};  // TABLE t
struct QueryInParens : QueryBodyOf<QueryBodyKind::kQuery> {
  QueryPtr query;
};

struct NamedQuery {
  Ident name;
  std::vector<Ident> columns;
  QueryPtr query;
  Position pos;
};
struct Query {
  Position pos;
  std::string inline_functions;                     // text of WITH FUNCTION …, "" = none
  std::vector<std::shared_ptr<Routine>> functions;  // the same, parsed
  bool recursive = false;
  std::vector<NamedQuery> with;
  QueryBodyPtr body;
  std::vector<SortItem> order_by;
  ExprPtr offset;
  ExprPtr limit;             // null: none
  bool limit_all = false;    // LIMIT ALL
  bool fetch_first = false;  // written FETCH FIRST n ROWS; limit holds n (null = 1 row)
  bool with_ties = false;
  Position order_pos, offset_pos, limit_pos;  // of ORDER, OFFSET, and LIMIT or FETCH
};

// ---------------------------------------------------------------- statements

enum class StatementKind {
  kQuery,
  kExplain,
  kShow,
  kUse,
  kSetSession,
  kResetSession,
  kSetTimeZone,
  kSetPath,
  kSetRole,
  kSetSessionAuthorization,
  kPrepare,
  kExecute,
  kExecuteImmediate,
  kDeallocate,
  kDescribeInput,
  kDescribeOutput,
  kStartTransaction,
  kCommit,
  kRollback,
  kCall,
  kInsert,
  kDelete,
  kUpdate,
  kMerge,
  kTruncate,
  kAnalyze,
  kCreateSchema,
  kDropSchema,
  kAlterSchema,
  kCreateTable,
  kCreateTableAs,
  kDropTable,
  kAlterTable,
  kCreateView,
  kDropView,
  kAlterView,
  kRefreshMaterializedView,
  kComment,
  kGrant,
  kRevoke,
  kDeny,
  kCreateRole,
  kDropRole,
  kGrantRole,
  kRevokeRole,
  kCreateCatalog,
  kDropCatalog,
  kCreateFunction,
  kDropFunction,
};
struct Statement {
  explicit Statement(StatementKind k) : kind(k) {}
  virtual ~Statement() = default;
  StatementKind kind;
  Position pos;
  /// Set by the resolver: what DuckDB calls the table or schema this statement creates or changes.
  std::string duckdb_target;
  /// Set by the resolver: columns are created with labelled types (varchar(20), timestamp(3)).
  bool keeps_labels = false;
};
template <StatementKind K>
struct StatementOf : Statement {
  static constexpr StatementKind kKind = K;
  StatementOf() : Statement(K) {}
};

struct Property {
  Ident name;
  ExprPtr value;
};  // null value = DEFAULT

struct QueryStatement : StatementOf<StatementKind::kQuery> {
  QueryPtr query;
};
struct Explain : StatementOf<StatementKind::kExplain> {
  bool analyze = false, verbose = false;
  std::string type;    // "", "logical", "distributed", "validate", "io"
  std::string format;  // "", "text", "graphviz", "json"
  StatementPtr statement;
};
/// Every SHOW and DESCRIBE table. `what`: "catalogs", "schemas", "tables", "columns", "functions",
/// "session", "create table|view|materialized view|schema|function", "stats", "stats for" (query
/// set), "roles", "current roles", "role grants", "grants", "branches".
struct Show : StatementOf<StatementKind::kShow> {
  std::string what;
  Name name;  // FROM/IN/target, may be empty
  std::optional<std::string> like, escape;
  std::string entity_kind;  // grants: "", "table", "schema"
  QueryPtr query;
};
struct Use : StatementOf<StatementKind::kUse> {
  std::optional<Ident> catalog;
  Ident schema;
};
struct SetSession : StatementOf<StatementKind::kSetSession> {
  Name name;
  ExprPtr value;
};
struct ResetSession : StatementOf<StatementKind::kResetSession> {
  Name name;
};
struct SetTimeZone : StatementOf<StatementKind::kSetTimeZone> {
  ExprPtr value;
};  // null = LOCAL
struct SetPath : StatementOf<StatementKind::kSetPath> {
  std::vector<Name> elements;
};
struct SetRole : StatementOf<StatementKind::kSetRole> {
  std::string kind_word;
  std::optional<Ident> role, catalog;
};  // "all","none","role"
struct SetSessionAuthorization : StatementOf<StatementKind::kSetSessionAuthorization> {
  std::optional<std::string> user;
};  // none = RESET
struct Prepare : StatementOf<StatementKind::kPrepare> {
  Ident name;
  StatementPtr statement;
  std::string text;
};  // text: the statement as written
struct Execute : StatementOf<StatementKind::kExecute> {
  Ident name;
  std::vector<ExprPtr> args;
};
struct ExecuteImmediate : StatementOf<StatementKind::kExecuteImmediate> {
  std::string text;
  Position text_pos;
  std::vector<ExprPtr> args;
};
struct Deallocate : StatementOf<StatementKind::kDeallocate> {
  Ident name;
};
struct DescribeInput : StatementOf<StatementKind::kDescribeInput> {
  Ident name;
};
struct DescribeOutput : StatementOf<StatementKind::kDescribeOutput> {
  Ident name;
};
struct StartTransaction : StatementOf<StatementKind::kStartTransaction> {
  std::string isolation;
  std::optional<bool> read_only;
};
struct Commit : StatementOf<StatementKind::kCommit> {};
struct Rollback : StatementOf<StatementKind::kRollback> {};
struct Call : StatementOf<StatementKind::kCall> {
  Name name;
  std::vector<std::pair<std::optional<Ident>, ExprPtr>> args;
};

struct Insert : StatementOf<StatementKind::kInsert> {
  std::unique_ptr<TableRef> table;
  std::vector<Ident> columns;
  QueryPtr query;
};
struct Delete : StatementOf<StatementKind::kDelete> {
  std::unique_ptr<TableRef> table;
  ExprPtr where;
};
struct Update : StatementOf<StatementKind::kUpdate> {
  std::unique_ptr<TableRef> table;
  std::vector<std::pair<Ident, ExprPtr>> assignments;
  ExprPtr where;
};
struct MergeCase {
  bool matched = true;
  ExprPtr condition;
  enum class Action { kUpdate, kDelete, kInsert } action{};
  std::vector<std::pair<Ident, ExprPtr>> assignments;  // update
  std::vector<Ident> insert_columns;
  std::vector<ExprPtr> insert_values;
  Position pos;
};
struct Merge : StatementOf<StatementKind::kMerge> {
  std::unique_ptr<TableRef> table;
  std::optional<Ident> alias;
  RelationPtr source;
  ExprPtr on;
  std::vector<MergeCase> cases;
};
struct Truncate : StatementOf<StatementKind::kTruncate> {
  Name table;
};
struct Analyze : StatementOf<StatementKind::kAnalyze> {
  Name table;
  std::vector<Property> properties;
};

struct CreateSchema : StatementOf<StatementKind::kCreateSchema> {
  Name name;
  bool if_not_exists = false;
  std::string authorization;  // text, "" = none
  std::vector<Property> properties;
};
struct DropSchema : StatementOf<StatementKind::kDropSchema> {
  Name name;
  bool if_exists = false, cascade = false, restrict_ = false;
};
struct AlterSchema : StatementOf<StatementKind::kAlterSchema> {
  Name name;
  std::optional<Ident> rename_to;
  std::string authorization;
};
struct ColumnDefinition {
  Name name;  // one part, more for nested fields in ALTER TABLE
  TypeNodePtr type;
  bool not_null = false;
  ExprPtr default_value;
  std::optional<std::string> comment;
  std::vector<Property> properties;
  Position pos;
};
struct TableElement {
  std::optional<ColumnDefinition> column;  // or LIKE:
  Name like;
  bool including_properties = false, excluding_properties = false;
};
struct CreateTable : StatementOf<StatementKind::kCreateTable> {
  Name name;
  bool if_not_exists = false, or_replace = false;
  std::vector<TableElement> elements;
  std::optional<std::string> comment;
  std::vector<Property> properties;
};
struct CreateTableAs : StatementOf<StatementKind::kCreateTableAs> {
  Name name;
  bool if_not_exists = false, or_replace = false;
  std::vector<Ident> columns;
  std::optional<std::string> comment;
  std::vector<Property> properties;
  QueryPtr query;
  bool with_data = true, with_data_written = false;
};
struct DropTable : StatementOf<StatementKind::kDropTable> {
  Name name;
  bool if_exists = false;
};
struct AlterTable : StatementOf<StatementKind::kAlterTable> {
  enum class Action {
    kRename,
    kAddColumn,
    kDropColumn,
    kRenameColumn,
    kSetType,
    kSetDefault,
    kDropDefault,
    kDropNotNull,
    kSetProperties,
    kSetAuthorization,
    kExecute,
  } action{};
  Name name;
  bool if_exists = false, column_if_exists = false, column_if_not_exists = false;
  Name target;                             // rename: new name
  std::optional<ColumnDefinition> column;  // add
  std::string add_position;                // "first", "last", "after" + target column, "" = none
  Name column_name;                        // drop, rename, alter
  std::optional<Ident> new_name;           // rename column; AFTER column
  TypeNodePtr type;
  ExprPtr value;  // SET DEFAULT
  std::vector<Property> properties;
  std::string authorization;
  Ident procedure;  // EXECUTE
  std::vector<std::pair<std::optional<Ident>, ExprPtr>> args;
  ExprPtr where;
};
struct CreateView : StatementOf<StatementKind::kCreateView> {
  Name name;
  bool materialized = false, or_replace = false, if_not_exists = false;
  std::string security;  // "", "definer", "invoker"
  std::optional<std::string> comment;
  ExprPtr grace_period;    // interval
  std::string when_stale;  // "", "inline", "fail"
  std::vector<Property> properties;
  QueryPtr query;
  std::string query_text;  // as written: what a catalog stores
};
struct DropView : StatementOf<StatementKind::kDropView> {
  Name name;
  bool materialized = false, if_exists = false;
};
struct AlterView : StatementOf<StatementKind::kAlterView> {
  Name name;
  bool materialized = false, if_exists = false;
  std::string action;  // "rename", "set properties", "set authorization"
  Name target;
  std::vector<Property> properties;
  std::string authorization;
};
struct RefreshMaterializedView : StatementOf<StatementKind::kRefreshMaterializedView> {
  Name name;
  QueryPtr query;  // set by the resolver: the view's, resolved, giving its columns in its types
};
struct CommentOn : StatementOf<StatementKind::kComment> {
  std::string target;
  Name name;
  std::optional<std::string> comment;
};  // "table","view","column"
/// GRANT, REVOKE, DENY of privileges: principals and privileges as written, lower case words.
struct Grant : Statement {
  explicit Grant(StatementKind k) : Statement(k) {}
  std::vector<std::string> privileges;  // "select", …; "all privileges"
  bool grant_option = false;            // WITH GRANT OPTION | GRANT OPTION FOR
  std::string entity_kind;              // "", "table", "schema"
  Name entity;
  std::string principal_kind;  // "", "user", "role"
  Ident principal;
};
/// GRANT/REVOKE of roles, CREATE/DROP ROLE.
struct RoleStatement : Statement {
  explicit RoleStatement(StatementKind k) : Statement(k) {}
  std::vector<Ident> roles;
  std::vector<std::pair<std::string, Ident>> principals;  // kind, name
  bool admin_option = false, if_exists = false;
  std::string admin;  // WITH ADMIN … text; GRANTED BY text
  std::optional<Ident> catalog;
};
struct CreateCatalog : StatementOf<StatementKind::kCreateCatalog> {
  Ident name;
  bool if_not_exists = false;
  Ident connector;
  std::optional<std::string> comment;
  std::string authorization;
  std::vector<Property> properties;
};
struct DropCatalog : StatementOf<StatementKind::kDropCatalog> {
  Ident name;
  bool if_exists = false, cascade = false, restrict_ = false;
};
struct CreateFunction : StatementOf<StatementKind::kCreateFunction> {
  bool or_replace = false;
  std::string text;  // FUNCTION name(…) …, canonical
  std::shared_ptr<Routine> routine;
};
struct DropFunction : StatementOf<StatementKind::kDropFunction> {
  bool if_exists = false;
  Name name;
  std::vector<TypeNodePtr> types;
};

// ---------------------------------------------------------------- access

/// Checked downcast for any node family above.
template <class T, class Node>
T& as(Node& node) {
  return static_cast<T&>(node);
}
template <class T, class Node>
const T& as(const Node& node) {
  return static_cast<const T&>(node);
}
template <class T, class Node>
T* try_as(Node* node) {
  return node && node->kind == std::remove_const_t<T>::kKind ? static_cast<T*>(node) : nullptr;
}

}  // namespace meesh::sql
