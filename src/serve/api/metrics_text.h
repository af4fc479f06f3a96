// Prometheus' text format, version 0.0.4: families of samples, each with its help and its type.
//
//   MetricsText text;
//   text.family("meesh_stream_rows_total", "counter", "Rows written");
//   text.sample({{"stream", "sales"}}, 17);
//   response.text(text.text(), MetricsText::kContentType);
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meesh::serve::api {

class MetricsText {
 public:
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

  /// What samples belong to from now on. `type`: "counter", "gauge". Names of families and labels
  /// are ours and are not checked; a family is begun once. One without samples is not written.
  void family(std::string_view name, std::string_view type, std::string_view help);
  /// Values and help may be any UTF-8.
  void sample(const Labels& labels, double value);
  void sample(double value) { sample({}, value); }

  std::string text() const { return text_; }

 private:
  std::string name_, head_;  // of the family; the head waits for its first sample
  std::string text_;
};

}  // namespace meesh::serve::api
