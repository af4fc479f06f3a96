#include "app/demo_produce.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "app/language.h"
#include "base/error.h"
#include "streams/demo_events.h"
#include "streams/kafka/producer.h"

namespace meesh::app {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kTick{100};         // between looks at the queue and progress lines
constexpr milliseconds kConfirm{120'000};  // for what is under way at the end
constexpr milliseconds kConfirmCanceled{10'000};
constexpr uint64_t kLook = 1024;  // events between looks at the clock when there is no rate

struct ProduceOptions {
  std::string topic = "ventes-temps-reel";
  streams::KafkaSettings kafka;
  streams::DemoEventOptions events;
  std::string rate = "10/s", kind = "sales", start, clock_skew = "0s";
  std::optional<uint64_t> count;
  int partitions = 1;
  bool json = false;
};

std::string words(std::string_view english, std::string_view french) {
  return std::string(say(english, french));
}

std::atomic<bool> interrupted = false;

/// The first Ctrl-C ends in good order, the second at once.
void on_interrupt(int) {
  if (interrupted.exchange(true)) _exit(130);
}

// ---- options

/// Events a second; 0 = as fast as it goes. Nothing for a text that is no rate.
std::optional<double> rate_of(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  if (end == text.c_str() || !(number >= 0 && number <= 1e9)) return std::nullopt;
  if (unit.empty() || unit == "/s") return number;
  if (unit == "/m" || unit == "/min") return number / 60;
  if (unit == "/h") return number / 3600;
  return std::nullopt;
}

/// "500ms", "-10s", "5m", "1h".
std::optional<milliseconds> time_span_of(const std::string& text) {
  static const std::map<std::string, double> kUnits = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const auto unit = kUnits.find(end);
  if (end == text.c_str() || unit == kUnits.end() || !(std::abs(number * unit->second) < 1e15)) {
    return std::nullopt;
  }
  return milliseconds(static_cast<int64_t>(number * unit->second));
}

/// Milliseconds since 1970 of "2025-01-15" or "2025-01-15T10:00:00Z".
std::optional<int64_t> instant_of(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, read = 0;
  const char* from = text.c_str();
  if (std::sscanf(from, "%4d-%2d-%2d%n", &year, &month, &day, &read) != 3) return std::nullopt;
  from += read;
  if (*from != 0) {
    read = 0;
    std::sscanf(from, "T%2d:%2d:%2dZ%n", &hour, &minute, &second, &read);
    if (read == 0 || from[read] != 0) return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 59) {
    return std::nullopt;
  }
  const auto midnight = std::chrono::sys_days(date).time_since_epoch();
  return milliseconds(midnight).count() + ((hour * 60 + minute) * 60 + second) * 1000LL;
}

template <auto kParse>
CLI::Validator reads(std::string examples) {
  return {[examples](std::string& text) {
            return kParse(text) ? "" : fmt::format("'{}': {}", text, examples);
          },
          ""};
}

// ---- production

int64_t now_ms() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

struct Produced {
  uint64_t sent = 0, malformed = 0, late = 0, bytes = 0;
  double seconds = 0;
};

class Production {
 public:
  explicit Production(const ProduceOptions& options)
      : options_(options),
        rate_(*rate_of(options.rate)),
        events_(options.events),
        producer_(options.kafka, {}) {
    if (!options.start.empty()) start_ms_ = instant_of(options.start);
    producer_.create_topic(options.topic, options.partitions);
  }

  Produced run() {
    std::signal(SIGINT, on_interrupt);
    std::signal(SIGTERM, on_interrupt);
    while (!interrupted && !done()) {
      const uint64_t due = std::min(due_now(), options_.count.value_or(UINT64_MAX));
      while (produced_.sent < due && !interrupted) send_next();
      look();
      if (rate_ > 0 && !done()) wait();
    }
    confirm();
    if (isatty(STDERR_FILENO)) fmt::print(stderr, "\r\x1b[K");
    produced_.seconds = seconds();
    return produced_;
  }

 private:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - began_).count(); }
  bool done() const { return options_.count && produced_.sent >= *options_.count; }

  /// How many should be sent by now; at once the first.
  uint64_t due_now() const {
    if (rate_ == 0) return produced_.sent + kLook;
    return static_cast<uint64_t>(seconds() * rate_) + 1;
  }

  /// When the event takes place: now, or so long after --start as its number says.
  int64_t moment() const {
    if (!start_ms_) return now_ms();
    const double step = rate_ > 0 ? 1000 / rate_ : 1;
    return *start_ms_ + static_cast<int64_t>(static_cast<double>(produced_.sent) * step);
  }

  void send_next() {
    events_.make(produced_.sent, moment(), event_);
    // Old messages are the first that retention takes: with --start only what is in them is old.
    producer_.send(options_.topic, event_.key, event_.value, start_ms_ ? 0 : event_.timestamp_ms);
    ++produced_.sent;
    produced_.malformed += event_.malformed ? 1 : 0;
    produced_.late += event_.late ? 1 : 0;
    produced_.bytes += event_.key.size() + event_.value.size();
  }

  /// Waits for what is under way; throws if it does not arrive.
  void confirm() {
    const auto ended = Clock::now();
    while (producer_.unconfirmed() > 0 &&
           Clock::now() - ended < (interrupted ? kConfirmCanceled : kConfirm)) {
      look();
      std::this_thread::sleep_for(milliseconds(10));
    }
    producer_.flush(milliseconds(1));
  }

  /// Notices what was not delivered, and tells how far it came.
  void look() {
    if (Clock::now() - looked_ < kTick) return;
    looked_ = Clock::now();
    const uint64_t waiting = producer_.unconfirmed();
    if (!isatty(STDERR_FILENO)) return;
    fmt::print(stderr, "\r\x1b[K{} {}, {:.0f}/s, {} {}",
               produced_.sent - std::min(waiting, produced_.sent), say("sent", "envoyés"),
               static_cast<double>(produced_.sent) / std::max(seconds(), 0.001), waiting,
               say("under way", "en route"));
  }

  void wait() const {
    const double next = static_cast<double>(produced_.sent) / rate_ - seconds();
    if (next > 0)
      std::this_thread::sleep_for(std::min<Clock::duration>(
          std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(next)), kTick));
  }

  const ProduceOptions& options_;
  const double rate_;
  std::optional<int64_t> start_ms_;
  const streams::DemoEvents events_;
  streams::KafkaProducer producer_;
  streams::DemoEvent event_;
  Produced produced_;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point looked_{};
};

void report(const ProduceOptions& options, const Produced& produced) {
  if (options.json) {
    const boost::json::object out = {
        {"topic", options.topic},      {"kind", options.kind},
        {"sent", produced.sent},       {"malformed", produced.malformed},
        {"late", produced.late},       {"bytes", produced.bytes},
        {"seconds", produced.seconds}, {"interrupted", interrupted.load()}};
    fmt::print("{}\n", boost::json::serialize(out));
    return;
  }
  fmt::print("{} {} '{}': {} {}, {} {}, {:.1f} s\n", produced.sent,
             say("messages sent to", "messages envoyés à"), options.topic, produced.malformed,
             say("malformed", "mal formés"), produced.late, say("late", "en retard"),
             produced.seconds);
}

int produce(ProduceOptions& options) {
  options.events.kind =
      options.kind == "payments" ? streams::DemoKind::kPayments : streams::DemoKind::kSales;
  options.events.clock_skew = *time_span_of(options.clock_skew);
  if (const char* password = std::getenv("MEESH_KAFKA_PASSWORD")) options.kafka.password = password;
  Production production(options);
  report(options, production.run());
  const bool all = !interrupted || !options.count;  // without a number Ctrl-C is the end
  return all ? 0 : 130;
}

void add_kafka_options(CLI::App& command, ProduceOptions& options) {
  command
      .add_option(
          "--brokers", options.kafka.brokers,
          words("Kafka's brokers: host:port,host:port", "Courtiers de Kafka : hôte:port,hôte:port"))
      ->capture_default_str();
  command.add_flag("--tls", options.kafka.tls,
                   words("Over TLS (implied by --ca)", "En TLS (sous-entendu par --ca)"));
  command.add_option_function<std::string>(
      "--ca",
      [&options](const std::string& file) {
        options.kafka.ca = file;
        options.kafka.tls = true;
      },
      words("Certificates that the brokers' is checked with (PEM)",
            "Certificats qui vérifient celui des courtiers (PEM)"));
  command.add_option("--certificate", options.kafka.certificate,
                     words("Own certificate (PEM)", "Certificat du client (PEM)"));
  command.add_option("--key", options.kafka.key, words("Its key (PEM)", "Sa clé (PEM)"));
  command.add_option("--sasl", options.kafka.mechanism,
                     words("Mechanism of SASL: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512",
                           "Mécanisme SASL : PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"));
  command.add_option("--user", options.kafka.user,
                     words("User of SASL; the password is in MEESH_KAFKA_PASSWORD",
                           "Utilisateur SASL ; le mot de passe est dans MEESH_KAFKA_PASSWORD"));
  command.add_option_function<std::vector<std::string>>(
      "--property",
      [&options](const std::vector<std::string>& all) {
        for (const auto& one : all) {
          const size_t at = one.find('=');
          if (at == one.npos) throw CLI::ValidationError("--property", one + ": name=value");
          options.kafka.properties[one.substr(0, at)] = one.substr(at + 1);
        }
      },
      words("A property of librdkafka: name=value", "Une propriété de librdkafka : nom=valeur"));
}

void add_event_options(CLI::App& command, ProduceOptions& options) {
  command.add_option("--kind", options.kind, words("What happens", "Ce qui se passe"))
      ->check(CLI::IsMember({"sales", "payments"}))
      ->capture_default_str();
  command
      .add_option("--rate", options.rate,
                  words("Events a second: 10/s, 600/m; 0: as fast as it goes",
                        "Événements par seconde : 10/s, 600/m ; 0 : aussi vite que possible"))
      ->check(reads<&rate_of>(words("a rate is 10/s, 600/m or 0", "un débit est 10/s, 600/m ou 0")))
      ->capture_default_str();
  command.add_option("--count", options.count,
                     words("How many; without it until Ctrl-C", "Combien ; sinon jusqu'à Ctrl-C"));
  command
      .add_option("--seed", options.events.seed,
                  words("Same seed, same events", "Même graine, mêmes événements"))
      ->capture_default_str();
  command
      .add_option("--keys", options.events.keys,
                  words("Different keys: cash registers, users",
                        "Clés différentes : caisses, utilisateurs"))
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000'000}))
      ->capture_default_str();
  command
      .add_option("--malformed", options.events.malformed,
                  words("Share of messages that cannot be read: 0.01",
                        "Part des messages illisibles : 0.01"))
      ->check(CLI::Range(0.0, 1.0));
  command
      .add_option("--late", options.events.late,
                  words("Share that happened one to ten minutes before it is sent",
                        "Part survenue une à dix minutes avant l'envoi"))
      ->check(CLI::Range(0.0, 1.0));
  const std::string span =
      words("a time is 500ms, -10s, 5m, 1h", "une durée est 500ms, -10s, 5m, 1h");
  command
      .add_option("--clock-skew", options.clock_skew,
                  words("How much the producer's clock is ahead: 10s, -5m",
                        "Avance de l'horloge du producteur : 10s, -5m"))
      ->check(reads<&time_span_of>(span))
      ->capture_default_str();
  command
      .add_option("--start", options.start,
                  words("When the first event happens, the others as --rate says (0: 1 ms "
                        "apart): 2025-01-15T10:00:00Z; else now",
                        "Moment du premier événement, les autres selon --rate (0 : à 1 ms) : "
                        "2025-01-15T10:00:00Z ; sinon maintenant"))
      ->check(reads<&instant_of>("2025-01-15, 2025-01-15T10:00:00Z"));
}

}  // namespace

void add_demo_produce(CLI::App& demo, int& exit_code) {
  auto options = std::make_shared<ProduceOptions>();
  options->kafka.brokers = "127.0.0.1:9092";
  auto* command = demo.add_subcommand(
      "produce", words("Send generated sales or payments to a Kafka topic",
                       "Envoyer des ventes ou des paiements générés à un topic Kafka"));
  command
      ->add_option("--topic", options->topic,
                   words("Topic, made if it is not there", "Topic, créé s'il n'existe pas"))
      ->capture_default_str();
  command
      ->add_option("--partitions", options->partitions,
                   words("Of a topic that is made", "D'un topic créé"))
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  add_event_options(*command, *options);
  add_kafka_options(*command, *options);
  command->add_flag("--json", options->json,
                    words("Tell what was sent as JSON", "Dire en JSON ce qui a été envoyé"));
  command->footer(words("Examples:\n", "Exemples :\n") +
                  "  meesh demo produce\n"
                  "  meesh demo produce --rate 0 --count 1000000 --partitions 4\n"
                  "  meesh demo produce --topic payments --kind payments --malformed 0.01\n" +
                  words("Exit codes: 0 all sent, 1 Kafka failed, 2 wrong options, 130 canceled "
                        "before --count.",
                        "Codes de sortie : 0 tout est envoyé, 1 échec de Kafka, 2 options "
                        "fausses, 130 annulé avant --count."));
  command->callback([options, &exit_code] { exit_code = produce(*options); });
}

}  // namespace meesh::app
