// SPDX-License-Identifier: Apache-2.0
#include "documents/converters/zip_archive.h"

#include <zip.h>

#include <algorithm>

namespace mc::documents {
namespace {

constexpr zip_int64_t kEntriesMax = 20'000;
constexpr std::size_t kPieceBytes = 1 << 16;

tl::unexpected<Error> damaged(const std::string& what) {
    return fail(ErrorCode::kInvalidInput,
                "it is a damaged archive (" + what + "); save it anew in the program that made it");
}

}  // namespace

ZipArchive::ZipArchive(zip* archive, std::uint64_t left)
    : archive_(archive, zip_discard), unpacked_bytes_left_(left) {}

Result<ZipArchive> ZipArchive::open(std::string_view content, std::uint64_t unpacked_bytes_max) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* const source =
        zip_source_buffer_create(content.data(), content.size(), 0, &error);
    zip* const archive =
        source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY, &error);
    if (archive == nullptr) {
        const std::string what = zip_error_strerror(&error);
        zip_source_free(source);
        zip_error_fini(&error);
        return damaged(what);
    }
    ZipArchive opened(archive, unpacked_bytes_max);
    if (zip_get_num_entries(archive, 0) > kEntriesMax)
        return fail(ErrorCode::kInvalidInput, "it is an archive of more than " +
                                                  std::to_string(kEntriesMax) +
                                                  " files, which no document is");
    return opened;
}

Result<std::optional<std::string>> ZipArchive::find(const std::string& name) {
    const zip_int64_t index = zip_name_locate(archive_.get(), name.c_str(), 0);
    if (index < 0) return std::optional<std::string>();
    const auto entry = static_cast<zip_uint64_t>(index);
    zip_stat_t state;
    zip_stat_init(&state);
    if (zip_stat_index(archive_.get(), entry, 0, &state) != 0) return damaged(name);
    if (state.encryption_method != ZIP_EM_NONE)
        return fail(ErrorCode::kInvalidInput, "it has a password; save it without one");
    const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
        zip_fopen_index(archive_.get(), entry, 0), zip_fclose);
    if (!file) return damaged(name + ": " + zip_strerror(archive_.get()));
    std::string content;
    char piece[kPieceBytes];
    while (true) {
        const zip_int64_t count = zip_fread(file.get(), piece, sizeof piece);
        if (count < 0) return damaged(name + ": " + zip_file_strerror(file.get()));
        if (count == 0) return std::optional(std::move(content));
        const auto size = static_cast<std::uint64_t>(count);
        if (size > unpacked_bytes_left_)
            return fail(ErrorCode::kInvalidInput,
                        "it unpacks to more than a document may: it is an archive bomb, or has to "
                        "be split");
        unpacked_bytes_left_ -= size;
        content.append(piece, static_cast<std::size_t>(size));
    }
}

Result<std::string> ZipArchive::require(const std::string& name) {
    MC_ASSIGN(auto content, find(name));
    if (!content)
        return fail(ErrorCode::kInvalidInput,
                    "it lacks its part " + name +
                        ": it is damaged or of another kind; save it anew in the program that "
                        "made it");
    return std::move(*content);
}

}  // namespace mc::documents
