// SPDX-License-Identifier: Apache-2.0
#include "storage/portable/bank_file_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "core/sync_folder.h"
#include "storage/lmdb/bank_node_store.h"
#include "storage/lmdb/create_store.h"
#include "storage/portable/import_document.h"
#include "storage/seal/key_header.h"

namespace mc::storage {
namespace {

constexpr mode_t kFileMode = 0600;  // memories are their owner's

class Exporter final : public BankVisitor {
  public:
    Exporter(SectionWriter& out, const ExportOptions& options) : out_(out), options_(options) {}

    Result<void> write(const StoreMeta& meta, const BankNodeStore& bank) {
        MC_TRY(out_.put_raw(bank_file_head(options_.with_gists, options_.key != nullptr)));
        if (options_.key != nullptr) MC_TRY(seal_file(*options_.key));
        const RecordPlace meta_place{Database::kMeta, kMetaKey};
        StoreMeta told = meta;  // what a store is encrypted with says nothing of its content
        told.format_version = std::min(meta.format_version, kStoreFormatVersion);
        MC_TRY(out_.put_record(meta_place, encode_meta(meta_place, told)));
        const RecordPlace bank_place{Database::kBanks, bank.bank().name};
        MC_TRY(out_.put_record(bank_place, encode_bank(bank_place, bank.bank())));
        MC_TRY(bank.visit(*this, options_.with_gists));
        MC_TRY(
            out_.put(SectionKind::kEnd, {reinterpret_cast<const char*>(&totals_), sizeof totals_}));
        return out_.flush();
    }

    Result<void> on_document(const StoredDocument& document) override {
        document_ = document.record;
        ++totals_.documents;
        totals_.tokens += document_.token_count;
        totals_.bytes += document_.byte_count;
        const std::string key = key_of(document_);
        const RecordPlace place{Database::kDocuments, key};
        return out_.put_record(place, encode_document(place, document));
    }

    Result<void> on_original(const OriginalRecord& original) override {
        const std::string key = original_key(document_.bank, document_.id);
        const RecordPlace place{Database::kDocuments, key};
        return out_.put_record(place, encode_original(place, original));
    }

    Result<void> on_original_piece(std::uint64_t index, const std::string& bytes) override {
        const std::string key = piece_key(document_.bank, document_.id, index);
        const RecordPlace place{Database::kDocuments, key};
        return out_.put_record(place, encode_piece(place, bytes));
    }

    Result<void> on_chunk(std::uint64_t index, const TokenChunk& chunk) override {
        if (options_.cancelled && options_.cancelled->load())
            return fail(ErrorCode::kCancelled, "interrupted; nothing was exported");
        MC_ASSIGN(const std::string text, options_.text_of(chunk.tokens));
        const std::string key = token_key(document_.id, index);
        const RecordPlace place{Database::kTokens, key};
        MC_TRY(out_.put_record(place, encode_tokens(place, chunk)));
        tokens_ += chunk.tokens.size();
        if (options_.progress) options_.progress(tokens_);
        return out_.put(SectionKind::kText, text);
    }

    Result<void> on_group(const PlacedGroup& placed) override {
        const std::string key = group_key(document_.id, placed.level, placed.parent);
        const RecordPlace place{Database::kGists, key};
        return out_.put_record(place, encode_group(place, placed.group));
    }

    Result<void> on_tombstone(const Tombstone& tombstone) override {
        ++totals_.tombstones;
        const std::string key = tombstone_key(bank_, tombstone.document);
        const RecordPlace place{Database::kDocuments, key};
        return out_.put_record(place, encode_tombstone(place, tombstone));
    }

    const BankFileTotals& totals() const { return totals_; }

  private:
    // With a key of its own, so that no two files are encrypted with the same.
    Result<void> seal_file(const StoreKey& key) {
        const Secret data_key = random_secret();
        MC_ASSIGN(const std::string header, wrap_data_key(data_key, key));
        MC_TRY(out_.put_raw(header));
        sealer_ = std::make_unique<Sealer>(data_key);
        out_.use_sealer(sealer_.get());
        return {};
    }

    std::unique_ptr<Sealer> sealer_;
    SectionWriter& out_;
    const ExportOptions& options_;
    const BankId bank_;  // none: a tombstone belongs to the bank that the file holds
    DocumentRecord document_;
    BankFileTotals totals_;
    std::uint64_t tokens_ = 0;
};

Result<ExportReport> write_to(int fd, const Path& path, const Store& store,
                              const BankNodeStore& bank, const ExportOptions& options) {
    SectionWriter out(fd, path == "-" ? "standard output" : path.string());
    Exporter exporter(out, options);
    MC_TRY(exporter.write(store.meta(), bank));
    return ExportReport{exporter.totals(), out.bytes()};
}

// What a killed export left there is its owner's to write over.
Result<ExportReport> write_and_sync(const Path& draft, const Store& store,
                                    const BankNodeStore& bank, const ExportOptions& options) {
    const int fd =
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, kFileMode);
    if (fd < 0) return fail(system_error(errno, "cannot create", draft));
    ::fchmod(fd, kFileMode);
    auto report = write_to(fd, draft, store, bank, options);
    if (report && ::fsync(fd) != 0) report = fail(system_error(errno, "cannot sync", draft));
    ::close(fd);
    return report;
}

}  // namespace

Result<ExportReport> export_bank(const Store& store, const NodeStore& nodes, const Path& path,
                                 const ExportOptions& options) {
    const BankNodeStore& bank = stored_bank(nodes);
    if (path == "-") return write_to(STDOUT_FILENO, path, store, bank, options);
    std::error_code ignored;
    const auto there = std::filesystem::status(path, ignored).type();
    if (there != std::filesystem::file_type::not_found &&
        there != std::filesystem::file_type::regular)
        return fail(ErrorCode::kInvalidInput,
                    path.string() + " is there and is no file; name another place");
    const Path draft = path.string() + ".new";
    auto report = write_and_sync(draft, store, bank, options);
    if (report && ::rename(draft.c_str(), path.c_str()) != 0)
        report = fail(system_error(errno, "cannot move the export to", path));
    if (!report) {
        ::unlink(draft.c_str());
        return report;
    }
    const Path folder = path.has_parent_path() ? path.parent_path() : Path(".");
    MC_TRY(sync_folder(folder));
    return report;
}

}  // namespace mc::storage
