// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/program/base_model_reader.h"

#include <utility>

#include "core/check.h"
#include "lm/generate.h"
#include "runtime/focus_session.h"
#include "runtime/search/reader_text.h"

namespace mc::eval {
namespace {

double ms_between(std::int64_t begin_ns, std::int64_t end_ns) {
    return static_cast<double>(end_ns - begin_ns) * 1e-6;
}

}  // namespace

Result<Reading> BaseModelReader::read(const ReadRequest& request) {
    Reading reading;
    const auto sequence = model_.new_sequence();
    const std::int64_t begin_ns = clock_.monotonic_ns();
    MC_TRY(sequence->append(request.prompt));
    reading.entries = sequence->length();
    reading.prompt_ms = ms_between(begin_ns, clock_.monotonic_ns());
    const std::uint32_t prompt_end = sequence->length();
    if (request.written_tokens > 0) MC_TRY(write(*sequence, request, begin_ns, reading));
    sequence->truncate(prompt_end);
    MC_TRY(score(*sequence, request, reading));
    return reading;
}

Result<void> BaseModelReader::write(lm::Sequence& sequence, const ReadRequest& request,
                                    std::int64_t begin_ns, Reading& reading) const {
    const runtime::AnswerOptions defaults;  // as a user gets it
    lm::GenerateOptions options;
    options.tokens_max = request.written_tokens;
    options.sampling = defaults.sampling;
    runtime::AnswerCut cut(defaults.sentences_max);
    std::string so_far;
    const auto on_text = [&](std::string_view text) {
        if (reading.first_token_ms == 0)
            reading.first_token_ms = ms_between(begin_ns, clock_.monotonic_ns());
        so_far += text;
        cut.keep(so_far);
        return !cut.ended_by_sentence() && !cut.ended_by_loop();
    };
    MC_ASSIGN(const lm::Generated written, lm::generate(model_, sequence, options, on_text));
    reading.written = cut.keep(written.text);
    return {};
}

// Every candidate stands behind the lead, whose last token is read again with it, so that the
// candidate's first token is predicted from the same state for all.
Result<void> BaseModelReader::score(lm::Sequence& sequence, const ReadRequest& request,
                                    Reading& reading) const {
    MC_CHECK(!request.lead.empty(), "an answer begins somehow");
    const std::span<const TokenId> lead(request.lead);
    const std::vector<lm::Segment> before = {
        lm::Segment::of_tokens({lead.begin(), lead.end() - 1})};
    if (lead.size() > 1) MC_TRY(sequence.append(before));
    const std::uint32_t begin = sequence.length();
    for (const std::vector<TokenId>& candidate : request.candidates) {
        std::vector<TokenId> tokens = {lead.back()};
        tokens.insert(tokens.end(), candidate.begin(), candidate.end());
        MC_ASSIGN(const std::vector<float> nll, sequence.score(tokens));
        double sum = 0;
        for (std::size_t i = 1; i < nll.size(); ++i) sum += static_cast<double>(nll[i]);
        reading.candidate_nll.push_back(sum);
        sequence.truncate(begin);
    }
    return {};
}

}  // namespace mc::eval
