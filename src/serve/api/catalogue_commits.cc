#include "serve/api/catalogue_commits.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <sstream>

#include "base/process.h"
#include "base/text.h"

namespace meesh::serve::api {
namespace {

constexpr auto kAtMost = std::chrono::seconds(3);
constexpr char kBetween = '\x1f';

std::optional<std::string> git() {
  for (const char* path : {"/usr/bin/git", "/usr/local/bin/git", "/bin/git"}) {
    std::error_code failed;
    if (std::filesystem::exists(path, failed)) return path;
  }
  return std::nullopt;
}

std::optional<Commit> commit_of(const std::string& line) {
  std::vector<std::string> parts;
  std::istringstream in(line);
  for (std::string part; parts.size() < 3 && std::getline(in, part, kBetween);)
    parts.push_back(part);
  std::string subject;
  std::getline(in, subject);
  if (parts.size() < 3 || !base::valid_utf8(line)) return std::nullopt;
  Commit commit{parts[0], parts[1], subject, 0};
  int64_t seconds = 0;
  std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), seconds);
  commit.time_ms = seconds * 1000;
  return commit;
}

}  // namespace

Commits commits_of(const std::filesystem::path& folder, const std::vector<std::string>& files,
                   size_t limit) {
  Commits out;
  const auto program = git();
  if (!program) return out;
  process::Command command;
  // What a repository's own configuration would run stays where it is.
  command.arguments = {*program,
                       "-c",
                       "core.fsmonitor=false",
                       "-c",
                       "core.hooksPath=/dev/null",
                       "-c",
                       "log.showSignature=false",
                       "--no-pager",
                       "-C",
                       folder.string(),
                       "log",
                       "--no-color",
                       "--no-ext-diff",
                       fmt::format("-n{}", limit),
                       "--format=%H%x1f%an%x1f%ct%x1f%s",
                       "--"};
  command.arguments.insert(command.arguments.end(), files.begin(), files.end());
  command.environment = {"GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0",
                         "GIT_LITERAL_PATHSPECS=1"};
  try {
    const auto result = process::run(command, kAtMost);
    if (!result.exit.good()) return out;
    out.repository = true;
    std::istringstream lines(result.output);
    for (std::string line; std::getline(lines, line);) {
      if (auto commit = commit_of(line)) out.commits.push_back(std::move(*commit));
    }
  } catch (const Error&) {
    return {};
  }
  return out;
}

}  // namespace meesh::serve::api
