#include "dashboards/browser_print.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/html.h"
#include "base/process.h"
#include "base/uuid.h"

namespace meesh::dashboards {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds kPrintTime{120};
constexpr int kTries = 2;          // on a busy machine a browser may die at its start
constexpr size_t kMostSaid = 300;  // bytes of what the browser said that stand in an error

/// A folder that goes with its holder; nobody else may enter it.
class ScratchFolder {
 public:
  ScratchFolder() : path_(fs::temp_directory_path() / ("meesh-report-" + base::random_uuid())) {
    fs::create_directory(path_);
    fs::permissions(path_, fs::perms::owner_all);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  const fs::path path_;
};

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

process::Command command_of(const std::string& program, const fs::path& folder,
                            const fs::path& made, const std::string& format, int height) {
  process::Command command;
  // Time in the page passes only while nothing is being fetched: it is drawn when it is over.
  command.arguments = {program,
                       "--headless=new",
                       "--disable-gpu",
                       "--no-first-run",
                       "--hide-scrollbars",
                       "--virtual-time-budget=20000",
                       "--user-data-dir=" + (folder / "profile").string()};
  // The server is the one that this is part of; its certificate names the host others know.
  command.arguments.emplace_back("--ignore-certificate-errors");
  if (geteuid() == 0) command.arguments.emplace_back("--no-sandbox");
  if (format == "pdf") {
    command.arguments.emplace_back("--window-size=1280,1810");
    command.arguments.emplace_back("--force-device-scale-factor=2");  // charts are pictures
    command.arguments.emplace_back("--no-pdf-header-footer");
    command.arguments.push_back("--print-to-pdf=" + made.string());
  } else {
    command.arguments.push_back(fmt::format("--window-size=1280,{}", height));
    command.arguments.push_back("--screenshot=" + made.string());
  }
  command.directory = folder;
  return command;
}

}  // namespace

std::optional<std::string> browser() {
  if (const char* named = std::getenv("MEESH_BROWSER"))
    return *named != '\0' ? std::optional<std::string>(named) : std::nullopt;
  for (const char* path : {"/usr/bin/chromium", "/usr/bin/chromium-browser",
                           "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"})
    if (access(path, X_OK) == 0) return path;
  return std::nullopt;
}

std::string print_page(const std::string& address, const std::string& format, int height) {
  const auto program = browser();
  if (!program) throw Error(Code::kUnavailable, "no browser is installed");
  const ScratchFolder scratch;
  const fs::path made = scratch.path() / ("report." + format);
  const fs::path start = scratch.path() / "start.html";
  // A file that leads there, for everybody may read command lines.
  std::ofstream(start) << fmt::format(
      "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0;url={}\">\n",
      base::html_text(address));
  process::Command command = command_of(*program, scratch.path(), made, format, height);
  command.arguments.push_back("file://" + start.string());
  process::Result result;
  for (int tries = 0; tries < kTries; ++tries) {
    result = process::run(command, kPrintTime);
    std::string content = content_of(made);
    if (!content.empty()) return content;
  }
  const size_t from = result.output.size() - std::min(result.output.size(), kMostSaid);
  throw Error(Code::kUnavailable, fmt::format("the browser printed nothing ({}): {}",
                                              result.exit.words(), result.output.substr(from)));
}

}  // namespace meesh::dashboards
