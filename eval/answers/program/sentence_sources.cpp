// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/program/sentence_sources.h"

#include <algorithm>
#include <array>
#include <string>

#include "working_context/passage_ranking.h"

namespace mc::eval {
namespace {

constexpr std::array<std::string_view, 3> kNames{"sentences/bm25", "sentences/vectors",
                                                 "sentences/fused"};

class SentenceSource final : public PassageSource {
  public:
    SentenceSource(runtime::BankSession& bank, std::size_t kind) : bank_(bank), kind_(kind) {}

    std::string_view name() const override { return kNames[kind_]; }

    Result<std::vector<FoundPassage>> find(std::string_view question, std::size_t count,
                                           std::span<const DocumentId> documents) override {
        MC_ASSIGN(const runtime::BankSearch* const search, bank_.search());
        MC_ASSIGN(
            const runtime::PassageHits hits,
            search->find(std::string(question), runtime::kCandidateCount, ranges_of(documents)));
        std::vector<FoundPassage> found;
        const auto take = [&](const Passage& passage) {
            if (found.size() < count) found.push_back({passage.document, passage.tokens});
        };
        if (kind_ == 2) {
            for (const RankedPassage& one : rank_passages(hits.by_words, hits.by_vectors, {}))
                take(one.passage);
        } else {
            for (const PassageHit& hit : kind_ == 0 ? hits.by_words : hits.by_vectors)
                take(hit.passage);
        }
        return found;
    }

  private:
    runtime::BankSession& bank_;
    std::size_t kind_;  // of kNames
};

}  // namespace

std::span<const std::string_view> sentence_source_names() {
    return kNames;
}

std::vector<std::unique_ptr<PassageSource>> sentence_sources(runtime::BankSession& bank) {
    std::vector<std::unique_ptr<PassageSource>> sources;
    for (std::size_t kind = 0; kind < kNames.size(); ++kind)
        sources.push_back(std::make_unique<SentenceSource>(bank, kind));
    return sources;
}

}  // namespace mc::eval
