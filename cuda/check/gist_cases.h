// SPDX-License-Identifier: Apache-2.0
// Cases of what is done to weights and gists: dequantisation, products, rotation, codes, pooling
// (cases.h).
#pragma once

#include "cuda/check/cases.h"

namespace mc::cuda {

template <class Format>
class DequantizeCase {
  public:
    DequantizeCase(std::string type, std::int64_t count) : type_(std::move(type)), count_(count) {
        bytes_ = drawn_bytes(count / Format::kElements * Format::kBytes, 8, 1);
    }

    CaseSize size() const {
        return {"dequantise " + type_, std::to_string(count_) + " weights",
                static_cast<double>(bytes_.size()) + 4.0 * static_cast<double>(count_),
                2.0 * static_cast<double>(count_), 0};
    }

    template <class Machine>
    Result<Ran> run_on(Machine& machine, bool brings_back) const {
        MC_ASSIGN(const std::uint8_t* bytes, machine.upload(bytes_));
        MC_ASSIGN(float* out, machine.template room<float>(static_cast<std::size_t>(count_)));
        return ran(machine, Dequantize<Format, float>{bytes, out, count_}, out, count_,
                   brings_back);
    }

  private:
    std::string type_;
    std::int64_t count_;
    std::vector<std::uint8_t> bytes_;
};

// The product of a decoded token with the matrix of the vocabulary, or some of its rows.
template <class Format>
class ProductCase {
  public:
    ProductCase(std::string type, std::int64_t rows)
        : type_(std::move(type)), rows_(rows), x_(drawn<Bf16>(kWidth, 1, 17)) {
        // Below 2^6, so that no scale is an infinity.
        bytes_ = drawn_bytes(rows * kWidth / Format::kElements * Format::kBytes, 6, 18);
    }

    CaseSize size() const {
        return {"multiply " + type_, "a row, " + std::to_string(rows_) + " x 768 weights",
                static_cast<double>(bytes_.size()) + 4.0 * static_cast<double>(rows_),
                2.0 * static_cast<double>(rows_ * kWidth), allowed()};
    }

    template <class Machine>
    Result<Ran> run_on(Machine& machine, bool brings_back) const {
        MC_ASSIGN(const std::uint8_t* weights, machine.upload(bytes_));
        MC_ASSIGN(const Bf16* x, machine.upload(x_));
        MC_ASSIGN(float* out, machine.template room<float>(static_cast<std::size_t>(rows_)));
        return ran(machine, MultiplyRow<Format>{weights, x, out, rows_, kWidth}, out, rows_,
                   brings_back);
    }

  private:
    static constexpr int kWidth = 768;  // whole blocks of every format

    // Rounding of sums in f32, with room: of what the first row adds up; others do alike.
    double allowed() const {
        double size = 0;
        for (int i = 0; i < kWidth; ++i)
            size += std::abs(
                Format::at(
                    &bytes_[static_cast<std::size_t>(i / Format::kElements) * Format::kBytes],
                    i % Format::kElements) *
                to_float(x_[static_cast<std::size_t>(i)]));
        return 4e-6 * size;
    }

    std::string type_;
    std::int64_t rows_;
    std::vector<Bf16> x_;
    std::vector<std::uint8_t> bytes_;
};

// One layer's cached keys, turned by one shift.
class RotateCase {
  public:
    explicit RotateCase(std::int64_t rows)
        : rows_(rows),
          keys_(drawn<Bf16>(count(), 3, 2)),
          angles_(drawn(BaseModelSizes::kHeadDim, 1, 3)) {}

    CaseSize size() const {
        return {"rotate", std::to_string(rows_) + " entries of a layer",
                4.0 * static_cast<double>(count()), 3.0 * static_cast<double>(count()), 0};
    }

    template <class Machine>
    Result<Ran> run_on(Machine& machine, bool brings_back) const {
        constexpr int kDim = BaseModelSizes::kHeadDim;
        MC_ASSIGN(const Bf16* from, machine.upload(keys_));
        MC_ASSIGN(const float* angles, machine.upload(angles_));
        MC_ASSIGN(Bf16 * to, machine.template room<Bf16>(keys_.size()));
        const RotateRows<Bf16, Bf16> kernel{from,         to,
                                            angles,       angles + kDim / 2,
                                            nullptr,      BaseModelSizes::kKvHeads,
                                            rows_,        kDim / 2,
                                            rows_ * kDim, kDim,
                                            rows_ * kDim, kDim,
                                            false};
        return ran(machine, kernel, to, count(), brings_back);
    }

  private:
    std::int64_t count() const {
        return rows_ * BaseModelSizes::kKvHeads * BaseModelSizes::kHeadDim;
    }

    std::int64_t rows_;
    std::vector<Bf16> keys_;
    std::vector<float> angles_;  // cosines, then sines; any numbers do
};

class CodeCase {
  public:
    explicit CodeCase(std::int64_t gists) : gists_(gists) {
        starts_.push_back(BaseModelSizes::kSharedBytes);
        for (int head = 0; head < heads(); ++head)
            starts_.push_back(starts_.back() + BaseModelSizes::kHeadBytes);
        codes_ = drawn_bytes(gists * starts_.back(), 8, 4);
    }

    CaseSize size() const {
        constexpr double kDims = BaseModelSizes::kSharedDims + BaseModelSizes::kHeadDim;
        const auto gists = static_cast<double>(gists_);
        const double width = BaseModelSizes::kGistNumbers;
        // Basis, rotations and centroids once; codes and halves of every gist.
        return {"decode pq", std::to_string(gists_) + " gists",
                4 * width * (kDims + 256) + gists * (starts_.back() + 2 * width),
                2 * gists * width * kDims, 0.004};  // a step of binary16 below 4
    }

    template <class Machine>
    Result<Ran> run_on(Machine& machine, bool brings_back) const {
        constexpr std::int64_t kWidth = BaseModelSizes::kGistNumbers;
        constexpr int kDim = BaseModelSizes::kHeadDim;
        constexpr int kShared = BaseModelSizes::kSharedDims;
        MC_ASSIGN(const float* centre, machine.upload(drawn(kWidth, 1, 5)));
        std::vector<float> scales = drawn(kWidth, 0.5F, 6);
        for (float& scale : scales) scale += 1;
        MC_ASSIGN(const float* scale, machine.upload(scales));
        MC_ASSIGN(const float* basis, machine.upload(drawn(kShared * kWidth, 0.1F, 7)));
        MC_ASSIGN(const float* shared, machine.upload(drawn(kShared * 256, 1, 8)));
        MC_ASSIGN(const float* rotations, machine.upload(drawn(kDim * kWidth, 0.1F, 9)));
        MC_ASSIGN(const float* centroids, machine.upload(drawn(256 * kWidth, 1, 10)));
        MC_ASSIGN(const std::int32_t* starts, machine.upload(starts_));
        MC_ASSIGN(const std::uint8_t* codes, machine.upload(codes_));
        const std::int64_t count = gists_ * kWidth;
        MC_ASSIGN(Half * out, machine.template room<Half>(static_cast<std::size_t>(count)));
        const CodebookView book{centre,
                                scale,
                                basis,
                                shared,
                                rotations,
                                centroids,
                                starts,
                                heads(),
                                kDim,
                                kShared,
                                BaseModelSizes::kSharedBytes};
        return ran(machine, DecodeCodes{book, codes, out, gists_}, out, count, brings_back);
    }

  private:
    static constexpr int heads() { return BaseModelSizes::kLayers * 2 * BaseModelSizes::kKvHeads; }

    std::int64_t gists_;
    std::vector<std::int32_t> starts_;
    std::vector<std::uint8_t> codes_;
};

// Keys, values and log-mass of gists that are blocks of one text each.
class PoolCase {
  public:
    explicit PoolCase(std::int64_t gists) : gists_(gists) {}

    CaseSize size() const {
        using Sizes = BaseModelSizes;
        const auto gists = static_cast<double>(gists_);
        const double planes = Sizes::kLayers * Sizes::kKvHeads;
        const double queries = Sizes::kPoolingQueries;
        const double width = 2.0 * Sizes::kKvHeads * Sizes::kHeadDim;
        const double maps = 2 * queries * Sizes::kHeadDim * Sizes::kHeadDim;
        const double scores = queries * kSlots * width;
        const double sums = 2 * queries * kSlots * Sizes::kHeadDim;
        return {"pool", std::to_string(gists_) + " gists",
                4 * planes * (queries * width + maps) +
                    gists * planes * 2 * Sizes::kHeadDim * (2.0 * kSlots + 4),
                2 * gists * planes * (scores + sums + maps), 1e-4};
    }

    template <class Machine>
    Result<Ran> run_on(Machine& machine, bool brings_back) const {
        using Sizes = BaseModelSizes;
        constexpr std::int64_t kDim = Sizes::kHeadDim;
        constexpr std::int64_t kPlanes = Sizes::kLayers * Sizes::kKvHeads;
        constexpr std::int64_t kQueries = Sizes::kPoolingQueries;
        constexpr std::int64_t kOfGist = kPlanes * kSlots * kDim;
        MC_ASSIGN(const float* queries,
                  machine.upload(drawn(kPlanes * kQueries * 2 * Sizes::kKvHeads * kDim, 0.3F, 11)));
        MC_ASSIGN(const float* biases, machine.upload(drawn(kPlanes * kQueries * kSlots, 2, 12)));
        MC_ASSIGN(const float* maps,
                  machine.upload(drawn(kPlanes * kQueries * kDim * kDim, 0.1F, 13)));
        MC_ASSIGN(const float* mass, machine.upload(drawn(kPlanes * 2 * kQueries * kDim, 1, 14)));
        MC_ASSIGN(const Bf16* keys, machine.upload(drawn<Bf16>(gists_ * kOfGist, 2, 15)));
        MC_ASSIGN(const Bf16* values, machine.upload(drawn<Bf16>(gists_ * kOfGist, 2, 16)));
        const std::int64_t count = gists_ * kPlanes * kDim;
        MC_ASSIGN(float* out, machine.template room<float>(static_cast<std::size_t>(3 * count)));
        const PoolBlocks<Bf16> kernel{
            {queries, biases, maps, maps, mass, mass},
            {kOfGist, 0, Sizes::kKvHeads * kSlots * kDim, kSlots * kDim, kDim, 1},
            keys,
            values,
            out,
            out + count,
            out + 2 * count,
            gists_,
            Sizes::kLayers,
            Sizes::kKvHeads,
            static_cast<int>(kQueries),
            static_cast<int>(kDim)};
        return ran(machine, kernel, out, 2 * count + gists_ * kPlanes, brings_back);
    }

  private:
    std::int64_t gists_;
};

}  // namespace mc::cuda
