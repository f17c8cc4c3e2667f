// SPDX-License-Identifier: Apache-2.0
// How long OpenMP's waiting threads spin before they sleep: fractions of a millisecond instead of
// libgomp's milliseconds.
//
// libgomp asks for GOMP_SPINCOUNT once, when it is loaded, which is before any line of this program
// runs, and takes no wish afterwards. It asks getenv(), and where a program has a getenv() of its
// own that one is asked, so the answer is given here (docs/adr/0017-bounded-waiting.md). All other
// names, and a user's own GOMP_SPINCOUNT or OMP_WAIT_POLICY, are answered from the environment.
// Threads: as libc's getenv().
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace {

// Pauses: some 0.2 ms where one takes 140 cycles. The gaps between two parallel loops of a forward
// pass are shorter; a core that another program wants is lent for no longer.
char kSpinCount[] = "4000";

char* value_in_environment(std::string_view name) {
    if (environ == nullptr) return nullptr;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        if (text.size() > name.size() && text[name.size()] == '=' && text.starts_with(name))
            return *entry + name.size() + 1;
    }
    return nullptr;
}

}  // namespace

extern "C" char* getenv(const char* name) noexcept {
    char* const value = value_in_environment(name);
    const bool is_asked_by_libgomp = std::string_view(name) == "GOMP_SPINCOUNT";
    if (value == nullptr && is_asked_by_libgomp &&
        value_in_environment("OMP_WAIT_POLICY") == nullptr)
        return kSpinCount;
    return value;
}
