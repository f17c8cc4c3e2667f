// SPDX-License-Identifier: Apache-2.0
// The device's attention against its definition in f64 and, where this processor has it, against
// the CPU's tiles. (Against lm/torch/attention.h: torch_forms_test.cpp.)
#include <gtest/gtest.h>

#include <limits>

#include "lm/kernels/attention_kernels.h"
#include "lm/kernels/panel_kernels.h"
#include "tests/cuda/both_orders.h"
#include "tests/lm/kernels/plain_numbers.h"

namespace mc::cuda::test {
namespace {

using lm::Bf16Bits;
constexpr float kAbsent = -std::numeric_limits<float>::infinity();

// What a window holds: how many gists stand in front of its tokens, and what they weigh.
enum class Mass { kNone, kGists, kAbsentGists, kOnlyLastSeen };

struct Shape {
    std::int64_t batch;
    int kv_heads;
    int group;
    int head_dim;
    std::vector<std::int64_t> positions;
};

std::size_t size(std::int64_t count) {
    return static_cast<std::size_t>(count);
}

const Bf16* wrapped(const std::vector<Bf16Bits>& bits) {
    static_assert(sizeof(Bf16) == sizeof(Bf16Bits));
    return reinterpret_cast<const Bf16*>(bits.data());
}

class AttentionCase {
  public:
    AttentionCase(Shape shape, Mass kind) : shape_(std::move(shape)) {
        keys_ = shape_.positions.back() + 1;
        const std::int64_t heads = shape_.batch * shape_.kv_heads;
        const auto steps = static_cast<std::int64_t>(shape_.positions.size());
        queries_ = random_.draw<Bf16Bits>(heads * shape_.group * steps * shape_.head_dim, -3, 3);
        // A cache with room for more, whose unused part holds NaNs.
        capacity_ = keys_ + 5;
        cache_keys_ = random_.draw<Bf16Bits>(heads * capacity_ * shape_.head_dim, -3, 3);
        cache_values_ = random_.draw<Bf16Bits>(heads * capacity_ * shape_.head_dim, -2, 2);
        for (std::int64_t i = 0; i < heads * capacity_ * shape_.head_dim; ++i)
            if (i / shape_.head_dim % capacity_ >= keys_)
                cache_keys_[size(i)] = cache_values_[size(i)] = 0x7fff;
        if (kind != Mass::kNone) draw_mass(kind);
    }

    Attention attention() const {
        return {wrapped(queries_),
                wrapped(cache_keys_),
                wrapped(cache_values_),
                shape_.positions.data(),
                mass_.empty() ? nullptr : mass_.data(),
                shape_.batch,
                static_cast<std::int64_t>(shape_.positions.size()),
                shape_.kv_heads,
                shape_.group,
                shape_.head_dim,
                shape_.kv_heads * capacity_ * shape_.head_dim,
                capacity_ * shape_.head_dim,
                shape_.kv_heads * capacity_,
                capacity_,
                1.0F / std::sqrt(static_cast<float>(shape_.head_dim))};
    }

    std::vector<Bf16> room() const { return std::vector<Bf16>(queries_.size(), Bf16{0x7fff}); }

    void expect_exact(const std::vector<Bf16>& out) const {
        for (std::int64_t head = 0; head < shape_.batch * shape_.kv_heads * shape_.group; ++head)
            for (std::size_t step = 0; step < shape_.positions.size(); ++step) {
                const std::vector<double> exact = answer(head, step);
                const std::size_t to = place(head, step);
                for (std::size_t d = 0; d < exact.size(); ++d)
                    ASSERT_NEAR(to_float(out[to + d]), exact[d], 0.02)
                        << keys_ << " keys, head " << head << ", step " << step << ", " << d;
            }
    }

    bool every_query_sees_a_key() const {
        for (std::size_t i = 0; i < mass_.size(); i += size(capacity_))
            if (std::all_of(
                    mass_.begin() + static_cast<std::ptrdiff_t>(i),
                    mass_.begin() + static_cast<std::ptrdiff_t>(i) + shape_.positions[0] + 1,
                    [](float mass) { return mass == kAbsent; }))
                return false;
        return true;
    }

    // Where an answer lies: (B × T, Hq × D).
    std::size_t place(std::int64_t head, std::size_t step) const {
        const std::int64_t query_heads = shape_.kv_heads * shape_.group;
        const auto steps = static_cast<std::int64_t>(shape_.positions.size());
        return size(((head / query_heads * steps + static_cast<std::int64_t>(step)) * query_heads +
                     head % query_heads) *
                    shape_.head_dim);
    }

    // The CPU's tiles, one KV head after the other.
    void expect_as_the_cpus_tiles(const std::vector<Bf16>& out) const {
        const Attention in = attention();
        const std::int64_t groups = (keys_ + lm::kKeysPerGroup - 1) / lm::kKeysPerGroup;
        std::vector<Bf16Bits> panels(size(2 * groups * lm::kKeysPerGroup * in.head_dim));
        const lm::HeadPanels packed{panels.data(), panels.data() + panels.size() / 2};
        std::vector<Bf16Bits> tiles(out.size());
        for (std::int64_t kv = 0; kv < in.batch * in.kv_heads; ++kv) {
            lm::pack_head(&cache_keys_[size(kv * in.cache_head_stride)],
                          &cache_values_[size(kv * in.cache_head_stride)], keys_, in.head_dim,
                          packed, 0, groups);
            const lm::AttentionTile tile{&queries_[size(kv * in.group * in.steps * in.head_dim)],
                                         in.positions,
                                         packed,
                                         mass_.empty() ? nullptr : &mass_[size(kv * capacity_)],
                                         &tiles[place(kv * in.group, 0)],
                                         in.steps,
                                         in.group,
                                         in.head_dim,
                                         in.kv_heads * in.group * in.head_dim,
                                         in.scale};
            for (std::int64_t first = 0; first < in.steps; first += lm::kTileQueries)
                lm::attend_tile(tile, first, std::min(lm::kTileQueries, in.steps - first));
        }
        for (std::size_t i = 0; i < out.size(); ++i)
            ASSERT_NEAR(to_float(out[i]), to_float(Bf16{tiles[i]}), 0.016) << i;
    }

  private:
    // In steps, as gists have it. Half of the entries are gists, every third of them without mass.
    void draw_mass(Mass kind) {
        mass_ = random_.draw<float>(shape_.batch * shape_.kv_heads * capacity_, -100, 90);
        for (std::size_t i = 0; i < mass_.size(); ++i) {
            const auto key = static_cast<std::int64_t>(i) % capacity_;
            const bool is_gist = key < keys_ / 2;
            mass_[i] = is_gist && i % 3 != 0 ? std::round(mass_[i]) / 16 : 0.0F;
            if (kind == Mass::kAbsentGists && is_gist) mass_[i] = kAbsent;
            if (kind == Mass::kOnlyLastSeen && key != keys_ - 1) mass_[i] = kAbsent;
        }
    }

    std::vector<double> answer(std::int64_t head, std::size_t step) const {
        const Attention in = attention();
        const std::int64_t kv = head / in.group;
        const auto number = [](const std::vector<Bf16Bits>& of, std::int64_t at) {
            return double{to_float(Bf16{of[size(at)]})};
        };
        std::vector<double> out(size(in.head_dim), 0);
        double total = 0;
        for (std::int64_t key = 0; key <= in.positions[step]; ++key) {
            double score = 0;
            for (std::int64_t d = 0; d < in.head_dim; ++d)
                score +=
                    number(queries_,
                           (head * in.steps + static_cast<std::int64_t>(step)) * in.head_dim + d) *
                    number(cache_keys_, (kv * capacity_ + key) * in.head_dim + d);
            const double mass = mass_.empty() ? 0.0 : double{mass_[size(kv * capacity_ + key)]};
            const double weight = std::exp(score * double{in.scale} + mass);
            total += weight;
            for (std::int64_t d = 0; d < in.head_dim; ++d)
                out[size(d)] +=
                    weight * number(cache_values_, (kv * capacity_ + key) * in.head_dim + d);
        }
        for (double& x : out) x = total > 0 ? x / total : 0;
        return out;
    }

    Shape shape_;
    lm::test::RandomNumbers random_;
    std::int64_t keys_ = 0;
    std::int64_t capacity_ = 0;
    std::vector<Bf16Bits> queries_;
    std::vector<Bf16Bits> cache_keys_;
    std::vector<Bf16Bits> cache_values_;
    std::vector<float> mass_;
};

std::vector<std::int64_t> range(std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> out;
    for (std::int64_t i = begin; i < end; ++i) out.push_back(i);
    return out;
}

constexpr Mass kMasses[] = {Mass::kNone, Mass::kGists, Mass::kAbsentGists, Mass::kOnlyLastSeen};

class AttendTilesTest : public testing::TestWithParam<Mass> {};

// Keys and rows on either side of a tile of 64, groups that do not divide it, gaps between queries.
TEST_P(AttendTilesTest, is_softmax_over_the_keys_before_each_query) {
    const std::vector<Shape> shapes = {{1, 1, 1, 16, {0}},
                                       {2, 2, 3, 32, range(0, 23)},
                                       {1, 1, 3, 64, {3, 9, 63}},
                                       {1, 2, 1, 16, range(100, 165)},
                                       {1, 1, 8, 16, {62, 63, 64, 65, 127, 128, 200}},
                                       {1, 1, 2, 80, range(30, 70)},
                                       {1, 2, 3, 64, range(70, 110)}};
    for (const Shape& shape : shapes) {
        const AttentionCase one(shape, GetParam());
        std::vector<Bf16> out = one.room();
        run_in_both_orders(AttendTiles{one.attention(), out.data()}, out);
        one.expect_exact(out);
        // Those ask that every query sees a key.
        if (shape.head_dim % lm::kKeysPerGroup == 0 && lm::has_panel_kernels() &&
            one.every_query_sees_a_key())
            one.expect_as_the_cpus_tiles(out);
    }
}

INSTANTIATE_TEST_SUITE_P(Masses, AttendTilesTest, testing::ValuesIn(kMasses));

class AttendPartsTest : public testing::TestWithParam<Mass> {};

// One part, a full one, several; groups that share a KV head; a width that 256 threads do not
// divide.
TEST_P(AttendPartsTest, joined_are_softmax_over_all_keys) {
    const std::vector<Shape> shapes = {{1, 1, 1, 16, {0}},   {2, 3, 3, 64, {40}},
                                       {1, 1, 2, 32, {255}}, {1, 2, 16, 16, {256}},
                                       {1, 1, 3, 96, {600}}, {2, 1, 1, 256, {300}}};
    for (const Shape& shape : shapes) {
        const AttentionCase one(shape, GetParam());
        const Attention in = one.attention();
        AttendParts kernel{in, {}, shape.positions[0] + 1};
        const std::int64_t rows = in.batch * in.kv_heads * kernel.part_count() * in.group;
        std::vector<float> tops(size(rows));
        std::vector<float> sums(size(rows));
        std::vector<float> values(size(rows * in.head_dim));
        kernel.parts = {tops.data(), sums.data(), values.data()};
        run_in_both_orders(kernel, values);
        run_in_both_orders(kernel, sums);
        std::vector<Bf16> out = one.room();
        run_in_both_orders(JoinParts{kernel.parts, out.data(), in.batch * in.kv_heads,
                                     kernel.part_count(), in.group, in.head_dim},
                           out);
        one.expect_exact(out);
    }
}

INSTANTIATE_TEST_SUITE_P(Masses, AttendPartsTest, testing::ValuesIn(kMasses));

// Scores that rise by hundreds from tile to tile: the top is carried, nothing overflows.
TEST(AttendTiles, carries_the_top_from_tile_to_tile) {
    std::vector<Bf16> queries(16, Bf16{0x4120});  // 10
    std::vector<Bf16> keys(130 * 16);
    std::vector<Bf16> values(130 * 16);
    for (std::size_t key = 0; key < 130; ++key)
        for (std::size_t d = 0; d < 16; ++d) {
            keys[key * 16 + d] = from_float<Bf16>(static_cast<float>(key));
            values[key * 16 + d] = from_float<Bf16>(key == 129 ? 3.0F : -1.0F);
        }
    const std::int64_t position = 129;
    std::vector<Bf16> out(16);
    const Attention in{queries.data(),
                       keys.data(),
                       values.data(),
                       &position,
                       nullptr,
                       1,
                       1,
                       1,
                       1,
                       16,
                       130 * 16,
                       130 * 16,
                       0,
                       0,
                       1.0F};
    run_in_both_orders(AttendTiles{in, out.data()}, out);
    // bf16 holds 128 and 129 alike: the last two keys share the answer.
    for (const Bf16 x : out) EXPECT_EQ(to_float(x), to_float(keys[129 * 16]) == 129 ? 3.0F : 1.0F);
}

}  // namespace
}  // namespace mc::cuda::test
