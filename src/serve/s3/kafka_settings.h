// How a Kafka topic is reached that events go to.
#pragma once

#include <string>

namespace meesh::serve::s3 {

struct KafkaSettings {
  std::string brokers;  // "host:port,host:port"
  std::string topic;
  bool tls = false;
  std::string ca_file;                     // PEM; "" = the system's authorities
  std::string certificate_file, key_file;  // PEM; of the client, "" = none
  std::string mechanism;                   // of SASL: "SCRAM-SHA-512"; "" = no SASL
  std::string user, password;
};

}  // namespace meesh::serve::s3
