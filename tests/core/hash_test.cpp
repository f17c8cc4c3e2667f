// SPDX-License-Identifier: Apache-2.0
#include "core/hash.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace mc {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

// Reference values of the xxHash 0.8 command-line tool (xxhsum -H3 and -H2).
TEST(Hash, xxh3_64_equals_the_reference) {
    EXPECT_EQ(xxh3_64(bytes_of("")), 0x2d06800538d394c2ULL);
    EXPECT_EQ(xxh3_64(bytes_of("a")), 0xe6c632b61e964e1fULL);
    EXPECT_EQ(xxh3_64(bytes_of("abc")), 0x78af5f94892f3950ULL);
}

TEST(Hash, xxh3_128_equals_the_reference) {
    EXPECT_EQ(to_hex(xxh3_128(bytes_of(""))), "99aa06d3014798d86001c324468d497f");
    EXPECT_EQ(to_hex(xxh3_128(bytes_of("a"))), "a96faf705af16834e6c632b61e964e1f");
    EXPECT_EQ(to_hex(xxh3_128(bytes_of("abc"))), "06b05ab6733a618578af5f94892f3950");
}

TEST(Hash, a_stream_in_any_chunks_equals_one_call) {
    std::string text;
    for (int i = 0; i < 5000; ++i) text += static_cast<char>(i * 31 % 251);
    const Hash128 whole = xxh3_128(bytes_of(text));
    for (std::size_t chunk : {1u, 7u, 240u, 256u, 1024u, 4999u, 5000u}) {
        StreamHash stream;
        for (std::size_t at = 0; at < text.size(); at += chunk)
            stream.update(bytes_of(std::string_view(text).substr(at, chunk)));
        EXPECT_EQ(stream.digest(), whole) << "chunk " << chunk;
    }
}

TEST(Hash, a_digest_does_not_end_the_stream) {
    StreamHash stream;
    stream.update(bytes_of("ab"));
    EXPECT_EQ(stream.digest(), xxh3_128(bytes_of("ab")));
    stream.update(bytes_of("c"));
    EXPECT_EQ(stream.digest(), xxh3_128(bytes_of("abc")));
}

TEST(Hash, hex_round_trips_and_nothing_else_parses) {
    const Hash128 hash = xxh3_128(bytes_of("megacontext"));
    EXPECT_EQ(hash_from_hex(to_hex(hash)), hash);
    EXPECT_EQ(hash_from_hex("00000000000000000000000000000001"), (Hash128{0, 1}));
    for (std::string_view bad :
         {"", "0", "0000000000000000000000000000000", "g0000000000000000000000000000000",
          "99AA06D3014798D86001C324468D497F", "99aa06d3014798d86001c324468d497f0",
          " 9aa06d3014798d86001c324468d497f", "+9aa06d3014798d86001c324468d497f"})
        EXPECT_EQ(hash_from_hex(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace mc
