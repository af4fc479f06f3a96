#include "mesh/config_shapes.h"

#include "mesh/mesh.h"

namespace meesh::mesh {

using base::Shape;

namespace {

constexpr const char* kDomainName = "^[a-z][a-z0-9_-]*$";
constexpr const char* kCatalogName = "^[a-z][a-z0-9_]*$";
constexpr const char* kCatalogMeans =
    "a catalog name (lower-case letters, digits and _, beginning with a letter)";

Shape database_name() {
  return base::matching("Name of the database on the server, such as sales_db.", kCatalogName,
                        "a database name (lower-case letters, digits and _)");
}

Shape user_name() {
  return base::matching("User that meesh connects as.", "^[A-Za-z_][A-Za-z0-9_.@-]*$",
                        "a user name");
}

Shape port(std::string doc) { return base::integer(std::move(doc), 1, 65535); }

Shape host() {
  return base::matching("Host name or address of the server.", "^[A-Za-z0-9:._-]+$",
                        "a host name or address", 255);
}

Shape external_postgresql() {
  Shape shape = base::object(
      "A PostgreSQL server that runs elsewhere (Amazon RDS, a company server).",
      {base::required("host", host()), base::optional("port", port("Port of the server."), "5432"),
       base::required("name", database_name()), base::required("user", user_name()),
       base::required("password",
                      base::secret_text("Its password; write ${NAME} to keep it out of git."))});
  const std::string by_hand =
      "schema files and settings are for managed databases; run yours with psql";
  shape.hints = {{"init", by_hand}, {"settings", by_hand}};
  return shape;
}

/// `catalog`: as a catalog of its own, which may show all databases of the server.
Shape external_mysql(bool catalog) {
  Shape name =
      base::matching(catalog ? "Database to show as the only schema; without it, each is a schema."
                             : "Name of the database on the server.",
                     "^[A-Za-z0-9_$-]+$", "a database name", 64);
  Shape shape = base::object(
      "A MySQL or MariaDB server that runs elsewhere.",
      {base::required("host", host()), base::optional("port", port("Port of the server."), "3306"),
       catalog ? base::optional("name", std::move(name)) : base::required("name", std::move(name)),
       base::required("user", user_name()),
       base::required("password",
                      base::secret_text("Its password; write ${NAME} to keep it out of git.")),
       base::optional("read_only",
                      base::boolean("Whether statements may only read; true unless told."), "true"),
       base::optional("tls",
                      base::choice("off, required, or verify: its certificate is checked too.",
                                   {"off", "required", "verify"}),
                      "off"),
       base::optional("ca", base::text("PEM file of who signed its certificate."))});
  const std::string by_hand =
      "schema files and settings are for managed databases; run yours with mysql";
  shape.hints = {{"init", by_hand}, {"settings", by_hand}};
  return shape;
}

Shape database_file(std::string doc) {
  return base::object(
      std::move(doc),
      {base::required("path", base::text("The file, relative to the mesh's folder.")),
       base::optional("read_only",
                      base::boolean("Whether statements may only read; true unless told."),
                      "true")});
}

Shape managed_database() {
  Shape setting = base::matching("", "^[A-Za-z0-9_.,:/% -]*$", "a setting's value in quotes", 200);
  setting.min_length = 0;
  Shape settings = base::map("Server settings, as postgresql.conf writes them.",
                             "^[a-z][a-z0-9_]*$", "a PostgreSQL setting", std::move(setting));
  return base::object(
      "A PostgreSQL server that meesh creates under its data folder and runs.",
      {base::required("name", database_name()),
       base::optional("port",
                      port("Port on 127.0.0.1; if it is taken, the next free one. Without it, the "
                           "first free one from 15432 on.")),
       base::optional("user", user_name(), "admin"),
       base::optional("password",
                      base::secret_text("Without it, one is made and kept in the data folder.")),
       base::optional("init",
                      base::list("SQL files, relative to domain.yaml, run in this order on a new "
                                 "database and again when they change: write IF NOT EXISTS.",
                                 base::text("File name."))),
       base::optional("settings", std::move(settings))});
}

Shape buckets(std::string doc) {
  return base::map(
      std::move(doc), "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
      "a bucket name (3 to 63 lower-case letters, digits, . and -)",
      base::object(
          "", {base::optional("versioning", base::boolean("Keep every version of its objects."),
                              "false"),
               base::optional("quota", base::size("At most this, all versions.")),
               base::optional("seed", base::text("Folder, relative to this file, whose files "
                                                 "are put into the bucket when it is "
                                                 "made."))}));
}

Shape webhooks() {
  return base::map(
      "Where buckets may send notifications: the webhook NAME is arn:minio:sqs::NAME:webhook.",
      "^[A-Za-z0-9_-]+$", "a name (letters, digits, _ and -)",
      base::secret_text("URL that events are POSTed to."));
}

Shape kafka() {
  Shape sasl = base::object(
      "Log in by SASL.",
      {base::optional("mechanism",
                      base::choice("How.", {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}),
                      "SCRAM-SHA-512"),
       base::required("user", base::text("User.")),
       base::required("password", base::secret_text("Its password."))});
  return base::map(
      "Kafka topics that buckets may send notifications to: NAME is arn:minio:sqs::NAME:kafka.",
      "^[A-Za-z0-9_-]+$", "a name (letters, digits, _ and -)",
      base::object(
          "", {base::required("brokers", base::matching("Brokers to begin with.",
                                                        "^[A-Za-z0-9._:\\[\\]-]+:[0-9]{1,5}"
                                                        "(,[A-Za-z0-9._:\\[\\]-]+:[0-9]{1,5})*$",
                                                        "host:port,host:port", 1024)),
               base::required("topic", base::matching("The topic.", "^[A-Za-z0-9._-]+$",
                                                      "a topic (letters, digits and . _ -)", 249)),
               base::optional("tls", base::boolean("Reach the brokers by TLS."), "false"),
               base::optional("ca", base::text("PEM file of the authority that signed their "
                                               "certificates; without it, the system's.")),
               base::optional("certificate", base::text("PEM file: the client's own certificate.")),
               base::optional("key", base::text("PEM file: its key.")),
               base::optional("sasl", std::move(sasl))}));
}

Shape trust_issuers() {
  return base::map(
      "Issuers of web identity tokens (JWT) that AssumeRoleWithWebIdentity takes, each by its "
      "\"iss\".",
      "^\\S+$", "an issuer, as its tokens name it in \"iss\"",
      base::object(
          "", {base::optional("public_key",
                              base::text("PEM file: RSA of 2,048 bits or more, or EC P-256.")),
               base::optional("secret",
                              base::secret_text("Instead of a public key, for HS256: at least 32 "
                                                "bytes that the issuer signs with.")),
               base::optional("audiences", base::list("A token's \"aud\" must name one of these; "
                                                      "without them, it is not looked at.",
                                                      base::text("Audience.")))}));
}

Shape s3_port() {
  return base::integer("Port of the S3 endpoint; 0 takes a free one. Without it, none is opened.",
                       0, 65535);
}

Shape local_storage() {
  return base::object(
      "The data folder.",
      {base::optional("port", s3_port()),
       base::optional(
           "root", base::object("The administrator's key pair; without it, one is made and kept in "
                                "the data folder.",
                                {base::required("access_key", base::secret_text("Access key.")),
                                 base::required("secret_key", base::secret_text("Secret key."))})),
       base::optional(
           "master_key",
           base::secret_text("32 bytes in base64 that wrap the keys of encrypted objects "
                             "and seal secrets; without it, one is made and kept in the "
                             "data folder.")),
       base::optional("old_master_keys",
                      base::list("Master keys used before. What they wrapped stays readable; meesh "
                                 "lake rotate-key wraps it with master_key.",
                                 base::secret_text("32 bytes in base64."))),
       base::optional("buckets", buckets("Buckets made at the start if they are missing.")),
       base::optional("webhooks", webhooks()), base::optional("kafka", kafka()),
       base::optional("trust_issuers", trust_issuers())});
}

Shape remote_storage() {
  return base::object(
      "Any S3: Amazon's, or a server of yours.",
      {base::required("endpoint", base::matching("Its address.", "^https?://[^/\\s]+$",
                                                 "an address such as https://s3.example.com", 255)),
       base::optional("region", base::text("Region."), "us-east-1"),
       base::required("access_key", base::secret_text("Access key.")),
       base::required("secret_key", base::secret_text("Secret key.")),
       base::optional("session_token", base::secret_text("Token of temporary credentials.")),
       base::optional("path_style", base::boolean("Bucket in the path, not in the host name."),
                      "true"),
       base::optional("port", s3_port()),
       base::optional("buckets", buckets("Buckets made at the start if they are missing.")),
       base::optional("webhooks", webhooks()), base::optional("kafka", kafka()),
       base::optional("trust_issuers", trust_issuers())});
}

Shape lake_maintenance() {
  return base::object(
      "What is done to the tables of all the mesh's lakes by itself. A table may refuse by its "
      "properties.",
      {base::optional("every",
                      base::matching("The time between two rounds.", "^[1-9][0-9]{0,3}(s|m|h|d)$",
                                     "a duration such as 30s, 10m, 1h or 1d"),
                      "10m"),
       base::optional("compaction",
                      base::boolean("Rewrite small files and those with many deleted rows."),
                      "true"),
       base::optional("expire_snapshots",
                      base::boolean("Let old snapshots go, and files that only they need."),
                      "true"),
       base::optional("orphan_files",
                      base::boolean("Once a day, remove files older than three days that no "
                                    "snapshot needs."),
                      "true")});
}

Shape lake(const char* about, bool required_location) {
  const Shape location = base::matching("Where its tables go: bucket and folder.",
                                        "^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/\\s]+)*$",
                                        "a place such as s3://lake/warehouse", 900);
  const Shape allowed = base::list(
      "Where else its tables may lie: a table names its place as 'location' or 'data_location'.",
      location);
  const Shape catalog = base::matching(
      "Its catalog in SQL and its warehouse in the Iceberg catalog.", kCatalogName, kCatalogMeans);
  if (required_location) {
    return base::object(
        about, {base::required("location", location), base::optional("allowed_locations", allowed),
                base::optional("catalog", catalog)});
  }
  return base::object(about, {base::optional("location", location, "s3://lake"),
                              base::optional("allowed_locations", allowed),
                              base::optional("catalog", catalog, "lake"),
                              base::optional("maintenance", lake_maintenance())});
}

Shape lineage() {
  return base::object(
      "OpenLineage events about what the mesh's statements, ingestions and pipelines do.",
      {base::optional(
           "url",
           base::matching("Where they are POSTed to; without it, nowhere.", "^https?://[^\\s]+$",
                          "an address such as http://localhost:5000/api/v1/lineage", 2048)),
       base::optional("api_key", base::secret_text("Sent as a bearer token.")),
       base::optional("namespace", base::matching("Namespace of the mesh's jobs; without it, "
                                                  "meesh://NAME.",
                                                  "^\\S+$", "a namespace without spaces", 255))});
}

Shape smtp() {
  return base::object(
      "The mail server that alerts leave by.",
      {base::required("host", host()), base::optional("port", port("Port of the server."), "587"),
       base::optional(
           "tls", base::choice("How the connection is made private.", {"starttls", "tls", "none"}),
           "starttls"),
       base::optional("user", base::text("User to log in as.")),
       base::optional("password", base::secret_text("Its password.")),
       base::optional("ca", base::text("PEM file of certificate authorities that vouch for the "
                                       "server; without it, the system's.")),
       base::required("from", base::matching("Sender of the mails.", "^[^\\s@<>]+@[^\\s@<>]+$",
                                             "an address such as mesh@example.com", 255))});
}

Shape tags() {
  return base::list("Words to find it by.",
                    base::matching("", "^[^\\s,]+$", "a word without spaces or commas"));
}

}  // namespace

const Shape& mesh_shape() {
  static const Shape shape = base::object(
      "A data mesh: where it listens, keeps its data and computes.",
      {base::required("name", base::matching("The mesh's name.", "^[A-Za-z0-9][A-Za-z0-9 ._-]*$",
                                             "a name (letters, digits, spaces and . _ -)")),
       base::optional("data",
                      base::text("Folder for everything that is kept, relative to this file."),
                      "data"),
       base::optional(
           "listen",
           base::object(
               "The HTTP listener.",
               {base::optional(
                    "address",
                    base::matching("Address to bind; 0.0.0.0 opens it to the network.",
                                   "^[0-9A-Za-z:.-]+$", "an address such as 127.0.0.1", 255),
                    "127.0.0.1"),
                base::optional("port", port("Port."), "8080")})),
       base::optional("tls", base::object("Serve HTTPS.",
                                          {base::required("certificate", base::text("PEM file.")),
                                           base::required("key", base::text("PEM file."))})),
       base::optional(
           "metadata",
           base::kinds(
               "Where the mesh keeps what it knows.",
               {base::kind("sqlite", base::object("A file in the data folder.", {})),
                base::kind("postgresql",
                           base::object("A PostgreSQL database, for several meesh processes.",
                                        {base::required(
                                            "url", base::secret_text("postgresql://user:"
                                                                     "password@host/database"))}))},
               "sqlite")),
       base::optional("storage", base::kinds("Where objects are kept.",
                                             {base::kind("local", local_storage()),
                                              base::kind("s3", remote_storage())},
                                             "local")),
       base::optional("lake", lake("The mesh's Iceberg tables.", false)),
       base::optional(
           "compute",
           base::kinds(
               "What runs the queries.",
               {base::kind(
                   "duckdb",
                   base::object(
                       "DuckDB, in this process.",
                       {base::optional("memory", base::size("Memory for queries.", true), "60%"),
                        base::optional("threads",
                                       base::integer("Threads; without it, one a core.", 1, 1024)),
                        base::optional(
                            "spill",
                            base::object("Disk for what does not fit into memory.",
                                         {base::optional("folder", base::text("Folder.")),
                                          base::optional("limit", base::size("At most this."))})),
                        base::optional("max_running", base::integer("Queries at once.", 1, 10000)),
                        base::optional("max_running_per_user",
                                       base::integer("Of one user.", 1, 10000))}))},
               "duckdb", {"trino"})),
       base::optional(
           "catalogs",
           base::map(
               "Catalogs that belong to no domain.", kCatalogName, kCatalogMeans,
               base::kinds(
                   "",
                   {base::kind("tpch",
                               base::object("The TPC-H benchmark's tables, made on use.", {})),
                    base::kind("memory", base::object("Tables in memory, gone at the end.", {})),
                    base::kind("postgresql", external_postgresql()),
                    base::kind("mysql", external_mysql(true)),
                    base::kind("sqlite", database_file("The tables of an SQLite file.")),
                    base::kind("duckdb", database_file("The tables of a DuckDB file."))},
                   ""))),
       base::optional("lineage", lineage()), base::optional("smtp", smtp()),
       base::optional("language", base::choice("Language of messages.", {"en", "fr"}), "en"),
       base::optional(
           "log",
           base::object("What is logged.",
                        {base::optional("level",
                                        base::choice("From this level on.",
                                                     {"trace", "debug", "info", "warn", "error"}),
                                        "info"),
                         base::optional("format",
                                        base::choice("auto: for people on a terminal, else JSON.",
                                                     {"auto", "human", "json"}),
                                        "auto")}))});
  return shape;
}

const Shape& product_shape() {
  static const Shape shape = base::object(
      "A data product of the domain.",
      {base::required("name",
                      base::matching("The product's name, unique in its domain.", kDomainName,
                                     "a name (lower-case letters, digits, _ and -)")),
       base::optional("description", base::text("What it is for.")),
       base::optional(
           "table", base::matching("The table that holds it: schema.table of the domain's "
                                   "catalog, or catalog.schema.table.",
                                   "^[A-Za-z0-9_]+(\\.[A-Za-z0-9_]+){1,2}$", "schema.table", 191)),
       base::optional("contract",
                      base::text("Its data contract: an ODCS file, relative to the mesh folder.")),
       base::optional("tags", tags())});
  return shape;
}

const Shape& domain_shape() {
  static const Shape shape = [] {
    Shape domain = base::object(
        "One domain of the mesh: who owns it and where its tables are.",
        {base::optional("name",
                        base::matching("The domain's name; without it, its folder's.", kDomainName,
                                       "a domain name (lower-case letters, digits, _ and -)")),
         base::required(
             "owner",
             base::object("Who answers for the domain's data.",
                          {base::required("team", base::text("The team's name.")),
                           base::optional(
                               "email", base::matching("The team's address.", "^[^@\\s]+@[^@\\s]+$",
                                                       "an e-mail address", 254))})),
         base::optional("description", base::text("What the domain is about.")),
         base::optional("catalog",
                        base::matching("Catalog name in SQL; without it, the domain's name.",
                                       kCatalogName, kCatalogMeans)),
         base::required("database", base::kinds("Where the domain's tables are.",
                                                {base::kind("managed", managed_database()),
                                                 base::kind("postgresql", external_postgresql()),
                                                 base::kind("mysql", external_mysql(false))},
                                                "", {"embedded"})),
         base::optional("buckets",
                        buckets("The domain's own buckets, made at the start; its keys reach no "
                                "others.")),
         base::optional("lake", lake("Iceberg tables of the domain alone; without a name, their "
                                     "catalog is <domain>_lake.",
                                     true)),
         base::optional("products", base::list("Data products; more may stand in products/*.yaml.",
                                               product_shape()))});
    return domain;
  }();
  return shape;
}

const Shape& secrets_shape() {
  static const Shape shape = base::map(
      "Values for ${NAME}. Keep this file out of git and readable by you alone (chmod 600).",
      "^[A-Za-z_][A-Za-z0-9_]*$", "a name (letters, digits and _)", [] {
        Shape value = base::secret_text("");
        value.min_length = 0;
        return value;
      }());
  return shape;
}

std::vector<std::string> schema_kinds() { return {"meesh", "domain", "product", "secrets"}; }

boost::json::value json_schema(std::string_view kind) {
  const Shape* shape = kind == "meesh"     ? &mesh_shape()
                       : kind == "domain"  ? &domain_shape()
                       : kind == "product" ? &product_shape()
                       : kind == "secrets" ? &secrets_shape()
                                           : nullptr;
  if (shape == nullptr) {
    throw Error(Code::kNotFound, "there is no file kind '" + std::string(kind) + "'")
        .with_hint("meesh, domain, product, secrets");
  }
  return base::json_schema(*shape, kind);
}

}  // namespace meesh::mesh
