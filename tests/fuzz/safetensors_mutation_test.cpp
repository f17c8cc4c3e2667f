// SPDX-License-Identifier: Apache-2.0
// Damages a small valid safetensors file 50,000 times: the bytes at random, and the numbers of its
// header. Reading ends in a value whose tensors lie within the file, or in an error, never in a
// crash; the asan preset makes that a strong claim.
#include <gtest/gtest.h>

#include <iostream>
#include <numeric>

#include "tests/formats/safetensors_bytes.h"
#include "tests/fuzz/mutations.h"

namespace mc::lm::test {
namespace {

constexpr int kMutationCount = 50'000;

constexpr std::string_view kHeader = R"({"__metadata__":{"format":"pt","note":"\u00e9"},)"
                                     R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                                     R"("b":{"dtype":"BF16","shape":[],"data_offsets":[24,26]},)"
                                     R"("c":{"dtype":"I64","shape":[0,5],"data_offsets":[26,26]},)"
                                     R"("d":{"dtype":"U8","shape":[6],"data_offsets":[26,32]}})";

std::string with_data(const std::string& header) {
    return safetensors_bytes(header, std::string(32, '\3'));
}

// Replaces one number of the header by another, so that the text stays JSON.
std::string with_other_number(Rng& rng) {
    static const std::string numbers[] = {"0",
                                          "1",
                                          "2",
                                          "6",
                                          "24",
                                          "26",
                                          "27",
                                          "32",
                                          "4294967296",
                                          "-1",
                                          "1.5",
                                          "1e9",
                                          "18446744073709551615",
                                          "[]",
                                          "null"};
    std::string header(kHeader);
    std::vector<std::size_t> begins;
    for (std::size_t i = header.find("\"a\""); i < header.size(); ++i)
        if ((header[i - 1] == '[' || header[i - 1] == ',') && header[i] >= '0' && header[i] <= '9')
            begins.push_back(i);
    for (std::uint64_t count = 1 + rng.below(2); count > 0; --count) {
        const std::size_t begin = begins[rng.below(begins.size())];
        const std::size_t end = header.find_first_of(",]", begin);
        const std::string& number = numbers[rng.below(std::size(numbers))];
        if (end == std::string::npos) continue;
        // Of the same width where possible: later numbers then stay where they were found.
        header.replace(begin, end - begin, number);
        if (number.size() != end - begin) break;
    }
    return with_data(header);
}

struct Outcomes {
    int refused = 0;
    int read = 0;
};

void use(const std::string& bytes, Outcomes& outcomes) {
    const auto file = parse_safetensors(bytes);
    if (!file) {
        EXPECT_EQ(file.error().code(), ErrorCode::kInvalidInput);
        ++outcomes.refused;
        return;
    }
    ++outcomes.read;
    std::uint64_t size = 0;
    std::uint64_t sum = 0;
    for (const SafetensorsTensor& tensor : (*file)->tensors()) {
        std::uint64_t count = 1;
        for (const std::uint64_t extent : tensor.shape) count *= extent;
        EXPECT_EQ(tensor.element_count(), count);
        // Reads every byte, which asan watches.
        size += tensor.data.size();
        sum += std::accumulate(tensor.data.begin(), tensor.data.end(), 0U,
                               [](unsigned a, auto b) { return a + std::to_integer<unsigned>(b); });
        EXPECT_EQ((*file)->find_tensor(tensor.name), &tensor);
    }
    EXPECT_LE(sum, 255 * size);
    EXPECT_LE(size + 10, bytes.size()) << "no byte is in two tensors";
}

TEST(SafetensorsMutation, damaged_files_are_refused_or_read_and_never_crash) {
    constexpr std::uint64_t kSeed = 20240229;
    std::cout << "seed " << kSeed << ", " << kMutationCount << " mutations\n";
    const std::string valid = with_data(std::string(kHeader));
    Outcomes outcomes;
    use(valid, outcomes);
    ASSERT_EQ(outcomes.read, 1) << "the file to be damaged must be valid";
    Rng rng(kSeed);
    for (int i = 0; i < kMutationCount && !HasFatalFailure(); ++i) {
        SCOPED_TRACE("mutation " + std::to_string(i));
        use(i % 2 == 0 ? mc::test::mutate(valid, rng) : with_other_number(rng), outcomes);
    }
    std::cout << outcomes.refused << " refused, " << outcomes.read << " read\n";
    // Both kinds must occur, or the mutations are too wild or too tame to test anything.
    EXPECT_GT(outcomes.refused, kMutationCount / 10);
    EXPECT_GT(outcomes.read, kMutationCount / 100);
}

}  // namespace
}  // namespace mc::lm::test
