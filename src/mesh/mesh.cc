#include "mesh/mesh.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/json_schema.h"
#include "base/text.h"
#include "base/yaml.h"
#include "mesh/config_shapes.h"
#include "mesh/mesh_files.h"
#include "objects/checksum.h"

namespace meesh::mesh {

namespace fs = std::filesystem;
using yaml::Node;

namespace {

std::string first_hint(const std::vector<Error>& all) {
  std::string hint = all.front().hint();
  if (all.size() > 1) {
    if (!hint.empty()) hint += "; ";
    hint += all.size() == 2 ? "1 more mistake" : fmt::format("{} more mistakes", all.size() - 1);
  }
  return hint;
}

class Loader {
 public:
  Loader(const fs::path& folder, const LoadOptions& options)
      : shown_(folder),
        options_(options),
        files_(folder, folder, [this](const std::string& name) { return mesh_.secret(name); }) {
    mesh_.shown = folder;
    mesh_.folder = fs::absolute(folder).lexically_normal();
    if (!mesh_.folder.has_filename()) mesh_.folder = mesh_.folder.parent_path();
  }

  Mesh load() {
    if (!fs::exists(mesh_.folder / "meesh.yaml")) {
      Error error(Code::kConfigInvalid, "there is no such file",
                  {0, 0, (shown_ / "meesh.yaml").string()});
      error.with_hint("a mesh is a folder with a meesh.yaml; demo/ is one");
      throw ConfigError({error});
    }
    read_secrets();
    if (auto document = read("meesh.yaml", mesh_shape())) fill_mesh(*document);
    read_domains();
    if (!problems_.empty()) throw ConfigError(std::move(problems_));
    return std::move(mesh_);
  }

 private:
  std::optional<yaml::Document> read(const fs::path& relative, const base::Shape& shape) {
    return files_.read(relative, shape);
  }

  /// From here on `mesh_.secret` knows the environment and the secrets file.
  void read_secrets() {
    mesh_.secret = [secrets = secrets_of_file(), environment = options_.environment](
                       const std::string& name) -> std::optional<std::string> {
      if (environment) {
        if (auto value = environment(name)) return value;
      } else if (const char* value = std::getenv(name.c_str())) {
        return value;
      }
      const auto found = secrets.find(name);
      return found == secrets.end() ? std::nullopt : std::optional(found->second);
    };
  }

  std::map<std::string, std::string> secrets_of_file() {
    std::map<std::string, std::string> secrets;
    struct stat status{};
    if (::stat((mesh_.folder / "secrets.yaml").c_str(), &status) != 0) return secrets;
    const std::string shown = files_.shown("secrets.yaml");
    if ((status.st_mode & 077) != 0) {
      problems_.push_back(Error(Code::kConfigInvalid,
                                fmt::format("others may read this file (its mode is {:04o})",
                                            status.st_mode & 07777),
                                {0, 0, shown})
                              .with_hint(fmt::format("chmod 600 {}", shown)));
      // Its values are read all the same, or each of them would seem to be missing.
    }
    if (const auto document = files_.read("secrets.yaml", secrets_shape(), true)) {
      const Node& root = document->root;
      for (size_t i = 0; i < root.keys.size(); ++i) secrets[root.keys[i].name] = root.items[i].text;
    }
    return secrets;
  }

  static int integer_or(const Node& node, std::string_view key, int otherwise) {
    const Node* value = node.find(key);
    return value == nullptr ? otherwise : static_cast<int>(*value->integer());
  }
  static std::string text_or(const Node& node, std::string_view key, std::string otherwise) {
    const Node* value = node.find(key);
    return value == nullptr ? std::move(otherwise) : value->text;
  }
  fs::path resolved(const fs::path& base, const std::string& text) const {
    return (base / text).lexically_normal();
  }

  fs::path existing_file(const yaml::Document& document, const Node& node, const fs::path& base) {
    fs::path path = resolved(base, node.text);
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) {
      problems_.push_back(document
                              .error(Code::kConfigInvalid,
                                     fmt::format("there is no file '{}'", node.text), node.line,
                                     node.column)
                              .with_hint(fmt::format("looked for {}", path.string())));
    }
    return path;
  }

  fs::path existing_folder(const yaml::Document& document, const Node& node, const fs::path& base) {
    fs::path path = resolved(base, node.text);
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      problems_.push_back(document
                              .error(Code::kConfigInvalid,
                                     fmt::format("there is no folder '{}'", node.text), node.line,
                                     node.column)
                              .with_hint(fmt::format("looked for {}", path.string())));
    }
    return path;
  }

  void fill_mesh(const yaml::Document& document) {
    const Node& root = document.root;
    mesh_.name = root.find("name")->text;
    mesh_.data = options_.data.empty() ? resolved(mesh_.folder, root.find("data")->text)
                                       : fs::absolute(options_.data).lexically_normal();
    if (!mesh_.data.has_filename()) mesh_.data = mesh_.data.parent_path();
    mesh_.listen.address = root.find("listen")->find("address")->text;
    mesh_.listen.port = integer_or(*root.find("listen"), "port", 0);
    if (const Node* tls = root.find("tls")) {
      mesh_.tls = Tls{existing_file(document, *tls->find("certificate"), mesh_.folder),
                      existing_file(document, *tls->find("key"), mesh_.folder)};
    }
    const Node& metadata = *root.find("metadata");
    if (metadata.find("kind")->text == "postgresql") {
      mesh_.metadata = {Metadata::Kind::kPostgresql, metadata.find("url")->text};
    }
    fill_storage(document, *root.find("storage"));
    mesh_.lake = lake(document, *root.find("lake"), "");
    fill_maintenance(*root.find("lake")->find("maintenance"));
    fill_compute(*root.find("compute"));
    if (const Node* catalogs = root.find("catalogs")) fill_catalogs(document, *catalogs);
    fill_lineage(root.find("lineage"));
    fill_smtp(document, root.find("smtp"));
    mesh_.language = root.find("language")->text;
    mesh_.log_level = root.find("log")->find("level")->text;
    mesh_.log_format = root.find("log")->find("format")->text;
  }

  void fill_lineage(const Node* node) {
    mesh_.lineage.name_space = "meesh://" + mesh_.name;
    if (node == nullptr) return;
    mesh_.lineage = {text_or(*node, "url", ""), text_or(*node, "api_key", ""),
                     text_or(*node, "namespace", mesh_.lineage.name_space)};
  }

  void fill_smtp(const yaml::Document& document, const Node* node) {
    if (node == nullptr) return;
    mesh_.smtp = Smtp{node->find("host")->text,
                      integer_or(*node, "port", 0),
                      node->find("tls")->text,
                      text_or(*node, "user", ""),
                      text_or(*node, "password", ""),
                      node->find("from")->text,
                      {}};
    if (const Node* ca = node->find("ca")) {
      mesh_.smtp->ca = existing_file(document, *ca, mesh_.folder);
      if (mesh_.smtp->tls == "none") {
        problems_.push_back(document.error(Code::kConfigInvalid, "'ca' is for TLS, and tls is none",
                                           ca->line, ca->column));
      }
    }
  }

  Lake lake(const yaml::Document& document, const Node& node, const std::string& otherwise) {
    const Node* name = node.find("catalog");
    Lake to{name ? name->text : otherwise, node.find("location")->text, {}};
    const Node& where = name ? *name : node;
    claim_catalog(document, to.catalog, where.line, where.column);
    std::vector<const Node*> places{node.find("location")};
    if (const Node* allowed = node.find("allowed_locations")) {
      for (const Node& place : allowed->items) {
        to.allowed_locations.push_back(place.text);
        places.push_back(&place);
      }
    }
    for (const Node* place : places) claim_place(document, *place, to.catalog);
    return to;
  }

  // What lies in one lake is no other's: either might remove it.
  void claim_place(const yaml::Document& document, const Node& node, const std::string& catalog) {
    const auto within = [](const std::string& inner, const std::string& outer) {
      return inner == outer || inner.starts_with(outer + "/");
    };
    for (const LakePlace& other : lake_places_) {
      if (other.catalog == catalog) continue;
      if (!within(node.text, other.location) && !within(other.location, node.text)) continue;
      problems_.push_back(
          document
              .error(Code::kConfigInvalid,
                     fmt::format("the place '{}' is another lake's already", node.text), node.line,
                     node.column)
              .with_hint(fmt::format("'{}' of the lake '{}' at {}", other.location, other.catalog,
                                     other.where)));
      break;
    }
    lake_places_.push_back({node.text, catalog, fmt::format("{}:{}", document.file, node.line)});
  }

  void fill_maintenance(const Node& node) {
    LakeMaintenance& to = mesh_.lake_maintenance;
    const std::string& every = node.find("every")->text;
    const int seconds = every.back() == 's'   ? 1
                        : every.back() == 'm' ? 60
                        : every.back() == 'h' ? 3600
                                              : 86400;
    to.every = std::chrono::seconds(int64_t{std::stoi(every)} * seconds);
    to.compaction = node.find("compaction")->text == "true";
    to.expire_snapshots = node.find("expire_snapshots")->text == "true";
    to.orphan_files = node.find("orphan_files")->text == "true";
  }

  void fill_compute(const Node& compute) {
    Compute& to = mesh_.compute;
    const std::string& memory = compute.find("memory")->text;
    if (memory.ends_with('%')) {
      to.memory_percent = std::stoi(memory);
    } else {
      to.memory = *base::parse_size(memory);
    }
    to.threads = integer_or(compute, "threads", 0);
    const Node& spill = *compute.find("spill");
    to.spill_folder = spill.find("folder") ? resolved(mesh_.folder, spill.find("folder")->text)
                                           : mesh_.data / "spill";
    if (const Node* limit = spill.find("limit")) to.spill_limit = *base::parse_size(limit->text);
    to.max_running = integer_or(compute, "max_running", 0);
    to.max_running_per_user = integer_or(compute, "max_running_per_user", 0);
  }

  void fill_storage(const yaml::Document& document, const Node& node) {
    Storage& to = mesh_.storage;
    if (node.find("port")) to.port = integer_or(node, "port", 0);
    to.buckets = buckets(document, node, mesh_.folder);
    if (const Node* hooks = node.find("webhooks")) {
      for (size_t i = 0; i < hooks->keys.size(); ++i) {
        to.webhooks[hooks->keys[i].name] = hooks->items[i].text;
      }
    }
    if (const Node* topics = node.find("kafka")) fill_kafka(document, *topics);
    if (const Node* issuers = node.find("trust_issuers")) fill_issuers(document, *issuers);
    const Node* keys = node.find("root");
    if (node.find("kind")->text == "s3") {
      to.kind = Storage::Kind::kS3;
      to.endpoint = node.find("endpoint")->text;
      to.region = node.find("region")->text;
      to.session_token = text_or(node, "session_token", "");
      to.path_style = node.find("path_style")->text == "true";
      keys = &node;
    }
    if (keys) {
      to.access_key = keys->find("access_key")->text;
      to.secret_key = keys->find("secret_key")->text;
    }
    if (const Node* key = node.find("master_key")) to.master_key = master_key(document, *key);
    if (const Node* old = node.find("old_master_keys")) {
      for (const Node& key : old->items) to.old_master_keys.push_back(master_key(document, key));
    }
  }

  std::string master_key(const yaml::Document& document, const Node& key) {
    const auto raw = base::from_base64(key.text);
    if (!raw || raw->size() != 32) {
      problems_.push_back(document
                              .error(Code::kConfigInvalid,
                                     "the master key is not 32 bytes in base64", key.line,
                                     key.column)
                              .with_hint("openssl rand -base64 32 makes one"));
    }
    return raw.value_or("");
  }

  void fill_kafka(const yaml::Document& document, const Node& topics) {
    for (size_t i = 0; i < topics.keys.size(); ++i) {
      const Node& node = topics.items[i];
      KafkaTopic& to = mesh_.storage.kafka[topics.keys[i].name];
      to.brokers = node.find("brokers")->text;
      to.topic = node.find("topic")->text;
      to.tls = node.find("tls")->text == "true";
      const auto file = [&](const char* name) -> fs::path {
        const Node* value = node.find(name);
        return value == nullptr ? fs::path() : existing_file(document, *value, mesh_.folder);
      };
      to.ca = file("ca");
      to.certificate = file("certificate");
      to.key = file("key");
      const bool pems = node.find("ca") || node.find("certificate") || node.find("key");
      if ((pems && !to.tls) || to.certificate.empty() != to.key.empty()) {
        problems_.push_back(
            document
                .error(Code::kConfigInvalid,
                       pems && !to.tls ? "'ca', 'certificate' and 'key' are for TLS"
                                       : "'certificate' and 'key' go together",
                       topics.keys[i].line, topics.keys[i].column)
                .with_hint(pems && !to.tls ? "tls: true" : "give both, or neither"));
      }
      if (const Node* sasl = node.find("sasl")) {
        to.mechanism = sasl->find("mechanism")->text;
        to.user = sasl->find("user")->text;
        to.password = sasl->find("password")->text;
      }
    }
  }

  void fill_issuers(const yaml::Document& document, const Node& issuers) {
    for (size_t i = 0; i < issuers.keys.size(); ++i) {
      const yaml::Key& issuer = issuers.keys[i];
      const Node& node = issuers.items[i];
      TrustedIssuer& to = mesh_.storage.trust_issuers[issuer.name];
      const Node* file = node.find("public_key");
      const Node* secret = node.find("secret");
      if ((file == nullptr) == (secret == nullptr)) {
        problems_.push_back(
            document
                .error(Code::kConfigInvalid,
                       fmt::format("the issuer '{}' needs one key", issuer.name), issuer.line,
                       issuer.column)
                .with_hint("public_key: a PEM file, or secret: what it signs with"));
      } else if (secret) {
        to.key = "secret:" + secret->text;
      } else {
        const fs::path path = existing_file(document, *file, mesh_.folder);
        if (fs::is_regular_file(path)) to.key = files_.text(fs::relative(path, mesh_.folder));
      }
      if (const Node* audiences = node.find("audiences")) {
        for (const Node& one : audiences->items) to.audiences.push_back(one.text);
      }
    }
  }

  // A bucket belongs to the mesh or to one domain.
  std::vector<Bucket> buckets(const yaml::Document& document, const Node& owner,
                              const fs::path& base) {
    std::vector<Bucket> found;
    const Node* node = owner.find("buckets");
    if (node == nullptr) return found;
    for (size_t i = 0; i < node->keys.size(); ++i) {
      const yaml::Key& key = node->keys[i];
      Bucket bucket{key.name, node->items[i].find("versioning")->text == "true", 0, {}};
      if (const Node* quota = node->items[i].find("quota")) {
        bucket.quota = *base::parse_size(quota->text);
      }
      if (const Node* seed = node->items[i].find("seed")) {
        bucket.seed = existing_folder(document, *seed, base);
      }
      const auto [entry, fresh] =
          bucket_owners_.emplace(key.name, fmt::format("{}:{}", document.file, key.line));
      if (!fresh) {
        problems_.push_back(document
                                .error(Code::kConfigInvalid,
                                       fmt::format("the bucket name '{}' is taken", key.name),
                                       key.line, key.column)
                                .with_hint("by " + entry->second));
      }
      found.push_back(std::move(bucket));
    }
    return found;
  }

  // A catalog name may be used once in the whole mesh; `system` and `hive`-like names of our own
  // are the engine's.
  void claim_catalog(const yaml::Document& document, const std::string& name, int line,
                     int column) {
    const bool ours = name == "system" || name == "information_schema" || name == "hive";
    std::string taken_by = ours ? "meesh itself" : "";
    const auto [entry, fresh] =
        catalog_owners_.emplace(name, fmt::format("{}:{}", document.file, line));
    if (!fresh) taken_by = entry->second;
    if (taken_by.empty()) return;
    problems_.push_back(document
                            .error(Code::kConfigInvalid,
                                   fmt::format("the catalog name '{}' is taken", name), line,
                                   column)
                            .with_hint(fmt::format("by {}", taken_by)));
  }

  void fill_catalogs(const yaml::Document& document, const Node& catalogs) {
    for (size_t i = 0; i < catalogs.keys.size(); ++i) {
      const Node& node = catalogs.items[i];
      const std::string& kind = node.find("kind")->text;
      ExtraCatalog catalog;
      catalog.name = catalogs.keys[i].name;
      using Kind = ExtraCatalog::Kind;
      static const std::map<std::string, Kind> kKinds = {
          {"tpch", Kind::kTpch},   {"memory", Kind::kMemory}, {"postgresql", Kind::kPostgresql},
          {"mysql", Kind::kMysql}, {"sqlite", Kind::kSqlite}, {"duckdb", Kind::kDuckdb}};
      catalog.kind = kKinds.at(kind);
      if (catalog.kind == Kind::kPostgresql || catalog.kind == Kind::kMysql)
        catalog.database = database(document, node, mesh_.folder);
      if (const Node* path = node.find("path")) {
        catalog.read_only = node.find("read_only")->boolean();
        catalog.path = catalog.read_only ? existing_file(document, *path, mesh_.folder)
                                         : resolved(mesh_.folder, path->text);
      }
      claim_catalog(document, catalog.name, catalogs.keys[i].line, catalogs.keys[i].column);
      mesh_.catalogs.push_back(std::move(catalog));
    }
  }

  Database database(const yaml::Document& document, const Node& node, const fs::path& base) {
    Database to;
    const std::string& kind = node.find("kind")->text;
    to.kind = kind == "managed" ? Database::Kind::kManaged
              : kind == "mysql" ? Database::Kind::kMysql
                                : Database::Kind::kPostgresql;
    to.name = text_or(node, "name", "");
    to.host = text_or(node, "host", "");
    to.port = integer_or(node, "port", 0);
    to.user = node.find("user")->text;
    to.password = text_or(node, "password", "");
    if (to.kind == Database::Kind::kMysql) {
      to.read_only = node.find("read_only")->boolean();
      to.tls = node.find("tls")->text;
      if (const Node* ca = node.find("ca")) to.ca = existing_file(document, *ca, base);
    }
    if (const Node* init = node.find("init")) {
      for (const Node& file : init->items) to.init.push_back(existing_file(document, file, base));
    }
    if (to.kind == Database::Kind::kManaged) check_managed(document, node, to);
    return to;
  }

  void check_managed(const yaml::Document& document, const Node& node, Database& to) {
    static const std::vector<std::string> kOurs = {"listen_addresses",
                                                   "port",
                                                   "unix_socket_directories",
                                                   "unix_socket_permissions",
                                                   "data_directory",
                                                   "hba_file",
                                                   "ident_file",
                                                   "external_pid_file",
                                                   "config_file",
                                                   "ssl",
                                                   "logging_collector",
                                                   "log_destination"};
    if (to.name == "postgres" || to.name.starts_with("template")) {
      const Node& name = *node.find("name");
      problems_.push_back(document.error(
          Code::kConfigInvalid, fmt::format("the database '{}' is the server's own", to.name),
          name.line, name.column));
    }
    if (to.user == "meesh" || to.user == "public" || to.user.starts_with("pg_")) {
      const Node& user = *node.find("user");
      problems_.push_back(document
                              .error(Code::kConfigInvalid,
                                     fmt::format("the user '{}' is the server's own", to.user),
                                     user.line, user.column)
                              .with_hint("take another name, such as admin"));
    }
    const Node* settings = node.find("settings");
    if (settings == nullptr) return;
    for (size_t i = 0; i < settings->keys.size(); ++i) {
      const yaml::Key& key = settings->keys[i];
      if (std::ranges::find(kOurs, key.name) != kOurs.end()) {
        problems_.push_back(document.error(Code::kConfigInvalid,
                                           fmt::format("'{}' is set by meesh", key.name), key.line,
                                           key.column));
      }
      to.settings[key.name] = settings->items[i].text;
    }
  }

  std::vector<fs::path> entries(const fs::path& relative) {
    std::vector<fs::path> found;
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(mesh_.folder / relative, failure)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with('.')) found.push_back(relative / name);
    }
    std::ranges::sort(found);
    return found;
  }

  void read_domains() {
    for (const fs::path& folder : entries("domains")) {
      if (!fs::is_directory(mesh_.folder / folder)) continue;
      if (fs::exists(mesh_.folder / folder / "domain.yaml")) {
        read_domain(folder);
        continue;
      }
      problems_.push_back(Error(Code::kConfigInvalid, "there is no such file",
                                {0, 0, (shown_ / folder / "domain.yaml").string()})
                              .with_hint("every folder in domains/ is a domain and has one"));
    }
  }

  void read_domain(const fs::path& folder) {
    const auto document = read(folder / "domain.yaml", domain_shape());
    std::vector<Product> products = read_products(folder);
    if (!document) return;
    const Node& root = document->root;
    Domain domain;
    domain.file = mesh_.folder / folder / "domain.yaml";
    domain.name = text_or(root, "name", folder.filename().string());
    const Node& at = root.find("name") != nullptr ? *root.find("name") : root;
    const auto names = domain_shape().parts.front();
    if (!root.find("name") && !plain_name(domain.name)) {
      problems_.push_back(document
                              ->error(Code::kConfigInvalid,
                                      fmt::format("the folder's name '{}' is not {}", domain.name,
                                                  names.pattern_means),
                                      1, 1)
                              .with_hint("give 'name', or rename the folder"));
    }
    for (const Domain& other : mesh_.domains) {
      if (other.name != domain.name) continue;
      problems_.push_back(document
                              ->error(Code::kConfigInvalid,
                                      fmt::format("the domain name '{}' is taken", domain.name),
                                      at.line, at.column)
                              .with_hint("by " + other.file.string()));
    }
    domain.description = text_or(root, "description", "");
    domain.owner = {root.find("owner")->find("team")->text,
                    text_or(*root.find("owner"), "email", "")};
    const Node* catalog = root.find("catalog");
    domain.catalog = catalog != nullptr ? catalog->text : domain.name;
    if (catalog == nullptr) std::ranges::replace(domain.catalog, '-', '_');
    claim_catalog(*document, domain.catalog, catalog ? catalog->line : at.line,
                  catalog ? catalog->column : at.column);
    domain.database = database(*document, *root.find("database"), mesh_.folder / folder);
    domain.buckets = buckets(*document, root, mesh_.folder / folder);
    if (const Node* node = root.find("lake")) {
      std::string name = domain.name + "_lake";
      std::ranges::replace(name, '-', '_');
      domain.lake = lake(*document, *node, name);
    }
    if (const Node* list = root.find("products")) {
      for (const Node& node : list->items) add_product(*document, node, products);
    }
    domain.products = std::move(products);
    mesh_.domains.push_back(std::move(domain));
  }

  static bool plain_name(const std::string& name) {
    return !name.empty() && name.size() <= 63 && name[0] >= 'a' && name[0] <= 'z' &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
  }

  std::vector<Product> read_products(const fs::path& folder) {
    std::vector<Product> products;
    for (const fs::path& file : entries(folder / "products")) {
      if (file.extension() != ".yaml") continue;
      if (const auto document = read(file, product_shape()))
        add_product(*document, document->root, products);
    }
    return products;
  }

  void add_product(const yaml::Document& document, const Node& node,
                   std::vector<Product>& products) {
    Product product{node.find("name")->text,
                    text_or(node, "description", ""),
                    text_or(node, "table", ""),
                    {},
                    {}};
    if (const Node* contract = node.find("contract")) {
      existing_file(document, *contract, mesh_.folder);
      product.contract = contract->text;
    }
    if (const Node* tags = node.find("tags")) {
      for (const Node& tag : tags->items) product.tags.push_back(tag.text);
    }
    if (std::ranges::find(products, product.name, &Product::name) != products.end()) {
      const Node& name = *node.find("name");
      problems_.push_back(document.error(
          Code::kConfigInvalid, fmt::format("the domain has a product '{}' already", product.name),
          name.line, name.column));
    }
    products.push_back(std::move(product));
  }

  fs::path shown_;
  const LoadOptions& options_;
  Mesh mesh_;
  std::map<std::string, std::string> catalog_owners_, bucket_owners_;
  struct LakePlace {
    std::string location, catalog, where;
  };
  std::vector<LakePlace> lake_places_;
  MeshFiles files_;
  std::vector<Error>& problems_ = files_.problems();
};

}  // namespace

ConfigError::ConfigError(std::vector<Error> all)
    : Error(all.front().code(), all.front().message(), all.front().location()),
      all_(std::move(all)) {
  with_hint(first_hint(all_));
}

std::string ConfigError::report() const {
  std::string text;
  for (const Error& error : all_)
    text += fmt::format("{}{}", text.empty() ? "" : "\n", error.what());
  return text;
}

Mesh Mesh::load(const fs::path& folder, const LoadOptions& options) {
  return Loader(folder, options).load();
}

}  // namespace meesh::mesh
