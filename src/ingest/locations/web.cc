// Files of web servers, one an address.
#include <fmt/format.h>

#include <fstream>
#include <map>
#include <mutex>

#include "base/clock.h"
#include "ingest/locations/location.h"
#include "ingest/rest/http.h"

namespace meesh::ingest {

using engine::FileVersion;

namespace fs = std::filesystem;

namespace {

/// The version of a file whose server does not tell: each time another.
constexpr std::string_view kUntold = "untold ";

class WebLocation : public Location {
 public:
  explicit WebLocation(HttpConfig config) : config_(std::move(config)) {}

  std::vector<FileVersion> find(const std::string& pattern, const TaskContext& context) override {
    const auto url = parse_url(pattern);
    if (!url || pattern.find('*') != std::string::npos) {
      throw Error(Code::kInvalidArguments,
                  url ? "web servers do not list their files, so there is no '*' in their addresses"
                      : "a file's address is malformed")
          .with_hint("path: https://host/folder/{date}.csv");
    }
    std::lock_guard lock(mutex_);
    auto file = look(*url, context);
    if (!file || file->size == 0) return {};
    return {std::move(*file)};
  }

  std::vector<FileVersion> look_again(const std::vector<FileVersion>& files) override {
    std::lock_guard lock(mutex_);
    std::vector<FileVersion> now;
    for (const auto& file : files) {
      if (file.version.starts_with(kUntold)) {
        now.push_back(file);
      } else if (auto again = look(known_.at(file.path), TaskContext{})) {
        now.push_back(std::move(*again));
      }
    }
    return now;
  }

  void fetch(const FileVersion& file, const fs::path& copy, const TaskContext& context) override {
    std::lock_guard lock(mutex_);
    const Url& url = known_.at(file.path);
    std::ofstream out;
    BodySink sink;
    sink.begin = [&] {
      out = std::ofstream(copy, std::ios::binary | std::ios::trunc);
      need(out, copy);
    };
    sink.write = [&](std::string_view piece) {
      context.check();
      out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
      need(out, copy);
    };
    HttpRequest request;
    request.url = url;
    client(url).fetch(request, context, sink);
    out.close();
    need(out, copy);
  }

 private:
  static void need(const std::ofstream& out, const fs::path& copy) {
    if (!out) throw Error(Code::kIoError, fmt::format("cannot write {}", copy.string()));
  }

  /// Credentials go to the file's own host.
  HttpClient& client(const Url& url) {
    auto& kept = clients_[url.origin];
    if (!kept) {
      HttpConfig config = config_;
      config.base = {url.origin, ""};
      kept = std::make_unique<HttpClient>(std::move(config));
    }
    return *kept;
  }

  /// Nothing: there is no such file.
  std::optional<FileVersion> look(const Url& url, const TaskContext& context) {
    HttpRequest request;
    request.method = "HEAD";
    request.url = url;
    request.also_fine = {404, 405, 410, 501};
    auto& http = client(url);
    const auto answer = http.send(request, context);
    if (answer.status == 404 || answer.status == 410) return std::nullopt;
    FileVersion file;
    file.path = http.shown(url);
    known_.insert_or_assign(file.path, url);
    const auto header = [&](const char* name) {
      return std::string(answer.status < 300 ? answer.headers.get(name).value_or("") : "");
    };
    const std::string length = header("Content-Length");
    file.size = length.empty() ? 1 : std::strtoull(length.c_str(), nullptr, 10);
    file.version = header("ETag").empty() ? header("Last-Modified") : header("ETag");
    if (file.version.empty()) {
      file.version = fmt::format("{}{}", kUntold, base::now_ms());
    } else {
      file.version += " " + length;
    }
    return file;
  }

  const HttpConfig config_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<HttpClient>> clients_;  // guarded by mutex_
  std::map<std::string, Url> known_;                            // by path; guarded by mutex_
};

}  // namespace

std::unique_ptr<Location> web_location(HttpConfig config) {
  return std::make_unique<WebLocation>(std::move(config));
}

}  // namespace meesh::ingest
