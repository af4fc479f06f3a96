// Colours for terminals: color, rgb, render, bar. A colour is text, as Trino shows its own type:
// one of eight names, or #rrggbb.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/functions/kernels.h"
#include "engine/functions/text.h"

namespace meesh::engine {
namespace {

using View = std::string_view;
using Rgb = std::array<int, 3>;

constexpr std::array<View, 8> kNames = {"black", "red",     "green", "yellow",
                                        "blue",  "magenta", "cyan",  "white"};

std::string rgb(int64_t red, int64_t green, int64_t blue) {
  const std::pair<const char*, int64_t> parts[] = {{"red", red}, {"green", green}, {"blue", blue}};
  for (const auto& [name, value] : parts)
    if (value < 0 || value > 255)
      raise(Code::kInvalidFunctionArgument, std::string(name) + " must be between 0 and 255");
  return fmt::format("#{:02x}{:02x}{:02x}", red, green, blue);
}

int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/// "#f00", or a name in any case.
std::string color(View text) {
  if (text.size() == 4 && text[0] == '#') {
    const int red = hex_digit(text[1]), green = hex_digit(text[2]), blue = hex_digit(text[3]);
    if (red >= 0 && green >= 0 && blue >= 0) return rgb(red * 17, green * 17, blue * 17);
  }
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (std::find(kNames.begin(), kNames.end(), name) == kNames.end())
    raise(Code::kInvalidFunctionArgument, "Invalid color: '" + std::string(text) + "'");
  return name;
}

/// The parts of #rrggbb; nullopt for a name.
std::optional<Rgb> parts_of(View color) {
  if (color.size() != 7 || color[0] != '#') return std::nullopt;
  Rgb out{};
  for (size_t i = 0; i < 3; ++i)
    out[i] = hex_digit(color[1 + 2 * i]) * 16 + hex_digit(color[2 + 2 * i]);
  return out;
}

/// Hue, saturation and brightness, each of 0 … 1, in the float arithmetic of java.awt.Color.
std::array<float, 3> to_hsb(const Rgb& rgb) {
  const int high = *std::max_element(rgb.begin(), rgb.end());
  const int low = *std::min_element(rgb.begin(), rgb.end());
  const float brightness = static_cast<float>(high) / 255.0F;
  if (high == low) return {0, 0, brightness};
  const float range = static_cast<float>(high - low);
  const auto share = [&](int part) { return static_cast<float>(high - part) / range; };
  const float red = share(rgb[0]), green = share(rgb[1]), blue = share(rgb[2]);
  float hue = rgb[0] == high   ? blue - green
              : rgb[1] == high ? 2.0F + red - blue
                               : 4.0F + green - red;
  hue /= 6.0F;
  return {hue < 0 ? hue + 1.0F : hue, range / static_cast<float>(high), brightness};
}

Rgb from_hsb(float hue, float saturation, float brightness) {
  const auto byte = [](float v) { return static_cast<int>(v * 255.0F + 0.5F); };
  const int value = byte(brightness);
  if (saturation == 0) return {value, value, value};
  const float h = (hue - std::floor(hue)) * 6.0F, f = h - std::floor(h);
  const int p = byte(brightness * (1.0F - saturation));
  const int q = byte(brightness * (1.0F - saturation * f));
  const int t = byte(brightness * (1.0F - saturation * (1.0F - f)));
  switch (static_cast<int>(h)) {
    case 0:
      return {value, t, p};
    case 1:
      return {q, value, p};
    case 2:
      return {p, value, t};
    case 3:
      return {p, q, value};
    case 4:
      return {t, p, value};
    default:
      return {value, p, q};
  }
}

Rgb between(float fraction, View low_color, View high_color) {
  const auto low_parts = parts_of(low_color), high_parts = parts_of(high_color);
  if (!low_parts || !high_parts)
    raise(Code::kInvalidFunctionArgument, "color is not a valid rgb value");
  const auto low = to_hsb(*low_parts), high = to_hsb(*high_parts);
  const auto mixed = [&](size_t i) { return fraction * (high[i] - low[i]) + low[i]; };
  return from_hsb(mixed(0), mixed(1), mixed(2));
}

std::string mixed_color(double fraction, View low, View high) {
  if (!parts_of(low)) raise(Code::kInvalidFunctionArgument, "lowColor not a valid RGB color");
  if (!parts_of(high)) raise(Code::kInvalidFunctionArgument, "highColor not a valid RGB color");
  const Rgb out = between(static_cast<float>(std::clamp(fraction, 0.0, 1.0)), low, high);
  return rgb(out[0], out[1], out[2]);
}

/// The escape sequence that switches to the colour, of the 256 that terminals have.
std::string escape(const Rgb& rgb) {
  const auto step = [](int part) { return part * 6 / 256; };
  return fmt::format("\x1b[38;5;{}m", 16 + step(rgb[0]) * 36 + step(rgb[1]) * 6 + step(rgb[2]));
}
std::string escape(View color) {
  if (auto parts = parts_of(color)) return escape(*parts);
  const auto found = std::find(kNames.begin(), kNames.end(), color);
  if (found == kNames.end())
    raise(Code::kInvalidFunctionArgument, "Invalid color: '" + std::string(color) + "'");
  return fmt::format("\x1b[38;5;{}m", found - kNames.begin());
}

std::string render(View text, View color) { return escape(color) + std::string(text) + "\x1b[0m"; }

std::string bar(double percent, int64_t width, View low, View high) {
  constexpr int64_t kWidest = 1'000'000;
  if (width > kWidest)
    raise(Code::kInvalidFunctionArgument, "bar takes at most 1000000 characters");
  const double wanted = std::isnan(percent) ? 0 : percent * static_cast<double>(width);
  const auto count = static_cast<int64_t>(
      std::clamp(wanted, 0.0, static_cast<double>(std::max<int64_t>(width, 0))));
  std::string out;
  for (int64_t i = 0; i < count; ++i) {
    const double at = width > 1 ? static_cast<double>(i) / static_cast<double>(width - 1) : 0;
    out += escape(between(static_cast<float>(at), low, high)) + "\xe2\x96\x88";
  }
  out += "\x1b[0m";
  if (width > count) out.append(static_cast<size_t>(width - count), ' ');
  return out;
}

}  // namespace

void register_color_kernels(duckdb::ExtensionLoader& loader) {
  add_kernel<View>(loader, "meesh_color", {kText}, kText, color);
  add_kernel<int64_t, int64_t, int64_t>(loader, "meesh_rgb", {kLong, kLong, kLong}, kText, rgb);
  add_kernel<double, View, View>(loader, "meesh_mixed_color", {kDouble, kText, kText}, kText,
                                 mixed_color);
  add_kernel<View, View>(loader, "meesh_render", {kText, kText}, kText, render);
  add_kernel<double, View>(loader, "meesh_render_double", {kDouble, kText}, kText,
                           [](double v, View color) { return render(java_double(v), color); });
  add_kernel<double, int64_t, View, View>(loader, "meesh_bar", {kDouble, kLong, kText, kText},
                                          kText, bar);
}

}  // namespace meesh::engine
