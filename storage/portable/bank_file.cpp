// SPDX-License-Identifier: Apache-2.0
#include "storage/portable/bank_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/descriptor.h"
#include "core/span_math.h"
#include "storage/lmdb/bank_node_store.h"
#include "storage/lmdb/batch_writer.h"
#include "storage/seal/key_header.h"

namespace mc::storage {
namespace {

constexpr std::string_view kMagic = "MCBANK\r\n";  // shows what a transfer as text does to it
constexpr std::uint32_t kWithGists = 1;

struct FileHead {
    char magic[8];
    std::uint32_t version;
    std::uint32_t flags;
    std::uint64_t checksum;
};

static_assert(sizeof(FileHead) == kBankFileHeadBytes, "as it lies in the file");

std::uint64_t checksum_of(const FileHead& head) {
    return xxh3_64(std::as_bytes(std::span(&head, 1)).first(sizeof head - sizeof head.checksum));
}

Result<struct stat> status_of(int fd, const std::string& name) {
    struct stat info {};

    if (fd < 0 || ::fstat(fd, &info) != 0) return fail(system_error(errno, "cannot open", name));
    if (S_ISDIR(info.st_mode))
        return fail(ErrorCode::kInvalidInput, name + " is a folder, not a file");
    return info;
}

Result<void> copy_to(int from, int to, const std::string& name) {
    std::string piece(1 << 20, '\0');
    SectionWriter out(to, "a copy of " + name);
    while (true) {
        const ssize_t count = ::read(from, piece.data(), piece.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(system_error(errno, "cannot read", name));
        if (count == 0) return out.flush();
        MC_TRY(out.put_raw(std::string_view(piece).substr(0, static_cast<std::size_t>(count))));
    }
}

// Gists of a shape that no section could hold belong to no model.
bool is_possible(const GistShape& shape) {
    constexpr std::uint64_t kDimMax = 1 << 14;
    return shape.layer_count <= kDimMax && shape.kv_head_count <= kDimMax &&
           shape.head_dim <= kDimMax && shape.index_dim <= kDimMax && shape.kv_count() > 0 &&
           shape.kv_count() * sizeof(std::uint16_t) * kBlockSize <= kSectionBytesMax;
}

}  // namespace

std::string bank_file_head(bool has_gists, bool is_sealed) {
    FileHead head{
        {}, is_sealed ? kSealedBankFileVersion : kBankFileVersion, has_gists ? kWithGists : 0, 0};
    std::memcpy(head.magic, kMagic.data(), sizeof head.magic);
    head.checksum = checksum_of(head);
    return {reinterpret_cast<const char*>(&head), sizeof head};
}

Result<int> open_nameless_file() {
    std::error_code error;
    const Path folder = std::filesystem::temp_directory_path(error);
    if (error) return fail(system_error(error.value(), "no folder for temporary files:", folder));
    std::string name = (folder / "megacontext-XXXXXX").string();
    const int fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) return fail(system_error(errno, "cannot create", name));
    ::unlink(name.c_str());
    return fd;
}

FileDocument::FileDocument(SectionReader& sections, const BankFileHead& head,
                           StoredDocument document, const TextOf& text_of)
    : sections_(sections),
      head_(head),
      document_(std::move(document)),
      text_of_(text_of),
      begin_(sections.place()) {}

Result<void> FileDocument::rewind() {
    sections_.seek(begin_);
    text_.clear();
    hash_ = std::make_unique<StreamHash>();
    original_looked_for_ = false;
    original_.reset();
    original_bytes_ = bytes_ = chunks_ = gists_ = 0;
    level_ = 1;
    return {};
}

Result<std::optional<DocumentPiece>> FileDocument::next() {
    const std::uint64_t tokens = record().token_count;
    if (!original_looked_for_) {
        MC_ASSIGN(original_, find_original());
        original_looked_for_ = true;
        if (original_) return std::optional<DocumentPiece>(*original_);
    }
    if (original_ && original_bytes_ < original_->byte_count) {
        MC_ASSIGN(OriginalPiece piece, read_original_piece());
        return std::optional<DocumentPiece>(std::move(piece));
    }
    if (chunk_size(tokens, chunks_) > 0) {
        MC_ASSIGN(TokenChunk chunk, read_chunk());
        return std::optional<DocumentPiece>(std::move(chunk));
    }
    while (level_ <= kLevelMax.value && gists_ == node_count(record().gist_end, Level(level_))) {
        ++level_;
        gists_ = 0;
    }
    if (head_.has_gists && level_ <= kLevelMax.value) {
        MC_ASSIGN(PlacedGroup group, read_group());
        return std::optional<DocumentPiece>(std::move(group));
    }
    MC_TRY(check_end());
    return std::optional<DocumentPiece>();
}

// The section that comes next, if it is an original's record; else it is left for others.
Result<std::optional<OriginalRecord>> FileDocument::find_original() {
    const SectionPlace before = sections_.place();
    MC_ASSIGN(const Section section, sections_.next());
    const auto record = section.kind == SectionKind::kRecord ? parse_record(section.payload)
                                                             : std::optional<RecordSection>();
    if (!record || record->database != Database::kDocuments || !record->key.starts_with('o')) {
        sections_.seek(before);
        return std::optional<OriginalRecord>();
    }
    if (record->key != original_key(document_.record.bank, document_.record.id))
        return sections_.damaged("an original of another document");
    auto original = decode_original(record->place(), record->value);
    if (!original) return sections_.damaged(original.error());
    return std::optional<OriginalRecord>(std::move(*original));
}

Result<OriginalPiece> FileDocument::read_original_piece() {
    const std::uint64_t index = original_bytes_ / kOriginalPieceBytes;
    MC_ASSIGN(const RecordSection record, sections_.next_record(Database::kDocuments));
    if (record.key != piece_key(document_.record.bank, document_.record.id, index))
        return sections_.damaged("an original out of order");
    auto bytes = decode_piece(record.place(), record.value);
    if (!bytes) return sections_.damaged(bytes.error());
    if (original_bytes_ == 0) original_hash_ = std::make_unique<StreamHash>();
    original_hash_->update(std::as_bytes(std::span(*bytes)));
    original_bytes_ += bytes->size();
    const std::uint64_t whole = original_->byte_count;
    const bool is_last = original_bytes_ == whole;
    if (original_bytes_ > whole || (!is_last && bytes->size() != kOriginalPieceBytes) ||
        (is_last && original_hash_->digest() != original_->hash))
        return sections_.damaged("an original that does not have the size and hash of its record");
    return OriginalPiece{std::move(*bytes)};
}

Result<TokenChunk> FileDocument::read_chunk() {
    MC_ASSIGN(const RecordSection record, sections_.next_record(Database::kTokens));
    if (record.key != token_key(document_.record.id, chunks_))
        return sections_.damaged("tokens out of order");
    const auto chunk = decode_tokens(record.place(), record.value);
    if (!chunk) return sections_.damaged(chunk.error());
    if (chunk->tokens.size() != chunk_size(document_.record.token_count, chunks_) ||
        chunk->first_byte != bytes_)
        return sections_.damaged("tokens that do not fit their document");
    MC_ASSIGN(text_, sections_.next_text());
    if (text_of_) {
        MC_ASSIGN(const std::string meant, text_of_(chunk->tokens));
        if (meant != text_) return sections_.damaged("not the text of its tokens");
    }
    hash_->update(std::as_bytes(std::span(text_)));
    bytes_ += text_.size();
    ++chunks_;
    return *chunk;
}

Result<PlacedGroup> FileDocument::read_group() {
    const NodeIndex parent(gists_ >> kBlockBits);
    MC_ASSIGN(const RecordSection record, sections_.next_record(Database::kGists));
    if (record.key != group_key(document_.record.id, Level(level_), parent))
        return sections_.damaged("gists out of order");
    auto group = decode_group(record.place(), record.value, head_.meta);
    if (!group) return sections_.damaged(group.error());
    if (group->count != group_size(node_count(document_.record.gist_end, Level(level_)), parent))
        return sections_.damaged("not as many gists as its tokens fill");
    gists_ += group->count;
    return PlacedGroup{Level(level_), parent, std::move(*group)};
}

Result<void> FileDocument::check_end() const {
    if (bytes_ == record().byte_count && hash_->digest() == record().content_hash) return {};
    return sections_.damaged("the text of document \"" + record().source_name +
                             "\" does not have the hash of its record");
}

Result<void> FileDocument::finish() {
    while (true) {
        MC_ASSIGN(const auto piece, next());
        if (!piece) return {};
    }
}

BankFile::BankFile(int fd, std::uint64_t size_bytes, std::string name)
    : fd_(fd), sections_(fd, size_bytes, std::move(name), kBankFileHeadBytes) {}

BankFile::~BankFile() {
    ::close(fd_);
}

Result<std::unique_ptr<BankFile>> BankFile::open(const Path& path, const StoreKey* key) {
    const bool is_input = path == "-";
    const std::string name = is_input ? "standard input" : path.string();
    Descriptor given(is_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                              : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    MC_ASSIGN(struct stat info, status_of(given.get(), name));
    Descriptor copy(-1);
    if (!S_ISREG(info.st_mode)) {
        MC_ASSIGN(const int made, open_nameless_file());
        copy = Descriptor(made);
        MC_TRY(copy_to(given.get(), copy.get(), name));
        MC_ASSIGN(info, status_of(copy.get(), name));
    }
    const int fd = copy.get() >= 0 ? copy.take() : given.take();
    std::unique_ptr<BankFile> file(
        new BankFile(fd, static_cast<std::uint64_t>(info.st_size), name));
    MC_TRY(file->read_head(key));
    return file;
}

// Where the sections begin.
Result<std::uint64_t> BankFile::read_key_header(const StoreKey* key) {
    std::array<std::byte, kKeyHeaderBytes> header{};
    const ssize_t count = ::pread(fd_, header.data(), header.size(), kBankFileHeadBytes);
    if (count < 0) return fail(system_error(errno, "cannot read", sections_.name()));
    const auto read = std::span(header).first(static_cast<std::size_t>(count));
    MC_ASSIGN(const Secret data_key, unwrap_data_key(read, key, sections_.name()));
    sealer_ = std::make_unique<Sealer>(data_key);
    sections_.use_sealer(sealer_.get());
    return kBankFileHeadBytes + header.size();
}

Result<void> BankFile::read_head(const StoreKey* key) {
    const std::string& name = sections_.name();
    FileHead head{};
    const ssize_t count = ::pread(fd_, &head, sizeof head, 0);
    if (count < 0) return fail(system_error(errno, "cannot read", name));
    if (std::string_view(head.magic, sizeof head.magic) != kMagic)
        return fail(ErrorCode::kInvalidInput,
                    name + " is no exported bank; name a file that megacontext export wrote");
    if (count != sizeof head || head.checksum != checksum_of(head))
        return fail(ErrorCode::kCorruption,
                    name + ": its first " + std::to_string(sizeof head) +
                        " bytes are damaged; copy the file again from where it was made, or "
                        "export the bank again");
    const bool is_sealed = head.version == kSealedBankFileVersion;
    if ((head.version != kBankFileVersion && !is_sealed) || head.flags > kWithGists)
        return fail(ErrorCode::kFormatVersion, name + " is an exported bank of version " +
                                                   std::to_string(head.version) +
                                                   "; this program reads versions up to " +
                                                   std::to_string(kSealedBankFileVersion) +
                                                   ": import it with the program that made it");
    head_.has_gists = head.flags == kWithGists;
    std::uint64_t begin = kBankFileHeadBytes;
    if (is_sealed) {
        MC_ASSIGN(begin, read_key_header(key));
    }
    sections_.seek({begin, 0});
    MC_ASSIGN(const RecordSection meta, sections_.next_record(Database::kMeta));
    auto decoded_meta = meta.key == kMetaKey ? decode_meta(meta.place(), meta.value)
                                             : tl::unexpected<std::string>("no such record");
    if (!decoded_meta) return sections_.damaged(decoded_meta.error());
    head_.meta = std::move(*decoded_meta);
    if (head_.meta.format_version > kSealedFormatVersion || head_.meta.block_size != kBlockSize)
        return fail(ErrorCode::kFormatVersion,
                    name + " comes from a store of another format than this program's");
    if (!is_possible(head_.meta.identity.encoder.shape))
        return sections_.damaged("gists of an impossible shape");
    MC_ASSIGN(const RecordSection bank, sections_.next_record(Database::kBanks));
    auto decoded_bank = decode_bank(bank.place(), bank.value);
    if (!decoded_bank) return sections_.damaged(decoded_bank.error());
    head_.bank = std::move(*decoded_bank);
    first_document_ = sections_.place();
    return {};
}

Result<BankFileTotals> BankFile::walk(const Visit& visit) {
    BankFileTotals totals;
    sections_.seek(first_document_);
    while (true) {
        MC_ASSIGN(const Section section, sections_.next());
        if (section.kind == SectionKind::kEnd) {
            MC_TRY(check_end(section, totals));
            return totals;
        }
        MC_TRY(visit_record(section, visit, totals));
        if (visit.progress) visit.progress(sections_.place().offset);
    }
}

Result<void> BankFile::visit_record(const Section& section, const Visit& visit,
                                    BankFileTotals& totals) {
    const auto record = section.kind == SectionKind::kRecord ? parse_record(section.payload)
                                                             : std::optional<RecordSection>();
    if (!record || record->database != Database::kDocuments)
        return sections_.damaged("no document begins here");
    if (record->key.starts_with('d') || record->key.starts_with('e'))
        return visit_document(*record, visit, totals);
    const auto tombstone = parse_tombstone_key(record->key)
                               ? decode_tombstone(record->place(), record->value)
                               : tl::unexpected<std::string>("no document begins here");
    if (!tombstone) return sections_.damaged(tombstone.error());
    if (tombstone->reason.size() > kForgetReasonBytesMax)
        return sections_.damaged("an impossible tombstone");
    ++totals.tombstones;
    if (visit.on_tombstone) visit.on_tombstone(*tombstone);
    return {};
}

Result<void> BankFile::visit_document(const RecordSection& record, const Visit& visit,
                                      BankFileTotals& totals) {
    auto stored = decode_document(record.place(), record.value);
    if (!stored) return sections_.damaged(stored.error());
    FileDocument document(sections_, head_, std::move(*stored), visit.text_of);
    if (visit.on_document) MC_TRY(visit.on_document(document));
    MC_TRY(document.finish());
    ++totals.documents;
    totals.tokens += document.record().token_count;
    totals.bytes += document.record().byte_count;
    return {};
}

Result<void> BankFile::check_end(const Section& section, const BankFileTotals& totals) const {
    BankFileTotals said;
    if (section.payload.size() != sizeof said) return sections_.damaged("no end mark");
    std::memcpy(&said, section.payload.data(), sizeof said);
    if (said != totals) return sections_.damaged("not as much came before as the end mark says");
    if (!sections_.at_end()) return sections_.damaged("something follows the end mark");
    return {};
}

}  // namespace mc::storage
