#include "app/sql/sql_command.h"

#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>

#include "app/language.h"
#include "app/sql/line_editor.h"
#include "sql/sql.h"

namespace meesh::app {
namespace {

std::atomic<bool> interrupted = false;

extern "C" void on_interrupt(int) { interrupted = true; }

/// Ctrl-C cancels the statement, not the program, while one of these lives.
class CatchInterrupt {
 public:
  CatchInterrupt() {
    interrupted = false;
    struct sigaction action{};
    action.sa_handler = on_interrupt;
    sigaction(SIGINT, &action, &before_);
  }
  ~CatchInterrupt() { sigaction(SIGINT, &before_, nullptr); }
  CatchInterrupt(const CatchInterrupt&) = delete;

 private:
  struct sigaction before_{};
};

/// One line on stderr that redraws itself: state, bar, rows, time.
class ProgressLine {
 public:
  explicit ProgressLine(bool enabled) : enabled_(enabled) {}
  ~ProgressLine() { clear(); }
  void show(const Progress& progress) {
    if (!enabled_ || progress.elapsed_ms < 300) return;
    std::string bar;
    if (progress.percent >= 0) {
      const size_t filled = static_cast<size_t>(progress.percent / 5);
      bar = "[" + std::string(filled, '=') + (filled < 20 ? ">" : "") +
            std::string(filled < 20 ? 19 - filled : 0, ' ') + "] " +
            fmt::format("{:3.0f}% ", progress.percent);
    }
    fmt::print(stderr, "\r\x1b[K{} {}{} {}  {:.1f} s", progress.state, bar, progress.rows,
               say("rows", "lignes"), static_cast<double>(progress.elapsed_ms) / 1000);
    shown_ = true;
  }
  void clear() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
    shown_ = false;
  }

 private:
  const bool enabled_;
  bool shown_ = false;
};

class SqlSession {
 public:
  explicit SqlSession(const SqlOptions& options)
      : options_(options),
        client_(options.session),
        terminal_(isatty(STDOUT_FILENO) != 0),
        format_(options.format.value_or(terminal_ ? OutputFormat::kAligned : OutputFormat::kCsv)) {}

  int script(std::string_view text) {
    int worst = 0;
    for (std::string_view statement : sql::split_statements(text)) {
      const int code = one(statement);
      if (code == 130 || code == 3) return code;
      worst = std::max(worst, code);
      if (code != 0 && !options_.ignore_errors) return code;
    }
    return worst;
  }

  int interactive();

 private:
  int one(std::string_view statement);
  void report(const Outcome& outcome, std::string_view statement);
  void show_error(const RemoteError& error, std::string_view statement);
  bool command(std::string_view line, bool& leave);
  std::vector<std::string> names();

  const SqlOptions& options_;
  TrinoClient client_;
  const bool terminal_;
  OutputFormat format_;
  std::optional<std::vector<std::string>> names_;
};

int SqlSession::one(std::string_view statement) {
  CatchInterrupt guard;
  ProgressLine progress(!options_.quiet && isatty(STDERR_FILENO) != 0);
  auto printer = ResultPrinter::make(format_, stdout, terminal_);
  bool has_rows_to_show = false;
  TrinoClient::Callbacks callbacks;
  callbacks.columns = [&](const std::vector<ClientColumn>& columns) {
    has_rows_to_show = !columns.empty();
    if (has_rows_to_show) printer->columns(columns);
  };
  callbacks.rows = [&](const boost::json::array& rows) {
    progress.clear();
    if (!has_rows_to_show) return;
    for (const auto& row : rows) {
      if (row.is_array()) printer->row(row.as_array());
    }
  };
  callbacks.progress = [&](const Progress& p) { progress.show(p); };
  callbacks.canceled = [] { return interrupted.load(); };
  try {
    const Outcome outcome = client_.run(statement, callbacks);
    progress.clear();
    if (has_rows_to_show && outcome.update_type.empty()) printer->end();
    std::fflush(stdout);
    if (outcome.canceled) {
      fmt::print(stderr, "{}\n", say("Canceled.", "Annulé."));
      return 130;
    }
    if (outcome.error) {
      show_error(*outcome.error, statement);
      return 1;
    }
    report(outcome, statement);
    return 0;
  } catch (const Error& error) {
    progress.clear();
    fmt::print(stderr, "{}: {}\n{}\n",
               say("Cannot ask the server", "Impossible d'interroger le serveur"), error.what(),
               say("Is it running? Start it with ./run or `meesh serve`.",
                   "Est-il démarré ? Lancez-le avec ./run ou `meesh serve`."));
    return 3;
  }
}

void SqlSession::report(const Outcome& outcome, std::string_view) {
  if (options_.quiet || !terminal_) return;
  const double seconds = static_cast<double>(outcome.elapsed_ms) / 1000;
  if (!outcome.update_type.empty()) {
    fmt::print("{}{} ({:.2f} s)\n", outcome.update_type,
               outcome.update_count
                   ? fmt::format(": {} {}", *outcome.update_count, say("rows", "lignes"))
                   : "",
               seconds);
  } else {
    fmt::print("({} {}, {:.2f} s)\n", outcome.rows,
               outcome.rows == 1 ? say("row", "ligne") : say("rows", "lignes"), seconds);
  }
}

void SqlSession::show_error(const RemoteError& error, std::string_view statement) {
  const bool colour = isatty(STDERR_FILENO) != 0;
  fmt::print(stderr, "{}{}{}: {}\n", colour ? "\x1b[31m" : "", error.name, colour ? "\x1b[0m" : "",
             error.message);
  if (error.line > 0) {
    std::istringstream lines{std::string(statement)};
    std::string line;
    for (int i = 0; i < error.line && std::getline(lines, line); ++i) {
    }
    fmt::print(stderr, "  {}\n  {}^\n", line,
               std::string(static_cast<size_t>(std::max(error.column - 1, 0)), ' '));
  }
  if (!error.hint.empty()) fmt::print(stderr, "  {}\n", error.hint);
}

constexpr std::string_view kHelpEnglish =
    R"(Statements end with ';' and may span lines. Ctrl-C cancels, Ctrl-D leaves.
  \d [TABLE]     list tables, or the columns of TABLE
  \format NAME   aligned, vertical, csv, tsv, json, markdown
  \history       where your statements are kept
  \?  help       this
  \q  quit       leave
)";
constexpr std::string_view kHelpFrench =
    R"(Une instruction finit par ';' et peut tenir sur plusieurs lignes. Ctrl-C annule, Ctrl-D quitte.
  \d [TABLE]     liste les tables, ou les colonnes de TABLE
  \format NOM    aligned, vertical, csv, tsv, json, markdown
  \history       où vos instructions sont gardées
  \?  help       cette aide
  \q  quit       quitter
)";

/// Client commands; false if the line is SQL.
bool SqlSession::command(std::string_view line, bool& leave) {
  std::string text(line);
  while (!text.empty() &&
         (text.back() == ';' || std::isspace(static_cast<unsigned char>(text.back()))))
    text.pop_back();
  std::istringstream words(text);
  std::string word, argument;
  words >> word >> argument;
  if (word == "\\q" || word == "quit" || word == "exit") {
    leave = true;
  } else if (word == "\\?" || word == "help") {
    fmt::print("{}", say(kHelpEnglish, kHelpFrench));
  } else if (word == "\\d") {
    one(argument.empty() ? "SHOW TABLES" : "DESCRIBE " + argument);
  } else if (word == "\\history") {
    fmt::print("{}\n", LineEditor::history_file());
  } else if (word == "\\format") {
    if (auto format = parse_output_format(argument)) {
      format_ = *format;
    } else {
      fmt::print(stderr, "{}\n",
                 say("aligned, vertical, csv, tsv, json or markdown",
                     "aligned, vertical, csv, tsv, json ou markdown"));
    }
  } else if (word.starts_with('\\')) {
    fmt::print(stderr, "{} {}\n", say("Unknown command; try", "Commande inconnue ; essayez"),
               "\\?");
  } else {
    return false;
  }
  return true;
}

/// Names to complete, fetched at the first Tab: catalogs, schemas, tables and columns.
std::vector<std::string> SqlSession::names() {
  if (names_) return *names_;
  names_.emplace();
  std::set<std::string> found;
  TrinoClient::Callbacks callbacks;
  callbacks.rows = [&](const boost::json::array& rows) {
    for (const auto& row : rows) {
      for (const auto& cell : row.as_array()) {
        if (auto text = cell_text(cell)) found.insert(*text);
      }
    }
  };
  TrinoClient quiet(client_.session());
  for (const char* query : {"SHOW CATALOGS",
                            "SELECT table_schem, table_name FROM system.jdbc.tables WHERE "
                            "table_schem NOT IN ('information_schema', 'pg_catalog')",
                            "SELECT DISTINCT column_name FROM system.jdbc.columns WHERE "
                            "table_schem NOT IN ('information_schema', 'pg_catalog')"}) {
    try {
      quiet.run(query, callbacks);
    } catch (const Error&) {
      break;  // completion is a convenience; the next statement will tell
    }
  }
  names_->assign(found.begin(), found.end());
  return *names_;
}

/// Terminated: one more character would begin a new statement.
bool complete(const std::string& text) {
  const auto now = sql::split_statements(text);
  return !now.empty() && sql::split_statements(text + " x").size() > now.size();
}

int SqlSession::interactive() {
  LineEditor editor([this] { return names(); });
  fmt::print("{} {}  —  {}\n", "meesh sql", client_.session().server,
             say("help for help, Ctrl-D to leave", "help pour l'aide, Ctrl-D pour quitter"));
  std::string pending;
  bool leave = false;
  while (!leave) {
    const auto& session = client_.session();
    const std::string where =
        session.schema.empty() ? session.catalog : session.catalog + "." + session.schema;
    const auto line = editor.read(
        pending.empty() ? "meesh" + (where.empty() ? "" : ":" + where) + "> " : "    -> ");
    if (!line) break;
    if (editor.interrupted()) {
      pending.clear();
      continue;
    }
    if (pending.empty() && (line->empty() || command(*line, leave))) continue;
    pending += (pending.empty() ? "" : "\n") + *line;
    if (!complete(pending)) continue;
    editor.remember(pending);
    const std::string text = std::move(pending);
    pending.clear();
    const int code = script(text);
    if (code == 0 && text.find_first_of("cCdDaA") == 0) names_.reset();  // CREATE, DROP, ALTER
  }
  fmt::print("\n");
  return 0;
}

std::string read_all(std::istream& in) {
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

int run_sql(const SqlOptions& options) {
  SqlSession session(options);
  for (const auto& text : options.execute) {
    if (const int code = session.script(text); code != 0) return code;
  }
  if (!options.execute.empty()) return 0;
  if (options.file == "-" || (options.file.empty() && !isatty(STDIN_FILENO))) {
    return session.script(read_all(std::cin));
  }
  if (!options.file.empty()) {
    std::ifstream in(options.file);
    if (!in) {
      throw Error(Code::kNotFound,
                  fmt::format("cannot read '{}': {}", options.file, std::strerror(errno)));
    }
    return session.script(read_all(in));
  }
  return session.interactive();
}

}  // namespace meesh::app
