// SPDX-License-Identifier: Apache-2.0
#include "runtime/message_times.h"

#include <algorithm>
#include <string>

namespace mc::runtime {
namespace {

constexpr std::uint64_t kTokensAtOnce = 4096;

// "[", an event time, "] ".
constexpr std::size_t kLineBeginBytes = kEventTimeBytesMax + 3;

std::optional<TimeSpan> time_before(std::string_view line) {
    const std::size_t end = line.find("] ");
    if (!line.starts_with('[') || end == std::string_view::npos) return std::nullopt;
    return parse_event_time(line.substr(1, end - 1));
}

// Takes a text byte by byte and keeps the begin of the line that it is in.
class LineBegins {
  public:
    explicit LineBegins(std::vector<DatedMessage>& messages) : messages_(messages) {}

    // A passage begins in the token that holds its first byte, and so does its message.
    void take(char byte, std::uint64_t token) {
        if (line_.empty()) first_token_ = token;
        if (is_judged_) {
            if (byte == '\n') end_line();
            return;
        }
        line_ += byte;
        if (byte == '\n' || line_.size() == kLineBeginBytes) {
            if (const auto time = time_before(line_)) messages_.push_back({first_token_, *time});
            is_judged_ = true;
            if (byte == '\n') end_line();
        }
    }

  private:
    void end_line() {
        line_.clear();
        is_judged_ = false;
    }

    std::vector<DatedMessage>& messages_;
    std::string line_;  // its first bytes
    std::uint64_t first_token_ = 0;
    bool is_judged_ = false;  // as much of the line was seen as says when it happened
};

}  // namespace

Result<std::vector<DatedMessage>> dated_messages(const BankText& text,
                                                 const DocumentRecord& session) {
    std::vector<DatedMessage> messages;
    LineBegins lines(messages);
    for (std::uint64_t at = 0; at < session.token_count; at += kTokensAtOnce) {
        const TokenSpan span{at, std::min(at + kTokensAtOnce, session.token_count)};
        MC_ASSIGN(const auto tokens, text.nodes().read_tokens(session.id, span));
        for (std::size_t i = 0; i < tokens.size(); ++i)
            for (const char byte : text.tokenizer().bytes_of(tokens[i])) lines.take(byte, at + i);
    }
    return messages;
}

}  // namespace mc::runtime
