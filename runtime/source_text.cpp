// SPDX-License-Identifier: Apache-2.0
#include "runtime/source_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/utf8.h"

namespace mc::runtime {
namespace {

constexpr std::size_t kPieceBytes = 1 << 16;

Error too_large(const std::string& name, const SourceLimits& limits) {
    return Error(ErrorCode::kInvalidInput, name + " has more bytes than the limit of " +
                                               std::to_string(limits.size_bytes_max) +
                                               "; raise it with --ingest-bytes-max");
}

// Until the stream ends.
Result<std::string> read_all(int descriptor, const Path& name, const SourceLimits& limits,
                             const ReadCallback& progress) {
    std::string content;
    char piece[kPieceBytes];
    while (true) {
        if (limits.cancelled && limits.cancelled->load())
            return fail(ErrorCode::kCancelled, "interrupted while reading " + name.string() +
                                                   "; nothing of it was stored");
        const ssize_t count = ::read(descriptor, piece, sizeof piece);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(system_error(errno, "cannot read", name));
        if (count == 0) return content;
        content.append(piece, static_cast<std::size_t>(count));
        if (content.size() > limits.size_bytes_max) return fail(too_large(name.string(), limits));
        if (progress) progress(content.size());
    }
}

bool is_same_moment(const struct stat& a, const struct stat& b) {
    return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
           a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

Result<std::string> read_open(int descriptor, const Path& path, const SourceLimits& limits,
                              const ReadCallback& progress) {
    struct stat before {};

    if (::fstat(descriptor, &before) != 0) return fail(system_error(errno, "cannot read", path));
    if (S_ISDIR(before.st_mode))
        return fail(ErrorCode::kInvalidInput, path.string() + " is a folder, not a file");
    const bool is_file = S_ISREG(before.st_mode);
    if (is_file && static_cast<std::uint64_t>(before.st_size) > limits.size_bytes_max)
        return fail(too_large(path.string(), limits));
    MC_ASSIGN(std::string content, read_all(descriptor, path, limits, progress));

    struct stat after {};

    if (::fstat(descriptor, &after) != 0) return fail(system_error(errno, "cannot read", path));
    const bool stood_still = is_same_moment(before, after) &&
                             static_cast<std::uint64_t>(after.st_size) == content.size();
    if (is_file && !stood_still)
        return fail(ErrorCode::kInvalidInput,
                    path.string() +
                        " changed while it was read; give it again when nothing writes to it, or "
                        "a copy of it");
    MC_TRY(check_source(content, path.string(), limits));
    return content;
}

}  // namespace

Result<std::string> read_source(const Path& path, const SourceLimits& limits,
                                const ReadCallback& progress) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return fail(system_error(errno, "cannot open", path));
    auto content = read_open(descriptor, path, limits, progress);
    ::close(descriptor);
    return content;
}

Result<std::string> read_standard_input(const SourceLimits& limits) {
    MC_ASSIGN(std::string content, read_all(STDIN_FILENO, "standard input", limits, {}));
    MC_TRY(check_source(content, "standard input", limits));
    return content;
}

bool is_stream(const Path& path) {
    struct stat info {};

    if (::stat(path.c_str(), &info) != 0) return false;
    return S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode) || S_ISSOCK(info.st_mode);
}

Result<std::vector<Path>> list_files(const Path& folder) {
    namespace fs = std::filesystem;
    std::vector<Path> files;
    std::error_code error;
    fs::recursive_directory_iterator walk(folder, error);
    for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
        if (walk->path().filename().string().starts_with('.')) {
            if (walk->is_directory(error)) walk.disable_recursion_pending();
            continue;
        }
        if (walk->is_regular_file(error)) files.push_back(walk->path());
    }
    if (error) return fail(system_error(error.value(), "cannot list", folder));
    std::sort(files.begin(), files.end());
    return files;
}

Result<void> check_source(std::string_view content, const std::string& name,
                          const SourceLimits& limits) {
    if (content.empty())
        return fail(ErrorCode::kInvalidInput, name + " is empty; there is nothing to ingest");
    if (content.size() > limits.size_bytes_max) return fail(too_large(name, limits));
    if (limits.allow_binary) return {};
    if (const auto nul = content.find('\0'); nul != std::string_view::npos)
        return fail(ErrorCode::kInvalidInput,
                    name + " looks binary: byte " + std::to_string(nul) +
                        " is NUL; pass --binary to store it byte for byte all the same");
    if (const auto bad = find_invalid_utf8(content))
        return fail(ErrorCode::kInvalidInput,
                    name + " is not UTF-8: byte " + std::to_string(*bad) +
                        " starts no character; convert it, or pass --binary to store it byte for "
                        "byte as it is");
    return {};
}

}  // namespace mc::runtime
