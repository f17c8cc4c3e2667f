// SPDX-License-Identifier: Apache-2.0
// Macros: instructions that are read in every call, kept as a few gists that stand in their place.
//
// A macro belongs to a bank and to one base model: its gists are that model's keys and values
// (gistnet/macros says how they are made). Its text is kept with it. Equal text, settings and
// models give equal gists, so gists that the bank has already are not made again. Ownership:
// borrows the engine, which has a model. Threads: one. Errors: kInvalidInput for an empty text, one
// of more than kInstructionTokensMax tokens, one that the model has nothing to say to, a bad or
// taken name, an unknown one; kUsage for counts out of range; kModelMismatch for a macro of another
// base model, with both hashes; kCancelled; those of store and model.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "gistnet/macros/macro_descent.h"
#include "runtime/engine.h"
#include "storage/store.h"

namespace mc::runtime {

inline constexpr std::uint32_t kMacroEntries = 4;
inline constexpr std::uint32_t kMacroEntriesMax = 8;
inline constexpr std::uint32_t kMacroSteps = 48;
inline constexpr std::uint32_t kMacroStepsMax = 1000;
inline constexpr std::uint32_t kMacroLessons = 36;
inline constexpr std::uint32_t kMacroLessonsMax = 256;

struct MacroSettings {
    std::uint32_t entries = kMacroEntries;  // gists
    std::uint32_t steps = kMacroSteps;
    std::uint32_t lessons = kMacroLessons;
    std::uint64_t seed = 1;
    // Of the phase in hand: "lessons", then "descent".
    std::function<void(std::string_view phase, std::uint64_t done, std::uint64_t total)> progress;
    const std::atomic<bool>* cancelled = nullptr;
};

// Makes the gists of one instruction, with lessons that are written once for all that are asked
// for.
class MacroMaker {
  public:
    // White space around the text is left out, as chat templates do.
    static Result<std::unique_ptr<MacroMaker>> make(Engine& engine, std::string_view text,
                                                    const MacroSettings& settings);

    const std::string& text() const { return text_; }

    const std::vector<TokenId>& tokens() const { return tokens_; }

    // Of text, models and settings; what it hashes decides what distil() makes.
    Hash128 recipe_hash(std::uint32_t entries) const;

    // A macro of so many entries; its name is the caller's to give. Cost: for the default settings
    // see docs/cli.md.
    Result<storage::MacroRecord> distil(std::uint32_t entries);

  private:
    MacroMaker(Engine& engine, const MacroSettings& settings)
        : engine_(engine), settings_(settings) {}

    Result<void> write_lessons();
    gistnet::MacroProgress progress_of(std::string_view phase) const;

    Engine& engine_;
    MacroSettings settings_;
    std::string text_;
    std::vector<TokenId> tokens_;
    lm::TurnFrame frame_;
    std::vector<gistnet::Lesson> lessons_;
    std::vector<gistnet::Lesson> kept_;  // that descent does not see
    double nll_none_ = 0;                // of the kept ones
    double nll_full_ = 0;
    double seconds_lessons_ = 0;
};

enum class MacroOutcome {
    kMade,
    kAlreadyThere,  // under this name, of this text and these settings
    kSameGists,     // another macro of the bank has them; they are its own now too
};

struct MadeMacro {
    storage::MacroRecord macro;
    MacroOutcome outcome = MacroOutcome::kMade;
};

// Makes a macro and keeps it, in one transaction.
Result<MadeMacro> create_macro(Engine& engine, std::string_view bank, const std::string& name,
                               std::string_view text, const MacroSettings& settings);

// A macro to read with.
Result<storage::MacroRecord> open_macro(Engine& engine, std::string_view bank,
                                        std::string_view name);

}  // namespace mc::runtime
