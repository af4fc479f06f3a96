#include "mesh/demo_data.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>

#include "mesh/postgres_connection.h"

namespace meesh::mesh {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kChunk = 256 * 1024;
constexpr uint64_t kMostRows = 2'000'000'000;  // ids are INTEGER

// COPY's binary format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
class BinaryRows {
 public:
  BinaryRows() { buffer_.reserve(kChunk + 4096); }

  void begin() { buffer_.append("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19); }
  void row(int16_t fields) { integer(fields); }
  void end() { integer<int16_t>(-1); }

  void int4(int64_t value) {
    integer<int32_t>(4);
    integer(static_cast<int32_t>(value));
  }
  void null() { integer<int32_t>(-1); }
  void text(std::string_view value) {
    integer(static_cast<int32_t>(value.size()));
    buffer_.append(value);
  }
  void timestamp(Moment value) {
    integer<int32_t>(8);
    integer(value);
  }
  void date(Day value) {
    integer<int32_t>(4);
    integer(value);
  }
  // NUMERIC with two decimals: digits to base 10 000, the first of weight `weight`.
  void money(int64_t cents) {
    int16_t digits[6];
    int count = 0, weight = -1;
    for (int64_t whole = cents / 100; whole > 0; whole /= 10'000) {
      digits[4 - count++] = static_cast<int16_t>(whole % 10'000);
      ++weight;
    }
    int first = 5 - count, last = 5;
    digits[5] = static_cast<int16_t>(cents % 100 * 100);
    while (last >= first && digits[last] == 0) --last;
    const int used = last - first + 1;
    integer(static_cast<int32_t>(8 + 2 * used));
    integer(static_cast<int16_t>(used));
    integer(static_cast<int16_t>(weight));
    integer<int16_t>(0);  // positive
    integer<int16_t>(2);  // decimals shown
    for (int i = first; i <= last; ++i) integer(digits[i]);
  }

  bool full() const { return buffer_.size() >= kChunk; }
  std::string_view bytes() const { return buffer_; }
  void clear() { buffer_.clear(); }

 private:
  template <typename T>
  void integer(T value) {
    for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
      buffer_ += static_cast<char>(static_cast<uint64_t>(value) >> shift);
    }
  }

  std::string buffer_;
};

// Counts rows of both servers and tells the caller now and then.
class Meter {
 public:
  Meter(uint64_t total, const DemoProgress& progress) : total_(total), progress_(progress) {}

  void add(uint64_t rows) {
    const std::lock_guard lock(mutex_);
    done_ += rows;
    if (!stopped_ && progress_ &&
        (done_ == total_ || Clock::now() - told_ > std::chrono::milliseconds(50))) {
      told_ = Clock::now();
      stopped_ = !progress_(done_, total_);
    }
    if (stopped_) throw Error(Code::kUserCanceled, "loading was cancelled; nothing has changed");
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }

 private:
  const uint64_t total_;
  const DemoProgress& progress_;
  std::mutex mutex_;
  uint64_t done_ = 0;
  bool stopped_ = false;
  Clock::time_point told_{};
};

// One server in one transaction.
class Filling {
 public:
  Filling(const engine::PostgresOptions& options, Meter& meter)
      : connection_(options), meter_(meter) {
    connection_.execute("BEGIN");
  }

  /// Takes earlier generated rows out of a table and gives the first id for new ones.
  int64_t clear(const std::string& table, const std::string& id) {
    const auto found = connection_.execute(
        fmt::format("SELECT s, coalesce(obj_description(s::regclass, 'pg_class'), '') FROM "
                    "(SELECT pg_get_serial_sequence(to_regclass('public.{0}')::text, '{1}') AS s "
                    "WHERE to_regclass('public.{0}') IS NOT NULL) AS q "
                    "WHERE s IS NOT NULL",
                    table, id));
    if (found.empty()) {
      throw Error(Code::kNotFound,
                  fmt::format("there is no table public.{} with a serial {}", table, id))
          .with_hint("demo data goes into the demo mesh's tables; see demo/domains/*/schema.sql");
    }
    sequence_ = found[0][0];
    long long from = 0, to = -1;
    std::sscanf(found[0][1].c_str(), "rows %lld to %lld were generated", &from, &to);
    connection_.execute(fmt::format(
        "LOCK TABLE public.{0}; CREATE TEMP TABLE kept_{0} ON COMMIT DROP AS "
        "SELECT * FROM public.{0} WHERE {1} NOT BETWEEN {2} AND {3}; TRUNCATE public.{0}; "
        "INSERT INTO public.{0} SELECT * FROM kept_{0} ORDER BY {1}",
        table, id, from, to));
    const auto last =
        connection_.execute(fmt::format("SELECT coalesce(max({1}), 0) FROM public.{0}", table, id));
    return std::stoll(last[0][0]) + 1;
  }

  /// `row` writes the fields of the row with this index.
  template <typename Row>
  void copy(const std::string& table, const std::string& columns, int64_t first_id, uint64_t count,
            Row row) {
    if (first_id + static_cast<int64_t>(count) > INT32_MAX) {
      throw Error(Code::kInvalidArguments,
                  fmt::format("{} rows after id {} are more than {} can number", count,
                              first_id - 1, table));
    }
    BinaryRows rows;
    // Into a table emptied in the same transaction: no log is written, and rows are born frozen.
    connection_.begin_copy(
        fmt::format("COPY public.{} ({}) FROM STDIN (FORMAT binary, FREEZE)", table, columns));
    rows.begin();
    uint64_t sent = 0;
    for (uint64_t index = 0; index < count; ++index) {
      row(rows, index, first_id + static_cast<int64_t>(index));
      if (!rows.full()) continue;
      connection_.put(rows.bytes());
      rows.clear();
      meter_.add(index + 1 - sent);
      sent = index + 1;
    }
    rows.end();
    connection_.put(rows.bytes());
    connection_.end_copy();
    meter_.add(count - sent);
    // On the sequence, where it is in nobody's way: what the next load replaces.
    connection_.execute(fmt::format(
        "SELECT setval('{0}', greatest((SELECT last_value FROM {0}), {2})); "
        "COMMENT ON SEQUENCE {0} IS 'rows {1} to {2} were generated by meesh demo load'",
        sequence_, first_id, first_id + static_cast<int64_t>(count) - 1));
  }

  void commit() { connection_.execute("COMMIT"); }
  void analyze(const char* tables) { connection_.execute(fmt::format("ANALYZE {}", tables)); }

 private:
  PostgresConnection connection_;
  Meter& meter_;
  std::string sequence_;
};

void fill_sales(Filling& to, const DemoRows& rows) {
  const int64_t first_customer = to.clear("customers", "customer_id");
  to.copy("customers", "customer_id, customer_name, email, phone, created_at", first_customer,
          rows.counts().customers, [&](BinaryRows& out, uint64_t index, int64_t id) {
            const CustomerRow row = rows.customer(index);
            out.row(5);
            out.int4(id);
            out.text(row.name);
            out.text(row.email);
            out.text(row.phone);
            out.timestamp(row.created_at);
          });
  const int64_t first_order = to.clear("orders", "order_id");
  to.copy("orders", "order_id, customer_id, total_amount, created_at", first_order,
          rows.counts().orders, [&](BinaryRows& out, uint64_t index, int64_t id) {
            const OrderRow row = rows.order(index);
            out.row(4);
            out.int4(id);
            if (rows.counts().customers > 0) {
              out.int4(first_customer + static_cast<int64_t>(row.customer));
            } else {
              out.null();
            }
            out.money(row.cents);
            out.timestamp(row.created_at);
          });
}

void fill_marketing(Filling& to, const DemoRows& rows) {
  const int64_t first_campaign = to.clear("campaigns", "campaign_id");
  to.copy("campaigns", "campaign_id, campaign_name, budget, start_date, end_date", first_campaign,
          rows.counts().campaigns, [&](BinaryRows& out, uint64_t index, int64_t id) {
            const CampaignRow row = rows.campaign(index);
            out.row(5);
            out.int4(id);
            out.text(row.name);
            out.money(row.budget_cents);
            out.date(row.start);
            out.date(row.end);
          });
  const int64_t first_lead = to.clear("leads", "lead_id");
  to.copy("leads", "lead_id, email, campaign_id, source, created_at", first_lead,
          rows.counts().leads, [&](BinaryRows& out, uint64_t index, int64_t id) {
            const LeadRow row = rows.lead(index);
            out.row(5);
            out.int4(id);
            out.text(row.email);
            if (row.campaign >= 0) {
              out.int4(first_campaign + row.campaign);
            } else {
              out.null();
            }
            out.text(row.source);
            out.timestamp(row.created_at);
          });
}

}  // namespace

void load_demo_data(const engine::PostgresOptions& sales, const engine::PostgresOptions& marketing,
                    const DemoLoad& load, const DemoProgress& progress) {
  const DemoCounts& counts = load.counts;
  if (std::max({counts.customers, counts.orders, counts.leads, counts.campaigns}) > kMostRows) {
    throw Error(Code::kInvalidArguments, fmt::format("a table takes at most {} rows", kMostRows));
  }
  const DemoRows rows(load.seed, counts);
  Meter meter(counts.total(), progress);
  std::unique_ptr<Filling> fillings[2];
  std::exception_ptr failures[2];
  const auto at_once = [&](const auto& work) {
    {
      std::jthread other([&] { work(1); });
      work(0);
    }
    for (const auto& failure : failures) {
      if (failure) std::rethrow_exception(failure);
    }
  };
  std::mutex first_only;
  at_once([&](int which) {
    try {
      fillings[which] = std::make_unique<Filling>(which == 0 ? sales : marketing, meter);
      (which == 0 ? fill_sales : fill_marketing)(*fillings[which], rows);
    } catch (...) {
      const std::lock_guard lock(first_only);
      // The other one then ends with "cancelled", which is not the reason.
      if (!failures[1 - which]) failures[which] = std::current_exception();
      meter.stop();
    }
  });
  fillings[0]->commit();
  fillings[1]->commit();
  at_once([&](int which) {
    try {
      fillings[which]->analyze(which == 0 ? "customers, orders" : "campaigns, leads");
    } catch (...) {
      failures[which] = std::current_exception();
    }
  });
}

}  // namespace meesh::mesh
