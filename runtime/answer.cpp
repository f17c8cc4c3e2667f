// SPDX-License-Identifier: Apache-2.0
// FocusSession::reader_prompt and answer: what the base model reads, and what it then writes.
#include <utility>

#include "core/span_math.h"
#include "lm/generate.h"
#include "lm/generation/chat_prompt.h"
#include "runtime/focus_session.h"

namespace mc::runtime {
namespace {

double seconds_since(std::int64_t begin_ns, const Clock& clock) {
    return static_cast<double>(clock.monotonic_ns() - begin_ns) * 1e-9;
}

}  // namespace

// Runs of raw tokens and of gists, in reading order; gists are read group by group.
Result<std::vector<lm::Segment>> FocusSession::window_segments() {
    std::vector<lm::Segment> segments;
    gists_read_.clear();
    std::optional<GistGroup> group;
    for (const WindowEntry& item : window_->entries()) {
        const Entry& entry = item.entry;
        const bool joins = !segments.empty() && segments.back().gists.empty() == entry.is_raw();
        if (!joins) segments.emplace_back();
        if (entry.is_raw()) {
            MC_ASSIGN(const auto tokens, bank_.nodes().read_tokens(entry.document, entry.span));
            auto& run = segments.back().tokens;
            run.insert(run.end(), tokens.begin(), tokens.end());
            continue;
        }
        const NodeId node = entry.node();
        const NodeIndex parent = parent_of(node).index;
        if (!group || group->document != node.document || group->level != node.level ||
            group->parent != parent) {
            MC_ASSIGN(group, bank_.nodes().find_gists(node.document, node.level, parent));
        }
        if (!group || slot_in_parent(node) >= group->gists.size())
            return fail(ErrorCode::kCorruption,
                        "the store has no gist for " + to_string(node) +
                            ", which the window shows; run megacontext verify");
        gists_read_.push_back(group->gists[slot_in_parent(node)]);
        segments.back().gists.push_back(&gists_read_.back());
    }
    return segments;
}

Result<std::vector<lm::Segment>> FocusSession::reader_prompt() {
    if (!window_) return fail(ErrorCode::kInvalidInput, "nothing to answer; ask a question first");
    MC_ASSIGN(lm::ChatPrompt prompt, lm::make_chat_prompt(bank_.tokenizer(), question_));
    MC_ASSIGN(std::vector<lm::Segment> segments, window_segments());
    if (!prompt.before_text.empty())
        segments.insert(segments.begin(), lm::Segment::of_tokens(std::move(prompt.before_text)));
    segments.push_back(lm::Segment::of_tokens(std::move(prompt.after_text)));
    return segments;
}

Result<Answer> FocusSession::answer(const AnswerOptions& options) {
    const Clock& clock = bank_.engine().clock();
    const std::int64_t begin_ns = clock.monotonic_ns();
    const lm::BaseModel& model = bank_.engine().model();
    MC_ASSIGN(const std::vector<lm::Segment> segments, reader_prompt());
    const auto sequence = model.new_sequence();
    MC_TRY_CONTEXT(sequence->append(segments), "reading the working context");
    Answer answer;
    answer.prompt_entries = sequence->length();
    lm::GenerateOptions generation;
    generation.tokens_max = options.tokens_max;
    generation.sampling = options.sampling;
    generation.seed = options.seed;
    generation.stop_strings = options.stop_strings;
    generation.interrupted = options.interrupted;
    const auto on_text = [&](std::string_view text) {
        if (answer.seconds_to_first_token == 0)
            answer.seconds_to_first_token = seconds_since(begin_ns, clock);
        return !options.on_text || options.on_text(text);
    };
    MC_ASSIGN(lm::Generated written, lm::generate(model, *sequence, generation, on_text));
    answer.text = std::move(written.text);
    answer.new_tokens = static_cast<std::uint32_t>(written.tokens.size());
    answer.stop_reason = written.reason;
    answer.seconds = seconds_since(begin_ns, clock);
    return answer;
}

}  // namespace mc::runtime
