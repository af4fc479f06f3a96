// Any bytes as a message of a schema with everything in it: read or refused. Bytes that begin with
// "syntax" are a schema instead.
#include "streams/decode/decoder_fuzz.h"
#include "streams/decode/protobuf_schema.h"

namespace {

constexpr const char* kSchema = R"(syntax = "proto3";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/any.proto";
import "confluent/type/decimal.proto";
message M {
  enum E { A = 0; B = 1; }
  int64 i = 1; string s = 2; bytes b = 3; double d = 4; float f = 5; bool t = 6; E e = 7;
  google.protobuf.Timestamp at = 8; M next = 9; repeated sint64 list = 10;
  map<string, M> map = 11; oneof o { uint64 u = 12; fixed32 x = 13; }
  google.protobuf.StringValue w = 14; google.protobuf.Duration took = 15;
  google.protobuf.Struct json = 16; google.protobuf.Any any = 17;
  confluent.type.Decimal price = 18; repeated M many = 19;
})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::streams;
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  if (message.starts_with("syntax")) {
    try {
      for (const auto& one :
           columns_of_protobuf({.type = "PROTOBUF", .text = std::string(message)}, ""))
        if (one.name.empty()) std::abort();
    } catch (const meesh::Error& error) {
      if (error.code() != meesh::Code::kConfigInvalid) std::abort();
    }
    return 0;
  }
  static auto& decoders = *[] {
    auto* const made = new std::deque<FuzzedDecoder>;
    auto& out = *made;
    const FormatConfig format{.encoding = Encoding::kProtobuf, .schema = kSchema};
    out.emplace_back(format, columns_of_schema(format, "", nullptr));
    for (const char* member : {"i", "s", "b", "d", "at", "next", "list", "price", "w"})
      for (const auto& one : columns_of_every_type(member))
        out.emplace_back(format, std::vector{one});
    return made;
  }();
  for (auto& one : decoders) one.decode(message);
  return 0;
}
