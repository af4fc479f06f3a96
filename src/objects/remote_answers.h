// What another S3 answers, as this room's values: errors, headers of objects, XML.
#pragma once

#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "net/http.h"
#include "objects/store.h"

namespace meesh::objects {

/// The error an answer stands for, by its code's name, else by its status. `of_bucket`: a 404
/// without a word is about the bucket, not the key.
ObjectError remote_error(const net::ClientResponse& response, bool of_bucket);
/// <Code> of an error answer, "" if there is none.
std::string remote_error_code(const net::ClientResponse& response);

/// Throws kInternalError if it is no XML, and the error it is, if it is one (copies and completions
/// are answered with 200 before the outcome is known).
class RemoteDocument {
 public:
  explicit RemoteDocument(const net::ClientResponse& response);
  pugi::xml_node root() const { return document_.document_element(); }

 private:
  pugi::xml_document document_;
};
std::string text_of(pugi::xml_node node, const char* child);
/// As text_of, with encoding-type=url undone.
std::string key_of(pugi::xml_node node, const char* child);
uint64_t number_of(pugi::xml_node node, const char* child);
bool flag_of(pugi::xml_node node, const char* child);
Time time_of(pugi::xml_node node, const char* child);
std::string etag_of(std::string_view quoted);  // without quotes

/// A document to send.
class RemoteXml {
 public:
  explicit RemoteXml(const char* root);
  pugi::xml_node root() const { return document_.document_element(); }
  std::string text() const;

 private:
  pugi::xml_document document_;
};
pugi::xml_node add_text(pugi::xml_node parent, const char* name, std::string_view value);

/// Key, version, size and everything headers tell of an object; not its tags, owner and parts.
Object object_of(const std::string& key, const net::Headers& headers);
Checksums checksums_of(const net::Headers& headers);
Tags tags_of(pugi::xml_node tagging);
std::string tagging_document(const Tags& tags);

std::string header_of(const net::Headers& headers, std::string_view name);  // "" if absent
std::optional<Time> parse_http_date(std::string_view text);
std::string http_date(Time time);
std::optional<Time> parse_iso_date(std::string_view text);
std::string iso_date(Time time);

/// Content-Type, x-amz-meta-… and so on. Throws kInvalidArgument for values no header can hold.
void add_attribute_headers(const Attributes& attributes, net::Headers& headers);
/// `prefix`: "x-amz-" or, for the source of a copy, "x-amz-copy-source-".
void add_customer_key_headers(const CustomerKey& key, std::string_view prefix,
                              net::Headers& headers);
void add_encryption_headers(Encryption encryption, const CustomerKey& key, net::Headers& headers);
void add_condition_headers(const WriteCondition& condition, net::Headers& headers);
/// `prefix`: "" or "x-amz-copy-source-".
void add_condition_headers(const ReadCondition& condition, std::string_view prefix,
                           net::Headers& headers);

}  // namespace meesh::objects
