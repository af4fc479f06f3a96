// Amazon S3's REST protocol over an object store, and the small part of STS that S3 clients use.
//
//   net::Server server({.port = 9000});
//   serve::s3::register_s3(server, {.store = &store, .access = &access});
//   server.start();
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "access/access.h"
#include "net/http.h"
#include "objects/store.h"
#include "serve/s3/kafka_settings.h"

namespace meesh::serve::s3 {

struct Options {
  objects::Store* store = nullptr;
  access::Access* access = nullptr;
  std::string region = "us-east-1";
  /// Host names whose sub-domains are buckets (virtual-host style); path style always works.
  std::vector<std::string> domains = {"localhost", "s3.localhost"};
  uint64_t max_object_bytes = 5ull << 40;
  uint64_t max_upload_bytes = 5ull << 30;  // of one PUT, form, part or copy; more comes in parts
  /// Where notifications can go: NAME of "arn:minio:sqs::NAME:webhook" → URL that events are
  /// POSTed to, and NAME of "arn:minio:sqs::NAME:kafka" → a topic. Events wait in memory alone:
  /// those not delivered a few seconds after the server's end are lost.
  std::map<std::string, std::string> webhooks;
  std::map<std::string, KafkaSettings> kafka;
};
/// Adds the routes of a listener that speaks S3 alone. `options` objects outlive the server. With
/// webhooks or topics it also becomes the store's listener (Store::on_event). Throws CONFIG_INVALID
/// for a topic that cannot be reached as told (see KafkaTarget).
void register_s3(net::Server& server, Options options);

}  // namespace meesh::serve::s3
