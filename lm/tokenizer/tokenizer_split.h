// SPDX-License-Identifier: Apache-2.0
// Splits bytes into pre-tokens: the pieces inside which byte pairs merge.
//
// Internal to lm/tokenizer. A pre-token is a match of the pre-tokenizer's pattern, or one byte that
// is not part of valid UTF-8. Each match is decided by at most kPreTokenBytesMax bytes from its own
// start, as if the text ended there; nothing before its start counts. Hence the split of a text
// from any pre-token's start is the rest of the split of the whole.
// Ownership: a splitter borrows pattern and text. Threads: SplitPattern const, free.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "lm/tokenizer/tokenizer.h"

namespace mc::lm {

// The compiled pattern of one tokenizer.ggml.pre.
class SplitPattern {
  public:
    // Errors: kInvalidInput for a pre-tokenizer that is not known.
    static Result<std::unique_ptr<SplitPattern>> make(const std::string& pre_tokenizer);
    ~SplitPattern();
    SplitPattern(const SplitPattern&) = delete;
    SplitPattern& operator=(const SplitPattern&) = delete;

  private:
    friend class Splitter;
    struct Code;
    explicit SplitPattern(std::unique_ptr<Code> code);
    std::unique_ptr<Code> code_;
};

struct PreToken {
    std::string_view bytes;
    bool is_valid_utf8 = true;  // false: one stray byte
};

class Splitter {
  public:
    // is_whole: the text ends here; otherwise more may follow and the splitter stops where the
    // split depends on it.
    Splitter(const SplitPattern& pattern, std::string_view text, bool is_whole);
    ~Splitter();
    Splitter(const Splitter&) = delete;
    Splitter& operator=(const Splitter&) = delete;

    // The next final pre-token; empty at the end of what is final.
    std::optional<PreToken> next();

    // Bytes of the pre-tokens handed out so far.
    std::size_t position() const { return position_; }

  private:
    struct MatchData;

    void find_run();
    // Size of the pre-token at the window's front; empty while bytes behind it could change it.
    std::optional<std::size_t> match(std::string_view window, bool is_final);

    const SplitPattern& pattern_;
    std::string_view text_;
    const bool is_whole_;
    std::unique_ptr<MatchData> match_data_;
    std::size_t position_ = 0;
    // Valid UTF-8 from position_ to run_end_; run_is_final_ when no later byte can lengthen it.
    std::size_t run_end_ = 0;
    bool run_is_final_ = false;
};

}  // namespace mc::lm
