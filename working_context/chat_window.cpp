// SPDX-License-Identifier: Apache-2.0
#include "working_context/chat_window.h"

#include <algorithm>
#include <string>
#include <tuple>

#include "core/check.h"

namespace mc {
namespace {

std::uint64_t memory_entries_max(const ChatRoom& room) {
    return static_cast<std::uint64_t>(kMemoryShareMax * static_cast<double>(room.free_entries()));
}

std::uint64_t entries_of(std::span<const ChatPiece> pieces) {
    std::uint64_t entries = 0;
    for (const ChatPiece& piece : pieces) entries += piece.entries;
    return entries;
}

// How many of the newest fit.
std::size_t newest_within(std::span<const ChatPiece> turns, std::uint64_t entries_max) {
    std::size_t count = 0;
    for (std::uint64_t entries = 0; count < turns.size(); ++count) {
        entries += turns[turns.size() - 1 - count].entries;
        if (entries > entries_max) break;
    }
    return count;
}

// Takes out of memory what stands in turns.
void leave_out(std::vector<ChatPiece>& memory, std::span<const ChatPiece> turns) {
    if (turns.empty()) return;
    const std::uint64_t begin = turns.front().tokens.begin;
    for (ChatPiece& piece : memory) {
        if (piece.document != turns.front().document || piece.tokens.end <= begin) continue;
        const std::uint64_t cut = piece.tokens.end - std::max(begin, piece.tokens.begin);
        piece.tokens.end -= cut;
        piece.entries -= cut;
    }
    std::erase_if(memory, [](const ChatPiece& piece) { return piece.tokens.empty(); });
}

}  // namespace

std::uint64_t ChatRoom::free_entries() const {
    return budget_entries - protected_entries - message_entries;
}

Result<void> check_room(const ChatRoom& room) {
    const std::uint64_t needed = room.protected_entries + room.message_entries;
    if (needed <= room.budget_entries) return {};
    return fail(ErrorCode::kOverBudget,
                "the system prompt and pinned facts take " +
                    std::to_string(room.protected_entries) + " entries and the message " +
                    std::to_string(room.message_entries) + ", which is more than the budget of " +
                    std::to_string(room.budget_entries) +
                    "; shorten them or raise it to at least " + std::to_string(needed));
}

std::size_t turns_shown_always(const ChatRoom& room, std::span<const ChatPiece> turns) {
    return newest_within(turns, room.free_entries() - memory_entries_max(room));
}

ChatWindow plan_chat_window(const ChatRoom& room, std::span<const ChatPiece> turns,
                            std::span<const ChatPiece> memory) {
    ChatWindow window;
    const std::uint64_t memory_max = memory_entries_max(room);
    std::uint64_t remembered = 0;
    for (const ChatPiece& piece : memory) {
        MC_CHECK(piece.entries >= piece.tokens.count(), "a token takes an entry");
        if (remembered + piece.entries > memory_max) continue;
        remembered += piece.entries;
        window.memory.push_back(piece);
    }
    // Turns that are shown free the room of what was remembered of them, which may show one more.
    for (std::size_t before = turns.size() + 1; before != window.turns_shown;) {
        before = window.turns_shown;
        window.turns_shown = newest_within(turns, room.free_entries() - entries_of(window.memory));
        leave_out(window.memory, turns.last(window.turns_shown));
    }
    std::ranges::sort(window.memory, [&](const ChatPiece& a, const ChatPiece& b) {
        const auto told = [&](const ChatPiece& piece) {
            const bool own = !turns.empty() && piece.document == turns.front().document;
            return std::tuple(own, piece.document, piece.tokens.begin);
        };
        return told(a) < told(b);
    });
    window.cost = room.protected_entries + room.message_entries + entries_of(window.memory) +
                  entries_of(turns.last(window.turns_shown));
    return window;
}

}  // namespace mc
