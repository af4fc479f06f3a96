// For each writer's schema a plan is made once: which of its fields become which columns, and what
// stands in for those it lacks. A message is then read from its first byte to its last, straight
// into cells.
//
// Why not libavro-c: it knows neither logical types nor defaults and aliases, has no bound on depth
// and allocates what a message claims to hold. The lake's cursor does the encoding.
#include "streams/decode/avro_decoder.h"

#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "ingest/decode/cell.h"
#include "lake/types.h"
#include "streams/decode/avro_values.h"
#include "streams/decode/member_tree.h"

namespace meesh::streams {
namespace {

using ingest::Cell;
using ingest::shortened;
using lake::AvroCursor;
using lake::AvroKind;

constexpr size_t kMostPlans = 1000;

/// What becomes of a value of the node.
struct Step {
  int node = 0;
  std::vector<size_t> columns;
  /// Of a record: by field, null where nobody asks for it; empty if nobody asks for any. Of a
  /// union: by branch.
  std::vector<std::unique_ptr<Step>> inner;
};

/// A value of the reader's schema that stands in for one the writer has not.
struct Substitute {
  std::string bytes;
  std::unique_ptr<Step> step;  // over the reader's schema
};

struct Plan {
  AvroMessageSchema schema;
  std::unique_ptr<Step> root;
  std::vector<Substitute> substitutes;
};

/// A message that is not what its schema says, or a value that is none of its column's.
struct Malformed {
  std::string what;
};

class Planner {
 public:
  /// `reader` may be null.
  Planner(Plan& plan, const AvroMessageSchema* reader) : plan_(plan), reader_(reader) {}

  void plan(const WantedMember& root) {
    plan_.root = step(plan_.schema, plan_.schema.root, root, reader_ ? reader_->root : -1);
  }

 private:
  /// `like`: the node of the reader's schema that is at the same place; -1: none.
  std::unique_ptr<Step> step(const AvroMessageSchema& schema, int node, const WantedMember& member,
                             int like) {
    auto out = std::make_unique<Step>();
    out->node = node;
    out->columns = member.columns;
    const AvroType& type = schema[node];
    if (type.kind == AvroKind::kUnion) {
      for (const int branch : type.children)
        out->inner.push_back(step(schema, branch, member, like));
    } else if (type.kind == AvroKind::kRecord && !member.members.empty()) {
      plan_fields(schema, type, member, record_at(like), *out);
    }
    return out;
  }

  void plan_fields(const AvroMessageSchema& schema, const AvroType& record,
                   const WantedMember& member, const AvroType* like, Step& out) {
    out.inner.resize(record.fields.size());
    for (const auto& wanted : member.members) {
      const AvroMember* known = like ? field_of(*like, wanted.name, {}) : nullptr;
      const AvroMember* field =
          field_of(record, wanted.name, known ? known->aliases : std::vector<std::string>());
      if (field) {
        auto& place = out.inner[static_cast<size_t>(field - record.fields.data())];
        // Two members may differ by case alone and mean one field.
        auto found = step(schema, field->node, wanted, known ? known->node : -1);
        if (place) {
          merge(*place, std::move(*found));
        } else {
          place = std::move(found);
        }
      } else if (known && known->otherwise) {
        plan_.substitutes.push_back({encode_default(*reader_, known->node, *known->otherwise),
                                     step(*reader_, known->node, wanted, -1)});
      }
    }
  }

  static void merge(Step& into, Step&& from) {
    into.columns.insert(into.columns.end(), from.columns.begin(), from.columns.end());
    if (into.inner.empty()) {
      into.inner = std::move(from.inner);
      return;
    }
    for (size_t i = 0; i < from.inner.size(); ++i) {
      if (!from.inner[i]) continue;
      if (into.inner[i]) {
        merge(*into.inner[i], std::move(*from.inner[i]));
      } else {
        into.inner[i] = std::move(from.inner[i]);
      }
    }
  }

  static const AvroMember* field_of(const AvroType& record, const std::string& name,
                                    const std::vector<std::string>& aliases) {
    for (const auto& field : record.fields)
      if (field.name == name) return &field;
    for (const auto& field : record.fields)
      if (std::ranges::count(aliases, field.name) > 0) return &field;
    for (const auto& field : record.fields)
      if (same_but_for_case(field.name, name)) return &field;
    return nullptr;
  }

  /// The record of the reader's schema at a node, also inside a union; null if there is none.
  const AvroType* record_at(int node) const {
    if (node < 0) return nullptr;
    const AvroType& type = (*reader_)[node];
    if (type.kind == AvroKind::kRecord) return &type;
    if (type.kind != AvroKind::kUnion) return nullptr;
    for (const int branch : type.children)
      if ((*reader_)[branch].kind == AvroKind::kRecord) return &(*reader_)[branch];
    return nullptr;
  }

  Plan& plan_;
  const AvroMessageSchema* reader_;
};

class AvroDecoder : public Decoder {
 public:
  AvroDecoder(const FormatConfig& format, const std::vector<ColumnConfig>& columns,
              SchemaRegistry* registry)
      : wanted_(wanted_members(columns)), registry_(registry) {
    for (const auto& column : columns) cells_.emplace_back(column);
    there_.resize(cells_.size());
    if (format.schema.empty() && registry == nullptr) {
      throw Error(Code::kConfigInvalid, "Avro messages need a schema or a registry")
          .with_hint("name a file under 'schema', or a registry");
    }
    if (format.schema.empty()) return;
    auto schema = parse_avro_messages({.type = "AVRO", .text = format.schema, .references = {}});
    for (const auto& column : columns) check_column(schema, column);
    if (registry) {
      reader_ = std::move(schema);
    } else {
      only_ = plan(std::move(schema));
    }
  }

  bool decode(std::string_view value, engine::RowBuffer& rows, size_t first,
              std::string& wrong) override {
    const Plan* plan = only_.get();
    if (!plan && !(plan = plan_of(value, wrong))) return false;
    rows_ = &rows;
    first_ = first;
    there_.assign(there_.size(), false);
    try {
      read_all(plan->schema, value, *plan->root);
      for (const auto& substitute : plan->substitutes)
        read_all(*reader_, substitute.bytes, *substitute.step);
    } catch (const Malformed& problem) {
      wrong = problem.what;
      return false;
    } catch (const Error& error) {
      wrong = "not Avro of its schema: " + error.message();
      return false;
    }
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (there_[i] || !cells_[i].config().required) continue;
      wrong = cells_[i].missing();
      return false;
    }
    return true;
  }

 private:
  std::unique_ptr<Plan> plan(AvroMessageSchema schema) const {
    auto out = std::make_unique<Plan>();
    out->schema = std::move(schema);
    Planner(*out, reader_ ? &*reader_ : nullptr).plan(wanted_);
    return out;
  }

  /// That the configuration's schema has the column.
  static void check_column(const AvroMessageSchema& schema, const ColumnConfig& column) {
    int node = schema.root;
    for (const auto& name : path_of(column)) {
      const AvroType* type = &schema[node];
      if (type->kind == AvroKind::kUnion) {
        for (const int branch : type->children)
          if (schema[branch].kind == AvroKind::kRecord) type = &schema[branch];
        if (type->kind == AvroKind::kUnion && type->children.size() > 2) return;
      }
      std::vector<std::string> names;
      const AvroMember* found = nullptr;
      for (const auto& field : type->fields) {
        names.push_back(field.name);
        if (same_but_for_case(field.name, name)) found = &field;
      }
      if (!found) {
        throw Error(Code::kConfigInvalid,
                    fmt::format("column '{}': the Avro schema has no field "
                                "'{}'",
                                column.name, base::join(path_of(column), ".")))
            .with_hint(base::did_you_mean(name, names, "it has"));
      }
      node = found->node;
    }
  }

  /// Takes the framing off; null if there is none, or no such schema.
  const Plan* plan_of(std::string_view& value, std::string& wrong) {
    int32_t id = 0;
    if (!take_schema_id(value, id)) {
      wrong = "not Avro of a registry: it does not begin with a zero byte and a schema's id";
      return nullptr;
    }
    if (const auto known = plans_.find(id); known != plans_.end()) return known->second.get();
    const auto schema = registry_->by_id(id);
    if (!schema) {
      wrong = fmt::format("the registry has no schema {}", id);
      return nullptr;
    }
    try {
      if (plans_.size() >= kMostPlans) plans_.clear();
      return plans_.emplace(id, plan(parse_avro_messages(*schema))).first->second.get();
    } catch (const Error& error) {
      wrong = fmt::format("schema {} of the registry: {}", id, error.message());
      return nullptr;
    }
  }

  void read_all(const AvroMessageSchema& schema, std::string_view bytes, const Step& root) {
    AvroCursor cursor(bytes);
    AvroValues values(schema, bytes.size());
    read(schema, values, cursor, root);
    if (!cursor.done())
      throw Malformed{fmt::format("not Avro of its schema: {} bytes stand behind the value",
                                  cursor.remaining())};
  }

  void read(const AvroMessageSchema& schema, AvroValues& values, AvroCursor& cursor,
            const Step& step) {
    const AvroType& type = schema[step.node];
    if (type.kind == AvroKind::kUnion) {
      const auto branch = static_cast<size_t>(cursor.read_branch(type.children.size()));
      return read(schema, values, cursor, *step.inner[branch]);
    }
    if (type.kind >= AvroKind::kRecord) return read_composite(schema, values, cursor, step);
    if (type.kind == AvroKind::kNull) return;
    if (step.columns.empty()) return values.skip(cursor, step.node);
    for (size_t i = 0; i < step.columns.size(); ++i) {
      AvroCursor again = cursor;
      const bool last = i + 1 == step.columns.size();
      put(type, last ? cursor : again, step.columns[i]);
    }
  }

  void read_composite(const AvroMessageSchema& schema, AvroValues& values, AvroCursor& cursor,
                      const Step& step) {
    const AvroType& type = schema[step.node];
    if (step.columns.empty() && step.inner.empty()) return values.skip(cursor, step.node);
    const AvroCursor begin = cursor;
    if (!step.columns.empty()) {
      text_.clear();
      values.append_json(cursor, step.node, text_);
      for (const size_t column : step.columns) {
        const Cell& cell = cells_[column];
        if (!cell.put_json(text_, *rows_, first_ + column)) throw Malformed{cell.complaint(text_)};
        there_[column] = true;
      }
    }
    if (step.inner.empty()) return;
    cursor = begin;
    for (size_t i = 0; i < type.fields.size(); ++i) {
      if (step.inner[i]) {
        read(schema, values, cursor, *step.inner[i]);
      } else {
        values.skip(cursor, type.fields[i].node);
      }
    }
  }

  void put(const AvroType& type, AvroCursor& cursor, size_t column) {
    const Cell& cell = cells_[column];
    const size_t at = first_ + column;
    bool fits = false;
    std::string found;
    switch (type.kind) {
      case AvroKind::kBoolean: {
        const bool value = cursor.read_boolean();
        fits = cell.put_boolean(value, *rows_, at);
        if (!fits) found = value ? "true" : "false";
        break;
      }
      case AvroKind::kInt:
      case AvroKind::kLong: {
        const int64_t value = type.kind == AvroKind::kInt ? cursor.read_int() : cursor.read_long();
        fits = put_long(type.logical, value, cell, at);
        if (!fits) found = std::to_string(value);
        break;
      }
      case AvroKind::kFloat:
      case AvroKind::kDouble: {
        // A float as its own shortest text where text is wanted, not as the double's.
        const bool is_float = type.kind == AvroKind::kFloat;
        const double value = is_float ? cursor.read_float() : cursor.read_double();
        fits = is_float ? cell.put_float(static_cast<float>(value), *rows_, at)
                        : cell.put_double(value, *rows_, at);
        if (!fits) found = fmt::format("{}", value);
        break;
      }
      case AvroKind::kEnum:
        found = type.symbols[static_cast<size_t>(cursor.read_branch(type.symbols.size()))];
        fits = cell.put_symbol(found, *rows_, at);
        break;
      case AvroKind::kString: {
        const auto text = cursor.read_bytes();
        if (!base::valid_utf8(text))
          throw Malformed{fmt::format("column '{}': a string is not UTF-8", cell.config().name)};
        fits = cell.put_text(text, *rows_, at);
        if (!fits) found = fmt::format("\"{}\"", shortened(text));
        break;
      }
      default: {
        const auto bytes =
            type.kind == AvroKind::kFixed ? cursor.read_fixed(type.size) : cursor.read_bytes();
        fits = put_bytes(type, bytes, cell, at);
        if (!fits) found = shown(type, bytes);
      }
    }
    if (!fits) throw Malformed{cell.complaint(found)};
    there_[column] = true;
  }

  static std::string shown(const AvroType& type, std::string_view bytes) {
    const auto unscaled =
        type.logical == AvroLogical::kDecimal ? read_unscaled(bytes) : std::nullopt;
    return unscaled ? lake::decimal_text(*unscaled, type.scale)
                    : fmt::format("{} bytes", bytes.size());
  }

  bool put_long(AvroLogical logical, int64_t value, const Cell& cell, size_t at) {
    // Whoever declares a bigint wants the number itself.
    if (logical == AvroLogical::kNone || cell.is_integer())
      return cell.put_integer(value, *rows_, at);
    if (logical == AvroLogical::kDate) return cell.put_date(value, *rows_, at);
    const auto micros = micros_of_logical(logical, value);
    if (!micros) return false;
    if (logical == AvroLogical::kTimeMillis || logical == AvroLogical::kTimeMicros)
      return cell.put_time(*micros, *rows_, at);
    return cell.put_instant(*micros, *rows_, at);
  }

  bool put_bytes(const AvroType& type, std::string_view bytes, const Cell& cell, size_t at) {
    if (type.logical == AvroLogical::kDecimal && cell.kind() != sql::TypeKind::kVarbinary) {
      const auto unscaled = read_unscaled(bytes);
      return unscaled && cell.put_decimal(*unscaled, type.scale, *rows_, at);
    }
    return cell.put_bytes(bytes, *rows_, at);
  }

  const WantedMember wanted_;
  std::vector<Cell> cells_;
  SchemaRegistry* const registry_;
  std::optional<AvroMessageSchema> reader_;         // beside a registry
  std::unique_ptr<const Plan> only_;                // without one
  std::map<int32_t, std::unique_ptr<Plan>> plans_;  // by the registry's ids
  // Of the message that is being read:
  engine::RowBuffer* rows_ = nullptr;
  size_t first_ = 0;
  std::vector<bool> there_;  // columns that have a value
  std::string text_;
};

}  // namespace

std::unique_ptr<Decoder> make_avro_decoder(const FormatConfig& format,
                                           const std::vector<ColumnConfig>& columns,
                                           SchemaRegistry* registry) {
  return std::make_unique<AvroDecoder>(format, columns, registry);
}

}  // namespace meesh::streams
