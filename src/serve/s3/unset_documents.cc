#include "serve/s3/handlers.h"

namespace meesh::serve::s3 {

void get_website(Call& call) {
  throw S3Error("NoSuchWebsiteConfiguration", 404,
                "The specified bucket does not have a website configuration",
                {{"BucketName", call.bucket}});
}

void get_accelerate(Call& call) { call.answer(XmlAnswer("AccelerateConfiguration")); }

void get_replication(Call& call) {
  throw S3Error("ReplicationConfigurationNotFoundError", 404,
                "The replication configuration was not found", {{"BucketName", call.bucket}});
}

void get_logging(Call& call) { call.answer(XmlAnswer("BucketLoggingStatus")); }

void get_request_payment(Call& call) {
  XmlAnswer xml("RequestPaymentConfiguration");
  add(xml.root(), "Payer", std::string_view("BucketOwner"));
  call.answer(xml);
}

// Inventory, analytics, metrics and intelligent tiering: one by its id, or the list of all.
void list_configurations(Call& call) {
  if (call.has("id")) {
    throw S3Error("NoSuchConfiguration", 404, "The specified configuration does not exist.");
  }
  std::string_view name = "ListInventoryConfigurationsResult";
  if (call.has("analytics")) name = "ListBucketAnalyticsConfigurationResult";
  if (call.has("metrics")) name = "ListMetricsConfigurationsResult";
  if (call.has("intelligent-tiering")) {
    name = "ListBucketIntelligentTieringConfigurationsOutput";
  }
  XmlAnswer xml(name.data());
  add_flag(xml.root(), "IsTruncated", false);
  call.answer(xml);
}

void not_implemented(Call& call) {
  throw S3Error(objects::Reason::kNotImplemented,
                fmt::format("{} is not implemented.", call.operation->name));
}

}  // namespace meesh::serve::s3
