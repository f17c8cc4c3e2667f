// SPDX-License-Identifier: Apache-2.0
#include "runtime/utf16.h"

#include <gtest/gtest.h>

namespace mc::runtime {
namespace {

using std::string_literals::operator""s;

constexpr Utf16 kOrders[] = {Utf16::kLittleEndian, Utf16::kBigEndian};

TEST(Utf16Test, ATextOfAnyScriptIsKnownWithAndWithoutItsMarkAndComesBackByteForByte) {
    const std::string texts[] = {
        "The wind came from the north-east.\r\nThe boats stayed in.\r\n",
        "Ветер дул с северо-востока,\nи лодки остались.\n",
        "博物馆买下了钢琴。\n拖拉机停在外面。\n",
        "A family \U0001f468\u200d\U0001f469\u200d\U0001f467 waves.\n",
    };
    for (const std::string& text : texts)
        for (const std::string& mark : {std::string(), std::string("\ufeff")})
            for (const Utf16 order : kOrders) {
                const std::string content = encode_utf16(mark + text, order);
                const auto found = detect_utf16(content);
                ASSERT_TRUE(found) << text;
                EXPECT_EQ(*found, order) << text;
                EXPECT_EQ(*decode_utf16(content, order), mark + text);
            }
}

TEST(Utf16Test, OtherBytesAreNotTakenForIt) {
    const std::string others[] = {
        "",
        "plain text, of an even number of bytes\n",
        "ELF\0\1\2"s,
        "\x89PNG\0\0"s,
        "\xff\xfe\0"s,                  // half a character
        "\xff\xfeH\0\0\xd8i\0"s,        // half a pair
        "\xff\xfe\0\0H\0\0\0i\0\0\0"s,  // UTF-32
        "\x10\0\x20\0\x30\0\x01\0"s,    // small numbers
        "caf\xe9 and more of it"s,      // Latin-1
        std::string(64, '\0'),
        "H\0i\0\0j"s,  // zeros on both sides
    };
    for (const std::string& bytes : others) EXPECT_FALSE(detect_utf16(bytes)) << bytes;
}

TEST(Utf16Test, WhatIsNotWellFormedIsNotDecoded) {
    for (const Utf16 order : kOrders) {
        EXPECT_FALSE(decode_utf16("a", order));
        EXPECT_EQ(*decode_utf16("", order), "");
    }
    EXPECT_FALSE(decode_utf16("\x3d\xd8"s, Utf16::kLittleEndian));
    EXPECT_FALSE(decode_utf16("\x00\xde"s, Utf16::kLittleEndian));
    EXPECT_FALSE(decode_utf16("\x3d\xd8\x41\x00"s, Utf16::kLittleEndian));
    EXPECT_EQ(*decode_utf16("\x3d\xd8\x00\xde"s, Utf16::kLittleEndian), "\U0001f600");
}

TEST(Utf16Test, NamesLeadBack) {
    for (const Utf16 order : kOrders) EXPECT_EQ(utf16_from_name(utf16_name(order)), order);
    EXPECT_FALSE(utf16_from_name("utf-8"));
}

}  // namespace
}  // namespace mc::runtime
