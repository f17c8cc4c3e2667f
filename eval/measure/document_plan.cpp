// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/document_plan.h"

#include <utility>

#include "core/rng.h"
#include "eval/measure/windows.h"

namespace mc::eval {

namespace {

Result<DocumentPlan> plan_document(const Scorer& scorer, const Path& path,
                                   const WindowPlan& asked) {
    MC_ASSIGN(const std::string content, read_file(path, kDocumentBytesMax));
    DocumentPlan plan;
    plan.name = path.string();
    plan.content_hash = xxh3_128(std::as_bytes(std::span(content)));
    plan.tokens = scorer.tokenize(content);
    const std::vector<TokenId>& tokens = plan.tokens;
    Rng seeds(asked.seed ^ plan.content_hash.low);
    auto starts = plan_window_starts(tokens.size(), asked.windows_per_document, asked.window_tokens,
                                     seeds.next());
    if (!starts) return fail(std::move(starts.error()).add_context(plan.name));
    plan.starts = std::move(*starts);
    plan.shuffled_source = plan_derangement(plan.starts.size(), seeds.next());
    for (const std::uint64_t start : plan.starts) {
        const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(start);
        plan.windows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(asked.window_tokens));
    }
    return plan;
}

}  // namespace

Result<std::vector<DocumentPlan>> plan_documents(const Scorer& scorer, std::span<const Path> paths,
                                                 const WindowPlan& plan) {
    std::vector<DocumentPlan> documents;
    for (const Path& path : paths) {
        MC_ASSIGN(DocumentPlan document, plan_document(scorer, path, plan));
        for (const DocumentPlan& earlier : documents)
            if (earlier.content_hash == document.content_hash)
                return fail(ErrorCode::kInvalidInput, path.string() + " has the same content as " +
                                                          earlier.name +
                                                          ": its windows would count twice");
        documents.push_back(std::move(document));
    }
    return documents;
}

}  // namespace mc::eval
