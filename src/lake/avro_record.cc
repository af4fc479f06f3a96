#include "lake/avro_record.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace meesh::lake {
namespace {

[[noreturn]] void fail(std::string message) {
  throw Error(Code::kIcebergInvalidMetadata, std::move(message));
}

bool fits(AvroKind kind, AvroShape shape) {
  switch (shape) {
    case AvroShape::kBoolean:
      return kind == AvroKind::kBoolean;
    case AvroShape::kInteger:
      return kind == AvroKind::kInt || kind == AvroKind::kLong;
    case AvroShape::kBytes:
      return kind == AvroKind::kBytes || kind == AvroKind::kString;
    case AvroShape::kRecord:
      return kind == AvroKind::kRecord;
    case AvroShape::kArray:
      return kind == AvroKind::kArray;
    case AvroShape::kAny:
      return kind != AvroKind::kUnion && kind != AvroKind::kNull;
  }
  return false;
}

const WantedField* find_wanted(const AvroField& field, std::span<const WantedField> wanted) {
  for (const WantedField& want : wanted) {
    if (field.id >= 0 ? field.id == want.id
                      : field.name == want.name || field.name == avro_name(want.name)) {
      return &want;
    }
  }
  return nullptr;
}

/// The step for a field: a union of null and one type, or a type alone.
RecordPlan::Step step_for(const AvroSchema& schema, int node, int op) {
  const AvroNode& type = schema[node];
  if (type.kind != AvroKind::kUnion) return {.op = op, .node = node};
  RecordPlan::Step step{.op = op, .node = node};
  step.branches = static_cast<int>(type.children.size());
  for (int i = 0; i < step.branches; ++i) {
    const int branch = type.children[static_cast<size_t>(i)];
    if (schema[branch].kind == AvroKind::kNull) {
      step.null_branch = i;
    } else {
      step.node = branch;
    }
  }
  // Anything else keeps the union as its node, which fits no shape.
  if (step.branches > 2 || (step.branches == 2 && step.null_branch < 0)) step.node = node;
  return step;
}

}  // namespace

bool RecordPlan::reads(int op) const {
  return std::ranges::any_of(steps, [op](const Step& step) { return step.op == op; });
}

int RecordPlan::node_of(int op) const {
  const auto found = std::ranges::find(steps, op, &Step::op);
  if (found == steps.end()) internal_error("a record plan does not have that field");
  return found->node;
}

RecordPlan plan_record(const AvroSchema& schema, int node, std::span<const WantedField> wanted,
                       std::string_view what) {
  const AvroNode& record = schema[node];
  if (record.kind != AvroKind::kRecord) fail(fmt::format("{} is no Avro record", what));
  RecordPlan plan;
  for (const AvroField& field : record.fields) {
    const WantedField* want = find_wanted(field, wanted);
    if (want == nullptr) {
      plan.steps.push_back({.node = field.node});
      continue;
    }
    const RecordPlan::Step step = step_for(schema, field.node, want->op);
    if (!fits(schema[step.node].kind, want->shape)) {
      fail(
          fmt::format("field '{}' ({}) of {} has the wrong Avro type", want->name, want->id, what));
    }
    if (plan.reads(want->op)) {
      fail(fmt::format("field '{}' ({}) of {} is there twice", want->name, want->id, what));
    }
    plan.steps.push_back(step);
  }
  for (const WantedField& want : wanted) {
    if (want.required && !plan.reads(want.op)) {
      fail(fmt::format("{} has no field '{}' ({})", what, want.name, want.id));
    }
  }
  return plan;
}

}  // namespace meesh::lake
