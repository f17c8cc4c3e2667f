// SPDX-License-Identifier: Apache-2.0
// What busy neighbours cost, and what waiting politely costs when there are none:
// contention_bench MODEL [ROUNDS].
//
// Two children load the model, one that waits as the program does and one with libgomp's default
// (GOMP_SPINCOUNT=300000). Round by round each measures prefill and decode alone, then beside as
// many busy processes as there are cores. Medians are printed, and ratios of one run: numbers of
// two runs say little on a machine that is not one's own.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "core/rng.h"
#include "lm/base_model.h"

namespace mc::bench {
namespace {

constexpr std::size_t kPromptTokens = 512;
constexpr std::size_t kDecodedTokens = 48;
constexpr double kSecondsPerNumber = 1;

struct Speeds {
    double prefill = 0;  // tokens/s
    double decode = 0;
};

double seconds_now() {
    using Clock = std::chrono::steady_clock;
    return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

// Tokens/s of a body that handles so many tokens, over a second at least.
template <class Body>
double speed_of(std::size_t tokens, const Body& body) {
    const double begin = seconds_now();
    std::size_t runs = 0;
    do {
        body();
        ++runs;
    } while (seconds_now() - begin < kSecondsPerNumber);
    return static_cast<double>(runs * tokens) / (seconds_now() - begin);
}

void require(bool fine, const char* what) {
    if (fine) return;
    std::fprintf(stderr, "contention_bench: %s\n", what);
    std::_Exit(1);
}

Speeds measure(const lm::BaseModel& model, const std::vector<TokenId>& tokens) {
    const std::vector<lm::Segment> prompt = {lm::Segment::of_tokens(tokens)};
    Speeds speeds;
    speeds.prefill = speed_of(kPromptTokens, [&] {
        require(model.new_sequence()->append(prompt).has_value(), "prefill failed");
    });
    const auto sequence = model.new_sequence();
    speeds.decode = speed_of(kDecodedTokens, [&] {
        for (std::size_t i = 0; i < kDecodedTokens; ++i)
            require(sequence->append_token(tokens[i]).has_value(), "decode failed");
        sequence->truncate(0);
    });
    return speeds;
}

// A child: measures whenever a byte comes in, until its parent is gone.
int serve(const char* model_path) {
    lm::ModelOptions options;
    options.path = model_path;
    const auto model = lm::BaseModel::open(options);
    require(model.has_value(), "cannot open the model");
    Rng rng(1);
    std::vector<TokenId> tokens;
    for (std::size_t i = 0; i < kPromptTokens; ++i)
        tokens.push_back(static_cast<TokenId>(300 + rng.below(20'000)));
    measure(**model, tokens);  // warms up
    for (char byte = 0; ::read(STDIN_FILENO, &byte, 1) == 1;) {
        const Speeds speeds = measure(**model, tokens);
        std::printf("%.2f %.2f\n", speeds.prefill, speeds.decode);
        std::fflush(stdout);
    }
    return 0;
}

class Child {
  public:
    Child(const char* program, const char* model, const char* spin_count) {
        int to[2];
        int from[2];
        // Closed on exec, or a child holds its own end open and waits for ever.
        require(::pipe2(to, O_CLOEXEC) == 0 && ::pipe2(from, O_CLOEXEC) == 0, "no pipe");
        pid_ = ::fork();
        require(pid_ >= 0, "no child");
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::dup2(to[0], STDIN_FILENO);
            ::dup2(from[1], STDOUT_FILENO);
            ::unsetenv("OMP_WAIT_POLICY");
            if (spin_count != nullptr)
                ::setenv("GOMP_SPINCOUNT", spin_count, 1);
            else
                ::unsetenv("GOMP_SPINCOUNT");
            ::execl(program, program, "--serve", model, static_cast<char*>(nullptr));
            std::_Exit(127);
        }
        ::close(to[0]);
        ::close(from[1]);
        to_ = to[1];
        from_ = ::fdopen(from[0], "r");
    }

    ~Child() {
        ::close(to_);
        ::waitpid(pid_, nullptr, 0);
        std::fclose(from_);
    }

    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    Speeds measure() {
        Speeds speeds;
        require(::write(to_, "m", 1) == 1 &&
                    std::fscanf(from_, "%lf %lf", &speeds.prefill, &speeds.decode) == 2,
                "a child ended early");
        return speeds;
    }

  private:
    pid_t pid_;
    int to_;
    std::FILE* from_;
};

// Processes that want a core each, for as long as this lives.
class BusyNeighbours {
  public:
    explicit BusyNeighbours(unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            const pid_t pid = ::fork();
            require(pid >= 0, "no neighbour");
            if (pid == 0) {
                ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (volatile unsigned turns = 0;;) turns = turns + 1;
            }
            pids_.push_back(pid);
        }
    }

    ~BusyNeighbours() {
        for (const pid_t pid : pids_) {
            ::kill(pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
        }
    }

    BusyNeighbours(const BusyNeighbours&) = delete;
    BusyNeighbours& operator=(const BusyNeighbours&) = delete;

  private:
    std::vector<pid_t> pids_;
};

double median(const std::vector<Speeds>& runs, double Speeds::*what) {
    std::vector<double> values;
    for (const Speeds& run : runs) values.push_back(run.*what);
    std::ranges::sort(values);
    return values[values.size() / 2];
}

int compare(const char* program, const char* model, int rounds) {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    Child ours(program, model, nullptr);
    Child spinning(program, model, "300000");
    std::vector<Speeds> quiet[2];
    std::vector<Speeds> busy[2];
    for (int round = 0; round < rounds; ++round) {
        quiet[0].push_back(ours.measure());
        quiet[1].push_back(spinning.measure());
        const BusyNeighbours neighbours(cores);
        busy[0].push_back(ours.measure());
        busy[1].push_back(spinning.measure());
    }
    std::printf("tokens/s, medians of %d rounds, %u cores and as many busy processes\n", rounds,
                cores);
    std::printf("%-8s %-9s %9s %9s %12s %24s\n", "", "waiting", "alone", "beside", "beside/alone",
                "alone, ours/spinning");
    for (const auto& [name, what] :
         {std::pair("prefill", &Speeds::prefill), std::pair("decode", &Speeds::decode)})
        for (const int who : {0, 1}) {
            const double alone = median(quiet[who], what);
            const double beside = median(busy[who], what);
            std::printf("%-8s %-9s %9.1f %9.1f %12.2f", name, who == 0 ? "ours" : "spinning", alone,
                        beside, beside / alone);
            if (who == 0) std::printf(" %24.2f", alone / median(quiet[1], what));
            std::printf("\n");
        }
    return 0;
}

}  // namespace
}  // namespace mc::bench

int main(int argc, char** argv) {
    if (argc == 3 && std::strcmp(argv[1], "--serve") == 0) return mc::bench::serve(argv[2]);
    if (argc < 2 || argc > 3) {
        std::fprintf(stderr, "usage: contention_bench MODEL [ROUNDS]\n");
        return 2;
    }
    return mc::bench::compare("/proc/self/exe", argv[1], argc == 3 ? std::atoi(argv[2]) : 5);
}
