// SPDX-License-Identifier: Apache-2.0
#include "eval/delta_nll/conditions.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "core/span_math.h"

namespace mc::eval {

namespace {

Part part_of(PartKind kind, std::uint64_t begin, std::uint64_t end, Level level = Level(1)) {
    return {kind, {begin, end}, level};
}

// The context as gists of one level, and perhaps a raw tail.
std::vector<Part> gist_cover(std::uint32_t context, Level level, std::uint32_t raw_tail) {
    std::vector<Part> parts = {part_of(PartKind::kGists, 0, context - raw_tail, level)};
    if (raw_tail > 0) parts.push_back(part_of(PartKind::kTokens, context - raw_tail, context));
    return parts;
}

// Oldest text at level 2, the newest kMixedLevelOneReach tokens at level 1, the tail raw.
std::vector<Part> mixed_cover(std::uint32_t context) {
    const std::uint64_t old_end = context - kMixedLevelOneReach;
    return {part_of(PartKind::kGists, 0, old_end, Level(2)),
            part_of(PartKind::kGists, old_end, context - kRawTail, Level(1)),
            part_of(PartKind::kTokens, context - kRawTail, context)};
}

// What stands before the raw tail of a deep context, and that tail.
std::vector<Part> deep_cover(std::vector<Part> parts, const DeltaNllOptions& options) {
    parts.push_back(part_of(PartKind::kTokens, gist_tokens(options), options.context_tokens));
    return parts;
}

std::uint32_t entries_of(const std::vector<Part>& parts) {
    std::uint32_t count = 0;
    for (const Part& part : parts) count += part.entries();
    return count;
}

// The newest tokens that one gist of level 3 would stand for, as mixed_cover shows them.
std::vector<Part> recent_parts(std::uint64_t end) {
    const std::uint64_t fine_begin = end - kMixedLevelOneReach;
    return {part_of(PartKind::kGists, end - tokens_per_node(Level(3)), fine_begin, Level(2)),
            part_of(PartKind::kGists, fine_begin, end, Level(1))};
}

class ConditionList {
  public:
    ConditionList(const DeltaNllOptions& options, std::span<const NamedCodec> codecs,
                  const ScorerFacts& facts)
        : options_(options), codecs_(codecs), facts_(facts) {}

    // Of a context that the model can read raw.
    void add_context() {
        const std::uint32_t context = options_.context_tokens;
        add(std::string(kConditionNone), {});
        add(std::string(kConditionFull), {part_of(PartKind::kTokens, 0, context)});
        for (std::size_t e = 0; e < options_.encoders.size(); ++e) add_encoder(e);
        add("embedding-mean", {part_of(PartKind::kEmbeddingMeans, 0, context)});
        add("zero", {part_of(PartKind::kZeroGists, 0, context)});
        // What a gist would have to be worth in raw tokens.
        for (const std::uint32_t raw : {8U, 16U, 32U, 64U, 128U, 256U})
            if (raw < context && (raw < 256 || context >= kLongContext)) add_last(raw);
    }

    void add_deep_context() {
        add(std::string(kConditionNone), deep_cover({}, options_));
        for (std::size_t e = 0; e < options_.encoders.size(); ++e) add_deep_encoder(e);
        add("zero", deep_cover({all_of_level(PartKind::kZeroGists, 3)}, options_));
        const std::uint32_t longest = longest_raw(options_, facts_);
        for (const std::uint32_t raw : {128U, 256U, 1024U, 4096U})
            if (raw < longest) add_last(raw);
        add_last(longest);
    }

    Result<std::vector<Condition>> take() && {
        std::set<std::string> names;
        for (const Condition& condition : conditions_)
            if (!names.insert(condition.name).second)
                return fail(ErrorCode::kUsage,
                            "two conditions are called " + condition.name +
                                ": give encoders names of their own (name=encoder)");
        return std::move(conditions_);
    }

  private:
    void add(std::string name, std::vector<Part> parts) {
        Condition condition;
        condition.name = std::move(name);
        condition.parts = std::move(parts);
        conditions_.push_back(std::move(condition));
    }

    void add_last(std::uint32_t raw) {
        const std::uint32_t context = options_.context_tokens;
        add("last-" + std::to_string(raw), {part_of(PartKind::kTokens, context - raw, context)});
    }

    // Gists of the window itself and, as their control, those of another window.
    void add_with_control(const std::string& name, const std::vector<Part>& parts,
                          std::size_t encoder) {
        const std::string control = std::string(kShuffledPrefix) + name;
        conditions_.push_back({name, parts, GistOrigin::kOwn, encoder, std::nullopt, control});
        conditions_.push_back(
            {control, parts, GistOrigin::kOtherWindow, encoder, std::nullopt, ""});
    }

    // The same, with the gists of another document and with what codecs make of the own ones.
    void add_with_all_controls(const std::string& name, const std::vector<Part>& parts,
                               std::size_t encoder) {
        add_with_control(name, parts, encoder);
        if (options_.documents.size() > 1)
            conditions_.push_back({std::string(kShuffledOtherPrefix) + name, parts,
                                   GistOrigin::kOtherDocument, encoder, std::nullopt, ""});
        for (std::size_t c = 0; c < codecs_.size(); ++c)
            if (codecs_[c].fits(facts_.encoders[encoder]))
                conditions_.push_back({name + ":" + codecs_[c].name, parts, GistOrigin::kOwn,
                                       encoder, c, std::string(kShuffledPrefix) + name});
    }

    void add_encoder(std::size_t encoder) {
        const std::uint32_t context = options_.context_tokens;
        const std::string name = encoder_label(options_.encoders[encoder]);
        const std::vector<Part> cover = gist_cover(context, Level(1), 0);
        add_with_all_controls(name, cover, encoder);
        if (context >= kLongContext)
            add_with_control(name + "+last-" + std::to_string(kRawTail),
                             gist_cover(context, Level(1), kRawTail), encoder);
        if (options_.levels >= 2) add_second_level(name, encoder);
        if (options_.oracle_windows > 0 && encoder + 1 == options_.encoders.size())
            conditions_.push_back({std::string(kConditionOracle), cover, GistOrigin::kOptimized,
                                   encoder, std::nullopt, std::string(kShuffledPrefix) + name});
    }

    void add_second_level(const std::string& name, std::size_t encoder) {
        const std::uint32_t context = options_.context_tokens;
        add_with_control(name + "-l2", gist_cover(context, Level(2), 0), encoder);
        if (context > kMixedLevelOneReach)
            add_with_control(name + "-mixed", mixed_cover(context), encoder);
    }

    // Every level of the whole context that the model's context has room for, then covers that are
    // coarser the older the text is.
    void add_deep_encoder(std::size_t encoder) {
        const std::string name = encoder_label(options_.encoders[encoder]);
        const auto cover_of = [this](std::uint32_t level) {
            return deep_cover({all_of_level(PartKind::kGists, level)}, options_);
        };
        add_with_all_controls(name + "-l3", cover_of(3), encoder);
        for (const std::uint32_t level : {2U, 1U})
            if (entries_of(cover_of(level)) <= longest_raw(options_, facts_))
                add_with_control(name + "-l" + std::to_string(level), cover_of(level), encoder);
        const std::uint64_t end = gist_tokens(options_);
        const std::vector<Part> recent = recent_parts(end);
        const std::uint64_t old_end = recent.front().span.begin;
        if (old_end == 0)
            return add_with_control(name + "-mixed", deep_cover(recent, options_), encoder);
        std::vector<Part> mixed = {part_of(PartKind::kGists, 0, old_end, Level(3))};
        mixed.insert(mixed.end(), recent.begin(), recent.end());
        add_with_control(name + "-mixed", deep_cover(mixed, options_), encoder);
        add_with_control(name + "-recent", deep_cover(recent, options_), encoder);
    }

    Part all_of_level(PartKind kind, std::uint32_t level) const {
        return part_of(kind, 0, gist_tokens(options_), Level(static_cast<std::uint8_t>(level)));
    }

    const DeltaNllOptions& options_;
    std::span<const NamedCodec> codecs_;
    const ScorerFacts& facts_;
    std::vector<Condition> conditions_;
};

}  // namespace

bool is_deep(const DeltaNllOptions& options) {
    return options.levels >= 3;
}

std::uint32_t gist_tokens(const DeltaNllOptions& options) {
    return options.context_tokens - (is_deep(options) ? kRawTail : 0);
}

std::uint32_t longest_raw(const DeltaNllOptions& options, const ScorerFacts& facts) {
    const std::uint64_t others = 1ULL + options.horizon_tokens;  // BOS
    if (others >= facts.context_length) return 0;
    const auto room = static_cast<std::uint32_t>(facts.context_length - others);
    return room - room % static_cast<std::uint32_t>(tokens_per_node(Level(2)));
}

std::uint32_t Part::entries() const {
    const std::uint64_t width = kind == PartKind::kTokens ? 1 : tokens_per_node(level);
    return static_cast<std::uint32_t>(span.count() / width);
}

std::uint32_t Condition::entries() const {
    return entries_of(parts);
}

bool Condition::needs(PartKind kind) const {
    return std::any_of(parts.begin(), parts.end(),
                       [kind](const Part& part) { return part.kind == kind; });
}

std::uint32_t Condition::raw_tokens_alone() const {
    return parts.size() == 1 && needs(PartKind::kTokens) ? entries() : 0;
}

std::uint32_t Condition::own_gists_alone() const {
    const bool is_own = origin == GistOrigin::kOwn || origin == GistOrigin::kOptimized;
    return is_own && parts.size() == 1 && needs(PartKind::kGists) ? entries() : 0;
}

bool Condition::covers_window(std::size_t window, const DeltaNllOptions& options) const {
    return origin != GistOrigin::kOptimized || window < options.oracle_windows;
}

std::optional<double> gist_bytes_per_token(const Condition& condition, const GistShape& shape,
                                           std::span<const NamedCodec> codecs) {
    if (condition.own_gists_alone() == 0) return std::nullopt;
    const std::uint64_t bytes = condition.codec
                                    ? codecs[*condition.codec].coder->gist_bytes()
                                    : storage::encoded_gist_bytes(storage::GistCodec::kFp16, shape);
    return static_cast<double>(bytes) /
           static_cast<double>(tokens_per_node(condition.parts.front().level));
}

Result<std::vector<Condition>> conditions_for(const DeltaNllOptions& options,
                                              std::span<const NamedCodec> codecs,
                                              const ScorerFacts& facts) {
    ConditionList list(options, codecs, facts);
    if (is_deep(options))
        list.add_deep_context();
    else
        list.add_context();
    return std::move(list).take();
}

}  // namespace mc::eval
