// Records within files, taken out as lines of JSON: those of a JSON file that are not its outermost
// list, and elements of XML.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/task.h"

namespace meesh::ingest {

/// `records`: a path as RecordPath has it. `shown`: the file's name in errors. Throws
/// INVALID_ARGUMENTS if the file is no JSON or holds nothing there.
void write_json_records(const std::filesystem::path& file, const std::string& records,
                        const std::string& shown, const std::filesystem::path& lines);

/// `records`: an XPath of the elements that are records; "" = the children of the outermost one.
/// Attributes and elements without elements are values: numbers and booleans where each record has
/// such, else texts; elements that come several times are arrays; what has elements inside is an
/// object.
void write_xml_records(const std::filesystem::path& file, const std::string& records,
                       const std::string& shown, const std::filesystem::path& lines);
/// The same of a text, into a text.
std::string xml_records(std::string_view xml, const std::string& records);

}  // namespace meesh::ingest
