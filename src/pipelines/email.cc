// Mail through libcurl's SMTP.
#include <curl/curl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <mutex>

#include "base/text.h"
#include "base/uuid.h"
#include "pipelines/alerts.h"

namespace meesh::pipelines {
namespace {

constexpr long kSeconds = 30;
constexpr size_t kLine = 72;

/// RFC 2047 where it is not plain ASCII; line ends would begin headers of their own.
std::string header_text(std::string text) {
  bool plain = true;
  for (char& c : text) {
    if (c == '\r' || c == '\n') c = ' ';
    plain = plain && static_cast<unsigned char>(c) < 0x80;
  }
  return plain ? text : fmt::format("=?UTF-8?B?{}?=", base::to_base64(text));
}

std::string message_of(const mesh::Smtp& server, const Email& email) {
  const std::string domain = server.from.substr(server.from.find('@') + 1);
  std::string text = fmt::format(
      "Date: {:%a, %d %b %Y %H:%M:%S} +0000\r\nFrom: {}\r\nTo: {}\r\nMessage-ID: <{}@{}>\r\n"
      "Subject: {}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n",
      fmt::gmtime(std::time(nullptr)), header_text(server.from), header_text(email.to),
      base::random_uuid(), domain, header_text(email.subject));
  const std::string body = base::to_base64(email.text);
  for (size_t at = 0; at < body.size(); at += kLine) text += body.substr(at, kLine) + "\r\n";
  return text;
}

struct Upload {
  std::string text;
  size_t sent = 0;
};

size_t read_upload(char* to, size_t size, size_t count, void* from) {
  auto& upload = *static_cast<Upload*>(from);
  const size_t length = std::min(size * count, upload.text.size() - upload.sent);
  std::memcpy(to, upload.text.data() + upload.sent, length);
  upload.sent += length;
  return length;
}

}  // namespace

void send_email(const mesh::Smtp& server, const Email& email) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  char words[CURL_ERROR_SIZE] = "";
  const bool v6 = server.host.find(':') != std::string::npos;
  const std::string url = fmt::format("{}://{}{}{}:{}", server.tls == "tls" ? "smtps" : "smtp",
                                      v6 ? "[" : "", server.host, v6 ? "]" : "", server.port);
  const std::string from = "<" + server.from + ">", to = "<" + email.to + ">";
  Upload upload{message_of(server, email)};
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> recipients(
      curl_slist_append(nullptr, to.c_str()), &curl_slist_free_all);
  CURL* handle = curl.get();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT, kSeconds);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, words);
  curl_easy_setopt(handle, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(handle, CURLOPT_READFUNCTION, &read_upload);
  curl_easy_setopt(handle, CURLOPT_READDATA, &upload);
  curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
  // With STARTTLS it is required: without it, mails and passwords would travel in the clear.
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
              fmt::format("the mail to {} was not taken by {}:{}: {}", email.to, server.host,
                          server.port, *words != '\0' ? words : curl_easy_strerror(result)));
}

}  // namespace meesh::pipelines
