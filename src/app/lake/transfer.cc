#include "app/lake/transfer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>

#include "app/language.h"
#include "app/progress_bar.h"

namespace meesh::app {
namespace {

namespace fs = std::filesystem;
using Moved = std::function<void(uint64_t)>;

constexpr size_t kPiece = 1 << 20;

void upload(objects::Store& store, const Transfer& transfer, const Moved& moved) {
  std::ifstream file;
  const bool standard = transfer.from.place.path == "-";
  if (!standard) {
    file.open(transfer.from.place.path, std::ios::binary);
    if (!file) throw Error(Code::kIoError, "the file cannot be read");
  }
  std::istream& in = standard ? std::cin : file;
  objects::WriteOptions options;
  if (!standard) options.size = transfer.from.size;
  const auto writer = store.put(transfer.to.bucket, transfer.to.key, {}, options);
  std::string piece(kPiece, '\0');
  while (in.read(piece.data(), kPiece) || in.gcount() > 0) {
    const auto got = static_cast<size_t>(in.gcount());
    writer->write({piece.data(), got});
    moved(got);
  }
  if (in.bad()) throw Error(Code::kIoError, "the file cannot be read to its end");
  writer->commit({});
}

void read_all(objects::Store& store, const Place& from, std::ostream& out, const Moved& moved) {
  const auto reader = store.get(from.bucket, from.key, {});
  std::string piece(kPiece, '\0');
  for (uint64_t at = 0; at < reader->object().size;) {
    const size_t got = reader->read(at, piece.data(), kPiece);
    if (got == 0) throw Error(Code::kIoError, "the object ended early");
    if (!out.write(piece.data(), static_cast<std::streamsize>(got))) {
      throw Error(Code::kIoError, "the file cannot be written").with_hint("is the disk full?");
    }
    moved(got);
    at += got;
  }
}

void download(objects::Store& store, const Transfer& transfer, const Moved& moved) {
  const fs::path& target = transfer.to.path;
  if (target == "-") {
    read_all(store, transfer.from.place, std::cout, moved);
    std::cout.flush();
    return;
  }
  if (target.has_parent_path()) fs::create_directories(target.parent_path());
  const fs::path unfinished = target.string() + fmt::format(".{}.part", ::getpid());
  try {
    std::ofstream out(unfinished, std::ios::binary | std::ios::trunc);
    read_all(store, transfer.from.place, out, moved);
    out.close();
    if (!out) throw Error(Code::kIoError, "the file cannot be written").with_hint("disk full?");
    fs::rename(unfinished, target);
  } catch (...) {
    std::error_code ignored;
    fs::remove(unfinished, ignored);
    throw;
  }
}

void run_one(objects::Store& store, const Transfer& transfer, bool remove_source,
             const Moved& moved) {
  const Place& from = transfer.from.place;
  const Place& to = transfer.to;
  if (from.remote && to.remote) {
    store.copy(from.bucket, from.key, {}, to.bucket, to.key, std::nullopt, {}, {});
    moved(transfer.from.size);
  } else if (to.remote) {
    upload(store, transfer, moved);
  } else if (from.remote) {
    download(store, transfer, moved);
  } else {
    throw Error(Code::kInvalidArguments, "one side must be s3://");
  }
  if (!remove_source) return;
  if (from.remote) {
    store.remove(from.bucket, from.key, {});
  } else {
    fs::remove(from.path);
  }
}

}  // namespace

int run_transfers(objects::Store& store, const std::vector<Transfer>& transfers,
                  const TransferOptions& options) {
  uint64_t total = 0;
  for (const auto& transfer : transfers) total += transfer.from.size;
  std::atomic<uint64_t> done = 0;
  std::atomic<size_t> next = 0;
  std::atomic<int> failed = 0;
  std::mutex output;
  ProgressBar bar(human_bytes);
  const auto check = [&] {
    if (options.stop && *options.stop) throw Error(Code::kUserCanceled, "interrupted");
  };
  const auto work = [&] {
    for (size_t i = next++; i < transfers.size(); i = next++) {
      if (options.stop && *options.stop) {
        ++failed;
        return;
      }
      const Transfer& transfer = transfers[i];
      std::string problem;
      try {
        run_one(store, transfer, options.remove_source, [&](uint64_t bytes) {
          check();
          bar.show(done += bytes, total);
        });
      } catch (const std::exception& error) {
        problem = error.what();
        ++failed;
      }
      const std::lock_guard lock(output);
      bar.clear();
      if (!problem.empty()) {
        fmt::print(stderr, "{} -> {}: {}\n", transfer.from.place.text(), transfer.to.text(),
                   problem);
      } else if (!options.quiet && transfer.to.path != "-") {
        fmt::print("{} -> {}  ({})\n", transfer.from.place.text(), transfer.to.text(),
                   human_bytes(static_cast<double>(transfer.from.size)));
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    const size_t count = std::min<size_t>(static_cast<size_t>(options.jobs), transfers.size());
    for (size_t i = 0; i < count; ++i) threads.emplace_back(work);
  }
  bar.clear();
  if (failed > 0) {
    fmt::print(stderr, "{} {} {}\n", failed.load(), say("of", "sur"), transfers.size());
  }
  return failed;
}

}  // namespace meesh::app
