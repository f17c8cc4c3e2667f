// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "core/check.h"
#include "core/result.h"

namespace mc {
namespace {

Result<int> parse_digit(char c) {
    if (c < '0' || c > '9') return fail(ErrorCode::kInvalidInput, "not a digit");
    return c - '0';
}

Result<int> add_digits(char a, char b) {
    MC_ASSIGN(const int left, parse_digit(a));
    MC_ASSIGN(const int right, parse_digit(b));
    return left + right;
}

Result<void> check_digit(char c) {
    MC_TRY_CONTEXT(parse_digit(c), "in the checker");
    return {};
}

Result<std::unique_ptr<int>> boxed_digit(char c) {
    MC_ASSIGN(const int digit, parse_digit(c));
    return std::make_unique<int>(digit);
}

TEST(Error, prints_the_outermost_context_first_and_the_message_last) {
    Error error(ErrorCode::kIo, "disk on fire");
    error.add_context("reading page 3");
    error.add_context("opening the store");
    EXPECT_EQ(error.to_string(), "opening the store: reading page 3: disk on fire");
    EXPECT_EQ(error.message(), "disk on fire");
}

TEST(Error, knows_the_line_that_made_it) {
    const Error error(ErrorCode::kIo, "x");
    EXPECT_EQ(error.where().line(), static_cast<unsigned>(__LINE__ - 1));
    EXPECT_NE(std::string(error.where().file_name()).find("error_test.cpp"), std::string::npos);
}

TEST(Error, every_code_has_its_own_name) {
    std::set<std::string_view> names;
    int count = 0;
    for (int code : {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 130}) {
        names.insert(error_code_name(static_cast<ErrorCode>(code)));
        ++count;
    }
    EXPECT_EQ(static_cast<int>(names.size()), count);
    EXPECT_FALSE(names.contains("unknown"));
    EXPECT_EQ(error_code_name(ErrorCode::kInvalidInput), "invalid_input");
}

TEST(Result, assign_gives_the_value_or_returns_the_first_error) {
    EXPECT_EQ(add_digits('3', '4').value(), 7);
    const auto wrong = add_digits('3', 'x');
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(wrong.error().to_string(), "not a digit");
}

TEST(Result, try_with_context_adds_the_note) {
    EXPECT_TRUE(check_digit('1'));
    const auto wrong = check_digit('-');
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().to_string(), "in the checker: not a digit");
}

TEST(Result, carries_values_that_only_move) {
    auto box = boxed_digit('9');
    ASSERT_TRUE(box);
    EXPECT_EQ(**box, 9);
    EXPECT_FALSE(boxed_digit('?'));
}

TEST(CheckDeathTest, a_failed_check_ends_the_process_with_its_detail) {
    EXPECT_DEATH(MC_CHECK(1 + 1 == 3, "arithmetic " + std::to_string(7)),
                 "internal check failed: 1 \\+ 1 == 3 \\(arithmetic 7\\) at .*error_test.cpp");
}

}  // namespace
}  // namespace mc
