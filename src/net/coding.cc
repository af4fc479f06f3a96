#include "net/coding.h"

#include <zlib.h>
#include <zstd.h>

#include <cstdlib>

#include "net/head.h"

namespace meesh::net {
namespace {

constexpr int kGzipLevel = 1;
constexpr int kZstdLevel = 1;
constexpr size_t kPiece = 32 << 10;

class GzipEncoder final : public Encoder {
 public:
  GzipEncoder() {
    if (deflateInit2(&stream_, kGzipLevel, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~GzipEncoder() override { deflateEnd(&stream_); }
  void write(std::string_view in, std::string& out) override { run(in, Z_NO_FLUSH, out); }
  void flush(std::string& out) override { run({}, Z_SYNC_FLUSH, out); }
  void finish(std::string& out) override { run({}, Z_FINISH, out); }
  void reset() override { deflateReset(&stream_); }

 private:
  void run(std::string_view in, int mode, std::string& out) {
    do {
      std::string_view piece = in.substr(0, 1u << 30);
      in.remove_prefix(piece.size());
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
      stream_.avail_in = static_cast<uInt>(piece.size());
      do {
        size_t size = out.size();
        out.resize(size + kPiece);
        stream_.next_out = reinterpret_cast<Bytef*>(out.data() + size);
        stream_.avail_out = kPiece;
        deflate(&stream_, in.empty() ? mode : Z_NO_FLUSH);
        out.resize(size + kPiece - stream_.avail_out);
      } while (stream_.avail_out == 0);
    } while (!in.empty());
  }

  z_stream stream_{};
};

class ZstdEncoder final : public Encoder {
 public:
  ZstdEncoder() : context_(ZSTD_createCCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, kZstdLevel);
  }
  ~ZstdEncoder() override { ZSTD_freeCCtx(context_); }
  void write(std::string_view in, std::string& out) override { run(in, ZSTD_e_continue, out); }
  void flush(std::string& out) override { run({}, ZSTD_e_flush, out); }
  void finish(std::string& out) override { run({}, ZSTD_e_end, out); }
  void reset() override { ZSTD_CCtx_reset(context_, ZSTD_reset_session_only); }

 private:
  void run(std::string_view in, ZSTD_EndDirective mode, std::string& out) {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    for (;;) {
      size_t size = out.size();
      out.resize(size + kPiece);
      ZSTD_outBuffer output{out.data() + size, kPiece, 0};
      size_t left = ZSTD_compressStream2(context_, &output, &input, mode);
      out.resize(size + output.pos);
      if (ZSTD_isError(left)) internal_error("zstd: " + std::string(ZSTD_getErrorName(left)));
      if (mode == ZSTD_e_continue ? input.pos == input.size : left == 0) return;
    }
  }

  ZSTD_CCtx* context_;
};

std::unique_ptr<Encoder>& kept(Coding coding) {
  thread_local std::unique_ptr<Encoder> gzip, zstd;
  return coding == Coding::kGzip ? gzip : zstd;
}

void append(std::string& out, const char* data, size_t size, size_t limit) {
  if (size > limit - out.size()) {
    throw HttpError(
        413, "the unpacked body is larger than the allowed " + std::to_string(limit) + " bytes");
  }
  out.append(data, size);
}

std::string gunzip(std::string_view packed, size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::bad_alloc();
  std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  std::string out;
  std::vector<char> piece(kPiece);
  int state = Z_STREAM_END;
  while (!packed.empty() || state != Z_STREAM_END) {
    if (state == Z_STREAM_END && !packed.empty()) inflateReset(&stream);  // also further members
    std::string_view in = packed.substr(0, 1u << 30);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    state = inflate(&stream, Z_NO_FLUSH);
    packed.remove_prefix(in.size() - stream.avail_in);
    append(out, piece.data(), piece.size() - stream.avail_out, limit);
    if (state == Z_BUF_ERROR) throw HttpError(400, "the gzip body is cut short");
    if (state != Z_OK && state != Z_STREAM_END) throw HttpError(400, "the body is not gzip");
  }
  return out;
}

std::string unzstd(std::string_view packed, size_t limit) {
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!context) throw std::bad_alloc();
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, 23);  // RFC 8878: 8 MB must do
  std::string out;
  std::vector<char> piece(kPiece);
  ZSTD_inBuffer input{packed.data(), packed.size(), 0};
  size_t left = 0;
  for (bool full = false; full || input.pos < input.size;) {
    ZSTD_outBuffer output{piece.data(), piece.size(), 0};
    left = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(left)) throw HttpError(400, "the body is not zstd");
    append(out, piece.data(), output.pos, limit);
    full = output.pos == piece.size();
  }
  if (left != 0) throw HttpError(400, "the zstd body is cut short");
  return out;
}

}  // namespace

std::string_view coding_name(Coding coding) {
  return coding == Coding::kGzip ? "gzip" : coding == Coding::kZstd ? "zstd" : "identity";
}

std::optional<Coding> coding_by_name(std::string_view name) {
  if (name.empty() || equals_ignoring_case(name, "identity")) return Coding::kIdentity;
  if (equals_ignoring_case(name, "gzip") || equals_ignoring_case(name, "x-gzip")) {
    return Coding::kGzip;
  }
  if (equals_ignoring_case(name, "zstd")) return Coding::kZstd;
  return std::nullopt;
}

Coding choose_coding(std::string_view accept) {
  double gzip = -1, zstd = -1, any = -1;
  while (!accept.empty()) {
    size_t end = std::min(accept.find(','), accept.size());
    std::string_view item = accept.substr(0, end);
    accept.remove_prefix(std::min(end + 1, accept.size()));
    size_t semicolon = std::min(item.find(';'), item.size());
    std::string name;
    for (char c : item.substr(0, semicolon)) {
      if (c != ' ' && c != '\t') name += c;
    }
    double quality = 1;
    if (size_t q = item.find("q=", semicolon); q != std::string_view::npos) {
      quality = std::strtod(std::string(item.substr(q + 2)).c_str(), nullptr);
    }
    if (name == "*") {
      any = quality;
    } else if (auto coding = coding_by_name(name); coding == Coding::kGzip) {
      gzip = quality;
    } else if (coding == Coding::kZstd) {
      zstd = quality;
    }
  }
  if (gzip < 0) gzip = any;
  if (zstd < 0) zstd = any;
  if (!(zstd > 0) && !(gzip > 0)) return Coding::kIdentity;
  return zstd >= gzip ? Coding::kZstd : Coding::kGzip;
}

EncoderLease::EncoderLease(Coding coding) : coding_(coding), encoder_(std::move(kept(coding))) {
  if (encoder_) {
    encoder_->reset();
  } else if (coding == Coding::kGzip) {
    encoder_ = std::make_unique<GzipEncoder>();
  } else {
    encoder_ = std::make_unique<ZstdEncoder>();
  }
}

EncoderLease::~EncoderLease() {
  if (encoder_) kept(coding_) = std::move(encoder_);
}

std::string decode(Coding coding, std::string_view packed, size_t limit) {
  switch (coding) {
    case Coding::kGzip:
      return gunzip(packed, limit);
    case Coding::kZstd:
      return unzstd(packed, limit);
    case Coding::kIdentity:
      break;
  }
  std::string out;
  append(out, packed.data(), packed.size(), limit);
  return out;
}

}  // namespace meesh::net
