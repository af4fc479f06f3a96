#include "ingest/locations/sftp_session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libssh/libssh.h>
#include <libssh/sftp.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>

#include "base/text.h"

namespace meesh::ingest {

using std::chrono::steady_clock;

namespace {

constexpr uint32_t kPiece = 32 << 10;  // what every server gives at once
constexpr size_t kUnderWay = 32;       // pieces that are asked for ahead

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* what) const {
    free(what);
  }
};
using Key = std::unique_ptr<ssh_key_struct, Freed<ssh_key_free>>;
using Attributes = std::unique_ptr<sftp_attributes_struct, Freed<sftp_attributes_free>>;
using Folder = std::unique_ptr<sftp_dir_struct, Freed<sftp_closedir>>;
using File = std::unique_ptr<sftp_file_struct, Freed<sftp_close>>;

/// Cuts a connection on which nothing has moved for too long, or whose task is to stop: libssh
/// waits without end.
class Watch {
 public:
  Watch(int fd, std::chrono::milliseconds limit)
      : fd_(fd), limit_(limit), thread_([this](std::stop_token stop) { run(stop); }) {}

  void begin() {
    std::lock_guard lock(mutex_);
    since_ = steady_clock::now();
    changed_.notify_all();
  }
  void end() {
    std::lock_guard lock(mutex_);
    since_.reset();
  }
  void cut() { shutdown(fd_, SHUT_RDWR); }
  bool late() const {
    std::lock_guard lock(mutex_);
    return late_;
  }

 private:
  void run(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      if (!since_) {
        changed_.wait(lock, stop, [&] { return since_.has_value(); });
        continue;
      }
      const auto end = *since_ + limit_;
      changed_.wait_until(lock, stop, end, [&] { return !since_ || *since_ + limit_ > end; });
      if (since_ && *since_ + limit_ <= steady_clock::now()) {
        late_ = true;
        since_.reset();
        cut();
      }
    }
  }

  const int fd_;
  const std::chrono::milliseconds limit_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<steady_clock::time_point> since_;  // something is waited for; guarded by mutex_
  bool late_ = false;                              // guarded by mutex_
  std::jthread thread_;
};

}  // namespace

struct SftpSession::Impl {
  Impl(const SftpConfig& given, const SftpAddress& to) : config(given), address(to) {}
  ~Impl() {
    if (sftp) sftp_free(sftp);
    watch.reset();
    if (session) {
      ssh_disconnect(session);
      ssh_free(session);
    }
  }

  std::string shown() const { return fmt::format("sftp://{}:{}", address.host, address.port); }

  Error failure(const std::string& doing) const {
    if (watch && watch->late())
      return Error(Code::kExceededTimeLimit,
                   fmt::format("{} did not answer in time while {}", shown(), doing));
    std::string why = session ? ssh_get_error(session) : "";
    if (why.empty()) why = "the connection was lost";
    return Error(Code::kUnavailable, fmt::format("{}: {} failed: {}", shown(), doing, why));
  }

  /// Runs a call of libssh that waits for the server.
  template <class F>
  auto wait(F&& call) {
    watch->begin();
    auto result = call();
    watch->end();
    return result;
  }

  void connect() {
    session = ssh_new();
    if (!session) internal_error("libssh gives no session");
    const bool no_files =
        false;  // neither ~/.ssh/config nor known_hosts: the source's file says all
    const long seconds = std::max<long>(1, static_cast<long>(config.timeout.count() / 1000));
    const std::string user = address.user.empty() ? config.user : address.user;
    ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no_files);
    ssh_options_set(session, SSH_OPTIONS_HOST, address.host.c_str());
    ssh_options_set(session, SSH_OPTIONS_PORT, &address.port);
    ssh_options_set(session, SSH_OPTIONS_USER, user.c_str());
    ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &seconds);
    if (ssh_connect(session) != SSH_OK) throw failure("connecting");
    watch.emplace(ssh_get_fd(session), config.timeout);
  }

  void check_host() {
    ssh_key raw = nullptr;
    if (ssh_get_server_publickey(session, &raw) != SSH_OK) throw failure("asking for the host key");
    const Key key(raw);
    unsigned char* hash = nullptr;
    size_t size = 0;
    if (ssh_get_publickey_hash(key.get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != 0)
      throw failure("hashing the host key");
    char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
    const std::string found = text ? text : "";
    ssh_string_free_char(text);
    ssh_clean_pubkey_hash(&hash);
    if (std::ranges::count(config.host_keys, found) > 0) return;
    throw Error(Code::kPermissionDenied,
                fmt::format("{} has the host key {}, which the source's file does not name",
                            shown(), found))
        .with_hint("ask whoever runs the server; if the key is right: sftp: { host_key: " + found +
                   " }");
  }

  Key own_key() const {
    std::string text = config.key;
    if (text.empty()) {
      std::ifstream stream(config.key_file, std::ios::binary);
      text = std::string{std::istreambuf_iterator<char>(stream), {}};
    }
    ssh_key raw = nullptr;
    const char* passphrase = config.passphrase.empty() ? nullptr : config.passphrase.c_str();
    if (ssh_pki_import_privkey_base64(text.c_str(), passphrase, nullptr, nullptr, &raw) == SSH_OK)
      return Key(raw);
    throw Error(Code::kConfigInvalid,
                config.key.empty()
                    ? fmt::format("{} holds no private key that can be read", config.key_file)
                    : "'key' is no private key that can be read")
        .with_hint("a wrong passphrase?");
  }

  /// Servers may ask for a password by questions.
  int answer_questions() {
    int state = SSH_AUTH_INFO;
    while ((state = wait([&] { return ssh_userauth_kbdint(session, nullptr, nullptr); })) ==
           SSH_AUTH_INFO) {
      const int count = ssh_userauth_kbdint_getnprompts(session);
      for (int i = 0; i < count; ++i)
        ssh_userauth_kbdint_setanswer(session, static_cast<unsigned>(i), config.password.c_str());
    }
    return state;
  }

  void sign_in() {
    int state = SSH_AUTH_DENIED;
    if (!config.key.empty() || !config.key_file.empty()) {
      const Key key = own_key();
      state = wait([&] { return ssh_userauth_publickey(session, nullptr, key.get()); });
    }
    if (state != SSH_AUTH_SUCCESS && !config.password.empty()) {
      state =
          wait([&] { return ssh_userauth_password(session, nullptr, config.password.c_str()); });
      if (state == SSH_AUTH_DENIED) state = answer_questions();
    }
    if (state == SSH_AUTH_SUCCESS) return;
    if (state == SSH_AUTH_ERROR) throw failure("signing in");
    throw Error(Code::kPermissionDenied,
                fmt::format("{} refuses the user '{}'", shown(),
                            address.user.empty() ? config.user : address.user))
        .with_hint("look at 'sftp' in the source's file");
  }

  void open() {
    sftp = sftp_new(session);
    if (!sftp || wait([&] { return sftp_init(sftp); }) != SSH_OK) throw failure("beginning SFTP");
  }

  bool absent() const {
    const int code = sftp_get_error(sftp);
    return code == SSH_FX_NO_SUCH_FILE || code == SSH_FX_NO_SUCH_PATH;
  }

  const SftpConfig& config;
  const SftpAddress address;
  ssh_session session = nullptr;
  sftp_session sftp = nullptr;
  std::optional<Watch> watch;
};

std::optional<SftpAddress> parse_sftp(std::string_view text) {
  constexpr std::string_view kScheme = "sftp://";
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  SftpAddress address;
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, slash);
  address.path = text.substr(slash);
  if (const size_t at = host.rfind('@'); at != std::string_view::npos) {
    address.user = host.substr(0, at);
    host.remove_prefix(at + 1);
    if (address.user.find(':') != std::string::npos) return std::nullopt;  // a password
  }
  size_t colon = host.rfind(':');
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    colon = host.find(':', end);
  }
  if (colon != std::string_view::npos) {
    const auto port = host.substr(colon + 1);
    const auto [end, failed] =
        std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (failed != std::errc() || end != port.data() + port.size() || address.port < 1 ||
        address.port > 65535)
      return std::nullopt;
    host = host.substr(0, colon);
  }
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  address.host = host;
  if (address.host.empty()) return std::nullopt;
  return address;
}

SftpSession::SftpSession(const SftpConfig& config, const SftpAddress& address,
                         const TaskContext& context)
    : impl_(std::make_unique<Impl>(config, address)) {
  context.check();
  impl_->connect();
  const std::stop_callback cut(context.stop, [this] { impl_->watch->cut(); });
  impl_->check_host();
  impl_->sign_in();
  impl_->open();
}

SftpSession::~SftpSession() = default;

std::string SftpSession::home() {
  char* path = impl_->wait([&] { return sftp_canonicalize_path(impl_->sftp, "."); });
  if (!path) throw impl_->failure("asking for the home folder");
  std::string found = path;
  ssh_string_free_char(path);
  return found;
}

std::optional<SftpEntry> SftpSession::look(const std::string& path) {
  const Attributes found(impl_->wait([&] { return sftp_stat(impl_->sftp, path.c_str()); }));
  if (!found) {
    if (impl_->absent()) return std::nullopt;
    throw impl_->failure("looking at " + path);
  }
  return SftpEntry{path.substr(path.rfind('/') + 1), found->type == SSH_FILEXFER_TYPE_DIRECTORY,
                   found->size, static_cast<int64_t>(found->mtime)};
}

std::vector<SftpEntry> SftpSession::list(const std::string& folder) {
  const Folder open(impl_->wait([&] { return sftp_opendir(impl_->sftp, folder.c_str()); }));
  if (!open) {
    if (impl_->absent()) return {};
    throw impl_->failure("listing " + folder);
  }
  std::vector<SftpEntry> entries;
  std::vector<std::string> links;
  while (true) {
    const Attributes found(impl_->wait([&] { return sftp_readdir(impl_->sftp, open.get()); }));
    if (!found) break;
    const std::string name = found->name ? found->name : "";
    if (name.empty() || name.starts_with('.')) continue;
    if (found->type == SSH_FILEXFER_TYPE_SYMLINK) {
      links.push_back(name);
    } else if (found->type == SSH_FILEXFER_TYPE_REGULAR ||
               found->type == SSH_FILEXFER_TYPE_DIRECTORY) {
      entries.push_back({name, found->type == SSH_FILEXFER_TYPE_DIRECTORY, found->size,
                         static_cast<int64_t>(found->mtime)});
    }
  }
  if (!sftp_dir_eof(open.get())) throw impl_->failure("listing " + folder);
  for (const auto& name : links)
    if (auto target = look(folder + "/" + name); target && !target->is_folder)
      entries.push_back({name, false, target->size, target->modified});
  std::ranges::sort(entries, {}, &SftpEntry::name);
  return entries;
}

void SftpSession::read(const std::string& path, uint64_t size, const TaskContext& context,
                       const std::function<void(std::string_view)>& take) {
  const std::stop_callback cut(context.stop, [this] { impl_->watch->cut(); });
  const File file(impl_->wait([&] { return sftp_open(impl_->sftp, path.c_str(), O_RDONLY, 0); }));
  if (!file) throw impl_->failure("opening " + path);
  std::string piece(kPiece, '\0');
  std::deque<uint32_t> asked;  // pieces, the oldest first
  uint64_t ahead = 0, read = 0;
  while (read < size) {
    context.check();
    while (asked.size() < kUnderWay && ahead < size) {
      const int id = sftp_async_read_begin(file.get(), kPiece);
      if (id < 0) throw impl_->failure("reading " + path);
      asked.push_back(static_cast<uint32_t>(id));
      ahead += kPiece;
    }
    const int got = impl_->wait(
        [&] { return sftp_async_read(file.get(), piece.data(), kPiece, asked.front()); });
    context.check();
    if (got < 0) throw impl_->failure("reading " + path);
    asked.pop_front();
    const uint64_t wanted = std::min<uint64_t>(kPiece, size - read);
    if (static_cast<uint64_t>(got) != wanted) {
      throw Error(Code::kTransactionConflict,
                  fmt::format("{}{} was written while it was read", impl_->shown(), path))
          .with_hint("run it again once it is written");
    }
    take({piece.data(), static_cast<size_t>(got)});
    read += static_cast<uint64_t>(got);
  }
}

}  // namespace meesh::ingest
