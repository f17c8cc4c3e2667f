// SPDX-License-Identifier: Apache-2.0
// Store: what its files take on disk, and what for.
#include <sys/stat.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "storage/index/index_size.h"
#include "storage/lmdb/lmdb_env.h"
#include "storage/lmdb/store_parts.h"
#include "storage/store.h"

namespace mc::storage {
namespace {

constexpr std::uint64_t kDiskBlockBytes = 512;  // st_blocks' unit

}  // namespace

Result<std::uint64_t> Store::size_on_disk_bytes() const {
    namespace fs = std::filesystem;
    std::uint64_t bytes = 0;
    std::error_code error;
    fs::recursive_directory_iterator file(parts_->directory, error);
    for (; !error && file != fs::recursive_directory_iterator(); file.increment(error)) {
        struct stat info {};

        // A file may go away while it is looked at: a cache's draft, for one.
        if (::lstat(file->path().c_str(), &info) == 0)
            bytes += static_cast<std::uint64_t>(info.st_blocks) * kDiskBlockBytes;
    }
    if (error) return fail(system_error(error.value(), "cannot list", parts_->directory));
    return bytes;
}

Result<std::vector<DatabaseStatistics>> Store::database_statistics() const {
    std::vector<DatabaseStatistics> all;
    MC_TRY(parts_->env->read([&](const ReadTransaction& txn) -> Result<void> {
        for (std::size_t i = 0; i < kDatabaseCount; ++i) {
            MC_ASSIGN(auto one, txn.statistics(static_cast<Database>(i)));
            all.push_back(std::move(one));
        }
        return {};
    }));
    return all;
}

Result<std::vector<StorePart>> Store::part_sizes() const {
    MC_ASSIGN(const auto databases, database_statistics());
    const auto pages = [&databases](Database one) {
        return databases[static_cast<std::size_t>(one)].bytes;
    };
    IndexSize index;
    MC_ASSIGN(const auto banks, list_banks());
    for (const BankRecord& bank : banks) {
        MC_ASSIGN(const Path path, index_path(bank, kPassageIndexFile));
        MC_ASSIGN(const IndexSize one, measure_index(path, index_keys(bank)));
        index.vector_bytes += one.vector_bytes;
        index.word_bytes += one.word_bytes;
    }
    std::vector<StorePart> parts{
        {"text", pages(Database::kTokens)}, {"documents", pages(Database::kDocuments)},
        {"gists", pages(Database::kGists)}, {"statistics", pages(Database::kStats)},
        {"vectors", index.vector_bytes},    {"words", index.word_bytes},
    };
    MC_ASSIGN(const std::uint64_t whole, size_on_disk_bytes());
    std::uint64_t named = 0;
    for (const StorePart& part : parts) named += part.bytes;
    // A file that was written this moment may be larger than the blocks that the system says it
    // has.
    parts.push_back({"other", whole - std::min(whole, named)});
    return parts;
}

}  // namespace mc::storage
