// SPDX-License-Identifier: Apache-2.0
// A conversation as plain text: how a turn is written down, and read back.
//
//   User: Where is the lantern?
//
//   Assistant: In the boat house.
//
// A blank line parts messages, so that each is a passage of its own or several (passages.h).
// A line inside a message that would read as the begin of one gets a backslash in front, and one
// that begins with such a backslash gets another, so that every message comes back exactly. What is
// written depends on the turn alone: a transcript grows at its end. Pure. Value types. Linear time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mc::text {

inline constexpr std::string_view kUserLabel = "User: ";
inline constexpr std::string_view kAssistantLabel = "Assistant: ";

// What the user said, and what was answered.
struct Turn {
    std::string user;
    std::string assistant;

    bool operator==(const Turn&) const = default;
};

// A turn as it stands in a transcript.
std::string transcript_of(const Turn& turn);

struct PlacedTurn {
    Turn turn;
    std::size_t begin = 0;  // bytes of the text that was read
    std::size_t end = 0;
};

// The whole turns of the end of a transcript, in order; the text ends where a turn ends. Turns that
// begin before it are left out. at_line_begin: a line begins where the text does.
std::vector<PlacedTurn> last_turns(std::string_view text, bool at_line_begin);

}  // namespace mc::text
