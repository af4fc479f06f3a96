// Rows as JSON messages of a topic, a batch a transaction.
#pragma once

#include <memory>

#include "streams/sink.h"

namespace meesh::streams {

std::unique_ptr<Sink> make_kafka_sink(const SinkConfig& config, SinkEnvironment environment);

}  // namespace meesh::streams
