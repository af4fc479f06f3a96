// What the requests of one listener share.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "access/policy.h"
#include "serve/s3/authentication.h"
#include "serve/s3/cors.h"
#include "serve/s3/s3.h"

namespace meesh::serve::s3 {

class Notifications;
struct LifecycleRules;  // expiration.cc

/// What was parsed from texts, by text; forgets all when it becomes large. Thread-safe.
template <typename Value>
class ParsedTexts {
 public:
  template <typename Parse>
  std::shared_ptr<const Value> get(const std::string& text, Parse parse) {
    {
      std::lock_guard lock(mutex_);
      if (auto it = values_.find(text); it != values_.end()) return it->second;
    }
    auto value = std::make_shared<const Value>(parse(text));
    std::lock_guard lock(mutex_);
    if (values_.size() >= kMost) values_.clear();
    return values_.emplace(text, std::move(value)).first->second;
  }

 private:
  static constexpr size_t kMost = 256;
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const Value>> values_;
};

struct Service {
  explicit Service(Options options);
  ~Service();

  Options options;
  std::chrono::milliseconds patience{5000};  // of answer_slowly() before it sends white space
  Authenticator authenticator;
  ParsedTexts<access::Policy> policies;
  ParsedTexts<CorsRules> cors;
  ParsedTexts<LifecycleRules> lifecycles;
  std::shared_ptr<Notifications> notifications;  // null without targets
};

}  // namespace meesh::serve::s3
