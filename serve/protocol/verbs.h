// SPDX-License-Identifier: Apache-2.0
// What an agent may ask of the memory: five verbs, described once for every protocol, and the port
// that does them.
//
// A description is what a model reads to choose and fill a tool, so it is short: together they take
// less than 1,500 tokens of every context that they stand in. Threads: the table is constant; a
// Memory port is called by one thread at a time.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/protocol/json.h"

namespace mc::serve {

enum class Verb { kRemember, kRecall, kRead, kForget, kStatus };

inline constexpr std::array kVerbs = {Verb::kRemember, Verb::kRecall, Verb::kRead, Verb::kForget,
                                      Verb::kStatus};

struct VerbInfo {
    std::string_view name;
    std::string_view description;
    bool read_only = false;
    bool destructive = false;
    bool idempotent = false;
    std::string_view input;   // a JSON Schema of an object
    std::string_view output;  // likewise
};

const VerbInfo& verb_info(Verb verb);
std::optional<Verb> find_verb(std::string_view name);

// The schemas as values.
Json input_schema(Verb verb);
Json output_schema(Verb verb);

// A document as something that can be listed and read.
struct Resource {
    std::string document;  // "d7"
    std::string name;
    std::string media_type;
    std::uint64_t size_bytes = 0;
};

// A node of a document's tree; without level and index its top.
struct TreePlace {
    std::string bank;
    std::string document;
    std::optional<std::uint64_t> level;
    std::optional<std::uint64_t> index;
};

// Who waits for a call, and what they want to hear before its end. Called on the thread that does
// it.
struct Listener {
    const std::atomic<bool>& cancelled;  // stops an answer that is being written
    // recall: the result without its answer, before that is begun.
    std::function<void(const Json& found)> on_found = {};
    // recall: the answer as it is written; the pieces together are its text.
    std::function<void(std::string_view text)> on_text = {};
};

// How far a document has been taken in.
struct Progress {
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes_total = 0;
    std::uint64_t tokens_done = 0;
};

// Port: a document that is taken in step by step, each of a second or so. What a step has done
// stays; between two of them the memory may be asked anything else.
class LongRemember {
  public:
    virtual ~LongRemember() = default;

    // What remember gives, when that was the last step.
    virtual Result<std::optional<Json>> step() = 0;
    virtual Progress progress() const = 0;
};

// Of a document's text: as much as remember takes in one call, or as a file may have.
enum class Length { kShort, kLong };

// In `banks` of a recall: every bank.
inline constexpr std::string_view kAllBanks = "*";

// Port: the memory behind the protocols. serve/ implements it on runtime::Memory; tests in memory.
class MemoryPort {
  public:
    virtual ~MemoryPort() = default;

    // Requires: arguments fit the verb's input schema. The result fits its output schema.
    virtual Result<Json> call(Verb verb, const Json& arguments, const Listener& listener) = 0;

    // remember in steps. Requires: arguments fit its input schema and name no session. Borrows the
    // memory.
    virtual Result<std::unique_ptr<LongRemember>> begin_remember(const Json& arguments,
                                                                 Length length) = 0;

    // The banks that may be asked, by name.
    virtual Result<std::vector<std::string>> bank_names() = 0;

    // The newest documents of a bank, newest first; empty: of the configured one.
    virtual Result<std::vector<Resource>> resources(const std::string& bank, std::size_t count) = 0;

    // The same documents with all that is known of them.
    virtual Result<Json> documents(const std::string& bank, std::size_t count) = 0;

    // The document, and the pieces that its tree has at or below a place.
    virtual Result<Json> tree(const TreePlace& place) = 0;

    // What the embedder makes of texts. kInvalidInput where none is installed.
    virtual Result<std::vector<std::vector<float>>> embed(
        const std::vector<std::string>& texts) = 0;
};

// Checks the arguments, then calls. The one way from a protocol to the memory.
Result<Json> call_checked(MemoryPort& memory, Verb verb, const Json& arguments,
                          const Listener& listener);
Result<std::unique_ptr<LongRemember>> begin_checked(MemoryPort& memory, const Json& arguments,
                                                    Length length);

}  // namespace mc::serve
