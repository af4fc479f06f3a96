// The inclusive projection of predicates on partitions.
#include <algorithm>
#include <limits>

#include "base/error.h"
#include "lake/pruning.h"

namespace meesh::lake {
namespace {

using Kind = Predicate::Kind;

Predicate always() { return {.kind = Kind::kTrue}; }

Predicate leaf(Kind kind, int place, Value value) {
  Predicate out{.kind = kind, .field_id = place};
  out.values.push_back(std::move(value));
  return out;
}

bool has_null(const std::vector<Value>& values) {
  return std::ranges::any_of(values, [](const Value& value) { return is_null(value); });
}

/// One predicate on a column, projected on one partition field of that column.
class LeafProjection {
 public:
  LeafProjection(const Predicate& predicate, const Transform& transform, const Type& source,
                 int place)
      : in_(predicate), transform_(transform), source_(source), place_(place) {}

  Predicate project() const {
    switch (transform_.kind) {
      case TransformKind::kVoid:
      case TransformKind::kUnknown:
        return always();
      case TransformKind::kIdentity: {
        Predicate same = in_;
        same.field_id = place_;
        return same;
      }
      default:
        break;
    }
    // The other transforms keep null, and nothing else becomes null.
    if (in_.kind == Kind::kIsNull || in_.kind == Kind::kNotNull) {
      return {.kind = in_.kind, .field_id = place_};
    }
    if (has_null(in_.values)) return always();
    if (in_.kind == Kind::kEqual || in_.kind == Kind::kIn) return equal();
    if (transform_.kind == TransformKind::kBucket) return always();
    return range();
  }

 private:
  bool truncates() const { return transform_.kind == TransformKind::kTruncate; }
  bool time() const { return !truncates() && transform_.kind != TransformKind::kBucket; }
  bool integer() const { return source_.kind == TypeKind::kInt || source_.kind == TypeKind::kLong; }

  Value apply(const Value& value) const { return apply_transform(transform_, source_, value); }

  int64_t smallest() const {
    return source_.kind == TypeKind::kInt ? std::numeric_limits<int32_t>::min()
                                          : std::numeric_limits<int64_t>::min();
  }
  int64_t largest() const {
    return source_.kind == TypeKind::kInt ? std::numeric_limits<int32_t>::max()
                                          : std::numeric_limits<int64_t>::max();
  }

  /// Truncating numbers next to the smallest wraps around in Java, and may do so elsewhere.
  bool wraps(const Value& value) const {
    const int64_t* number = std::get_if<int64_t>(&value);
    return truncates() && integer() && number != nullptr &&
           (*number < smallest() + transform_.argument || *number > largest());
  }

  Predicate equal() const {
    Predicate out{.kind = Kind::kIn, .field_id = place_};
    for (const Value& value : in_.values) {
      if (wraps(value)) return always();
      out.values.push_back(apply(value));
      // Old writers rounded times before 1970 up.
      const int64_t* number = std::get_if<int64_t>(&out.values.back());
      if (time() && number != nullptr && *number < 0) out.values.emplace_back(*number + 1);
    }
    return out;
  }

  Predicate range() const {
    switch (in_.kind) {
      case Kind::kLess:
      case Kind::kLessEqual:
        return below();
      case Kind::kGreater:
      case Kind::kGreaterEqual:
        return above();
      case Kind::kStartsWith:
        return leaf(Kind::kStartsWith, place_, apply(in_.values.at(0)));
      default:
        return always();
    }
  }

  Predicate below() const {
    Value value = in_.values.at(0);
    int64_t* number = std::get_if<int64_t>(&value);
    if (number != nullptr && in_.kind == Kind::kLess) {
      if (*number == std::numeric_limits<int64_t>::min()) return {.kind = Kind::kFalse};
      --*number;
    }
    if (wraps(value)) return always();
    value = apply(value);
    number = std::get_if<int64_t>(&value);
    if (time() && number != nullptr && *number < 0) ++*number;
    Predicate out = leaf(Kind::kLessEqual, place_, std::move(value));
    if (!truncates() || !integer()) return out;
    return Predicate::any_of(
        {std::move(out), leaf(Kind::kGreaterEqual, place_, largest() - transform_.argument)});
  }

  Predicate above() const {
    Value value = in_.values.at(0);
    int64_t* number = std::get_if<int64_t>(&value);
    if (number != nullptr && in_.kind == Kind::kGreater) {
      if (*number == std::numeric_limits<int64_t>::max()) return {.kind = Kind::kFalse};
      ++*number;
    }
    if (wraps(value)) return always();
    return leaf(Kind::kGreaterEqual, place_, apply(value));
  }

  const Predicate& in_;
  const Transform& transform_;
  const Type& source_;
  int place_;
};

/// All partition fields of the column: each of them must hold.
Predicate project_leaf(const Predicate& predicate, const PartitionSpec& spec,
                       const Schema& schema) {
  const Field* field = find_field(schema, predicate.field_id);
  if (field == nullptr || field->type.nested()) return always();
  for (const Value& value : predicate.values) {
    if (!value_fits(field->type, value)) return always();
  }
  Predicate out{.kind = Kind::kAnd};
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    const PartitionField& part = spec.fields[i];
    if (part.source_id != predicate.field_id || !can_transform(part.transform, field->type)) {
      continue;
    }
    const LeafProjection leaf(predicate, part.transform, field->type, static_cast<int>(i));
    out.children.push_back(leaf.project());
  }
  return out;
}

Predicate project_positive(const Predicate& predicate, const PartitionSpec& spec,
                           const Schema& schema) {
  switch (predicate.kind) {
    case Kind::kTrue:
    case Kind::kFalse:
      return predicate;
    case Kind::kAnd:
    case Kind::kOr: {
      Predicate out{.kind = predicate.kind};
      for (const Predicate& child : predicate.children) {
        out.children.push_back(project_positive(child, spec, schema));
      }
      return out;
    }
    default:
      return project_leaf(predicate, spec, schema);
  }
}

Kind opposite(Kind kind) {
  switch (kind) {
    case Kind::kTrue:
      return Kind::kFalse;
    case Kind::kFalse:
      return Kind::kTrue;
    case Kind::kAnd:
      return Kind::kOr;
    case Kind::kOr:
      return Kind::kAnd;
    case Kind::kIsNull:
      return Kind::kNotNull;
    case Kind::kNotNull:
      return Kind::kIsNull;
    case Kind::kEqual:
      return Kind::kNotEqual;
    case Kind::kNotEqual:
      return Kind::kEqual;
    case Kind::kLess:
      return Kind::kGreaterEqual;
    case Kind::kLessEqual:
      return Kind::kGreater;
    case Kind::kGreater:
      return Kind::kLessEqual;
    case Kind::kGreaterEqual:
      return Kind::kLess;
    case Kind::kIn:
      return Kind::kNotIn;
    case Kind::kNotIn:
      return Kind::kIn;
    case Kind::kStartsWith:
      return Kind::kNotStartsWith;
    case Kind::kNotStartsWith:
      return Kind::kStartsWith;
    case Kind::kNot:
      break;
  }
  internal_error("kNot has no opposite");
}

Predicate rewrite(const Predicate& predicate, bool negate) {
  if (predicate.kind == Kind::kNot) return rewrite(predicate.children.at(0), !negate);
  Predicate out = predicate;
  if (negate) out.kind = opposite(predicate.kind);
  out.or_nan =
      (negate || predicate.or_nan) && (out.kind == Kind::kLess || out.kind == Kind::kLessEqual);
  out.children.clear();
  for (const Predicate& child : predicate.children) out.children.push_back(rewrite(child, negate));
  return out;
}

}  // namespace

Predicate Predicate::all_of(std::vector<Predicate> children) {
  return {.kind = Kind::kAnd, .children = std::move(children)};
}

Predicate Predicate::any_of(std::vector<Predicate> children) {
  return {.kind = Kind::kOr, .children = std::move(children)};
}

Predicate Predicate::negated(Predicate child) {
  Predicate out{.kind = Kind::kNot};
  out.children.push_back(std::move(child));
  return out;
}

Predicate Predicate::compare(Kind kind, int field_id, Value value) {
  return leaf(kind, field_id, std::move(value));
}

Predicate Predicate::in(int field_id, std::vector<Value> values) {
  return {.kind = Kind::kIn, .field_id = field_id, .values = std::move(values)};
}

Predicate Predicate::is_null(int field_id) { return {.kind = Kind::kIsNull, .field_id = field_id}; }

Predicate Predicate::not_null(int field_id) {
  return {.kind = Kind::kNotNull, .field_id = field_id};
}

Predicate Predicate::starts_with(int field_id, std::string prefix) {
  return leaf(Kind::kStartsWith, field_id, std::move(prefix));
}

Predicate without_not(const Predicate& predicate) { return rewrite(predicate, false); }

Predicate project(const Predicate& predicate, const PartitionSpec& spec, const Schema& schema) {
  return project_positive(without_not(predicate), spec, schema);
}

}  // namespace meesh::lake
