// Reads one response of a server.
#pragma once

#include <functional>

#include "net/body.h"
#include "net/head.h"
#include "net/http.h"

namespace meesh::net {

class ResponseReader {
 public:
  /// `stall`: the longest wait for bytes.
  ResponseReader(Input& input, std::chrono::milliseconds stall) : input_(input), stall_(stall) {}

  /// Status and headers, past any 1xx. Not kOk: why there is none. Throws IO_ERROR if it is not
  /// HTTP.
  Io read_head(ClientResponse& response);
  /// The body in pieces; `head_only`: of an answer to HEAD, so none. Throws IO_ERROR (malformed),
  /// UNAVAILABLE (cut short), EXCEEDED_TIME_LIMIT.
  void read_body(ClientResponse& response, bool head_only,
                 const std::function<void(std::string_view)>& sink);
  /// Not a byte of the response came.
  bool untouched() const { return untouched_; }
  /// The response is over and the connection can carry another request.
  bool reusable() const { return reusable_; }

 private:
  Io read_one(ResponseHead& head);

  Input& input_;
  std::chrono::milliseconds stall_;
  ResponseHead head_;
  bool untouched_ = true;
  bool reusable_ = false;
};

}  // namespace meesh::net
