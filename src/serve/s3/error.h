// An answer of S3's that is not a success: code, status, message and the elements some codes add.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "objects/error.h"

namespace meesh::serve::s3 {

class S3Error : public Error {
 public:
  /// `name` as S3 spells it: "SignatureDoesNotMatch".
  S3Error(std::string name, int status, std::string message,
          std::vector<std::pair<std::string, std::string>> elements = {})
      : Error(status >= 500 ? Code::kGenericInternalError : Code::kBadRequest, std::move(message)),
        name_(std::move(name)),
        status_(status),
        elements_(std::move(elements)) {}
  S3Error(objects::Reason reason, std::string message)
      : S3Error(std::string(objects::reason_name(reason)), objects::reason_status(reason),
                std::move(message)) {}

  const std::string& name() const { return name_; }
  int status() const { return status_; }
  /// Further elements of the <Error> document.
  const std::vector<std::pair<std::string, std::string>>& elements() const { return elements_; }

 private:
  std::string name_;
  int status_;
  std::vector<std::pair<std::string, std::string>> elements_;
};

}  // namespace meesh::serve::s3
