// SPDX-License-Identifier: Apache-2.0
#include "eval/stream/stream_suite.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "core/span_math.h"
#include "eval/measure/document_plan.h"
#include "eval/measure/line_log.h"
#include "eval/report/record_json.h"
#include "eval/stream/stream_report.h"
#include "runtime/stream/stream_reader.h"

namespace mc::eval {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kTaskVersion = 1;
constexpr std::string_view kGistsRow = "gists";
constexpr std::string_view kAnewRow = "anew";
constexpr std::uint64_t kChunkTokens = kStreamChunkBlocks * kBlockSize;

struct Stream {
    std::string name;
    Hash128 content_hash;
    std::vector<TokenId> tokens;
};

double mean(std::span<const float> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// A row's window over one document.
class RowReader {
  public:
    virtual ~RowReader() = default;
    // The mean NLL of the block that begins at a token; NaN where the row does not read it.
    virtual Result<double> read(std::uint64_t begin) = 0;
    virtual std::uint64_t entries() const = 0;
    virtual std::uint64_t edits() const = 0;
};

class WindowRow final : public RowReader {
  public:
    WindowRow(std::span<const TokenId> tokens, std::unique_ptr<runtime::StreamReader> reader)
        : tokens_(tokens), reader_(std::move(reader)) {}

    Result<double> read(std::uint64_t begin) override {
        MC_ASSIGN(const auto nll, reader_->read(tokens_.subspan(begin, kBlockSize)));
        return mean(nll);
    }

    std::uint64_t entries() const override { return reader_->counts().entries(); }

    std::uint64_t edits() const override { return reader_->counts().edits; }

  private:
    std::span<const TokenId> tokens_;
    std::unique_ptr<runtime::StreamReader> reader_;
};

class AnewRow final : public RowReader {
  public:
    AnewRow(std::span<const TokenId> tokens, const lm::BaseModel& model, std::uint64_t budget)
        : tokens_(tokens), model_(model), budget_(budget) {}

    // Of every sixteenth block: the others would tell the same at sixteen times the cost.
    Result<double> read(std::uint64_t begin) override {
        if (begin / kBlockSize % kStreamChunkBlocks + 1 != kStreamChunkBlocks) return std::nan("");
        const std::uint64_t context = std::min(begin, budget_ - 1 - kBlockSize);
        std::vector<TokenId> read = {model_.tokenizer().bos()};
        const auto before = tokens_.subspan(begin - context, context);
        read.insert(read.end(), before.begin(), before.end());
        const auto sequence = model_.new_sequence();
        const lm::Segment segment = lm::Segment::of_tokens(std::move(read));
        MC_TRY(sequence->append(std::span(&segment, 1)));
        MC_ASSIGN(const auto nll, sequence->score(tokens_.subspan(begin, kBlockSize)));
        entries_ = sequence->length();
        return mean(nll);
    }

    std::uint64_t entries() const override { return entries_; }

    std::uint64_t edits() const override { return 0; }

  private:
    std::span<const TokenId> tokens_;
    const lm::BaseModel& model_;
    std::uint64_t budget_;
    std::uint64_t entries_ = 0;
};

class StreamSuite {
  public:
    StreamSuite(const lm::BaseModel& model, GistEncoder& encoder, const Clock& clock,
                const StreamSuiteOptions& options, const StreamSuiteProgress& progress,
                const std::atomic<bool>* cancelled)
        : model_(model),
          encoder_(encoder),
          clock_(clock),
          options_(options),
          progress_(progress),
          cancelled_(cancelled) {}

    Result<SuiteReport> run();

  private:
    using Key = std::tuple<std::string, std::string, std::uint64_t>;  // document, row, budget

    Result<void> read_documents();
    std::string configuration() const;
    Result<void> open_log();
    Result<void> read_row(const Stream& stream, const std::string& row, std::uint64_t budget);
    Result<std::unique_ptr<RowReader>> make_row(const Stream& stream, const std::string& row,
                                                std::uint64_t budget);
    Result<StreamReading> read_chunk(RowReader& reader, StreamReading reading);

    // The whole row has one budget, its own.
    std::uint64_t budget_of(const std::string& row, std::uint64_t budget) const {
        return row == kWholeRow ? model_.config().context_length : budget;
    }

    const lm::BaseModel& model_;
    GistEncoder& encoder_;
    const Clock& clock_;
    const StreamSuiteOptions& options_;
    const StreamSuiteProgress& progress_;
    const std::atomic<bool>* cancelled_;
    std::vector<Stream> streams_;
    std::unique_ptr<LineLog> log_;
    std::vector<StreamReading> readings_;
    std::set<Key> done_;
    std::uint64_t tokens_done_ = 0;
    std::uint64_t tokens_total_ = 0;
};

Result<void> StreamSuite::read_documents() {
    const std::uint64_t least = model_.config().context_length + kChunkTokens;
    for (const Path& path : options_.documents) {
        MC_ASSIGN(const std::string content, read_file(path, kDocumentBytesMax));
        Stream stream{path.string(), xxh3_128(std::as_bytes(std::span(content))),
                      model_.tokenizer().encode(content)};
        const std::uint64_t wanted = std::min<std::uint64_t>(options_.tokens, stream.tokens.size());
        stream.tokens.resize(wanted / kChunkTokens * kChunkTokens);
        if (stream.tokens.size() < least)
            return fail(ErrorCode::kInvalidInput,
                        stream.name + " has " + std::to_string(wanted) + " tokens to read; " +
                            std::to_string(least) + " are needed, and those behind the first " +
                            std::to_string(model_.config().context_length) + " count");
        streams_.push_back(std::move(stream));
    }
    return {};
}

std::string StreamSuite::configuration() const {
    Json documents = Json::array();
    for (const Stream& stream : streams_)
        documents.push_back({{"name", stream.name},
                             {"hash", to_hex(stream.content_hash)},
                             {"tokens", stream.tokens.size()}});
    const Json configuration{{"task", "stream"},
                             {"task_version", kTaskVersion},
                             {"model_hash", to_hex(model_.hash())},
                             {"encoder", encoder_.info().name},
                             {"encoder_hash", to_hex(encoder_.info().hash)},
                             {"device", model_.device_description()},
                             {"documents", documents},
                             {"budgets", options_.budgets},
                             {"rows", options_.rows}};
    return json_text(configuration, -1);
}

// A row of a document that was not read to its end is read again.
Result<void> StreamSuite::open_log() {
    const Path path = options_.output / "stream.jsonl";
    MC_ASSIGN(log_, LineLog::open(path, configuration()));
    std::size_t kept = 0;
    const auto lines = log_->take_lines();
    std::vector<StreamReading> unfinished;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto parsed = parse_stream_reading(lines[i]);
        if (!parsed)
            return fail(std::move(parsed.error())
                            .add_context(path.string() + " line " + std::to_string(i + 2)));
        StreamReading reading = std::move(*parsed);
        const Key key{reading.document, reading.row, reading.budget};
        const auto stream = std::ranges::find(streams_, reading.document, &Stream::name);
        const bool ends =
            stream != streams_.end() && reading.begin + kChunkTokens == stream->tokens.size();
        unfinished.push_back(std::move(reading));
        if (!ends) continue;
        kept = i + 1;
        done_.insert(key);
        for (StreamReading& one : unfinished) readings_.push_back(std::move(one));
        unfinished.clear();
    }
    return log_->keep(kept);
}

Result<std::unique_ptr<RowReader>> StreamSuite::make_row(const Stream& stream,
                                                         const std::string& row,
                                                         std::uint64_t budget) {
    if (row == kAnewRow)
        return std::unique_ptr<RowReader>(std::make_unique<AnewRow>(stream.tokens, model_, budget));
    GistEncoder* const encoder = row == kGistsRow ? &encoder_ : nullptr;
    MC_ASSIGN(auto reader, runtime::StreamReader::make(model_, encoder, budget));
    return std::unique_ptr<RowReader>(
        std::make_unique<WindowRow>(stream.tokens, std::move(reader)));
}

Result<StreamReading> StreamSuite::read_chunk(RowReader& reader, StreamReading reading) {
    const std::uint64_t edits = reader.edits();
    for (std::size_t block = 0; block < kStreamChunkBlocks; ++block) {
        if (cancelled_ && cancelled_->load()) return fail(ErrorCode::kCancelled, "interrupted");
        const std::int64_t begin_ns = clock_.monotonic_ns();
        MC_ASSIGN(const double nll, reader.read(reading.begin + block * kBlockSize));
        reading.nll.push_back(nll);
        reading.ms.push_back(seconds_between(begin_ns, clock_.monotonic_ns()) * 1e3);
    }
    reading.entries = reader.entries();
    reading.edits = reader.edits() - edits;
    return reading;
}

Result<void> StreamSuite::read_row(const Stream& stream, const std::string& row,
                                   std::uint64_t budget) {
    const bool is_done = !done_.insert({stream.name, row, budget}).second;
    if (is_done) {
        tokens_done_ += stream.tokens.size();
        return {};
    }
    MC_ASSIGN(const auto reader, make_row(stream, row, budget));
    for (std::uint64_t begin = 0; begin < stream.tokens.size(); begin += kChunkTokens) {
        MC_ASSIGN(StreamReading reading,
                  read_chunk(*reader, {stream.name, row, budget, begin, 0, 0, {}, {}}));
        const std::string line = to_line(reading);
        MC_TRY(log_->append({line}));
        MC_ASSIGN(reading, parse_stream_reading(line));
        readings_.push_back(std::move(reading));
        tokens_done_ += kChunkTokens;
        if (progress_) progress_(tokens_done_, tokens_total_);
    }
    return {};
}

Result<SuiteReport> StreamSuite::run() {
    MC_TRY(read_documents());
    MC_TRY(open_log());
    std::set<Key> planned;
    std::vector<std::tuple<const Stream*, std::string, std::uint64_t>> work;
    for (const Stream& stream : streams_)
        for (const std::uint64_t budget : options_.budgets)
            for (const std::string& row : options_.rows)
                if (planned.insert({stream.name, row, budget_of(row, budget)}).second)
                    work.emplace_back(&stream, row, budget_of(row, budget));
    for (const auto& [stream, row, budget] : work) tokens_total_ += stream->tokens.size();
    for (const auto& [stream, row, budget] : work) MC_TRY(read_row(*stream, row, budget));
    const auto cells = measure_stream(readings_, model_.config().context_length, options_.seed);
    return write_suite_report(
        log_->path(), stream_table(cells, streams_.size(), options_.command_line),
        stream_results(cells, configuration(), options_.command_line, options_.seed),
        stream_plots(readings_));
}

}  // namespace

Result<SuiteReport> run_stream_suite(const lm::BaseModel& model, GistEncoder& encoder,
                                     const Clock& clock, const StreamSuiteOptions& options,
                                     const StreamSuiteProgress& progress,
                                     const std::atomic<bool>* cancelled) {
    static const std::set<std::string, std::less<>> known = {
        std::string(kGistsRow), std::string(kRecentRow), std::string(kAnewRow),
        std::string(kWholeRow)};
    for (const std::string& row : options.rows)
        if (!known.contains(row))
            return fail(ErrorCode::kUsage,
                        "no row is called " + row + "; rows are gists, recent, anew and whole");
    std::error_code ignored;
    std::filesystem::create_directories(options.output, ignored);
    StreamSuite suite(model, encoder, clock, options, progress, cancelled);
    return suite.run();
}

}  // namespace mc::eval
