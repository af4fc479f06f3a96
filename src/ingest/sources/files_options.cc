#include <fmt/format.h>

#include <ctime>

#include "ingest/rest/record_path.h"
#include "ingest/sources/files.h"

namespace meesh::ingest {

using base::Shape;
using engine::FileFormat;

namespace {

constexpr std::string_view kDate = "{date";

Shape csv_shape() {
  return base::object(
      "How CSV files are written.",
      {base::optional("delimiter", base::text("Between two values; without it, found out.")),
       base::optional("header", base::boolean("The first line names the columns."), "true"),
       base::optional("null", base::text("What stands for NULL, beside an empty value.")),
       base::optional("quote", base::text("Around values; doubled within them."), "\""),
       base::optional("escape", base::text("Before a quote within a value."), "\""),
       base::optional("encoding", base::choice("Of the text.", {"utf-8", "utf-16", "latin-1"}),
                      "utf-8")});
}

Shape remote_shape() {
  return base::object(
      "Another S3 that the paths' buckets are in.",
      {base::required("endpoint", base::matching("Its address.", "^https?://[^/\\s]+$",
                                                 "an address such as https://s3.example.com", 255)),
       base::optional("region", base::text("Region."), "us-east-1"),
       base::required("access_key", base::secret_text("Access key.")),
       base::required("secret_key", base::secret_text("Secret key.")),
       base::optional("path_style", base::boolean("Bucket in the path, not in the host name."),
                      "true")});
}

Shape http_shape() { return base::object("How files at https:// are asked for.", http_keys()); }

Shape sftp_shape() {
  const auto fingerprint = [] {
    return base::matching("", "^SHA256:[A-Za-z0-9+/]{43}$",
                          "a fingerprint such as SHA256:…, as ssh-keygen -lf shows it", 64);
  };
  Shape key = fingerprint();
  key.doc = "Fingerprint of the server's host key: connections to any other server are refused.";
  return base::object(
      "How files at sftp:// are asked for.",
      {base::optional("host_key", std::move(key)),
       base::optional("host_keys",
                      base::list("Several, if the server has several.", fingerprint())),
       base::optional("user", base::text("User, where the address names none.")),
       base::optional("password", base::secret_text("The user's password.")),
       base::optional("key", base::secret_text("The user's private key, as its file has it.")),
       base::optional("key_file", base::text("Or the file.")),
       base::optional("passphrase", base::secret_text("Of the private key.")),
       base::optional("timeout", duration("The longest wait for the server."), "30s")});
}

void read_csv(const ConfigReader& reader, const yaml::Node& csv, FileFormat& format) {
  format.delimiter = text_or(csv, "delimiter");
  format.quote = text_or(csv, "quote", "\"");
  format.escape = text_or(csv, "escape", "\"");
  format.null_text = text_or(csv, "null");
  format.encoding = text_or(csv, "encoding", "utf-8");
  format.header = !csv.find("header") || flag(csv, "header");
  for (const char* key : {"quote", "escape"}) {
    const auto* node = csv.find(key);
    if (node && node->text.size() > 1)
      reader.complain(*node, fmt::format("'{}' is one character", key));
  }
  const auto* delimiter = csv.find("delimiter");
  if (delimiter && delimiter->text.size() > 4)
    reader.complain(*delimiter, "'delimiter' is at most four characters");
}

SftpConfig read_sftp(const ConfigReader& reader, const yaml::Node& node) {
  SftpConfig config;
  for (const char* key : {"host_keys", "host_key"}) {
    const auto* found = node.find(key);
    if (!found) continue;
    if (found->is_scalar()) config.host_keys.push_back(found->text);
    for (const auto& item : found->items) config.host_keys.push_back(item.text);
  }
  config.user = text_or(node, "user");
  config.password = text_or(node, "password");
  config.key = text_or(node, "key");
  config.key_file = text_or(node, "key_file");
  config.passphrase = text_or(node, "passphrase");
  config.timeout = duration_of(text_or(node, "timeout", "30s"));
  if (!config.key.empty() && !config.key_file.empty())
    reader.complain(node, "'key' and 'key_file' are one too many");
  return config;
}

bool is_web(const std::string& path) {
  return path.starts_with("http://") || path.starts_with("https://");
}

void check_path(const ConfigReader& reader, const yaml::Node& node, const FilesOptions& options,
                const FilesTableOptions& table) {
  const auto& at = *node.find("path");
  const bool sftp = table.path.starts_with("sftp://");
  if (options.remote && !table.path.starts_with("s3://") && !is_web(table.path) && !sftp)
    reader.complain(at, "files of another S3 are named s3://bucket/…");
  if (sftp && options.sftp.host_keys.empty()) {
    reader.complain(
        at, "files at sftp:// need the server's host key",
        "sftp: { host_key: SHA256:… }, as ssh-keyscan HOST | ssh-keygen -lf - shows it");
  }
}

}  // namespace

const FilesOptions& files_options(const SourceConfig& config) {
  return dynamic_cast<const FilesOptions&>(*config.options);
}

const FilesTableOptions& files_options(const TableConfig& table) {
  return dynamic_cast<const FilesTableOptions&>(*table.options);
}

std::vector<Shape> files_keys() {
  return {base::optional("format", base::choice("Of all files; without it, by their endings.",
                                                {"csv", "json", "parquet", "excel", "xml"})),
          base::optional("csv", csv_shape()),
          base::optional("connection", remote_shape()),
          base::optional("http", http_shape()),
          base::optional("sftp", sftp_shape()),
          base::optional("allow_outside", base::boolean("Read files outside of the mesh's folder."),
                         "false")};
}

std::vector<Shape> files_table_keys() {
  return {
      base::required("path", base::matching("Files: * and ? stay within a folder, ** spans any "
                                            "number. s3://bucket/…, https://host/file, "
                                            "sftp://user@host/folder/…, or relative to the mesh. "
                                            "{date} is the run date, {date:%Y/%m} parts of it.",
                                            "^[^\\r\\n]+$", "a path", 1024)),
      base::optional("only_new",
                     base::boolean("incremental: a file is taken once, even if it changes."),
                     "false"),
      base::optional("records", base::text("Where in a file the records are. JSON: a path such as "
                                           "data.items; XML: an XPath such as //order.")),
      base::optional("members", base::text("Pattern of the files of an archive that are taken.")),
      base::optional("sheet", base::text("Excel: the sheet's name; without it, the first one.")),
      base::optional("range",
                     base::matching("Excel: the cells.", "^[A-Z]{1,3}[0-9]+:[A-Z]{1,3}[0-9]+$",
                                    "a range such as A3:F200", 32)),
      base::optional("header",
                     base::boolean("Excel: the first row names the columns. Without it, it does "
                                   "if all its cells are texts."))};
}

void read_files(const ConfigReader& reader, SourceConfig& config) {
  const auto& root = reader.root();
  auto options = std::make_shared<FilesOptions>();
  const std::string format = text_or(root, "format");
  if (!format.empty()) {
    options->form = format == "json"      ? FileForm::kJson
                    : format == "parquet" ? FileForm::kParquet
                    : format == "excel"   ? FileForm::kExcel
                    : format == "xml"     ? FileForm::kXml
                                          : FileForm::kCsv;
  }
  options->allow_outside = flag(root, "allow_outside");
  if (const auto* csv = root.find("csv")) read_csv(reader, *csv, options->csv);
  const yaml::Node nothing;
  const auto* http = root.find("http");
  options->http = read_http(reader, http ? *http : nothing);
  if (const auto* tables = root.find("tables")) add_secrets(reader, *tables, options->http.secrets);
  if (const auto* sftp = root.find("sftp")) options->sftp = read_sftp(reader, *sftp);
  if (const auto* connection = root.find("connection")) {
    auto& remote = options->remote.emplace();
    remote.endpoint = connection->find("endpoint")->text;
    remote.region = connection->find("region")->text;
    remote.access_key = connection->find("access_key")->text;
    remote.secret_key = connection->find("secret_key")->text;
    remote.path_style = flag(*connection, "path_style");
  }
  config.options = std::move(options);
}

void read_files_table(const ConfigReader& reader, const yaml::Node& node,
                      const SourceConfig& config, TableConfig& table) {
  auto options = std::make_shared<FilesTableOptions>();
  const auto& source = files_options(config);
  options->path = text_or(node, "path");
  options->only_new = flag(node, "only_new");
  options->taking.records = text_or(node, "records");
  options->taking.members = text_or(node, "members");
  options->taking.sheet.sheet = text_or(node, "sheet");
  options->taking.sheet.range = text_or(node, "range");
  if (node.find("header")) options->taking.sheet.header = flag(node, "header");
  check_path(reader, node, source, *options);
  const auto form = source.form ? source.form : form_of(options->path);
  if (form == FileForm::kJson && !options->taking.records.empty()) {
    try {
      RecordPath::parse(options->taking.records);
    } catch (const Error& error) {
      reader.complain(*node.find("records"), error.message(), error.hint());
    }
  }
  table.options = std::move(options);
}

std::string dated(const std::string& path, const std::string& run_date) {
  std::tm day{};
  if (!strptime(run_date.c_str(), "%Y-%m-%d", &day)) return path;
  std::string out;
  size_t at = 0;
  while (true) {
    const size_t begin = path.find(kDate, at);
    const size_t end = begin == std::string::npos ? begin : path.find('}', begin);
    if (end == std::string::npos) return out + path.substr(at);
    const size_t inside = begin + kDate.size();
    std::string pattern = path.substr(inside, end - inside);
    const bool ours = pattern.empty() || pattern.starts_with(':');
    pattern = pattern.empty() ? "%Y-%m-%d" : pattern.substr(1);
    char text[128];
    const size_t size = ours ? std::strftime(text, sizeof text, pattern.c_str(), &day) : 0;
    out += path.substr(at, begin - at);
    out += ours ? std::string(text, size) : path.substr(begin, end + 1 - begin);
    at = end + 1;
  }
}

}  // namespace meesh::ingest
