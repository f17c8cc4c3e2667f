// SPDX-License-Identifier: Apache-2.0
#include "runtime/batch_maker.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "documents/kind.h"
#include "runtime/bank_transfer.h"
#include "runtime/gist_maker.h"
#include "runtime/ingest.h"
#include "storage/portable/bank_file_writer.h"

namespace mc::runtime {
namespace {

constexpr std::uint64_t kBatchBytesMax = std::uint64_t{4} << 30;

Result<Path> make_folder() {
    std::error_code error;
    const Path parent = std::filesystem::temp_directory_path(error);
    if (error) return fail(system_error(error.value(), "no folder for temporary files:", parent));
    std::string name = (parent / "megacontext-batch-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        return fail(system_error(errno, "cannot make a folder", name));
    return Path(name);
}

}  // namespace

Result<std::unique_ptr<BatchMaker>> BatchMaker::open(const Config& config,
                                                     telemetry::Metrics& metrics,
                                                     const std::atomic<bool>* cancelled) {
    MC_ASSIGN(Path folder, make_folder());
    std::unique_ptr<BatchMaker> maker(new BatchMaker(std::move(folder), cancelled));
    Config own = config;
    own.store = maker->folder_ / "store";
    own.embedder = "none";  // nobody searches here
    MC_ASSIGN(maker->engine_, Engine::open(own, Need::kModel, Access::kWrite, metrics));
    return maker;
}

BatchMaker::~BatchMaker() {
    engine_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

Result<MadeBatch> BatchMaker::make(BatchSource source) {
    IngestOptions options;
    options.size_bytes_max = engine_->config().ingest_bytes_max;
    options.cancelled = cancelled_;
    options.media_type = source.media_type;
    std::optional<documents::Kind> kind;
    if (!source.content.empty()) {
        MC_ASSIGN(kind, documents::detect_kind(source.content, source.name));
    }
    MC_ASSIGN(const SourceText text,
              source_of_bytes(std::move(source.content), source.name, kind, options));
    options.metadata = metadata_of(text);
    if (text.original) options.original = &*text.original;

    // A bank for each: what an earlier document left is none of the next one's.
    MC_ASSIGN(const auto session,
              BankSession::open(*engine_, "batch" + std::to_string(++made_), true));
    MC_ASSIGN(const IngestReport report,
              ingest_text(*session, source.name, text.text, options, {}));
    GistOptions gist_options;
    gist_options.cancelled = cancelled_;
    MadeBatch made;
    MC_ASSIGN(made.gists, make_gists(*session, report.document.id, gist_options));
    storage::ExportOptions exported;
    exported.with_gists = true;
    exported.text_of = text_by(engine_->tokenizer());
    exported.cancelled = cancelled_;
    const Path file = folder_ / "batch";
    MC_TRY(storage::export_bank(engine_->store(), session->nodes(), file, exported));
    MC_ASSIGN(made.bytes, read_file(file, kBatchBytesMax));
    made.tokens = report.document.token_count;
    NodeStore& nodes = session->nodes();
    const Tombstone end{report.document.id, engine_->clock().now_us(), made.tokens, ""};
    MC_TRY(nodes.announce_forgets(std::span(&end, 1)));
    MC_TRY(nodes.forget(end.document));
    return made;
}

}  // namespace mc::runtime
