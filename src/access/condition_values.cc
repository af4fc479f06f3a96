#include "access/condition_values.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"

namespace meesh::access {
namespace {

/// Takes `digits` digits off the front; nothing if they are not all there.
std::optional<int> take_number(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "", "Z" or "+02:00".
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
  using std::chrono::minutes;
  if (text.empty() || text == "Z" || text == "z") return minutes(0);
  const int sign = text.front() == '-' ? -1 : 1;
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const auto hours = take_number(text, 2);
  take(text, ':');
  const auto rest = take_number(text, 2);
  if (!hours || !rest || !text.empty() || *hours > 23 || *rest > 59) return std::nullopt;
  return minutes(sign * (*hours * 60 + *rest));
}

/// "10:00[:00[.5]]" and an offset.
std::optional<std::chrono::milliseconds> parse_time(std::string_view text) {
  using std::chrono::milliseconds;
  const auto hours = take_number(text, 2);
  if (!hours || !take(text, ':')) return std::nullopt;
  const auto minutes = take_number(text, 2);
  int seconds = 0;
  int thousandths = 0;
  if (take(text, ':')) {
    const auto whole = take_number(text, 2);
    if (!whole) return std::nullopt;
    seconds = *whole;
    if (take(text, '.')) {
      if (text.empty() || !all_digits(text.substr(0, 1))) return std::nullopt;
      for (int scale = 100; !text.empty() && all_digits(text.substr(0, 1)); scale /= 10) {
        thousandths += (text.front() - '0') * scale;
        text.remove_prefix(1);
      }
    }
  }
  const auto offset = parse_offset(text);
  if (!minutes || !offset || *hours > 23 || *minutes > 59 || seconds > 59) return std::nullopt;
  return milliseconds(((*hours * 60 + *minutes) * 60 + seconds) * 1000 + thousandths) - *offset;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::chrono::sys_time<std::chrono::milliseconds>> parse_date(std::string_view text) {
  using namespace std::chrono;  // NOLINT(build/namespaces)
  if (text.size() > 4 && all_digits(text)) {
    long long since = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), since);
    if (error != std::errc() || since > 253402300799) return std::nullopt;  // the year 9999
    return sys_time<milliseconds>(seconds(since));
  }
  const auto y = take_number(text, 4);
  if (!y) return std::nullopt;
  int m = 1;
  int d = 1;
  bool has_day = false;
  if (!text.empty()) {
    const auto found = take(text, '-') ? take_number(text, 2) : std::nullopt;
    if (!found) return std::nullopt;
    m = *found;
    if (take(text, '-')) {
      const auto day_of_month = take_number(text, 2);
      if (!day_of_month) return std::nullopt;
      d = *day_of_month;
      has_day = true;
    }
  }
  const year_month_day date{year(*y), month(static_cast<unsigned>(m)),
                            day(static_cast<unsigned>(d))};
  if (!date.ok()) return std::nullopt;
  const sys_time<milliseconds> midnight = sys_days(date);
  if (text.empty()) return midnight;
  if (!has_day || !take(text, 'T')) return std::nullopt;
  const auto time = parse_time(text);
  if (!time) return std::nullopt;
  return midnight + *time;
}

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string lower = to_lower(text);
  if (lower == "true") return true;
  if (lower == "false") return false;
  return std::nullopt;
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
  const size_t slash = std::min(text.find('/'), text.size());
  const std::string host(text.substr(0, slash));
  AddressRange range;
  int most = 128;
  int before = 0;  // bits that the notation leaves out
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    range.address[10] = range.address[11] = 0xFF;
    std::copy_n(reinterpret_cast<const unsigned char*>(&v4), 4, range.address.begin() + 12);
    most = 32;
    before = 96;
  } else if (inet_pton(AF_INET6, host.c_str(), range.address.data()) != 1) {
    return std::nullopt;
  }
  range.bits = most + before;
  if (slash < text.size()) {
    const std::string_view digits = text.substr(slash + 1);
    int bits = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc() || end != digits.data() + digits.size() || !all_digits(digits) ||
        bits > most) {
      return std::nullopt;
    }
    range.bits = bits + before;
  }
  return range;
}

bool AddressRange::contains(const AddressRange& other) const {
  if (other.bits < bits) return false;
  for (int bit = 0; bit < bits; bit += 8) {
    const int count = std::min(bits - bit, 8);
    const auto mask = static_cast<unsigned char>(0xFF00u >> count);
    const auto index = static_cast<size_t>(bit / 8);
    if (((address[index] ^ other.address[index]) & mask) != 0) return false;
  }
  return true;
}

bool AddressRange::wide() const {
  const bool v4 = std::all_of(address.begin(), address.begin() + 10,
                              [](unsigned char byte) { return byte == 0; }) &&
                  address[10] == 0xFF && address[11] == 0xFF && bits >= 96;
  return bits < (v4 ? 96 + 8 : 32);
}

ArnPattern ArnPattern::compile(std::string_view text, bool variables) {
  const PatternOptions options{.variables = variables};
  ArnPattern arn;
  if (text == "*") {
    arn.parts_.push_back(Pattern::compile(text, options));
    return arn;
  }
  size_t start = 0;
  for (size_t at = 0; at < text.size() && arn.parts_.size() < 5; ++at) {
    if (variables && text.substr(at, 2) == "${") {
      at = std::min(text.find('}', at), text.size());
    } else if (text[at] == ':') {
      arn.parts_.push_back(Pattern::compile(text.substr(start, at - start), options));
      start = at + 1;
    }
  }
  arn.parts_.push_back(Pattern::compile(text.substr(start), options));
  if (arn.parts_.size() != 6) {
    throw Error(Code::kInvalidArguments, fmt::format("'{}' is not an ARN", text))
        .with_hint("expected arn:partition:service:region:account:resource");
  }
  return arn;
}

bool ArnPattern::matches(std::string_view arn, const Facts& facts) const {
  if (parts_.size() == 1) return true;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const bool last = i + 1 == parts_.size();
    const size_t end = last ? arn.size() : arn.find(':');
    if (end == std::string_view::npos || !parts_[i].matches(arn.substr(0, end), facts)) {
      return false;
    }
    if (!last) arn.remove_prefix(end + 1);
  }
  return true;
}

bool ArnPattern::fixed() const {
  return std::all_of(parts_.begin(), parts_.end(),
                     [](const Pattern& part) { return part.fixed(); });
}

}  // namespace meesh::access
