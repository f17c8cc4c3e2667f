// SPDX-License-Identifier: Apache-2.0
// A working context of a conversation: what stays, what is remembered, the last turns, the message.
//
// The narrative form cut where it pays: the newest turns stand there whole and raw, of everything
// older only passages that help with the new message, in front of them. Invariants: the cost is
// within the budget; every token of the conversation stands there at most once; what is protected
// and the message stand there whole, or there is no window. Pure. Value types. Threads: free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"
#include "tree/passage_index.h"

namespace mc {

// Entries of the room that memory may take from the last turns.
inline constexpr double kMemoryShareMax = 0.5;

// A stretch of a conversation and the entries that it takes in a prompt.
struct ChatPiece {
    DocumentId document;
    TokenSpan tokens;
    std::uint64_t entries = 0;

    bool operator==(const ChatPiece&) const = default;
};

struct ChatRoom {
    std::uint64_t budget_entries = 0;
    std::uint64_t protected_entries = 0;  // system prompt, pinned facts, what is around messages
    std::uint64_t message_entries = 0;    // of the new message

    // What is left for memory and turns.
    std::uint64_t free_entries() const;
};

// kOverBudget when protected entries and message leave nothing, naming the smallest budget.
Result<void> check_room(const ChatRoom& room);

// How many of the newest turns (oldest first) stand there however much is remembered. Requires:
// check_room().
std::size_t turns_shown_always(const ChatRoom& room, std::span<const ChatPiece> turns);

struct ChatWindow {
    std::vector<ChatPiece> memory;  // in the order in which they were told, other documents first
    std::size_t turns_shown = 0;    // the newest
    std::uint64_t cost = 0;         // entries, with what is protected and the message
};

// memory: best first, none overlapping another; a piece of the conversation that the shown turns
// hold is left out, one that they hold in part is shortened. Of both as many whole pieces as there
// is room for. Requires: check_room(); turns are consecutive, oldest first, and of one document;
// a piece takes at least as many entries as it has tokens.
ChatWindow plan_chat_window(const ChatRoom& room, std::span<const ChatPiece> turns,
                            std::span<const ChatPiece> memory);

}  // namespace mc
