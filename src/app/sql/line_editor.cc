#include "app/sql/line_editor.h"

#include <editline/readline.h>
#include <sys/stat.h>

#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace meesh::app {
namespace {

constexpr const char* kWords[] = {"ALTER",
                                  "ANALYZE",
                                  "AND",
                                  "AS",
                                  "ASC",
                                  "BETWEEN",
                                  "BY",
                                  "CASE",
                                  "CAST",
                                  "CATALOGS",
                                  "COLUMNS",
                                  "COMMENT",
                                  "COMMIT",
                                  "CREATE",
                                  "CROSS",
                                  "CURRENT_DATE",
                                  "CURRENT_TIMESTAMP",
                                  "DELETE",
                                  "DESC",
                                  "DESCRIBE",
                                  "DISTINCT",
                                  "DROP",
                                  "ELSE",
                                  "END",
                                  "EXCEPT",
                                  "EXECUTE",
                                  "EXISTS",
                                  "EXPLAIN",
                                  "FETCH",
                                  "FROM",
                                  "FULL",
                                  "FUNCTIONS",
                                  "GROUP",
                                  "HAVING",
                                  "IN",
                                  "INNER",
                                  "INSERT",
                                  "INTERSECT",
                                  "INTO",
                                  "IS",
                                  "JOIN",
                                  "LATERAL",
                                  "LEFT",
                                  "LIKE",
                                  "LIMIT",
                                  "MERGE",
                                  "NOT",
                                  "NULL",
                                  "OFFSET",
                                  "ON",
                                  "OR",
                                  "ORDER",
                                  "OUTER",
                                  "OVER",
                                  "PARTITION",
                                  "PREPARE",
                                  "RIGHT",
                                  "ROLLBACK",
                                  "SCHEMA",
                                  "SCHEMAS",
                                  "SELECT",
                                  "SESSION",
                                  "SET",
                                  "SHOW",
                                  "START",
                                  "TABLE",
                                  "TABLES",
                                  "THEN",
                                  "TRANSACTION",
                                  "UNION",
                                  "UNNEST",
                                  "UPDATE",
                                  "USE",
                                  "USING",
                                  "VALUES",
                                  "VIEW",
                                  "WHEN",
                                  "WHERE",
                                  "WITH"};

// libedit's callbacks carry no context, so there is one editor at a time.
std::function<std::vector<std::string>()>* names_source = nullptr;
std::vector<std::string> candidates;
size_t next_candidate = 0;
sigjmp_buf back_to_prompt;

extern "C" void on_prompt_interrupt(int) { siglongjmp(back_to_prompt, 1); }

char* next_match(const char*, int state) {
  if (state == 0) next_candidate = 0;
  if (next_candidate >= candidates.size()) return nullptr;
  return strdup(candidates[next_candidate++].c_str());
}

char** complete(const char* text, int, int) {
  const std::string_view prefix(text);
  candidates.clear();
  for (const char* word : kWords) {
    if (strncasecmp(word, text, prefix.size()) == 0) candidates.emplace_back(word);
  }
  for (const auto& name : (*names_source)()) {
    if (strncasecmp(name.c_str(), text, prefix.size()) == 0) candidates.push_back(name);
  }
  rl_attempted_completion_over = 1;
  return rl_completion_matches(text, next_match);
}

}  // namespace

std::string LineEditor::history_file() {
  namespace fs = std::filesystem;
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  const fs::path base =
      state && *state ? fs::path(state) : fs::path(home ? home : ".") / ".local/state";
  return (base / "meesh" / "sql_history").string();
}

LineEditor::LineEditor(std::function<std::vector<std::string>()> names) {
  static std::function<std::vector<std::string>()> source;
  source = std::move(names);
  names_source = &source;
  rl_initialize();
  rl_attempted_completion_function = complete;
  rl_completer_word_break_characters = const_cast<char*>(" \t\n\"'`=<>;,()|+-*/%.");
  using_history();
  stifle_history(5000);
  read_history(history_file().c_str());
}

LineEditor::~LineEditor() {
  // Statements may hold secrets: the file is for its owner alone.
  std::error_code ignored;
  const std::filesystem::path file(history_file());
  std::filesystem::create_directories(file.parent_path(), ignored);
  const mode_t before = umask(0077);
  write_history(file.c_str());
  umask(before);
}

std::optional<std::string> LineEditor::read(const std::string& prompt) {
  interrupted_ = false;
  struct sigaction action{}, old{};
  action.sa_handler = on_prompt_interrupt;
  if (sigsetjmp(back_to_prompt, 1) != 0) {
    sigaction(SIGINT, &old, nullptr);
    std::fputs("^C\n", stdout);
    interrupted_ = true;
    rl_initialize();
    return std::string();
  }
  sigaction(SIGINT, &action, &old);
  char* line = readline(prompt.c_str());
  sigaction(SIGINT, &old, nullptr);
  if (!line) return std::nullopt;
  std::string text(line);
  std::free(line);
  return text;
}

void LineEditor::remember(const std::string& statement) {
  std::string one_line = statement;
  for (char& c : one_line) {
    if (c == '\n') c = ' ';
  }
  add_history(one_line.c_str());
}

}  // namespace meesh::app
