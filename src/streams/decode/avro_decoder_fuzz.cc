// Any bytes as a message of a schema with everything in it: read or refused. The input's first byte
// chooses whether they are a schema instead.
#include "streams/decode/avro_schema.h"
#include "streams/decode/decoder_fuzz.h"

namespace {

constexpr const char* kSchema = R"({"type": "record", "name": "r", "fields": [
  {"name": "x", "type": ["null", "boolean", "int", "long", "float", "double", "bytes", "string",
    {"type": "fixed", "name": "f16", "size": 16},
    {"type": "enum", "name": "e", "symbols": ["A", "B"]},
    {"type": "array", "items": ["null", "string", "r"]}, {"type": "map", "values": "long"},
    {"type": "record", "name": "inner", "fields": [
      {"name": "decimal", "type": {"type": "bytes", "logicalType": "decimal", "precision": 20,
                                   "scale": 4}},
      {"name": "date", "type": {"type": "int", "logicalType": "date"}},
      {"name": "millis", "type": {"type": "long", "logicalType": "timestamp-millis"}},
      {"name": "clock", "type": {"type": "long", "logicalType": "time-micros"}},
      {"name": "uuid", "type": {"type": "string", "logicalType": "uuid"}},
      {"name": "next", "type": ["null", "r"]}]}]}]})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::streams;
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  if (message.starts_with('{')) {
    try {
      for (const auto& one : columns_of_avro({.type = "AVRO", .text = std::string(message)}))
        if (one.name.empty()) std::abort();
    } catch (const meesh::Error& error) {
      if (error.code() != meesh::Code::kConfigInvalid) std::abort();
    }
    return 0;
  }
  static auto& decoders = *[] {
    auto* const made = new std::deque<FuzzedDecoder>;
    auto& out = *made;
    const FormatConfig format{.encoding = Encoding::kAvro, .schema = kSchema};
    for (const auto& one : columns_of_every_type("x")) out.emplace_back(format, std::vector{one});
    out.emplace_back(format, std::vector{column("d", "decimal(20,4)", {"x", "decimal"}),
                                         column("m", "timestamp(3)", {"x", "millis"}),
                                         column("n", "json", {"x", "next"}),
                                         column("u", "uuid", {"x", "uuid"})});
    return made;
  }();
  for (auto& one : decoders) one.decode(message);
  return 0;
}
