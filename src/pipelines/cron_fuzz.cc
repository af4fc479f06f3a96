// Any text: a schedule or an error; the moments of a schedule ascend.
#include <cstdint>

#include "base/error.h"
#include "pipelines/cron.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace meesh::pipelines;
  static const TimeZone kZones[] = {TimeZone::find("Europe/Paris"),
                                    TimeZone::find("Australia/Lord_Howe"), TimeZone::utc()};
  if (size < 4) return 0;
  const auto start = Seconds(std::chrono::seconds(1'700'000'000 + data[0] * 86'400 * 5 + data[1]));
  const TimeZone& zone = kZones[data[2] % 3];
  try {
    const Cron cron = Cron::parse({reinterpret_cast<const char*>(data) + 3, size - 3});
    auto at = cron.next(start, zone);
    for (int i = 0; at && i < 3; ++i) {
      const auto after = cron.next(*at, zone);
      if (*at <= start || (after && *after <= *at)) __builtin_trap();
      at = after;
    }
  } catch (const meesh::Error&) {
  }
  return 0;
}
