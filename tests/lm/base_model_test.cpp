// SPDX-License-Identifier: Apache-2.0
// Laws of Sequence and BaseModel on a tiny random model in f32.
#include "lm/base_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/tiny_model.h"

namespace mc::lm::test {
namespace {

constexpr float kTolerance = 2e-5F;  // f32 rounding over two layers

void expect_near(std::span<const float> a, std::span<const float> b, float tolerance = kTolerance) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::isnan(b[i])) {
            EXPECT_TRUE(std::isnan(a[i])) << "at " << i;
        } else {
            ASSERT_NEAR(a[i], b[i], tolerance) << "at " << i;
        }
    }
}

// -log softmax(logits)[token], in double, from scratch.
float nll_of(std::span<const float> logits, TokenId token) {
    double sum = 0;
    for (const float x : logits) sum += std::exp(static_cast<double>(x));
    return static_cast<float>(std::log(sum) -
                              static_cast<double>(logits[static_cast<std::size_t>(token)]));
}

class TinyBaseModel : public testing::Test {
  protected:
    std::vector<TokenId> tokens(std::size_t count, std::uint64_t seed = 3) const {
        return random_tokens(model_->tokenizer(), count, seed);
    }

    static void append(Sequence& sequence, Segment segment) {
        const std::vector<Segment> segments = {std::move(segment)};
        const auto done = sequence.append(segments);
        ASSERT_TRUE(done) << done.error().to_string();
    }

    std::vector<float> logits_after(const std::vector<TokenId>& read) const {
        const auto sequence = model_->new_sequence();
        append(*sequence, Segment::of_tokens(read));
        return sequence->next_logits().value();
    }

    Gist random_gist(std::uint64_t seed) const {
        Gist gist;
        Rng rng(seed);
        for (std::uint64_t i = 0; i < model_->config().gist_shape().kv_count(); ++i)
            gist.kv.push_back(static_cast<std::uint16_t>(0x3000U + rng.below(0xc00)));  // 0.1 to 1
        return gist;
    }

    std::unique_ptr<BaseModel> model_ = make_tiny_model();
};

TEST_F(TinyBaseModel, tokens_appended_one_by_one_give_the_logits_of_one_pass) {
    const std::vector<TokenId> read = tokens(40);
    const auto sequence = model_->new_sequence();
    for (std::size_t n = 1; n <= read.size(); ++n) {
        append(*sequence, Segment::of_tokens({read[n - 1]}));
        if (n % 7 != 1) continue;
        expect_near(sequence->next_logits().value(),
                    logits_after({read.begin(), read.begin() + n}));
    }
}

TEST_F(TinyBaseModel, truncate_then_continue_equals_a_fresh_sequence) {
    const std::vector<TokenId> read = tokens(30);
    const std::vector<TokenId> other = tokens(12, 4);
    const auto sequence = model_->new_sequence();
    append(*sequence, Segment::of_tokens(read));
    sequence->truncate(11);
    expect_near(sequence->next_logits().value(), logits_after({read.begin(), read.begin() + 11}));
    append(*sequence, Segment::of_tokens(other));
    std::vector<TokenId> whole(read.begin(), read.begin() + 11);
    whole.insert(whole.end(), other.begin(), other.end());
    EXPECT_EQ(sequence->length(), whole.size());
    expect_near(sequence->next_logits().value(), logits_after(whole));
}

TEST_F(TinyBaseModel, score_is_the_log_softmax_of_each_step) {
    const std::vector<TokenId> read = tokens(25);
    const auto sequence = model_->new_sequence();
    const std::vector<float> scores = sequence->score(read).value();
    ASSERT_EQ(scores.size(), read.size());
    EXPECT_TRUE(std::isnan(scores[0]));
    for (std::size_t i = 1; i < read.size(); ++i)
        EXPECT_NEAR(scores[i], nll_of(logits_after({read.begin(), read.begin() + i}), read[i]),
                    1e-4F);
}

TEST_F(TinyBaseModel, score_in_two_parts_equals_score_in_one) {
    const std::vector<TokenId> read = tokens(25);
    const std::vector<float> whole = model_->new_sequence()->score(read).value();
    const auto sequence = model_->new_sequence();
    std::vector<float> parts = sequence->score(std::span(read).first(10)).value();
    const std::vector<float> rest = sequence->score(std::span(read).subspan(10)).value();
    parts.insert(parts.end(), rest.begin(), rest.end());
    expect_near(parts, whole, 1e-4F);
}

TEST_F(TinyBaseModel, score_goes_on_after_truncate) {
    const std::vector<TokenId> read = tokens(20);
    const auto sequence = model_->new_sequence();
    const std::vector<float> whole = sequence->score(read).value();
    sequence->truncate(8);
    expect_near(sequence->score(std::span(read).subspan(8)).value(), std::span(whole).subspan(8),
                1e-4F);
}

TEST_F(TinyBaseModel, input_vectors_equal_to_embeddings_read_as_their_tokens) {
    const std::vector<TokenId> read = tokens(9);
    const auto sequence = model_->new_sequence();
    append(*sequence, Segment::of_tokens({read.begin(), read.begin() + 3}));
    append(*sequence,
           Segment::of_vectors(model_->embeddings_of(std::span(read).subspan(3, 4)).value()));
    append(*sequence, Segment::of_tokens({read.begin() + 7, read.end()}));
    expect_near(sequence->next_logits().value(), logits_after(read));
}

TEST_F(TinyBaseModel, mixed_segments_in_one_append_equal_entries_appended_one_by_one) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        Rng rng(seed);
        std::vector<Gist> gists;
        for (int i = 0; i < 8; ++i) gists.push_back(random_gist(seed * 100 + rng.below(90)));
        std::vector<Segment> segments;
        for (int i = 0; i < 6; ++i) {
            const std::vector<TokenId> some = tokens(1 + rng.below(5), rng.next());
            switch (rng.below(3)) {
                case 0:
                    segments.push_back(Segment::of_tokens(some));
                    break;
                case 1:
                    segments.push_back(Segment::of_vectors(model_->embeddings_of(some).value()));
                    break;
                default:
                    segments.push_back(
                        Segment::of_gists({&gists[rng.below(8)], &gists[rng.below(8)]}));
            }
        }
        segments.push_back(Segment::of_tokens(tokens(1, seed)));
        const auto together = model_->new_sequence();
        ASSERT_TRUE(together->append(segments));
        const auto apart = model_->new_sequence();
        const std::size_t width = model_->config().hidden_dim;
        for (const Segment& segment : segments) {
            for (const TokenId token : segment.tokens) append(*apart, Segment::of_tokens({token}));
            for (const Gist* gist : segment.gists) append(*apart, Segment::of_gists({gist}));
            for (std::size_t i = 0; i < segment.vectors.size(); i += width) {
                const auto* row = segment.vectors.data() + i;
                append(*apart, Segment::of_vectors({row, row + width}));
            }
        }
        SCOPED_TRACE("seed " + std::to_string(seed));
        ASSERT_EQ(together->length(), apart->length());
        expect_near(together->next_logits().value(), apart->next_logits().value(), 5e-5F);
    }
}

TEST_F(TinyBaseModel, a_gist_changes_what_follows_and_predicts_nothing_itself) {
    const Gist gist = random_gist(1);
    const std::vector<TokenId> read = tokens(6);
    const auto sequence = model_->new_sequence();
    append(*sequence, Segment::of_tokens({read[0]}));
    append(*sequence, Segment::of_gists({&gist}));
    const std::vector<float> scores = sequence->score(std::span(read).subspan(1)).value();
    EXPECT_TRUE(std::isnan(scores[0]));
    const std::vector<float> without = model_->new_sequence()->score(read).value();
    EXPECT_GT(std::abs(scores[1] - without[2]), 1e-3F);
}

TEST_F(TinyBaseModel, a_batch_scores_as_one_case_at_a_time) {
    const Gist gist = random_gist(2);
    std::vector<ScoringCase> cases;
    for (std::uint64_t i = 0; i < 9; ++i) {
        ScoringCase scoring;
        scoring.context.push_back(Segment::of_tokens(tokens(3 + i % 2, 10 + i)));
        if (i % 3 == 0) scoring.context.push_back(Segment::of_gists({&gist, &gist}));
        scoring.scored = tokens(7, 50 + i);
        cases.push_back(std::move(scoring));
    }
    cases.push_back({{}, tokens(5)});  // nothing before the first
    cases.push_back({{Segment::of_tokens(tokens(2))}, {}});
    const auto batch = model_->score_batch(cases).value();
    ASSERT_EQ(batch.size(), cases.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
        SCOPED_TRACE("case " + std::to_string(i));
        const auto sequence = model_->new_sequence();
        ASSERT_TRUE(sequence->append(cases[i].context));
        expect_near(batch[i], sequence->score(cases[i].scored).value(), 1e-4F);
    }
}

TEST_F(TinyBaseModel, a_batch_of_unequal_lengths_and_kinds_scores_as_one_case_at_a_time) {
    Rng rng(4);
    std::vector<Gist> gists;
    for (std::uint64_t i = 0; i < 4; ++i) gists.push_back(random_gist(i));
    std::vector<ScoringCase> cases;
    for (std::uint64_t i = 0; i < 40; ++i) {
        ScoringCase scoring;
        if (rng.below(4) > 0) {
            const auto before = tokens(1 + rng.below(30), 100 + i);
            if (rng.below(2) == 0)
                scoring.context.push_back(Segment::of_tokens(before));
            else
                scoring.context.push_back(
                    Segment::of_vectors(model_->embeddings_of(before).value()));
        }
        if (rng.below(2) == 0) {
            std::vector<const Gist*> run;
            for (std::uint64_t k = 1 + rng.below(3); k > 0; --k) run.push_back(&gists[k]);
            scoring.context.push_back(Segment::of_gists(run));
        }
        if (rng.below(2) == 0)
            scoring.context.push_back(Segment::of_tokens(tokens(1 + rng.below(9), 200 + i)));
        scoring.scored = tokens(rng.below(40), 300 + i);
        cases.push_back(std::move(scoring));
    }
    const auto batch = model_->score_batch(cases).value();
    ASSERT_EQ(batch.size(), cases.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
        SCOPED_TRACE("case " + std::to_string(i));
        const auto sequence = model_->new_sequence();
        ASSERT_TRUE(sequence->append(cases[i].context));
        expect_near(batch[i], sequence->score(cases[i].scored).value(), 1e-4F);
    }
}

TEST_F(TinyBaseModel, byte_tokens_read_as_the_stand_in_token) {
    const TokenId byte_token = model_->tokenizer().vocabulary_size() + 0xff;
    const TokenId stand_in = model_->tokenizer().stand_in_token();
    expect_near(logits_after({5, byte_token, 6}), logits_after({5, stand_in, 6}));
}

TEST_F(TinyBaseModel, a_sequence_beyond_the_context_is_refused_and_stays_as_it_was) {
    const auto sequence = model_->new_sequence();
    append(*sequence, Segment::of_tokens(tokens(500)));
    const std::vector<Segment> segments = {Segment::of_tokens(tokens(13))};
    const auto refused = sequence->append(segments);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kOverBudget);
    EXPECT_EQ(sequence->length(), 500U);
    EXPECT_FALSE(sequence->score(tokens(13)));
    append(*sequence, Segment::of_tokens(tokens(12)));
    EXPECT_EQ(sequence->length(), 512U);
}

TEST_F(TinyBaseModel, entries_that_do_not_fit_the_model_are_refused_by_name) {
    const auto sequence = model_->new_sequence();
    Gist foreign = random_gist(1);
    foreign.kv.pop_back();
    const TokenId beyond = model_->tokenizer().vocabulary_size() + 256;
    for (const Segment& segment :
         {Segment::of_gists({&foreign}), Segment::of_vectors(std::vector<float>(33)),
          Segment::of_tokens({beyond}), Segment::of_tokens({-1}),
          Segment{{1}, std::vector<float>(32), {}}}) {
        const std::vector<Segment> segments = {segment};
        const auto refused = sequence->append(segments);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidInput);
        EXPECT_EQ(sequence->length(), 0U);
    }
}

TEST_F(TinyBaseModel, bf16_scores_stay_near_f32) {
    const auto rounded = open_tiny_model(tiny_model_bytes(), Dtype::kBf16).value();
    const std::vector<TokenId> read = tokens(300);
    const std::vector<float> a = model_->new_sequence()->score(read).value();
    const std::vector<float> b = rounded->new_sequence()->score(read).value();
    double difference = 0;
    for (std::size_t i = 1; i < a.size(); ++i) difference += static_cast<double>(b[i] - a[i]);
    EXPECT_LT(std::abs(difference / 299), 0.01);
}

void expect_refused(const std::string& bytes, const std::string& named) {
    const auto model = open_tiny_model(bytes);
    ASSERT_FALSE(model) << named;
    EXPECT_EQ(model.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(model.error().to_string().find(named), std::string::npos)
        << model.error().to_string();
}

TEST(OpenBaseModel, wrong_files_are_refused_naming_the_field_or_tensor) {
    expect_refused(tiny_model_bytes({}, {"mamba", "", ""}), "general.architecture");
    expect_refused(tiny_model_bytes({}, {"llama", "blk.1.ffn_up.weight", ""}),
                   "blk.1.ffn_up.weight");
    expect_refused(tiny_model_bytes({}, {"llama", "", "blk.0.attn_k.weight"}),
                   "blk.0.attn_k.weight");
    expect_refused(tiny_model_bytes({}, {"llama", "", "token_embd.weight"}), "token_embd.weight");
    TinyShape shape;
    shape.kv_head_count = 3;
    expect_refused(tiny_model_bytes(shape), "llama.attention.head_count_kv");
    shape = {};
    shape.context_length = 0;
    expect_refused(tiny_model_bytes(shape), "llama.context_length");
    expect_refused(tiny_model_bytes().substr(0, 5000), "");
}

TEST(OpenBaseModel, a_missing_file_is_named) {
    ModelOptions options;
    options.path = "no-such-model.gguf";
    const auto model = BaseModel::open(options);
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(model.error().to_string().find("no-such-model.gguf"), std::string::npos);
}

TEST(OpenBaseModel, the_hash_is_that_of_the_file) {
    const std::string bytes = tiny_model_bytes();
    TinyShape other;
    other.seed = 2;
    EXPECT_EQ(open_tiny_model(bytes).value()->hash(), xxh3_128(std::as_bytes(std::span(bytes))));
    EXPECT_NE(make_tiny_model(other)->hash(), make_tiny_model()->hash());
}

}  // namespace
}  // namespace mc::lm::test
