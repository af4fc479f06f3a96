#include "mesh/demo_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "mesh/demo_random.h"

namespace meesh::mesh {
namespace {

constexpr Day kCustomersFrom = 7671;  // 2021-01-01
constexpr Day kOrdersFrom = 8401;     // 2023-01-01
constexpr Day kEnd = 9497;            // 2026-01-01
constexpr Moment kDayMicros = 86'400'000'000;

enum Table : uint64_t { kCustomer = 1, kOrder, kCampaign, kLead };

struct Country {
  std::string_view name, code, dialing;
  int phone_digits;
  uint64_t weight;
  std::array<std::string_view, 24> first;
  std::array<std::string_view, 32> last;
};

constexpr std::array<Country, 6> kCountries{{
    {"United States",
     "us",
     "+1",
     10,
     30,
     {"James",  "Mary",      "Robert",  "Patricia", "John",    "Jennifer", "Michael", "Linda",
      "David",  "Elizabeth", "William", "Barbara",  "Richard", "Susan",    "Joseph",  "Jessica",
      "Thomas", "Sarah",     "Daniel",  "Karen",    "Emily",   "Olivia",   "Noah",    "Ethan"},
     {"Smith",     "Johnson",  "Williams", "Brown",    "Jones",  "Garcia", "Miller",   "Davis",
      "Rodriguez", "Martinez", "Wilson",   "Anderson", "Taylor", "Moore",  "Jackson",  "Lee",
      "Perez",     "Thompson", "White",    "Harris",   "Clark",  "Lewis",  "Robinson", "Walker",
      "Young",     "Allen",    "King",     "Wright",   "Scott",  "Torres", "Nguyen",   "Hill"}},
    {"France",
     "fr",
     "+33",
     9,
     25,
     {"Jean",    "Marie",  "Pierre",  "Camille", "Louis",  "Léa",   "Hugo", "Chloé",
      "Lucas",   "Manon",  "Gabriel", "Inès",    "Jules",  "Sarah", "Adam", "Zoé",
      "Raphaël", "Louise", "Arthur",  "Alice",   "Nathan", "Jade",  "Théo", "Élise"},
     {"Martin",   "Bernard", "Thomas",   "Petit",  "Robert",  "Richard", "Durand",  "Dubois",
      "Moreau",   "Laurent", "Simon",    "Michel", "Lefèvre", "Leroy",   "Roux",    "David",
      "Bertrand", "Morel",   "Fournier", "Girard", "Bonnet",  "Dupont",  "Lambert", "Fontaine",
      "Rousseau", "Vincent", "Müller",   "Faure",  "André",   "Mercier", "Blanc",   "Guérin"}},
    {"Germany",
     "de",
     "+49",
     10,
     18,
     {"Anna",   "Lukas", "Mia",    "Leon",  "Emma",   "Finn",       "Hannah", "Jonas",
      "Sophie", "Paul",  "Lena",   "Felix", "Marie",  "Maximilian", "Lea",    "Elias",
      "Clara",  "Ben",   "Jürgen", "Käthe", "Sabine", "Uwe",        "Björn",  "Greta"},
     {"Müller",   "Schmidt",  "Schneider", "Fischer",    "Weber",  "Meyer",   "Wagner",  "Becker",
      "Schulz",   "Hoffmann", "Schäfer",   "Koch",       "Bauer",  "Richter", "Klein",   "Wolf",
      "Schröder", "Neumann",  "Schwarz",   "Zimmermann", "Braun",  "Krüger",  "Hofmann", "Hartmann",
      "Lange",    "Werner",   "Krause",    "Lehmann",    "Köhler", "Maier",   "Huber",   "Vogel"}},
    {"United Kingdom",
     "uk",
     "+44",
     10,
     12,
     {"Oliver",  "Amelia", "George",  "Isla",  "Harry",  "Ava",  "Jack",   "Emily",
      "Jacob",   "Sophia", "Charlie", "Grace", "Thomas", "Mia",  "Oscar",  "Poppy",
      "William", "Ella",   "Alfie",   "Lily",  "Henry",  "Evie", "Archie", "Freya"},
     {"Smith",    "Jones",  "Taylor",   "Brown",  "Williams", "Wilson", "Johnson", "Davies",
      "Robinson", "Wright", "Thompson", "Evans",  "Walker",   "White",  "Roberts", "Green",
      "Hall",     "Wood",   "Jackson",  "Clarke", "Patel",    "Khan",   "Lewis",   "James",
      "Phillips", "Mason",  "Mitchell", "Rose",   "Davis",    "Cox",    "Hughes",  "Edwards"}},
    {"Spain",
     "es",
     "+34",
     9,
     9,
     {"Lucía",   "Hugo",  "Sofía", "Mateo",  "Martina", "Martín",    "María",  "Lucas",
      "Julia",   "Leo",   "Paula", "Daniel", "Valeria", "Alejandro", "Emma",   "Manuel",
      "Daniela", "Pablo", "Carla", "Álvaro", "Alma",    "Adrián",    "Olivia", "Íker"},
     {"García", "Rodríguez", "González", "Fernández", "López",  "Martínez",  "Sánchez",
      "Pérez",  "Gómez",     "Martín",   "Jiménez",   "Ruiz",   "Hernández", "Díaz",
      "Moreno", "Muñoz",     "Álvarez",  "Romero",    "Alonso", "Gutiérrez", "Navarro",
      "Torres", "Domínguez", "Vázquez",  "Ramos",     "Gil",    "Ramírez",   "Serrano",
      "Blanco", "Molina",    "Morales",  "Suárez"}},
    {"Italy",
     "it",
     "+39",
     10,
     6,
     {"Leonardo", "Sofia",    "Francesco", "Giulia", "Alessandro", "Aurora",  "Lorenzo",  "Alice",
      "Mattia",   "Ginevra",  "Andrea",    "Emma",   "Gabriele",   "Giorgia", "Riccardo", "Greta",
      "Tommaso",  "Beatrice", "Edoardo",   "Anna",   "Federico",   "Chiara",  "Giuseppe", "Nicolò"},
     {"Rossi",    "Russo",  "Ferrari",  "Esposito", "Bianchi",  "Romano",  "Colombo", "Ricci",
      "Marino",   "Greco",  "Bruno",    "Gallo",    "Conti",    "De Luca", "Mancini", "Costa",
      "Giordano", "Rizzo",  "Lombardi", "Moretti",  "Barbieri", "Fontana", "Santoro", "Mariani",
      "Rinaldi",  "Caruso", "Ferrara",  "Galli",    "Martini",  "Leone",   "Longo",   "Gentile"}},
}};
constexpr uint64_t kWeights = 100;

constexpr std::array<std::string_view, 20> kThemes{
    "Spring Sale",     "Summer Sale",     "Back to School",   "Black Friday",   "Cyber Monday",
    "Christmas Gifts", "New Year",        "Winter Clearance", "Easter Offers",  "Mother's Day",
    "Father's Day",    "Valentine's Day", "Loyalty Week",     "Refer a Friend", "Newsletter",
    "Free Shipping",   "Product Launch",  "Win-back",         "Anniversary",    "Flash Sale"};
constexpr std::array<std::string_view, 8> kSources{"web",    "web", "email",    "email",
                                                   "social", "ads", "referral", "event"};
constexpr std::array<std::string_view, 3> kMailHosts{"example.com", "example.org", "example.net"};

// Lower-case ASCII for an address: é → e, ß does not occur, spaces go.
void append_plain(std::string& to, std::string_view name) {
  // The second byte of U+00C0 … U+00FF, from 0x80 on.
  static constexpr std::string_view kPlain =
      "aaaaaaaceeeeiiiidnooooo.ouuuuytsaaaaaaaceeeeiiiidnooooo.ouuuuyty";
  for (size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    if (byte == 0xC3 && i + 1 < name.size()) {
      to += kPlain[static_cast<unsigned char>(name[++i]) - 0x80u];
    } else if (byte >= 'A' && byte <= 'Z') {
      to += static_cast<char>(byte - 'A' + 'a');
    } else if (byte != ' ') {
      to += static_cast<char>(byte);
    }
  }
}

const Country& pick_country(Random& random) {
  uint64_t draw = random.below(kWeights);
  for (const Country& country : kCountries) {
    if (draw < country.weight) return country;
    draw -= country.weight;
  }
  return kCountries[0];
}

std::string address(std::string_view first, std::string_view last, std::string_view number,
                    const Country& country, Random& random) {
  std::string email;
  email.reserve(48);
  append_plain(email, first);
  email += '.';
  append_plain(email, last);
  email += '.';
  email += number;
  email += '@';
  email += country.code;
  email += '.';
  email += random.pick(kMailHosts);
  return email;
}

Moment moment_between(Random& random, Day from, Day to) {
  const uint64_t seconds = static_cast<uint64_t>(to - from) * 86'400;
  return from * kDayMicros + static_cast<Moment>(random.below(seconds)) * 1'000'000;
}

}  // namespace

DemoCounts DemoCounts::scaled(double scale) {
  if (!(scale > 0)) return {};
  const auto of = [scale](double rows) {
    return std::max<uint64_t>(1, static_cast<uint64_t>(std::llround(rows * std::min(scale, 1e6))));
  };
  return {of(200'000), of(2'000'000), of(300'000), of(200)};
}

CustomerRow DemoRows::customer(uint64_t index) const {
  Random random(seed_, kCustomer, index);
  const Country& country = pick_country(random);
  const std::string_view first = random.pick(country.first), last = random.pick(country.last);
  CustomerRow row;
  row.name = first;
  const uint64_t initial = random.below(40);
  if (initial < 26) {
    row.name += ' ';
    row.name += static_cast<char>('A' + initial);
    row.name += '.';
  }
  row.name += ' ';
  row.name += last;
  char number[24];
  const auto number_end = fmt::format_to(number, "{}", index + 1);
  row.email =
      address(first, last, std::string_view(number, static_cast<size_t>(number_end - number)),
              country, random);
  row.phone = country.dialing;
  row.phone += ' ';
  row.phone += static_cast<char>('1' + random.below(9));
  for (int i = 1; i < country.phone_digits; ++i)
    row.phone += static_cast<char>('0' + random.below(10));
  row.created_at = moment_between(random, kCustomersFrom, kEnd);
  return row;
}

OrderRow DemoRows::order(uint64_t index) const {
  Random random(seed_, kOrder, index);
  OrderRow row;
  // Earlier customers have more orders than later ones.
  row.customer = std::min(random.below(counts_.customers), random.below(counts_.customers));
  // Many small orders, few large ones: 5.00 to about 600.00, one in 200 ten times as much.
  row.cents = 500 + static_cast<int64_t>(random.below(random.below(60'000) + 1));
  if (random.below(200) == 0) row.cents *= 10;
  row.created_at = moment_between(random, kOrdersFrom, kEnd);
  return row;
}

CampaignRow DemoRows::campaign(uint64_t index) const {
  Random random(seed_, kCampaign, index);
  constexpr uint64_t kNames = kThemes.size() * kCountries.size() * 3;
  CampaignRow row;
  const uint64_t year = index / (kThemes.size() * kCountries.size()) % 3;
  row.name = fmt::format("{} {} {}", kThemes[index % kThemes.size()],
                         kCountries[index / kThemes.size() % kCountries.size()].name, 2023 + year);
  if (index >= kNames) row.name += fmt::format(" #{}", index / kNames + 1);
  row.budget_cents =
      static_cast<int64_t>(50 + random.below(1951)) * 10'000;  // 5 000 to 200 000 by hundreds
  row.start = kOrdersFrom + static_cast<Day>(year * 365 + random.below(300));
  row.end = row.start + 6 + static_cast<Day>(random.below(55));
  return row;
}

LeadRow DemoRows::lead(uint64_t index) const {
  Random random(seed_, kLead, index);
  LeadRow row;
  if (counts_.customers > 0 && random.below(3) < 2) {
    row.email = customer_email(random.below(counts_.customers));
  } else {
    const Country& country = pick_country(random);
    const std::string_view first = random.pick(country.first), last = random.pick(country.last);
    row.email = address(first, last, fmt::format("lead{}", index + 1), country, random);
  }
  row.source = random.pick(kSources);
  if (counts_.campaigns > 0 && random.below(20) > 0) {
    row.campaign = static_cast<int64_t>(random.below(counts_.campaigns));
    const CampaignRow of = campaign(static_cast<uint64_t>(row.campaign));
    row.created_at = moment_between(random, of.start, of.end + 1);
  } else {
    row.created_at = moment_between(random, kOrdersFrom, kEnd);
  }
  return row;
}

}  // namespace meesh::mesh
