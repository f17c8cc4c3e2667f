// SPDX-License-Identifier: Apache-2.0
#include "gistnet/pooling/match_fit.h"

#include "gistnet/pooling/attention_pooler.h"

namespace mc::gistnet {
namespace {

// Beside its share, a query counts so much in the regression that the key begins as.
constexpr double kShareFloor = 0.1;
// Ridges, as shares of the mean square of what is regressed on.
constexpr double kRidge = 0.1;
constexpr double kPullToStart = 0.01;
// Offsets of the mass that the regression gives, nats.
constexpr double kOffsetMax = 1;
constexpr double kOffsetMin = -6;
constexpr double kOffsetStep = 0.5;
// Levenberg-Marquardt.
constexpr int kSteps = 5;
constexpr double kDampingStart = 0.1;
constexpr double kDampingDown = 0.3;
constexpr double kDampingUp = 5;
// A block that no query sees has no value that suits it best.
constexpr double kWeightMin = 1e-9;
constexpr double kTraceMin = 1e-12;

// x (N, H, R) or (H, R) times y (H, R, n) or (N, H, R, n), summed over R: (N, H, n).
at::Tensor sum_over_queries(const at::Tensor& x, const at::Tensor& y) {
    return at::matmul(x.unsqueeze(-2), y).squeeze(-2);
}

// (H, R, D + 1): the mass is a weight of 1.
at::Tensor with_one(const at::Tensor& to_gist) {
    return at::cat({to_gist, at::ones_like(to_gist.narrow(2, 0, 1))}, 2);
}

// p (N, H, R).
at::Tensor share_of(const MatchQueries& queries, const at::Tensor& key_and_mass) {
    const at::Tensor scores =
        at::matmul(with_one(queries.to_gist), key_and_mass.unsqueeze(3)).squeeze(3);
    return (scores - queries.seen).sigmoid();
}

// Solves normal x = right for (N, H, n, n) and (N, H, n), with a ridge that is a share (N, H) of
// the mean of the diagonal.
at::Tensor solve(const at::Tensor& normal, const at::Tensor& right, const at::Tensor& ridge) {
    const at::Tensor eye = at::eye(normal.size(3), normal.options());
    return at::linalg_solve(normal + eye * ridge.unsqueeze(-1).unsqueeze(-1), right.unsqueeze(3))
        .squeeze(3);
}

at::Tensor mean_diagonal(const at::Tensor& normal) {
    return normal.diagonal(0, 2, 3).mean(-1) + kTraceMin;
}

// The ridge regression of ln m on queries.
at::Tensor regress_mass(const MatchQueries& queries, const MatchTarget& target) {
    at::Tensor w = target.share + kShareFloor;
    w = w / w.sum(-1, true);
    const at::Tensor mean_query = sum_over_queries(w, queries.to_gist);           // (N, H, D)
    const at::Tensor mean_mass = (w * target.mass).sum(-1);                       // (N, H)
    const at::Tensor centred = queries.to_gist - mean_query.unsqueeze(2);         // (N, H, R, D)
    const at::Tensor weighted = (centred * w.unsqueeze(3)).transpose(2, 3);       // (N, H, D, R)
    const at::Tensor normal = at::matmul(weighted, centred);                      // (N, H, D, D)
    const at::Tensor rest = (target.mass - mean_mass.unsqueeze(2)).unsqueeze(3);  // (N, H, R, 1)
    const at::Tensor key =
        solve(normal, at::matmul(weighted, rest).squeeze(3), mean_diagonal(normal) * kRidge);
    const at::Tensor mass = mean_mass - (mean_query * key).sum(-1);
    return at::cat({key, mass.unsqueeze(2)}, 2);
}

at::Tensor with_mass(const at::Tensor& key_and_mass, const at::Tensor& mass) {
    return at::cat({key_and_mass.narrow(2, 0, key_and_mass.size(2) - 1), mass.unsqueeze(2)}, 2);
}

at::Tensor mass_of(const at::Tensor& key_and_mass) {
    return key_and_mass.select(2, key_and_mass.size(2) - 1);
}

MatchFit choose(const at::Tensor& first_wins, const MatchFit& first, const MatchFit& second) {
    const at::Tensor wide = first_wins.unsqueeze(2);
    return {at::where(wide, first.key_and_mass, second.key_and_mass),
            at::where(wide, first.value, second.value),
            at::where(first_wins, first.error, second.error)};
}

MatchFit best_mass(const MatchQueries& queries, const MatchTarget& target,
                   const at::Tensor& start) {
    const auto offset_by = [&](double offset) {
        return evaluate(
            queries, target,
            with_mass(start, (mass_of(start) + offset).clamp(kLogMassMin, kLogMassMax)));
    };
    MatchFit best = offset_by(kOffsetMax);
    for (double offset = kOffsetMax - kOffsetStep; offset >= kOffsetMin; offset -= kOffsetStep) {
        const MatchFit other = offset_by(offset);
        best = choose(other.error < best.error, other, best);
    }
    return best;
}

// A step of Gauss and Newton on the error, with the value held, damped and pulled to the start.
at::Tensor next_step(const MatchQueries& queries, const MatchTarget& target, const MatchFit& fit,
                     const at::Tensor& start, const at::Tensor& damping) {
    const at::Tensor p = share_of(queries, fit.key_and_mass);
    const at::Tensor change = fit.value.unsqueeze(2) - queries.heard;  // (N, H, R, D): v - c
    const at::Tensor rest = target.moved - p.unsqueeze(3) * change;
    const at::Tensor slope = p * (1 - p);
    const at::Tensor a = with_one(queries.to_gist);  // (H, R, D + 1)
    const at::Tensor w = slope.square() * change.square().sum(-1);
    const at::Tensor normal = at::matmul((a * w.unsqueeze(3)).transpose(2, 3), a);
    const at::Tensor trace = mean_diagonal(normal);
    const at::Tensor right = sum_over_queries(slope * (rest * change).sum(-1), a) +
                             (start - fit.key_and_mass) * (trace * kPullToStart).unsqueeze(2);
    return fit.key_and_mass + solve(normal, right, trace * (damping + kPullToStart));
}

}  // namespace

MatchTarget target_of(const MatchQueries& queries, const at::Tensor& keys, const at::Tensor& values,
                      const at::Tensor& log_mass) {
    at::Tensor scores = at::matmul(queries.to_block, keys.transpose(2, 3));  // (N, H, R, K)
    if (log_mass.defined()) scores = scores + log_mass.unsqueeze(2);
    const at::Tensor mass = scores.logsumexp(-1);
    const at::Tensor share = (mass - queries.seen).sigmoid();
    const at::Tensor said = at::matmul(scores.softmax(-1), values);
    const at::Tensor moved = share.unsqueeze(3) * (said - queries.heard);
    return {mass, share, moved, (moved * queries.heard).sum(-1), queries.heard.square().sum(-1)};
}

// |π (o - c) - p (v - c)|² summed over queries is least at v = Σ p (π (o - c) + p c) / Σ p².
MatchFit evaluate(const MatchQueries& queries, const MatchTarget& target,
                  const at::Tensor& key_and_mass) {
    const at::Tensor p = share_of(queries, key_and_mass);
    const at::Tensor p2 = p.square();
    const at::Tensor sum =
        sum_over_queries(p, target.moved) + sum_over_queries(p2, queries.heard);  // (N, H, D)
    const at::Tensor weight = p2.sum(-1) + kWeightMin;
    const at::Tensor error = 2 * (p * target.moved_by_heard).sum(-1) +
                             (p2 * target.heard_square).sum(-1) - sum.square().sum(-1) / weight;
    return {key_and_mass, sum / weight.unsqueeze(2), error};
}

MatchFit fit_entries(const MatchQueries& queries, const MatchTarget& target) {
    MatchFit fit = best_mass(queries, target, regress_mass(queries, target));
    const at::Tensor start = fit.key_and_mass;
    at::Tensor damping = at::full_like(fit.error, kDampingStart);
    for (int step = 0; step < kSteps; ++step) {
        const MatchFit next =
            evaluate(queries, target, next_step(queries, target, fit, start, damping));
        const at::Tensor mass = mass_of(next.key_and_mass);
        const at::Tensor better =
            (next.error < fit.error) & (mass > kLogMassMin) & (mass < kLogMassMax);
        fit = choose(better, next, fit);
        damping = at::where(better, damping * kDampingDown, damping * kDampingUp);
    }
    return fit;
}

}  // namespace mc::gistnet
