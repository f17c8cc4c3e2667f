// SPDX-License-Identifier: Apache-2.0
// Random operations on several banks and documents: the store answers like a naive model, after
// every operation and after reopening.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>

#include "storage/codec/gist_coder.h"
#include "tests/support/codebook_fixture.h"
#include "tests/support/key_fixture.h"
#include "tests/support/store_fixture.h"

namespace mc::storage {
namespace {

struct ModelDocument {
    DocumentRecord record;
    std::vector<TokenId> tokens;
    std::vector<std::uint64_t> byte_starts;
    std::map<std::pair<std::uint8_t, std::uint64_t>, Gist> gists;  // by level and index
};

struct ModelBank {
    std::map<std::uint64_t, ModelDocument> documents;
    std::vector<JournalEntry> journal;
    std::map<NodeId, NodeUse> uses;
};

enum class Kind : int { kCreate, kAppend, kUse, kReopen, kFinish, kAppendByOne };

struct Operation {
    Kind kind = Kind::kCreate;
    unsigned bank = 0;
    unsigned pick = 0;
    unsigned amount = 0;
};

void showValue(const Operation& operation, std::ostream& out) {  // NOLINT: rapidcheck's name
    out << "{" << static_cast<int>(operation.kind) << ", " << operation.bank << ", "
        << operation.pick << ", " << operation.amount << "}";
}

rc::Gen<Operation> any_operation() {
    return rc::gen::build<Operation>(
        rc::gen::set(&Operation::kind, rc::gen::weightedElement<Kind>({{2, Kind::kCreate},
                                                                       {8, Kind::kAppend},
                                                                       {3, Kind::kUse},
                                                                       {1, Kind::kReopen},
                                                                       {1, Kind::kFinish},
                                                                       {3, Kind::kAppendByOne}})),
        rc::gen::set(&Operation::bank, rc::gen::inRange(0u, 3u)),
        rc::gen::set(&Operation::pick, rc::gen::inRange(0u, 1000u)),
        rc::gen::set(&Operation::amount,
                     rc::gen::weightedOneOf<unsigned>({{4, rc::gen::inRange(0u, 100u)},
                                                       {2, rc::gen::inRange(900u, 1200u)},
                                                       {1, rc::gen::inRange(2000u, 3500u)}})));
}

class Pair {
  public:
    Pair(GistCodec codec, bool encrypted)
        : codec_(codec),
          encrypted_(encrypted),
          codebook_(random_codebook(test_identity().encoder, 2)),
          coder_(std::move(*GistCoder::make(codec, test_identity().encoder.shape, &codebook_))) {
        open();
    }

    void apply(const Operation& operation) {
        ModelBank& bank = model_[operation.bank];
        NodeStore& store = *banks_[operation.bank];
        switch (operation.kind) {
            case Kind::kCreate:
                create(bank, store);
                break;
            case Kind::kAppend:
            case Kind::kAppendByOne:
            case Kind::kFinish:
                append(bank, store, operation);
                break;
            case Kind::kUse:
                use(bank, store, operation);
                break;
            case Kind::kReopen:
                close();
                open();
                break;
        }
    }

    void check_everything() {
        for (unsigned i = 0; i < 3; ++i) check_bank(model_[i], *banks_[i]);
        const auto summary = store_->verify_records(
            [](const RecordFault& fault) { RC_FAIL(fault.error.to_string()); });
        RC_ASSERT(summary.has_value());
        RC_ASSERT(summary->faults == 0u);
    }

    void close() {
        for (auto& bank : banks_) bank.reset();
        store_.reset();
    }

    void open() {
        StoreOptions options = test_options(scratch_.path() / "store");
        options.codec_at_creation = codec_;
        options.codebook = &codebook_;
        options.key = encrypted_ ? &key_ : nullptr;
        store_ = open_or_die(options);
        for (unsigned i = 0; i < 3; ++i) {
            const std::string name = "bank-" + std::to_string(i);
            if (!*store_->find_bank(name)) RC_ASSERT(store_->create_bank(name).has_value());
            banks_[i] = std::move(*store_->bank_store(name));
        }
    }

  private:
    void create(ModelBank& bank, NodeStore& store) {
        ModelDocument made;
        DocumentRecord draft;
        draft.source_name = "source " + std::to_string(bank.documents.size());
        const auto created = store.create_document(draft);
        RC_ASSERT(created.has_value());
        made.record = *created;
        bank.documents[made.record.id.value] = made;
    }

    static ModelDocument* pick(ModelBank& bank, unsigned number) {
        if (bank.documents.empty()) return nullptr;
        auto place = bank.documents.begin();
        std::advance(place, number % bank.documents.size());
        return &place->second;
    }

    void append(ModelBank& bank, NodeStore& store, const Operation& operation) {
        ModelDocument* document = pick(bank, operation.pick);
        if (document == nullptr) return;
        const unsigned amount = operation.kind == Kind::kAppend   ? operation.amount
                                : operation.kind == Kind::kFinish ? 0
                                                                  : 1;
        // Some documents have ids beyond 16 bits.
        const TokenId vocabulary = document->record.id.value % 3 == 0 ? 300'000 : 49'152;
        IngestBatch batch = next_batch(document->record, amount, vocabulary);
        batch.document.complete = operation.kind == Kind::kFinish;
        const auto number = store.commit(batch);
        RC_ASSERT(number.has_value());
        bank.journal.push_back({*number,
                                document->record.id,
                                {document->record.token_count, batch.document.token_count}});
        std::uint64_t byte = document->record.byte_count;
        for (std::size_t i = 0; i < batch.tokens.size(); ++i) {
            document->byte_starts.push_back(byte);
            byte += batch.token_sizes_bytes[i];
        }
        document->tokens.insert(document->tokens.end(), batch.tokens.begin(), batch.tokens.end());
        for (const NewGist& gist : batch.gists)
            document->gists[{gist.node.level.value, gist.node.index.value}] = gist.gist;
        document->record = batch.document;
        check_document(*document, store);
    }

    void use(ModelBank& bank, NodeStore& store, const Operation& operation) {
        const ModelDocument* document = pick(bank, operation.pick);
        if (document == nullptr || document->gists.empty()) return;
        auto place = document->gists.begin();
        std::advance(place, operation.amount % document->gists.size());
        const NodeId node{document->record.id, Level(place->first.first),
                          NodeIndex(place->first.second)};
        const std::int64_t now = ++ticks_;
        RC_ASSERT(store.record_use(std::vector{node, node}, now).has_value());
        bank.uses[node].access_count += 2;
        bank.uses[node].last_used_us = now;
    }

    void check_document(const ModelDocument& document, NodeStore& store) const {
        const DocumentRecord& record = document.record;
        const auto found = *store.find_document(record.id);
        RC_ASSERT(found.has_value());
        RC_ASSERT(found->token_count == record.token_count);
        RC_ASSERT(found->byte_count == record.byte_count);
        RC_ASSERT(found->complete == record.complete);
        RC_ASSERT((*store.find_document_by_source(record.source_name))->id == record.id);
        RC_ASSERT(*store.read_tokens(record.id, {0, record.token_count}) == document.tokens);
        const std::uint64_t middle = record.token_count / 2;
        const auto mark = *store.mark_before_token(record.id, middle);
        RC_ASSERT(mark.token <= middle);
        if (mark.token < record.token_count)
            RC_ASSERT(mark.byte == document.byte_starts[mark.token]);
        const auto by_byte = *store.mark_before_byte(record.id, mark.byte);
        RC_ASSERT(by_byte.token <= mark.token);
        check_gists(document, store);
    }

    // What the codec makes of a gist.
    Gist coded(Gist gist) const {
        std::vector<std::byte> bytes(coder_->gist_bytes());
        RC_ASSERT(coder_->encode(gist.kv, bytes).has_value());
        coder_->decode(bytes, gist.kv);
        return gist;
    }

    void check_gists(const ModelDocument& document, NodeStore& store) const {
        std::map<std::pair<std::uint8_t, std::uint64_t>, std::size_t> per_parent;
        for (const auto& [place, gist] : document.gists)
            ++per_parent[{place.first, place.second / kBlockSize}];
        for (const auto& [place, count] : per_parent) {
            const auto group =
                *store.find_gists(document.record.id, Level(place.first), NodeIndex(place.second));
            RC_ASSERT(group.has_value());
            RC_ASSERT(group->gists.size() == count);
            for (std::size_t slot = 0; slot < count; ++slot)
                RC_ASSERT(same_gist(
                    group->gists[slot],
                    coded(document.gists.at({place.first, place.second * kBlockSize + slot}))));
        }
        for (std::uint8_t level = 1; level <= 3; ++level) {
            const std::uint64_t nodes = node_count(document.tokens.size(), Level(level));
            const std::uint64_t parents = (nodes + kBlockSize - 1) / kBlockSize;
            RC_ASSERT(!store.find_gists(document.record.id, Level(level), NodeIndex(parents))
                           ->has_value());
        }
    }

    void check_bank(const ModelBank& bank, NodeStore& store) const {
        const auto documents = *store.list_documents();
        RC_ASSERT(documents.size() == bank.documents.size());
        std::size_t next = 0;
        for (const auto& [id, document] : bank.documents) {
            RC_ASSERT(documents[next++].id.value == id);
            check_document(document, store);
        }
        std::vector<DocumentRecord> newest(documents.rbegin(), documents.rend());
        std::erase_if(newest, [](const DocumentRecord& one) { return one.token_count == 0; });
        for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{100}}) {
            const auto found = *store.newest_documents(count);
            RC_ASSERT(found.size() == std::min(count, newest.size()));
            for (std::size_t i = 0; i < found.size(); ++i) RC_ASSERT(found[i].id == newest[i].id);
        }
        const auto journal = *store.journal_after(CommitNumber(0));
        RC_ASSERT(journal.size() == bank.journal.size());
        for (std::size_t i = 0; i < journal.size(); ++i) {
            RC_ASSERT(journal[i].commit == bank.journal[i].commit);
            RC_ASSERT(journal[i].document == bank.journal[i].document);
            RC_ASSERT(journal[i].tokens == bank.journal[i].tokens);
        }
        RC_ASSERT(*store.last_commit() ==
                  (bank.journal.empty() ? CommitNumber(0) : bank.journal.back().commit));
        for (const auto& [node, use] : bank.uses) {
            RC_ASSERT(store.node_use(node)->access_count == use.access_count);
            RC_ASSERT(store.node_use(node)->last_used_us == use.last_used_us);
        }
    }

    const GistCodec codec_;
    const bool encrypted_;
    const StoreKey key_ = key_of('k');
    const GistCodebook codebook_;
    const std::unique_ptr<GistCoder> coder_;
    ScratchDirectory scratch_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<NodeStore> banks_[3];
    ModelBank model_[3];
    std::int64_t ticks_ = 0;
};

RC_GTEST_PROP(StoreProperty, AnswersLikeANaiveModelAndTheSameAfterReopening, ()) {
    const auto operations = *rc::gen::container<std::vector<Operation>>(any_operation());
    const auto codec = *rc::gen::weightedElement<GistCodec>(
        {{3, GistCodec::kFp16}, {1, GistCodec::kInt8}, {1, GistCodec::kInt4}, {1, GistCodec::kPq}});
    Pair pair(codec, *rc::gen::arbitrary<bool>());
    for (const Operation& operation : operations) pair.apply(operation);
    pair.check_everything();
    pair.close();
    pair.open();
    pair.check_everything();
}

}  // namespace
}  // namespace mc::storage
