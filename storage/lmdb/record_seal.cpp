// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/record_seal.h"

#include <cstdint>
#include <cstring>

namespace mc::storage {
namespace {

constexpr std::size_t kBankPrefixBytes = 1 + sizeof(std::uint32_t);  // tag, bank

// Where the name in a key begins; npos: it holds none.
std::size_t name_begin(Database database, std::string_view key) {
    if (database == Database::kBanks && !key.empty()) return 0;
    const bool is_named = database == Database::kDocuments && key.size() > kBankPrefixBytes &&
                          (key[0] == 's' || key[0] == 'm');
    return is_named ? kBankPrefixBytes : std::string_view::npos;
}

std::string place_of(Database database, std::string_view stored) {
    std::string place(database_name(database));
    place += '/';
    place += stored;
    return place;
}

}  // namespace

bool is_in_clear(Database database, std::string_view key) {
    return database == Database::kMeta && (key == kMetaKey || key == kSealKey);
}

bool holds_name(Database database, std::string_view key) {
    return name_begin(database, key) != std::string_view::npos;
}

std::string stored_key(const StoreSeal& seal, Database database, std::string_view key) {
    const std::size_t begin = name_begin(database, key);
    if (begin == std::string_view::npos) return std::string(key);
    const HiddenName hidden = seal.hidden(place_of(database, key));
    std::string stored(key.substr(0, begin));
    stored.append(reinterpret_cast<const char*>(hidden.data()), hidden.size());
    return stored;
}

std::vector<std::byte> seal_record(const StoreSeal& seal, Database database, std::string_view key,
                                   ByteView value) {
    if (is_in_clear(database, key)) return {value.begin(), value.end()};
    const std::string place = place_of(database, stored_key(seal, database, key));
    if (!holds_name(database, key)) return seal.records().seal(place, value);
    const auto key_bytes = static_cast<std::uint16_t>(key.size());
    std::vector<std::byte> content(sizeof key_bytes + key.size() + value.size());
    std::memcpy(content.data(), &key_bytes, sizeof key_bytes);
    std::memcpy(content.data() + sizeof key_bytes, key.data(), key.size());
    if (!value.empty())
        std::memcpy(content.data() + sizeof key_bytes + key.size(), value.data(), value.size());
    return seal.records().seal(place, content);
}

std::optional<OpenedRecord> open_record(const StoreSeal& seal, Database database,
                                        std::string_view stored, ByteView sealed) {
    OpenedRecord record;
    record.key = stored;
    if (is_in_clear(database, stored)) {
        record.content.assign(sealed.begin(), sealed.end());
        return record;
    }
    auto content = seal.records().open(place_of(database, stored), sealed);
    if (!content) return std::nullopt;
    record.content = std::move(*content);
    if (!holds_name(database, stored)) return record;
    std::uint16_t key_bytes = 0;
    if (record.content.size() < sizeof key_bytes) return std::nullopt;
    std::memcpy(&key_bytes, record.content.data(), sizeof key_bytes);
    record.value_begin = sizeof key_bytes + std::size_t{key_bytes};
    if (record.value_begin > record.content.size()) return std::nullopt;
    record.key.assign(reinterpret_cast<const char*>(record.content.data()) + sizeof key_bytes,
                      key_bytes);
    return record;
}

}  // namespace mc::storage
