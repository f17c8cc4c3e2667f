// SPDX-License-Identifier: Apache-2.0
// A bank as one file that can be carried elsewhere, being read (docs/storage-format.md).
//
// Nothing in it is trusted: sizes are bounded before memory is taken, every section is covered by a
// checksum, every document by the hash of its bytes, the whole by counts at its end. It is read
// document by document, in memory that does not grow with the file.
// Ownership: a FileDocument borrows its BankFile and lives for one call. Threads: one.
// Errors: kInvalidInput for a file that is no exported bank; kFormatVersion; kKey; kCorruption
// naming the file, the section, its byte and what to do; kIo.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "core/files.h"
#include "core/result.h"
#include "storage/lmdb/document_source.h"
#include "storage/portable/section_file.h"
#include "storage/seal/store_key.h"

namespace mc::storage {

inline constexpr std::uint32_t kBankFileVersion = 1;
inline constexpr std::uint32_t kSealedBankFileVersion = 2;  // of an encrypted one

// The bytes that tokens stand for. Errors: kCorruption for an id that no token has.
using TextOf = std::function<Result<std::string>(std::span<const TokenId>)>;

// What a file says of itself at its beginning.
struct BankFileHead {
    StoreMeta meta;  // of the store that it came from
    BankRecord bank;
    bool has_gists = false;
};

// What it says at its end.
struct BankFileTotals {
    std::uint64_t documents = 0;
    std::uint64_t tokens = 0;
    std::uint64_t bytes = 0;
    std::uint64_t tombstones = 0;

    bool operator==(const BankFileTotals&) const = default;
};

// One document of the file. Its end is reached only if its text and its original have the hashes of
// their records and, where text_of is given, the text is what its tokens stand for.
class FileDocument final : public DocumentSource {
  public:
    FileDocument(SectionReader& sections, const BankFileHead& head, StoredDocument document,
                 const TextOf& text_of);

    const DocumentRecord& record() const { return document_.record; }

    Result<void> rewind() override;
    Result<std::optional<DocumentPiece>> next() override;

    // Of the chunk that next() gave last.
    const std::string& text() const { return text_; }

    // Reads what is left, so that everything of it was checked.
    Result<void> finish();

  private:
    Result<std::optional<OriginalRecord>> find_original();
    Result<OriginalPiece> read_original_piece();
    Result<TokenChunk> read_chunk();
    Result<PlacedGroup> read_group();
    Result<void> check_end() const;

    SectionReader& sections_;
    const BankFileHead& head_;
    const StoredDocument document_;
    const TextOf& text_of_;
    const SectionPlace begin_;
    std::string text_;
    std::unique_ptr<StreamHash> hash_ = std::make_unique<StreamHash>();
    bool original_looked_for_ = false;
    std::optional<OriginalRecord> original_;
    std::unique_ptr<StreamHash> original_hash_;  // of the bytes read
    std::uint64_t original_bytes_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t chunks_ = 0;
    std::uint8_t level_ = 1;
    std::uint64_t gists_ = 0;  // of that level
};

class BankFile {
  public:
    // A path that is no regular file (a pipe, "-" for standard input) is copied first, to a file
    // without a name in the folder for temporary files. key: opens an encrypted file, null for
    // none; a file that is not encrypted takes no notice (else kKey).
    static Result<std::unique_ptr<BankFile>> open(const Path& path, const StoreKey* key = nullptr);
    ~BankFile();
    BankFile(const BankFile&) = delete;
    BankFile& operator=(const BankFile&) = delete;

    const BankFileHead& head() const { return head_; }

    std::uint64_t size_bytes() const { return sections_.size_bytes(); }

    struct Visit {
        TextOf text_of;  // empty: what tokens stand for is not known here
        // May read the document as often as it likes, or not at all.
        std::function<Result<void>(FileDocument& document)> on_document;
        std::function<void(const Tombstone& tombstone)> on_tombstone;
        // Bytes of the file; may be empty.
        std::function<void(std::uint64_t done)> progress;
    };

    // Everything in the file, from its beginning, checked to its last byte.
    Result<BankFileTotals> walk(const Visit& visit);

  private:
    BankFile(int fd, std::uint64_t size_bytes, std::string name);

    Result<void> read_head(const StoreKey* key);
    Result<std::uint64_t> read_key_header(const StoreKey* key);
    Result<void> visit_record(const Section& section, const Visit& visit, BankFileTotals& totals);
    Result<void> visit_document(const RecordSection& record, const Visit& visit,
                                BankFileTotals& totals);
    Result<void> check_end(const Section& section, const BankFileTotals& totals) const;

    const int fd_;
    std::unique_ptr<Sealer> sealer_;  // null: not encrypted
    SectionReader sections_;
    BankFileHead head_;
    SectionPlace first_document_;
};

// The first bytes of a file: magic, version, whether it has gists, a checksum. Of an encrypted one
// its key header follows (storage/seal/key_header.h).
inline constexpr std::size_t kBankFileHeadBytes = 24;
std::string bank_file_head(bool has_gists, bool is_sealed);

// A file that is gone with its descriptor, for its owner alone. Ownership: the caller closes it.
Result<int> open_nameless_file();

}  // namespace mc::storage
