// SPDX-License-Identifier: Apache-2.0
#include "serve/protocol/base64.h"

#include <gtest/gtest.h>

#include <utility>

namespace mc::serve {
namespace {

TEST(Base64, IsThatOfRfc4648BothWays) {
    const std::pair<const char*, const char*> kPairs[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : kPairs) {
        EXPECT_EQ(encode_base64(bytes), text);
        EXPECT_EQ(decode_base64(text), bytes);
    }
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    for (std::size_t size = 250; size <= all.size(); ++size)
        EXPECT_EQ(decode_base64(encode_base64(all.substr(0, size))), all.substr(0, size));
}

TEST(Base64, SignsAtTheEndMayBeMissingAndLinesBroken) {
    EXPECT_EQ(decode_base64("Zg"), "f");
    EXPECT_EQ(decode_base64("Zm9v\r\nYg==\n"), "foob");
}

TEST(Base64, OtherTextIsNone) {
    for (const char* bad : {"Z", "Zm9vY", "Zm9v!", "Zm 9v", "Zg===", "Z=g=", "Zm9v-_"})
        EXPECT_EQ(decode_base64(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace mc::serve
