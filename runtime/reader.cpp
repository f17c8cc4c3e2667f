// SPDX-License-Identifier: Apache-2.0
// FocusSession::reader_prompt and answer: what the base model reads, and what it then writes.
#include <utility>

#include "core/span_math.h"
#include "runtime/answer_writer.h"
#include "runtime/focus_session.h"
#include "runtime/search/reader_text.h"

namespace mc::runtime {
namespace {

void append_tokens(std::vector<lm::Segment>& segments, const std::vector<TokenId>& tokens) {
    if (tokens.empty()) return;
    if (segments.empty() || segments.back().tokens.empty()) segments.emplace_back();
    auto& run = segments.back().tokens;
    run.insert(run.end(), tokens.begin(), tokens.end());
}

void append_gist(std::vector<lm::Segment>& segments, const Gist* gist) {
    if (segments.empty() || segments.back().gists.empty()) segments.emplace_back();
    segments.back().gists.push_back(gist);
}

}  // namespace

std::string_view name_of(AnswerEnd end) {
    switch (end) {
        case AnswerEnd::kSentence:
            return "sentence";
        case AnswerEnd::kLoop:
            return "loop";
        case AnswerEnd::kUnknown:
            return "unknown";
        default:
            return lm::name_of(static_cast<lm::StopReason>(end));
    }
}

// Gists are read group by group: siblings mostly follow each other.
Result<const Gist*> FocusSession::read_gist(NodeId node) {
    const NodeIndex parent = parent_of(node).index;
    if (!group_read_ || group_read_->document != node.document ||
        group_read_->level != node.level || group_read_->parent != parent) {
        MC_ASSIGN(group_read_,
                  bank_of(node.document).nodes().find_gists(node.document, node.level, parent));
    }
    if (!group_read_ || slot_in_parent(node) >= group_read_->gists.size())
        return fail(ErrorCode::kCorruption, "the store has no gist for " + to_string(node) +
                                                ", which the window shows; run megacontext verify");
    gists_read_.push_back(group_read_->gists[slot_in_parent(node)]);
    return &gists_read_.back();
}

// Of a narrative window: entries in reading order.
Result<std::vector<lm::Segment>> FocusSession::window_segments() {
    std::vector<lm::Segment> segments;
    for (const WindowEntry& item : window_->entries()) {
        const Entry& entry = item.entry;
        if (entry.is_raw()) {
            MC_ASSIGN(const auto tokens, bank_.text().read_tokens(entry.document, entry.span));
            append_tokens(segments, tokens);
        } else {
            MC_ASSIGN(const Gist* const gist, read_gist(entry.node()));
            append_gist(segments, gist);
        }
    }
    return segments;
}

// Of an answering window: background, then passages with the best one last.
Result<std::vector<lm::Segment>> FocusSession::answer_segments() {
    std::vector<lm::Segment> segments;
    for (const NodeId node : answer_window_->background) {
        MC_ASSIGN(const Gist* const gist, read_gist(node));
        append_gist(segments, gist);
    }
    const auto separator = passage_separator(bank_.text().tokenizer());
    bool first = true;
    for (const Passage& passage : answer_window_->passages) {
        MC_ASSIGN(const auto tokens,
                  bank_of(passage.document).text().read_tokens(passage.document, passage.tokens));
        if (!std::exchange(first, false)) append_tokens(segments, separator);
        append_tokens(segments, tokens);
    }
    return segments;
}

Result<std::vector<lm::Segment>> FocusSession::reader_prompt(const std::vector<Gist>* instruction) {
    if (!asked_ || (!window_ && !answer_window_))
        return fail(ErrorCode::kInvalidInput, "nothing to answer; ask a question first");
    gists_read_.clear();
    group_read_.reset();
    MC_ASSIGN(const lm::ChatFormat* const chat, bank_.engine().chat_format());
    MC_ASSIGN(const auto memory, answer_window_ ? answer_segments() : window_segments());
    std::vector<lm::Segment> segments;
    lm::ChatPrompt prompt;
    if (instruction) {
        MC_ASSIGN(const lm::TurnFrame frame, chat->turn_frame());
        append_tokens(segments, frame.before_instruction);
        for (const Gist& gist : *instruction) append_gist(segments, &gist);
        prompt = {frame.before_message, chat->question_after_text(asked_->text)};
        prompt.after_text.insert(prompt.after_text.end(), frame.after_message.begin(),
                                 frame.after_message.end());
    } else {
        MC_ASSIGN(prompt, chat->prompt(asked_->text));
    }
    append_tokens(segments, prompt.before_text);
    for (const lm::Segment& segment : memory) {
        append_tokens(segments, segment.tokens);
        for (const Gist* gist : segment.gists) append_gist(segments, gist);
    }
    append_tokens(segments, prompt.after_text);
    return segments;
}

Result<Answer> FocusSession::answer(const AnswerOptions& options) {
    Answer answer;
    if (asked_ && !known_) {
        answer.text = kUnknownAnswer;
        answer.stop_reason = AnswerEnd::kUnknown;
        if (options.on_text) options.on_text(answer.text);
        return answer;
    }
    if (options.outside_reader) return answer_outside(options);
    MC_ASSIGN(const std::vector<lm::Segment> segments, reader_prompt(options.instruction));
    MC_ASSIGN(answer, write_answer(bank_.engine(), segments, options));
    std::vector<std::string> texts;
    for (const Evidence& evidence : evidence_)
        texts.push_back(evidence.level == Level(0) ? evidence.text : "");
    answer.sources = sources_of(answer.text, asked_->text, texts);
    return answer;
}

}  // namespace mc::runtime
