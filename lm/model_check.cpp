// SPDX-License-Identifier: Apache-2.0
#include "lm/model_check.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "formats/gguf.h"
#include "lm/model/model_file.h"

namespace mc::lm {
namespace {

// Several scripts, a broken character, spellings of control tokens and every byte there is.
std::string sample_bytes() {
    std::string sample =
        "The quick brown fox, 1234567 times.\n\n\tdef f(x):\r\n    return x  # caf\xc3\xa9 "
        "\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x99\x82 \xf0\x9f <|im_start|></s>";
    for (int byte = 0; byte < 256; ++byte) sample += static_cast<char>(byte);
    return sample;
}

void check_tensors(const ModelFile& file, ModelCheck& check) {
    for (const auto& [name, tensor] : file.tensors()) {
        ++check.tensor_count;
        check.value_count += tensor.element_count();
        const auto values = dequantize(tensor);
        if (!values) {
            check.faults.push_back(tensor.name + ": " + values.error().to_string());
            continue;
        }
        const auto bad = std::ranges::count_if(*values, [](float x) { return !std::isfinite(x); });
        if (bad > 0)
            check.faults.push_back(tensor.name + ": " + std::to_string(bad) +
                                   " values are not finite");
    }
}

Result<void> check_forward(const BaseModel& model, ModelCheck& check) {
    const Tokenizer& tokenizer = model.tokenizer();
    const std::string sample = sample_bytes();
    std::vector<TokenId> tokens = tokenizer.encode(sample);
    if (tokenizer.decode(tokens) != sample)
        check.faults.push_back("the tokenizer does not give the bytes of a sample back");
    tokens.resize(std::min<std::size_t>(tokens.size(), model.config().context_length));
    const auto sequence = model.new_sequence();
    MC_ASSIGN(std::vector<float> numbers, sequence->score(tokens));
    numbers.erase(numbers.begin());  // the first token has nothing before it
    MC_ASSIGN(const std::vector<float> logits, sequence->next_logits());
    numbers.insert(numbers.end(), logits.begin(), logits.end());
    if (!std::ranges::all_of(numbers, [](float x) { return std::isfinite(x); }))
        check.faults.push_back("a forward pass gives logits that are not finite");
    return {};
}

}  // namespace

Result<ModelCheck> check_model(const ModelOptions& options, std::optional<Hash128> expected) {
    ModelCheck check;
    {
        MC_ASSIGN(const auto file, ModelFile::open(options.path));
        check.hash = file->hash();
        check_tensors(*file, check);
    }
    if (expected && *expected != check.hash)
        check.faults.push_back("the hash is " + to_hex(check.hash) + ", expected " +
                               to_hex(*expected));
    MC_ASSIGN(const auto model, BaseModel::open(options));
    MC_TRY(check_forward(*model, check));
    return check;
}

}  // namespace mc::lm
