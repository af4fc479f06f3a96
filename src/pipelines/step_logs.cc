#include "pipelines/step_logs.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "base/clock.h"
#include "base/uuid.h"

namespace meesh::pipelines {

namespace fs = std::filesystem;

namespace {

constexpr size_t kMostRead = 1 << 20;

std::string_view level_word(log::Level level) {
  switch (level) {
    case log::Level::kTrace:
    case log::Level::kDebug:
      return "debug";
    case log::Level::kWarn:
      return "warn";
    case log::Level::kError:
      return "error";
    default:
      return "info";
  }
}

std::tm calendar(int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

}  // namespace

std::string time_text(int64_t ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", calendar(ms), ms % 1000);
}

std::string new_id(int64_t now_ms) {
  return fmt::format("{:%Y%m%d-%H%M%S}-{}", calendar(now_ms), base::random_uuid().substr(0, 8));
}

StepLogs::Writer::Writer(fs::path file, std::string step)
    : file_(std::move(file)), step_(std::move(step)) {
  std::error_code failed;
  fs::create_directories(file_.parent_path(), failed);
  descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (descriptor_ < 0) {
    log::warn("the log of a run cannot be written",
              {{"file", file_.string()}, {"error", std::strerror(errno)}});
  }
}

StepLogs::Writer::~Writer() {
  if (left_out_ > 0) {
    write(log::Level::kWarn, fmt::format("{} more lines are left out: an attempt keeps {} MiB",
                                         left_out_, kMostOfAttempt >> 20));
  }
  if (descriptor_ >= 0) ::close(descriptor_);
}

void StepLogs::Writer::line(log::Level level, std::string_view text) {
  const std::lock_guard lock(mutex_);
  const std::string clean = log::redact(text);
  text = clean;
  while (true) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view one = text.substr(0, end);
    if (one.ends_with('\r')) one.remove_suffix(1);
    if (bytes_ > kMostOfAttempt) {
      ++left_out_;
    } else {
      write(level, one);
    }
    if (end >= text.size()) return;
    text.remove_prefix(end + 1);
    if (text.empty()) return;
  }
}

void StepLogs::Writer::write(log::Level level, std::string_view text) {
  if (descriptor_ < 0) return;
  const bool cut = text.size() > kMostOfLine;
  const std::string line =
      fmt::format("{}\t{}\t{}\t{}{}\n", time_text(base::now_ms()), level_word(level), step_,
                  text.substr(0, kMostOfLine), cut ? " …" : "");
  bytes_ += line.size();
  // O_APPEND: one call is one line, whoever else writes. A full disk loses the line, not the step.
  if (::write(descriptor_, line.data(), line.size()) < 0 && errno == ENOSPC) ++left_out_;
}

fs::path StepLogs::file_of(const std::string& run_id) const {
  const std::string day = run_id.size() < 8 ? "unknown"
                                            : fmt::format("{}-{}-{}", run_id.substr(0, 4),
                                                          run_id.substr(4, 2), run_id.substr(6, 2));
  return folder_ / day / (run_id + ".log");
}

std::unique_ptr<StepLogs::Writer> StepLogs::writer(const std::string& run_id,
                                                   const std::string& step) const {
  return std::make_unique<Writer>(file_of(run_id), step);
}

StepLogs::Text StepLogs::read(const std::string& run_id, const std::string& step,
                              uint64_t offset) const {
  Text result{"", offset};
  std::ifstream file(file_of(run_id), std::ios::binary);
  if (!file) return result;
  file.seekg(static_cast<std::streamoff>(offset));
  std::string text(kMostRead, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  text.resize(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
  result.next = offset + text.size();
  if (step.empty()) {
    result.text = std::move(text);
    return result;
  }
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at) + 1;
    const std::string_view line = std::string_view(text).substr(at, end - at);
    const size_t name = line.find('\t', line.find('\t') + 1) + 1;
    const size_t stop = line.find('\t', name);
    if (stop != std::string_view::npos && line.substr(name, stop - name) == step) {
      result.text += line;
    }
    at = end;
  }
  return result;
}

void StepLogs::forget_before(const std::string& day) const {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder_, failed)) {
    if (entry.path().filename().string() < day) fs::remove_all(entry.path(), failed);
  }
}

}  // namespace meesh::pipelines
