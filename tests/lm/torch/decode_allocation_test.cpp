// SPDX-License-Identifier: Apache-2.0
// One decoded token allocates nothing once the buffers are large enough.
//
// This program's malloc and its kin count calls while a window is open, in any thread: operator new
// and libtorch's CPU allocator end there too.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <vector>

#include "lm/generation/sampler.h"
#include "lm/torch/torch_model.h"
#include "tests/support/tiny_model.h"

namespace {

std::atomic<bool> counting{false};
std::atomic<int> allocation_count{0};

void note_allocation() {
    if (counting.load(std::memory_order_relaxed))
        allocation_count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) noexcept {
    note_allocation();
    return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) noexcept {
    note_allocation();
    return __libc_calloc(count, size);
}

void* realloc(void* block, std::size_t size) noexcept {
    note_allocation();
    return __libc_realloc(block, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    note_allocation();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
    note_allocation();
    *block = __libc_memalign(alignment, size);
    return *block == nullptr ? 12 : 0;  // ENOMEM
}
}

namespace mc::lm::test {
namespace {

template <class Body>
int allocations_in(const Body& body) {
    allocation_count = 0;
    counting = true;
    body();
    counting = false;
    return allocation_count;
}

// Large enough for lm/torch/decoder.h, with a head in bf16.
std::unique_ptr<BaseModel> make_decoding_model() {
    TinyShape shape;
    shape.hidden_dim = 128;
    shape.ffn_dim = 64;
    auto model = open_tiny_model(tiny_model_bytes(shape), Dtype::kBf16);
    MC_CHECK(model.has_value(), model.error().to_string());
    return std::move(*model);
}

// Appends tokens one at a time, with the likeliest successor of each.
TokenId decode(Sequence& sequence, std::span<const TokenId> tokens, std::span<float> logits) {
    Rng rng(1);
    TokenId chosen = 0;
    for (const TokenId token : tokens) {
        MC_CHECK(sequence.append_token(token).has_value(), "append_token");
        MC_CHECK(sequence.next_logits_into(logits).has_value(), "next_logits_into");
        chosen = choose_token(logits, {}, rng);
    }
    return chosen;
}

TEST(DecodeAllocation, the_counter_sees_operator_new_and_libtorch) {
    EXPECT_GE(allocations_in([] { const std::vector<int> numbers(100); }), 1);
    EXPECT_GE(allocations_in([] { at::empty({64}); }), 2);  // the tensor and its numbers
    EXPECT_EQ(allocations_in([] {}), 0);
}

TEST(DecodeAllocation, a_token_within_the_buffers_allocates_nothing) {
    const auto model = make_decoding_model();
    if (model->torch_model().decoder == nullptr)
        GTEST_SKIP() << "this processor has no AVX512_BF16";
    const std::vector<TokenId> tokens = random_tokens(model->tokenizer(), 60, 3);
    std::vector<float> logits(model->config().vocabulary_size);
    const auto sequence = model->new_sequence();
    decode(*sequence, tokens, logits);
    sequence->truncate(20);
    EXPECT_EQ(allocations_in([&] { decode(*sequence, std::span(tokens).subspan(20), logits); }), 0);
}

TEST(DecodeAllocation, buffers_grow_by_doubling) {
    const auto model = make_decoding_model();
    if (model->torch_model().decoder == nullptr)
        GTEST_SKIP() << "this processor has no AVX512_BF16";
    const std::vector<TokenId> tokens = random_tokens(model->tokenizer(), 512, 4);
    std::vector<float> logits(model->config().vocabulary_size);
    const auto growth = [&](std::size_t count) {
        const auto sequence = model->new_sequence();
        return allocations_in(
            [&] { decode(*sequence, std::span(tokens).subspan(0, count), logits); });
    };
    growth(512);  // the decoder's own buffers
    const int at_256 = growth(256);
    EXPECT_LE(growth(512), at_256 + at_256 / 4);
}

TEST(DecodeAllocation, append_token_is_append_of_one_token) {
    for (const Dtype dtype : {Dtype::kF32, Dtype::kBf16}) {
        TinyShape shape;
        shape.hidden_dim = 128;
        shape.ffn_dim = 64;
        const auto model = open_tiny_model(tiny_model_bytes(shape), dtype).value();
        const auto one = model->new_sequence();
        const auto other = model->new_sequence();
        std::vector<float> logits(model->config().vocabulary_size);
        std::vector<TokenId> tokens = random_tokens(model->tokenizer(), 20, 5);
        tokens.push_back(static_cast<TokenId>(model->config().vocabulary_size + 65));  // a byte
        for (const TokenId token : tokens) {
            const std::vector<Segment> segment = {Segment::of_tokens({token})};
            ASSERT_TRUE(one->append(segment));
            ASSERT_TRUE(other->append_token(token));
            ASSERT_TRUE(other->next_logits_into(logits));
            EXPECT_EQ(one->next_logits().value(), logits);
        }
    }
}

TEST(DecodeAllocation, a_token_that_cannot_be_appended_leaves_the_sequence_as_before) {
    const auto model = make_decoding_model();
    const auto sequence = model->new_sequence();
    const std::vector<TokenId> tokens = random_tokens(model->tokenizer(), 512, 6);
    EXPECT_EQ(sequence->append_token(-1).error().code(), ErrorCode::kInvalidInput);
    const std::vector<Segment> all = {Segment::of_tokens(tokens)};
    ASSERT_TRUE(sequence->append(all));
    const std::vector<float> before = sequence->next_logits().value();
    EXPECT_EQ(sequence->append_token(tokens[0]).error().code(), ErrorCode::kOverBudget);
    EXPECT_EQ(sequence->length(), 512U);
    EXPECT_EQ(sequence->next_logits().value(), before);
}

}  // namespace
}  // namespace mc::lm::test
