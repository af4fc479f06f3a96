#include "access/audit_trail.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "base/log.h"
#include "base/text.h"

namespace meesh::access {
namespace {

constexpr auto kPause = std::chrono::milliseconds(200);
constexpr size_t kMostLines = 100'000;

/// The same text with what is not UTF-8 replaced: JSON holds nothing else.
std::string as_utf8(const std::string& text) {
  if (base::valid_utf8(text)) return text;
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x80) {
      out += c;
    } else {
      out += "\xEF\xBF\xBD";
    }
  }
  return out;
}

std::string time_text(Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (time - seconds).count());
}

Time now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string line_of(const AuditEvent& event) {
  boost::json::object line;
  line["time"] = time_text(event.time);
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) line[name] = as_utf8(value);
  };
  add("request_id", event.request_id);
  add("user", event.user);
  add("access_key", event.access_key);
  add("remote_address", event.remote_address);
  add("action", event.action);
  add("resource", event.resource);
  add("outcome", event.outcome);
  if (event.status != 0) line["status"] = event.status;
  add("reason", log::redact(event.reason));
  return boost::json::serialize(line) + "\n";
}

}  // namespace

AuditTrail::AuditTrail(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::error_code failed;
  if (folder_.has_parent_path()) std::filesystem::create_directories(folder_.parent_path(), failed);
  if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) {
    throw Error(Code::kIoError, fmt::format("cannot make the folder of the audit trail '{}': {}",
                                            folder_.string(), std::strerror(errno)));
  }
  thread_ = std::thread([this] { run(); });
}

AuditTrail::~AuditTrail() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  close();
}

void AuditTrail::add(const AuditEvent& event) {
  AuditEvent dated = event;
  if (dated.time == Time{}) dated.time = now();
  std::string text = line_of(dated);
  std::string day = time_text(dated.time).substr(0, 10);
  {
    const std::lock_guard lock(mutex_);
    if (lines_.size() >= kMostLines) {
      ++lost_;
      return;
    }
    lines_.push_back({std::move(day), std::move(text)});
    if (lines_.size() > 1) return;
  }
  changed_.notify_all();
}

void AuditTrail::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !lines_.empty(); });
    changed_.wait_for(lock, kPause, [&] { return stopping_; });
    const bool last = stopping_;
    std::deque<Line> taken = std::exchange(lines_, {});
    lock.unlock();
    const bool all = write(taken);
    lock.lock();
    // What could not be written goes first next time.
    for (; !taken.empty(); taken.pop_back()) lines_.push_front(std::move(taken.back()));
    if (all && lost_ > 0) {
      boost::json::object line;
      line["time"] = time_text(now());
      line["outcome"] = "lost";
      line["events"] = std::exchange(lost_, 0);
      lines_.push_back({time_text(now()).substr(0, 10), boost::json::serialize(line) + "\n"});
    }
    if (last && (lines_.empty() || !all)) return;
  }
}

bool AuditTrail::write(std::deque<Line>& lines) {
  while (!lines.empty()) {
    const std::string day = lines.front().day;
    std::string batch;
    size_t count = 0;
    for (; count < lines.size() && lines[count].day == day; ++count) batch += lines[count].text;
    bool written = open(day);
    size_t done = 0;
    while (written && done < batch.size()) {
      const ssize_t wrote = ::write(file_, batch.data() + done, batch.size() - done);
      if (wrote >= 0) {
        done += static_cast<size_t>(wrote);
      } else {
        written = errno == EINTR;
      }
    }
    const int error = errno;
    // A line written in part is written again, whole.
    for (; count > 0 && lines.front().text.size() <= done; --count) {
      done -= lines.front().text.size();
      lines.pop_front();
    }
    if (!written) {
      if (!std::exchange(complained_, true)) {
        log::error("cannot write the audit trail; events are kept for now",
                   {{"folder", folder_.string()}, {"error", std::strerror(error)}});
      }
      close();
      return false;
    }
    complained_ = false;
  }
  return true;
}

bool AuditTrail::open(const std::string& day) {
  if (file_ >= 0 && open_day_ == day) return true;
  close();
  const std::string path = (folder_ / (day + ".jsonl")).string();
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file_ < 0) return false;
  open_day_ = day;
  // A line cut short by a crash or a full disk does not spoil the next one.
  struct stat status{};
  char end = '\n';
  if (::fstat(file_, &status) == 0 && status.st_size > 0 &&
      ::pread(file_, &end, 1, status.st_size - 1) == 1 && end != '\n') {
    return ::write(file_, "\n", 1) == 1;
  }
  return true;
}

void AuditTrail::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

}  // namespace meesh::access
