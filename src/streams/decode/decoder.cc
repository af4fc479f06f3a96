#include "streams/decode/decoder.h"

#include "streams/decode/avro_decoder.h"
#include "streams/decode/csv_decoder.h"
#include "streams/decode/json_decoder.h"
#include "streams/decode/protobuf_decoder.h"
#include "streams/decode/raw_decoder.h"
#include "streams/decode/schema_registry.h"

namespace meesh::streams {

std::unique_ptr<Decoder> make_decoder(const FormatConfig& format,
                                      const std::vector<ColumnConfig>& columns,
                                      SchemaRegistry* registry) {
  switch (format.encoding) {
    case Encoding::kJson:
      return make_json_decoder(columns);
    case Encoding::kAvro:
      return make_avro_decoder(format, columns, registry);
    case Encoding::kProtobuf:
      return make_protobuf_decoder(format, columns, registry);
    case Encoding::kCsv:
      return make_csv_decoder(format, columns);
    case Encoding::kRaw:
      return make_raw_decoder(columns);
  }
  internal_error("an encoding without a decoder");
}

std::vector<ColumnConfig> columns_of_schema(const FormatConfig& format, const std::string& subject,
                                            SchemaRegistry* registry) {
  if (format.encoding != Encoding::kAvro && format.encoding != Encoding::kProtobuf) {
    throw Error(Code::kConfigInvalid, "only Avro and Protobuf have a schema that names the columns")
        .with_hint("name them under 'columns'");
  }
  RegisteredSchema schema;
  if (!format.schema.empty()) {
    schema.text = format.schema;
    schema.type = format.encoding == Encoding::kAvro ? "AVRO" : "PROTOBUF";
  } else if (registry != nullptr) {
    schema = registry->latest(subject);
  } else {
    throw Error(Code::kConfigInvalid, "there is neither a schema nor a registry")
        .with_hint("name a file under 'schema', or a registry");
  }
  return format.encoding == Encoding::kAvro ? columns_of_avro(schema)
                                            : columns_of_protobuf(schema, format.message);
}

}  // namespace meesh::streams
