// SPDX-License-Identifier: Apache-2.0
#include "storage/index/sealed_file.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace mc::storage {
namespace {

constexpr std::int64_t kSector = SectorCipher::kSectorBytes;
constexpr std::int64_t kBlock = SectorCipher::kBlockBytes;

// Of a write-ahead log, as SQLite has it, and what its frames take in the file.
constexpr std::int64_t kLogHeadBytes = 32;
constexpr std::int64_t kFrameHeadBytes = 24;
constexpr std::int64_t kFrameBytes = kFrameHeadBytes + SealedFile::kPageBytes;
constexpr std::int64_t kFrameFreeBytes = 8;
constexpr std::int64_t kStoredFrameBytes = kFrameBytes + kFrameFreeBytes;
static_assert(kLogHeadBytes % kBlock == 0 && kStoredFrameBytes % kBlock == 0 &&
              (kFrameHeadBytes + kFrameFreeBytes) % kBlock == 0);

constexpr std::int64_t down(std::int64_t value, std::int64_t unit) {
    return value / unit * unit;
}

constexpr std::int64_t up(std::int64_t value, std::int64_t unit) {
    return down(value + unit - 1, unit);
}

}  // namespace

SealedFile::Piece SealedFile::piece_at(std::int64_t offset, std::int64_t count) const {
    if (layout_ == FileLayout::kEven) return {offset, count, 0};
    if (offset < kLogHeadBytes) return {offset, std::min(count, kLogHeadBytes - offset), 0};
    const std::int64_t frame = (offset - kLogHeadBytes) / kFrameBytes;
    const std::int64_t in_frame = (offset - kLogHeadBytes) % kFrameBytes;
    const std::int64_t begin = kLogHeadBytes + frame * kStoredFrameBytes;
    if (in_frame < kFrameHeadBytes) {
        const std::int64_t left = std::min(count, kFrameHeadBytes - in_frame);
        return {begin + in_frame, left, in_frame + left == kFrameHeadBytes ? kFrameFreeBytes : 0};
    }
    return {begin + in_frame + kFrameFreeBytes, std::min(count, kFrameBytes - in_frame), 0};
}

int SealedFile::read(sqlite3_file& file, std::byte* to, std::int64_t count, std::int64_t offset) {
    int code = SQLITE_OK;
    while (count > 0) {
        const Piece piece = piece_at(offset, count);
        const int read = read_piece(file, to, piece.count, piece.offset);
        if (read != SQLITE_OK && read != SQLITE_IOERR_SHORT_READ) return read;
        if (read != SQLITE_OK) code = read;
        to += piece.count;
        offset += piece.count;
        count -= piece.count;
    }
    return code;
}

int SealedFile::read_piece(sqlite3_file& file, std::byte* to, std::int64_t count,
                           std::int64_t offset) {
    const std::int64_t begin = down(offset, kSector);
    const std::int64_t end = up(offset + count, kBlock);
    read_room_.resize(static_cast<std::size_t>(end - begin));
    int code = file.pMethods->xRead(&file, read_room_.data(), static_cast<int>(end - begin), begin);
    std::int64_t there = end - begin;
    if (code == SQLITE_IOERR_SHORT_READ) {
        sqlite3_int64 size_bytes = 0;
        code = file.pMethods->xFileSize(&file, &size_bytes);
        there = std::clamp<std::int64_t>(down(size_bytes, kBlock) - begin, 0, there);
    }
    if (code != SQLITE_OK) return code;
    const std::span room(read_room_);
    cipher_.decrypt(static_cast<std::uint64_t>(begin / kSector),
                    room.first(static_cast<std::size_t>(there)));
    std::ranges::fill(room.subspan(static_cast<std::size_t>(there)), std::byte{0});
    std::memcpy(to, read_room_.data() + (offset - begin), static_cast<std::size_t>(count));
    return begin + there < offset + count ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

int SealedFile::write(sqlite3_file& file, const std::byte* from, std::int64_t count,
                      std::int64_t offset) {
    while (count > 0) {
        const Piece piece = piece_at(offset, count);
        if (const int code = write_piece(file, from, piece); code != SQLITE_OK) return code;
        from += piece.count;
        offset += piece.count;
        count -= piece.count;
    }
    return SQLITE_OK;
}

// Whole blocks are written; what of the first and the last one is not ours stays as it is.
int SealedFile::write_piece(sqlite3_file& file, const std::byte* from, const Piece& piece) {
    const std::int64_t sector = down(piece.offset, kSector);
    const std::int64_t begin = down(piece.offset, kBlock);
    const std::int64_t text_end = piece.offset + piece.count;
    const std::int64_t end = up(text_end + piece.free, kBlock);
    write_room_.assign(static_cast<std::size_t>(end - sector), std::byte{0});
    std::byte* const room = write_room_.data() - sector;  // by offset in the file
    const auto keep = [&](std::int64_t first, std::int64_t last) {
        if (first == last) return SQLITE_OK;
        const int code = read_piece(file, room + first, last - first, first);
        return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
    };
    if (const int code = keep(begin, piece.offset); code != SQLITE_OK) return code;
    if (const int code = keep(text_end + piece.free, end); code != SQLITE_OK) return code;
    std::memcpy(room + piece.offset, from, static_cast<std::size_t>(piece.count));
    cipher_.encrypt(static_cast<std::uint64_t>(sector / kSector), write_room_);
    return file.pMethods->xWrite(&file, room + begin, static_cast<int>(end - begin), begin);
}

int SealedFile::truncate(sqlite3_file& file, std::int64_t size) const {
    const Piece end = piece_at(size, 0);
    return file.pMethods->xTruncate(&file, up(end.offset, kBlock));
}

int SealedFile::size(sqlite3_file& file, std::int64_t& size) const {
    sqlite3_int64 stored = 0;
    const int code = file.pMethods->xFileSize(&file, &stored);
    size = stored;
    if (code != SQLITE_OK || layout_ == FileLayout::kEven || stored <= kLogHeadBytes) return code;
    const std::int64_t frames = (stored - kLogHeadBytes) / kStoredFrameBytes;
    const std::int64_t rest = (stored - kLogHeadBytes) % kStoredFrameBytes;
    const std::int64_t in_frame = std::max(std::min(rest, kFrameHeadBytes), rest - kFrameFreeBytes);
    size = kLogHeadBytes + frames * kFrameBytes + in_frame;
    return SQLITE_OK;
}

}  // namespace mc::storage
