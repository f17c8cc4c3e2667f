// SPDX-License-Identifier: Apache-2.0
#include "serve/memory_adapter.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "core/utf8.h"
#include "runtime/bank_choice.h"
#include "runtime/remembering.h"
#include "serve/forms.h"
#include "serve/protocol/base64.h"

namespace mc::serve {
namespace {

static_assert(kAllBanks == runtime::kAllBanks);

constexpr std::int64_t kMicrosecondsPerDay = 86'400'000'000;

// A field that is not there is empty: the schema says which must be.
std::string text_of(const Json& arguments, const char* key) {
    return arguments.value(key, std::string());
}

bool flag_of(const Json& arguments, const char* key, bool otherwise) {
    return arguments.value(key, otherwise);
}

std::optional<std::uint64_t> number_of(const Json& arguments, const char* key) {
    const auto found = arguments.find(key);
    if (found == arguments.end()) return std::nullopt;
    return found->get<std::uint64_t>();
}

std::vector<std::string> texts_of(const Json& arguments, const char* key) {
    return arguments.value(key, std::vector<std::string>());
}

Result<std::string> file_of(const Json& arguments) {
    const auto given = arguments.find("file");
    if (given == arguments.end()) return std::string();
    auto bytes = decode_base64(given->get_ref<const std::string&>());
    if (!bytes) return fail(ErrorCode::kInvalidInput, "file is no base64 (RFC 4648)");
    if (bytes->empty()) return fail(ErrorCode::kInvalidInput, "file is empty");
    return std::move(*bytes);
}

runtime::RecallFilter filter_of(const Json& arguments) {
    runtime::RecallFilter filter;
    filter.documents = texts_of(arguments, "documents");
    filter.session = text_of(arguments, "session");
    filter.source = text_of(arguments, "source");
    filter.metadata = arguments.value("metadata", filter.metadata);
    filter.since = text_of(arguments, "since");
    filter.until = text_of(arguments, "until");
    filter.as_of = text_of(arguments, "as_of");
    return filter;
}

Result<runtime::RememberRequest> remember_request_of(const Json& arguments) {
    runtime::RememberRequest request;
    request.bank = text_of(arguments, "bank");
    request.text = text_of(arguments, "text");
    MC_ASSIGN(request.file, file_of(arguments));
    request.name = text_of(arguments, "name");
    request.session = text_of(arguments, "session");
    request.role = text_of(arguments, "role");
    request.idempotency_key = text_of(arguments, "idempotency_key");
    request.event_time = text_of(arguments, "event_time");
    request.media_type = text_of(arguments, "media_type");
    request.metadata = arguments.value("metadata", request.metadata);
    return request;
}

Json remembered_json(const runtime::Remembered& kept) {
    return {{"outcome", outcome_name(kept.outcome)},
            {"document", to_text(kept.document.id)},
            {"source", kept.document.source_name},
            {"bytes", to_json(kept.bytes)}};
}

class AdaptedRemember final : public LongRemember {
  public:
    explicit AdaptedRemember(std::unique_ptr<runtime::Remembering> begun)
        : begun_(std::move(begun)) {}

    Result<std::optional<Json>> step() override {
        MC_ASSIGN(const auto done, begun_->step());
        return done ? std::optional(remembered_json(*done)) : std::nullopt;
    }

    Progress progress() const override {
        const runtime::IngestProgress& now = begun_->progress();
        return {now.bytes_done, now.bytes_total, now.tokens_done};
    }

  private:
    std::unique_ptr<runtime::Remembering> begun_;
};

// A recollection without its answer.
Json found_json(const runtime::Recollection& found) {
    Json form = to_json(found.report);
    form["evidence_tokens"] = found.token_count;
    return form;
}

}  // namespace

Result<Json> MemoryAdapter::remember(const Json& arguments) {
    MC_ASSIGN(const runtime::RememberRequest request, remember_request_of(arguments));
    MC_ASSIGN(const runtime::Remembered kept, memory_.remember(request));
    return remembered_json(kept);
}

Result<std::unique_ptr<LongRemember>> MemoryAdapter::begin_remember(const Json& arguments,
                                                                    Length length) {
    MC_ASSIGN(runtime::RememberRequest request, remember_request_of(arguments));
    if (length == Length::kLong) request.bytes_max = runtime::kFileBytesMax;
    MC_ASSIGN(auto begun, memory_.begin_remember(request));
    return std::make_unique<AdaptedRemember>(std::move(begun));
}

Result<Json> MemoryAdapter::recall(const Json& arguments, const Listener& listener) {
    runtime::RecallRequest request;
    request.bank = text_of(arguments, "bank");
    request.banks = texts_of(arguments, "banks");
    request.question = text_of(arguments, "question");
    request.filter = filter_of(arguments);
    request.passages_max = number_of(arguments, "passages").value_or(request.passages_max);
    request.tokens_max = number_of(arguments, "tokens");
    if (flag_of(arguments, "answer", false)) {
        request.answer.emplace();
        request.answer->interrupted = &listener.cancelled;
        if (listener.on_text)
            request.answer->on_text = [&listener](std::string_view text) {
                listener.on_text(text);
                return true;
            };
    }
    if (listener.on_found)
        request.on_found = [&listener](const runtime::Recollection& found) {
            listener.on_found(found_json(found));
        };
    MC_ASSIGN(const runtime::Recollection found, memory_.recall(request));
    Json result = found_json(found);
    result["answer"] = found.answer ? to_json(*found.answer) : Json();
    return result;
}

Result<Json> MemoryAdapter::read(const Json& arguments) {
    runtime::ReadRequest request;
    request.bank = text_of(arguments, "bank");
    request.document = text_of(arguments, "document");
    request.begin = number_of(arguments, "begin");
    request.end = number_of(arguments, "end");
    request.original = flag_of(arguments, "original", false);
    request.version = {number_of(arguments, "version"), text_of(arguments, "as_of")};
    MC_ASSIGN(const runtime::ReadResult read, memory_.read(request));
    return Json{{"document", to_text(read.document.id)},
                {"source", read.document.source_name},
                {"version", read.document.version},
                {"media_type", read.media_type},
                {"bytes", to_json(read.bytes)},
                {"bytes_total", read.byte_count},
                {"exact", request.original || !find_invalid_utf8(read.text).has_value()},
                {"text", request.original ? std::string() : to_valid_utf8(read.text)},
                {"file", request.original ? Json(encode_base64(read.text)) : Json()}};
}

Result<Json> MemoryAdapter::forget(const Json& arguments) {
    runtime::ForgetRequest request;
    request.bank = text_of(arguments, "bank");
    request.choice.documents = texts_of(arguments, "documents");
    request.choice.all = flag_of(arguments, "all", false);
    if (arguments.contains("begin") || arguments.contains("end"))
        request.choice.bytes.push_back(
            {number_of(arguments, "begin"), number_of(arguments, "end")});
    if (const auto days = number_of(arguments, "older_than_days"))
        request.choice.older_than_us = static_cast<std::int64_t>(*days) * kMicrosecondsPerDay;
    request.reason = text_of(arguments, "reason");
    request.dry_run = flag_of(arguments, "dry_run", true);
    MC_ASSIGN(const runtime::ForgetReport plan, memory_.forget(request));
    Json documents = Json::array();
    const auto add = [&](const DocumentRecord& document, const auto& parts) {
        Json form = to_json(document);
        form["parts"] = Json::array();
        for (const runtime::DocumentPart& part : parts) form["parts"].push_back(to_json(part));
        documents.push_back(std::move(form));
    };
    for (const DocumentRecord& document : plan.documents) add(document, plan.parts);
    const std::vector<runtime::DocumentPart> whole;
    for (const DocumentRecord& version : plan.versions) add(version, whole);
    return Json{{"outcome", request.dry_run ? "would_forget" : "forgotten"},
                {"documents", documents},
                {"versions", plan.versions.size()},
                {"tokens", plan.token_count},
                {"bytes", plan.byte_count}};
}

Result<Json> MemoryAdapter::status() {
    MC_ASSIGN(const runtime::MemoryStatus status, memory_.status());
    Json banks = Json::array();
    for (const runtime::BankSummary& bank : status.banks) banks.push_back(to_json(bank));
    return Json{{"bank", status.bank},
                {"base_model", status.base_model},
                {"encoder", status.encoder},
                {"vectors", status.has_vectors},
                {"gist_fault", status.gist_fault.empty() ? Json() : Json(status.gist_fault)},
                {"banks", banks}};
}

Result<Json> MemoryAdapter::call(Verb verb, const Json& arguments, const Listener& listener) {
    switch (verb) {
        case Verb::kRemember:
            return remember(arguments);
        case Verb::kRecall:
            return recall(arguments, listener);
        case Verb::kRead:
            return read(arguments);
        case Verb::kForget:
            return forget(arguments);
        case Verb::kStatus:
            return status();
    }
    MC_CHECK(false, "a verb of the table");
    return Json();
}

Result<std::vector<std::string>> MemoryAdapter::bank_names() {
    return memory_.bank_names();
}

Result<std::vector<Resource>> MemoryAdapter::resources(const std::string& bank, std::size_t count) {
    MC_ASSIGN(const auto documents, memory_.newest_documents(bank, count));
    std::vector<Resource> resources;
    for (const DocumentRecord& document : documents)
        resources.push_back(
            {to_text(document.id), document.source_name, document.media_type, document.byte_count});
    return resources;
}

Result<Json> MemoryAdapter::documents(const std::string& bank, std::size_t count) {
    MC_ASSIGN(const auto documents, memory_.newest_documents(bank, count));
    Json list = Json::array();
    for (const DocumentRecord& document : documents) list.push_back(to_json(document));
    return Json{{"documents", std::move(list)}};
}

Result<Json> MemoryAdapter::tree(const TreePlace& place) {
    std::optional<std::pair<Level, NodeIndex>> node;
    if (place.level && *place.level > kLevelMax.value)
        return fail(ErrorCode::kInvalidInput,
                    "level must be at most " + std::to_string(kLevelMax.value));
    if (place.level)
        node.emplace(Level(static_cast<std::uint8_t>(*place.level)), NodeIndex(*place.index));
    MC_ASSIGN(const auto step, memory_.walk(place.bank, place.document, node));
    Json pieces = Json::array();
    for (const runtime::TreePiece& piece : step.pieces) {
        const bool is_raw = piece.level == Level(0);
        pieces.push_back(
            {{"level", piece.level.value},
             {"index", is_raw ? Json() : Json(piece.tokens.begin / tokens_per_node(piece.level))},
             {"tokens", to_json(piece.tokens)},
             {"bytes", to_json(piece.bytes)},
             {"text", piece.text}});
    }
    return Json{{"document", to_json(step.document)}, {"pieces", std::move(pieces)}};
}

Result<std::vector<std::vector<float>>> MemoryAdapter::embed(
    const std::vector<std::string>& texts) {
    MC_ASSIGN(TextEmbedder* const embedder, memory_.engine().embedder());
    if (embedder == nullptr) return fail(ErrorCode::kInvalidInput, "no embedder is installed");
    std::vector<std::vector<float>> vectors;
    if (texts.empty()) return vectors;
    MC_ASSIGN(const std::vector<float> flat, embedder->embed(texts));
    const std::size_t dim = flat.size() / texts.size();
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto begin = flat.begin() + static_cast<std::ptrdiff_t>(i * dim);
        vectors.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(dim));
    }
    return vectors;
}

}  // namespace mc::serve
