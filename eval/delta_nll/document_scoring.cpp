// SPDX-License-Identifier: Apache-2.0
#include "eval/delta_nll/document_scoring.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"

namespace mc::eval {

namespace {

// Horizon tokens that are optimised for together: their activations are kept for the backward pass.
constexpr std::size_t kOracleTokensPerPass = 1024;

Result<void> check_cancelled(const std::atomic<bool>* cancelled) {
    if (cancelled == nullptr || !cancelled->load()) return {};
    return fail(ErrorCode::kCancelled, "interrupted; the same command goes on from here");
}

// What a store gives back of a gist that it was given.
Result<Gist> through_codec(const storage::GistCoder& coder, const Gist& gist) {
    std::vector<std::byte> bytes(coder.gist_bytes());
    MC_TRY(coder.encode(gist.kv, bytes));
    Gist result = gist;
    coder.decode(bytes, result.kv);
    return result;
}

}  // namespace

DocumentScoring::DocumentScoring(Scorer& scorer, const Protocol& protocol,
                                 const DocumentPlan& document, DocumentGists& own,
                                 DocumentGists* other)
    : scorer_(scorer), protocol_(protocol), document_(document), own_(own), other_(other) {
    zero_gist_.kv.assign(scorer.facts().gist_shape.kv_count(), 0);
}

std::span<const TokenId> DocumentScoring::context_of(std::size_t window) const {
    return std::span(document_.windows[window]).first(protocol_.options.context_tokens);
}

std::span<const TokenId> DocumentScoring::horizon_of(std::size_t window) const {
    return std::span(document_.windows[window]).last(protocol_.options.horizon_tokens);
}

Result<void> DocumentScoring::make_gists(std::size_t begin, std::size_t end,
                                         const std::atomic<bool>* cancelled) {
    for (std::size_t w = begin; w < end; ++w) {
        MC_TRY(check_cancelled(cancelled));
        MC_TRY(own_.make(w));
        MC_TRY(check_cancelled(cancelled));
        MC_TRY(own_.make(document_.shuffled_source[w]));
        if (other_ != nullptr) MC_TRY(other_->make(w));
    }
    return {};
}

// The gists that stand for a part. Windows of equal place in another document are as foreign as
// any other of it.
std::span<const Gist> DocumentScoring::gists_of(const Condition& condition, const Part& part,
                                                std::size_t window) const {
    const bool is_other_document = condition.origin == GistOrigin::kOtherDocument;
    MC_CHECK(!is_other_document || other_ != nullptr, "there is no other document");
    const DocumentGists& gists = is_other_document ? *other_ : own_;
    const std::size_t source =
        condition.origin == GistOrigin::kOtherWindow ? document_.shuffled_source[window] : window;
    const std::size_t first = part.span.begin / tokens_per_node(part.level);
    return gists.level(condition.encoder, source, part.level).subspan(first, part.entries());
}

Result<DocumentScoring::MadeGists> DocumentScoring::optimized(const Condition& condition,
                                                              std::size_t begin, std::size_t end,
                                                              const std::atomic<bool>* cancelled) {
    const std::size_t together =
        std::max<std::size_t>(1, kOracleTokensPerPass / protocol_.options.horizon_tokens);
    MadeGists made;
    for (std::size_t first = begin; first < end; first += together) {
        MC_TRY(check_cancelled(cancelled));
        std::vector<OracleCase> cases;
        for (std::size_t w = first; w < std::min(end, first + together); ++w) {
            const auto start = gists_of(condition, condition.parts.front(), w);
            const auto context = context_of(w);
            const auto horizon = horizon_of(w);
            cases.push_back({{start.begin(), start.end()},
                             {context.begin(), context.end()},
                             {horizon.begin(), horizon.end()}});
        }
        MC_ASSIGN(auto found, scorer_.optimize_gists(cases));
        MC_CHECK(found.size() == cases.size(), "gists were optimised for other windows");
        std::move(found.begin(), found.end(), std::back_inserter(made));
    }
    return made;
}

Result<DocumentScoring::MadeGists> DocumentScoring::coded(const Condition& condition,
                                                          std::size_t begin,
                                                          std::size_t end) const {
    MadeGists made;
    for (std::size_t w = begin; w < end; ++w) {
        made.emplace_back();
        for (const Part& part : condition.parts) {
            if (part.kind != PartKind::kGists) continue;
            for (const Gist& gist : gists_of(condition, part, w)) {
                MC_ASSIGN(Gist read_back,
                          through_codec(*protocol_.codecs[*condition.codec].coder, gist));
                made.back().push_back(std::move(read_back));
            }
        }
    }
    return made;
}

// Per window; empty for a condition that shows gists as they are.
Result<DocumentScoring::MadeGists> DocumentScoring::made_gists(const Condition& condition,
                                                               std::size_t begin, std::size_t end,
                                                               const std::atomic<bool>* cancelled) {
    if (condition.origin == GistOrigin::kOptimized)
        return optimized(condition, begin, end, cancelled);
    if (condition.codec) return coded(condition, begin, end);
    return MadeGists{};
}

Result<lm::Segment> DocumentScoring::embedding_means(std::span<const TokenId> tokens) {
    const std::size_t width = scorer_.facts().hidden_dim;
    MC_ASSIGN(const auto embeddings, scorer_.embeddings_of(tokens));
    MC_CHECK(embeddings.size() == tokens.size() * width, "embeddings of another width");
    std::vector<float> means(tokens.size() / kBlockSize * width, 0.0F);
    for (std::size_t t = 0; t < tokens.size(); ++t)
        for (std::size_t i = 0; i < width; ++i)
            means[t / kBlockSize * width + i] +=
                embeddings[t * width + i] / static_cast<float>(kBlockSize);
    return lm::Segment::of_vectors(std::move(means));
}

Result<lm::Segment> DocumentScoring::segment_of(const Condition& condition, const Part& part,
                                                std::size_t window) {
    const auto tokens = context_of(window).subspan(part.span.begin, part.span.count());
    switch (part.kind) {
        case PartKind::kTokens:
            return lm::Segment::of_tokens({tokens.begin(), tokens.end()});
        case PartKind::kEmbeddingMeans:
            return embedding_means(tokens);
        case PartKind::kZeroGists:
            return lm::Segment::of_gists(std::vector<const Gist*>(part.entries(), &zero_gist_));
        case PartKind::kGists:
            return segment_of_gists(gists_of(condition, part, window));
    }
    return lm::Segment{};
}

// made: gists in place of the window's own, in the order of the condition's parts; or null.
Result<lm::ScoringCase> DocumentScoring::case_of(const Condition& condition, std::size_t window,
                                                 const std::vector<Gist>* made) {
    const auto horizon = horizon_of(window);
    lm::ScoringCase one{{lm::Segment::of_tokens({scorer_.facts().bos})},
                        {horizon.begin(), horizon.end()}};
    std::size_t used = 0;  // of made
    for (const Part& part : condition.parts) {
        if (made != nullptr && part.kind == PartKind::kGists) {
            one.context.push_back(segment_of_gists(std::span(*made).subspan(used, part.entries())));
            used += part.entries();
            continue;
        }
        MC_ASSIGN(auto segment, segment_of(condition, part, window));
        one.context.push_back(std::move(segment));
    }
    return one;
}

Result<std::vector<ScoreLine>> DocumentScoring::score_condition(
    const Condition& condition, std::size_t begin, std::size_t end,
    const std::atomic<bool>* cancelled) {
    MC_ASSIGN(const MadeGists made, made_gists(condition, begin, end, cancelled));
    std::vector<lm::ScoringCase> cases;
    for (std::size_t w = begin; w < end; ++w) {
        MC_ASSIGN(auto one, case_of(condition, w, made.empty() ? nullptr : &made[w - begin]));
        cases.push_back(std::move(one));
    }
    MC_ASSIGN(const auto scored, scorer_.score_batch(cases));
    MC_CHECK(scored.size() == cases.size(), "the model scored another number of cases");
    std::vector<ScoreLine> lines;
    for (std::size_t w = begin; w < end; ++w) {
        MC_ASSIGN(auto nll, logged_nll(scored[w - begin], protocol_.options.horizon_tokens));
        lines.push_back({document_.name, w, document_.starts[w], condition.name, std::move(nll)});
    }
    return lines;
}

Result<std::vector<ScoreLine>> DocumentScoring::score(std::size_t begin, std::size_t end,
                                                      const std::atomic<bool>* cancelled) {
    MC_TRY(make_gists(begin, end, cancelled));
    std::vector<std::vector<ScoreLine>> by_condition;
    for (const Condition& condition : protocol_.conditions) {
        MC_TRY(check_cancelled(cancelled));
        std::size_t covered = begin;  // a condition leaves out the last windows, if any
        while (covered < end && condition.covers_window(covered, protocol_.options)) ++covered;
        by_condition.emplace_back();
        if (covered == begin) continue;
        auto lines = score_condition(condition, begin, covered, cancelled);
        if (!lines)
            return fail(std::move(lines.error())
                            .add_context(document_.name + ", condition " + condition.name));
        by_condition.back() = std::move(*lines);
    }
    std::vector<ScoreLine> lines;
    for (std::size_t w = 0; w < end - begin; ++w)
        for (auto& of_condition : by_condition)
            if (w < of_condition.size()) lines.push_back(std::move(of_condition[w]));
    return lines;
}

}  // namespace mc::eval
