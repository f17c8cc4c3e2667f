// SPDX-License-Identifier: Apache-2.0
// Sections in a file: what an exported bank consists of (docs/storage-format.md).
//
// A section is its kind, the size of its payload, a checksum and the payload. The checksum covers
// the section's number in the file too, so one that is missing, doubled or moved is noticed. In an
// encrypted file each payload is sealed, and bound to its kind and number.
// Ownership: borrows the descriptor and the sealer. Threads: one. Errors: kCorruption naming the
// file, the section and its place; kIo, kOutOfSpace. Memory: one payload, and what is not written
// yet.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "storage/lmdb/record_codec.h"
#include "storage/seal/sealer.h"

namespace mc::storage {

enum class SectionKind : std::uint32_t {
    kRecord = 1,  // database, key and value of a store's record
    kText = 2,    // the bytes of the tokens just before it
    kEnd = 3,     // what the file holds, counted
};

// Beyond the gists of one parent of any model, and what a reader may be made to allocate.
inline constexpr std::uint64_t kSectionBytesMax = 64ULL << 20;

struct Section {
    SectionKind kind = SectionKind::kEnd;
    std::string payload;
};

// A record as a section has it; borrows the payload.
struct RecordSection {
    Database database;
    std::string_view key;
    RecordBytes value;

    RecordPlace place() const { return {database, key}; }
};

class SectionWriter {
  public:
    // name: of the file, for messages.
    SectionWriter(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

    // Sections are sealed from now on.
    void use_sealer(const Sealer* sealer) { sealer_ = sealer; }

    // Bytes that are no section: a file's head.
    Result<void> put_raw(std::string_view bytes);
    Result<void> put(SectionKind kind, std::string_view payload);
    Result<void> put_record(RecordPlace place, const RecordWords& value);
    // What was put is in the file when this returns; not synced.
    Result<void> flush();

    std::uint64_t sections() const { return sections_; }

    std::uint64_t bytes() const { return written_ + waiting_.size(); }

  private:
    const int fd_;
    const std::string name_;
    const Sealer* sealer_ = nullptr;
    std::string waiting_;
    std::uint64_t written_ = 0;
    std::uint64_t sections_ = 0;
};

// Where a section begins.
struct SectionPlace {
    std::uint64_t offset = 0;
    std::uint64_t number = 0;
};

class SectionReader {
  public:
    // A regular file of size_bytes, whose sections begin at `first`.
    SectionReader(int fd, std::uint64_t size_bytes, std::string name, std::uint64_t first)
        : fd_(fd), size_bytes_(size_bytes), name_(std::move(name)), at_{first, 0}, here_(at_) {}

    // Sections are sealed from now on.
    void use_sealer(const Sealer* sealer) { sealer_ = sealer; }

    // An end of the file before the section's is kCorruption.
    Result<Section> next();
    // The next section, which must be this kind of record. Borrows until the next call.
    Result<RecordSection> next_record(Database database);
    Result<std::string> next_text();

    SectionPlace place() const { return at_; }

    void seek(SectionPlace place) { at_ = here_ = place; }

    bool at_end() const { return at_.offset == size_bytes_; }

    std::uint64_t size_bytes() const { return size_bytes_; }

    const std::string& name() const { return name_; }

    // Of the section that was read last: "bank.mcbank, section 7 at byte 4096: WHAT; …".
    tl::unexpected<Error> damaged(const std::string& what) const;

  private:
    Result<void> read(std::uint64_t offset, char* to, std::uint64_t count) const;

    const int fd_;
    const std::uint64_t size_bytes_;
    const std::string name_;
    const Sealer* sealer_ = nullptr;
    SectionPlace at_;    // of the next section
    SectionPlace here_;  // of the last one
    Section last_;
};

// The record in a payload; nullopt when it has another form.
std::optional<RecordSection> parse_record(std::string_view payload);

}  // namespace mc::storage
