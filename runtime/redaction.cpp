// SPDX-License-Identifier: Apache-2.0
#include "runtime/redaction.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <functional>
#include <utility>

#include "core/hash.h"
#include "core/span_math.h"
#include "runtime/remember_request.h"
#include "tree/remake_gists.h"

namespace mc::runtime {
namespace {

constexpr std::uint64_t kTokensAtOnce = 65'536;

bool lies_in(std::span<const TokenSpan> parts, std::uint64_t token) {
    return std::ranges::any_of(
        parts, [&](const TokenSpan& part) { return part.begin <= token && token < part.end; });
}

// A document's text with some of its tokens blank.
class RedactedText {
  public:
    RedactedText(const BankText& text, const DocumentRecord& document,
                 std::span<const TokenSpan> parts)
        : text_(text), document_(document), parts_(parts) {}

    Result<std::vector<TokenId>> tokens(TokenSpan span) const {
        MC_ASSIGN(auto tokens, text_.nodes().read_tokens(document_.id, span));
        for (std::size_t i = 0; i < tokens.size(); ++i)
            if (lies_in(parts_, span.begin + i)) tokens[i] = text_.tokenizer().blank_token();
        return tokens;
    }

    Result<Hash128> hash() const {
        StreamHash hash;
        for (std::uint64_t at = 0; at < document_.token_count; at += kTokensAtOnce) {
            MC_ASSIGN(const auto piece,
                      tokens({at, std::min(at + kTokensAtOnce, document_.token_count)}));
            const std::string spelled = text_.tokenizer().decode(piece);
            hash.update(std::as_bytes(std::span(spelled)));
        }
        return hash.digest();
    }

    // The parts, cut where chunks of tokens end, with the bytes that they spell.
    Result<std::vector<BlankedRun>> runs() const {
        std::vector<BlankedRun> runs;
        for (const TokenSpan part : parts_)
            for (std::uint64_t begin = part.begin; begin < part.end;) {
                const std::uint64_t stride_end =
                    begin - begin % kTokenMarkStride + kTokenMarkStride;
                const TokenSpan tokens{begin, std::min(part.end, stride_end)};
                MC_ASSIGN(const std::string spelled, text_.read_text(document_.id, tokens));
                runs.push_back({tokens, spelled.size()});
                begin = tokens.end;
            }
        return runs;
    }

    // Places keep to their text; the text of one that lies in a part begins where the part did.
    Result<std::vector<Place>> places() const {
        MC_ASSIGN(const auto original, text_.nodes().find_original(document_.id));
        if (!original) return std::vector<Place>();
        std::vector<ByteSpan> gone;
        for (const TokenSpan part : parts_) {
            MC_ASSIGN(const ByteSpan bytes, text_.byte_span_of(document_.id, part));
            gone.push_back(bytes);
        }
        std::vector<Place> places;
        for (Place place : original->places) {
            std::uint64_t removed = 0;
            for (const ByteSpan bytes : gone)
                removed += std::clamp(place.begin, bytes.begin, bytes.end) - bytes.begin;
            place.begin -= removed;
            // Of two places that begin at one byte now, nothing is left of the first.
            if (!places.empty() && places.back().begin == place.begin) places.pop_back();
            places.push_back(std::move(place));
        }
        return places;
    }

  private:
    const BankText& text_;
    const DocumentRecord& document_;
    std::span<const TokenSpan> parts_;
};

std::string utc(std::int64_t time_us) {
    const auto seconds = static_cast<std::time_t>(time_us / 1'000'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, sizeof "2026-03-01T00:00:00Z"> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

// The newest line last.
std::string with_forgotten_line(std::string lines, const Tombstone& announced,
                                std::uint64_t token_count) {
    std::string reason = announced.reason;
    std::ranges::replace(reason, '\n', ' ');
    lines += utc(announced.forgotten_us) + " " + std::to_string(token_count) +
             (token_count == 1 ? " token" : " tokens") + (reason.empty() ? "" : ": " + reason) +
             "\n";
    const auto count = static_cast<std::size_t>(std::ranges::count(lines, '\n'));
    for (std::size_t i = kForgottenLinesMax; i < count; ++i) lines.erase(0, lines.find('\n') + 1);
    return lines;
}

// The document as it stands afterwards.
Result<DocumentRecord> record_after(const RedactedText& text, DocumentRecord document,
                                    std::span<const BlankedRun> runs, const Tombstone& announced) {
    std::uint64_t tokens = 0;
    for (const BlankedRun& run : runs) {
        tokens += run.tokens.count();
        document.byte_count -= run.byte_count;
    }
    MC_ASSIGN(document.content_hash, text.hash());
    // Hashes of messages would tell whether a guess is right, and where messages stand has changed.
    document.metadata.erase(std::string(kMessageKeysKey));
    std::string& lines = document.metadata[std::string(kForgottenKey)];
    lines = with_forgotten_line(std::move(lines), announced, tokens);
    return document;
}

Result<std::uint64_t> token_at(const BankText& text, const DocumentRecord& document,
                               std::uint64_t byte) {
    MC_ASSIGN(const TokenByteMark mark, text.nodes().mark_before_byte(document.id, byte));
    const TokenSpan stretch{mark.token,
                            std::min(mark.token + kTokenMarkStride, document.token_count)};
    MC_ASSIGN(const auto tokens, text.nodes().read_tokens(document.id, stretch));
    std::uint64_t end = mark.byte;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        end += text.tokenizer().bytes_of(tokens[i]).size();
        if (byte < end) return mark.token + i;
    }
    return fail(ErrorCode::kCorruption, "document d" + std::to_string(document.id.value) +
                                            " has fewer bytes than its record says; run verify");
}

// Joined where they touch.
std::vector<TokenSpan> apart(std::vector<TokenSpan> spans) {
    std::ranges::sort(spans, {}, &TokenSpan::begin);
    std::vector<TokenSpan> joined;
    for (const TokenSpan span : spans) {
        if (!joined.empty() && span.begin <= joined.back().end)
            joined.back().end = std::max(joined.back().end, span.end);
        else
            joined.push_back(span);
    }
    return joined;
}

}  // namespace

Result<std::vector<DocumentPart>> parts_of(const BankText& text, const DocumentRecord& document,
                                           std::span<const ByteSpan> bytes) {
    std::vector<TokenSpan> spans;
    for (const ByteSpan span : bytes) {
        if (span.begin == span.end)
            return fail(ErrorCode::kInvalidInput,
                        "bytes " + std::to_string(span.begin) + ":" + std::to_string(span.end) +
                            " are none; give a stretch that holds something");
        MC_ASSIGN(const std::uint64_t first, token_at(text, document, span.begin));
        MC_ASSIGN(const std::uint64_t last, token_at(text, document, span.end - 1));
        spans.push_back({first, last + 1});
    }
    std::vector<DocumentPart> parts;
    std::uint64_t token_count = 0;
    for (const TokenSpan tokens : apart(std::move(spans))) {
        MC_ASSIGN(const ByteSpan spelled, text.byte_span_of(document.id, tokens));
        parts.push_back({tokens, spelled});
        token_count += tokens.count();
    }
    if (token_count <= kRedactedTokensMax) return parts;
    return fail(ErrorCode::kInvalidInput, std::to_string(token_count) +
                                              " tokens are more than can be forgotten at once, " +
                                              std::to_string(kRedactedTokensMax) +
                                              "; forget the document, or a part after the other");
}

Result<void> redact(BankSession& session, const Tombstone& announced) {
    const BankText& text = session.text();
    const std::span<const TokenSpan> parts = announced.parts;
    MC_ASSIGN(const DocumentRecord document, text.require_document(announced.document));
    MC_TRY(session.index_now());  // only what it holds can be taken out
    MC_ASSIGN(BankSearch* const search, session.search());
    Redaction redaction;
    MC_ASSIGN(redaction.unindexed, search->remove_parts(document, parts));
    const RedactedText redacted(text, document, parts);
    redaction.blank = text.tokenizer().blank_token();
    MC_ASSIGN(redaction.runs, redacted.runs());
    MC_ASSIGN(redaction.document, record_after(redacted, document, redaction.runs, announced));
    MC_ASSIGN(redaction.places, redacted.places());
    MC_ASSIGN(redaction.gists,
              remake_gists(session.nodes(), document, session.engine().encoder(), parts,
                           [&](TokenSpan span) { return redacted.tokens(span); }));
    MC_TRY(session.nodes().redact(redaction));
    return session.index_now();
}

}  // namespace mc::runtime
