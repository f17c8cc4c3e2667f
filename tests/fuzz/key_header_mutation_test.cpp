// SPDX-License-Identifier: Apache-2.0
// Key headers that nobody wrote: an error, never a crash, a hang or a key.
#include <gtest/gtest.h>

#include <cstring>

#include "core/hash.h"
#include "storage/seal/key_header.h"
#include "tests/support/key_fixture.h"

namespace mc::storage {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

// As somebody would who knows the format.
void fix_checksum(std::string& header) {
    const std::uint64_t sum = xxh3_64(bytes_of(header).first(header.size() - sizeof sum));
    std::memcpy(header.data() + header.size() - sizeof sum, &sum, sizeof sum);
}

void expect_refused(const std::string& header, const StoreKey& key) {
    const auto opened = unwrap_data_key(bytes_of(header), &key, "it");
    ASSERT_FALSE(opened);
    const ErrorCode code = opened.error().code();
    EXPECT_TRUE(code == ErrorCode::kCorruption || code == ErrorCode::kKey ||
                code == ErrorCode::kFormatVersion)
        << opened.error().to_string();
}

TEST(KeyHeaderMutationTest, AnyBytesAreAnError) {
    Rng rng(20261201);
    const StoreKey key = key_of('a');
    for (int round = 0; round < 2000; ++round) {
        std::string header(rng.below(2 * kKeyHeaderBytes), '\0');
        for (char& byte : header) byte = static_cast<char>(rng.below(256));
        expect_refused(header, key);
    }
}

TEST(KeyHeaderMutationTest, ChangedFieldsWithAFittingChecksumAreAnError) {
    Rng rng(20261202);
    const StoreKey key = key_of('a');
    const std::string sound = *wrap_data_key(random_secret(), key);
    ASSERT_TRUE(unwrap_data_key(bytes_of(sound), &key, "it"));
    for (int round = 0; round < 2000; ++round) {
        std::string header = sound;
        for (std::uint64_t changes = 1 + rng.below(3); changes > 0; --changes) {
            const std::size_t at = rng.below(header.size() - 8);
            header[at] = static_cast<char>(header[at] ^ (1 << rng.below(8)));
        }
        if (header == sound) continue;
        fix_checksum(header);
        expect_refused(header, key);
    }
}

// A header may not make this machine work for hours, or take all of its memory.
TEST(KeyHeaderMutationTest, CostsBeyondTheBoundsAreRefusedBeforeAnyWork) {
    const auto phrase = StoreKey::from_passphrase("correct horse", "the passphrase");
    const std::string sound = *wrap_data_key(random_secret(), *phrase);
    constexpr std::size_t kPassesAt = 16;
    for (const auto& [passes, memory_kib] : {std::pair(0U, 64U),
                                             {kKeyPassesMax + 1, 64U},
                                             {1U, kKeyMemoryKibMin - 1},
                                             {1U, kKeyMemoryKibMax + 1},
                                             {~0U, ~0U}}) {
        std::string header = sound;
        std::memcpy(header.data() + kPassesAt, &passes, sizeof passes);
        std::memcpy(header.data() + kPassesAt + 4, &memory_kib, sizeof memory_kib);
        fix_checksum(header);
        const auto opened = unwrap_data_key(bytes_of(header), &*phrase, "it");
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption);
    }
}

}  // namespace
}  // namespace mc::storage
