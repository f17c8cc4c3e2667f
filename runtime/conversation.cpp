// SPDX-License-Identifier: Apache-2.0
#include "runtime/conversation.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "runtime/ingest.h"

namespace mc::runtime {
namespace {

constexpr const char* kTurnsKey = "turns";
constexpr const char* kSystemKey = "system";
constexpr const char* kPinKey = "pin.";  // and its number, from 1

}  // namespace

Result<std::unique_ptr<Conversation>> Conversation::open(BankSession& bank, const std::string& name,
                                                         std::uint64_t recent_tokens) {
    std::unique_ptr<Conversation> conversation(new Conversation(bank, recent_tokens));
    MC_TRY(conversation->find_or_create(name));
    MC_TRY(conversation->read_metadata());
    MC_TRY(conversation->check_text());
    MC_TRY(conversation->read_recent());
    return conversation;
}

Result<void> Conversation::find_or_create(const std::string& name) {
    MC_ASSIGN(auto known, bank_.nodes().find_document_by_source(name));
    if (!known) {
        DocumentRecord draft;
        draft.source_name = name;
        draft.media_type = kConversationMediaType;
        draft.created_us = draft.updated_us = bank_.engine().clock().now_us();
        draft.content_hash = StreamHash().digest();
        draft.complete = true;
        MC_ASSIGN(document_, bank_.nodes().create_document(draft));
        return {};
    }
    document_ = std::move(*known);
    if (document_.media_type == kConversationMediaType) return {};
    return fail(ErrorCode::kInvalidInput,
                "document d" + std::to_string(document_.id.value) + " of bank " +
                    bank_.nodes().bank().name + " is named " + name +
                    " and is no conversation; give this one another name with --name");
}

Result<void> Conversation::read_metadata() {
    const auto& metadata = document_.metadata;
    if (const auto turns = metadata.find(kTurnsKey); turns != metadata.end()) {
        const std::string& text = turns->second;
        const auto [end, error] =
            std::from_chars(text.data(), text.data() + text.size(), turn_count_);
        if (error != std::errc() || end != text.data() + text.size())
            return fail(ErrorCode::kCorruption,
                        "conversation " + document_.source_name + " counts \"" + text + "\" turns");
    }
    if (const auto system = metadata.find(kSystemKey); system != metadata.end())
        told_always_.system = system->second;
    for (std::size_t number = 1;; ++number) {
        const auto pin = metadata.find(kPinKey + std::to_string(number));
        if (pin == metadata.end()) return {};
        told_always_.pins.push_back(pin->second);
    }
}

// The stored text is the one that the record says, and the first turn need not read it again.
Result<void> Conversation::check_text() {
    MC_ASSIGN(auto hash, bank_.held_hashes().take(bank_.text(), document_));
    bank_.held_hashes().keep(document_.id, std::move(hash));
    return {};
}

Result<void> Conversation::read_recent() {
    const std::uint64_t count = document_.token_count;
    const TokenSpan span{count - std::min(count, recent_tokens_ + 1), count};
    MC_ASSIGN(const auto tokens, bank_.nodes().read_tokens(document_.id, span));
    std::string text;
    std::vector<std::size_t> begins;  // of each token, and the text's end
    for (const TokenId token : tokens) {
        begins.push_back(text.size());
        text += bank_.text().tokenizer().bytes_of(token);
    }
    begins.push_back(text.size());
    // A turn begins with a token, because turns are tokenised one by one.
    const auto token_at = [&](std::size_t byte) {
        const auto found = std::ranges::lower_bound(begins, byte);
        return span.begin + static_cast<std::uint64_t>(found - begins.begin());
    };
    for (text::PlacedTurn& placed : text::last_turns(text, span.begin == 0))
        keep({std::move(placed.turn), {token_at(placed.begin), token_at(placed.end)}});
    return {};
}

void Conversation::keep(KeptTurn turn) {
    recent_.push_back(std::move(turn));
    const std::uint64_t end = recent_.back().tokens.end;
    while (!recent_.empty() && end - recent_.front().tokens.begin > recent_tokens_)
        recent_.pop_front();
}

// Not committed yet, and the document is as it was.
IngestBatch Conversation::batch_of(std::span<const TokenId> tokens) const {
    IngestBatch batch;
    batch.document = document_;
    batch.tokens.assign(tokens.begin(), tokens.end());
    for (const TokenId token : tokens) {
        const std::size_t size = bank_.text().tokenizer().bytes_of(token).size();
        batch.token_sizes_bytes.push_back(static_cast<std::uint16_t>(size));
        batch.document.byte_count += size;
    }
    batch.document.token_count += tokens.size();
    batch.document.updated_us = bank_.engine().clock().now_us();
    return batch;
}

Result<void> Conversation::append(const text::Turn& turn) {
    const std::string text = text::transcript_of(turn);
    const auto tokens = bank_.text().tokenizer().encode(text);
    MC_ASSIGN(auto hash, bank_.held_hashes().take(bank_.text(), document_));
    IngestBatch batch = batch_of(tokens);
    hash->update(std::as_bytes(std::span(text)));
    batch.document.content_hash = hash->digest();
    batch.document.metadata[kTurnsKey] = std::to_string(turn_count_ + 1);
    MC_TRY(bank_.nodes().commit(batch));
    telemetry::Metrics& metrics = bank_.engine().metrics();
    metrics.add(telemetry::Counter::kCommits);
    metrics.add(telemetry::Counter::kIngestTokens, tokens.size());
    bank_.held_hashes().keep(document_.id, std::move(hash));
    keep({turn, {document_.token_count, batch.document.token_count}});
    document_ = std::move(batch.document);
    ++turn_count_;
    return make_gists();
}

// The turn is kept by now, whatever becomes of them.
Result<void> Conversation::make_gists() {
    while (true) {
        MC_ASSIGN(const GistMaker::Step done, gists_.step(document_.id, kTokensPerCommit));
        if (done.tokens == 0) return {};
    }
}

Result<void> Conversation::set_told_always(const ChatProtected& told) {
    IngestBatch batch;
    batch.document = document_;
    auto& metadata = batch.document.metadata;
    std::erase_if(metadata, [](const auto& entry) { return entry.first.starts_with(kPinKey); });
    metadata[kSystemKey] = told.system;
    for (std::size_t i = 0; i < told.pins.size(); ++i)
        metadata[kPinKey + std::to_string(i + 1)] = told.pins[i];
    MC_TRY(bank_.nodes().commit(batch));
    document_ = std::move(batch.document);
    told_always_ = told;
    return {};
}

}  // namespace mc::runtime
