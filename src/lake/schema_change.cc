#include "lake/schema_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace meesh::lake {
namespace {

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Error unsupported(std::string message) { return Error(Code::kNotSupported, std::move(message)); }

Field* find_by_id(std::vector<Field>* fields, int id) {
  for (Field& field : *fields) {
    if (field.id == id) return &field;
    if (Field* found = find_by_id(&field.type.fields, id)) return found;
  }
  return nullptr;
}

std::vector<Field>::iterator find_named(std::vector<Field>* fields, const std::string& name) {
  return std::ranges::find(*fields, lower(name), [](const Field& f) { return lower(f.name); });
}

void refuse_taken(std::vector<Field>* fields, const std::string& name) {
  if (name.empty()) throw Error(Code::kMissingColumnName, "A column needs a name");
  if (find_named(fields, name) != fields->end()) {
    throw Error(Code::kColumnAlreadyExists, fmt::format("Column '{}' already exists", name));
  }
}

/// No struct inside has two fields of one name.
void refuse_twins(const Type& type) {
  std::set<std::string> names;
  for (const Field& field : type.fields) {
    if (field.name.empty()) throw Error(Code::kMissingColumnName, "A field needs a name");
    if (!names.insert(lower(field.name)).second) {
      throw Error(Code::kColumnAlreadyExists,
                  fmt::format("There are two fields '{}' in {}", field.name, type_name(type)));
    }
    refuse_twins(field.type);
  }
}

void insert_at(std::vector<Field>* fields, Field field, const ColumnPosition& position) {
  auto place = fields->end();
  if (position.place == ColumnPosition::Place::kFirst) place = fields->begin();
  if (position.place == ColumnPosition::Place::kAfter) {
    place = find_named(fields, position.after);
    if (place == fields->end()) {
      throw Error(Code::kColumnNotFound,
                  fmt::format("Column '{}', after which '{}' was to be, does not exist",
                              position.after, field.name));
    }
    ++place;
  }
  fields->insert(place, std::move(field));
}

/// Whether it or something inside it is among them.
bool contains_any(const Field& field, const std::set<int>& ids) {
  return ids.contains(field.id) || std::ranges::any_of(field.type.fields, [&](const Field& child) {
           return contains_any(child, ids);
         });
}

}  // namespace

SchemaChange::SchemaChange(const TableMetadata& metadata)
    : schema_(metadata.schema()), last_column_id_(metadata.last_column_id) {
  for (const PartitionSpec& spec : metadata.partition_specs) {
    const bool current = spec.id == metadata.default_spec_id;
    for (const PartitionField& field : spec.fields) {
      if (field.transform.kind == TransformKind::kVoid) continue;
      (current ? partition_sources_ : old_partition_sources_).insert(field.source_id);
    }
  }
  for (const SortField& field : metadata.sort_order().fields) sort_sources_.insert(field.source_id);
}

Field& SchemaChange::find(std::string_view name) {
  if (const Field* found = find_field(schema_, name, false)) {
    return *find_by_id(&schema_.fields, found->id);
  }
  std::vector<std::string> known;
  for (const auto& [id, full] : field_names(schema_)) known.push_back(full);
  throw Error(Code::kColumnNotFound, fmt::format("Column '{}' does not exist", name))
      .with_hint(base::did_you_mean(name, known, "columns are "));
}

std::vector<Field>& SchemaChange::siblings_of(int id) {
  const Field* parent = find_parent(schema_, id);
  return parent == nullptr ? schema_.fields : find_by_id(&schema_.fields, parent->id)->type.fields;
}

void SchemaChange::refuse_inside_map_key(int id, std::string_view name) const {
  for (const Field* parent = find_parent(schema_, id); parent != nullptr;
       parent = find_parent(schema_, id)) {
    if (parent->type.kind == TypeKind::kMap && parent->type.fields[0].id == id) {
      throw unsupported(fmt::format("Cannot alter map keys: {}", name));
    }
    id = parent->id;
  }
}

SchemaChange& SchemaChange::add(std::string_view parent, const std::string& name, const Type& type,
                                const std::string& doc, bool required,
                                const ColumnPosition& position) {
  std::vector<Field>* fields = &schema_.fields;
  if (!parent.empty()) {
    Field& found = find(parent);
    refuse_inside_map_key(found.id, parent);
    Type* inner = &found.type;
    if (inner->kind == TypeKind::kList || inner->kind == TypeKind::kMap) {
      inner = &inner->fields.back().type;
    }
    if (inner->kind != TypeKind::kStruct) {
      throw Error(Code::kTypeMismatch, fmt::format("Cannot add to non-struct column: {}: {}",
                                                   parent, type_name(found.type)));
    }
    fields = &inner->fields;
  }
  refuse_taken(fields, name);
  refuse_twins(type);
  if (required) {
    throw unsupported(fmt::format("Cannot add required column without a default value: {}", name))
        .with_hint("add it without NOT NULL, fill it, then set NOT NULL");
  }
  Schema fresh;
  fresh.fields.push_back({.id = 0, .name = name, .type = type, .required = false, .doc = doc});
  int last = last_column_id_;
  fresh = with_fresh_ids(fresh, &last);
  insert_at(fields, std::move(fresh.fields[0]), position);
  last_column_id_ = last;
  return *this;
}

void SchemaChange::refuse_used(const Field& field, std::string_view name) const {
  if (contains_any(field, partition_sources_)) {
    throw unsupported(fmt::format("Cannot drop partition field: {}", name))
        .with_hint("change the partitioning first");
  }
  if (contains_any(field, old_partition_sources_)) {
    throw unsupported(
        fmt::format("Cannot drop column which is used by an old partition spec: {}", name));
  }
  if (contains_any(field, sort_sources_)) {
    throw unsupported(fmt::format("Cannot drop sort field: {}", name))
        .with_hint("change the sort order first");
  }
  const std::set<int> identifiers(schema_.identifier_field_ids.begin(),
                                  schema_.identifier_field_ids.end());
  if (contains_any(field, identifiers)) {
    throw unsupported(fmt::format("Cannot drop identifier field: {}", name))
        .with_hint("choose other identifier fields first");
  }
}

SchemaChange& SchemaChange::drop(std::string_view name) {
  const Field& field = find(name);
  refuse_inside_map_key(field.id, name);
  const Field* parent = find_parent(schema_, field.id);
  if (parent != nullptr && parent->type.kind != TypeKind::kStruct) {
    throw unsupported(fmt::format("Cannot drop the {} of a list or map: {}", field.name, name));
  }
  refuse_used(field, name);
  std::vector<Field>& siblings = siblings_of(field.id);
  if (siblings.size() == 1) {
    throw unsupported(fmt::format("Cannot drop the only {}: {}",
                                  parent == nullptr ? "column of a table" : "field of a struct",
                                  name));
  }
  std::erase_if(siblings, [id = field.id](const Field& other) { return other.id == id; });
  return *this;
}

SchemaChange& SchemaChange::rename(std::string_view name, const std::string& new_name) {
  Field& field = find(name);
  refuse_inside_map_key(field.id, name);
  const Field* parent = find_parent(schema_, field.id);
  if (parent != nullptr && parent->type.kind != TypeKind::kStruct) {
    throw unsupported(fmt::format("Cannot rename the {} of a list or map: {}", field.name, name));
  }
  if (lower(new_name) != lower(field.name)) refuse_taken(&siblings_of(field.id), new_name);
  field.name = new_name;
  return *this;
}

SchemaChange& SchemaChange::move(std::string_view name, const ColumnPosition& position) {
  const int id = find(name).id;
  refuse_inside_map_key(id, name);
  const Field* parent = find_parent(schema_, id);
  if (parent != nullptr && parent->type.kind != TypeKind::kStruct) {
    throw unsupported(fmt::format("Cannot move the parts of a list or map: {}", name));
  }
  std::vector<Field>& siblings = siblings_of(id);
  const auto found = std::ranges::find(siblings, id, &Field::id);
  if (position.place == ColumnPosition::Place::kAfter &&
      lower(position.after) == lower(found->name)) {
    throw Error(Code::kInvalidArguments, fmt::format("Cannot move {} after itself", name));
  }
  std::vector<Field> moved = siblings;
  Field field = std::move(moved[static_cast<size_t>(found - siblings.begin())]);
  moved.erase(moved.begin() + (found - siblings.begin()));
  insert_at(&moved, std::move(field), position);
  siblings = std::move(moved);
  return *this;
}

SchemaChange& SchemaChange::widen(std::string_view name, const Type& type) {
  Field& field = find(name);
  refuse_inside_map_key(field.id, name);
  if (!can_promote(field.type, type)) {
    throw Error(Code::kTypeMismatch, fmt::format("Cannot change column type: {}: {} -> {}", name,
                                                 type_name(field.type), type_name(type)))
        .with_hint("types only widen: int to long, float to double, more digits for a decimal");
  }
  field.type = type;
  return *this;
}

SchemaChange& SchemaChange::set_doc(std::string_view name, const std::string& doc) {
  Field& field = find(name);
  const Field* parent = find_parent(schema_, field.id);
  if (parent != nullptr && parent->type.kind != TypeKind::kStruct) {
    throw unsupported(fmt::format("The parts of a list or map have no comments: {}", name));
  }
  field.doc = doc;
  return *this;
}

SchemaChange& SchemaChange::make_optional(std::string_view name) {
  Field& field = find(name);
  refuse_inside_map_key(field.id, name);
  const std::set<int> identifiers(schema_.identifier_field_ids.begin(),
                                  schema_.identifier_field_ids.end());
  if (contains_any(field, identifiers)) {
    throw unsupported(fmt::format("Cannot allow nulls in an identifier field: {}", name))
        .with_hint("choose other identifier fields first");
  }
  field.required = false;
  return *this;
}

SchemaChange& SchemaChange::make_required(std::string_view name) {
  Field& field = find(name);
  refuse_inside_map_key(field.id, name);
  field.required = true;
  return *this;
}

SchemaChange& SchemaChange::set_identifier_fields(const std::vector<std::string>& names) {
  Schema changed = schema_;
  std::set<int> ids;
  for (const std::string& name : names) ids.insert(find(name).id);
  changed.identifier_field_ids.assign(ids.begin(), ids.end());
  try {
    check_identifier_fields(changed);
  } catch (const Error& error) {
    throw unsupported(error.message());
  }
  schema_ = std::move(changed);
  return *this;
}

std::vector<Update> SchemaChange::updates() const {
  return {AddSchema{schema_}, SetCurrentSchema{kLastAdded}};
}

}  // namespace meesh::lake
