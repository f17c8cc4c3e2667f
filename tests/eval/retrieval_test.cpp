// SPDX-License-Identifier: Apache-2.0
// Laws of the suite retrieval: ranks and fusions on constructed cases, questions that say what they
// claim, and whole runs on a tiny random model that resume, repeat and refuse what does not fit.
#include "eval/retrieval/retrieval.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/span_math.h"
#include "eval/retrieval/retrieval_search.h"
#include "eval/retrieval/retrieval_texts.h"
#include "eval/retrieval/thesaurus.h"
#include "formats/safetensors.h"
#include "tests/support/tiny_model.h"

namespace mc::eval::test {
namespace {

NodeId block(std::uint64_t index) {
    return {DocumentId(1), Level(1), NodeIndex(index)};
}

Haystack haystack_of(std::size_t count) {
    Haystack out;
    out.names = {"text"};
    for (std::size_t i = 0; i < count; ++i) out.blocks.push_back(block(i));
    return out;
}

std::vector<SearchHit> hits(std::initializer_list<std::uint64_t> indexes) {
    std::vector<SearchHit> out;
    for (const std::uint64_t index : indexes)
        out.push_back({block(index), 100.0F - static_cast<float>(out.size())});
    return out;
}

TEST(RetrievalSearch, vectors_find_the_block_that_they_point_at) {
    const Haystack haystack = haystack_of(100);
    VectorTable table;
    table.dim = 2;
    for (int i = 0; i < 100; ++i) {
        const double angle = 0.03 * i;
        table.blocks.push_back(static_cast<float>(std::cos(angle)));
        table.blocks.push_back(static_cast<float>(std::sin(angle)));
    }
    const std::vector<RetrievalQuery> queries = {{0, 40, 2, "a"}, {1, 7, 0, "b"}};
    // Nearest to 8.4: 8, 9, then 7.
    for (const double at : {41.0, 8.4}) {
        table.queries.push_back(static_cast<float>(std::cos(0.03 * at)));
        table.queries.push_back(static_cast<float>(std::sin(0.03 * at)));
    }
    const CandidateLists lists = search_vectors(haystack, queries, table);
    ASSERT_EQ(lists[0].size(), kCandidates);
    // Blocks 41 and 42 repeat the first question; without them 40 is nearest.
    EXPECT_EQ(lists[0][0].node, block(40));
    EXPECT_EQ(lists[1][0].node, block(8));
    EXPECT_EQ(ranks_of(haystack, queries, lists), (std::vector<std::uint32_t>{1, 3}));
}

TEST(RetrievalSearch, a_block_beyond_the_candidates_has_no_rank) {
    const Haystack haystack = haystack_of(5);
    const std::vector<RetrievalQuery> queries = {{1, 4, 0, "q"}};
    EXPECT_EQ(ranks_of(haystack, queries, {hits({0, 1, 2})}), std::vector<std::uint32_t>{0});
    EXPECT_EQ(ranks_of(haystack, queries, {hits({0, 4})}), std::vector<std::uint32_t>{2});
}

TEST(RetrievalSearch, fusion_at_equal_weights_prefers_what_two_lists_name_to_what_one_names_first) {
    const CandidateLists a = {hits({1, 2, 3})};
    const CandidateLists b = {hits({4, 2, 5})};
    const WeightedLists both[] = {{&a, 1}, {&b, 1}};
    EXPECT_EQ(fuse_lists(both)[0][0].node, block(2));
    const WeightedLists one[] = {{&a, 1}};
    EXPECT_EQ(fuse_lists(one)[0][0].node, block(1));
}

TEST(RetrievalSearch, intervals_hold_the_value_and_a_system_does_not_differ_from_itself) {
    std::vector<std::uint32_t> ranks;
    for (std::uint32_t i = 0; i < 200; ++i) ranks.push_back(i % 4);
    const RetrievalEstimates found = estimate_ranks(ranks, 3);
    EXPECT_NEAR(found.recall_at_1.value, 0.25, 1e-12);
    EXPECT_NEAR(found.recall_at_5.value, 0.75, 1e-12);
    for (const Estimate& one : {found.recall_at_1, found.recall_at_5, found.reciprocal_rank}) {
        EXPECT_LT(one.low, one.value);
        EXPECT_GT(one.high, one.value);
    }
    const Estimate none = estimate_difference(ranks, ranks, 3);
    EXPECT_EQ(none.low, 0);
    EXPECT_EQ(none.high, 0);
    const std::vector<std::uint32_t> first(ranks.size(), 1);
    EXPECT_GT(estimate_difference(first, ranks, 3).low, 0);
}

TEST(Thesaurus, knows_words_and_no_licence_text) {
    EXPECT_GT(synonyms().size(), 4000U);
    EXPECT_EQ(synonyms().at("abandoned"), "deserted");
    EXPECT_FALSE(synonyms().contains("# This software"));
}

class RetrievalRun : public testing::Test {
  protected:
    RetrievalRun() {
        lm::test::TinyShape shape;
        shape.context_length = 1024;
        model_ = lm::test::make_tiny_model(shape);
        Rng rng(5);
        for (int d = 0; d < 2; ++d) {
            options_.documents.push_back(folder_ / ("text-" + std::to_string(d) + ".txt"));
            std::ofstream file(options_.documents.back());
            for (int i = 0; i < 900; ++i) {
                static constexpr const char* kParts[] = {"the", "lo", "hel", "ba", "xy", "zw"};
                for (int k = 0; k < 3; ++k) file << kParts[rng.below(std::size(kParts))];
                file << (i % 9 == 8 ? ". " : " ");
            }
        }
        options_.output = folder_ / "out";
        options_.queries = 12;
        options_.index = "mean";  // no trained one fits a random model
    }

    ~RetrievalRun() override { std::filesystem::remove_all(folder_); }

    SuiteReport run(const std::atomic<bool>* cancelled = nullptr) {
        auto report = run_retrieval(*model_, options_, {}, cancelled);
        EXPECT_TRUE(report) << report.error().to_string();
        return std::move(*report);
    }

    static Path make_folder() {
        const Path path = Path(testing::TempDir()) / ("retrieval-" + std::to_string(::getpid()));
        std::filesystem::create_directories(path);
        return path;
    }

    // Vectors that point at the right block of every question.
    Path write_perfect_vectors(const std::string& hash) const {
        const Haystack haystack = read_haystack(model_->tokenizer(), options_.documents).value();
        const auto queries =
            plan_queries(haystack, model_->tokenizer(), options_.queries, options_.seed).value();
        const std::size_t dim = haystack.blocks.size();
        std::vector<float> blocks(dim * dim);
        std::vector<float> asked(queries.size() * dim);
        for (std::size_t i = 0; i < dim; ++i) blocks[i * dim + i] = 1;
        for (std::size_t q = 0; q < queries.size(); ++q) asked[q * dim + queries[q].block] = 1;
        const std::vector<lm::SafetensorsTensor> tensors = {
            {"blocks", lm::SafetensorsDtype::kF32, {dim, dim}, std::as_bytes(std::span(blocks))},
            {"queries",
             lm::SafetensorsDtype::kF32,
             {queries.size(), dim},
             std::as_bytes(std::span(asked))}};
        const Path path = folder_ / "perfect.safetensors";
        EXPECT_TRUE(lm::write_safetensors(path, tensors, {{"texts_hash", hash}}));
        return path;
    }

    Path folder_ = make_folder();
    std::unique_ptr<lm::BaseModel> model_;
    RetrievalOptions options_;
};

TEST_F(RetrievalRun, queries_come_from_their_blocks) {
    const lm::Tokenizer& tokenizer = model_->tokenizer();
    const Haystack haystack = read_haystack(tokenizer, options_.documents).value();
    const auto queries = plan_queries(haystack, tokenizer, 12, 1).value();
    ASSERT_EQ(queries.size(), 36U);
    for (const RetrievalQuery& query : queries) {
        const NodeId node = haystack.blocks[query.block];
        const auto& document = haystack.tokens[node.document.value - 1];
        const auto at = document.begin() + static_cast<std::ptrdiff_t>(span_of(node).end);
        if (query.kind == 0) {
            const std::vector<TokenId> behind(at, at + 64);
            EXPECT_TRUE(tokenizer.decode(behind).starts_with(query.text));
            EXPECT_GE(query.repeated_blocks, 1U);
            EXPECT_LE(query.repeated_blocks, 2U);
        }
        if (query.kind == 1) {
            EXPECT_NE(haystack.texts[query.block].find(query.text), std::string::npos);
        }
        if (query.kind != 0) {
            EXPECT_EQ(query.repeated_blocks, 0U);
        }
    }
    EXPECT_FALSE(plan_queries(haystack, tokenizer, 100'000, 1));
}

TEST_F(RetrievalRun, bm25_finds_fragments_and_perfect_vectors_find_everything) {
    const SuiteReport first = run();
    const auto texts = nlohmann::json::parse(read_file(first.source_path, 1 << 24).value());
    options_.vectors = {"perfect=" + write_perfect_vectors(texts["hash"]).string()};
    const auto results = nlohmann::json::parse(run().results_json)["results"];
    EXPECT_GT(results["retrieval/fragment"]["recall@20,bm25"].get<double>(), 0.5);
    EXPECT_EQ(results["retrieval/all"]["recall@1,perfect"].get<double>(), 1.0);
    EXPECT_GE(results["retrieval/all"]["mrr,bm25+perfect"].get<double>(),
              results["retrieval/all"]["mrr,bm25"].get<double>());
    EXPECT_EQ(results["retrieval/all"]["mrr-bm25,bm25"].get<double>(), 0.0);
}

TEST_F(RetrievalRun, a_run_again_reads_nothing_and_gives_the_same_bytes) {
    const SuiteReport first = run();
    const auto time_of = [&] {
        return std::filesystem::last_write_time(options_.output / "vectors" /
                                                "blocks-0.safetensors");
    };
    const auto written = time_of();
    const SuiteReport again = run();
    EXPECT_EQ(time_of(), written);
    EXPECT_EQ(again.results_json, first.results_json);
    EXPECT_EQ(again.table, first.table);
    std::filesystem::remove_all(options_.output / "vectors");
    EXPECT_EQ(run().results_json, first.results_json);
}

TEST_F(RetrievalRun, what_does_not_fit_is_refused_by_name) {
    options_.vectors = {"other=" + write_perfect_vectors("of other texts").string()};
    const auto other = run_retrieval(*model_, options_, {}, nullptr);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(other.error().to_string().find("of other texts"), std::string::npos);
    options_.vectors = {"nameless"};
    EXPECT_EQ(run_retrieval(*model_, options_, {}, nullptr).error().code(), ErrorCode::kUsage);
    options_.vectors.clear();
    const std::atomic<bool> cancelled{true};
    EXPECT_EQ(run_retrieval(*model_, options_, {}, &cancelled).error().code(),
              ErrorCode::kCancelled);
    options_.queries = 0;
    EXPECT_EQ(run_retrieval(*model_, options_, {}, nullptr).error().code(), ErrorCode::kUsage);
    options_.queries = 5;
    options_.documents = {folder_ / "missing.txt"};
    EXPECT_EQ(run_retrieval(*model_, options_, {}, nullptr).error().code(),
              ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace mc::eval::test
