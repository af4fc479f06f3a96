#include "streams/stream_shape.h"

namespace meesh::streams {

using base::Shape;

namespace {

constexpr const char* kNamePattern = "^[A-Za-z][A-Za-z0-9_]*$";
constexpr const char* kNameMeans = "a name (letters, digits and _, beginning with a letter)";
constexpr const char* kTablePattern = "^[^.\\s]+\\.[^.\\s]+\\.[^.\\s]+$";

Shape time_text(std::string doc) { return base::text(std::move(doc)); }

std::vector<Shape> connection() {
  return {base::optional("tls", base::boolean("Connect with TLS."), "false"),
          base::optional("ca", base::text("PEM file of the authorities that are trusted.")),
          base::optional("certificate", base::text("PEM file of the client's certificate.")),
          base::optional("key_file", base::text("PEM file of the client's key.")),
          base::optional("mechanism",
                         base::choice("Of SASL.", {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"})),
          base::optional("user", base::text("User of SASL.")),
          base::optional("password",
                         base::secret_text("Its password; write ${NAME} to keep it out of git.")),
          base::optional("properties",
                         base::map("Settings of librdkafka beside these.", "^[a-z][a-z0-9.]*$",
                                   "a setting such as fetch.min.bytes", base::text("")))};
}

Shape kafka() {
  auto parts = connection();
  parts.insert(parts.begin(), base::required("brokers", base::text("host:port,host:port")));
  parts.insert(parts.begin() + 1, base::optional("topic", base::text("The topic.")));
  parts.insert(
      parts.begin() + 2,
      base::optional("topics", base::list("Topics that are read as one.", base::text("A topic."))));
  return base::object("A Kafka cluster, and what is read of it.", std::move(parts));
}

Shape registry() {
  return base::object(
      "A schema registry with Confluent's REST API.",
      {base::required("url", base::matching("Its address.", "^https?://\\S+$",
                                            "an address such as http://localhost:8081", 1024)),
       base::optional("user", base::text("User.")),
       base::optional("password", base::secret_text("Its password.")),
       base::optional("ca", base::text("PEM file of the authorities that are trusted."))});
}

Shape source() {
  return base::object(
      "A topic as a table.",
      {base::required("kafka", kafka()),
       base::optional(
           "format",
           base::choice("How values are written.", {"json", "avro", "protobuf", "csv", "raw"}),
           "json"),
       base::optional("registry", registry()),
       base::optional("schema", base::text("File of the schema (.avsc, .proto), in the mesh.")),
       base::optional("message", base::text("Protobuf: full name of the message.")),
       base::optional("delimiter",
                      base::matching("CSV: between two values.", "^.$", "one character", 4)),
       base::optional("csv_header", base::list("CSV: names of the values, in their order.",
                                               base::text("A name."))),
       base::optional("columns", base::map("Columns: a type, or { type, path, time, required }.",
                                           kNamePattern, kNameMeans, base::any("A column."))),
       base::optional("start",
                      base::text("Where the first batch begins: earliest, latest, or "
                                 "milliseconds since 1970."),
                      "earliest"),
       base::optional("event_time", base::text("The column that says when it happened; "
                                               "_timestamp is the message's.")),
       base::optional("watermark", time_text("How late rows may be: 10s, 5m.")),
       base::optional("malformed",
                      base::choice("What becomes of messages that cannot be read.",
                                   {"dead_letter", "skip", "fail"}),
                      "dead_letter"),
       base::optional(
           "on_data_loss",
           base::choice("When messages are gone that were not read yet.", {"fail", "continue"}),
           "fail")});
}

Shape sink() {
  auto parts = connection();
  std::vector<Shape> own{
      base::optional("lake", base::matching("A table of the lake.", kTablePattern,
                                            "a table such as lake.gold.sales", 255)),
      base::optional("live", base::matching("A table in memory, in the catalog live.", kNamePattern,
                                            kNameMeans, 128)),
      base::optional("kafka", base::text("A topic.")),
      base::optional("database", base::matching("A table of a domain's database.", kTablePattern,
                                                "a table such as sales.public.totals", 255)),
      base::optional("partitioning",
                     base::list("Of a lake table that is made.", base::text("day(moment)"))),
      base::optional("location", base::text("Folder of a lake table that is made: s3://…")),
      base::optional("key", base::list("Columns that tell rows apart (update); of a message.",
                                       base::text("A column."))),
      base::optional("keep", time_text("live, append: how long rows stay.")),
      base::optional("brokers", base::text("kafka: the cluster; without it, the source's."))};
  own.insert(own.end(), parts.begin(), parts.end());
  return base::object("Where rows go.", std::move(own));
}

}  // namespace

const Shape& stream_shape() {
  static const Shape shape = base::object(
      "A stream: messages through SQL into tables, in micro-batches, each exactly once.",
      {base::optional("name", base::text("The stream's name; the file's, if it is given.")),
       base::optional("description", base::text("What it is for.")),
       base::required("sources",
                      base::map("Tables of the SQL, by name.", kNamePattern, kNameMeans, source())),
       base::optional("sql", base::text("A query of Trino's SQL over the sources.")),
       base::optional("file", base::text("A file of the mesh with the query.")),
       base::optional("window",
                      base::object("Windows of event time: the columns window_start and "
                                   "window_end.",
                                   {base::required("size", time_text("How long: 1m.")),
                                    base::optional("slide", time_text("How far apart they "
                                                                      "begin."))})),
       base::optional(
           "deduplicate",
           base::object("Rows that came before are left out.",
                        {base::required("columns", base::list("Columns that make a row the same.",
                                                              base::text("A column."))),
                         base::optional("within", time_text("Of event time."))})),
       base::optional("output",
                      base::choice("What each batch writes: append, rows that are final; update, "
                                   "rows that changed; complete, all.",
                                   {"append", "update", "complete"}),
                      "append"),
       base::optional("trigger",
                      base::any("available-now, continuous, or { every: 1s }, the default.")),
       base::required("into", base::list("Where rows go.", sink())),
       base::optional("dead_letter",
                      base::matching("Table of messages that cannot be read.", kTablePattern,
                                     "a table such as lake.bronze.rejected", 255)),
       base::optional("max_messages", base::integer("Of a batch.", 1, 100'000'000), "500000"),
       base::optional("max_bytes", base::size("Of a batch."), "256MiB"),
       base::optional("paused", base::boolean("Waits until it is resumed."), "false")});
  return shape;
}

}  // namespace meesh::streams
