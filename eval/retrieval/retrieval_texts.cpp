// SPDX-License-Identifier: Apache-2.0
#include "eval/retrieval/retrieval_texts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/hash.h"
#include "core/rng.h"
#include "core/span_math.h"
#include "core/utf8.h"
#include "eval/retrieval/thesaurus.h"
#include "gistnet/search/search_questions.h"

namespace mc::eval {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kDocumentBytesMax = 1ULL << 30;
constexpr std::uint64_t kNextTokensMin = 32;
constexpr std::uint64_t kNextTokensMax = 64;
constexpr std::uint64_t kFragmentTokens = 8;

// Other forms than those of training.
constexpr std::array<std::string_view, 6> kTemplates = {
    "Which passage mentions {}?",         "In what connection do {} come up?",
    "Can you find the place with {}?",    "I remember something with {}; what was it?",
    "How are {} connected in the story?", "What do we learn of {}?"};

std::vector<TokenId> tokens_of(const Haystack& haystack, NodeId block, std::uint64_t offset,
                               std::uint64_t count) {
    const auto& document = haystack.tokens[block.document.value - 1];
    const auto at = document.begin() + static_cast<std::ptrdiff_t>(span_of(block).begin + offset);
    return {at, at + static_cast<std::ptrdiff_t>(count)};
}

class Planner {
  public:
    Planner(const Haystack& haystack, const lm::Tokenizer& tokenizer, std::uint64_t seed)
        : haystack_(haystack), tokenizer_(tokenizer), rng_(seed) {
        for (const std::string& text : haystack.texts) counts_.add(text);
    }

    // An empty text when the block yields no query of this kind.
    RetrievalQuery make(std::size_t kind, std::size_t block) {
        const NodeId node = haystack_.blocks[block];
        RetrievalQuery query{kind, block, 0, {}};
        if (kind == 0) {
            const std::uint64_t behind =
                haystack_.tokens[node.document.value - 1].size() - span_of(node).end;
            if (behind < kNextTokensMax) return query;
            const std::uint64_t count =
                kNextTokensMin + rng_.below(kNextTokensMax - kNextTokensMin + 1);
            query.repeated_blocks = static_cast<std::size_t>((count + kBlockSize - 1) / kBlockSize);
            query.text = text_of(tokens_of(haystack_, node, kBlockSize, count));
        } else if (kind == 1) {
            query.text = text_of(tokens_of(
                haystack_, node, rng_.below(kBlockSize - kFragmentTokens + 1), kFragmentTokens));
            // A fragment of blanks and rules is no question.
            if (gistnet::split_words(query.text).size() < 3) query.text.clear();
        } else {
            query.text = gistnet::make_question(haystack_.texts[block], counts_,
                                                {kTemplates, &synonyms()}, rng_)
                             .value_or("");
        }
        return query;
    }

  private:
    std::string text_of(const std::vector<TokenId>& tokens) const {
        return to_valid_utf8(tokenizer_.decode(tokens));
    }

    const Haystack& haystack_;
    const lm::Tokenizer& tokenizer_;
    gistnet::WordCounts counts_;
    Rng rng_;
};

}  // namespace

Result<Haystack> read_haystack(const lm::Tokenizer& tokenizer, const std::vector<Path>& documents) {
    Haystack out;
    for (const Path& path : documents) {
        MC_ASSIGN(const std::string content, read_file(path, kDocumentBytesMax));
        out.names.push_back(path.string());
        out.tokens.push_back(tokenizer.encode(content));
        const DocumentId document(out.names.size());
        const std::uint64_t blocks = out.tokens.back().size() / kBlockSize;
        if (blocks == 0)
            return fail(ErrorCode::kInvalidInput,
                        path.string() + " has fewer than 32 tokens: no block to find");
        for (std::uint64_t i = 0; i < blocks; ++i) {
            const NodeId node{document, Level(1), NodeIndex(i)};
            out.blocks.push_back(node);
            out.texts.push_back(
                to_valid_utf8(tokenizer.decode(tokens_of(out, node, 0, kBlockSize))));
        }
    }
    return out;
}

Result<std::vector<RetrievalQuery>> plan_queries(const Haystack& haystack,
                                                 const lm::Tokenizer& tokenizer,
                                                 std::uint32_t count, std::uint64_t seed) {
    std::vector<RetrievalQuery> queries;
    Planner planner(haystack, tokenizer, seed);
    Rng rng(seed);
    for (std::size_t kind = 0; kind < kQueryKinds.size(); ++kind) {
        std::vector<std::size_t> order(haystack.blocks.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::uint32_t made = 0;
        for (std::size_t i = 0; i < order.size() && made < count; ++i) {
            std::swap(order[i], order[i + rng.below(order.size() - i)]);
            RetrievalQuery query = planner.make(kind, order[i]);
            if (query.text.empty()) continue;
            queries.push_back(std::move(query));
            ++made;
        }
        if (made < count)
            return fail(ErrorCode::kInvalidInput,
                        "the documents' " + std::to_string(haystack.blocks.size()) +
                            " blocks yield " + std::to_string(made) + " queries of kind " +
                            kQueryKinds[kind] + ", not " + std::to_string(count) +
                            ": ask for fewer, or give more text");
    }
    return queries;
}

std::string texts_json(const Haystack& haystack, const std::vector<RetrievalQuery>& queries,
                       const std::string& hash) {
    Json out;
    out["hash"] = hash;
    out["blocks"] = haystack.texts;
    out["queries"] = Json::array();
    for (const RetrievalQuery& query : queries) out["queries"].push_back(query.text);
    return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string hash_of_texts(const Haystack& haystack, const std::vector<RetrievalQuery>& queries) {
    const std::string all = texts_json(haystack, queries, "");
    return to_hex(xxh3_128(std::as_bytes(std::span(all))));
}

}  // namespace mc::eval
