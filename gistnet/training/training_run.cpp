// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/training_run.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "gistnet/pooling/tensor_file.h"
#include "gistnet/training/tensor_bytes.h"
#include "telemetry/tensorboard.h"

namespace mc::gistnet {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kLogBytesMax = 1ULL << 30;

Result<std::uint64_t> number_field(const lm::SafetensorsFile& file, const char* key) {
    const auto found = file.metadata().find(key);
    std::uint64_t value = 0;
    if (found != file.metadata().end()) {
        const std::string& text = found->second;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc() && end == text.data() + text.size()) return value;
    }
    return fail(ErrorCode::kInvalidInput,
                file.name() + ": metadata field " + key + " is missing or not a number");
}

std::string slot_name(std::size_t i, const char* part) {
    return "slot" + std::to_string(i) + "." + part;
}

double rounded(double value) {
    return std::isfinite(value) ? std::round(value * 1e6) / 1e6 : value;
}

// Calls take(line, object) for the log's lines, up to the first that a kill cut short or that take
// is done with (false). The fence of the JSON library: a value of another kind than the log's own
// is kCorruption.
template <class Take>
Result<void> for_each_line(const Path& path, const Take& take) {
    MC_ASSIGN(const std::string text, read_file(path, kLogBytesMax));
    std::istringstream lines(text);
    std::uint64_t number = 0;
    try {
        for (std::string line; std::getline(lines, line);) {
            ++number;
            const Json json = Json::parse(line, nullptr, false);
            if (!json.is_object() || !take(line, json)) break;
        }
    } catch (const Json::exception& error) {
        return fail(ErrorCode::kCorruption, path.string() + ": line " + std::to_string(number) +
                                                " is not of a training log: " + error.what());
    }
    return {};
}

// A share that is not defined is null in the log.
double number_or_nan(const Json& object, const char* key) {
    const auto found = object.find(key);
    const bool is_number = found != object.end() && found->is_number();
    return is_number ? found->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

Result<bool> is_there(const Path& path) {
    std::error_code failed;
    const bool found = std::filesystem::exists(path, failed);
    if (failed) return fail(system_error(failed.value(), "cannot look for", path));
    return found;
}

void add_points(std::vector<telemetry::ScalarPoint>& points, const Json& line) {
    const std::uint64_t step = line.value("step", std::uint64_t{0});
    const auto add = [&](const std::string& tag, const Json& value) {
        if (value.is_number()) points.push_back({tag, step, value.get<float>()});
    };
    for (const char* key :
         {"loss", "divergence", "nll", "unexplained", "gradient_norm", "rate_factor"})
        if (line.contains(key)) add(std::string("train/") + key, line[key]);
    if (!line.contains("evaluation")) return;
    const Json drift = line.value("drift", Json::object());
    for (const auto& [name, change] : drift.items()) add("drift/" + name, change);
    for (const Json& one : line["evaluation"])
        for (const char* key : {"gists", "R", "Rs"})
            add("evaluation/" + std::string(key) + "/" +
                    std::to_string(one.value("context_blocks", 0)) + " blocks/" +
                    one.value("document", std::string()),
                one.at(key));
}

}  // namespace

Result<void> save_checkpoint(const Path& path, const std::string& identity, const RunState& state,
                             const Trainer& trainer) {
    std::vector<NamedTensor> tensors;
    const std::vector<AdamSlot>& slots = trainer.slots();
    for (std::size_t i = 0; i < slots.size(); ++i) {
        tensors.push_back({slot_name(i, "parameter"), slots[i].parameter});
        tensors.push_back({slot_name(i, "first_moment"), slots[i].first_moment});
        tensors.push_back({slot_name(i, "second_moment"), slots[i].second_moment});
    }
    return lm::torch_guard([&] {
        return write_tensors(path, tensors,
                             {{"identity", identity},
                              {"step", std::to_string(state.step)},
                              {"total_steps", std::to_string(state.total_steps)},
                              {"positions", std::to_string(state.positions)},
                              {"milliseconds", std::to_string(state.milliseconds)}});
    });
}

Result<void> load_checkpoint(const Path& path, const std::string& identity, RunState& state,
                             Trainer& trainer) {
    MC_ASSIGN(const bool is_resumed, is_there(path));
    if (!is_resumed) return {};
    MC_ASSIGN(const auto file, lm::SafetensorsFile::open(path));
    const auto found = file->metadata().find("identity");
    if (found == file->metadata().end() || found->second != identity)
        return fail(ErrorCode::kInvalidInput,
                    path.string() +
                        ": holds a run of another configuration; choose another "
                        "output folder or remove it");
    MC_ASSIGN(state.step, number_field(*file, "step"));
    MC_ASSIGN(state.total_steps, number_field(*file, "total_steps"));
    MC_ASSIGN(state.positions, number_field(*file, "positions"));
    MC_ASSIGN(state.milliseconds, number_field(*file, "milliseconds"));
    return lm::torch_guard([&]() -> Result<void> {
        const at::NoGradGuard no_grad;
        for (std::size_t i = 0; i < trainer.slots().size(); ++i) {
            AdamSlot& slot = trainer.slots()[i];
            const auto restore = [&](const char* part, at::Tensor& to) -> Result<void> {
                MC_ASSIGN(const at::Tensor read,
                          read_tensor(*file, slot_name(i, part), to.sizes()));
                to.copy_(read);
                return {};
            };
            MC_TRY(restore("parameter", slot.parameter));
            MC_TRY(restore("first_moment", slot.first_moment));
            MC_TRY(restore("second_moment", slot.second_moment));
        }
        return {};
    });
}

Result<void> share_state(ranks::RankGroup& group, RunState& state, Trainer& trainer) {
    if (group.world() == 1) return {};
    std::uint64_t* const numbers[] = {&state.step, &state.total_steps, &state.positions,
                                      &state.milliseconds};
    std::vector<at::Tensor> parts;
    for (const AdamSlot& slot : trainer.slots())
        parts.insert(parts.end(), {slot.parameter, slot.first_moment, slot.second_moment});
    std::vector<std::int64_t> values;
    for (const std::uint64_t* number : numbers)
        values.push_back(static_cast<std::int64_t>(*number));
    std::vector<at::Tensor> sent = parts;
    sent.push_back(lm::index_tensor(values));
    MC_ASSIGN(const auto all, group.gather(group.rank() == 0 ? to_bytes(sent) : std::string()));
    MC_ASSIGN(const auto got, tensors_from(all.front(), sent.size()));
    return lm::torch_guard([&] {
        const at::NoGradGuard no_grad;
        for (std::size_t i = 0; i < parts.size(); ++i) parts[i].copy_(got[i]);
        for (std::size_t i = 0; i < std::size(numbers); ++i)
            *numbers[i] = static_cast<std::uint64_t>(
                got.back()[static_cast<std::int64_t>(i)].item<std::int64_t>());
    });
}

Drift DriftMeter::measure(LevelParameters& level) {
    const at::NoGradGuard no_grad;
    Drift drift;
    std::vector<at::Tensor> now;
    for (const auto& [name, tensor] : level.named()) {
        now.push_back(tensor->detach().to(at::kDouble));
        if (before_.empty()) continue;
        const at::Tensor& before = before_[now.size() - 1];
        const double size = before.norm().item<double>();
        if (size > 0) drift.push_back({name, (now.back() - before).norm().item<double>() / size});
    }
    before_ = std::move(now);
    return drift;
}

Result<TrainLog> TrainLog::open(const Path& path, std::uint64_t last_step) {
    std::string kept;
    MC_ASSIGN(const bool is_resumed, is_there(path));
    if (is_resumed)
        MC_TRY(for_each_line(path, [&](const std::string& line, const Json& json) {
            if (json.value("step", last_step + 1) > last_step) return false;
            kept += line + "\n";
            return true;
        }));
    MC_TRY(replace_file(path, std::as_bytes(std::span(kept))));
    return TrainLog(path);
}

Result<void> TrainLog::append(const std::string& line) {
    std::ofstream file(path_, std::ios::app | std::ios::binary);
    file << line << '\n';
    file.flush();
    if (!file) return fail(system_error(errno, "write", path_));
    return {};
}

Result<std::vector<EvaluationPoint>> TrainLog::curve() const {
    std::vector<EvaluationPoint> out;
    MC_TRY(for_each_line(path_, [&](const std::string&, const Json& json) {
        if (!json.contains("evaluation")) return true;
        EvaluationPoint point = {
            json.value("step", std::uint64_t{0}), json.value("positions", std::uint64_t{0}), {}};
        for (const Json& one : json["evaluation"])
            point.scores.push_back({one.value("document", std::string()),
                                    one.value("context_blocks", 0U), one.value("horizon", 0U),
                                    number_or_nan(one, "R"), number_or_nan(one, "Rs")});
        out.push_back(std::move(point));
        return true;
    }));
    return out;
}

Result<void> TrainLog::write_events() const {
    std::vector<telemetry::ScalarPoint> points;
    MC_TRY(for_each_line(path_, [&](const std::string&, const Json& json) {
        add_points(points, json);
        return true;
    }));
    return telemetry::write_tensorboard(path_.parent_path(), points);
}

Result<void> TrainLog::add_step(std::uint64_t step, const StepReport& report, double seconds) {
    Json line;
    line["step"] = step;
    if (report.unexplained > 0) {
        line["unexplained"] = rounded(report.unexplained);
    } else {
        line["loss"] = rounded(report.loss);
        line["divergence"] = rounded(report.divergence);
        line["nll"] = rounded(report.nll);
    }
    line["gradient_norm"] = rounded(report.gradient_norm);
    line["rate_factor"] = rounded(report.rate_factor);
    line["reader_positions"] = report.reader_positions;
    line["read_positions"] = report.read_positions;
    line["seconds"] = std::round(seconds * 1e3) / 1e3;
    return append(line.dump());
}

Result<void> TrainLog::add_evaluation(std::uint64_t step, std::uint64_t positions,
                                      const std::vector<std::string>& documents,
                                      const std::vector<HeldOutScore>& scores, const Drift& drift) {
    Json line;
    line["step"] = step;
    line["positions"] = positions;
    line["evaluation"] = Json::array();
    for (const HeldOutScore& score : scores) {
        Json one;
        one["document"] = documents[score.document];
        one["context_blocks"] = score.shape.context_blocks;
        one["horizon"] = score.shape.horizon_tokens;
        one["none"] = rounded(score.none);
        one["full"] = rounded(score.full);
        one["gists"] = rounded(score.gists);
        one["shuffled"] = rounded(score.shuffled);
        one["R"] = rounded(score.recovery());
        one["Rs"] = rounded(score.recovery_over_shuffled());
        one["R_shuffled"] = rounded(score.shuffled_recovery());
        line["evaluation"].push_back(std::move(one));
    }
    for (const auto& [name, change] : drift) line["drift"][name] = rounded(change);
    return append(line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace mc::gistnet
