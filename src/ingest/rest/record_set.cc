#include "ingest/rest/record_set.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>

#include "base/error.h"
#include "base/uuid.h"
#include "ingest/decode/numbers.h"
#include "ingest/rest/json_view.h"

namespace meesh::ingest {

using Values = SeenColumn::Values;

namespace {

constexpr uint32_t kPageMark = 1u << 31;  // in the head of an entry: it is a page's name
constexpr size_t kMostColumns = 2000;
constexpr int kPrecision = 6;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

FILE* unnamed_file(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  int fd = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {  // a file system that has no files without names
    const auto name = folder / base::random_uuid();
    fd = open(name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    unlink(name.c_str());
  }
  FILE* file = fd < 0 ? nullptr : fdopen(fd, "w+b");
  if (!file)
    throw Error(Code::kIoError,
                fmt::format("cannot make a file in {}: {}", folder.string(), strerror(errno)));
  return file;
}

bool digits(std::string_view text, std::initializer_list<size_t> at) {
  for (const size_t i : at)
    if (text[i] < '0' || text[i] > '9') return false;
  return true;
}

Values values_of_text(std::string_view text) {
  const bool dated = text.size() >= 10 && text.size() <= 35 && text[4] == '-' && text[7] == '-' &&
                     digits(text, {0, 1, 2, 3, 5, 6, 8, 9});
  if (!dated) return Values::kText;
  if (text.size() == 10) return read_day(text) ? Values::kDate : Values::kText;
  if ((text[10] != 'T' && text[10] != ' ') || !read_instant(text, kPrecision)) return Values::kText;
  const bool zoned = text.find_first_of("Zz+-", 11) != std::string_view::npos;
  return zoned ? Values::kInstant : Values::kTimestamp;
}

Values values_of(std::string_view json) {
  switch (json[0]) {
    case 'n':
      return Values::kNone;
    case 't':
    case 'f':
      return Values::kBoolean;
    case '{':
    case '[':
      return Values::kText;
    case '"':
      if (json.find('\\') != std::string_view::npos) return Values::kText;
      return values_of_text(json.substr(1, json.size() - 2));
    default:
      if (json.find_first_of(".eE") != std::string_view::npos) return Values::kDouble;
      return whole(json) ? Values::kBigint : Values::kText;
  }
}

Values common(Values a, Values b) {
  if (a == b || b == Values::kNone) return a;
  if (a == Values::kNone) return b;
  const auto both = [&](Values x, Values y) { return (a == x && b == y) || (a == y && b == x); };
  if (both(Values::kBigint, Values::kDouble)) return Values::kDouble;
  if (both(Values::kDate, Values::kTimestamp)) return Values::kTimestamp;
  return Values::kText;
}

}  // namespace

sql::Type SeenColumn::type() const {
  using sql::Type;
  using sql::TypeKind;
  switch (values) {
    case Values::kBoolean:
      return Type::of(TypeKind::kBoolean);
    case Values::kBigint:
      return Type::of(TypeKind::kBigint);
    case Values::kDouble:
      return Type::of(TypeKind::kDouble);
    case Values::kDate:
      return Type::of(TypeKind::kDate);
    case Values::kTimestamp:
      return Type::of(TypeKind::kTimestamp, kPrecision);
    case Values::kInstant:
      return Type::of(TypeKind::kTimestampTz, kPrecision);
    case Values::kNone:
    case Values::kText:
      break;
  }
  return Type::varchar();
}

RecordSet::RecordSet(const std::filesystem::path& folder, bool flatten, std::string watched)
    : flatten_(flatten), watched_(std::move(watched)), file_(unnamed_file(folder), fclose) {}

void RecordSet::write(uint32_t head, std::string_view bytes) {
  if (bytes.size() >= kPageMark) throw Error(Code::kGenericExternal, "a record is too large");
  head |= static_cast<uint32_t>(bytes.size());
  if (fwrite(&head, sizeof head, 1, file_.get()) == 1 &&
      fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size())
    return;
  throw Error(errno == ENOSPC ? Code::kDiskFull : Code::kIoError,
              fmt::format("records cannot be put aside: {}", strerror(errno)));
}

void RecordSet::begin_page(std::string_view shown) { write(kPageMark, shown); }

void RecordSet::add(std::string_view record, const Wanted& wanted) {
  watched_value_.reset();
  size_t position = 0;
  each_member(record, [&](std::string_view name, std::string_view value) {
    if (flatten_ && is_object(value)) {
      see_inside(name, value);
    } else {
      see(name, value, position++);
    }
    return true;
  });
  if (!wanted(watched_value_)) return;
  write(0, record);
  ++records_;
  bytes_ += record.size();
}

void RecordSet::see(std::string_view name, std::string_view value, size_t position) {
  if (position < expected_.size() && expected_[position].name == name) {
    note(*expected_[position].column, value);
    return;
  }
  SeenColumn& seen = column({std::string(name)});
  if (expected_.size() <= position) expected_.resize(position + 1);
  expected_[position] = {std::string(name), &seen};
  note(seen, value);
}

void RecordSet::see_inside(std::string_view outer, std::string_view object) {
  each_member(object, [&](std::string_view name, std::string_view value) {
    note(column({std::string(outer), std::string(name)}), value);
    return true;
  });
}

SeenColumn& RecordSet::column(std::vector<std::string> path) {
  std::string name;
  for (const auto& part : path) name += (name.empty() ? "" : "__") + lower(part);
  if (name.empty()) name = "_";
  if (const auto found = by_name_.find(name); found != by_name_.end()) return *found->second;
  if (columns_.size() == kMostColumns) {
    throw Error(
        Code::kGenericExternal,
        fmt::format("records have more than {} fields; '{}' is one more", kMostColumns, name))
        .with_hint("names that are values: 'records' may end with .*, 'flatten' may be too much");
  }
  SeenColumn& made = columns_.emplace_back();
  made.name = name;
  made.path = std::move(path);
  by_name_.emplace(std::move(name), &made);
  return made;
}

void RecordSet::note(SeenColumn& column, std::string_view value) {
  if (column.values != Values::kText) column.values = common(column.values, values_of(value));
  if (!watched_.empty() && column.name == watched_ && !is_null(value)) watched_value_ = value;
}

void RecordSet::each(
    const std::function<void(std::string_view, const std::string&, uint64_t)>& use) {
  const auto broken = [] {
    return Error(Code::kIoError, "records put aside cannot be read again");
  };
  if (fflush(file_.get()) != 0) throw broken();
  rewind(file_.get());
  std::string page, record;
  uint64_t number = 0;
  uint32_t head = 0;
  while (fread(&head, sizeof head, 1, file_.get()) == 1) {
    record.resize(head & ~kPageMark);
    if (fread(record.data(), 1, record.size(), file_.get()) != record.size()) throw broken();
    if (head & kPageMark) {
      page = record;
      number = 0;
    } else {
      use(record, page, ++number);
    }
  }
  if (ferror(file_.get())) throw broken();
  fseek(file_.get(), 0, SEEK_END);
}

}  // namespace meesh::ingest
