// SPDX-License-Identifier: Apache-2.0
#include "lensnet/labelled_question.h"

#include <gtest/gtest.h>

#include "tests/lensnet/lens_fixture.h"

namespace mc::lensnet {
namespace {

TEST(LabelledQuestion, IsReadBackAsItWasWritten) {
    const LabelledQuestion question = made_question(7, true, Rng(1));
    const std::string line = to_line(question);
    const auto read = parse_labelled_question(line);
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_EQ(to_line(*read), line);
    EXPECT_EQ(read->item, 7U);
    EXPECT_TRUE(read->is_told);
    EXPECT_EQ(read->readings.size(), question.readings.size());
    EXPECT_NEAR(read->candidates[2].gain, question.candidates[2].gain, 1e-6);
}

TEST(LabelledQuestion, RefusesLinesThatAreNone) {
    const std::string line = to_line(made_question(0, true, Rng(1)));
    const auto replaced = [&](const std::string& what, const std::string& by) {
        std::string text = line;
        const std::size_t at = text.find(what);
        EXPECT_NE(at, std::string::npos) << what;
        return text.replace(at, what.size(), by);
    };
    for (const std::string& bad :
         {std::string("{"), std::string("[]"), replaced("\"family\"", "\"familie\""),
          replaced("\"cosine\"", "\"cosin\""), replaced("\"shown\":[0]", "\"shown\":[99]"),
          replaced("\"shown\":[0]", "\"shown\":[0,0]"), replaced("\"shown\":[0]", "\"shown\":7")}) {
        const auto refused = parse_labelled_question(bad);
        ASSERT_FALSE(refused) << bad.substr(0, 60);
        EXPECT_EQ(refused.error().code(), ErrorCode::kCorruption);
    }
}

}  // namespace
}  // namespace mc::lensnet
