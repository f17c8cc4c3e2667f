// SPDX-License-Identifier: Apache-2.0
#include "storage/codec/train_codebook.h"

#include <algorithm>
#include <cmath>
#include <queue>

#include "core/check.h"
#include "formats/half_float.h"
#include "storage/codec/codebook_coder.h"
#include "storage/codec/faiss_guard.h"

namespace mc::storage {
namespace {

// 128 components hold two thirds of the variance of a SmolLM2-135M gist, and 64 bytes most of
// that; twice as many took another tenth of the error (docs/lab-log.md).
constexpr std::uint64_t kSharedDims = 128;
constexpr std::uint64_t kNumbersPerSharedDim = 64;
constexpr std::uint64_t kGistsPerSharedDim = 8;
constexpr std::uint64_t kSharedDimsPerByte = 2;
// The components are found among so many gists: their Gram matrix is decomposed.
constexpr std::size_t kBasisGists = 1500;
constexpr std::size_t kRowsAtOnce = 256;
constexpr double kBitsPerByte = 8;
constexpr float kSpreadMin = 1e-6F;
constexpr float kWeightFloor = 1e-3F;  // of the largest weight
constexpr int kSearchSteps = 50;

// Least error that a number of bits can leave of independent Gaussian numbers of these variances
// (reverse water-filling: Cover, Thomas 2006, 10.3).
double error_left(std::span<const float> variances, double bits) {
    double low = 1e-30;
    double high = *std::max_element(variances.begin(), variances.end()) + low;
    const auto bits_at = [&](double level) {
        double sum = 0;
        for (const float variance : variances)
            sum += std::max(0.0, 0.5 * std::log2(static_cast<double>(variance) / level));
        return sum;
    };
    for (int i = 0; i < kSearchSteps; ++i) {
        const double level = std::sqrt(low * high);
        (bits_at(level) > bits ? low : high) = level;
    }
    double error = 0;
    for (const float variance : variances) error += std::min(static_cast<double>(variance), high);
    return error;
}

std::uint32_t next_divisor(std::uint32_t of, std::uint32_t after) {
    for (std::uint32_t candidate = after + 1; candidate <= of; ++candidate)
        if (of % candidate == 0) return candidate;
    return 0;
}

// Bytes by head: from one each on, always where a byte takes away most error.
std::vector<std::uint8_t> allot_bytes(const std::vector<std::vector<float>>& variances,
                                      std::uint32_t head_dim, std::uint64_t budget) {
    struct Step {
        double gain_per_byte;
        std::size_t head;
        std::uint32_t to;

        bool operator<(const Step& other) const { return gain_per_byte < other.gain_per_byte; }
    };

    std::vector<std::uint8_t> bytes(variances.size(), 1);
    std::uint64_t left = budget - variances.size();
    std::priority_queue<Step> steps;
    const auto offer = [&](std::size_t head) {
        const std::uint32_t to = next_divisor(head_dim, bytes[head]);
        if (to == 0 || to > UINT8_MAX) return;
        const double gain = error_left(variances[head], bytes[head] * kBitsPerByte) -
                            error_left(variances[head], to * kBitsPerByte);
        steps.push({gain / (to - bytes[head]), head, to});
    };
    for (std::size_t head = 0; head < variances.size(); ++head) offer(head);
    while (!steps.empty()) {
        const Step step = steps.top();
        steps.pop();
        if (step.to - bytes[step.head] > left) continue;
        left -= step.to - bytes[step.head];
        bytes[step.head] = static_cast<std::uint8_t>(step.to);
        offer(step.head);
    }
    return bytes;
}

class CodebookTrainer {
  public:
    CodebookTrainer(const GistShape& shape, std::size_t gist_count, const CodebookTraining& options)
        : options_(options), count_(gist_count), width_(shape.kv_count()) {
        book_.shape = shape;
        const std::uint64_t dims =
            std::min({kSharedDims, width_ / kNumbersPerSharedDim, count_ / kGistsPerSharedDim});
        book_.shared_bytes = static_cast<std::uint32_t>(dims / kSharedDimsPerByte);
        book_.shared_dims = book_.shared_bytes * static_cast<std::uint32_t>(kSharedDimsPerByte);
    }

    Result<void> scale(std::span<const std::vector<std::uint16_t>> gists,
                       std::span<const float> weights);
    void find_shared_basis();
    Result<void> allot();
    void train_head(std::size_t head);

    std::size_t head_count() const { return book_.head_count(); }

    GistCodebook take() && { return std::move(book_); }

  private:
    using Rows = std::vector<float>;

    void spread_evenly();
    void apply_scale();
    void train_quantizer(faiss::ProductQuantizer& quantizer, const Rows& rows, std::size_t salt);
    faiss::PCAMatrix components_of(std::size_t head, std::uint32_t bytes) const;
    Rows head_rows(std::size_t head) const;

    const CodebookTraining& options_;
    std::size_t count_;    // of gists
    std::uint64_t width_;  // N
    GistCodebook book_;
    Rows rows_;  // (count, N): scaled gists; what is left of them once the shared basis is known
};

// Every layer's keys, and its values, at a spread of 1.
void CodebookTrainer::spread_evenly() {
    const std::size_t part = std::size_t{book_.shape.kv_head_count} * book_.shape.head_dim;
    for (std::size_t first = 0; first < width_; first += part) {
        double sum = 0;
        for (std::size_t row = 0; row < count_; ++row)
            for (std::size_t i = first; i < first + part; ++i) {
                const double off = double{rows_[row * width_ + i]} - double{book_.centre[i]};
                sum += off * off;
            }
        const auto spread = static_cast<float>(std::sqrt(sum / static_cast<double>(count_ * part)));
        std::fill_n(book_.scale.begin() + static_cast<std::ptrdiff_t>(first), part,
                    1 / std::max(spread, kSpreadMin));
    }
}

Result<void> CodebookTrainer::scale(std::span<const std::vector<std::uint16_t>> gists,
                                    std::span<const float> weights) {
    rows_.reserve(count_ * width_);
    std::vector<double> sums(width_, 0);
    for (const std::vector<std::uint16_t>& gist : gists) {
        MC_CHECK(gist.size() == width_, "a gist of another shape");
        for (std::size_t i = 0; i < width_; ++i) {
            const float value = half_to_float(gist[i]);
            if (!std::isfinite(value))
                return fail(ErrorCode::kModel, "a gist holds an infinity or a NaN");
            rows_.push_back(value);
            sums[i] += static_cast<double>(value);
        }
    }
    for (const double sum : sums)
        book_.centre.push_back(static_cast<float>(sum / static_cast<double>(count_)));
    if (weights.empty()) {
        book_.scale.resize(width_);
        spread_evenly();
    } else {
        const float least =
            std::max(kWeightFloor * *std::max_element(weights.begin(), weights.end()), kSpreadMin);
        for (const float weight : weights) book_.scale.push_back(std::max(weight, least));
    }
    apply_scale();
    return {};
}

// Brings the scaled numbers to a mean square of 1, so that binary16 holds what is made of them.
void CodebookTrainer::apply_scale() {
    double sum = 0;
    for (std::size_t row = 0; row < count_; ++row)
        for (std::size_t i = 0; i < width_; ++i) {
            float& value = rows_[row * width_ + i];
            value = (value - book_.centre[i]) * book_.scale[i];
            sum += double{value} * double{value};
        }
    const double mean = sum / static_cast<double>(rows_.size());
    const auto factor =
        static_cast<float>(1 / std::sqrt(std::max(mean, double{kSpreadMin} * double{kSpreadMin})));
    for (float& value : rows_) value *= factor;
    for (float& one : book_.scale) one *= factor;
}

void CodebookTrainer::train_quantizer(faiss::ProductQuantizer& quantizer, const Rows& rows,
                                      std::size_t salt) {
    quantizer.cp.niter = static_cast<int>(options_.iterations);
    quantizer.cp.seed = static_cast<int>((options_.seed * 1009 + salt) % INT32_MAX);
    quantizer.cp.min_points_per_centroid = 1;  // FAISS would warn on stderr
    quantizer.train(count_, rows.data());
}

void CodebookTrainer::find_shared_basis() {
    if (book_.shared_bytes == 0) return;
    faiss::PCAMatrix components(static_cast<int>(width_), static_cast<int>(book_.shared_dims));
    components.balanced_bins = static_cast<int>(book_.shared_bytes);
    components.train(static_cast<std::int64_t>(std::min(count_, kBasisGists)), rows_.data());
    MappedQuantizer shared(width_, book_.shared_dims, book_.shared_bytes);
    shared.map.A = components.A;
    Rows mapped(count_ * book_.shared_dims);
    shared.map.apply_noalloc(static_cast<std::int64_t>(count_), rows_.data(), mapped.data());
    train_quantizer(shared.quantizer, mapped, 0);
    std::vector<std::uint8_t> codes(count_ * book_.shared_bytes);
    shared.quantizer.compute_codes(mapped.data(), codes.data(), count_);
    shared.quantizer.decode(codes.data(), mapped.data(), count_);
    Rows said(kRowsAtOnce * width_);
    for (std::size_t first = 0; first < count_; first += kRowsAtOnce) {
        const std::size_t some = std::min(kRowsAtOnce, count_ - first);
        shared.map.transform_transpose(static_cast<std::int64_t>(some),
                                       &mapped[first * book_.shared_dims], said.data());
        for (std::size_t i = 0; i < some * width_; ++i) rows_[first * width_ + i] -= said[i];
    }
    book_.shared_basis = std::move(shared.map.A);
    book_.shared_centroids = std::move(shared.quantizer.centroids);
}

CodebookTrainer::Rows CodebookTrainer::head_rows(std::size_t head) const {
    const std::size_t dim = book_.shape.head_dim;
    Rows rows(count_ * dim);
    for (std::size_t row = 0; row < count_; ++row)
        std::copy_n(&rows_[row * width_ + head * dim], dim, &rows[row * dim]);
    return rows;
}

faiss::PCAMatrix CodebookTrainer::components_of(std::size_t head, std::uint32_t bytes) const {
    const int dim = static_cast<int>(book_.shape.head_dim);
    faiss::PCAMatrix components(dim, dim);
    components.balanced_bins = static_cast<int>(bytes);
    components.train(static_cast<std::int64_t>(count_), head_rows(head).data());
    return components;
}

Result<void> CodebookTrainer::allot() {
    const std::uint64_t budget =
        options_.gist_bytes == 0
            ? std::max<std::uint64_t>(width_ / 8, head_count()) + book_.shared_bytes
            : options_.gist_bytes;
    if (budget < head_count() + book_.shared_bytes)
        return fail(ErrorCode::kInvalidInput,
                    "a gist of " + std::to_string(head_count()) + " heads needs at least " +
                        std::to_string(head_count() + book_.shared_bytes) + " bytes, not " +
                        std::to_string(budget));
    std::vector<std::vector<float>> variances;
    for (std::size_t head = 0; head < head_count(); ++head)
        variances.push_back(components_of(head, 0).eigenvalues);
    book_.head_bytes = allot_bytes(variances, book_.shape.head_dim, budget - book_.shared_bytes);
    return {};
}

void CodebookTrainer::train_head(std::size_t head) {
    const std::uint32_t dim = book_.shape.head_dim;
    MappedQuantizer quantizer(dim, dim, book_.head_bytes[head]);
    quantizer.map.A = components_of(head, book_.head_bytes[head]).A;
    const Rows rows = head_rows(head);
    Rows mapped(rows.size());
    quantizer.map.apply_noalloc(static_cast<std::int64_t>(count_), rows.data(), mapped.data());
    train_quantizer(quantizer.quantizer, mapped, head + 1);
    const auto append = [](Rows& to, const Rows& from) {
        to.insert(to.end(), from.begin(), from.end());
    };
    append(book_.rotations, quantizer.map.A);
    append(book_.head_centroids, quantizer.quantizer.centroids);
}

}  // namespace

Result<GistCodebook> train_codebook(const GistShape& shape,
                                    std::span<const std::vector<std::uint16_t>> gists,
                                    std::span<const float> weights, const CodebookTraining& options,
                                    const std::function<void(double)>& share_done,
                                    const std::atomic<bool>* cancelled) {
    MC_CHECK(weights.empty() || weights.size() == shape.kv_count(), "one weight per number");
    if (gists.size() < kCodebookGistsMin)
        return fail(ErrorCode::kInvalidInput, std::to_string(gists.size()) +
                                                  " gists are too few for a codebook: at least " +
                                                  std::to_string(kCodebookGistsMin));
    CodebookTrainer trainer(shape, gists.size(), options);
    MC_TRY(trainer.scale(gists, weights));
    MC_TRY(faiss_guard(ErrorCode::kModel, [&] { trainer.find_shared_basis(); }));
    Result<void> allotted;
    MC_TRY(faiss_guard(ErrorCode::kModel, [&] { allotted = trainer.allot(); }));
    MC_TRY(std::move(allotted));
    for (std::size_t head = 0; head < trainer.head_count(); ++head) {
        if (cancelled != nullptr && cancelled->load())
            return fail(ErrorCode::kCancelled, "interrupted; nothing was written");
        if (share_done)
            share_done(static_cast<double>(head) / static_cast<double>(trainer.head_count()));
        MC_TRY(faiss_guard(ErrorCode::kModel, [&] { trainer.train_head(head); }));
    }
    GistCodebook book = std::move(trainer).take();
    MC_TRY(check_codebook(book));
    return book;
}

}  // namespace mc::storage
