// SPDX-License-Identifier: Apache-2.0
#include "eval/document_scoring.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"

namespace mc::eval {

namespace {

Result<void> check_cancelled(const std::atomic<bool>* cancelled) {
    if (cancelled == nullptr || !cancelled->load()) return {};
    return fail(ErrorCode::kCancelled, "interrupted; the same command goes on from here");
}

lm::Segment segment_of_gists(const std::vector<Gist>& gists) {
    std::vector<const Gist*> pointers;
    for (const Gist& gist : gists) pointers.push_back(&gist);
    return lm::Segment::of_gists(std::move(pointers));
}

// Numbers of a case as the log keeps them. The first horizon token is not scored in any condition:
// in most of them nothing raw stands before it.
Result<std::vector<double>> logged(const std::vector<float>& nll, std::size_t horizon) {
    if (nll.size() != horizon)
        return fail(ErrorCode::kModel, "the model scored " + std::to_string(nll.size()) + " of " +
                                           std::to_string(horizon) + " tokens");
    std::vector<double> result = {std::numeric_limits<double>::quiet_NaN()};
    for (std::size_t t = 1; t < horizon; ++t) {
        if (!std::isfinite(nll[t]))
            return fail(ErrorCode::kModel,
                        "the NLL of horizon token " + std::to_string(t) + " is not finite");
        result.push_back(rounded_nll(static_cast<double>(nll[t])));
    }
    return result;
}

}  // namespace

DocumentScoring::DocumentScoring(Scorer& scorer, const Protocol& protocol,
                                 const DocumentPlan& document)
    : scorer_(scorer), protocol_(protocol), document_(document) {
    gists_.resize(protocol.options.encoders.size());
    for (auto& windows : gists_) windows.resize(document.windows.size());
    zero_gist_.kv.assign(scorer.facts().gist_shape.kv_count(), 0);
}

std::span<const TokenId> DocumentScoring::context_of(std::size_t window) const {
    return std::span(document_.windows[window]).first(protocol_.options.context_tokens);
}

std::span<const TokenId> DocumentScoring::horizon_of(std::size_t window) const {
    return std::span(document_.windows[window]).last(protocol_.options.horizon_tokens);
}

Result<void> DocumentScoring::encode_for(std::size_t begin, std::size_t end,
                                         const std::atomic<bool>* cancelled) {
    for (std::size_t w = begin; w < end; ++w)
        for (const std::size_t needed : {w, document_.shuffled_source[w]}) {
            MC_TRY(check_cancelled(cancelled));
            MC_TRY(encode_group(needed / kBatchWindows));
        }
    return {};
}

Result<void> DocumentScoring::encode_group(std::size_t group) {
    const std::size_t begin = group * kBatchWindows;
    const std::size_t end = std::min(begin + kBatchWindows, document_.windows.size());
    std::vector<ReadWindow> windows;
    for (std::size_t w = begin; w < end; ++w) {
        const auto context = context_of(w);
        windows.push_back({{context.begin(), context.end()}, 0});
    }
    for (std::size_t e = 0; e < gists_.size(); ++e) {
        if (!gists_[e][begin].empty()) continue;
        MC_ASSIGN(auto made, scorer_.encode_windows(e, windows));
        MC_CHECK(made.size() == windows.size(), "an encoder returned another number of windows");
        for (std::size_t w = begin; w < end; ++w) {
            MC_CHECK(made[w - begin].size() * kBlockSize == protocol_.options.context_tokens,
                     "an encoder returned another number of gists");
            gists_[e][w] = std::move(made[w - begin]);
        }
    }
    return {};
}

Result<lm::Segment> DocumentScoring::embedding_means(std::size_t window) {
    const auto context = context_of(window);
    const std::size_t width = scorer_.facts().hidden_dim;
    MC_ASSIGN(const auto embeddings, scorer_.embeddings_of(context));
    MC_CHECK(embeddings.size() == context.size() * width, "embeddings of another width");
    std::vector<float> means(context.size() / kBlockSize * width, 0.0F);
    for (std::size_t t = 0; t < context.size(); ++t)
        for (std::size_t i = 0; i < width; ++i)
            means[t / kBlockSize * width + i] +=
                embeddings[t * width + i] / static_cast<float>(kBlockSize);
    return lm::Segment::of_vectors(std::move(means));
}

Result<lm::Segment> DocumentScoring::segment_of(const Condition& condition, std::size_t window) {
    const auto context = context_of(window);
    switch (condition.kind) {
        case ConditionKind::kNone:
            break;
        case ConditionKind::kFull:
        case ConditionKind::kLastRaw: {
            const auto raw = context.last(condition.entries);
            return lm::Segment::of_tokens({raw.begin(), raw.end()});
        }
        case ConditionKind::kEmbeddingMean:
            return embedding_means(window);
        case ConditionKind::kZeroGists:
            return lm::Segment::of_gists(std::vector<const Gist*>(condition.entries, &zero_gist_));
        case ConditionKind::kGists:
            return segment_of_gists(gists_[condition.encoder][window]);
        case ConditionKind::kShuffledGists:
            return segment_of_gists(gists_[condition.encoder][document_.shuffled_source[window]]);
    }
    return lm::Segment{};
}

Result<std::vector<ScoreLine>> DocumentScoring::score_condition(const Condition& condition,
                                                                std::size_t begin,
                                                                std::size_t end) {
    std::vector<lm::ScoringCase> cases;
    for (std::size_t w = begin; w < end; ++w) {
        const auto horizon = horizon_of(w);
        lm::ScoringCase one{{lm::Segment::of_tokens({scorer_.facts().bos})},
                            {horizon.begin(), horizon.end()}};
        if (condition.kind != ConditionKind::kNone) {
            MC_ASSIGN(auto segment, segment_of(condition, w));
            one.context.push_back(std::move(segment));
        }
        cases.push_back(std::move(one));
    }
    MC_ASSIGN(const auto scored, scorer_.score_batch(cases));
    MC_CHECK(scored.size() == cases.size(), "the model scored another number of cases");
    std::vector<ScoreLine> lines;
    for (std::size_t w = begin; w < end; ++w) {
        MC_ASSIGN(auto nll, logged(scored[w - begin], protocol_.options.horizon_tokens));
        lines.push_back({document_.name, w, document_.starts[w], condition.name, std::move(nll)});
    }
    return lines;
}

Result<std::vector<ScoreLine>> DocumentScoring::score(std::size_t begin, std::size_t end,
                                                      const std::atomic<bool>* cancelled) {
    MC_TRY(encode_for(begin, end, cancelled));
    std::vector<std::vector<ScoreLine>> by_condition;
    for (const Condition& condition : protocol_.conditions) {
        MC_TRY(check_cancelled(cancelled));
        auto lines = score_condition(condition, begin, end);
        if (!lines)
            return fail(std::move(lines.error())
                            .add_context(document_.name + ", condition " + condition.name));
        by_condition.push_back(std::move(*lines));
    }
    std::vector<ScoreLine> lines;
    for (std::size_t w = 0; w < end - begin; ++w)
        for (auto& of_condition : by_condition) lines.push_back(std::move(of_condition[w]));
    return lines;
}

}  // namespace mc::eval
