// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/record_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "storage/lmdb/record_message.h"

namespace mc::storage {
namespace {

static_assert(std::endian::native == std::endian::little, "token and gist blobs are little-endian");

tl::unexpected<std::string> wrong(std::string what) {
    return tl::unexpected<std::string>(std::move(what));
}

void set_hash(schema::Hash::Builder to, Hash128 hash) {
    to.setHigh(hash.high);
    to.setLow(hash.low);
}

Hash128 get_hash(schema::Hash::Reader from) {
    return {from.getHigh(), from.getLow()};
}

capnp::Text::Reader to_capnp(const std::string& text) {
    return {text.c_str(), text.size()};
}

std::string to_string(capnp::Text::Reader text) {
    return {text.begin(), text.size()};
}

template <class T>
capnp::Data::Reader blob_of(const std::vector<T>& values) {
    return {reinterpret_cast<const kj::byte*>(values.data()), values.size() * sizeof(T)};
}

template <class T>
void copy_blob(capnp::Data::Reader blob, std::vector<T>& values) {
    values.resize(blob.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), blob.begin(), values.size() * sizeof(T));
}

template <class Width>
std::vector<Width> narrow(std::span<const TokenId> tokens) {
    std::vector<Width> out;
    out.reserve(tokens.size());
    for (const TokenId token : tokens) out.push_back(static_cast<Width>(token));
    return out;
}

template <class Width>
bool widen(capnp::Data::Reader blob, std::vector<TokenId>& tokens) {
    if (blob.size() % sizeof(Width) != 0) return false;
    std::vector<Width> ids;
    copy_blob(blob, ids);
    tokens.reserve(ids.size());
    for (const Width id : ids) {
        if (std::uint64_t{id} > std::uint64_t{std::numeric_limits<TokenId>::max()}) return false;
        tokens.push_back(static_cast<TokenId>(id));
    }
    return true;
}

Decoded<StoreMeta> read_meta(schema::Meta::Reader from) {
    StoreMeta meta;
    meta.format_version = from.getFormatVersion();
    meta.block_size = from.getBlockSize();
    meta.created_us = from.getCreatedUs();
    meta.codec = static_cast<GistCodec>(from.getCodec());
    meta.identity.base_model_name = to_string(from.getBaseModelName());
    meta.identity.base_model_hash = get_hash(from.getBaseModelHash());
    meta.identity.tokenizer_hash = get_hash(from.getTokenizerHash());
    meta.identity.encoder.name = to_string(from.getEncoderName());
    meta.identity.encoder.hash = get_hash(from.getEncoderHash());
    meta.identity.encoder.shape = {from.getLayerCount(), from.getKvHeadCount(), from.getHeadDim(),
                                   from.getIndexDim()};
    if (!is_codec(from.getCodec())) return wrong("unknown codec");
    meta.gist_bytes = from.getGistBytes();
    if (meta.codec == GistCodec::kPq) {
        if (!from.hasCodebookHash() || meta.gist_bytes == 0) return wrong("no codebook for pq");
        meta.codebook_hash = get_hash(from.getCodebookHash());
    } else {
        meta.gist_bytes = encoded_gist_bytes(meta.codec, meta.identity.encoder.shape);
    }
    return meta;
}

Decoded<StoredDocument> read_document(schema::Document::Reader from, DocumentKey key) {
    StoredDocument document;
    DocumentRecord& record = document.record;
    record.id = key.document;
    record.bank = key.bank;
    record.source_name = to_string(from.getSourceName());
    record.media_type = to_string(from.getMediaType());
    record.created_us = from.getCreatedUs();
    record.updated_us = from.getUpdatedUs();
    record.token_count = from.getTokenCount();
    record.byte_count = from.getByteCount();
    record.content_hash = get_hash(from.getContentHash());
    record.complete = from.getComplete();
    record.version = std::max(from.getVersion(), std::uint32_t{1});
    record.superseded_us = from.getSupersededUs();
    for (const auto entry : from.getMetadata())
        record.metadata.emplace(to_string(entry.getKey()), to_string(entry.getValue()));
    if (record.token_count > kDocumentTokensMax) return wrong("impossible token count");
    if (from.getGistCounts().size() > kLevelMax.value) return wrong("too many levels");
    for (const std::uint64_t count : from.getGistCounts()) document.gist_counts.push_back(count);
    record.gist_end = gist_end_of(document.gist_counts);
    if (record.gist_end > record.token_count) return wrong("more gists than its tokens fill");
    if (document.gist_counts != gist_counts_of(record.gist_end))
        return wrong("gists of one level that do not fit those of another");
    return document;
}

Decoded<TokenChunk> read_tokens(schema::TokenChunk::Reader from) {
    TokenChunk chunk;
    chunk.first_byte = from.getFirstByte();
    const bool sound =
        (from.getWidth() == 2 && widen<std::uint16_t>(from.getIds(), chunk.tokens)) ||
        (from.getWidth() == 4 && widen<std::uint32_t>(from.getIds(), chunk.tokens));
    if (!sound) return wrong("token ids of impossible width");
    if (chunk.tokens.empty() || chunk.tokens.size() > kTokenMarkStride)
        return wrong("impossible number of tokens");
    return chunk;
}

Decoded<StoredGroup> read_group(schema::GistGroup::Reader from, const StoreMeta& meta) {
    StoredGroup group;
    group.count = from.getCount();
    if (group.count == 0 || group.count > kBlockSize) return wrong("impossible number of gists");
    if (!is_codec(from.getCodec())) return wrong("unknown codec");
    group.codec = static_cast<GistCodec>(from.getCodec());
    if (group.codec != meta.codec) return wrong("its codec is not the store's");
    const GistShape& shape = meta.identity.encoder.shape;
    group.encoder_hash = get_hash(from.getEncoderHash());
    const EncoderInfo& encoder = meta.identity.encoder;
    if (group.encoder_hash != encoder.hash)
        return wrong("its gists are of another encoder (" + to_hex(group.encoder_hash) +
                     ") than the store's, " + encoder.name + " (" + to_hex(encoder.hash) + ")");
    if (from.getKv().size() != group.count * meta.gist_bytes ||
        from.getIndexVectors().size() !=
            std::uint64_t{group.count} * shape.index_dim * sizeof(std::uint16_t) ||
        from.getMeanNll().size() != group.count || from.getMeanEntropy().size() != group.count ||
        (from.hasLogMass() && from.getLogMass().size() != group.count * shape.log_mass_count()))
        return wrong("gists of another shape than the store's");
    copy_blob(from.getKv(), group.kv);
    copy_blob(from.getLogMass(), group.log_mass);
    copy_blob(from.getIndexVectors(), group.index_vectors);
    for (const float value : from.getMeanNll()) group.mean_nll.push_back(value);
    for (const float value : from.getMeanEntropy()) group.mean_entropy.push_back(value);
    return group;
}

Decoded<UseGroup> read_uses(schema::UseGroup::Reader from) {
    const auto counts = from.getAccessCounts();
    const auto times = from.getLastUsedUs();
    if (counts.size() == 0 || counts.size() > kBlockSize || counts.size() != times.size())
        return wrong("impossible number of slots");
    UseGroup group;
    for (unsigned i = 0; i < counts.size(); ++i) group.uses.push_back({counts[i], times[i]});
    return group;
}

Decoded<OriginalRecord> read_original(schema::Original::Reader from) {
    OriginalRecord original;
    original.kind = to_string(from.getKind());
    original.byte_count = from.getByteCount();
    original.hash = get_hash(from.getHash());
    for (const auto place : from.getPlaces())
        original.places.push_back({place.getBegin(), to_string(place.getLabel())});
    if (!are_places(original.places)) return wrong("places that are out of order or too long");
    return original;
}

Decoded<MacroRecord> read_macro(schema::Macro::Reader from, std::string_view name,
                                const GistShape& shape) {
    MacroRecord macro;
    macro.name = name;
    macro.created_us = from.getCreatedUs();
    macro.text = to_string(from.getText());
    macro.token_count = from.getTokenCount();
    macro.base_model_name = to_string(from.getBaseModelName());
    macro.base_model_hash = get_hash(from.getBaseModelHash());
    macro.recipe_hash = get_hash(from.getRecipeHash());
    macro.steps = from.getSteps();
    macro.seed = from.getSeed();
    const std::size_t count = from.getCount();
    if (count == 0 || count > kMacroGistsMax) return wrong("impossible number of gists");
    std::vector<std::uint16_t> kv;
    std::vector<std::int8_t> log_mass;
    copy_blob(from.getKv(), kv);
    copy_blob(from.getLogMass(), log_mass);
    if (from.getKv().size() != count * shape.kv_count() * sizeof(std::uint16_t) ||
        (!log_mass.empty() && log_mass.size() != count * shape.log_mass_count()))
        return wrong("gists of another shape than the store's");
    for (std::size_t i = 0; i < count; ++i) {
        Gist& gist = macro.gists.emplace_back();
        const auto part = [&](const auto& all) {
            const auto width = static_cast<std::ptrdiff_t>(all.size() / count);
            const auto begin = all.begin() + static_cast<std::ptrdiff_t>(i) * width;
            return std::pair(begin, begin + width);
        };
        gist.kv.assign(part(kv).first, part(kv).second);
        gist.log_mass.assign(part(log_mass).first, part(log_mass).second);
    }
    macro.nll_none = from.getNllNone();
    macro.nll_full = from.getNllFull();
    macro.nll_gists = from.getNllGists();
    macro.seconds = from.getSeconds();
    return macro;
}

}  // namespace

RecordWords encode_meta(RecordPlace place, const StoreMeta& meta) {
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<schema::Meta>();
    to.setFormatVersion(meta.format_version);
    to.setBlockSize(meta.block_size);
    to.setCreatedUs(meta.created_us);
    to.setCodec(static_cast<std::uint16_t>(meta.codec));
    to.setBaseModelName(to_capnp(meta.identity.base_model_name));
    set_hash(to.initBaseModelHash(), meta.identity.base_model_hash);
    set_hash(to.initTokenizerHash(), meta.identity.tokenizer_hash);
    to.setEncoderName(to_capnp(meta.identity.encoder.name));
    set_hash(to.initEncoderHash(), meta.identity.encoder.hash);
    const GistShape& shape = meta.identity.encoder.shape;
    to.setLayerCount(shape.layer_count);
    to.setKvHeadCount(shape.kv_head_count);
    to.setHeadDim(shape.head_dim);
    to.setIndexDim(shape.index_dim);
    to.setGistBytes(static_cast<std::uint32_t>(meta.gist_bytes));
    if (meta.codebook_hash) set_hash(to.initCodebookHash(), *meta.codebook_hash);
    return seal(place, message);
}

RecordWords encode_counters(RecordPlace place, const Counters& counters) {
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<schema::Counters>();
    to.setNextBank(counters.next_bank);
    to.setNextDocument(counters.next_document);
    to.setLastCommit(counters.last_commit);
    return seal(place, message);
}

RecordWords encode_bank(RecordPlace place, const BankRecord& bank) {
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<schema::Bank>();
    to.setId(bank.id.value);
    to.setCreatedUs(bank.created_us);
    return seal(place, message);
}

RecordWords encode_document(RecordPlace place, const StoredDocument& document) {
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<schema::Document>();
    const DocumentRecord& record = document.record;
    to.setSourceName(to_capnp(record.source_name));
    to.setMediaType(to_capnp(record.media_type));
    to.setCreatedUs(record.created_us);
    to.setUpdatedUs(record.updated_us);
    to.setTokenCount(record.token_count);
    to.setByteCount(record.byte_count);
    set_hash(to.initContentHash(), record.content_hash);
    to.setComplete(record.complete);
    to.setVersion(record.version);
    to.setSupersededUs(record.superseded_us);
    auto metadata = to.initMetadata(static_cast<unsigned>(record.metadata.size()));
    unsigned next = 0;
    for (const auto& [key, value] : record.metadata) {
        metadata[next].setKey(to_capnp(key));
        metadata[next++].setValue(to_capnp(value));
    }
    auto counts = to.initGistCounts(static_cast<unsigned>(document.gist_counts.size()));
    for (unsigned i = 0; i < counts.size(); ++i) counts.set(i, document.gist_counts[i]);
    return seal(place, message);
}

RecordWords encode_source(RecordPlace place, std::span<const DocumentId> documents) {
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<schema::SourceLink>().initDocuments(
        static_cast<unsigned>(documents.size()));
    for (unsigned i = 0; i < to.size(); ++i) to.set(i, documents[i].value);
    return seal(place, message);
}

RecordWords encode_tokens(RecordPlace place, const TokenChunk& chunk) {
    MC_CHECK(!chunk.tokens.empty() && chunk.tokens.size() <= kTokenMarkStride, "chunk size");
    const auto [least, greatest] = std::minmax_element(chunk.tokens.begin(), chunk.tokens.end());
    MC_CHECK(*least >= 0, "token ids are not negative");
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<schema::TokenChunk>();
    to.setFirstByte(chunk.first_byte);
    if (*greatest <= std::numeric_limits<std::uint16_t>::max()) {
        to.setWidth(2);
        to.setIds(blob_of(narrow<std::uint16_t>(chunk.tokens)));
    } else {
        to.setWidth(4);
        to.setIds(blob_of(narrow<std::uint32_t>(chunk.tokens)));
    }
    return seal(place, message);
}

RecordWords encode_group(RecordPlace place, const StoredGroup& group) {
    // One segment for everything, so that the blobs lie where they are first written.
    const std::size_t words = (group.kv.size() + group.log_mass.size() +
                               group.index_vectors.size() * sizeof(std::uint16_t)) /
                                  sizeof(capnp::word) +
                              128;
    capnp::MallocMessageBuilder message(static_cast<unsigned>(words));
    auto to = message.initRoot<schema::GistGroup>();
    to.setCount(group.count);
    to.setCodec(static_cast<std::uint16_t>(group.codec));
    set_hash(to.initEncoderHash(), group.encoder_hash);
    to.setKv(blob_of(group.kv));
    if (!group.log_mass.empty()) to.setLogMass(blob_of(group.log_mass));
    to.setIndexVectors(blob_of(group.index_vectors));
    auto nll = to.initMeanNll(group.count);
    auto entropy = to.initMeanEntropy(group.count);
    for (unsigned i = 0; i < group.count; ++i) {
        nll.set(i, group.mean_nll[i]);
        entropy.set(i, group.mean_entropy[i]);
    }
    return seal(place, message);
}

RecordWords encode_uses(RecordPlace place, const UseGroup& group) {
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<schema::UseGroup>();
    auto counts = to.initAccessCounts(static_cast<unsigned>(group.uses.size()));
    auto times = to.initLastUsedUs(static_cast<unsigned>(group.uses.size()));
    for (unsigned i = 0; i < counts.size(); ++i) {
        counts.set(i, group.uses[i].access_count);
        times.set(i, group.uses[i].last_used_us);
    }
    return seal(place, message);
}

RecordWords encode_journal(RecordPlace place, const JournalRecord& entry) {
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<schema::JournalEntry>();
    to.setDocument(entry.document.value);
    to.setTokenBegin(entry.tokens.begin);
    to.setTokenEnd(entry.tokens.end);
    to.setAddedUs(entry.added_us);
    return seal(place, message);
}

RecordWords encode_tombstone(RecordPlace place, const Tombstone& tombstone) {
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<schema::Tombstone>();
    to.setForgottenUs(tombstone.forgotten_us);
    to.setTokenCount(tombstone.token_count);
    to.setReason(tombstone.reason);
    auto parts = to.initParts(static_cast<unsigned>(tombstone.parts.size()));
    for (unsigned i = 0; i < parts.size(); ++i) {
        parts[i].setBegin(tombstone.parts[i].begin);
        parts[i].setEnd(tombstone.parts[i].end);
    }
    return seal(place, message);
}

RecordWords encode_original(RecordPlace place, const OriginalRecord& original) {
    MC_CHECK(are_places(original.places), "places out of order");
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<schema::Original>();
    to.setKind(to_capnp(original.kind));
    to.setByteCount(original.byte_count);
    set_hash(to.initHash(), original.hash);
    auto places = to.initPlaces(static_cast<unsigned>(original.places.size()));
    for (unsigned i = 0; i < places.size(); ++i) {
        places[i].setBegin(original.places[i].begin);
        places[i].setLabel(to_capnp(original.places[i].label));
    }
    return seal(place, message);
}

RecordWords encode_piece(RecordPlace place, std::string_view bytes) {
    MC_CHECK(!bytes.empty() && bytes.size() <= kOriginalPieceBytes, "piece size");
    capnp::MallocMessageBuilder message(
        static_cast<unsigned>(bytes.size() / sizeof(capnp::word) + 16));
    message.initRoot<schema::OriginalPiece>().setBytes(
        {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()});
    return seal(place, message);
}

RecordWords encode_macro(RecordPlace place, const MacroRecord& macro) {
    MC_CHECK(!macro.gists.empty() && macro.gists.size() <= kMacroGistsMax, "a macro's gists");
    std::vector<std::uint16_t> kv;
    std::vector<std::int8_t> log_mass;
    for (const Gist& gist : macro.gists) {
        kv.insert(kv.end(), gist.kv.begin(), gist.kv.end());
        log_mass.insert(log_mass.end(), gist.log_mass.begin(), gist.log_mass.end());
    }
    capnp::MallocMessageBuilder message(
        static_cast<unsigned>(kv.size() * sizeof kv[0] / sizeof(capnp::word) + 128));
    auto to = message.initRoot<schema::Macro>();
    to.setCreatedUs(macro.created_us);
    to.setText(to_capnp(macro.text));
    to.setTokenCount(macro.token_count);
    to.setBaseModelName(to_capnp(macro.base_model_name));
    set_hash(to.initBaseModelHash(), macro.base_model_hash);
    set_hash(to.initRecipeHash(), macro.recipe_hash);
    to.setSteps(macro.steps);
    to.setSeed(macro.seed);
    to.setCount(static_cast<std::uint16_t>(macro.gists.size()));
    to.setKv(blob_of(kv));
    if (!log_mass.empty()) to.setLogMass(blob_of(log_mass));
    to.setNllNone(macro.nll_none);
    to.setNllFull(macro.nll_full);
    to.setNllGists(macro.nll_gists);
    to.setSeconds(macro.seconds);
    return seal(place, message);
}

std::optional<Database> database_of(std::string_view key, RecordBytes value) {
    if (value.size() <= kChecksumBytes) return std::nullopt;
    std::uint64_t checksum = 0;
    std::memcpy(&checksum, value.data(), sizeof checksum);
    checksum ^= xxh3_64(value.subspan(kChecksumBytes));
    for (std::size_t i = 0; i < kDatabaseCount; ++i) {
        const auto database = static_cast<Database>(i);
        if (checksum == hash_of({database, key})) return database;
    }
    return std::nullopt;
}

Decoded<StoreMeta> decode_meta(RecordPlace place, RecordBytes value) {
    return unseal<schema::Meta, StoreMeta>(place, value, read_meta);
}

Decoded<Counters> decode_counters(RecordPlace place, RecordBytes value) {
    return unseal<schema::Counters, Counters>(
        place, value, [](schema::Counters::Reader from) -> Decoded<Counters> {
            return Counters{from.getNextBank(), from.getNextDocument(), from.getLastCommit()};
        });
}

Decoded<BankRecord> decode_bank(RecordPlace place, RecordBytes value) {
    return unseal<schema::Bank, BankRecord>(
        place, value, [&](schema::Bank::Reader from) -> Decoded<BankRecord> {
            return BankRecord{BankId(from.getId()), std::string(place.key), from.getCreatedUs()};
        });
}

Decoded<StoredDocument> decode_document(RecordPlace place, RecordBytes value) {
    auto key = parse_document_key(place.key);
    const bool is_version = !key;
    if (is_version) key = parse_version_key(place.key);
    if (!key) return wrong("a key that names no document");
    return unseal<schema::Document, StoredDocument>(
        place, value, [&](schema::Document::Reader from) -> Decoded<StoredDocument> {
            if ((from.getSupersededUs() != 0) != is_version)
                return wrong(is_version ? "a version that was never superseded"
                                        : "a document that stands and was superseded");
            return read_document(from, *key);
        });
}

Decoded<std::vector<DocumentId>> decode_source(RecordPlace place, RecordBytes value) {
    using Ids = std::vector<DocumentId>;
    return unseal<schema::SourceLink, Ids>(place, value,
                                           [](schema::SourceLink::Reader from) -> Decoded<Ids> {
                                               Ids ids;
                                               for (const std::uint64_t id : from.getDocuments())
                                                   ids.push_back(DocumentId(id));
                                               return ids;
                                           });
}

Decoded<TokenChunk> decode_tokens(RecordPlace place, RecordBytes value) {
    return unseal<schema::TokenChunk, TokenChunk>(place, value, read_tokens);
}

Decoded<StoredGroup> decode_group(RecordPlace place, RecordBytes value, const StoreMeta& meta) {
    return unseal<schema::GistGroup, StoredGroup>(
        place, value, [&](schema::GistGroup::Reader from) { return read_group(from, meta); });
}

Decoded<UseGroup> decode_uses(RecordPlace place, RecordBytes value) {
    return unseal<schema::UseGroup, UseGroup>(place, value, read_uses);
}

Decoded<JournalRecord> decode_journal(RecordPlace place, RecordBytes value) {
    return unseal<schema::JournalEntry, JournalRecord>(
        place, value, [](schema::JournalEntry::Reader from) -> Decoded<JournalRecord> {
            if (from.getTokenEnd() < from.getTokenBegin()) return wrong("a span that ends early");
            return JournalRecord{DocumentId(from.getDocument()),
                                 {from.getTokenBegin(), from.getTokenEnd()},
                                 from.getAddedUs()};
        });
}

Decoded<Tombstone> decode_tombstone(RecordPlace place, RecordBytes value) {
    return unseal<schema::Tombstone, Tombstone>(
        place, value, [&](schema::Tombstone::Reader from) -> Decoded<Tombstone> {
            auto parsed = parse_tombstone_key(place.key);
            if (!parsed) parsed = parse_announcement_key(place.key);
            if (!parsed) return wrong("a key of another form");
            Tombstone tombstone{parsed->document,
                                from.getForgottenUs(),
                                from.getTokenCount(),
                                to_string(from.getReason()),
                                {}};
            for (const auto part : from.getParts())
                tombstone.parts.push_back({part.getBegin(), part.getEnd()});
            return tombstone;
        });
}

Decoded<OriginalRecord> decode_original(RecordPlace place, RecordBytes value) {
    return unseal<schema::Original, OriginalRecord>(place, value, read_original);
}

Decoded<std::string> decode_piece(RecordPlace place, RecordBytes value) {
    return unseal<schema::OriginalPiece, std::string>(
        place, value, [](schema::OriginalPiece::Reader from) -> Decoded<std::string> {
            const auto bytes = from.getBytes();
            if (bytes.size() == 0 || bytes.size() > kOriginalPieceBytes)
                return wrong("a piece of impossible size");
            return std::string(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
        });
}

Decoded<MacroRecord> decode_macro(RecordPlace place, RecordBytes value, const StoreMeta& meta) {
    const auto key = parse_macro_key(place.key);
    if (!key) return wrong("a key that names no macro");
    return unseal<schema::Macro, MacroRecord>(place, value, [&](schema::Macro::Reader from) {
        return read_macro(from, key->name, meta.identity.encoder.shape);
    });
}

}  // namespace mc::storage
