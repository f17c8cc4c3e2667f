// SPDX-License-Identifier: Apache-2.0
// Laws of the trained projection for search, on a tiny random model: unit length, the same training
// twice, what is learned finds what a random map does not, and what does not fit is refused by
// name.
#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "core/clock.h"
#include "core/span_math.h"
#include "gistnet/base_model_gist_encoder.h"
#include "gistnet/index/index_reader.h"
#include "gistnet/training/train_index.h"
#include "tests/support/tiny_model.h"

namespace mc::gistnet::test {
namespace {

double inner_product(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i] * b[i]);
    return sum;
}

// Words of made-up syllables, each rare, so that a block can be told by its words.
std::string made_up_text(std::uint64_t seed, int words) {
    static constexpr const char* kSyllables[] = {"the", "lo", "hel", "ba", "xy", "zw", "ab", "ki"};
    Rng rng(seed);
    std::string text;
    for (int i = 0; i < words; ++i) {
        for (int k = 0; k < 3; ++k) text += kSyllables[rng.below(std::size(kSyllables))];
        text += i % 9 == 8 ? ". " : " ";
    }
    return text;
}

// Blocks of 32 tokens, two by two: a space and 31 letters, each one of three of the first twelve;
// then as many partners, of which every letter has one among the next twelve.
std::string letters_and_partners(std::uint64_t seed) {
    constexpr int kPairs = 200;
    Rng rng(seed);
    std::string text;
    for (int pair = 0; pair < kPairs; ++pair) {
        std::array<char, 3> letters;
        for (char& letter : letters) letter = static_cast<char>('A' + rng.below(12));
        for (const int shift : {0, 12}) {
            text += ' ';
            for (int i = 0; i < 31; ++i)
                text += static_cast<char>(letters[rng.below(letters.size())] + shift);
        }
    }
    return text;
}

class TrainedIndex : public testing::Test {
  protected:
    TrainedIndex() {
        for (std::uint64_t i = 0; i < 3; ++i) {
            const Path path = folder_ / ("text-" + std::to_string(i) + ".txt");
            std::ofstream(path) << made_up_text(i, 1200);
            (i < 2 ? options_.documents : options_.evaluation_documents).push_back(path);
        }
        options_.windows = 6;
        options_.steps = 30;
        options_.output = folder_ / "index.safetensors";
    }

    ~TrainedIndex() override { std::filesystem::remove_all(folder_); }

    static std::unique_ptr<lm::BaseModel> make_model(std::uint64_t seed) {
        lm::test::TinyShape shape;
        shape.context_length = 1024;
        shape.seed = seed;
        return lm::test::make_tiny_model(shape);
    }

    IndexTrainReport train(const IndexTrainOptions& options) {
        auto report = train_index(*model_, options, clock_, {}, nullptr);
        EXPECT_TRUE(report) << report.error().to_string();
        return std::move(*report);
    }

    std::unique_ptr<GistEncoder> encoder() const {
        return make_gist_encoder(*model_, {"kv-last", 0, options_.output.string()}).value();
    }

    static Path make_folder() {
        const Path path = Path(testing::TempDir()) / ("index-" + std::to_string(::getpid()));
        std::filesystem::create_directories(path);
        return path;
    }

    Path folder_ = make_folder();
    std::unique_ptr<lm::BaseModel> model_ = make_model(1);
    SystemClock clock_;
    IndexTrainOptions options_;
};

TEST_F(TrainedIndex, vectors_of_blocks_parents_and_questions_have_unit_length_and_one_width) {
    train(options_);
    const auto encoder = this->encoder();
    const std::vector<ReadWindow> windows = {
        {lm::test::random_tokens(model_->tokenizer(), 32 * 12, 4), 64},
        {lm::test::random_tokens(model_->tokenizer(), 32 * 22, 5), 0}};
    std::vector<Gist> gists;
    auto made = encoder->encode_windows(windows, false).value();
    for (auto& window : made)
        for (Gist& gist : window) gists.push_back(std::move(gist));
    ASSERT_EQ(gists.size(), 32U);
    const std::vector<SiblingGists> families = {gists};
    gists.push_back(encoder->encode_parents(families).value()[0]);
    for (const Gist& gist : gists) {
        EXPECT_EQ(gist.index_vector.size(), encoder->info().shape.index_dim);
        EXPECT_NEAR(inner_product(gist.index_vector, gist.index_vector), 1.0, 1e-5);
    }
    const auto reader = IndexReader::make(*model_, {options_.output.string()}).value();
    const std::vector<std::vector<TokenId>> questions = {
        lm::test::random_tokens(model_->tokenizer(), 7, 6)};
    const std::vector<float> question = reader->read_texts(questions).value()[0];
    EXPECT_EQ(question.size(), encoder->info().shape.index_dim);
    EXPECT_NEAR(inner_product(question, question), 1.0, 1e-5);
}

TEST_F(TrainedIndex, the_same_training_twice_writes_the_same_bytes_and_another_seed_others) {
    const auto trained_bytes = [&](std::uint64_t seed) {
        IndexTrainOptions options = options_;
        options.seed = seed;
        train(options);
        return read_file(options.output, 1ULL << 30).value();
    };
    const std::string first = trained_bytes(1);
    EXPECT_EQ(trained_bytes(1), first);
    EXPECT_NE(trained_bytes(2), first);
}

// What follows a block shares no token with it, and tells it all the same for who has learned which
// letter goes with which: a map that keeps what tokens are, as one of random numbers does, cannot.
TEST_F(TrainedIndex, training_finds_blocks_of_texts_that_it_never_saw_where_a_random_map_does_not) {
    for (std::uint64_t i = 0; i < 3; ++i)
        std::ofstream(folder_ / ("text-" + std::to_string(i) + ".txt")) << letters_and_partners(i);
    options_.windows = 40;
    const auto rank_of_next = [&](std::uint64_t steps) {
        options_.steps = steps;
        const IndexTrainReport report = train(options_);
        EXPECT_EQ(report.evaluation.size(), 3U);
        EXPECT_EQ(report.evaluation[0].kind, "next");
        EXPECT_GT(report.evaluation[0].scores.searches, 100U);
        return report.evaluation[0].scores.reciprocal_rank;
    };
    EXPECT_GT(rank_of_next(200), 4 * rank_of_next(1));
}

TEST_F(TrainedIndex, it_is_another_encoder_than_the_untrained_one) {
    train(options_);
    const auto trained = encoder();
    const auto untrained = make_gist_encoder(*model_, {"kv-last", 0, "mean"}).value();
    EXPECT_EQ(trained->info().name, "kv-last (untrained) + index");
    EXPECT_EQ(untrained->info().name, "kv-last (untrained)");
    EXPECT_TRUE(has_trained_index(trained->info().name));
    EXPECT_FALSE(has_trained_index(untrained->info().name));
    EXPECT_NE(trained->info().hash, untrained->info().hash);
    EXPECT_NE(trained->info().shape, untrained->info().shape);
    // The program's own weights are another model's, which then gets the untrained vector.
    EXPECT_EQ(make_gist_encoder(*model_, {}).value()->info().hash, untrained->info().hash);
    options_.seed = 2;
    train(options_);
    EXPECT_NE(encoder()->info().hash, trained->info().hash);
}

TEST_F(TrainedIndex, one_reading_for_several_indexes_gives_what_each_encoder_gives) {
    train(options_);
    const auto reader = IndexReader::make(*model_, {options_.output.string(), "mean"}).value();
    const ReadWindow window{lm::test::random_tokens(model_->tokenizer(), 160, 8), 64};
    const auto read = reader->read_window(window).value();
    const std::vector<ReadWindow> windows = {window};
    const std::vector<std::vector<TokenId>> texts = {
        lm::test::random_tokens(model_->tokenizer(), 9, 1),
        lm::test::random_tokens(model_->tokenizer(), 30, 2)};
    const auto read_texts = reader->read_texts(texts).value();
    for (std::size_t kind = 0; kind < 2; ++kind) {
        const std::size_t dim = reader->kinds()[kind].dim;
        const auto own =
            kind == 0 ? encoder() : make_gist_encoder(*model_, {"kv-last", 0, "mean"}).value();
        const auto gists = own->encode_windows(windows, false).value();
        ASSERT_EQ(read[kind].size(), 3 * dim);
        for (std::size_t b = 0; b < 3; ++b)
            EXPECT_NEAR(inner_product({read[kind].data() + b * dim, dim}, gists[0][b].index_vector),
                        1.0, 1e-5);
        // Read together, texts of unequal length do not disturb each other.
        for (std::size_t t = 0; t < texts.size(); ++t) {
            const auto alone = reader->read_texts(std::span(&texts[t], 1)).value();
            EXPECT_NEAR(inner_product({read_texts[kind].data() + t * dim, dim}, alone[kind]), 1.0,
                        1e-5);
        }
    }
}

TEST_F(TrainedIndex, what_does_not_fit_is_refused_by_name) {
    train(options_);
    const auto other = make_model(2);
    const auto refused = make_gist_encoder(*other, {"kv-last", 0, options_.output.string()});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kUsage);
    EXPECT_NE(refused.error().to_string().find("megacontext train index"), std::string::npos);

    std::ofstream(folder_ / "nonsense") << "no weights";
    EXPECT_EQ(
        make_gist_encoder(*model_, {"kv-last", 0, (folder_ / "nonsense").string()}).error().code(),
        ErrorCode::kInvalidInput);

    IndexTrainOptions options = options_;
    options.evaluation_documents = {options.documents[0]};
    const auto shared = train_index(*model_, options, clock_, {}, nullptr);
    ASSERT_FALSE(shared);
    EXPECT_EQ(shared.error().code(), ErrorCode::kInvalidInput);

    std::ofstream(folder_ / "short.txt") << "too short";
    options = options_;
    options.documents = {folder_ / "short.txt"};
    EXPECT_EQ(train_index(*model_, options, clock_, {}, nullptr).error().code(),
              ErrorCode::kInvalidInput);
}

TEST_F(TrainedIndex, a_cancelled_training_writes_nothing) {
    const std::atomic<bool> cancelled{true};
    const auto stopped = train_index(*model_, options_, clock_, {}, &cancelled);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code(), ErrorCode::kCancelled);
    EXPECT_FALSE(std::filesystem::exists(options_.output));
}

}  // namespace
}  // namespace mc::gistnet::test
