// SPDX-License-Identifier: Apache-2.0
#include "text/transcript.h"

#include <algorithm>
#include <utility>

namespace mc::text {
namespace {

constexpr std::string_view kGap = "\n\n";  // after every message

// A label, with any number of backslashes in front.
bool reads_as_label(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of('\\'), line.size()));
    return line.starts_with(kUserLabel) || line.starts_with(kAssistantLabel);
}

template <class Change>
std::string with_later_lines_changed(std::string_view text, Change change) {
    std::string result;
    bool first = true;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        if (at > 0) result += '\n';
        if (std::exchange(first, false) || !reads_as_label(line))
            result += line;
        else
            change(line, result);
        at = end + 1;
    }
    return result;
}

// A message's first line follows its label, so it begins no line.
std::string escaped(std::string_view message) {
    return with_later_lines_changed(message, [](std::string_view line, std::string& result) {
        result += '\\';
        result += line;
    });
}

std::string unescaped(std::string_view message) {
    return with_later_lines_changed(
        message, [](std::string_view line, std::string& result) { result += line.substr(1); });
}

// Where the next line begins that starts with a label; npos when none does.
std::size_t find_label(std::string_view text, std::string_view label, std::size_t at) {
    while (at < text.size() && !text.substr(at).starts_with(label)) {
        at = text.find('\n', at);
        if (at == std::string_view::npos) return at;
        ++at;
    }
    return at < text.size() ? at : std::string_view::npos;
}

// Without the blank line behind it.
std::string message_in(std::string_view text) {
    if (text.ends_with(kGap)) text.remove_suffix(kGap.size());
    return unescaped(text);
}

}  // namespace

std::string transcript_of(const Turn& turn) {
    std::string text;
    text.append(kUserLabel).append(escaped(turn.user)).append(kGap);
    text.append(kAssistantLabel).append(escaped(turn.assistant)).append(kGap);
    return text;
}

std::vector<PlacedTurn> last_turns(std::string_view text, bool at_line_begin) {
    std::size_t from = 0;
    if (!at_line_begin) {
        from = text.find('\n');
        if (from == std::string_view::npos) return {};
        ++from;
    }
    std::vector<PlacedTurn> turns;
    std::size_t begin = find_label(text, kUserLabel, from);
    while (begin != std::string_view::npos) {
        const std::size_t answer = find_label(text, kAssistantLabel, begin);
        if (answer == std::string_view::npos) break;
        const std::size_t next = find_label(text, kUserLabel, answer);
        const std::size_t end = next == std::string_view::npos ? text.size() : next;
        const std::size_t user = begin + kUserLabel.size();
        const std::size_t assistant = answer + kAssistantLabel.size();
        turns.push_back({{message_in(text.substr(user, answer - user)),
                          message_in(text.substr(assistant, end - assistant))},
                         begin,
                         end});
        begin = next;
    }
    return turns;
}

}  // namespace mc::text
