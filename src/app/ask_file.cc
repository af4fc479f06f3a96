#include "app/ask_file.h"

#include <unistd.h>

#include <fstream>

#include "app/language.h"
#include "app/server.h"
#include "app/sql/result_printer.h"
#include "app/sql/trino_client.h"

namespace meesh::app {

namespace {
constexpr size_t kMostRows = 20;  // the rest is not for a terminal
}

bool ask_file(const std::string& file, const std::string& server) {
  std::ifstream in(file);
  if (!in) throw Error(Code::kNotFound, fmt::format("cannot read '{}'", file));
  return ask_text({std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}, server);
}

bool ask_text(const std::string& sql, const std::string& server) {
  using Clock = std::chrono::steady_clock;
  ClientSession session;
  session.server = server;
  session.user = "meesh";
  TrinoClient client(session);
  auto printer = ResultPrinter::make(OutputFormat::kAligned, stdout, isatty(STDOUT_FILENO) != 0);
  size_t shown = 0;
  TrinoClient::Callbacks callbacks;
  callbacks.columns = [&](const std::vector<ClientColumn>& columns) { printer->columns(columns); };
  callbacks.rows = [&](const boost::json::array& rows) {
    for (const auto& row : rows) {
      if (shown < kMostRows) printer->row(row.as_array());
      shown = std::min(shown + 1, kMostRows + 1);
    }
  };
  callbacks.canceled = [&] { return shown > kMostRows; };
  const auto start = Clock::now();
  Outcome outcome;
  try {
    outcome = client.run(sql, callbacks);
  } catch (const Error& error) {
    if (error.code() == Code::kUnavailable) throw NoServer(error.code(), error.message());
    throw;
  }
  const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  printer->end();
  if (outcome.error) {
    fmt::print("{}: {}\n", outcome.error->name, outcome.error->message);
  } else if (shown > kMostRows) {
    fmt::print("({} {} {}, {:.0f} ms)\n", say("the first", "les"), kMostRows,
               say("rows", "premières lignes"), ms);
  } else {
    fmt::print("({} {}, {:.0f} ms)\n", outcome.rows,
               outcome.rows == 1 ? say("row", "ligne") : say("rows", "lignes"), ms);
  }
  std::fflush(stdout);
  return !outcome.error;
}

}  // namespace meesh::app
