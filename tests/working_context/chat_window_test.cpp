// SPDX-License-Identifier: Apache-2.0
#include "working_context/chat_window.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace mc {
namespace {

constexpr DocumentId kChat{7};
constexpr DocumentId kBook{9};

ChatPiece piece(std::uint64_t begin, std::uint64_t end, DocumentId document = kChat) {
    return {document, {begin, end}, end - begin + 2};
}

// Turns of ten tokens from a position on.
std::vector<ChatPiece> turns_from(std::uint64_t begin, std::size_t count) {
    std::vector<ChatPiece> turns;
    for (std::size_t i = 0; i < count; ++i)
        turns.push_back(piece(begin + 10 * i, begin + 10 * i + 10));
    return turns;
}

TEST(ChatWindow, the_newest_turns_fill_what_is_left) {
    const auto turns = turns_from(0, 20);
    const ChatWindow window = plan_chat_window({100, 20, 10}, turns, {});
    EXPECT_EQ(window.turns_shown, 5U);  // 12 entries each, 70 left
    EXPECT_EQ(window.cost, 90U);
    EXPECT_TRUE(window.memory.empty());
}

TEST(ChatWindow, memory_is_told_in_order_and_other_documents_come_first) {
    const std::vector<ChatPiece> memory = {piece(50, 55), piece(3, 9), piece(80, 85, kBook)};
    const ChatWindow window = plan_chat_window({200, 10, 10}, turns_from(1000, 3), memory);
    EXPECT_EQ(window.memory,
              (std::vector<ChatPiece>{piece(80, 85, kBook), piece(3, 9), piece(50, 55)}));
    EXPECT_EQ(window.turns_shown, 3U);
}

TEST(ChatWindow, the_best_come_in_as_long_as_half_of_the_room_holds_them) {
    const std::vector<ChatPiece> memory = {piece(0, 20), piece(20, 40), piece(40, 50)};
    const ChatWindow window = plan_chat_window({90, 10, 0}, turns_from(1000, 9), memory);
    EXPECT_EQ(window.memory, (std::vector<ChatPiece>{piece(0, 20), piece(40, 50)}));
    EXPECT_EQ(window.turns_shown, 3U);
}

TEST(ChatWindow, what_turns_show_is_not_remembered_too) {
    const std::vector<ChatPiece> memory = {piece(1012, 1018), piece(995, 1004), piece(3, 9)};
    const ChatWindow window = plan_chat_window({200, 10, 10}, turns_from(1000, 3), memory);
    ASSERT_EQ(window.memory.size(), 2U);
    EXPECT_EQ(window.memory[0], piece(3, 9));
    EXPECT_EQ(window.memory[1], piece(995, 1000));
}

TEST(ChatWindow, what_is_protected_stands_there_whole_or_there_is_no_window) {
    EXPECT_TRUE(check_room({40, 30, 10}));
    const auto done = check_room({40, 30, 11});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), ErrorCode::kOverBudget);
    EXPECT_NE(done.error().message().find("at least 41"), std::string::npos);
    EXPECT_EQ(plan_chat_window({40, 30, 10}, turns_from(0, 3), {}).cost, 40U);
}

TEST(ChatWindow, a_turn_that_does_not_fit_ends_the_turns) {
    std::vector<ChatPiece> turns = turns_from(0, 3);
    turns.push_back(piece(30, 500));
    EXPECT_EQ(plan_chat_window({100, 10, 10}, turns, {}).turns_shown, 0U);
}

// The laws of the header on any pieces.
RC_GTEST_PROP(ChatWindowProperty, cost_is_kept_and_no_token_stands_there_twice, ()) {
    const auto begin = *rc::gen::inRange<std::uint64_t>(0, 300);
    const auto turns = turns_from(begin, *rc::gen::inRange<std::size_t>(0, 12));
    std::vector<ChatPiece> memory;
    for (std::uint64_t at = 0; memory.size() < 12;) {
        at += *rc::gen::inRange<std::uint64_t>(0, 40);
        const auto end = at + *rc::gen::inRange<std::uint64_t>(1, 30);
        memory.push_back(piece(at, end, *rc::gen::element(kChat, kBook)));
        at = end;
    }
    const ChatRoom room{*rc::gen::inRange<std::uint64_t>(30, 250), 20, 10};
    const ChatWindow window = plan_chat_window(room, turns, memory);
    RC_ASSERT(window.cost <= room.budget_entries);
    RC_ASSERT(window.turns_shown >= turns_shown_always(room, turns));
    const auto shown = std::span(turns).last(window.turns_shown);
    std::uint64_t cost = 30;
    for (const ChatPiece& one : shown) cost += one.entries;
    for (const ChatPiece& one : window.memory) {
        cost += one.entries;
        const bool apart =
            one.document != kChat || shown.empty() || one.tokens.end <= shown.front().tokens.begin;
        RC_ASSERT(apart);
    }
    RC_ASSERT(cost == window.cost);
}

}  // namespace
}  // namespace mc
