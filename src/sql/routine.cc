// Functions written in SQL: their text, and the programs that are alive.
#include "sql/routine.h"

#include "sql/lexer.h"
#include "sql/published.h"
#include "sql/resolve_text.h"
#include "sql/scope.h"
#include "sql/sql.h"

namespace meesh::sql {

// ---------------------------------------------------------------- programs

RoutineProgram::~RoutineProgram() { Published<RoutineProgram>::remove(id); }

std::string RoutineProgram::signature() const {
  std::string out = name + "(";
  for (size_t i = 0; i < parameters; ++i) out += (i ? ", " : "") + variables[i].display();
  return out + ")";
}

std::string print_expression(ExprPtr& value) {
  auto select = std::make_unique<Select>();
  select->items.push_back({std::move(value), std::nullopt, {}});
  auto& item = select->items.front();
  QueryStatement statement;
  statement.query = std::make_unique<Query>();
  statement.query->body = std::move(select);
  std::string text = print_duckdb(statement).text;
  value = std::move(item.value);
  constexpr std::string_view kSelect = "SELECT ";
  if (!text.starts_with(kSelect)) internal_error("an expression prints as " + text);
  return text.substr(kSelect.size());
}

// ---------------------------------------------------------------- text

std::string routine_signature(const Routine& routine) {
  std::string out = lower(routine.name.back().value) + "(";
  for (size_t i = 0; i < routine.parameters.size(); ++i)
    out += (i ? ", " : "") + to_type(*routine.parameters[i].type).display();
  return out + ")";
}

std::shared_ptr<Routine> parse_routine(const std::string& text) {
  auto statement = parse("CREATE " + text);
  auto* create = try_as<CreateFunction>(statement.get());
  if (!create) internal_error("not a function: " + text);
  return create->routine;
}

namespace {

/// The layout of SHOW CREATE FUNCTION: a statement a line, three spaces a level.
class Layout {
 public:
  std::string take() { return std::move(out_); }
  void routine(const Routine& routine);

 private:
  void statement(const RoutineStatement& s, int depth);
  void statements(const RoutineStatements& all, int depth);
  void branches(const RoutineStatement& s, const char* first, const char* next, int depth);
  void loop(const RoutineStatement& s, int depth);
  void put(const std::string& text) { out_ += text; }
  void line(int depth, const std::string& text) { out_ += std::string(depth * 3, ' ') + text; }

  std::string out_;
};

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

void Layout::routine(const Routine& routine) {
  put("CREATE FUNCTION ");
  for (size_t i = 0; i < routine.name.size(); ++i)
    put((i ? "." : "") + print_identifier(routine.name[i]));
  put("(");
  for (size_t i = 0; i < routine.parameters.size(); ++i) {
    const auto& parameter = routine.parameters[i];
    put(i ? ", " : "");
    if (parameter.name) put(print_identifier(*parameter.name) + " ");
    put(print_type(*parameter.type));
  }
  put(")\nRETURNS " + print_type(*routine.returns));
  if (routine.language) put("\nLANGUAGE " + print_identifier(*routine.language));
  if (routine.deterministic)
    put(*routine.deterministic ? "\nDETERMINISTIC" : "\nNOT DETERMINISTIC");
  if (routine.called_on_null)
    put(*routine.called_on_null ? "\nCALLED ON NULL INPUT" : "\nRETURNS NULL ON NULL INPUT");
  if (!routine.security.empty()) put("\nSECURITY " + routine.security);
  if (routine.comment) put("\nCOMMENT " + quoted(*routine.comment));
  put("\n");
  if (routine.body) statement(*routine.body, 0);
}

void Layout::statements(const RoutineStatements& all, int depth) {
  for (const auto& s : all) {
    statement(*s, depth);
    put(";\n");
  }
}

void Layout::branches(const RoutineStatement& s, const char* first, const char* next, int depth) {
  bool begun = false;
  for (const auto& branch : s.branches) {
    line(depth, std::string(begun ? next : first) + " " + shown(*branch.condition) + " THEN\n");
    statements(branch.body, depth + 1);
    begun = true;
  }
  if (!s.has_else) return;
  line(depth, "ELSE\n");
  statements(s.body, depth + 1);
}

void Layout::loop(const RoutineStatement& s, int depth) {
  using Kind = RoutineStatement::Kind;
  const std::string label = s.label ? print_identifier(*s.label) + ": " : "";
  const char* word = s.kind == Kind::kLoop ? "LOOP" : s.kind == Kind::kWhile ? "WHILE" : "REPEAT";
  line(depth, label + word + (s.kind == Kind::kWhile ? " " + shown(*s.value) + " DO\n" : "\n"));
  statements(s.body, depth + 1);
  if (s.kind == Kind::kRepeat) line(depth, "UNTIL " + shown(*s.value) + "\n");
  line(depth, std::string("END ") + word);
}

void Layout::statement(const RoutineStatement& s, int depth) {
  using Kind = RoutineStatement::Kind;
  switch (s.kind) {
    case Kind::kReturn:
      return line(depth, "RETURN " + shown(*s.value));
    case Kind::kSet:
      return line(depth, "SET " + print_identifier(s.name) + " = " + shown(*s.value));
    case Kind::kIterate:
      return line(depth, "ITERATE " + print_identifier(s.name));
    case Kind::kLeave:
      return line(depth, "LEAVE " + print_identifier(s.name));
    case Kind::kIf:
      branches(s, "IF", "ELSEIF", depth);
      return line(depth, "END IF");
    case Kind::kCase:
      line(depth, s.value ? "CASE " + shown(*s.value) + "\n" : "CASE\n");
      branches(s, "WHEN", "WHEN", depth + 1);
      return line(depth, "END CASE");
    case Kind::kCompound:
      line(depth, "BEGIN\n");
      for (const auto& declaration : s.declarations) {
        line(depth + 1, "DECLARE ");
        for (size_t i = 0; i < declaration.names.size(); ++i)
          put((i ? ", " : "") + print_identifier(declaration.names[i]));
        put(" " + print_type(*declaration.type));
        if (declaration.initial) put(" DEFAULT " + shown(*declaration.initial));
        put(";\n");
      }
      statements(s.body, depth + 1);
      return line(depth, "END");
    case Kind::kLoop:
    case Kind::kWhile:
    case Kind::kRepeat:
      return loop(s, depth);
  }
}

}  // namespace

std::string format_routine(const Routine& routine) {
  Layout layout;
  layout.routine(routine);
  return layout.take();
}

}  // namespace meesh::sql
