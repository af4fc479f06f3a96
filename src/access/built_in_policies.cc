// The policies every server has, with the names and the contents MinIO gives them.
#include "access/directory.h"

namespace meesh::access {

const std::map<std::string, std::string>& built_in_policies() {
  static const std::map<std::string, std::string> kPolicies = {
      {"readonly",
       R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetBucketLocation","s3:GetObject"],"Resource":["arn:aws:s3:::*"]}]})"},
      {"writeonly",
       R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject"],"Resource":["arn:aws:s3:::*"]}]})"},
      {"readwrite",
       R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::*"]}]})"},
      {"consoleAdmin",
       R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["admin:*"]},{"Effect":"Allow","Action":["kms:*"]},{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::*"]}]})"},
  };
  return kPolicies;
}

}  // namespace meesh::access
