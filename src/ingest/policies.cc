#include "ingest/policies.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "base/uuid.h"
#include "engine/ask.h"
#include "ingest/lake_types.h"

namespace meesh::ingest {

using engine::quote_name;
using engine::quote_text;
using sql::Type;
using sql::TypeKind;

namespace {

constexpr const char* kSalt = "meesh_salt";

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::count(names, name) > 0;
}

const StreamColumn* find(const std::vector<StreamColumn>& columns, const std::string& name) {
  const auto found = std::ranges::find(columns, name, &StreamColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

/// The value as text that is the same for equal values.
std::string text_of(const Type& type, const std::string& value) {
  if (type.kind == TypeKind::kVarchar) return value;
  if (type.kind == TypeKind::kVarbinary) return fmt::format("to_hex({})", value);
  if (type.kind == TypeKind::kJson) return fmt::format("json_format({})", value);
  if (!type.children.empty()) return fmt::format("json_text({})", value);
  return fmt::format("CAST({} AS varchar)", value);
}

bool is_number(const Type& type) {
  switch (type.kind) {
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kReal:
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
      return true;
    default:
      return false;
  }
}

bool is_moment(const Type& type) {
  return type.kind == TypeKind::kDate || type.kind == TypeKind::kTimestamp ||
         type.kind == TypeKind::kTimestampTz;
}

/// Whether some values of `from` can be a `to`.
bool castable(const Type& from, const Type& to) {
  if (!from.children.empty() || !to.children.empty()) return false;
  if (from.kind == TypeKind::kVarbinary || to.kind == TypeKind::kVarbinary) return false;
  if (from.kind == TypeKind::kVarchar || to.kind == TypeKind::kVarchar) return true;
  return (is_number(from) && is_number(to)) || (is_moment(from) && is_moment(to));
}

/// A column that the landed table has no place for.
struct Misfit {
  const StreamColumn* column;
  std::string bad;     // SQL: this row's value has no place
  std::string reason;  // for a person
};

/// Makes an Intake; used once.
class Maker {
 public:
  Maker(const TableConfig& table, const Policies& policies, const Portion& portion,
        const std::vector<StreamColumn>& landed, const std::string& origin)
      : table_(table), policies_(policies), portion_(portion), landed_(landed), origin_(origin) {}

  Intake make() {
    const auto shown = policies_.columns(portion_.columns);
    for (const auto& column : shown) take(column);
    std::string values = fmt::format("{}", fmt::join(values_, ", "));
    if (!portion_.order.empty()) values += ", p." + quote_name(portion_.order);
    if (values.empty()) {
      throw Error(Code::kColumnNotFound, fmt::format("no column of {} is left to land", origin_))
          .with_hint("see 'include' and 'exclude' in the source's file");
    }
    std::string bad;
    for (const auto& misfit : misfits_) bad += (bad.empty() ? "" : " OR ") + misfit.bad;
    const std::string from = fmt::format("({}) AS p{}", portion_.query, policies_.join());
    intake_.query = fmt::format("SELECT {} FROM {}", values, from);
    if (bad.empty()) return std::move(intake_);
    intake_.query += fmt::format(" WHERE NOT coalesce({}, false)", bad);
    intake_.counts = fmt::format("SELECT count(*), count_if({}) FROM {}", bad, from);
    intake_.rejected = rejected(shown, bad, from);
    return std::move(intake_);
  }

 private:
  std::string plain(const StreamColumn& column) const {
    const auto source = *find(portion_.columns, column.name);
    return policies_.value(source, "p." + quote_name(column.name));
  }

  void take(const StreamColumn& column) {
    const auto* there = find(landed_, column.name);
    const bool evolves = landed_.empty() || table_.contract == SchemaContract::kEvolve;
    if (evolves) return land(column, plain(column));
    if (!there) return take_new(column);
    const Type type = landed_type(column.type);
    if (const Fit how = fit(there->type, type); how == Fit::kSame || how == Fit::kCast)
      return land(column, plain(column));
    const std::string value = landed_value(plain(column), column.type);
    const bool some = castable(type, there->type);
    const std::string fitted = some
                                   ? fmt::format("TRY_CAST({} AS {})", value, there->type.display())
                                   : fmt::format("CAST(NULL AS {})", there->type.display());
    if (table_.contract == SchemaContract::kDiscardValue) {
      intake_.notes.push_back(fmt::format("values of {} that are no {} are left out", column.name,
                                          there->type.display()));
    } else {
      misfits_.push_back({find(portion_.columns, column.name),
                          fmt::format("({} IS NOT NULL AND {} IS NULL)", value, fitted),
                          fmt::format("is no {}, and the table does not change ({})",
                                      there->type.display(), contract())});
    }
    land({column.name, there->type, ""}, fitted);
  }

  /// A column that the table does not have and will not get.
  void take_new(const StreamColumn& column) {
    if (table_.contract == SchemaContract::kFreeze) {
      throw Error(
          Code::kTypeMismatch,
          fmt::format("{} has a new column '{}', and its table is frozen", origin_, column.name))
          .with_hint(fmt::format("add it with ALTER TABLE, list it under 'exclude', or change "
                                 "'schema_contract' of '{}'",
                                 table_.name));
    }
    if (table_.contract == SchemaContract::kDiscardRow) {
      misfits_.push_back(
          {find(portion_.columns, column.name), fmt::format("({} IS NOT NULL)", plain(column)),
           fmt::format("is a new column, and the table does not change ({})", contract())});
    }
    intake_.notes.push_back(fmt::format("the new column {} is left out", column.name));
  }

  void land(StreamColumn column, const std::string& value) {
    values_.push_back(fmt::format("{} AS {}", value, quote_name(column.name)));
    intake_.columns.push_back(std::move(column));
  }

  std::string contract() const {
    return table_.contract == SchemaContract::kFreeze ? "schema_contract: freeze"
                                                      : "schema_contract: discard_row";
  }

  /// Rows with a value that has no place, with all their values as they would have landed.
  std::string rejected(const std::vector<StreamColumn>& shown, const std::string& bad,
                       const std::string& from) const {
    std::string which = "CASE", why = "CASE";
    for (const auto& misfit : misfits_) {
      which += fmt::format(" WHEN {} THEN {}", misfit.bad, quote_text(misfit.column->name));
      why += fmt::format(" WHEN {} THEN {}", misfit.bad,
                         quote_text(misfit.column->name + " " + misfit.reason));
    }
    std::vector<std::string> names, texts;
    for (const auto& column : shown) {
      names.push_back(quote_text(column.name));
      texts.push_back(text_of(column.type, plain(column)));
    }
    return fmt::format(
        "SELECT {} AS _file, CAST(NULL AS bigint) AS _line, {} END AS _column, {} END AS _error, "
        "json_format(CAST(map(ARRAY[{}], ARRAY[{}]) AS JSON)) AS _text FROM {} WHERE {}",
        quote_text(origin_), which, why, fmt::join(names, ", "), fmt::join(texts, ", "), from, bad);
  }

  const TableConfig& table_;
  const Policies& policies_;
  const Portion& portion_;
  const std::vector<StreamColumn>& landed_;
  const std::string& origin_;
  Intake intake_;
  std::vector<std::string> values_;
  std::vector<Misfit> misfits_;
};

}  // namespace

SaltTable::SaltTable(engine::BufferTables& tables, const SourceConfig& config,
                     const TableConfig& table) {
  if (config.hash_salt.empty() || table.hash.empty()) return;
  engine::BufferTable key;
  const auto rows = tables.buffer({{"salt", Type::varchar()}});
  rows->text(0, config.hash_salt);
  rows->end_row();
  rows->finish();
  key.rows = rows;
  table_ = tables.add(base::random_uuid(), "key", std::move(key));
}

std::string SaltTable::name() const { return table_ ? engine::quote_table(table_->name()) : ""; }

Policies::Policies(const TableConfig& table, std::string salt)
    : table_(table), salt_(std::move(salt)) {}

std::vector<StreamColumn> Policies::columns(const std::vector<StreamColumn>& columns) const {
  std::vector<StreamColumn> landing;
  for (const auto& column : columns) {
    if (!table_.takes(column.name)) continue;
    landing.push_back(column);
    if (has(table_.hash, column.name) || has(table_.mask, column.name))
      landing.back().type = Type::varchar();
  }
  return landing;
}

std::string Policies::value(const StreamColumn& column, const std::string& value) const {
  const std::string text = text_of(column.type, value);
  if (has(table_.mask, column.name)) return fmt::format("mask({})", text);
  if (!has(table_.hash, column.name)) return value;
  if (salt_.empty()) return fmt::format("lower(to_hex(sha256(to_utf8({}))))", text);
  return fmt::format("lower(to_hex(hmac_sha256(to_utf8({}), to_utf8({}.salt))))", text, kSalt);
}

std::string Policies::join() const {
  return salt_.empty() ? "" : fmt::format(" CROSS JOIN {} AS {}", salt_, kSalt);
}

void Policies::need(const std::vector<StreamColumn>& columns,
                    const std::vector<StreamColumn>& landed, const std::string& origin) const {
  for (const auto* names : {&table_.hash, &table_.mask}) {
    for (const auto& name : *names) {
      if (find(columns, name) || find(landed, name)) continue;
      std::vector<std::string> known;
      for (const auto& column : columns) known.push_back(column.name);
      throw Error(Code::kColumnNotFound,
                  fmt::format("{} has no column '{}' to {}", origin, name,
                              names == &table_.hash ? "hash" : "mask"),
                  {table_.line, table_.column, ""})
          .with_hint(base::did_you_mean(name, known, "columns: "));
    }
  }
}

Intake take_in(const TableConfig& table, const Policies& policies, const Portion& portion,
               const std::vector<StreamColumn>& landed, const std::string& origin) {
  return Maker(table, policies, portion, landed, origin).make();
}

}  // namespace meesh::ingest
