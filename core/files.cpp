// SPDX-License-Identifier: Apache-2.0
#include "core/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/descriptor.h"

namespace mc {
namespace {

Result<std::uint64_t> regular_file_size(int fd, const Path& path) {
    struct stat info {};

    if (::fstat(fd, &info) != 0) return fail(system_error(errno, "cannot read", path));
    if (S_ISDIR(info.st_mode))
        return fail(ErrorCode::kInvalidInput, path.string() + " is a folder, not a file");
    return static_cast<std::uint64_t>(info.st_size);
}

Result<void> write_all(int fd, std::span<const std::byte> content, const Path& path) {
    while (!content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail(system_error(errno, "cannot write", path));
        content = content.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Result<void> write_new_file(const Path& path, std::span<const std::span<const std::byte>> pieces) {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.get() < 0) return fail(system_error(errno, "cannot create", path));
    for (const auto piece : pieces) MC_TRY(write_all(file.get(), piece, path));
    if (::fsync(file.get()) != 0) return fail(system_error(errno, "cannot sync", path));
    return {};
}

}  // namespace

Error system_error(int error_number, const std::string& action, const Path& path) {
    ErrorCode code = ErrorCode::kIo;
    if (error_number == ENOSPC || error_number == EDQUOT) code = ErrorCode::kOutOfSpace;
    if (error_number == ENOENT || error_number == EACCES || error_number == EISDIR ||
        error_number == ENOTDIR || error_number == ENAMETOOLONG)
        code = ErrorCode::kInvalidInput;
    return {code, action + " " + path.string() + ": " + std::strerror(error_number)};
}

Result<std::string> read_file(const Path& path, std::uint64_t size_bytes_max) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return fail(system_error(errno, "cannot open", path));
    MC_TRY(regular_file_size(file.get(), path));
    std::string content;
    char chunk[65536];
    while (true) {
        const ssize_t count = ::read(file.get(), chunk, sizeof chunk);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(system_error(errno, "cannot read", path));
        if (count == 0) return content;
        content.append(chunk, static_cast<std::size_t>(count));
        if (content.size() > size_bytes_max)
            return fail(ErrorCode::kInvalidInput, path.string() + " is larger than the limit of " +
                                                      std::to_string(size_bytes_max) + " bytes");
    }
}

Result<void> replace_file(const Path& path, std::span<const std::byte> content) {
    return replace_file_pieces(path, std::span<const std::span<const std::byte>>(&content, 1));
}

Result<void> replace_file_pieces(const Path& path,
                                 std::span<const std::span<const std::byte>> pieces) {
    const Path draft = path.string() + ".new";
    const Result<void> written = write_new_file(draft, pieces);
    if (!written) {
        ::unlink(draft.c_str());  // on a full disk its room is needed
        return written;
    }
    if (::rename(draft.c_str(), path.c_str()) != 0)
        return fail(system_error(errno, "cannot replace", path));
    return {};
}

Result<std::unique_ptr<MappedFile>> MappedFile::open(const Path& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return fail(system_error(errno, "cannot open", path));
    MC_ASSIGN(const std::uint64_t size, regular_file_size(file.get(), path));
    if (size == 0) return fail(ErrorCode::kInvalidInput, path.string() + " is empty");
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED) return fail(system_error(errno, "cannot map", path));
    return std::unique_ptr<MappedFile>(new MappedFile(static_cast<const std::byte*>(data), size));
}

MappedFile::~MappedFile() {
    ::munmap(const_cast<std::byte*>(data_), size_);  // NOLINT: munmap takes a mutable pointer
}

}  // namespace mc
