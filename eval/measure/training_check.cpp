// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/training_check.h"

#include <cstdio>
#include <string>
#include <utility>

namespace mc::eval {

namespace {

std::string percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
    return text;
}

}  // namespace

Result<TrainingCheck> check_training(const Scorer& scorer, std::span<const Path> train_documents,
                                     std::span<const DocumentPlan> documents) {
    TrainingCheck check;
    if (train_documents.empty()) return check;
    std::vector<GramIndex> indexes;
    for (const DocumentPlan& plan : documents) indexes.emplace_back(plan.tokens);
    for (const Path& path : train_documents) {
        MC_ASSIGN(const std::string content, read_file(path, kDocumentBytesMax));
        const Hash128 hash = xxh3_128(std::as_bytes(std::span(content)));
        for (const DocumentPlan& plan : documents)
            if (plan.content_hash == hash)
                return fail(ErrorCode::kInvalidInput,
                            plan.name + " was trained on: it has the content of " + path.string());
        const std::vector<TokenId> tokens = scorer.tokenize(content);
        for (GramIndex& index : indexes) index.mark(tokens);
        check.train_documents.push_back({path.string(), hash, tokens.size()});
    }
    for (std::size_t d = 0; d < documents.size(); ++d) {
        const TrainOverlap overlap{documents[d].name, indexes[d].gram_count(),
                                   indexes[d].shared_count()};
        if (overlap.share() > kOverlapShareMax)
            return fail(ErrorCode::kInvalidInput,
                        overlap.document + " shares " + percent(overlap.share()) + " of its " +
                            std::to_string(kOverlapGram) +
                            "-token runs with documents that were trained on; at most " +
                            percent(kOverlapShareMax) + " may be");
        check.overlaps.push_back(overlap);
    }
    return check;
}

}  // namespace mc::eval
