// SPDX-License-Identifier: Apache-2.0
// How fast sentences become vectors, in each number format of this processor.
//
// embedder_bench FOLDER TEXT: 1,024 sentences of a text (cut after . ! ?). The formats' vectors are
// compared before anything is timed; "tokens/s" is by the clock, "tokens/cpu-s" by processor time,
// which other work on the machine disturbs less.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <numeric>

#include "core/files.h"
#include "embedder/bert_folder.h"
#include "embedder/products.h"
#include "embedder/sentence_embedder.h"

namespace mc::bench {
namespace {

constexpr std::size_t kSentences = 1024;
constexpr double kCosineMin = 0.999;

std::vector<std::string> sentences_of(const std::string& text) {
    std::vector<std::string> sentences(1);
    for (std::size_t i = 0; i < text.size() && sentences.size() <= kSentences; ++i) {
        sentences.back() += text[i] == '\n' ? ' ' : text[i];
        const bool ends = text[i] == '.' || text[i] == '!' || text[i] == '?';
        if (ends && i + 1 < text.size() && (text[i + 1] == ' ' || text[i + 1] == '\n'))
            sentences.emplace_back();
    }
    sentences.pop_back();
    return sentences;
}

double least_cosine(const std::vector<float>& a, const std::vector<float>& b, std::size_t dim) {
    double least = 1;
    for (std::size_t i = 0; i < a.size(); i += dim)
        least = std::min(least,
                         std::inner_product(a.data() + i, a.data() + i + dim, b.data() + i, 0.0));
    return least;
}

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void time_embedding(benchmark::State& state, TextEmbedder& embedder,
                    const std::vector<std::string>& sentences, std::size_t token_count) {
    const double begin = cpu_seconds();
    for (auto _ : state) benchmark::DoNotOptimize(embedder.embed(sentences).value());
    const double tokens =
        static_cast<double>(token_count) * static_cast<double>(state.iterations());
    state.counters["tokens/s"] = benchmark::Counter(tokens, benchmark::Counter::kIsRate);
    state.counters["tokens/cpu-s"] = tokens / (cpu_seconds() - begin);
}

std::unique_ptr<TextEmbedder> open(const Path& folder, embedder::Precision precision) {
    auto opened = embedder::open_sentence_embedder(folder, {0, precision});
    if (opened) return std::move(*opened);
    std::fprintf(stderr, "%s\n", opened.error().to_string().c_str());
    std::exit(EXIT_FAILURE);
}

struct Formats {
    std::unique_ptr<TextEmbedder> f32;
    std::unique_ptr<TextEmbedder> f16;  // null where the processor has none
};

// The formats of this processor, once their vectors are alike.
Formats open_formats(const Path& folder, const std::vector<std::string>& sentences) {
    Formats formats{open(folder, embedder::Precision::kF32), nullptr};
    if (!embedder::has_f16_products()) return formats;
    formats.f16 = open(folder, embedder::Precision::kF16);
    const double cosine =
        least_cosine(formats.f32->embed(sentences).value(), formats.f16->embed(sentences).value(),
                     formats.f32->info().dim);
    std::printf("least cosine of f16 with f32: %.6f\n", cosine);
    if (cosine >= kCosineMin) return formats;
    std::fprintf(stderr, "the vectors differ: nothing is timed\n");
    std::exit(EXIT_FAILURE);
}

std::size_t count_tokens(const Path& folder, const std::vector<std::string>& sentences) {
    const auto files = embedder::BertFolder::open(folder).value();
    std::size_t count = 0;
    for (const std::string& sentence : sentences)
        count += files->word_piece().encode(sentence, files->config().tokens_max).size();
    return count;
}

void run(int argc, char** argv, const Path& folder, const std::string& text) {
    const std::vector<std::string> sentences = sentences_of(text);
    const Formats formats = open_formats(folder, sentences);
    const std::size_t tokens = count_tokens(folder, sentences);
    std::printf("%zu sentences, %zu tokens\n", sentences.size(), tokens);
    const auto add = [&](const char* name, TextEmbedder& embedder) {
        benchmark::RegisterBenchmark(name,
                                     [&, tokens](benchmark::State& state) {
                                         time_embedding(state, embedder, sentences, tokens);
                                     })
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
    };
    add("sentences/f32", *formats.f32);
    if (formats.f16) add("sentences/f16", *formats.f16);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}

}  // namespace
}  // namespace mc::bench

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: embedder_bench FOLDER TEXT [benchmark options]\n");
        return EXIT_FAILURE;
    }
    const auto text = mc::read_file(argv[2], 1 << 24);
    if (!text) {
        std::fprintf(stderr, "%s\n", text.error().to_string().c_str());
        return EXIT_FAILURE;
    }
    mc::bench::run(argc - 2, argv + 2, argv[1], *text);
    return EXIT_SUCCESS;
}
