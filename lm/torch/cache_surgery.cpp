// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/cache_surgery.h"

#include <cstdlib>
#include <utility>

namespace mc::lm {

CacheRun copy_run(KvCache& cache, std::int64_t begin, std::int64_t end) {
    CacheRun run;
    for (std::size_t l = 0; l < cache.layer_count(); ++l) {
        run.keys.push_back(cache.keys(l).narrow(2, begin, end - begin).clone());
        run.values.push_back(cache.values(l).narrow(2, begin, end - begin).clone());
    }
    run.log_mass = cache.copy_log_mass(begin, end);
    return run;
}

CacheRun moved_run(const TorchModel& model, CacheRun run, std::int64_t shift) {
    if (shift == 0 || run.length() == 0) return run;
    // The table's row of |shift| is the turn itself, but for a factor that some scalings put into
    // it and that the keys have already.
    const at::Tensor cosines = model.rope.cosines.select(0, std::abs(shift));
    const at::Tensor sines = model.rope.sines.select(0, std::abs(shift));
    const at::Tensor factor = at::hypot(cosines, sines);
    const at::Tensor turn_cosines = cosines / factor;
    const at::Tensor turn_sines = shift > 0 ? sines / factor : -sines / factor;
    for (at::Tensor& keys : run.keys)
        keys = rotate_pairs(keys, turn_cosines, turn_sines).to(keys.scalar_type());
    return run;
}

void write_run(KvCache& cache, const CacheRun& run, std::int64_t begin) {
    if (run.length() == 0) return;
    cache.reserve(begin + run.length());
    for (std::size_t l = 0; l < cache.layer_count(); ++l) {
        cache.keys(l).narrow(2, begin, run.length()).copy_(run.keys[l]);
        cache.values(l).narrow(2, begin, run.length()).copy_(run.values[l]);
    }
    cache.write_log_mass(run.log_mass, begin);
}

}  // namespace mc::lm
