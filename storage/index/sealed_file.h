// SPDX-License-Identifier: Apache-2.0
// One file of an encrypted SQLite database: what SQLite reads and writes of it, and what is there.
//
// The content lies in the file as an encrypted disk would have it (storage/seal/sector_cipher.h).
// In a write-ahead log, whose frames begin anywhere, each is moved to the border of a block: so a
// frame that is being written changes no byte of one that somebody reads, and a torn write harms
// none that was there. Ends of files are filled up to a whole block. Ownership: borrows SQLite's
// own file for a call. Threads: none shared. Errors: SQLite's codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "storage/seal/sector_cipher.h"

struct sqlite3_file;

namespace mc::storage {

enum class FileLayout {
    kEven,  // at the place where SQLite has it
    kLog,   // 32 bytes of head; frames of 24 bytes, 8 that are free, and a page
};

class SealedFile {
  public:
    static constexpr std::int64_t kPageBytes = 4096;

    SealedFile(const SectorKey& key, FileLayout layout) : cipher_(key), layout_(layout) {}

    // As xRead, xWrite, xTruncate and xFileSize of SQLite's file methods.
    int read(sqlite3_file& file, std::byte* to, std::int64_t count, std::int64_t offset);
    int write(sqlite3_file& file, const std::byte* from, std::int64_t count, std::int64_t offset);
    int truncate(sqlite3_file& file, std::int64_t size) const;
    int size(sqlite3_file& file, std::int64_t& size) const;

  private:
    // A stretch that lies in one piece: where, how long, and how many free bytes follow.
    struct Piece {
        std::int64_t offset = 0;
        std::int64_t count = 0;
        std::int64_t free = 0;
    };

    Piece piece_at(std::int64_t offset, std::int64_t count) const;
    int read_piece(sqlite3_file& file, std::byte* to, std::int64_t count, std::int64_t offset);
    int write_piece(sqlite3_file& file, const std::byte* from, const Piece& piece);

    SectorCipher cipher_;
    const FileLayout layout_;
    std::vector<std::byte> read_room_;
    std::vector<std::byte> write_room_;
};

}  // namespace mc::storage
