// SPDX-License-Identifier: Apache-2.0
#include "lensnet/subset_regression.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/check.h"
#include "lensnet/choice.h"

namespace mc::lensnet {
namespace {

// Weight of the squared gains against the squared errors: a candidate that was never shown has
// none, and one that was shown thrice is shrunk by a thirtieth.
constexpr double kRidge = 0.1;

using Matrix = std::vector<std::vector<double>>;

// Gaussian elimination; the matrix is symmetric and positive definite, so no pivoting.
std::vector<double> solve(Matrix a, std::vector<double> b) {
    const std::size_t n = b.size();
    for (std::size_t k = 0; k < n; ++k) {
        MC_CHECK(a[k][k] > 0, "the ridge keeps the matrix positive definite");
        for (std::size_t row = k + 1; row < n; ++row) {
            const double factor = a[row][k] / a[k][k];
            for (std::size_t column = k; column < n; ++column)
                a[row][column] -= factor * a[k][column];
            b[row] -= factor * b[k];
        }
    }
    for (std::size_t k = n; k-- > 0;) {
        for (std::size_t column = k + 1; column < n; ++column) b[k] -= a[k][column] * b[column];
        b[k] /= a[k][k];
    }
    return b;
}

double correlation(std::span<const double> a, std::span<const double> b) {
    const auto n = static_cast<double>(a.size());
    const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
    const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        ab += (a[i] - mean_a) * (b[i] - mean_b);
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
    }
    return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

}  // namespace

std::vector<std::vector<std::size_t>> subsets_to_read(std::size_t candidate_count,
                                                      std::size_t random_count, Rng rng) {
    std::vector<std::vector<std::size_t>> subsets = {{}};
    for (std::size_t i = 0; i < candidate_count; ++i) subsets.push_back({i});
    if (candidate_count < 2) return subsets;
    const std::size_t largest = std::min(kLensShownMax, candidate_count);
    std::set<std::vector<std::size_t>> drawn;
    // Few candidates have few subsets: so many draws at most.
    for (std::size_t tries = 0; tries < 4 * random_count && drawn.size() < random_count; ++tries) {
        std::set<std::size_t> subset;
        const std::size_t size = 2 + rng.below(largest - 1);
        while (subset.size() < size) subset.insert(rng.below(candidate_count));
        std::vector<std::size_t> ordered(subset.begin(), subset.end());
        if (drawn.insert(ordered).second) subsets.push_back(std::move(ordered));
    }
    return subsets;
}

// One column a candidate, and a last one for nothing, which the ridge spares but for a grain that
// keeps a fit without readings solvable.
std::vector<double> fit_gains(std::span<const SubsetReading> readings,
                              std::size_t candidate_count) {
    const std::size_t n = candidate_count + 1;
    Matrix a(n, std::vector<double>(n, 0.0));
    std::vector<double> b(n, 0.0);
    for (std::size_t i = 0; i < candidate_count; ++i) a[i][i] = kRidge;
    a[candidate_count][candidate_count] = 1e-9;
    for (const SubsetReading& reading : readings) {
        std::vector<std::size_t> columns = reading.shown;
        columns.push_back(candidate_count);
        for (const std::size_t row : columns) {
            b[row] += reading.likelihood;
            for (const std::size_t column : columns) a[row][column] += 1;
        }
    }
    std::vector<double> gains = solve(std::move(a), std::move(b));
    gains.resize(candidate_count);
    return gains;
}

double split_half_reliability(std::span<const SubsetReading> readings,
                              std::size_t candidate_count) {
    if (candidate_count < 2 || readings.empty()) return 0;
    std::vector<SubsetReading> halves[2];
    for (auto& half : halves) half.push_back(readings.front());
    for (std::size_t i = 1; i < readings.size(); ++i) halves[i % 2].push_back(readings[i]);
    return correlation(fit_gains(halves[0], candidate_count),
                       fit_gains(halves[1], candidate_count));
}

}  // namespace mc::lensnet
