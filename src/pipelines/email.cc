// Mail through libcurl's MIME and SMTP.
#include <curl/curl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <memory>
#include <mutex>

#include "base/text.h"
#include "base/uuid.h"
#include "pipelines/alerts.h"

namespace meesh::pipelines {
namespace {

constexpr long kSeconds = 60;

/// RFC 2047 where it is not plain ASCII; line ends would begin headers of their own.
std::string header_text(std::string text) {
  bool plain = true;
  for (char& c : text) {
    if (c == '\r' || c == '\n') c = ' ';
    plain = plain && static_cast<unsigned char>(c) < 0x80;
  }
  return plain ? text : fmt::format("=?UTF-8?B?{}?=", base::to_base64(text));
}

struct Lines {
  curl_slist* list = nullptr;
  Lines() = default;
  ~Lines() { curl_slist_free_all(list); }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

void add_headers(Lines& to, const mesh::Smtp& server, const Email& email) {
  to.add(fmt::format("Date: {:%a, %d %b %Y %H:%M:%S} +0000", fmt::gmtime(std::time(nullptr))));
  to.add("From: " + header_text(server.from));
  to.add("To: " + header_text(email.to));
  to.add(fmt::format("Message-ID: <{}@{}>", base::random_uuid(),
                     server.from.substr(server.from.find('@') + 1)));
  to.add("Subject: " + header_text(email.subject));
}

void add_part(curl_mime* mime, const std::string& content, const std::string& type,
              const std::string& file_name) {
  curl_mimepart* part = curl_mime_addpart(mime);
  curl_mime_data(part, content.data(), content.size());
  curl_mime_type(part, type.c_str());
  if (!file_name.empty()) curl_mime_filename(part, file_name.c_str());
  curl_mime_encoder(part, "base64");
}

/// Where, how private, and as whom.
void set_server(CURL* handle, const mesh::Smtp& server) {
  const bool v6 = server.host.find(':') != std::string::npos;
  const std::string url = fmt::format("{}://{}{}{}:{}", server.tls == "tls" ? "smtps" : "smtp",
                                      v6 ? "[" : "", server.host, v6 ? "]" : "", server.port);
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT, kSeconds);
  // With STARTTLS it is required: without it, mails and passwords would travel in the clear.
  curl_easy_setopt(handle, CURLOPT_USE_SSL,
                   static_cast<long>(server.tls == "starttls" ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  if (!server.ca.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, server.ca.c_str());
  if (server.user.empty()) return;
  curl_easy_setopt(handle, CURLOPT_USERNAME, server.user.c_str());
  curl_easy_setopt(handle, CURLOPT_PASSWORD, server.password.c_str());
}

}  // namespace

void send_email(const mesh::Smtp& server, const Email& email) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  CURL* handle = curl.get();
  const std::unique_ptr<curl_mime, decltype(&curl_mime_free)> mime(curl_mime_init(handle),
                                                                   &curl_mime_free);
  add_part(mime.get(), email.text, "text/plain; charset=utf-8", "");
  for (const auto& file : email.attachments)
    add_part(mime.get(), file.content, file.content_type, file.name);
  Lines headers, recipients;
  add_headers(headers, server, email);
  recipients.add("<" + email.to + ">");
  const std::string from = "<" + server.from + ">";
  char words[CURL_ERROR_SIZE] = "";
  set_server(handle, server);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, words);
  curl_easy_setopt(handle, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, recipients.list);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.list);
  curl_easy_setopt(handle, CURLOPT_MIMEPOST, mime.get());
  const CURLcode result = curl_easy_perform(handle);
  if (result == CURLE_OK) return;
  throw Error(Code::kUnavailable,
              fmt::format("the mail to {} was not taken by {}:{}: {}", email.to, server.host,
                          server.port, *words != '\0' ? words : curl_easy_strerror(result)));
}

}  // namespace meesh::pipelines
