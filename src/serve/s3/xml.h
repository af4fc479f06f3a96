// XML in and out: pugixml with S3's limits, namespaces and errors.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "objects/store.h"

namespace meesh::serve::s3 {

inline constexpr size_t kMaxXmlBytes = 1 << 20;
inline constexpr int kMaxXmlDepth = 16;

/// Elements written straight into a text, for answers of a thousand alike.
class XmlRows {
 public:
  /// Makes room at once: a text that grows as it goes is moved again and again.
  void expect(size_t rows);
  void open(std::string_view name);
  void close(std::string_view name);
  void add(std::string_view name, std::string_view value);
  void add(std::string_view name, uint64_t value);
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// An answer under construction. Control characters in texts become numeric references, as S3's.
class XmlAnswer {
 public:
  explicit XmlAnswer(const char* root,
                     const char* name_space = "http://s3.amazonaws.com/doc/2006-03-01/");
  pugi::xml_node root() { return root_; }
  /// What stands behind the children of root().
  XmlRows& rows() { return rows_; }
  /// With the declaration, unless it went out before. To be asked for once, when all is there.
  std::string take_text(bool declaration = true);

 private:
  pugi::xml_document document_;
  pugi::xml_node root_;
  XmlRows rows_;
};

pugi::xml_node add(pugi::xml_node parent, const char* name);
void add(pugi::xml_node parent, const char* name, std::string_view value);
void add(pugi::xml_node parent, const char* name, uint64_t value);
void add_flag(pugi::xml_node parent, const char* name, bool value);

/// A document a client sent. Throws MalformedXML saying what is wrong: no XML, not UTF-8, too deep,
/// another root than `root`.
class XmlRequest {
 public:
  XmlRequest(std::string_view text, const char* root);
  pugi::xml_node root() const { return root_; }

 private:
  pugi::xml_document document_;
  pugi::xml_node root_;
};

/// Throws MalformedXML for a child element that is not one of `names`, so that nothing a client
/// asks for is silently left out.
void only_children(pugi::xml_node node, std::initializer_list<std::string_view> names);
/// Text of the child, nothing if there is no such child. Throws MalformedXML if there are several,
/// or the child has elements.
std::optional<std::string> child_text(pugi::xml_node node, const char* name);
/// As child_text; throws MalformedXML if it is missing.
std::string needed_text(pugi::xml_node node, const char* name);
std::optional<int64_t> child_number(pugi::xml_node node, const char* name);
[[noreturn]] void malformed_xml(const std::string& why);

/// <Tag><Key/><Value/></Tag>… of a <TagSet> (or <And>), checked as parse_tags does.
objects::Tags read_tag_set(pugi::xml_node set, size_t limit);
void add_tag_set(pugi::xml_node parent, const objects::Tags& tags);

}  // namespace meesh::serve::s3
