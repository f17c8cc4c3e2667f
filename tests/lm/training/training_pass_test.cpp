// SPDX-License-Identifier: Apache-2.0
// Laws of training through the frozen model: the written-out backward equals autograd's and the
// slope of the loss, padding is seen by nothing, and no weight moves.
#include <gtest/gtest.h>

#include "lm/training/distillation.h"
#include "lm/training/training_pass.h"
#include "tests/support/tiny_model.h"

namespace mc::lm::test {
namespace {

constexpr std::int64_t kPlaced = 5;
constexpr std::int64_t kTokens = 11;

double relative_error(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).norm() / b.norm().clamp_min(1e-12)).item<double>();
}

class TrainingPassTest : public testing::Test {
  protected:
    TrainingPassTest() {
        at::manual_seed(7);
        const ModelConfig& config = model_->config();
        const std::vector<std::int64_t> shape = {2, kPlaced, config.layer_count,
                                                 config.kv_head_count, config.head_dim};
        placed_ = {at::randn(shape), at::randn(shape),
                   at::randn(at::IntArrayRef(shape).slice(0, 4))};
        inputs_ = at::randn({2, kTokens, config.hidden_dim});
        weights_ = at::randn({2 * kTokens, config.hidden_dim});
    }

    // Placed entries before and between tokens.
    static PassLayout layout() {
        return {{3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15}, {0, 1, 2, 6, 7}, {0, 0}};
    }

    // Hidden states (B × T, W) through TorchModel, which autograd can record.
    at::Tensor plain_forward(const at::Tensor& inputs, const PlacedEntries& placed) const {
        const PassLayout where = layout();
        KvCache cache = torch_.new_cache(2, CacheKind::kPerLayer);
        cache.reserve(kPlaced + kTokens);
        torch_.place(cache, where.placed_columns, placed.keys, placed.values, placed.log_mass);
        return torch_.forward(inputs, where.token_columns, cache).flatten(0, 1);
    }

    double loss_at(const at::Tensor& inputs, const PlacedEntries& placed) const {
        TrainingPass pass(torch_, layout());
        return (pass.forward(inputs, placed).to(at::kDouble) * weights_).sum().item<double>();
    }

    std::unique_ptr<BaseModel> model_ = make_tiny_model();
    const TorchModel& torch_ = model_->torch_model();
    PlacedEntries placed_;
    at::Tensor inputs_;
    at::Tensor weights_;
};

TEST(HashOfWeights, notices_a_change_of_any_weight_of_any_architecture) {
    TorchModel model;
    model.weights.layers.resize(1);
    LayerWeights& layer = model.weights.layers[0];
    std::vector<at::Tensor*> all = {&model.weights.embeddings,
                                    &model.weights.head,
                                    &model.weights.final_norm,
                                    &layer.attention_norm,
                                    &layer.qkv,
                                    &layer.qkv_bias,
                                    &layer.head_norms,
                                    &layer.output,
                                    &layer.ffn_norm,
                                    &layer.gate_up,
                                    &layer.down};
    for (at::Tensor* x : all) *x = at::ones({3});
    const Hash128 before = hash_of_weights(model);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i]->add_(1);
        EXPECT_NE(hash_of_weights(model), before) << "tensor " << i;
        all[i]->sub_(1);
    }
    EXPECT_EQ(hash_of_weights(model), before);
    layer.qkv_bias.reset();  // a model without one
    EXPECT_NE(hash_of_weights(model), before);
}

TEST_F(TrainingPassTest, forward_equals_the_model) {
    TrainingPass pass(torch_, layout());
    at::NoGradGuard no_grad;
    EXPECT_LT(relative_error(pass.forward(inputs_, placed_), plain_forward(inputs_, placed_)),
              1e-5);
}

TEST_F(TrainingPassTest, backward_equals_autograd) {
    TrainingPass pass(torch_, layout());
    pass.forward(inputs_, placed_);
    const PassGradients gradients = pass.backward(weights_);

    PlacedEntries leaves = {placed_.keys.clone().requires_grad_(),
                            placed_.values.clone().requires_grad_(),
                            placed_.log_mass.clone().requires_grad_()};
    const at::Tensor inputs = inputs_.clone().requires_grad_();
    (plain_forward(inputs, leaves) * weights_).sum().backward();
    EXPECT_LT(relative_error(gradients.placed.keys, leaves.keys.grad()), 1e-4);
    EXPECT_LT(relative_error(gradients.placed.values, leaves.values.grad()), 1e-4);
    EXPECT_LT(relative_error(gradients.placed.log_mass, leaves.log_mass.grad()), 1e-4);
    EXPECT_LT(relative_error(gradients.inputs, inputs.grad()), 1e-4);
}

TEST_F(TrainingPassTest, backward_equals_the_slope_of_the_loss) {
    TrainingPass pass(torch_, layout());
    pass.forward(inputs_, placed_);
    const PassGradients gradients = pass.backward(weights_);
    const PlacedEntries direction = {at::randn_like(placed_.keys), at::randn_like(placed_.values),
                                     at::randn_like(placed_.log_mass)};
    const double predicted = ((gradients.placed.keys * direction.keys).sum() +
                              (gradients.placed.values * direction.values).sum() +
                              (gradients.placed.log_mass * direction.log_mass).sum())
                                 .item<double>();
    const double step = 1e-3;
    const auto moved = [&](double by) {
        return loss_at(inputs_,
                       {placed_.keys + by * direction.keys, placed_.values + by * direction.values,
                        placed_.log_mass + by * direction.log_mass});
    };
    const double measured = (moved(step) - moved(-step)) / (2 * step);
    EXPECT_NEAR(predicted, measured, 0.01 * std::abs(measured));
}

TEST_F(TrainingPassTest, bf16_gradients_point_where_f32_gradients_do) {
    auto rounded = open_tiny_model(tiny_model_bytes(), Dtype::kBf16);
    ASSERT_TRUE(rounded.has_value());
    TrainingPass exact(torch_, layout());
    exact.forward(inputs_, placed_);
    const PlacedEntries expected = exact.backward(weights_).placed;
    TrainingPass pass((*rounded)->torch_model(), layout());
    pass.forward(inputs_, placed_);
    const PlacedEntries found = pass.backward(weights_.to(at::kBFloat16)).placed;
    const auto cosine = [](const at::Tensor& x, const at::Tensor& y) {
        return (x.flatten().dot(y.flatten()) / (x.norm() * y.norm())).item<double>();
    };
    EXPECT_GT(cosine(expected.keys, found.keys), 0.995);
    EXPECT_GT(cosine(expected.log_mass, found.log_mass), 0.995);
}

TEST_F(TrainingPassTest, padding_is_seen_by_nothing_and_gets_no_gradient) {
    PassLayout where = layout();
    where.first_columns = {2, 0};
    TrainingPass pass(torch_, where);
    const at::Tensor before = pass.forward(inputs_, placed_);
    const PassGradients gradients = pass.backward(weights_);
    EXPECT_EQ(gradients.placed.keys[0].narrow(0, 0, 2).abs().max().item<float>(), 0.0F);
    EXPECT_GT(gradients.placed.keys[1].narrow(0, 0, 2).abs().max().item<float>(), 0.0F);

    PlacedEntries changed = {placed_.keys.clone(), placed_.values.clone(),
                             placed_.log_mass.clone()};
    changed.log_mass[0].narrow(0, 0, 2).fill_(5.0F);
    changed.keys[0].narrow(0, 0, 2).fill_(9.0F);
    changed.values[0].narrow(0, 0, 2).fill_(-9.0F);
    EXPECT_TRUE(at::equal(before, pass.forward(inputs_, changed)));
}

TEST_F(TrainingPassTest, no_log_mass_is_a_log_mass_of_zero_and_has_no_gradient) {
    const auto read = [&](const at::Tensor& log_mass) {
        TrainingPass pass(torch_, layout());
        const at::Tensor hidden = pass.forward(inputs_, {placed_.keys, placed_.values, log_mass});
        return std::pair(hidden, pass.backward(weights_).placed);
    };
    const auto [with, with_gradient] = read(at::zeros_like(placed_.log_mass));
    const auto [without, without_gradient] = read({});
    EXPECT_LT(relative_error(with, without), 1e-6);
    EXPECT_TRUE(with_gradient.log_mass.defined());
    EXPECT_FALSE(without_gradient.log_mass.defined());
    EXPECT_GT(relative_error(read(placed_.log_mass).first, without), 1e-3);
}

TEST_F(TrainingPassTest, a_row_moved_to_the_right_by_padding_reads_the_same) {
    // Row of 2 placed entries, then tokens; once from column 0, once after 3 columns of padding.
    const PlacedEntries two = {placed_.keys.narrow(0, 0, 1).narrow(1, 0, 2),
                               placed_.values.narrow(0, 0, 1).narrow(1, 0, 2)};
    const at::Tensor inputs = inputs_.narrow(0, 0, 1).narrow(1, 0, 3);
    TrainingPass plain(torch_, {{2, 3, 4}, {0, 1}, {0}});
    const at::Tensor expected = plain.forward(inputs, two);
    const auto padded = [](const at::Tensor& x) {
        return at::cat({at::full_like(x.narrow(1, 0, 1), 3.0F).expand({-1, 3, -1, -1, -1}), x}, 1);
    };
    TrainingPass moved(torch_, {{5, 6, 7}, {0, 1, 2, 3, 4}, {3}});
    EXPECT_LT(
        relative_error(moved.forward(inputs, {padded(two.keys), padded(two.values)}), expected),
        1e-4);
}

TEST_F(TrainingPassTest, the_model_stays_as_it_was) {
    const Hash128 before = hash_of_weights(torch_);
    TrainingPass pass(torch_, layout());
    pass.forward(inputs_, placed_);
    pass.backward(weights_);
    EXPECT_EQ(hash_of_weights(torch_), before);
    torch_.weights.layers.back().down.mul_(1.0001F);
    EXPECT_NE(hash_of_weights(torch_), before);
}

TEST_F(TrainingPassTest, distillation_gradient_equals_autograd) {
    const std::int64_t vocabulary = torch_.weights.head.size(0);
    const at::Tensor targets = at::randint(vocabulary, {6}, at::kLong);
    const TeacherPrediction teacher =
        predict_as_teacher(torch_, at::randn({6, inputs_.size(2)}), targets);
    const at::Tensor hidden = at::randn({6, inputs_.size(2)});
    const at::Tensor weights = at::rand({6}) + 0.1;
    const DistillationLoss loss = distil(torch_, hidden, teacher, weights, 0.8);

    const at::Tensor leaf = hidden.clone().requires_grad_();
    const at::Tensor log_p = at::log_softmax(at::linear(leaf, torch_.weights.head), -1);
    const at::Tensor log_top = log_p.gather(1, teacher.tokens);
    const at::Tensor rest = (1 - log_top.exp().sum(1)).clamp_min(1e-6);
    const at::Tensor q = teacher.probabilities.clamp_min(1e-6);
    const at::Tensor q_rest = (1 - teacher.probabilities.sum(1)).clamp_min(1e-6);
    const at::Tensor divergence =
        (q * (q.log() - log_top)).sum(1) + q_rest * (q_rest.log() - rest.log());
    const at::Tensor nll = -log_p.gather(1, targets.unsqueeze(1)).squeeze(1);
    const at::Tensor total = ((0.8 * divergence + 0.2 * nll) * weights).sum() / weights.sum();
    total.backward();
    EXPECT_NEAR(loss.weighted, total.item<double>(), 1e-4);
    EXPECT_NEAR(loss.divergence, divergence.mean().item<double>(), 1e-4);
    EXPECT_NEAR(loss.nll, nll.mean().item<double>(), 1e-4);
    EXPECT_LT(relative_error(loss.hidden_gradient, leaf.grad()), 1e-3);
}

}  // namespace
}  // namespace mc::lm::test
