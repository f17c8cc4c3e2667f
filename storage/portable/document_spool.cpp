// SPDX-License-Identifier: Apache-2.0
#include "storage/portable/document_spool.h"

#include <unistd.h>

#include "core/check.h"
#include "storage/lmdb/batch_writer.h"
#include "storage/portable/bank_file.h"
#include "tree/node_store.h"

namespace mc::storage {
namespace {

constexpr const char* kName = "the draft of a document";
constexpr DocumentId kNoDocument;  // the store gives an id

}  // namespace

DocumentSpool::DocumentSpool(int fd, const StoreMeta& meta, const GistCoder& coder)
    : fd_(fd), meta_(meta), coder_(coder), out_(fd, kName) {
    for (std::uint8_t level = 0; level <= kLevelMax.value; ++level)
        groups_[level] = {Level(level), NodeIndex(0), empty_group(meta)};
}

DocumentSpool::~DocumentSpool() {
    ::close(fd_);
}

Result<std::unique_ptr<DocumentSpool>> DocumentSpool::make(const StoreMeta& meta,
                                                           const GistCoder& coder, bool is_sealed) {
    MC_ASSIGN(const int fd, open_nameless_file());
    std::unique_ptr<DocumentSpool> spool(new DocumentSpool(fd, meta, coder));
    if (is_sealed) spool->sealer_ = std::make_unique<Sealer>(random_secret());
    spool->out_.use_sealer(spool->sealer_.get());
    return spool;
}

Result<void> DocumentSpool::add_original(const OriginalRecord& original) {
    const std::string key = original_key(BankId(), kNoDocument);
    const RecordPlace place{Database::kDocuments, key};
    return out_.put_record(place, encode_original(place, original));
}

Result<void> DocumentSpool::add_original_piece(const OriginalPiece& piece) {
    const std::string key = piece_key(BankId(), kNoDocument, original_pieces_++);
    const RecordPlace place{Database::kDocuments, key};
    return out_.put_record(place, encode_piece(place, piece.bytes));
}

Result<void> DocumentSpool::add_tokens(std::span<const TokenId> tokens,
                                       std::span<const std::uint16_t> sizes) {
    MC_CHECK(tokens.size() == sizes.size() && !in_, "one size per token, before finish()");
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (chunk_.tokens.empty()) chunk_.first_byte = byte_count_;
        chunk_.tokens.push_back(tokens[i]);
        ++token_count_;
        byte_count_ += sizes[i];
        if (chunk_.tokens.size() == kTokenMarkStride) MC_TRY(put_chunk());
    }
    return {};
}

Result<void> DocumentSpool::put_chunk() {
    const std::string key = token_key(kNoDocument, (token_count_ - 1) / kTokenMarkStride);
    const RecordPlace place{Database::kTokens, key};
    MC_TRY(out_.put_record(place, encode_tokens(place, chunk_)));
    chunk_ = {};
    return {};
}

Result<void> DocumentSpool::add_gist(const NewGist& made) {
    PlacedGroup& open = groups_.at(made.node.level.value);
    MC_CHECK(made.node.index.value == (open.parent.value << kBlockBits) + open.group.count,
             "the next gist of its level");
    MC_TRY(append_gist(open.group, made.gist, meta_, coder_));
    return open.group.count == kBlockSize ? put_group(made.node.level) : Result<void>();
}

Result<void> DocumentSpool::put_group(Level level) {
    PlacedGroup& open = groups_[level.value];
    const std::string key = group_key(kNoDocument, level, open.parent);
    const RecordPlace place{Database::kGists, key};
    MC_TRY(out_.put_record(place, encode_group(place, open.group)));
    open = {level, NodeIndex(open.parent.value + 1), empty_group(meta_)};
    return {};
}

Result<void> DocumentSpool::finish() {
    if (!chunk_.tokens.empty()) MC_TRY(put_chunk());
    for (const PlacedGroup& open : groups_)
        if (open.group.count > 0) MC_TRY(put_group(open.level));
    MC_TRY(out_.flush());
    in_ = std::make_unique<SectionReader>(fd_, out_.bytes(), kName, 0);
    in_->use_sealer(sealer_.get());
    return {};
}

Result<void> DocumentSpool::rewind() {
    MC_CHECK(in_ != nullptr, "after finish()");
    in_->seek({});
    return {};
}

Result<std::optional<DocumentPiece>> DocumentSpool::next() {
    if (in_->at_end()) return std::optional<DocumentPiece>();
    MC_ASSIGN(const Section section, in_->next());
    const auto record = parse_record(section.payload);
    MC_CHECK(record.has_value(), "a spool holds records");
    const auto piece = [&](auto decoded) -> Result<std::optional<DocumentPiece>> {
        if (!decoded) return in_->damaged(decoded.error());
        return std::optional<DocumentPiece>(std::move(*decoded));
    };
    if (record->database == Database::kTokens)
        return piece(decode_tokens(record->place(), record->value));
    if (record->key.starts_with('o') && record->database == Database::kDocuments)
        return piece(decode_original(record->place(), record->value));
    if (record->database == Database::kDocuments)
        return piece(decode_piece(record->place(), record->value).map([](std::string bytes) {
            return OriginalPiece{std::move(bytes)};
        }));
    const auto key = parse_group_key(record->key);
    MC_CHECK(key.has_value(), "else of gists");
    return piece(decode_group(record->place(), record->value, meta_).map([&](StoredGroup group) {
        return PlacedGroup{key->level, key->parent, std::move(group)};
    }));
}

}  // namespace mc::storage
