// Mails with an attachment, through libcurl's MIME and SMTP.
#include <curl/curl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <memory>
#include <mutex>

#include "base/text.h"
#include "base/uuid.h"
#include "dashboards/reports.h"

namespace meesh::dashboards {
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

struct Lists {
  curl_slist* list = nullptr;
  ~Lists() { curl_slist_free_all(list); }
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

void add_parts(curl_mime* mime, const std::string& text, const ReportFile& file) {
  curl_mimepart* words = curl_mime_addpart(mime);
  curl_mime_data(words, text.data(), text.size());
  curl_mime_type(words, "text/plain; charset=utf-8");
  curl_mime_encoder(words, "base64");
  curl_mimepart* attached = curl_mime_addpart(mime);
  curl_mime_data(attached, file.content.data(), file.content.size());
  curl_mime_type(attached, file.content_type.c_str());
  curl_mime_filename(attached, file.name.c_str());
  curl_mime_encoder(attached, "base64");
}

}  // namespace

void mail_file(const mesh::Smtp& server, const std::string& to, const std::string& subject,
               const std::string& text, const ReportFile& file) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  CURL* handle = curl.get();
  const std::unique_ptr<curl_mime, decltype(&curl_mime_free)> mime(curl_mime_init(handle),
                                                                   &curl_mime_free);
  add_parts(mime.get(), text, file);
  Lists headers, recipients;
  headers.add(fmt::format("Date: {:%a, %d %b %Y %H:%M:%S} +0000", fmt::gmtime(std::time(nullptr))));
  headers.add("From: " + header_text(server.from));
  headers.add("To: " + header_text(to));
  headers.add(fmt::format("Message-ID: <{}@{}>", base::random_uuid(),
                          server.from.substr(server.from.find('@') + 1)));
  headers.add("Subject: " + header_text(subject));
  recipients.add("<" + to + ">");
  char words[CURL_ERROR_SIZE] = "";
  const bool v6 = server.host.find(':') != std::string::npos;
  const std::string url = fmt::format("{}://{}{}{}:{}", server.tls == "tls" ? "smtps" : "smtp",
                                      v6 ? "[" : "", server.host, v6 ? "]" : "", server.port);
  const std::string from = "<" + server.from + ">";
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT, kSeconds);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, words);
  curl_easy_setopt(handle, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, recipients.list);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.list);
  curl_easy_setopt(handle, CURLOPT_MIMEPOST, mime.get());
  curl_easy_setopt(handle, CURLOPT_USE_SSL,
                   static_cast<long>(server.tls == "starttls" ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  if (!server.ca.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, server.ca.c_str());
  if (!server.user.empty()) {
    curl_easy_setopt(handle, CURLOPT_USERNAME, server.user.c_str());
    curl_easy_setopt(handle, CURLOPT_PASSWORD, server.password.c_str());
  }
  const CURLcode result = curl_easy_perform(handle);
  if (result == CURLE_OK) return;
  throw Error(Code::kUnavailable,
              fmt::format("the mail to {} was not taken by {}:{}: {}", to, server.host, server.port,
                          *words != '\0' ? words : curl_easy_strerror(result)));
}

}  // namespace meesh::dashboards
