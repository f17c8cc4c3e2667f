// SPDX-License-Identifier: Apache-2.0
#include "storage/portable/section_file.h"

#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "core/check.h"
#include "core/files.h"

namespace mc::storage {
namespace {

static_assert(std::endian::native == std::endian::little, "sections are little-endian");

constexpr std::size_t kWaitingBytesMax = 1 << 20;

struct SectionHead {
    std::uint32_t kind = 0;
    std::uint32_t size_bytes = 0;
    std::uint64_t checksum = 0;
};

static_assert(sizeof(SectionHead) == 16, "as it lies in the file");

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

std::uint64_t checksum_of(SectionHead head, std::uint64_t number, std::string_view payload) {
    const std::uint64_t place[2] = {head.kind | std::uint64_t{head.size_bytes} << 32, number};
    return xxh3_64(bytes_of(payload)) ^ xxh3_64(std::as_bytes(std::span(place)));
}

// What a sealed payload is bound to.
std::string place_of(std::uint32_t kind, std::uint64_t number) {
    std::string place(reinterpret_cast<const char*>(&kind), sizeof kind);
    place.append(reinterpret_cast<const char*>(&number), sizeof number);
    return place;
}

std::string text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class T>
void append(std::string& to, const T& value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

bool is_kind(std::uint32_t number) {
    return number >= static_cast<std::uint32_t>(SectionKind::kRecord) &&
           number <= static_cast<std::uint32_t>(SectionKind::kEnd);
}

}  // namespace

Result<void> SectionWriter::put_raw(std::string_view bytes) {
    waiting_.append(bytes);
    return waiting_.size() < kWaitingBytesMax ? Result<void>() : flush();
}

Result<void> SectionWriter::put(SectionKind kind, std::string_view payload) {
    if (payload.size() > kSectionBytesMax)
        return fail(ErrorCode::kInvalidInput,
                    name_ + ": a record of " + std::to_string(payload.size()) +
                        " bytes; a section holds " + std::to_string(kSectionBytesMax));
    const auto number = static_cast<std::uint32_t>(kind);
    std::string sealed;
    if (sealer_ != nullptr) {
        sealed = text_of(sealer_->seal(place_of(number, sections_), bytes_of(payload)));
        payload = sealed;
    }
    SectionHead head{number, static_cast<std::uint32_t>(payload.size()), 0};
    head.checksum = checksum_of(head, sections_++, payload);
    append(waiting_, head);
    return put_raw(payload);
}

Result<void> SectionWriter::put_record(RecordPlace place, const RecordWords& value) {
    std::string payload;
    payload.push_back(static_cast<char>(place.database));
    append(payload, static_cast<std::uint16_t>(place.key.size()));
    payload.append(place.key);
    payload.append(reinterpret_cast<const char*>(value.data()), value.size() * sizeof value[0]);
    return put(SectionKind::kRecord, payload);
}

Result<void> SectionWriter::flush() {
    std::string_view rest = waiting_;
    while (!rest.empty()) {
        const ssize_t count = ::write(fd_, rest.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(system_error(errno, "cannot write", name_));
        rest.remove_prefix(static_cast<std::size_t>(count));
    }
    written_ += waiting_.size();
    waiting_.clear();
    return {};
}

tl::unexpected<Error> SectionReader::damaged(const std::string& what) const {
    return fail(ErrorCode::kCorruption,
                name_ + ", section " + std::to_string(here_.number) + " at byte " +
                    std::to_string(here_.offset) + ": " + what +
                    "; copy the file again from where it was made, or export the bank again");
}

Result<void> SectionReader::read(std::uint64_t offset, char* to, std::uint64_t count) const {
    while (count > 0) {
        const ssize_t done = ::pread(fd_, to, count, static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return fail(system_error(errno, "cannot read", name_));
        if (done == 0) return damaged("the file was cut off while it was read");
        offset += static_cast<std::uint64_t>(done);
        to += done;
        count -= static_cast<std::uint64_t>(done);
    }
    return {};
}

Result<Section> SectionReader::next() {
    here_ = at_;
    const std::uint64_t left = size_bytes_ - std::min(at_.offset, size_bytes_);
    if (left == 0) return damaged("the file ends before its end mark");
    SectionHead head;
    if (left < sizeof head) return damaged("the file is cut off");
    MC_TRY(read(at_.offset, reinterpret_cast<char*>(&head), sizeof head));
    if (!is_kind(head.kind)) return damaged("no kind of section");
    const std::uint64_t most = kSectionBytesMax + (sealer_ ? Sealer::kOverheadBytes : 0);
    if (head.size_bytes > most) return damaged("an impossible size");
    if (head.size_bytes > left - sizeof head) return damaged("the file is cut off");
    Section section{static_cast<SectionKind>(head.kind), std::string(head.size_bytes, '\0')};
    MC_TRY(read(at_.offset + sizeof head, section.payload.data(), head.size_bytes));
    if (head.checksum != checksum_of(head, at_.number, section.payload))
        return damaged("wrong checksum");
    if (sealer_ != nullptr) {
        const auto opened =
            sealer_->open(place_of(head.kind, at_.number), bytes_of(section.payload));
        if (!opened) return damaged("its seal is broken");
        section.payload = text_of(*opened);
    }
    at_ = {at_.offset + sizeof head + head.size_bytes, at_.number + 1};
    return section;
}

Result<RecordSection> SectionReader::next_record(Database database) {
    MC_ASSIGN(last_, next());
    const auto record = last_.kind == SectionKind::kRecord ? parse_record(last_.payload)
                                                           : std::optional<RecordSection>();
    if (!record || record->database != database)
        return damaged("a record of " + std::string(database_name(database)) + " is missing");
    return *record;
}

Result<std::string> SectionReader::next_text() {
    MC_ASSIGN(Section section, next());
    if (section.kind != SectionKind::kText) return damaged("the text is missing");
    return std::move(section.payload);
}

std::optional<RecordSection> parse_record(std::string_view payload) {
    constexpr std::size_t kHeadBytes = 3;
    if (payload.size() < kHeadBytes) return std::nullopt;
    const auto database = static_cast<std::uint8_t>(payload[0]);
    std::uint16_t key_bytes = 0;
    std::memcpy(&key_bytes, payload.data() + 1, sizeof key_bytes);
    payload.remove_prefix(kHeadBytes);
    if (database >= kDatabaseCount || key_bytes > payload.size()) return std::nullopt;
    const std::string_view value = payload.substr(key_bytes);
    return RecordSection{static_cast<Database>(database), payload.substr(0, key_bytes),
                         bytes_of(value)};
}

}  // namespace mc::storage
