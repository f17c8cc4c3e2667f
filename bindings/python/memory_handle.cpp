// SPDX-License-Identifier: Apache-2.0
#include "bindings/python/memory_handle.h"

#include <nlohmann/json.hpp>

#include "core/check.h"
#include "serve/forms.h"
#include "serve/http/queued_memory.h"
#include "serve/protocol/json.h"

namespace mc::python {
namespace {

// The longest file that remember() takes as base64, which is more than its longest text with every
// byte escaped, and room for what stands beside it: whatever is longer is refused by the verb in
// its own words, or is no request.
constexpr std::size_t kArgumentBytesMax = 2 * runtime::kFileBytesMax;

Error closed() {
    return {ErrorCode::kUsage, "this memory is closed"};
}

}  // namespace

Result<std::unique_ptr<MemoryHandle>> MemoryHandle::open(const SettingTexts& settings) {
    MC_ASSIGN(Config config, resolve_arguments(settings));
    std::unique_ptr<MemoryHandle> handle(new MemoryHandle(std::move(config)));
    MC_TRY(handle->thread_.run([&]() -> Result<void> {
        MC_ASSIGN(handle->memory_, runtime::Memory::open(handle->config_, handle->metrics_));
        handle->adapter_ = std::make_unique<serve::MemoryAdapter>(*handle->memory_);
        return {};
    }));
    return handle;
}

MemoryHandle::~MemoryHandle() {
    const auto done = close();
    MC_CHECK(done.has_value(), done.error().to_string());
}

Result<std::string> MemoryHandle::call(const std::string& verb, const std::string& arguments) {
    const auto known = serve::find_verb(verb);
    MC_CHECK(known.has_value(), verb);
    MC_ASSIGN(const serve::Json request, serve::parse_json(arguments, kArgumentBytesMax));
    const bool is_message = request.is_object() && request.contains("session");
    if (*known == serve::Verb::kRemember && !is_message) return remember_document(request);
    return thread_.run(
        [&]() -> Result<std::string> {
            if (adapter_ == nullptr) return fail(closed());
            const std::atomic<bool> cancelled = false;
            MC_ASSIGN(const serve::Json result,
                      serve::call_checked(*adapter_, *known, request, {cancelled}));
            return serve::to_line(result);
        },
        serve::order_of(*known, request));
}

// Step by step, so that another thread's question waits for a step. The caller waits for all of
// them, so the text may be as long as one that is taken with word of how far it has come.
Result<std::string> MemoryHandle::remember_document(const serve::Json& request) {
    std::unique_ptr<serve::LongRemember> work;
    MC_TRY(thread_.run([&]() -> Result<void> {
        if (adapter_ == nullptr) return fail(closed());
        MC_ASSIGN(work, serve::begin_checked(*adapter_, request, serve::Length::kLong));
        return {};
    }));
    while (true) {
        MC_ASSIGN(const auto done, thread_.run([&]() -> Result<std::optional<serve::Json>> {
            if (adapter_ == nullptr) return fail(closed());
            return work->step();
        }));
        if (done) return serve::to_line(*done);
    }
}

Result<std::string> MemoryHandle::documents(const std::string& bank, std::size_t count) {
    return thread_.run([&]() -> Result<std::string> {
        if (memory_ == nullptr) return fail(closed());
        MC_ASSIGN(const auto documents, memory_->newest_documents(bank, count));
        serve::Json list = serve::Json::array();
        for (const DocumentRecord& document : documents) list.push_back(serve::to_json(document));
        return serve::to_line(list);
    });
}

Result<void> MemoryHandle::close() {
    return thread_.run([&]() -> Result<void> {
        adapter_.reset();
        memory_.reset();
        return {};
    });
}

}  // namespace mc::python
