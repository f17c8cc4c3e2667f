// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/item_reading.h"

#include <algorithm>
#include <utility>

namespace mc::eval {
namespace {

// What a reader may write, and what it may write beyond the right candidate where that is long.
constexpr std::uint32_t kWrittenTokens = 32;
constexpr std::uint32_t kWrittenAround = 16;

}  // namespace

Result<std::optional<RowPrompt>> memoryless_prompt(const AnswerRow& row, const AnswerItem& item,
                                                   const lm::ChatFormat& format) {
    MC_ASSIGN(lm::ChatPrompt chat, format.prompt(item.question));
    std::vector<TokenId> tokens = std::move(chat.before_text);
    if (row.kind == RowKind::kFact) {
        if (item.facts.empty()) return std::optional<RowPrompt>();
        std::string text;
        for (const Fact& fact : item.facts) text += (text.empty() ? "" : " ") + fact.text;
        const std::vector<TokenId> facts = format.tokenizer().encode(text);
        tokens.insert(tokens.end(), facts.begin(), facts.end());
    }
    tokens.insert(tokens.end(), chat.after_text.begin(), chat.after_text.end());
    RowPrompt prompt;
    prompt.segments.push_back(lm::Segment::of_tokens(std::move(tokens)));
    return std::optional(std::move(prompt));
}

Result<void> ItemReading::read(Reader& reader, const AnswerItem& item,
                               std::span<const PlacedFact> facts, RowPrompt prompt,
                               AnswerRecord& record) {
    ReadRequest request;
    request.prompt = std::move(prompt.segments);
    request.lead = tokenizer_.encode(item.lead);
    for (const std::string& candidate : item.candidates)
        request.candidates.push_back(tokenizer_.encode(candidate));
    const auto right_tokens = static_cast<std::uint32_t>(request.candidates[item.right].size());
    request.written_tokens = std::max(kWrittenTokens, right_tokens + kWrittenAround);
    MC_ASSIGN(Reading reading, read_once(reader, request));
    record.nll = std::move(reading.candidate_nll);
    record.right = item.right;
    record.abstained = prompt.abstains;
    if (!prompt.abstains) record.written = std::move(reading.written);
    record.exact = holds_text(record.written, item.candidates[item.right].substr(1));
    record.entries = reading.entries;
    record.looked = prompt.looked && !facts.empty();
    record.held_at_1 = record.looked && hold_facts(prompt.found, 1, facts);
    record.held_at_5 = record.looked && hold_facts(prompt.found, 5, facts);
    record.search_ms = prompt.search_ms;
    record.prompt_ms = reading.prompt_ms;
    record.first_token_ms = reading.first_token_ms;
    return {};
}

Result<Reading> ItemReading::read_once(Reader& reader, const ReadRequest& request) {
    std::vector<TokenId> prompt;
    for (const lm::Segment& segment : request.prompt) {
        if (!segment.gists.empty()) return reader.read(request);
        prompt.insert(prompt.end(), segment.tokens.begin(), segment.tokens.end());
    }
    const auto known = readings_.find(prompt);
    if (known != readings_.end()) return known->second;
    MC_ASSIGN(Reading reading, reader.read(request));
    readings_.emplace(std::move(prompt), reading);
    return reading;
}

}  // namespace mc::eval
