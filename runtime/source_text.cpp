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
#include "documents/conversion.h"
#include "documents/heading_path.h"

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
    return content;
}

void take_entry(const std::filesystem::directory_entry& entry, std::vector<Path>& to_list,
                FolderListing& listing) {
    std::error_code error;
    if (entry.symlink_status(error).type() == std::filesystem::file_type::directory) {
        to_list.push_back(entry.path());
        return;
    }
    const auto type = entry.status(error).type();
    if (type == std::filesystem::file_type::regular)
        listing.files.push_back(entry.path());
    else if (error)
        listing.dead_links.push_back(
            {entry.path(), system_error(error.value(), "cannot find", entry.path())});
}

// Adds the folders in it to those that are to be listed.
void list_one(const Path& folder, std::vector<Path>& to_list, FolderListing& listing) {
    std::error_code error;
    std::filesystem::directory_iterator entry(folder, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
        if (!entry->path().filename().string().starts_with('.'))
            take_entry(*entry, to_list, listing);
    if (error)
        listing.folders.push_back({folder, system_error(error.value(), "cannot list", folder)});
}

Result<SourceText> convert_source(documents::Kind kind, std::string content,
                                  const std::string& name, const SourceLimits& limits) {
    documents::ConversionLimits bounds;
    bounds.text_bytes_max = limits.size_bytes_max;
    bounds.seconds_max = limits.conversion_seconds_max;
    bounds.cancelled = limits.cancelled;
    MC_ASSIGN(auto converted, documents::convert(kind, content, name, bounds));
    SourceText source;
    source.text = std::move(converted.text);
    source.kind = kind;
    source.original = Original{std::string(documents::kind_name(kind)), std::move(content),
                               std::move(converted.places)};
    return source;
}

// Text as the store takes it, or why it cannot.
Result<SourceText> to_source_text(std::string content, const std::string& name,
                                  const SourceLimits& limits) {
    std::optional<documents::Kind> kind;
    if (!limits.allow_binary && !content.empty()) {
        MC_ASSIGN(kind, documents::detect_kind(content, name));
    }
    return source_of_bytes(std::move(content), name, kind, limits);
}

}  // namespace

Result<SourceText> read_source(const Path& path, const SourceLimits& limits,
                               const ReadCallback& progress) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return fail(system_error(errno, "cannot open", path));
    auto content = read_open(descriptor, path, limits, progress);
    ::close(descriptor);
    if (!content) return fail(std::move(content.error()));
    return to_source_text(std::move(*content), path.string(), limits);
}

Result<SourceText> read_standard_input(const SourceLimits& limits) {
    MC_ASSIGN(std::string content, read_all(STDIN_FILENO, "standard input", limits, {}));
    return to_source_text(std::move(content), "standard input", limits);
}

Result<SourceText> source_of_bytes(std::string content, const std::string& name,
                                   std::optional<documents::Kind> kind,
                                   const SourceLimits& limits) {
    if (kind) return convert_source(*kind, std::move(content), name, limits);
    SourceText source;
    if (!limits.allow_binary) source.converted_from = detect_utf16(content);
    source.text =
        source.converted_from ? *decode_utf16(content, *source.converted_from) : std::move(content);
    MC_TRY(check_source(source.text, name, limits));
    if (!limits.allow_binary && documents::is_markdown(name))
        if (auto places = documents::markdown_places(source.text); !places.empty())
            source.original = Original{"markdown", {}, std::move(places)};
    return source;
}

std::map<std::string, std::string> metadata_of(const SourceText& source) {
    std::map<std::string, std::string> metadata;
    if (source.converted_from) metadata.emplace(kEncodingKey, utf16_name(*source.converted_from));
    if (source.kind)
        metadata.emplace(kOriginalMediaTypeKey, documents::media_type_of(*source.kind));
    return metadata;
}

bool is_stream(const Path& path) {
    struct stat info {};

    if (::stat(path.c_str(), &info) != 0) return false;
    return S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode) || S_ISSOCK(info.st_mode);
}

FolderListing list_files(const Path& folder) {
    FolderListing listing;
    std::vector<Path> to_list{folder};
    while (!to_list.empty()) {
        const Path next = to_list.back();
        to_list.pop_back();
        list_one(next, to_list, listing);
    }
    std::sort(listing.files.begin(), listing.files.end());
    return listing;
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
