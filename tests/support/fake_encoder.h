// SPDX-License-Identifier: Apache-2.0
// GistEncoder by hashing. A block's keys and values depend on exactly the tokens that the window
// holds up to the block's end, so a window that begins elsewhere shows in every bit. Its index
// vector is a bag of its own tokens.
#pragma once

#include <optional>
#include <vector>

#include "tree/gist_encoder.h"

namespace mc {

class FakeEncoder final : public GistEncoder {
  public:
    FakeEncoder();

    // Every later call but `calls` fails with kModel.
    void fail_after(std::uint64_t calls) { calls_left_ = calls; }

    // The windows of the last call of encode_windows().
    const std::vector<ReadWindow>& last_windows() const { return last_windows_; }

    const EncoderInfo& info() const override { return info_; }

    Result<std::vector<std::vector<Gist>>> encode_windows(std::span<const ReadWindow> windows,
                                                          bool with_statistics) override;
    Result<std::vector<Gist>> encode_parents(std::span<const SiblingGists> families) override;

  private:
    Result<void> count_call();

    EncoderInfo info_;
    std::vector<ReadWindow> last_windows_;
    std::optional<std::uint64_t> calls_left_;
};

}  // namespace mc
