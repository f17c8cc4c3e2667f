// SPDX-License-Identifier: Apache-2.0
// Laws of cache surgery: what is exact is compared with reading from scratch.
#include <gtest/gtest.h>

#include "lm/torch/cache_surgery.h"
#include "tests/support/tiny_model.h"

namespace mc::lm::test {
namespace {

constexpr float kTolerance = 2e-5F;  // f32 rounding over two layers

class Splice : public testing::Test {
  protected:
    std::vector<TokenId> tokens(std::size_t count, std::uint64_t seed) const {
        return random_tokens(model_->tokenizer(), count, seed);
    }

    std::unique_ptr<Sequence> sequence_of(const std::vector<Segment>& segments) const {
        auto sequence = model_->new_sequence();
        const auto done = sequence->append(segments);
        EXPECT_TRUE(done) << done.error().to_string();
        return sequence;
    }

    void splice(Sequence& sequence, std::uint32_t begin, std::uint32_t end,
                const std::vector<Segment>& replacement) const {
        const auto done = sequence.splice(begin, end, replacement);
        ASSERT_TRUE(done) << done.error().to_string();
    }

    // What the sequence predicts after one more token: every entry has its part in it.
    std::vector<float> probe(Sequence& sequence) const {
        const std::uint32_t length = sequence.length();
        const std::vector<Segment> one = {Segment::of_tokens(tokens(1, 99))};
        EXPECT_TRUE(sequence.append(one));
        std::vector<float> logits = sequence.next_logits().value();
        sequence.truncate(length);
        return logits;
    }

    void expect_same(Sequence& a, Sequence& b, float tolerance = kTolerance) const {
        ASSERT_EQ(a.length(), b.length());
        const std::vector<float> x = probe(a);
        const std::vector<float> y = probe(b);
        for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], y[i], tolerance);
    }

    Gist gist(std::uint64_t seed) const {
        Gist out;
        Rng rng(seed);
        for (std::uint64_t i = 0; i < model_->config().gist_shape().kv_count(); ++i)
            out.kv.push_back(static_cast<std::uint16_t>(0x3000U + rng.below(0xc00)));
        // Every third has a log-mass.
        for (std::uint64_t i = 0;
             seed % 3 == 0 && i < model_->config().gist_shape().log_mass_count(); ++i)
            out.log_mass.push_back(static_cast<std::int8_t>(static_cast<int>(rng.below(128)) - 64));
        return out;
    }

    std::unique_ptr<BaseModel> model_ = make_tiny_model();
};

std::vector<Segment> token_segment(std::vector<TokenId> ids) {
    std::vector<Segment> segments;
    segments.push_back(Segment::of_tokens(std::move(ids)));
    return segments;
}

TEST_F(Splice, entries_before_the_edit_are_kept_bit_by_bit) {
    const auto edited = sequence_of(token_segment(tokens(40, 1)));
    const auto plain = sequence_of(token_segment(tokens(40, 1)));
    splice(*edited, 17, 29, token_segment(tokens(5, 2)));
    EXPECT_EQ(edited->length(), 33U);
    edited->truncate(17);
    plain->truncate(17);
    EXPECT_EQ(edited->next_logits().value(), plain->next_logits().value());
    EXPECT_EQ(probe(*edited), probe(*plain));
}

TEST_F(Splice, with_nothing_after_it_it_equals_reading_from_scratch) {
    std::vector<TokenId> ids = tokens(30, 1);
    const auto edited = sequence_of(token_segment(ids));
    const std::vector<TokenId> other = tokens(9, 2);
    const std::vector<float> vectors = model_->embeddings_of(tokens(4, 3)).value();
    const Gist one = gist(5);
    const std::vector<Segment> replacement = {Segment::of_tokens(other), Segment::of_gists({&one}),
                                              Segment::of_vectors(vectors)};
    splice(*edited, 12, 30, replacement);
    ids.resize(12);
    std::vector<Segment> whole = token_segment(ids);
    whole.insert(whole.end(), replacement.begin(), replacement.end());
    const auto scratch = sequence_of(whole);
    expect_same(*edited, *scratch);
    EXPECT_EQ(edited->next_logits().value().size(), scratch->next_logits().value().size());
}

TEST_F(Splice, among_gists_alone_it_equals_building_from_scratch) {
    std::vector<Gist> gists;
    for (std::uint64_t i = 0; i < 12; ++i) gists.push_back(gist(i));
    const auto run = [&](std::initializer_list<std::size_t> places) {
        std::vector<const Gist*> out;
        for (const std::size_t i : places) out.push_back(&gists[i]);
        return std::vector<Segment>{Segment::of_gists(out)};
    };
    const auto edited = sequence_of(run({0, 1, 2, 3, 4, 5}));
    splice(*edited, 1, 3, run({6, 7, 8, 9, 10}));  // those after it move on by three
    expect_same(*edited, *sequence_of(run({0, 6, 7, 8, 9, 10, 3, 4, 5})));
    splice(*edited, 0, 5, {});  // and back by five
    expect_same(*edited, *sequence_of(run({10, 3, 4, 5})));
    splice(*edited, 2, 2, run({11}));
    expect_same(*edited, *sequence_of(run({10, 3, 11, 4, 5})));
}

TEST_F(Splice, what_is_read_where_a_gist_stood_has_no_log_mass) {
    Gist heavy = gist(1);
    heavy.log_mass.assign(model_->config().gist_shape().log_mass_count(), 60);
    std::vector<TokenId> ids = tokens(8, 1);
    std::vector<Segment> segments = token_segment(ids);
    segments.push_back(Segment::of_gists({&heavy, &heavy, &heavy}));
    const auto edited = sequence_of(segments);
    edited->truncate(8);
    const std::vector<TokenId> more = tokens(30, 2);  // the buffers grow on the way
    ASSERT_TRUE(edited->append(token_segment(more)));
    ids.insert(ids.end(), more.begin(), more.end());
    expect_same(*edited, *sequence_of(token_segment(ids)));
    // And one by one, as answers are written.
    edited->truncate(7);
    segments = {Segment::of_gists({&heavy})};
    ASSERT_TRUE(edited->append(segments));
    edited->truncate(7);
    ASSERT_TRUE(edited->append_token(ids[7]));
    ASSERT_TRUE(edited->append_token(ids[8]));
    ids.resize(9);
    expect_same(*edited, *sequence_of(token_segment(ids)));
}

TEST_F(Splice, moved_tokens_keep_their_states_and_turn_their_keys) {
    const c10::InferenceMode inference;
    const TorchModel& torch = model_->torch_model();
    const auto cached = [&](const std::vector<TokenId>& ids) {
        KvCache cache = torch.new_cache(1, CacheKind::kPerLayer);
        const auto count = static_cast<std::int64_t>(ids.size());
        cache.reserve(count);
        std::vector<std::int64_t> positions(ids.size());
        for (std::size_t i = 0; i < ids.size(); ++i) positions[i] = static_cast<std::int64_t>(i);
        torch.forward(torch.embed(ids).unsqueeze(0), positions, cache);
        cache.set_length(count);
        return cache;
    };
    const std::vector<TokenId> ids = tokens(40, 4);
    KvCache whole = cached(ids);
    KvCache shorter = cached({ids.begin() + 13, ids.end()});
    const CacheRun moved = moved_run(torch, copy_run(whole, 13, 40), -13);
    // The first layer's keys and values depend on token and position alone.
    EXPECT_TRUE(at::allclose(moved.keys[0], shorter.keys(0).narrow(2, 0, 27), 1e-4, 1e-5));
    EXPECT_TRUE(at::allclose(moved.values[0], shorter.values(0).narrow(2, 0, 27), 1e-4, 1e-5));
    EXPECT_FALSE(at::allclose(moved.keys[0], whole.keys(0).narrow(2, 13, 27), 1e-2, 1e-2));
    // The second layer's hold what the first 13 tokens left in them.
    EXPECT_FALSE(at::allclose(moved.values[1], shorter.values(1).narrow(2, 0, 27), 1e-4, 1e-4));
    EXPECT_TRUE(at::equal(moved.values[1], whole.values(1).narrow(2, 13, 27)));
}

TEST_F(Splice, there_and_back_again_leaves_every_key_within_rounding) {
    const auto edited = sequence_of(token_segment(tokens(50, 6)));
    const auto plain = sequence_of(token_segment(tokens(50, 6)));
    splice(*edited, 20, 20, token_segment(tokens(11, 7)));
    EXPECT_EQ(edited->length(), 61U);
    splice(*edited, 20, 31, {});
    expect_same(*edited, *plain);
    EXPECT_EQ(edited->next_logits().value(), plain->next_logits().value());
}

TEST_F(Splice, bf16_caches_move_within_their_rounding) {
    const auto opened = open_tiny_model(tiny_model_bytes(), Dtype::kBf16);
    ASSERT_TRUE(opened) << opened.error().to_string();
    const auto read = [&] {
        auto sequence = (*opened)->new_sequence();
        EXPECT_TRUE(sequence->append(token_segment(tokens(50, 6))));
        return sequence;
    };
    const auto edited = read();
    const auto plain = read();
    splice(*edited, 20, 20, token_segment(tokens(11, 7)));
    splice(*edited, 20, 31, {});
    expect_same(*edited, *plain, 0.25F);
}

TEST_F(Splice, what_does_not_fit_is_refused_and_nothing_changes) {
    const auto sequence = sequence_of(token_segment(tokens(500, 8)));
    const std::vector<float> before = probe(*sequence);
    const auto too_long = sequence->splice(10, 12, token_segment(tokens(15, 9)));
    ASSERT_FALSE(too_long);
    EXPECT_EQ(too_long.error().code(), ErrorCode::kOverBudget);
    const Gist empty;
    const std::vector<Segment> wrong = {Segment::of_gists({&empty})};
    EXPECT_EQ(sequence->splice(10, 12, wrong).error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(sequence->length(), 500U);
    EXPECT_EQ(probe(*sequence), before);
}

TEST_F(Splice, scoring_goes_on_after_an_edit) {
    const auto sequence = sequence_of(token_segment(tokens(30, 1)));
    const std::vector<TokenId> next = tokens(6, 2);
    splice(*sequence, 5, 10, token_segment(tokens(2, 3)));
    const std::vector<float> scores = sequence->score(next).value();
    EXPECT_EQ(scores.size(), 6U);
    EXPECT_EQ(sequence->length(), 33U);
    for (const float nll : scores) EXPECT_TRUE(std::isfinite(nll));
}

}  // namespace
}  // namespace mc::lm::test
