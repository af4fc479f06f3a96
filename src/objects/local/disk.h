// What the store does to files, so that a test can cut the power between a write and its sync.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

namespace meesh::objects {

/// An open file; closes it. -1 is none.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  int number() const { return number_; }
  bool open() const { return number_ >= 0; }

 private:
  int number_;
};

/// Thread-safe. Throws kStorageFull when there is no space or quota left, otherwise IO_ERROR.
class Disk {
 public:
  virtual ~Disk() = default;
  /// Mode 0700; its parent exists. No error if it is there.
  virtual void make_folder(const std::filesystem::path& folder);
  /// A new file, mode 0600.
  virtual Descriptor create(const std::filesystem::path& file);
  /// For reading; none if it does not exist.
  virtual Descriptor open(const std::filesystem::path& file);
  /// Reserves space; no error where the file system cannot.
  virtual void reserve(const Descriptor& file, uint64_t bytes);
  virtual void write(const Descriptor& file, uint64_t offset, std::string_view bytes);
  /// Tells the system to begin writing back, without waiting.
  virtual void write_behind(const Descriptor& file, uint64_t offset, uint64_t bytes);
  /// Content and length are on disk when it returns; the file's entry is not.
  virtual void sync(const Descriptor& file, const std::filesystem::path& name);
  /// Entries made and removed in it are on disk when it returns.
  virtual void sync_folder(const std::filesystem::path& folder);
  /// False if it was not there.
  virtual bool unlink(const std::filesystem::path& file);
  /// A second name of a file. False where that cannot be: on another disk, on a file
  /// system without such names, or when the file has too many.
  virtual bool link(const std::filesystem::path& from, const std::filesystem::path& to);
};

/// Up to `size` bytes, fewer only at the file's end. Throws IO_ERROR.
size_t read_at(const Descriptor& file, uint64_t offset, char* buffer, size_t size);
uint64_t size_of(const Descriptor& file);
/// Whether there is anything of this name. Throws IO_ERROR if that cannot be found out.
bool is_there(const std::filesystem::path& path);

}  // namespace meesh::objects
